"""Write a lead sheet as MusicXML 4.0 (https://www.w3.org/2021/06/musicxml40/).

It is written here by hand rather than by music21, which reads it in the tests: the same song gives
the same bytes, without a date, and no other package is needed.
"""

import re
from fractions import Fraction
from itertools import groupby
from math import lcm
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from accomp.music.chord_kinds import KINDS
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.instruments import program_name
from accomp.music.score import KeySignature, TimeSignature
from accomp.music.spelling import Spelling, spelled
from accomp.sheet.lead_sheet import LeadSheet, Measure
from accomp.sheet.note_values import Piece

DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
LINE_BARS = 4  # bars in a line ...
DENSE = 10  # ... half as many from so many notes a bar on
ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
BEAMS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}
SHARPS, FLATS = "FCGDAEB", "BEADGCF"  # in the order of key signatures


def musicxml(sheet: LeadSheet, for_picture: bool = False) -> bytes:
    """Return the text of a MusicXML file; the same sheet gives the same bytes.

    for_picture: whether tempos are text alone, for pictures whose fonts lack musical signs, and
    degrees of chords stand only in the text of their kinds, which Verovio would write twice.
    """
    root = Element("score-partwise", version="4.0")
    if sheet.title:
        _add(_add(root, "work"), "work-title", sheet.title)
    encoding = _add(_add(root, "identification"), "encoding")
    _add(encoding, "software", "accomp")
    for element in ("accidental", "beam"):
        SubElement(encoding, "supports", element=element, type="yes")
    _add_part(root, sheet.program)
    part = SubElement(root, "part", id="P1")
    writer = _Writer(_divisions(sheet), _line_bars(sheet), for_picture)
    for place, measure in enumerate(sheet.measures):
        writer.write(part, measure, place, sheet)
    ElementTree.indent(root)
    return (DOCTYPE + ElementTree.tostring(root, "unicode") + "\n").encode()


def _add_part(root: Element, program: int) -> None:
    """Write who plays the melody."""
    part = SubElement(_add(root, "part-list"), "score-part", id="P1")
    _add(part, "part-name", "Melody").set("print-object", "no")
    instrument = SubElement(part, "score-instrument", id="P1-I1")
    _add(instrument, "instrument-name", program_name(program))
    midi = SubElement(part, "midi-instrument", id="P1-I1")
    _add(midi, "midi-channel", 1)
    _add(midi, "midi-program", program + 1)


def _divisions(sheet: LeadSheet) -> int:
    """Return into how many parts a quarter is divided, so that all times are whole."""
    times = [
        time
        for measure in sheet.measures
        for time in (
            measure.length,
            *(piece.length for piece in measure.pieces),
            *(offset for offset, _ in (*measure.chords, *measure.tempos)),
        )
    ]
    return lcm(1, *(time.denominator for time in times))


def _line_bars(sheet: LeadSheet) -> int:
    """Return how many bars stand in a line."""
    notes = sum(len(measure.pieces) for measure in sheet.measures) / len(sheet.measures)
    return LINE_BARS if notes < DENSE else LINE_BARS // 2


class _Writer:
    """Write bar after bar; what is in force, such as the key, is remembered."""

    def __init__(self, divisions: int, line_bars: int, for_picture: bool):
        self.divisions, self.line_bars = divisions, line_bars
        self.for_picture = for_picture
        self.fifths = 0

    def write(self, part: Element, measure: Measure, place: int, sheet: LeadSheet) -> None:
        """Write a bar."""
        element = SubElement(part, "measure", number=str(measure.number))
        if measure.number == 0:
            element.set("implicit", "yes")
        before = measure.number - max(sheet.measures[0].number, 1)
        if before > 0 and before % self.line_bars == 0:
            SubElement(element, "print", {"new-system": "yes"})
        if measure.signature:
            self.fifths = measure.signature.fifths
        self._write_attributes(element, measure, is_first=place == 0)
        if place == 0 and sheet.swings:
            _add_swing(element)
        self._write_music(element, measure)
        if measure is sheet.measures[-1]:
            _add(SubElement(element, "barline", location="right"), "bar-style", "light-heavy")

    def _write_attributes(self, parent: Element, measure: Measure, is_first: bool) -> None:
        if not (is_first or measure.signature or measure.new_meter):
            return
        attributes = _add(parent, "attributes")
        if is_first:
            _add(attributes, "divisions", self.divisions)
        if measure.signature:
            _add_key(attributes, measure.signature)
        if measure.new_meter:
            _add_time(attributes, measure.meter)
        if is_first:
            clef = _add(attributes, "clef")
            _add(clef, "sign", "G")
            _add(clef, "line", 2)

    def _write_music(self, parent: Element, measure: Measure) -> None:
        """Write chords and tempos before the notes at which, or in which, they come."""
        spellings = _Spellings(self.fifths)
        beams = _beams(measure)
        brackets = _brackets(measure.pieces)
        for place, piece in enumerate(measure.pieces):
            for offset, bpm in measure.tempos:
                if piece.onset <= offset < piece.end:
                    self._write_tempo(parent, bpm, offset - piece.onset, measure.meter)
            for offset, symbol in measure.chords:
                if piece.onset <= offset < piece.end:
                    self._write_chord(parent, symbol, offset - piece.onset)
            note = _add(parent, "note")
            if piece.pitch is None and piece.length == measure.length:
                self._write_empty_bar(note, piece)
                continue
            self._write_note(note, piece, spellings, beams.get(place, []))
            self._write_notations(note, piece, brackets.get(place))

    def _write_empty_bar(self, note: Element, piece: Piece) -> None:
        """Write the rest of a whole bar, which looks the same whatever its length."""
        _add(note, "rest").set("measure", "yes")
        _add(note, "duration", int(piece.length * self.divisions))
        _add(note, "voice", 1)

    def _write_note(
        self, note: Element, piece: Piece, spellings: "_Spellings", beams: list[str]
    ) -> None:
        accidental = None
        if piece.pitch is None:
            _add(note, "rest")
        else:
            name, accidental = spellings.of(piece)
            pitch = _add(note, "pitch")
            _add(pitch, "step", name.step)
            if name.alter:
                _add(pitch, "alter", name.alter)
            _add(pitch, "octave", name.octave(piece.pitch))
        _add(note, "duration", int(piece.length * self.divisions))
        for is_tied, kind in ((piece.tied_back, "stop"), (piece.tied_on, "start")):
            if is_tied:
                SubElement(note, "tie", type=kind)
        _add(note, "voice", 1)
        kind, dots = piece.written
        if kind:
            _add(note, "type", kind)
        for _ in range(dots):
            _add(note, "dot")
        if accidental:
            _add(note, "accidental", accidental)
        if piece.is_triplet:
            modification = _add(note, "time-modification")
            _add(modification, "actual-notes", 3)
            _add(modification, "normal-notes", 2)
        for level, word in enumerate(beams, 1):
            _add(note, "beam", word).set("number", str(level))

    def _write_notations(self, note: Element, piece: Piece, bracket: str | None) -> None:
        if not (piece.tied_back or piece.tied_on or bracket):
            return
        notations = _add(note, "notations")
        for is_tied, kind in ((piece.tied_back, "stop"), (piece.tied_on, "start")):
            if is_tied:
                SubElement(notations, "tied", type=kind)
        for kind in (bracket or "").split():
            SubElement(notations, "tuplet", type=kind)

    def _write_chord(self, parent: Element, symbol: ChordSymbol, offset: Fraction) -> None:
        harmony = _add(parent, "harmony")
        names = symbol.spellings(self.fifths)
        for name, what in zip(names, ("root", "bass")):
            if what == "bass":
                self._write_kind(harmony, symbol.quality)
            tone = _add(harmony, what)
            _add(tone, f"{what}-step", name.step)
            if name.alter:
                _add(tone, f"{what}-alter", name.alter)
        if len(names) == 1:
            self._write_kind(harmony, symbol.quality)
        for degree in () if self.for_picture else KINDS[symbol.quality].degrees:
            element = SubElement(harmony, "degree", {"print-object": "no"})
            _add(element, "degree-value", degree.number)
            _add(element, "degree-alter", degree.alter)
            _add(element, "degree-type", degree.type)
        if offset:
            _add(harmony, "offset", int(offset * self.divisions))

    def _write_kind(self, harmony: Element, quality: str) -> None:
        text = re.sub(r"b(?=\d)", "\u266d", quality).replace("#", "\u266f")
        kind = _add(harmony, "kind", KINDS[quality].name)
        kind.set("text", text if self.for_picture else quality)

    def _write_tempo(
        self, parent: Element, bpm: float, offset: Fraction, meter: TimeSignature
    ) -> None:
        direction = SubElement(parent, "direction", placement="above")
        kind = _add(direction, "direction-type")
        pulses = _number(bpm / 1.5 if meter.is_compound else bpm)
        if self.for_picture:
            _add(kind, "words", f"\u2669{'.' if meter.is_compound else ''} = {pulses}")
        else:
            metronome = _add(kind, "metronome")
            _add(metronome, "beat-unit", "quarter")
            if meter.is_compound:
                _add(metronome, "beat-unit-dot")
            _add(metronome, "per-minute", pulses)
        if offset:
            _add(direction, "offset", int(offset * self.divisions))
        SubElement(direction, "sound", tempo=f"{bpm:.4f}".rstrip("0").rstrip("."))


class _Spellings:
    """The names of notes in a bar, and where one needs a sign."""

    def __init__(self, fifths: int):
        self.fifths = fifths
        order, sign = (SHARPS, 1) if fifths > 0 else (FLATS, -1)
        self.key = dict.fromkeys("CDEFGAB", 0) | dict.fromkeys(order[: abs(fifths)], sign)
        self.shown: dict[tuple[str, int], int] = {}

    def of(self, piece: Piece) -> tuple[Spelling, str | None]:
        """Return the name of a piece's pitch and the sign that is written before it."""
        pitch = piece.pitch or 0
        name = spelled(pitch % 12, self.fifths)
        place = (name.step, name.octave(pitch))
        usual = self.shown.get(place, self.key[name.step])
        if piece.tied_back:
            return name, None
        self.shown[place] = name.alter
        return name, ACCIDENTALS[name.alter] if name.alter != usual else None


def _beams(measure: Measure) -> dict[int, list[str]]:
    """Return by place of a piece the beams of its levels: notes of one beat are joined."""
    beat = Fraction(3, 2) if measure.meter.is_compound else Fraction(1)
    before = Fraction(measure.meter.bar_beats) - measure.length
    short = [
        (place, BEAMS[piece.written[0]], (piece.onset + before) // beat)
        for place, piece in enumerate(measure.pieces)
        if piece.pitch is not None and piece.written[0] in BEAMS
    ]
    found: dict[int, list[str]] = {}
    for _, group in groupby(enumerate(short), key=lambda each: (each[1][2], each[1][0] - each[0])):
        joined = [each for _, each in group]
        if len(joined) > 1:
            found |= _joined([(place, levels) for place, levels, _ in joined])
    return found


def _joined(notes: list[tuple[int, int]]) -> dict[int, list[str]]:
    """Return the beams of notes that are joined, each with its place and its number of beams."""
    found = {}
    for index, (place, levels) in enumerate(notes):
        words = []
        for level in range(1, levels + 1):
            back = index > 0 and notes[index - 1][1] >= level
            on = index + 1 < len(notes) and notes[index + 1][1] >= level
            alone = "backward hook" if index else "forward hook"
            words.append(
                {(False, True): "begin", (True, True): "continue", (True, False): "end"}.get(
                    (back, on), alone
                )
            )
        found[place] = words
    return found


def _brackets(pieces: list[Piece]) -> dict[int, str]:
    """Return by place of a piece whether a triplet starts or stops there, or both."""
    found: dict[int, str] = {}
    is_open, length = False, Fraction(0)
    for place, piece in enumerate(pieces):
        if not piece.is_triplet:
            continue
        words = [] if is_open else ["start"]
        length += piece.length
        is_open = length.denominator > 1
        if not is_open:
            words.append("stop")
        if words:
            found[place] = " ".join(words)
    return found


def _add_key(attributes: Element, signature: KeySignature) -> None:
    key = _add(attributes, "key")
    _add(key, "fifths", signature.fifths)
    _add(key, "mode", "minor" if signature.is_minor else "major")


def _add_time(attributes: Element, meter: TimeSignature) -> None:
    time = _add(attributes, "time")
    _add(time, "beats", meter.numerator)
    _add(time, "beat-type", meter.denominator)


def _add_swing(measure: Element) -> None:
    direction = SubElement(measure, "direction", placement="above")
    _add(_add(direction, "direction-type"), "words", "Swing")
    swing = _add(_add(direction, "sound"), "swing")
    _add(swing, "first", 2)
    _add(swing, "second", 1)
    _add(swing, "swing-type", "eighth")


def _number(value: float) -> str:
    """Write a tempo as people do: whole where it nearly is."""
    return f"{round(value)}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


def _add(parent: Element, name: str, text: object = None) -> Element:
    element = SubElement(parent, name)
    if text is not None:
        element.text = str(text)
    return element
