"""The command line changes songs, opens projects and writes lead sheets."""

import json
from pathlib import Path

import pytest

from accomp import read_midi, read_project
from accomp.cli import main
from accomp.music.notation import read_notation
from accomp.music.timing import mean_tempo
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS

pytestmark = pytest.mark.usefixtures("loaded_once")

ODE = Path(__file__).parents[1] / "examples" / "ode_to_joy.mid"
PLAYERS = (DRUMS, BASS, GUITAR, STRINGS)


@pytest.fixture
def accomp(tmp_path, capsys):
    """Run the command: returns the exit status, what it said, and the folder of the song."""

    def run(melody, *options, out="out"):
        given = [melody, *options, "--no-audio", "--out", tmp_path / out]
        try:
            status = main([*map(str, given)])
        except SystemExit as ended:
            status = ended.code
        said, wrong = capsys.readouterr()
        name = Path(melody).name.removesuffix(".mid").removesuffix(".accomp.json")
        return status, said + wrong, tmp_path / out / name

    return run


def test_a_song_is_changed_and_its_project_gives_it_again(accomp, tmp_path):
    changes = ["--chord", "5: Em7 A7", "--redo", "bass:9-12:busy=1", "--transpose", -2]
    changes += ["--set-tempo", 84, "--program", "piano=flute", "--lead-sheet", "ode.musicxml"]
    status, said, folder = accomp(ODE, *changes)
    assert status == 0 and "5 | Dm7 G7" in said
    song, plain = read_midi(folder / "accompaniment.mid"), accomp(ODE, out="plain")[2]
    before = read_midi(plain / "accompaniment.mid")
    pitches = [note.pitch for note in before.tracks[MELODY].notes]
    assert [note.pitch + 2 for note in song.tracks[MELODY].notes] == pitches
    assert song.tracks[MELODY].program == 73 and mean_tempo(song) == pytest.approx(84, abs=0.01)
    sheet = read_notation(folder / "ode.musicxml")
    assert sheet.key_signatures == song.key_signatures and sheet.tracks[0].program == 73
    assert [chord.symbol for chord in sheet.chords] == [chord.symbol for chord in song.chords]
    for track in PLAYERS:  # the last four bars are nobody's refill
        old, new = (
            [note.onset for note in each.tracks[track].notes if note.onset >= 48.5]
            for each in (before, song)
        )
        assert old == new
    status, said, again = accomp(folder / "song.accomp.json", out="again")
    assert status == 0
    for name in ("accompaniment.mid", "song.accomp.json"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_a_change_of_a_project_is_a_further_take(accomp):
    folder = accomp(ODE, "--seed", 4, "--genre", "jazz")[2]
    first = read_project(folder / "song.accomp.json").take
    status, _, changed = accomp(
        folder / "song.accomp.json", "--redo", "drums:1-2:seed=9", out="changed"
    )
    assert status == 0
    project = read_project(changed / "song.accomp.json")
    assert len(project.takes) == 2 and project.shown == 1
    assert not project.take.again and project.takes[0].packed == first.packed
    a, b = first.made, project.take.made
    assert a.tracks[BASS] == b.tracks[BASS] and a.tracks[DRUMS].notes != b.tracks[DRUMS].notes
    _, _, back = accomp(changed / "song.accomp.json", "--take", 1, out="back")
    song = (folder / "accompaniment.mid").read_bytes()
    assert (back / "accompaniment.mid").read_bytes() == song
    _, _, other = accomp(changed / "song.accomp.json", "--seed", 4, "--take", 1, out="other")
    assert (other / "accompaniment.mid").read_bytes() == song  # the same band, made again


def test_an_ensemble_plays(accomp, capsys):
    status, said, folder = accomp(ODE, "--genre", "jazz", "--ensemble", "piano, no strings")
    assert status == 0 and "piano (Acoustic Grand Piano), strings (silent)" in said
    project = read_project(folder / "song.accomp.json")
    assert project.settings.instruments == ("drums", "bass", "guitar")
    assert project.take.song.tracks[GUITAR].program == 0
    status, said, _ = accomp(ODE, "--ensemble", "brass band")
    assert status == 2 and "accepted: guitar, strings; " in said
    status, said, _ = accomp("--ensembles", out="none")
    assert status == 0 and "jazz:\n  piano, no strings (29% of the songs)" in said


def test_what_is_wrong_is_said_before_anything_is_made(accomp, tmp_path):
    for options, words in (
        (["--chord", "5: H7"], "H7"),
        (["--redo", "tuba:1"], "no player 'tuba'"),
        (["--transpose", 13], "accepted: -12 to 12"),
        (["--set-tempo", 5], "accepted: 10 to 400"),
        (["--program", "bass=73"], "does not play so low"),
        (["--lead-sheet", "sheet.doc"], "accepted: .musicxml"),
    ):
        status, said, folder = accomp(ODE, *options)
        assert status == 2 and words in said and not folder.exists(), options
    status, said, _ = accomp(ODE, "--redo", "bass:99")
    assert status == 1 and "accepted: bars 1 to 16" in said
    broken = tmp_path / "broken.accomp.json"
    broken.write_text('{"accomp": 9}')
    status, said, _ = accomp(broken)
    assert status == 1 and "a newer accomp reads it" in said
    broken.write_text(json.dumps({"genre": "jazz"}))
    assert "no take" in accomp(broken)[1]


def test_a_choice_that_no_project_holds_is_said(accomp):
    status, said, folder = accomp(ODE, "--variation", 1.5)
    assert status == 0 and "no project file: variation is 1.5" in said
    assert not (folder / "song.accomp.json").exists()


def test_a_project_knows_the_genre_of_its_ensembles(accomp):
    folder = accomp(ODE, "--genre", "rock", "--program", "piano=flute")[2]
    before = read_midi(folder / "accompaniment.mid")
    two = ("--ensemble", "two guitars, no strings")
    status, said, changed = accomp(folder / "song.accomp.json", *two, out="two")
    changed = changed.with_name("song")
    assert status == 0 and "second guitar (" in said
    song = read_midi(changed / "accompaniment.mid")
    names = [track.name for track in song.tracks]
    assert names == ["drums", "flute (melody)", "guitar", "bass", "second guitar"]
    for track in (DRUMS, MELODY, GUITAR, BASS):  # who stays plays the very notes
        assert song.tracks[track].notes == before.tracks[track].notes
    status, said, again = accomp(changed / "song.accomp.json", out="again")
    assert status == 0
    for name in ("accompaniment.mid", "song.accomp.json"):
        assert (again / name).read_bytes() == (changed / name).read_bytes()
    trio = ("--ensemble", "guitar, no strings")
    status, said, _ = accomp(changed / "song.accomp.json", *trio, out="trio")
    assert status == 0 and "strings (silent)" in said
    status, said, _ = accomp(folder / "song.accomp.json", "--ensemble", "brass band", out="wrong")
    assert status == 1 and "rock has no ensemble 'brass band'" in said
