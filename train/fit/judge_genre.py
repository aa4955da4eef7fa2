"""Train the judge that tells genres apart: by the band, without its melody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from train.fit.judge_networks import JudgeNetwork
from train.fit.judge_windows import Songs, Variation, vary, without_melody
from train.fit.loop import Task

# The genres that listeners were asked to tell apart.
FIVE = ("jazz", "latin", "pop", "rock", "game")


@dataclass(frozen=True)
class GenreTraining:
    """What the classifier learns from."""

    genres: tuple[str, ...] = ("pop", "rock", "jazz", "latin", "folk", "game", "gospel")
    windows: int = 600  # of each genre in an epoch, from songs drawn alike
    label_smoothing: float = 0.1  # songs are between genres, and labels are not always right
    variation: Variation = Variation()


# By song, its windows [N, T, F] without the melody, side by side, and its genre's number.
GenreExample = tuple[Tensor, int]


class GenreTask(Task):
    """The classifier and the songs that it learns from."""

    model: JudgeNetwork

    def __init__(
        self,
        model: JudgeNetwork,
        train: Songs,
        val: list[GenreExample],
        genres: list[str],
        settings: GenreTraining = GenreTraining(),
    ):
        """Keep what is trained on what.

        Args:
            model: The classifier.
            train: Songs to learn from.
            val: Songs to validate on.
            genres: Those it tells apart, in the order of its logits.
            settings: How many windows.
        """
        super().__init__(model)
        self.train, self.val, self.genres, self.settings = train, val, genres, settings

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give windows [N, T, F] and genres [N]: of each genre as many, and any song as often."""
        songs = self.train
        random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        by_genre = [
            [song for song, name in enumerate(songs.genres) if name == genre]
            for genre in self.genres
        ]
        labels = np.repeat(np.arange(len(self.genres)), self.settings.windows)
        random.shuffle(labels)
        for at in range(0, len(labels), size):
            chosen = [int(random.choice(by_genre[label])) for label in labels[at : at + size]]
            where = [(song, int(random.choice(songs.starts[song]))) for song in chosen]
            windows = without_melody(songs.windows(where))
            windows = vary(windows, random, self.settings.variation)
            yield windows, torch.from_numpy(labels[at : at + size])

    def losses(self, progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the cross-entropy."""
        windows, genre = batch
        smoothing = self.settings.label_smoothing
        return {"loss": F.cross_entropy(self.model(windows), genre, label_smoothing=smoothing)}

    def validate(self) -> dict[str, float]:
        """Return the figures of `genre_figures` that are numbers."""
        figures = genre_figures(self.model, self.val, self.genres)
        return {name: value for name, value in figures.items() if np.isscalar(value)}


def genre_examples(songs: Songs, genres: list[str]) -> list[GenreExample]:
    """Return the windows of each song of these genres."""
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
    classifier: JudgeNetwork, examples: list[GenreExample], genres: list[str]
) -> dict:
    """Measure a classifier song by song.

    Returns:
        `loss`, the cross-entropy with all genres counting alike; the figures of `genre_confusion`
        for all genres; and `five`, those for the five that listeners told apart.
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
        **genre_confusion(scores, true, genres, range(len(genres))),
        "five": genre_confusion(scores, true, genres, five),
    }


def genre_confusion(scores: Tensor, true: Tensor, names: list[str], among: Iterable[int]) -> dict:
    """Measure how often the best of some genres is the true one, for songs of these genres.

    Args:
        scores: [songs, genres].
        true: [songs] the number of the genre.
        names: Of all genres.
        among: The numbers of the genres to choose from.

    Returns:
        `accuracy` with songs counting alike, `balanced_accuracy` with genres counting alike, the
        names `genres`, and the matrix `confusion` [true][chosen].
    """
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
