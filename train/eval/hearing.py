"""Measure how well recordings are transcribed: `python -m train evaluate --transcription ...`.

`--corpus CORPUS --out FOLDER [--bench BENCH]`: the melodies of the bench and of a corpus's test
songs are sung, whistled and played with drifting tempo, vibrato and detuning, in rooms with noise
(train.data.clips). What each transcriber finds is compared with what was played; of ours also the
beats and bars that are found in its notes, and the chords of the band that it gets
(train.eval.hearing_figures). FOLDER gets a row for each recording and transcriber.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from accomp.band.accompanist import Accompanist
from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.notes import transcribe_notes
from accomp.listen.source import Corrections, Source
from accomp.listen.transcribe import TranscriptionSettings
from accomp.sound.rates import LISTEN_RATE
from train.data.clips import SOUNDS, Clip, Tune, clip_of, tunes_of
from train.data.corpus import Corpus
from train.eval import hearing_peers
from train.eval.hearing_figures import chord_match, chord_match_of_midi, compare, on_paper
from train.fit.run_files import write_json

GENRE = "pop"  # whose band plays
NOTE_FIGURES = {
    "f1": "F1, all",
    "precision": "precision",
    "recall": "recall",
    "f1_offsets": "F1 with offsets",
    "octaves": "share of notes octaves off",
    "work": "seconds of work per second",
}
OUR_FIGURES = {
    "tempo": "tempo",
    "tempo_level": "tempo or a simple ratio",
    "meter": "meter",
    "bar_lines": "bar lines",
    "places_beats": "places, but for beats",
    "places_bars": "places, but for bars",
    "chords": "chord match",
    "chords_midi": "chord match of the MIDI",
}
Row = dict[str, Any]
Transcriber = Callable[[np.ndarray], list[SungNote]]


def accomp_notes(audio: np.ndarray) -> list[SungNote]:
    """Transcribe by accomp; no notes where it refuses."""
    try:
        return transcribe_notes(audio)[0]
    except MusicError:
        return []


OURS = "accomp"
TRANSCRIBERS: dict[str, Transcriber] = {
    OURS: accomp_notes,
    "swift-f0": hearing_peers.swift_f0_alone,
}


@dataclass(frozen=True)
class Hearing:
    """What is measured.

    Attributes:
        transcribers: By name.
        source: Of the models whose band plays.
        sounds: Those of train.data.clips.SOUNDS that are recorded.
        settings: How our beats are found.
    """

    transcribers: dict[str, Transcriber] = field(default_factory=lambda: dict(TRANSCRIBERS))
    source: str = GENRE
    sounds: Sequence[str] = tuple(SOUNDS)
    settings: TranscriptionSettings = TranscriptionSettings()


def run(options: argparse.Namespace, sounds: Sequence[str] = tuple(SOUNDS)) -> None:
    """Measure on the options' corpus and bench, write OUT/transcription.json, print the tables."""
    if options.peers and hearing_peers.missing():
        raise SystemExit(
            f"--peers needs {', '.join(hearing_peers.missing())}: {hearing_peers.INSTALL}"
        )
    tunes = tunes_of(Corpus.load(options.corpus), options.split, options.limit, options.bench)
    source = str(options.models / GENRE) if options.models else GENRE
    peers = hearing_peers.PEERS if options.peers else {}
    rows = evaluate(tunes, Hearing(TRANSCRIBERS | peers, source, sounds), options.workers)
    packages = ["numpy", "torch", "mir_eval", "swift-f0"]
    packages += hearing_peers.PACKAGES if options.peers else []
    versions = {name: version(name) for name in packages}
    write_json(options.out / "transcription.json", {"versions": versions, "rows": rows})
    print(f"{len(tunes)} melodies, {len(tunes) * len(sounds)} recordings\n")
    print(f"{note_table(rows)}\n\n{our_table(rows)}")


def evaluate(tunes: list[Tune], hearing: Hearing, workers: int = 1) -> list[Row]:
    """Return a row for each tune, sound and transcriber.

    Args:
        tunes: What is recorded.
        hearing: What is measured.
        workers: Processes, which change only the time.
    """
    count = len(hearing.sounds)
    with tqdm(total=len(tunes) * count, desc="recordings", unit="clip") as bar:
        rows = []
        for found in _each(partial(measure_tune, hearing), list(enumerate(tunes)), workers):
            rows += found
            bar.update(count)
    return rows


def _each(function: Callable, arguments: list, workers: int) -> Iterator:
    if workers == 1:
        yield from map(function, arguments)
        return
    # Not forked, as PyTorch's threads would not be there.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(function, arguments)


def measure_tune(hearing: Hearing, numbered: tuple[int, Tune]) -> list[Row]:
    """Return the rows of one tune, which depend on its number and nothing else."""
    number, tune = numbered
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # each transcriber gets one
    try:
        model = _model(hearing.source)
        from_midi = chord_match_of_midi(model, tune)
        rows = []
        for clip in (clip_of(tune, number, sound) for sound in hearing.sounds):
            for name, transcriber in hearing.transcribers.items():
                row, notes = _measured(name, transcriber, clip)
                if name == OURS:
                    row |= _written(clip, notes, model, hearing.settings)
                    row["chords_midi"] = from_midi
                rows.append(row)
        return rows
    finally:
        torch.set_num_threads(threads)


def _measured(name: str, transcriber: Transcriber, clip: Clip) -> tuple[Row, list[SungNote]]:
    """Return what a transcriber finds in a clip, measured, and the notes themselves."""
    _warm(transcriber)
    start = time.perf_counter()
    notes = transcriber(clip.audio)
    work = (time.perf_counter() - start) / (len(clip.audio) / LISTEN_RATE)
    row = {"by": name, "name": clip.tune.task.name, "sound": clip.sound, "level": clip.level}
    return row | {"work": work} | compare(clip.notes, notes), notes


@cache
def _model(source: str) -> Accompanist:
    return Accompanist.from_pretrained(source)


@cache
def _warm(transcriber: Transcriber) -> None:
    """Load its models and compile its code before the time is taken."""
    turns = np.arange(LISTEN_RATE) * 220 / LISTEN_RATE
    transcriber((0.5 * np.sin(2 * np.pi * turns)).astype(np.float32))


def _written(
    clip: Clip, notes: list[SungNote], model: Accompanist, settings: TranscriptionSettings
) -> dict[str, float]:
    """Measure beats and band; nothing is right where no melody was found."""
    try:
        written = Source("clip", notes=notes).melody(Corrections(), settings).transcription
    except MusicError:
        return dict.fromkeys(OUR_FIGURES, 0.0)
    return on_paper(clip, written) | {"chords": chord_match(model, clip, written)}


def note_table(rows: list[Row]) -> str:
    """Return a Markdown table of notes, a column for each transcriber.

    It has F1 by sound and level, and the other figures over all.
    """
    names = list(dict.fromkeys(row["by"] for row in rows))
    parts = [
        (f"F1, {value}", "f1", key, value)
        for key in ("sound", "level")
        for value in dict.fromkeys(row[key] for row in rows)
    ]
    parts += [(title, figure, None, None) for figure, title in NOTE_FIGURES.items()]
    lines = ["| notes | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for title, figure, key, value in parts:
        chosen = [
            [
                row[figure]
                for row in rows
                if row["by"] == name and (key is None or row[key] == value)
            ]
            for name in names
        ]
        means = " | ".join(f"{np.mean(found):.3f}" for found in chosen)
        lines.append(f"| {title} | {means} |")
    return "\n".join(lines)


def our_table(rows: list[Row]) -> str:
    """Return a Markdown table of what is made of our notes, in per cent, a row for each sound."""
    own = [row for row in rows if row["by"] == OURS]
    sounds = dict.fromkeys(row["sound"] for row in own)
    groups = {"all": own} | {sound: [r for r in own if r["sound"] == sound] for sound in sounds}
    titles = " | ".join(OUR_FIGURES.values())
    lines = [f"| % | {titles} |", "|---" * (len(OUR_FIGURES) + 1) + "|"]
    for title, chosen in groups.items():
        figures = [100 * np.mean([row[figure] for row in chosen]) for figure in OUR_FIGURES]
        lines.append(f"| {title} | " + " | ".join(f"{figure:.0f}" for figure in figures) + " |")
    return "\n".join(lines)
