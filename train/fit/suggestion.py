"""Teach the suggestion of a genre: `python -m train suggestion SOURCE --labels FILE --out FOLDER`.

SOURCE is a folder of MIDI files and FILE a CSV as for train.data.prepare (`file`, `genre`, and optionally `split`, `dup_group`,
`source`); without it the genre is the name of the first folder. FOLDER gets the weights (accomp.suggest) and figures.json.

Learned from are the melodies of the `train` songs, whole and in excerpts, as visitors bring either; every genre counts alike,
and in a genre every song. The penalty on the weights is chosen by `val`. The accuracies are of `val` and `test`.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from tqdm import tqdm

from accomp.errors import MusicError
from accomp.models.files import WEIGHTS_FILE, digest
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.midi import read_midi
from accomp.music.score import Note, Score
from accomp.suggest import GenreModel, Line, features, normalised
from train.data.corpus import UNSTATED
from train.data.prepare import list_songs, split_songs
from train.fit.run_files import write_json
from train.fit.settings import CONFIGS, genre_of

GENRES = ("folk", "game", "gospel", "jazz", "latin", "pop", "rock")  # that have models
EXCERPT_BARS, EVERY = 16, 8  # bars of an excerpt, and from one to the next
FEWEST = 16  # notes of an excerpt
PENALTIES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)  # on squared weights; tried in training
FEWEST_UNHEARD = 10  # songs of a source that is left out for a trial


@dataclass
class Examples:
    """Melodies, N of them: the whole ones of songs and excerpts. values: [N, F] of `names`; notes: [N] how many each has; genre:
    [N] names; split, song, source: [N]; whole: [N] bool.
    """

    names: list[str]
    values: np.ndarray
    notes: np.ndarray
    genre: np.ndarray
    split: np.ndarray
    song: np.ndarray
    source: np.ndarray
    whole: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> "Examples":
        """Those of index or mask `chosen`."""
        return Examples(self.names, *(getattr(self, name)[chosen] for name in list(vars(self))[1:]))

    def weights(self, genres: list[str]) -> np.ndarray:
        """[N], 1 in all: the same for each genre, in a genre for each song, and in a song for each example."""
        _, songs, examples = np.unique(self.song, return_inverse=True, return_counts=True)
        weight = 1 / examples[songs]
        for genre in genres:
            weight[self.genre == genre] /= weight[self.genre == genre].sum() * len(genres)
        return weight


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train suggestion", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("source", metavar="SOURCE", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--genres", nargs="+", default=GENRES, help=f"to tell apart (default: {' '.join(GENRES)})"
    )
    parser.add_argument(
        "--config",
        type=Path,
        default=CONFIGS / "accomp.yaml",
        help="says which labels make a genre",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the split, where the labels don't say it"
    )
    parser.add_argument("--workers", type=int, default=None, help="processes; all cores by default")
    options = parser.parse_args(arguments)

    examples = read_examples(list_entries(options), options.source, options.workers)
    genres = sorted(options.genres)
    for split in ("train", "val", "test"):
        if missing := set(genres) - set(examples.genre[examples.split == split]):
            raise SystemExit(f"{split} has no song of {', '.join(sorted(missing))}")
    train, val, test = (examples[examples.split == split] for split in ("train", "val", "test"))
    penalty = min(
        PENALTIES,
        key=lambda penalty: accuracies(fit(train, genres, penalty), val[val.whole])["nats"],
    )
    model = fit(train, genres, penalty)
    model.save(options.out)
    figures = {
        "seed": options.seed,
        "penalty": penalty,
        "features": len(model.features),
        "weights_sha256": digest(options.out / WEIGHTS_FILE),
        "songs": {
            split: dict(Counter(s.genre[s.whole].tolist()))
            for split, s in zip(("train", "val", "test"), (train, val, test))
        },
        "val": accuracies(model, val[val.whole]),
        "test": accuracies(model, test[test.whole])
        | {"confusion": confusion(model, test[test.whole])},
        "test_excerpts": accuracies(model, test[~test.whole]),
        "unheard_sources": unheard(train, genres, penalty),
    }
    write_json(options.out / "figures.json", figures)
    print(table(figures))


def list_entries(options: argparse.Namespace) -> list[dict]:
    """Songs of the asked genres, as `list_songs` says, with the genre that their label belongs to and a split."""
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


def read_examples(entries: list[dict], source: Path, workers: int | None) -> Examples:
    """The melodies of the songs in folder `source` that can be read and have one."""
    rows, names = [], []
    with ProcessPoolExecutor(workers) as pool:
        found = pool.map(
            partial(melodies_of, source), [entry["file"] for entry in entries], chunksize=8
        )
        for song, (entry, melodies) in enumerate(
            zip(entries, tqdm(found, total=len(entries), unit="song"))
        ):
            for place, (notes, values) in enumerate(melodies):
                names = list(values)
                about = (
                    entry["genre"],
                    entry["split"],
                    song,
                    entry.get("source", UNSTATED),
                    place == 0,
                )
                rows.append((list(values.values()), notes, *about))
    if not rows:
        raise SystemExit(f"{source}: none of {len(entries)} songs has a melody of the asked genres")
    return Examples(names, *map(np.array, zip(*rows)))


def melodies_of(source: Path, file: str) -> list[tuple[int, dict[str, float]]]:
    """Number of notes and features of a song's whole melody and of its excerpts; none where there is no melody."""
    try:
        score = read_midi(source / file)
        notes = skyline(score.tracks[choose_melody(score)].notes)
    except MusicError:
        return []
    return [
        (len(part), features(Line.of(part, score))) for part in (notes, *excerpts(notes, score))
    ]


def excerpts(notes: list[Note], score: Score) -> Iterator[list[Note]]:
    """Of EXCERPT_BARS bars, from the melody's first bar on."""
    onsets = np.array([note.onset for note in notes]) + 1e-6
    bars = np.array([bar.onset for bar in score.bars(onsets[-1])])
    first = max(int(np.searchsorted(bars, onsets[0])) - 1, 0)
    for at in range(first, len(bars), EVERY):
        end = bars[at + EXCERPT_BARS] if at + EXCERPT_BARS < len(bars) else np.inf
        part = notes[np.searchsorted(onsets, bars[at]) : np.searchsorted(onsets, end)]
        if FEWEST <= len(part) < len(notes):
            yield part


def fit(train: Examples, genres: list[str], penalty: float) -> GenreModel:
    """Multinomial logistic regression: the least cross-entropy of `train`, plus the penalty on squared weights."""
    share = train.weights(genres)
    mean = share @ train.values
    deviation = np.sqrt(share @ (train.values - mean) ** 2) + 1e-6
    inputs = torch.from_numpy(normalised(train.values, train.notes, mean, deviation))
    target, share = torch.from_numpy(np.searchsorted(genres, train.genre)), torch.from_numpy(share)
    weight = torch.zeros(inputs.shape[1], len(genres), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(genres), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        surprise = F.cross_entropy(inputs @ weight + bias, target, reduction="none")
        total = share @ surprise + penalty * weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    return GenreModel(
        genres, train.names, mean, deviation, weight.detach().numpy(), bias.detach().numpy()
    )


def accuracies(model: GenreModel, examples: Examples) -> dict[str, float]:
    """accuracy: share of examples whose genre is the first suggested; balanced: mean over genres of that share; top_2, and
    balanced_top_2: one of the first two; majority: of always guessing the commonest genre; nats: cross-entropy with every genre
    weighing the same.
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


def confusion(model: GenreModel, examples: Examples) -> dict[str, dict[str, int]]:
    """By genre, how often each was suggested first."""
    first = np.array(model.genres)[model.probabilities(examples.values, examples.notes).argmax(1)]
    return {
        genre: {
            other: int(np.sum(first[examples.genre == genre] == other)) for other in model.genres
        }
        for genre in model.genres
    }


def unheard(train: Examples, genres: list[str], penalty: float) -> dict[str, dict]:
    """By genre, for sources of `train` of which nothing was learned: the share of their songs whose genre is the first
    suggested. It tells how much is learned about sources rather than genres.
    """
    results: dict[str, dict] = {}
    for source in np.unique(train.source).tolist():
        heard = train[train.source != source]
        held_out = train[(train.source == source) & train.whole]
        enough = [
            genre
            for genre in genres
            if np.sum(held_out.genre == genre) >= FEWEST_UNHEARD
            and np.sum(heard.whole & (heard.genre == genre)) >= FEWEST_UNHEARD
        ]
        if not enough or set(heard.genre) != set(genres):
            continue
        model = fit(heard, genres, penalty)
        for genre in enough:
            songs = held_out[held_out.genre == genre]
            results.setdefault(genre, {})[source] = {
                "songs": len(songs.song),
                "accuracy": accuracies(model, songs)["accuracy"],
            }
    return results


def table(figures: dict) -> str:
    """The accuracies and the confusion matrix, as Markdown tables."""
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
