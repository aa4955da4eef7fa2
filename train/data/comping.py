"""Write songs in three and in six: lead sheets with comping written for accomp.

    python -m train comping LEAD_SHEETS.jsonl.gz ... --out FOLDER

Collections of songs are in four nearly throughout, so a band that learns from them alone has
nothing to play in a waltz or a jig. Each pattern of train/configs/meters.yaml is played under
melodies of lead sheets in its meter. FOLDER gets the songs as MIDI files and labels.csv, as
`train prepare` takes them; all are training songs.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from accomp.music.chord_symbols import ChordSymbol, parse_symbol
from accomp.music.midi import write_midi
from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.roll.grid import TRACKS
from train.command_line import command_parser, present
from train.data.lead_sheets import LeadSheet, read_lead_sheets
from train.data.songs import LABELS
from train.data.style_patterns import CENTRE, DRUM_KIT, tones

CONFIGS = Path(__file__).parents[1] / "configs"
SOURCE = "written for accomp"
SIGNS = {(3, 4): 12, (6, 8): 6}  # of a bar; a bar of 12/8 is two of 6/8
BEATS = {(3, 4): 0.25, (6, 8): 0.5}  # of a sign
# What the drums play in the second half of a phrase's last bar.
FILLS = {
    (3, 4): {"snare": "......x.x.xx", "tom_high": "........x...", "tom_low": "..........xx"},
    (6, 8): {"snare": "...xx.", "tom_low": "....xx"},
}


@dataclass(frozen=True)
class CompingSettings:
    """How patterns are played."""

    sheets: int = 2  # of each pattern and genre
    fewest_bars: int = 16  # of a sheet
    most_bars: int = 64  # of a song
    phrase: int = 8  # bars, after which the pattern changes
    fill: float = 0.5  # chance of a fill at a phrase's end
    first: int = 92  # velocity of a bar's first sign
    other: int = 78
    accent: int = 110  # of X


def main(arguments: list[str] | None = None, settings: CompingSettings = CompingSettings()) -> None:
    """Play all patterns in all their genres."""
    parser = command_parser("comping", __doc__)
    parser.add_argument("sheets", type=present, nargs="+", metavar="LEAD_SHEETS", help=".jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the songs")
    parser.add_argument("--seed", type=int, default=0, help="of the choice (default: %(default)s)")
    options = parser.parse_args(arguments)
    random = np.random.default_rng(options.seed)
    sheets = [sheet for sheet in read_lead_sheets(options.sheets) if is_whole(sheet, settings)]
    patterns = yaml.safe_load((CONFIGS / "meters.yaml").read_text(encoding="utf-8"))
    rows = []
    for name, pattern in patterns.items():
        meter = meter_of(pattern)
        fitting = [s for s in sheets if s.score.meters[0][1:] == meter]
        for genre in pattern["genres"]:
            for sheet in choose_sheets(fitting, genre, random, settings):
                score = comped(sheet.score, pattern, random, settings)
                file = f"{genre}/{name}_{len(rows):03d}.mid"
                (options.out / genre).mkdir(parents=True, exist_ok=True)
                write_midi(score, options.out / file)
                known = {"file": file, "genre": genre, "split": "train"}
                rows.append({**known, "licence": sheet.licence, "source": SOURCE})
    with (options.out / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [name for name in LABELS if name != "dup_group"])
        table.writeheader()
        table.writerows(rows)
    print(f"{options.out}: {len(rows)} songs of {len(patterns)} patterns")


def is_whole(sheet: LeadSheet, settings: CompingSettings) -> bool:
    """Tell whether a sheet trains, keeps its meter, and has chords and enough bars."""
    bars = sheet.score.tracks[0].end / sheet.score.meters[0].bar_beats
    return (
        sheet.split == "train"
        and not sheet.is_mixed
        and len(sheet.spans) > 1
        and bars >= settings.fewest_bars
    )


def meter_of(pattern: dict) -> tuple[int, int]:
    """Return numerator and denominator of the bars in which a pattern is played."""
    numerator, denominator = map(int, pattern["meter"].split("/"))
    return (6, 8) if (numerator, denominator) == (12, 8) else (numerator, denominator)


def choose_sheets(
    sheets: list[LeadSheet], genre: str, random: np.random.Generator, settings: CompingSettings
) -> list[LeadSheet]:
    """Draw sheets, those of the genre's collections before others.

    Args:
        sheets: All of the meter.
        genre: Whose band plays.
        random: Draws.
        settings: How many.
    """
    sources = yaml.safe_load((CONFIGS / "accomp.yaml").read_text())["planner_sources"]["genres"]
    order = random.permutation(len(sheets))

    def far(index: int) -> int:
        own = sources.get(sheets[index].source)
        return 0 if own == genre else 1 if own == "standards" else 2

    return [sheets[index] for index in sorted(order, key=far)[: settings.sheets]]


def comped(
    sheet: Score,
    pattern: dict,
    random: np.random.Generator,
    settings: CompingSettings = CompingSettings(),
) -> Score:
    """Return a lead sheet with a band that plays a pattern.

    Args:
        sheet: One track, the melody, with its meter and chords.
        pattern: Of meters.yaml.
        random: Draws the fills.
        settings: How it is played.

    Raises:
        SystemExit: A bar of the pattern has another number of signs than its meter.
    """
    meter = meter_of(pattern)
    variants = [pattern["a"] | pattern.get(each, {}) for each in ("a", "b", "c")]
    bars = sheet.bars(sheet.tracks[0].end)[: settings.most_bars]
    chords = [(chord.onset, parse_symbol(chord.symbol)) for chord in sheet.chords]
    notes: dict[str, list[Note]] = {spec.name: [] for spec in TRACKS}
    for number, bar in enumerate(bars):
        phrase, place = divmod(number, settings.phrase)
        lines = _lines(variants[phrase % len(variants)], number, meter)
        if place == settings.phrase - 1 and random.random() < settings.fill:
            lines = _with_fill(lines, meter)
        for name, line in lines.items():
            for sign, onset, end in _events(line, bar.onset, BEATS[meter]):
                velocity = settings.first if onset == bar.onset else settings.other
                if name in DRUM_KIT:
                    velocity = settings.accent if sign == "X" else velocity
                    notes["drums"].append(Note(DRUM_KIT[name], onset, 0.25, velocity))
                else:
                    notes[name] += [
                        Note(pitch, start, stop - start, velocity)
                        for start, stop, chord in _under(chords, onset, end)
                        for pitch in tones(sign, chord, CENTRE[name])
                    ]
    last = bars[-1].onset + bars[-1].meter.bar_beats
    melody = [note for note in sheet.tracks[0].notes if note.onset < last]
    band = [
        Track(spec.name, spec.program, spec.name == "drums", sorted(notes[spec.name], key=_place))
        for spec in TRACKS
        if notes[spec.name]
    ]
    meters = [TimeSignature(0.0, *meter)]
    return Score([Track("melody", 73, notes=melody), *band], meters=meters, chords=sheet.chords)


def _place(note: Note) -> tuple[float, int]:
    return note.onset, note.pitch


def _lines(variant: dict[str, str], bar: int, meter: tuple[int, int]) -> dict[str, str]:
    """Return what each instrument plays in a bar."""
    size, found = SIGNS[meter], {}
    for instrument, line in variant.items():
        bars = []
        for each in line.split("|"):
            if not each or len(each) % size:
                raise SystemExit(f"{instrument}: a bar of {line!r} has not {size} signs")
            bars += [each[at : at + size] for at in range(0, len(each), size)]
        found[instrument] = bars[bar % len(bars)]
    return found


def _with_fill(lines: dict[str, str], meter: tuple[int, int]) -> dict[str, str]:
    """Let the drums end a bar with a fill."""
    half = SIGNS[meter] // 2
    silence = "." * SIGNS[meter]
    drums = {name: lines.get(name, silence) for name in {*lines, *FILLS[meter]} & DRUM_KIT.keys()}
    filled = {
        name: line[:half] + FILLS[meter].get(name, silence)[half:] for name, line in drums.items()
    }
    return lines | filled


def _events(line: str, start: float, beats: float) -> Iterator[tuple[str, float, float]]:
    """Give the signs of a bar that sound: sign, onset and end in beats."""
    for step, sign in enumerate(line):
        if sign in ".-":
            continue
        held = len(line[step + 1 :]) - len(line[step + 1 :].lstrip("-"))
        yield sign, start + step * beats, start + (step + 1 + held) * beats


def _under(
    chords: list[tuple[float, ChordSymbol]], onset: float, end: float
) -> Iterator[tuple[float, float, ChordSymbol]]:
    """Cut a note where the chord changes under it, and give the pieces with their chords."""
    onsets = [at for at, _ in chords]
    first = max(int(np.searchsorted(onsets, onset + 1e-6)) - 1, 0)
    changes = [at for at in onsets[first + 1 :] if onset + 1e-6 < at < end - 1e-6]
    edges = [onset, *changes, end]
    for number, (start, stop) in enumerate(zip(edges, edges[1:])):
        yield start, stop, chords[first + number][1]
