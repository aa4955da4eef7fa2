"""A melody and its song as letters: what a browser keeps, a shared link and a project file hold.

The letters are base64 of zlib of a line of JSON, the melody's MIDI file and the song's, one after
another. What is read again gives the same MIDI file, byte for byte.
"""

import base64
import io
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from accomp.checks import check_number
from accomp.errors import MusicError
from accomp.music.midi import read_midi, write_midi
from accomp.music.score import Chord, Control, Score, Track
from accomp.roll.grid import DRUMS, TRACK_NAMES

VERSION = 1
LONGEST = 400_000  # letters of a link, or of what a browser keeps of one take
LARGEST = 2_000_000  # bytes that are unpacked
NOT_UNDERSTOOD = "a take could not be read; accepted: a whole link or file that accomp made"
_SECTION = re.compile(r"[A-H]")  # a chord that could be the letter of a section in a MIDI file


@dataclass(frozen=True)
class PackLimits:
    """How much is unpacked."""

    letters: int = LONGEST
    bytes: int = LARGEST


IN_FILE = PackLimits(8_000_000, 12_000_000)  # as much as the longest MIDI file that is read


class Packed(NamedTuple):
    """What is packed.

    Attributes:
        about: What else is known, as JSON holds it.
        melody: One track.
        song: The five tracks of a band.
    """

    about: dict[str, Any]
    melody: Score
    song: Score


def pack(content: Packed) -> str:
    """Return the letters that hold all this."""
    melody, song = _midi(content.melody), _midi(content.song)
    head = {"version": VERSION, "melody": len(melody), "about": content.about}
    head |= _beside_midi(content.song)
    line = json.dumps(head, separators=(",", ":")).encode()
    packed = zlib.compress(line + b"\n" + melody + song, 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def unpack(letters: str, limits: PackLimits = PackLimits()) -> Packed:
    """Undo `pack`. Raises MusicError where the letters are something else."""
    try:
        line, _, midi = _unzipped(letters, limits).partition(b"\n")
        head = json.loads(line)
    except (ValueError, zlib.error, RecursionError) as error:
        raise MusicError(NOT_UNDERSTOOD) from error
    if not isinstance(head, dict) or head.get("version") != VERSION:
        raise MusicError(NOT_UNDERSTOOD)
    length, about = head.get("melody"), head.get("about")
    if type(length) is not int or not isinstance(about, dict):
        raise MusicError(NOT_UNDERSTOOD)
    melody, song = read_midi(midi[:length]), read_midi(midi[length:])
    if len(melody.tracks) != 1:
        raise MusicError(NOT_UNDERSTOOD)
    song = _with_all_tracks(song, _read_silent(head.get("silent", {})))
    if "chords" in head:
        song.chords = _read_chords(head["chords"])
    return Packed(about, melody, song)


def _unzipped(letters: str, limits: PackLimits) -> bytes:
    """Undo base64 and zlib. Raises ValueError or zlib.error."""
    if len(letters) > limits.letters:
        raise ValueError("it is too long")
    unpacking = zlib.decompressobj()
    packed = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
    found = unpacking.decompress(packed, limits.bytes)
    if unpacking.unconsumed_tail:
        raise ValueError("it is too large")
    return found


def _midi(score: Score) -> bytes:
    file = io.BytesIO()
    write_midi(score, file)
    return file.getvalue()


def _beside_midi(song: Score) -> dict[str, Any]:
    """Return what is not read from the song's MIDI file: silent tracks, chords like sections."""
    beside: dict[str, Any] = {}
    silent = {
        track.name: [track.program, *map(list, track.controls)]
        for track in song.tracks
        if not track.notes
    }
    if silent:
        beside["silent"] = silent
    if song.chords and all(_SECTION.fullmatch(chord.symbol) for chord in song.chords):
        beside["chords"] = [list(chord) for chord in song.chords]
    return beside


def _read_silent(found: Any) -> dict[str, Track]:
    """Return the tracks without notes by name. Raises MusicError."""
    try:
        tracks = {
            name: Track(
                name,
                _small(program, 127),
                name == TRACK_NAMES[DRUMS],
                controls=[_control(each) for each in controls],
            )
            for name, (program, *controls) in found.items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise MusicError(NOT_UNDERSTOOD) from error
    return tracks


def _control(found: Any) -> Control:
    """Return a controller. Raises ValueError or TypeError."""
    onset, number, value = found
    check_number(onset, "the time of a controller")
    return Control(float(onset), _small(number, 127), _small(value, 127))


def _read_chords(found: Any) -> list[Chord]:
    """Return chords of letters alone. Raises MusicError."""
    chords = []
    for each in found if isinstance(found, list) else [None]:
        if not (isinstance(each, list) and len(each) == 2 and isinstance(each[1], str)):
            raise MusicError(NOT_UNDERSTOOD)
        check_number(each[0], "the time of a chord")
        if not _SECTION.fullmatch(each[1]):
            raise MusicError(NOT_UNDERSTOOD)
        chords.append(Chord(float(each[0]), each[1]))
    return chords


def _small(value: Any, most: int) -> int:
    """Return an integer from 0 to `most`. Raises ValueError for all else."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(value)
    return value


def _with_all_tracks(song: Score, silent: dict[str, Track]) -> Score:
    """Put back the tracks without notes, which are not read from a MIDI file."""
    found = silent | {track.name: track for track in song.tracks}
    song.tracks = [
        found.get(name) or Track(name, is_drum=index == DRUMS)
        for index, name in enumerate(TRACK_NAMES)
    ]
    return song
