"""Two lead sheets of one tune are laid over each other before their chords are compared."""

from train.data.lead_sheets import lead_sheet
from train.eval.harmonisations import PairSettings, compare, lay_over, pairs
from train.metrics.chords import Count

TUNE = [60, 64, 67, 69, 67, 64, 62, 59, 60, 62, 65, 64, 69, 71, 72, 67, 65, 62, 59, 60]
MAJOR, MINOR, SEVENTH = [0, 4, 7], [0, 3, 7], [0, 4, 7, 10]


def sheet(name, chords, shift=0, later=0.0, title="00000000002a", tune=TUNE):
    melody = [[later + 2.0 * i, 2.0, pitch + shift] for i, pitch in enumerate(tune)]
    spans = [
        [later + 4.0 * i, 4.0, "", (r + shift) % 12, q, None] for i, (r, q) in enumerate(chords)
    ]
    row = {"id": f"{name}/tune", "title_hash": title, "meter": "4/4", "pickup": 0.0}
    return lead_sheet(row | {"melody": melody, "chords": spans})


PLAIN = [(0, MAJOR), (5, MAJOR), (0, MAJOR), (7, MAJOR), (0, MAJOR)] * 2
RICH = [(0, MAJOR), (5, MAJOR), (9, MINOR), (7, SEVENTH), (0, MAJOR)] * 2


def test_versions_are_compared_in_one_key_from_where_both_begin():
    one, other = sheet("a", PLAIN, shift=3, later=8.0), sheet("b", RICH)
    assert lay_over(one, other, PairSettings()) == (-8.0, 9)
    found = compare(one, other)
    assert found is not None and found["triad"] == found["root"] == Count(16, 20)
    assert found["family"] == Count(12, 20)  # G is no G7
    assert found["changes"] == Count(8, 8)


def test_other_tunes_of_the_title_are_no_versions():
    one, other = sheet("a", PLAIN), sheet("b", RICH, tune=[61, 68, 63, 70, 66] * 4)
    assert compare(one, other) is None
    assert compare(sheet("a", PLAIN, tune=TUNE[:9]), sheet("b", RICH)) is None
    third = sheet("c", RICH, title="00000000002b")
    assert [(a.source, b.source) for a, b in pairs([one, third, other])] == [("a", "b")]
