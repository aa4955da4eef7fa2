"""Read notated music: MusicXML, plain or compressed (.mxl), and ABC.

music21 reads the files (https://www.music21.org, BSD licence); here its streams become scores. It
was chosen because it reads both formats with chord symbols, repeats and transposing instruments;
partitura reads MusicXML alone.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from accomp.errors import MusicError
from accomp.extras import extra
from accomp.music.chord_kinds import QUALITY_OF, ChordKind, Degree
from accomp.music.chord_symbols import is_symbol
from accomp.music.deadline import TooLong, at_most
from accomp.music.file_source import FileSource, read_source
from accomp.music.limits import ScoreLimits, check_score
from accomp.music.midi_events import LARGEST_METER, SHORTEST_BAR
from accomp.music.notation_files import ACCEPTED, Kind, notation_kind
from accomp.music.score import (
    Chord,
    KeySignature,
    Note,
    Score,
    Tempo,
    TimeSignature,
    Track,
)

if TYPE_CHECKING:
    from music21 import stream

_VELOCITY = 80  # sheets have no loudness for each note
_MOST_TIMES = 8  # that a repeat is played
# Numbers of meters that music21 would count up to, in an element of MusicXML and a field of ABC.
_LONG_METER = re.compile(r"\d{4}")
_ABC_METER = re.compile(r"^[ML]:.*|\[[ML]:[^\]\n]*", re.MULTILINE)
# Chords by music21's names of their kinds; others by their triad.
_QUALITIES = {
    "major": "",
    "minor": "m",
    "augmented": "aug",
    "diminished": "dim",
    "dominant-seventh": "7",
    "major-seventh": "maj7",
    "minor-seventh": "m7",
    "minor-major-seventh": "mmaj7",
    "augmented-seventh": "aug7",
    "half-diminished-seventh": "m7b5",
    "diminished-seventh": "dim7",
    "major-sixth": "6",
    "minor-sixth": "m6",
    "suspended-second": "sus2",
    "suspended-fourth": "sus4",
    "suspended-fourth-seventh": "7sus4",
    "dominant-ninth": "9",
    "major-ninth": "maj9",
    "minor-ninth": "m9",
    "dominant-11th": "11",
    "minor-11th": "m11",
    "dominant-13th": "13",
    "power": "5",
}
# Where music21 names a kind otherwise than MusicXML.
_KIND_NAMES = {
    "dominant-seventh": "dominant",
    "half-diminished-seventh": "half-diminished",
    "minor-major-seventh": "major-minor",
}


@dataclass(frozen=True)
class NotationLimits:
    """The largest sheet that is read."""

    score: ScoreLimits = ScoreLimits(bytes=3_000_000)
    unpacked: int = 3_000_000  # bytes of compressed MusicXML; read at some 0.2 MB a second
    seconds: float = 30.0  # of processor time: twice what the largest sheets of music take


def read_notation(source: FileSource, limits: NotationLimits = NotationLimits()) -> Score:
    """Read MusicXML or ABC, with repeats played, ties joined and chord symbols as chords.

    Args:
        source: A path, the bytes of a file or a binary file object.
        limits: The largest accepted file.

    Raises:
        MusicError: The file is neither, cannot be read, is above a limit or has no pitched note.
    """
    most = limits.score.bytes
    data = read_source(source, most + 1, ACCEPTED)
    if len(data) > most:
        raise MusicError(
            f"the file is larger than {most / 1e6:g} MB; accepted: up to {most / 1e6:g} MB"
        )
    kind = notation_kind(data)
    if kind is None:
        raise MusicError(f"the file is neither MusicXML nor ABC; {ACCEPTED}")
    notices: list[str] = []
    with extra("scores"):
        import music21
    del music21
    with _told(kind, limits.seconds), at_most(limits.seconds):
        if kind == "ABC":
            found = _parse_abc(_first_tune(_text(data), notices))
        else:
            found = _parse_xml(_unpacked(data, limits.unpacked) if data[:2] == b"PK" else data)
        score = _Reader(found, notices).read()
    if not any(track.notes for track in score.tracks):
        raise MusicError("the file has no notes; accepted: files with at least one pitched note")
    if sum(len(track.notes) for track in score.tracks) > limits.score.notes:
        most_notes = f"{limits.score.notes:,}"
        raise MusicError(f"the file has more than {most_notes} notes; accepted: up to {most_notes}")
    check_score(score, limits.score)
    return score


@contextmanager
def _told(kind: Kind, seconds: float) -> Iterator[None]:
    """Turn whatever a block raises, and that it takes too many seconds, into a MusicError."""
    try:
        yield
    except MusicError:
        raise
    except TooLong as error:
        raise MusicError(
            f"the {kind} file is too intricate: reading it takes more than {seconds:g} seconds; "
            "accepted: simpler files, or the music as MIDI"
        ) from error
    except Exception as error:  # of many kinds
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise MusicError(
            f"the {kind} file cannot be read ({words}); "
            "accepted: whole files, as programs for notation export them"
        ) from error


# Files


def _unpacked(data: bytes, most: int) -> bytes:
    """Return the MusicXML in a compressed file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [name for name in archive.namelist() if not name.startswith("META-INF/")]
            sheets = [name for name in names if name.lower().endswith((".musicxml", ".xml"))]
            if not sheets:
                raise MusicError(f"there is no MusicXML in the archive; {ACCEPTED}")
            with archive.open(sheets[0]) as file:
                content = file.read(most + 1)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise MusicError(f"the compressed MusicXML file is damaged ({error})") from error
    if len(content) > most:
        raise MusicError(
            f"the sheet is larger than {most / 1e6:g} MB; accepted: up to {most / 1e6:g} MB"
        )
    return content


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _first_tune(text: str, notices: list[str]) -> str:
    """Return the first of the tunes of an ABC file, with what precedes all of them."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts = re.split(r"^(?=X:)", text, flags=re.MULTILINE)
    head, tunes = ("", parts) if parts[0].startswith("X:") else (parts[0], parts[1:])
    tunes = [tune for tune in tunes if re.search(r"^K:", tune, re.MULTILINE)]
    if len(tunes) > 1:
        notices.append(f"the file holds {len(tunes)} tunes; the first one is read")
    if not tunes:
        return head if re.match(r"\s*X:", head) else "X:1\n" + head
    if re.search(r"^K:", head, re.MULTILINE):
        return "X:1\n" + head
    return head + tunes[0]


def _parse_abc(text: str) -> "stream.Stream":
    for field in _ABC_METER.findall(text):
        _check_meter(field)
    from music21 import abcFormat
    from music21.converter.subConverters import ConverterABC

    abcFormat.environLocal.warn = _say_nothing  # it prints
    converter = ConverterABC()
    converter.parseData(text)
    return converter.stream


def _check_meter(text: str) -> None:
    """Raise MusicError where a text with numbers of a meter, or of note values, has a huge one."""
    if _LONG_METER.search(text):
        raise MusicError(f"there is a meter of {text[:40]!r}; accepted: numbers below 1,000")


def _say_nothing(*_: Any, **__: Any) -> None:
    pass


def _parse_xml(data: bytes) -> "stream.Stream":
    from music21.musicxml.xmlToM21 import MusicXMLImporter

    if b"<!ENTITY" in data.replace(b"\0", b""):
        raise MusicError("the MusicXML file defines entities, which are not read")
    root = ElementTree.fromstring(data)
    if root.tag not in ("score-partwise", "score-timewise"):
        raise MusicError(f"there is no score in the MusicXML file, but {root.tag[:40]!r}")
    for element in root.iter():
        if element.tag in ("beats", "beat-type"):
            _check_meter(element.text or "")
    importer = MusicXMLImporter()
    importer.xmlRoot = _by_parts(root)
    importer.xmlRootToScore(importer.xmlRoot, importer.stream)
    return importer.stream


def _by_parts(root: ElementTree.Element) -> ElementTree.Element:
    """Return a sheet that is sorted by bars (score-timewise) sorted by parts."""
    if root.tag != "score-timewise":
        return root
    sorted_root = ElementTree.Element("score-partwise", root.attrib)
    parts: dict[str, ElementTree.Element] = {}
    for element in root:
        if element.tag != "measure":
            sorted_root.append(element)
            continue
        for part in element.findall("part"):
            name = part.get("id", "")
            if name not in parts:
                parts[name] = ElementTree.SubElement(sorted_root, "part", part.attrib)
            measure = ElementTree.SubElement(parts[name], "measure", element.attrib)
            measure.extend(part)
    return sorted_root


# Streams to scores


class _Reader:
    """Turn a stream of music21 into a score."""

    def __init__(self, found: "stream.Stream", notices: list[str]):
        self.notices = notices
        self.stream = self._as_played(found)
        parts = list(self.stream.getElementsByClass("Part")) or [self.stream]
        self.parts: list[Any] = parts
        self.bars = self._bars()
        # The bar of a pickup is filled with a rest before it, so that bar lines lie right.
        self.delay = Fraction(0)
        if len(self.bars) > 1 and self.bars[0][1] < self.bars[0][2]:
            self.delay = self.bars[0][2] - self.bars[0][1]
        self.resolution = self._resolution()

    def read(self) -> Score:
        tracks = [self._track(part) for part in self.parts]
        return Score(
            [track for track in tracks if track.notes],
            self._tempos(),
            self._meters(),
            self.resolution,
            self._chords(),
            self.notices,
            self._key_signatures(),
        )

    def _as_played(self, found: "stream.Stream") -> Any:
        """Play repeats, and let transposing instruments sound."""
        repeats = list(found.recurse().getElementsByClass("Repeat"))
        marks = list(found.recurse().getElementsByClass("RepeatMark"))
        for repeat in repeats:
            if repeat.times and repeat.times > _MOST_TIMES:
                repeat.times = _MOST_TIMES
        if repeats or marks:
            try:
                found = found.expandRepeats()
                self.notices.append("repeats are played")
            except Exception:  # repeats that do not fit each other raise many kinds
                self.notices.append("the repeats are not understood; the music is read as written")
        try:
            return found.toSoundingPitch()
        except Exception:  # transpositions that change from bar to bar
            return found

    def _bars(self) -> list[tuple[Fraction, Fraction, Fraction, Any]]:
        """Return onset, length and usual length in beats, and time signature of each measure."""
        measures = list(self.parts[0].getElementsByClass("Measure"))
        onsets = [Fraction(measure.offset) for measure in measures]
        ends = onsets[1:] + [Fraction(self.parts[0].highestTime)]
        bars, meter = [], None
        for measure, onset, end in zip(measures, onsets, ends):
            meter = measure.timeSignature or meter
            usual = Fraction(meter.barDuration.quarterLength) if meter else Fraction(4)
            bars.append((onset, end - onset, usual, meter))
        return bars

    def _resolution(self) -> int:
        """Return ticks a beat that hold all onsets and durations, if they are a usual number."""
        found = 24
        for part in self.parts:
            for element in part.recurse().notes:
                for value in (element.offset, element.quarterLength):
                    found = lcm(found, Fraction(value).limit_denominator(960).denominator)
                if found > 10_080:
                    return 10_080
        return lcm(found, 480) if lcm(found, 480) <= 10_080 else found

    def _beat(self, offset: Any) -> float:
        ticks = round((Fraction(offset) + self.delay) * self.resolution)
        return ticks / self.resolution

    def _track(self, part: Any) -> Track:
        notes: list[Note] = []
        tied: dict[int, int] = {}  # by pitch, the place of a note that goes on
        for element in part.flatten().notes:
            if "ChordSymbol" in element.classes or element.quarterLength <= 0:  # a grace note
                continue
            start = self._beat(element.offset)
            end = self._beat(element.offset + element.quarterLength)
            for each in getattr(element, "notes", (element,)):
                if hasattr(each, "pitch") and 0 <= each.pitch.midi <= 127:
                    note = Note(int(each.pitch.midi), start, end - start, _VELOCITY)
                    _add(notes, tied, note, each.tie.type if each.tie else "")
        instrument = part.getInstrument(returnDefault=True)
        program = instrument.midiProgram or 0
        name = str(part.partName or instrument.partName or "")
        return Track(name, min(max(program, 0), 127), False, sorted(notes, key=lambda n: n[1::-1]))

    def _tempos(self) -> list[Tempo]:
        found = {}
        for mark in self.stream.recurse().getElementsByClass("MetronomeMark"):
            bpm = mark.getQuarterBPM() if mark.number or mark.numberSounding else None
            if bpm and bpm > 0:
                microseconds = min(max(round(60e6 / bpm), 1), 0xFFFFFF)
                found.setdefault(self._place(mark), microseconds)
        tempos = [Tempo(onset, microseconds) for onset, microseconds in sorted(found.items())]
        if not tempos:
            return [Tempo(0.0, 500_000)]
        return _changes([tempos[0]._replace(onset=0.0), *tempos[1:]])

    def _place(self, element: Any) -> float:
        return self._beat(element.getOffsetInHierarchy(self.stream))

    def _meters(self) -> list[TimeSignature]:
        """Return the meters, with short and long bars between as bars of their own meter."""
        found: list[TimeSignature] = []
        place = 0
        while place < len(self.bars):
            onset, length, usual, meter = self.bars[place]
            pair = self.bars[place + 1 : place + 2]
            is_edge = place == 0 or place == len(self.bars) - 1
            numerator, denominator = (meter.numerator, meter.denominator) if meter else (4, 4)
            if pair and length < usual and length + pair[0][1] == usual and place:
                place += 1  # a bar that a repeat sign divides
            elif length != usual and not is_edge:
                numerator, denominator = _meter_of(length, denominator)
            place += 1
            start = 0.0 if not found else self._beat(onset)
            is_new = not found or found[-1][1:] != (numerator, denominator)
            if is_new and _is_sensible(numerator, denominator):
                found.append(TimeSignature(start, numerator, denominator))
        return found or [TimeSignature(0.0, 4, 4)]

    def _chords(self) -> list[Chord]:
        found: dict[float, str] = {}
        for symbol in self.stream.recurse().getElementsByClass("ChordSymbol"):
            text = _symbol(symbol)
            if text:
                found.setdefault(self._place(symbol), text)
        return [Chord(onset, text) for onset, text in sorted(found.items())]

    def _key_signatures(self) -> list[KeySignature]:
        found: dict[float, KeySignature] = {}
        for part in self.parts[:1]:
            for each in part.flatten().getElementsByClass("KeySignature"):
                onset = self._beat(each.offset) if each.offset else 0.0
                signature = _signature(onset, each)
                if signature:
                    found[onset] = signature
        return _changes([signature for _, signature in sorted(found.items())])


def _changes(events: list[Any]) -> list[Any]:
    """Leave out events that say what the one before says, as where a repeat begins again."""
    return [
        event
        for place, event in enumerate(events)
        if not place or event[1:] != events[place - 1][1:]
    ]


def _add(notes: list[Note], tied: dict[int, int], note: Note, tie: str) -> None:
    """Add a note, or make the one longer that it is tied to.

    Args:
        notes: Those before.
        tied: By pitch, the place of a note that a tie goes on from.
        note: To be added.
        tie: "start", "continue", "stop" or "".
    """
    place = tied.pop(note.pitch, None)
    if tie in ("stop", "continue") and place is not None and notes[place].end == note.onset:
        notes[place] = notes[place]._replace(duration=note.end - notes[place].onset)
    else:
        place = len(notes)
        notes.append(note)
    if tie in ("start", "continue"):
        tied[note.pitch] = place


def _meter_of(length: Fraction, denominator: int) -> tuple[int, int]:
    """Return the meter of a bar of unusual length, in beats."""
    while (length * denominator / 4).denominator > 1 and denominator < LARGEST_METER:
        denominator *= 2
    return int(length * denominator / 4), denominator


def _is_sensible(numerator: int, denominator: int) -> bool:
    is_known = 1 <= numerator <= LARGEST_METER and denominator in (1, 2, 4, 8, 16, 32)
    return is_known and numerator * 4 / denominator >= SHORTEST_BAR


def _symbol(symbol: Any) -> str | None:
    """Return a chord symbol as text that accomp reads; None where it is none."""
    if "NoChord" in symbol.classes:
        return "N.C."
    root = symbol.root()
    if root is None:
        return None
    name = root.name.replace("-", "b")
    quality = _quality(symbol)
    if quality is None:
        figure = (symbol.figure or "").partition("/")[0].replace("-", "b")
        rest = figure.removeprefix(name)
        quality = rest if is_symbol(name + rest) else _triad(symbol)
    bass = symbol.bass()
    text = name + quality
    if bass is not None and bass.pitchClass != root.pitchClass:
        text += "/" + bass.name.replace("-", "b")
    return text if is_symbol(text) else None


def _quality(symbol: Any) -> str | None:
    """Return a chord's quality by its kind and the degrees beside it; None for an unknown one."""
    kind = symbol.chordKind or ""
    degrees = [
        Degree(int(each.degree), int(each.interval.semitones), each.modType)
        for each in symbol.getChordStepModifications()
    ]
    named = ChordKind(_KIND_NAMES.get(kind, kind), tuple(sorted(degrees)))
    return QUALITY_OF[named] if degrees and named in QUALITY_OF else _QUALITIES.get(kind)


def _triad(symbol: Any) -> str:
    third = symbol.third
    return "m" if third is not None and symbol.getChordStep(3) and symbol.isMinorTriad() else ""


def _signature(onset: float, signature: Any) -> KeySignature | None:
    """Return a key signature; church modes as the major or minor key of their tonic."""
    fifths = signature.sharps or 0
    mode = getattr(signature, "mode", None) or "major"
    moved = {"dorian": -1, "phrygian": 1, "lydian": -1, "mixolydian": 1, "locrian": 2}
    is_minor = mode in ("minor", "aeolian", "dorian", "phrygian", "locrian")
    fifths += moved.get(mode, 0)
    return KeySignature(onset, fifths, is_minor) if abs(fifths) <= 7 else None
