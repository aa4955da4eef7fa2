"""Turn the patterns of train/configs/styles.yaml into songs.

A pattern says what a rhythm section plays. The configuration file explains its signs.
"""

from dataclasses import dataclass

from accomp.music.chord_symbols import ChordSymbol, parse_symbol
from accomp.music.score import Note, Score, Tempo, Track
from accomp.roll.grid import BAR_STEPS, DRUMS, STEPS_PER_BEAT, TRACKS

DRUM_KIT = {  # General MIDI's keys by the names that patterns give them
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "hat": 42,
    "pedal_hat": 44,
    "tom_low": 45,
    "open_hat": 46,
    "crash": 49,
    "tom_high": 50,
    "ride": 51,
    "tambourine": 54,
    "cowbell": 56,
    "conga_high": 63,
    "conga_low": 64,
    "shaker": 70,
    "guiro": 73,
}
# What the drums play in the second half of a section's last bar.
FILL = {"snare": "........x.x.xx..", "tom_high": "............x...", "tom_low": ".............xxx"}
CENTRE = {"bass": 36, "guitar": 48, "strings": 60}  # a C; roots of chords lie around it


@dataclass(frozen=True)
class PatternSettings:
    """How a pattern is played."""

    section_bars: int = 8  # of each of the two sections, as long as a phrase
    velocity: int = 80
    accent: int = 110  # velocity of X
    melody_pitch: int = 72  # the C above which the melody's track holds the roots
    melody_beats: float = 3.5  # how long it holds them


def pattern_song(pattern: dict, settings: PatternSettings = PatternSettings()) -> Score:
    """Return a song of two sections, the second with what the pattern changes.

    A drum fill ends each section. The melody's track holds roots, so that the song has a key.

    Raises:
        SystemExit: A bar has not sixteen sixteenths, or an unknown sign.
    """
    chords = [parse_symbol(text) for text in pattern["chords"]]
    notes: dict[str, list[Note]] = {spec.name: [] for spec in TRACKS}
    for section, lines in enumerate((pattern["a"], pattern["a"] | pattern["b"])):
        for bar in range(settings.section_bars):
            chord = chords[bar % len(chords)]
            start = (section * settings.section_bars + bar) * BAR_STEPS
            root = settings.melody_pitch + chord.root % 12
            onset = start / STEPS_PER_BEAT
            notes["piano"].append(Note(root, onset, settings.melody_beats, settings.velocity))
            for name, played in _bar_of(lines, bar, settings).items():
                if name in DRUM_KIT:
                    notes["drums"] += struck(played, DRUM_KIT[name], start, settings)
                else:
                    notes[name] += pitched(played, chord, CENTRE[name], start, settings)
    tracks = [
        Track(
            spec.name,
            spec.program,
            track == DRUMS,
            sorted(notes[spec.name], key=lambda note: (note.onset, note.pitch)),
        )
        for track, spec in enumerate(TRACKS)
    ]
    tempo = Tempo(0.0, round(60e6 / pattern["tempo"]))
    return Score([track for track in tracks if track.notes], [tempo])


def _bar_of(lines: dict[str, str], bar: int, settings: PatternSettings) -> dict[str, str]:
    """Return what is played in a bar of a section by instrument, each sixteen signs."""
    fills = bar == settings.section_bars - 1
    played = {}
    for instrument, line in lines.items():
        bars = line.split("|")
        if any(len(each) != BAR_STEPS for each in bars):
            raise SystemExit(f"{instrument}: a bar of {line!r} has not {BAR_STEPS} sixteenths")
        played[instrument] = bars[bar % len(bars)]
        if fills and instrument in DRUM_KIT:
            end = FILL.get(instrument, "." * BAR_STEPS)
            played[instrument] = played[instrument][: BAR_STEPS // 2] + end[BAR_STEPS // 2 :]
    if fills:
        played |= {drum: line for drum, line in FILL.items() if drum not in lines}
    return played


def struck(line: str, pitch: int, start: int, settings: PatternSettings) -> list[Note]:
    """Return the strokes of a drum in a bar.

    Args:
        line: The signs of the bar.
        pitch: The drum's key.
        start: The bar's first step.
        settings: How loud the strokes are.
    """
    return [
        Note(
            pitch,
            (start + step) / STEPS_PER_BEAT,
            1 / STEPS_PER_BEAT,
            settings.accent if sign == "X" else settings.velocity,
        )
        for step, sign in enumerate(line)
        if sign in "xX"
    ]


def pitched(
    line: str, chord: ChordSymbol, centre: int, start: int, settings: PatternSettings
) -> list[Note]:
    """Return the notes of a pitched instrument in a bar.

    Args:
        line: The signs of the bar.
        chord: What they are tones of.
        centre: A C; the chord's root lies around it.
        start: The bar's first step.
        settings: How loud the notes are.
    """
    found = []
    for step, sign in enumerate(line):
        if sign in ".-":
            continue
        length = 1
        while step + length < len(line) and line[step + length] == "-":
            length += 1
        onset, duration = (start + step) / STEPS_PER_BEAT, length / STEPS_PER_BEAT
        found += [
            Note(pitch, onset, duration, settings.velocity) for pitch in tones(sign, chord, centre)
        ]
    return found


def tones(sign: str, chord: ChordSymbol, centre: int) -> list[int]:
    """Return the pitches of a sign; a seventh that the chord lacks is its sixth."""
    root = centre + chord.root % 12 - (12 if chord.root % 12 > 7 else 0)
    above = sorted((tone - chord.root) % 12 for tone in chord.tones)
    third = next((tone for tone in above if tone in (3, 4)), 4)
    fifth = next((tone for tone in above if tone in (6, 7, 8)), 7)
    seventh = next((tone for tone in above if tone in (10, 11)), 9)
    degree = {
        "1": 0,
        "3": third,
        "5": fifth,
        "6": 9,
        "7": seventh,
        "8": 12,
        "0": 12 + third,
        "l": fifth - 12,
    }
    if sign == "x":
        return [root + tone for tone in above]
    if sign not in degree:
        raise SystemExit(f"{sign!r} is no sign of a pattern; accepted: {' '.join(degree)} x - .")
    return [root + degree[sign]]
