"""How well recordings are heard: `python -m train evaluate --transcription --corpus CORPUS --out FOLDER [--bench BENCH] ...`.

The melodies of the bench and of a corpus's test songs are sung, whistled and played with drifting tempo, vibrato and detuning,
in rooms with noise (train.data.clips). What each transcriber hears is compared with what was played; of ours also the beats and bars
that are found in its notes, and the chords of the band that it gets (train.eval.hearing_figures). FOLDER gets a row for each recording
and transcriber.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from importlib.metadata import version

import numpy as np
import torch
from tqdm import tqdm

from accomp.band.accompanist import Accompanist
from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.notes import transcribe_notes
from accomp.listen.source import Source
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


def ours(audio: np.ndarray) -> list[SungNote]:
    try:
        return transcribe_notes(audio)[0]
    except MusicError:
        return []


OURS = "accomp"
Transcriber = Callable[[np.ndarray], list[SungNote]]
TRANSCRIBERS: dict[str, Transcriber] = {OURS: ours, "swift-f0": hearing_peers.swift_f0_alone}


def run(options) -> None:
    """Measure on the options' corpus and bench, write OUT/transcription.json and print the tables."""
    if options.peers and hearing_peers.missing():
        raise SystemExit(
            f"--peers needs {', '.join(hearing_peers.missing())}: {hearing_peers.INSTALL}"
        )
    transcribers = TRANSCRIBERS | (hearing_peers.PEERS if options.peers else {})
    tunes = tunes_of(Corpus.load(options.corpus), options.split, options.limit, options.bench)
    source = str(options.models / GENRE) if options.models else GENRE
    rows = evaluate(tunes, transcribers, source, tuple(SOUNDS), options.workers)
    packages = (
        "numpy",
        "torch",
        "mir_eval",
        "swift-f0",
        *(hearing_peers.PACKAGES if options.peers else ()),
    )
    write_json(
        options.out / "transcription.json",
        {"versions": {name: version(name) for name in packages}, "rows": rows},
    )
    print(
        f"{len(tunes)} melodies, {len(tunes) * len(SOUNDS)} recordings\n\n{note_table(rows)}\n\n{our_table(rows)}"
    )


def evaluate(
    tunes: list[Tune],
    transcribers: dict[str, Transcriber],
    source: str = GENRE,
    sounds: Sequence[str] = tuple(SOUNDS),
    workers=1,
) -> list[dict]:
    """A row for each tune, sound and transcriber. source: of the models; workers: processes, which change only the time."""
    measure = partial(measure_tune, transcribers=transcribers, source=source, sounds=sounds)
    with tqdm(total=len(tunes) * len(sounds), desc="recordings", unit="clip") as bar:
        rows = []
        for found in _each(measure, list(enumerate(tunes)), workers):
            rows += found
            bar.update(len(sounds))
    return rows


def _each(function: Callable, arguments: list, workers: int) -> Iterator:
    if workers == 1:
        yield from map(function, arguments)
        return
    # Not forked, as PyTorch's threads would not be there.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(function, arguments)


def measure_tune(
    numbered: tuple[int, Tune],
    transcribers: dict[str, Transcriber],
    source: str,
    sounds: Sequence[str],
) -> list[dict]:
    """The rows of one tune, which depend on its number and nothing else."""
    number, tune = numbered
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # each transcriber gets one
    try:
        from_midi = chord_match_of_midi(_model(source), tune)
        rows = []
        for clip in (clip_of(tune, number, sound) for sound in sounds):
            for name, transcriber in transcribers.items():
                _warm(transcriber)
                start = time.perf_counter()
                heard = transcriber(clip.audio)
                work = (time.perf_counter() - start) / (len(clip.audio) / LISTEN_RATE)
                row = {
                    "by": name,
                    "name": tune.task.name,
                    "sound": clip.sound,
                    "level": clip.level,
                    "work": work,
                }
                row |= compare(clip.notes, heard)
                if name == OURS:
                    row |= _written(clip, heard, _model(source)) | {"chords_midi": from_midi}
                rows.append(row)
        return rows
    finally:
        torch.set_num_threads(threads)


@cache
def _model(source: str) -> Accompanist:
    return Accompanist.from_pretrained(source)


@cache
def _warm(transcriber: Transcriber) -> None:
    """Its models are loaded and its code is compiled before the time is taken."""
    transcriber(
        0.5 * np.sin(np.arange(LISTEN_RATE) * 2 * np.pi * 220 / LISTEN_RATE).astype(np.float32)
    )


def _written(clip: Clip, heard: list[SungNote], model: Accompanist) -> dict[str, float]:
    """Of the beats and the band: nothing is right where no melody was heard."""
    try:
        written = Source("clip", notes=heard).melody().sung
    except MusicError:
        return dict.fromkeys(OUR_FIGURES, 0.0)
    return on_paper(clip, written) | {"chords": chord_match(model, clip, written)}


def note_table(rows: list[dict]) -> str:
    """A Markdown table of F1 by sound and level, and of the other figures over all, a column for each transcriber."""
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
        lines.append(
            f"| {title} | " + " | ".join(f"{np.mean(found):.3f}" for found in chosen) + " |"
        )
    return "\n".join(lines)


def our_table(rows: list[dict]) -> str:
    """A Markdown table of what is made of our notes, in per cent, a row for each sound."""
    own = [row for row in rows if row["by"] == OURS]
    groups = {"all": own} | {
        sound: [row for row in own if row["sound"] == sound]
        for sound in dict.fromkeys(r["sound"] for r in own)
    }
    lines = [
        "| % | " + " | ".join(OUR_FIGURES.values()) + " |",
        "|---" * (len(OUR_FIGURES) + 1) + "|",
    ]
    for title, chosen in groups.items():
        figures = [100 * np.mean([row[figure] for row in chosen]) for figure in OUR_FIGURES]
        lines.append(f"| {title} | " + " | ".join(f"{figure:.0f}" for figure in figures) + " |")
    return "\n".join(lines)
