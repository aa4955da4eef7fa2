import numpy as np

from accomp.band import arrange
from accomp.music.chord_symbols import triad_symbol
from accomp.roll.grid import BASS, DRUMS, GUITAR, STRINGS


def notes(*rows):
    return np.array(rows, int).reshape(-1, 3)


def test_monophonic_keeps_the_lowest_of_a_chord_and_cuts_at_the_next():
    got = arrange.monophonic(notes((40, 0, 9), (47, 0, 4), (43, 6, 8), (38, 8, 16)))
    assert got.tolist() == [[40, 0, 6], [43, 6, 8], [38, 8, 16]]
    assert arrange.monophonic(notes()).shape == (0, 3)


def test_voices_move_less_than_in_parallel():
    # C, then G and F as shifted copies of the same shape.
    shape = np.array([60, 64, 67])
    parallel = notes(
        *[(p + by, 8 * i, 8 * i + 8) for i, by in enumerate((0, -5, 5)) for p in shape]
    )
    led = arrange.lead_voices(parallel, np.array([0, 7, 5, 5]), 62)
    assert (led[:, 0] % 12 == parallel[:, 0] % 12).all() and (led[:, 1:] == parallel[:, 1:]).all()

    def movement(rows):
        voicings = [sorted(rows[rows[:, 1] == at, 0]) for at in (0, 8, 16)]
        return sum(abs(a - b) for x, y in zip(voicings, voicings[1:]) for a, b in zip(x, y))

    assert movement(led) < movement(parallel) / 2


def test_one_chord_keeps_its_voicing():
    rows = notes((60, 0, 4), (64, 4, 8), (60, 8, 12), (64, 12, 16), (67, 12, 16))
    assert (arrange.lead_voices(rows, np.array([0, 0, 0, 0]), 62)[:4] == rows[:4]).all()


def test_tracks_move_as_a_whole_into_range():
    line = notes((30, 0, 4), (35, 4, 8), (40, 8, 12))
    assert arrange.in_range(line, 7, BASS)[:, 0].tolist() == [37, 42, 47]
    assert arrange.in_range(line, 30, BASS)[:, 0].tolist() == [36, 41, 46]
    wide = notes((30, 0, 4), (36, 4, 8), (38, 8, 12))
    # Single notes below E1 are an octave up.
    assert arrange.in_range(wide, -3, BASS)[:, 0].tolist() == [39, 33, 35]
    low, high = arrange.SETTINGS.parts[BASS].median
    for by in range(-60, 90):
        moved = arrange.in_range(line, by, BASS)[:, 0]
        assert (
            low <= np.median(moved) <= high + 12
            and moved.min() >= 28
            and (moved % 12 == (line[:, 0] + by) % 12).all()
        )


def test_the_final_chord_is_struck_together_and_held():
    band = {
        DRUMS: notes((36, 0, 1), (38, 28, 29), (42, 40, 41)),
        BASS: notes((43, 24, 32), (38, 32, 64)),
        GUITAR: notes((55, 24, 30), (59, 24, 30), (62, 24, 30), (60, 36, 40)),
        STRINGS: notes(),
    }
    ended = arrange.end_together(band, [triad_symbol(7)] * 4 + [triad_symbol(0)] * 4, 32, 56)
    assert ended[DRUMS][-2:].tolist() == [[36, 32, 33], [49, 32, 33]]
    assert ended[BASS][-1, 0] % 12 == 0 and ended[BASS][-1, 1:].tolist() == [32, 56]
    final = ended[GUITAR][ended[GUITAR][:, 1] == 32]
    assert {p % 12 for p in final[:, 0]} == {0, 4, 7} and (final[:, 2] == 56).all()
    assert len(ended[STRINGS]) == 0  # who never played does not come in for the last chord
    assert all((rows[:, 1] <= 32).all() for rows in ended.values())


def test_where_the_ending_is():
    assert arrange.ending_step(24, 32) == 24  # a held last note
    assert arrange.ending_step(30, 32) == 24  # a short one: the last half bar
    assert arrange.ending_step(24, 26) == 24  # a short one where the chord changes
    assert arrange.ending_step(32, 32) == 24  # a very short one, nearest to the end
    assert arrange.ending_step(1, 2) == 0


def test_long_notes_are_struck_again_on_bar_lines():
    got = arrange.strike_again(notes((60, 3, 50), (62, 16, 32), (64, 0, 17)), 16)
    assert got.tolist() == [
        [60, 3, 16],
        [60, 16, 32],
        [60, 32, 48],
        [60, 48, 50],
        [62, 16, 32],
        [64, 0, 16],
        [64, 16, 17],
    ]


def test_at_most_so_many_voices_and_no_unison_twice():
    chord = notes(*[(p, 0, 8) for p in (48, 52, 55, 60, 64, 67, 72)], (76, 4, 6))
    thin = arrange.thin_out(chord, 4)
    assert thin[:, 0].tolist() == [72, 67, 64, 60]
    assert sorted(
        arrange.without_unisons(notes((60, 0, 9), (60, 4, 6), (60, 4, 7), (61, 0, 3))).tolist()
    ) == [[60, 0, 4], [60, 4, 7], [61, 0, 3]]


def test_the_bass_has_the_lowest_note_of_the_final_chord():
    guitar = notes((35, 0, 4), (50, 32, 40), (59, 32, 40))
    band = {
        DRUMS: notes(),
        BASS: notes((60, 24, 30), (55, 32, 40)),
        GUITAR: guitar,
        STRINGS: notes(),
    }
    assert arrange.ground(band, 32)[BASS][:, 0].tolist() == [60, 43]
    low = band | {BASS: notes((31, 32, 40)), GUITAR: notes((26, 32, 40))}
    assert arrange.ground(low, 32)[BASS][:, 0].tolist() == [31]  # as low as a bass goes


def test_the_final_chord_lies_under_the_melody_as_far_as_players_can_go_down():
    band = {
        BASS: notes((45, 32, 48)),
        GUITAR: notes((72, 0, 8), (55, 32, 48), (67, 32, 48), (76, 32, 48)),
        STRINGS: notes((60, 32, 48), (72, 32, 48)),
    }
    under = arrange.end_under(band, 32, 69)
    assert under[GUITAR][:, 0].tolist() == [72, 55, 67, 64]  # what came before stays
    assert under[STRINGS][:, 0].tolist() == [60, 60] and under[BASS][:, 0].tolist() == [45]
    low = arrange.end_under(band, 32, 40)
    assert low[STRINGS][:, 0].min() >= 45 and low[GUITAR][1:, 0].min() >= 40


def test_a_phrase_that_has_drifted_away_comes_back_as_a_whole():
    rows = notes(
        (60, 0, 8), (64, 8, 16), (76, 64, 72), (79, 80, 96), (45, 128, 132), (60, 132, 140)
    )
    settled = arrange.settle(rows, np.array([64, 128]), GUITAR)
    assert settled[:, 0].tolist() == [60, 64, 64, 67, 45, 60]
    assert settled[:, 1:].tolist() == rows[:, 1:].tolist()
    assert arrange.settle(notes(), np.array([64]), GUITAR).shape == (0, 3)


def test_players_who_are_content_keep_what_they_play():
    shape = notes(
        *[(p + by, 8 * i, 8 * i + 8) for i, by in enumerate((0, 5)) for p in (60, 64, 67)]
    )
    plan = np.array([0, 5])
    assert arrange.lead_voices(shape, plan, 62)[3:, 0].tolist() == [65, 69, 60]
    assert (arrange.lead_voices(shape, plan, 62, content=4.0) == shape).all()


def test_the_bass_goes_to_a_new_chord_the_short_way_and_keeps_its_figures():
    line = notes((36, 0, 4), (43, 4, 8), (29, 8, 12), (36, 12, 16), (36, 16, 20), (43, 20, 24))
    led = arrange.lead_bass(line, np.array([0, 5, 0]), 37)
    assert led[:, 0].tolist() == [36, 43, 41, 48, 36, 43]
    still = arrange.lead_bass(line, np.array([0, 0, 0]), 37)
    assert (still == line).all()


def test_a_section_has_as_many_voices_as_mostly():
    chords = [[60, 64, 67], [60, 64, 67], [60, 64, 67, 72], [60, 67], [60, 64, 67]]
    notes = np.array([[p, 8 * i, 8 * i + 8] for i, chord in enumerate(chords) for p in chord])
    later = np.array([[p, 128, 160] for p in (48, 60, 64, 67)])
    steady = arrange.steady_voices(np.concatenate([notes, later]), 128)
    struck = [sorted(steady[steady[:, 1] == step][:, 0].tolist()) for step in (0, 16, 24, 128)]
    # The lower of two octaves goes; what is sparser stays; each stretch has its own number.
    assert struck == [[60, 64, 67], [64, 67, 72], [60, 67], [48, 60, 64, 67]]
    assert len(arrange.steady_voices(np.zeros((0, 3), int), 128)) == 0
