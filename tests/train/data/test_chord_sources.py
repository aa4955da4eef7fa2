import gzip
import json

import numpy as np
import pytest

from accomp.music.keys import Key
from accomp.music.midi import write_midi
from accomp.music.score import Chord, Note, Score, TimeSignature, Track
from accomp.roll.chord_vocabulary import symbol_of
from train.data.chord_examples import key_of_chords, key_of_melody, transposed
from train.data.chord_sources import read_source

TUNE = [67, 64, 60, 62, 64, 65, 67, 60]


def sheet(**changes) -> dict:
    """Eight bars in 3/4 with a pickup: C, G7/B, then C."""
    melody = [[0.0, 1.0, 67], *([1.0 + i, 1.0, TUNE[i % 8]] for i in range(24))]
    chords = [
        [1.0, 9.0, "C", 0, [0, 4, 7], 0],
        [10.0, 5.0, "G7/B", 7, [0, 4, 7, 10], 11],
        [15.0, 10.0, "C", 0, [0, 4, 7], 0],
    ]
    row = {
        "id": "waltzes/1",
        "title": "One",
        "title_hash": "0000000000ff",
        "meter": "3/4",
        "pickup": 1.0,
        "key": "C",
        "genre": "Waltz",
        "licence": "public domain",
        "melody": melody,
        "chords": chords,
    }
    return row | changes


def write(path, *rows):
    with gzip.open(path, "wt") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_a_sheet_has_a_chord_for_each_unit(tmp_path):
    path = write(tmp_path / "waltzes.jsonl.gz", sheet(), sheet(meter="mixed:3/4"))
    (example,) = read_source(path)
    assert (example.source, example.genre, example.licence) == ("waltzes", "Waltz", "public domain")
    assert example.key == Key(0, False) and example.split == "train" and example.has_melody
    names = [
        "-" if chord < 0 else str(symbol_of(chord, bass))
        for chord, bass in zip(example.chords, example.basses)
    ]
    # The pickup's bar has none. Bar 4 has G7 throughout; bar 5 two beats of it, then C.
    assert names == ["-"] * 2 + ["C"] * 6 + ["G7/B"] * 3 + ["C"] * 7
    assert example.levels.tolist() == pytest.approx([3 / 16, 0, 2 / 9])


def test_a_folder_of_sheets_and_of_marked_midi_files(tmp_path):
    write(tmp_path / "a.jsonl.gz", sheet())
    notes = [Note(TUNE[i % 8], float(i), 1.0, 80) for i in range(32)]
    chords = [Chord(0.0, "Am7"), Chord(8.0, "what"), Chord(16.0, "E7b9"), Chord(24.0, "Am")]
    score = Score([Track("melody", 73, notes=notes)], chords=chords)
    write_midi(score, tmp_path / "song.mid")
    write_midi(Score([Track("melody", 73, notes=notes)]), tmp_path / "no_chords.mid")
    (tmp_path / "labels.csv").write_text("file,genre,split,licence\nsong.mid,tango,val,mine\n")
    found = {example.name: example for example in read_source(tmp_path)}
    assert found.keys() == {"waltzes/1", "song"}
    song = found["song"]
    assert (song.genre, song.split, song.licence) == ("tango", "val", "mine")
    assert [str(symbol_of(chord)) for chord in song.chords[[0, 8, 12]]] == ["Am7", "E7b9", "Am"]
    assert (song.chords[4:8] == -1).all() or str(symbol_of(song.chords[4])) == "Am7"


def test_charts_without_a_melody_teach_progressions(tmp_path):
    (example,) = read_source(write(tmp_path / "charts.jsonl.gz", sheet(melody=[], pickup=0.0)))
    assert not example.has_melody and (example.chords >= 0).sum() >= 8


def test_keys_are_estimated_where_the_sheet_says_none(tmp_path):
    (example,) = read_source(write(tmp_path / "a.jsonl.gz", sheet(key=None)))
    assert example.key == key_of_chords(example.chords, example.units) == Key(0, False)
    up = transposed(example, 5)
    assert key_of_melody(up.units).tonic == (key_of_melody(example.units).tonic + 5) % 12
    assert up.key == Key(5, False) and str(symbol_of(up.chords[2])) == "F"
    assert np.array_equal(up.basses, example.basses)
    before, after = (each.units.pitch_class[2].astype(int) for each in (example, up))
    assert ((after - before) % 12 == 5).all()


def test_a_corpus_tells_the_chords_of_its_arrangements(tmp_path):
    from train.data import prepare

    songs = tmp_path / "songs"
    songs.mkdir()
    for number in range(3):
        lead = [Note(TUNE[i % 8] + 12, i / 2, 0.5, 80) for i in range(64)]
        guitar = [
            Note(pitch, 4.0 * bar, 4.0, 70)
            for bar in range(8)
            for pitch in ((60, 64, 67), (55, 59, 62, 65))[bar % 2]
        ]
        bass = [Note((36, 43)[bar % 2], 4.0 * bar, 4.0, 70) for bar in range(8)]
        score = Score(
            [
                Track("melody", 73, notes=lead),
                Track("g", 25, notes=guitar),
                Track("b", 33, notes=bass),
            ],
            meters=[TimeSignature(0.0, 4, 4)],
        )
        write_midi(score, songs / f"{number}.mid")
    prepare.main([str(songs), "--genre", "polka", "--out", str(tmp_path / "c"), "--workers", "1"])
    example = next(read_source(tmp_path / "c"))
    names = [str(symbol_of(c, b)) for c, b in zip(example.chords, example.basses)]
    assert names[:4] == ["C", "C", "G7", "G7"] and example.genre == "polka"
