"""Find the notes of a recording of one voice.

A pitch tracker says how high the sound is, a small network where notes begin and end
(accomp.listen.note_net); it was trained on made recordings (train.fit.transcription). Times are
seconds from the recording's beginning; pitches are MIDI numbers, 69 is A4.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.frames import Frames, frames_of, hertz
from accomp.listen.note_net import FRAME, NotesNet, NotesNetConfig
from accomp.listen.one_voice import OneVoiceSettings, check_one_voice
from accomp.models.files import load_network
from accomp.sound.rates import LISTEN_RATE

FOLDER = Path(__file__).parents[1] / "data/listen"


@dataclass(frozen=True)
class NoteSettings:
    """When a note begins and ends, and which pitch and velocity it has."""

    struck: float = 0.5  # probability from which a note begins
    sounding: float = 0.4  # probability from which it sounds
    closest: int = 6  # frames between two onsets: no singer is faster
    shortest: int = 5  # frames of a note
    settled: int = 3  # frames after its onset from which a note's pitch is taken: slides come first
    voiced: float = 0.4  # confidence from which the tracker's pitch counts
    attack: float = 0.03  # seconds after its onset from which a note's spectrum is taken
    spectrum: int = 2048  # samples of it
    # Where the tracker is an octave off: odd harmonics to even ones, at most; tones halfway between
    # harmonics to the harmonics, at least.
    missing: float = 0.1
    halfway: float = 1.0
    lowest: int = 28  # the lowest pitch that is looked for an octave lower, E1
    tuning_span: float = 8.0  # seconds over which a singer's own tuning is taken to be the same
    tuned: float = 0.5  # confidence from which a frame counts for the tuning
    leaning: float = 0.5  # of the tuning's mean towards that of the whole recording
    softest: int = 40  # velocity of the softest note
    loudest: int = 110  # and of the loudest
    range: float = 24.0  # dB between them
    folder: Path = FOLDER  # of the network
    one_voice: OneVoiceSettings = OneVoiceSettings()


@cache
def note_network(folder: Path = FOLDER) -> NotesNet:
    """Load the network of notes; ModelError where it is missing or damaged."""
    return load_network(
        folder, lambda values: NotesNet(NotesNetConfig(**values)), "network of notes"
    )


def transcribe_notes(
    sound: np.ndarray, settings: NoteSettings = NoteSettings(), anyway: bool = False
) -> tuple[list[SungNote], list[str]]:
    """Find the notes of a mono sound, in the order of their onsets.

    Args:
        sound: [samples] at LISTEN_RATE.
        settings: When a note begins and ends.
        anyway: Whether what seems to be speech, noise or several voices gets a notice, too.

    Returns:
        The notes, one at a time; and notices on what else than one voice there is, in words.

    Raises:
        DoubtError: It seems to be speech, noise or several voices, unless `anyway`.
        MusicError: There are no notes.
    """
    seconds = len(sound) / LISTEN_RATE
    if seconds < 0.5:
        raise MusicError(
            f"The recording is {seconds:.1f} s long; at least half a second is needed."
        )
    sound = np.asarray(sound, np.float32)
    frames = frames_of(sound, note_network(settings.folder).config)
    notes = notes_of(frames, settings)
    notes = [note._replace(pitch=octave_of(note, sound, settings)) for note in notes]
    return notes, check_one_voice(frames, notes, sound, anyway, settings.one_voice)


def notes_of(frames: Frames, settings: NoteSettings = NoteSettings()) -> list[SungNote]:
    """Find notes in a recording's frames, whether it is one voice or not.

    Raises:
        MusicError: There are none.
    """
    struck, sounding = note_network(settings.folder).probabilities(frames.inputs)
    begins = onset_frames(struck, settings)
    pitch = frames.pitch - tuning_of(frames, settings)
    notes = []
    for begin, limit in zip(begins, [*begins[1:], len(struck)]):
        earliest = begin + settings.shortest
        silent = np.flatnonzero(sounding[earliest:limit] < settings.sounding)
        end = earliest + int(silent[0]) if len(silent) else limit
        key = _pitch_of(pitch[begin:end], frames.confidence[begin:end], settings)
        if key is not None:
            level = np.percentile(frames.level[begin:end], 75)
            notes.append((key, begin * FRAME, end * FRAME, level))
    if not notes:
        raise MusicError(
            "No melody was found in the recording: "
            "sing, hum, whistle or play one note at a time, near the microphone."
        )
    top = max(level for *_, level in notes)
    levels, velocities = [-settings.range, 0], [settings.softest, settings.loudest]
    return [
        SungNote(key, onset, offset, round(np.interp(level - top, levels, velocities)))
        for key, onset, offset, level in notes
    ]


def octave_of(note: SungNote, sound: np.ndarray, settings: NoteSettings = NoteSettings()) -> int:
    """Return the note's pitch, moved by octaves where the tracker missed it.

    It is moved up where odd harmonics are missing, down where there are tones halfway between
    harmonics.
    """
    start = int((note.onset + settings.attack) * LISTEN_RATE)
    piece = sound[start : start + settings.spectrum]
    size = 4 * settings.spectrum
    amplitudes = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), size))

    def sum_at(pitch: int, *multiples: float) -> float:
        bins = np.array(multiples) * hertz(pitch) * size / LISTEN_RATE
        return sum(
            float(amplitudes[int(0.985 * bin) - 2 : int(1.015 * bin) + 3].max(initial=0))
            for bin in bins
        )

    pitch = note.pitch
    if sum_at(pitch, 1, 3) < settings.missing * sum_at(pitch, 2, 4):
        return pitch + 12
    while pitch >= settings.lowest + 12 and (
        sum_at(pitch, 0.5, 1.5, 2.5) > settings.halfway * sum_at(pitch, 1, 2, 3)
    ):
        pitch -= 12
    return pitch


def onset_frames(struck: np.ndarray, settings: NoteSettings = NoteSettings()) -> list[int]:
    """Return the frames where probabilities [T] that a note begins peak.

    Of two that are closer than `settings.closest` it is the likelier.
    """
    padded = np.concatenate([[-1], struck, [-1]])
    is_peak = (struck >= settings.struck) & (struck >= padded[:-2]) & (struck > padded[2:])
    chosen: list[int] = []
    for peak in np.flatnonzero(is_peak):
        if chosen and peak - chosen[-1] < settings.closest:
            if struck[peak] > struck[chosen[-1]]:
                chosen[-1] = int(peak)
        else:
            chosen.append(int(peak))
    return chosen


def tuning_of(frames: Frames, settings: NoteSettings = NoteSettings()) -> np.ndarray:
    """Return how far a singer is off the equal-tempered scale at A4: [T] semitones.

    It may drift: it is the circular mean of what is left of the pitch after the semitone, leaning
    on that of the whole recording.
    """
    weight = np.where(frames.confidence > settings.tuned, frames.confidence, 0)
    turns = np.exp(2j * np.pi * frames.pitch) * weight
    whole = np.angle(turns.sum()) / (2 * np.pi)
    window = np.hanning(int(settings.tuning_span / FRAME) | 1)
    towards = settings.leaning * np.exp(2j * np.pi * whole) * window.sum() * weight.mean()
    local = np.convolve(turns, window, "full")[len(window) // 2 :][: len(turns)] + towards
    return whole + np.angle(local * np.exp(-2j * np.pi * whole)) / (2 * np.pi)


def _pitch_of(pitch: np.ndarray, confidence: np.ndarray, settings: NoteSettings) -> int | None:
    """Return the semitone that a note is on for longest, weighted by confidence; None of none."""
    settled = min(settings.settled, len(pitch) // 3)
    pitch, confidence = pitch[settled:], confidence[settled:]
    weight = np.where(confidence > settings.voiced, confidence, 0)
    if not weight.any():
        return None
    keys = np.round(pitch).astype(int)
    return int(np.bincount(np.clip(keys, 0, 127), weight).argmax())
