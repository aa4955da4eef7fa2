"""A prepared corpus: a folder that `train.data.prepare` writes, with blocks that are read from disk as they are needed."""

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accomp.roll.grid import BAR_STEPS, BLOCK_HALF_BARS, BLOCK_STEPS, PITCHES, PLANES, TRACK_NAMES

UNSTATED = "unstated"  # what a record says of songs without a licence or source
SONGS_FILE, PLAN_FILE, NOTES_FILE = "songs.json", "plan.u8", "notes.bin"
# What songs.json says of a song, in this order; what is not known is left out.
ENTRY = (
    "file",
    "genre",
    "split",
    "dup_group",
    "licence",
    "source",
    "first",
    "blocks",
    "programs",
    "even",
)
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
    """songs: as in songs.json (ENTRY), each with `first` block and number of `blocks`; plan: [all blocks, 4] int64; notes: [all
    notes] NOTE by song, track, step and pitch, None where train.data.prepare was an older one; packed: a track each, [all blocks, 2,
    32, 16] uint8, eight pitches a byte; name: of the corpus, "" where train.data.prepare was an older one.
    """

    songs: list[dict]
    plan: Tensor
    notes: np.ndarray | None
    packed: list[np.ndarray]
    name: str = ""

    @classmethod
    def load(cls, folder: Path) -> "Corpus":
        if not (folder / SONGS_FILE).is_file():
            raise SystemExit(
                f"{folder} holds no {SONGS_FILE}; make it with python -m train prepare"
            )
        table = json.loads((folder / SONGS_FILE).read_text())
        songs = table["songs"]
        count = sum(song["blocks"] for song in songs)
        plan = torch.from_numpy(
            np.fromfile(folder / PLAN_FILE, np.uint8)
            .reshape(count, BLOCK_HALF_BARS)
            .astype(np.int64)
        )
        shape = (count, len(PLANES), BLOCK_STEPS, PITCHES // 8)
        packed = [
            np.memmap(folder / block_file(name), np.uint8, "r", shape=shape) for name in TRACK_NAMES
        ]
        notes = (
            np.memmap(folder / NOTES_FILE, NOTE, "r") if (folder / NOTES_FILE).is_file() else None
        )
        return cls(songs, plan, notes, packed, table.get("name", ""))

    def blocks(self, track: int, index: np.ndarray | slice) -> Tensor:
        """[N, 2, 32, 128] uint8: the blocks of a track at `index`."""
        return torch.from_numpy(np.unpackbits(self.packed[track][index], axis=-1))

    @cached_property
    def _first_notes(self) -> np.ndarray:
        """[songs + 1] the first note of each song, and the number of all notes."""
        if self.notes is None:
            raise SystemExit(
                f"the corpus holds no {NOTES_FILE}; make it anew with python -m train prepare"
            )
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
                counted = np.bincount(
                    at, notes["velocity"].astype(float) ** power, len(TRACK_NAMES) * BAR_STEPS
                )
                sums[song, ..., power] = counted.reshape(len(TRACK_NAMES), BAR_STEPS)
        return sums

    def active(self, track: int) -> np.ndarray:
        """[all blocks] bool: whether the track plays there."""
        packed = self.packed[track]
        return np.concatenate(
            [packed[at : at + 4096].any(axis=(1, 2, 3)) for at in range(0, len(packed), 4096)]
        )

    def choose(self, split: str, genres: list[str] | None = None) -> list[int]:
        """Indices of the songs of a split, and of the given genres (all by default)."""
        known = {song["genre"] for song in self.songs}
        if genres and not set(genres) & known:
            raise SystemExit(
                f"genre {' '.join(genres)!r} is unknown; available: {', '.join(sorted(known))}"
            )
        return [
            i
            for i, s in enumerate(self.songs)
            if s["split"] == split and (not genres or s["genre"] in genres)
        ]

    def described(self, genres: list[str] | None = None) -> dict:
        """For the record: the songs of the given genres (all by default) by split, and how many state which licence and come
        from which source.
        """
        songs = [song for song in self.songs if not genres or song["genre"] in genres]
        counts = {
            key: Counter(song.get(key, UNSTATED) for song in songs)
            for key in ("split", "licence", "source")
        }
        splits = {split: counts["split"][split] for split in ("train", "val", "test")}
        return {
            "corpus": self.name,
            "songs": splits,
            "licences": dict(counts["licence"]),
            "sources": dict(counts["source"]),
        }

    def block_index(self, songs: list[int]) -> np.ndarray:
        """Indices of all blocks of the given songs."""
        ranges = [
            np.arange(self.songs[i]["first"], self.songs[i]["first"] + self.songs[i]["blocks"])
            for i in songs
        ]
        return np.concatenate(ranges) if ranges else np.zeros(0, int)


class CorpusWriter:
    """Writes what `Corpus.load` reads, song by song: `append` each inside of a `with`, then `finish`.

    songs.json goes first and comes last, so that a folder whose writing was interrupted is no corpus rather than half of one.
    """

    def __init__(self, folder: Path):
        self.songs: list[dict] = []  # what `append` was given; may be changed until `finish`
        self.blocks = 0
        self._songs_file = folder / SONGS_FILE
        folder.mkdir(parents=True, exist_ok=True)
        self._songs_file.unlink(missing_ok=True)
        self._open_files = ExitStack()
        names = [*map(block_file, TRACK_NAMES), PLAN_FILE, NOTES_FILE]
        *self._tracks, self._plan, self._notes = [
            self._open_files.enter_context(open(folder / name, "wb")) for name in names
        ]

    def __enter__(self) -> "CorpusWriter":
        return self

    def __exit__(self, *_) -> None:
        self._open_files.close()

    def append(
        self, entry: dict, packed: list[np.ndarray], plan: np.ndarray, notes: np.ndarray
    ) -> None:
        """A song: what is known of it (ENTRY), its packed blocks (a track each, [B, 2, 32, 16] uint8), its plan [B, 4] and its
        notes [n] NOTE, which get the song's number.
        """
        for file, blocks in zip(self._tracks, packed):
            file.write(blocks.tobytes())
        self._plan.write(plan.astype(np.uint8).tobytes())
        notes["song"] = len(self.songs)
        self._notes.write(notes.tobytes())
        self.songs.append({**entry, "first": self.blocks, "blocks": len(plan)})
        self.blocks += len(plan)

    def finish(self, name: str, left_out: list[dict]) -> None:
        """name: of the corpus; left_out: `file` and `reason` of songs that could not be read."""
        songs = [{key: song[key] for key in ENTRY if key in song} for song in self.songs]
        table = {"name": name, "songs": songs, "left_out": left_out}
        self._songs_file.write_text(json.dumps(table, indent=1))
