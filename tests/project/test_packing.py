"""A take as letters of a link."""

import base64
import json
import zlib
from dataclasses import replace

import pytest

from accomp.errors import MusicError
from accomp.listen.source import load_source
from accomp.music.score import Chord, Note, Score, TimeSignature, Track
from accomp.project import packing
from accomp.project.packing import Packed, pack, unpack
from accomp.project.settings import Settings
from accomp.roll.grid import BASS, TRACK_NAMES
from page import studio
from page.studio import Remake
from tests.page.test_studio import EXAMPLES, make


@pytest.fixture(scope="module")
def ode():
    return load_source(EXAMPLES / "ode_to_joy.mid")


def letters(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")


def test_a_song_comes_back_with_its_empty_tracks():
    notes = [Note(40, 0.0, 1.5, 90), Note(43, 2.0, 1.0, 70)]
    song = Score(
        [Track(name, 33, notes=notes if name == "bass" else []) for name in TRACK_NAMES],
        meters=[TimeSignature(0.0, 3, 4)],
        chords=[Chord(0.0, "Cm7")],
    )
    melody = Score([Track("piano", notes=notes)])
    found = unpack(pack(Packed({"title": "süß · 1"}, melody, song)))
    assert found.about == {"title": "süß · 1"} and found.melody.tracks[0].notes == notes
    assert [track.name for track in found.song.tracks] == list(TRACK_NAMES)
    assert found.song.tracks[BASS].notes == notes and found.song.tracks[BASS].program == 33
    assert found.song.chords == song.chords and found.song.meters[0][1:] == (3, 4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%%%",
        "abcd",
        letters(b"no line"),
        letters(b"[1]\n"),
        letters(json.dumps({"version": 99, "melody": 0, "about": {}}).encode() + b"\n"),
        letters(json.dumps({"version": 1, "melody": "x", "about": {}}).encode() + b"\n"),
        letters(json.dumps({"version": 1, "melody": 3, "about": {}}).encode() + b"\nabcdef"),
        letters(b"0" * (packing.LARGEST + 1)),
        "A" * (packing.LONGEST + 1),
    ],
)
def test_what_is_no_take_is_refused(text):
    with pytest.raises(MusicError):
        unpack(text)


def test_a_take_made_from_another_comes_back_whole(ode):
    first = make(ode, Settings(seed=1), [])
    take = make(ode, Settings(seed=2), [first], Remake(first, ["drums"], (3, 4)))
    take.starred = True
    assert not take.has_settings and "#take=" in take.address
    found = studio.unpacked(take.packed, 7)
    assert (found.number, found.label, found.starred) == (7, take.label, True)
    assert found.settings == take.settings and found.is_retake
    assert found.melody.key == take.melody.key and found.melody.name == take.melody.name
    for mine, theirs in zip(found.song.tracks, take.song.tracks):
        assert sorted(note[::3] for note in mine.notes) == sorted(
            note[::3] for note in theirs.notes
        )
    assert len(take.packed) < 12_000  # a link that messengers take
    assert found.packed == studio.unpacked(found.packed, 1).packed


def test_settings_alone_make_an_example_again_and_the_link_is_short(ode):
    take = make(ode, Settings("ode_to_joy", genre="jazz", seed=3), [])
    assert take.address == "?melody=ode_to_joy&genre=jazz&seed=3"
    own = make(ode, Settings(genre="jazz", seed=3), [])
    assert own.address.startswith("?genre=jazz&seed=3#take=")
    assert "takes" in json.loads(own.files[1].read_text())
    assert Settings.from_json(own.files[1].read_text()) == own.settings


def test_the_melody_of_a_take_can_be_worked_on(ode):
    take = make(ode, Settings(), [])
    source, settings = studio.source_of(studio.unpacked(take.packed, 1))
    melody = source.melody(settings.corrections)
    assert melody.score.tracks[0].notes == take.melody.score.tracks[0].notes
    assert melody.key == take.melody.key and source.name == "ode_to_joy"
    other = make(replace(source), settings, [take])
    assert other.song.tracks[BASS].notes == take.song.tracks[BASS].notes


@pytest.mark.parametrize("about", [{}, {"settings": {}, "key": "H", "name": "x", "title": "x"}])
def test_letters_that_lack_something_are_refused(ode, about):
    melody = studio.melody_song(ode.melody())
    with pytest.raises(MusicError):
        studio.unpacked(pack(Packed(about, melody, melody)), 1)
