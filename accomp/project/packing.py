"""A melody and its song as letters of a link: what a browser keeps, and what a shared link holds.

The letters are base64 of zlib of a line of JSON, the melody's MIDI file and the song's, one after
another.
"""

import base64
import io
import json
import zlib
from typing import Any, NamedTuple

from accomp.errors import MusicError
from accomp.music.midi import read_midi, write_midi
from accomp.music.score import Score, Track
from accomp.roll.grid import DRUMS, TRACK_NAMES

VERSION = 1
LONGEST = 400_000  # letters of a link, or of what a browser keeps of one take
LARGEST = 2_000_000  # bytes that are unpacked
NOT_UNDERSTOOD = "a take could not be read; accepted: a whole link or file that this page made"


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
    line = json.dumps(head, separators=(",", ":")).encode()
    packed = zlib.compress(line + b"\n" + melody + song, 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def unpack(letters: str) -> Packed:
    """Undo `pack`. Raises MusicError where the letters are something else."""
    try:
        line, _, midi = _unzipped(letters).partition(b"\n")
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
    return Packed(about, melody, _with_all_tracks(song))


def _unzipped(letters: str) -> bytes:
    """Undo base64 and zlib. Raises ValueError or zlib.error."""
    if len(letters) > LONGEST:
        raise ValueError("it is too long")
    unpacking = zlib.decompressobj()
    packed = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
    found = unpacking.decompress(packed, LARGEST)
    if unpacking.unconsumed_tail:
        raise ValueError("it is too large")
    return found


def _midi(score: Score) -> bytes:
    file = io.BytesIO()
    write_midi(score, file)
    return file.getvalue()


def _with_all_tracks(song: Score) -> Score:
    """Put back the tracks without notes, which are not read from a MIDI file."""
    found = {track.name: track for track in song.tracks}
    song.tracks = [
        found.get(name) or Track(name, is_drum=index == DRUMS)
        for index, name in enumerate(TRACK_NAMES)
    ]
    return song
