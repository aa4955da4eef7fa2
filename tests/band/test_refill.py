"""Some bars of some players are made anew, and nothing else changes."""

import numpy as np
import pytest

from accomp import Accompanist, read_midi
from accomp.band.refill import Refill, parse_chord, parse_refill
from accomp.errors import MusicError
from accomp.roll.grid import ACCOMPANIMENT, BASS, DRUMS, GUITAR, TRACK_NAMES

EARLY = 0.13  # beats that a player's first note of a bar may come early


@pytest.fixture(scope="module")
def pop():
    return Accompanist.from_pretrained("pop")


@pytest.fixture(scope="module")
def tune():
    return read_midi("examples/ode_to_joy.mid")


@pytest.fixture(scope="module")
def song(pop, tune):
    return pop.accompany(tune, seed=1)


def inside(song, track, span=(16.0, 32.0)):
    return [n for n in song.tracks[track].notes if span[0] <= n.onset + EARLY < span[1]]


def outside(song, track, span=(16.0, 32.0)):
    """Notes in other bars; one that rings into the span counts as far as the bar line."""
    notes = [n for n in song.tracks[track].notes if not span[0] <= n.onset + EARLY < span[1]]
    return [
        n._replace(duration=min(n.duration, span[0] - n.onset)) if n.onset < span[0] else n
        for n in notes
    ]


@pytest.mark.parametrize("name", ["drums", "bass", "guitar", "strings"])
def test_only_these_bars_of_this_player_are_made_anew(pop, tune, song, name):
    again = pop.refill(tune, song, Refill((name,), (5, 8)), seed=1)
    for track, each in enumerate(TRACK_NAMES):
        assert outside(again, track) == outside(song, track)
        assert (inside(again, track) == inside(song, track)) == (each != name), each
        assert again.tracks[track].controls == song.tracks[track].controls
    assert again.chords == song.chords


@pytest.mark.parametrize("track", ACCOMPANIMENT)
def test_busy_makes_more_notes(pop, tune, song, track):
    name = TRACK_NAMES[track]
    counts = [
        len(inside(pop.refill(tune, song, Refill((name,), (5, 8), busy=busy), seed=1), track))
        for busy in (0.0, 0.5, 1.0)
    ]
    assert counts == sorted(counts) and counts[0] < counts[-1]
    usual = pop.refill(tune, song, Refill((name,), (5, 8)), seed=1)
    assert len(inside(usual, track)) == counts[1]


@pytest.mark.parametrize("track", [each for each in ACCOMPANIMENT if each != DRUMS])
def test_high_plays_higher(pop, tune, song, track):
    name = TRACK_NAMES[track]
    refilled = [
        pop.refill(tune, song, Refill((name,), (5, 8), high=high), seed=1)
        for high in (0.0, 0.5, 1.0)
    ]
    means = [np.mean([note.pitch for note in inside(each, track)]) for each in refilled]
    below = 2 if track == BASS else 4  # the lowest string is near where a bass usually plays
    assert means[0] + below < means[1] < means[2] - 4
    classes = [{note.pitch % 12 for note in inside(each, track)} for each in refilled]
    assert classes[0] == classes[1] == classes[2]


def test_other_chords_are_played_in_their_bar_and_nowhere_else(pop, tune, song):
    again = pop.refill(tune, song, parse_chord("5: Em7 A7"), seed=1)
    changed = [chord for chord in again.chords if chord not in song.chords]
    assert [(chord.onset, chord.symbol) for chord in changed][:2] == [(16.0, "Em7"), (18.0, "A7")]
    bar = (16.0, 20.0)
    for track in ACCOMPANIMENT:
        assert outside(again, track, bar) == outside(song, track, bar)
    assert {note.pitch % 12 for note in inside(again, GUITAR, (16.0, 18.0))} <= {4, 7, 11, 2}


def test_another_seed_gives_other_music_and_the_same_the_same(pop, tune, song):
    first, again, other = (
        pop.refill(tune, song, parse_refill(f"guitar:1-4:seed={seed}")) for seed in (5, 5, 6)
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bass:9-12", Refill({"bass"}, (9, 12))),
        ("bass+drums:9:busy=.8:high=0.2", Refill({"bass", "drums"}, (9, 9), 0.8, 0.2)),
        ("all:0-4:seed=7", Refill(bars=(0, 4), seed=7)),
        (" guitar : busy = 1 ", Refill({"guitar"}, busy=1)),
    ],
)
def test_text_is_read(text, expected):
    assert parse_refill(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "tuba:1", "bass:", "bass:x", "bass:4-1", "bass:1:2", "bass:1:busy=2", "bass:1:busy="),
        *("bass:1:busy=nan", "bass:1:loud=1", "bass:1:seed=-1", "bass:1:busy=1:busy=0", "a" * 999),
    ],
)
def test_what_is_no_refill_is_refused(text):
    with pytest.raises(MusicError, match="accepted"):
        parse_refill(text)


@pytest.mark.parametrize("text", ["", "5", "5:", ": C", "5: H", "x: C", "5-4: C", "99999999: C"])
def test_what_is_no_chord_of_a_bar_is_refused(text):
    with pytest.raises(MusicError, match="accepted"):
        parse_chord(text)


def test_bars_that_are_not_there_are_refused(pop, tune, song):
    with pytest.raises(MusicError, match="accepted: bars 1 to 16"):
        pop.refill(tune, song, Refill(bars=(17, 20)))
    with pytest.raises(MusicError, match="chords need bars"):
        pop.refill(tune, song, Refill(chords="C"))
