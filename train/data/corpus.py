"""Read and write a corpus: songs as blocks in the folder that `python -m train prepare` makes.

Blocks are read from disk as they are needed, so that a corpus may be larger than memory.
"""

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accomp.roll.grid import (
    BAR_STEPS,
    BLOCK_HALF_BARS,
    BLOCK_STEPS,
    FOUR,
    PITCHES,
    PLANES,
    TRACK_NAMES,
)

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
    "meters",
)
# A note of one of the five parts. Its pitch, step and duration are those of the blocks. Its offset
# says how many sixteenths of a bar of four beats after its step it was struck.
NOTE = np.dtype(
    {
        "names": ["song", "track", "pitch", "step", "duration", "velocity", "offset"],
        "formats": ["<u4", "u1", "u1", "<u4", "<u2", "u1", "<f2"],
    }
)
PACKED_SHAPE = (len(PLANES), BLOCK_STEPS, PITCHES // 8)  # of a block, eight pitches a byte


def block_file(track: str) -> str:
    """Return the name of the file with a track's blocks."""
    return f"{track}.u8"


@dataclass
class Corpus:
    """The songs of a corpus.

    Attributes:
        songs: As in songs.json (ENTRY), each with its `first` block and number of `blocks`.
        plan: [all blocks, 4] int64, the chord of each half bar.
        notes: [all notes] NOTE by song, track, step and pitch; None where an older `prepare` made
            the corpus.
        packed: Of each track [all blocks, *PACKED_SHAPE] uint8.
        name: Of the corpus; "" where an older `prepare` made it.
    """

    songs: list[dict]
    plan: Tensor
    notes: np.ndarray | None
    packed: list[np.ndarray]
    name: str = ""

    @classmethod
    def load(cls, folder: Path) -> "Corpus":
        """Open the corpus in a folder; SystemExit says where there is none."""
        if not (folder / SONGS_FILE).is_file():
            raise SystemExit(
                f"{folder} holds no {SONGS_FILE}; make it with python -m train prepare"
            )
        table = json.loads((folder / SONGS_FILE).read_text())
        songs = table["songs"]
        count = sum(song["blocks"] for song in songs)
        plan = np.fromfile(folder / PLAN_FILE, np.uint8).reshape(count, BLOCK_HALF_BARS)
        packed = [
            np.memmap(folder / block_file(name), np.uint8, "r", shape=(count, *PACKED_SHAPE))
            for name in TRACK_NAMES
        ]
        path = folder / NOTES_FILE
        notes = np.memmap(path, NOTE, "r") if path.is_file() else None
        plan = torch.from_numpy(plan.astype(np.int64))
        return cls(songs, plan, notes, packed, table.get("name", ""))

    def blocks(self, track: int, index: np.ndarray | slice) -> Tensor:
        """Return the blocks of a track at `index`, [N, 2, 32, 128] uint8."""
        return torch.from_numpy(np.unpackbits(self.packed[track][index], axis=-1))

    def own(self, song: int) -> slice:
        """Return where the blocks of a song are among all blocks."""
        entry = self.songs[song]
        return slice(entry["first"], entry["first"] + entry["blocks"])

    @cached_property
    def _first_notes(self) -> np.ndarray:
        """[songs + 1] the first note of each song, and the number of all notes."""
        if self.notes is None:
            raise SystemExit(
                f"the corpus holds no {NOTES_FILE}; make it anew with python -m train prepare"
            )
        return np.searchsorted(self.notes["song"], np.arange(len(self.songs) + 1))

    def notes_of(self, song: int) -> np.ndarray:
        """Return the notes of a song, [n] NOTE by track, step and pitch."""
        return self.notes[self._first_notes[song] : self._first_notes[song + 1]]

    @cached_property
    def velocity(self) -> np.ndarray:
        """[songs, 5, 16, 3] velocities at each sixteenth of a bar: count, sum, sum of squares."""
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

    @cached_property
    def meters(self) -> np.ndarray:
        """[all blocks] int, of METERS; FOUR where an older `prepare` made the corpus."""
        digits = "".join(song.get("meters", str(FOUR) * song["blocks"]) for song in self.songs)
        return np.array(list(digits), int)

    def active(self, track: int) -> np.ndarray:
        """Return in which blocks a track plays, [all blocks] bool."""
        packed = self.packed[track]
        return np.concatenate(
            [packed[at : at + 4096].any(axis=(1, 2, 3)) for at in range(0, len(packed), 4096)]
        )

    def choose(self, split: str, genres: list[str] | None = None) -> list[int]:
        """Return the numbers of the songs of a split, of the given genres (by default of all).

        Raises:
            SystemExit: No song has any of the genres.
        """
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
        """Describe the songs of the given genres (by default of all), for the record.

        Returns:
            The corpus's name, and how many songs each split, licence and source has.
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
        """Return the numbers of all blocks of the given songs."""
        ranges = [np.arange(self.own(song).start, self.own(song).stop) for song in songs]
        return np.concatenate(ranges) if ranges else np.zeros(0, int)


class CorpusWriter:
    """Writes what `Corpus.load` reads, song by song: `append` each within a `with`, then `finish`.

    songs.json is deleted first and written last, so that a folder whose writing was interrupted is
    no corpus, rather than half of one.

    Attributes:
        songs: What `append` was given; may be changed until `finish`.
        blocks: How many there are so far.
    """

    def __init__(self, folder: Path):
        self.songs: list[dict] = []
        self.blocks = 0
        self._songs_file = folder / SONGS_FILE
        folder.mkdir(parents=True, exist_ok=True)
        self._songs_file.unlink(missing_ok=True)
        self._open_files = ExitStack()
        names = [*map(block_file, TRACK_NAMES), PLAN_FILE, NOTES_FILE]
        *self._tracks, self._plan, self._notes = [
            self._open_files.enter_context((folder / name).open("wb")) for name in names
        ]

    def __enter__(self) -> "CorpusWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._open_files.close()

    def append(
        self, entry: dict, packed: list[np.ndarray], plan: np.ndarray, notes: np.ndarray
    ) -> None:
        """Write a song.

        Args:
            entry: What is known of it (ENTRY).
            packed: Of each track its blocks, [B, *PACKED_SHAPE] uint8.
            plan: [B, 4] the chord of each half bar.
            notes: [n] NOTE; the number of the song is set in them.
        """
        for file, blocks in zip(self._tracks, packed):
            file.write(blocks.tobytes())
        self._plan.write(plan.astype(np.uint8).tobytes())
        notes["song"] = len(self.songs)
        self._notes.write(notes.tobytes())
        self.songs.append({**entry, "first": self.blocks, "blocks": len(plan)})
        self.blocks += len(plan)

    def finish(self, name: str, left_out: list[dict]) -> None:
        """Write songs.json.

        name: of the corpus; left_out: `file` and `reason` of songs that could not be read.
        """
        songs = [{key: song[key] for key in ENTRY if key in song} for song in self.songs]
        table = {"name": name, "songs": songs, "left_out": left_out}
        self._songs_file.write_text(json.dumps(table, indent=1))
