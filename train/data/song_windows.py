"""Cut songs into the windows of sixteen measures that the song VAE learns from.

A measure is described by what the band does in it (accomp.models.measure_features), or as published
by its onsets. Letters: N windows of a batch, M measures, D numbers of a measure (160 or 9216), A
numbers known about a song.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from accomp.models import measure_features
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, DRUMS, MELODY, STEPS_PER_BEAT, TRACKS
from train.data.corpus import Corpus

# Of a published measure: steps, and pitches from LOWEST on. Which 96 pitches is not published.
FINE_STEPS, FINE_PITCHES, LOWEST = 96, 96, 16


@dataclass(frozen=True)
class WindowSettings:
    """Which windows of a song are learned from, and measured."""

    length: int = 16  # measures
    per_song: int = 8  # drawn from each song in an epoch, so that long songs do not outweigh others
    every: int = 4  # measures from one window to the next: phrases are that long
    least: int = 8  # measures that a window at a song's end holds; the others are silent
    measured: int = 512  # windows of a split that are measured
    songs: int = 150  # published windows in an epoch
    measured_published: int = 64  # published windows of a split that are measured


@dataclass
class _Described:
    """The songs of a split.

    Attributes:
        rows: [M, 160] all measures of all songs, each followed by a window of silence.
        starts: By song, the measures in which windows can begin.
        about: By song, [windows, A] what is known of each window.
    """

    rows: np.ndarray
    starts: list[np.ndarray]
    about: list[np.ndarray]


class BandWindows:
    """Windows of what the band does, from where each song's melody begins.

    About a window is known which genre its song has, which of the band play in the song, and where
    in the song it begins and ends.
    """

    def __init__(
        self,
        corpus: Corpus,
        songs: dict[str, list[int]],
        genre_of: Callable[[str], str],
        genres: list[str],
        settings: WindowSettings = WindowSettings(),
    ):
        """Describe all songs.

        Args:
            corpus: The songs.
            songs: Which of them are in each split.
            genre_of: The genre that a label of the corpus belongs to.
            genres: Those that are told apart.
            settings: Which windows there are.
        """
        self.genres, self.settings = genres, settings
        self._genre_of = genre_of
        self.splits = {split: self._describe(corpus, chosen) for split, chosen in songs.items()}

    def _describe(self, corpus: Corpus, songs: list[int]) -> _Described:
        length = self.settings.length
        rows = [np.zeros((0, measure_features.SIZE), np.float32)]
        starts, abouts, at = [], [], 0
        for song in songs:
            band, first, last = describe_song(corpus, song)
            if last - first < length:
                continue
            begins = np.arange(first, last - self.settings.least + 1, self.settings.every)
            genre = self._genre_of(corpus.songs[song]["genre"])
            known = np.array([genre == name for name in self.genres], np.float32)
            places = np.stack([begins, begins + length], 1) - first
            places = np.clip(places, 0, last - first) / (last - first)
            plays = measure_features.unpack(band)["plays"].any(0)[list(measure_features.PLAYERS)]
            known = np.tile([*known, *plays], (len(begins), 1))
            rows += [band, np.zeros((length, measure_features.SIZE), np.float32)]
            starts.append(at + begins)
            abouts.append(np.concatenate([known, places], 1).astype(np.float32))
            at += len(band) + length
        return _Described(np.concatenate(rows), starts, abouts)

    def count(self, split: str) -> int:
        """Return how many songs of a split are long enough."""
        return len(self.splits[split].starts)

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give an epoch: as many windows of each training song, in random order.

        Each batch has windows [N, M, D] and what is known about them [N, A].
        """
        random = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
        drawn = [
            (song, i)
            for song, starts in enumerate(self.splits["train"].starts)
            for i in random.integers(len(starts), size=self.settings.per_song)
        ]
        random.shuffle(drawn)
        for at in range(0, len(drawn), size):
            yield self.windows("train", drawn[at : at + size])

    def some(self, split: str, count: int | None = None) -> tuple[Tensor, Tensor]:
        """Return windows from all over a split, always the same, and what is known about them."""
        every = [
            (song, i)
            for song, starts in enumerate(self.splits[split].starts)
            for i in range(len(starts))
        ]
        return self.windows(split, spread(every, count or self.settings.measured))

    def windows(self, split: str, chosen: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """Return the windows that are chosen by song and number, and what is known about them."""
        own = self.splits[split]
        starts = np.array([own.starts[song][i] for song, i in chosen])
        rows = own.rows[starts[:, None] + np.arange(self.settings.length)]
        about = np.stack([own.about[song][i] for song, i in chosen])
        return torch.from_numpy(rows), torch.from_numpy(about)


def describe_song(corpus: Corpus, song: int) -> tuple[np.ndarray, int, int]:
    """Describe all measures of a song.

    Returns:
        [M, 160] the measures, the one in which the melody begins, and the one before which it ends.
    """
    own = corpus.own(song)
    count = own.stop - own.start
    blocks = np.stack([corpus.blocks(track, own).numpy() for track in range(len(TRACKS))])
    notes = corpus.notes_of(song)
    at = notes["track"].astype(int) * 2 * count + notes["step"].astype(int) // BAR_STEPS
    struck, loud = (
        np.bincount(at, weight, len(TRACKS) * 2 * count)
        for weight in (None, notes["velocity"].astype(float))
    )
    velocity = np.where(struck > 0, loud / np.maximum(struck, 1), np.nan).reshape(len(TRACKS), -1)
    sounding = np.flatnonzero(blocks[MELODY].any((1, 2, 3)))
    if not len(sounding):
        return np.zeros((0, measure_features.SIZE), np.float32), 0, 0
    per_block = BLOCK_STEPS // BAR_STEPS
    first, last = int(sounding[0]) * per_block, int(sounding[-1] + 1) * per_block
    return measure_features.describe_band(blocks, velocity), first, last


class OnsetWindows:
    """The published windows: one after another of each song; what is over at its end is left out.

    A window is [16, 9216] zeros and ones: where a note of any instrument but the drums begins.
    """

    def __init__(
        self,
        corpus: Corpus,
        songs: dict[str, list[int]],
        settings: WindowSettings = WindowSettings(),
    ):
        self.corpus, self.settings = corpus, settings
        self.chosen = {split: self._cut(part) for split, part in songs.items()}

    def _cut(self, songs: list[int]) -> list[tuple[int, int]]:
        """Return song and first measure of all windows of the songs."""
        length, per_block = self.settings.length, BLOCK_STEPS // BAR_STEPS
        return [
            (song, at)
            for song in songs
            for at in range(0, self.corpus.songs[song]["blocks"] * per_block - length + 1, length)
        ]

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, None]]:
        """Give an epoch of training windows [N, M, D] in random order; nothing is known of them."""
        train = self.chosen["train"]
        order = torch.randperm(len(train), generator=generator)[: self.settings.songs].tolist()
        for at in range(0, len(order), size):
            yield self.windows([train[i] for i in order[at : at + size]]), None

    def some(self, split: str, count: int | None = None) -> tuple[Tensor, None]:
        """Return windows from all over a split, always the same; nothing is known of them."""
        chosen = spread(self.chosen[split], count or self.settings.measured_published)
        return self.windows(chosen), None

    def windows(self, chosen: list[tuple[int, int]]) -> Tensor:
        """Return the windows that are chosen by song and first measure."""
        return torch.stack(
            [
                torch.from_numpy(
                    published_onsets(self.corpus.notes_of(song), at, self.settings.length)
                )
                for song, at in chosen
            ]
        )


def spread(every: list, count: int) -> list:
    """Return at most `count` entries from all over a list."""
    return [every[i] for i in np.linspace(0, len(every) - 1, min(count, len(every))).astype(int)]


def published_onsets(notes: np.ndarray, first: int, length: int) -> np.ndarray:
    """Return where notes begin on the published grid: 24 steps a beat by 96 pitches.

    Args:
        notes: [n] NOTE; their pitches are those of the corpus, in the normal key.
        first: The first measure.
        length: Measures.

    Returns:
        [length, 9216] float32, 1 for each onset.
    """
    result = np.zeros((length * FINE_STEPS, FINE_PITCHES), np.float32)
    notes = notes[notes["track"] != DRUMS]
    fine = FINE_STEPS // 4 // STEPS_PER_BEAT
    step = np.round((notes["step"] + notes["offset"].astype(float)) * fine).astype(int)
    step -= first * FINE_STEPS
    pitch = notes["pitch"].astype(int) - LOWEST
    inside = (step >= 0) & (step < len(result)) & (pitch >= 0) & (pitch < FINE_PITCHES)
    result[step[inside], pitch[inside]] = 1
    return result.reshape(length, -1)
