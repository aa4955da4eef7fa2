"""Whether a recording holds one voice, or speech, noise or several voices at once, told by a few figures of what is heard.

A logistic regression over the figures (its weights from train.fit.one_voice) says how likely each kind is. What is heard otherwise
costs nothing more: the pitch tracker's confidence alone tells most chords and noises from a melody, as it was made for one voice.
"""

from dataclasses import astuple, dataclass

import numpy as np

from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.note_net import FRAME, RATE

A4 = 440.0  # Hz
SURE = 0.8  # confidence from which the tracker's pitch is relied on
LOUD = 20.0  # dB below the loud frames down to which frames count for glides
SHORTEST_RUN = 10  # frames with a pitch, without a break, whose glides are measured
VIBRATO = 19  # frames over which pitch is averaged: one turn of a vibrato, so that it is no glide
STEP, AVERAGED_STEP = (
    4,
    8,
)  # frames over which the pitch's changes are measured, and those of its average
STEADIEST = 0.3  # semitones a second: what glides less counts as if it did as much, since no voice is steadier
WINDOW = 2048  # samples of a spectrum: 128 ms tell notes that are a third apart, down to about C3
SETTLED, EARLIER = (
    0.03,
    0.02,
)  # seconds after an onset where its spectrum begins; before it, where the spectrum before ends
LONG = 0.12  # seconds of the notes that have such a spectrum
MOST_NOTES = 150  # of a recording, evenly spread, whose spectra are looked at
BAND = slice(
    70 * WINDOW // RATE, 4000 * WINDOW // RATE
)  # the bins that are looked at: 70 to 4000 Hz
LEAST_BESIDE = 0.03  # share: less is noise
DEEPEST = 10 ** (-26 / 20)  # of the highest peak: lower ones may be noise
LEAST_FLAT = (
    -6.0
)  # Figures.flatness at the least: what is less is the silence between harmonics of made sounds
RISEN = 1.5  # by which a peak that a note brought is higher than what was there before: reverberation and pedals ring on
OFF, OFF_AT_MOST, BLUR = (
    0.03,
    0.1,
    4.0,
)  # how far off a harmonic may be: a share of it, but no more of the pitch; and Hz

REFUSED = 0.1  # likelihood of one voice below which a recording is refused; low, as refusing a melody is the worse mistake
DOUBTFUL = 0.5  # below which a notice says what else is heard
CROWDED = 0.6  # of the peak, the loudest frames' level: no sound but a clipped one (or a pure tone) has it

KINDS = ("one voice", "speech", "several voices", "noise")
# By kind: what is added, then the weights of the figures in the order of Figures. From train.fit.one_voice.
WEIGHTS = np.array(
    [
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
        [-8.70, 7.53, -8.24, 5.85, 2.53, -1.62],
        [8.51, -1.79, -4.62, 1.10, 4.14, -0.33],
        [20.80, -1.04, -21.59, 1.48, -1.47, 2.45],
    ]
)

ONE_NOTE = "Sing, hum, whistle or play one note at a time"
REFUSALS = {
    "speech": f"The recording sounds like speech: its pitch glides and rests on hardly any note. {ONE_NOTE}; to sing on “la” "
    "is heard best.",
    "several voices": "The recording sounds like several voices at once, such as chords, a band or people singing together; only "
    f"a single melody can be written down. {ONE_NOTE}, without accompaniment.",
    "noise": f"The recording sounds like noise or drums: hardly any tones were heard in it. {ONE_NOTE}, near the microphone and "
    "away from fans and traffic.",
}
NOTICES = {
    "speech": "the recording sounds like speech in places, and what is spoken becomes wrong notes; if so, cut it out, "
    "or hold the notes longer",
    "several voices": "several voices were heard at times (other singers, chords or strong reverberation); if notes are wrong, "
    "record one voice alone",
    "noise": "the recording is noisy; if notes are wrong or missing, record closer to the microphone or in a quieter place",
}
CLIPPED = " It is also clipped, which may be why: turn the level down."


@dataclass
class Figures:
    """sure: share of the sound's energy in frames whose pitch the tracker is SURE of; confidence: its mean within notes; glide:
    logarithm of how fast the pitch changes, in semitones a second; beside: logarithm of the mean share of spectral peaks, by
    amplitude, that are no harmonics of their note nor of its lower octave, and came with the note where that is less; flatness:
    logarithm of the median spectral flatness at the notes, LEAST_FLAT at the least.
    """

    sure: float
    confidence: float
    glide: float
    beside: float
    flatness: float


def check_one_voice(heard, notes: list[SungNote], sound: np.ndarray) -> list[str]:
    """Notices on what else than one voice is heard. Raises MusicError where the recording is none.

    heard: transcription.Heard; notes: at least one; sound: [samples] at RATE.
    """
    likelihoods = likelihoods_of(figures_of(heard, notes, sound))
    other = max(KINDS[1:], key=likelihoods.get)
    if likelihoods[KINDS[0]] < REFUSED:
        raise MusicError(REFUSALS[other] + (CLIPPED if _is_clipped(heard, sound) else ""))
    return [NOTICES[other]] if likelihoods[KINDS[0]] < DOUBTFUL else []


def likelihoods_of(figures: Figures, weights: np.ndarray = WEIGHTS) -> dict[str, float]:
    """How likely a recording is of each of KINDS; they add up to 1."""
    logits = weights @ [1.0, *astuple(figures)]
    powers = np.exp(logits - logits.max())
    return dict(zip(KINDS, (powers / powers.sum()).tolist()))


def figures_of(heard, notes: list[SungNote], sound: np.ndarray) -> Figures:
    """As check_one_voice."""
    energy = 10 ** (heard.level / 10)
    inside = np.zeros(len(energy), bool)
    for note in notes:
        inside[round(note.onset / FRAME) : round(note.offset / FRAME)] = True
    return Figures(
        sure=float(energy[heard.confidence > SURE].sum() / energy.sum()),
        confidence=float(heard.confidence[inside].mean()),
        glide=float(np.log(STEADIEST + _glide(heard))),
        **_spectral_figures(heard, notes, sound),
    )


def _glide(heard) -> float:
    """How fast the pitch changes at the median, in semitones a second; 0 where the tracker is sure of no pitch.

    The lesser of two medians: the pitch itself is still between quick steps, its moving average is still in a vibrato, and in
    speech neither is.
    """
    voiced = (heard.confidence > SURE) & (heard.level > np.percentile(heard.level, 95) - LOUD)
    edges = np.flatnonzero(np.diff(voiced.astype(int), prepend=0, append=0))
    runs = [
        heard.pitch[begin:end]
        for begin, end in zip(edges[::2], edges[1::2])
        if end - begin >= SHORTEST_RUN
    ]
    if not runs:
        return 0.0
    averaged = [_moving_mean(run, min(VIBRATO, len(run))) for run in runs]
    return min(_median_speed(runs, STEP), _median_speed(averaged, AVERAGED_STEP))


def _median_speed(runs: list[np.ndarray], step: int) -> float:
    """In semitones a second, over `step` frames."""
    return float(np.median(np.concatenate([np.abs(run[step:] - run[:-step]) for run in runs]))) / (
        step * FRAME
    )


def _moving_mean(values: np.ndarray, count: int) -> np.ndarray:
    """As many values, each the mean of `count` around it; the first and the last go on beyond the ends."""
    padded = np.pad(values, (count // 2, count - 1 - count // 2), mode="edge")
    return np.convolve(padded, np.full(count, 1 / count), "valid")


def _spectral_figures(heard, notes: list[SungNote], sound: np.ndarray) -> dict[str, float]:
    """Figures.beside and Figures.flatness."""
    notes = [note for note in notes if note.offset - note.onset >= LONG] or notes
    notes = [
        notes[round(index)] for index in np.linspace(0, len(notes) - 1, min(len(notes), MOST_NOTES))
    ]
    onsets = np.array([note.onset for note in notes])
    starts = np.round((onsets + SETTLED) * RATE).astype(int)
    now, before = (
        _spectra(sound, starts),
        _spectra(sound, np.round((onsets - EARLIER) * RATE).astype(int) - WINDOW),
    )
    frames = ((starts + WINDOW // 2) / (FRAME * RATE)).astype(int)[:, None] + np.arange(-4, 5)
    pitch = np.median(heard.pitch[np.clip(frames, 0, len(heard.pitch) - 1)], axis=1)
    beside = min(_shares_beside(now, before, A4 * 2 ** ((pitch - 69) / 12)))
    power = now[:, BAND] ** 2 + 1e-12
    flatness = np.exp(np.log(power).mean(axis=1)) / power.mean(
        axis=1
    )  # 1 of white noise, 0 of a tone
    return {
        "beside": float(np.log(LEAST_BESIDE + beside)),
        "flatness": max(float(np.log(np.median(flatness))), LEAST_FLAT),
    }


def _spectra(sound: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """[n, WINDOW // 2 + 1] amplitudes of the sound from each start on; silence lies before and after it."""
    padded = np.pad(sound, (WINDOW, WINDOW))
    cut = padded[np.clip(starts, -WINDOW, len(sound))[:, None] + WINDOW + np.arange(WINDOW)]
    return np.abs(np.fft.rfft(cut * np.hanning(WINDOW).astype(np.float32), axis=1))


def _shares_beside(now: np.ndarray, before: np.ndarray, pitch: np.ndarray) -> tuple[float, float]:
    """The share of peaks beside the harmonics of `pitch` [n] Hz in the spectra `now` [n, bins]; and of the peaks that were not in
    those of `before`.
    """
    left, peak, right = (now[:, BAND.start + shift : BAND.stop + shift] for shift in (-1, 0, 1))
    was = np.maximum.reduce(
        [before[:, BAND.start + shift : BAND.stop + shift] for shift in (-1, 0, 1)]
    )
    is_peak = (peak > left) & (peak >= right) & (peak > DEEPEST * peak.max(axis=1, keepdims=True))
    low, middle, high = (np.log(part + 1e-9) for part in (left, peak, right))
    bent = np.clip(
        0.5 * (low - high) / (low - 2 * middle + high + 1e-12), -0.5, 0.5
    )  # bins to the top of a parabola
    frequency = (np.arange(BAND.start, BAND.stop) + bent) * RATE / WINDOW
    is_beside = np.ones(peak.shape, bool)
    for spacing in (pitch[:, None], pitch[:, None] / 2):  # the tracker may be an octave too high
        away = np.abs(frequency - np.maximum(np.round(frequency / spacing), 1) * spacing)
        is_beside &= away > np.minimum(OFF * frequency, OFF_AT_MOST * spacing) + BLUR
    return _share(is_beside, peak * is_peak), _share(
        is_beside, peak * (is_peak & (peak > RISEN * was))
    )


def _share(chosen: np.ndarray, amounts: np.ndarray) -> float:
    """The mean over rows of the share of each row's amounts that is chosen."""
    return float(np.mean((chosen * amounts).sum(axis=1) / np.maximum(amounts.sum(axis=1), 1e-12)))


def _is_clipped(heard, sound: np.ndarray) -> bool:
    loudest = 10 ** (np.percentile(heard.level, 95) / 20)
    return bool(loudest > CROWDED * np.abs(sound).max())
