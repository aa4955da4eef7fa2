"""The evaluation, on a few songs and lead sheets made here, from the melodies to the table."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.utils.tensorboard import SummaryWriter

from accomp import Note, Score, Track, read_midi, write_midi
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from tests.support.tiny import tiny
from tests.train.fit.test_judges import corpus, run, song  # noqa: F401  fixtures
from train import metrics, rivals
from train.data.corpus import Corpus
from train.data.tasks import bench_tasks, song_tasks
from train.eval import cost, evaluate, pictures, report, stage
from train.rivals import cnn, gru, rnn
from train.rivals.retrieval import Retrieval


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Path:
    """Three lead sheets in D, and what a system made of the first."""
    folder = tmp_path_factory.mktemp("bench")
    for number in range(3):
        place = folder / f"{number:03}"
        place.mkdir()
        tune = song(number, "soul").tracks[0].notes
        tune = [note._replace(pitch=note.pitch + 2) for note in tune]
        block = [
            Note(50 + (0, 5, 7, 0)[bar % 4] + third, bar * 4.0, 4.0, 60)
            for bar in range(16)
            for third in (0, 4, 7)
        ]
        write_midi(
            Score([Track("", 80, notes=tune), Track("", 0, notes=block)]), place / "lead_sheet.mid"
        )
        (place / "phrases.txt").write_text("A8B4A4\ncost 1.0")
        (place / "src.txt").write_text("nottingham" if number else "wikimusicmidi")
    drums = [Note(36, float(beat), 0.1, 90) for beat in range(64)]
    bass = [Note(38, bar * 4.0, 4.0, 80) for bar in range(16)]
    comping = [Note(62 + third, bar * 4.0 + 1, 2.0, 70) for bar in range(16) for third in (0, 4, 7)]
    tune = Track("", 80, notes=read_midi(folder / "000" / "lead_sheet.mid").tracks[0].notes)
    played = [
        Track("", 33, notes=bass),
        Track("", 26, notes=comping),
        tune,
        Track("", 0, True, drums),
    ]
    write_midi(Score(played), folder / "000" / "getmusic.mid")
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for seed, genre in enumerate(("jazz", "pop")):
        model = tiny(seed=seed)
        model.config.genre = genre
        model.save_pretrained(folder / genre)
    return folder


def test_a_lead_sheet_is_a_task_in_the_normal_key(bench):
    task = bench_tasks(bench)[1]
    assert task.group == "nottingham" and task.labels == ["A"] * 8 + ["B"] * 4 + ["A"] * 4
    # D, G, A, D in the sheet; the chords move with the melody to its normal key.
    by = -task.shift % 12
    assert task.triads[:8].tolist() == [(root + by) % 12 for root in (2, 2, 7, 7, 9, 9, 2, 2)]
    assert task.melody.shape == (2, 16 * 16, 128)


def test_a_peers_melody_is_left_out_and_its_parts_are_sorted(bench):
    task = bench_tasks(bench)[0]
    played = stage.peer(task, "getmusic")
    assert (
        played.planes[BASS, 0].sum() == 16
        and played.planes[GUITAR, 0].sum() == 48
        and not played.planes[STRINGS].any()
    )
    assert played.planes[DRUMS, 0].sum() == 64 and (played.planes[MELODY] == task.melody).all()
    assert {int(p) % 12 for p in np.nonzero(played.planes[BASS, 0])[1]} == {(38 - task.shift) % 12}
    assert stage.peer(bench_tasks(bench)[1], "getmusic") is None


def test_real_songs_are_cut_to_their_melody_and_keep_their_velocities(corpus):  # noqa: F811
    loaded = Corpus.load(corpus)
    task = song_tasks(loaded, "test")[0]
    played = stage.real(task, loaded)
    assert played.planes.shape == (5, 2, 256, 128) and (played.planes[MELODY] == task.melody).all()
    assert {note.velocity for note in played.score.tracks[BASS].notes} == {80}
    triads = metrics.best_triads(sum(chord_plan.chroma(played.planes[t]) for t in (BASS, GUITAR)))
    assert metrics.chord_match(triads, task.triads) > 0.9
    other = stage.real(task, loaded, song_tasks(loaded, "test")[1].song)
    assert (other.planes[MELODY] == task.melody).all() and (
        other.planes[BASS] != played.planes[BASS]
    ).any()


def test_retrieval_finds_a_training_song_again(corpus):  # noqa: F811
    loaded = Corpus.load(corpus)
    known = loaded.choose("train")[2]
    entry = loaded.songs[known]
    part = slice(entry["first"], entry["first"] + entry["blocks"])
    melody = pianoroll.from_blocks(loaded.blocks(MELODY, part).numpy())
    system = Retrieval(corpus)
    system.nearest = 1
    band = system.play(melody, 0)
    for track in (DRUMS, BASS, GUITAR):
        assert (band[track] == pianoroll.from_blocks(loaded.blocks(track, part).numpy())).all()


def test_the_cnn_trains_and_plays(corpus, tmp_path):  # noqa: F811
    settings = [
        "--config",
        str(Path(cnn.__file__).parents[1] / "configs" / "paper.yaml"),
        "--epochs",
        "1",
        "--max-steps",
        "2",
    ]
    cnn.main(["--corpus", str(corpus), "--run", str(tmp_path), *settings])
    score = song(40, "jazz")
    result = rivals.accompany(cnn.CNNs(tmp_path, Corpus.load(corpus)), score, melody_track=0)
    assert result.tracks[MELODY].notes == score.tracks[0].notes and len(result.tracks) == 5


def test_from_melodies_to_the_table(corpus, run, bench, models, tmp_path):  # noqa: F811
    arguments = [
        "--corpus",
        str(corpus),
        "--judges",
        str(run),
        "--out",
        str(tmp_path / "out"),
        "--bench",
        str(bench),
        "--models",
        str(models),
        "--seeds",
        "2",
        "--limit",
        "2",
        "--results",
        str(tmp_path / "results.json"),
    ]
    evaluate.main(arguments)
    results = json.loads((tmp_path / "results.json").read_text())
    assert {"accomp", "accomp_jazz", "accomp_pop", "retrieval", "random", "getmusic"} <= results[
        "bench"
    ].keys()
    assert {"real", "accomp", "retrieval", "random"} <= results["test"].keys()
    ours = results["bench"]["accomp"]
    mean, half, songs = ours["chord_match"]
    assert 0 <= mean <= 1 and songs == 2 and ours["groups"]["nottingham"][2] == 1
    assert (
        results["test"]["real"]["chord_match"][0]
        > 0.9
        > results["test"]["random"]["chord_match"][0]
    )
    table = results["genres"]["bench"]["five"]
    assert table["genres"] == ["jazz", "pop"] and np.allclose(np.sum(table["shares"], axis=1), 1)
    # What is measured is kept.
    kept = (tmp_path / "out" / "bench_accomp_pop.json").stat().st_mtime_ns
    evaluate.main(arguments)
    assert (tmp_path / "out" / "bench_accomp_pop.json").stat().st_mtime_ns == kept
    page = tmp_path / "page.md"
    page.write_text(
        "before\n<!-- table bench -->\n<!-- end -->\nbetween\n"
        "<!-- table test -->\nold\n<!-- end -->\nafter"
    )
    for _ in range(2):
        report.main([str(tmp_path / "results.json"), "--fill", str(page)])
    text = page.read_text()
    assert text.count("| chord match, % of half bars |") == 2 and "old" not in text
    assert "<!-- end -->\nbetween\n<!-- table test -->\n| |" in text and text.endswith(
        "<!-- end -->\nafter"
    )
    assert (
        f"| {100 * results['bench_report']['accomp']['chord_match'][0]:.0f} |" in text
    )  # of one melody no interval


def test_the_rivals_that_are_there_are_measured_beside_ours(corpus, run, bench, models, tmp_path):  # noqa: F811
    found = tmp_path / "rivals"
    for module in (gru, rnn):
        module.main(
            [
                "--corpus",
                str(corpus),
                "--run",
                str(found / module.__name__.split(".")[-1]),
                "--max-steps",
                "2",
            ]
        )
    tiny(seed=5).save_pretrained(found / "latent_6")
    (found / "transformer").mkdir()  # not trained
    (found / "notes").mkdir()
    arguments = [
        "--corpus",
        str(corpus),
        "--judges",
        str(run),
        "--out",
        str(tmp_path / "out"),
        "--bench",
        str(bench),
        "--seeds",
        "1",
        "--models",
        str(models),
        "--limit",
        "2",
        "--rivals",
        str(found),
        "--run",
        str(found / "gru"),
        "--systems",
        "gru",
        "rnn",
        "gan",
        "transformer",
        "latent_6",
        "real",
        "accomp",
        "accomp_pop",
    ]
    evaluate.main([*arguments, "--results", str(tmp_path / "results.json")])
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["test"].keys() == {"real", "accomp", "gru", "rnn", "latent_6"}
    assert results["bench"].keys() == {"accomp", "accomp_pop", "gru", "rnn", "latent_6"}
    assert (
        results["test"]["gru"]["empty_bass"][0] == 1
        and results["test"]["gru"]["empty_guitar"][0] == 0
    )
    costs = results["costs"]
    assert (
        costs.keys() == {"gru", "rnn", "latent_6", "accomp"}
        and costs["gru"]["minutes"] > 0 == costs["latent_6"]["minutes"]
    )
    trained = json.loads((found / "gru" / "figures.json").read_text())
    assert costs["gru"]["parameters"] == trained["parameters"]
    assert costs["gru"]["minutes"] == pytest.approx(trained["core_seconds"] / 60, abs=0.001)
    assert (
        costs["accomp"]["parameters"] > costs["accomp"]["minutes"]
        and costs["latent_6"]["megabytes"] > 0
    )
    page = tmp_path / "page.md"
    page.write_text("<!-- table rivals -->\n<!-- end -->\n")
    report.main([str(tmp_path / "results.json"), "--fill", str(page)])
    lines = page.read_text().splitlines()
    assert (
        lines[1] == "| | real songs | accomp | next-note GRU | multi-instrument RNN | 6 latents |"
    )
    assert {line.count("|") for line in lines[1:-1]} == {7}
    assert [line.split("|")[1].strip() for line in lines if "**" in line] == [
        "**test songs**",
        "**bench**",
        "**cost**",
    ]


def test_costs_are_read_from_losses_or_from_logs(tmp_path, capsys):
    part = tmp_path / "run" / "bass"
    part.mkdir(parents=True)
    (part / "losses.csv").write_text("epoch,seconds,core_seconds\n1,100,60\n2,100,30\n")
    assert cost.cost_of(tmp_path / "run") == {"minutes": 1.5, "parameters": 0, "megabytes": 0}
    (part / "losses.csv").write_text("epoch,seconds\n1,100\n2,20\n")
    assert cost.seconds_of(part) == 120
    # Before epochs were timed: from the log's opening to its last entry. A part of another run
    # counts, too.
    (part / "losses.csv").write_text("epoch,train/loss\n1,3\n")
    with SummaryWriter(part) as log:
        start = time.time()
        for minute in (1, 2, 3):
            log.add_scalar("train/loss", 1.0, minute, walltime=start + 60 * minute)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "bass").symlink_to(part)
    save_file({"a": torch.zeros(3, 4), "b": torch.zeros(5)}, part / "weights.safetensors")
    found = cost.cost_of(tmp_path / "other")
    assert found["minutes"] == pytest.approx(3, abs=0.1) and found["parameters"] == 17
    cost.main([str(tmp_path / "other")])
    assert "3.0 minutes, 17 parameters" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="nowhere is not a folder"):
        cost.main(["nowhere"])


def test_one_melody_three_times(corpus, models, tmp_path):  # noqa: F811
    song_name = song_tasks(Corpus.load(corpus), "test")[0].name
    arguments = [
        "--paper",
        str(models / "jazz"),
        "--genre",
        str(models / "pop"),
        "--song",
        song_name,
        "--out",
        str(tmp_path),
    ]
    pictures.main(["--corpus", str(corpus), *arguments])
    assert {p.name for p in tmp_path.iterdir()} == {"paper.png", "accomp.png", "real.png"}
    with pytest.raises(SystemExit, match="no test song"):
        pictures.main(["--corpus", str(corpus), *arguments, "--song", "nothing like it"])
