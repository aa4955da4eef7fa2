import numpy as np
import pytest

from accomp.band.voicing import (
    agree,
    bass_notes,
    colour,
    given_bass,
    release,
    without_clashes,
)
from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol, parse_symbol, triad_symbol
from accomp.roll import chord_plan
from accomp.roll.grid import BASS, GUITAR, STRINGS


def notes(*rows):
    return np.array(rows, int).reshape(-1, 3)


def symbols(*names):
    return [parse_symbol(name) for name in names]


def test_triads_take_the_tones_of_their_chords():
    played = notes(
        (48, 0, 8),
        (52, 0, 8),
        (55, 0, 8),
        (48, 8, 16),
        (51, 8, 16),
        (55, 8, 16),
        (59, 16, 24),
        (62, 16, 24),
    )
    got = colour(played, symbols("Csus4", "Cdim", "G", "G"))
    assert got[:, 0].tolist() == [48, 53, 55, 48, 51, 54, 59, 62]
    assert (got[:, 1:] == played[:, 1:]).all()


def test_a_doubled_root_becomes_the_seventh_that_nobody_plays():
    doubled = notes((48, 0, 8), (52, 0, 8), (55, 0, 8), (60, 0, 8))
    assert colour(doubled, symbols("C7"))[:, 0].tolist() == [48, 52, 55, 58]
    assert colour(doubled, symbols("Cmaj7"))[:, 0].tolist() == [48, 52, 55, 59]
    assert colour(notes((48, 0, 8), (52, 0, 8), (55, 0, 8)), symbols("C7"))[:, 0].tolist() == [
        48,
        52,
        58,
    ]  # else the fifth
    assert colour(notes((52, 0, 8), (55, 0, 8), (60, 0, 8)), symbols("C7"))[:, 0].tolist() == [
        52,
        58,
        60,
    ]  # the only root stays
    played = notes((48, 0, 8), (52, 0, 8), (59, 0, 8), (60, 0, 8))
    assert colour(played, symbols("C7"))[:, 0].tolist() == [
        48,
        52,
        58,
        60,
    ]  # the wrong seventh is put right, no more


def test_plain_triads_are_left_alone():
    played = notes((48, 0, 8), (53, 0, 8), (59, 4, 12))
    assert (colour(played, symbols("C", "Am")) == played).all()


def test_the_given_bass_note_is_on_the_first_beat():
    line = notes((36, 0, 4), (43, 4, 8), (36, 4, 8), (36, 8, 12))
    assert bass_notes(line, symbols("C/E", "C"))[:, 0].tolist() == [40, 43, 36, 36]


def test_the_given_bass_note_is_the_first_of_a_half_bar_whatever_it_was():
    line = notes((43, 0, 4), (36, 4, 8), (43, 14, 16), (40, 16, 18), (36, 19, 24), (36, 24, 32))
    got = bass_notes(line, symbols("C/E", "Am/G", "F/C", "C"))
    assert got[:, 0].tolist() == [40, 36, 43, 36, 36, 36]
    dim = notes((43, 2, 8), (43, 8, 16), (43, 16, 24))  # a root where it begins, then as it goes
    assert bass_notes(dim, symbols("C", "Gsus4", "Gsus4"))[:, 0].tolist() == [43, 43, 43]
    assert bass_notes(dim, symbols("C", "Cdim", "Cdim"))[:, 0].tolist() == [43, 36, 42]
    held = notes((36, 0, 16), (38, 20, 24))  # the C is held over; D is struck first in the F
    assert given_bass(held, symbols("C", "C", "F/A"))[:, 0].tolist() == [36, 33]


@pytest.mark.parametrize(
    "chord, played, expected",
    [
        ("Csus4", [48, 55, 60], [48, 55, 65]),  # the doubled root becomes the fourth
        ("Cdim", [48, 51, 60], [48, 51, 66]),
        ("Caug", [48, 52, 60], [48, 52, 56]),
        ("Cm7b5", [48, 51, 60, 72], [48, 51, 58, 78]),  # the fifth first, then the seventh
        ("C6", [48, 52, 60], [48, 52, 57]),
    ],
)
def test_the_tone_that_tells_a_chord_sounds(chord, played, expected):
    got = colour(notes(*[(pitch, 0, 8) for pitch in played]), symbols(chord))
    assert sorted(got[:, 0].tolist()) == sorted(expected)


def test_a_third_does_not_sound_on_into_a_suspended_chord():
    held = notes((48, 0, 16), (52, 0, 16), (55, 4, 20), (64, 0, 32))
    assert release(held, symbols("C", "Csus4", "C", "C"))[:, 2].tolist() == [16, 8, 20, 8]
    assert release(held, symbols("C", "Cdim", "C", "C"))[:, 2].tolist() == [16, 8, 8, 8]
    assert release(held, symbols("C", "C", "Caug", "C"))[:, 2].tolist() == [16, 16, 16, 32]
    assert (release(held, symbols("C", "Am7", "F/C", "G7")) == held).all()


def test_the_bass_has_the_fifth_and_third_of_its_chord():
    line = notes((36, 0, 4), (43, 4, 8), (43, 8, 12), (40, 12, 16), (40, 16, 20), (43, 20, 24))
    assert bass_notes(line, symbols("Cdim", "Csus4", "C"))[:, 0].tolist() == [
        36,
        42,
        48,  # the suspended chord begins on its root
        41,
        40,
        43,
    ]
    assert colour(notes((48, 0, 8), (52, 0, 8)), symbols("C5"))[:, 0].tolist() == [48, 55]


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_band_that_plays_the_colours_of_its_chords_is_left_alone(quality):
    for root in range(12):
        symbol = ChordSymbol(root, quality)
        band = {GUITAR: notes(*[(48 + root + tone, 0, 8) for tone in QUALITIES[quality][:4]])}
        assert (agree(band, [symbol])[GUITAR] == band[GUITAR]).all()


def test_a_band_that_plays_another_chord_than_a_diminished_one():
    band = {BASS: notes((43, 0, 8)), GUITAR: notes((55, 0, 8), (59, 0, 8), (62, 0, 8))}  # G major
    got = agree(band, symbols("Bdim"))
    assert {p % 12 for rows in got.values() for p in rows[:, 0].tolist()} <= {11, 2, 5}


def test_a_band_that_plays_another_chord_is_brought_to_the_plan():
    guitar = notes((57, 0, 8), (60, 0, 8), (65, 0, 8), (64, 8, 16))
    band = {BASS: notes((36, 0, 8), (36, 8, 16)), GUITAR: guitar, STRINGS: notes()}
    got = agree(band, symbols("C", "C"))
    assert (
        got[GUITAR][3].tolist() == [64, 8, 16] and (got[BASS] == band[BASS]).all()
    )  # what was clear stays
    first = [p % 12 for p in (*got[BASS][:1, 0], *got[GUITAR][:3, 0])]
    assert (chord_plan.TRIADS @ np.bincount(first, minlength=12)).argmax() == 0
    assert all((got[t][:, 1:] == band[t][:, 1:]).all() for t in band)


def test_passing_notes_stay():
    band = {GUITAR: notes((48, 0, 8), (52, 0, 8), (55, 0, 6), (53, 6, 8))}
    assert (agree(band, symbols("C"))[GUITAR] == band[GUITAR]).all()


def test_a_note_held_over_from_the_chord_before_ends_with_it():
    band = {STRINGS: notes((57, 0, 16), (60, 0, 16), (64, 0, 16))}
    got = agree(band, symbols("Am", "G"))
    assert (got[STRINGS][:, 2] <= 8).any() and (got[STRINGS][:, 1:2] == 0).all()


def test_chord_tones_alone_that_mean_another_chord():
    got = agree(
        {GUITAR: notes((57, 0, 4), (60, 0, 8), (64, 0, 8), (60, 4, 8))}, symbols("C")
    )  # A minor's, mostly C and E
    heard = np.bincount(got[GUITAR][:, 0] % 12, got[GUITAR][:, 2] - got[GUITAR][:, 1], 12)
    assert (chord_plan.TRIADS @ heard).argmax() == 0


def test_what_clashes_gives_way_unless_it_passes_or_belongs_to_the_chord():
    symbols = [parse_symbol("C"), parse_symbol("Cmaj7")]
    guitar = [[64, 0, 16], [71, 8, 16]]  # E over both, B in the second
    strings = [[77, 0, 8], [84, 8, 16]]  # F against the E; C against the B, a tone of Cmaj7
    bass = [[36, 0, 16]]
    band = {BASS: np.array(bass), GUITAR: np.array(guitar), STRINGS: np.array(strings)}
    found = without_clashes(band, symbols)
    assert found[STRINGS].tolist() == [[76, 0, 8], [84, 8, 16]]
    assert found[GUITAR].tolist() == guitar and found[BASS].tolist() == bass
    band[STRINGS] = np.array([[77, 0, 2]])
    assert without_clashes(band, symbols)[STRINGS].tolist() == [[77, 0, 2]]
    band[STRINGS] = np.array([[77, 0, 16]])
    band[GUITAR] = np.array([[64, 8, 16]])  # the F is held over into it
    assert without_clashes(band, symbols)[STRINGS].tolist() == [[77, 0, 8]]


def test_real_plans_are_met_fast_and_nothing_else_changes():
    random = np.random.default_rng(0)
    band = {
        t: notes(
            *[
                (int(random.integers(40, 70)), int(s), int(s) + 4)
                for s in random.integers(0, 508, 200)
            ]
        )
        for t in (BASS, GUITAR, STRINGS)
    }
    plan = random.integers(0, 24, 64)
    got = agree(band, [triad_symbol(chord) for chord in plan])
    chroma = np.zeros((64, 12))
    for rows in got.values():
        for pitch, start, end in rows:
            for step in range(start, end):
                chroma[min(step // 8, 63), pitch % 12] += 1
    assert ((chroma @ chord_plan.TRIADS.T).argmax(1) == plan).mean() > 0.9
    assert [len(got[t]) for t in band] == [200] * 3
