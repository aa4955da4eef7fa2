"""Make the built-in styles: `python -m train styles [--songs FOLDER --labels FILE --choose NAME=FILE ...] [--out FOLDER]`.

Styles are patterns of train/configs/styles.yaml, and training songs of FOLDER whose licence, as the labels state it (columns
file, genre, licence), allows passing them on (train.data.licences). Both go the way of a style that a user brings: a song, encoded
by the embedded models' VAEs. Without --out, the styles that come with accomp are replaced.
"""

import argparse
import csv
import re
from pathlib import Path

import yaml

from accomp import Accompanist, read_midi
from accomp.band.style import Style
from accomp.band.style_library import STYLES, write_styles
from accomp.errors import MusicError
from accomp.music.chord_symbols import ChordSymbol, parse_symbol
from accomp.music.score import Note, Score, Tempo, Track
from accomp.roll.grid import DRUMS, STEPS_PER_BEAT, TRACKS
from train.data.licences import FREE, FREE_NAMES
from train.fit.settings import CONFIGS, present

BAR, SECTION_BARS = 16, 8
DRUM_KIT = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "hat": 42,
    "pedal_hat": 44,
    "tom_low": 45,
    "open_hat": 46,
    "crash": 49,
    "tom_high": 50,
    "ride": 51,
    "tambourine": 54,
    "cowbell": 56,
    "conga_high": 63,
    "conga_low": 64,
    "shaker": 70,
    "guiro": 73,
}
FILL = {"snare": "........x.x.xx..", "tom_high": "............x...", "tom_low": ".............xxx"}
CENTRE = {
    "bass": 36,
    "guitar": 48,
    "strings": 60,
}  # C, above or below which the roots of chords are
VELOCITY, ACCENT, MELODY_PITCH = 80, 110, 72
OWN = {"licence": "MIT", "source": "written for accomp"}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train styles", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--songs", type=Path, help="folder of MIDI files")
    parser.add_argument(
        "--labels",
        type=present,
        help="of these songs, as train.data.prepare takes it; by default their labels.csv",
    )
    parser.add_argument(
        "--choose",
        nargs="*",
        default=[],
        metavar="NAME=FILE",
        help="songs of it, each with a name as a style",
    )
    parser.add_argument("--out", type=Path, default=STYLES)
    options = parser.parse_args(arguments)
    model = Accompanist.from_pretrained("pop")
    styles, about = [], {}
    for name, pattern in yaml.safe_load((CONFIGS / "styles.yaml").read_text()).items():
        styles.append(Style.of(model, song_of(pattern), name))
        about[name] = {"genre": pattern["genre"], **OWN}
    labels = labels_of(options) if options.choose else {}
    for choice in options.choose:
        name, _, path = choice.partition("=")
        if path not in labels:
            raise SystemExit(f"{path!r} is not among the songs of the labels")
        row = labels[path]
        if row.get("split", "train") != "train":
            raise SystemExit(f"{path} is of the {row['split']} songs; accepted: train")
        if not re.match(FREE, row["licence"]):
            raise SystemExit(f"{path} states {row['licence']!r}; accepted: {FREE_NAMES}")
        try:
            styles.append(Style.of(model, read_midi(options.songs / path), name))
        except (MusicError, OSError) as error:
            raise SystemExit(f"{path}: {error}") from error
        about[name] = {
            "genre": row["genre"],
            "licence": row["licence"],
            "source": row.get("source", ""),
        }
    write_styles(options.out, styles, about, model)
    print(f"{options.out}: {len(styles)} styles, {', '.join(about)}")


def labels_of(options: argparse.Namespace) -> dict[str, dict]:
    """By file, what the labels say of each song."""
    labels = options.labels or options.songs and options.songs / "labels.csv"
    if not options.songs or not labels or not labels.is_file():
        raise SystemExit(
            "--choose needs --songs, a folder, and its labels: --labels FILE, or a labels.csv in the folder"
        )
    with open(labels, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if rows and not {"file", "genre", "licence"} <= rows[0].keys():
        raise SystemExit(
            f"{labels.name} has the columns {', '.join(rows[0])}; needed: file, genre, licence"
        )
    return {row["file"]: row for row in rows}


def song_of(pattern: dict) -> Score:
    """Two sections of eight bars, the second with what it changes; a drum fill ends each. The melody's track holds roots, so that
    the song has a key.
    """
    chords = [parse_symbol(text) for text in pattern["chords"]]
    notes: dict[str, list[Note]] = {spec.name: [] for spec in TRACKS}
    for number, lines in enumerate((pattern["a"], pattern["a"] | pattern["b"])):
        first = number * SECTION_BARS
        for bar in range(SECTION_BARS):
            chord, start = chords[bar % len(chords)], (first + bar) * BAR
            notes["piano"].append(
                Note(MELODY_PITCH + chord.root % 12, start / STEPS_PER_BEAT, 3.5, VELOCITY)
            )
            for instrument, line in lines.items():
                bars = line.split("|")
                if any(len(each) != BAR for each in bars):
                    raise SystemExit(f"{instrument}: a bar of {line!r} has not {BAR} sixteenths")
                played = bars[bar % len(bars)]
                if instrument in DRUM_KIT:
                    fills = bar == SECTION_BARS - 1
                    played = played[:8] + FILL.get(instrument, "." * BAR)[8:] if fills else played
                    notes["drums"] += struck(played, DRUM_KIT[instrument], start)
                else:
                    notes[instrument] += pitched(played, chord, CENTRE[instrument], start)
            if bar == SECTION_BARS - 1:
                for drum in FILL.keys() - lines.keys():
                    notes["drums"] += struck(FILL[drum], DRUM_KIT[drum], start)
    tracks = [
        Track(
            spec.name,
            spec.program,
            t == DRUMS,
            sorted(notes[spec.name], key=lambda n: (n.onset, n.pitch)),
        )
        for t, spec in enumerate(TRACKS)
    ]
    return Score(
        [track for track in tracks if track.notes], [Tempo(0.0, round(60e6 / pattern["tempo"]))]
    )


def struck(line: str, pitch: int, start: int) -> list[Note]:
    return [
        Note(
            pitch,
            (start + i) / STEPS_PER_BEAT,
            1 / STEPS_PER_BEAT,
            ACCENT if sign == "X" else VELOCITY,
        )
        for i, sign in enumerate(line)
        if sign in "xX"
    ]


def pitched(line: str, chord: ChordSymbol, centre: int, start: int) -> list[Note]:
    found = []
    for i, sign in enumerate(line):
        if sign in ".-":
            continue
        length = 1
        while i + length < len(line) and line[i + length] == "-":
            length += 1
        for pitch in tones(sign, chord, centre):
            found.append(
                Note(pitch, (start + i) / STEPS_PER_BEAT, length / STEPS_PER_BEAT, VELOCITY)
            )
    return found


def tones(sign: str, chord: ChordSymbol, centre: int) -> list[int]:
    """The pitches of a sign of a pattern; a seventh that the chord lacks is its sixth."""
    root = centre + chord.root % 12 - (12 if chord.root % 12 > 7 else 0)
    above = sorted((tone - chord.root) % 12 for tone in chord.tones)
    third = next((t for t in above if t in (3, 4)), 4)
    fifth = next((t for t in above if t in (6, 7, 8)), 7)
    seventh = next((t for t in above if t in (10, 11)), 9)
    degree = {
        "1": 0,
        "3": third,
        "5": fifth,
        "6": 9,
        "7": seventh,
        "8": 12,
        "0": 12 + third,
        "l": fifth - 12,
    }
    if sign == "x":
        return [root + tone for tone in above]
    if sign not in degree:
        raise SystemExit(f"{sign!r} is no sign of a pattern; accepted: {' '.join(degree)} x - .")
    return [root + degree[sign]]


if __name__ == "__main__":
    main()
