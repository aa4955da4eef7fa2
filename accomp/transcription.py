"""A recording of one voice to notes: a pitch tracker says how high, a small network where notes begin and end.

The tracker is SwiftF0 (its weights come with the package); the network (accomp.notes_net) was trained on made recordings
(train.transcription). Times are seconds from the recording's beginning; pitches are MIDI numbers, 69 is A4.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from safetensors.torch import load_file
from swift_f0 import SwiftF0

from accomp.beat_grid import EARLY, BeatGrid, SungNote
from accomp.beats import find_beats
from accomp.errors import MusicError
from accomp.grid import MELODY
from accomp.notes_net import FRAME, HOP, RATE, NotesNet, NotesNetConfig, frames_of, log_mel
from accomp.quantise import quantise
from accomp.recording import Recording
from accomp.score import Score

FOLDER = Path(__file__).parent / "listener"  # the network's settings and weights
CONFIG, WEIGHTS = "config.json", "model.safetensors"
A4 = 440.0  # Hz
STRUCK, SOUNDING = 0.5, 0.4  # probabilities from which a note begins, and sounds
CLOSEST = 6  # frames between two onsets: no singer is faster
SHORTEST = 5  # frames of a note
SETTLED = 3  # frames after its onset from which a note's pitch is taken: slides come first
VOICED = 0.4  # confidence from which the tracker's pitch counts
TUNING_SPAN = 8.0  # seconds over which a singer's own tuning is taken to be the same
SOFTEST, LOUDEST = 40, 110  # velocities of the softest and the loudest note
RANGE = 24.0  # dB between them
PACES = {"half": 0.5, "double": 2.0}  # of the tempo that is heard


@dataclass
class Transcription:
    """A recording as a melody. score: one track on the places of the beat grid, whose tempo map follows the recording; notes: as
    they were sung."""

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
    to 1, and level [T] in dB."""

    frames: np.ndarray
    pitch: np.ndarray
    confidence: np.ndarray
    level: np.ndarray


@cache
def _tracker() -> SwiftF0:
    return SwiftF0(threads=1)


@cache
def _network() -> NotesNet:
    model = NotesNet(NotesNetConfig(**json.loads((FOLDER / CONFIG).read_text())))
    model.load_state_dict(load_file(FOLDER / WEIGHTS))
    return model.eval()


def listen(sound: np.ndarray, mels: int = NotesNetConfig.mels) -> Heard:
    """sound: mono float32 at RATE."""
    tracked = _tracker().detect(sound, RATE)
    mel = log_mel(sound, mels)
    times = np.arange(len(mel)) * FRAME
    semitones = 69 + 12 * np.log2(np.maximum(tracked.pitch_hz, 20) / A4)
    pitch = np.interp(times, tracked.timestamps, semitones)
    confidence = np.interp(times, tracked.timestamps, tracked.confidence)
    energy = np.add.reduceat(sound[: len(mel) * HOP].astype(np.float64) ** 2, np.arange(0, len(mel) * HOP, HOP)) / HOP
    return Heard(frames_of(mel, pitch, confidence), pitch, confidence, 10 * np.log10(energy + 1e-10))


def transcribe(
    recording: Recording,
    *,
    tempo: float | Literal["half", "double"] | None = None,
    downbeat: float | None = None,
    meter: tuple[int, int] | None = None,
) -> Transcription:
    """The melody of a recording of one voice. tempo (beats a minute, of dotted quarters in compound meters; or "half" or
    "double" of what is heard), downbeat (seconds at which some bar begins) and meter are found where they are not given.
    Raises MusicError where no melody is heard or something given is out of range."""
    notes = transcribe_notes(recording.mono)
    if tempo in PACES:
        tempo = PACES[tempo] * find_beats(notes, meter=meter).tempo
    transcription = on_beats(notes, find_beats(notes, tempo=tempo, downbeat=downbeat, meter=meter))
    transcription.score.notices[:0] = recording.notices
    return transcription


def transcribe_with_click(recording: Recording, tempo: float, first: float, meter: tuple[int, int] = (4, 4)) -> Transcription:
    """As `transcribe`, of a recording that was made to a click of `tempo` beats a minute (as there), of which a bar's first comes
    at `first` seconds. Nothing is estimated but the notes."""
    notes = transcribe_notes(recording.mono)
    bar = BeatGrid(np.zeros(2), 0, meter).bar_pulses
    start = math.floor((notes[0].onset - first) * tempo / 60 + EARLY)
    end = math.ceil((max(note.offset for note in notes) - first) * tempo / 60) + 1
    transcription = on_beats(notes, BeatGrid(first + np.arange(start, end + 1) * 60 / tempo, -start % bar, meter))
    transcription.score.notices[:0] = recording.notices
    return transcription


def on_beats(notes: list[SungNote], grid: BeatGrid) -> Transcription:
    """Notes on a grid that is known, or was corrected."""
    score = quantise(notes, grid)
    numerator, denominator = grid.meter
    score.notices = [
        f"heard {len(notes)} notes at about {grid.tempo:.0f} beats a minute in {numerator}/{denominator}, the first bar line at "
        f"{grid.downbeat:.2f} s"
    ]
    return Transcription(score, grid, notes)


def transcribe_notes(sound: np.ndarray) -> list[SungNote]:
    """The notes of a mono sound at RATE, in the order of their onsets, one at a time. Raises MusicError where there are none."""
    if len(sound) < RATE // 2:
        raise MusicError(f"The recording is {len(sound) / RATE:.1f} s long; at least half a second is needed.")
    heard = listen(np.asarray(sound, np.float32))
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
            notes.append((key, begin * FRAME, end * FRAME, np.percentile(heard.level[begin:end], 75)))
    if not notes:
        raise MusicError(
            "No melody was heard in the recording: sing, hum, whistle or play one note at a time, near the microphone."
        )
    top = max(level for *_, level in notes)
    return [
        SungNote(key, onset, offset, round(np.interp(level - top, [-RANGE, 0], [SOFTEST, LOUDEST])))
        for key, onset, offset, level in notes
    ]


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
    of the pitch after the semitone, over TUNING_SPAN, leaning on that of the whole recording."""
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
