"""A second guitar is a part of its own, played by the guitar's models, and can be changed."""

import numpy as np
import pytest

from accomp import Accompanist, Options, Redo, Refill, read_midi
from accomp.band.arrange import SETTINGS
from accomp.band.ensembles import ensembles
from accomp.band.finish import Finish
from accomp.band.other_players import newcomers, with_players, with_sounds
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from accomp.roll.sounding_names import is_second_guitar, sounding_name

TRIO = ("drums", "bass", "guitar")
ALL = (*TRIO, "strings")


@pytest.fixture(scope="module")
def melody():
    return read_midi("examples/ode_to_joy.mid")


@pytest.fixture(scope="module")
def model():
    return Accompanist.from_pretrained("rock")


@pytest.fixture(scope="module")
def song(model, melody):
    return model.accompany(melody, seed=3, second_guitar=True)


def strokes(track) -> set:
    return {(round(4 * note.onset), note.pitch) for note in track.notes}


def test_it_plays_something_else_than_the_first_in_a_guitars_way(model, melody, song):
    first, second = song.tracks[GUITAR], song.tracks[STRINGS]
    assert is_second_guitar(second) and len(second.notes) > 40
    assert len(strokes(first) & strokes(second)) < len(strokes(second)) / 2
    sounding = [
        sum(note.onset <= other.onset + 1e-3 < note.end for note in second.notes)
        for other in second.notes
    ]
    assert max(sounding[:-5]) <= 4  # voices ring over each other, but nobody strums six strings
    low, high = SETTINGS.parts[GUITAR].pitches
    assert all(low <= note.pitch <= high for note in second.notes)
    assert max(note.duration for note in second.notes[:-5]) <= 5  # plucked, not bowed
    pans = {track.name: c.value for track in song.tracks for c in track.controls if c.number == 10}
    assert pans["guitar"] < 64 < pans["strings"]  # left and right


def test_the_others_play_as_they_do_without_strings(model, melody, song):
    trio = model.accompany(melody, seed=3, instruments=TRIO)
    for track in (DRUMS, MELODY, GUITAR, BASS):
        assert song.tracks[track].notes == trio.tracks[track].notes
    assert model.accompany(melody, seed=3, second_guitar=True) == song
    other = model.accompany(melody, seed=4, second_guitar=True)
    assert other.tracks[STRINGS].notes != song.tracks[STRINGS].notes
    assert not model.accompany(melody, seed=3, second_guitar=True, instruments=TRIO).tracks[4].notes


def test_bars_of_it_are_made_anew_and_all_else_stays(model, melody, song):
    refill = Refill(["strings"], bars=(5, 8), busy=1.0)
    busier = model.refill(melody, song, refill, seed=3, second_guitar=True)
    sparser = model.refill(
        melody, song, Refill(["strings"], bars=(5, 8), busy=0.0), seed=3, second_guitar=True
    )
    for track in (DRUMS, MELODY, GUITAR, BASS):
        assert busier.tracks[track].notes == song.tracks[track].notes
    assert is_second_guitar(busier.tracks[STRINGS])

    def inside(each) -> list:
        return [n for n in each.tracks[STRINGS].notes if 16 <= n.onset < 31.8]

    def outside(each) -> list:
        return [n for n in each.tracks[STRINGS].notes if n.onset < 15 or n.onset > 33]

    assert outside(busier) == outside(song) and inside(busier) != inside(song)
    assert len(inside(busier)) > len(inside(sparser))


def test_what_is_kept_in_the_strings_place_keeps_its_sound(model, melody, song):
    redo = Redo(song, keep=["strings", "bass"])
    again = model.accompany(melody, seed=9, redo=redo, second_guitar=True)
    assert again.tracks[STRINGS].notes == song.tracks[STRINGS].notes
    assert is_second_guitar(again.tracks[STRINGS])
    assert again.tracks[GUITAR].notes != song.tracks[GUITAR].notes
    without = model.accompany(melody, seed=9, redo=redo)  # strings are wished, a guitar was kept
    assert is_second_guitar(without.tracks[STRINGS])


def test_it_can_be_moved_as_other_players_can(model, melody, song):
    sketch = model.sketch(melody, seed=3, second_guitar=True)
    sparse, busy = (
        model.perform(sketch.explored({"strings": {"density": amount}})) for amount in (-2.0, 2.0)
    )
    sparser, busier = ({n.onset for n in each.tracks[STRINGS].notes} for each in (sparse, busy))
    assert len(sparser) < len(busier)
    for track in (DRUMS, GUITAR, BASS):
        assert busy.tracks[track].notes == song.tracks[track].notes
    assert model.perform(sketch.explored({})) == song


def test_who_stays_plays_the_very_notes(model, melody):
    before = Options(seed=3)
    song = model.accompany(melody, before)
    after = Options(seed=3, second_guitar=True)
    assert newcomers(before, after) == {"strings"}
    changed = with_players(
        song, before, after, lambda redo: model.accompany(melody, after, redo=redo)
    )
    for track in (DRUMS, MELODY, GUITAR, BASS):
        assert changed.tracks[track] == song.tracks[track]
    assert sounding_name(changed.tracks[STRINGS]) == "second guitar"

    def never(redo):
        raise AssertionError

    trio = Options(seed=3, instruments=TRIO)
    fewer = with_players(song, before, trio, never)
    assert fewer.tracks[:STRINGS] == song.tracks[:STRINGS] and not fewer.tracks[STRINGS].notes
    back = with_players(
        fewer, trio, before, lambda redo: model.accompany(melody, before, redo=redo)
    )
    assert back.tracks[STRINGS].notes and back.tracks[GUITAR].notes == song.tracks[GUITAR].notes


def test_an_ensemble_brings_the_sounds_that_its_name_says(model, melody, song):
    before = model.accompany(melody, seed=3)
    line_ups = {each.name: each for each in ensembles("rock")}
    own = Finish(tempo=90.0, programs={"piano": 73, "guitar": 26})
    piano = with_sounds(own, before, line_ups["piano, no strings"])
    assert piano == Finish(tempo=90.0, programs={"piano": 73, "guitar": 0})
    assert with_sounds(own, before, line_ups["guitar, no strings"]) == own  # his own guitar stays
    assert with_sounds(own, before, line_ups["two guitars, no strings"]) == own
    assert with_sounds(piano, before, line_ups["guitar, strings"]).programs["guitar"] == 30
    organ = with_sounds(own, before, line_ups["guitar, organ"])
    assert organ.programs["strings"] == line_ups["guitar, organ"].programs["strings"]
    assert "strings" not in with_sounds(organ, before, line_ups["guitar, no strings"]).programs
    assert with_sounds(own, song, line_ups["guitar, strings"]).programs["strings"] == 48


def test_real_line_ups_have_one():
    with_two = {g: [e for e in ensembles(g) if e.second_guitar] for g in ("rock", "pop", "jazz")}
    for found in with_two.values():
        (two,) = found
        assert two.name == "two guitars, no strings" and "strings" in two.instruments
        assert np.isin(two.programs["strings"], range(24, 32))
