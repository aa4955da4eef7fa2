"""The recordings that hearing is measured on: melodies of lead sheets and songs, sung and played by train.data.voices.

A melody is the first BEATS beats of a task (train.eval.stage) from the bar where it begins. Time is in beats (quarters) from that bar
line on, or in seconds of the recording.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accomp.band.lead import first_bar
from accomp.listen.beat_grid import interpolate
from accomp.music.melody_track import skyline
from accomp.music.score import TimeSignature
from accomp.roll.chord_plan import unit
from accomp.roll.grid import BASS, GUITAR, PITCHES, STEPS_PER_BEAT, STRINGS
from accomp.roll.pianoroll import from_blocks
from accomp.sound.soundfont import find_soundfont
from train.data import voices
from train.data.corpus import Corpus
from train.data.voices import Manner
from train.eval.stage import Task, bench_tasks, song_tasks

# General MIDI programs, which the network was not trained on, and the pitch around which each plays; None: by train.data.voices.
SOUNDS = {
    "voice": (53, 62),
    "whistle": (None, 81),
    "flute": (73, 74),
    "guitar": (24, 60),
    "violin": (40, 70),
    "piano": (0, 66),
    "sung": (None, 58),
    "hum": (None, 55),
}
STEADY = ("guitar", "piano")  # neither detuned nor with vibrato
LEVELS = {  # how a recording sounds: noise in dB below it, reverberation in seconds, over a phone
    "clean": {},
    "room": {"snr": 40, "reverb": 0.35},
    "noise 20 dB": {"snr": 20, "reverb": 0.15},
    "noise 10 dB": {"snr": 10, "reverb": 0.15},
    "phone": {"snr": 25, "reverb": 0.1, "phone": True},
}
BEATS = 40  # of each melody
SONGS = 20  # of a corpus, where no limit is given
FEWEST = 16  # notes of a melody
ABOUT = 0.9  # of the most change of harmony on any beat of the bar
Line = list[tuple[int, float, float]]  # pitch, onset and duration of each note


@dataclass
class Tune:
    """line: the melody, on sixteenths; first: the beat of its task at which it begins; meter: at that bar."""

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
    """A recording of a tune. line: its notes in this sound's octave; notes: as performed, one for each of the line;
    seconds: [n] when each of `beats` [n] was.
    """

    tune: Tune
    sound: str
    level: str
    audio: np.ndarray
    line: Line
    notes: voices.Performed
    beats: np.ndarray
    seconds: np.ndarray

    def seconds_of(self, beats) -> np.ndarray:
        return interpolate(np.asarray(beats, float), self.beats, self.seconds)

    def beats_of(self, seconds) -> np.ndarray:
        return interpolate(np.asarray(seconds, float), self.seconds, self.beats)

    @property
    def tempo(self) -> float:
        """Pulses a minute: by their median length over the melody, as BeatGrid.tempo."""
        pulses = np.arange(0, self.line[-1][1] + self.tune.pulse, self.tune.pulse)
        return 60 / float(np.median(np.diff(self.seconds_of(pulses))))


def tunes_of(corpus: Corpus, split: str, limit: int | None, bench: Path | None) -> list[Tune]:
    """`limit` songs of a corpus (else SONGS) by chance, and as many of the bench (else all), none of which the network or the
    settings were trained or tuned on. Songs whose bars are in doubt are left out.
    """
    tasks = song_tasks(corpus, split)
    order = np.random.default_rng(0).permutation(len(tasks))
    songs = [tune_of(tasks[index]) for index in order if changes_on_bars(corpus, tasks[index].song)]
    sheets = [tune_of(task) for task in (bench_tasks(bench) if bench else [])]
    return [tune for tune in songs if len(tune.line) >= FEWEST][: limit or SONGS] + sheets[:limit]


def changes_on_bars(corpus: Corpus, song: int) -> bool:
    """Whether the harmony of a song changes about as much where its bars begin as on any other beat. In seven of twenty songs of
    POP909 it rather changes one to three beats later, always on the same one: the downbeats of their annotation are off.
    """
    first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
    planes = sum(
        from_blocks(corpus.blocks(track, slice(first, first + count)).numpy())
        for track in (BASS, GUITAR, STRINGS)
    )
    pitches = planes[1].reshape(-1, STEPS_PER_BEAT, PITCHES).sum(1)
    classes = unit(np.stack([pitches[:, pitch_class::12].sum(1) for pitch_class in range(12)], 1))
    change = 1 - (classes[1:] * classes[:-1]).sum(1)
    by_beat = [change[(beat - 1) % 4 :: 4].mean() for beat in range(4)]
    return by_beat[0] >= ABOUT * max(by_beat)


def tune_of(task: Task) -> Tune:
    track = task.score.tracks[task.melody_track]
    bar = first_bar(task.score, track)
    notes = {
        round((note.onset - bar.onset) * 4): note
        for note in skyline(track.notes)
        if note.onset < bar.onset + BEATS
    }
    steps = sorted(notes)
    ends = [*steps[1:], steps[-1] + 16]
    line = [
        (notes[step].pitch, step / 4, min(max(round(notes[step].duration * 4), 1), end - step) / 4)
        for step, end in zip(steps, ends)
    ]
    return Tune(task, line, bar.onset, bar.meter)


def clip_of(tune: Tune, number: int, sound: str, seed: int = 0) -> Clip:
    """A tune by one of SOUNDS. number: of the tune; the LEVELS are taken in turns, all else by chance."""
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
    manner = (
        Manner()
        if sound in STEADY
        else Manner((start, start + rng.uniform(-0.15, 0.15)), rng.uniform(0, 0.6))
    )
    if program is None:
        played = voices.voice(notes, manner, rng, {"whistle": "whistled"}.get(sound, sound))
    else:
        played = voices.instrument(notes, program, manner, find_soundfont())
    return Clip(
        tune, sound, level, voices.record(played, rng, **LEVELS[level]), line, notes, beats, seconds
    )
