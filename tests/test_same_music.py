"""The music of a handful of songs, held note by note: a change of structure must not change a note.

The songs in tests/same_music were written by these commands. Where the music is meant to change,
look at what changed (piano rolls, notes), then write them anew: `python -m tests.test_same_music`.
"""

import tempfile
from pathlib import Path

import pytest

from accomp import Accompanist, read_midi, write_midi
from accomp.__main__ import main
from accomp.band.options import Redo

pytestmark = pytest.mark.usefixtures("loaded_once")

ROOT = Path(__file__).parents[1]
SONGS = ROOT / "tests" / "same_music"

# By name of the song: a melody of the examples (or none, or the recording) and what is asked for.
COMMANDS = {
    "jazz": ["ode_to_joy", "--genre", "jazz"],
    "pop": ["auld_lang_syne", "--genre", "pop", "--seed", "3"],
    "rock": ["god_rest_ye_merry", "--genre", "rock", "--seed", "1"],
    "latin": ["la_cucaracha", "--genre", "latin", "--variation", "0.5"],
    "gospel": ["amazing_grace", "--genre", "gospel", "--seed", "2"],
    "folk": ["londonderry_air", "--genre", "folk", "--intro", "count-in"],
    "game": ["greensleeves", "--genre", "game", "--intro", "bars", "--seed", "5"],
    "plain": ["when_the_saints", "--genre", "jazz", "--no-shape", "--no-feel"],
    "chords": [
        "ode_to_joy",
        "--genre",
        "rock",
        "--chords",
        "| D | A7 | D  G | A |",
        "--intro",
        "bars",
    ],
    "style": [
        "ode_to_joy",
        "--genre",
        "pop",
        "--style",
        "bossa_nova 2 + motown",
        "--style-factor",
        "0.7",
    ],
    "blend": ["auld_lang_syne", "--genre", "pop", "--blend", "rock:4", "--amount", "0.4"],
    "explored": [
        "ode_to_joy",
        "--genre",
        "jazz",
        "--explore",
        "guitar density 1.5",
        "bass variety -1",
        "--key",
        "D minor",
    ],
    "invented": ["--invent", "16", "--genre", "folk", "--seed", "3"],
    "continued": ["greensleeves", "--genre", "latin", "--go-on", "8", "--seed", "2"],
    "recording": ["sung", "--genre", "pop", "--seed", "1", "--later", "1"],
}


def made(name: str, folder: Path) -> Path:
    """The song of a command, as a MIDI file in `folder`."""
    melody, *options = COMMANDS[name]
    if melody.startswith("--"):
        options = COMMANDS[name]
    else:
        path = SONGS / "sung.flac" if melody == "sung" else ROOT / "examples" / f"{melody}.mid"
        options = [str(path), *options]
    assert main([*options, "--no-audio", "--out", str(folder)]) == 0
    (song,) = folder.glob("*/accompaniment.mid")
    return song


def redone(folder: Path) -> Path:
    """Bars 5 to 8 of the pop song made anew, its drums kept."""
    model, melody = (
        Accompanist.from_pretrained("pop"),
        read_midi(ROOT / "examples" / "auld_lang_syne.mid"),
    )
    first = model.accompany(melody, seed=3)
    redo = Redo(first, keep=("drums",), span=(17.0, 33.0))
    again = model.accompany(melody, seed=8, redo=redo)
    write_midi(again, folder / "retake.mid")
    return folder / "retake.mid"


def same(one: Path, two: Path) -> None:
    expected, found = read_midi(one), read_midi(two)
    assert [track.name for track in found.tracks] == [track.name for track in expected.tracks]
    for track, other in zip(found.tracks, expected.tracks, strict=True):
        assert track.notes == other.notes, track.name
        assert track.controls == other.controls and track.program == other.program, track.name
    assert (found.chords, found.tempos, found.meters) == (
        expected.chords,
        expected.tempos,
        expected.meters,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_make_the_same_songs(name, tmp_path):
    same(SONGS / f"{name}.mid", made(name, tmp_path))


def test_a_retake_is_the_same(tmp_path):
    same(SONGS / "retake.mid", redone(tmp_path))


if __name__ == "__main__":
    for name in COMMANDS:
        with tempfile.TemporaryDirectory() as folder:
            made(name, Path(folder)).replace(SONGS / f"{name}.mid")
    with tempfile.TemporaryDirectory() as folder:
        redone(Path(folder)).replace(SONGS / "retake.mid")
