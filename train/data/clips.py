"""Make the recordings that hearing is measured on.

Melodies of lead sheets and songs are sung and played by train.data.voices. A melody is the
beginning of a task (train.eval.stage) from the bar where it begins. Time is in beats (quarters)
from that bar line on, or in seconds of the recording.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from accomp.band.lead import first_bar
from accomp.listen.beat_grid import interpolate
from accomp.music.melody_track import skyline
from accomp.music.score import TimeSignature
from accomp.roll.chord_plan import unit
from accomp.roll.grid import BASS, GUITAR, PITCHES, STEPS_PER_BEAT, STRINGS
from accomp.roll.pianoroll import from_blocks
from accomp.sound.soundfont import find_soundfont
from train.data import singers, voices
from train.data.corpus import Corpus
from train.data.tasks import Task, bench_tasks, song_tasks
from train.data.voices import Line, Manner, Performed

# General MIDI programs, which the network was not trained on, and the pitch around which each
# plays; None: by train.data.voices.
SOUNDS: dict[str, tuple[int | None, int]] = {
    "voice": (53, 62),
    "whistle": (None, 81),
    "flute": (73, 74),
    "guitar": (24, 60),
    "violin": (40, 70),
    "piano": (0, 66),
    "sung": (None, 58),
    "hum": (None, 55),
    "bass voice": (None, 40),
    "man": (None, 52),
    "woman": (None, 65),
    "child": (None, 72),
    "high whistle": (None, 98),
}
# The vocal tracts of those who are sung by train.data.singers, as they scale resonances.
TRACTS = {"bass voice": 0.95, "man": 1.0, "woman": 1.16, "child": 1.35}
WHISTLES = ("whistle", "high whistle")
STEADY = ("guitar", "piano")  # neither detuned nor with vibrato
# How a recording sounds: noise in dB below it, reverberation in seconds, over a phone.
LEVELS: dict[str, dict[str, Any]] = {
    "clean": {},
    "room": {"snr": 40, "reverb": 0.35},
    "noise 20 dB": {"snr": 20, "reverb": 0.15},
    "noise 10 dB": {"snr": 10, "reverb": 0.15},
    "phone": {"snr": 25, "reverb": 0.1, "phone": True},
}


@dataclass(frozen=True)
class TuneSettings:
    """Which melodies are measured."""

    beats: int = 40  # of each melody
    songs: int = 20  # of a corpus, where no limit is given
    fewest: int = 16  # notes of a melody
    # Share of the most change of harmony on any beat of the bar that has to be on its first one.
    about: float = 0.9


SETTINGS = TuneSettings()


@dataclass
class Tune:
    """A melody that is recorded.

    Attributes:
        task: Whose melody it is.
        line: The melody, on sixteenths.
        first: The beat of its task at which it begins.
        meter: At that bar.
    """

    task: Task
    line: Line
    first: float
    meter: TimeSignature

    @property
    def pulse(self) -> float:
        """Beats in what people tap to, as BeatGrid counts."""
        return self.meter.pulse


@dataclass
class Clip:
    """A recording of a tune.

    Attributes:
        tune: What is recorded.
        sound: One of SOUNDS.
        level: One of LEVELS.
        audio: Mono float32 at LISTEN_RATE.
        line: The tune's notes in this sound's octave.
        notes: As performed, one for each of the line.
        beats: [n] beats.
        seconds: [n] when each of `beats` was.
    """

    tune: Tune
    sound: str
    level: str
    audio: np.ndarray
    line: Line
    notes: Performed
    beats: np.ndarray
    seconds: np.ndarray

    def seconds_of(self, beats: ArrayLike) -> np.ndarray:
        """Return when beats were."""
        return interpolate(np.asarray(beats, float), self.beats, self.seconds)

    def beats_of(self, seconds: ArrayLike) -> np.ndarray:
        """Return which beats were at these seconds, the opposite of `seconds_of`."""
        return interpolate(np.asarray(seconds, float), self.seconds, self.beats)

    @property
    def tempo(self) -> float:
        """Pulses per minute: by their median length over the melody, as BeatGrid.tempo."""
        pulses = np.arange(0, self.line[-1][1] + self.tune.pulse, self.tune.pulse)
        return 60 / float(np.median(np.diff(self.seconds_of(pulses))))


def tunes_of(
    corpus: Corpus,
    split: str,
    limit: int | None,
    bench: Path | None,
    settings: TuneSettings = SETTINGS,
) -> list[Tune]:
    """Choose tunes, none of which the network or the settings were trained or tuned on.

    Songs whose bars are in doubt are left out.

    Args:
        corpus: Of songs, chosen by chance.
        split: Of the corpus.
        limit: Number of songs (else settings.songs) and of the bench's melodies (else all).
        bench: A folder of melodies, if there is one.
        settings: Which melodies are measured.
    """
    tasks = song_tasks(corpus, split)
    order = np.random.default_rng(0).permutation(len(tasks))
    songs = [
        tune_of(tasks[index], settings)
        for index in order
        if changes_on_bars(corpus, tasks[index].song, settings)
    ]
    songs = [tune for tune in songs if len(tune.line) >= settings.fewest]
    sheets = [tune_of(task, settings) for task in (bench_tasks(bench) if bench else [])]
    return songs[: limit or settings.songs] + sheets[:limit]


def changes_on_bars(corpus: Corpus, song: int, settings: TuneSettings = SETTINGS) -> bool:
    """Tell whether a song's harmony changes about as much on bar lines as on any other beat.

    In seven of twenty songs of POP909 it rather changes one to three beats later, always on the
    same one: the downbeats of their annotation are off.
    """
    first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
    blocks = slice(first, first + count)
    planes = sum(
        from_blocks(corpus.blocks(track, blocks).numpy()) for track in (BASS, GUITAR, STRINGS)
    )
    pitches = planes[1].reshape(-1, STEPS_PER_BEAT, PITCHES).sum(1)
    classes = unit(np.stack([pitches[:, pitch_class::12].sum(1) for pitch_class in range(12)], 1))
    change = 1 - (classes[1:] * classes[:-1]).sum(1)
    by_beat = [change[(beat - 1) % 4 :: 4].mean() for beat in range(4)]
    return by_beat[0] >= settings.about * max(by_beat)


def tune_of(task: Task, settings: TuneSettings = SETTINGS) -> Tune:
    """Return the beginning of a task's melody."""
    track = task.score.tracks[task.melody_track]
    bar = first_bar(task.score, track)
    notes = {
        round((note.onset - bar.onset) * 4): note
        for note in skyline(track.notes)
        if note.onset < bar.onset + settings.beats
    }
    steps = sorted(notes)
    ends = [*steps[1:], steps[-1] + 16]
    line = [
        (notes[step].pitch, step / 4, min(max(round(notes[step].duration * 4), 1), end - step) / 4)
        for step, end in zip(steps, ends)
    ]
    return Tune(task, line, bar.onset, bar.meter)


def clip_of(tune: Tune, number: int, sound: str, seed: int = 0) -> Clip:
    """Record a tune.

    Args:
        tune: What is recorded.
        number: Of the tune; the LEVELS are taken in turns, all else by chance.
        sound: One of SOUNDS.
        seed: Decides on what is by chance.
    """
    index = list(SOUNDS).index(sound)
    program, centre = SOUNDS[sound]
    rng = np.random.default_rng([seed, number, index])
    level = list(LEVELS)[(number + index) % len(LEVELS)]
    shift = 12 * round((centre - np.median([pitch for pitch, _, _ in tune.line])) / 12)
    line = [(pitch + shift, onset, duration) for pitch, onset, duration in tune.line]
    bpm = rng.uniform(75, 140) * tune.pulse
    notes, beats, seconds = voices.perform(
        line, rng, bpm, rng.uniform(0.01, 0.05), rng.uniform(0.004, 0.018)
    )
    start = rng.uniform(-0.3, 0.3)
    manner = Manner()
    if sound not in STEADY:
        manner = Manner((start, start + rng.uniform(-0.15, 0.15)), rng.uniform(0, 0.6))
    if sound in TRACTS:
        # In tune, since what is compared is the melody.
        singer = replace(singers.random_singer(rng, TRACTS[sound]), wrong=0.1, drift=0.0)
        played, notes = singers.sing(notes, singer, rng)
    elif program is None:
        played = voices.voice(notes, manner, rng, "whistled" if sound in WHISTLES else sound)
    else:
        played = voices.instrument(notes, program, manner, find_soundfont())
    audio = voices.record(played, rng, **LEVELS[level])
    return Clip(tune, sound, level, audio, line, notes, beats, seconds)
