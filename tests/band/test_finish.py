"""A song in another key, at another tempo, with other sounds, without a new band."""

import io

import pytest

from accomp import Accompanist, read_midi
from accomp.band import arrange
from accomp.band.balance import balanced
from accomp.band.finish import Finish, finished, fitting_programs, parse_program
from accomp.errors import MusicError
from accomp.music.instruments import program_pitches
from accomp.music.midi import LEAST_RESOLUTION, write_midi
from accomp.music.score import Note, Score, Track
from accomp.music.timing import mean_tempo, on_ticks
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACK_NAMES


@pytest.fixture(scope="module")
def song():
    made = Accompanist.from_pretrained("pop").accompany(read_midi("examples/ode_to_joy.mid"))
    return on_ticks(made, LEAST_RESOLUTION)  # as a file has it


def test_nothing_asked_changes_nothing(song):
    assert finished(song, Finish(), "pop") is song
    assert balanced(song, "pop") == song  # so that a song can be balanced again


@pytest.mark.parametrize("semitones", [-12, -5, -1, 1, 3, 12])
def test_all_but_the_drums_is_transposed(song, semitones):
    moved = finished(song, Finish(semitones), "pop")
    assert moved.tracks[DRUMS].notes == song.tracks[DRUMS].notes
    for track in (MELODY, BASS, GUITAR, STRINGS):
        old, new = song.tracks[track].notes, moved.tracks[track].notes
        steps = {b.pitch - a.pitch - semitones for a, b in zip(old, new, strict=True)}
        assert steps <= ({0} if track == MELODY else {-24, -12, 0, 12, 24})
        assert [note[1:] for note in old] == [note[1:] for note in new]
    for track, part in arrange.SETTINGS.parts.items():
        low, high = part.pitches
        assert all(low <= note.pitch <= high for note in moved.tracks[track].notes)
    (before,), (after,) = song.key_signatures, moved.key_signatures
    assert (after.tonic - before.tonic - semitones) % 12 == 0 and abs(after.fifths) <= 6
    assert [chord.onset for chord in moved.chords] == [chord.onset for chord in song.chords]


def test_chord_symbols_follow(song):
    symbols = [chord.symbol for chord in finished(song, Finish(3), "pop").chords]
    assert [chord.symbol for chord in song.chords][:4] == ["D", "G", "D", "A7"]
    assert symbols[:4] == ["F", "Bb", "F", "C7"] and len(symbols) == len(song.chords)


def test_there_and_back_is_the_same_melody_and_key(song):
    back = finished(finished(song, Finish(5), "pop"), Finish(-5), "pop")
    assert back.tracks[MELODY] == song.tracks[MELODY]
    assert back.chords == song.chords and back.key_signatures == song.key_signatures


def test_the_tempo_is_that_which_was_asked_for(song):
    slow = finished(song, Finish(tempo=66.0), "pop")
    assert mean_tempo(slow) == pytest.approx(66.0, abs=0.01)
    assert [t.notes for t in slow.tracks] == [t.notes for t in song.tracks]


def test_another_instrument_plays_where_it_has_its_notes(song):
    programs = {"piano": 73, "guitar": 105, "bass": 58, "strings": 56}
    played = finished(song, Finish(programs=programs), "pop")
    for name, program in programs.items():
        track = played.tracks[TRACK_NAMES.index(name)]
        assert track.program == program
        low, high = program_pitches(program)
        if name != "piano":  # the melody's own notes stay
            assert all(low <= note.pitch <= high for note in track.notes)
    assert played.tracks[MELODY].notes == song.tracks[MELODY].notes
    levels = [track.controls for track in played.tracks]
    assert levels != [track.controls for track in song.tracks]  # a trumpet is louder than strings


def test_only_programs_that_fit_are_offered():
    assert set(range(32, 40)) <= set(fitting_programs("bass"))
    assert not {40, 73, 9} & set(fitting_programs("bass"))  # violin, flute, glockenspiel
    assert set(range(24, 31)) <= set(fitting_programs("guitar"))
    assert {40, 48, 52, 73} <= set(fitting_programs("strings"))
    for name in ("piano", "bass", "guitar", "strings"):
        assert max(fitting_programs(name)) < 120  # no gunshots


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("guitar=27", ("guitar", 27)),
        (" piano = Flute ", ("piano", 73)),
        ("strings=choir aahs", ("strings", 52)),
    ],
)
def test_programs_are_read(text, expected):
    assert parse_program(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "guitar",
        "guitar=",
        "guitar=128",
        "drums=7",
        "drums=flute",
        "tuba=58",
        "bass=73",
        "=3",
        "piano=x",
    ],
)
def test_what_does_not_fit_is_refused(text):
    with pytest.raises(MusicError, match="accepted"):
        parse_program(text)


@pytest.mark.parametrize(
    "fault",
    [
        {"transpose": 13},
        {"transpose": 1.5},
        {"tempo": 9},
        {"tempo": float("nan")},
        {"programs": {"drums": 3}},
        {"programs": {"guitar": "27"}},
        {"programs": [27]},
    ],
)
def test_what_is_out_of_range_is_refused(fault):
    with pytest.raises(MusicError, match="accepted"):
        Finish(**fault)


def test_a_melody_that_would_leave_midi_is_refused():
    tracks = [Track(name, is_drum=name == "drums") for name in TRACK_NAMES]
    tracks[MELODY].notes = [Note(125, 0.0, 4.0, 80)]
    with pytest.raises(MusicError, match="accepted: 0 to 127"):
        finished(Score(tracks), Finish(3), "pop")


def test_drums_get_another_kit_and_keep_their_notes(song):
    name, kit = parse_program("drums=jazz kit")
    assert (name, kit) == ("drums", 32) and parse_program("drums=40") == ("drums", 40)
    jazz = finished(song, Finish(programs={name: kit}), "pop")
    assert jazz.tracks[DRUMS].program == 32
    assert jazz.tracks[DRUMS].notes == song.tracks[DRUMS].notes
    file = io.BytesIO()
    write_midi(jazz, file)
    (drums,) = (track for track in read_midi(file.getvalue()).tracks if track.is_drum)
    assert drums.program == 32


def test_a_second_guitar_is_at_home_as_a_guitar(song):
    made = Accompanist.from_pretrained("pop").accompany(
        read_midi("examples/ode_to_joy.mid"), second_guitar=True
    )
    moved = finished(made, Finish(transpose=5, programs={"strings": 30}), "pop")
    low, high = arrange.SETTINGS.parts[GUITAR].pitches
    pitches = [note.pitch for note in moved.tracks[STRINGS].notes]
    assert low <= min(pitches) <= max(pitches) <= high and moved.tracks[STRINGS].program == 30
