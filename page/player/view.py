"""Describe a song for the player: tracks, notes, bars and chords in seconds."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import gradio as gr
import numpy as np

from accomp.band.note_levels import mix_loudness
from accomp.listen.beat_grid import SungNote
from accomp.music.percussion import keys_of
from accomp.music.score import Bar, Score, Track, first_bar_number
from accomp.music.timing import mean_tempo
from accomp.plot import MELODY_COLOUR, OTHER_COLOUR, OVERHANG, TRACK_COLOURS
from accomp.roll.sounding_names import SECOND_GUITAR, is_second_guitar, sounding_name
from accomp.sound.master import MasterSettings
from accomp.sound.overdub import OverdubSettings
from accomp.sound.render import named_tracks
from page.player import live

DRUM_ROWS = {  # the lanes of a drum track, the lowest first, and the kinds of drum keys in each
    "kick": ("kick",),
    "snare": ("snare",),
    "toms": ("tom",),
    "hi-hat": ("closed hi-hat", "open hi-hat"),
    "cymbal": ("crash", "ride"),
}
OTHER_DRUMS = "perc"  # the lane of all other keys
TICK = 4  # decimals of a second: 0.1 ms, below what is seen or heard
VOICE = "recording"  # the name of the track that is the visitor's own sound
VOICE_COLOUR = "#7b1fa2"

MOST_GAIN = 40.0  # dB that a soft song is made louder by


class Voice(NamedTuple):
    """The visitor's recording as a file of its own, at the loudness `voice_loudness`.

    Attributes:
        file: FLAC or MP3: Safari reads Ogg only since 2025.
        start: Seconds in the song at which it begins; negative if before.
    """

    file: Path
    start: float


class Editing(NamedTuple):
    """What the player needs to let a visitor change a song.

    Attributes:
        turn: The browser's number of the edit that the song came of; 0 for none.
        stale: Bars, counted from 1, in which the band plays to an earlier melody.
        places: Beats at which chords can change, and the end of the last; empty where none can.
        family: The same for songs whose melodies are edits of one another.
    """

    turn: int = 0
    stale: Sequence[int] = ()
    places: Sequence[float] = ()
    family: str = ""


def voice_loudness() -> float:
    """Return the LUFS of a recording in front of a band, with which it is as loud as all songs."""
    lead = OverdubSettings().lead
    return MasterSettings().loudness - 10 * float(np.log10(1 + 10 ** (-lead / 10)))


def view_of(
    song: Score,
    *,
    title: str = "",
    sung: Sequence[SungNote] | None = None,
    voice: Voice | None = None,
    stems: dict[str, Path] | None = None,
    play: bool = False,
    octaves: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:
    """Return what a Player shows and plays of a song. Times are in seconds from beat 0.

    Args:
        song: What is shown and played.
        title: Shown above the roll.
        sung: The notes of the visitor's own recording. They become a track VOICE on top, and the
            piano is muted at first.
        voice: The recording; None while it is made.
        stems: Files by name of track, all from beat 0 on and equally long, for browsers that can't
            play live; None while they are made, empty where there can be none. Gradio copies them
            to its cache and serves those copies alone.
        play: Whether it shall be heard as soon as it is shown.
        octaves: By track, for each of its notes, how many octaves higher it is heard.

    Returns:
        id: the same for the same music, so that sound that comes later is added to the picture
            that is there.
        sound: "live" where the browser plays it, else "there" with stems, "coming" where `stems` is
            None, or "none" where it is empty.
        stems: the file of each track that has one, by name, to which Gradio adds its "url".
        title: as given.
        length: end of the last note.
        start: onset of the melody.
        melody: the same for songs with the same melody in the same time.
        voice_start: of `voice`.
        gain: decibels that bring what the synthesizer plays to the loudness of the files.
        play: a new text where it shall be heard at once, else empty.
        tempo: its mean tempo in quarters a minute.
        finish: in which tempo it is played, None for its own, and how many semitones higher; its
            key as [tonic, whether it is minor] where that is known. The caller sets them.
        bars: onset of each bar and the end of the last one.
        first_bar: number of the first bar, 0 for a pickup, else 1.
        beats: the beats between the bar lines.
        chords: [[onset, symbol], ...], each until the next.
        tracks: the melody first, each with name, part (whose sounds fit it), label, colour,
            is_melody, is_drum, muted (at first), program (None of a recording), controls ([[onset,
            number, value], ...]), rows (of drums: [[name, keys], ...]), octaves (by which each note
            is heard higher; empty where none is) and notes: [[pitch, onset, duration, velocity],
            ...] by onset; a fifth number says how sure it is that a note was sung, 0 to 1, where
            that is in doubt.
        clock: as in `editable`.
        turn, stale, family, places: likewise; here nothing can be edited.
    """
    view = _picture(song, title, octaves or {})
    if sung:
        view["tracks"][0] |= {"label": "piano", "muted": True}
        view["tracks"].insert(0, _voice_view(sung))
    untitled = {name: part for name, part in view.items() if name != "title"}
    music = json.dumps(untitled, allow_nan=False, sort_keys=True).encode()
    files = {VOICE: voice.file} if voice else {}
    return {
        "id": hashlib.blake2s(music, digest_size=8).hexdigest(),
        "sound": _sound(stems),
        "stems": {
            name: gr.FileData(path=str(path)).model_dump()
            for name, path in (stems or files).items()
        },
        "voice_start": round(voice.start, TICK) if voice else 0.0,
        "gain": _gain(song, bool(sung)),
        "play": uuid4().hex if play else "",
        "tempo": mean_tempo(song),
        "finish": {"tempo": None, "transpose": 0, "key": None},
        "clock": _clock(song),
        "turn": 0,
        "stale": [],
        "family": "",
        "places": [],
        **view,
    }


def editable(song: Score, editing: Editing) -> dict[str, Any]:
    """Return the part of a view that lets the visitor edit a song.

    Args:
        song: As it is shown.
        editing: What can be edited.

    Returns:
        clock: [[beat, seconds], ...] between which time passes evenly, and after the last one, too.
        places: as in Editing, in seconds.
        turn, stale, family: as in Editing.
    """
    return {
        "clock": _clock(song),
        "turn": editing.turn,
        "stale": list(editing.stale),
        "family": editing.family,
        "places": _seconds(song, list(editing.places)),
    }


def _clock(song: Score) -> list[list[float]]:
    """Return [beat, seconds] where the tempo changes, and one more of the last tempo."""
    beats = sorted({0.0, *(tempo.onset for tempo in song.tempos)})
    beats.append(beats[-1] + 1.0)
    return [[beat, float(time)] for beat, time in zip(beats, np.round(song.seconds(beats), 6))]


def _sound(stems: dict[str, Path] | None) -> str:
    if stems is None:
        return "coming" if live.fault() else "live"
    return "there" if stems else "none"


def _picture(song: Score, title: str, octaves: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Return what is the same whatever the sound."""
    onsets = [note.onset for track in song.tracks for note in track.notes]
    bars = song.bars(max(song.end - OVERHANG, max(onsets, default=0.0) + 1e-3))
    lines = [bar.onset for bar in bars] + [bars[-1].onset + bars[-1].meter.bar_beats]
    beats = [beat for bar, end in zip(bars, lines[1:]) for beat in _inner_beats(bar, end)]
    tracks = named_tracks(song)
    melody = next((name for name in tracks if name == "piano"), next(iter(tracks), None))
    names = sorted(tracks, key=lambda name: name != melody)
    views = [
        _track_view(song, name, tracks[name], name == melody, octaves.get(tracks[name].name, ()))
        for name in names
    ]
    lead = views[0]["notes"] if views else []
    start = lead[0][1] if lead else 0.0
    return {
        "title": title,
        "length": _seconds(song, [song.end])[0],
        "start": start,
        "melody": _fingerprint(lead, start),
        "bars": _seconds(song, lines),
        "first_bar": first_bar_number(bars, tracks[melody].start if melody else 0.0),
        "beats": _seconds(song, beats),
        "chords": _chord_changes(song),
        "tracks": views,
    }


def _fingerprint(notes: list[list], start: float) -> str:
    """Return a text that two melodies share if they are the same but for when they begin."""
    moved = [
        (pitch, round(onset - start, 2), round(length, 2)) for pitch, onset, length, _ in notes
    ]
    return hashlib.blake2s(repr(moved).encode(), digest_size=8).hexdigest()


def _gain(song: Score, has_voice: bool) -> float:
    """Return the decibels that bring a song to the loudness of all files.

    With a recording the band alone is brought behind it.
    """
    wanted, band = MasterSettings().loudness, song
    if has_voice:
        wanted = voice_loudness() - OverdubSettings().lead
        others = [track for track in song.tracks if track.name != "piano" and track.notes]
        band = replace(song, tracks=others or song.tracks)
    return round(min(wanted - mix_loudness(band), MOST_GAIN), 2)


def _chord_changes(song: Score) -> list[list]:
    """Return [seconds, symbol] of each chord that differs from the one before."""
    changes = [
        chord
        for index, chord in enumerate(song.chords)
        if index == 0 or chord.symbol != song.chords[index - 1].symbol
    ]
    onsets = _seconds(song, [chord.onset for chord in changes])
    return [[onset, chord.symbol] for onset, chord in zip(onsets, changes)]


def _track_view(
    song: Score, name: str, track: Track, is_melody: bool, octaves: Sequence[int]
) -> dict[str, Any]:
    notes = sorted(track.notes, key=lambda note: (note.onset, note.pitch))
    starts = _seconds(song, [note.onset for note in notes])
    ends = _seconds(song, [note.end for note in notes])
    return {
        "name": name,
        "part": SECOND_GUITAR if is_second_guitar(track) else track.name,
        "label": "melody" if is_melody else sounding_name(replace(track, name=name)),
        "colour": MELODY_COLOUR if is_melody else TRACK_COLOURS.get(track.name, OTHER_COLOUR),
        "is_melody": is_melody,
        "is_drum": track.is_drum,
        "muted": False,
        "program": track.program,
        "controls": _controls(song, track),
        "rows": _drum_rows({note.pitch for note in notes}) if track.is_drum else [],
        "octaves": _in_order(track, octaves),
        "notes": [
            [note.pitch, start, round(end - start, TICK), note.velocity]
            for note, start, end in zip(notes, starts, ends)
        ],
    }


def _in_order(track: Track, octaves: Sequence[int]) -> list[int]:
    """Return octaves of a track's notes in the order in which `_track_view` has the notes."""
    pairs = sorted(zip(track.notes, octaves), key=lambda pair: (pair[0].onset, pair[0].pitch))
    return [each for _, each in pairs] if any(octaves) else []


def _controls(song: Score, track: Track) -> list[list]:
    times = _seconds(song, [control.onset for control in track.controls])
    return sorted([t, control.number, control.value] for t, control in zip(times, track.controls))


def _voice_view(sung: Sequence[SungNote]) -> dict[str, Any]:
    return {
        "name": VOICE,
        "part": VOICE,
        "label": "you",
        "colour": VOICE_COLOUR,
        "is_melody": True,
        "is_drum": False,
        "muted": False,
        "program": None,
        "controls": [],
        "rows": [],
        "octaves": [],
        "notes": [
            [note.pitch, round(note.onset, TICK), round(note.offset - note.onset, TICK)]
            + [note.velocity, *([] if note.confidence == 1 else [round(note.confidence, 2)])]
            for note in sung
        ],
    }


def _drum_rows(keys: set[int]) -> list[list]:
    """Return [name, percussion keys] of each row that is played, the lowest first."""
    lanes = {name: set(keys_of(*kinds)) for name, kinds in DRUM_ROWS.items()}
    rows = [[name, sorted(keys & lane)] for name, lane in lanes.items()]
    rows.append([OTHER_DRUMS, sorted(keys.difference(*lanes.values()))])
    return [row for row in rows if row[1]]


def _inner_beats(bar: Bar, end: float) -> list[float]:
    """Return the pulses between two bar lines: in 6/8 the dotted quarters."""
    beats = [bar.onset + i * bar.meter.pulse for i in range(1, bar.meter.bar_pulses)]
    return [beat for beat in beats if beat < end - 1e-6]


def _seconds(song: Score, beats: list[float]) -> list[float]:
    return np.round(song.seconds(beats), TICK).tolist()
