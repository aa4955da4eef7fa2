"""Project files: what is kept comes back, to the byte, and what is no project is refused."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from accomp import read_midi, write_midi
from accomp.band.finish import Finish
from accomp.errors import MusicError
from accomp.listen.source import load_source
from accomp.music.score import Chord, Control, Note
from accomp.project.file import Project, ProjectLimits, read_project, write_project
from accomp.project.kind import is_project
from accomp.project.packing import Packed, pack, unpack
from accomp.project.settings import Settings
from accomp.project.takes import KeptTake, melody_song
from accomp.roll.grid import MELODY, STRINGS, TRACK_NAMES

ROOT = Path(__file__).parents[2]
SONGS = sorted((ROOT / "tests" / "same_music").glob("*.mid"))


def midi(song):
    file = io.BytesIO()
    write_midi(song, file)
    return file.getvalue()


@pytest.fixture(scope="module")
def song():
    return read_midi(ROOT / "tests" / "same_music" / "jazz.mid")


@pytest.fixture(scope="module")
def melody():
    return load_source(ROOT / "examples" / "ode_to_joy.mid").melody()


def kept(song, melody, **choices):
    return KeptTake(Settings(genre="jazz", **choices), melody, song, "Ode")


@pytest.mark.parametrize("path", SONGS, ids=lambda path: path.stem)
def test_a_song_comes_back_to_the_byte(path):
    song = read_midi(path)
    lead = replace(song, tracks=[song.tracks[MELODY]])
    assert midi(unpack(pack(Packed({}, lead, song))).song) == path.read_bytes()


def test_silent_tracks_and_chords_like_sections_come_back_to_the_byte(song):
    tracks = list(song.tracks)
    controls = [Control(0.0, 7, 90), Control(0.0, 10, 20)]
    tracks[STRINGS] = replace(tracks[STRINGS], program=52, notes=[], controls=controls)
    chords = [Chord(16.0 * place, letter) for place, letter in enumerate("ABC")]
    changed = replace(song, tracks=tracks, chords=chords)
    lead = replace(song, tracks=[song.tracks[MELODY]], chords=[])
    again = unpack(pack(Packed({}, lead, changed))).song
    assert midi(again) == midi(changed) and again.chords == chords


@pytest.mark.parametrize(
    "finish", [Finish(), Finish(-3), Finish(tempo=91.5), Finish(2, 80, {"guitar": 27, "bass": 43})]
)
def test_a_finished_song_comes_back_to_the_byte(song, melody, finish):
    # As it was made: its times are not yet on the ticks of a file.
    tracks = [
        replace(t, notes=[n._replace(onset=n.onset + 1e-4) for n in t.notes]) for t in song.tracks
    ]
    take = kept(replace(song, tracks=tracks), melody, finish=finish)
    assert midi(KeptTake.unpacked(take.packed).song) == midi(take.song)


def test_a_project_comes_back(song, melody, tmp_path):
    takes = [kept(song, melody, seed=seed) for seed in (1, 2)]
    takes[0].starred, takes[1].again = True, False
    path = tmp_path / "song.accomp.json"
    write_project(Project.of(takes, shown=0), path)
    found = read_project(path)
    assert found.settings == takes[0].settings and found.take.settings.seed == 1
    assert [take.settings.seed for take in found.takes] == [1, 2]
    assert [take.starred for take in found.takes] == [True, False]
    assert [take.again for take in found.takes] == [True, False]
    assert found.take.melody.key == melody.key and found.take.melody.name == "ode_to_joy"
    assert found.take.chords == takes[0].chords
    assert path.stat().st_size < 20_000
    assert found.to_json() == path.read_text()
    assert is_project(path) and not is_project(ROOT / "examples" / "ode_to_joy.mid")


def test_the_chords_of_a_lead_sheet_stay_its_own(song, melody):
    given = replace(melody.score, chords=[Chord(0.0, "D"), Chord(4.0, "A7")])
    take = kept(song, replace(melody, score=given, gives_chords=True))
    found = KeptTake.unpacked(take.packed).melody
    assert found.gives_chords and found.score.chords == given.chords
    assert melody_song(melody).chords == []


def test_a_settings_file_and_one_with_a_take_are_projects(song, melody):
    settings = Settings("ode_to_joy", "jazz", 7, form=False, finish=Finish(2))
    alone = Project.from_json(settings.to_json())
    assert alone.settings == settings and not alone.letters
    with pytest.raises(MusicError, match="no take"):
        _ = alone.take
    old = json.loads(settings.to_json()) | {"take": kept(song, melody).packed}  # of 0.2
    assert Project.from_json(json.dumps(old)).take.made.chords == song.chords


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "[]",
            "1",
            "{",
            "[" * 100_000,
            '{"accomp": 2}',
            '{"accomp": "1"}',
            '{"accomp": true}',
        ),
        *('{"takes": "abc"}', '{"takes": [1]}', '{"takes": {}}', '{"takes": ["a"], "shown": 1}'),
        *('{"shown": "0"}', '{"shown": -2}', '{"finish": 3}', '{"finish": {"transpose": 99}}'),
        *('{"finish": {"programs": {"drums": 1}}}', '{"form": 1}', '{"unknown": 1}'),
        '{"finish": {"programs": {"guitar": 1e999}}}',
    ],
)
def test_what_is_no_project_is_refused(text):
    with pytest.raises(MusicError, match="accepted"):
        Project.from_json(text)


def test_what_is_too_large_is_refused(tmp_path):
    path = tmp_path / "large.json"
    path.write_text('{"genre": "' + "x" * 2000 + '"}')
    with pytest.raises(MusicError, match="larger than"):
        read_project(path, ProjectLimits(bytes=1000))
    many = json.dumps({"takes": ["x"] * 101})
    with pytest.raises(MusicError, match="accepted: up to 100"):
        Project.from_json(many)


@pytest.mark.parametrize(
    "silent",
    [
        *(1, [], {"strings": 5}, {"strings": []}, {"strings": [200]}, {"strings": [48, [0, 7]]}),
        *(
            {"strings": [48, ["x", 7, 1]]},
            {"strings": [48, [0, 7, 900]]},
            {"strings": [48, [1e999, 7, 1]]},
        ),
    ],
)
def test_damaged_letters_are_refused(song, monkeypatch, silent):
    lead = replace(song, tracks=[song.tracks[MELODY]])
    monkeypatch.setattr("accomp.project.packing._beside_midi", lambda _: {"silent": silent})
    letters = pack(Packed({}, lead, song))
    with pytest.raises(MusicError, match="accepted"):
        unpack(letters)


def test_names_of_takes_are_safe(song, melody):
    take = kept(song, replace(melody, name="../../etc/passwd"))
    assert KeptTake.unpacked(take.packed).melody.name == "....etcpasswd"
    assert len(TRACK_NAMES) == len(KeptTake.unpacked(take.packed).made.tracks)


@pytest.mark.parametrize(
    "note",
    [
        (float("nan"), 0.0, 1.0, 80),
        (1e400, 0.0, 1.0, 80),
        (10**400, 0.0, 1.0, 80),
        (60, float("inf"), 1.0, 80),
        (60, 0.0, float("nan"), 80),
        (60, 0.0, 1.0, 128),
    ],
)
def test_notes_of_a_band_that_are_none_are_refused(song, melody, note):
    take = replace(kept(song, melody), band_of=(Note(*note),))
    with pytest.raises(MusicError, match="could not be read"):
        KeptTake.unpacked(take.packed)
