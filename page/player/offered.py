"""The sounds that the page offers for each part: General MIDI programs, and their names."""

from collections.abc import Mapping
from functools import cache

from accomp.band.finish import fitting_programs
from accomp.music.instruments import KITS, program_name
from accomp.roll.grid import STRINGS, TRACK_NAMES
from accomp.roll.sounding_names import SECOND_GUITAR

GUITARS = {
    25: "Steel-string guitar",
    24: "Nylon-string guitar",
    26: "Jazz guitar",
    27: "Clean electric guitar",
    28: "Muted electric guitar",
    29: "Overdriven guitar",
    30: "Distorted guitar",
}

# Programs (drums: kits) by part, the usual ones first: those that play what the part plays. All
# others that accomp.band.finish accepts follow them in the list (`more`).
OFFERED: Mapping[str, Mapping[int, str]] = {
    "piano": {
        0: "Grand piano",
        4: "Electric piano",
        11: "Vibraphone",
        12: "Marimba",
        21: "Accordion",
        22: "Harmonica",
        24: "Nylon-string guitar",
        26: "Jazz guitar",
        40: "Violin",
        42: "Cello",
        53: "Voices",
        56: "Trumpet",
        57: "Trombone",
        65: "Alto saxophone",
        66: "Tenor saxophone",
        68: "Oboe",
        71: "Clarinet",
        73: "Flute",
        75: "Pan flute",
        80: "Synthesizer",
    },
    "bass": {
        33: "Fingered bass",
        34: "Picked bass",
        32: "Upright bass",
        35: "Fretless bass",
        36: "Slap bass",
        38: "Synth bass",
        58: "Tuba",
    },
    "guitar": {
        **GUITARS,
        105: "Banjo",
        46: "Harp",
        0: "Grand piano",
        4: "Electric piano",
        16: "Organ",
        21: "Accordion",
    },
    "strings": {
        48: "Strings",
        49: "Slow strings",
        50: "Synth strings",
        52: "Choir",
        53: "Voices",
        61: "Brass section",
        16: "Organ",
        19: "Church organ",
        89: "Warm pad",
    },
    SECOND_GUITAR: GUITARS,
    "drums": KITS,
}

assert OFFERED.keys() == {*TRACK_NAMES, SECOND_GUITAR}


@cache
def more() -> dict[str, dict[int, str]]:
    """Return all other programs that fit each part, by General MIDI's names."""
    found = {}
    for part, usual in OFFERED.items():
        name = TRACK_NAMES[STRINGS] if part == SECOND_GUITAR else part
        fitting = [each for each in fitting_programs(name) if each not in usual]
        found[part] = {program: program_name(program) for program in fitting}
    return found
