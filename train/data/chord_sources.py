"""Where a chord planner learns chords from: every source gives ChordExamples.

A source is a JSON-lines file of lead sheets (train.data.lead_sheets), a folder of such files, a
folder of MIDI files whose markers are chord symbols (with labels.csv beside them, if there is one:
`file`, and `genre` and `split` where they are known), or a corpus of `train prepare`, whose chords
are those that its arrangements play.
"""

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accomp.errors import MusicError
from accomp.music.chord_symbols import ChordSymbol, parse_symbol
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.midi import read_midi
from accomp.music.midi_chunks import MIDI_ENDINGS
from accomp.music.score import Score, Track
from accomp.roll import pianoroll
from accomp.roll.chord_plan import chroma
from accomp.roll.grid import (
    BASS,
    GUITAR,
    HALF_BAR_STEPS,
    MELODY,
    STEPS_PER_BEAT,
    STRINGS,
    Grid,
)
from train.data.chord_examples import ChordExample, SheetFacts, example_of
from train.data.corpus import SONGS_FILE, UNSTATED, Corpus
from train.data.lead_sheets import Span, read_lead_sheets, split_of

SHEET_ENDING, LABELS = ".jsonl.gz", "labels.csv"


@dataclass(frozen=True)
class ArrangedChords:
    """When an arrangement's chord has more than a triad: shares of sounding time in a half bar."""

    seventh: float = 0.12  # of all that sounds; a shorter tone is a passing one
    bass: float = 0.8  # of the bass, in a third or a seventh that counts as the chord's bass


def read_source(path: Path) -> Iterator[ChordExample]:
    """Read all songs of a source that have chords enough; what cannot be read is left out."""
    if (path / SONGS_FILE).is_file():
        found = _of_corpus(Corpus.load(path))
    elif path.is_dir():
        found = _of_folder(path)
    else:
        found = _of_sheets(path)
    yield from (example for example in found if example is not None)


def hash_of(title: str) -> str:
    """Return twelve hexadecimal digits for a title, in whatever case and punctuation."""
    plain = re.sub(r"[^a-z0-9]", "", title.lower())
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def _of_folder(folder: Path) -> Iterator[ChordExample | None]:
    labels: dict[str, dict] = {}
    if (folder / LABELS).is_file():
        with (folder / LABELS).open(newline="") as table:
            labels = {row["file"]: row for row in csv.DictReader(table)}
    for file in sorted(folder.rglob("*")):
        if file.name.endswith(SHEET_ENDING):
            yield from _of_sheets(file)
        elif file.suffix.lower() in MIDI_ENDINGS:
            yield _of_midi(file, folder, labels.get(str(file.relative_to(folder)), {}))


def _of_sheets(path: Path) -> Iterator[ChordExample | None]:
    source = path.name.removesuffix(SHEET_ENDING)
    for sheet in read_lead_sheets([path]):
        if not sheet.is_mixed:
            facts = SheetFacts(
                sheet.id, source, sheet.genre or "", sheet.split, sheet.key, sheet.licence
            )
            yield example_of(sheet.score, sheet.spans, facts)


def _of_midi(path: Path, folder: Path, label: dict) -> ChordExample | None:
    """Read a MIDI file whose markers are chord symbols; None where there are none."""
    try:
        score = read_midi(path)
        melody = score.tracks[choose_melody(score)]
    except MusicError:
        return None
    alone = Score([Track("melody", notes=list(melody.notes))], meters=score.meters)
    split = label.get("split") or split_of(hash_of(path.stem))
    licence = label.get("licence", UNSTATED)
    facts = SheetFacts(path.stem, folder.name, label.get("genre", ""), split, None, licence)
    return example_of(alone, _marked(score), facts)


def _marked(score: Score) -> list[Span]:
    """Return a score's chords with their extents; symbols that are not understood are left out."""
    spans = []
    ends = [*(chord.onset for chord in score.chords[1:]), score.end]
    for chord, end in zip(score.chords, ends):
        try:
            spans.append(Span(chord.onset, end, parse_symbol(chord.symbol)))
        except MusicError:
            continue
    return spans


def _of_corpus(corpus: Corpus) -> Iterator[ChordExample | None]:
    """Read the melodies of a corpus with the chords that their arrangements play.

    A corpus has no bar lines of its own: its model bars of four beats count.
    """
    width = HALF_BAR_STEPS / STEPS_PER_BEAT
    for number, song in enumerate(corpus.songs):
        planes = _planes(corpus, number, MELODY)
        grid = Grid(np.arange(planes.shape[1] + 1) / STEPS_PER_BEAT)
        notes = pianoroll.in_beats(pianoroll.from_planes(planes), grid)
        if not notes:
            continue
        spans = [
            Span(at * width, (at + 1) * width, symbol)
            for at, symbol in enumerate(_played_chords(corpus, number))
        ]
        licence = song.get("licence", UNSTATED)
        facts = SheetFacts(song["file"], corpus.name, song["genre"], song["split"], None, licence)
        yield example_of(Score([Track("melody", notes=skyline(notes))]), spans, facts)


def _planes(corpus: Corpus, song: int, track: int) -> np.ndarray:
    return pianoroll.from_blocks(corpus.blocks(track, corpus.own(song)).numpy())


def _played_chords(
    corpus: Corpus, song: int, settings: ArrangedChords = ArrangedChords()
) -> list[ChordSymbol]:
    """Return the chord of each half bar: its triad with the seventh and the bass that sound."""
    plan = corpus.plan[corpus.own(song)].numpy().reshape(-1)
    bass, *others = (chroma(_planes(corpus, song, track)) for track in (BASS, GUITAR, STRINGS))
    sounding = bass + sum(others)
    share = sounding / np.maximum(sounding.sum(1, keepdims=True), 1)
    lowest = bass / np.maximum(bass.sum(1, keepdims=True), 1)
    symbols = []
    for at, chord in enumerate(plan.tolist()):
        root, minor = chord % 12, chord >= 12
        seventh = share[at, (root + 10) % 12] >= settings.seventh
        major = not minor and share[at, (root + 11) % 12] >= settings.seventh
        added = "7" if seventh else "maj7" if major else ""
        quality = "m" + added if minor else added
        below = int(lowest[at].argmax())
        inverted = lowest[at, below] >= settings.bass and (below - root) % 12 in (3, 4, 10, 11)
        symbols.append(ChordSymbol(root, quality, below if inverted else None))
    return symbols
