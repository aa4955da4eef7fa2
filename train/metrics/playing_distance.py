"""How far what a system plays is from what people play, row by row of train.metrics.playing.

Songs are compared by their distributions: of each song one (of its notes' lengths, say), and of a
set of songs their mixture, in which each song has the same weight. The distance of two sets is the
first Wasserstein distance of their mixtures, in the measure's unit. The yardstick is the distance
of two random halves of the real songs.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from train.metrics.playing import measure_of

FEWEST = 3  # songs of a set that has a distance
HALVINGS = 50
REAL = "real songs"


class Distribution(NamedTuple):
    """A distribution of a song's samples.

    Attributes:
        values: [n] distinct, rising.
        weights: [n], of sum 1.
    """

    values: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, samples: np.ndarray) -> "Distribution":
        """Count samples [n]."""
        values, counts = np.unique(samples, return_counts=True)
        return cls(values, counts / counts.sum())

    @property
    def mean(self) -> float:
        """The mean of the samples."""
        return float(self.values @ self.weights)


def wasserstein(a: Sequence[Distribution], b: Sequence[Distribution]) -> float:
    """Measure the first Wasserstein distance of the mixtures of two sets of songs.

    It is the area between the two cumulative distributions: how far the samples of one would have
    to be moved, in the mean, to become the other (Vaserstein 1969).
    """
    values = np.concatenate([song.values for song in (*a, *b)])
    weights = np.concatenate(
        [song.weights / len(a) for song in a] + [-song.weights / len(b) for song in b]
    )
    order = np.argsort(values)
    return float(np.abs(weights[order].cumsum()[:-1]) @ np.diff(values[order]))


def of_halves(songs: Sequence[Distribution], halvings: int = HALVINGS) -> float:
    """Measure the mean distance of two halves of the songs, over random halvings."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(halvings):
        order = random.permutation(len(songs))
        halves = [[songs[i] for i in order[part::2]] for part in (0, 1)]
        found.append(wasserstein(*halves))
    return float(np.mean(found))


class Row(NamedTuple):
    """How near systems are to real songs in one measure of one player.

    Attributes:
        name: "measure / player".
        real: Mean of the real songs' means.
        halves: Distance of halves of the real songs, at least the measure's resolution.
        means: By system.
        distances: By system.
    """

    name: str
    real: float
    halves: float
    means: dict[str, float]
    distances: dict[str, float]


Profiles = Sequence[dict[str, Distribution]]  # of each song, by row


def compare(real: Profiles, systems: Mapping[str, Profiles], halvings: int = HALVINGS) -> list[Row]:
    """Compare systems with real songs, row by row.

    Args:
        real: The real songs.
        systems: By name the songs of each.
        halvings: Of the real songs, for the yardstick.

    Returns:
        The rows that enough real songs have. A system that too few songs of have the row is left
        out of it.
    """
    rows = []
    for name in dict.fromkeys(name for song in real for name in song):
        own = [song[name] for song in real if name in song]
        others = {
            system: [song[name] for song in songs if name in song]
            for system, songs in systems.items()
        }
        others = {system: songs for system, songs in others.items() if len(songs) >= FEWEST}
        if len(own) >= 2 * FEWEST:
            rows.append(
                Row(
                    name,
                    _mean(own),
                    max(of_halves(own, halvings), measure_of(name).resolution),
                    {system: _mean(songs) for system, songs in others.items()},
                    {system: wasserstein(songs, own) for system, songs in others.items()},
                )
            )
    return rows


def compare_halves(real: Profiles, peers: Mapping[str, Profiles], draws: int = 10) -> list[Row]:
    """Compare one half of the real songs, as if it were a system, with the other half.

    It is what a system could reach that plays as people do.

    Args:
        real: The real songs.
        peers: By name the songs of other systems, which are compared with that other half, too.
        draws: Random halvings.

    Returns:
        The rows of all halvings, in which the system is called REAL.
    """
    random, rows = np.random.default_rng(1), []
    for _ in range(draws):
        order = random.permutation(len(real))
        halves = [[real[i] for i in order[part::2]] for part in (0, 1)]
        rows += compare(halves[1], {REAL: halves[0], **peers}, draws)
    return rows


def _mean(songs: Sequence[Distribution]) -> float:
    return float(np.mean([song.mean for song in songs]))
