"""`train playing` measures ours, real songs and peers alike, and counts rows."""

import csv
import json

import numpy as np
import pytest

from accomp import Note, Score, Track, write_midi
from accomp.music.score import TimeSignature
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from tests.train.eval.test_evaluate import bench, models  # noqa: F401  fixtures
from train.eval import playing, playing_songs, playing_table
from train.metrics.playing_distance import Row


def real_song(bars=12, guitar=25, strings=48, pickup=0.0, meter=4):
    """Return a song whose guitar plays in every bar, its strings in every second."""

    def notes(pitch, length, each=1.0, step=1):
        return [
            Note(pitch, pickup + bar * meter + beat, length, 80)
            for bar in range(0, bars, step)
            for beat in np.arange(0, meter, each)
        ]

    tune = [note._replace(pitch=70 + i % 5) for i, note in enumerate(notes(70, 0.5, 0.5))]
    if pickup:
        tune.insert(0, Note(69, pickup - 1, 1.0, 80))
    tracks = [
        Track("melody", 73, notes=tune),
        Track("", 0, True, notes(36, 0.1)),
        Track("", 33, notes=notes(40, 1.0)),
        Track("", guitar, notes=notes(60, 1.0) + notes(64, 1.0)),
        Track("", strings, notes=notes(67, 4.0, 4.0, 2) + notes(72, 4.0, 4.0, 2) + notes(76, 2.0)),
        Track("", 4, notes=notes(59, 1.0)),
    ]
    return Score(tracks, meters=[TimeSignature(0.0, meter, 4)])


def test_parts_of_real_songs_are_told_by_programs():
    song = playing_songs.real_song(real_song())
    assert song and song.bars == 12
    assert {part: len(notes) for part, notes in song.notes.items()} == {
        DRUMS: 48,
        BASS: 48,
        GUITAR: 96,
        STRINGS: 12 + 48,
        MELODY: 96,
    }
    assert len(song.others) == 48
    assert set(playing_songs.players(song)) == {DRUMS, BASS, GUITAR, STRINGS, MELODY}
    # Choirs play the strings where there are none; organs do not.
    for program, plays in ((52, True), (19, False)):
        other = playing_songs.real_song(real_song(strings=program))
        assert other and bool(len(other.notes[STRINGS])) == plays


def test_songs_without_a_guitar_or_in_three_are_left_out():
    assert playing_songs.real_song(real_song(guitar=4)) is None
    assert playing_songs.real_song(real_song(meter=3)) is None
    assert playing_songs.real_song(real_song(bars=6)) is None


def test_measuring_begins_with_the_first_whole_bar_of_the_melody():
    song = playing_songs.real_song(real_song(pickup=4.0))
    assert song and song.bars == 12 and song.notes[MELODY][0].tolist() == [70, 0, 2]


def test_notes_on_bars_are_rounded_cut_and_struck_once():
    bars = Score([Track()]).bars(8)
    notes = [Note(60, 0.05, 0.5, 80), Note(60, 0.1, 0.9, 80), Note(60, 0.45, 9, 80)]
    rows = playing_songs.on_bars([*notes, Note(62, -0.2, 4, 80), Note(62, 8, 1, 80)], bars)
    assert rows.tolist() == [[60, 0, 2], [60, 2, 32]]
    assert playing_songs.on_bars(notes[:1], bars, is_drum=True).tolist() == [[60, 0, 1]]


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "split"])
        for number in range(8):
            write_midi(real_song(bars=10 + number), folder / f"{number}.mid")
            table.writerow([f"{number}.mid", "pop" if number < 7 else "soul", "test"])
    return folder


def test_real_songs_peers_and_ours_are_compared(bench, models, songs, tmp_path, capsys):  # noqa: F811
    kept, out = tmp_path / "reference.json", tmp_path / "new.json"
    given = ["--melodies", str(bench), "--models", str(models), "--reference", str(kept)]
    playing.main([*given, "--songs", str(songs), "--out", str(out), "--rows"])
    first = capsys.readouterr().out
    assert "real songs: pop 8; melodies: 3; seeds: 1" in first
    assert "pop: mean" in first and "all: mean" in first  # of jazz there are no real songs
    assert len(json.loads(out.read_text())["ours"][models.name]["pop"]) == 3
    assert set(json.loads(kept.read_text())["peers"]) == {"GETMusic"}
    playing.main([*given, "--genres", "pop", "--limit", "1", "--beside", str(out)])
    both = capsys.readouterr().out
    head = next(line for line in both.splitlines() if models.name in line)
    assert "new" in head and "ALL ROWS" in both


def test_shares_count_rows():
    rows = [
        Row("silence / bass", 0.1, 0.1, {}, {"we": 0.05, "they": 0.1}),  # nearer, within
        Row("silence / drums", 0.1, 0.1, {}, {"we": 0.15, "they": 0.1}),  # farther, within
        Row("silence / guitar", 0.1, 0.1, {}, {"we": 0.08, "they": 0.02}),  # level
        Row("silence / strings", 0.1, 0.1, {}, {"we": 0.4}),  # no peer; beyond
    ]
    found = playing_table.shares(rows, "we", ["they"])
    assert found.nearer == 1 / 3 and found.level == 2 / 3 and found.compared == 3
    assert found.within == 3 / 4 and found.rows == 4
    table = playing_table.summary([playing_table.Found("pop", rows, [])], ["we"], ["they"])
    assert "ALL ROWS" in table and "  33   67   75 %" in table
    assert found.ratio == pytest.approx((0.5 * 1.5 * 0.8 * 4) ** (1 / 4))
