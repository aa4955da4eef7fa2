"""Sing melodies as untrained people do, by a model of the voice.

Vocal folds make harmonics, breath and narrow passages make noise, and the vocal tract's resonances
form both, 200 times a second (a formant synthesizer, as Klatt, JASA 67, 1980). The singer has what
real ones have: consonants before the vowel, scoops and late vibrato, notes that swell, waver and
sag, intonation that drifts, breaths, lip noise and clicks. A note begins where its vowel does.
"""

from dataclasses import dataclass

import numpy as np

from accomp.listen.frames import hertz
from accomp.sound.rates import LISTEN_RATE
from train.data.syllables import UPPER, Phone, Syllable, sung_syllable, words
from train.data.voices import AFTER, Performed

STEP = 80  # samples, 5 ms: how often everything that moves is said
SIZE = 320  # samples of a spectrum
BINS = 512
RATE = LISTEN_RATE / STEP  # steps a second
JOINED = 0.12  # seconds between notes, at most, that may share a syllable
TOP = 7600.0  # Hz of the highest partial


@dataclass
class Singer:
    """Who sings, and how.

    Attributes:
        tract: Factor of all resonances: 1 of a man, 1.15 of a woman, 1.4 of a child.
        tilt: dB an octave by which partials above 500 Hz are softer.
        breathy: Amplitude of breath in vowels.
        attack: Seconds in which a vowel becomes loud.
        scoop: How often notes begin too low.
        vibrato: Semitones at most, late in long notes.
        waver: Semitones, standard deviation of slow wavering.
        wrong: Semitones, standard deviation of how far notes are off.
        drift: Semitones of the whole song's drift.
        swell: dB, standard deviation of slow changes of level.
        slow: Factor of the length of consonants.
        slurs: Share of notes that are sung without a new syllable.
        noisy: How often there are breaths, clicks and lip noise in pauses.
    """

    tract: float = 1.0
    tilt: float = 8.0
    breathy: float = 0.02
    attack: float = 0.03
    scoop: float = 0.2
    vibrato: float = 0.3
    waver: float = 0.08
    wrong: float = 0.15
    drift: float = 0.0
    swell: float = 2.0
    slow: float = 1.0
    slurs: float = 0.05
    noisy: float = 0.5


def random_singer(rng: np.random.Generator, tract: float) -> Singer:
    """Choose a singer with a vocal tract of this size."""
    return Singer(
        tract=tract * rng.uniform(0.93, 1.07),
        tilt=rng.uniform(4, 14),
        breathy=10 ** rng.uniform(-2.5, -0.9),
        attack=rng.uniform(0.01, 0.07),
        scoop=rng.choice([0.05, 0.3, 0.7]),
        vibrato=rng.choice([0.0, 0.2, 0.5, 1.0]) * rng.uniform(0.5, 1),
        waver=rng.uniform(0.02, 0.25),
        wrong=rng.uniform(0.03, 0.35),
        drift=rng.normal(0, 0.6),
        swell=rng.uniform(0.5, 4),
        slow=rng.uniform(0.7, 1.4),
        slurs=rng.choice([0.0, 0.05, 0.2]),
        noisy=rng.uniform(0, 1),
    )


class _Steps:
    """What the voice does at each step: arrays [steps] and, of resonances, [steps, 5]."""

    def __init__(self, count: int):
        self.voice = np.zeros(count)
        self.breath = np.zeros(count)
        self.hiss = np.zeros(count)
        self.centre = np.full(count, 4000.0)
        self.width = np.full(count, 1500.0)
        self.muffled = np.zeros(count)
        self.pitch = np.full(count, np.nan)
        self.resonances = np.full((count, 5), np.nan)


def sing(
    notes: Performed, singer: Singer, rng: np.random.Generator
) -> tuple[np.ndarray, Performed]:
    """Sing notes.

    Args:
        notes: As they are performed; their onsets become those of the vowels.
        singer: Who sings.
        rng: Decides on syllables and all else.

    Returns:
        A mono sound at LISTEN_RATE; and the notes, which end where their vowel (or a voiced
        consonant after it) does.
    """
    syllables = [sung_syllable(*chosen, rng, singer.slow) for chosen in words(len(notes), rng)]
    steps = _Steps(int((notes[-1][2] + AFTER) * RATE) + 1)
    sung: Performed = []
    for index, note in enumerate(notes):
        before = sung[-1] if sung else None
        is_joined = before is not None and note[1] - before[2] < JOINED and note[0] != before[0]
        is_slur = is_joined and rng.random() < singer.slurs
        start = _consonants(steps, syllables[index], note, before, is_slur)
        if before is not None and before[2] > start:
            sung[-1] = (*before[:2], start, before[3])
        _vowel(steps, syllables[index], note, singer, rng, is_slur)
        sung.append(note)
    _pitch(steps, sung, singer, rng)
    _pauses(steps, sung, singer, rng)
    return rendered(steps, singer, rng), sung


def _consonants(
    steps: _Steps, syllable: Syllable, note: tuple, before: tuple | None, is_slur: bool
) -> float:
    """Write the consonants before a vowel; return when they begin."""
    onset = note[1]
    if is_slur:
        return onset
    wanted = sum(seconds for _, seconds in syllable.before)
    room = onset - (before[1] + 0.4 * (onset - before[1]) if before else 0.0)
    squeeze = min(1.0, room / max(wanted, 1e-9))
    # Voice stops where the consonant begins, even if the note before was to last longer.
    begin = onset - wanted * squeeze
    loud = note[3] / 100
    at = begin
    for phone, seconds in syllable.before:
        _part(steps, phone, at, at + seconds * squeeze, syllable.vowel, loud)
        at += seconds * squeeze
    return begin


def _part(steps: _Steps, phone: Phone, begin: float, end: float, vowel: tuple, loud: float) -> None:
    """Write a part of a consonant."""
    part = slice(round(begin * RATE), max(round(end * RATE), round(begin * RATE) + 1))
    steps.voice[part] = phone.voice * loud
    steps.breath[part] = phone.breath * loud
    steps.hiss[part] = phone.hiss * loud
    steps.centre[part] = phone.centre
    steps.width[part] = phone.width
    steps.muffled[part] = float(phone.muffled)
    steps.resonances[part, :3] = phone.resonances or vowel
    steps.pitch[part] = -phone.dip  # to be added to the line of the pitch


def _vowel(
    steps: _Steps,
    syllable: Syllable,
    note: tuple,
    singer: Singer,
    rng: np.random.Generator,
    is_slur: bool,
) -> None:
    """Write a vowel, and what ends its syllable."""
    _, onset, offset, velocity = note
    tail = sum(seconds for _, seconds in syllable.after)
    squeeze = min(1.0, 0.35 * (offset - onset) / max(tail, 1e-9))
    end = offset - tail * squeeze
    part = slice(round(onset * RATE), max(round(end * RATE), round(onset * RATE) + 2))
    count = part.stop - part.start
    time = np.arange(count) / RATE
    loud = velocity / 100 * 10 ** (rng.normal(0, 2) / 20)
    swell = _wandering(time, 0.35, singer.swell, rng)
    attack = 1.0 if is_slur else np.clip((time + 0.004) / singer.attack, 0, 1)
    fall = np.clip((time[-1] - time + 0.005) / rng.uniform(0.02, 0.12), 0, 1)
    sag = 1 - rng.uniform(0, 0.5) * time / max(time[-1], 0.3)
    steps.voice[part] = loud * attack * fall * sag * 10 ** (swell / 20)
    steps.breath[part] = singer.breathy * loud * attack
    steps.resonances[part, :3] = syllable.vowel
    steps.muffled[part] = float(syllable.muffled)
    steps.pitch[part] = 0.0
    at = end
    for phone, seconds in syllable.after:
        _part(steps, phone, at, at + seconds * squeeze, syllable.vowel, loud)
        at += seconds * squeeze


def _pitch(steps: _Steps, notes: Performed, singer: Singer, rng: np.random.Generator) -> None:
    """Draw the line of the pitch through all notes."""
    count = len(steps.pitch)
    time = np.arange(count) / RATE
    centres = [
        key + singer.drift * onset / max(time[-1], 1) + rng.normal(0, singer.wrong)
        for key, onset, *_ in notes
    ]
    onsets = np.array([onset for _, onset, *_ in notes])
    line = np.full(count, centres[0])
    for index, (_, onset, offset, _) in enumerate(notes):
        if index:
            # From the note before, mostly before the vowel begins.
            length = rng.uniform(0.03, 0.2)
            middle = onset + length * rng.uniform(-0.7, 0.2)
            bend = 0.5 + 0.5 * np.tanh((time - middle) / (length / 4))
            line = np.where(
                time > onsets[index - 1], line + (centres[index] - centres[index - 1]) * bend, line
            )
        local = time - onset
        inside = (local > -0.1) & (time < offset)
        if rng.random() < singer.scoop:
            depth, length = rng.uniform(0.3, 3), rng.uniform(0.02, 0.1)
            line -= inside * depth * np.exp(-np.maximum(local, 0) / length) * (local > -0.03)
        elif rng.random() < 0.3:  # too far, and back
            line += inside * rng.normal(0, 0.4) * np.exp(-np.maximum(local, 0) / 0.05)
        late = np.clip((local - rng.uniform(0.15, 0.6)) / 0.4, 0, 1)
        shake = np.sin(2 * np.pi * rng.uniform(4.3, 6.7) * local + rng.uniform(0, 6))
        line += inside * singer.vibrato * rng.uniform(0.2, 1) * late * shake
        if rng.random() < 0.25:  # the end of a note falls, or rises
            line += (
                inside
                * rng.normal(-0.8, 1)
                * np.exp(-np.maximum(offset - time, 0) / rng.uniform(0.02, 0.06))
            )
    wavering = _wandering(time, 0.12, singer.waver, rng)
    dips = np.nan_to_num(steps.pitch)
    steps.pitch = line + wavering + _smooth(dips, 5) + rng.normal(0, 0.02, count)


def _pauses(steps: _Steps, notes: Performed, singer: Singer, rng: np.random.Generator) -> None:
    """Breathe, click and smack where there is time, none of which is a note."""
    ends = [0.0, *(offset for _, _, offset, _ in notes)]
    begins = [*(onset for _, onset, _, _ in notes), len(steps.voice) / RATE]
    for end, begin in zip(ends, begins):
        gap = begin - end
        if gap > 0.3 and rng.random() < singer.noisy:
            length = min(rng.uniform(0.15, 0.5), gap - 0.15)
            first = round((begin - 0.1 - length) * RATE)
            part = slice(max(first, 0), max(first, 0) + max(round(length * RATE), 2))
            shape = np.hanning(len(steps.breath[part]) + 2)[1:-1]
            steps.breath[part] += 10 ** rng.uniform(-2.2, -0.8) * shape
        if gap > 0.08 and rng.random() < 0.3 * singer.noisy:
            at = round(rng.uniform(end, begin) * RATE)
            part = slice(at, at + rng.integers(1, 4))
            steps.hiss[part] += 10 ** rng.uniform(-1.8, -0.4)
            steps.centre[part], steps.width[part] = rng.uniform(500, 5000), 1500


def rendered(steps: _Steps, singer: Singer, rng: np.random.Generator) -> np.ndarray:
    """Return the sound of what a voice does at each step."""
    count = len(steps.voice) * STEP
    samples = np.arange(count) / STEP
    index = np.arange(len(steps.voice))

    def each(values: np.ndarray) -> np.ndarray:
        return np.interp(samples, index, values)

    frequency = hertz(each(steps.pitch) + rng.normal(0, 0.01, count))
    source = pulses(frequency) * each(_smooth(steps.voice, 3))
    source += rng.normal(size=count) * each(_smooth(steps.breath, 3)) * 0.5
    sound = filtered(source, _tract(steps, singer))
    hiss = rng.normal(size=count) * each(steps.hiss)
    bins = np.linspace(0, LISTEN_RATE / 2, BINS // 2 + 1)
    away = (bins - steps.centre[:, None] * singer.tract**0.5) / steps.width[:, None]
    sound += filtered(hiss, np.exp(-0.5 * away**2).astype(np.float32)) * 0.5
    return (0.5 * sound / max(float(np.abs(sound).max()), 1e-9)).astype(np.float32)


def pulses(frequency: np.ndarray) -> np.ndarray:
    """Return a train of pulses of even partials up to TOP; frequency: [samples] in Hz.

    Its power does not depend on the frequency. A sum of cosines in closed form.
    """
    phase = 2 * np.pi * np.cumsum(frequency) / LISTEN_RATE
    partials = np.floor(TOP / frequency)
    half = np.sin(phase / 2)
    half = np.where(np.abs(half) < 1e-4, 1e-4, half)
    return (np.sin((partials + 0.5) * phase) / (2 * half) - 0.5) / np.sqrt(partials)


def _tract(steps: _Steps, singer: Singer) -> np.ndarray:
    """Return the gains of the vocal tract and the folds' slope: [steps, bins]."""
    resonances = steps.resonances.copy()
    known = np.flatnonzero(~np.isnan(resonances[:, 0]))
    for column in range(3):
        resonances[:, column] = np.interp(
            np.arange(len(resonances)), known, resonances[known, column]
        )
        resonances[:, column] = _smooth(resonances[:, column], 7)
    resonances[:, 3:] = UPPER
    resonances *= singer.tract
    bins = np.linspace(0, LISTEN_RATE / 2, BINS // 2 + 1)[None]
    gain = np.ones((len(resonances), BINS // 2 + 1))
    for column, width in enumerate((70.0, 90.0, 130.0, 200.0, 260.0)):
        centre = resonances[:, column, None]
        gain *= centre**2 / np.sqrt((centre**2 - bins**2) ** 2 + (width * bins) ** 2)
    gain *= (1 + (bins / 500) ** 2) ** (-singer.tilt / 12)
    muffled = _smooth(steps.muffled, 3)[:, None]
    gain *= (1 + (bins / 400) ** 2) ** (-0.8 * muffled)
    power = np.sqrt((gain**2).mean(axis=1, keepdims=True))
    return (gain / power * (1 - 0.4 * muffled)).astype(np.float32)


def filtered(sound: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Filter a sound by gains [steps, bins] that change each STEP, overlapping and adding."""
    window = np.hanning(SIZE + 1)[:-1].astype(np.float32)
    padded = np.pad(sound.astype(np.float32), (SIZE // 2, SIZE))
    cut = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::STEP][: len(gains)]
    shift = (BINS - SIZE) // 2
    frames = np.pad(cut * window, ((0, 0), (shift, shift)))
    back = np.fft.irfft(np.fft.rfft(frames, axis=1) * gains, axis=1)
    out = np.zeros(len(gains) * STEP + BINS + STEP)
    blocks = np.pad(back, ((0, 0), (0, -BINS % STEP))).reshape(len(gains), -1, STEP)
    rows = out[: len(out) // STEP * STEP].reshape(-1, STEP)
    for block in range(blocks.shape[1]):
        rows[block : block + len(gains)] += blocks[:, block]
    start = shift + SIZE // 2
    return out[start : start + len(sound)] * (2 * STEP / SIZE)


def _wandering(
    time: np.ndarray, every: float, deviation: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a line at `time` that takes another random value every so many seconds."""
    knots = np.arange(0, time[-1] + 2 * every, every)
    return np.interp(time, knots, rng.normal(0, deviation, len(knots)))


def _smooth(values: np.ndarray, count: int) -> np.ndarray:
    """Return the moving mean of `count` values; the ends go on beyond them."""
    padded = np.pad(values, (count // 2, count - 1 - count // 2), mode="edge")
    return np.convolve(padded, np.full(count, 1 / count), "valid")
