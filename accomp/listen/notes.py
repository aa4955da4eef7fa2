"""Find the notes of a recording of one voice.

A pitch tracker says how high the sound is, a small network where notes begin and sound
(accomp.listen.note_net), which was trained on made recordings (train.fit.transcription). What is
likeliest by both together are the notes (accomp.listen.segment). Times are seconds from the
recording's beginning; pitches are MIDI numbers, 69 is A4.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.ndimage import maximum_filter1d

from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.echo import EchoSettings, echo_in, echo_notice, without_echo
from accomp.listen.frames import Frames, frames_of, hertz
from accomp.listen.note_net import FRAME, NotesNet, NotesNetConfig
from accomp.listen.one_voice import OneVoiceSettings, check_one_voice
from accomp.listen.onset import OnsetSettings, onset_of
from accomp.listen.segment import Segment, SegmentSettings, cheapest_notes
from accomp.models.files import load_network
from accomp.sound.rates import LISTEN_RATE

FOLDER = Path(__file__).parents[1] / "data/listen"


@dataclass(frozen=True)
class PriceSettings:
    """What notes cost that are looked for in a recording (accomp.listen.segment).

    Chosen on recordings of people (train.eval.hearing) and made ones; log odds are natural.
    """

    note: float = 3.0  # of a note of which it is as likely as not that it begins
    struck: float = 2.5  # less for each log odd of that it begins
    closest: int = 6  # frames between two onsets: no singer is faster
    unstruck: float = 0.2  # probability that counts at most beside the likeliest frames
    sounding: float = 0.8  # less in a frame for each log odd of that a note sounds
    tracked: float = 0.2  # and of that there is a pitch
    off: float = 0.6  # of a semitone off the note's pitch, in a frame
    settled: int = 5  # frames after an onset until the pitch counts in full
    surest: float = 0.01  # no probability is nearer to 0 or 1


@dataclass(frozen=True)
class NoteSettings:
    """When a note begins and ends, and which pitch and velocity it has."""

    prices: PriceSettings = PriceSettings()
    segments: SegmentSettings = SegmentSettings()
    onsets: OnsetSettings = OnsetSettings()
    near: int = 4  # frames before and after a note's onset where it has to be struck
    attack: float = 0.03  # seconds after its onset from which a note's spectrum is taken
    spectrum: int = 2048  # samples of it
    # Where the tracker is an octave off: odd harmonics to even ones, at most; tones halfway between
    # harmonics to the harmonics, at least.
    missing: float = 0.1
    halfway: float = 2.0
    lowest: int = 28  # the lowest pitch that is looked for an octave lower, E1
    tuning_span: float = 8.0  # seconds over which a singer's own tuning is taken to be the same
    tuned: float = 0.5  # confidence from which a frame counts for the tuning
    leaning: float = 0.5  # of the tuning's mean towards that of the whole recording
    softest: int = 40  # velocity of the softest note
    loudest: int = 110  # and of the loudest
    range: float = 24.0  # dB between them
    folder: Path = FOLDER  # of the network
    one_voice: OneVoiceSettings = OneVoiceSettings()
    echoes: EchoSettings = EchoSettings()


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
    frames, notes = _heard(sound, settings)
    echo = echo_in(sound, np.array([note.onset for note in notes]), settings.echoes)
    if echo:
        sound = without_echo(sound, echo, settings.echoes)
        frames, notes = _heard(sound, settings)
    notices = [echo_notice(echo)] if echo else []
    return notes, notices + check_one_voice(frames, notes, sound, anyway, settings.one_voice)


def _heard(sound: np.ndarray, settings: NoteSettings) -> tuple[Frames, list[SungNote]]:
    """Return the frames of a sound, and its notes in their octaves."""
    frames = frames_of(sound, note_network(settings.folder).config)
    notes = notes_of(frames, settings)
    return frames, [note._replace(pitch=octave_of(note, sound, settings)) for note in notes]


def notes_of(frames: Frames, settings: NoteSettings = NoteSettings()) -> list[SungNote]:
    """Find notes in a recording's frames, whether it is one voice or not.

    Raises:
        MusicError: There are none.
    """
    struck, sounding = note_network(settings.folder).probabilities(frames.inputs)
    tuning = tuning_of(frames, settings)
    notes = []
    for segment in segments_of(frames, struck, sounding, settings):
        begin, end, pitch = segment
        onset = onset_of(segment, frames, struck, settings.onsets) * FRAME
        if notes and notes[-1][2] > onset:
            notes[-1] = (*notes[-1][:2], onset, *notes[-1][3:])
        level = np.percentile(frames.level[begin:end], 75)
        key = round(pitch - tuning[begin:end].mean())
        near = slice(max(begin - settings.near, 0), begin + settings.near)
        sure = float(np.sqrt(struck[near].max() * sounding[begin:end].mean()))
        notes.append((key, onset, end * FRAME, level, pitch - key, sure))
    if not notes:
        raise MusicError(
            "No melody was found in the recording: "
            "sing, hum, whistle or play one note at a time, near the microphone."
        )
    top = max(level for _, _, _, level, _, _ in notes)
    levels, velocities = [-settings.range, 0], [settings.softest, settings.loudest]
    return [
        SungNote(key, onset, offset, round(np.interp(level - top, levels, velocities)), *others)
        for key, onset, offset, level, *others in notes
    ]


def segments_of(
    frames: Frames,
    struck: np.ndarray,
    sounding: np.ndarray,
    settings: NoteSettings = NoteSettings(),
) -> list[Segment]:
    """Find notes by what they cost.

    Args:
        frames: Of the recording.
        struck: [T] probability that a note begins.
        sounding: [T] probability that one sounds.
        settings: The prices.
    """
    prices = settings.prices

    def log_odds(probability: np.ndarray) -> np.ndarray:
        inside = np.clip(probability, prices.surest, 1 - prices.surest)
        return np.log(inside / (1 - inside))

    likeliest = np.minimum(struck, prices.unstruck)
    peaks = onset_frames(struck, prices)
    likeliest[peaks] = struck[peaks]
    begin = prices.note - prices.struck * log_odds(likeliest)
    cost = -prices.sounding * log_odds(sounding) - prices.tracked * log_odds(frames.confidence)
    just_struck = maximum_filter1d(struck, prices.settled, origin=(prices.settled - 1) // 2)
    weight = prices.off * frames.confidence * (1 - just_struck)
    return cheapest_notes(frames.pitch, weight, cost, begin, settings.segments)


def onset_frames(struck: np.ndarray, prices: PriceSettings = PriceSettings()) -> list[int]:
    """Return the frames where probabilities [T] that a note begins peak above `unstruck`.

    Of two that are closer than `prices.closest` it is the likelier.
    """
    padded = np.concatenate([[-1], struck, [-1]])
    is_peak = (struck > prices.unstruck) & (struck >= padded[:-2]) & (struck > padded[2:])
    chosen: list[int] = []
    for peak in np.flatnonzero(is_peak):
        if chosen and peak - chosen[-1] < prices.closest:
            if struck[peak] > struck[chosen[-1]]:
                chosen[-1] = int(peak)
        else:
            chosen.append(int(peak))
    return chosen


def octave_of(note: SungNote, sound: np.ndarray, settings: NoteSettings = NoteSettings()) -> int:
    """Return the note's pitch, moved by octaves where the tracker missed it.

    It is moved up where odd harmonics are missing, down where there are strong tones halfway
    between harmonics. Looked for at the pitch that was sung, none of 2,999 right notes of people is
    moved.
    """
    start = int((note.onset + settings.attack) * LISTEN_RATE)
    piece = sound[start : start + settings.spectrum]
    size = 4 * settings.spectrum
    amplitudes = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), size))

    def sum_at(pitch: float, *multiples: float) -> float:
        bins = np.array(multiples) * hertz(pitch) * size / LISTEN_RATE
        return sum(
            float(amplitudes[int(0.985 * bin) - 2 : int(1.015 * bin) + 3].max(initial=0))
            for bin in bins
        )

    pitch = note.pitch + note.tuning
    if sum_at(pitch, 1, 3) < settings.missing * sum_at(pitch, 2, 4):
        return note.pitch + 12
    octaves = 0
    while pitch >= settings.lowest + 12 and (
        sum_at(pitch, 0.5, 1.5, 2.5) > settings.halfway * sum_at(pitch, 1, 2, 3)
    ):
        pitch, octaves = pitch - 12, octaves + 1
    return note.pitch - 12 * octaves


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
