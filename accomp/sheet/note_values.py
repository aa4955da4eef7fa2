"""Divide what sounds in a bar into notes and rests that can be written, tied where they must be."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from accomp.music.score import TimeSignature
from accomp.sheet.quantise import WrittenNote

HALF = Fraction(1, 2)
TRIPLET = Fraction(2, 3)  # of its written length is what a note of a triplet sounds
# Written lengths in beats, without and with one dot.
LENGTHS = tuple(Fraction(8, 2**power) for power in range(8))  # breve to 64th
TYPES = ("breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th")
NAMES = {length: (name, 0) for length, name in zip(LENGTHS, TYPES)} | {
    length * Fraction(3, 2): (name, 1) for length, name in zip(LENGTHS, TYPES)
}


class Piece(NamedTuple):
    """A note or a rest as it is written.

    Attributes:
        onset: Beats from the beginning of its bar.
        length: Beats that it sounds.
        pitch: MIDI pitch; None for a rest.
        is_triplet: Whether it is of a triplet: three in the time of two.
        tied_back: Whether it goes on from the piece before.
        tied_on: Whether the next piece goes on from it.
    """

    onset: Fraction
    length: Fraction
    pitch: int | None
    is_triplet: bool = False
    tied_back: bool = False
    tied_on: bool = False

    @property
    def end(self) -> Fraction:
        """Beats from the beginning of its bar."""
        return self.onset + self.length

    @property
    def written(self) -> tuple[str, int]:
        """Its name, such as "quarter", and its dots; no name where it is a bar's odd rest."""
        return NAMES.get(self.length / TRIPLET if self.is_triplet else self.length, ("", 0))


def pieces_of(
    notes: list[WrittenNote], onset: Fraction, length: Fraction, meter: TimeSignature
) -> list[Piece]:
    """Write the notes that sound in a bar, with rests between them.

    Args:
        notes: Of the whole melody, one after another.
        onset: Of the bar, in beats.
        length: Of the bar, in beats; of a pickup's bar what is written of it.
        meter: Of the bar, which says where its beats are.
    """
    sounding = _sounding(notes, onset, length)
    edges = {each.onset for each in sounding} | {each.end for each in sounding}
    # A pickup's beats are counted from the bar line after it.
    before = Fraction(meter.bar_beats) - length
    windows = list(_triplets({edge + before for edge in edges}, length + before, meter))
    pieces = []
    for part in sounding:
        for piece in _divided(part, before, length + before, meter, windows):
            pieces.append(piece._replace(onset=piece.onset - before))
    return pieces


def _sounding(notes: list[WrittenNote], onset: Fraction, length: Fraction) -> list[Piece]:
    """Return the notes and rests of a bar, each in one piece."""
    found: list[Piece] = []
    now = Fraction(0)
    for note in notes:
        start, end = max(note.onset - onset, Fraction(0)), min(note.end - onset, length)
        if end <= start:
            continue
        if start > now:
            found.append(Piece(now, start - now, None))
        back, on = note.onset < onset, note.end > onset + length
        found.append(Piece(start, end - start, note.pitch, tied_back=back, tied_on=on))
        now = end
    if now < length:
        found.append(Piece(now, length - now, None))
    return found


def _triplets(
    edges: set[Fraction], length: Fraction, meter: TimeSignature
) -> Iterator[tuple[Fraction, Fraction]]:
    """Find the beats, or pairs of beats, that are divided into triplets: from, to."""
    if meter.is_compound:
        return
    beat = Fraction(0)
    while beat < length:
        inside = {edge - beat for edge in edges if beat < edge < beat + 2}
        is_pair = beat % 2 == 0 and beat + 2 <= length
        if is_pair and inside and inside <= {TRIPLET, 2 * TRIPLET}:
            yield beat, beat + 2
            beat += 2
            continue
        if any(edge < 1 and edge.denominator % 3 == 0 for edge in inside):
            yield beat, beat + 1
        beat += 1


def _divided(
    part: Piece,
    before: Fraction,
    length: Fraction,
    meter: TimeSignature,
    windows: list[tuple[Fraction, Fraction]],
) -> Iterator[Piece]:
    """Divide a note or rest of a bar into pieces that have a written length."""
    start, end = part.onset + before, part.end + before
    edges = {edge for window in windows for edge in window if start < edge < end}
    cuts = sorted({start, end} | edges)
    pieces: list[Piece] = []
    for first, last in pairwise(cuts):
        is_triplet = any(low <= first and last <= high for low, high in windows)
        if first == before and last == length and part.pitch is None:
            pieces.append(Piece(first, last - first, None))  # a whole bar's rest
            continue
        while first < last:
            size = _longest(first, last, meter, is_triplet, part.pitch is None)
            pieces.append(Piece(first, size, part.pitch, is_triplet))
            first += size
    for place, piece in enumerate(pieces):
        is_note = part.pitch is not None
        back = part.tied_back if place == 0 else is_note
        on = part.tied_on if place == len(pieces) - 1 else is_note
        yield piece._replace(tied_back=back, tied_on=on)


def _longest(
    at: Fraction, end: Fraction, meter: TimeSignature, is_triplet: bool, is_rest: bool
) -> Fraction:
    """Return the longest written length that may begin at a place of a bar."""
    left = end - at
    if is_triplet:
        sizes = (length * TRIPLET for length in NAMES)
        return max(size for size in sizes if size <= left)
    sizes = sorted((size for size in NAMES if size <= left), reverse=True)
    may = _may_compound if meter.is_compound and meter.denominator == 8 else _may_simple
    return next((size for size in sizes if may(at, size, meter, is_rest)), sizes[-1])


def _may_compound(at: Fraction, size: Fraction, meter: TimeSignature, is_rest: bool) -> bool:
    """Tell whether a note of this length shows the dotted beats of its bar."""
    beat = Fraction(3, 2)
    place = at % beat
    if place == 0 and size % beat == 0:
        return not is_rest or size == beat
    return place + size <= beat


def _may_simple(at: Fraction, size: Fraction, meter: TimeSignature, is_rest: bool) -> bool:
    """Tell whether a note of this length shows the beats of its bar, and the middle of 4/4."""
    place, middle = at % 1, at % 2
    if place + size <= 1:  # within a beat
        sixteenth = Fraction(1, 4)
        if is_rest:
            return size != 3 * sixteenth and (place % size == 0 or place + size == 1)
        return size < sixteenth or place % sixteenth == 0
    has_middle = meter.numerator == 4 and meter.denominator == 4
    if place == 0:
        if is_rest:
            return size == 2 and (middle == 0 or not has_middle)
        if not has_middle or at == 0:
            return True
        return middle + size <= 2 or (at == 1 and size in (2, 3))
    # A syncopation may cross a beat, not the middle of the bar.
    is_syncopation = place == HALF and size in (1, Fraction(3, 2)) and not is_rest
    return is_syncopation and (middle + size <= 2 or not has_middle and size == 1)
