"""What somebody brings, a MIDI file or a recording, and how it is understood: guesses, and what they corrected of them."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote, shifted
from accomp.listen.transcribe import Click, Transcription, grid_of, hear_notes, on_beats
from accomp.music import timing
from accomp.music.chord_symbols import whole_bars
from accomp.music.keys import Key, estimate_key, parse_key
from accomp.music.melody_track import melody_index, skyline
from accomp.music.midi import read_midi
from accomp.music.score import Score
from accomp.sound.audio_file import Recording, is_recording, read_recording

PACES = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass
class Material:
    """A MIDI file's score, or a recording with its notes. notices: what was noticed of the recording, in words."""

    name: str
    score: Score | None = None
    recording: Recording | None = None
    notes: list[SungNote] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    click: Click | None = None


@dataclass(frozen=True)
class Corrections:
    """What is known better than what was guessed; None where nothing is.

    tempo: beats a minute; pace: 0.5 where there are half as many beats as was understood, 2 where there are twice as many; meter:
    such as (3, 4); downbeat: when some bar begins, in seconds of a recording; later: pulses by which the bar lines come later;
    key: such as "A minor"; track: the melody's index.
    """

    tempo: float | None = None
    pace: float = 1.0
    meter: tuple[int, int] | None = None
    downbeat: float | None = None
    later: int = 0
    key: str | None = None
    track: int | None = None


@dataclass
class Melody:
    """A melody as it is understood: the track of `score`, in `key`. sung: of a recording, its beats and what was sung."""

    name: str
    score: Score
    track: int
    key: Key
    recording: Recording | None = None
    sung: Transcription | None = None

    @property
    def tempo(self) -> float:
        """Beats a minute: what was tapped to a recording, quarters of a MIDI file."""
        return self.sung.grid.tempo if self.sung else timing.mean_tempo(self.score)

    def __str__(self) -> str:
        """Such as: G major, 96 beats a minute, 4/4, 16 bars."""
        bars = len(whole_bars(self.score, self.score.tracks[self.track])) - 1
        _, numerator, denominator = self.score.meters[0]
        changing = " at first" if len(self.score.meters) > 1 else ""
        length = f"{bars} bar{'s' if bars > 1 else ''}"
        return f"{self.key}, {self.tempo:.0f} beats a minute, {numerator}/{denominator}{changing}, {length}"


def bring(path: str | os.PathLike, click: Click | None = None) -> Material:
    """Reads a MIDI file, or listens to a recording. Raises MusicError where it is neither, or holds no melody."""
    name = Path(path).stem
    if not is_recording(path):
        return Material(name, read_midi(path))
    recording = read_recording(path)
    notes, notices = hear_notes(recording.mono)
    recording.mono = recording.mono[
        :0
    ].copy()  # the notes are known, and the mix reads the file again
    return Material(
        name, recording=recording, notes=notes, notices=[*recording.notices, *notices], click=click
    )


def understand(material: Material, corrections: Corrections = Corrections()) -> Melody:
    """The melody of what was brought. Raises MusicError where a correction is out of range."""
    if corrections.pace not in PACES:
        raise MusicError(
            f"a pace of {corrections.pace:g} was asked for; accepted: {', '.join(f'{pace:g}' for pace in PACES)}"
        )
    sung = None if material.score else _on_beats(material, corrections)
    score = sung.score if sung else _rewritten(material.score, corrections)
    index = melody_index(score, corrections.track)
    key = (
        parse_key(corrections.key)
        if corrections.key
        else estimate_key(skyline(score.tracks[index].notes))
    )
    return Melody(material.name, score, index, key, material.recording, sung)


def _rewritten(score: Score, corrections: Corrections) -> Score:
    if corrections.downbeat is not None:
        raise MusicError(
            "a downbeat in seconds is for recordings; move the bar lines of a MIDI file by beats"
        )
    if corrections.pace != 1:
        score = timing.renotated(score, corrections.pace)
    if corrections.tempo is not None:
        score = timing.at_tempo(score, corrections.tempo)
    if corrections.meter:
        score = timing.in_meter(score, corrections.meter)
    return timing.bar_lines_later(score, corrections.later) if corrections.later else score


def _on_beats(material: Material, corrections: Corrections) -> Transcription:
    grid = grid_of(
        material.notes,
        tempo=corrections.tempo,
        pace=corrections.pace,
        downbeat=corrections.downbeat,
        meter=corrections.meter,
        click=material.click,
    )
    sung = on_beats(material.notes, shifted(grid, corrections.later))
    sung.score.notices[:0] = material.notices
    return sung
