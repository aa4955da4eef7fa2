"""Measure tempo, meter and bars of recordings: `python -m train counting --singing FOLDER --out F`.

FOLDER holds recordings of people singing whose bar lines somebody wrote down
(train/eval/sung_bars.csv names the files). What is found in them is compared with that, and the
chords of the band that each recording gets with those of the band that its tune gets, in
each half bar, as triads. With `--corpus CORPUS [--bench BENCH]` melodies are recorded, too, as for
`python -m train hearing`, and their bars measured beside.

F gets a row for each recording (JSON).
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import mir_eval
import numpy as np
from tqdm import tqdm

from accomp.band.accompanist import Accompanist
from accomp.errors import MusicError
from accomp.listen.beat_grid import BeatGrid, Counting, SungNote, interpolate
from accomp.listen.notes import transcribe_notes
from accomp.listen.quantise import quantise
from accomp.listen.source import Corrections, Source, corrected, source_of
from accomp.listen.transcribe import Transcription
from accomp.music.chord_symbols import parse_symbol
from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.roll.grid import MELODY
from accomp.sound.audio_file import read_recording
from train.command_line import command_parser
from train.data.clips import SOUNDS, Clip, clip_of, tunes_of
from train.data.corpus import Corpus
from train.eval.hearing_figures import RATIOS, TOLERANCES, Tolerances, bar_lines
from train.fit.run_files import write_json

SUNG = Path(__file__).with_name("sung_bars.csv")
GENRE = "pop"  # whose band plays
FIGURES = {
    "tempo": "tempo",
    "tempo_level": "tempo or a simple ratio",
    "meter": "meter",
    "bar_lines": "bar lines",
    "bar_lines_near": "bar lines of the first or another way",
    "chords": "chords as for the tune",
}
# Where a sung note begins people say within some 50 ms, consonants aside.
OF_PEOPLE = replace(TOLERANCES, bar_line=0.1)
Row = dict[str, Any]


@dataclass(frozen=True)
class SungTune:
    """A recording of somebody who sings, with its bars.

    Attributes:
        name: Of its file in the folder of recordings, without ending.
        meter: Numerator and denominator.
        bars: [bars] seconds of bar lines, the first at the first note or before it.
        tune: What is sung, pitch and beats of each note from the first bar line on; empty where a
            table of notes lies beside the recording, or nobody knows.
    """

    name: str
    meter: tuple[int, int]
    bars: np.ndarray
    tune: tuple[tuple[int, float], ...] = ()

    @property
    def grid(self) -> BeatGrid:
        """The bars' pulses, from the first to one bar after the last."""
        pulses = BeatGrid(np.zeros(2), 0, self.meter).bar_pulses
        index = np.arange(len(self.bars) * pulses + 1) / pulses
        return BeatGrid(interpolate(index, np.arange(len(self.bars)), self.bars), 0, self.meter)

    def score(self, folder: Path) -> Score | None:
        """Return the tune as a score, if it is known. folder: where the tables of notes lie."""
        if not self.tune:
            table = folder / f"{self.name}.csv"
            return quantise(_table_of(table), self.grid) if table.exists() else None
        onsets = np.cumsum([0.0, *(beats for _, beats in self.tune)])
        notes = [
            Note(pitch, float(onset), beats, 80)
            for (pitch, beats), onset in zip(self.tune, onsets, strict=False)
        ]
        return Score([Track("Melody", notes=notes)], meters=[TimeSignature(0.0, *self.meter)])


class Heard(NamedTuple):
    """What is found in a recording, and its band."""

    written: Transcription
    song: Score

    def chord_at(self, seconds: float) -> int | None:
        """Return the triad that the band plays at a time of the recording."""
        within = seconds - self.written.start_of(self.song)
        onsets = [self.song.seconds(chord.onset) for chord in self.song.chords]
        sounding = [chord for chord, onset in zip(self.song.chords, onsets) if onset <= within]
        return parse_symbol(sounding[-1].symbol).triad if sounding else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write the rows and print the table."""
    options = _options(arguments)
    rows = []
    if options.singing:
        model = Accompanist.from_pretrained(GENRE)
        for sung in tqdm(read_sung(), desc="sung", unit="clip"):
            rows.append(measure_sung(sung, options.singing, model))
    if options.corpus:
        rows += made_rows(options)
    write_json(options.out, rows)
    print(table(rows))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser("counting", __doc__)
    parser.add_argument("--singing", type=Path, help="folder of recordings of people")
    parser.add_argument("--corpus", type=Path, help="whose test songs are recorded")
    parser.add_argument("--bench", type=Path, help="folder of lead sheets, which are recorded, too")
    parser.add_argument("--sounds", nargs="+", choices=list(SOUNDS), default=list(SOUNDS))
    parser.add_argument("--limit", type=int, help="songs, and lead sheets")
    parser.add_argument("--out", type=Path, required=True, help="file for the rows (JSON)")
    options = parser.parse_args(arguments)
    if not (options.singing or options.corpus):
        parser.error("give --singing, --corpus, or both")
    return options


# Recordings of people


def read_sung(table: Path = SUNG) -> list[SungTune]:
    """Read which recordings are measured, with their bars."""
    with table.open(encoding="utf-8", newline="") as file:
        return [
            SungTune(
                row["clip"],
                _meter_of(row["meter"]),
                np.array(row["bars"].split(), float),
                tuple(_note_of(each) for each in row["tune"].split()),
            )
            for row in csv.DictReader(file)
        ]


def _meter_of(text: str) -> tuple[int, int]:
    numerator, denominator = text.split("/")
    return int(numerator), int(denominator)


def _note_of(text: str) -> tuple[int, float]:
    pitch, beats = text.split(":")
    return int(pitch), float(beats)


def _table_of(path: Path) -> list[SungNote]:
    """Read the notes that somebody wrote down, in semitones of the singer's own tuning."""
    with path.open(encoding="utf-8", newline="") as file:
        names = ("onset", "offset", "midi")
        rows = [[float(row[name]) for name in names] for row in csv.DictReader(file)]
    pitch = np.array([row[2] for row in rows])
    tuning = np.angle(np.exp(2j * np.pi * pitch).sum()) / (2 * np.pi)
    onsets = np.array([row[0] for row in rows])
    ends = np.minimum([row[1] for row in rows], [*onsets[1:], np.inf])
    return [
        SungNote(int(np.rint(each - tuning)), float(onset), float(max(end, onset + 0.03)), 80)
        for each, onset, end in zip(pitch, onsets, ends)
    ]


def measure_sung(sung: SungTune, folder: Path, model: Accompanist) -> Row:
    """Measure what is found in one recording. folder: of the recordings."""
    row: Row = {"kind": "people", "name": sung.name} | dict.fromkeys(FIGURES, 0.0)
    try:
        source = source_of(read_recording(folder / f"{sung.name}.ogg"), anyway=True)
        written = source.melody().transcription
    except MusicError as error:
        return row | {"refused": str(error)}
    assert written
    notes = np.array([(note.onset, note.offset) for note in source.notes])
    span = float(notes.min()), float(notes.max())
    row |= compare_grids(sung.grid, written.grid, span)
    row["bar_lines_near"] = max(
        row["bar_lines"],
        *(
            compare_grids(sung.grid, grid, span)["bar_lines"]
            for grid in other_grids(source, written.grid.others)
        ),
        0.0,
    )
    row["found"] = f"{written.grid.counting} at {written.grid.tempo:.0f}"
    row["chords"] = chords_alike(
        sung, folder, Heard(written, model.accompany(written.score)), model
    )
    return row


def other_grids(source: Source, others: Sequence[Counting]) -> list[BeatGrid]:
    """Return the grids of other ways of counting a recording."""
    found = (source.melody(corrected(Corrections(), each)).transcription for each in others)
    return [each.grid for each in found if each]


def compare_grids(
    true: BeatGrid,
    found: BeatGrid,
    span: tuple[float, float],
    tolerances: Tolerances = OF_PEOPLE,
) -> dict[str, float]:
    """Measure a grid by another.

    Args:
        true: As somebody wrote it down; not beyond its ends.
        found: As it was found.
        span: Seconds of the first and after the last note.
        tolerances: How near is right.

    Returns:
        tempo, tempo_level, meter and bar_lines as of train.eval.hearing_figures.on_paper.
    """
    apart = np.log(found.tempo / true.tempo)
    near = [abs(apart - np.log(ratio)) <= np.log(tolerances.tempo) for ratio in RATIOS]
    lines = true.seconds(np.arange(0, len(true.times), true.bar_pulses))
    lines = lines[(lines >= span[0] - tolerances.bar_line) & (lines <= span[1])]
    half = np.diff(lines)[[0, -1]] / 2
    low, high = lines[0] - half[0], lines[-1] + half[1]
    ends = found.position([low, high]) / found.bar_pulses
    others = found.seconds(np.arange(np.floor(ends[0]), ends[1] + 1) * found.bar_pulses)
    others = others[(others > low) & (others < high)]
    # From 0 on, as mir_eval takes no times before it.
    f = mir_eval.beat.f_measure(lines - low, others - low, tolerances.bar_line)
    return {
        "tempo": float(near[0]),
        "tempo_level": float(any(near)),
        "meter": float(found.meter == true.meter),
        "bar_lines": float(f >= tolerances.most_bars),
    }


def chords_alike(sung: SungTune, folder: Path, heard: Heard, model: Accompanist) -> float | None:
    """Return the share of half bars (in 3/4 bars) in which both bands play the same triad.

    It is None where the tune is not known. The tune's band is moved by what the recording was heard
    higher, at the median.

    Args:
        sung: The recording.
        folder: Where the tables of notes lie.
        heard: What was found in it, with its band.
        model: Of the bands.
    """
    score, grid = sung.score(folder), sung.grid
    if score is None:
        return None
    song = model.accompany(score)
    median = np.median([note.pitch for note in score.tracks[0].notes])
    higher = round(float(np.median([note.pitch for note in heard.written.notes]) - median))
    moved = song.tracks[MELODY].notes[0].onset - score.tracks[0].notes[0].onset
    per_bar = 2 if sung.meter[0] != 3 else 1
    lines = np.arange(0, (len(sung.bars) - 1) * per_bar) / per_bar * grid.bar_pulses
    alike = []
    for at in lines:
        true = triad_of(song, float(at) * grid.pulse + moved + 1e-3)
        found = heard.chord_at(float(grid.seconds(at)) + 0.1)
        alike.append(true is not None and found == _moved(true, higher))
    return float(np.mean(alike))


def _moved(triad: int, semitones: int) -> int:
    return (triad + semitones) % 12 + triad // 12 * 12


def triad_of(song: Score, beat: float) -> int | None:
    """Return the triad of a song on a beat."""
    sounding = [chord.symbol for chord in song.chords if chord.onset <= beat]
    return parse_symbol(sounding[-1]).triad if sounding else None


# Made recordings


def made_rows(options: argparse.Namespace) -> list[Row]:
    """Record melodies and measure their bars."""
    tunes = tunes_of(Corpus.load(options.corpus), "test", options.limit, options.bench)
    rows = []
    for number, tune in enumerate(tqdm(tunes, desc="made", unit="tune")):
        for sound in options.sounds:
            clip = clip_of(tune, number, sound)
            row = {"kind": f"made, {tune.task.group}", "name": f"{tune.task.name}, {sound}"}
            row |= dict.fromkeys(FIGURES, 0.0) | {"chords": None}
            try:
                source = Source("clip", notes=transcribe_notes(clip.audio, anyway=True)[0])
                grid = source.melody().transcription.grid  # type: ignore[union-attr]  a recording
            except MusicError:
                rows.append(row)
                continue
            rows.append(row | _of_clip(clip, source, grid))
    return rows


def _of_clip(
    clip: Clip, source: Source, grid: BeatGrid, tolerances: Tolerances = TOLERANCES
) -> Row:
    apart = np.log(grid.tempo / clip.tempo)
    near = [abs(apart - np.log(ratio)) <= np.log(tolerances.tempo) for ratio in RATIOS]
    first = float(bar_lines(clip, grid) >= tolerances.most_bars)
    others = () if first else other_grids(source, grid.others)
    return {
        "tempo": float(near[0]),
        "tempo_level": float(any(near)),
        "meter": float(grid.meter == clip.tune.meter[1:]),
        "bar_lines": first,
        "bar_lines_near": float(
            first or any(bar_lines(clip, each) >= tolerances.most_bars for each in others)
        ),
    }


def table(rows: list[Row]) -> str:
    """Return a Markdown table in per cent, a column for each kind of recordings."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    made = [kind for kind in kinds if kind != "people"]
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in kinds}
    if len(made) > 1:
        groups["made, all"] = [row for row in rows if row["kind"] in made]
    lines = ["| % | " + " | ".join(groups) + " |", "|---" * (len(groups) + 1) + "|"]
    lines.append("| recordings | " + " | ".join(str(len(each)) for each in groups.values()) + " |")
    for figure, title in FIGURES.items():
        cells = []
        for chosen in groups.values():
            values = [row[figure] for row in chosen if row[figure] is not None]
            cells.append(f"{100 * np.mean(values):.0f}" if values else "")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
