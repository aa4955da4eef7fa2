"""Two real steps of each training script on a few songs, and music from what they wrote."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from accomp import Accompanist, Note, Score, Track, read_midi, write_midi
from accomp.roll.grid import BASS, MELODY, TRACK_NAMES
from tests.band.test_accompanist import melody
from train.data import prepare
from train.data.corpus import Corpus
from train.data.windows import Windows
from train.fit import harmony, planner, vae
from train.fit.checkpoint import CHECKPOINT, resume, save_checkpoint
from train.fit.loop import Task
from train.fit.settings import CONFIGS
from train.publish import staging

SCALE = (0, 2, 4, 5, 7, 9, 11)


def song(number: int) -> Score:
    """A little song in five parts, unlike the others."""
    random = np.random.default_rng(number)
    tune, bass, guitar, strings, drums = [], [], [], [], []
    for bar in range(12):
        root = int(random.choice([0, 5, 7, 9]))
        for beat in range(4):
            at = bar * 4.0 + beat
            tune.append(Note(60 + SCALE[random.integers(7)] + number % 5, at, 0.9, 90))
            bass.append(Note(36 + (root + number % 5) % 12, at, 0.9, 80))
            drums += [Note(42, at + half, 0.1, 70) for half in (0, 0.5)] + [
                Note(36 if beat % 2 == 0 else 38, at, 0.1, 100)
            ]
        guitar += [
            Note(48 + root + number % 5 + third, bar * 4 + 1.5, 2.0, 60) for third in (0, 4, 7)
        ]
        strings += [Note(60 + root + number % 5 + third, bar * 4.0, 4.0, 50) for third in (0, 7)]
    tracks = [
        Track("Melody", 73, notes=tune),
        Track("Bass", 33, notes=bass),
        Track("Guitar", 25, notes=guitar),
    ]
    return Score([*tracks, Track("Strings", 48, notes=strings), Track("Drums", 0, True, drums)])


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "split", "licence"])
        for number in range(10):
            write_midi(song(number), folder / f"{number}.mid")
            split = "val" if number < 2 else "test" if number < 4 else "train"
            table.writerow(
                [
                    f"{number}.mid",
                    "jazz" if number % 2 else "pop",
                    split,
                    "CC-BY-NC" if number == 9 else "public domain",
                ]
            )
    out = tmp_path_factory.mktemp("corpus")
    prepare.main(
        [
            str(folder),
            "--labels",
            str(folder / "labels.csv"),
            "--out",
            str(out),
            "--exclude-licence",
            "NC",
            "--workers",
            "1",
        ]
    )
    return out


def small(config: str, folder: Path) -> Path:
    """The shipped settings for a run of two steps."""
    settings = yaml.safe_load((CONFIGS / config).read_text())
    for stage in (settings["training"], settings["training"]["fine_tune"]):
        for part, fit in stage.items():
            if part != "fine_tune":
                fit.update(epochs=1, batch_size=16, sample_every=1)
    path = folder / config
    path.write_text(yaml.safe_dump(settings))
    return path


def losses_of(folder: Path) -> list[dict[str, str]]:
    """The rows of a training's table of losses."""
    return list(csv.DictReader((folder / "losses.csv").read_text().splitlines()))


@pytest.mark.parametrize("config", ["accomp.yaml", "paper.yaml"])
def test_two_steps_of_everything_then_music(corpus, tmp_path, config):
    run, tuned = tmp_path / "universal", tmp_path / "jazz"
    path = small(config, tmp_path)
    common = ["--corpus", str(corpus), "--config", str(path), "--max-steps", "2"]
    vae.main([*common, "--run", str(run)])
    if config == "accomp.yaml":
        planner.main([str(corpus), *common[2:], "--run", str(run)])
        figures = json.loads((run / "planner" / "figures.json").read_text())
        assert figures["data"][0]["corpus"] == Corpus.load(corpus).name and "loss" in figures["val"]
    harmony.main([*common, "--run", str(run)])
    for part in (*TRACK_NAMES, "harmony/drums"):
        assert (run / part / "losses.png").stat().st_size > 1000 and list(
            (run / part).glob("events.*")
        )
        rows = losses_of(run / part)
        assert (
            len(rows) == 1 and float(rows[0]["train/loss"]) > 0 and float(rows[0]["val/loss"]) > 0
        )
    assert read_midi(next((run / "bass" / "samples").rglob("real.mid"))).tracks
    universal = Accompanist.from_pretrained(run / "model")
    assert universal.accompany(melody()).tracks[MELODY].notes == melody().tracks[0].notes

    harmony.main(
        [
            *common,
            "--run",
            str(tuned),
            "--init",
            str(run),
            "--genre",
            "jazz",
            "--export",
            str(tmp_path / "models" / "jazz"),
        ]
    )
    jazz = Accompanist.from_pretrained(tmp_path / "models" / "jazz")
    assert (
        jazz.config.genre == "jazz"
        and jazz.config.programs["bass"] == 33
        and jazz.config.feel.genre == "jazz"
    )
    assert torch.allclose(jazz.colours.sum(1), torch.ones(24), atol=1e-2)
    for name, value in universal.vaes.state_dict().items():
        assert torch.equal(value, jazz.vaes.state_dict()[name])
    training = json.loads((tmp_path / "models" / "jazz" / "training.json").read_text())
    assert training["seed"] == 0 and training["fine_tuned"] and training["songs"]["train"] == 2
    assert {"val", "test"} <= training["losses"]["harmony"]["bass"].keys() and "val" in training[
        "losses"
    ]["drums"]


def test_training_goes_on_where_it_was_interrupted(corpus, tmp_path):
    path = small("accomp.yaml", tmp_path)
    settings = yaml.safe_load(path.read_text())
    settings["training"]["vae"]["epochs"] = 3
    path.write_text(yaml.safe_dump(settings))
    arguments = ["--corpus", str(corpus), "--config", str(path), "--instrument", "bass"]
    vae.main([*arguments, "--run", str(tmp_path / "whole")])
    songs = Corpus.load(corpus)
    blocks = len(Windows(songs, BASS, songs.choose("train"), any_bar=True))
    vae.main([*arguments, "--run", str(tmp_path / "parts"), "--max-steps", str(-(-blocks // 16))])
    assert len(losses_of(tmp_path / "parts" / "bass")) == 1
    vae.main([*arguments, "--run", str(tmp_path / "parts")])
    whole, parts = (
        [row["train/loss"] for row in losses_of(tmp_path / name / "bass")]
        for name in ("whole", "parts")
    )
    assert (
        len(parts) == 3
        and parts == pytest.approx(whole)
        or [float(v) for v in parts] == pytest.approx([float(v) for v in whole], rel=1e-3)
    )


@pytest.mark.parametrize("stage", ["vae", "planner", "harmony"])
def test_a_killed_training_comes_to_the_same_weights(corpus, tmp_path, monkeypatch, stage):
    path = small("accomp.yaml", tmp_path)
    settings = yaml.safe_load(path.read_text())
    settings["training"][stage].update(epochs=3, sample_every=1)
    path.write_text(yaml.safe_dump(settings))
    common = ["--config", str(path), "--corpus", str(corpus)]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    if stage == "harmony":
        for folder in (whole, killed):
            vae.main([*common, "--run", str(folder), "--max-steps", "1"])
            planner.main([str(corpus), *common[:2], "--run", str(folder), "--max-steps", "1"])
    train, part, own = {
        "vae": (vae.main, "bass", [*common, "--instrument", "bass"]),
        "planner": (planner.main, "planner", [str(corpus), *common[:2]]),
        "harmony": (harmony.main, "harmony/drums", common),
    }[stage]
    train([*own, "--run", str(whole)])
    step, steps = Task.step, []

    def kill(task, descent, progress, batch):
        steps.append(progress)
        if progress > 0.6:  # in the third epoch
            raise KeyboardInterrupt
        return step(task, descent, progress, batch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Task, "step", kill)
        train([*own, "--run", str(killed)])
    assert len(losses_of(killed / part)) == 2
    train([*own, "--run", str(killed)])
    one, other = (load_file(folder / part / CHECKPOINT) for folder in (whole, killed))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one if name != "random")


def test_a_damaged_checkpoint_is_named(tmp_path):
    path, model = tmp_path / CHECKPOINT, torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    save_checkpoint(path, model, optimizer, [])
    whole = path.read_bytes()
    for damaged in (whole[:-8], b"", b"\xff" * 64, whole.replace(b"model.bias", b"model.size")):
        path.write_bytes(damaged)
        with pytest.raises(SystemExit, match="checkpoint.safetensors is (damaged|of another)"):
            resume(path, model, optimizer)


def test_what_is_missing_is_named(corpus, tmp_path):
    with pytest.raises(SystemExit, match="make it with python -m train prepare"):
        vae.main(["--corpus", str(tmp_path), "--run", str(tmp_path / "run")])
    with pytest.raises(SystemExit, match="holds no trained drums"):
        harmony.main(["--corpus", str(corpus), "--run", str(tmp_path / "run")])
    with pytest.raises(SystemExit, match="genre 'ska' is unknown; available: jazz, pop"):
        vae.main(["--corpus", str(corpus), "--run", str(tmp_path / "run"), "--genre", "ska"])


def test_a_model_is_a_run_to_train_on_from(corpus, tmp_path, monkeypatch, hub):
    path = small("accomp.yaml", tmp_path)
    common = ["--config", str(path), "--max-steps", "2"]
    run, models = tmp_path / "universal", tmp_path / "models"
    vae.main(["--corpus", str(corpus), *common, "--run", str(run)])
    planner.main([str(corpus), *common, "--run", str(run)])
    harmony.main(["--corpus", str(corpus), *common, "--run", str(run)])
    first = [
        "--run",
        str(tmp_path / "jazz"),
        "--init",
        str(run),
        "--genre",
        "jazz",
        "--export",
        str(models / "jazz"),
    ]
    harmony.main(["--corpus", str(corpus), *common, *first])

    # A folder of one's own songs, a genre that the model has not met, and away with it to the Hub.
    songs = tmp_path / "songs"
    songs.mkdir()
    for number in range(12):
        write_midi(song(20 + number), songs / f"{number}.mid")
    prepare.main(
        [str(songs), "--genre", "polka", "--out", str(tmp_path / "polka"), "--workers", "1"]
    )
    own = [
        "--corpus",
        str(tmp_path / "polka"),
        *common,
        "--run",
        str(tmp_path / "tuned"),
        "--init",
        str(models / "jazz"),
    ]
    own += ["--genre", "polka", "--export", str(models / "polka"), "--push", "tester"]
    with pytest.raises(SystemExit, match="no token"):
        harmony.main(own)
    assert not (tmp_path / "tuned").exists()  # said before training
    monkeypatch.setenv("HF_TOKEN", "hf_tester")
    monkeypatch.setattr(staging, "write_audio", lambda samples, path: path.write_bytes(b"sound"))
    harmony.main(own)
    jazz, polka = (
        Accompanist.from_pretrained(models / "jazz"),
        Accompanist.from_pretrained("tester/accomp-polka"),
    )
    assert (
        polka.config.genre == "polka"
        and polka.genre_index == jazz.genre_index
        and polka.config.feel.genre == "polka"
    )
    assert set(polka.config.harmony.genres) == set(jazz.config.harmony.genres) - {"jazz"} | {
        "polka"
    }
    for name, value in jazz.vaes.state_dict().items():
        assert torch.equal(value, polka.vaes.state_dict()[name])
    card = ModelCard.load("tester/accomp-polka").text
    assert "have not been measured" in card and "| HarmonyNNs, fine-tuned | songs | " in card
    with pytest.raises(SystemExit, match="genre 'ska' is unknown; .*polka"):
        harmony.main([*own[:-8], "--init", str(models / "jazz"), "--genre", "ska"])
    with pytest.raises(
        SystemExit, match="--init takes the folder of a run, or a model: .*'salsa' is unknown"
    ):
        harmony.main([*own[:-8], "--init", "salsa", "--genre", "polka"])
    with pytest.raises(
        SystemExit, match="checkpoint.safetensors is of another model; choose another --run"
    ):
        harmony.main([*own[:-8], "--init", "pop", "--genre", "polka"])
    with pytest.raises(
        SystemExit, match="pop has other settings than --config: vae, planner, harmony"
    ):
        harmony.main(
            [
                *own[:-8],
                "--init",
                "pop",
                "--genre",
                "polka",
                "--config",
                str(small("paper.yaml", tmp_path)),
            ]
        )
