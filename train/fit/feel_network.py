"""Train the network that says how loud each note of the band is.

It learns each note's velocity relative to its track's level and deviation in the song, from tracks
whose velocities vary.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from accomp.models.feel import Feel
from accomp.models.note_features import FEATURES, note_features, with_genre
from accomp.models.swing import MelodyTiming
from accomp.roll.grid import (
    ACCOMPANIMENT,
    BAR_STEPS,
    BLOCK_STEPS,
    MELODY,
    STEPS_PER_BEAT,
    TRACK_NAMES,
    TRACKS,
)
from train.data.corpus import Corpus
from train.fit.feel_statistics import TrackChoice
from train.fit.loop import Task


@dataclass(frozen=True)
class VelocityTraining:
    """Which notes the network learns from."""

    tracks: TrackChoice = TrackChoice()
    per_track: int = 160  # notes of a song, by chance, so that long songs don't outweigh others
    genre_unknown: float = 0.15  # share of the notes of which the network is not told the genre
    lag_songs: int = 150  # songs that show how slowly loudness changes
    most_slow: float = 0.9  # share of the open variance; all of it would leave notes no chance
    most_open: float = 0.95  # what slow changes and notes struck together may share of it


class VariedTrack(NamedTuple):
    """A track of a song whose velocities vary.

    Attributes:
        track: Of TRACKS.
        notes: [n, 3] pitch, first step and end step.
        rows: [n, FEATURES] float32, without genre.
        target: [n] velocities in deviations from their mean.
    """

    track: int
    notes: np.ndarray
    rows: np.ndarray
    target: np.ndarray


@dataclass
class VelocityExamples:
    """Notes to learn velocities from.

    Attributes:
        rows: [n, FEATURES] float32, without genre.
        slot: [n] int, the genre.
        target: [n] float32, velocities in deviations of their track.
        song: [n] int, for the figures, and so the next two.
        track: [n] int.
        position: [n] int, the sixteenth of the bar.
    """

    rows: np.ndarray
    slot: np.ndarray
    target: np.ndarray
    song: np.ndarray
    track: np.ndarray
    position: np.ndarray

    @classmethod
    def draw(
        cls,
        corpus: Corpus,
        songs: list[int],
        slots: list[int],
        seed: int,
        settings: VelocityTraining = VelocityTraining(),
    ) -> "VelocityExamples":
        """Draw notes of each track with varied velocities.

        Args:
            corpus: The songs.
            songs: Which of them.
            slots: The genre of each song of the corpus.
            seed: Of the draw.
            settings: How many notes, of which tracks.
        """
        random = np.random.default_rng(seed)
        rows = [np.zeros((0, FEATURES), np.float32)]
        targets, places = [np.zeros(0)], [np.zeros((0, 4), int)]
        for song in songs:
            for found in varied_tracks(corpus, song, settings.tracks):
                chosen = random.permutation(len(found.notes))[: settings.per_track]
                rows.append(found.rows[chosen])
                targets.append(found.target[chosen])
                place = np.empty((len(chosen), 4), int)
                place[:] = slots[song], song, found.track, 0
                place[:, 3] = found.notes[chosen, 1] % BAR_STEPS
                places.append(place)
        slot, song, track, position = np.concatenate(places).T
        target = np.concatenate(targets).astype(np.float32)
        return cls(np.concatenate(rows), slot, target, song, track, position)

    def batch(self, index: np.ndarray, genres: int, known: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return input and target of notes.

        index: [n] their numbers; genres: how many there are; known: [n] bool, whether the input
        has the genre.
        """
        slot = np.where(known, self.slot[index], genres)
        one_hot = np.eye(genres + 1, dtype=np.float32)[slot][:, :genres]
        rows = np.concatenate([self.rows[index], one_hot], 1)
        return torch.from_numpy(rows), torch.from_numpy(self.target[index])


def varied_tracks(
    corpus: Corpus, song: int, settings: TrackChoice = TrackChoice()
) -> Iterator[VariedTrack]:
    """Give the accompanying tracks of a song whose velocities vary."""
    table = np.array(corpus.notes_of(song))
    melody = melody_timing(table)
    for track in ACCOMPANIMENT:
        part = table[table["track"] == track]
        velocity = part["velocity"].astype(float)
        if len(part) >= settings.fewest_notes and velocity.std() >= settings.least_varied:
            notes = in_steps(part)
            rows = note_features(notes, track, melody)
            yield VariedTrack(track, notes, rows, (velocity - velocity.mean()) / velocity.std())


def melody_timing(table: np.ndarray) -> MelodyTiming:
    """Return the timing of the melody in a song's notes [n] NOTE; all beats count as even."""
    melody = table[table["track"] == MELODY]
    steps = int(table["step"].max(initial=0)) + BLOCK_STEPS
    return MelodyTiming(
        melody["step"].astype(int),
        melody["offset"].astype(float),
        melody["velocity"].astype(float),
        np.ones(steps, bool),
    )


def in_steps(table: np.ndarray) -> np.ndarray:
    """Return pitch, first step and end step of notes [n] NOTE, [n, 3] int."""
    pitch, step, duration = (table[name].astype(int) for name in ("pitch", "step", "duration"))
    return np.stack([pitch, step, step + duration], 1)


class VelocityTask(Task):
    """The network of a Feel and the notes that it learns from."""

    model: Feel

    def __init__(
        self,
        model: Feel,
        examples: dict[str, VelocityExamples],
        settings: VelocityTraining = VelocityTraining(),
    ):
        super().__init__(model)
        self.examples, self.settings = examples, settings

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give input and target of notes in random order, some of them without their genre."""
        train, genres = self.examples["train"], len(self.model.config.genres)
        order = torch.randperm(len(train.target), generator=generator).numpy()
        drawn = torch.rand(len(order), generator=generator)
        known = (drawn >= self.settings.genre_unknown).numpy()
        for at in range(0, len(order), size):
            yield train.batch(order[at : at + size], genres, known[at : at + size])

    def losses(self, progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the mean negative log likelihood."""
        rows, target = batch
        return {"loss": negative_log_likelihood(*self.model(rows), target).mean()}

    def validate(self) -> dict[str, float]:
        """Return the loss on validation songs."""
        val = self.examples["val"]
        likelihood = negative_log_likelihood(
            *predict(self.model, val), torch.from_numpy(val.target)
        )
        return {"loss": float(likelihood.mean())}


@torch.no_grad()
def predict(model: Feel, examples: VelocityExamples) -> tuple[Tensor, Tensor]:
    """Return the mean and spread [n] that the network expects, on the CPU."""
    index, genres = np.arange(len(examples.target)), len(model.config.genres)
    rows = examples.batch(index, genres, np.ones(len(index), bool))[0]
    mean, spread = model(rows.to(model.level.device))
    return mean.cpu(), spread.cpu()


def negative_log_likelihood(mean: Tensor, spread: Tensor, target: Tensor) -> Tensor:
    """Return the nats [n] of targets under normal distributions."""
    return 0.5 * ((target - mean) / spread) ** 2 + spread.log() + 0.5 * np.log(2 * np.pi)


def position_baseline(examples: VelocityExamples) -> tuple[np.ndarray, np.ndarray]:
    """Return what a note's place in the bar says: plain velocities are such means.

    Returns:
        Mean [5, 16] by track and sixteenth, and deviation [5] around it.
    """
    at = examples.track * BAR_STEPS + examples.position
    size = len(TRACKS) * BAR_STEPS
    total = np.bincount(at, examples.target, size)
    mean = (total / np.maximum(np.bincount(at, minlength=size), 1)).reshape(-1, BAR_STEPS)
    left = (examples.target - mean[examples.track, examples.position]) ** 2
    count = np.maximum(np.bincount(examples.track, minlength=len(TRACKS)), 1)
    return mean, np.sqrt(np.bincount(examples.track, left, len(TRACKS)) / count) + 1e-3


def evaluate_velocities(
    model: Feel, examples: VelocityExamples, baseline: tuple[np.ndarray, np.ndarray]
) -> dict[str, float]:
    """Measure the network on notes, beside the baseline of `position_baseline`.

    Returns:
        The negative log likelihoods `loss` and `baseline_loss`; and the correlations of expected
        and real velocities within songs: `correlation`, `baseline_correlation`, and of each track.
    """
    mean, spread = predict(model, examples)
    by_position = torch.from_numpy(baseline[0][examples.track, examples.position]).float()
    base_spread = torch.from_numpy(baseline[1][examples.track]).float()
    target = torch.from_numpy(examples.target)
    result = {
        "loss": float(negative_log_likelihood(mean, spread, target).mean()),
        "baseline_loss": float(negative_log_likelihood(by_position, base_spread, target).mean()),
        "correlation": correlation_within(examples, mean.numpy()),
        "baseline_correlation": correlation_within(examples, by_position.numpy()),
    }
    for track in ACCOMPANIMENT:
        own = correlation_within(examples, mean.numpy(), track)
        result[f"correlation_{TRACK_NAMES[track]}"] = own
    return result


def correlation_within(
    examples: VelocityExamples, expected: np.ndarray, track: int | None = None
) -> float:
    """Return the mean over songs of the correlation of expected and real velocities.

    It is 0 for songs where all are expected alike. expected: [n]; track: the only one to count.
    """
    found = []
    chosen = np.ones(len(expected), bool) if track is None else examples.track == track
    for song in np.unique(examples.song[chosen]):
        here = chosen & (examples.song == song)
        known = expected[here].std() > 1e-6 and examples.target[here].std() > 1e-6
        found.append(np.corrcoef(expected[here], examples.target[here])[0, 1] if known else 0.0)
    return float(np.mean(found)) if found else 0.0


@torch.no_grad()
def fit_noise(
    model: Feel,
    corpus: Corpus,
    songs: list[int],
    slots: list[int],
    settings: VelocityTraining = VelocityTraining(),
) -> None:
    """Give a model how the variance that its network leaves open is shared.

    How much of it changes slowly is found from how alike the rest is of notes one to two beats
    apart; how much notes struck together share, from how alike it is of those.

    Args:
        model: Gets `slow` and `shared` of each track.
        corpus: The songs.
        songs: Which of them to learn from.
        slots: The genre of each song of the corpus.
        settings: How many of them, and bounds.
    """
    # By track: slow and together; the sum of products of pairs, and their count.
    products = np.zeros((len(TRACKS), 2, 2))
    lags = np.arange(STEPS_PER_BEAT, 2 * STEPS_PER_BEAT + 1)
    for song in songs[:: max(1, len(songs) // settings.lag_songs)]:
        for found in varied_tracks(corpus, song, settings.tracks):
            step, products_of_track = found.notes[:, 1], products[found.track]
            rest = _left_open(model, found, slots[song])
            length = int(step[-1]) + 1
            total, count = np.bincount(step, rest, length), np.bincount(step, minlength=length)
            for lag in lags[lags < length]:
                pairs = (count[lag:] * count[:-lag]).sum()
                products_of_track[0] += (total[lag:] * total[:-lag]).sum(), pairs
            squares = np.bincount(step, rest**2, length)
            pairs = (count * (count - 1)).sum()
            products_of_track[1] += (total**2 - squares).sum(), pairs
    alike = products[..., 0] / np.maximum(products[..., 1], 1)
    faded = np.exp(-lags.mean() / model.settings.memory)
    slow = np.clip(alike[:, 0] / faded, 0.0, settings.most_slow)
    model.slow.copy_(torch.from_numpy(slow))
    shared = np.clip(alike[:, 1] - slow, 0.0, settings.most_open - slow)
    model.shared.copy_(torch.from_numpy(shared))


def _left_open(model: Feel, found: VariedTrack, slot: int) -> np.ndarray:
    """Return what the network leaves open of a track's velocities, [n] of unit variance."""
    rows = with_genre(found.rows, slot, len(model.config.genres))
    mean, spread = (part.numpy() for part in model(torch.from_numpy(rows)))
    rest = (found.target - mean) / spread
    return (rest - rest.mean()) / max(rest.std(), 1e-6)
