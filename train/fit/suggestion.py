"""Train the suggestion of a genre for a melody.

    python -m train suggestion SOURCE --labels FILE --out FOLDER

SOURCE is a folder of MIDI files, and FILE a CSV as for `train prepare` (`file`, `genre`, and
optionally `split`, `dup_group` and `source`); without it the genre is the name of the first folder.
FOLDER gets the weights and figures.json.

It learns from the melodies of the `train` songs, whole and in excerpts, as visitors give either.
Every genre counts alike, and in a genre every song. The penalty on the weights is chosen on the
`val` songs; accuracies are those of `val` and `test`.
"""

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import yaml

from accomp.models.files import WEIGHTS_FILE, digest
from accomp.suggest import GenreModel, normalised_features
from train.command_line import command_parser, present
from train.data.songs import list_songs
from train.data.splits import SPLITS, split_songs
from train.fit.run_files import FIGURES, write_json
from train.fit.settings import CONFIGS, genre_of
from train.fit.suggestion_examples import ExcerptSettings, GenreExamples, read_examples

GENRES = ("folk", "game", "gospel", "jazz", "latin", "pop", "rock")  # that have models


@dataclass(frozen=True)
class SuggestionSettings:
    """How the suggestion is trained and measured."""

    excerpts: ExcerptSettings = ExcerptSettings()
    penalties: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)  # on squared weights, to try
    iterations: int = 300  # of L-BFGS, at most; it stops earlier
    fewest_left_out: int = 10  # songs of a source that is left out for a trial


def main(
    arguments: list[str] | None = None, settings: SuggestionSettings = SuggestionSettings()
) -> None:
    """Train with the best penalty, and write weights and figures."""
    options = _options(arguments)
    entries = list_entries(options)
    examples = read_examples(entries, options.source, options.workers, settings.excerpts)
    genres = sorted(options.genres)
    for split in SPLITS:
        if missing := set(genres) - set(examples.genre[examples.split == split]):
            raise SystemExit(f"{split} has no song of {', '.join(sorted(missing))}")
    train, val, test = (examples[examples.split == split] for split in SPLITS)

    def surprise(penalty: float) -> float:
        model = fit_genre_model(train, genres, penalty, settings)
        return genre_accuracies(model, val[val.whole])["nats"]

    penalty = min(settings.penalties, key=surprise)
    model = fit_genre_model(train, genres, penalty, settings)
    model.save(options.out)
    tested = genre_accuracies(model, test[test.whole])
    figures = {
        "seed": options.seed,
        "penalty": penalty,
        "features": len(model.features),
        "weights_sha256": digest(options.out / WEIGHTS_FILE),
        "songs": {
            split: dict(Counter(own.genre[own.whole].tolist()))
            for split, own in zip(SPLITS, (train, val, test))
        },
        "val": genre_accuracies(model, val[val.whole]),
        "test": tested | {"confusion": suggested_genres(model, test[test.whole])},
        "test_excerpts": genre_accuracies(model, test[~test.whole]),
        "unheard_sources": without_each_source(train, genres, penalty, settings),
    }
    write_json(options.out / FIGURES, figures)
    print(as_markdown(figures))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser("suggestion", __doc__)
    parser.add_argument("source", metavar="SOURCE", type=Path, help="folder of MIDI files")
    parser.add_argument("--labels", type=present, metavar="FILE", help="genres of the songs")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the weights")
    parser.add_argument(
        "--genres", nargs="+", default=GENRES, help=f"to tell apart (default: {' '.join(GENRES)})"
    )
    parser.add_argument(
        "--config",
        type=present,
        default=CONFIGS / "accomp.yaml",
        metavar="FILE",
        help="which labels make a genre (default: train/configs/accomp.yaml)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split, unless labels say it")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: all cores)")
    return parser.parse_args(arguments)


def list_entries(options: argparse.Namespace) -> list[dict]:
    """List the songs of the genres to tell apart, each with its genre and a split."""
    config = yaml.safe_load(options.config.read_text())
    entries = [
        entry | {"genre": genre_of(config, entry["genre"])}
        for entry in list_songs(options.source, options.labels)
    ]
    entries = [
        {"dup_group": entry["file"]} | entry
        for entry in entries
        if entry["genre"] in options.genres
    ]
    split_songs(entries, options.seed)
    return entries


def fit_genre_model(
    train: GenreExamples,
    genres: list[str],
    penalty: float,
    settings: SuggestionSettings = SuggestionSettings(),
) -> GenreModel:
    """Fit a multinomial logistic regression: the least cross-entropy plus a penalty.

    Args:
        train: What it learns from.
        genres: Those to tell apart.
        penalty: On squared weights.
        settings: How long it is fitted.
    """
    share = train.weights(genres)
    mean = share @ train.values
    deviation = np.sqrt(share @ (train.values - mean) ** 2) + 1e-6
    inputs = torch.from_numpy(normalised_features(train.values, train.notes, mean, deviation))
    target, share = torch.from_numpy(np.searchsorted(genres, train.genre)), torch.from_numpy(share)
    weight = torch.zeros(inputs.shape[1], len(genres), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(genres), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=settings.iterations, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        surprise = F.cross_entropy(inputs @ weight + bias, target, reduction="none")
        total = share @ surprise + penalty * weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    weights, biases = weight.detach().numpy(), bias.detach().numpy()
    return GenreModel(genres, train.names, mean, deviation, weights, biases)


def genre_accuracies(model: GenreModel, examples: GenreExamples) -> dict[str, float]:
    """Measure how often the true genre is suggested first, or among the first two.

    Returns:
        `accuracy`, the share of examples whose genre is the first; `balanced`, the mean over genres
        of that share; `top_2` and `balanced_top_2`, of one of the first two; `majority`, the
        accuracy of always suggesting the commonest genre; `nats`, the cross-entropy with all genres
        counting alike.
    """
    probability = model.probabilities(examples.values, examples.notes)
    target = np.searchsorted(model.genres, examples.genre)
    own = probability[np.arange(len(target)), target]
    rank = (probability > own[:, None]).sum(1)
    each = [target == number for number in np.unique(target)]
    figures = {
        "accuracy": (rank == 0).mean(),
        "balanced": np.mean([(rank[chosen] == 0).mean() for chosen in each]),
        "top_2": (rank < 2).mean(),
        "balanced_top_2": np.mean([(rank[chosen] < 2).mean() for chosen in each]),
        "majority": max(chosen.mean() for chosen in each),
        "nats": -np.mean([np.log(own[chosen]).mean() for chosen in each]),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def suggested_genres(model: GenreModel, examples: GenreExamples) -> dict[str, dict[str, int]]:
    """Count by genre how often each genre was suggested first."""
    first = np.array(model.genres)[model.probabilities(examples.values, examples.notes).argmax(1)]
    return {
        genre: {
            other: int(np.sum(first[examples.genre == genre] == other)) for other in model.genres
        }
        for genre in model.genres
    }


def without_each_source(
    train: GenreExamples,
    genres: list[str],
    penalty: float,
    settings: SuggestionSettings = SuggestionSettings(),
) -> dict[str, dict]:
    """Train without each source, and measure on its songs.

    That tells how much is learned about sources rather than genres.

    Args:
        train: Songs of all sources.
        genres: Those to tell apart.
        penalty: On squared weights.
        settings: How many songs a source must have.

    Returns:
        By genre and source, the number of `songs` and the `accuracy`.
    """
    results: dict[str, dict] = {}
    fewest = settings.fewest_left_out
    for source in np.unique(train.source).tolist():
        others = train[train.source != source]
        held_out = train[(train.source == source) & train.whole]
        enough = [
            genre
            for genre in genres
            if np.sum(held_out.genre == genre) >= fewest
            and np.sum(others.whole & (others.genre == genre)) >= fewest
        ]
        if not enough or set(others.genre) != set(genres):
            continue
        model = fit_genre_model(others, genres, penalty, settings)
        for genre in enough:
            songs = held_out[held_out.genre == genre]
            accuracy = genre_accuracies(model, songs)["accuracy"]
            results.setdefault(genre, {})[source] = {
                "songs": len(songs.song),
                "accuracy": accuracy,
            }
    return results


def as_markdown(figures: dict) -> str:
    """Return the accuracies and the confusion matrix as tables."""
    parts = ("val", "test", "test_excerpts")
    lines = ["| | " + " | ".join(parts) + " |", "|---" * (len(parts) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{figures[part][name]:.3f}" for part in parts) + " |"
        for name in figures["val"]
    ]
    matrix = figures["test"]["confusion"]
    lines += ["", "| test | " + " | ".join(matrix) + " |", "|---" * (len(matrix) + 1) + "|"]
    lines += [
        f"| {genre} | " + " | ".join(map(str, row.values())) + " |" for genre, row in matrix.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
