"""Lead sheets from JSON lines become scores whose bars and chords lie right."""

import gzip
import json

from accomp.music.chord_symbols import ChordSymbol, parse_symbol
from accomp.music.keys import Key
from train.data.lead_sheets import Span, lead_sheet, read_lead_sheets, split_of, symbol_of

ROW = {
    "id": "somewhere/waltz",
    "title_hash": "00000000002a",  # 42: train
    "meter": "3/4",
    "pickup": 1.0,
    "key": "Em",
    "genre": "folk",
    "melody": [[0.0, 1.0, 71], [1.0, 2.0, 76], [3.0, 0.0, 74]],
    "chords": [
        [1.0, 2.0, "Em", 4, [0, 3, 7], 4],
        [3.0, 1.0, "N", None, None, None],
        [4.0, 3.0, "B7/D#", 11, [0, 4, 7, 10], 3],
    ],
}


def test_a_pickup_ends_a_whole_bar():
    sheet = lead_sheet(ROW)
    assert [note[:3] for note in sheet.score.tracks[0].notes] == [
        (71, 2.0, 1.0),
        (76, 3.0, 2.0),
        (74, 5.0, 0.05),
    ]
    assert sheet.spans == (
        Span(3.0, 5.0, ChordSymbol(4, "m")),
        Span(6.0, 9.0, ChordSymbol(11, "7", 3)),
    )
    assert [chord.symbol for chord in sheet.score.chords] == ["Em", "B7/D#"]
    assert sheet.score.bars(4.0)[1].onset == 3.0
    assert (sheet.key, sheet.genre, sheet.source) == (Key(4, True), "folk", "somewhere")


def test_tones_become_the_nearest_symbol():
    assert symbol_of(2, [0, 3, 6, 10], 8) == parse_symbol("Dm7b5/Ab")
    assert symbol_of(5, [0, 5, 7, 10], 5) == parse_symbol("F7sus4")
    # A sharp eleventh and a thirteenth are no quality of ours; the thirteenth stays.
    assert symbol_of(0, [0, 2, 4, 6, 7, 9, 10], None).quality in ("13", "9#11")


def test_splits_are_by_title_and_files_keep_their_order(tmp_path):
    assert [split_of(f"{number:012x}") for number in (0, 1, 2, 20, 39)] == [
        "test",
        "val",
        "train",
        "test",
        "train",
    ]
    path = tmp_path / "sheets.jsonl.gz"
    mixed = ROW | {"meter": "mixed:4/4", "pickup": 0.0, "key": "A dorian"}
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in (ROW, ROW | {"meter": None}, mixed))
    waltz, other = read_lead_sheets([path])
    assert (waltz.split, waltz.is_mixed) == ("train", False)
    assert other.is_mixed and other.key is None and other.score.tracks[0].notes[0].onset == 0
