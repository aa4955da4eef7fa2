"""Say which files hold melodies, and tell them apart by their first bytes."""

import os
from pathlib import Path
from typing import Literal

from accomp.errors import MusicError
from accomp.music.file_kinds import UNKNOWN, kind_of
from accomp.music.file_source import read_source
from accomp.music.midi_chunks import MIDI_ENDINGS, is_midi
from accomp.music.notation_files import NOTATION_ENDINGS, notation_kind
from accomp.sound.accepted import RECORDINGS, SOUND_ENDINGS, is_recording

ACCEPTED = (
    f"accepted: MIDI files ({', '.join(MIDI_ENDINGS)}), MusicXML and ABC "
    f"({', '.join(NOTATION_ENDINGS)}), and {RECORDINGS}"
)
# The endings of all files that hold melodies.
MELODY_ENDINGS = (*MIDI_ENDINGS, *NOTATION_ENDINGS, *SOUND_ENDINGS)
HEAD = 4096  # bytes at a file's beginning that tell what it is

MelodyKind = Literal["MIDI", "sheet", "recording"]


def melody_kind(path: str | os.PathLike) -> MelodyKind:
    """Tell what a file is, by its content.

    Raises:
        MusicError: There is no such file, or it is none of them.
    """
    head = read_source(path, HEAD, ACCEPTED)
    if is_recording(head):
        return "recording"
    if is_midi(head):
        return "MIDI"
    if notation_kind(head):
        return "sheet"
    found = kind_of(head) if head else "empty"
    if found.startswith(UNKNOWN) and _can_be_played(path):
        return "recording"
    raise MusicError(
        "the file is neither MIDI, nor MusicXML or ABC, nor a recording: "
        f"it {'seems to be' if head else 'is'} {found}; {ACCEPTED}"
    )


def _can_be_played(path: str | os.PathLike) -> bool:
    """Tell whether FFmpeg finds sound in a file that no signature tells."""
    try:
        from accomp.sound.decode import can_play  # only now: decoding is an extra
    except MusicError:
        return False
    return can_play(Path(path))
