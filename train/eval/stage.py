"""What systems play to the melodies of train.data.tasks, on one grid.

Test songs: the reference is the song's own band. Bench: `<system>.mid` beside a lead sheet is what
another system made of it.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.music import keys
from accomp.music.chord_symbols import parse_symbol
from accomp.music.melody_track import skyline
from accomp.music.midi import read_midi
from accomp.music.score import Note, Score, Track
from accomp.roll import chord_plan, parts, pianoroll
from accomp.roll.grid import (
    BLOCK_STEPS,
    DRUMS,
    GUITAR,
    HALF_BAR_STEPS,
    MELODY,
    STEPS_PER_BEAT,
    TRACKS,
)
from accomp.roll.parts import split_parts
from train import rivals
from train.data.corpus import Corpus
from train.data.tasks import Task, excerpt

PEERS = {"getmusic": "GETMusic", "accomontage3": "AccoMontage-3", "amt": "AMT", "popmag": "PopMAG"}


@dataclass(frozen=True)
class StageSettings:
    """How a peer's tracks are recognised."""

    same_note: float = 0.13  # beats that a melody note may be off; peers write times of their own


class Rival(Protocol):
    """A system of train.rivals."""

    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """Accompany melody planes [2, S, 128]; returns the others' by track."""


@dataclass
class Performance:
    """What a system played to a melody.

    Attributes:
        planes: [5, 2, S, 128] in the melody's normal key, each track in its normal register.
        score: The band as the system wrote it.
        others: [n, 2, S, 128] pitched tracks beside the five.
    """

    planes: np.ndarray
    score: Score
    others: list[np.ndarray] = field(default_factory=list)


def plan_of(score: Score, task: Task) -> np.ndarray:
    """Read the chords that a score names as triads in the task's normal key, [H]."""
    onsets = [chord.onset for chord in score.chords]
    at = np.searchsorted(onsets, task.grid.beats[: task.grid.steps : HALF_BAR_STEPS] + 1e-6) - 1
    named = np.array([parse_symbol(chord.symbol).triad for chord in score.chords])
    return np.where(at >= 0, chord_plan.transpose(named[np.maximum(at, 0)], -task.shift), -1)


def performance_of(score: Score, task: Task) -> Performance:
    """Put a score with five tracks in the order of TRACKS on a melody's grid."""
    return Performance(
        np.stack([_planes(score.tracks[t].notes, t, task) for t in range(len(TRACKS))]), score
    )


def _planes(notes: list[Note], track: int, task: Task) -> np.ndarray:
    if track == MELODY:
        return task.melody
    rows = pianoroll.on_grid(notes, task.grid)
    if track == DRUMS:
        rows = rows[(rows[:, 0] >= TRACKS[DRUMS].low) & (rows[:, 0] <= TRACKS[DRUMS].high)]
        rows[:, 2] = rows[:, 1] + 1
    elif len(rows):
        shifted = rows[:, 0] - task.shift
        register = parts.normal_register(float(np.median(shifted)), track)
        rows[:, 0] = keys.fold(shifted + register, TRACKS[track].low, TRACKS[track].high)
    return pianoroll.to_planes(rows, task.grid.steps)


def peer(task: Task, system: str, settings: StageSettings = StageSettings()) -> Performance | None:
    """Read what a peer made of a bench melody; None if it made nothing of it.

    The peer's melody track is left out, and its others are sorted into our parts.
    """
    path = task.folder / f"{system}.mid" if task.folder else None
    if not path or not path.is_file():
        return None
    score = read_midi(path)
    own = melody_of(score, task.score.tracks[task.melody_track].notes, settings)
    parts, beside, _ = split_parts(score, own)
    five = [Track(spec.name, spec.program, t == DRUMS, parts[t]) for t, spec in enumerate(TRACKS)]
    five[MELODY].notes = list(task.score.tracks[task.melody_track].notes)
    played = performance_of(Score(five, score.tempos, score.meters, score.resolution), task)
    if beside:
        played.others.append(_planes(beside, GUITAR, task))
    return played


def melody_of(score: Score, notes: list[Note], settings: StageSettings = StageSettings()) -> int:
    """Return the index of the track in which a peer wrote the melody that it was given, `notes`."""
    unit = settings.same_note
    melody = Counter((round(note.onset / unit), note.pitch) for note in skyline(notes))

    def likeness(track: Track) -> float:
        found = {
            (round(note.onset / unit) + d, note.pitch) for note in track.notes for d in (-1, 0, 1)
        }
        return sum(key in found for key in melody) / len(melody) - len(track.notes) / 1e5

    candidates = [i for i, track in enumerate(score.tracks) if track.notes and not track.is_drum]
    return max(candidates, key=lambda i: likeness(score.tracks[i]))


def real(task: Task, corpus: Corpus, song: int | None = None) -> Performance:
    """Play a test song's band to its own melody, or that of test song `song` to this one.

    A band that is shorter than the melody is repeated.
    """
    song = task.song if song is None else song
    blocks = excerpt(corpus, song)
    planes = np.stack(
        [pianoroll.from_blocks(corpus.blocks(t, blocks).numpy()) for t in range(len(TRACKS))]
    )
    planes = planes[:, :, np.arange(task.melody.shape[1]) % planes.shape[2]]
    planes[MELODY] = task.melody
    first = (blocks.start - corpus.songs[song]["first"]) * BLOCK_STEPS
    notes = corpus.notes_of(song)
    last = first + (blocks.stop - blocks.start) * BLOCK_STEPS
    inside = (notes["step"] >= first) & (notes["step"] < last) & (notes["track"] != MELODY)
    tracks = [Track(spec.name, spec.program, t == DRUMS) for t, spec in enumerate(TRACKS)]
    for row in notes[inside]:
        onset = (int(row["step"]) - first) / STEPS_PER_BEAT
        duration = int(row["duration"]) / STEPS_PER_BEAT
        note = Note(int(row["pitch"]), onset, duration, int(row["velocity"]))
        tracks[row["track"]].notes.append(note)
    return Performance(planes, Score(tracks))


def ours(model: Accompanist, task: Task, seed: int, **settings: object) -> Performance:
    """Accompany a melody as users do. settings: Further arguments of `Accompanist.accompany`."""
    song = model.accompany(task.score, seed=seed, melody_track=task.melody_track, **settings)
    return performance_of(song, task)


def rival(system: Rival, task: Task, seed: int) -> Performance:
    """Accompany a melody by a system of train.rivals."""
    song = rivals.accompany(system, task.score, seed=seed, melody_track=task.melody_track)
    return performance_of(song, task)
