"""Measure how a band plays chords that are written for it: bass notes, tones, suspensions."""

from collections.abc import Sequence

from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.score import Note
from train.metrics.chord_places import Units
from train.metrics.chords import Count

SLASH, SUS, DIMINISHED, HALF_DIMINISHED, AUGMENTED, SIXTH, PLAIN = (
    "slash bass",
    "sus",
    "diminished",
    "half-diminished",
    "augmented",
    "sixth",
    "others",
)
# By kind the tone, in semitones above the root, without which the chord is another one.
TELLING = {SUS: (5, 2), DIMINISHED: (6,), HALF_DIMINISHED: (6,), AUGMENTED: (8,), SIXTH: (9,)}
LATE = 0.15  # beats by which players may be off


def kinds_of(symbol: ChordSymbol) -> list[str]:
    """Return the kinds of chord that a symbol belongs to; PLAIN where to no other."""
    tones = set(QUALITIES[symbol.quality])
    found = [SLASH] if symbol.bass is not None else []
    if not tones & {3, 4} and tones & {2, 5}:
        found.append(SUS)
    elif {3, 6} <= tones and 7 not in tones:
        found.append(HALF_DIMINISHED if 10 in tones else DIMINISHED)
    elif {4, 8} <= tones and 7 not in tones:
        found.append(AUGMENTED)
    elif 9 in tones and 10 not in tones and 11 not in tones and 7 in tones:
        found.append(SIXTH)
    return found or [PLAIN]


def following(
    bass: Sequence[Note],
    chordal: Sequence[Note],
    symbols: Sequence[ChordSymbol | None],
    units: Units,
) -> dict[str, Count]:
    """Count what a band does with written chords, by kind of chord ("bass, sus").

    Args:
        bass: Its notes, in beats.
        chordal: Those of all other pitched players.
        symbols: [U] what is written.
        units: Where.

    Returns:
        "bass": units whose first bass note on the beat is the written one, of those in which a
        bass note is struck there. "tones": time of chordal notes on tones of the chord or its bass,
        of their whole time. "telling": units in which the kind's own tone sounds, of those in which
        chordal notes do. "third, sus": time of thirds in suspended chords.
    """
    found: dict[str, Count] = {}

    def add(name: str, value: float, of: float) -> None:
        found[name] = found.get(name, Count(0, 0)) + Count(value, of)

    for start, end, symbol in zip(units.onsets, units.ends, symbols):
        if symbol is None:
            continue
        struck = [n for n in bass if start - LATE <= n.onset < start + LATE]
        held = [
            (note.pitch % 12, min(note.end, end) - max(note.onset, start))
            for note in chordal
            if min(note.end, end) - max(note.onset, start) > LATE
        ]
        written = symbol.root if symbol.bass is None else symbol.bass
        inside = sum(time for pitch, time in held if pitch in symbol.tones | {written})
        total = sum(time for _, time in held)
        for kind in kinds_of(symbol):
            if struck:
                lowest = min(note.pitch for note in struck)
                add(f"bass, {kind}", lowest % 12 == written, 1)
            add(f"tones, {kind}", inside, total)
            if held and kind in TELLING:
                own = {(symbol.root + tone) % 12 for tone in TELLING[kind]} & symbol.tones
                add(f"telling, {kind}", any(pitch in own for pitch, _ in held), 1)
            if kind == SUS:
                thirds = {(symbol.root + 3) % 12, (symbol.root + 4) % 12}
                add("third, sus", sum(time for pitch, time in held if pitch in thirds), total)
    return found
