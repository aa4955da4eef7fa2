"""Bring a melody's notes to note values: where each is written, whatever the player's timing.

The grid of each beat is chosen by its own notes, as quantisers of notation programs do: sixteenths
or triplets, finer ones where the notes lie on them exactly. Swung eighths are written straight,
with the word "Swing" above.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from accomp.music.score import Bar, Note

TWO_THIRDS = Fraction(2, 3)


@dataclass(frozen=True)
class QuantiseSettings:
    """How note values are chosen. Times are in beats.

    Attributes:
        grids: by parts of a beat, how much nearer its farthest note must be for it to be chosen.
        compound_grids: the same for meters such as 6/8.
        swung: where the second of two swung eighths begins in its beat.
        triplet: where a beat's second triplet begins, which swung eighths do not have.
        least_swung: beats that are swung at least, for the song to be swung.
        mostly: share of the divided beats that are swung at least.
        exact: how far from the grid an end is that was written so; others were played.
        shortest_rest: between notes that were played; shorter ones are the player's touch.
    """

    grids: tuple[tuple[int, float], ...] = ((4, 0.0), (3, 0.03), (8, 0.06), (6, 0.07))
    compound_grids: tuple[tuple[int, float], ...] = ((4, 0.0), (8, 0.06))
    swung: tuple[float, float] = (0.58, 0.72)
    triplet: tuple[float, float] = (0.27, 0.4)
    least_swung: int = 6
    mostly: float = 0.8
    exact: float = 0.01
    shortest_rest: float = 0.26


SETTINGS = QuantiseSettings()


class WrittenNote(NamedTuple):
    """A note with its place on paper.

    Attributes:
        onset: Beats.
        end: Beats.
        pitch: MIDI pitch.
    """

    onset: Fraction
    end: Fraction
    pitch: int


def quantised(
    line: list[Note], bars: list[Bar], settings: QuantiseSettings = SETTINGS
) -> tuple[list[WrittenNote], bool]:
    """Return the notes of a melody on paper, one after another, and whether it is swung.

    Args:
        line: one note at a time, by onset.
        bars: those of the song that cover the line.
        settings: how note values are chosen.
    """
    swings = _swings(line, bars, settings)
    times = [note.onset for note in line]
    onsets = _on_grids(times, times, bars, swings, settings)
    ends = _on_grids([note.end for note in line], times, bars, swings, settings)
    written: list[WrittenNote] = []
    for place, (note, onset, end) in enumerate(zip(line, onsets, ends)):
        following = onsets[place + 1] if place + 1 < len(line) else None
        end = _end(note, onset, end, following, settings)
        if written and written[-1].onset == onset:
            written.pop()  # of two notes at one place, the first was an ornament
        if end > onset:
            written.append(WrittenNote(onset, end, note.pitch))
    return written, swings


def _end(
    note: Note,
    onset: Fraction,
    end: Fraction,
    following: Fraction | None,
    settings: QuantiseSettings,
) -> Fraction:
    """Return where a note ends on paper: touch is no rest, and no note is without length."""
    is_exact = abs(float(end) - note.end) <= settings.exact and end > onset
    if following is not None:
        end = min(end, following)
    if is_exact:
        return end
    end = max(end, onset)
    limits = [Fraction(ceil(end))] if following is None else [following, Fraction(ceil(end))]
    near = [limit for limit in limits if 0 <= limit - end < settings.shortest_rest]
    end = near[0] if near else end
    return end if end > onset else onset + Fraction(1, 4)


def _swings(line: list[Note], bars: list[Bar], settings: QuantiseSettings) -> bool:
    """Tell whether most divided beats are of two eighths, the second one late."""
    swung = divided = 0
    for (start, length), times in _by_unit([note.onset for note in line], bars).items():
        places = [float(time - start) for time in times]
        if length != 1 or all(place < 0.15 or place > 0.85 for place in places):
            continue
        divided += 1
        late = any(settings.swung[0] <= place <= settings.swung[1] for place in places)
        between = [place for place in places if 0.15 < place < settings.swung[0]]
        swung += late and not between
    return swung >= settings.least_swung and swung >= settings.mostly * divided


def _on_grids(
    times: list[float],
    onsets: list[float],
    bars: list[Bar],
    swings: bool,
    settings: QuantiseSettings,
) -> list[Fraction]:
    """Return times on the grids of their beats, which the onsets there choose."""
    struck = _by_unit(onsets, bars)
    found = []
    for time in times:
        start, length = _unit(time, bars)
        own = struck.get((start, length)) or [time]
        places = [float(each - start) for each in own]
        place = float(time - start)
        is_simple = length == 1
        if swings and is_simple and not _has_triplet(places, settings):
            place, places = _straight(place), [_straight(each) for each in places]
        grids = settings.grids if is_simple else settings.compound_grids
        parts = min(grids, key=lambda grid: (_error(places, grid[0]) + grid[1], grid[0]))[0]
        found.append(start + min(Fraction(round(place * parts), parts), length))
    return found


def _has_triplet(places: Iterable[float], settings: QuantiseSettings) -> bool:
    low, high = settings.triplet
    return any(low <= place <= high for place in places)


def _straight(place: float) -> float:
    """Return the place of a swung eighth as it is written."""
    return place * 0.75 if place <= 2 / 3 else 0.5 + (place - 2 / 3) * 1.5


def _error(places: list[float], parts: int) -> float:
    return max(abs(place * parts - round(place * parts)) / parts for place in places)


def _by_unit(times: list[float], bars: list[Bar]) -> dict[tuple[Fraction, Fraction], list[float]]:
    found: dict[tuple[Fraction, Fraction], list[float]] = {}
    for time in times:
        found.setdefault(_unit(time, bars), []).append(time)
    return found


def _unit(time: float, bars: list[Bar]) -> tuple[Fraction, Fraction]:
    """Return the beginning and the length of the beat in which a time lies, in quarters."""
    index = max(_last_begun(time, bars), 0)
    bar = bars[index]
    onset = exact(bar.onset)
    length = Fraction(3, 2) if bar.meter.is_compound and bar.meter.denominator == 8 else Fraction(1)
    count = floor((Fraction(time).limit_denominator(10**6) - onset + Fraction(1, 10**5)) / length)
    return onset + max(count, 0) * length, length


def _last_begun(time: float, bars: list[Bar]) -> int:
    low, high = 0, len(bars)
    while low < high:
        middle = (low + high) // 2
        if bars[middle].onset <= time + 1e-5:
            low = middle + 1
        else:
            high = middle
    return low - 1


def exact(beats: float) -> Fraction:
    """Return the fraction that a time in a file stands for."""
    return Fraction(beats).limit_denominator(96)
