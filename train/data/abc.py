"""Convert tunes in ABC notation (abcnotation.com, standard 2.1) to MIDI.

    python -m train abc SOURCE [SOURCE ...] --out FOLDER

A SOURCE is a file of tunes, or a folder of *.abc files. Bars begin on the bar lines of the tunes,
pickups included. Repeats are not written out. Tunes are left out whose meter or key changes, and
those whose bar lines do not fit their meter. FOLDER gets the MIDI files and labels.csv; then:

    python -m train prepare FOLDER --labels FOLDER/labels.csv --out CORPUS
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from accomp.music.midi import write_midi
from accomp.music.score import Note, Score, TimeSignature, Track
from train.command_line import command_parser

FIFTHS = {
    name: fifths
    for fifths, name in enumerate(
        ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"], -7
    )
}
MODES = {  # fifths from the major key of the same tonic
    "m": -3,
    "min": -3,
    "aeo": -3,
    "dor": -2,
    "mix": -1,
    "phr": -4,
    "lyd": 1,
    "loc": -5,
}
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
TUPLETS = {2: Fraction(3, 2), 3: Fraction(2, 3)}  # factor of the length of their notes
TOKEN = re.compile(
    r"""(?P<skip>"[^"]*"|![^!]*!|\{[^}]*\}|\[[A-Za-z]:[^\]]*\]|\[\d)
    | \((?P<tuplet>\d)
    | (?P<accidental>\^\^?|__?|=)?(?P<name>[A-Ga-gzx])(?P<octave>[,']*)
      (?P<length>\d*(?:/+\d*)?)(?P<tie>-?)
    | (?P<broken><+|>+)
    | (?P<bar>\|[:|\]]?|:\||::)
    | (?P<chord>[\[\]])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class TuneSettings:
    """Which tunes are worth learning from."""

    fewest_notes: int = 16  # shorter ones are fragments
    fewest_bar_lines: int = 6  # fewer do not show where bars begin
    fitting: float = 0.85  # share of the bar lines that lie whole bars apart; volunteers make slips
    velocity: int = 80  # ABC has no dynamics


def main(arguments: list[str] | None = None, settings: TuneSettings = TuneSettings()) -> None:
    """Write the tunes of all sources as MIDI, and their labels."""
    parser = command_parser("abc", __doc__)
    parser.add_argument("source", type=Path, nargs="+", metavar="SOURCE", help="file or folder")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for MIDI files")
    parser.add_argument("--genre", default="folk", help="of all tunes (default: %(default)s)")
    parser.add_argument("--licence", default="", help="of all tunes; written into labels.csv")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    files = [
        file
        for source in options.source
        for file in (sorted(source.rglob("*.abc")) if source.is_dir() else [source])
    ]
    with (options.out / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "licence", "source"])
        for path in files:
            tunes = read_tunes(path.read_text(encoding="latin-1"), settings)
            for number, score in enumerate(tunes):
                name = f"{path.parent.name}-{path.stem}-{number:04d}.mid"
                write_midi(score, options.out / name)
                table.writerow([name, options.genre, options.licence, path.parent.name])


def read_tunes(text: str, settings: TuneSettings = TuneSettings()) -> Iterator[Score]:
    """Read the tunes of a file, except those that `read_tune` leaves out."""
    for part in re.split(r"\n(?=X:)", text):
        header, _, rest = part.partition("\nK:")
        key, _, body = rest.partition("\n")
        fields = dict(re.findall(r"^([A-Z]):\s*(.*?)\s*$", header, re.MULTILINE)[::-1])
        if re.search(r"^[KM]:", body, re.MULTILINE):  # key or meter changes
            continue
        body = re.sub(r"%.*|^[a-zA-Z]:.*|\\", "", body, flags=re.MULTILINE)
        name = fields.get("M", "")
        meter = re.fullmatch(r"(\d+)/(\d+)", {"C": "4/4", "C|": "4/4"}.get(name, name))
        if not meter:
            continue
        signature = TimeSignature(0.0, int(meter[1]), int(meter[2]))
        try:
            score = read_tune(body, key, signature, fields.get("L"), settings)
        except ZeroDivisionError:  # lengths such as C/0
            continue
        if score:
            yield score


def read_tune(
    body: str,
    key: str,
    meter: TimeSignature,
    unit: str | None = None,
    settings: TuneSettings = TuneSettings(),
) -> Score | None:
    """Read a tune, so that its bar lines are those of its meter.

    Args:
        body: The notes.
        key: The field K.
        meter: The field M.
        unit: The field L, the length of a note without a number, as a share of a whole note; by
            default an eighth, or a sixteenth in meters shorter than 3/4.
        settings: Which tunes are worth reading.

    Returns:
        The tune; None where it is too short, has an unknown tuplet, or where its bar lines do not
        fit the meter.

    Raises:
        ZeroDivisionError: The length of a note is divided by 0.
    """
    numerator, denominator = meter.numerator, meter.denominator
    usual = Fraction(1, 8) if 4 * numerator >= 3 * denominator else Fraction(1, 16)
    reader = _Reader(4 * Fraction(unit or usual), key_signature(key))
    if not reader.read(body):
        return None
    bar_lines = reader.bar_lines
    if len(reader.notes) < settings.fewest_notes or len(bar_lines) < settings.fewest_bar_lines:
        return None
    bar = Fraction(4 * numerator, denominator)
    (phase, count), *_ = Counter(line % bar for line in bar_lines).most_common(1)
    if count < settings.fitting * len(bar_lines):
        return None
    start = phase - bar if phase else phase
    notes = [
        Note(pitch, float(onset - start), float(length), settings.velocity)
        for pitch, onset, length in reader.notes
    ]
    return Score([Track("Melody", notes=notes)], meters=[meter])


class _Reader:
    """Reads the notes of a tune, token by token; all times are in beats.

    Attributes:
        notes: Lists of pitch, onset and duration. Of a chord, the first note.
        bar_lines: Where they are, from the tune's first note on.
    """

    def __init__(self, unit: Fraction, signature: dict[str, int]):
        self.unit, self.signature = unit, signature
        self.notes: list[list] = []
        self.bar_lines: list[Fraction] = []
        self._now = Fraction(0)
        self._accidentals: dict[tuple[str, str], int] = {}  # of this bar, by letter and octave
        self._tuplet, self._stretch = 0, Fraction(1)  # notes left in a tuplet, and their factor
        self._following = Fraction(1)  # factor of the next note after "<" or ">"
        self._tied = False
        self._in_chord: bool | None = False  # None after a chord's first note: skip the others

    def read(self, body: str) -> bool:
        """Read all tokens; return whether all of them are understood."""
        for token in TOKEN.finditer(body):
            if token["tuplet"]:
                self._tuplet = int(token["tuplet"])
                if self._tuplet not in TUPLETS:
                    return False
                self._stretch = TUPLETS[self._tuplet]
            elif token["chord"]:
                self._in_chord = token["chord"] == "["
            elif token["bar"]:
                self._accidentals = {}
                self.bar_lines += [self._now] if self._now not in self.bar_lines[-1:] else []
            elif token["broken"] and self.notes:
                self._break(token["broken"])
            elif token["name"] and self._in_chord is not None:
                self._read_note(token)
        return True

    def _break(self, sign: str) -> None:
        """Give to the note before what is taken from the next (">"), or the other way round."""
        share = Fraction(1, 2 ** len(sign))
        share, self._following = (2 - share, share) if sign[0] == ">" else (share, 2 - share)
        self._now += (share - 1) * self.notes[-1][2]
        self.notes[-1][2] *= share

    def _read_note(self, token: re.Match) -> None:
        duration = self.unit * length_of(token["length"]) * self._following
        if self._tuplet:
            duration *= self._stretch
        self._tuplet, self._following = max(self._tuplet - 1, 0), Fraction(1)
        if token["name"] not in "zx":
            pitch = self._pitch(token)
            if self._tied and self.notes and self.notes[-1][0] == pitch:
                self.notes[-1][2] += duration
            else:
                self.notes.append([pitch, self._now, duration])
        self._now += duration
        self._tied = bool(token["tie"])
        self._in_chord = None if self._in_chord else False

    def _pitch(self, token: re.Match) -> int:
        place = token["name"], token["octave"]
        if token["accidental"]:
            self._accidentals[place] = ACCIDENTALS[token["accidental"]]
        octave = token["name"].islower() + token["octave"].count("'") - token["octave"].count(",")
        letter = token["name"].upper()
        altered = self._accidentals.get(place, self.signature.get(letter, 0))
        return 60 + SEMITONES[letter] + 12 * octave + altered


def key_signature(key: str) -> dict[str, int]:
    """Return the letters that are sharp (1) or flat (-1) in a key: "G", "Dm", "A dorian"."""
    found = re.match(r"\s*([A-G][b#]?)\s*([a-zA-Z]*)", key)
    if not found:
        return {}
    mode = found[2].lower()
    fifths = FIFTHS.get(found[1], 0) + MODES.get(mode if mode == "m" else mode[:3], 0)
    sharp, flat = "FCGDAEB"[: max(fifths, 0)], "BEADGCF"[: max(-fifths, 0)]
    return dict.fromkeys(sharp, 1) | dict.fromkeys(flat, -1)


def length_of(text: str) -> Fraction:
    """Return the length of a note in units: "3", "/2", "3/2", "//"."""
    above, _, below = text.partition("/")
    if "/" not in text:
        return Fraction(above or 1)
    return Fraction(int(above or 1), int(below) if below.isdigit() else 2 ** text.count("/"))


if __name__ == "__main__":
    main()
