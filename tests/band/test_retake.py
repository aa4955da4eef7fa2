"""Another take keeps what it is told to keep, and makes the rest again."""

import numpy as np
import pytest

from accomp import Accompanist, read_midi
from accomp.band.options import Redo
from accomp.errors import MusicError
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACK_NAMES
from tests.band.test_accompanist import melody
from tests.support.tiny import tiny

BAND = (DRUMS, BASS, GUITAR, STRINGS)


@pytest.fixture(scope="module")
def pop():
    return Accompanist.from_pretrained("pop")


@pytest.mark.parametrize("keep", [("drums",), ("bass", "strings"), ("guitar", "drums", "bass")])
@pytest.mark.parametrize("intro", ["none", "count-in", "bars"])
def test_kept_tracks_are_the_same_and_the_others_are_not(pop, keep, intro):
    tune = melody()
    first = pop.accompany(tune, seed=1, intro=intro)
    again = pop.accompany(tune, seed=2, intro=intro, redo=Redo(first, keep))
    for track, name in enumerate(TRACK_NAMES):
        assert (again.tracks[track].notes == first.tracks[track].notes) == (
            name in keep or track == MELODY
        ), name
    assert again.chords == first.chords


def test_kept_tracks_are_heard_by_the_others(pop):
    tune = melody()
    takes = [pop.accompany(tune, seed=seed) for seed in (1, 2)]
    chords = takes[0].chords
    strings = [
        pop.accompany(tune, seed=3, redo=Redo(take, ("bass", "drums", "guitar")), chords=chords)
        .tracks[STRINGS]
        .notes
        for take in takes
    ]
    assert strings[0] != strings[1]


@pytest.mark.parametrize("span", [(8.0, 16.0), (0.0, 8.0), (12.0, 20.0), (20.0, 999.0)])
def test_only_the_bars_asked_for_are_made_anew(pop, span):
    tune = melody()
    first = pop.accompany(tune, seed=1)
    again = [
        pop.accompany(tune, seed=seed, redo=Redo(first, ("drums",), span)) for seed in range(2, 6)
    ]
    changed = 0
    for song in again:
        assert song.tracks[DRUMS].notes == first.tracks[DRUMS].notes and song.chords == first.chords
        for track in BAND:
            old, new = first.tracks[track].notes, song.tracks[track].notes
            for is_outside in (
                lambda n: n.onset < span[0] - 0.13,
                lambda n: n.onset > span[1] - 0.12,
            ):
                was = [(n.pitch, n.onset, n.velocity) for n in old if is_outside(n)]
                assert was == [(n.pitch, n.onset, n.velocity) for n in new if is_outside(n)]
            # What rang on into what is new is cut there, and what is new ends before what follows.
            crossing = [n for n in new if n.onset < span[0] - 0.13 and n.end > span[0] + 1e-6]
            assert track == DRUMS or not crossing
            changed += track != DRUMS and old != new
    assert changed >= 8


def test_chords_that_are_given_count_where_the_music_is_made_anew(pop):
    tune = melody()
    first = pop.accompany(tune, seed=1)
    again = pop.accompany(tune, seed=2, redo=Redo(first, span=(8.0, 12.0)), chords="| Ab | Db |")
    whole = pop.accompany(tune, seed=2, redo=Redo(first), chords="| Ab | Db |")
    symbols = [
        [
            [chord.symbol for chord in song.chords if chord.onset <= beat][-1]
            for beat in range(0, 28, 2)
        ]
        for song in (first, again, whole)
    ]
    assert symbols[1] == symbols[0][:4] + ["Ab", "Ab"] + symbols[0][6:]
    assert symbols[2] == (["Ab"] * 2 + ["Db"] * 2) * 3 + ["Ab"] * 2
    assert again.tracks[BASS].notes != first.tracks[BASS].notes


def test_the_same_seed_gives_the_same_take(pop):
    tune = melody()
    first = pop.accompany(tune, seed=1)
    takes = [
        pop.accompany(tune, seed=7, redo=Redo(first, ("bass",), (4.0, 12.0))) for _ in range(2)
    ]
    assert takes[0] == takes[1]


def test_nothing_kept_is_a_new_song_under_the_old_chords(pop):
    tune = melody()
    first, other = pop.accompany(tune, seed=1), pop.accompany(tune, seed=2)
    assert (
        pop.accompany(tune, seed=2, redo=Redo(first)).tracks
        == pop.accompany(tune, seed=2, chords=first.chords).tracks
    )
    assert other.tracks != first.tracks


def test_a_take_that_was_written_and_read_again_serves(pop, tmp_path):
    from accomp import write_midi

    tune = melody()
    write_midi(pop.accompany(tune, seed=1), tmp_path / "take.mid")
    take = read_midi(tmp_path / "take.mid")
    again = pop.accompany(tune, seed=2, redo=Redo(take, ("bass",)))
    assert [n[:2] for n in again.tracks[BASS].notes] == [n[:2] for n in take.tracks[BASS].notes]


def test_what_is_no_take_is_refused():
    model, tune = tiny(), melody()
    take = model.accompany(tune)
    for redo, intro, message in (
        ({"earlier": model.accompany(melody(by=1))}, "none", "not one of this melody"),
        ({"earlier": take}, "bars", "not one of this melody"),
        ({"earlier": tune}, "none", "not one of this melody"),
        ({"earlier": take, "keep": ("tuba",)}, "none", "'tuba' to keep; accepted: drums, piano"),
        (
            {"earlier": take, "span": (200.0, 300.0)},
            "none",
            "nothing of the song lies from beat 200",
        ),
        ({"earlier": take, "span": (8.0, 8.0)}, "none", "nothing of the song lies"),
    ):
        with pytest.raises(MusicError, match=message):
            model.accompany(tune, redo=Redo(**redo), intro=intro)


def test_the_published_method_retakes_too():
    model, tune = tiny(paper=True), melody()
    first = model.accompany(tune, seed=1, variation=1.0)
    again = model.accompany(tune, seed=2, variation=1.0, redo=Redo(first, ("drums",)))
    assert again.tracks[DRUMS].notes == first.tracks[DRUMS].notes
    assert np.any([again.tracks[t].notes != first.tracks[t].notes for t in (BASS, GUITAR, STRINGS)])
