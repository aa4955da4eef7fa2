"""What the page does between its widgets: takes, their sound and files, and stopping."""

import shutil
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from accomp import read_midi
from accomp.errors import MusicError
from accomp.grid import BASS, DRUMS, MELODY, TRACK_NAMES
from accomp.intake import bring
from accomp.notes_net import RATE
from accomp.score import Note, Score, TimeSignature, Track
from page import files, studio
from page.player import VOICE
from page.settings import Settings
from tests.tiny import tiny
from train import voices
from train.voices import Manner

EXAMPLES = Path(__file__).parent.parent / "examples"
needs_fluidsynth = pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="FluidSynth is not installed")
MODEL = tiny()


def play(genre, score, **settings):
    return MODEL.accompany(score, **settings)


@pytest.fixture(scope="module")
def ode():
    return bring(EXAMPLES / "ode_to_joy.mid")


@pytest.fixture(scope="module")
def hummed(tmp_path_factory):
    notes = read_midi(EXAMPLES / "ode_to_joy.mid").tracks[0].notes[:15]
    rng = np.random.default_rng(1)
    sung, _, _ = voices.perform([(note.pitch - 12, note.onset, note.duration) for note in notes], rng, 100, 0.02, 0.01)
    file = tmp_path_factory.mktemp("recordings") / "my tune.wav"
    soundfile.write(file, voices.record(voices.voice(sung, Manner(), rng, "hum"), rng, 30), RATE)
    return bring(file)


def test_a_take_is_named_after_melody_genre_and_seed(ode):
    take = studio.make(play, ode, Settings(genre="jazz", seed=5), [])
    assert take.number == 1 and take.label == "1: jazz, seed 5"
    assert [file.name for file in take.files] == ["ode_to_joy_jazz_5.mid", "ode_to_joy_jazz_5.json"]
    assert read_midi(take.files[0]).tracks[MELODY].notes == ode.score.tracks[0].notes
    assert Settings.from_json(take.files[1].read_text()) == take.settings
    assert studio.make(play, ode, Settings(), [take]).number == 2


def test_locked_tracks_and_bars_stay(ode):
    first = studio.make(play, ode, Settings(seed=1), [])
    kept = studio.make(play, ode, Settings(seed=2), [first], first, ["drums", "piano", VOICE])
    assert kept.song.tracks[DRUMS].notes == first.song.tracks[DRUMS].notes
    assert kept.song.tracks[BASS].notes != first.song.tracks[BASS].notes
    bars = studio.make(play, ode, Settings(seed=3), [first], first, [], (3, 4))
    assert studio.span_of(first.song, (3, 4)) == (8.0, 16.0)
    old, new = ([n for n in take.song.tracks[BASS].notes if not 7.8 < n.onset < 16] for take in (first, bars))
    assert [n[:2] for n in old] == [n[:2] for n in new]
    with pytest.raises(MusicError, match="every instrument that plays is locked"):
        studio.make(play, ode, Settings(instruments=("drums",)), [first], first, ["drums"])


@needs_fluidsynth
def test_the_sound_of_a_take_comes_in_stems_and_as_a_whole(ode):
    take = studio.make(play, ode, Settings(), [])
    assert set(studio.finish(take)) <= {None}
    playing = {track.name for track in take.song.tracks if track.notes}
    assert set(take.sounds) == playing and {file.suffix for file in take.files} == {".mid", ".json", ".png", ".mp3"}
    view = take.view()
    assert view["sound"] == "there" and set(view["stems"]) == playing and not any(track["muted"] for track in view["tracks"])
    assert list(studio.finish(take)) == []  # there is nothing more to do
    studio.write_sounds(take)
    names = {file.name for file in take.files}
    assert {"ode_to_joy_pop_0.wav", "ode_to_joy_pop_0_stems.zip"} <= names
    with zipfile.ZipFile(take.folder / "ode_to_joy_pop_0_stems.zip") as bundle:
        assert set(bundle.namelist()) == {f"ode_to_joy_pop_0_{name}.wav" for name in playing}
    shutil.rmtree(take.folder)  # as after an hour
    assert studio.find([take], 1) is take and take.is_there and take.sounds is None
    list(studio.finish(take))
    assert take.is_there and all(Path(path).is_file() for path in [*take.sounds.values(), *take.files])


@needs_fluidsynth
def test_a_recording_is_a_track_of_its_own(hummed):
    take = studio.make(play, hummed, Settings(), [])
    list(studio.finish(take))
    view = take.view()
    assert VOICE in take.sounds and view["tracks"][0]["name"] == VOICE and len(view["tracks"][0]["notes"]) == len(hummed.notes)
    assert {track["name"] for track in view["tracks"] if track["muted"]} == {TRACK_NAMES[MELODY]}
    length = {soundfile.info(path).frames for path in take.sounds.values()}
    assert len(length) == 1
    studio.write_sounds(take)
    whole, piano, band = (soundfile.read(take.folder / f"{take.name}{ending}.wav")[0] for ending in ("", "_piano", "_band"))
    assert len({len(whole), len(piano), len(band)}) == 1
    assert all(not np.allclose(one, other) for one, other in ((whole, piano), (whole, band), (piano, band)))
    # Where it was sung, the recording is heard: in the whole it follows the notes' own times.
    *_, alone = studio.hear_alone(take.melody)
    assert set(alone) == {"piano", VOICE} and studio.view_alone(take.melody, alone)["sound"] == "there"


@needs_fluidsynth
def test_closing_early_stops_the_work(ode, monkeypatch):
    take = studio.make(play, ode, Settings(), [])
    started, stopped = threading.Event(), []

    def endless(song, stop):
        started.set()
        stopped.append(stop.wait(20))
        raise studio.Stopped

    monkeypatch.setattr(studio, "render_stems", endless)
    work = studio.finish(take)
    assert next(work) is None and started.wait(5)
    begun = time.monotonic()
    work.close()
    while not stopped:
        time.sleep(0.05)
    assert stopped == [True] and time.monotonic() - begun < 5 and take.sounds is None
    monkeypatch.undo()
    list(studio.finish(take))
    assert take.sounds  # and it can be done later


@needs_fluidsynth
def test_a_recording_with_nobody_beside_the_piano(hummed):
    take = studio.make(play, hummed, Settings(instruments=()), [])
    assert set(studio.finish(take)) <= {None} and set(take.sounds) == {"piano", VOICE}
    studio.write_sounds(take)
    assert not list(take.folder.glob("*_band.wav")) and list(take.folder.glob("*_piano.wav"))


@needs_fluidsynth
def test_a_recording_that_went_away_is_said(hummed, tmp_path):
    copy = tmp_path / "gone.wav"
    shutil.copyfile(hummed.recording.source, copy)
    take = studio.make(play, bring(copy), Settings(), [])
    copy.unlink()
    *_, message = studio.finish(take)
    assert "gone.wav" in message and take.sounds == {} and take.view()["sound"] == "none"


def test_another_take_of_a_take_has_no_settings_that_would_make_other_music(ode):
    first = studio.make(play, ode, Settings(seed=1), [])
    again = studio.make(play, ode, Settings(seed=2), [first], first, ["drums"])
    assert not again.files[1:] and again.is_retake and not first.is_retake


def test_bars_are_counted_as_they_are_shown():
    song = Score([Track(notes=[Note(60, 0.0, 14.0, 80)])], meters=[TimeSignature(0.0, 4, 4), TimeSignature(6.0, 4, 4)])
    assert studio.span_of(song, (2, 2)) == (4.0, 6.0) and studio.span_of(song, (3, 99)) == (6.0, 14.0)


def test_old_folders_go(monkeypatch):
    old, new = files.new_folder(), None
    monkeypatch.setattr(files, "KEPT_SECONDS", -1)
    new = files.new_folder()
    assert new.is_dir() and not old.exists()
