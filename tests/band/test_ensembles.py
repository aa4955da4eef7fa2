"""The ensembles of the genres can be played, and are counted as the songs have them."""

import pytest

from accomp.band.ensembles import ensembles, find_ensemble
from accomp.band.finish import Finish
from accomp.band.options import Options
from accomp.errors import MusicError
from accomp.models.places import embedded_genres
from accomp.music.score import Note, Score, Track
from benchmarks.ensembles import counted, second_guitar


@pytest.mark.parametrize("genre", embedded_genres())
def test_every_genre_has_some_that_can_be_played(genre):
    found = ensembles(genre)
    assert len(found) >= 2 and len({each.name for each in found}) == len(found)
    assert [each.share for each in found] == sorted((e.share for e in found), reverse=True)
    assert sum(each.share for each in found) <= 1
    for each in found:
        assert set(Finish(programs=each.programs).programs) < set(each.instruments)
        Options(instruments=each.instruments)
        assert find_ensemble(genre, each.name) == each


def test_an_unknown_one_is_refused_with_the_known_ones():
    with pytest.raises(MusicError, match="accepted: .*guitar, no strings"):
        find_ensemble("jazz", "brass band")
    assert ensembles("polka") == []


def test_they_are_counted():
    trio = {"guitar": 0, "bass": 32}
    songs = [{"genre": "jazz", "programs": trio}] * 3
    songs += [{"genre": "jazz", "programs": {"guitar": 26, "bass": 33, "strings": 16}}]
    songs += [{"genre": "jazz", "programs": {"guitar": 73, "bass": 33}}]  # a flute is no guitar
    songs += [{"genre": "pop", "programs": trio}]
    first, second = counted(songs, "jazz")
    assert first == {
        "name": "piano, no strings",
        "share": 0.6,
        "instruments": ["drums", "guitar", "bass"],
        "programs": {"guitar": 0, "bass": 32},
    }
    assert (second["name"], second["share"]) == ("guitar, organ", 0.2)
    assert second["programs"] == {"guitar": 26, "bass": 33, "strings": 16}


def guitar(pitches: tuple[int, ...], offset: float, program: int = 25) -> Track:
    notes = [Note(p, beat + offset, 0.9, 80) for beat in range(32) for p in pitches]
    return Track("", program, notes=notes)


def test_second_guitars_are_found_and_doublings_are_none():
    flute = Track("melody", 73, notes=[Note(72 + b % 5, float(b), 0.9, 80) for b in range(32)])
    chords = guitar((52, 55, 60), 0.0)
    second = second_guitar(Score([flute, chords, guitar((67,), 0.5, 27)]))
    assert second and second.program == 27 and second.higher == 12 and second.together == 0
    assert second_guitar(Score([flute, chords, guitar((64, 72), 0.0, 27)])) is None  # an octave up
    assert second_guitar(Score([flute, chords])) is None
    songs = [
        {"genre": "rock", "file": str(n), "programs": {"guitar": 30, "bass": 33}} for n in range(4)
    ]
    one, two = counted(songs, "rock", {"0": second, "1": None})
    assert (one["name"], one["share"]) == ("guitar, no strings", 0.75)
    assert two["name"] == "two guitars, no strings" and two["second_guitar"] is True
    assert two["programs"] == {"guitar": 30, "bass": 33, "strings": 27}
