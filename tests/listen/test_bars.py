"""The network that finds bars: what it looks at, what it learns from, and tunes in ABC."""

import json

import numpy as np
import pytest
import torch

from accomp import read_midi, write_midi
from accomp.listen.bar_net import KEY, NOTES, READINGS, BarsNetConfig, bar_scores, lay_out
from accomp.listen.bars import BarSettings
from accomp.listen.beats import BeatSettings, find_beats
from accomp.music.score import Note, Score, TimeSignature, Track
from train.data import abc, prepare
from train.data.corpus import Corpus
from train.fit import bars
from train.fit.bars import Line

FOUR, THREE, SIX, SWUNG = range(len(READINGS))


def test_bar_scores_add_up_the_places_of_each_way_to_lay_bars():
    logits = torch.randn(2, 6, 20)
    scores = bar_scores(logits)
    for s in range(6):
        assert torch.allclose(
            scores[:, s], sum(logits[:, (step + s) % 6, step] for step in range(20)), atol=1e-5
        )


def melody(count=24):
    onset = np.arange(count) * 0.5 + (np.arange(count) % 3 == 0) * 0.25
    return 60 + np.arange(count) * 5 % 12, onset, onset + 0.25


def test_a_transposed_melody_looks_the_same():
    pitch, onset, end = melody()
    for parts in (3, 4):
        assert np.allclose(lay_out(pitch, onset, end, parts), lay_out(pitch + 5, onset, end, parts))


def test_steps_hold_onsets_and_what_returns():
    pitch = np.array([60, 64, 67, 60, 64, 69])
    onset = np.array([0.0, 0.5, 1.02, 2.0, 2.5, 3.0])
    steps = lay_out(pitch, onset, onset + 0.4, 4)
    assert np.flatnonzero(steps[1]).tolist() == [0, 2, 4, 8, 10, 12]
    after_two = steps[NOTES + KEY + BarsNetConfig().lags.index(2)]
    assert after_two[8] == after_two[10] == 1.0 and after_two[12] == 0.5 and not after_two[:8].any()
    together = lay_out(pitch, np.array([0, 0.01, 1, 2, 2.5, 3]), onset + 0.4, 4)
    assert together[1, 0] == 1 and together[2, 0] == 1 and together[1].sum() == 5


def song(meter, count=60):
    """Eighths in the middle of bars of this meter and a bass on their downbeats, after a pickup."""
    bar = 4 * meter[0] / meter[1]
    onsets = np.arange(count) * 0.5 + bar - 0.5
    notes = [Note(60 + int(k * 5 % 12), float(onset), 0.5, 80) for k, onset in enumerate(onsets)]
    bass = [Note(36, bar * k, bar, 80) for k in range(1, int(onsets[-1] / bar))]
    return Score(
        [Track("Melody", 73, False, notes), Track("Bass", 33, False, bass)],
        meters=[TimeSignature(0.0, *meter)],
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for name, meter in (("a", (4, 4)), ("b", (3, 4)), ("c", (6, 8)), ("d", (9, 8))):
        for split in ("train", "val"):
            write_midi(song(meter, 60 + (split == "val")), folder / f"{name}_{split}.mid")
    rows = [
        f"{name}_{split}.mid,folk,{split},{name}{split}"
        for name in "abcd"
        for split in ("train", "val")
    ]
    (folder / "labels.csv").write_text("\n".join(["file,genre,split,dup_group", *rows]))
    arguments = [
        "--labels",
        str(folder / "labels.csv"),
        "--out",
        str(folder / "corpus"),
        "--workers",
        "1",
    ]
    prepare.main([str(folder), *arguments])
    return folder / "corpus"


def test_melodies_keep_their_bars_in_a_corpus(corpus):
    lines = {line.reading: line for line in bars.read_lines(Corpus.load(corpus), "train")}
    assert set(lines) == {FOUR, THREE, SIX}  # not 9/8
    for reading, distance in ((FOUR, 0.5), (THREE, 0.5), (SIX, 1 / 3)):
        line = lines[reading]
        assert np.allclose(np.diff(line.onset), distance) and np.allclose(
            line.duration[:-1], distance
        )
        assert (line.onset[1] / READINGS[reading].pulses) % 1 == pytest.approx(
            0
        )  # the note after the pickup


def test_bent_songs_have_the_downbeats_they_had():
    onset = np.arange(0, 64, 0.5)
    line = Line(FOUR, np.where(onset % 4 == 0, 72, 60), onset, np.full(len(onset), 0.5))
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        bent = bars.bend(line, rng, bars.ExampleSettings())
        seen.add(bent.reading)
        assert (np.diff(bent.onset) > 0).all() and (bent.duration > 0).all()
        assert np.allclose(bent.onset[bent.pitch == 72] % READINGS[bent.reading].pulses, 0)
    assert seen == {FOUR, THREE, SIX, SWUNG}


@pytest.mark.parametrize("reading", range(len(READINGS)))
def test_answers_say_where_the_first_step_lies_in_the_bar(reading, monkeypatch):
    monkeypatch.setattr(bars, "bend", lambda line, rng, settings: line)
    monkeypatch.setattr(
        bars,
        "sing",
        lambda line, rng, settings: (line.pitch, line.onset, line.onset + line.duration),
    )
    kind = READINGS[reading]
    downbeats = Line(reading, np.full(40, 60), np.arange(40.0) * kind.pulses, np.full(40, 1.0))
    rng = np.random.default_rng(1)
    for _ in range(20):
        example = bars.make_example(downbeats, 40.0, True, rng)
        place = example.answer - sum(other.places for other in READINGS[:reading])
        steps, parts = example.layouts[0]
        assert parts == kind.parts and (
            np.flatnonzero(steps[1]) + place
        ) % kind.places == pytest.approx(0)


def test_sung_notes_are_in_order_and_have_a_length():
    onset = np.arange(200) * 0.5
    line = Line(FOUR, np.full(200, 60), onset, np.full(200, 0.5))
    pitch, begin, end = bars.sing(line, np.random.default_rng(0))
    assert (
        len(pitch) == len(begin) == len(end) and (np.diff(begin) > 0).all() and (end > begin).all()
    )
    assert 180 < len(pitch) < 215 and set(pitch - 60) & {-12, 12}


@pytest.mark.train
def test_two_steps_of_training_give_a_network_that_finds_bars(corpus, tmp_path):
    bars.main(
        [
            "--corpus",
            str(corpus),
            "--also",
            str(corpus),
            "--run",
            str(tmp_path),
            "--max-steps",
            "2",
        ],
        bars.BarsTraining(validation=1),
    )
    figures = json.loads((tmp_path / "bars" / "figures.json").read_text())
    assert len(figures["data"]) == 2 and 0 <= figures["bars"] <= figures["meter"] <= 1
    settings = BeatSettings(bars=BarSettings(folder=tmp_path / "model"))
    grid = find_beats([(60 + k % 5, k / 2, k / 2 + 0.4, 80) for k in range(30)], settings=settings)
    assert grid.meter in {reading.meter for reading in READINGS}


TUNE = """X:1
T:A tune
M:3/4
L:1/8
K:G
D2|G3 A B>c|d2 (3dcB A2|^F4 =F2|G4-G2|z2 [G2d2] f2|{a}g6|
"""


def test_a_tune_in_abc_has_its_pickup_and_its_lengths(tmp_path):
    (tmp_path / "tunes.abc").write_text(
        TUNE + "\n" + TUNE.replace("3/4", "4/4")
    )  # whose bar lines don't agree
    abc.main([str(tmp_path), "--out", str(tmp_path / "midi")])
    (path,) = (tmp_path / "midi").glob("*.mid")
    score = read_midi(path)
    assert score.meters[0][1:] == (3, 4)
    notes = [
        (note.pitch, round(note.onset, 2), round(note.duration, 2))
        for note in score.tracks[0].notes
    ]
    assert notes[:6] == [
        (62, 2.0, 1.0),
        (67, 3.0, 1.5),
        (69, 4.5, 0.5),
        (71, 5.0, 0.75),
        (72, 5.75, 0.25),
        (74, 6.0, 1.0),
    ]
    assert notes[6:10] == [(74, 7.0, 0.33), (72, 7.33, 0.33), (71, 7.67, 0.33), (69, 8.0, 1.0)]
    assert notes[10:] == [
        (66, 9.0, 2.0),
        (65, 11.0, 1.0),
        (67, 12.0, 3.0),
        (67, 16.0, 1.0),
        (78, 17.0, 1.0),
        (79, 18.0, 3.0),
    ]


def test_keys_in_abc():
    assert abc.key_signature("Bb") == {"B": -1, "E": -1} and abc.key_signature("A dorian") == {
        "F": 1
    }
    assert (
        abc.key_signature("Em") == {"F": 1} == abc.key_signature("D mix")
        and abc.key_signature("none") == {}
    )
