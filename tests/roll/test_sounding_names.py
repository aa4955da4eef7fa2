"""Tracks are called by what sounds, and readers still find the melody."""

import io

import pytest

from accomp.band.finish import fitting_programs
from accomp.music.melody_track import choose_melody
from accomp.music.midi import read_midi, write_midi
from accomp.music.score import Note, Score, Track
from accomp.roll.grid import MELODY, TRACK_NAMES, TRACKS
from accomp.roll.sounding_names import by_sound, sounding_name


@pytest.mark.parametrize(
    "part, program, name",
    [
        ("piano", 0, "piano"),
        ("piano", 73, "flute"),
        ("guitar", 30, "guitar"),
        ("guitar", 0, "piano"),
        ("strings", 27, "second guitar"),
        ("strings", 19, "organ"),
        ("bass", 58, "tuba"),
        ("drums", 40, "drums"),
        ("Vocals", 73, "Vocals"),
    ],
)
def test_a_part_is_called_by_what_sounds(part, program, name):
    assert sounding_name(Track(part, program, part == "drums")) == name


def song(program: int) -> Score:
    line = [Note(60 + beat % 5, float(beat), 0.9, 80) for beat in range(16)]
    chords = [Note(pitch, float(4 * bar), 3.5, 80) for bar in range(4) for pitch in (48, 52, 55)]
    notes = {"drums": [], "piano": line, "bass": [n._replace(pitch=36) for n in line]}
    tracks = [
        Track(
            spec.name,
            program if spec.name == "piano" else spec.program,
            spec.name == "drums",
            list(notes.get(spec.name, chords)),
        )
        for spec in TRACKS
    ]
    return Score(tracks)


@pytest.mark.parametrize("program", fitting_programs("piano")[::3])
def test_the_melody_is_found_again(program):
    file = io.BytesIO()
    named = by_sound(song(program))
    write_midi(named, file)
    again = read_midi(file.getvalue())
    melody = again.tracks[choose_melody(again)]
    assert melody.notes == named.tracks[MELODY].notes and melody.program == program
    assert "melody" in melody.name or melody.name == "piano"


def test_usual_names_stay_and_no_name_comes_twice():
    assert [track.name for track in by_sound(song(0)).tracks] == list(TRACK_NAMES)
    doubled = song(0)
    doubled.tracks[2].program = 0
    names = [track.name for track in by_sound(doubled).tracks]
    assert names == ["drums", "piano", "piano 2", "bass", "strings"]
