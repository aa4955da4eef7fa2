"""Melodies to accompany, with their references: songs of a corpus, and lead sheets of the bench.

Test songs: the first 32 bars of each song from where its melody begins. Bench: a folder with a
folder for each melody, with `lead_sheet.mid` (the melody on program 80, block chords on program 0),
`phrases.txt` (labels and lengths in bars), and what other systems made of it (train.eval.stage).
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accomp.band.lead import Lead
from accomp.music.midi import read_midi
from accomp.music.score import Score, Track
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import MELODY, STEPS_PER_BEAT, Grid
from train import metrics
from train.data.corpus import Corpus

BENCH_MELODY, BENCH_CHORDS = 80, 0  # programs


@dataclass(frozen=True)
class TaskSettings:
    """How much of a song is evaluated."""

    longest: int = 16  # blocks of a song: 32 bars
    shortest: int = 4  # blocks: 8 bars; a shorter excerpt shows no form


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


def excerpt(corpus: Corpus, song: int, settings: TaskSettings = TaskSettings()) -> slice | None:
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
