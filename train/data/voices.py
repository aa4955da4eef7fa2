"""Make recordings from melodies, with what was truly played.

Syllables are sung, hummed and whistled by simple models of the voice; instruments are played by
FluidSynth; and there are the room, noise and phone between them and us. Sounds are mono float32 at
LISTEN_RATE.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from accomp.listen.frames import hertz
from accomp.music.midi import write_midi
from accomp.music.score import PITCH_BEND, Control, Note, Score, Tempo, Track
from accomp.sound.rates import LISTEN_RATE

# Frequency and bandwidth in Hz of the first three resonances of the vocal tract (about those of
# Peterson & Barney 1952).
VOWELS = {
    "a": ((800, 80), (1150, 90), (2900, 120)),
    "o": ((450, 70), (800, 80), (2830, 100)),
    "u": ((325, 50), (700, 60), (2700, 170)),
    "e": ((400, 60), (1700, 80), (2600, 120)),
    "i": ((270, 60), (2140, 90), (2950, 100)),
}
HUM = ((250, 60), (900, 200), (2200, 300))
BEFORE, AFTER = 0.3, 0.5  # seconds of silence around the music
SHORTEST, GAP = 0.09, 0.005  # seconds of a note, if there is time, and between two notes
BEND = 2.0  # semitones, the range of MIDI's pitch bend
# Kellet's filter, through which white noise falls by 3 dB an octave.
PINK = [0.049922, -0.095993, 0.050612, -0.004408], [1, -2.494956, 2.017265, -0.522189]
Line = list[tuple[int, float, float]]  # pitch, onset and duration in beats of each note
Performed = list[tuple[int, float, float, int]]  # pitch, onset s, offset s and velocity


@dataclass
class Manner:
    """How somebody sings or plays.

    Attributes:
        detune: Semitones off at the start and at the end.
        vibrato: Semitones.
    """

    detune: tuple[float, float] = (0.0, 0.0)
    vibrato: float = 0.0


def perform(
    line: Line, rng: np.random.Generator, bpm: float, drift: float, jitter: float
) -> tuple[Performed, np.ndarray, np.ndarray]:
    """Perform a melody as people do.

    Args:
        line: The melody.
        rng: Decides on all that is not said.
        bpm: Beats per minute.
        drift: How far the tempo strays, a share of it.
        jitter: Standard deviation of onsets in seconds.

    Returns:
        The performed notes, one for each of the line; and the seconds [n] of beats [n], as beats
        and seconds.
    """
    beats = np.arange(0, max(onset + duration for _, onset, duration in line) + 2, 0.25)
    walk = np.cumsum(rng.normal(size=len(beats)))
    walk -= np.linspace(walk[0], walk[-1], len(walk))
    pace = 60 / bpm * (1 + drift * walk / max(np.abs(walk).max(), 1e-9))
    seconds = BEFORE + np.concatenate([[0], np.cumsum(pace[:-1] * np.diff(beats))])
    moments = np.interp([onset for _, onset, _ in line], beats, seconds)
    onsets = moments + rng.normal(0, jitter, len(line))
    onsets = np.maximum.accumulate(np.maximum(onsets, 0) + 1e-4 * np.arange(len(line)))
    played: Performed = []
    for index, (pitch, onset, duration) in enumerate(line):
        begin, end = onsets[index], np.interp(onset + duration, beats, seconds)
        end = begin + max((end - begin) * rng.uniform(0.82, 1.0), SHORTEST)
        if index + 1 < len(line):
            end = max(min(end, onsets[index + 1] - GAP), begin + 0.03)
        velocity = int(rng.integers(60, 105))
        played.append((pitch, float(begin), float(end), velocity))
    return played, beats, seconds


def instrument(notes: Performed, program: int, manner: Manner, soundfont: Path) -> np.ndarray:
    """Play notes by a General MIDI program, without FluidSynth's own reverb.

    Args:
        notes: As they are performed.
        program: Of General MIDI, from 0.
        manner: Detuning and vibrato, as pitch bends.
        soundfont: A file for FluidSynth.
    """
    end = notes[-1][2] + AFTER
    times = np.arange(0, end, 0.02)
    bend = np.interp(times, [0, end], manner.detune)
    for _, onset, offset, _ in notes:
        inside = (times >= onset + 0.25) & (times < offset)
        bend[inside] += manner.vibrato * np.sin(2 * np.pi * 5.5 * (times[inside] - onset))
    values = np.clip(np.round(bend / BEND * 8192), -8192, 8191).astype(int)
    controls = [
        Control(float(time * 2), PITCH_BEND, int(value)) for time, value in zip(times, values)
    ]
    played = [
        Note(pitch, onset * 2, (offset - onset) * 2, velocity)
        for pitch, onset, offset, velocity in notes
    ]
    track = Track("line", program, False, played, controls)
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "line.mid", Path(folder) / "line.wav"
        write_midi(Score([track], [Tempo(0.0, 500_000)], resolution=480), midi)
        # Not through midi2audio, which has no flags: no reverb and chorus, and this gain.
        command = ["fluidsynth", "-ni", "-q", "-g", "0.6", "-R", "0", "-C", "0"]
        command += ["-r", str(LISTEN_RATE), "-F", str(wav), str(soundfont), str(midi)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return soundfile.read(wav, dtype="float32")[0].mean(1)


def voice(
    notes: Performed, manner: Manner, rng: np.random.Generator, kind: str = "sung"
) -> np.ndarray:
    """Sing notes with slides into them, vibrato and breath.

    Args:
        notes: As they are performed.
        manner: Detuning and vibrato.
        rng: Decides on vowels, slides and all else.
        kind: "sung" (on syllables), "hum" or "whistled".
    """
    count = int((notes[-1][2] + AFTER) * LISTEN_RATE)
    pitch, level = _pitch_and_level(notes, count, manner, rng, kind)
    phase = np.cumsum(hertz(pitch) / LISTEN_RATE)
    breath = lfilter([1, -0.9], [1], rng.normal(size=count)) * level
    if kind == "whistled":
        whistle = np.sin(2 * np.pi * phase) + 0.08 * np.sin(4 * np.pi * phase)
        return (0.5 * whistle * level + 0.03 * breath).astype(np.float32)
    source = lfilter([0.15], [1, -0.85], 2 * (phase % 1) - 1) * level
    sound = np.zeros(count)
    for _, onset, offset, velocity in notes:
        part = slice(int(onset * LISTEN_RATE), min(int(offset * LISTEN_RATE) + 400, count))
        vowel = HUM if kind == "hum" else VOWELS[rng.choice(list(VOWELS))]
        sound[part] += formed(source[part], vowel)
        # A consonant: a short or a longer noise before the vowel.
        if kind == "sung" and rng.random() < 0.6:
            length, loud = (0.012, 0.06) if rng.random() < 0.5 else (0.05, 0.03)
            first = max(0, part.start - int(length * LISTEN_RATE))
            hiss = lfilter([1, -0.95], [1], rng.normal(size=part.start - first))
            sound[first : part.start] += hiss * loud * velocity / 127
    return (0.5 * sound / max(np.abs(sound).max(), 1e-9) + 0.004 * breath).astype(np.float32)


def _pitch_and_level(
    notes: Performed, count: int, manner: Manner, rng: np.random.Generator, kind: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pitch in semitones and the level of a voice at each of `count` samples."""
    attack = {"sung": (0.02, 0.04), "hum": (0.03, 0.06), "whistled": (0.02, 0.05)}[kind]
    pitch, level = np.full(count, np.nan), np.zeros(count)
    for index, (key, onset, offset, velocity) in enumerate(notes):
        part = slice(int(onset * LISTEN_RATE), int(offset * LISTEN_RATE))
        time = np.arange(part.stop - part.start) / LISTEN_RATE
        is_slur = index > 0 and onset - notes[index - 1][2] < 0.06
        start = np.clip(notes[index - 1][0] - key, -5, 5) if is_slur else rng.uniform(-1.5, 0)
        slide = start * np.exp(-time / rng.uniform(0.01, 0.035))
        shake = np.sin(2 * np.pi * rng.uniform(4.8, 6.2) * time) * np.clip((time - 0.2) / 0.2, 0, 1)
        drift = lfilter([0.0004], [1, -0.998], rng.normal(size=len(time)))
        detune = np.interp(part.start + np.arange(len(time)), [0, count], manner.detune)
        pitch[part] = key + detune + slide + manner.vibrato * shake + drift
        left = len(time) / LISTEN_RATE - time
        fade = np.clip(np.minimum(time / rng.uniform(*attack), left / 0.04), 0, 1)
        level[part] = fade * velocity / 127 * (1 - 0.25 * time / max(time[-1], 0.01))
    known = ~np.isnan(pitch)
    return np.interp(np.arange(count), np.flatnonzero(known), pitch[known]), level


def formed(source: np.ndarray, vowel: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Return a vowel: the sound of the vocal folds through its resonances (as in VOWELS)."""
    return sum(gain * _resonance(source, *formant) for gain, formant in zip((1, 0.5, 0.25), vowel))


def _resonance(sound: np.ndarray, frequency: float, bandwidth: float) -> np.ndarray:
    radius = np.exp(-np.pi * bandwidth / LISTEN_RATE)
    turn = np.cos(2 * np.pi * frequency / LISTEN_RATE)
    return lfilter([1 - radius], [1, -2 * radius * turn, radius**2], sound)


def record(
    sound: np.ndarray,
    rng: np.random.Generator,
    snr: float | None = None,
    reverb: float = 0.0,
    phone: bool = False,
) -> np.ndarray:
    """Record a sound.

    Args:
        sound: What is recorded.
        rng: Decides on noise, room and level.
        snr: dB above pink noise; None without.
        reverb: Seconds of the room's tail.
        phone: Whether only 250 to 3500 Hz are left.
    """
    if reverb:
        length = int(reverb * LISTEN_RATE)
        # 60 dB down at its end.
        tail = rng.normal(size=length) * np.exp(-6.9 * np.arange(length) / length)
        room = np.concatenate([[1], 0.35 * tail / np.sqrt((tail**2).sum())])
        sound = fftconvolve(sound, room)[: len(sound) + LISTEN_RATE // 3]
    if phone:
        band = butter(2, [250, 3500], "bandpass", fs=LISTEN_RATE, output="sos")
        sound = sosfilt(band, sound)
    if snr is not None:
        noise = lfilter(*PINK, rng.normal(size=len(sound)))
        loud = sound[np.abs(sound) > 0.02 * np.abs(sound).max()]
        sound = sound + noise / noise.std() * np.sqrt((loud**2).mean()) * 10 ** (-snr / 20)
    return (sound / max(np.abs(sound).max(), 1e-9) * rng.uniform(0.2, 0.8)).astype(np.float32)
