"""Measures of playing, on small lopsided music whose value is known."""

import numpy as np
import pytest

from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from train.metrics import playing_distance as distance
from train.metrics import playing_notes as of_notes
from train.metrics import playing_pieces
from train.metrics import playing_rhythm as rhythm
from train.metrics import playing_together as together
from train.metrics.playing import MEASURES, profile
from train.metrics.playing_notes import Playing

KICK, SNARE, TOM = 36, 38, 45


def song(bars=4, others=(), **parts):
    """Return a band: of each part its notes (pitch, first step, steps)."""
    tracks = {"drums": DRUMS, "melody": MELODY, "guitar": GUITAR, "bass": BASS, "strings": STRINGS}
    notes = {index: rows(parts.get(name, [])) for name, index in tracks.items()}
    return Playing(notes, rows(others), bars)


def rows(notes):
    found = np.array([(p, at, at + length) for p, at, length in notes], int).reshape(-1, 3)
    return found[np.lexsort((found[:, 0], found[:, 1]))]


def hits(*steps, pitch=SNARE):
    return [(pitch, step, 1) for step in steps]


def test_lengths_are_octaves_of_beats():
    band = song(guitar=[(60, 0, 1), (60, 4, 4), (60, 16, 8), (64, 16, 3)])
    assert of_notes.lengths(band, GUITAR) == pytest.approx([-2, 0, 1, np.log2(0.75)])


def test_gaps_are_between_onsets_and_leave_out_rests():
    # A chord at 0 is one onset; from 6 to 39 are more than two bars, from 39 to 40 a sixteenth.
    band = song(guitar=[(60, 0, 1), (64, 0, 9), (60, 6, 1), (60, 39, 1), (60, 40, 1)])
    assert of_notes.onset_gaps(band, GUITAR) == pytest.approx([np.log2(1.5), -2])


def test_polyphony_counts_where_anything_sounds_and_strikes_of_drums():
    band = song(
        strings=[(60, 2, 6), (64, 4, 2), (67, 5, 1), (60, 20, 1)],
        drums=[(KICK, 0, 1), (SNARE, 0, 1), (KICK, 7, 1)],
    )
    assert of_notes.polyphony(band, STRINGS).tolist() == [1, 1, 2, 3, 1, 1, 1]
    assert of_notes.polyphony(band, DRUMS).tolist() == [2, 1]


def test_leaps_are_of_the_top_voice_between_neighbours():
    chord = [(60, 0, 4), (72, 0, 4), (62, 4, 4), (69, 4, 4)]
    band = song(guitar=[*chord, (76, 9, 1), (40, 63, 1)])  # the last one comes after a rest
    assert of_notes.leaps(band, GUITAR).tolist() == [3, 7]
    assert of_notes.register(band, GUITAR).tolist() == [60, 72, 62, 69, 76, 40]


@pytest.mark.parametrize(
    "others, expected",
    [
        ([], 100),
        ([(60, 5, 1)], 100),  # both are alone: a beat lies between them
        ([(60, 6, 1)], 0),
        ([(60, 0, 6)], 50),  # sounds until a beat before; the long one is no blip
        ([(60, 0, 7)], 0),
        ([(64, 10, 1)], 0),  # struck together
        ([(60, 15, 1)], 100),
        ([(60, 14, 1)], 0),
        ([(60, 15, 2)], 50),
    ],
)
def test_blips_are_short_and_alone(others, expected):
    assert of_notes.blips(song(guitar=[(60, 10, 1), *others]), GUITAR) == expected


def test_repetition_compares_bars_that_both_have_onsets():
    # Bars: a, a, b, silent (but held), b, b with other pitches, a: of aa, ab, bb, ba two of four.
    a, b = (0, 4, 8), (0, 6)
    bars = [a, a, b, (), b, b, a]
    notes = [(60 + n, 16 * n + at, 16) for n, bar in enumerate(bars) for at in bar]
    assert rhythm.repetition(song(7, guitar=notes), GUITAR) == 2 / 4
    assert np.isnan(rhythm.repetition(song(7), GUITAR))


def test_variety_counts_rhythms_within_stretches_of_sixteen_bars():
    drums = [hit for bar in range(16) for hit in hits(16 * bar, 16 * bar + (4 if bar % 2 else 8))]
    assert rhythm.variety(song(16, drums=drums), DRUMS) == 2 / 16
    # The second half of a longer song has a rhythm of each bar's own.
    own = [hit for bar in range(16) for hit in hits(16 * (16 + bar) + bar)]
    assert rhythm.variety(song(32, drums=[*drums, *own]), DRUMS) == (2 / 16 + 1) / 2
    assert rhythm.variety(song(32, drums=drums), DRUMS) == 2 / 16  # the silent half says nothing


def test_silence_is_where_nothing_sounds():
    # The note of bar 1 is held into bar 2.
    assert rhythm.silence(song(5, strings=[(60, 30, 10)]), STRINGS) == 3 / 5
    assert rhythm.silence(song(5), BASS) == 1


def test_long_rests_are_eight_silent_bars_within_a_stretch():
    def played(*silent, bars=32):
        return song(bars, bass=[(40, 16 * bar, 4) for bar in range(bars) if bar not in silent])

    assert rhythm.long_rests(played(*range(4, 12)), BASS) == 1
    assert rhythm.long_rests(played(*range(4, 11), *range(20, 27)), BASS) == 0
    assert rhythm.long_rests(played(*range(4, 12), bars=64), BASS) == 1 / 2


def test_interlock_is_f1_of_onsets_in_common_bars():
    bass = rows([(40, 0, 4), (40, 6, 2), (45, 8, 4), (40, 32, 4)])
    drums = rows([*hits(0, 8, 10, pitch=KICK), *hits(6), *hits(16, pitch=KICK)])
    assert rhythm.interlock(bass, rhythm.kick(drums)) == 2 * 2 / (3 + 3)
    assert np.isnan(rhythm.interlock(bass, rows([])))


def test_fills_stand_at_the_end_of_phrases():
    def drums(*bars):
        plain = [hit for bar in range(12) for hit in hits(16 * bar + 4, 16 * bar + 12)]
        return plain + [
            hit for bar in bars for hit in hits(16 * bar + 13, 16 * bar + 14, pitch=TOM)
        ]

    assert rhythm.fills(song(12, drums=drums(3, 5))) == 1 / 3
    assert rhythm.fills(song(12, drums=drums(3, 7, 11))) == 1
    one = [*drums(7), *hits(16 * 3 + 14, pitch=TOM)]  # one strike more makes no fill
    assert rhythm.fills(song(12, drums=one)) == 1 / 3
    assert np.isnan(rhythm.fills(song(12, drums=drums()[:3])))


@pytest.mark.parametrize("interval, clash", [(1, 1), (13, 1), (11, 0), (2, 0), (0, 0), (-1, 1)])
def test_clashes_are_semitones_on_strong_beats(interval, clash):
    guitar = [(60, 8, 8), (64, 8, 8), (55, 20, 2)]
    strings = [(60 + interval, 0, 16), (80, 24, 8), (56, 20, 2)]
    assert together.clashes(song(guitar=guitar, strings=strings), GUITAR, STRINGS) == clash
    more = [*guitar, (60, 24, 1)]  # a second strong beat on which both sound, without a clash
    assert together.clashes(song(guitar=more, strings=strings), GUITAR, STRINGS) == clash / 2


def test_a_part_is_in_the_way_from_a_third_below_the_melody():
    melody = [(72, 0, 16)]
    for pitch, share in ((80, 4 / 8), (68, 4 / 8), (67, 0)):
        band = song(melody=melody, guitar=[(48, 0, 8), (pitch, 2, 4), (90, 20, 4)])
        assert together.in_the_way(band, GUITAR) == share


def test_the_bass_is_asked_where_the_chord_changes():
    chords = ((60, 64, 67), (60, 64, 67), (65, 69, 72), (62, 67, 71), (57, 60, 64))
    guitar = [(pitch, 8 * half, 8) for half, chord in enumerate(chords) for pitch in chord]
    # No change at 8; F under F; C sharp, then D under G; too late for A minor.
    bass = [(37, 0, 4), (37, 8, 4), (41, 17, 4), (37, 24, 1), (38, 25, 4), (45, 36, 4)]
    assert together.bass_on_chords(song(guitar=guitar, bass=bass)) == 1 / 2


def test_a_profile_has_rows_of_those_who_play():
    band = song(8, bass=[(40, 16 * bar, 8) for bar in range(8)], drums=hits(0, 4, 9))
    found = profile(band, {"bass", "drums", "guitar"})
    assert len(MEASURES) == 16 and {row.partition(" / ")[0] for row in found} < set(MEASURES)
    assert found["lengths / bass"].tolist() == [1] * 8
    assert found["silence / guitar"].tolist() == [1] and found["silence / drums"].tolist() == [
        7 / 8
    ]
    assert not [row for row in found if "strings" in row or "melody" in row]
    assert "lengths / guitar" not in found and "interlock / bass-kick" not in found


A, B = "leaps / bass", "register / bass"


def of(*samples):
    return distance.Distribution.of(np.array(samples, float))


def test_wasserstein_moves_the_mixture_of_songs():
    assert distance.wasserstein([of(0, 0, 0)], [of(3)]) == 3
    # Each song counts alike, however many samples it has: half at 0 and half at 1, from 0.
    assert distance.wasserstein([of(0), of(1, 1, 1)], [of(0, 0)]) == 1 / 2
    assert distance.wasserstein([of(0, 4)], [of(1, 5)]) == pytest.approx(1)
    assert distance.wasserstein([of(1, 2, 2)], [of(2, 2, 1)]) == pytest.approx(0)


def test_halves_of_like_songs_are_near_and_systems_are_compared_by_rows():
    real = [{A: of(value), B: of(1)} for value in (0, 1) * 8]
    assert 0 < distance.of_halves([s[A] for s in real]) < 0.5
    assert distance.of_halves([s[B] for s in real]) == 0
    near, far = ([{A: of(value)} for value in values] for values in ((0, 1, 1, 0), (2, 3, 3, 2)))
    (row, other) = distance.compare(real, {"near": near, "far": far, "few": near[:2]})
    assert row.name == A and row.real == 0.5 and row.means == {"near": 0.5, "far": 2.5}
    assert row.distances == pytest.approx({"near": 0, "far": 2})
    assert other.name == B and not other.distances and other.halves == 0.25


def test_one_half_of_the_real_songs_is_compared_with_the_other():
    real = [{A: of(value), B: of(1)} for value in (0, 1) * 8]
    rows = distance.compare_halves(real, {"far": [{A: of(9)}] * 3}, draws=4)
    assert len(rows) == 2 * 4
    assert all(row.distances[distance.REAL] == 0 for row in rows if row.name == B)
    own, far = zip(*[(r.distances[distance.REAL], r.distances["far"]) for r in rows if r.name == A])
    assert max(own) < 0.6 and min(far) > 8


def test_pieces_are_cut_side_by_side():
    band = song(19, bass=[(40, 0, 4), (41, 126, 6), (42, 128, 4), (43, 16 * 16, 4)])
    first, second = playing_pieces.pieces(band)
    assert first.bars == second.bars == 8
    assert first.notes[BASS].tolist() == [[40, 0, 4], [41, 126, 128]]
    assert second.notes[BASS].tolist() == [[42, 0, 4]]


def test_features_describe_a_player():
    guitar = [(60, 0, 8), (64, 0, 8), (62, 10, 1), (62, 16, 8), (64, 16, 8), (62, 26, 2)]
    found = playing_pieces.features(song(8, guitar=guitar), {"guitar", "bass"})
    guitars = {
        name.partition(" / ")[0]: v for name, v in found.items() if name.endswith("/ guitar")
    }
    assert guitars["density"] == 4 / 8 and guitars["on beats"] == 2 / 4
    assert guitars["on downbeats"] == 1 and guitars["off the eighths"] == 0
    assert guitars["likeness to the bar before"] == 1 and guitars["the very bar before"] == 0
    assert guitars["notes of two beats and more"] == 4 / 6 and guitars["short notes"] == 1 / 6
    assert guitars["steps of the top voice"] == 1 and guitars["span of the top voice"] == 2
    assert guitars["struck at once"] == 6 / 4 and guitars["single notes"] == 2 / 4
    assert guitars["pitch classes a bar"] == 2.5 and guitars["polyphony"] == 35 / 19
    assert found["density / bass"] == 0 and found["silence / bass"] == 1
    assert "lengths / bass" not in found and "rests / bass" not in found
