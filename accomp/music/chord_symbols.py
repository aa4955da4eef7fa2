"""Chord symbols as text, and the chords of a whole song as a line of text that a user can write or edit.

    "| C  Am | F  G7 |"    two bars of two chords; "%" repeats the bar before, "." holds the chord before for a part of a bar

A bar's chords share it evenly, but see `_places`. A line ends a bar, and a bar with nothing in it holds; text without bar
lines has a chord for each bar. Where it says N.C. the chord before goes on, for the band knows no other rest.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from accomp.errors import MusicError
from accomp.music.keys import NAMES
from accomp.music.score import Bar, Chord, Score, Track, is_pickup

# Quality: semitones of its tones above the root. Those whose third is minor stand on a minor triad.
QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "69": (0, 4, 7, 9, 2),
    "add9": (0, 4, 7, 2),
    "madd9": (0, 3, 7, 2),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m(maj7)": (0, 3, 7, 11),
    "7sus4": (0, 5, 7, 10),
    "dim7": (0, 3, 6, 9),
    "m7b5": (0, 3, 6, 10),
    "aug7": (0, 4, 8, 10),
    "7b5": (0, 4, 6, 10),
    "7b9": (0, 4, 7, 10, 1),
    "7#9": (0, 4, 7, 10, 3),
    "9": (0, 4, 7, 10, 2),
    "maj9": (0, 4, 7, 11, 2),
    "m9": (0, 3, 7, 10, 2),
    "9sus4": (0, 5, 7, 10, 2),
    "11": (0, 4, 7, 10, 2, 5),
    "m11": (0, 3, 7, 10, 2, 5),
    "13": (0, 4, 7, 10, 2, 9),
    "maj13": (0, 4, 7, 11, 2, 9),
    "m13": (0, 3, 7, 10, 2, 9),
    "m69": (0, 3, 7, 9, 2),
    "m(maj9)": (0, 3, 7, 11, 2),
    "add11": (0, 4, 7, 5),
    "7#11": (0, 4, 7, 10, 6),
    "9#11": (0, 4, 7, 10, 2, 6),
    "maj7#11": (0, 4, 7, 11, 6),
    "7b13": (0, 4, 7, 10, 8),
    "13b9": (0, 4, 7, 10, 1, 9),
    "13sus4": (0, 5, 7, 10, 2, 9),
    "7b9sus4": (0, 5, 7, 10, 1),
    "maj7#5": (0, 4, 8, 11),
    "maj7b5": (0, 4, 6, 11),
    "aug9": (0, 4, 8, 10, 2),
    "7b5b9": (0, 4, 6, 10, 1),
    "7#5b9": (0, 4, 8, 10, 1),
    "7#5#9": (0, 4, 8, 10, 3),
}
# Other spellings of a quality, after "min", "mi" and "-" were read as "m", "major", "ma", "M", "j", "^" and a triangle as "maj"
# and, before a 5, 9, 11 or 13, "-" as "b" and "+" as "#".
ALIASES = {
    "maj": "",
    "o": "dim",
    "°": "dim",
    "o7": "dim7",
    "°7": "dim7",
    "ø": "m7b5",
    "ø7": "m7b5",
    "+": "aug",
    "#5": "aug",
    "+7": "aug7",
    "7#5": "aug7",
    "7+": "aug7",
    "sus": "sus4",
    "4": "sus4",
    "2": "sus2",
    "7sus": "7sus4",
    "9sus": "9sus4",
    "6/9": "69",
    "add2": "add9",
    "mmaj7": "m(maj7)",
    "dom7": "7",
    "maj6": "6",
    "7alt": "7#9",
    "alt": "7#9",
    "mb5": "dim",
    "mmaj": "m(maj7)",
    "mmaj9": "m(maj9)",
    "m6/9": "m69",
    "add4": "add11",
    "sus7": "7sus4",
    "13sus": "13sus4",
    "7sus4b9": "7b9sus4",
    "7susb9": "7b9sus4",
    "+maj7": "maj7#5",
    "augmaj7": "maj7#5",
    "9#5": "aug9",
    "+9": "aug9",
    "7b9b5": "7b5b9",
    "7b9#5": "7#5b9",
    "7#9#5": "7#5#9",
}
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
NOTE = r"[A-G](?:bb|##|b|#)?"
HOLD, REPEAT, NO_CHORD = (".", "/", "-"), "%", ("NC", "N.C.", "N.C")
EXAMPLES = "C, F#m7, Bbmaj7, G7sus4, Bdim, C/E"
EXAMPLE_TEXT = 'text such as "| C  Am | F  G7 |"'


class ChordSymbol(NamedTuple):
    root: int  # pitch class, 0 = C
    quality: str  # of QUALITIES
    bass: int | None = None  # pitch class, where it is not the root

    @property
    def triad(self) -> int:
        """The nearest chord of the plan (accomp.roll.chord_plan): 0 to 11 major, 12 to 23 minor."""
        return self.root + (
            12 if 3 in QUALITIES[self.quality] and 4 not in QUALITIES[self.quality] else 0
        )

    @property
    def tones(self) -> set[int]:
        """Its pitch classes."""
        return {(self.root + interval) % 12 for interval in QUALITIES[self.quality]}

    def transposed(self, semitones: int) -> "ChordSymbol":
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return ChordSymbol((self.root + semitones) % 12, self.quality, bass)

    def __str__(self) -> str:
        return (
            NAMES[self.root] + self.quality + ("" if self.bass is None else f"/{NAMES[self.bass]}")
        )


def triad_symbol(chord: int, quality: str | None = None) -> ChordSymbol:
    """The symbol of a chord of the plan, 0 to 23."""
    return ChordSymbol(
        int(chord) % 12, ("m" if chord >= 12 else "") if quality is None else quality
    )


def parse_symbol(text: str) -> ChordSymbol:
    """ "F#m7" to its ChordSymbol, in the usual spellings. Raises MusicError."""
    plain = _plain(text.strip())
    match = re.fullmatch(rf"({NOTE})(.*?)(?:/({NOTE}))?", plain)
    quality = _quality(match[2]) if match else None
    if quality is None:
        raise MusicError(f"chord {text!r} is not known; accepted: symbols such as {EXAMPLES}")
    root, bass = _pitch_class(match[1]), _pitch_class(match[3]) if match[3] else None
    return ChordSymbol(root, quality, None if bass == root else bass)


def is_symbol(text: str) -> bool:
    """Whether `parse_symbol` reads it."""
    try:
        parse_symbol(text)
    except MusicError:
        return False
    return True


def _plain(text: str) -> str:
    """With ASCII accidentals, dashes and double bar lines."""
    for fancy, plain in (("♭", "b"), ("♯", "#"), ("−", "-"), ("–", "-"), ("—", "-"), ("‖", "||")):
        text = text.replace(fancy, plain)
    return text


def _quality(text: str) -> str | None:
    text = text.replace("Δ", "^").replace("△", "^")
    text = "maj7" if text == "^" else text
    text = re.sub(r"^(?:(?i:minor|min|mi)|-)", "m", text)
    text = re.sub(r"(?i:major|maj)|ma(?!dd)|M|j|\^", "maj", text)  # "madd9" is minor
    text = re.sub(r"(?<=.)([-+])(?=5|9|11|13)", lambda sign: "b" if sign[0] == "-" else "#", text)
    text = "#5" if text == "+5" else text
    for name in (text, text.replace("(", "").replace(")", "")):
        if name in QUALITIES:
            return name
        if name in ALIASES:
            return ALIASES[name]
    return None


def _pitch_class(name: str) -> int:
    return (LETTERS[name[0]] + name.count("#") - name.count("b")) % 12


def whole_bars(score: Score, track: Track) -> list[Bar]:
    """The bars of the score in which a melody plays, from its first whole one, and one more for its end."""
    bars = score.bars(max(track.end, track.start + 1e-3))
    first = max(i for i, bar in enumerate(bars) if bar.onset <= track.start + 1e-6)
    if first + 1 < len(bars) and is_pickup(bars[first], bars[first + 1], track.start):
        first += 1
    end = bars[-1].onset + bars[-1].meter.bar_beats
    return [*bars[first:], Bar(end, bars[-1].meter)]


def _read_chords(chords: list[Chord]) -> tuple[list[tuple[float, ChordSymbol]], list[str]]:
    """Onsets in beats and symbols, in order; notices."""
    for chord in chords:
        if not isinstance(chord, Chord):
            raise MusicError(
                f"chords hold {chord!r}; accepted: Chord(onset in beats, symbol), or {EXAMPLE_TEXT}"
            )
    named, notices = [], []
    for onset, symbol in sorted(chords):
        if symbol.strip().upper() in NO_CHORD:
            notices.append(f"the chord at beat {onset:g} is {symbol}; the chord before goes on")
        else:
            named.append((onset, parse_symbol(symbol)))
    return named, notices


def check_chords(chords: str | Iterable[Chord]) -> None:
    """Raise MusicError unless `chords` are readable text or Chords with known symbols."""
    if isinstance(chords, str):
        known = [symbol for bar in _parse_text(chords)[0] for symbol in bar if symbol]
    else:
        known, _ = _read_chords(list(chords))
    if not known:
        raise MusicError(f"no chords were found; accepted: {EXAMPLE_TEXT}")


def _parse_text(text: str) -> tuple[list[list[ChordSymbol | None]], list[str]]:
    """Read text as the chords of each bar, None where one holds; and notices. Raises MusicError."""
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
            holds = [symbol in HOLD or symbol.upper() in NO_CHORD for symbol in symbols]
            read.append(
                [None if hold else parse_symbol(symbol) for hold, symbol in zip(holds, symbols)]
                or [None]
            )
        except MusicError as error:
            raise MusicError(f"bar {number} of the chords: {error}") from error
        if any(symbol.upper() in NO_CHORD for symbol in symbols):
            notices.append(
                f"bar {number} of the chords says {NO_CHORD[1]}; the chord before goes on"
            )
    return read, notices


def _read_text(text: str, bars: list[Bar]) -> tuple[list[tuple[float, ChordSymbol]], list[str]]:
    """Lay text over bars, the last of which is the end.

    Returns:
        Onsets in beats with their chords, and notices.
    """
    read, notices = _parse_text(text)
    known = [symbol for bar in read for symbol in bar if symbol]
    if not known:
        return [], notices
    count = len(bars) - 1
    if len(read) != count:
        what = "the rest is left out" if len(read) > count else "they are repeated"
        notices.append(
            f"the chords have {len(read)} bar{'s' if len(read) > 1 else ''}, the melody {count}; "
            f"{what}"
        )
    named, sounding = [], known[0]
    for index in range(count):
        symbols = read[index % len(read)]
        onset, length = bars[index].onset, bars[index + 1].onset - bars[index].onset
        for place, symbol in zip(_places(len(symbols), bars[index]), symbols):
            sounding = symbol or sounding
            named.append((onset + place * length, sounding))
    return named, notices


def _written_bars(text: str) -> list[list[str]]:
    """The symbols of each bar of text. Raises MusicError."""
    text = _plain(text)
    if re.search(r"\|:|:\||::", text):
        raise MusicError(
            "repeat signs (|: :|) are not read; accepted: the bars written out, or fewer bars, which are repeated"
        )
    text = text.replace(",", " ")
    if "|" not in text:
        symbols = text.split()
        if len(symbols) % 2 and {"-"}.issuperset(symbols[1::2]) and "-" not in symbols[::2]:
            symbols = symbols[::2]  # in "C - G - Am" the dashes stand between chords, and hold none
        return [[symbol] for symbol in symbols]
    lines = [re.sub(r"\|+", "|", line.strip()) for line in text.splitlines()]
    return [
        part.split()
        for line in lines
        if line not in ("", "|")
        for part in line.strip("|").split("|")
    ]


def _places(count: int, bar: Bar) -> list[float]:
    """Where in a bar its chords begin, 0 to 1: evenly, but of three in four beats the first has two. Of two in five beats
    the first has two and not three, for the second would otherwise be heard in the last beat alone.
    """
    if count == 3 and bar.meter.numerator == 4:
        return [0, 1 / 2, 3 / 4]
    if count == 2 and bar.meter.numerator == 5:
        return [0, 2 / 5]
    return [i / count for i in range(count)]


def chord_text(song: Score, track: Track) -> str:
    """Opposite of `symbols_on_grid` for text: the chords of a song in the bars of its melody `track`, four bars a line; "" where it
    has none. What a pickup plays is not written.
    """
    if not song.chords:
        return ""
    bars = whole_bars(song, track)
    onsets = np.array([chord.onset for chord in song.chords])
    written = []
    for bar, following in zip(bars, bars[1:]):
        length = following.onset - bar.onset
        inside = [c for c in song.chords if bar.onset + 1e-6 < c.onset < following.onset - 1e-6]
        before = song.chords[max(int(np.searchsorted(onsets, bar.onset + 1e-6)) - 1, 0)].symbol
        for count in range(1, 17):
            places = _places(count, bar)
            at = [(chord.onset - bar.onset) / length for chord in inside]
            slots = {
                int(np.argmin(np.abs(np.array(places) - place))): chord
                for place, chord in zip(at, inside)
            }
            if len(slots) == len(inside) and all(
                min(abs(p - place) for p in places) < 1e-3 for place in at
            ):
                break
        written.append(
            " ".join(
                [before, *(slots[i].symbol if i in slots else HOLD[0] for i in range(1, count))]
            )
        )
    lines = ["| " + " | ".join(written[at : at + 4]) + " |" for at in range(0, len(written), 4)]
    return "\n".join(lines)
