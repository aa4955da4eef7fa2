"""`train tell_apart` judges our results to real songs' melodies, and peers'."""

import csv
import json

import pytest

from accomp import Note, write_midi
from tests.train.eval.test_evaluate import bench, models  # noqa: F401  fixtures
from tests.train.eval.test_playing import real_song
from train.eval import tell_apart
from train.eval.tell_apart import CHANCE, OURS, RealSong, Reference


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "split"])
        for number in range(10):
            write_midi(real_song(bars=16), folder / f"{number}.mid")
            table.writerow([f"{number}.mid", "soul" if number else "folk", "val"])
    return folder


def test_the_melody_of_a_real_song_begins_with_the_second_bar():
    score = real_song(bars=16, pickup=8.0)
    score.tracks[0].notes += [Note(60, 72.0 + beat, 1.0, 80) for beat in range(4 * 70)]
    song = RealSong.of("a", "pop", score)
    assert (
        song
        and song.bars == 64
        and song.lineup
        == [
            "bass",
            "drums",
            "guitar",
            "piano",
            "strings",
        ]
    )
    assert [note.onset for note in song.melody[:2]] == [3.0, 4.0]  # its pickup, its first bar
    # It goes on for some bars after those that are judged, so that no ending is among them.
    assert max(note.end for note in song.melody) == 4 * (1 + 64 + tell_apart.MARGIN)
    task = song.task
    assert task.bars[0].onset == 4 and len(task.bars) == 64 and len(song.pieces) == 8


def test_songs_without_a_band_are_left_out():
    assert RealSong.of("a", "pop", real_song(guitar=0)) is None


def test_judges_hear_ours_chance_and_peers(bench, models, songs, tmp_path, capsys):  # noqa: F811
    kept, out = tmp_path / "kept.json", tmp_path / "found.json"
    given = ["--models", str(models), "--reference", str(kept), "--out", str(out)]
    tell_apart.main([*given, "--songs", str(songs), "--bench", str(bench)])
    told = capsys.readouterr().out
    assert "told from 9 real songs" in told  # there is no model for folk
    reference = Reference.load(kept)
    assert len(reference.real) == 10 and list(reference.peers) == ["GETMusic"]
    assert isinstance(reference.real[0].melody[0], Note)
    verdicts = json.loads(out.read_text())["verdicts"]
    assert set(verdicts) == {OURS, CHANCE, f"{OURS}, lead sheets", "GETMusic"}
    # All real songs are the same, and untrained models play otherwise.
    assert verdicts[OURS]["accuracy"] > 0.9 and verdicts[CHANCE]["accuracy"] <= 0.6
    with pytest.raises(SystemExit, match="--songs is missing"):
        tell_apart.main(["--models", str(models)])
