"""The command line as a process, and the README's Python."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from accomp import Accompanist, read_midi
from accomp.__main__ import main
from accomp.band.options import Options
from accomp.roll.grid import MELODY
from accomp.sound.rates import LISTEN_RATE
from train.data import voices
from train.data.voices import Manner

ROOT = Path(__file__).parents[1]
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
    result = run(
        EXAMPLES / "greensleeves.mid",
        EXAMPLES / "ode_to_joy.mid",
        "--genre",
        "jazz",
        "--out",
        out,
        "--seed",
        "3",
    )
    assert result.returncode == 0, result.stderr
    return out


def test_each_melody_gets_its_folder(two):
    for name in ("greensleeves", "ode_to_joy"):
        song, melody = (
            read_midi(two / name / "accompaniment.mid"),
            read_midi(EXAMPLES / f"{name}.mid"),
        )
        assert len(song.tracks) == 5 and song.tracks[MELODY].notes == melody.tracks[0].notes
        assert song.tempos == melody.tempos and song.meters == melody.meters
        assert (two / name / "pianoroll.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(
    not any((Path(p) / "fluidsynth").exists() for p in os.environ["PATH"].split(":")),
    reason="no FluidSynth",
)
def test_the_sound_is_as_long_as_the_music_and_rings_out(two):
    info = soundfile.info(two / "ode_to_joy" / "accompaniment.wav")
    length = mido.MidiFile(two / "ode_to_joy" / "accompaniment.mid").length
    assert length <= info.duration <= length + 5 and info.channels == 2


def test_the_same_seed_gives_the_same_bytes(two, tmp_path):
    for seed, same in (("3", True), ("4", False)):
        assert (
            run(
                EXAMPLES / "ode_to_joy.mid",
                "--genre",
                "jazz",
                "--out",
                tmp_path / seed,
                "--seed",
                seed,
                "--no-audio",
            ).returncode
            == 0
        )
        file = tmp_path / seed / "ode_to_joy" / "accompaniment.mid"
        assert (
            file.read_bytes() == (two / "ode_to_joy" / "accompaniment.mid").read_bytes()
        ) == same
        assert not (file.parent / "accompaniment.wav").exists()


def test_chords_are_printed_and_can_be_given(tmp_path):
    given = "| Dm | G7 C |"
    result = run(
        EXAMPLES / "ode_to_joy.mid",
        "--out",
        tmp_path,
        "--no-audio",
        "--chords",
        given,
        "--no-shape",
        "--no-feel",
    )
    assert result.returncode == 0 and "  | Dm | G7 C | Dm | G7 C |" in result.stdout
    assert [
        c.symbol for c in read_midi(tmp_path / "ode_to_joy" / "accompaniment.mid").chords[:3]
    ] == ["Dm", "G7", "C"]
    bad = run(EXAMPLES / "ode_to_joy.mid", "--out", tmp_path, "--no-audio", "--chords", "| Hm |")
    assert bad.returncode == 1 and "bar 1 of the chords: chord 'Hm' is not known" in bad.stderr


def test_without_fluidsynth_all_but_the_sound_is_there(tmp_path):
    result = run(EXAMPLES / "ode_to_joy.mid", "--out", tmp_path, PATH="/nowhere")
    assert result.returncode == 0 and "FluidSynth" in result.stderr and "install" in result.stderr
    assert {p.name for p in (tmp_path / "ode_to_joy").iterdir()} == {
        "accompaniment.mid",
        "pianoroll.png",
    }


def test_one_bad_file_does_not_spoil_the_others(tmp_path):
    bad = tmp_path / "song.mid"
    bad.write_bytes(b"ID3 this is an MP3")
    result = run(
        bad, EXAMPLES / "ode_to_joy.mid", "--genre", "pop", "--out", tmp_path / "out", "--no-audio"
    )
    assert (
        result.returncode == 1
        and "damaged recording" in result.stderr
        and "Traceback" not in result.stderr
    )
    assert (tmp_path / "out" / "ode_to_joy" / "accompaniment.mid").exists() and not (
        tmp_path / "out" / "song"
    ).exists()


def test_a_folder_that_cannot_be_written_is_said(tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    assert (
        silent(tmp_path / "taken", EXAMPLES / "ode_to_joy.mid", EXAMPLES / "greensleeves.mid") == 1
    )
    assert capsys.readouterr().err.count("Not a directory") == 2


def test_unknown_genres_and_missing_files_are_named(tmp_path):
    result = run(EXAMPLES / "ode_to_joy.mid", "--genre", "nogenre", "--out", tmp_path)
    assert result.returncode == 2 and "nogenre" in result.stderr and "jazz" in result.stderr
    result = run("nothing.mid", "--genre", "pop", "--out", tmp_path, "--no-audio")
    assert (
        result.returncode == 1
        and "nothing.mid" in result.stderr
        and "Traceback" not in result.stderr
    )


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    code = re.search(
        r"```python\n(from accomp import Accompanist.*?)```",
        (ROOT / "README.md").read_text(),
        re.DOTALL,
    ).group(1)
    (tmp_path / "examples").symlink_to(EXAMPLES)
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert len(read_midi("song.mid").tracks) == 5


@pytest.fixture(scope="module")
def hummed(tmp_path_factory):
    """A sung tune as a file, the tune in beats and what was sung in seconds."""
    rng = np.random.default_rng(5)
    tune = read_midi(EXAMPLES / "auld_lang_syne.mid").tracks[0].notes[:28]
    sung, _, _ = voices.perform(
        [(note.pitch - 12, note.onset, note.duration) for note in tune], rng, 100, 0.03, 0.012
    )
    sound = voices.record(voices.voice(sung, Manner((0.2, 0.3), 0.3), rng, "sung"), rng, 25, 0.2)
    file = tmp_path_factory.mktemp("recordings") / "hum.wav"
    soundfile.write(file, sound, LISTEN_RATE)
    return file, tune, sung


def test_a_hummed_melody_gets_a_band_that_plays_along_with_it(hummed, tmp_path):
    file, tune, sung = hummed
    result = run(file, "--genre", "pop", "--out", tmp_path, "--intro", "count-in")
    assert result.returncode == 0 and "heard 28 notes at about 10" in result.stdout, (
        result.stdout + result.stderr
    )
    folder = tmp_path / "hum"
    melody, song = read_midi(folder / "melody.mid"), read_midi(folder / "accompaniment.mid")
    assert [note.pitch for note in melody.tracks[0].notes] == [note.pitch - 12 for note in tune]
    apart = np.diff([note.onset for note in melody.tracks[0].notes]) - np.diff(
        [note.onset for note in tune]
    )
    assert np.abs(apart).max() < 1e-6  # every note on its own place, whatever the singer's tempo
    times = [melody.seconds(note.onset) for note in melody.tracks[0].notes]
    assert (
        np.abs(np.diff(times) - np.diff([note[1] for note in sung])).max() < 0.08
    )  # and the band where the singer was
    assert (
        len(song.tracks) == 5
        and song.tracks[1].notes[0].onset >= melody.tracks[0].notes[0].onset + 4
    )
    if shutil.which("fluidsynth"):
        lengths = {
            name: soundfile.info(folder / f"{name}.wav").duration
            for name in ("accompaniment", "with_recording", "band")
        }
        assert min(lengths.values()) > soundfile.info(file).duration - 1


def test_what_was_heard_can_be_corrected(hummed, tmp_path):
    file, _, sung = hummed
    bar = sung[3][1]  # of the fourth note
    options = (
        "--tempo",
        "half",
        "--meter",
        "3/4",
        "--downbeat",
        f"{bar:.3f}",
        "--key",
        "F# minor",
        "--no-audio",
    )
    result = run(file, "--out", tmp_path, *options)
    assert result.returncode == 0 and "beats a minute in 3/4" in result.stdout, (
        result.stdout + result.stderr
    )
    melody = read_midi(tmp_path / "hum" / "melody.mid")
    notes = melody.tracks[0].notes
    assert (
        melody.meters[0][1:] == (3, 4)
        and notes[3].onset % 3 == 0
        and 45
        < 60 / np.mean([melody.seconds(beat + 1) - melody.seconds(beat) for beat in range(4, 8)])
        < 55
    )
    chords = [chord.symbol for chord in read_midi(tmp_path / "hum" / "accompaniment.mid").chords]
    pop = Accompanist.from_pretrained("pop")
    assert chords == [chord.symbol for chord in pop.accompany(melody, key="F# minor").chords]
    assert chords != [chord.symbol for chord in pop.accompany(melody).chords]


def test_corrections_that_make_no_sense_are_said(hummed, tmp_path, capsys):
    def says(*arguments):
        status = main([*map(str, arguments), "--out", str(tmp_path), "--no-audio"])
        return status, capsys.readouterr().err

    assert says(hummed[0], "--key", "H") == (
        1,
        f"accomp: {hummed[0]}: 'H' is not a key; accepted: such as C major, F# minor, Bb, Am\n",
    )
    status, error = says(hummed[0], "--tempo", "1000")
    assert status == 1 and "20 to 400 pulses a minute are accepted" in error
    status, error = says(EXAMPLES / "ode_to_joy.mid", "--downbeat", "1.5")
    assert status == 1 and "is for recordings" in error
    for option, value in (("--tempo", "fast"), ("--meter", "3")):
        with pytest.raises(SystemExit) as caught:
            says(hummed[0], option, value)
        assert caught.value.code == 2 and f"argument {option}" in capsys.readouterr().err


def test_what_is_no_melody_is_said_of_a_recording(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(5 * LISTEN_RATE), LISTEN_RATE)
    result = run(tmp_path / "silence.wav", "--out", tmp_path / "out")
    assert (
        result.returncode == 1 and "accomp:" in result.stderr and "Traceback" not in result.stderr
    )


def silent(tmp_path, *arguments):
    return main([*map(str, arguments), "--no-audio", "--out", str(tmp_path)])


def test_a_melody_is_invented_and_gets_its_own_chords_after_an_introduction_too(tmp_path):
    assert silent(tmp_path, "--invent", 8, "--genre", "folk", "--seed", 3, "--intro", "bars") == 0
    folder = tmp_path / "invented_folk_3"
    melody, song = read_midi(folder / "melody.mid"), read_midi(folder / "accompaniment.mid")
    assert [n.pitch for n in song.tracks[MELODY].notes] == [n.pitch for n in melody.tracks[0].notes]
    later = song.tracks[MELODY].notes[0].onset - melody.tracks[0].notes[0].onset
    assert later == 8 and {(c.onset + later, c.symbol) for c in melody.chords} <= {
        (c.onset, c.symbol) for c in song.chords
    }


def test_a_melody_goes_on(tmp_path):
    assert silent(tmp_path, EXAMPLES / "ode_to_joy.mid", "--go-on", 4, "--genre", "jazz") == 0
    given = read_midi(EXAMPLES / "ode_to_joy.mid").tracks[0].notes
    song = read_midi(tmp_path / "ode_to_joy" / "accompaniment.mid")
    assert song.tracks[MELODY].notes[: len(given)] == given and len(
        song.tracks[MELODY].notes
    ) > len(given)
    assert song.end == pytest.approx(80, abs=4)


def test_styles_blends_and_moves_are_the_librarys(tmp_path):
    tune = EXAMPLES / "ode_to_joy.mid"
    arguments = [
        "--genre",
        "pop",
        "--style",
        "bossa_nova 2 + disco",
        "--style-factor",
        ".7",
        "--blend",
        "jazz:3",
        "--amount",
        ".3",
        "--explore",
        "guitar density 1",
    ]
    assert silent(tmp_path, tune, *arguments) == 0
    pop, jazz = Accompanist.from_pretrained("pop"), Accompanist.from_pretrained("jazz")
    options = Options(styles=[("bossa_nova", 2.0), ("disco", 1.0)], style_factor=0.7)
    first, second = (
        model.sketch(read_midi(tune), options, seed=seed) for model, seed in ((pop, 0), (jazz, 3))
    )
    song = pop.perform(first.blended(second, 0.3).explored({"guitar": {"density": 1.0}}))
    written = read_midi(tmp_path / "ode_to_joy" / "accompaniment.mid")
    for ours, theirs in zip(written.tracks, song.tracks):
        assert sorted(n.pitch for n in ours.notes) == sorted(n.pitch for n in theirs.notes)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--style", "polka"], "'polka' is unknown; available: bossa_nova"),
        (["--style", str(EXAMPLES / "greensleeves.mid")], "only one part"),
        (["--explore", "bass louder"], "guitar density 1"),
        (["--go-on", "99"], "bars"),
    ],
)
def test_moves_that_make_no_sense_are_said(tmp_path, capsys, arguments, message):
    assert silent(tmp_path, EXAMPLES / "ode_to_joy.mid", *arguments) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "blend, message",
    [
        ("jazz", "accepted: a seed"),
        ("jazz:²", "accepted: a seed"),
        ("nosuch:3", "genre 'nosuch' is unknown"),
    ],
)
def test_blends_with_what_there_is_not_are_said_at_once(tmp_path, capsys, blend, message):
    assert silent(tmp_path, EXAMPLES / "ode_to_joy.mid", "--blend", blend) == 2
    assert message in capsys.readouterr().err


def test_a_melody_goes_on_from_the_chords_that_are_given(tmp_path, capsys):
    assert (
        silent(tmp_path, EXAMPLES / "ode_to_joy.mid", "--go-on", 4, "--chords", "| D  G | A7 |")
        == 0
    )
    lines = capsys.readouterr().out.split("\n")
    bars = [
        bar.strip()
        for line in lines
        if line.strip().startswith("|")
        for bar in line.strip().strip("|").split("|")
    ]
    assert bars[:16] == ["D G", "A7"] * 8 and len(bars) == 20


@pytest.mark.parametrize(
    "extra", [["--meter", "3/4"], ["--chords", "| C |"], ["--amount", "1"], ["--tempo", "half"]]
)
def test_what_does_not_go_with_an_invented_melody_is_refused(extra, capsys):
    with pytest.raises(SystemExit):
        main(["--invent", "8", *extra])


def test_a_melody_is_given_or_invented(tmp_path, capsys):
    for arguments in ([], [str(EXAMPLES / "ode_to_joy.mid"), "--invent", "8"]):
        with pytest.raises(SystemExit):
            main(arguments)
        assert "--invent BARS" in capsys.readouterr().err
    main_styles = pytest.raises(SystemExit, main, ["--styles"])
    assert main_styles.value.code == 0 and "bossa_nova" in capsys.readouterr().out
