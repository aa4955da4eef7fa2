"""What the page does between its widgets: takes, their sound and files, and stopping."""

import json
import shutil
import threading
import time
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile

from accomp import Accompanist, read_midi
from accomp.band.finish import Finish
from accomp.errors import MusicError, Stopped
from accomp.listen.source import Corrections, load_source
from accomp.music.score import Chord, Control, Note, Score, TimeSignature, Track
from accomp.project.choices import Blend, MelodyRecipe
from accomp.project.settings import Settings
from accomp.roll.grid import BASS, DRUMS, MELODY, TRACK_NAMES
from accomp.sound.meter import loudness
from accomp.sound.rates import LISTEN_RATE
from page import files, inventing, moves, sound, studio, views
from page.player import VOICE, live
from page.player.view import voice_loudness
from page.studio import Remake
from tests.support.tiny import tiny
from train.data import voices
from train.data.voices import Manner

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = tiny()


def play(genre, score, options, redo=None, blend=None, explore=None):
    sketch = MODEL.sketch(score, options, redo=redo)
    if blend:
        other = MODEL.sketch(score, options, redo=redo, seed=blend.seed)
        sketch = sketch.blended(other, blend.amount)
    return MODEL.perform(sketch.explored(explore or {}))


def sing(making):
    """A scale, a note each beat, between two chords."""
    notes = [
        Note(60 + (making.seed + beat) % 12, float(beat), 1.0, 80)
        for beat in range(4 * making.bars)
    ]
    return Score(
        [Track("melody", 0, False, notes)],
        chords=[Chord(0.0, "Ebm"), Chord(2.0 * making.bars, "F#7")],
    )


def go_on(making, score, track, key):
    """The melody, and its first note over and over in what is added."""
    melody = score.tracks[track]
    start = -(-int(melody.end) // 4) * 4
    added = [
        Note(melody.notes[0].pitch, float(start + beat), 1.0, 80) for beat in range(4 * making.bars)
    ]
    return Score(
        [Track("melody", 0, False, melody.notes + added)],
        score.tempos,
        score.meters,
        chords=[Chord(0.0, "G")],
    )


def make(source, settings, takes, remake=None, style=None, play=play):
    """A take for the melody of a source, as the settings correct it."""
    melody = source.melody(settings.corrections)
    return studio.make(play, melody, settings, takes, remake, style)


def done(work):
    """What a generator returns when it has ended."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def ode():
    return load_source(EXAMPLES / "ode_to_joy.mid")


@pytest.fixture(scope="module")
def hummed(tmp_path_factory):
    notes = read_midi(EXAMPLES / "ode_to_joy.mid").tracks[0].notes[:15]
    rng = np.random.default_rng(1)
    sung, _, _ = voices.perform(
        [(note.pitch - 12, note.onset, note.duration) for note in notes], rng, 100, 0.02, 0.01
    )
    file = tmp_path_factory.mktemp("recordings") / "my tune.wav"
    soundfile.write(
        file, voices.record(voices.voice(sung, Manner(), rng, "hum"), rng, 30), LISTEN_RATE
    )
    return load_source(file)


def test_a_take_is_named_after_melody_genre_and_seed(ode):
    take = make(ode, Settings(genre="jazz", seed=5), [])
    assert take.number == 1 and take.label == "Ode to joy · Jazz"
    assert [file.name for file in take.files] == ["ode_to_joy_jazz_5.mid", "ode_to_joy_jazz_5.json"]
    assert read_midi(take.files[0]).tracks[MELODY].notes == ode.score.tracks[0].notes
    assert Settings.from_json(take.files[1].read_text()) == take.settings
    assert make(ode, Settings(), [take]).number == 2
    long = make(replace(ode, name="ä" * 120), Settings(), [])
    assert long.files[0].name == f"{'ä' * 50}_pop_0.mid"  # of 255 bytes that a name may have


def test_locked_tracks_and_bars_stay(ode):
    first = make(ode, Settings(seed=1), [])
    kept = make(ode, Settings(seed=2), [first], Remake(first, ["drums", "piano", VOICE]))
    assert kept.song.tracks[DRUMS].notes == first.song.tracks[DRUMS].notes
    assert kept.song.tracks[BASS].notes != first.song.tracks[BASS].notes
    bars = make(ode, Settings(seed=3), [first], Remake(first, [], (3, 4)))
    assert studio.span_of(first.song, (3, 4)) == (8.0, 16.0)
    old, new = (
        [n for n in take.song.tracks[BASS].notes if not 7.8 < n.onset < 16]
        for take in (first, bars)
    )
    assert [n[:2] for n in old] == [n[:2] for n in new]
    with pytest.raises(MusicError, match="every instrument that plays is locked"):
        make(ode, Settings(instruments=("drums",)), [first], Remake(first, ["drums"]))


@pytest.mark.sound
def test_a_take_has_its_sound_in_stems_and_as_a_whole(ode):
    take = make(ode, Settings(), [])
    assert done(sound.stems_of_take(take)) == ""
    assert sound.write_mix(take, sound.WHOLE, "mp3").name == "ode_to_joy_pop_0.mp3"
    playing = {track.name for track in take.song.tracks if track.notes}
    assert set(take.sounds) == playing
    view = take.view()
    assert (
        view["sound"] == "there"
        and set(view["stems"]) == playing
        and not any(track["muted"] for track in view["tracks"])
    )
    assert list(sound.stems_of_take(take)) == []  # there is nothing more to do
    with zipfile.ZipFile(sound.write_stems_zip(take)) as bundle:
        assert set(bundle.namelist()) == {f"ode_to_joy_pop_0_{name}.wav" for name in playing}
    shutil.rmtree(take.folder)  # as after an hour
    assert studio.find([take], 1) is take and take.is_there and take.sounds is None
    done(sound.stems_of_take(take))
    assert take.is_there and all(
        Path(path).is_file() for path in [*take.sounds.values(), *take.files]
    )


@pytest.mark.sound
def test_a_recording_is_a_track_of_its_own(hummed):
    take = make(hummed, Settings(), [])
    done(sound.stems_of_take(take))
    view = take.view()
    assert (
        VOICE in take.sounds
        and view["tracks"][0]["name"] == VOICE
        and len(view["tracks"][0]["notes"]) == len(hummed.notes)
    )
    assert {track["name"] for track in view["tracks"] if track["muted"]} == {TRACK_NAMES[MELODY]}
    length = {soundfile.info(path).frames for path in take.sounds.values()}
    assert len(length) == 1
    whole, piano, band = (
        soundfile.read(sound.write_mix(take, mix, "wav"))[0]
        for mix in (sound.WHOLE, sound.WITH_PIANO, sound.BAND_ALONE)
    )
    assert len({len(whole), len(piano), len(band)}) == 1
    assert all(
        not np.allclose(one, other) for one, other in ((whole, piano), (whole, band), (piano, band))
    )
    # Where it was sung, the recording is heard: in the whole it follows the notes' own times.
    alone = done(sound.stems_of_melody(take.melody))
    assert (
        set(alone) == {"piano", VOICE}
        and studio.melody_view(take.melody, Finish(), alone)["sound"] == "there"
    )


@pytest.mark.sound
def test_closing_early_stops_the_work(ode, monkeypatch):
    take = make(ode, Settings(), [])
    started, stopped = threading.Event(), []

    @contextmanager
    def endless(song, stop):
        started.set()
        end = time.monotonic() + 20
        while not stop() and time.monotonic() < end:
            time.sleep(0.05)
        stopped.append(stop())
        raise Stopped
        yield

    monkeypatch.setattr(sound, "song_sound", endless)
    work = sound.stems_of_take(take)
    assert next(work) is None and started.wait(5)
    begun = time.monotonic()
    work.close()
    while not stopped:
        time.sleep(0.05)
    assert stopped == [True] and time.monotonic() - begun < 5 and take.sounds is None
    monkeypatch.undo()
    done(sound.stems_of_take(take))
    assert take.sounds  # and it can be done later


@pytest.mark.sound
def test_a_take_that_is_not_looked_at_any_more_does_not_come_back(ode, monkeypatch):
    monkeypatch.setattr(live, "fault", lambda: "no npm")
    first = make(ode, Settings(), [])
    second = make(ode, Settings(seed=1), [first])
    takes = [first, second]
    showing = views.shown(second, takes).showing
    work = views.finish(takes, showing)
    next(work)
    views.shown(first, takes)
    assert not [message for message in work if message.player != gr.skip()] and not second.sounds
    *_, last = views.finish(takes, views.shown(second, takes).showing)
    assert second.sounds and last.player["title"] == second.label
    assert last.player["sound"] == "there"


def test_what_plays_live_needs_no_rendering(ode, monkeypatch):
    monkeypatch.setattr(live, "fault", lambda: "")
    monkeypatch.setattr(sound, "song_sound", None)
    take = make(ode, Settings(), [])
    shown = views.shown(take, [take], play=True)
    assert shown.player["sound"] == "live" and shown.player["play"] and shown.status == ""
    assert [file.suffix for file in take.files] == [".mid", ".json"]
    assert all(each.player == gr.skip() for each in views.finish([take], shown.showing))


@pytest.mark.sound
def test_a_browser_that_cannot_play_live_gets_what_it_shows(ode):
    take = make(ode, Settings(), [])
    settings = Settings("ode_to_joy")
    for view, shown in (
        (take.view(), take.label),
        (studio.melody_view(ode.melody()), "Ode to joy"),
    ):
        *_, value = views.render_shown({"id": view["id"]}, ode, settings, [take])
        assert value["sound"] == "there" and shown in value["title"] and value["id"] == view["id"]
    others = views.render_shown({"id": "of another"}, ode, settings, [take])
    assert all(value == gr.skip() for value in others)


def test_a_recording_is_made_ready_for_the_player_once(hummed, monkeypatch):
    monkeypatch.setattr(live, "fault", lambda: "")
    take = make(hummed, Settings(), [])
    assert sound.voice_of(take.melody) is None
    *_, last = views.finish([take], views.shown(take, [take]).showing)
    file = sound.voice_of(take.melody)
    voice, rate = soundfile.read(file, dtype="float32")
    assert last.player["stems"].keys() == {VOICE} and last.player["sound"] == "live"
    assert abs(loudness(voice, rate) - voice_loudness()) < 0.5
    assert len(voice) / rate == pytest.approx(hummed.recording.seconds, abs=0.1)
    start = take.melody.transcription.start_of(take.song)
    assert last.player["voice_start"] == pytest.approx(-start, abs=1e-3)
    again = views.finish([take], views.shown(take, [take]).showing)
    assert all(each.player == gr.skip() for each in again)
    assert views.shown(take, [take]).player["stems"].keys() == {VOICE}


@pytest.mark.sound
def test_a_recording_with_nobody_beside_the_piano(hummed):
    take = make(hummed, Settings(instruments=()), [])
    assert done(sound.stems_of_take(take)) == "" and set(take.sounds) == {"piano", VOICE}
    assert sound.write_mix(take, sound.WITH_PIANO, "wav").is_file()
    with pytest.raises(MusicError, match="nobody plays beside"):
        sound.write_mix(take, sound.BAND_ALONE, "wav")


@pytest.mark.sound
def test_a_recording_that_went_away_is_said(hummed, tmp_path):
    copy = tmp_path / "gone.wav"
    shutil.copyfile(hummed.recording.source, copy)
    take = make(load_source(copy), Settings(), [])
    copy.unlink()
    assert done(sound.make_voice(take.melody)) is None and sound.voice_of(take.melody) is None
    message = done(sound.stems_of_take(take))
    assert "gone.wav" in message and take.sounds == {} and take.view()["sound"] == "none"


def test_another_take_of_a_take_has_no_settings_that_would_make_other_music(ode):
    first = make(ode, Settings(seed=1), [])
    again = make(ode, Settings(seed=2), [first], Remake(first, ["drums"]))
    assert again.is_retake and not first.is_retake and not again.has_settings
    assert "takes" in json.loads(again.files[1].read_text())  # its notes


def test_bars_are_counted_as_they_are_shown():
    song = Score(
        [Track(notes=[Note(60, 0.0, 14.0, 80)])],
        meters=[TimeSignature(0.0, 4, 4), TimeSignature(6.0, 4, 4)],
    )
    assert studio.span_of(song, (2, 2)) == (4.0, 6.0) and studio.span_of(song, (3, 99)) == (
        6.0,
        14.0,
    )


def test_old_folders_go():
    old = files.new_folder()
    new = files.new_folder(kept_seconds=-1)
    assert new.is_dir() and not old.exists()


# -- melodies that are made here ----------------------------------------------------------------


def test_an_invented_melody_is_one_like_any_other_and_brings_its_chords():
    settings = Settings(invented=MelodyRecipe("jazz", 8, 3), intro="bars")
    melody = inventing.invented_source(sing, settings.invented)
    assert (
        melody.name == "invented_jazz_3"
        and melody.score.tracks[0].notes == sing(settings.invented).tracks[0].notes
    )
    take = make(melody, settings, [])
    assert [(chord.onset, chord.symbol) for chord in take.song.chords[-2:]] == [
        (8.0, "Ebm"),
        (24.0, "Gb7"),
    ]  # after two bars
    corrected = make(melody, settings.corrected(pace=2.0).changed(intro="none"), [])
    assert [(chord.onset, chord.symbol) for chord in corrected.song.chords] == [
        (0.0, "Ebm"),
        (32.0, "Gb7"),
    ]
    assert (
        "C" in make(melody, settings.changed(chords="| C |"), []).chords
    )  # the visitor's own come first
    assert inventing.made_again(sing, go_on, take.settings, None).score == melody.score
    assert "jazz, seed 3" in inventing.origin(melody, settings)


def test_a_melody_goes_on_and_back(ode):
    corrected = Settings("ode_to_joy").corrected(tempo=90.0, key="D major")
    once, after = inventing.lengthen(go_on, ode, corrected, MelodyRecipe("pop", 4, 1))
    twice, both = inventing.lengthen(go_on, once, after, MelodyRecipe("rock", 8, 2))
    assert once.name == "ode_to_joy_and_4_more_bars" and twice.name == "ode_to_joy_and_12_more_bars"
    notes = ode.score.tracks[0].notes
    assert once.score.tracks[0].notes[: len(notes)] == notes and twice.score.end == 4.0 * (16 + 12)
    assert after.corrections == Corrections(key="D major")  # the tempo is now the melody's own
    assert once.score.tempos[0].bpm == pytest.approx(90, abs=0.01)
    assert make(twice, both, []).song.chords == [Chord(0.0, "G")]
    read = Settings.from_json(both.to_json())
    assert (
        inventing.made_again(sing, go_on, read, twice).score == twice.score
    )  # from what was brought, not from what it became
    assert inventing.shorten(twice, both) == (once, after) and inventing.shorten(once, after) == (
        ode,
        corrected,
    )
    with pytest.raises(MusicError, match="no bars were added"):
        inventing.shorten(ode, corrected)
    many = corrected.changed(continued=(MelodyRecipe("pop", 4),) * 8)
    with pytest.raises(MusicError, match="8 times"):
        inventing.lengthen(go_on, ode, many, MelodyRecipe("pop", 4))


def test_of_a_recording_that_goes_on_only_the_notes_are_left(hummed):
    longer, settings = inventing.lengthen(go_on, hummed, Settings(), MelodyRecipe("pop", 4, 1))
    take = make(longer, settings, [])
    assert take.melody.transcription is None and "Your recording is not played" in inventing.origin(
        longer, settings
    )
    assert inventing.shorten(longer, settings)[0] is hummed


# -- near a take --------------------------------------------------------------------------------


def test_a_style_is_asked_for_by_name_or_as_a_song_of_ones_own(ode, tmp_path):
    asked = []

    def ask(genre, score, options, *more):
        asked.append((options.styles, options.style_factor))
        return play(genre, score, replace(options, styles=()), *more)

    settings = Settings(styles=(("bossa_nova", 0.7), ("swing", 0.3)), style_factor=0.8)
    take = make(ode, settings, [], play=ask)
    assert asked == [((("bossa_nova", 0.7), ("swing", 0.3)), 0.8)]
    assert (
        take.label == "Ode to joy · Pop: like bossa nova and swing"
        and take.name == "ode_to_joy_pop_0_bossa_nova_swing"
    )
    song = Path(shutil.copyfile(EXAMPLES / "ode_to_joy.mid", tmp_path / "my_song.mid"))
    own = make(ode, Settings(), [], style=song, play=ask)
    assert asked[1:] == [(((song, 1.0),), 0.5)] and own.label == "Ode to joy · Pop: like my_song"
    assert not own.has_settings  # they would not make it again
    assert "takes" in json.loads(own.files[1].read_text())


def test_between_two_takes(ode):
    first, second = (make(ode, Settings("ode_to_joy", seed=seed), []) for seed in (1, 2))
    second.number = 2
    settings = moves.blended(first, second, 0.3)
    assert (
        settings.blend == Blend("pop", 2, 0.3) and moves.blended(first, second, 0) == first.settings
    )
    half = studio.make(play, first.melody, settings, [first, second])
    assert (
        half.label == "Ode to joy · Pop: 30 % towards Pop"
        and half.name == "ode_to_joy_pop_1_pop_2_0.3"
    )
    assert half.song.tracks[BASS].notes not in (
        first.song.tracks[BASS].notes,
        second.song.tracks[BASS].notes,
    )
    made = Settings.from_json(half.files[1].read_text())
    assert make(ode, made, []).song == half.song
    end = studio.make(
        play, first.melody, moves.blended(half, second, 1), [half]
    )  # on the same way, to its end
    assert end.song.tracks[BASS].notes == second.song.tracks[BASS].notes
    unused = make(ode, Settings("ode_to_joy", seed=3, style_factor=0.9), [])  # of no style
    assert moves.blended(first, unused, 0.3).blend == Blend("pop", 3, 0.3)
    again = make(ode, Settings("ode_to_joy", seed=3), [half], Remake(first, ["drums"]))
    busier = make(ode, Settings("ode_to_joy", seed=4, variation=0.5), [again])
    other = make(ode, Settings("ode_to_joy", seed=4).corrected(later=1), [busier])
    assert moves.partners([first, second, half, again, busier, other], half) == [second]
    for take, words in (
        (None, "choose the other"),
        (again, "remade"),
        (half, "a blend itself"),
        (busier, "variation"),
        (other, "differ in"),
        (first, "neither genre nor seed"),
    ):
        with pytest.raises(MusicError, match=words):
            moves.blended(first, take, 0.5)


def test_an_instrument_moves_step_by_step(ode):
    model = Accompanist.from_pretrained("pop")  # untrained ones know no directions

    def play(genre, score, options, redo, blend, explore):
        return model.perform(model.sketch(score, options).explored(explore))

    take = make(ode, Settings(seed=1), [], play=play)
    busier = studio.make(play, take.melody, moves.moved(take, "guitar", (1.0, 0.0, -0.5)), [take])
    assert busier.settings.explore == {
        "guitar": {"density": 1.0, "character": -0.5}
    } and busier.label.endswith("busier guitar, guitar otherwise")
    both = moves.moved(busier, "drums", (-2.0, 1.0, 0.0))  # drums have no variety
    assert both.explore == {
        "drums": {"density": -2.0},
        "guitar": {"density": 1.0, "character": -0.5},
    }
    assert (
        moves.amounts_of(busier, "guitar") == [1.0, 0.0, -0.5]
        and moves.amounts_of(busier, "bass") == [0.0] * 3
    )
    assert moves.moved(busier, "guitar", (0.0, 0.0, 0.0)) == take.settings
    assert busier.song.tracks[DRUMS].notes == take.song.tracks[DRUMS].notes
    # The bass plays the same, but for a note that would clash with the guitar.
    before, after = (each.song.tracks[BASS].notes for each in (take, busier))
    assert [note.onset for note in before] == [note.onset for note in after]
    assert sum(a.pitch != b.pitch for a, b in zip(before, after)) <= len(before) / 20
    quiet = make(ode, Settings(seed=1, instruments=("bass",)), [], play=play)
    with pytest.raises(MusicError, match="does not play"):
        moves.moved(quiet, "guitar", (1.0, 0.0, 0.0))
    again = make(ode, Settings(seed=2), [take], Remake(take, ["drums"]), play=play)
    with pytest.raises(MusicError, match="remade"):
        moves.moved(again, "guitar", (1.0, 0.0, 0.0))


def test_what_is_mixed_by_midi_is_shown_and_played_all_the_same(ode):
    take = make(ode, Settings(), [])
    for track in take.song.tracks:
        track.controls[:0] = [Control(0.0, number, 64) for number in (7, 10, 91, 93)]
    view = take.view()
    assert len(view["tracks"]) == 5 and studio.melody_view(take.melody)["tracks"]
