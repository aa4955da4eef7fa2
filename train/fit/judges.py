"""Train two judges of accompaniments: `python -m train judges --corpus CORPUS --run RUN`.

They learn from real songs and are for the evaluation alone: a genre classifier, which hears the band without its melody, and
a critic, which tells whether a band plays to this melody or to another. The critic's embedding is what the Frechet distance
is measured in. Trained on the train songs, stopped early on val, reported on test.

Letters: N windows of four blocks (8 bars), T their 128 steps, F features of a step, P pitched tracks, D the embedding.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from train.eval.metrics import frechet_distance
from train.fit.listeners import (
    OF_TRACK,
    PITCHED,
    Critic,
    Listener,
    Settings,
    Songs,
    vary,
    windows_of,
    without_melody,
)
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.losses import read_losses
from train.fit.run_files import WEIGHTS, find_weights, save_weights, write_json
from train.fit.settings import Session, training_parser

GENRES = ("pop", "rock", "jazz", "latin", "folk", "game", "gospel")  # the others have too few songs
FIVE = (
    "jazz",
    "latin",
    "pop",
    "rock",
    "game",
)  # the genres that listeners were asked to tell apart

JUDGES_FILE = "judges.json"

SETTINGS = Settings()
# Both are at their best on val after three to ten epochs; stronger regularisation made no difference.
GENRE_FIT = FitSettings(epochs=10, batch_size=64, learning_rate=1.5e-3, weight_decay=0.05)
CRITIC_FIT = FitSettings(epochs=9, batch_size=64, learning_rate=8e-4, weight_decay=0.05)


def main(arguments: list[str] | None = None) -> None:
    session = Session.open(training_parser("judges", __doc__).parse_args(arguments))
    options, corpus, settings = session.options, session.corpus, SETTINGS
    if options.genre or options.init:
        raise SystemExit(
            "the judges hear all genres and are trained from scratch; leave out --genre and --init"
        )
    songs = {
        split: Songs.of(corpus, session.songs(split), session.config.get("genres") or {})
        for split in ("train", "val", "test")
    }
    for split in ("train", "val"):
        if not len(songs[split]):
            raise SystemExit(f"no {split} song has a melody")
    genres = [genre for genre in GENRES if genre in songs["train"].genres]
    if not genres:
        raise SystemExit(f"no train song is of a genre to tell apart; known: {', '.join(GENRES)}")
    folder = options.run / "judges"
    write_json(
        folder / JUDGES_FILE,
        {"genres": genres, "width": settings.width, "embedding": settings.embedding},
    )
    figures: dict = {
        "seed": options.seed,
        "songs": {split: len(group) for split, group in songs.items()},
    }

    started = monotonic()
    torch.manual_seed(options.seed)
    classifier = Listener(
        len(PITCHED) - 1, len(genres), settings.width, settings.embedding, settings.dropout
    )
    real = {
        split: genre_examples(group, genres) for split, group in songs.items() if split != "train"
    }

    def genre_losses(progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        heard, genre = batch
        return {"loss": F.cross_entropy(classifier(heard), genre, label_smoothing=0.1)}

    train_best(
        folder / "genre",
        classifier,
        genre_losses,
        partial(genre_batches, songs["train"], genres, settings),
        lambda: genre_figures(classifier, real["val"], genres),
        GENRE_FIT,
        options,
    )
    figures["genre"] = {
        "parameters": sum(value.numel() for value in classifier.parameters()),
        **{split: genre_figures(classifier, examples, genres) for split, examples in real.items()},
        "seconds": round(monotonic() - started),
    }

    started = monotonic()
    torch.manual_seed(options.seed)
    critic = Critic(settings.width, settings.embedding, settings.dropout)
    # The same pairs in every epoch; of test three times as many, as one chance of mismatches is a small sample.
    pairs = {
        split: Pairs.of(group, settings, repeats)
        for (split, group), repeats in zip(songs.items(), (1, 2, 3))
    }

    def critic_losses(progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        heard, matched = batch
        return {"loss": F.binary_cross_entropy_with_logits(critic(heard)[:, 0], matched)}

    train_best(
        folder / "critic",
        critic,
        critic_losses,
        partial(critic_batches, songs["train"], settings),
        lambda: {"loss": pairs["val"].loss(critic)},
        CRITIC_FIT,
        options,
    )
    critic.threshold.fill_(balanced_threshold(*pairs["val"].logits(critic)))
    sample = songs["train"].every_window()[:: max(1, len(songs["train"].every_window()) // 4000)]
    train_embedding = hear(critic.embed, songs["train"], sample)
    critic.spread.fill_(float(np.sqrt(train_embedding.var(axis=0).sum())))
    save_weights(folder / "critic", critic)
    figures["critic"] = {
        "parameters": sum(value.numel() for value in critic.parameters()),
        **{split: pairs[split].figures(critic) for split in ("val", "test")},
        "frechet": frechet_figures(critic, songs["test"], train_embedding / float(critic.spread)),
        "seconds": round(monotonic() - started),
    }
    write_json(folder / "figures.json", figures)


def train_best(
    folder: Path, model: nn.Module, losses, batches, validate, settings: FitSettings, options
) -> None:
    """Train with the shared loop; `model` ends with the weights of the epoch whose loss on val was lowest."""
    best = min((row["val/loss"] for row in read_losses(folder)), default=np.inf)

    def watch() -> dict[str, float]:
        nonlocal best
        figures = {name: value for name, value in validate().items() if np.isscalar(value)}
        if figures["loss"] < best:
            best = figures["loss"]
            save_weights(folder, model)
        return figures

    settings = FitSettings(**{**vars(settings), "seed": options.seed})
    fit(folder, FunctionTask(model, losses, batches, watch), settings, options.max_steps)
    model.load_state_dict(load_file(folder / WEIGHTS))


# The genre classifier


def genre_batches(
    songs: Songs, genres: list[str], settings: Settings, generator: torch.Generator, size: int
):
    random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    by_genre = [
        [song for song, name in enumerate(songs.genres) if name == genre] for genre in genres
    ]
    labels = np.repeat(np.arange(len(genres)), settings.genre_windows)
    random.shuffle(labels)
    for at in range(0, len(labels), size):
        chosen = [int(random.choice(by_genre[label])) for label in labels[at : at + size]]
        windows = songs.windows([(song, int(random.choice(songs.starts[song]))) for song in chosen])
        yield (
            vary(without_melody(windows), random, settings),
            torch.from_numpy(labels[at : at + size]),
        )


def genre_examples(songs: Songs, genres: list[str]) -> list[tuple[Tensor, int]]:
    """Of each song of these genres its windows without the melody, side by side, and its genre's number."""
    return [
        (
            without_melody(songs.windows([(song, int(at)) for at in songs.regular[song]])),
            genres.index(name),
        )
        for song, name in enumerate(songs.genres)
        if name in genres
    ]


@torch.no_grad()
def genre_figures(
    classifier: Listener, examples: list[tuple[Tensor, int]], genres: list[str]
) -> dict:
    """By song: cross entropy and accuracy with genres counting alike, accuracy with songs counting alike, and the confusion
    matrix [true][heard], for all genres and for the five.
    """
    if not examples:
        return {}
    device = classifier.out.weight.device
    scores = torch.stack(
        [
            F.log_softmax(classifier(windows.to(device)), dim=1).mean(dim=0).cpu()
            for windows, _ in examples
        ]
    )
    true = torch.tensor([genre for _, genre in examples])
    present = [genre for genre in range(len(genres)) if (true == genre).any()]
    loss = np.mean([float(-scores[true == genre, genre].mean()) for genre in present])
    five = [index for index, genre in enumerate(genres) if genre in FIVE]
    return {
        "loss": loss,
        **confusion(scores, true, genres, range(len(genres))),
        "five": confusion(scores, true, genres, five),
    }


def confusion(scores: Tensor, true: Tensor, names: list[str], among) -> dict:
    """Accuracy of the best of the genres `among`, for songs of these genres; scores: [songs, genres]."""
    among = list(among)
    matrix = np.zeros((len(among), len(among)), int)
    for row, genre in zip(scores[:, among].argmax(dim=1), true.tolist()):
        if genre in among:
            matrix[among.index(genre), int(row)] += 1
    counts = matrix.sum(axis=1)
    balanced = np.mean(matrix.diagonal()[counts > 0] / counts[counts > 0]) if counts.any() else 0.0
    return {
        "accuracy": float(matrix.trace() / max(counts.sum(), 1)),
        "balanced_accuracy": float(balanced),
        "genres": [names[index] for index in among],
        "confusion": matrix.tolist(),
    }


# The critic


KINDS = ("matched", "same genre", "any genre", "same song")


def mismatched(
    songs: Songs, song: int, at: int, settings: Settings, random: np.random.Generator
) -> tuple[int, int, int]:
    """(song, first block, kind) of a band that does not belong to the melody at this place."""
    if random.random() < settings.same_song:
        far = songs.starts[song][abs(songs.starts[song] - at) >= settings.far]
        for place in random.permutation(far)[:4]:
            if not alike(songs, song, at, int(place), settings.alike):
                return song, int(place), KINDS.index("same song")
    others = [i for i, group in enumerate(songs.groups) if group != songs.groups[song]]
    kin = [i for i in others if songs.genres[i] == songs.genres[song]]
    kind = KINDS.index("same genre" if kin and random.random() < 0.5 else "any genre")
    choice = kin if kind == KINDS.index("same genre") else others
    other = int(random.choice(choice)) if choice else song
    return other, int(random.choice(songs.starts[other])), kind


def alike(songs: Songs, song: int, a: int, b: int, least: float) -> bool:
    """Whether melody or band strike mostly the same in two windows of a song, so that the bands could be exchanged."""
    one, two = (window.numpy() for window in songs.windows([(song, a), (song, b)]))
    struck = [slice(part * OF_TRACK, part * OF_TRACK + 12) for part in range(len(PITCHED))]
    for columns in (struck[:1], struck[1:]):
        x, y = (np.concatenate([window[:, c] for c in columns], axis=1) for window in (one, two))
        if (x & y).sum() >= least * max((x | y).sum(), 1):
            return True
    return False


def pair(songs: Songs, melodies: list[tuple[int, int]], bands: list[tuple[int, int]]) -> Tensor:
    """[N, T, F] uint8: the melodies of some windows with the bands of others."""
    return torch.cat(
        [songs.windows(melodies)[..., :OF_TRACK], songs.windows(bands)[..., OF_TRACK:]], dim=-1
    )


def critic_batches(songs: Songs, settings: Settings, generator: torch.Generator, size: int):
    random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    order = random.permutation(np.repeat(np.arange(len(songs)), settings.critic_windows)).tolist()
    half = max(1, size // 2)
    for at in range(0, len(order), half):
        places = [(song, int(random.choice(songs.starts[song]))) for song in order[at : at + half]]
        others = [mismatched(songs, song, start, settings, random)[:2] for song, start in places]
        heard = pair(songs, places * 2, places + others)
        label = torch.cat([torch.ones(len(places)), torch.zeros(len(places))])
        yield vary(heard, random, settings, keep_melody=True), label


@dataclass
class Pairs:
    """Fixed pairs of melody and band: where the bands are from, and of which kind."""

    songs: Songs
    melodies: list[tuple[int, int]]
    bands: list[tuple[int, int]]
    kinds: np.ndarray

    @classmethod
    def of(cls, songs: Songs, settings: Settings, repeats: int) -> "Pairs":
        """Every window with its own band once and with others `repeats` times."""
        random = np.random.default_rng(
            0
        )  # the same for every seed of training, so that they can be compared
        places = songs.every_window()
        others = [mismatched(songs, *place, settings, random) for place in places * repeats]
        kinds = np.array([0] * len(places) + [kind for *_, kind in others], int)
        return cls(
            songs, places * (1 + repeats), places + [(song, at) for song, at, _ in others], kinds
        )

    @torch.no_grad()
    def logits(self, critic: Critic) -> tuple[np.ndarray, np.ndarray]:
        """Those of matched and of mismatched pairs."""
        found, device = [], critic.out.weight.device
        for at in range(0, len(self.kinds), 256):
            part = slice(at, at + 256)
            found.append(
                critic(pair(self.songs, self.melodies[part], self.bands[part]).to(device))[:, 0]
                .cpu()
                .numpy()
            )
        logits = np.concatenate([np.zeros(0, np.float32), *found])
        return logits[self.kinds == 0], logits[self.kinds > 0]

    def loss(self, critic: Critic) -> float:
        """Binary cross entropy, matched and mismatched pairs counting alike."""
        matched, other = (torch.from_numpy(values) for values in self.logits(critic))
        return float(F.softplus(-matched).mean() + F.softplus(other).mean()) / 2

    def figures(self, critic: Critic) -> dict:
        """How many pairs there are of each kind and what share of them is called matched."""
        matched, other = self.logits(critic)
        kinds = self.kinds[self.kinds > 0]
        groups = {"matched": matched, "mismatched": other} | {
            f"mismatched, {KINDS[kind]}": other[kinds == kind] for kind in range(1, len(KINDS))
        }
        threshold = float(critic.threshold)
        return {
            name: {"pairs": len(values), "called_matched": float((values >= threshold).mean())}
            for name, values in groups.items()
            if len(values)
        }


def balanced_threshold(matched: np.ndarray, mismatched: np.ndarray) -> float:
    """The logit at which as large a share of matched pairs is missed as of mismatched ones is believed."""
    candidates = np.sort(np.concatenate([matched, mismatched]))
    missed = np.searchsorted(np.sort(matched), candidates) / len(matched)
    believed = 1 - np.searchsorted(np.sort(mismatched), candidates) / len(mismatched)
    return float(candidates[np.abs(missed - believed).argmin()])


@torch.no_grad()
def hear(
    function: Callable[[Tensor], Tensor], songs: Songs, where: list[tuple[int, int]]
) -> np.ndarray:
    """What `function` makes of the windows at `where`."""
    return np.concatenate(
        [function(songs.windows(where[at : at + 256])).numpy() for at in range(0, len(where), 256)]
    )


def frechet_figures(critic: Critic, test: Songs, train_embedding: np.ndarray) -> dict[str, float]:
    """What real music measures against real music, which is what to compare with: chance halves of the test songs, and a
    sample of the train songs with test. Both grow as there are fewer windows, so say how many.
    """
    where = test.every_window()
    if len(test) < 4:
        return {}
    heard = hear(critic.embed, test, where) / float(critic.spread)
    song = np.array([index for index, _ in where])
    random, halves = np.random.default_rng(0), []
    for _ in range(10):
        half = np.isin(song, random.permutation(len(test))[: len(test) // 2])
        halves.append(frechet_distance(heard[half], heard[~half]))
    return {
        "windows": len(where),
        "halves_of_test": float(np.mean(halves)),
        "train_and_test": frechet_distance(train_embedding, heard),
    }


# For the evaluation


@dataclass
class Judges:
    """What `main` trained. All take planes [5, 2, S, 128] uint8 of a song in the melody's normal key, on a grid of bars of 16
    steps, in the order of accomp.grid.TRACKS. S is a multiple of 32; a song shorter than a window is filled up with silence,
    and windows in which the melody plays in less than half of the blocks are left out.
    """

    genres: list[str]
    classifier: Listener
    critic: Critic

    @classmethod
    def load(cls, run: Path) -> "Judges":
        path = run / "judges" / JUDGES_FILE
        if not path.is_file():
            raise SystemExit(f"{run} holds no trained judges ({path} is missing); train them first")
        config = json.loads(path.read_text())
        classifier = Listener(
            len(PITCHED) - 1, len(config["genres"]), config["width"], config["embedding"]
        )
        critic = Critic(config["width"], config["embedding"])
        for name, model in (("genre", classifier), ("critic", critic)):
            model.load_state_dict(load_file(find_weights(run, f"judges/{name}")))
        return cls(config["genres"], classifier.eval(), critic.eval())

    @torch.no_grad()
    def genre(self, planes: np.ndarray) -> np.ndarray:
        """[genres]: log probabilities, the mean over windows (not normalised again); NaN where no window has a melody."""
        heard = windows_of(planes)
        if not len(heard):
            return np.full(len(self.genres), np.nan, np.float32)
        return F.log_softmax(self.classifier(without_melody(heard)), dim=1).mean(dim=0).numpy()

    @torch.no_grad()
    def matching(self, planes: np.ndarray) -> np.ndarray:
        """[N]: the critic's logits, 0 where matched and mismatched are equally likely mistaken."""
        return (self.critic(windows_of(planes))[:, 0] - self.critic.threshold).numpy()

    def matched(self, planes: np.ndarray) -> np.ndarray:
        """[N] bool: whether each window's band is heard as the melody's own."""
        return self.matching(planes) >= 0

    @torch.no_grad()
    def embed(self, planes: np.ndarray) -> np.ndarray:
        """[N, D]: the critic's penultimate layer; the unit is the spread of real music."""
        return (self.critic.embed(windows_of(planes)) / self.critic.spread).numpy()


if __name__ == "__main__":
    main()
