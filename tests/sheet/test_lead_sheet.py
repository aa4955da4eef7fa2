"""A melody and its chords on paper, as data: note values, rests, ties, triplets, swing."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accomp.errors import MusicError
from accomp.music.score import (
    Bar,
    Chord,
    KeySignature,
    Note,
    Score,
    Tempo,
    TimeSignature,
    Track,
)
from accomp.sheet.lead_sheet import lead_sheet
from accomp.sheet.note_values import NAMES, pieces_of
from accomp.sheet.quantise import WrittenNote, quantised

THIRD = Fraction(1, 3)
FOUR = TimeSignature(0.0, 4, 4)
SIX = TimeSignature(0.0, 6, 8)


def line(*times, pitch=72):
    """Notes from each time to the next one."""
    return [Note(pitch, a, b - a, 80) for a, b in pairwise(times)]


def sheet(notes, meters=(FOUR,), **known):
    track = Track("melody", notes=notes)
    return lead_sheet(Score([track], meters=list(meters), **known), track)


def lengths(measure):
    return [
        float(piece.length) * (1 if piece.pitch is not None else -1) for piece in measure.pieces
    ]


def test_notes_are_written_with_the_beats_in_sight():
    found = sheet(line(0, 0.5, 1.5, 2, 3.5, 4, 5, 7, 8, 11, 12, 12.75, 13, 16))
    assert [lengths(measure) for measure in found.measures] == [
        [0.5, 1, 0.5, 1.5, 0.5],
        [1, 2, 1],
        [3, 1],
        [0.75, 0.25, 3],
    ]


def test_a_note_over_the_middle_of_the_bar_or_a_bar_line_is_tied():
    (first, second) = sheet(line(0, 1.5, 2.5, 6, 8)).measures
    assert lengths(first) == [1.5, 0.5, 0.5, 1.5]
    assert [piece.tied_on for piece in first.pieces] == [False, True, False, True]
    assert [piece.tied_back for piece in second.pieces] == [True, False]


def test_six_eight_shows_its_dotted_beats():
    found = sheet(line(0, 1, 1.5, 3, 3.5, 5, 6), [SIX])
    assert [lengths(measure) for measure in found.measures] == [[1, 0.5, 1.5], [0.5, 1, 0.5, 1]]
    assert found.measures[1].pieces[1].tied_on


def test_triplets_of_eighths_and_of_quarters():
    t = float(THIRD)
    (measure,) = sheet(line(0, t, 2 * t, 1, 2, 2 + 2 * t, 2 + 4 * t, 4)).measures
    assert [piece.length for piece in measure.pieces] == [
        *(THIRD, THIRD, THIRD, 1),
        *(2 * THIRD, 2 * THIRD, 2 * THIRD),
    ]
    assert [piece.is_triplet for piece in measure.pieces] == [True] * 3 + [False] + [True] * 3
    assert measure.pieces[4].written == ("quarter", 0)


def test_a_pickup_is_a_short_bar_0_and_its_chord_is_not_lost():
    found = sheet(line(3, 4, 6, 8), chords=[Chord(0.0, "G7"), Chord(4.0, "C/E")])
    pickup, first = found.measures
    assert (pickup.number, pickup.length, lengths(pickup)) == (0, 1, [1])
    assert [str(symbol) for _, symbol in pickup.chords] == ["G7"]
    assert [(offset, str(symbol)) for offset, symbol in first.chords] == [(0, "C/E")]


def test_a_short_first_bar_is_a_pickup_in_the_meter_after_it():
    meters = [TimeSignature(0.0, 1, 4), TimeSignature(1.0, 3, 4)]
    found = sheet(line(0, 1, 4), meters)
    assert [(each.number, each.meter[1:], each.new_meter) for each in found.measures] == [
        (0, (3, 4), True),
        (1, (3, 4), False),
    ]


def test_bars_of_clicks_are_left_out_and_keep_their_number():
    found = sheet(line(4, 8, 12), chords=[Chord(4.0, "C")])
    assert [measure.number for measure in found.measures] == [2, 3]


def test_swung_eighths_are_written_straight():
    times = [beat + place for beat in range(8) for place in (0, 0.66)]
    found = sheet(line(*times, 8))
    assert found.swings and all(lengths(each) == [0.5] * 8 for each in found.measures)
    straight = sheet(line(*(time / 2 for time in range(17))))
    assert not straight.swings and straight.measures[0].pieces == found.measures[0].pieces


def test_triplets_among_swung_eighths_stay_triplets():
    t = 1 / 3
    times = [beat + place for beat in range(7) for place in (0, 0.66)]
    found = sheet(line(*times, 7, 7 + t, 7 + 2 * t, 8))
    assert found.swings
    assert [piece.length for piece in found.measures[1].pieces[-3:]] == [THIRD] * 3


def test_a_players_timing_and_touch_do_not_show():
    played = [Note(60, 0.02, 0.43, 80), Note(62, 0.47, 0.9, 80), Note(64, 1.52, 0.4, 80)]
    played.append(Note(65, 1.98, 1.7, 80))
    (measure,) = sheet(played).measures
    assert lengths(measure)[:3] == [0.5, 1, 0.5]


def test_a_rest_that_was_written_stays():
    (measure,) = sheet([Note(60, 0.0, 0.75, 80), Note(62, 1.0, 2.0, 80)]).measures
    assert lengths(measure) == [0.75, -0.25, 2, -1]


def test_chords_keys_and_tempos_stand_where_they_change():
    found = sheet(
        line(0, 4, 8, 12),
        chords=[Chord(0.0, "C"), Chord(2.0, "C"), Chord(6.0, "Am7"), Chord(8.0, "N.C.")],
        key_signatures=[KeySignature(0.0, 0, False), KeySignature(8.0, 3, False)],
        tempos=[Tempo(0.0, 500_000), Tempo(4.0, 500_100), Tempo(8.0, 600_000)],
    )
    assert [[(float(o), str(s)) for o, s in each.chords] for each in found.measures] == [
        [(0.0, "C")],
        [(2.0, "Am7")],
        [],
    ]
    assert [each.signature and each.signature.fifths for each in found.measures] == [0, None, 3]
    assert [[round(bpm) for _, bpm in each.tempos] for each in found.measures] == [[120], [], [100]]


def test_the_many_tempos_of_a_recording_are_one():
    tempos = [Tempo(float(beat), 500_000 + 40_000 * (beat % 2)) for beat in range(8)]
    found = sheet(line(0, 4, 8), tempos=tempos)
    assert [len(each.tempos) for each in found.measures] == [1, 0]


def test_no_melody_is_refused():
    with pytest.raises(MusicError, match="accepted"):
        sheet([])


@st.composite
def melodies(draw):
    meter = TimeSignature(
        0.0, *draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 4), (7, 8), (2, 2)]))
    )
    steps = draw(st.lists(st.integers(1, 14), min_size=1, max_size=20))
    parts = draw(st.sampled_from([3, 4, 8])) if not meter.is_compound else 4
    notes, now = [], 0
    for place, size in enumerate(steps):
        if place % 3 or not place:
            notes.append(WrittenNote(Fraction(now, parts), Fraction(now + size, parts), 60))
        now += size
    return meter, notes


@settings(deadline=None)
@given(melodies())
def test_bars_are_full_and_all_that_sounds_is_written(drawn):
    meter, notes = drawn
    bar = Fraction(meter.bar_beats)
    end = notes[-1].end
    sounding = []
    for place in range(int(end // bar) + 1):
        pieces = pieces_of(notes, place * bar, bar, meter)
        assert sum(piece.length for piece in pieces) == bar
        for piece in pieces:
            length = piece.length * (Fraction(3, 2) if piece.is_triplet else 1)
            assert length in NAMES or piece[:3] == (0, bar, None)
            if piece.pitch is None:
                assert not piece.tied_on and not piece.tied_back
                continue
            onset = place * bar + piece.onset
            if piece.tied_back:
                assert sounding[-1][1] == onset
                sounding[-1][1] += piece.length
            else:
                sounding.append([onset, onset + piece.length])
    assert sounding == [[note.onset, note.end] for note in notes]


def test_what_is_on_the_grid_stays_there():
    bars = [Bar(4.0 * bar, FOUR) for bar in range(3)]
    times = [0, 0.25, 1, 1.125, 1.5, 2, 2 + 1 / 3, 2 + 2 / 3, 3, 3 + 1 / 6, 3.5, 4, 7.5, 12]
    written, _ = quantised(line(*times), bars)
    assert [float(note.onset) for note in written] == pytest.approx(times[:-1])
