"""The melodies that are evaluated, their references, and what systems played to them, on one grid.

Test songs: the first 32 bars of each test song of a corpus from where its melody begins; the
reference is the song's own band. Bench: a folder with a folder for each melody, with
`lead_sheet.mid` (the melody on program 80, block chords on program 0), `phrases.txt` (labels and
lengths in bars), and what other systems made of it, `<system>.mid`.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.band.lead import Lead
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
    Grid,
)
from accomp.roll.parts import split_parts
from train import rivals
from train.data.corpus import Corpus
from train.eval import metrics

BENCH_MELODY, BENCH_CHORDS = 80, 0  # programs
PEERS = {"getmusic": "GETMusic", "accomontage3": "AccoMontage-3", "amt": "AMT", "popmag": "PopMAG"}


@dataclass(frozen=True)
class StageSettings:
    """How much of a song is evaluated, and how a peer's tracks are recognised."""

    longest: int = 16  # blocks of a song: 32 bars
    shortest: int = 4  # blocks: 8 bars; a shorter excerpt shows no form
    same_note: float = 0.13  # beats that a melody note may be off; peers write times of their own


class Rival(Protocol):
    """A system of train.rivals."""

    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """Accompany melody planes [2, S, 128]; returns the others' by track."""


@dataclass
class Task:
    """A melody to accompany, and its reference.

    Attributes:
        name: File of the song, or folder of the lead sheet.
        group: Genre of the song, or collection of the lead sheet.
        score: What systems get.
        melody_track: Index of the melody's track in it.
        grid: The score's grid.
        shift: Semitones of the score above the normal key, in which all is measured.
        melody: The melody's planes in the normal key, [2, S, 128].
        triads: The reference's chords in the normal key, [H]; -1 where it is silent.
        labels: Of each bar its phrase's label; None if unknown.
        song: Index of a test song in its corpus.
        folder: Folder of a lead sheet.
    """

    name: str
    group: str
    score: Score
    melody_track: int
    grid: Grid
    shift: int
    melody: np.ndarray
    triads: np.ndarray
    labels: list[str] | None = None
    song: int | None = None
    folder: Path | None = None


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


def song_tasks(corpus: Corpus, split: str) -> list[Task]:
    """List the songs of a split, each with its melody and its own chords."""
    tasks = []
    for song in corpus.choose(split):
        entry = corpus.songs[song]
        blocks = excerpt(corpus, song)
        if blocks is None:
            continue
        planes = pianoroll.from_blocks(corpus.blocks(MELODY, blocks).numpy())
        grid = Grid(np.arange(planes.shape[1] + 1) / STEPS_PER_BEAT)
        score = Score(
            [Track("melody", notes=pianoroll.in_beats(pianoroll.from_planes(planes), grid))]
        )
        triads = corpus.plan[blocks].numpy().reshape(-1)
        tasks.append(
            Task(entry["file"], entry["genre"], score, 0, grid, 0, planes, triads, song=song)
        )
    return tasks


def excerpt(corpus: Corpus, song: int, settings: StageSettings = StageSettings()) -> slice | None:
    """Choose the blocks of a song that are evaluated, from its melody's first note to its last.

    None if the melody is silent or too short.
    """
    first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
    sounding = np.flatnonzero(
        corpus.blocks(MELODY, slice(first, first + count)).numpy().any((1, 2, 3))
    )
    if not len(sounding):
        return None
    start = first + int(sounding[0])
    stop = min(start + settings.longest, first + int(sounding[-1]) + 1)
    return slice(start, stop) if stop - start >= settings.shortest else None


def plan_of(score: Score, task: Task) -> np.ndarray:
    """Read the chords that a score names as triads in the task's normal key, [H]."""
    onsets = [chord.onset for chord in score.chords]
    at = np.searchsorted(onsets, task.grid.beats[: task.grid.steps : HALF_BAR_STEPS] + 1e-6) - 1
    named = np.array([parse_symbol(chord.symbol).triad for chord in score.chords])
    return np.where(at >= 0, chord_plan.transpose(named[np.maximum(at, 0)], -task.shift), -1)


def bench_tasks(folder: Path) -> list[Task]:
    """List the melodies of the bench, by folder."""
    return [_bench_task(path) for path in sorted(folder.glob("*/lead_sheet.mid"))]


def _bench_task(path: Path) -> Task:
    score = read_midi(path)
    by_program = {track.program: i for i, track in enumerate(score.tracks)}
    lead = Lead.of(score, by_program[BENCH_MELODY])
    reference = pianoroll.on_grid(score.tracks[by_program[BENCH_CHORDS]].notes, lead.grid)
    chroma = chord_plan.chroma(pianoroll.to_planes(reference, lead.grid.steps))
    triads = chord_plan.transpose(metrics.best_triads(chroma), -lead.shift)
    triads[chroma.sum(1) == 0] = -1
    source = (path.parent / "src.txt").read_text().lower()
    return Task(
        path.parent.name,
        "nottingham" if "nottingham" in source else "wikifonia",
        score,
        lead.index,
        lead.grid,
        lead.shift,
        lead.planes,
        triads,
        _phrase_labels((path.parent / "phrases.txt").read_text()),
        folder=path.parent,
    )


def _phrase_labels(text: str) -> list[str]:
    """Return the label of each bar: "A8B4" is eight of "A" and four of "B"."""
    phrases = re.findall(r"([A-Za-z])(\d+)", text)
    return [label for label, bars in phrases for _ in range(int(bars))]


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
    unit = settings.same_note
    melody = Counter(
        (round(note.onset / unit), note.pitch)
        for note in skyline(task.score.tracks[task.melody_track].notes)
    )

    def likeness(track: Track) -> float:
        found = {
            (round(note.onset / unit) + d, note.pitch) for note in track.notes for d in (-1, 0, 1)
        }
        return sum(key in found for key in melody) / len(melody) - len(track.notes) / 1e5

    candidates = [i for i, track in enumerate(score.tracks) if track.notes and not track.is_drum]
    own = max(candidates, key=lambda i: likeness(score.tracks[i]))
    parts, beside, _ = split_parts(score, own)
    five = [Track(spec.name, spec.program, t == DRUMS, parts[t]) for t, spec in enumerate(TRACKS)]
    five[MELODY].notes = list(task.score.tracks[task.melody_track].notes)
    played = performance_of(Score(five, score.tempos, score.meters, score.resolution), task)
    if beside:
        played.others.append(_planes(beside, GUITAR, task))
    return played


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
