import numpy as np
import pytest

from accomp.music.score import Score, TimeSignature
from accomp.roll.grid import BLOCK_STEPS, COMPOUND, FOUR, THREE, TRACK_NAMES, Grid


def grid(meters, start, end):
    return Grid.of(Score(meters=[TimeSignature(*meter) for meter in meters]), start, end)


def test_tracks_are_in_lpd5_order():
    assert TRACK_NAMES == ("drums", "piano", "guitar", "bass", "strings")


def test_common_time_is_sixteenths_from_the_bar_of_the_first_note():
    g = grid([(0, 4, 4)], 8.25, 17)
    assert g.beats[0] == 8 and g.beats[5] == 9.25 and g.steps == 2 * BLOCK_STEPS and g.present.all()


def test_three_four_plays_the_first_three_beats_of_each_model_bar():
    g = grid([(0, 3, 4)], 0, 12)
    assert g.steps == 64
    assert g.present.reshape(4, 16)[:, :12].all() and not g.present.reshape(4, 16)[:, 12:].any()
    assert g.beats[16] == 3 and g.beats[32] == 6  # every bar begins a model bar


def test_six_eight_shuffles_two_bars_to_a_model_bar():
    g = grid([(0, 6, 8)], 0, 12)
    assert np.allclose(g.beats[:8], [0, 0.5, 1, 1.25, 1.5, 2, 2.5, 2.75])
    assert g.beats[16] == 6 and g.present.all()


@pytest.mark.parametrize(
    "numerator, denominator, steps",
    [(2, 4, 8), (5, 4, 20), (7, 8, 14), (9, 8, 12), (12, 8, 16), (2, 2, 16)],
)
def test_bars_of_any_meter_begin_on_a_beat_of_the_model(numerator, denominator, steps):
    g = grid([(0, numerator, denominator)], 0, numerator * 16 / denominator)
    length = numerator * 4 / denominator
    for bar in range(4):
        step = g.nearest_step(bar * length)
        assert g.beats[step] == pytest.approx(bar * length) and step % 8 == 0
        assert g.present[step : step + 16][: steps % 16 or 16].all()


def test_a_short_first_bar_ends_a_model_bar_and_the_next_begins_a_block():
    g = grid([(0, 1, 4), (1, 4, 4)], 0, 9)
    assert not g.present[:28].any() and g.present[28:32].all()
    assert g.beats[28] == 0 and g.beats[32] == 1


def test_a_pickup_after_rests_has_a_block_to_itself():
    g = grid([(0, 4, 4)], 3, 12)
    assert not g.present[:16].any() and g.beats[16] == 0 and g.beats[32] == 4


def test_a_meter_change_begins_a_model_bar():
    g = grid([(0, 2, 4), (2, 3, 4), (8, 4, 4)], 0, 16)
    for onset in (2, 5, 8, 12):
        assert g.nearest_step(onset) % 16 == 0


def test_nearest_step_rounds_and_never_lands_on_a_missing_step():
    g = grid([(0, 3, 4)], 0, 6)
    assert list(g.nearest_step([0.12, 0.13, 2.8, 2.95, 3.1, 6.0])) == [0, 1, 11, 16, 16, 32]


def test_blocks_have_the_meter_of_their_bars():
    def meters(*changes: tuple[float, int, int], end: float) -> list[int]:
        score = Score(meters=[TimeSignature(*change) for change in changes])
        return Grid.of(score, 0, end).meters.tolist()

    assert meters((0, 4, 4), end=16) == [FOUR, FOUR]
    assert meters((0, 2, 4), end=16) == [FOUR, FOUR]
    assert meters((0, 3, 4), end=9) == [THREE, THREE]  # of the last block the first bar tells
    assert meters((0, 6, 8), end=12) == [COMPOUND]
    assert meters((0, 12, 8), end=12) == [COMPOUND]
    assert meters((0, 9, 8), end=9) == [THREE]
    assert meters((0, 4, 4), (8, 3, 4), end=14) == [FOUR, THREE]
    # A pickup has no beginning that would tell: the next block does.
    score = Score(meters=[TimeSignature(0, 3, 4)])
    assert Grid.of(score, 2, 9).meters.tolist() == [THREE, THREE]
