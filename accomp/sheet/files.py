"""Write a lead sheet to a file: MusicXML, or a picture of it."""

import io
import os
import zipfile
from collections.abc import Callable

from accomp.music.file_target import written
from accomp.music.melody_track import melody_index
from accomp.music.score import Score
from accomp.sheet import picture
from accomp.sheet.endings import ENDINGS, check_ending
from accomp.sheet.lead_sheet import LeadSheet, lead_sheet
from accomp.sheet.musicxml import musicxml

LONGEST_TITLE = 200  # characters
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container><rootfiles><rootfile full-path="sheet.musicxml"/></rootfiles></container>
"""


def write_lead_sheet(
    song: Score, path: str | os.PathLike, title: str = "", track: int | None = None
) -> None:
    """Write a song's melody with its chord symbols, for other musicians and programs.

    The name's ending says as what: MusicXML (.musicxml, .xml, .mxl), or a picture (.pdf, .png,
    .svg), which needs the extra accomp[sheets].

    Args:
        song: A band or a melody, with chords.
        path: Of the file, which is there whole or not at all.
        title: Above the music.
        track: The melody's index in the song's tracks; None to choose it.

    Raises:
        MusicError: The ending is another one, the melody has no notes, or a package is missing.
    """
    data = lead_sheet_bytes(song, check_ending(path), title, track)
    with written(path) as target:
        target.write_bytes(data)


def lead_sheet_bytes(song: Score, ending: str, title: str = "", track: int | None = None) -> bytes:
    """Return what `write_lead_sheet` writes to a file with this ending, such as ".pdf"."""
    melody = song.tracks[melody_index(song, track)]
    return WRITERS[ending](lead_sheet(song, melody, _printable(title)))


def _printable(title: str) -> str:
    """Return a title as XML can hold it."""
    kept = "".join(each if each.isprintable() else " " for each in title[:LONGEST_TITLE])
    return kept.encode("utf-8", "ignore").decode().strip()


def _compressed(sheet: LeadSheet) -> bytes:
    """Return a compressed MusicXML file, the same bytes for the same sheet."""
    file, text = io.BytesIO(), musicxml(sheet)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("META-INF/container.xml", CONTAINER), ("sheet.musicxml", text)):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


WRITERS: dict[str, Callable[[LeadSheet], bytes]] = dict(
    zip(ENDINGS, (musicxml, musicxml, _compressed, picture.pdf, picture.png, picture.svg))
)
