"""The judge tells apart what differs, and only that, in songs that it does not know."""

import numpy as np
import pytest

from train.fit.judge_playing import Pieces, PlayingJudgeSettings, area_under_curve, tell_apart

SETTINGS = PlayingJudgeSettings(epochs=60, shuffles=2)


def songs(shift=0.0, count=40, seed=0, name="song"):
    """Return four pieces of each song; "lengths" of a system are shifted, "gaps" are no help."""
    random = np.random.default_rng(seed)
    features = [
        {
            "lengths / bass": float(random.normal(shift)),
            "lengths spread / bass": 1.0,
            "gaps / bass": float(random.normal()),
            **({"room / strings": float(random.normal())} if piece % 2 else {}),
        }
        for piece in range(4 * count)
    ]
    return Pieces(features, [f"{name} {piece // 4}" for piece in range(4 * count)])


def test_a_system_that_differs_is_told_by_what_differs():
    found = tell_apart(songs(), songs(4.0, seed=1), SETTINGS)
    assert found.accuracy > 0.9
    assert next(iter(found.told)) == "lengths" and found.told["lengths"] > 0.3
    assert abs(found.told["gaps"]) < 0.05 and set(found.told) == {"lengths", "gaps", "room"}
    assert found.alone["lengths / bass"] > 0.95 and abs(found.alone["gaps / bass"] - 0.5) < 0.15
    real, own = found.means["lengths / bass"]
    assert abs(real) < 0.3 and 3.7 < own < 4.3


def test_nothing_is_told_where_nothing_differs_however_few_pieces_one_side_has():
    alike = tell_apart(songs(), songs(seed=1, name="other"), SETTINGS)
    assert 0.35 < alike.accuracy < 0.65
    few = tell_apart(songs(), songs(seed=2, count=8, name="other"), SETTINGS)
    assert 0.3 < few.accuracy < 0.7


def test_pieces_of_a_song_are_not_known_from_its_others():
    # Each song has a mark of its own: whoever has heard one of its pieces knows all others.
    random = np.random.default_rng(3)
    sides = []
    for side in range(2):
        marks = random.normal(size=(30, 6))
        features = [{f"mark {k} / bass": v for k, v in enumerate(m)} for m in marks for _ in "abcd"]
        sides.append(Pieces(features, [f"{side} {song}" for song in range(30) for _ in "abcd"]))
    assert tell_apart(*sides, SETTINGS).accuracy < 0.7


@pytest.mark.parametrize(
    "low, high, area",
    [
        ([0, 1], [2, 3], 1),
        ([2, 3], [0, 1], 0),
        ([1, 1], [1], 0.5),
        ([0, 2, 2], [1, 2], (1 + 2) / 6),
    ],
)
def test_the_area_under_the_curve_counts_pairs(low, high, area):
    assert area_under_curve(np.array(low), np.array(high)) == pytest.approx(area)
