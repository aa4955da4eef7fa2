"""The ensembles of the genres can be played, and are counted as the songs have them."""

import pytest

from accomp.band.ensembles import ensembles, find_ensemble
from accomp.band.finish import Finish
from accomp.band.options import Options
from accomp.errors import MusicError
from accomp.models.places import embedded_genres
from benchmarks.ensembles import counted


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
