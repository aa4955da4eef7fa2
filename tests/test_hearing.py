"""The transcription's network learns from melodies that are sung and played to it, and its hearing is measured."""

import json
import shutil

import numpy as np
import pytest

from accomp import transcription as hearing_aid
from accomp import write_midi
from accomp.transcription import SungNote
from tests.test_train import song
from train import evaluate, hearing, prepare, transcription

pytestmark = pytest.mark.skipif(not shutil.which("fluidsynth"), reason="needs FluidSynth")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for number in range(6):
        write_midi(song(number), folder / f"{number}.mid")
    prepare.main([str(folder), "--genre", "pop", "--out", str(folder / "corpus"), "--workers", "1"])
    return folder / "corpus"


def test_two_steps_of_training_give_a_network_that_listens(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(transcription, "MELODIES", {"train": 2, "val": 1})
    transcription.main(["--corpus", str(corpus), "--run", str(tmp_path), "--max-steps", "2"])
    assert json.loads((tmp_path / "transcription" / "figures.json").read_text())["clips"] == 8
    monkeypatch.setattr(hearing_aid, "FOLDER", tmp_path / "model")
    hearing_aid._network.cache_clear()
    try:
        heard = hearing_aid.listen(np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32))
        assert hearing_aid._network().hear(heard.frames).shape == (2, 200)
    finally:
        hearing_aid._network.cache_clear()


def test_targets_mark_onsets_and_what_sounds():
    onsets, sounding = transcription.targets([(60, 0.10, 0.30, 80), (62, 0.50, 0.60, 80)], 100)
    assert set(np.flatnonzero(onsets > 0.9)) == {10, 50} and set(np.flatnonzero(sounding)) == {*range(10, 30), *range(50, 60)}


def test_what_is_heard_is_compared_with_what_was_played():
    true = [(60, 0.0, 0.5, 80), (62, 0.5, 1.0, 80), (64, 1.0, 1.5, 80), (65, 1.5, 2.0, 80)]
    heard = [SungNote(60, 0.04, 0.5, 80), SungNote(74, 0.5, 1.0, 80), SungNote(64, 1.1, 1.5, 80), SungNote(65, 1.5, 1.6, 80)]
    found = hearing.compare(true, heard)
    assert (found["f1"], found["f1_offsets"], found["octaves"]) == (0.5, 0.25, 0.25)
    assert hearing.compare(true, [])["f1"] == 0


def test_the_command_prints_a_table(corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(hearing, "SOUNDS", {name: hearing.SOUNDS[name] for name in ("hum", "piano")})
    evaluate.main(["--transcription", "--corpus", str(corpus), "--split", "val", "--limit", "1", "--out", str(tmp_path)])
    rows = json.loads((tmp_path / "transcription.json").read_text())
    assert len(rows) == 2 * len(hearing.TRANSCRIBERS)
    ours = [row["f1"] for row in rows if row["by"] == "accomp"]
    assert np.mean(ours) > 0.8 and "| F1, hum | " in capsys.readouterr().out
    with pytest.raises(SystemExit, match="--judges is missing"):
        evaluate.main(["--corpus", str(corpus), "--out", str(tmp_path)])
