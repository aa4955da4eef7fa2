"""Cut single instruments out of a soundfont, so that a browser loads only what a song needs.

A preset is one instrument as General MIDI numbers them. What is cut is a whole soundfont again,
with one preset, its instruments and their samples. Samples become Ogg Vorbis, as in .sf3, an
eighth of their size; those that are stay as they are. The layout is that of the SoundFont 2.04
specification, section 7 (E-mu, 2006); .sf3 is an extension of it by MuseScore.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from accomp.errors import AudioUnavailable
from accomp.extras import extra

DRUM_BANK = 128  # of General MIDI's drum kits in a soundfont
VORBIS = 0x10  # flag of a sample's kind: it is Ogg Vorbis, and its place is counted in bytes
INSTRUMENT, SAMPLE = 41, 53  # the generators that name what a zone plays
COMPRESSION = 0.7  # libsndfile's: 0 is best, 1 smallest

_NAME = "S20"
HEADERS = {  # the tables of "pdta", section 7
    "phdr": [
        ("name", _NAME),
        ("preset", "<u2"),
        ("bank", "<u2"),
        ("bag", "<u2"),
        ("library", "<u4"),
        ("genre", "<u4"),
        ("morphology", "<u4"),
    ],
    "pbag": [("gen", "<u2"), ("mod", "<u2")],
    "pmod": [("bytes", "V10")],
    "pgen": [("oper", "<u2"), ("amount", "<u2")],
    "inst": [("name", _NAME), ("bag", "<u2")],
    "ibag": [("gen", "<u2"), ("mod", "<u2")],
    "imod": [("bytes", "V10")],
    "igen": [("oper", "<u2"), ("amount", "<u2")],
    "shdr": [
        ("name", _NAME),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop_start", "<u4"),
        ("loop_end", "<u4"),
        ("rate", "<u4"),
        ("pitch", "u1"),
        ("correction", "i1"),
        ("link", "<u2"),
        ("kind", "<u2"),
    ],
}
Tables = dict[str, np.ndarray]


@dataclass(frozen=True)
class Zones:
    """The zones of one preset or instrument: each with its generators and modulators."""

    gens: list[np.ndarray]
    mods: list[np.ndarray]

    def targets(self, oper: int) -> list[int]:
        """Return what the zones play: values of the generator `oper`, which is the last."""
        return [int(gens["amount"][-1]) for gens in self.gens if len(gens) and _plays(gens, oper)]

    def renumbered(self, oper: int, places: dict[int, int]) -> "Zones":
        """Return the zones with other numbers for what they play."""
        gens = [zone.copy() for zone in self.gens]
        for zone in gens:
            if len(zone) and _plays(zone, oper):
                zone["amount"][-1] = places[int(zone["amount"][-1])]
        return Zones(gens, self.mods)


class SoundfontFile:
    """A soundfont on disk, of which presets are cut."""

    def __init__(self, path: Path):
        """Read the tables of a soundfont.

        Raises:
            AudioUnavailable: The file is not a soundfont, or a damaged one.
        """
        self.path = path
        try:
            with path.open("rb") as file:
                self._samples_at, self.tables = _read(file)
        except (OSError, ValueError, KeyError, struct.error) as error:
            raise AudioUnavailable(f"{path} can't be read as a soundfont: {error}") from error

    @property
    def presets(self) -> list[tuple[int, int]]:
        """Its presets as (bank, program), in order."""
        return sorted((int(row["bank"]), int(row["preset"])) for row in self.tables["phdr"][:-1])

    def cut(self, bank: int, program: int) -> bytes:
        """Return a soundfont with one preset of this one, as program 0 of bank 0.

        It takes about two seconds of one core where the samples are not Vorbis yet.

        Args:
            bank: 0, or DRUM_BANK for a drum kit.
            program: Of the preset, from 0 on.

        Raises:
            KeyError: There is no such preset.
        """
        rows = self.tables["phdr"]
        found = np.flatnonzero((rows["bank"][:-1] == bank) & (rows["preset"][:-1] == program))
        if not len(found):
            raise KeyError((bank, program))
        preset = self._zones("p", rows["bag"], int(found[0]))
        numbers = list(dict.fromkeys(preset.targets(INSTRUMENT)))
        instruments = [self._zones("i", self.tables["inst"]["bag"], each) for each in numbers]
        used = dict.fromkeys(n for zones in instruments for n in zones.targets(SAMPLE))
        headers, samples = self._samples(list(used))
        places = {sample: place for place, sample in enumerate(used)}
        head = rows[found[:1]].copy()
        head["bank"], head["preset"] = 0, 0
        tables = {
            **_written("p", "phdr", head, [preset.renumbered(INSTRUMENT, _places(numbers))]),
            **_written(
                "i",
                "inst",
                self.tables["inst"][numbers].copy(),
                [zones.renumbered(SAMPLE, places) for zones in instruments],
            ),
            "shdr": headers,
        }
        return _soundfont(samples, tables)

    def _zones(self, letter: str, bags: np.ndarray, index: int) -> Zones:
        bag, gen, mod = (self.tables[letter + name] for name in ("bag", "gen", "mod"))
        spans = range(int(bags[index]), int(bags[index + 1]))
        return Zones(
            [gen[bag["gen"][zone] : bag["gen"][zone + 1]] for zone in spans],
            [mod[bag["mod"][zone] : bag["mod"][zone + 1]] for zone in spans],
        )

    def _samples(self, numbers: list[int]) -> tuple[np.ndarray, bytes]:
        """Return the headers of some samples, with the last one that ends the table, and them."""
        headers = self.tables["shdr"][[*numbers, -1]].copy()
        places, parts, at = _places(numbers), [], 0
        with self.path.open("rb") as file:
            for row in headers[:-1]:
                part = self._vorbis(file, row)
                row["kind"] |= VORBIS
                row["start"], row["end"] = at, at + len(part)
                row["link"] = places.get(int(row["link"]), 0)
                parts.append(part)
                at += len(part)
        return headers, b"".join(parts)

    def _vorbis(self, file: BinaryIO, row: np.void) -> bytes:
        """Return a sample as Ogg Vorbis; its loop is then counted from its own beginning."""
        start, length = int(row["start"]), int(row["end"]) - int(row["start"])
        if row["kind"] & VORBIS:
            file.seek(self._samples_at + start)
            return file.read(length)
        file.seek(self._samples_at + 2 * start)
        sound = np.frombuffer(file.read(2 * length), "<i2")
        row["loop_start"] -= start
        row["loop_end"] -= start
        with extra("sound"):
            import soundfile
        out = io.BytesIO()
        soundfile.write(
            out, sound, int(row["rate"]), "VORBIS", format="OGG", compression_level=COMPRESSION
        )
        return out.getvalue()


def _plays(gens: np.ndarray, oper: int) -> bool:
    return gens["oper"][-1] == oper


def _places(numbers: list[int]) -> dict[int, int]:
    return {number: place for place, number in enumerate(numbers)}


def _chunks(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and length of the chunks of a RIFF list."""
    while at + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, at)
        yield name, at + 8, length
        at += 8 + length + length % 2


def _read(file) -> tuple[int, Tables]:  # noqa: ANN001  an open file
    """Return where a soundfont's samples begin, and its tables. The samples are not read."""
    riff, _, kind = struct.unpack("<4sI4s", file.read(12))
    if riff != b"RIFF" or kind != b"sfbk":
        raise ValueError("it does not begin as one")
    samples_at, tables, at = 0, {}, 12
    while head := file.read(12):
        name, length, kind = struct.unpack("<4sI4s", head)
        if name == b"LIST" and kind == b"sdta":
            samples_at = at + 12 + 8
        if name == b"LIST" and kind == b"pdta":
            data = file.read(length - 4)
            for part, start, size in _chunks(data, 0, len(data)):
                dtype = np.dtype(HEADERS[part.decode()])
                rows = data[start : start + size]
                tables[part.decode()] = np.frombuffer(rows, dtype)
        at += 8 + length
        file.seek(at)
        if length % 2 and file.read(1) != b"L":  # MuseScore wrote no padding before "LIST"
            at += 1
        file.seek(at)
    if missing := set(HEADERS) - set(tables):
        raise ValueError(f"it has no {' and '.join(sorted(missing))}")
    return samples_at, tables


def _written(letter: str, name: str, heads: np.ndarray, zones: list[Zones]) -> Tables:
    """Return the tables of presets ("p") or instruments ("i"), each with its last row."""
    bags, gens, mods = [], [], []
    for row, part in zip(heads, zones):
        row["bag"] = len(bags)
        for gen, mod in zip(part.gens, part.mods):
            bags.append((sum(map(len, gens)), sum(map(len, mods))))
            gens.append(gen)
            mods.append(mod)
    end = np.zeros(1, heads.dtype)
    end["name"], end["bag"] = b"EOP" if letter == "p" else b"EOI", len(bags)
    bags.append((sum(map(len, gens)), sum(map(len, mods))))
    empty = {part: np.zeros(1, np.dtype(HEADERS[letter + part])) for part in ("gen", "mod")}
    return {
        name: np.concatenate([heads, end]),
        letter + "bag": np.array(bags, np.dtype(HEADERS[letter + "bag"])),
        letter + "mod": np.concatenate([*mods, empty["mod"]]),
        letter + "gen": np.concatenate([*gens, empty["gen"]]),
    }


def _soundfont(samples: bytes, tables: Tables) -> bytes:
    info = _list(
        b"INFO",
        _chunk(b"ifil", struct.pack("<2H", 3, 0))
        + _chunk(b"isng", b"EMU8000\0")
        + _chunk(b"INAM", b"preset\0\0"),
    )
    parts = b"".join(_chunk(name.encode(), tables[name].tobytes()) for name in HEADERS)
    body = info + _list(b"sdta", _chunk(b"smpl", samples)) + _list(b"pdta", parts)
    return _chunk(b"RIFF", b"sfbk" + body)


def _list(kind: bytes, body: bytes) -> bytes:
    return _chunk(b"LIST", kind + body)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
