"""The judge of genres can be trained, learns what can be learned, and answers."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from accomp import Note, Score, Track, write_midi
from accomp.roll import pianoroll
from accomp.roll.grid import BASS, BLOCK_STEPS, DRUMS, GUITAR, MELODY, STRINGS
from train.data import prepare
from train.data.corpus import Corpus
from train.fit import judge_genre, judge_windows, judges
from train.fit.judge_genre import GenreTask, GenreTraining
from train.fit.judge_networks import JudgeConfig, genre_classifier
from train.fit.judge_windows import Songs, Variation
from train.fit.judges import Judges, JudgeSettings
from train.fit.loop import FitSettings

SCALE = (0, 2, 4, 5, 7, 9, 11)
FIT = FitSettings(epochs=1, batch_size=8, learning_rate=1e-3)
SMALL = JudgeSettings(
    JudgeConfig(width=12, embedding=8),
    GenreTraining(windows=8),
    genre_fit=FIT,
)


def song(number: int, genre: str) -> Score:
    """Pop strikes chords on the beat over a hi-hat, jazz off the beat over a ride."""
    random = np.random.default_rng(number)
    tune, bass, guitar, drums = [], [], [], []
    for bar in range(16):
        root = int(random.choice([0, 5, 7, 9]))
        tune += [
            Note(60 + SCALE[random.integers(7)], bar * 4.0 + beat, 0.9, 90) for beat in range(4)
        ]
        bass += [Note(36 + root, bar * 4.0 + beat, 0.9, 80) for beat in range(4)]
        late = 0.5 if genre == "jazz" else 0.0
        guitar += [
            Note(48 + root + third, bar * 4 + 2 * half + late, 1.0, 60)
            for half in (0, 1)
            for third in (0, 4, 7)
        ]
        drums += [
            Note(51 if genre == "jazz" else 42, bar * 4 + half / 2, 0.1, 70) for half in range(8)
        ]
    tracks = [
        Track("Melody", 73, notes=tune),
        Track("Bass", 33, notes=bass),
        Track("Guitar", 25, notes=guitar),
    ]
    return Score([*tracks, Track("Drums", 0, True, drums)])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder, out = tmp_path_factory.mktemp("songs"), tmp_path_factory.mktemp("corpus")
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "split"])
        for number in range(16):
            genre = "jazz" if number % 2 else "soul"  # soul is pop by the config
            write_midi(song(number, genre), folder / f"{number}.mid")
            table.writerow(
                [f"{number}.mid", genre, "val" if number < 4 else "test" if number < 8 else "train"]
            )
    prepare.main(
        [str(folder), "--labels", str(folder / "labels.csv"), "--out", str(out), "--workers", "1"]
    )
    return out


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    judges.main(["--corpus", str(corpus), "--run", str(folder), "--max-steps", "2"], SMALL)
    return folder


def planes(blocks: int = 9, seed: int = 0, shift: int = 0) -> np.ndarray:
    """A song's planes: a melody in all blocks, and a band that can be shifted."""
    random = np.random.default_rng(seed)
    result = np.zeros((5, 2, blocks * BLOCK_STEPS, 128), np.uint8)
    for track, low, by in (
        (MELODY, 60, 0),
        (BASS, 36, shift),
        (GUITAR, 50, shift),
        (STRINGS, 60, shift),
    ):
        notes = np.array(
            [
                (low + by + SCALE[random.integers(7)], at, at + 4)
                for at in range(0, result.shape[2], 4)
            ]
        )
        result[track] = pianoroll.to_planes(notes, result.shape[2])
    result[DRUMS, :, ::4, 42] = 1
    return result


def test_training_writes_weights_figures_and_curves(run):
    figures = json.loads((run / "judges" / "figures.json").read_text())
    assert figures["songs"] == {"train": 8, "val": 4, "test": 4}
    assert (run / "judges" / "genre" / "losses.png").stat().st_size > 1000
    assert 0 < figures["genre"]["parameters"] < 1_000_000
    test = figures["genre"]["test"]
    assert (
        test["genres"] == ["pop", "jazz"]
        and np.sum(test["confusion"]) == 4
        and len(test["confusion"]) == 2
    )


def test_what_the_judge_answers(run):
    judge = Judges.load(run)
    assert judge.genres == ["pop", "jazz"]
    scores = judge.genre(planes(9))  # windows of blocks 0-3, 4-7 and 5-8
    assert scores.shape == (2,) and (scores < 0).all() and scores.dtype == np.float32


def test_short_and_silent_songs(run):
    judge = Judges.load(run)
    assert np.isfinite(judge.genre(planes(2))).all()
    silent = planes(8)
    silent[MELODY, :, : 6 * BLOCK_STEPS] = 0  # it plays in half of the second window's blocks
    assert np.allclose(judge.genre(silent), judge.genre(silent[:, :, 4 * BLOCK_STEPS :]))
    silent[MELODY] = 0
    assert np.isnan(judge.genre(silent)).all()


def test_genre_is_deaf_to_the_melody(run):
    judge, song, other = Judges.load(run), planes(8), planes(8)
    other[MELODY] = planes(8, seed=1)[MELODY]
    assert np.array_equal(judge.genre(song), judge.genre(other))
    other[GUITAR] = planes(8, seed=1)[GUITAR]
    assert not np.allclose(judge.genre(song), judge.genre(other))


def test_all_keys_and_octaves_sound_alike(run):
    judge, song = Judges.load(run), planes(8)
    for shift in (-3, 2, 12):
        assert np.allclose(judge.genre(song), judge.genre(planes(8, shift=shift)), atol=1e-5)


def test_features_hear_pitch_classes_not_how_many_play():
    notes = np.array([(48, 0, 8), (52, 4, 8), (64, 4, 6)])
    song = np.zeros((5, 2, BLOCK_STEPS, 128), np.uint8)
    song[GUITAR] = pianoroll.to_planes(notes, BLOCK_STEPS)
    song[DRUMS, 0, 0, [36, 38, 40]] = 1
    heard = judge_windows.step_features(torch.from_numpy(song))
    assert heard.shape == (BLOCK_STEPS, judge_windows.FEATURES) and heard.dtype == torch.uint8
    guitar = heard[:, judge_windows.OF_TRACK : 2 * judge_windows.OF_TRACK]
    assert guitar[0, [0, 12]].tolist() == [1, 1] and guitar[4, [0, 4, 12, 16]].tolist() == [
        0,
        1,
        1,
        1,
    ]
    assert guitar[0, 24] == 48 and guitar[4, 24] == round((48 + 52 + 64) / 3) and guitar[8, 24] == 0
    assert heard[0, -len(judge_windows.DRUM_GROUPS) :].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_variation_never_adds_notes():
    heard = judge_windows.windows_of(planes(8))
    varied = judge_windows.vary(
        heard, np.random.default_rng(0), Variation(most_hidden=0.5, track_dropout=0.5)
    )
    classes = [
        i
        for track in range(4)
        for i in range(track * judge_windows.OF_TRACK, (track + 1) * judge_windows.OF_TRACK - 1)
    ]
    assert (varied[..., classes] <= heard[..., classes]).all()
    assert varied[..., classes].sum() < heard[..., classes].sum()


def test_the_classifier_learns_what_tells_genres_apart(corpus):
    loaded = Corpus.load(corpus)
    groups, genres = {"pop": ["soul"]}, ["pop", "jazz"]
    train, test = (Songs.read(loaded, loaded.choose(split), groups) for split in ("train", "test"))
    torch.manual_seed(0)
    classifier = genre_classifier(2, JudgeConfig(width=12, embedding=8, dropout=0.1))
    optimizer = torch.optim.AdamW(classifier.parameters(), 5e-3)
    before = judge_genre.genre_figures(
        classifier.eval(), judge_genre.genre_examples(test, genres), genres
    )
    generator = torch.Generator().manual_seed(0)
    task = GenreTask(classifier, train, [], genres, GenreTraining(windows=160))
    for heard, label in task.batches(generator, 16):
        torch.nn.functional.cross_entropy(classifier.train()(heard), label).backward()
        optimizer.step()
        optimizer.zero_grad()
    after = judge_genre.genre_figures(
        classifier.eval(), judge_genre.genre_examples(test, genres), genres
    )
    assert after["accuracy"] == 1.0 and after["loss"] < 0.3 < before["loss"]
    assert after["confusion"] == [[2, 0], [0, 2]]


def test_what_is_missing_is_named(corpus, tmp_path):
    with pytest.raises(SystemExit, match="holds no trained judges"):
        Judges.load(tmp_path)
    with pytest.raises(SystemExit, match="leave out --genre and --init"):
        judges.main(["--corpus", str(corpus), "--run", str(tmp_path), "--genre", "jazz"])
