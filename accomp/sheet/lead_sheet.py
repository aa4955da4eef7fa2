"""A lead sheet as data: bars with what is written in them."""

from dataclasses import dataclass, field
from fractions import Fraction

from accomp.errors import MusicError
from accomp.music.bar_numbers import numbered_bars
from accomp.music.chord_symbols import ChordSymbol, is_symbol, parse_symbol
from accomp.music.key_signatures import key_of, signature_of
from accomp.music.melody_track import skyline
from accomp.music.score import Bar, Chord, KeySignature, Score, Tempo, TimeSignature, Track
from accomp.music.timing import mean_tempo
from accomp.sheet.note_values import Piece, pieces_of
from accomp.sheet.quantise import WrittenNote, exact, quantised

EPSILON = 1e-6  # beats


@dataclass(frozen=True)
class TempoSettings:
    """Which changes of tempo are written.

    A song in time with a recording has one for each beat. Its mean says more on paper.
    """

    changes: int = 2  # that are written in any song
    bars: float = 4.0  # to each change at least, on average, where there are more
    change: float = 0.03  # part of the tempo that a change makes at least


@dataclass
class Measure:
    """A bar of a lead sheet.

    Attributes:
        number: As it is printed; 0 for a pickup.
        onset: Beats of the song.
        length: Beats that are written: of a pickup from its first note on.
        meter: In force.
        pieces: Notes and rests.
        chords: Chord symbols, with beats from the beginning of the bar.
        new_meter: Whether the meter is written.
        signature: A key signature that is written; None where the one before stays.
        tempos: Quarters a minute that are written, with beats from the beginning of the bar.
    """

    number: int
    onset: Fraction
    length: Fraction
    meter: TimeSignature
    pieces: list[Piece] = field(default_factory=list)
    chords: list[tuple[Fraction, ChordSymbol]] = field(default_factory=list)
    new_meter: bool = False
    signature: KeySignature | None = None
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)

    @property
    def end(self) -> Fraction:
        """Beats of the song."""
        return self.onset + self.length


@dataclass
class LeadSheet:
    """A melody with chord symbols.

    Attributes:
        title: Of the song.
        measures: Its bars, at least one.
        swings: Whether eighths are written straight and played swung.
        program: General MIDI program of the melody.
    """

    title: str
    measures: list[Measure]
    swings: bool = False
    program: int = 0


def lead_sheet(
    song: Score, melody: Track, title: str = "", settings: TempoSettings = TempoSettings()
) -> LeadSheet:
    """Write a song's melody and chords on paper, from the first bar in which one of them is.

    Args:
        song: With the chords.
        melody: One of its tracks, of which the top line is written.
        title: Of the song.
        settings: Which changes of tempo are written.

    Raises:
        MusicError: The melody has no notes.
    """
    line = skyline(melody.notes)
    if not line:
        raise MusicError("the melody has no notes; accepted: at least one for a lead sheet")
    bars = numbered_bars(song, melody)
    notes, swings = quantised(line, list(bars.values()))
    begins = min(
        [float(notes[0].onset), *(c.onset for c in song.chords if not bars_before(bars, c))]
    )
    kept = {n: bar for n, bar in bars.items() if bar.onset + bar.meter.bar_beats > begins + EPSILON}
    measures = _measures(kept, notes)
    for measure in measures:
        measure.pieces = pieces_of(notes, measure.onset, measure.length, measure.meter)
    _write_meters(measures)
    _write_signatures(measures, song.key_signatures or [signature_of(key_of(song, line))])
    _write_chords(measures, song.chords)
    _write_tempos(measures, _tempos(song, len(measures), settings))
    return LeadSheet(title, measures, swings, melody.program)


def bars_before(bars: dict[int, Bar], chord: Chord) -> bool:
    """Tell whether a chord lies before all bars."""
    return chord.onset < next(iter(bars.values())).onset - EPSILON


def _measures(bars: dict[int, Bar], notes: list[WrittenNote]) -> list[Measure]:
    """Return empty measures; that of a pickup begins with its first note."""
    numbered = list(bars.items())
    measures = []
    for place, (number, bar) in enumerate(numbered):
        onset, meter = exact(bar.onset), bar.meter
        end = onset + exact(meter.bar_beats)
        if place + 1 < len(numbered):
            end = min(end, exact(numbered[place + 1][1].onset))
        if place == 0 and number == 0 and len(numbered) > 1:
            meter = numbered[1][1].meter
            onset = max(onset, min(notes[0].onset, end - Fraction(1, 8)))
        measures.append(Measure(number, onset, end - onset, meter))
    return measures


def _write_meters(measures: list[Measure]) -> None:
    before = None
    for measure in measures:
        meter = measure.meter[1:]
        measure.new_meter, before = meter != before, meter


def _write_signatures(measures: list[Measure], signatures: list[KeySignature]) -> None:
    """Write each key signature at the bar in which it comes into force."""
    before = None
    for measure in measures:
        begun = [each for each in signatures if each.onset < measure.end - EPSILON]
        now = begun[-1] if begun else signatures[0]
        if before is None or now[1:] != before[1:]:
            measure.signature = before = now


def _write_chords(measures: list[Measure], chords: list[Chord]) -> None:
    """Write each chord where it begins; what sounds already when the sheet begins, there."""
    before: ChordSymbol | None = None
    known = [chord for chord in sorted(chords) if is_symbol(chord.symbol)]
    for place, measure in enumerate(measures):
        start, end = float(measure.onset) - EPSILON, float(measure.end) - EPSILON
        inside = [chord for chord in known if start <= chord.onset < end]
        earlier = [chord for chord in known if chord.onset < start]
        if place == 0 and earlier and not (inside and inside[0].onset <= start + 2 * EPSILON):
            inside.insert(0, earlier[-1]._replace(onset=float(measure.onset)))
        for chord in inside:
            symbol = parse_symbol(chord.symbol)
            if symbol != before:
                measure.chords.append((exact(chord.onset) - measure.onset, symbol))
            before = symbol


def _tempos(song: Score, bars: int, settings: TempoSettings) -> list[Tempo]:
    """Return the changes of tempo that are written."""
    found: list[Tempo] = []
    for tempo in song.tempos:
        if not found or abs(tempo.bpm / found[-1].bpm - 1) >= settings.change:
            found.append(tempo)
    if len(found) - 1 > max(settings.changes, bars / settings.bars):
        return [Tempo(0.0, round(60e6 / mean_tempo(song)))]
    return found


def _write_tempos(measures: list[Measure], tempos: list[Tempo]) -> None:
    for place, measure in enumerate(measures):
        start, end = float(measure.onset) - EPSILON, float(measure.end) - EPSILON
        earlier = [tempo for tempo in tempos if tempo.onset <= start + 2 * EPSILON]
        inside = [tempo for tempo in tempos if start + 2 * EPSILON < tempo.onset < end]
        if place == 0:
            inside = [(earlier[-1] if earlier else tempos[0])._replace(onset=start), *inside]
        else:
            inside = [tempo for tempo in tempos if start <= tempo.onset < end]
        for tempo in inside:
            offset = max(exact(tempo.onset) - measure.onset, Fraction(0))
            measure.tempos.append((offset, tempo.bpm))
