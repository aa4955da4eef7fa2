"""Record a melody: sung, or played on a keyboard, to a click whose beats are known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from page.player import bring_sound, live, loader

FOLDER = Path(__file__).parent
METERS = ((4, 4), (3, 4), (2, 4), (6, 8))  # as in recorder.js
RECORDING_FILE = "take.wav"  # as recorder.js names what it uploads
TEMPI = (40, 240)  # pulses a minute, as in recorder.js
# Seconds; the recording begins a beat ahead of the first bar, which is 1.5 s at most.
LATEST_FIRST = 10.0
PLAYED = (-30.0, 700.0)  # seconds of a played melody; an upbeat is before its first bar line
MOST_NOTES = 10_000


@dataclass(frozen=True)
class ClickRecording:
    """A recording made to the click.

    Attributes:
        path: The uploaded file.
        tempo: Pulses a minute: quarters, and dotted quarters in 6/8.
        meter: Such as (3, 4).
        first: Seconds in the recording at which the first bar begins.
    """

    path: str
    tempo: float
    meter: tuple[int, int]
    first: float


@dataclass(frozen=True)
class PlayedMelody:
    """A melody that was played on a keyboard to the click.

    Attributes:
        notes: (pitch, onset, end, velocity) each, in seconds from the first bar line on, by onset.
        tempo: Pulses a minute: quarters, and dotted quarters in 6/8.
        meter: Such as (3, 4).
    """

    notes: tuple[tuple[int, float, float, int], ...]
    tempo: float
    meter: tuple[int, int]


class Recorder(gr.HTML):
    """Record a melody: sung, freely or to a click, or played on a keyboard to one.

    Its value is what `read_recording` reads. `input` is triggered once for each recording.
    """

    def __init__(self, **kwargs):
        # The template never changes, so that Gradio, which renders it again whenever the value
        # does, leaves alone what recorder.js has built in it. Gradio's default CSS is for texts: it
        # would restyle the buttons and the labels.
        gr.set_static_paths(live.folder())
        super().__init__(
            html_template='<div class="click-recorder"></div>',
            css_template=(FOLDER / "recorder.css").read_text(encoding="utf-8"),
            js_on_load=loader(FOLDER / "load.js"),
            apply_default_css=False,
            server_functions=[bring_sound],
            **kwargs,
        )

    def api_info(self) -> dict:
        """Describe the value for programs."""
        return {"type": "object", "description": "a recording: path, or notes; tempo and meter"}

    def example_payload(self) -> dict:
        """Return an example of the value."""
        return {"path": RECORDING_FILE, "tempo": 96, "meter": [4, 4], "first": 0.625}


def read_recording(value: object) -> str | ClickRecording | PlayedMelody:
    """Check the recorder's value, which comes from the browser and can be anything.

    Returns:
        The path of a recording without a click, a recording to one, or what was played.

    Raises:
        ValueError: There is no recording, or a part of the value is not accepted.
    """
    if not isinstance(value, dict):
        raise ValueError("There is no recording yet: press Record and sing.")
    if "notes" in value:
        return PlayedMelody(
            notes=_notes(value["notes"]),
            tempo=_number("tempo", value.get("tempo"), *TEMPI),
            meter=_meter(value.get("meter")),
        )
    path = _uploaded(value.get("path"))
    if "tempo" not in value:
        return path
    return ClickRecording(
        path=path,
        tempo=_number("tempo", value.get("tempo"), *TEMPI),
        meter=_meter(value.get("meter")),
        first=_number("start of the first bar", value.get("first"), 0, LATEST_FIRST),
    )


def _notes(found: object) -> tuple[tuple[int, float, float, int], ...]:
    """Return played notes by onset. Raises ValueError."""
    if not isinstance(found, list) or not 0 < len(found) <= MOST_NOTES:
        raise ValueError(f"A melody that is played has 1 to {MOST_NOTES} notes.")
    return tuple(sorted(map(_note, found), key=lambda note: note[1]))


def _note(found: object) -> tuple[int, float, float, int]:
    if not isinstance(found, list) or len(found) != 4:
        raise ValueError("A note that is played has a pitch, an onset, an end and a velocity.")
    pitch, onset, end, velocity = found
    start = _number("onset of a note", onset, *PLAYED)
    return (
        int(_number("pitch of a note", pitch, 0, 127)),
        start,
        _number("end of a note", end, start, PLAYED[1]),
        int(_number("velocity of a note", velocity, 1, 127)),
    )


def _uploaded(path: object) -> str:
    """Return the path with its links followed, if it is a file in the folder of uploads."""
    missing = ValueError("The recording was not found among the uploaded files: record it again.")
    if not isinstance(path, str) or not path:
        raise missing
    try:
        file = Path(path).resolve()
        inside = file.is_relative_to(Path(get_upload_folder()).resolve()) and file.is_file()
    except (OSError, RuntimeError, ValueError):  # too long, links in a circle, a null byte
        raise missing from None
    if not inside:
        raise missing
    return str(file)


def _number(name: str, value: Any, low: float, high: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # no NaN is in the range
        raise ValueError(f"The {name} of a recording must be a number from {low:g} to {high:g}.")
    return float(value)


def _meter(value: object) -> tuple[int, int]:
    for meter in METERS:
        if isinstance(value, list | tuple) and list(value) == list(meter):
            return meter
    known = ", ".join(f"{beats}/{unit}" for beats, unit in METERS)
    raise ValueError(f"The metre of a recording must be one of {known}.")
