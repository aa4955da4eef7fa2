"""From the bytes of a MIDI file to its header and its track chunks.

Players read files whose wrapping is damaged as long as the music is there, and so does this: other
bytes before the file or between its chunks, counts and lengths that lie. Each mending is said in a
notice.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from accomp.errors import MusicError
from accomp.music.file_kinds import kind_of

MIDI_ENDINGS = (".mid", ".midi", ".kar", ".rmi")
ACCEPTED = f"accepted: Standard MIDI Files ({', '.join(MIDI_ENDINGS)}) of format 0 or 1"
WHOLE = "accepted: whole MIDI files"
_HEADER, _TRACK = b"MThd", b"MTrk"
# What other programs put before a MIDI file is short: MacBinary 128 bytes, a byte order mark 3.
FARTHEST_HEADER = 900
_NO_LENGTH = 0x7000_0000  # lengths from here on are what a program writes that doesn't know it yet
_END_OF_TRACK_SIZE = 4  # bytes of the event that ends a track, its time included


class Header(NamedTuple):
    """The header of a MIDI file.

    Attributes:
        tracks: Number of track chunks that it announces.
        resolution: Ticks a beat.
        tempo: Microseconds a beat where the file counts seconds instead of beats; None otherwise.
    """

    tracks: int
    resolution: int
    tempo: int | None


@dataclass
class Unwrapped:
    """A MIDI file out of what was wrapped around it.

    Attributes:
        data: It begins with the header; other bytes may follow the last chunk.
        notices: What was mended, in words.
    """

    data: bytes
    notices: list[str] = field(default_factory=list)


class Chunk(NamedTuple):
    """A track chunk.

    Attributes:
        start: Of its content in the file, in bytes.
        end: Of its content; where its length lies, of the room that it may have.
        size: Its length as the file says it.
        lacks: Bytes that its length promises beyond the end of the file.
        is_sure: Whether its length can be true: what follows is a chunk, or the end of the file.
    """

    start: int
    end: int
    size: int
    lacks: int
    is_sure: bool

    @property
    def may_be_whole(self) -> bool:
        """Whether all notes can be there: only the track's end is missing, or no length is said."""
        return self.lacks <= _END_OF_TRACK_SIZE or self.lacks >= _NO_LENGTH


def is_midi(head: bytes) -> bool:
    """Tell by its first bytes whether a file is MIDI, bare or in RIFF (.rmi) or another wrapping.

    head: a thousand bytes, or all of them.
    """
    return _header_at(head[: FARTHEST_HEADER + 8]) >= 0 or _is_riff(head)


def unwrap(data: bytes) -> Unwrapped:
    """Return the MIDI file itself, out of its RIFF wrapping (.rmi) or what else is around it.

    Raises:
        MusicError: The data are not MIDI; the message says what they seem to be.
    """
    if data.startswith(_HEADER):
        return Unwrapped(data)
    if _is_riff(data):
        at = _header_at(data)
        if at < 0:
            raise MusicError(
                f"the file is a RIFF MIDI file (.rmi) without MIDI data in it; {ACCEPTED}"
            )
        return Unwrapped(data[at:])
    at = _header_at(data[: FARTHEST_HEADER + 8])
    if at < 0:
        raise MusicError(f"the file is not MIDI: it seems to be {kind_of(data)}; {ACCEPTED}")
    return Unwrapped(data[at:], [f"{_bytes(at)} before the MIDI file were skipped"])


def _is_riff(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"RMID"


def _header_at(data: bytes) -> int:
    """Return where a MIDI header begins, -1 where none does."""
    if data.startswith(_HEADER):
        return 0
    at = data.find(_HEADER)
    while at >= 0 and not data[at + 4 : at + 8].startswith(b"\0\0\0"):
        at = data.find(_HEADER, at + 1)
    return at


def _bytes(count: int) -> str:
    return f"{count:,} byte{'' if count == 1 else 's'}"


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
    if kind > 1 and not (kind == 2 and count == 1):  # a single pattern is a song
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


class TrackChunks:
    """The track chunks of a file, in order, whatever the header counts.

    Far behind the last announced track, disks and old programs leave the remains of other files:
    what is not adjacent there is not read.

    Attributes:
        skipped: After iterating, how many bytes between chunks were skipped.
        has_all: To be set when all announced tracks are read and there is music in them.
    """

    def __init__(self, data: bytes):
        self.data = data
        self.skipped = 0
        self.has_all = False
        header_end = 8 + int.from_bytes(data[4:8], "big")
        # The length of a header can lie, too.
        is_chunk = header_end >= len(data) or _is_chunk(data, header_end)
        self.at = header_end if is_chunk else 14

    def __iter__(self) -> Iterator[Chunk]:
        """Yield the chunks. Say with `ended` where the last one truly ended, if that is known."""
        data = self.data
        while (at := self._next_track()) >= 0:
            start = at + 8
            size = int.from_bytes(data[at + 4 : start], "big")
            end = start + size
            is_sure = end == len(data) or end < len(data) and _is_chunk(data, end)
            if not is_sure:
                following = data.find(_TRACK, start)
                room = following if following >= 0 else len(data)
                yield Chunk(start, room, size, max(end - len(data), 0), False)
                self.at = max(self.at, start)
            else:
                self.at = end
                yield Chunk(start, end, size, 0, True)

    def ended(self, at: int) -> None:
        """Go on reading here: the last chunk's events ended at this byte."""
        self.at = at

    def _next_track(self) -> int:
        """Return where the next track chunk begins, -1 after the last one."""
        data, at = self.data, self.at
        while at + 8 <= len(data) and data[at : at + 4] != _TRACK and _is_chunk(data, at):
            at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")  # of another kind
        found = data.find(_TRACK, at)
        if found < 0 or found + 8 > len(data) or self.has_all and found > at:
            return -1
        self.skipped += found - at
        return found


def _is_chunk(data: bytes, at: int) -> bool:
    """Tell whether a chunk may begin here: a name of four letters, and a length that fits."""
    name = data[at : at + 4]
    if len(data) < at + 8 or not all(32 <= letter < 127 for letter in name):
        return False
    return name == _TRACK or at + 8 + int.from_bytes(data[at + 4 : at + 8], "big") <= len(data)


def chunk_notices(count: int, found: int, skipped: int) -> list[str]:
    """Say what was mended in the order of chunks.

    Args:
        count: Tracks that the header announces.
        found: Tracks that there are.
        skipped: Bytes between chunks.
    """
    notices = []
    if found != count:
        announced = f"{count} track{'' if count == 1 else 's'}"
        notices.append(f"the file announces {announced} and has {found}; all {found} were read")
    if skipped:
        notices.append(f"{_bytes(skipped)} between the tracks were skipped")
    return notices
