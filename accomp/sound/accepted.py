"""Say which recordings are accepted, and tell them from other files."""

import os
from pathlib import Path

from accomp.errors import MusicError
from accomp.music.file_kinds import kind_of
from accomp.music.midi_chunks import is_midi

MIN_SECONDS = 1.0
MAX_SECONDS = 600.0
MAX_BYTES = 500_000_000  # of a file held in memory: ten minutes of 96 kHz stereo in 32 bits
SOUND_ENDINGS = (".wav", ".mp3", ".ogg", ".opus", ".webm", ".m4a", ".flac", ".aiff")
RECORDINGS = (
    f"recordings ({', '.join(ending[1:] for ending in SOUND_ENDINGS)}) of 1 second to 10 minutes"
)
ACCEPTED = f"accepted: {RECORDINGS}"
AGAIN = "record it again, or export it again as wav or mp3"
SIGNATURES = (  # offset and bytes
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"\x1aE\xdf\xa3"),  # WebM, Matroska
    (4, b"ftyp"),  # MP4, M4A, MOV
    (4, b"moov"),
    (8, b"WAVE"),
    (8, b"AVI "),
    (8, b"AIFF"),
    (8, b"AIFC"),
    (0, b"ID3"),
    (0, b"caff"),
    (0, b"#!AMR"),
    (0, b".snd"),
    (0, b"riff\x2e\x91\xcf\x11"),  # Sony Wave64
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # WMA
)


def is_recording(source: str | os.PathLike | bytes | bytearray | memoryview) -> bool:
    """Tell by its content whether a file holds sound or a video.

    source: a path, or the bytes of a file. False for MIDI, and where there is no file.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        head = bytes(source[:16])
    else:
        try:
            with Path(source).open("rb") as file:
                head = file.read(16)
        except (OSError, ValueError):  # ValueError: a path with a null byte
            return False
    marked = any(head[at : at + len(mark)] == mark for at, mark in SIGNATURES)
    return marked or _is_mpeg_audio(head)


def _is_mpeg_audio(head: bytes) -> bool:
    """Tell the header of an MP3 or ADTS frame, which have no better signature."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, rates = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 2 & 15
    if layer == 0:  # ADTS: AAC without a container
        return head[1] & 0xF0 == 0xF0 and rates < 13
    # Layer 3 means I: UTF-16 texts begin so.
    return version != 1 and layer != 3 and head[2] >> 4 != 15 and rates & 3 != 3


def check_head(head: bytes) -> None:
    """Check the first bytes of a file.

    Raises:
        MusicError: The file is empty, or MIDI.
    """
    if not head:
        raise MusicError(f"the file is empty: no recording was saved in it; {ACCEPTED}")
    if is_midi(head):
        raise MusicError(
            "the file is MIDI: it holds notes, not sound; give it as a MIDI melody. "
            f"Here {ACCEPTED}"
        )


def unreadable(head: bytes) -> MusicError:
    """Return the error of a file that cannot be decoded. head: its first bytes."""
    if is_recording(head):
        return MusicError(
            "the file is a damaged recording: nothing of it can be read. "
            f"Perhaps recording, saving or downloading broke off; {AGAIN}"
        )
    return MusicError(f"the file is not a recording: it seems to be {kind_of(head)}; {ACCEPTED}")


def too_long(seconds: float) -> MusicError:
    """Return the error of a recording that is too long. seconds: what it says itself, or 0."""
    found = in_words(seconds) if seconds > MAX_SECONDS else "more than 10 minutes"
    return MusicError(
        f"the recording lasts {found}; accepted: up to 10 minutes. Cut out the part with the melody"
    )


def in_words(seconds: float) -> str:
    """Return a length such as "2.5 seconds" or "3:05 minutes"."""
    if seconds < 60:
        return f"{seconds:.1f} seconds"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} minutes"
