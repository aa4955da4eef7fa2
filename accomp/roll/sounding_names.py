"""What the tracks of a song are called where people and other programs read it: by what sounds.

In a Score a track has the name of its part ("piano" is the melody), whatever program plays it.
"""

from collections.abc import Mapping
from dataclasses import replace

from accomp.music.instruments import program_name
from accomp.music.score import Score, Track
from accomp.music.track_names import name_says
from accomp.roll.grid import BASS, GUITAR, MELODY, STRINGS, TRACK_NAMES
from accomp.roll.players import (
    BASS_PROGRAMS,
    GUITAR_PROGRAMS,
    ORGAN_PROGRAMS,
    PIANO_PROGRAMS,
)

SECOND_GUITAR = "second guitar"  # that plays in the strings' place
ROLE = "melody"  # readers find the melody by it
# The programs with which a part sounds as it is called.
OWN: Mapping[str, tuple[int, ...]] = {
    TRACK_NAMES[MELODY]: (0, 1, 2, 3),
    TRACK_NAMES[GUITAR]: tuple(GUITAR_PROGRAMS),
    TRACK_NAMES[BASS]: tuple(BASS_PROGRAMS),
    TRACK_NAMES[STRINGS]: (44, 48, 49, 50, 51),
}
# Names that are plainer than General MIDI's.
PLAIN: Mapping[str, tuple[int, ...]] = {
    "piano": tuple(PIANO_PROGRAMS[:4]),
    "electric piano": tuple(PIANO_PROGRAMS[4:6]),
    "organ": tuple(ORGAN_PROGRAMS),
    "accordion": (21, 23),
    "guitar": tuple(GUITAR_PROGRAMS),
    "bass": tuple(BASS_PROGRAMS),
    "strings": (48, 49, 50, 51),
    "harp": (46,),
    "choir": (52, 53, 54),
    "brass": (61, 62, 63),
    "synthesizer": tuple(range(80, 104)),
}


def sounding_name(track: Track) -> str:
    """Return what a track of a song is called by its sound, such as "flute".

    A part that sounds as it is called, and a track that is no part, keeps its name.
    """
    own = OWN.get(track.name)
    if track.is_drum or own is None or track.program in own:
        return track.name
    if is_second_guitar(track):
        return SECOND_GUITAR
    plain = next((name for name, programs in PLAIN.items() if track.program in programs), None)
    return plain or program_name(track.program).lower()


def is_second_guitar(track: Track) -> bool:
    """Tell whether a track of a song is a second guitar."""
    return track.name == TRACK_NAMES[STRINGS] and track.program in GUITAR_PROGRAMS


def sounding_names(song: Score) -> dict[str, str]:
    """Return the sounding names of a song's tracks by their own; none comes twice."""
    names: dict[str, str] = {}
    for track in song.tracks:
        name = sounding_name(track)
        names[track.name] = f"{name} 2" if name in names.values() else name
    return names


def by_sound(song: Score) -> Score:
    """Return a song whose tracks are named by what sounds, for a MIDI file that others read.

    The melody's track says that it is the melody, where it is no piano, and that alone where
    readers take the name of its instrument for an accompaniment's.
    """
    names = sounding_names(song)
    lead = TRACK_NAMES[MELODY]
    if names.get(lead, lead) != lead:
        named = f"{names[lead]} ({ROLE})"
        names[lead] = named if name_says(named) == "melody" else ROLE
    tracks = [replace(track, name=names[track.name]) for track in song.tracks]
    return replace(song, tracks=tracks)
