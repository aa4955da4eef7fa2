"""From the bytes of a MIDI file to its header and its track chunks."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from accomp.errors import MusicError

MIDI_ENDINGS = (".mid", ".midi", ".kar")
ACCEPTED = f"accepted: Standard MIDI Files ({', '.join(MIDI_ENDINGS)}) of format 0 or 1"
WHOLE = "accepted: whole MIDI files"
_SIGNATURES = (  # the first bytes of what people upload instead
    (b"ID3", "an MP3 sound file"),
    (b"\xff\xfb", "an MP3 sound file"),
    (b"\xff\xf3", "an MP3 sound file"),
    (b"\xff\xf2", "an MP3 sound file"),
    (b"OggS", "an Ogg sound file"),
    (b"fLaC", "a FLAC sound file"),
    (b"FORM", "an AIFF sound file"),
    (b"PK\x03\x04", "a ZIP archive (compressed MusicXML and MuseScore files are such)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
)


class Header(NamedTuple):
    """The header of a MIDI file.

    Attributes:
        tracks: Number of track chunks.
        resolution: Ticks a beat.
        tempo: Microseconds a beat where the file counts seconds instead of beats; None otherwise.
    """

    tracks: int
    resolution: int
    tempo: int | None


def is_midi(head: bytes) -> bool:
    """Tell by its first bytes whether a file is MIDI, bare or in RIFF (.rmi)."""
    return head.startswith(b"MThd") or head[:4] == b"RIFF" and head[8:12] == b"RMID"


def unwrap(data: bytes) -> bytes:
    """Return the MIDI file itself, out of its RIFF wrapping (.rmi) if it has one.

    Raises:
        MusicError: The data are not MIDI; the message says what they seem to be.
    """
    if data.startswith(b"MThd"):
        return data
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        at = 12
        while at + 8 <= len(data):
            size = int.from_bytes(data[at + 4 : at + 8], "little")
            if data[at : at + 4] == b"data" and data[at + 8 : at + 12] == b"MThd":
                return data[at + 8 : at + 8 + size]
            at += 8 + size + size % 2
        raise MusicError(f"the file is a RIFF MIDI file (.rmi) without MIDI data in it; {ACCEPTED}")
    raise MusicError(f"the file is not MIDI: it seems to be {kind_of(data)}; {ACCEPTED}")


def kind_of(data: bytes) -> str:
    """Say in words what a file that is not MIDI seems to be."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF":
        return "a WAV sound file" if data[8:12] == b"WAVE" else "a RIFF file"
    if data[4:8] == b"ftyp":
        return "an MP4 or M4A file"
    head = data[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        return "a MusicXML, HTML or other XML text"
    if all(32 <= byte < 127 or byte in b"\t\r\n" or byte >= 160 for byte in head):
        return "a text"
    return f"of an unknown kind (its first bytes are {data[:4].hex(' ')})"


def read_header(data: bytes) -> Header:
    """Read the header of a MIDI file.

    Raises:
        MusicError: The header is cut off or corrupt, or the file is of another format than 0 or 1.
    """
    if len(data) < 14:
        raise MusicError(
            f"the file is truncated: it ends within its header, after {len(data)} bytes; {WHOLE}"
        )
    size, kind, count, division = struct.unpack(">IHHH", data[4:14])
    if size < 6:
        raise MusicError(
            f"the MIDI file is corrupt: its header has a length of {size} bytes; "
            "accepted: 6 or more"
        )
    if kind > 1:
        what = "2 (independent patterns)" if kind == 2 else kind
        raise MusicError(f"the MIDI file is of format {what}; accepted: formats 0 and 1")
    if division & 0x8000:
        return Header(count, *_smpte_resolution(division))
    if not division:
        raise MusicError("the MIDI file is corrupt: it has 0 ticks per beat; accepted: 1 to 32767")
    return Header(count, division, None)


def _smpte_resolution(division: int) -> tuple[int, int]:
    """Return ticks and microseconds a beat of a file in SMPTE time.

    Such files have no beats: 120 a minute are assumed, or 60 where half a second is not a whole
    number of ticks.
    """
    # Minus the frames per second, then ticks per frame. 29 stands for the 30000 / 1001 frames of
    # drop-frame time.
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in (24, 25, 29, 30) or not ticks:
        raise MusicError(
            f"the MIDI file is corrupt: it counts {ticks} ticks in each of {frames} frames "
            "per second; accepted: 24, 25, 29 or 30 frames of 1 to 255 ticks"
        )
    per_second, second = (30 * ticks, 1_001_000) if frames == 29 else (frames * ticks, 1_000_000)
    return (per_second, second) if per_second % 2 else (per_second // 2, second // 2)


def track_chunks(data: bytes, count: int) -> Iterator[bytes]:
    """Yield the content of each track chunk; other chunks are skipped.

    Raises:
        MusicError: The file ends too early.
    """
    at = 8 + int.from_bytes(data[4:8], "big")
    found = 0
    while found < count:
        if at + 8 > len(data):
            raise MusicError(
                f"the file is truncated: it has {found} of its {count} tracks; {WHOLE}"
            )
        size = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            found += 1
            missing = at + 8 + size - len(data)
            if missing > 0:
                raise MusicError(
                    f"the file is truncated: track {found} of {count} lacks {missing} "
                    f"of its {size} bytes; {WHOLE}"
                )
            yield data[at + 8 : at + 8 + size]
        at += 8 + size
