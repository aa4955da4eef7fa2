"""A song on the page: its piano roll, and under each track's name what a mixer has. The sound is mixed in the browser.

    player = Player()
    button.click(make, [melody, player], player)  # `make` gets {"bars": [3, 4] or None, "locked": ["bass"]}
    player.select(on_choice, trigger_mode="multiple")  # def on_choice(event: gr.EventData): event.bars, event.locked

`make` yields `view_of(song)`, which shows at once, then `view_of(song, stems=...)`, which adds the sound.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from accomp.music.percussion import keys_of
from accomp.music.score import Bar, Score, Track, first_bar_number
from accomp.plot import COLOURS, MELODY_COLOUR, OTHER_COLOUR, OVERHANG
from accomp.sound.render import named_tracks

HERE = Path(__file__).parent
SCRIPT = ("sound.js", "roll.js", "player.js")
DRUM_ROWS = {  # the lanes of a drum track, the lowest first, and the kinds of drum keys in each
    "kick": ("kick",),
    "snare": ("snare",),
    "toms": ("tom",),
    "hi-hat": ("closed hi-hat", "open hi-hat"),
    "cymbal": ("crash", "ride"),
}
OTHER_DRUMS = "perc"  # the lane of all other keys
TICK = 4  # decimals of a second: 0.1 ms, below what is seen or heard
VOICE_COLOUR = "#7b1fa2"
VOICE = "recording"  # the name of the track that is the visitor's own sound

ICONS = {  # paths in a square of 16 by 16; of "play" and "pause" the button shows one
    "start": '<path d="M3 3h2v10H3zM13 3v10L6 8z"/>',
    "play": '<path class="go" d="M4 2.5v11L13.5 8z"/><path class="rest" d="M4 3h3v10H4zM9 3h3v10H9z"/>',
    "loop": '<path d="M11 1l3 3-3 3V5H5a2 2 0 0 0-2 2v1H1V7a4 4 0 0 1 4-4h6z"/>'
    '<path d="M5 15l-3-3 3-3v2h6a2 2 0 0 0 2-2V8h2v1a4 4 0 0 1-4 4H5z"/>',
    "out": '<path d="M3 7h10v2H3z"/>',
    "in": '<path d="M7 3h2v4h4v2H9v4H7V9H3V7h4z"/>',
}


def _button(kind: str, label: str, hint: str, state: str = "") -> str:
    icon = f'<svg viewBox="0 0 16 16" aria-hidden="true">{ICONS[kind]}</svg>'
    return f'<button type="button" class="{kind}" aria-label="{label}" title="{hint}" {state}>{icon}</button>'


# Nothing in here comes from the value: where a template changes with its value, Gradio writes the elements anew.
TEMPLATE = f"""
<section class="player" tabindex="0" role="group" aria-label="Song player" hidden>
<div class="transport">
<div class="keys">
{_button("start", "Back to the start", "Back to the start (Home)")}
{_button("play", "Play", "Play or pause (space)")}
{_button("loop", "Loop", "Repeat the selected bars, or all", 'aria-pressed="false"')}
</div>
<div class="clock"><span class="time">0:00 / 0:00</span><span class="place">bar 1</span></div>
<div class="title"></div>
<div class="status" role="status" aria-live="polite"></div>
<div class="picked" hidden><span></span><button type="button" class="clear" aria-label="Clear the selection"
 title="Clear the selection (Escape)">&times;</button></div>
<div class="keys zoom">
{_button("out", "Zoom out", "Zoom out (Ctrl and wheel)")}
{_button("in", "Zoom in", "Zoom in (Ctrl and wheel)")}
</div>
</div>
<div class="stage">
<div class="scroll" tabindex="-1"><div class="space"><div class="window"><canvas role="img"></canvas>
<div class="ruler" title="Drag to select bars"></div><div class="playhead"></div></div></div></div>
<div class="tracks"></div>
</div>
</section>
"""


class Player(gr.HTML):
    """Shows what `view_of` gives. As an input it gives {"bars": [first, last] or None, "locked": [names of tracks]}.

    bars: the selected ones, counted from 1 as in `song.bars`: a pickup is 1 here, although its number in the picture is 0.
    Event `select`, when the visitor changes either: a `gr.EventData` with `bars` and `locked`. The handler needs
    trigger_mode="multiple": by default Gradio drops an event that comes while the one before is handled, and "always_last"
    calls the handler again, but with the data of the event before.
    """

    def __init__(self, value: dict | None = None, **options):
        super().__init__(
            value,
            html_template=TEMPLATE,
            css_template=(HERE / "player.css").read_text(encoding="utf-8"),
            js_on_load="\n".join((HERE / part).read_text(encoding="utf-8") for part in SCRIPT),
            apply_default_css=False,
            **options,
        )

    def preprocess(self, payload: Any) -> dict[str, Any]:
        choice = payload.get("choice") if isinstance(payload, dict) else None
        choice = choice if isinstance(choice, dict) else {}
        bars, locked = choice.get("bars"), choice.get("locked")
        is_range = (
            isinstance(bars, list)
            and len(bars) == 2
            and all(type(bar) is int for bar in bars)
            and 1 <= bars[0] <= bars[1]
        )
        names = (
            [name for name in locked if isinstance(name, str)] if isinstance(locked, list) else []
        )
        return {"bars": bars if is_range else None, "locked": names}

    def postprocess(self, value: dict | None) -> dict | None:
        """The song as a string: of lists, Gradio's page makes a proxy each, and every lock of a long song would take seconds."""
        if value is None:
            return None
        song = {name: part for name, part in value.items() if name not in ("id", "stems")}
        return {
            "id": value["id"],
            "stems": value["stems"],
            "song": json.dumps(song, allow_nan=False),
        }

    def api_info(self) -> dict[str, Any]:
        return {
            "type": "object",
            "description": "a song as page.player.Player.postprocess gives it",
        }


def view_of(
    song: Score,
    *,
    stems: dict[str, str | Path] | None = None,
    title: str = "",
    sung: list[tuple[int, float, float, int]] | None = None,
) -> dict[str, Any]:
    """What a Player shows, as JSON. Times are in seconds from beat 0.

    id: the same for the same music, so that sound that comes later is added to the picture that is there
    length: end of the last note;  bars: onset of each bar and the end of the last one;  first_bar: 0 after a pickup, else 1
    beats: those between the bar lines;  chords: [[onset, symbol], ...], each until the next
    tracks: the melody first, each with name, label, colour, is_melody, is_drum, muted (at first), rows (of drums: [[name, keys],
      ...]) and notes: [[pitch, onset, duration, velocity], ...] by onset
    stems: the file of each track that sounds, by name, to which Gradio adds its "url"
    sound: "there", "coming" where `stems` is None, or "none" where it is empty

    stems: files by name of track, all from beat 0 on and equally long. FLAC or MP3: Ogg is what Safari reads only
      since 2025.
      Gradio copies them to its cache and serves those copies alone.
    sung: the notes of the visitor's own recording, (pitch, onset, offset, velocity) in seconds: it becomes a track VOICE on top,
      and the piano is silent at first.
    """
    onsets = [note.onset for track in song.tracks for note in track.notes]
    bars = song.bars(max(song.end - OVERHANG, max(onsets, default=0.0) + 1e-3))
    lines = [bar.onset for bar in bars] + [bars[-1].onset + bars[-1].meter.bar_beats]
    tracks = named_tracks(song)
    melody = next((name for name in tracks if name == "piano"), next(iter(tracks), None))
    names = sorted(tracks, key=lambda name: name != melody)
    chords = [
        chord
        for i, chord in enumerate(song.chords)
        if i == 0 or chord.symbol != song.chords[i - 1].symbol
    ]
    view = {
        "title": title,
        "length": _times(song, [song.end])[0],
        "bars": _times(song, lines),
        "first_bar": first_bar_number(bars, tracks[melody].start if melody else 0.0),
        "beats": _times(
            song, [beat for bar, end in zip(bars, lines[1:]) for beat in _inner_beats(bar, end)]
        ),
        "chords": [
            [at, c.symbol] for at, c in zip(_times(song, [c.onset for c in chords]), chords)
        ],
        "tracks": [_track_view(song, name, tracks[name], name == melody) for name in names],
    }
    if sung:
        view["tracks"][0] |= {"label": "piano", "muted": True}
        view["tracks"].insert(0, _voice_view(sung))
    music = json.dumps(view, allow_nan=False, sort_keys=True).encode()
    files = {name: gr.FileData(path=str(path)).model_dump() for name, path in (stems or {}).items()}
    sound = "coming" if stems is None else "there" if stems else "none"
    return {
        "id": hashlib.blake2s(music, digest_size=8).hexdigest(),
        "sound": sound,
        "stems": files,
        **view,
    }


def _track_view(song: Score, name: str, track: Track, is_melody: bool) -> dict[str, Any]:
    notes = sorted(track.notes, key=lambda note: (note.onset, note.pitch))
    starts, ends = (
        _times(song, [note.onset for note in notes]),
        _times(song, [note.end for note in notes]),
    )
    return {
        "name": name,
        "label": "melody" if is_melody else name,
        "colour": MELODY_COLOUR if is_melody else COLOURS.get(track.name, OTHER_COLOUR),
        "is_melody": is_melody,
        "is_drum": track.is_drum,
        "muted": False,
        "rows": _drum_rows({note.pitch for note in notes}) if track.is_drum else [],
        "notes": [
            [n.pitch, start, round(end - start, TICK), n.velocity]
            for n, start, end in zip(notes, starts, ends)
        ],
    }


def _voice_view(sung: list[tuple[int, float, float, int]]) -> dict[str, Any]:
    notes = [
        [pitch, round(onset, TICK), round(offset - onset, TICK), velocity]
        for pitch, onset, offset, velocity in sung
    ]
    looks = {
        "label": "you",
        "colour": VOICE_COLOUR,
        "is_melody": True,
        "is_drum": False,
        "muted": False,
        "rows": [],
    }
    return {"name": VOICE, **looks, "notes": notes}


def _drum_rows(keys: set[int]) -> list[list]:
    """[name, percussion keys] of each row that is played, the lowest first."""
    lanes = {name: set(keys_of(*kinds)) for name, kinds in DRUM_ROWS.items()}
    rows = [[name, sorted(keys & lane)] for name, lane in lanes.items()]
    rows.append([OTHER_DRUMS, sorted(keys.difference(*lanes.values()))])
    return [row for row in rows if row[1]]


def _inner_beats(bar: Bar, end: float) -> list[float]:
    """What is counted between two bar lines: of 6/8 the dotted quarters."""
    beats = [bar.onset + i * bar.meter.pulse for i in range(1, bar.meter.bar_pulses)]
    return [beat for beat in beats if beat < end - 1e-6]


def _times(song: Score, beats: list[float]) -> list[float]:
    return np.round(song.seconds(beats), TICK).tolist()
