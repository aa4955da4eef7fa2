"""Music as notes in time: what every other rung of the ladder is made from or turned into.

Time is in **beats**, and a beat is a quarter note, whatever the meter. Seconds come from the tempo map; what is heard and
sounded needs them, what composes does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

import numpy as np

PITCH_BEND = (
    128  # Control.number of a pitch bend; 0-127 are MIDI controllers (64 is the sustain pedal)
)


class Note(NamedTuple):
    pitch: int  # MIDI pitch, 0-127; of a drum track the General MIDI percussion key
    onset: float  # beats
    duration: float  # beats
    velocity: int  # 1-127

    @property
    def end(self) -> float:
        return self.onset + self.duration


class Control(NamedTuple):
    """How a track is played beside its notes: sustain pedal and pitch bends."""

    onset: float  # beats
    number: int  # 0-127 a MIDI controller, PITCH_BEND a bend
    value: int  # 0-127, of a bend -8192 to 8191


class Tempo(NamedTuple):
    onset: float  # beats
    microseconds: int  # per quarter note, as MIDI stores it, so that it survives exactly

    @property
    def bpm(self) -> float:
        return 60e6 / self.microseconds


class TimeSignature(NamedTuple):
    onset: float  # beats
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
    """Whether a meter's pulse is a dotted note: 3/8, 6/8, 9/8, 12/8, 12/16."""
    return denominator >= 8 and numerator % 3 == 0


class Chord(NamedTuple):
    """A chord of the plan, from its onset until the next one's."""

    onset: float  # beats
    symbol: str  # "C", "F#m"


class Bar(NamedTuple):
    onset: float  # beats
    meter: TimeSignature


@dataclass
class Track:
    name: str = ""
    program: int = 0  # General MIDI, 0-127
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
    tracks: list[Track] = field(default_factory=list)
    tempos: list[Tempo] = field(default_factory=lambda: [Tempo(0.0, 500_000)])
    meters: list[TimeSignature] = field(default_factory=lambda: [TimeSignature(0.0, 4, 4)])
    resolution: int = (
        480  # ticks per beat of the file; onsets read from it are whole multiples of 1 / resolution
    )
    chords: list[Chord] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)  # choices the user should know of, in words

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
        # MIDI's default tempo holds until the first tempo event.
        onsets = np.array([0.0, *(tempo.onset for tempo in self.tempos)])
        paces = np.array([500_000, *(tempo.microseconds for tempo in self.tempos)]) / 1e6
        starts = np.concatenate([[0.0], np.cumsum(np.diff(onsets) * paces[:-1])])
        at = np.asarray(beats, float)
        last = np.maximum(np.searchsorted(onsets, at, side="right") - 1, 0)
        times = starts[last] + (at - onsets[last]) * paces[last]
        return times if at.ndim else float(times)

    def bars(self, until: float) -> list[Bar]:
        """The bars from beat 0 on, as far as needed to cover `until` beats. A meter change always begins a bar."""
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
    """Tell whether `bar` is a pickup to `following`: it is short, or silent in its first half.

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
    """Return the number of a score's first bar: 0 where it is a pickup, by custom, else 1.

    Args:
        bars: The bars of the score from beat 0.
        start: The beat at which the melody begins. A melody that begins in a later bar makes the
            first one a pickup only where that is short.
    """
    if len(bars) < 2:
        return 1
    start = start if start < bars[1].onset - 1e-6 else bars[0].onset
    return 0 if is_pickup(bars[0], bars[1], start) else 1
