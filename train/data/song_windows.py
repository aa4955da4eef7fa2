"""The songs of sixteen measures that train.fit.song learns from: what the band does (accomp.models.measure_features), or the published onsets.

Letters: N windows of a batch, M measures of one, D numbers of a measure, A numbers known about a song.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from accomp.models import measure_features as measures
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, DRUMS, MELODY, STEPS_PER_BEAT, TRACKS
from train.data.corpus import Corpus

EVERY = 4  # measures from one window to the next: phrases are that long
LEAST = 8  # measures that a window at a song's end holds; the others are silent
FINE_STEPS, FINE_PITCHES, LOWEST = (
    96,
    96,
    16,
)  # of a published measure; which pitches, it doesn't say
VALIDATION = 512


class BandWindows:
    """Windows of a corpus's songs from where their melodies begin, [N, 16, 160], and what is known about them, [N, A]."""

    def __init__(
        self,
        corpus: Corpus,
        songs: dict[str, list[int]],
        length: int,
        genre_of,
        genres: list[str],
        per_song: int,
    ):
        self.length, self.genres, self.per_song = length, genres, per_song
        self.rows: dict[str, np.ndarray] = {}
        self.starts: dict[str, list[np.ndarray]] = {}
        self.about: dict[str, list[np.ndarray]] = {}
        for split, chosen in songs.items():
            described, starts, abouts, at = [], [], [], 0
            for song in chosen:
                band, first, last = describe_song(corpus, song)
                begins = np.arange(first, last - LEAST + 1, EVERY)
                if last - first < length:
                    continue
                known = np.array(
                    [genre_of(corpus.songs[song]["genre"]) == name for name in genres], np.float32
                )
                places = np.clip(
                    np.stack([begins, begins + length], 1) - first, 0, last - first
                ) / (last - first)
                described += [band, np.zeros((length, measures.SIZE), np.float32)]
                starts.append(at + begins)
                plays = measures.unpack(band)["plays"].any(0)[list(measures.PLAYERS)]
                known = np.tile([*known, *plays], (len(begins), 1))
                abouts.append(np.concatenate([known, places], 1).astype(np.float32))
                at += len(band) + length
            self.rows[split] = (
                np.concatenate(described) if described else np.zeros((0, measures.SIZE), np.float32)
            )
            self.starts[split], self.about[split] = starts, abouts

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """An epoch: so many windows of each training song, whatever its length, in random order."""
        random = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
        drawn = [
            (song, i)
            for song, starts in enumerate(self.starts["train"])
            for i in random.integers(len(starts), size=self.per_song)
        ]
        random.shuffle(drawn)
        for at in range(0, len(drawn), size):
            yield self.windows("train", drawn[at : at + size])

    def some(self, split: str, count: int = VALIDATION) -> tuple[Tensor, Tensor]:
        """The same every time, from all over the split."""
        every = [
            (song, i) for song, starts in enumerate(self.starts[split]) for i in range(len(starts))
        ]
        return self.windows(
            split,
            [every[i] for i in np.linspace(0, len(every) - 1, min(count, len(every))).astype(int)],
        )

    def windows(self, split: str, chosen: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        starts = np.array([self.starts[split][song][i] for song, i in chosen])
        rows = self.rows[split][starts[:, None] + np.arange(self.length)]
        return torch.from_numpy(rows), torch.from_numpy(
            np.stack([self.about[split][song][i] for song, i in chosen])
        )


def describe_song(corpus: Corpus, song: int) -> tuple[np.ndarray, int, int]:
    """[M, 160] of all measures of a song, and those with which its melody begins and before which it ends."""
    first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
    blocks = np.stack(
        [corpus.blocks(track, slice(first, first + count)).numpy() for track in range(len(TRACKS))]
    )
    notes = corpus.notes_of(song)
    at = notes["track"].astype(int) * 2 * count + notes["step"].astype(int) // BAR_STEPS
    struck, loud = (
        np.bincount(at, weight, len(TRACKS) * 2 * count)
        for weight in (None, notes["velocity"].astype(float))
    )
    velocity = np.where(struck > 0, loud / np.maximum(struck, 1), np.nan).reshape(len(TRACKS), -1)
    sounding = np.flatnonzero(blocks[MELODY].any((1, 2, 3)))
    if not len(sounding):
        return np.zeros((0, measures.SIZE), np.float32), 0, 0
    per_block = BLOCK_STEPS // BAR_STEPS
    return (
        measures.describe_band(blocks, velocity),
        int(sounding[0]) * per_block,
        int(sounding[-1] + 1) * per_block,
    )


class OnsetWindows:
    """The published songs: sixteen measures one after another of each song, what is over at its end left out; [N, 16, 9216]
    zeros and ones, where a note of any instrument but the drums begins.
    """

    def __init__(self, corpus: Corpus, songs: dict[str, list[int]], length: int, per_epoch: int):
        self.corpus, self.length, self.per_epoch = corpus, length, per_epoch
        measures_of = {
            song: corpus.songs[song]["blocks"] * BLOCK_STEPS // BAR_STEPS
            for part in songs.values()
            for song in part
        }
        self.chosen = {
            split: [
                (song, at)
                for song in part
                for at in range(0, measures_of[song] - length + 1, length)
            ]
            for split, part in songs.items()
        }

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, None]]:
        order = torch.randperm(len(self.chosen["train"]), generator=generator)[
            : self.per_epoch
        ].tolist()
        for at in range(0, len(order), size):
            yield self.windows([self.chosen["train"][i] for i in order[at : at + size]]), None

    def some(self, split: str, count: int = 64) -> tuple[Tensor, None]:
        every = self.chosen[split]
        return self.windows(
            [every[i] for i in np.linspace(0, len(every) - 1, min(count, len(every))).astype(int)]
        ), None

    def windows(self, chosen: list[tuple[int, int]]) -> Tensor:
        return torch.stack(
            [
                torch.from_numpy(onsets(self.corpus.notes_of(song), at, self.length))
                for song, at in chosen
            ]
        )


def onsets(notes: np.ndarray, first: int, length: int) -> np.ndarray:
    """[length, 9216] float32 of notes [n] train.data.corpus.NOTE from measure `first` on: 24 steps a beat by 96 pitches, one for each
    strike. Pitches are those of the corpus, in the normal key.
    """
    result = np.zeros((length * FINE_STEPS, FINE_PITCHES), np.float32)
    notes = notes[notes["track"] != DRUMS]
    fine = FINE_STEPS // 4 // STEPS_PER_BEAT
    step = (
        np.round((notes["step"] + notes["offset"].astype(float)) * fine).astype(int)
        - first * FINE_STEPS
    )
    pitch = notes["pitch"].astype(int) - LOWEST
    inside = (step >= 0) & (step < len(result)) & (pitch >= 0) & (pitch < FINE_PITCHES)
    result[step[inside], pitch[inside]] = 1
    return result.reshape(length, -1)
