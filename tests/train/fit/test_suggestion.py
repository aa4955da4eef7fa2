"""Tests of train.fit.suggestion: excerpts, training, and what it says of missing songs."""

import csv
import json

import pytest

from accomp.models.files import WEIGHTS_FILE
from accomp.music.midi import write_midi
from accomp.suggest import GenreModel, suggest
from tests.support.scores import melody, song, tune
from train.fit.suggestion import main
from train.fit.suggestion_examples import ExcerptSettings, excerpts

SWING = (2 / 3, 1 / 3, 2 / 3, 1 / 3, 1.0)  # durations in beats


def test_excerpts_cover_the_melody_and_lie_on_bars():
    score = tune(bars=40)
    notes = score.tracks[0].notes
    parts = list(excerpts(notes, score))
    assert [part[0].onset for part in parts] == [0.0, 32.0, 64.0, 96.0, 128.0]
    assert all(part[-1].end - part[0].onset <= 4 * ExcerptSettings().bars for part in parts)
    assert set().union(*parts) == set(notes)
    assert list(excerpts(melody(), song())) == []  # no longer than one: the whole is enough
    assert list(excerpts(notes[: ExcerptSettings().fewest_notes - 1], score)) == []


def test_training_learns_to_tell_rhythms_apart(tmp_path):
    """Genres of one scale and tempo differ in rhythm alone: by the command, on held-out files."""
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "genre", "split", "source"])
        for number in range(24):
            for genre, durations in (("soul", SWING), ("rock", (0.5, 0.25, 0.25, 0.75, 0.25))):
                write_midi(tune(durations, bars=18, seed=number), tmp_path / f"{genre}{number}.mid")
                table.writerow(
                    [
                        f"{genre}{number}.mid",
                        genre,
                        ("train", "train", "val", "test")[number % 4],
                        f"s{number % 8 // 4}",
                    ]
                )
        (tmp_path / "broken.mid").write_bytes(b"MThd, but no more")
        table.writerow(["broken.mid", "rock", "train", ""])
        write_midi(tune(SWING, bars=18, seed=0), tmp_path / "polka.mid")
        table.writerow(["polka.mid", "polka", "train", ""])  # is not asked for
    command = [
        str(tmp_path),
        "--labels",
        str(tmp_path / "labels.csv"),
        "--genres",
        "pop",
        "rock",
        "--workers",
        "1",
    ]
    main([*command, "--out", str(tmp_path / "a")])
    main([*command, "--out", str(tmp_path / "b")])
    assert (tmp_path / "a" / WEIGHTS_FILE).read_bytes() == (
        tmp_path / "b" / WEIGHTS_FILE
    ).read_bytes()
    figures = json.loads((tmp_path / "a" / "figures.json").read_text())
    assert figures["songs"] == {
        "train": {"pop": 12, "rock": 12},
        "val": {"pop": 6, "rock": 6},
        "test": {"pop": 6, "rock": 6},
    }
    assert figures["test"]["accuracy"] == 1 and figures["test"]["majority"] == 0.5
    assert figures["test"]["confusion"] == {
        "pop": {"pop": 6, "rock": 0},
        "rock": {"pop": 0, "rock": 6},
    }
    model = GenreModel.load(tmp_path / "a")
    assert suggest(tune(SWING, seed=99), model=model)[0][0] == "pop"
    assert suggest(tune((0.5, 0.25, 0.25, 0.75, 0.25), seed=99), model=model)[0][0] == "rock"
    assert model.weight[model.features.index("triplets")] @ (1, -1) > 0


def test_training_says_what_is_missing(tmp_path):
    (tmp_path / "pop").mkdir()
    write_midi(tune(), tmp_path / "pop" / "one.mid")
    with pytest.raises(SystemExit, match="train has no song of rock|val has no song of pop"):
        main(
            [
                str(tmp_path),
                "--out",
                str(tmp_path / "out"),
                "--genres",
                "pop",
                "rock",
                "--workers",
                "1",
            ]
        )
    with pytest.raises(SystemExit, match="none of 0 songs"):
        main([str(tmp_path), "--out", str(tmp_path / "out"), "--genres", "jazz", "--workers", "1"])
