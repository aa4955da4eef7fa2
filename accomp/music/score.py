"""Music as notes in time: tracks of notes, a tempo map, meters and chords.

Time is in **beats**, and a beat is a quarter note, whatever the meter. The tempo map gives seconds:
recordings and sound need them, composing does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import numpy as np

# Control.number of a pitch bend; 0 to 127 are MIDI controllers (64 is the sustain pedal).
PITCH_BEND = 128
DEFAULT_TEMPO = 500_000  # microseconds a beat; MIDI's tempo until the first tempo event


class Note(NamedTuple):
    """A note.

    Attributes:
        pitch: MIDI pitch, 0 to 127; in a drum track the General MIDI percussion key.
        onset: Beats.
        duration: Beats.
        velocity: 1 to 127.
    """

    pitch: int
    onset: float
    duration: float
    velocity: int

    @property
    def end(self) -> float:
        """The beat at which the note ends."""
        return self.onset + self.duration


class Control(NamedTuple):
    """How a track is played: sustain pedal, pitch bends and other controllers.

    Attributes:
        onset: Beats.
        number: 0 to 127 for a MIDI controller, PITCH_BEND for a bend.
        value: 0 to 127; for a bend -8192 to 8191.
    """

    onset: float
    number: int
    value: int


class Tempo(NamedTuple):
    """The tempo from a beat on.

    Attributes:
        onset: Beats.
        microseconds: Of a quarter note. MIDI stores tempos so; they survive exactly.
    """

    onset: float
    microseconds: int

    @property
    def bpm(self) -> float:
        """Quarter notes a minute."""
        return 60e6 / self.microseconds


class TimeSignature(NamedTuple):
    """The meter from a beat on.

    Attributes:
        onset: Beats.
        numerator: 6 in 6/8.
        denominator: 8 in 6/8.
    """

    onset: float
    numerator: int
    denominator: int

    @property
    def bar_beats(self) -> float:
        """The length of a bar in beats."""
        return self.numerator * 4 / self.denominator

    @property
    def is_compound(self) -> bool:
        """Whether the pulse is a dotted note: 3/8, 6/8, 9/8, 12/8, 12/16."""
        return is_compound(self.numerator, self.denominator)

    @property
    def pulse(self) -> float:
        """The length in beats of what one taps: the denominator's note, or three of it."""
        return (12 if self.is_compound else 4) / self.denominator

    @property
    def bar_pulses(self) -> int:
        """The number of pulses in a bar."""
        return self.numerator // 3 if self.is_compound else self.numerator


def is_compound(numerator: int, denominator: int) -> bool:
    """Tell whether a meter's pulse is a dotted note: 3/8, 6/8, 9/8, 12/8, 12/16."""
    return denominator >= 8 and numerator % 3 == 0


class KeySignature(NamedTuple):
    """The key signature from a beat on.

    Attributes:
        onset: Beats.
        fifths: Sharps, or with a minus flats: -7 to 7.
        is_minor: Whether the key is minor. Many programs write major without knowing.
    """

    onset: float
    fifths: int
    is_minor: bool

    @property
    def tonic(self) -> int:
        """The pitch class of the key's tonic, 0 = C."""
        return (7 * self.fifths + (9 if self.is_minor else 0)) % 12


class Chord(NamedTuple):
    """A chord, which lasts until the next one begins.

    Attributes:
        onset: Beats.
        symbol: Such as "C" or "F#m7".
    """

    onset: float
    symbol: str


class Bar(NamedTuple):
    """A bar.

    Attributes:
        onset: Beats.
        meter: The meter in force.
    """

    onset: float
    meter: TimeSignature


@dataclass
class Track:
    """The notes of one instrument.

    Attributes:
        name: Free text.
        program: General MIDI program, 0 to 127.
        is_drum: Whether pitches are percussion keys.
        notes: In any order.
        controls: In any order.
    """

    name: str = ""
    program: int = 0
    is_drum: bool = False
    notes: list[Note] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)

    @property
    def start(self) -> float:
        """Onset of the first note in beats; 0 without notes."""
        return min((note.onset for note in self.notes), default=0.0)

    @property
    def end(self) -> float:
        """End of the last note in beats; 0 without notes."""
        return max((note.end for note in self.notes), default=0.0)


@dataclass
class Score:
    """A piece of music.

    Attributes:
        tracks: In the order of the file.
        tempos: By onset.
        meters: By onset; a meter begins a bar.
        resolution: Ticks a beat of the MIDI file. Onsets that were read from it are whole multiples
            of 1 / resolution.
        chords: By onset.
        notices: What the user should know about choices that were made, in words.
        key_signatures: By onset; empty where the file has none.
    """

    tracks: list[Track] = field(default_factory=list)
    tempos: list[Tempo] = field(default_factory=lambda: [Tempo(0.0, DEFAULT_TEMPO)])
    meters: list[TimeSignature] = field(default_factory=lambda: [TimeSignature(0.0, 4, 4)])
    resolution: int = 480
    chords: list[Chord] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    key_signatures: list[KeySignature] = field(default_factory=list)

    @property
    def end(self) -> float:
        """End of the last note of any track, in beats."""
        return max((track.end for track in self.tracks), default=0.0)

    @overload
    def seconds(self, beats: float) -> float: ...

    @overload
    def seconds(self, beats: Sequence[float] | np.ndarray) -> np.ndarray: ...

    def seconds(self, beats: float | Sequence[float] | np.ndarray) -> float | np.ndarray:
        """Return the time of each beat in seconds from beat 0, by the tempo map.

        A song in time with a recording has a tempo for each beat: pass all its beats at once.
        """
        onsets = np.array([0.0, *(tempo.onset for tempo in self.tempos)])
        paces = np.array([DEFAULT_TEMPO, *(tempo.microseconds for tempo in self.tempos)]) / 1e6
        starts = np.concatenate([[0.0], np.cumsum(np.diff(onsets) * paces[:-1])])
        at = np.asarray(beats, float)
        last = np.maximum(np.searchsorted(onsets, at, side="right") - 1, 0)
        times = starts[last] + (at - onsets[last]) * paces[last]
        return times if at.ndim else float(times)

    def bars(self, until: float) -> list[Bar]:
        """Return the bars from beat 0 on that cover `until` beats, at least one.

        A change of meter always begins a bar.
        """
        bars = []
        for index, meter in enumerate(self.meters):
            following = (
                self.meters[index + 1].onset
                if index + 1 < len(self.meters)
                else max(until, meter.onset + 1e-3)
            )
            onset = meter.onset
            while onset < following - 1e-6 and (onset < until or not bars):
                bars.append(Bar(onset, meter))
                onset += meter.bar_beats
        return bars


def is_pickup(bar: Bar, following: Bar, start: float) -> bool:
    """Tell whether `bar` is a pickup to `following`.

    It is one where it is shorter than a whole bar, or silent in its first half.

    Args:
        bar: The bar in which the music begins.
        following: The bar after it.
        start: The beat at which the music begins.
    """
    whole = following.meter.bar_beats
    sounding = following.onset - max(start, bar.onset)
    return (
        sounding <= min(whole, bar.meter.bar_beats) / 2 + 1e-6
        or following.onset - bar.onset < whole - 1e-6
    )


def first_bar_number(bars: list[Bar], start: float) -> int:
    """Return the number of a score's first bar: by custom 0 for a pickup, else 1.

    Args:
        bars: The bars of the score from beat 0.
        start: The beat at which the melody begins. A melody that begins in a later bar makes the
            first one a pickup only where that is short.
    """
    if len(bars) < 2:
        return 1
    start = start if start < bars[1].onset - 1e-6 else bars[0].onset
    return 0 if is_pickup(bars[0], bars[1], start) else 1


def whole_bars(score: Score, track: Track) -> list[Bar]:
    """Return the bars in which a melody plays, without its pickup.

    One more stands for its end.
    """
    start = track.start
    bars = score.bars(max(track.end, start + 1e-3))
    first = max(i for i, bar in enumerate(bars) if bar.onset <= start + 1e-6)
    if first + 1 < len(bars) and is_pickup(bars[first], bars[first + 1], start):
        first += 1
    end = bars[-1].onset + bars[-1].meter.bar_beats
    return [*bars[first:], Bar(end, bars[-1].meter)]


def pickup_bar(score: Score, track: Track) -> Bar | None:
    """Return the bar of a melody's pickup, the one before its `whole_bars`; None without one."""
    first = whole_bars(score, track)[0]
    if track.start > first.onset - 1e-6:
        return None
    before = [bar for bar in score.bars(first.onset) if bar.onset < first.onset - 1e-6]
    return before[-1] if before else None
