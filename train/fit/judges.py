"""Train the judge of genres for the evaluation.

    python -m train judges --corpus CORPUS --run RUN

It learns from real songs to tell the genre of a band without its melody: from the train songs,
stopped early on val, and reported on test. (`python -m train tell_apart` trains the judge that
tells our bands from real ones.)
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from train.data.splits import SPLITS
from train.fit.judge_genre import GenreTask, GenreTraining, genre_examples, genre_figures
from train.fit.judge_networks import JudgeConfig, JudgeNetwork, genre_classifier
from train.fit.judge_windows import Songs, windows_of, without_melody
from train.fit.loop import FitSettings, Task, fit
from train.fit.losses import read_losses
from train.fit.run_files import FIGURES, WEIGHTS, find_weights, save_weights, write_json
from train.fit.settings import Session, training_parser

JUDGES_FILE = "judges.json"


@dataclass(frozen=True)
class JudgeSettings:
    """How the judge is made."""

    network: JudgeConfig = JudgeConfig()
    genre: GenreTraining = GenreTraining()
    # It is best on val after three to ten epochs; stronger regularisation made no difference.
    genre_fit: FitSettings = FitSettings(
        epochs=10, batch_size=64, learning_rate=1.5e-3, weight_decay=0.05
    )


def main(arguments: list[str] | None = None, settings: JudgeSettings = JudgeSettings()) -> None:
    """Train the classifier, and write what it is worth."""
    session = Session.open(training_parser("judges", __doc__).parse_args(arguments))
    options = session.options
    if options.genre or options.init:
        raise SystemExit(
            "the judge is trained on all genres and from scratch; leave out --genre and --init"
        )
    labels = session.config.get("genres") or {}
    songs = {split: Songs.read(session.corpus, session.songs(split), labels) for split in SPLITS}
    for split in ("train", "val"):
        if not len(songs[split]):
            raise SystemExit(f"no {split} song has a melody")
    genres = [genre for genre in settings.genre.genres if genre in songs["train"].genres]
    if not genres:
        known = ", ".join(settings.genre.genres)
        raise SystemExit(f"no train song is of a genre to tell apart; known: {known}")
    folder = options.run / "judges"
    sizes = {"width": settings.network.width, "embedding": settings.network.embedding}
    write_json(folder / JUDGES_FILE, {"genres": genres, **sizes})
    figures = {
        "seed": options.seed,
        "songs": {split: len(group) for split, group in songs.items()},
        "genre": train_classifier(folder / "genre", songs, genres, options, settings),
    }
    write_json(folder / FIGURES, figures)


def train_classifier(
    folder: Path,
    songs: dict[str, Songs],
    genres: list[str],
    options: argparse.Namespace,
    settings: JudgeSettings,
) -> dict:
    """Train the genre classifier.

    Args:
        folder: Gets its weights.
        songs: By split.
        genres: Those to tell apart.
        options: The command line.
        settings: How it is trained.

    Returns:
        Its figures on val and test.
    """
    started = monotonic()
    torch.manual_seed(options.seed)
    classifier = genre_classifier(len(genres), settings.network)
    examples = {split: genre_examples(songs[split], genres) for split in ("val", "test")}
    task = GenreTask(classifier, songs["train"], examples["val"], genres, settings.genre)
    fit_best(folder, task, replace(settings.genre_fit, seed=options.seed), options.max_steps)
    return {
        "parameters": sum(value.numel() for value in classifier.parameters()),
        **{split: genre_figures(classifier, own, genres) for split, own in examples.items()},
        "seconds": round(monotonic() - started),
    }


class BestOf(Task):
    """A task that keeps the weights of the epoch whose loss on validation songs was lowest."""

    def __init__(self, task: Task, folder: Path):
        """Watch a task; the folder gets the weights, and has the losses of an earlier training."""
        super().__init__(task.model)
        self.task, self.folder = task, folder
        self.best = min((row["val/loss"] for row in read_losses(folder)), default=np.inf)

    def batches(self, generator: torch.Generator, size: int) -> Iterator:
        """Give the batches of the task."""
        return self.task.batches(generator, size)

    def losses(self, progress: float, batch: Any) -> dict[str, Tensor]:
        """Return the losses of the task."""
        return self.task.losses(progress, batch)

    def validate(self) -> dict[str, float]:
        """Return the figures of the task, and save the weights where they are the best so far."""
        figures = self.task.validate()
        if figures["loss"] < self.best:
            self.best = figures["loss"]
            save_weights(self.folder, self.model)
        return figures


def fit_best(folder: Path, task: Task, settings: FitSettings, max_steps: int | None) -> None:
    """Train as `fit` does; the model ends with the weights of its best epoch.

    Args:
        folder: Gets the weights, losses and curves.
        task: What is trained on what.
        settings: How long and how fast.
        max_steps: Ends the training early, to try things out.
    """
    fit(folder, BestOf(task, folder), settings, max_steps)
    task.model.load_state_dict(load_file(folder / WEIGHTS))


@dataclass
class Judges:
    """The judge that `main` trained.

    Attributes:
        genres: Those that the classifier tells apart.
        classifier: Tells genres apart.
    """

    genres: list[str]
    classifier: JudgeNetwork

    @classmethod
    def load(cls, run: Path) -> "Judges":
        """Load the judge of a run; SystemExit says where there is none."""
        path = run / "judges" / JUDGES_FILE
        if not path.is_file():
            raise SystemExit(f"{run} holds no trained judges ({path} is missing); train them first")
        known = json.loads(path.read_text())
        config = JudgeConfig(known["width"], known["embedding"])
        classifier = genre_classifier(len(known["genres"]), config)
        classifier.load_state_dict(load_file(find_weights(run, "judges/genre")))
        return cls(known["genres"], classifier.eval())

    @torch.no_grad()
    def genre(self, planes: np.ndarray) -> np.ndarray:
        """Return the log probabilities of genres, [genres].

        They are means over windows, not normalised again; nan where no window has a melody.

        Args:
            planes: [5, 2, S, 128] uint8 of a song in the melody's normal key, on a grid of bars of
                16 steps, with the tracks in the order of accomp.roll.grid.TRACKS; S is a multiple
                of 32. A song shorter than a window is filled up with silence. Windows in which the
                melody plays in less than half of the blocks are left out.
        """
        windows = windows_of(planes)
        if not len(windows):
            return np.full(len(self.genres), np.nan, np.float32)
        logits = self.classifier(without_melody(windows))
        return F.log_softmax(logits, dim=1).mean(dim=0).numpy()


if __name__ == "__main__":
    main()
