"""Tell one voice from speech, noise or several voices at once.

A logistic regression over a few figures of a recording says how likely each kind is; its weights
are accomp/data/listen/one_voice.csv, from train.fit.one_voice. The pitch tracker's confidence alone
tells most chords and noises from a melody, as it was made for one voice.
"""

import csv
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from accomp.errors import DoubtError
from accomp.listen.beat_grid import SungNote
from accomp.listen.frames import Frames, hertz
from accomp.listen.note_net import FRAME
from accomp.sound.rates import LISTEN_RATE

# By kind: what is added, then the weights of the figures in the order of Figures.
TABLE = Path(__file__).parents[1] / "data/listen/one_voice.csv"
KINDS = ("one voice", "speech", "several voices", "noise")
NOTICE: Literal["notice"] = "notice"  # verdicts of a recording
DOUBT: Literal["doubt"] = "doubt"

ONE_NOTE = "Sing, hum, whistle or play one note at a time"
DOUBTS = {
    "speech": "The recording sounds like speech: its pitch glides and rests on hardly any note. "
    f"{ONE_NOTE}; singing on “la” works best.",
    "several voices": "The recording sounds like several voices at once, such as chords, a band or "
    f"people singing together; only a single melody can be written down. {ONE_NOTE}, without "
    "accompaniment.",
    "noise": "The recording sounds like noise or drums: hardly any tones were heard in it. "
    f"{ONE_NOTE}, near the microphone and away from fans and traffic.",
}
NOTICES = {
    "speech": "the recording sounds like speech in places, and what is spoken becomes wrong notes; "
    "if so, cut it out, or hold the notes longer",
    "several voices": "several voices were heard at times (other singers, chords or strong "
    "reverberation); if notes are wrong, record one voice alone",
    "noise": "the recording is noisy; if notes are wrong or missing, record closer to the "
    "microphone or in a quieter place",
}
CLIPPED = " It is also clipped, which may be why: turn the level down."


@dataclass(frozen=True)
class OneVoiceSettings:
    """How figures are measured, and from which likelihood a recording is refused."""

    sure: float = 0.8  # confidence from which the tracker's pitch is relied on
    loud: float = 20.0  # dB below the loud frames down to which frames count for glides
    shortest_run: int = 10  # frames with a pitch, without a break, whose glides are measured
    vibrato: int = 19  # frames over which pitch is averaged: a turn of a vibrato, so no glide
    step: int = 4  # frames over which the pitch's changes are measured
    averaged_step: int = 8  # and those of its average
    # Semitones per second: what glides less counts as if it did as much, since no voice is
    # steadier.
    steadiest: float = 0.3
    # Samples of a spectrum: 128 ms tell notes that are a third apart, down to about C3.
    window: int = 2048
    settled: float = 0.03  # seconds after an onset where its spectrum begins
    earlier: float = 0.02  # seconds before it, where the spectrum before ends
    long: float = 0.12  # seconds of the notes that have such a spectrum
    most_notes: int = 150  # of a recording, evenly spread, whose spectra are looked at
    band: tuple[int, int] = (70, 4000)  # Hz of the bins that are looked at
    least_beside: float = 0.03  # share: less is noise
    deepest: float = 10 ** (-26 / 20)  # of the highest peak: lower ones may be noise
    # Figures.flatness at the least: what is less is the silence between harmonics of made sounds.
    least_flat: float = -6.0
    # By which a peak that came with a note is higher than what was there before: reverberation and
    # pedals ring on.
    risen: float = 1.5
    # How far off a harmonic may be: a share of it, but no more of the pitch; and Hz.
    off: float = 0.03
    off_at_most: float = 0.1
    blur: float = 4.0
    # Likelihood of one voice below which a recording is doubted, by what else it may be; low, as
    # doubting a melody is the worse mistake. Some who sing glide as some who speak do: of 67
    # sight-singing clips the least likely has .04, of 72 recordings of six who speak 68 have less
    # than .012.
    doubted: Mapping[str, float] = field(
        default_factory=lambda: {"speech": 0.012, "several voices": 0.1, "noise": 0.1}
    )
    # And below which a notice says what else there is.
    noticed: Mapping[str, float] = field(
        default_factory=lambda: {"speech": 0.1, "several voices": 0.5, "noise": 0.5}
    )
    # Of the peak, the loudest frames' level: no sound but a clipped one (or a pure tone) has it.
    crowded: float = 0.6

    @property
    def bins(self) -> slice:
        """The bins of a spectrum that are looked at."""
        low, high = self.band
        return slice(low * self.window // LISTEN_RATE, high * self.window // LISTEN_RATE)


SETTINGS = OneVoiceSettings()


@dataclass
class Figures:
    """What tells one voice from other sounds.

    Attributes:
        sure: Share of the sound's energy in frames whose pitch the tracker is sure of.
        confidence: Its mean within notes.
        glide: Logarithm of how fast the pitch changes, in semitones per second.
        beside: Logarithm of the mean share of spectral peaks, by amplitude, that are no harmonics
            of their note nor of its lower octave, and came with the note where that is less.
        flatness: Logarithm of the median spectral flatness at the notes.
    """

    sure: float
    confidence: float
    glide: float
    beside: float
    flatness: float


def check_one_voice(
    frames: Frames,
    notes: list[SungNote],
    sound: np.ndarray,
    anyway: bool = False,
    settings: OneVoiceSettings = SETTINGS,
) -> list[str]:
    """Check that a recording is one voice.

    Args:
        frames: Of the recording.
        notes: At least one.
        sound: [samples] at LISTEN_RATE.
        anyway: Whether a doubt is a notice like others.
        settings: How likely one voice has to be.

    Returns:
        Notices on what else than one voice there is, in words.

    Raises:
        DoubtError: The recording seems to be something else, unless `anyway`.
    """
    likelihoods = likelihoods_of(figures_of(frames, notes, sound, settings))
    verdict, other = verdict_of(likelihoods, settings), other_of(likelihoods)
    if verdict != DOUBT:
        return [NOTICES[other]] if verdict == NOTICE else []
    doubt = DOUBTS[other] + (CLIPPED if _is_clipped(frames, sound, settings) else "")
    if anyway:
        return [doubt]
    raise DoubtError(doubt)


def verdict_of(
    likelihoods: Mapping[str, float], settings: OneVoiceSettings = SETTINGS
) -> Literal["", "notice", "doubt"]:
    """Return whether a recording is doubted, gets a notice, or neither. likelihoods: by KINDS."""
    alone, other = likelihoods[KINDS[0]], other_of(likelihoods)
    if alone < settings.doubted[other]:
        return DOUBT
    return NOTICE if alone < settings.noticed[other] else ""


def other_of(likelihoods: Mapping[str, float]) -> str:
    """Return the likeliest of KINDS that is not one voice."""
    return max(KINDS[1:], key=lambda kind: likelihoods[kind])


@cache
def one_voice_weights() -> np.ndarray:
    """Return the weights in use: [kinds, figures + 1]."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = {kind: values for kind, *values in csv.reader(file)}
    return np.array([rows[kind] for kind in KINDS], float)


def likelihoods_of(figures: Figures, weights: np.ndarray | None = None) -> dict[str, float]:
    """Return how likely a recording is of each of KINDS; they add up to 1.

    weights: [kinds, figures + 1], by default those in use.
    """
    logits = (one_voice_weights() if weights is None else weights) @ [1.0, *astuple(figures)]
    powers = np.exp(logits - logits.max())
    return dict(zip(KINDS, (powers / powers.sum()).tolist()))


def figures_of(
    frames: Frames, notes: list[SungNote], sound: np.ndarray, settings: OneVoiceSettings = SETTINGS
) -> Figures:
    """Measure the figures of a recording.

    Args:
        frames: Of the recording.
        notes: At least one.
        sound: [samples] at LISTEN_RATE.
        settings: How figures are measured.
    """
    energy = 10 ** (frames.level / 10)
    inside = np.zeros(len(energy), bool)
    for note in notes:
        inside[round(note.onset / FRAME) : round(note.offset / FRAME)] = True
    beside, flatness = _spectral_figures(frames, notes, sound, settings)
    return Figures(
        sure=float(energy[frames.confidence > settings.sure].sum() / energy.sum()),
        confidence=float(frames.confidence[inside].mean()),
        glide=float(np.log(settings.steadiest + glide_of(frames, settings))),
        beside=beside,
        flatness=flatness,
    )


def glide_of(frames: Frames, settings: OneVoiceSettings = SETTINGS) -> float:
    """Return how fast the pitch changes at the median, in semitones per second.

    It is 0 where the tracker is sure of no pitch, and the lesser of two medians: the pitch itself
    is still between quick steps, its moving average is still in a vibrato, and in speech neither
    is.
    """
    is_loud = frames.level > np.percentile(frames.level, 95) - settings.loud
    voiced = (frames.confidence > settings.sure) & is_loud
    edges = np.flatnonzero(np.diff(voiced.astype(int), prepend=0, append=0))
    runs = [
        frames.pitch[begin:end]
        for begin, end in zip(edges[::2], edges[1::2])
        if end - begin >= settings.shortest_run
    ]
    if not runs:
        return 0.0
    averaged = [_moving_mean(run, min(settings.vibrato, len(run))) for run in runs]
    return min(_median_speed(runs, settings.step), _median_speed(averaged, settings.averaged_step))


def _median_speed(runs: list[np.ndarray], step: int) -> float:
    """Return the median change over `step` frames, in semitones per second."""
    changes = np.concatenate([np.abs(run[step:] - run[:-step]) for run in runs])
    return float(np.median(changes)) / (step * FRAME)


def _moving_mean(values: np.ndarray, count: int) -> np.ndarray:
    """Return as many values, each the mean of `count` around it; the ends go on beyond them."""
    padded = np.pad(values, (count // 2, count - 1 - count // 2), mode="edge")
    return np.convolve(padded, np.full(count, 1 / count), "valid")


def _spectral_figures(
    frames: Frames, notes: list[SungNote], sound: np.ndarray, settings: OneVoiceSettings
) -> tuple[float, float]:
    """Return Figures.beside and Figures.flatness."""
    notes = [note for note in notes if note.offset - note.onset >= settings.long] or notes
    count = min(len(notes), settings.most_notes)
    notes = [notes[round(index)] for index in np.linspace(0, len(notes) - 1, count)]
    onsets = np.array([note.onset for note in notes])
    starts = np.round((onsets + settings.settled) * LISTEN_RATE).astype(int)
    ends_before = np.round((onsets - settings.earlier) * LISTEN_RATE).astype(int)
    now = _spectra(sound, starts, settings.window)
    before = _spectra(sound, ends_before - settings.window, settings.window)
    middles = ((starts + settings.window // 2) / (FRAME * LISTEN_RATE)).astype(int)
    around = np.clip(middles[:, None] + np.arange(-4, 5), 0, len(frames.pitch) - 1)
    pitch = np.median(frames.pitch[around], axis=1)
    beside = min(shares_beside(now, before, hertz(pitch), settings))
    power = now[:, settings.bins] ** 2 + 1e-12
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(
        axis=1
    )  # 1 of white noise, 0 of a tone
    return (
        float(np.log(settings.least_beside + beside)),
        max(float(np.log(np.median(flatness))), settings.least_flat),
    )


def _spectra(sound: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """Return [n, bins] amplitudes of `size` samples from each start on.

    Silence lies before and after the sound.
    """
    padded = np.pad(sound, (size, size))
    cut = padded[np.clip(starts, -size, len(sound))[:, None] + size + np.arange(size)]
    return np.abs(np.fft.rfft(cut * np.hanning(size).astype(np.float32), axis=1))


def shares_beside(
    now: np.ndarray, before: np.ndarray, pitch: np.ndarray, settings: OneVoiceSettings = SETTINGS
) -> tuple[float, float]:
    """Return the share of spectral peaks that are no harmonics.

    Args:
        now: [n, bins] spectra of notes.
        before: [n, bins] spectra before them.
        pitch: [n] Hz of the notes.
        settings: What is a peak, and how far off a harmonic may be.

    Returns:
        The share of all peaks, and that of the peaks that were not there before.
    """
    bins = settings.bins
    left, peak, right = (now[:, bins.start + shift : bins.stop + shift] for shift in (-1, 0, 1))
    was = np.maximum.reduce(
        [before[:, bins.start + shift : bins.stop + shift] for shift in (-1, 0, 1)]
    )
    highest = peak.max(axis=1, keepdims=True)
    is_peak = (peak > left) & (peak >= right) & (peak > settings.deepest * highest)
    low, middle, high = (np.log(part + 1e-9) for part in (left, peak, right))
    # Bins to the top of a parabola.
    bent = np.clip(0.5 * (low - high) / (low - 2 * middle + high + 1e-12), -0.5, 0.5)
    frequency = (np.arange(bins.start, bins.stop) + bent) * LISTEN_RATE / settings.window
    is_beside = np.ones(peak.shape, bool)
    for spacing in (pitch[:, None], pitch[:, None] / 2):  # the tracker may be an octave too high
        away = np.abs(frequency - np.maximum(np.round(frequency / spacing), 1) * spacing)
        off = np.minimum(settings.off * frequency, settings.off_at_most * spacing)
        is_beside &= away > off + settings.blur
    has_risen = peak > settings.risen * was
    return _share(is_beside, peak * is_peak), _share(is_beside, peak * (is_peak & has_risen))


def _share(chosen: np.ndarray, amounts: np.ndarray) -> float:
    """Return the mean over rows of the share of each row's amounts that is chosen."""
    return float(np.mean((chosen * amounts).sum(axis=1) / np.maximum(amounts.sum(axis=1), 1e-12)))


def _is_clipped(frames: Frames, sound: np.ndarray, settings: OneVoiceSettings) -> bool:
    loudest = 10 ** (np.percentile(frames.level, 95) / 20)
    return bool(loudest > settings.crowded * np.abs(sound).max())
