"""A prepared corpus, as `train.prepare` writes it: blocks on disk, read as they are needed."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accomp.grid import BAR_STEPS, BLOCK_HALF_BARS, BLOCK_STEPS, PITCHES, PLANES, TRACK_NAMES

SONGS_FILE, PLAN_FILE, NOTES_FILE = "songs.json", "plan.u8", "notes.bin"
# A note of one of the five parts. Its pitch, step and duration are those of the blocks; offset: how many sixteenths of a bar
# of four beats after its step it was struck.
NOTE = np.dtype(
    {
        "names": ["song", "track", "pitch", "step", "duration", "velocity", "offset"],
        "formats": ["<u4", "u1", "u1", "<u4", "<u2", "u1", "<f2"],
    }
)


def block_file(track: str) -> str:
    return f"{track}.u8"


@dataclass
class Corpus:
    """songs: as in songs.json, each with `first` block and number of `blocks`; plan: [all blocks, 4] int64; notes: [all
    notes] NOTE by song, track, step and pitch, None where train.prepare was an older one."""

    songs: list[dict]
    plan: Tensor
    notes: np.ndarray | None
    packed: list[np.ndarray]

    @classmethod
    def load(cls, folder: Path) -> "Corpus":
        if not (folder / SONGS_FILE).is_file():
            raise SystemExit(f"{folder} holds no {SONGS_FILE}; make it with python -m train.prepare")
        songs = json.loads((folder / SONGS_FILE).read_text())["songs"]
        count = sum(song["blocks"] for song in songs)
        plan = torch.from_numpy(np.fromfile(folder / PLAN_FILE, np.uint8).reshape(count, BLOCK_HALF_BARS).astype(np.int64))
        shape = (count, len(PLANES), BLOCK_STEPS, PITCHES // 8)
        packed = [np.memmap(folder / block_file(name), np.uint8, "r", shape=shape) for name in TRACK_NAMES]
        notes = np.memmap(folder / NOTES_FILE, NOTE, "r") if (folder / NOTES_FILE).is_file() else None
        return cls(songs, plan, notes, packed)

    def blocks(self, track: int, index: np.ndarray | slice) -> Tensor:
        """[N, 2, 32, 128] uint8: the blocks of a track at `index`."""
        return torch.from_numpy(np.unpackbits(self.packed[track][index], axis=-1))

    @cached_property
    def _first_notes(self) -> np.ndarray:
        """[songs + 1] the first note of each song, and the number of all notes."""
        if self.notes is None:
            raise SystemExit(f"the corpus holds no {NOTES_FILE}; make it anew with python -m train.prepare")
        return np.searchsorted(self.notes["song"], np.arange(len(self.songs) + 1))

    def notes_of(self, song: int) -> np.ndarray:
        """[n] NOTE of a song, by track, step and pitch."""
        return self.notes[self._first_notes[song] : self._first_notes[song + 1]]

    @cached_property
    def velocity(self) -> np.ndarray:
        """[songs, 5, 16, 3] count, sum and sum of squares of the velocities at each sixteenth of a bar."""
        sums = np.zeros((len(self.songs), len(TRACK_NAMES), BAR_STEPS, 3))
        for song in range(len(self.songs)):
            notes = self.notes_of(song)
            at = notes["track"].astype(int) * BAR_STEPS + notes["step"] % BAR_STEPS
            for power in range(3):
                counted = np.bincount(at, notes["velocity"].astype(float) ** power, len(TRACK_NAMES) * BAR_STEPS)
                sums[song, ..., power] = counted.reshape(len(TRACK_NAMES), BAR_STEPS)
        return sums

    def active(self, track: int) -> np.ndarray:
        """[all blocks] bool: whether the track plays there."""
        packed = self.packed[track]
        return np.concatenate([packed[at : at + 4096].any(axis=(1, 2, 3)) for at in range(0, len(packed), 4096)])

    def choose(self, split: str, genres: list[str] | None = None) -> list[int]:
        """Indices of the songs of a split, and of the given genres (all by default)."""
        known = {song["genre"] for song in self.songs}
        if genres and not set(genres) & known:
            raise SystemExit(f"genre {' '.join(genres)!r} is unknown; available: {', '.join(sorted(known))}")
        return [i for i, s in enumerate(self.songs) if s["split"] == split and (not genres or s["genre"] in genres)]

    def block_index(self, songs: list[int]) -> np.ndarray:
        """Indices of all blocks of the given songs."""
        ranges = [np.arange(self.songs[i]["first"], self.songs[i]["first"] + self.songs[i]["blocks"]) for i in songs]
        return np.concatenate(ranges) if ranges else np.zeros(0, int)
