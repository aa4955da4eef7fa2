"""Measure how well recordings are transcribed: `python -m train hearing ... --out FOLDER`.

`--singing FOLDER`: recordings of people, with notes that others wrote down (train.eval.hearing_real
says in which files). `--corpus CORPUS [--bench BENCH]`: the melodies of the bench and of a corpus's
test songs are sung, whistled and played with drifting tempo, vibrato and detuning, in rooms with
noise (train.data.clips). What each transcriber finds is compared with what was played or written
down; of made recordings also the beats and bars that are found in our notes, and the chords of the
band that they get (train.eval.hearing_figures). FOLDER gets a row for each recording and
transcriber.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from accomp.band.accompanist import Accompanist
from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.notes import transcribe_notes
from accomp.listen.source import Corrections, Source
from accomp.listen.tidy import without_doubtful
from accomp.listen.transcribe import TranscriptionSettings
from accomp.sound.rates import LISTEN_RATE
from train.command_line import command_parser
from train.data.clips import SOUNDS, Clip, Tune, clip_of, tunes_of
from train.data.corpus import Corpus
from train.eval import hearing_peers
from train.eval.hearing_figures import (
    chord_match,
    chord_match_of_midi,
    compare,
    on_paper,
)
from train.eval.hearing_real import TREATMENTS, RealClip, as_sung, later_by, real_clips
from train.fit.run_files import write_json

GENRE = "pop"  # whose band plays
NOTE_FIGURES = {
    "f1": "F1, all",
    "precision": "precision",
    "recall": "recall",
    "f1_offsets": "F1 with offsets",
    "f1_onsets": "F1 of onsets",
    "f1_loose": "F1 within 100 ms and 100 cents",
    "octaves": "share of notes octaves off",
    "work": "seconds of work per second",
}
REAL_FIGURES = {
    "f1": "F1",
    "f1_offsets": "with ends",
    "f1_loose": "loose",
    "precision": "precision",
    "recall": "recall",
    "f1_onsets": "onsets",
    "octaves": "octaves off",
    "found": "found / true",
    "later": "ms later",
    "refused": "refused",
    "work": "work",
}
ANY_PITCH = ("f1_onsets", "found")  # figures that say something where true pitches are in doubt
AS_RECORDED = "as recorded"
# Voices by the median of their notes' pitches.
RANGES = {
    "low voices, to G3": (0, 55),
    "middle voices": (55, 67),
    "high voices, from G4": (67, 128),
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
    """Transcribe by accomp, without very short doubtful notes; no notes where it refuses."""
    try:
        return without_doubtful(transcribe_notes(audio, anyway=True)[0])
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


def main(arguments: list[str] | None = None, sounds: Sequence[str] = tuple(SOUNDS)) -> None:
    """Measure what the command line names, write OUT/transcription.json and print the tables."""
    options = _parse(arguments)
    if options.peers and hearing_peers.missing():
        raise SystemExit(
            f"--peers needs {', '.join(hearing_peers.missing())}: {hearing_peers.INSTALL}"
        )
    source = str(options.models / GENRE) if options.models else GENRE
    peers = {name: hearing_peers.PEERS[name] for name in options.peers}
    hearing = Hearing(TRANSCRIBERS | peers, source, sounds)
    packages = ["numpy", "torch", "mir_eval", "swift-f0"]
    packages += hearing_peers.PACKAGES if options.peers else []
    written: dict[str, Any] = {"versions": {name: version(name) for name in packages}}
    tables = []
    if options.singing:
        clips = real_clips(options.singing)
        written["singing"] = measure_singing(clips, hearing, options.workers, options.treated)
        tables.append(singing_table(written["singing"]))
    if options.corpus:
        tunes = tunes_of(Corpus.load(options.corpus), options.split, options.limit, options.bench)
        rows = written["rows"] = evaluate(tunes, hearing, options.workers)
        made = f"{len(tunes)} melodies, {len(tunes) * len(sounds)} recordings"
        tables += [made, note_table(rows), our_table(rows)]
    write_json(options.out / "transcription.json", written)
    print("\n\n".join(tables))


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser("hearing", __doc__)
    parser.add_argument("--singing", type=Path, help="folder of recordings of people, with notes")
    parser.add_argument(
        "--treated",
        nargs="*",
        default=[],
        metavar="SET",
        help="sets that are also measured clipped, soft, echoing and over phones",
    )
    parser.add_argument("--corpus", type=Path, help="folder that `train prepare` wrote")
    parser.add_argument("--bench", type=Path, help="folder of lead sheets")
    parser.add_argument(
        "--split", choices=["test", "val"], default="test", help="val: while choosing settings"
    )
    parser.add_argument("--limit", type=int, help="so many melodies of corpus and bench only")
    parser.add_argument("--models", type=Path, help="folder of models (default: the embedded ones)")
    parser.add_argument(
        "--peers", nargs="*", choices=list(hearing_peers.PEERS), help="other transcribers, too"
    )
    parser.add_argument("--workers", type=int, default=1, help="number of processes")
    parser.add_argument("--out", type=Path, required=True, help="folder for the figures")
    options = parser.parse_args(arguments)
    options.peers = list(hearing_peers.PEERS) if options.peers == [] else options.peers or []
    if not (options.singing or options.corpus):
        parser.error("--singing or --corpus is missing: what is measured")
    return options


# Recordings of people


def measure_singing(
    clips: list[RealClip], hearing: Hearing, workers: int = 1, treated: Sequence[str] = ()
) -> list[Row]:
    """Return a row for each recording, transcriber and treatment.

    Args:
        clips: With the notes that were written down.
        hearing: Who transcribes.
        workers: Processes, which change only the time.
        treated: The sets that are measured with TREATMENTS, too.
    """
    rows = []
    with tqdm(total=len(clips), desc="singing", unit="clip") as bar:
        for found in _each(partial(measure_clip, hearing, treated), clips, workers):
            rows += found
            bar.update()
    return rows


def measure_clip(hearing: Hearing, treated: Sequence[str], clip: RealClip) -> list[Row]:
    """Return the rows of one recording."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # each transcriber gets one
    try:
        sound, rows = clip.sound(), []
        is_treated = clip.group.partition(" ")[0] in treated
        for level in (AS_RECORDED, *(TREATMENTS if is_treated else ())):
            # The same noise and room for all.
            rng = np.random.default_rng(0)
            heard = sound if level == AS_RECORDED else TREATMENTS[level](sound, rng)
            for name, transcriber in hearing.transcribers.items():
                row = {"by": name, "sound": clip.group, "name": clip.name, "level": level}
                rows.append(row | _of_singing(transcriber, clip, heard))
        return rows
    finally:
        torch.set_num_threads(threads)


def _of_singing(transcriber: Transcriber, clip: RealClip, sound: np.ndarray) -> Row:
    notes, work = _timed(transcriber, sound)
    figures = compare(clip.notes, as_sung(notes))
    if clip.doubtful:
        figures = {name: value for name, value in figures.items() if name in ANY_PITCH}
    middle = float(np.median([note[0] for note in clip.notes]))
    others = {
        "middle": middle,
        "later": later_by(clip.notes, notes),
        "refused": float(not notes),
        "work": work,
    }
    return figures | others


def singing_table(rows: list[Row]) -> str:
    """Return a Markdown table with a row for each set, treatment, range and transcriber."""
    lines = [
        f"| singing | by | clips | {' | '.join(REAL_FIGURES.values())} |",
        "|---" * (len(REAL_FIGURES) + 3) + "|",
    ]
    by_range = [
        {**row, "sound": name}
        for name, (lowest, highest) in RANGES.items()
        for row in rows
        if lowest <= row["middle"] < highest and row["level"] == AS_RECORDED
    ]
    rows = sorted(rows, key=lambda row: (row["sound"], row["level"])) + by_range
    for group in dict.fromkeys((row["sound"], row["level"], row["by"]) for row in rows):
        chosen = [row for row in rows if (row["sound"], row["level"], row["by"]) == group]
        means = [
            np.mean([row[figure] for row in chosen if figure in row] or [0])
            for figure in REAL_FIGURES
        ]
        title = group[0] if group[1] == AS_RECORDED else f"{group[0]}, {group[1]}"
        lines.append(
            f"| {title} | {group[2]} | {len(chosen)} | "
            + " | ".join(f"{mean:.3f}" for mean in means)
            + " |"
        )
    return "\n".join(lines)


# Made recordings


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
    notes, work = _timed(transcriber, clip.audio)
    row = {"by": name, "name": clip.tune.task.name, "sound": clip.sound, "level": clip.level}
    return row | {"work": work} | compare(clip.notes, notes), notes


def _timed(transcriber: Transcriber, sound: np.ndarray) -> tuple[list[SungNote], float]:
    """Return the notes, and the seconds of work for each second of sound."""
    _warm(transcriber)
    start = time.perf_counter()
    notes = transcriber(sound)
    return notes, (time.perf_counter() - start) / (len(sound) / LISTEN_RATE)


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
    assert written  # of notes there is one
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


if __name__ == "__main__":
    main()
