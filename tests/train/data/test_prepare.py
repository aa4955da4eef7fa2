"""Songs of several collections become a corpus, with versions of a song in the same split."""

import numpy as np
import pypianoroll
import pytest

from accomp import MusicError, Note, Score, TimeSignature, Track, write_midi
from accomp.roll.grid import MELODY, TRACK_NAMES
from tests.train.fit.test_train import corpus  # noqa: F401  a fixture
from train.data import prepare
from train.data.corpus import Corpus
from train.data.lpd import read_genre_list, read_lpd
from train.data.songs import list_songs
from train.data.splits import group_duplicates, split_songs


def test_prepare_writes_blocks_that_read_back(corpus):  # noqa: F811
    loaded = Corpus.load(corpus)
    assert len(loaded.songs) == 9  # the one for non-commercial use is left out
    assert {s["split"] for s in loaded.songs} == {"train", "val", "test"}
    first = loaded.songs[0]
    assert first["blocks"] == 6 and first["programs"] == {"guitar": 25, "bass": 33, "strings": 48}
    drums = loaded.blocks(0, slice(0, 6))
    assert (
        drums.shape == (6, 2, 32, 128)
        and drums[0, 0, 0, 42]
        and drums[0, 0, 0, 36]
        and not drums[0, 0, 0, 38]
    )
    tune = loaded.blocks(MELODY, slice(0, 6))
    assert int(tune[:, 0].sum()) == 48
    assert (
        loaded.velocity[0, 0, 0, 0] == 24 and loaded.velocity[0, 0, 0, 1] == 24 * 85
    )  # two drums on each first beat
    assert first["even"] == 1


def test_prepare_keeps_how_notes_were_played(tmp_path):
    tune = [Note(60 + i % 7, i + 0.5 + 0.05 * (i % 2), 0.4, 50 + i) for i in range(32)]
    beat = [Note(36, float(i), 0.1, 90) for i in range(32)] + [
        Note(36, 4.03, 0.1, 99),
        Note(20, 5.0, 0.1, 90),
    ]
    score = Score([Track("Melody", 73, notes=tune), Track("Drums", 0, True, beat)], resolution=100)
    write_midi(score, tmp_path / "one.mid")
    write_midi(
        Score(score.tracks, meters=[TimeSignature(0.0, 6, 8)], resolution=100), tmp_path / "two.mid"
    )
    prepare.main([str(tmp_path), "--out", str(tmp_path / "out"), "--workers", "1"])
    loaded = Corpus.load(tmp_path / "out")
    assert [song["even"] for song in loaded.songs] == [1, 0]
    notes = loaded.notes_of(0)
    drums, piano = notes[notes["track"] == 0], notes[notes["track"] == MELODY]
    assert len(notes) == 64 and set(notes["song"]) == {0} and set(loaded.notes_of(1)["song"]) == {1}
    assert (
        (drums["step"] == np.arange(0, 128, 4)).all()
        and set(drums["pitch"]) == {36}
        and set(drums["duration"]) == {1}
    )
    assert (
        drums["velocity"][1] == 90 and drums["velocity"][4] == 99
    )  # the louder of two on a step; what no kit has is left out
    assert drums["offset"][4] == pytest.approx(0.12, abs=1e-3) and drums["offset"][5] == 0
    assert (piano["velocity"] == np.arange(50, 82)).all() and (
        piano["step"] == np.arange(2, 130, 4)
    ).all()
    assert piano["offset"] == pytest.approx([0, 0.2] * 16, abs=1e-3)
    planes = (
        loaded.blocks(MELODY, slice(0, loaded.songs[0]["blocks"])).numpy()[:, 0].reshape(-1, 128)
    )
    assert planes[piano["step"], piano["pitch"]].all() and planes.sum() == len(piano)


def test_prepare_reads_lpd_archives(tmp_path):
    rolls = np.zeros((96, 128), np.uint8)
    rolls[0:24, 60], rolls[24:96, 64] = 90, 70
    for number, track_id in enumerate(("TRAAA", "TRBBB", "TRCCC")):
        folder = tmp_path / "lpd" / track_id
        folder.mkdir(parents=True)
        tracks = [
            pypianoroll.StandardTrack(
                name=name.capitalize(),
                program=0,
                is_drum=name == "drums",
                pianoroll=np.roll(rolls, 12 * number, 0),
            )
            for name in TRACK_NAMES
        ]
        pypianoroll.Multitrack(resolution=24, tempo=np.full(96, 100.0), tracks=tracks).save(
            folder / "song.npz"
        )
    genres = tmp_path / "genres.cls"
    genres.write_text("# comment\nTRAAA\tPop_Rock\nTRBBB\tJazz\n")
    assert read_genre_list(genres) == {"TRAAA": "pop_rock", "TRBBB": "jazz"}
    score = read_lpd(tmp_path / "lpd" / "TRAAA" / "song.npz")
    assert score.tracks[MELODY].notes == [Note(60, 0.0, 1.0, 90), Note(64, 1.0, 3.0, 70)]
    assert score.tempos[0].bpm == pytest.approx(100)
    prepare.main(
        [
            str(tmp_path / "lpd"),
            "--labels",
            str(genres),
            "--out",
            str(tmp_path / "out"),
            "--workers",
            "1",
        ]
    )
    assert [s["genre"] for s in Corpus.load(tmp_path / "out").songs] == ["pop_rock", "jazz"]
    with pytest.raises(MusicError, match="no pypianoroll archive"):
        read_lpd(genres)


def test_without_labels_folders_are_genres(tmp_path):
    for name in ("ska/a.mid", "ska/b.MID", "polka/c.mid", "polka/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [(e["file"], e["genre"]) for e in list_songs(tmp_path, None)] == [
        ("polka/c.mid", "polka"),
        ("ska/a.mid", "ska"),
        ("ska/b.MID", "ska"),
    ]


def test_versions_of_a_song_stay_together_and_the_split_is_80_10_10():
    songs = [{"file": str(i), "bars": [f"{i}-{bar}" for bar in range(10)]} for i in range(100)]
    songs[7]["bars"] = songs[3]["bars"][:6] + ["own1", "own2"]
    songs[8]["bars"] = songs[50]["bars"][:3] + [f"other{i}" for i in range(7)]
    group_duplicates(songs)
    assert (
        songs[7]["dup_group"] == songs[3]["dup_group"]
        and songs[8]["dup_group"] != songs[50]["dup_group"]
    )
    split_songs(songs, seed=1)
    assert songs[7]["split"] == songs[3]["split"]
    counts = [sum(s["split"] == split for s in songs) for split in ("train", "val", "test")]
    assert counts[0] in (80, 81) and counts[1] in (9, 10, 11) and sum(counts) == 100
    labelled = [
        {"dup_group": "a", "split": "train", "bars": []},
        {"dup_group": "a", "split": "test", "bars": []},
    ]
    group_duplicates(labelled)
    split_songs(labelled, seed=1)
    assert [s["split"] for s in labelled] == [
        "test",
        "test",
    ]  # nothing of the test songs is trained on
