import numpy as np
import pytest

from accomp.music.score import Note, Score, TimeSignature
from accomp.roll.grid import Grid
from accomp.roll.melody_units import METERS, SILENT, MelodyUnits


def units_of(meter, notes, bars=8, first_whole=0.0, begin=0.0):
    signature = TimeSignature(0.0, *meter)
    score = Score(meters=[signature])
    end = bars * signature.bar_beats
    grid = Grid.of(score, notes[0].onset, end)
    line = sorted(notes, key=lambda note: note.onset)
    return MelodyUnits.of(line, score, grid, 0, first_whole, (begin, end))


@pytest.mark.parametrize(
    "meter, a_bar, kind",
    [
        ((4, 4), 2, "four"),
        ((2, 2), 2, "four"),
        ((3, 4), 2, "three"),
        ((6, 8), 1, "compound"),
        ((2, 4), 1, "two"),
        ((5, 4), 3, "other"),
    ],
)
def test_every_meter_has_units_of_its_own(meter, a_bar, kind):
    units = units_of(meter, [Note(60, 0.0, 1.0, 80)])
    assert len(units) == 8 * a_bar
    assert units.begins_bar.tolist() == ([True] + [False] * (a_bar - 1)) * 8
    assert units.bars.tolist() == [bar for bar in range(8) for _ in range(a_bar)]
    kinds = units.places[:, 16:21]
    assert (kinds.argmax(1) == METERS.index(kind)).all() and (kinds.sum(1) == 1).all()


@pytest.mark.parametrize(
    "meter, brief", [((4, 4), [0, 0]), ((3, 4), [0, 1]), ((5, 4), [0, 0, 1]), ((6, 8), [0])]
)
def test_the_third_beat_of_a_waltz_is_brief(meter, brief):
    assert units_of(meter, [Note(60, 0.0, 1.0, 80)], bars=2).brief.tolist() == [*brief, *brief]


def test_a_unit_has_the_sixteenths_of_the_melody():
    units = units_of((4, 4), [Note(62, 0.0, 0.5, 80), Note(74, 1.0, 0.25, 80)], bars=1)
    assert units.pitch_class[0].tolist() == [2, 2, SILENT, SILENT, 2, SILENT, SILENT, SILENT]
    assert units.struck[0].tolist() == [True, False, False, False, True, False, False, False]
    assert units.height[0, 4] - units.height[0, 0] == pytest.approx(1.0)  # an octave
    assert (units.pitch_class[1] == SILENT).all() and units.present.all()


def test_a_waltz_lacks_the_fourth_beat():
    units = units_of((3, 4), [Note(60, 0.0, 3.0, 80)], bars=1)
    assert units.present.sum(1).tolist() == [8, 4]
    assert (units.pitch_class[1, 4:] == SILENT).all()


def test_an_introduction_has_no_units():
    units = units_of((4, 4), [Note(60, 0.0, 1.0, 80), Note(60, 8.0, 1.0, 80)], begin=8.0)
    assert units.half_bars.tolist() == list(range(4, 16))


def test_half_bars_of_no_width_belong_to_the_unit_before():
    units = units_of((5, 4), [Note(60, 0.0, 1.0, 80)], bars=2)
    assert units.half_bars.tolist() == [0, 1, 2, 4, 5, 6]
    assert units.by_half_bar(8).tolist() == [0, 1, 2, 2, 3, 4, 5, 5]


def test_a_part_keeps_its_place():
    units = units_of((4, 4), [Note(60 + i, float(i), 1.0, 80) for i in range(32)])
    part = units.part(4, 8)
    assert len(part) == 4 and np.array_equal(part.places, units.places[4:8])
    assert part.bars.tolist() == [2, 2, 3, 3]
