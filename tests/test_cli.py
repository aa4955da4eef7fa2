"""The command line: mostly called as a function, which reads the models once."""

import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from accomp import Accompanist, Options, __version__, genres, open_melody, read_midi
from accomp.band.options import INTROS
from accomp.cli import main, songs
from accomp.cli.screen import working
from accomp.invention.invent import VARIATION
from accomp.music.chord_text import chord_text
from accomp.roll.grid import MELODY
from accomp.sound.rates import LISTEN_RATE
from tests.support.sounds import spoken
from train.data import voices
from train.data.voices import Manner

pytestmark = pytest.mark.usefixtures("loaded_once")

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
SUNG = ROOT / "tests" / "same_music" / "sung.flac"


@pytest.fixture
def accomp(tmp_path, capsys):
    """Run the command: returns the exit status, the standard output and the standard error."""

    def run(*arguments, audio=False):
        options = [] if "--out" in arguments else ["--out", tmp_path]
        options += [] if audio else ["--no-audio"]
        try:
            status = main([*map(str, [*arguments, *options])])
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()

    return run


def process(*arguments):
    """Run the command as a process."""
    command = [sys.executable, "-m", "accomp", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The results of two melodies, made by one process."""
    out = tmp_path_factory.mktemp("out")
    melodies = [EXAMPLES / "greensleeves.mid", EXAMPLES / "ode_to_joy.mid"]
    result = process(*melodies, "--genre", "jazz", "--out", out, "--seed", 3)
    assert result.returncode == 0, result.stderr
    return out, result.stdout


def lines_with_bars(text):
    """The printed chords of a song, without the numbers of bars."""
    lines = [line.strip() for line in text.split("\n")]
    found = [re.fullmatch(r"\d+ (\| .* \|)", line) for line in lines]
    return [match[1] for match in found if match]


@pytest.mark.process
def test_each_melody_gets_its_folder(two):
    out, said = two
    for name in ("greensleeves", "ode_to_joy"):
        song = read_midi(out / name / "accompaniment.mid")
        melody = read_midi(EXAMPLES / f"{name}.mid")
        assert len(song.tracks) == 5 and song.tracks[MELODY].notes == melody.tracks[0].notes
        assert song.tempos == melody.tempos and song.meters == melody.meters
        assert (out / name / "pianoroll.png").read_bytes().startswith(b"\x89PNG")
        for file in (out / name).iterdir():
            assert f"  wrote {file}\n" in said


@pytest.mark.process
def test_what_was_understood_and_who_plays_is_printed(two):
    _, said = two
    assert "genre: jazz, seed 3\n" in said
    assert "understood: D major, 120 beats a minute, 4/4, 16 bars\n" in said
    assert f"understood: {open_melody(EXAMPLES / 'greensleeves.mid')}\n" in said
    assert re.search(r"the band: drums, bass \(\w+ Bass\), guitar \(.*Guitar.*\), strings", said)


@pytest.mark.process
@pytest.mark.sound
def test_the_sound_is_as_long_as_the_music_and_rings_out(two):
    folder = two[0] / "ode_to_joy"
    info = soundfile.info(folder / "accompaniment.wav")
    length = mido.MidiFile(folder / "accompaniment.mid").length
    assert length <= info.duration <= length + 5 and info.channels == 2
    assert "making accompaniment.wav of" in two[1]


@pytest.mark.process
def test_the_same_seed_gives_the_same_bytes(two, accomp, tmp_path):
    for seed, same in ((3, True), (4, False)):
        melody = EXAMPLES / "ode_to_joy.mid"
        out = tmp_path / str(seed)
        assert accomp(melody, "--genre", "jazz", "--out", out, "--seed", seed)[0] == 0
        file = out / "ode_to_joy" / "accompaniment.mid"
        expected = two[0] / "ode_to_joy" / "accompaniment.mid"
        assert (file.read_bytes() == expected.read_bytes()) == same
        assert not (file.parent / "accompaniment.wav").exists()


@pytest.mark.process
def test_help_comes_without_torch_and_says_what_there_is():
    code = (
        "import sys; from accomp.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print({'torch', 'numpy', 'huggingface_hub'} & sys.modules.keys() or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("light\n")
    words = " ".join(done.stdout.split())
    for expected in (*genres(), *INTROS, "examples:", ".mid", "wav, mp3", f"default: {VARIATION}"):
        assert expected in words
    assert "shape" not in words


def test_the_version_and_the_styles_are_printed(accomp):
    assert accomp("--version")[:2] == (0, f"accomp {__version__}\n")
    status, said, _ = accomp("--styles")
    assert status == 0 and "bossa_nova" in said


def test_chords_are_printed_and_can_be_given(accomp, tmp_path):
    melody, given = EXAMPLES / "ode_to_joy.mid", "| Dm | G7 C |"
    status, said, _ = accomp(melody, "--chords", given, "--no-form", "--no-feel")
    assert status == 0 and " 5 | Dm | G7 C | Dm | G7 C |\n" in said
    song = read_midi(tmp_path / "ode_to_joy" / "accompaniment.mid")
    assert [chord.symbol for chord in song.chords[:3]] == ["Dm", "G7", "C"]
    status, _, error = accomp(melody, "--chords", "| Hm |")
    assert status == 2 and "bar 1 of the chords: chord 'Hm' is not known" in error


def test_a_pickup_is_bar_0_as_in_the_picture(accomp, tmp_path):
    status, said, _ = accomp(EXAMPLES / "auld_lang_syne.mid", "--genre", "folk")
    song = read_midi(tmp_path / "auld_lang_syne" / "accompaniment.mid")
    assert song.tracks[MELODY].start == 3.0  # in a bar of its own, the first whole one is at beat 4
    pickup, *lines = chord_text(song, song.tracks[MELODY]).splitlines()
    assert status == 0 and f" {pickup}\n" in said
    assert f" 1 {lines[0]}\n" in said and f" 5 {lines[1]}\n" in said
    assert lines_with_bars(said) == [pickup.removeprefix("0 "), *lines]


def test_without_fluidsynth_all_but_the_sound_is_there(accomp, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    status, _, error = accomp(EXAMPLES / "ode_to_joy.mid", audio=True)
    assert status == 0 and "FluidSynth" in error and "install" in error
    names = {path.name for path in (tmp_path / "ode_to_joy").iterdir()}
    assert names == {"accompaniment.mid", "pianoroll.png", "song.accomp.json"}


def test_one_bad_file_does_not_spoil_the_others(accomp, tmp_path):
    bad = tmp_path / "song.mid"
    bad.write_bytes(b"ID3 this is an MP3")
    melody, out = EXAMPLES / "ode_to_joy.mid", tmp_path / "out"
    status, _, error = accomp(bad, melody, "--genre", "pop", "--out", out)
    assert status == 1 and f"{bad}: " in error and "damaged recording" in error
    assert (out / "ode_to_joy" / "accompaniment.mid").exists()
    assert not (out / "song").exists()


def test_a_folder_that_cannot_be_written_is_said(accomp, tmp_path):
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ode_to_joy").write_text("a file")
    melodies = EXAMPLES / "ode_to_joy.mid", EXAMPLES / "greensleeves.mid"
    status, _, error = accomp(*melodies, "--out", tmp_path / "taken")
    assert status == 2 and "taken, which is not a folder" in error
    status, _, error = accomp(*melodies, "--out", tmp_path / "out")
    assert status == 1 and error.count("File exists") + error.count("Not a directory") == 1
    assert (tmp_path / "out" / "greensleeves" / "accompaniment.mid").exists()


@pytest.fixture
def nothing_slow(monkeypatch):
    """No model is loaded and nothing is transcribed."""

    def fail(*_, **__):
        raise AssertionError("something slow was done before all arguments were checked")

    monkeypatch.setattr(Accompanist, "from_pretrained", fail)
    monkeypatch.setattr(songs, "_transcribed", fail)


def test_unknown_genres_and_files_without_a_melody_are_told_at_once(accomp, tmp_path, nothing_slow):
    status, _, error = accomp(EXAMPLES / "ode_to_joy.mid", "--genre", "nogenre")
    assert status == 2 and "nogenre" in error and "jazz" in error
    (tmp_path / "notes.txt").write_text("C D E")
    for path, found in (
        ("nothing.mid", "does not exist"),
        (tmp_path, "is not a file"),
        (tmp_path / "notes.txt", "neither MIDI, nor MusicXML or ABC, nor a recording"),
    ):
        status, _, error = accomp(path, "--genre", "pop")
        assert status == 1 and error.startswith(f"accomp: {path}: ") and found in error
        assert "accepted: MIDI files (.mid" in error and "wav, mp3" in error


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--style", "polka"], "'polka' is unknown; available: bossa_nova"),
        (["--style", "bossa_nova", "--style-factor", "2"], "style factor is 2.0"),
        (["--explore", "bass louder"], "guitar density 1"),
        (["--go-on", "99"], "the number of bars of --go-on is 99; accepted: 1 to 64"),
        (["--go-on", "4", "--melody-variation", "9"], "--melody-variation is 9.0"),
        (["--blend", "2", "--amount", "2"], "--amount is 2.0"),
        (["--blend", "nosuch:3"], "genre 'nosuch' is unknown"),
        (["--chords", "| Hm |"], "chord 'Hm' is not known"),
        (["--intro", "solo"], "accepted: none, count-in, bars"),
        (["--variation", "9"], "variation is 9.0"),
        (["--seed", "-1"], "seed is -1"),
        (["--key", "H"], "'H' is not a key; accepted: such as C major"),
        (["--tempo", "fast"], "argument --tempo: 'fast' is not a tempo"),
        (["--meter", "3"], "argument --meter: '3' is not a meter"),
        (["--blend", "jazz"], "argument --blend: 'jazz' is not a band; accepted: a seed"),
        (["--blend", "jazz:²"], "accepted: a seed"),
    ],
)
def test_wrong_arguments_are_told_before_a_recording_is_heard(
    accomp, nothing_slow, arguments, message
):
    status, _, error = accomp(SUNG, *arguments)
    assert status == 2 and message in error


@pytest.mark.parametrize(
    "melody, arguments, message",
    [
        ("sung", ["--tempo", "1000"], "20 to 400 pulses per minute"),
        ("sung", ["--meter", "3/5"], "such as 4/4"),
        ("sung", ["--melody-track", "2"], "a recording has one track"),
        ("ode", ["--tempo", "1000"], "10 to 400 beats a minute"),
        ("ode", ["--downbeat", "1.5"], "is for recordings"),
        ("ode", ["--melody-track", "2"], "melody track 2 does not exist"),
    ],
)
def test_corrections_that_do_not_fit_a_melody_are_told_at_once(
    accomp, nothing_slow, melody, arguments, message
):
    path = SUNG if melody == "sung" else EXAMPLES / "ode_to_joy.mid"
    status, _, error = accomp(path, *arguments)
    assert status == 1 and error.startswith(f"accomp: {path}: ") and message in error


def test_a_style_that_is_no_band_is_told_before_a_recording_is_heard(accomp, monkeypatch):
    monkeypatch.setattr(songs, "_transcribed", None)
    status, _, error = accomp(SUNG, "--style", EXAMPLES / "greensleeves.mid")
    assert status == 2 and "only one part" in error


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


def test_a_hummed_melody_gets_a_band_that_plays_along_with_it(hummed, accomp, tmp_path):
    file, tune, sung = hummed
    status, said, _ = accomp(file, "--genre", "pop", "--intro", "count-in")
    assert status == 0 and "found 28 notes at about 10" in said and "listening to hum.wav" in said
    folder = tmp_path / "hum"
    melody, song = read_midi(folder / "melody.mid"), read_midi(folder / "accompaniment.mid")
    notes = melody.tracks[0].notes
    assert [note.pitch for note in notes] == [note.pitch - 12 for note in tune]
    apart = np.diff([note.onset for note in notes]) - np.diff([note.onset for note in tune])
    assert np.abs(apart).max() < 1e-6  # every note on its own place, whatever the singer's tempo
    times = [melody.seconds(note.onset) for note in notes]
    between = np.diff(times) - np.diff([note[1] for note in sung])
    assert np.abs(between).max() < 0.08  # and the band where the singer was
    assert len(song.tracks) == 5 and song.tracks[1].notes[0].onset >= notes[0].onset + 4


def test_other_ways_of_counting_a_recording_are_printed_with_their_options(hummed, accomp):
    said = accomp(hummed[0])[1]
    ways = re.findall(r"    or (\d/\d) from (\S+) s on \(\d+%\): (.*)", said)
    assert ways
    meter, downbeat, options = ways[0]
    assert f"in {meter}, the first bar line at {downbeat} s" not in said
    again = accomp(hummed[0], *options.split())[1]
    assert f"in {meter}, the first bar line at {downbeat} s" in again


@pytest.mark.sound
def test_a_recording_is_mixed_with_its_band(accomp, tmp_path):
    status, said, _ = accomp(SUNG, audio=True)
    assert status == 0
    for name in ("accompaniment", "with_recording", "band"):
        length = soundfile.info(tmp_path / "sung" / f"{name}.wav").duration
        assert length > soundfile.info(SUNG).duration - 1
        assert f"making {name}.wav" in said and f"sung/{name}.wav\n" in said


def test_what_was_heard_can_be_corrected(hummed, accomp, tmp_path):
    file, _, sung = hummed
    bar = f"{sung[3][1]:.3f}"  # of the fourth note
    corrections = ("--tempo", "half", "--meter", "3/4", "--downbeat", bar, "--key", "F# minor")
    status, said, _ = accomp(file, *corrections)
    assert status == 0 and "beats a minute in 3/4" in said and "understood: F# minor" in said
    melody = read_midi(tmp_path / "hum" / "melody.mid")
    assert melody.meters[0][1:] == (3, 4) and melody.tracks[0].notes[3].onset % 3 == 0
    beats = [melody.seconds(beat + 1) - melody.seconds(beat) for beat in range(4, 8)]
    assert 45 < 60 / np.mean(beats) < 55
    song = read_midi(tmp_path / "hum" / "accompaniment.mid")
    pop = Accompanist.from_pretrained("pop")
    own, given = pop.accompany(melody), pop.accompany(melody, key="F# minor")
    assert [chord.symbol for chord in song.chords] == [chord.symbol for chord in given.chords]
    assert song.key_signatures == given.key_signatures != own.key_signatures


def test_with_anyway_a_doubtful_recording_gets_its_band(accomp, tmp_path):
    talk = tmp_path / "talk.wav"
    soundfile.write(talk, spoken(4.0), LISTEN_RATE)
    status, _, error = accomp(talk)
    assert status == 1 and "sounds like speech" in error and "--anyway" in error
    status, said, error = accomp(talk, "--anyway")
    assert status == 0 and not error and "sounds like speech" in said
    assert (tmp_path / "talk" / "melody.mid").exists()


def test_what_is_no_melody_is_said_of_a_recording(accomp, tmp_path):
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(5 * LISTEN_RATE), LISTEN_RATE)
    status, _, error = accomp(silence)
    assert status == 1 and error.startswith(f"accomp: {silence}: the recording is silent")


def test_a_melody_is_invented_and_gets_its_own_chords_after_an_introduction_too(accomp, tmp_path):
    status, said, _ = accomp("--invent", 8, "--genre", "folk", "--seed", 3, "--intro", "bars")
    folder = tmp_path / "invented_folk_3"
    assert status == 0 and f"wrote {folder / 'melody.mid'}" in said
    melody, song = read_midi(folder / "melody.mid"), read_midi(folder / "accompaniment.mid")
    notes, played = melody.tracks[0].notes, song.tracks[MELODY].notes
    assert [note.pitch for note in played] == [note.pitch for note in notes]
    later = played[0].onset - notes[0].onset
    chords = {(chord.onset + later, chord.symbol) for chord in melody.chords}
    assert later == 8 and chords <= {(chord.onset, chord.symbol) for chord in song.chords}


def test_a_melody_goes_on(accomp, tmp_path):
    status, said, _ = accomp(EXAMPLES / "ode_to_joy.mid", "--go-on", 4, "--genre", "jazz")
    assert status == 0 and "16 bars, and 4 bars more" in said
    given = read_midi(EXAMPLES / "ode_to_joy.mid").tracks[0].notes
    song = read_midi(tmp_path / "ode_to_joy" / "accompaniment.mid")
    notes = song.tracks[MELODY].notes
    assert notes[: len(given)] == given and len(notes) > len(given)
    assert song.end == pytest.approx(80, abs=4)


def test_styles_blends_and_moves_are_the_librarys(accomp, tmp_path):
    tune = EXAMPLES / "ode_to_joy.mid"
    styles = ["--style", "bossa_nova 2 + disco", "--style-factor", ".7"]
    blend = ["--blend", "jazz:3", "--amount", ".3"]
    moves = ["--explore", "guitar density 1"]
    status, said, _ = accomp(tune, "--genre", "pop", *styles, *blend, *moves)
    assert status == 0 and "genre: pop, seed 0, 0.3 of the way to jazz, seed 3\n" in said
    pop, jazz = Accompanist.from_pretrained("pop"), Accompanist.from_pretrained("jazz")
    options = Options(styles=[("bossa_nova", 2.0), ("disco", 1.0)], style_factor=0.7)
    first, second = (
        model.sketch(read_midi(tune), options, seed=seed) for model, seed in ((pop, 0), (jazz, 3))
    )
    song = pop.perform(first.blended(second, 0.3).explored({"guitar": {"density": 1.0}}))
    written = read_midi(tmp_path / "ode_to_joy" / "accompaniment.mid")
    for ours, theirs in zip(written.tracks, song.tracks):
        assert sorted(n.pitch for n in ours.notes) == sorted(n.pitch for n in theirs.notes)


def test_a_melody_goes_on_from_the_chords_that_are_given(accomp):
    melody, given = EXAMPLES / "ode_to_joy.mid", "| D  G | A7 |"
    status, said, _ = accomp(melody, "--go-on", 4, "--chords", given)
    lines = lines_with_bars(said)
    bars = [bar.strip() for line in lines for bar in line.strip("|").split("|")]
    assert status == 0 and bars[:16] == ["D G", "A7"] * 8 and len(bars) == 20


@pytest.mark.parametrize(
    "extra",
    [["--meter", "3/4"], ["--chords", "| C |"], ["--amount", "1"], ["--tempo", "half"]],
)
def test_what_does_not_go_with_an_invented_melody_is_refused(extra, accomp):
    assert accomp("--invent", 8, *extra)[0] == 2


def test_a_melody_is_given_or_invented(accomp):
    for arguments in ([], [EXAMPLES / "ode_to_joy.mid", "--invent", "8"]):
        status, _, error = accomp(*arguments)
        assert status == 2 and "give one melody or more, or --invent BARS" in error


def test_on_a_terminal_a_line_counts_the_seconds_and_goes_away(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with working("making sound"):
        pass
    said = capsys.readouterr().out
    assert said.startswith("\r  making sound ... 0 s") and said.endswith("\r\x1b[K")
    assert "\n" not in said


def test_ctrl_c_is_told_in_a_word(monkeypatch, capsys, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(songs, "make_songs", interrupted)
    assert main([str(EXAMPLES / "ode_to_joy.mid"), "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "accomp: interrupted\n"


# What people give on the command line


def abc(title: str) -> bytes:
    notes = "GABc|d2B2|c2A2|G4|" * 2
    return f'X:1\nT:{title}\nM:4/4\nL:1/4\nK:G\n"G"GABc|"D7"d2B2|"C"c2A2|"G"G4|{notes}\n'.encode()


def test_names_that_are_not_utf_8_and_bad_files_lose_no_batch(accomp, tmp_path):
    ode = (EXAMPLES / "ode_to_joy.mid").read_bytes()
    latin = Path(os.fsdecode(bytes(tmp_path) + b"/fr\xfchling.mid"))
    latin.write_bytes(ode)
    (tmp_path / "bad.mid").write_bytes(ode[:50])
    (tmp_path / "...mid").write_bytes(ode)
    out = tmp_path / "out"
    given = (latin, tmp_path / "bad.mid", tmp_path / "...mid", EXAMPLES / "greensleeves.mid")
    status, said, error = accomp(*given, "--no-audio", "--out", out)
    assert status == 1 and "bad.mid" in error and "Traceback" not in error
    found = {os.fsencode(folder.name) for folder in out.iterdir()}
    assert found == {b"fr\xfchling", b"melody", b"greensleeves"}
    assert {path.name for path in tmp_path.iterdir()} == {
        latin.name, "bad.mid", "...mid", "out",
    }  # fmt: skip
    assert all((folder / "accompaniment.mid").is_file() for folder in out.iterdir())


def test_an_unexpected_error_loses_no_batch(accomp, tmp_path, monkeypatch):
    whole = songs.deliver

    def breaks_once(delivery, folder):
        if folder.name == "ode_to_joy":
            raise KeyError("surprise")
        whole(delivery, folder)

    monkeypatch.setattr(songs, "deliver", breaks_once)
    given = (EXAMPLES / "ode_to_joy.mid", EXAMPLES / "greensleeves.mid")
    status, _, error = accomp(*given, "--no-audio", "--out", tmp_path)
    assert status == 1 and "surprise" in error and "report it" in error
    assert (tmp_path / "greensleeves" / "accompaniment.mid").is_file()


def test_pipes_and_the_standard_input(accomp, tmp_path, monkeypatch):
    pipe = tmp_path / "pipe.mid"
    os.mkfifo(pipe)
    ode = (EXAMPLES / "ode_to_joy.mid").read_bytes()
    writer = threading.Thread(target=pipe.write_bytes, args=(ode,))
    writer.start()
    stdin = io.TextIOWrapper(io.BytesIO(abc("From a pipe")))
    monkeypatch.setattr("sys.stdin", stdin)
    status, said, _ = accomp(pipe, "-", "--no-audio", "--out", tmp_path / "out")
    writer.join()
    assert status == 0 and "the standard input -> " in said
    assert {folder.name for folder in (tmp_path / "out").iterdir()} == {"pipe", "stdin"}


def test_a_lead_sheet_gives_its_chords(accomp, tmp_path):
    (tmp_path / "tune.abc").write_bytes(abc("Sheet"))
    status, said, _ = accomp(tmp_path / "tune.abc", "--no-audio", "--out", tmp_path)
    assert status == 0 and "understood: G major" in said
    assert "1 | G | D7 | C | G |" in said
    status, said, _ = accomp(
        tmp_path / "tune.abc", "--chords", "| Em | C |", "--no-audio", "--out", tmp_path
    )
    assert "1 | Em | C | Em | C |" in said
