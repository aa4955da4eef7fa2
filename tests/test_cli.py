"""The command line as a process, and the README's Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import mido
import pytest
import soundfile

from accomp import read_midi
from accomp.grid import MELODY

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "accomp", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    result = run(EXAMPLES / "greensleeves.mid", EXAMPLES / "ode_to_joy.mid", "--genre", "jazz", "--out", out, "--seed", "3")
    assert result.returncode == 0, result.stderr
    return out


def test_each_melody_gets_its_folder(two):
    for name in ("greensleeves", "ode_to_joy"):
        song, melody = read_midi(two / name / "accompaniment.mid"), read_midi(EXAMPLES / f"{name}.mid")
        assert len(song.tracks) == 5 and song.tracks[MELODY].notes == melody.tracks[0].notes
        assert song.tempos == melody.tempos and song.meters == melody.meters
        assert (two / name / "pianoroll.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(not any((Path(p) / "fluidsynth").exists() for p in os.environ["PATH"].split(":")), reason="no FluidSynth")
def test_the_sound_is_as_long_as_the_music_and_rings_out(two):
    info = soundfile.info(two / "ode_to_joy" / "accompaniment.wav")
    length = mido.MidiFile(two / "ode_to_joy" / "accompaniment.mid").length
    assert length <= info.duration <= length + 5 and info.channels == 2


def test_the_same_seed_gives_the_same_bytes(two, tmp_path):
    for seed, same in (("3", True), ("4", False)):
        assert (
            run(EXAMPLES / "ode_to_joy.mid", "--genre", "jazz", "--out", tmp_path / seed, "--seed", seed, "--no-audio").returncode
            == 0
        )
        file = tmp_path / seed / "ode_to_joy" / "accompaniment.mid"
        assert (file.read_bytes() == (two / "ode_to_joy" / "accompaniment.mid").read_bytes()) == same
        assert not (file.parent / "accompaniment.wav").exists()


def test_chords_are_printed_and_can_be_given(tmp_path):
    given = "| Dm | G7 C |"
    result = run(EXAMPLES / "ode_to_joy.mid", "--out", tmp_path, "--no-audio", "--chords", given, "--no-shape", "--no-feel")
    assert result.returncode == 0 and "  | Dm | G7 C | Dm | G7 C |" in result.stdout
    assert [c.symbol for c in read_midi(tmp_path / "ode_to_joy" / "accompaniment.mid").chords[:3]] == ["Dm", "G7", "C"]
    bad = run(EXAMPLES / "ode_to_joy.mid", "--out", tmp_path, "--no-audio", "--chords", "| Hm |")
    assert bad.returncode == 1 and "bar 1 of the chords: chord 'Hm' is not known" in bad.stderr


def test_without_fluidsynth_all_but_the_sound_is_there(tmp_path):
    result = run(EXAMPLES / "ode_to_joy.mid", "--out", tmp_path, PATH="/nowhere")
    assert result.returncode == 0 and "FluidSynth" in result.stderr and "install" in result.stderr
    assert {p.name for p in (tmp_path / "ode_to_joy").iterdir()} == {"accompaniment.mid", "pianoroll.png"}


def test_one_bad_file_does_not_spoil_the_others(tmp_path):
    bad = tmp_path / "song.mid"
    bad.write_bytes(b"ID3 this is an MP3")
    result = run(bad, EXAMPLES / "ode_to_joy.mid", "--genre", "pop", "--out", tmp_path / "out", "--no-audio")
    assert result.returncode == 1 and "MP3" in result.stderr and "Traceback" not in result.stderr
    assert (tmp_path / "out" / "ode_to_joy" / "accompaniment.mid").exists() and not (tmp_path / "out" / "song").exists()


def test_unknown_genres_and_missing_files_are_named(tmp_path):
    result = run(EXAMPLES / "ode_to_joy.mid", "--genre", "nogenre", "--out", tmp_path)
    assert result.returncode == 2 and "nogenre" in result.stderr and "jazz" in result.stderr
    result = run("nothing.mid", "--genre", "pop", "--out", tmp_path, "--no-audio")
    assert result.returncode == 1 and "nothing.mid" in result.stderr and "Traceback" not in result.stderr


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    code = re.search(r"```python\n(from accomp import Accompanist.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    (tmp_path / "examples").symlink_to(EXAMPLES)
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert len(read_midi("song.mid").tracks) == 5
