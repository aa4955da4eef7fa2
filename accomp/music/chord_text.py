"""The chords of a whole song as text that a user can write or edit.

    "| C  Am | F  G7 |"    two bars of two chords

"%" repeats the bar before; "." holds the chord before for a part of a bar. The chords of a bar
share it evenly, except as `_places` says. A line break ends a bar, and an empty bar holds the chord
before. Text without bar lines has one chord a bar. At N.C. the chord before goes on, because the
band does not rest there. The number of a bar may stand before a line's first bar line; bar 0 is the
pickup, which has the first bar's chord where it is not written.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable

import numpy as np

from accomp.checks import check_text, shown
from accomp.errors import MusicError
from accomp.music.bar_numbers import bars_between
from accomp.music.chord_symbols import ChordSymbol, ascii_signs, parse_symbol
from accomp.music.score import Bar, Chord, Score, Track, first_bar_number, pickup_bar, whole_bars

HOLD, REPEAT, NO_CHORD = (".", "/", "-"), "%", ("NC", "N.C.", "N.C")
EXAMPLE_TEXT = 'text such as "| C  Am | F  G7 |"'
PICKUP = re.compile(r"\s*0\s*\|")  # before the chords of bar 0
LINE_BARS = 4  # bars that `chord_text` writes in a line
MOST_PARTS = 16  # parts into which `chord_text` divides a bar at most

PlacedChord = tuple[float, ChordSymbol]  # onset in beats


def check_chords(chords: str | Iterable[Chord]) -> None:
    """Check that chords can be read.

    Raises:
        MusicError: Text or a symbol is not understood, or there is no chord.
    """
    if not isinstance(chords, Iterable):
        raise MusicError(f"chords are {shown(chords)}; accepted: {EXAMPLE_TEXT}")
    if isinstance(chords, str):
        check_text(chords, "the chords", EXAMPLE_TEXT)
        known = [symbol for bar in _parse_text(chords)[0] for symbol in bar if symbol]
    else:
        known, _ = read_chords(list(chords))
    if not known:
        raise MusicError(f"no chords were found; accepted: {EXAMPLE_TEXT}")


def read_chords(chords: list[Chord]) -> tuple[list[PlacedChord], list[str]]:
    """Read Chords with symbols as text.

    Returns:
        Onsets and symbols in order, and notices for the user.

    Raises:
        MusicError: An entry is not a Chord, or its symbol is not understood.
    """
    for chord in chords:
        if not isinstance(chord, Chord):
            raise MusicError(
                f"chords hold {shown(chord, repr)}; "
                f"accepted: Chord(onset in beats, symbol), or {EXAMPLE_TEXT}"
            )
    placed, notices = [], []
    for onset, symbol in sorted(chords):
        if symbol.strip().upper() in NO_CHORD:
            notices.append(f"the chord at beat {onset:g} is {symbol}; the chord before goes on")
        else:
            placed.append((onset, parse_symbol(symbol)))
    return placed, notices


def read_text(
    text: str, bars: list[Bar], pickup: Bar | None = None
) -> tuple[list[PlacedChord], list[str]]:
    """Lay chord text over bars; text of fewer bars begins again.

    Args:
        text: See above.
        bars: The bars of a melody, the last of which is its end (`whole_bars`).
        pickup: The bar before them, if the melody has a pickup.

    Returns:
        Onsets and symbols in order, and notices for the user.

    Raises:
        MusicError: The text is not understood.
    """
    read, notices = _parse_text(text)
    known = [symbol for bar in read for symbol in bar if symbol]
    if not known:
        return [], notices
    placed: list[PlacedChord] = []
    if PICKUP.match(text):
        opening = read.pop(0)
        if pickup:
            placed = _placed(opening, known[0], pickup, bars[0])
        else:
            notices.append("the chords have a bar 0, and the melody no pickup; it is left out")
        if not any(symbol for bar in read for symbol in bar):
            return placed, notices
    count = len(bars) - 1
    if len(read) != count:
        what = "the rest is left out" if len(read) > count else "they are repeated"
        notices.append(
            f"the chords have {len(read)} bar{'s' if len(read) > 1 else ''}, "
            f"the melody {count}; {what}"
        )
    for index in range(count):
        sounding = placed[-1][1] if placed else known[0]
        placed += _placed(read[index % len(read)], sounding, bars[index], bars[index + 1])
    return placed, notices


def _placed(
    symbols: list[ChordSymbol | None], sounding: ChordSymbol, bar: Bar, following: Bar
) -> list[PlacedChord]:
    """Lay the chords of one bar over it; None holds what sounds."""
    placed, length = [], following.onset - bar.onset
    for place, symbol in zip(_places(len(symbols), bar), symbols):
        sounding = symbol or sounding
        placed.append((bar.onset + place * length, sounding))
    return placed


def with_chords_at(song: Score, track: Track, bars: tuple[int, int], text: str) -> list[Chord]:
    """Return the chords of a song with others in some bars; all others stay.

    Args:
        song: With chords or none.
        track: Its melody, by which bars are numbered (accomp.music.bar_numbers).
        bars: The numbers of the first and the last bar.
        text: The chords of these bars. Without bar lines they are those of one bar; fewer bars
            are repeated.

    Raises:
        MusicError: There are no such bars, or the text is not understood or of more bars.
    """
    places = bars_between(song, track, bars)
    if "|" not in text:
        text = f"| {text} |"
    check_chords(text)
    count = len(_written_bars(text))
    if count >= len(places):
        raise MusicError(
            f"the chords have {count} bars, the place {len(places) - 1}; accepted: as many or fewer"
        )
    start, end = places[0].onset - 1e-6, places[-1].onset - 1e-6
    fifths = song.key_signatures[0].fifths if song.key_signatures else 0
    new = [Chord(onset, symbol.spelled(fifths)) for onset, symbol in read_text(text, places)[0]]
    before = [chord for chord in song.chords if chord.onset < start]
    after = [chord for chord in song.chords if chord.onset >= end]
    sounding = [chord for chord in song.chords if chord.onset < end]
    if sounding and places[-1].onset < track.end and not (after and after[0].onset < end + 2e-6):
        after.insert(0, sounding[-1]._replace(onset=places[-1].onset))
    return [*before, *new, *after]


def chord_text(song: Score, track: Track, numbered: bool = False) -> str:
    """Write the chords of a song as text, four bars a line.

    Opposite of `accomp.roll.chord_plan.symbols_on_grid` for text. A pickup that has the
    first bar's chord is not written.

    Args:
        song: With chords, else the text is empty.
        track: Its melody, which decides the first bar.
        numbered: Begin each line with the number of its first bar, as accomp.plot counts: a pickup
            is bar 0. Such text can be read, too.
    """
    if not song.chords:
        return ""
    bars = whole_bars(song, track)
    written = [_bar_text(song.chords, *pair) for pair in zip(bars, bars[1:])]
    places = range(0, len(written), LINE_BARS)
    lines = ["| " + " | ".join(written[at : at + LINE_BARS]) + " |" for at in places]
    first, width = _bar_number(song, track, bars[0]), 1
    if numbered:
        width = len(str(first + places[-1]))
        lines = [f"{first + at:{width}} {line}" for at, line in zip(places, lines)]
    pickup = pickup_bar(song, track) if first == 1 else None
    if pickup:
        before = _bar_text(song.chords, pickup, bars[0])
        if before != written[0].split()[0]:
            lines.insert(0, f"{0:{width}} | {before} |")
    return "\n".join(lines)


def _bar_number(song: Score, track: Track, bar: Bar) -> int:
    bars = song.bars(bar.onset + bar.meter.bar_beats)
    before = sum(each.onset < bar.onset - 1e-6 for each in bars)
    return before + first_bar_number(bars, track.start)


def _bar_text(chords: list[Chord], bar: Bar, following: Bar) -> str:
    """Write the chords of one bar in as few equal parts as its changes of chord need."""
    length = following.onset - bar.onset
    begin, end = (
        bisect_left(chords, beat, key=lambda chord: chord.onset)
        for beat in (bar.onset + 1e-6, following.onset - 1e-6)
    )
    first, inside = chords[max(begin - 1, 0)].symbol, chords[begin:end]
    changes = [(chord.onset - bar.onset) / length for chord in inside]
    for count in range(1, MOST_PARTS + 1):
        places = np.array(_places(count, bar))
        distances = [np.abs(places - change) for change in changes]
        slots = {int(distance.argmin()): chord for distance, chord in zip(distances, inside)}
        if len(slots) == len(inside) and all(distance.min() < 1e-3 for distance in distances):
            break
    rest = [slots[part].symbol if part in slots else HOLD[0] for part in range(1, count)]
    return " ".join([first, *rest])


def _parse_text(text: str) -> tuple[list[list[ChordSymbol | None]], list[str]]:
    """Read text as the chords of each bar, None where one holds; and notices.

    Raises:
        MusicError: The text is not understood.
    """
    read: list[list[ChordSymbol | None]] = []
    notices = []
    for number, symbols in enumerate(_written_bars(text), 1):
        if symbols == [REPEAT]:
            if not read:
                raise MusicError(
                    "the first bar of the chords is %, and there is no bar before it to repeat"
                )
            read.append(read[-1])
            continue
        try:
            read.append([_symbol_or_hold(symbol) for symbol in symbols] or [None])
        except MusicError as error:
            raise MusicError(f"bar {number} of the chords: {error}") from error
        if any(symbol.upper() in NO_CHORD for symbol in symbols):
            notices.append(
                f"bar {number} of the chords says {NO_CHORD[1]}; the chord before goes on"
            )
    return read, notices


def _symbol_or_hold(symbol: str) -> ChordSymbol | None:
    return None if symbol in HOLD or symbol.upper() in NO_CHORD else parse_symbol(symbol)


def _written_bars(text: str) -> list[list[str]]:
    """Split text into bars of symbols. Raises MusicError for repeat signs."""
    text = ascii_signs(text)
    if re.search(r"\|:|:\||::", text):
        raise MusicError(
            "repeat signs (|: :|) are not read; "
            "accepted: the bars written out, or fewer bars, which are repeated"
        )
    text = text.replace(",", " ")
    if "|" not in text:
        symbols = text.split()
        if len(symbols) % 2 and {"-"}.issuperset(symbols[1::2]) and "-" not in symbols[::2]:
            symbols = symbols[::2]  # in "C - G - Am" the dashes stand between chords
        return [[symbol] for symbol in symbols]
    # A number before a line's first bar line is that of its bar.
    lines = [re.sub(r"^\d+\s*(?=\|)", "", line.strip()) for line in text.splitlines()]
    lines = [re.sub(r"\|+", "|", line) for line in lines]
    return [
        part.split()
        for line in lines
        if line not in ("", "|")
        for part in line.strip("|").split("|")
    ]


def _places(count: int, bar: Bar) -> list[float]:
    """Return where the chords of a bar begin, 0 to 1.

    They are evenly spaced with two exceptions. Of three chords in four beats the first has two
    beats. Of two chords in five beats the first has two beats, not three: the second would
    otherwise be played in the last beat alone.
    """
    if count == 3 and bar.meter.numerator == 4:
        return [0, 1 / 2, 3 / 4]
    if count == 2 and bar.meter.numerator == 5:
        return [0, 2 / 5]
    return [i / count for i in range(count)]
