import numpy as np
import pytest

from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from train import metrics


def planes(*notes, steps=32):
    return pianoroll.to_planes(np.array(notes, int).reshape(-1, 3), steps)


def band(steps=32, **tracks):
    order = ("drums", "piano", "guitar", "bass", "strings")
    return np.stack([planes(*tracks.get(name, []), steps=steps) for name in order])


def hits(*steps, pitch=60):
    return [[pitch, step, step + 1] for step in steps]


def test_the_tracks_are_in_the_order_of_the_grid():
    assert (DRUMS, MELODY, GUITAR, BASS, STRINGS) == (0, 1, 2, 3, 4) and metrics.PITCHED == (
        3,
        2,
        4,
    )


@pytest.mark.parametrize("interval, score", enumerate([1, -1, -1, 1, 1, 0, -1, 1, 1, 1, -1, -1]))
def test_consonance_of_each_interval_above_the_melody(interval, score):
    melody = planes([67, 3, 9])
    for octave in (-24, 0, 12):
        assert metrics.consonance(melody, planes([67 + interval + octave, 0, 20])[None]) == score
    assert (
        metrics.consonance(planes([67 + interval, 3, 9]), planes([67, 0, 20])[None])
        == metrics.CONSONANCE[-interval % 12]
    )


def test_consonance_is_the_mean_over_pairs_of_pitch_classes():
    # G sounds with E C (two octaves of it, in two tracks: one pitch class) for two steps, then with
    # C alone for three.
    melody = planes([67, 4, 9])
    guitar = planes([64, 0, 6], [48, 0, 12])  # a sixth, +1, and a fourth, 0
    strings = planes([72, 2, 9], steps=32)
    assert metrics.consonance(melody, np.stack([guitar, strings])) == (2 * (1 + 0) + 3 * 0) / (
        2 * 2 + 3
    )
    bass = planes([42, 8, 32])  # F sharp against G
    assert metrics.consonance(melody, np.stack([guitar, bass, strings])) == (2 - 1) / 8
    assert np.isnan(metrics.consonance(melody, planes([60, 9, 32], [60, 0, 4])[None]))


def test_consonance_lift_takes_away_that_of_another_melody():
    own, accompaniment = (
        planes([67, 0, 48], steps=64),
        planes([71, 0, 40], steps=64)[None],
    )  # a third
    other = planes(
        [72, 0, 8], [70, 8, 10]
    )  # repeated: B against C and B flat is -1 where it sounds
    assert metrics.consonance_lift(own, other, accompaniment) == 2
    mixed = planes(
        [72, 0, 8], [71, 8, 10]
    )  # 32 steps on again: 16 steps of C, -1, and 2 of B, +1, below the B's end
    assert metrics.consonance_lift(own, mixed, accompaniment) == 1 - (16 * -1 + 2 * 1) / 18
    longer = planes([71, 0, 36], [72, 36, 40], [72, 64, 96], steps=96)  # cut before its last C
    assert metrics.consonance_lift(own, longer, accompaniment) == 1 - (36 - 4) / 40


def test_best_triads_and_their_match():
    track = planes([62, 0, 8], [77, 0, 4], [45, 0, 3], [67, 8, 20], [59, 12, 20], [74, 18, 20])
    triads = metrics.best_triads(chord_plan.chroma(track))
    assert triads.tolist() == [12 + 2, 7, 7, -1]  # D minor, then G major held over the half bar
    scaled = metrics.best_triads(100 * chord_plan.chroma(track))
    assert (scaled == triads).all()
    assert (metrics.best_triads(np.eye(12)) >= 0).all()
    for chord in range(24):
        assert metrics.best_triads(chord_plan.TRIADS[chord : chord + 1]).tolist() == [chord]
    assert (
        metrics.chord_match(triads, np.array([14, 7, 19, -1])) == 2 / 4
    )  # G major isn't G minor, silence isn't a chord
    assert metrics.chord_match(triads, np.array([2, 7, 7, 0])) == 2 / 4


def test_tonal_distance_of_single_notes():
    def to(interval):
        return metrics.tonal_distance(planes([48, 0, 8]), planes([60 + interval, 0, 5]))

    # Chords of the three circles: 2 r sin(half the angle between the notes) on each.
    def by_hand(interval):
        circles = ((1, 7 / 6), (1, 3 / 2), (0.5, 2 / 3))
        return np.sqrt(
            sum((2 * r * np.sin(interval * turn * np.pi / 2)) ** 2 for r, turn in circles)
        )

    assert to(0) == pytest.approx(0, abs=1e-6)
    assert to(7) == pytest.approx(np.sqrt(2 - np.sqrt(3) + 2 + 0.75))  # 30, 90 and 120 degrees
    assert to(6) == pytest.approx(
        np.sqrt(4 + 4 + 0)
    )  # opposite on two circles, the same on the major thirds'
    assert [to(i) for i in range(1, 12)] == pytest.approx([by_hand(i) for i in range(1, 12)])


def test_tonal_distance_weighs_time_and_leaves_out_silence():
    fifth = np.sqrt(2 - np.sqrt(3) + 2 + 0.75)
    # C for six steps and G for two lie a quarter of the way from C to G.
    assert metrics.tonal_distance(
        planes([60, 0, 6], [67, 6, 8]), planes([36, 2, 4])
    ) == pytest.approx(fifth / 4)
    # A held C over two half bars against G, then C; the last half bar sounds in one track only.
    held, other = planes([60, 0, 16], [61, 24, 32]), planes([43, 0, 8], [84, 8, 13])
    assert metrics.tonal_distance(held, other) == pytest.approx(fifth / 2)
    assert np.isnan(metrics.tonal_distance(held, planes()))


def test_used_pitch_classes_of_bars_that_sound():
    track = planes([48, 0, 2], [60, 4, 6], [64, 6, 20], [127, 63, 64], [55, 63, 64], steps=64)
    # C (twice) and E | E held | nothing | G, twice
    assert metrics.used_pitch_classes(track) == (2 + 1 + 1) / 3
    assert np.isnan(metrics.used_pitch_classes(planes()))


def test_voice_movement_of_changed_half_bars():
    track = planes(
        [60, 0, 8], [64, 0, 8], [62, 8, 16], [70, 10, 12], [62, 16, 24], [70, 20, 21], [58, 24, 28]
    )
    # D is 2 from C and E, B flat 6 from E; then the same pitches; then B flat, 4 from D though 12
    # from the other B flat
    assert metrics.voice_movement(track) == ((2 + 6) / 2 + 4) / 2
    # A note held over a half bar has not moved, silence is no movement.
    held = planes([50, 0, 12], [57, 8, 12], [40, 24, 32])
    assert metrics.voice_movement(held) == (0 + 7) / 2
    assert metrics.voice_movement(planes([0, 0, 8], [127, 8, 16])) == 127
    assert np.isnan(metrics.voice_movement(planes([60, 0, 32]))) and np.isnan(
        metrics.voice_movement(planes())
    )


def test_groove_similarity_over_all_pairs_of_bars():
    music = band(
        64,
        drums=hits(0, 8, 16, 24, pitch=36) + hits(0, pitch=42),
        bass=[[40, 4, 40]],
        strings=hits(20),
        guitar=[[50, 0, 3], [54, 2, 3], [54, 33, 64]],
        piano=hits(1, 17, 50),
    )
    # Onsets of the four bars: 0 2 4 8 | 0 4 8 | 1 | none. The distances: 1 (2), 5 (0 1 2 4 8), 4,
    # 4, 3 and 1.
    assert metrics.groove_similarity(music) == 1 - (1 + 5 + 4 + 4 + 3 + 1) / (6 * 16)
    assert np.isnan(metrics.groove_similarity(music[:, :, :16]))


def test_neighbour_similarity_is_the_cosine_of_blocks_that_strike():
    track = planes(
        *hits(0, 3, 7, 31),
        *hits(3, pitch=64),
        *hits(32 + 3),
        [70, 64, 96],
        [50, 128, 160],
        *hits(161),
        steps=192,
    )
    # Blocks strike on 0 3 7 31 | 3 | 0 | none | 0 | 1: 1 of sqrt(4 * 1); nothing in common; and at
    # the end nothing again
    assert metrics.neighbour_similarity(track) == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert np.isnan(metrics.neighbour_similarity(planes(*hits(0), *hits(64), steps=96)))


def test_a_held_bar_is_not_empty():
    assert metrics.empty_bars(planes([60, 3, 18], [90, 63, 64], steps=96)) == 3 / 6
    assert metrics.empty_bars(planes()) == 1


def test_drum_hits_on_the_eighths():
    drums = planes(*hits(0, 6, 7, pitch=36), *hits(6, 13, pitch=42), [49, 30, 32])
    assert metrics.drum_pattern(drums) == 4 / 6
    assert np.isnan(metrics.drum_pattern(planes()))


def test_notes_of_a_thirty_second_qualify():
    notes = [
        Note(60, 0.0, 0.125, 64),
        Note(61, 0.1, 0.12, 80),
        Note(62, 3.0, 7.0, 64),
        Note(63, 9.0, 1 / 24 * 3, 64),
    ]
    assert metrics.qualified_notes(notes) == 3 / 4
    assert metrics.velocity_std(notes) == pytest.approx(np.sqrt(3) * 4)  # mean 68: -4 12 -4 -4
    assert np.isnan(metrics.qualified_notes([])) and np.isnan(metrics.velocity_std([]))


def test_blocks_have_their_own_figures():
    music = band(
        96,
        piano=[[60, 0, 40]],
        guitar=[[64, 30, 34], [67, 60, 61]],
        bass=[[31, 33, 34]],
        drums=hits(0, 1, 16, 70, pitch=36) + hits(70, pitch=42),
    )
    figures = metrics.by_block(music)
    # E above C in two steps | E in two steps, and G in one of them | no melody
    assert figures.consonance[:2].tolist() == [1, 1] and np.isnan(figures.consonance[2])
    assert figures.density.tolist() == [4, 2, 2]
    # Drums play in both bars of the first block, in the first of the last; guitar in the second, in
    # both; bass in the third.
    assert figures.emptiness.tolist() == [1 - 3 / 8, 1 - 3 / 8, 1 - 1 / 8]
    music[BASS] = planes([61, 33, 37], steps=96)
    assert metrics.by_block(music).consonance[1] == (2 - 4) / 6
    assert metrics.consonance(music[MELODY], music[list(metrics.PITCHED)]) == (2 + 2 - 4) / 8


def test_structure_of_labelled_bars():
    similarity = np.array([[9, 1, 2, 3], [1, 9, 4, 5], [2, 4, 9, 7], [3, 5, 7, 9]]) / 10
    a, b = ("A", 4), ("B", 4)
    assert metrics.structure(similarity, [a, b, a, b]) == pytest.approx((0.2 + 0.5) / 2 / (2.2 / 6))
    assert metrics.structure(similarity, [a, a, a, b]) == pytest.approx(
        (0.1 + 0.2 + 0.4) / 3 / (2.2 / 6)
    )
    assert metrics.structure(similarity, [None] * 4) == pytest.approx(1)
    assert np.isnan(metrics.structure(similarity, "ABCD")) and np.isnan(
        metrics.structure(similarity[:1, :1], "A")
    )


def ending(drums=((15.0, 0.25),), guitar=((15.0, 3.0),), bass=((14.0, 1.0), (15.0, 2.9)), low=31):
    """Six bars of 3/4 that end in G on beat 18; the strings rest from the second bar on."""
    tracks = [
        Track(
            "drums",
            is_drum=True,
            notes=[Note(36, 0.0, 0.25, 90)] + [Note(49, o, d, 90) for o, d in drums],
        ),
        Track("piano", notes=[Note(71, 13.0, 1.0, 90), Note(67, 14.5, 3.5, 90)]),
        Track(
            "guitar",
            notes=[Note(59 + i, o, d, 90) for i, (o, d) in enumerate(guitar)]
            + [Note(62, 1.0, 2.0, 90)],
        ),
        Track("bass", notes=[Note(low, o, d, 90) for o, d in bass]),
        Track("strings", notes=[Note(24, 0.0, 5.0, 90)]),
    ]
    return Score(tracks, meters=[TimeSignature(0.0, 3, 4)])


def test_a_band_that_ends_together():
    assert metrics.ends_together(ending(), 7) == (True, True, True, True)
    assert metrics.ends_together(ending(), 2) == (True, True, True, False)
    assert metrics.ends_together(ending(drums=()), 7) == (
        True,
        True,
        True,
        True,
    )  # drums that stopped long ago
    assert metrics.ends_together(ending(guitar=((15.0, 0.5), (15.1, 2.9))), 7) == (
        True,
        True,
        True,
        True,
    )  # strummed


def test_a_band_that_does_not_end_together():
    assert metrics.ends_together(ending(low=38), 7).on_tonic is False
    assert metrics.ends_together(ending(bass=((15.0, 1.0),)), 7) == (
        False,
        True,
        True,
        False,
    )  # B is the lowest that is left
    left = ending(bass=((15.0, 1.0),), guitar=((15.0, 1.0),), low=38)
    assert metrics.ends_together(left, 7) == (False, True, True, True)  # the melody's G
    assert metrics.ends_together(ending(guitar=((15.2, 2.8),)), 7) == (True, False, True, True)
    assert metrics.ends_together(ending(drums=((15.0, 0.1), (17.0, 0.1))), 7) == (
        True,
        False,
        True,
        True,
    )
    short = ending(guitar=((17.5, 0.5),), bass=((17.5, 0.5),), drums=((17.5, 0.5),))
    assert metrics.ends_together(short, 7) == (True, True, False, True)
    late = ending(guitar=((12.0, 6.0), (17.5, 0.5)), bass=(), drums=((17.5, 0.5),))
    assert metrics.ends_together(late, 11) == (
        True,
        True,
        False,
        True,
    )  # what was held was not struck with the others
    assert metrics.ends_together(ending(guitar=(), bass=()), 7) == (False, False, False, False)
    assert metrics.ends_together(ending(), 7, melody=2).sounding is True
    assert (
        metrics.ends_together(ending(), 7, melody=2).together is False
    )  # the piano is in the band now, and early


def test_the_last_four_bars_begin_with_beat_six():
    score = ending()
    score.tracks[STRINGS].notes = [Note(24, 0.0, 6.0, 90)]
    assert metrics.ends_together(score, 7).sounding
    score.tracks[STRINGS].notes = [Note(24, 0.0, 6.5, 90)]
    assert metrics.ends_together(score, 7) == (False, False, True, True)


def test_drift_of_slopes_that_all_rise():
    songs = [
        np.array([1.0, np.nan, 5.0, 7.0]),
        np.array([3.0, 4.0]),
        np.array([0.0, 0.0, 9.0]),
        np.array([np.nan, 2.0]),
    ]
    # Slopes 2, 1 and 4.5. Of the eight signs, only + + + and - - - are as far from 0.
    assert metrics.drift(songs) == pytest.approx((2.5, 2 / 8))
    # Slopes 3, 1 and -2, mean 2/3: of the absolute sums 6 (+ + -), 4 (+ - -), 2 (+ + +) and 0 (+ -
    # +), the first three are as far, each twice.
    songs = [np.array([0.0, 3.0]), np.array([5.0, 6.0, 7.0]), np.array([4.0, 2.0, 0.0])]
    assert metrics.drift(songs) == pytest.approx((2 / 3, 6 / 8))
    assert np.isnan(metrics.drift([np.array([1.0])])).all()


def test_drift_of_many_songs():
    random = np.random.default_rng(5)
    noise = [random.normal(size=8) for _ in range(40)]
    rising = [song + 0.5 * np.arange(8) for song in noise]
    assert metrics.drift(rising).p == 1 / 10_000
    assert metrics.drift(rising).slope == pytest.approx(metrics.drift(noise).slope + 0.5)
    slopes = np.array([np.polyfit(range(8), song, 1)[0] for song in noise])
    statistic = abs(slopes.mean()) / slopes.std(ddof=1) * np.sqrt(40)
    # The t-test's p value, by integrating the density of Student's t with 39 degrees of freedom.
    x = np.linspace(-60, 60, 200_001)
    density = (1 + x**2 / 39) ** -20.0
    assert metrics.drift(noise).p == pytest.approx(
        density[abs(x) >= statistic].sum() / density.sum(), abs=0.02
    )
    assert metrics.drift(noise) == metrics.drift(noise)


def test_the_confidence_interval_of_a_mean():
    values = np.random.default_rng(2).normal(3, 2, 400)
    mean, width = metrics.confidence_interval([*values, np.nan])
    assert mean == pytest.approx(values.mean()) and width == pytest.approx(
        1.96 * values.std() / 20, rel=0.04
    )
    # Means of two draws from 0 and 10 are 0, 5 and 10, the outer ones a quarter of the time each.
    assert metrics.confidence_interval([0, np.nan, 10]) == (5, 5)
    assert metrics.confidence_interval([4.0, 4.0, 4.0]) == (4, 0)
    mean, width = metrics.confidence_interval([7.0])
    assert mean == 7 and np.isnan(width) and np.isnan(metrics.confidence_interval([])[0])
