"""A recording of one voice to notes: a pitch tracker says how high, a small network where notes begin and end.

The tracker is SwiftF0 (its weights come with the package); the network (accomp.listen.note_net) was trained on made recordings
(train.fit.transcription). Times are seconds from the recording's beginning; pitches are MIDI numbers, 69 is A4.
"""

import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from accomp.errors import MusicError
from accomp.extras import extra
from accomp.listen.beat_grid import EARLY, BeatGrid, SungNote
from accomp.listen.beats import find_beats
from accomp.listen.note_net import FRAME, HOP, RATE, NotesNet, NotesNetConfig, frames_of, log_mel
from accomp.listen.one_voice import check_one_voice
from accomp.listen.quantise import quantise
from accomp.models.files import load_network
from accomp.music.score import Score, is_compound
from accomp.music.timing import check_meter
from accomp.roll.grid import MELODY
from accomp.sound.accepted import MAX_SECONDS

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

FOLDER = Path(__file__).parents[1] / "data/listen"  # the network's settings and weights
A4 = 440.0  # Hz
STRUCK, SOUNDING = 0.5, 0.4  # probabilities from which a note begins, and sounds
CLOSEST = 6  # frames between two onsets: no singer is faster
SHORTEST = 5  # frames of a note
SETTLED = 3  # frames after its onset from which a note's pitch is taken: slides come first
VOICED = 0.4  # confidence from which the tracker's pitch counts
ATTACK, SPECTRUM = (
    0.03,
    2048,
)  # seconds after its onset from which a note's spectrum is taken, and its samples
MISSING, HALFWAY = (
    0.1,
    1.0,
)  # a spectrum's odd harmonics to even ones, halfway tones to harmonics, when an octave off
LOWEST = 28  # the lowest pitch that is looked for an octave lower, E1
TUNING_SPAN = 8.0  # seconds over which a singer's own tuning is taken to be the same
SOFTEST, LOUDEST = 40, 110  # velocities of the softest and the loudest note
RANGE = 24.0  # dB between them


class Click(NamedTuple):
    """What a recording was made to."""

    tempo: float  # beats a minute, of dotted quarters in compound meters
    first: float  # seconds in the recording at which some bar begins
    meter: tuple[int, int] = (4, 4)


@dataclass
class Transcription:
    """A recording as a melody. score: one track on the places of the beat grid, whose tempo map follows the recording; notes: as
    they were sung.
    """

    score: Score
    grid: BeatGrid
    notes: list[SungNote]

    @property
    def start(self) -> float:
        """The time in the recording, in seconds, at which beat 0 of the score lies."""
        return -self.grid.offset

    def start_of(self, song: Score) -> float:
        """As `start`, of a song that was made to this melody and may have an introduction before it."""
        first, moved = self.score.tracks[0].notes[0].onset, song.tracks[MELODY].notes[0].onset
        return self.start - (song.seconds(moved) - self.score.seconds(first))


@dataclass
class Heard:
    """What is heard of a sound in frames of 10 ms: frames [T, C] for the network, pitch [T] semitones, confidence [T] from 0
    to 1, and level [T] in dB.
    """

    frames: np.ndarray
    pitch: np.ndarray
    confidence: np.ndarray
    level: np.ndarray


@cache
def _tracker() -> "SwiftF0":
    with extra("listen"):
        from swift_f0 import SwiftF0
    return SwiftF0(threads=1)


@cache
def _network() -> NotesNet:
    return load_network(
        FOLDER, lambda values: NotesNet(NotesNetConfig(**values)), "network of notes"
    )


def listen(sound: np.ndarray, mels: int = NotesNetConfig.mels) -> Heard:
    """sound: mono float32 at RATE."""
    tracked = _tracker().detect(sound, RATE)
    mel = log_mel(sound, mels)
    times = np.arange(len(mel)) * FRAME
    semitones = 69 + 12 * np.log2(np.maximum(tracked.pitch_hz, 20) / A4)
    pitch = np.interp(times, tracked.timestamps, semitones)
    confidence = np.interp(times, tracked.timestamps, tracked.confidence)
    energy = (
        np.add.reduceat(
            sound[: len(mel) * HOP].astype(np.float64) ** 2, np.arange(0, len(mel) * HOP, HOP)
        )
        / HOP
    )
    return Heard(
        frames_of(mel, pitch, confidence), pitch, confidence, 10 * np.log10(energy + 1e-10)
    )


def grid_of(
    notes: list[SungNote],
    *,
    tempo: float | None = None,
    pace: float = 1.0,
    downbeat: float | None = None,
    meter: tuple[int, int] | None = None,
    click: Click | None = None,
) -> BeatGrid:
    """The beats of notes. tempo (beats a minute, of dotted quarters in compound meters), downbeat (seconds at which some bar
    begins), meter, or the click that was sung to are what needn't be guessed; pace: 0.5 for half and 2 for double the tempo
    that is heard. To a click, nothing is guessed but what was corrected. Raises MusicError where something is out of range.
    """
    if downbeat is not None and not abs(downbeat) <= MAX_SECONDS:
        raise MusicError(
            f"a downbeat at {downbeat:g} s was asked for; accepted: seconds of the recording"
        )
    if click:
        meter, downbeat = meter or click.meter, click.first if downbeat is None else downbeat
        check_meter(meter)
        if tempo is None and is_compound(*meter) == is_compound(*click.meter):
            return _regular(notes, Click(click.tempo * pace, downbeat, meter))
        tempo = tempo or click.tempo * pace
    elif tempo is None and pace != 1:
        tempo = pace * find_beats(notes, meter=meter).tempo
    return find_beats(notes, tempo=tempo, downbeat=downbeat, meter=meter)


def _regular(notes: list[SungNote], click: Click) -> BeatGrid:
    """Pulses of one length, from that of the first note to the one after the last."""
    start = math.floor((notes[0].onset - click.first) * click.tempo / 60 + EARLY)
    end = math.ceil((max(note.offset for note in notes) - click.first) * click.tempo / 60) + 1
    grid = BeatGrid(click.first + np.arange(start, end + 1) * 60 / click.tempo, 0, click.meter)
    return replace(grid, phase=-start % grid.bar_pulses)


def on_beats(notes: list[SungNote], grid: BeatGrid) -> Transcription:
    """Notes on a grid that is known, or was corrected."""
    score = quantise(notes, grid)
    numerator, denominator = grid.meter
    heard = f"heard {len(notes)} notes at about {grid.tempo:.0f} beats a minute in {numerator}/{denominator}"
    score.notices = [
        f"{heard}, the first bar line at {round(grid.downbeat, 2) + 0.0:.2f} s"
    ]  # not -0.00
    return Transcription(score, grid, notes)


def transcribe_notes(sound: np.ndarray) -> list[SungNote]:
    """The notes of a mono sound at RATE, in the order of their onsets, one at a time. Raises MusicError where there are none, or
    where it is speech, noise or several voices.
    """
    return hear_notes(sound)[0]


def hear_notes(sound: np.ndarray) -> tuple[list[SungNote], list[str]]:
    """As transcribe_notes; and notices on what else than one voice is heard, in words."""
    if len(sound) < RATE // 2:
        raise MusicError(
            f"The recording is {len(sound) / RATE:.1f} s long; at least half a second is needed."
        )
    sound = np.asarray(sound, np.float32)
    heard = listen(sound)
    notes = [note._replace(pitch=octave_of(note, sound)) for note in notes_of(heard)]
    return notes, check_one_voice(heard, notes, sound)


def notes_of(heard: Heard) -> list[SungNote]:
    """As transcribe_notes, whatever the notes are of."""
    struck, sounding = _network().hear(heard.frames)
    begins = onsets_of(struck)
    pitch = heard.pitch - tuning_of(heard)
    notes = []
    for index, begin in enumerate(begins):
        limit = begins[index + 1] if index + 1 < len(begins) else len(struck)
        silent = np.flatnonzero(sounding[begin + SHORTEST : limit] < SOUNDING)
        end = begin + SHORTEST + int(silent[0]) if len(silent) else limit
        key = _pitch_of(pitch[begin:end], heard.confidence[begin:end])
        if key is not None:
            notes.append(
                (key, begin * FRAME, end * FRAME, np.percentile(heard.level[begin:end], 75))
            )
    if not notes:
        raise MusicError(
            "No melody was heard in the recording: sing, hum, whistle or play one note at a time, near the microphone."
        )
    top = max(level for *_, level in notes)
    return [
        SungNote(key, onset, offset, round(np.interp(level - top, [-RANGE, 0], [SOFTEST, LOUDEST])))
        for key, onset, offset, level in notes
    ]


def octave_of(note: SungNote, sound: np.ndarray) -> int:
    """The note's pitch, moved by octaves where the tracker missed it: up where odd harmonics are missing, down where there are
    tones halfway between harmonics.
    """
    start = int((note.onset + ATTACK) * RATE)
    piece = sound[start : start + SPECTRUM]
    amplitudes = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 4 * SPECTRUM))

    def sum_at(pitch: int, *multiples: float) -> float:
        bins = np.array(multiples) * A4 * 2 ** ((pitch - 69) / 12) * 4 * SPECTRUM / RATE
        return sum(
            float(amplitudes[int(0.985 * bin) - 2 : int(1.015 * bin) + 3].max(initial=0))
            for bin in bins
        )

    if sum_at(note.pitch, 1, 3) < MISSING * sum_at(note.pitch, 2, 4):
        return note.pitch + 12
    pitch = note.pitch
    while pitch >= LOWEST + 12 and sum_at(pitch, 0.5, 1.5, 2.5) > HALFWAY * sum_at(pitch, 1, 2, 3):
        pitch -= 12
    return pitch


def onsets_of(struck: np.ndarray) -> list[int]:
    """The frames where probabilities [T] peak at STRUCK or more, the likelier of two that are closer than CLOSEST."""
    padded = np.concatenate([[-1], struck, [-1]])
    peaks = np.flatnonzero((struck >= STRUCK) & (struck >= padded[:-2]) & (struck > padded[2:]))
    chosen: list[int] = []
    for peak in peaks:
        if chosen and peak - chosen[-1] < CLOSEST:
            if struck[peak] > struck[chosen[-1]]:
                chosen[-1] = int(peak)
        else:
            chosen.append(int(peak))
    return chosen


def tuning_of(heard: Heard) -> np.ndarray:
    """[T] semitones by which a singer is off the equal-tempered scale at A4, which may drift: the circular mean of what is left
    of the pitch after the semitone, over TUNING_SPAN, leaning on that of the whole recording.
    """
    weight = np.where(heard.confidence > 0.5, heard.confidence, 0)
    turns = np.exp(2j * np.pi * heard.pitch) * weight
    whole = np.angle(turns.sum()) / (2 * np.pi)
    window = np.hanning(int(TUNING_SPAN / FRAME) | 1)
    leaning = 0.5 * np.exp(2j * np.pi * whole) * window.sum() * weight.mean()
    local = np.convolve(turns, window, "full")[len(window) // 2 :][: len(turns)] + leaning
    return whole + np.angle(local * np.exp(-2j * np.pi * whole)) / (2 * np.pi)


def _pitch_of(pitch: np.ndarray, confidence: np.ndarray) -> int | None:
    """The semitone that a note is on for longest, weighted by confidence; None where none is heard."""
    settled = min(SETTLED, len(pitch) // 3)
    pitch, confidence = pitch[settled:], confidence[settled:]
    weight = np.where(confidence > VOICED, confidence, 0)
    if not weight.any():
        return None
    keys = np.round(pitch).astype(int)
    return int(np.bincount(np.clip(keys, 0, 127), weight).argmax())
