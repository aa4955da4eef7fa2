"""Tunes in ABC notation (abcnotation.com, standard 2.1) as MIDI: `python -m train abc SOURCE [SOURCE ...] --out FOLDER`.

A SOURCE is a file of tunes or a folder of them. Bars begin on the tunes' bar lines, pickups included; repeats are not written
out, and tunes whose meter or key changes, or whose bar lines don't agree, are left out. Then:
`python -m train prepare FOLDER --labels FOLDER/labels.csv --out ...`.
"""

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from accomp.music.midi import write_midi
from accomp.music.score import Note, Score, TimeSignature, Track

LEAST_NOTES, LEAST_BARS = 16, 6
AGREE = 0.85  # share of the bar lines that must lie whole bars apart
FIFTHS = {
    name: fifths
    for fifths, name in enumerate(
        ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"], -7
    )
}
MODES = {
    "m": -3,
    "min": -3,
    "aeo": -3,
    "dor": -2,
    "mix": -1,
    "phr": -4,
    "lyd": 1,
    "loc": -5,
}  # fifths from major
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
TUPLETS = {2: Fraction(3, 2), 3: Fraction(2, 3)}  # how long their notes last
TOKEN = re.compile(
    r"""(?P<skip>"[^"]*"|![^!]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\]|\[\d)
    | \((?P<tuplet>\d)
    | (?P<accidental>\^\^?|__?|=)?(?P<name>[A-Ga-gzx])(?P<octave>[,']*)(?P<length>\d*(?:/+\d*)?)(?P<tie>-?)
    | (?P<broken><+|>+)
    | (?P<bar>\|[:|\]]?|:\||::)
    | (?P<chord>[\[\]])""",
    re.VERBOSE,
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="train abc", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("source", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--genre", default="folk")
    parser.add_argument("--licence", default="", help="of the tunes, for the record")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    files = [
        file
        for source in options.source
        for file in (sorted(source.rglob("*.abc")) if source.is_dir() else [source])
    ]
    with open(options.out / "labels.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "licence", "source"])
        for path in files:
            for number, score in enumerate(read_tunes(path.read_text(encoding="latin-1"))):
                name = f"{path.parent.name}-{path.stem}-{number:04d}.mid"
                write_midi(score, options.out / name)
                table.writerow([name, options.genre, options.licence, path.parent.name])


def read_tunes(text: str) -> Iterator[Score]:
    """The tunes of a file that can be read."""
    for part in re.split(r"\n(?=X:)", text):
        header, _, rest = part.partition("\nK:")
        key, _, body = rest.partition("\n")
        fields = dict(re.findall(r"^([A-Z]):\s*(.*?)\s*$", header, re.MULTILINE)[::-1])
        if re.search(r"^[KM]:", body, re.MULTILINE):  # changes
            continue
        body = re.sub(r"%.*|^[a-zA-Z]:.*|\\", "", body, flags=re.MULTILINE)
        meter = re.fullmatch(
            r"(\d+)/(\d+)", {"C": "4/4", "C|": "4/4"}.get(fields.get("M"), fields.get("M", ""))
        )
        try:
            score = meter and read_tune(body, key, int(meter[1]), int(meter[2]), fields.get("L"))
        except ZeroDivisionError:  # lengths such as C/0
            continue
        if score:
            yield score


def read_tune(
    body: str, key: str, numerator: int, denominator: int, unit: str | None
) -> Score | None:
    """A tune with its bar lines on those of its meter; None where they don't agree, or there is little of it."""
    unit = 4 * Fraction(
        unit or (Fraction(1, 8) if 4 * numerator >= 3 * denominator else Fraction(1, 16))
    )  # beats
    signature, altered = key_signature(key), {}
    now, stretch, tuplet, following, tied = Fraction(0), Fraction(1), 0, Fraction(1), False
    chord: bool | None = (
        False  # whether one is open; None where its first note, that counts, has been read
    )
    notes: list[list] = []  # pitch, onset, duration
    lines: list[Fraction] = []
    for token in TOKEN.finditer(body):
        if token["tuplet"]:
            tuplet = int(token["tuplet"])
            if tuplet not in TUPLETS:
                return None
            stretch = TUPLETS[tuplet]
        elif token["chord"]:
            chord = token["chord"] == "["
        elif token["bar"]:
            altered = {}
            lines += [now] if now not in lines[-1:] else []
        elif token["broken"] and notes:
            share = Fraction(1, 2 ** len(token["broken"]))
            share, following = (
                (2 - share, share) if token["broken"][0] == ">" else (share, 2 - share)
            )
            now += (share - 1) * notes[-1][2]
            notes[-1][2] *= share
        elif token["name"] and chord is not None:
            duration = unit * length_of(token["length"]) * following
            duration, tuplet, following = (
                duration * stretch if tuplet else duration,
                max(tuplet - 1, 0),
                Fraction(1),
            )
            if token["name"] not in "zx":
                place = token["name"], token["octave"]
                if token["accidental"]:
                    altered[place] = ACCIDENTALS[token["accidental"]]
                octave = (
                    token["name"].islower()
                    + token["octave"].count("'")
                    - token["octave"].count(",")
                )
                letter = token["name"].upper()
                pitch = (
                    60 + STEPS[letter] + 12 * octave + altered.get(place, signature.get(letter, 0))
                )
                if tied and notes and notes[-1][0] == pitch:
                    notes[-1][2] += duration
                else:
                    notes.append([pitch, now, duration])
            now, tied, chord = now + duration, bool(token["tie"]), None if chord else False
    bar = Fraction(4 * numerator, denominator)
    if len(notes) < LEAST_NOTES or len(lines) < LEAST_BARS:
        return None
    (phase, count), *_ = Counter(line % bar for line in lines).most_common(1)
    if count < AGREE * len(lines):
        return None
    start = phase - bar if phase else phase
    track = Track(
        "Melody",
        notes=[
            Note(pitch, float(onset - start), float(length), 80) for pitch, onset, length in notes
        ],
    )
    return Score([track], meters=[TimeSignature(0.0, numerator, denominator)])


def key_signature(key: str) -> dict[str, int]:
    """Letters that are sharp (1) or flat (-1) in a key: "G", "Dm", "A dorian"."""
    found = re.match(r"\s*([A-G][b#]?)\s*([a-zA-Z]*)", key)
    if not found:
        return {}
    mode = found[2].lower()
    fifths = FIFTHS.get(found[1], 0) + MODES.get(mode if mode == "m" else mode[:3], 0)
    return dict.fromkeys("FCGDAEB"[: max(fifths, 0)], 1) | dict.fromkeys(
        "BEADGCF"[: max(-fifths, 0)], -1
    )


def length_of(text: str) -> Fraction:
    """A note's length in units: "3", "/2", "3/2", "//"."""
    above, _, below = text.partition("/")
    if "/" not in text:
        return Fraction(above or 1)
    return Fraction(int(above or 1), int(below) if below.isdigit() else 2 ** text.count("/"))


if __name__ == "__main__":
    main()
