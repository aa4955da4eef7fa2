import itertools

import numpy as np
import pytest

from accomp.models.chord_path import LONG, PathSettings, changing_path

FREE = PathSettings(change=(0.0, 0.0, 0.0), held_over=0.0, standing=0.0)
LONG_ENOUGH = np.zeros(8, bool)


def worth_of(path, worth, begins, brief, settings):
    """What a path is worth, counted place by place."""
    total = worth[range(len(path)), path].sum()
    bars = within = 0  # bar lines since the chord began; whether it began within a bar
    for at in range(1, len(path)):
        if path[at] != path[at - 1]:
            total += settings.change[0 if begins[at] else 1 + brief[at]]
            bars, within = 0, not begins[at]
        elif begins[at]:
            total -= settings.held_over * (within and bars == 0)
            bars += 1
            total -= settings.standing * (bars >= LONG - 1)
    return total


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("begins", [[1, 0] * 4, [1, 0, 0] * 2, [1] * 8, [0, 1, 0, 1, 1, 1, 1, 0]])
def test_the_path_is_worth_most_of_all(seed, begins):
    worth = np.random.default_rng(seed).random((len(begins), 3)) / 2
    brief = np.random.default_rng(seed + 9).random(len(begins)) < 0.3
    settings = PathSettings(change=(0.1, 0.05, -0.2), held_over=0.4, standing=0.3)
    found = changing_path(worth, np.array(begins, bool), brief, settings)
    best = max(
        worth_of(path, worth, begins, brief, settings)
        for path in itertools.product(range(3), repeat=len(begins))
    )
    assert worth_of(found, worth, begins, brief, settings) == pytest.approx(best)


def test_one_place_has_the_chord_that_is_worth_most():
    assert changing_path(np.array([[0.1, 0.5, 0.2]]), *np.array([[True], [False]])).tolist() == [1]


def test_a_change_held_over_the_bar_line_is_moved():
    worth = np.zeros((4, 24))
    worth[0, 0] = worth[2, 7] = worth[3, 7] = 1.0
    worth[1, 0], worth[1, 7] = 0.45, 0.55
    begins = np.array([True, False, True, False])
    kept = changing_path(worth, begins, LONG_ENOUGH[: len(begins)], FREE)
    settings = PathSettings(change=(0.0, 0.0, 0.0), held_over=0.3)
    moved = changing_path(worth, begins, LONG_ENOUGH[:4], settings)
    assert kept.tolist() == [0, 7, 7, 7] and moved.tolist() == [0, 0, 7, 7]


def test_a_chord_that_stands_for_four_bars_moves_where_another_is_nearly_as_good():
    worth = np.zeros((8, 24))
    worth[:, 0], worth[:, 7], worth[5, 7] = 0.5, 0.2, 0.45
    begins = np.ones(8, bool)
    still = changing_path(worth, begins, LONG_ENOUGH[: len(begins)], FREE)
    settings = PathSettings(change=(0.0, 0.0, 0.0), standing=0.1)
    moving = changing_path(worth, begins, LONG_ENOUGH, settings)
    assert set(still) == {0}
    assert np.flatnonzero(moving == 7).tolist() == [5]


def test_given_chords_stay_however_long():
    worth = np.full((10, 24), -np.inf)
    worth[:, 3] = 0.0
    assert set(changing_path(worth, np.ones(10, bool), np.zeros(10, bool))) == {3}


def test_a_waltz_changes_on_its_third_beat_only_where_it_is_worth_it():
    worth = np.zeros((4, 24))
    worth[[0, 2], 0], worth[[1, 3], 0], worth[[1, 3], 7] = 1.0, 0.5, (0.55, 0.75)
    begins, third = np.array([True, False] * 2), np.array([False, True] * 2)
    settings = PathSettings(change=(0.0, 0.0, -0.1), held_over=0.0, standing=0.0)
    assert changing_path(worth, begins, third, settings).tolist() == [0, 0, 0, 7]
