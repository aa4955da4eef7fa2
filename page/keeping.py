"""Files of a take for download, each made when it is asked for: what there is, and its names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from accomp.roll.sounding_names import sounding_names
from page import asked, sound, studio, visits
from page.messages import NO_TAKE, errors_shown, refuse
from page.studio import Take
from page.words import say

SHEETS = {"pdf": "PDF", "png": "PNG", "musicxml": "MusicXML"}  # formats of lead sheets, by ending


class Kind(NamedTuple):
    """A file that a take has, or can have.

    Attributes:
        label: Its format, or what tells it from others of its row.
        name: What it is, in full.
        make: Makes it, unless it is there.
    """

    label: str
    name: str
    make: Callable[[Take], Path]


def kinds(take: Take) -> dict[str, dict[str, Kind]]:
    """Return the kinds of files that a take can have, by row of the menu and by name."""
    rows = {
        say("Song"): _mixes(sound.WHOLE, say("Song as {format}")),
        say("Band alone"): _mixes(sound.BAND_ALONE, say("Band alone as {format}, to sing to")),
    }
    if take.melody.transcription and studio.fits_recording(take.settings.finish):
        rows[say("With a piano")] = _mixes(
            sound.WITH_PIANO, say("Song as {format} with a piano in place of your voice")
        )
    name = say("Stems as WAV, one for each instrument, in a zip")
    rows[say("Stems")] = {"stems": Kind("WAV", name, sound.write_stems_zip)}
    rows["MIDI"] = _midi(take)
    rows[say("Lead sheet")] = _sheets(say("Lead sheet as {format}"))
    rows[say("Picture")] = {"picture": Kind("PNG", say("Picture of the notes as PNG"), sound.draw)}
    rows[say("Project")] = {
        "project": Kind(say("Project file"), say("Project file, to go on later"), _project)
    }
    return rows


def offered(take: Take, ready: dict[str, Path] | None = None) -> dict[str, Any]:
    """Return the value of the Downloads of a take.

    Args:
        take: The take.
        ready: Files that can be downloaded at once, by kind.

    Returns:
        token: Another one for each take, tempo, key and sound.
        rows: Of the menu, each with its label and its choices: kind, label and name.
        files: By kind, as Gradio serves them.
    """
    rows = [
        {
            "label": label,
            "choices": [
                {"kind": name, "label": kind.label, "name": kind.name} for name, kind in row.items()
            ],
        }
        for label, row in kinds(take).items()
    ]
    files = {
        name: gr.FileData(path=str(path), orig_name=path.name).model_dump()
        for name, path in (ready or {}).items()
    }
    return {"token": take.folder.name, "rows": rows, "files": files}


def offer(takes: list[Take], number: int | None) -> Any:
    """Give what is ready at once: MIDI and the project file, and what was made before."""
    take = studio.find(takes, number)
    if take is None:
        return gr.skip()
    with errors_shown():
        for name, kind in _by_name(take).items():
            if name.startswith("midi") or name == "project":
                take.kept[name] = kind.make(take)
    return offered(take, take.kept)


def make(takes: list[Take], number: int | None, event: gr.EventData) -> dict[str, Any]:
    """Make the file that was asked for, and give it with all that are ready."""
    take = asked.take_of(takes, number)
    kind = _by_name(take).get(str(getattr(event, "kind", "")))
    if kind is None:
        raise refuse(visits.missing(NO_TAKE))
    folder = take.folder
    with errors_shown():
        file = kind.make(take)
    if take.folder == folder:  # it has its tempo, key and sounds still
        take.kept[event.kind] = file
    return offered(take, take.kept)


def _by_name(take: Take) -> dict[str, Kind]:
    return {name: kind for row in kinds(take).values() for name, kind in row.items()}


def _mixes(mix: str, name: str) -> dict[str, Kind]:
    """Return the kinds of a mix: name has a place for the format."""
    return {
        f"{mix or 'song'}-{ending}": Kind(
            ending.upper(),
            name.format(format=ending.upper()),
            lambda take, ending=ending: sound.write_mix(take, mix, ending),
        )
        for ending in ("mp3", "wav")
    }


def _midi(take: Take) -> dict[str, Kind]:
    """Return the kinds of MIDI files: all tracks, and each that plays."""
    found = {"midi": Kind(say("All"), say("All tracks as MIDI"), lambda take: take.files[0])}
    tracks = sorted(take.song.tracks, key=lambda track: track.name != studio.LEAD)
    names = sounding_names(take.heard)
    for track in tracks:
        if track.notes:
            words = say("melody") if track.name == studio.LEAD else say(names[track.name])
            found[f"midi-{track.name}"] = Kind(
                words.capitalize(),
                say("{track} as MIDI", track=words.capitalize()),
                lambda take, name=track.name: studio.write_part(take, name),
            )
    return found


def _sheets(name: str) -> dict[str, Kind]:
    """Return the kinds of lead sheets: name has a place for the format."""
    return {
        f"sheet-{ending}": Kind(
            label,
            name.format(format=label),
            lambda take, ending=ending: studio.write_sheet(take, ending),
        )
        for ending, label in SHEETS.items()
    }


def _project(take: Take) -> Path:
    return take.files[1]
