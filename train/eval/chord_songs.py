"""Songs whose chords are known: lead sheets of the bench, of JSON lines, and POP909."""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accomp.errors import MusicError
from accomp.music.chord_symbols import parse_symbol
from accomp.music.keys import Key, parse_key
from accomp.music.score import Bar, Score, Track, whole_bars
from train.data.lead_sheets import lead_sheet, read_lead_sheets
from train.data.pop909 import on_beats
from train.data.tasks import BENCH_CHORDS, Task, bench_tasks
from train.metrics.chord_naming import readings
from train.metrics.chord_places import Readings, Units, on_units
from train.metrics.chords import Sheet

PHRASE = 4  # bars of a phrase where no labels say it
FEWEST_BARS = 4  # a shorter song has no form
POP909_MELODY = "MELODY"  # the name of its track


@dataclass(frozen=True)
class Song:
    """A melody and the chords that it should get.

    Attributes:
        name: Of the song.
        group: Of the collection, or its genre.
        melody: A score with the melody alone.
        sheet: Its chords, in the melody's own key.
        task: Of a bench melody, for what bands play to it.
    """

    name: str
    group: str
    melody: Score
    sheet: Sheet
    task: Task | None = None


def bench_songs(folder: Path) -> list[Song]:
    """Read the bench's lead sheets, whose full chord symbols are read from the block chords."""
    return [_bench_song(task) for task in bench_tasks(folder)]


def _bench_song(task: Task) -> Song:
    score = task.score
    block = next(track for track in score.tracks if track.program == BENCH_CHORDS)
    spans = _block_chords(block)
    meter = score.meters[0]
    end = max(score.end, task.grid.beats[0] + 1)
    units = Units.between(task.grid.half_bar_beats, end, meter.bar_beats)
    assert task.folder is not None
    key = _analysed_key((task.folder / "analyzed_key.txt").read_text())
    labels = task.labels or []
    ends = {i for i, (a, b) in enumerate(zip(labels, [*labels[1:], ""])) if a != b}
    melody = Score([score.tracks[task.melody_track]], score.tempos, score.meters, score.resolution)
    sheet = Sheet(on_units(spans, units), units, key, frozenset(ends))
    return Song(task.name, task.group, melody, sheet, task)


def _block_chords(track: Track) -> list[tuple[float, float, Readings]]:
    """Return onset, end and readings of block chords."""
    struck: dict[float, list] = {}
    for note in track.notes:
        struck.setdefault(note.onset, []).append(note)
    return [
        (onset, max(note.end for note in notes), readings(note.pitch for note in notes))
        for onset, notes in sorted(struck.items())
    ]


def _analysed_key(text: str) -> Key:
    tonic, mode = text.split()[0].split(":")
    return parse_key(f"{tonic} {mode}")


def sheet_songs(paths: Iterable[Path], split: str) -> list[Song]:
    """Read the lead sheets of a split that have a melody and keep their meter."""
    songs = []
    for found in read_lead_sheets(paths):
        if found.split != split or found.is_mixed or not found.score.tracks[0].notes:
            continue
        spans = [(span.onset, span.end, (span.symbol,)) for span in found.spans]
        melody = Score(found.score.tracks, meters=found.score.meters)
        song = Song(found.id, found.source, melody, _sheet(melody, spans, found.key))
        if len(song.sheet.units) and song.sheet.units.bars[-1] >= FEWEST_BARS:
            songs.append(song)
    return songs


def section_songs(path: Path, count: int) -> list[Song]:
    """Read sections of songs whose meter is not told, as if in 4/4: evenly, so many of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    songs = []
    for row in rows[:: max(1, len(rows) // count)]:
        found = lead_sheet(row | {"meter": "4/4", "title_hash": "0"})
        if not found.score.tracks[0].notes or not found.spans:
            continue
        spans = [(span.onset, span.end, (span.symbol,)) for span in found.spans]
        melody = Score(found.score.tracks, meters=found.score.meters)
        songs.append(Song(found.id, found.source, melody, _sheet(melody, spans, None)))
    return songs


def pop909_songs(folder: Path, names: Iterable[str]) -> list[Song]:
    """Read the melodies of POP909's songs of these names, with their annotated chords."""
    songs = []
    for name in names:
        score = on_beats(folder / name)
        melody = next((t for t in score.tracks if t.name == POP909_MELODY), score.tracks[0])
        onsets = [chord.onset for chord in score.chords]
        spans = []
        for chord, end in zip(score.chords, [*onsets[1:], score.end]):
            try:
                spans.append((chord.onset, end, (parse_symbol(chord.symbol),)))
            except MusicError:
                continue  # a quality that we don't know
        alone = Score([melody], meters=score.meters)
        songs.append(Song(name, "pop909", alone, _sheet(alone, spans, None)))
    return songs


def _sheet(melody: Score, spans: list[tuple[float, float, Readings]], key: Key | None) -> Sheet:
    track = melody.tracks[0]
    bars = melody.bars(track.end)
    units = Units.of(bars, track.start, track.end)
    return Sheet(on_units(spans, units), units, key, _phrase_ends(melody, bars))


def _phrase_ends(melody: Score, bars: list[Bar]) -> frozenset[int]:
    """Return the numbers of every fourth bar from the first whole one, and of the last."""
    first_onset = whole_bars(melody, melody.tracks[0])[0].onset
    first = int(np.argmin([abs(bar.onset - first_onset) for bar in bars]))
    return frozenset([*range(first + PHRASE - 1, len(bars), PHRASE), len(bars) - 1])
