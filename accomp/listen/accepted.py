"""Say which files hold melodies, and tell MIDI files from recordings by their first bytes."""

import os
from typing import Literal

from accomp.errors import MusicError
from accomp.music.file_source import read_source
from accomp.music.midi_chunks import MIDI_ENDINGS, is_midi, kind_of
from accomp.sound.accepted import RECORDINGS, is_recording

ACCEPTED = f"accepted: MIDI files ({', '.join(MIDI_ENDINGS)}) and {RECORDINGS}"
HEAD = 1000  # bytes at a file's beginning that tell what it is


def melody_kind(path: str | os.PathLike) -> Literal["MIDI", "recording"]:
    """Tell what a file is, by its content.

    Raises:
        MusicError: There is no such file, or it is neither.
    """
    head = read_source(path, HEAD, ACCEPTED)
    if is_recording(head):
        return "recording"
    if is_midi(head):
        return "MIDI"
    found = f"seems to be {kind_of(head)}" if head else "is empty"
    raise MusicError(f"the file is neither MIDI nor a recording: it {found}; {ACCEPTED}")
