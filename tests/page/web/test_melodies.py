"""Melodies in the page: files, corrections, the microphone, settings, and what goes wrong."""

import io
import json
import shutil
import zipfile

import numpy as np
import pytest
import soundfile

from accomp import read_midi
from accomp.music.timing import mean_tempo
from accomp.roll.grid import BASS, MELODY
from accomp.sound.rates import LISTEN_RATE
from page.player import VOICE
from tests.page.web.visitor import (
    HUMMED_TEMPO,
    ODE,
    ROOT,
    SOUNDING,
    Visitor,
    assert_shows,
    by_name,
    shown_notes,
    written,
)
from tests.support.sounds import encoded

CLICKED_TEMPO = 132

# -- from a melody to a song --------------------------------------------------------------------


def test_an_example_becomes_a_song_that_is_heard(visit):
    with visit() as visitor:
        visitor.picture("start")
        visitor.example()
        assert visitor.waits_for_facts("16 bars").startswith(
            "Ode to joy: D major, 120 beats a minute, 4/4"
        )
        visitor.wait("p.song.tracks.length === 1")
        melody = read_midi(ODE).tracks[0].notes
        assert shown_notes(visitor)["piano"] == [
            [n.pitch, pytest.approx(n.onset / 2)] for n in melody
        ]
        assert visitor.accompany() == "Ode to joy · Pop"
        assert_shows(visitor, visitor.notes("ode_to_joy_pop_0"))
        visitor.waits_for_sound()
        visitor.picture("song")
        visitor.wait("p.position > 1 && p.sound.level > 0.001")
        at, head = visitor.ask(
            "[p.position, new DOMMatrix(getComputedStyle(p.find('playhead')).transform).m41]",
        )
        assert head == pytest.approx(at * visitor.ask("p.roll.scale"), abs=20)
        together = visitor.level()
        for name in ("melody", "drums", "guitar", "strings"):
            visitor.page.locator("#song").get_by_role("button", name=f"Mute {name}").click()
        assert 0 < visitor.level() < 0.8 * together
        visitor.page.locator("#song").get_by_role("button", name="Mute bass").click()
        visitor.wait("p.sound.level < 1e-4")
        canvas = visitor.page.locator("#song canvas")
        visitor.page.locator("#song .play").click()
        canvas.click(position={"x": 400, "y": 100})
        clicked = visitor.ask("(p.roll.left + 400) / p.roll.scale")
        assert visitor.ask("p.position") == pytest.approx(clicked, abs=0.05) and clicked > 5
        assert visitor.status() == ""


def test_downloads_are_the_take(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="jazz", seed=3)
        name = "little tune_jazz_3"
        song = visitor.notes(name)
        assert_shows(visitor, song)
        assert song.tracks[MELODY].notes == read_midi(tune).tracks[0].notes
        settings = json.loads(visitor.download(f"{name}.json"))
        assert len(settings.pop("takes")) == 1
        assert settings == {"accomp": 1, "genre": "jazz", "seed": 3, "shown": 0}
        assert visitor.keeps("Picture of the notes as PNG").startswith(b"\x89PNG")
        seconds = song.seconds(song.end)
        whole = visitor.keeps("Song as MP3")
        assert seconds <= soundfile.info(io.BytesIO(whole)).duration <= seconds + 5
        whole, _ = soundfile.read(io.BytesIO(visitor.keeps("Song as WAV")))
        archive = visitor.keeps("Stems as WAV, one for each instrument, in a zip")
        with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
            stems = {
                file: soundfile.read(io.BytesIO(bundle.read(file)))[0] for file in bundle.namelist()
            }
        assert set(stems) == {
            f"{name}_{track}.wav" for track, notes in by_name(song).items() if notes
        }
        mixed = sum(stems.values())
        assert len(mixed) == len(whole) and np.corrcoef(mixed.ravel(), whole.ravel())[0, 1] > 0.999
        band, _ = soundfile.read(io.BytesIO(visitor.keeps("Band alone as WAV, to sing to")))
        rest = mixed - stems[f"{name}_piano.wav"]
        assert np.corrcoef(band[: len(rest)].ravel(), rest[: len(band)].ravel())[0, 1] > 0.99
        sheet = visitor.keeps("Lead sheet as MusicXML").decode()
        assert sheet.count("<harmony") >= len(song.chords) and "Little tune" in sheet
        assert visitor.keeps("Lead sheet as PDF").startswith(b"%PDF")
        bass = read_midi(io.BytesIO(visitor.keeps("Bass as MIDI")))
        assert [track.name for track in bass.tracks] == ["bass"]
        assert bass.tracks[0].notes == song.tracks[BASS].notes and bass.chords == song.chords


def test_a_tracks_midi_can_be_dragged_into_another_program(visit):
    with visit() as visitor:
        visitor.accompany()
        visitor.sees_downloads()
        link = visitor.page.locator("#downloads").get_by_label("Bass as MIDI", exact=True)
        link.and_(visitor.page.locator("a")).wait_for()
        kind, name, address = link.evaluate(
            """link => {
                const dataTransfer = new DataTransfer();
                link.dispatchEvent(new DragEvent("dragstart", { dataTransfer }));
                return dataTransfer.getData("DownloadURL").match(/^(.*?):(.*?):(.*)$/).slice(1);
            }"""
        )
        assert (kind, name) == ("audio/midi", "ode_to_joy_pop_0_bass.mid")
        assert visitor.page.request.get(address).body().startswith(b"MThd")


def test_a_file_is_dropped_and_another_chosen(visit, tune, tmp_path):
    slow = written(tmp_path / "slow_air.mid", range(12), tempo=60, meter=(3, 4))
    with visit() as visitor:
        visitor.drop(tune)
        visitor.waits_for_facts("Little tune", "C major, 150 beats a minute, 4/4, 8 bars")
        visitor.bring(slow)
        visitor.waits_for_facts("Slow air", "60 beats a minute, 3/4, 4 bars")
        visitor.wait("p.song.tracks[0].notes.length === 12")


def test_of_two_melodies_the_later_one_stays(visit, tune, tmp_path):
    long = written(tmp_path / "long.mid", range(1200))
    with visit() as visitor:
        visitor.bring(long)
        visitor.waits_for_facts("Long", "300 bars")
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.wait("p.song.bars.length === 9")
        visitor.waits_for_sound()
        visitor.page.wait_for_timeout(1000)  # in which nothing else may come
        assert visitor.ask("p.song.bars.length") == 9


def test_a_file_that_has_an_examples_name_is_no_example(visit, tmp_path):
    with visit() as visitor:
        visitor.bring(written(tmp_path / ODE.name, range(16)))
        visitor.waits_for_facts("Ode to joy", "4 bars")
        visitor.accompany()
        assert "melody" not in json.loads(visitor.download("ode_to_joy_pop_0.json"))


def test_one_click_gives_a_band(visit):
    with visit() as visitor:
        assert visitor.accompany() == "Ode to joy · Pop"


def test_a_melody_is_invented_and_its_address_brings_it_back(visit):
    with visit() as visitor:
        visitor.press("Invent one")
        assert "with its own chords" in visitor.waits_for_facts("Invented pop", "16 bars")
        visitor.open("Settings of invented melodies")
        seed = visitor.page.get_by_label("Melody seed").input_value()
        assert visitor.accompany() == f"Invented pop {seed} · Pop"
        visitor.tune()
        visitor.page.get_by_label("8", exact=True).check()
        visitor.write("Melody seed", "3")
        visitor.press("Invent with this seed")
        facts = visitor.waits_for_facts("Invented pop 3", "8 bars")
        assert visitor.accompany() == "Invented pop 3 · Pop"
        midi = visitor.download("invented_pop_3_pop_0.mid")
        visitor.page.wait_for_function(
            "location.search.includes('%223%22') || location.search.includes('%3A3')"
        )
        query = visitor.page.url.partition("?")[2]
        visitor.stops()
    with visit(f"?{query}") as visitor:
        assert visitor.waits_for_facts("Invented pop 3") == facts
        visitor.waits_for_takes(1)
        assert visitor.download("invented_pop_3_pop_0.mid") == midi
        visitor.stops()


def test_a_melody_goes_on_and_its_address_brings_it_back(visit):
    with visit() as visitor:
        visitor.example()
        assert not visitor.page.get_by_role("button", name="Remove the last addition").count()
        visitor.tune()
        visitor.open("Correct or lengthen it")
        visitor.write("Chords", "| D  A |")
        visitor.press("Continue the melody")
        facts = visitor.waits_for_facts("Ode to joy and 8 more bars", "24 bars")
        chords = visitor.page.get_by_label("Chords").first
        assert chords.input_value() == ""  # they are the melody's own now
        visitor.accompany()
        midi = visitor.download("ode_to_joy_and_8_more_bars_pop_0.mid")
        played = [
            (chord.onset, chord.symbol)
            for chord in read_midi(io.BytesIO(midi)).chords
            if chord.onset < 4 * 16
        ]
        assert played == [(2.0 * half, "DA"[half % 2]) for half in range(32)]
        notes = read_midi(ODE).tracks[0].notes
        assert read_midi(io.BytesIO(midi)).tracks[MELODY].notes[: len(notes)] == notes
        visitor.page.wait_for_function("location.search.includes('continued')")
        query = visitor.page.url.partition("?")[2]
        visitor.open("Correct or lengthen it")
        visitor.press("Remove the last addition")
        visitor.page.get_by_role("button", name="Remove the last addition").wait_for(
            state="detached"
        )
        assert (
            "16 bars" in visitor.waits_for_facts("Ode to joy")
            and chords.input_value() == "| D  A |"
        )
        visitor.stops()
    with visit(f"?{query}") as visitor:
        assert visitor.waits_for_facts("24 bars") == facts
        visitor.waits_for_takes(1)
        assert visitor.download("ode_to_joy_and_8_more_bars_pop_0.mid") == midi
        visitor.stops()


# -- what was understood, and corrections -------------------------------------------------------


def test_corrections_of_a_midi_file_stay_in_the_song(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("C major, 150 beats a minute, 4/4, 8 bars")
        visitor.open("Correct or lengthen it")
        visitor.press("Half tempo")
        visitor.waits_for_facts("75 beats a minute, 4/4, 4 bars")
        visitor.press("Double tempo")
        visitor.waits_for_facts("150 beats a minute, 4/4, 8 bars")
        visitor.choose("Metre", "3/4")
        visitor.waits_for_facts("3/4, 11 bars")
        visitor.choose("Key", "A minor")
        visitor.waits_for_facts("A minor")
        visitor.write("Beats per minute", "90", "Enter")
        visitor.waits_for_facts("90 beats a minute")
        visitor.press("Bar lines a beat later")
        visitor.waits_for_facts("A minor, 90 beats a minute, 3/4")
        visitor.wait("p.song.tracks[0].notes[0][1] > 1.3")  # two beats of rest, at 90
        visitor.accompany()
        song = visitor.notes("little tune_pop_0")
        assert [note.pitch for note in song.tracks[MELODY].notes] == [
            note.pitch for note in read_midi(tune).tracks[0].notes
        ]
        assert mean_tempo(song) == pytest.approx(90, abs=0.1) and song.meters[-1][1:] == (3, 4)
        corrections = json.loads(visitor.download("little tune_pop_0.json"))["corrections"]
        assert corrections == {"tempo": 90, "meter": [3, 4], "later": 1, "key": "A minor"}


@pytest.mark.parametrize("kind", ["mp3"])
def test_a_recording_is_heard_beside_the_band(visit, hummed, kind, tmp_path):
    file = tmp_path / f"my_hum.{kind}"
    file.write_bytes(
        encoded(
            np.interp(np.arange(3 * len(hummed)) / 3, np.arange(len(hummed)), hummed),
            kind,
            3 * LISTEN_RATE,
        )
    )
    with visit() as visitor:
        visitor.bring(file)
        facts = visitor.waits_for_facts("My hum", "notes were found")
        assert f"{HUMMED_TEMPO} beats a minute" in facts
        visitor.picture("recording")
        visitor.accompany(genre="pop", seed=1)
        assert visitor.ask("p.song.tracks.map(t => t.label).slice(0, 2)") == [
            "you",
            "piano",
        ]
        assert visitor.ask("p.song.tracks.map(t => t.name).filter(name => !p.isHeard(name))") == [
            "piano"
        ]
        visitor.waits_for_sound()
        visitor.wait("p.live.recording && p.song.tracks[0].program === null")
        keys = visitor.page.get_by_label("Key, in semitones")
        keys.select_option("1")  # which no recording can follow
        assert visitor.ask(f"!p.isHeard('{VOICE}') && p.isHeard('piano')")
        visitor.page.locator("#song .source").get_by_text("A recording can't follow").wait_for()
        keys.select_option("0")
        assert visitor.ask(f"p.isHeard('{VOICE}') && !p.isHeard('piano')")
        visitor.open("Correct or lengthen it")
        for press, tempo in (
            ("Double tempo", 2 * HUMMED_TEMPO),
            ("Half tempo", HUMMED_TEMPO),
            ("Half tempo", HUMMED_TEMPO // 2),
        ):
            visitor.press(press)
            visitor.waits_for_facts(f"{tempo} beats a minute")
        before = visitor.ask("p.song.tracks[0].notes[0][1]")
        visitor.press("Bar lines a beat later")
        visitor.wait(f"p.song.tracks[0].notes[0][1] !== {before}")
        visitor.choose("Key", "G major")
        visitor.waits_for_facts("G major")
        visitor.accompany(seed=2)
        assert mean_tempo(visitor.notes("my_hum_pop_2")) == pytest.approx(HUMMED_TEMPO / 2, abs=1.5)
        assert visitor.ask(f"p.isHeard('{VOICE}') && !p.isHeard('piano')")


# -- the microphone -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def microphone(hummed, tmp_path_factory):
    """Flags of a browser whose microphone hears the humming, over and over."""
    file = tmp_path_factory.mktemp("microphone") / "hum.wav"
    soundfile.write(
        file,
        np.interp(np.arange(3 * len(hummed)) / 3, np.arange(len(hummed)), hummed),
        3 * LISTEN_RATE,
    )
    return (
        *SOUNDING,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}",
    )


def test_what_is_recorded_is_a_melody(visit, microphone):
    with visit(flags=microphone) as visitor:
        visitor.page.locator("#record").click()
        recorder = visitor.page.locator("#recorder")
        recorder.get_by_role("button", name="Record").click()
        recorder.get_by_text("Recording. Press Stop").wait_for()
        visitor.page.wait_for_timeout(6000)
        recorder.get_by_role("button", name="Stop").click()
        visitor.waits_for_facts("notes were found")
        assert visitor.ask("p.song.tracks.map(t => t.label)") == ["you", "piano"]


def test_what_is_recorded_to_the_click_has_its_tempo_and_metre(visit, microphone):
    with visit(flags=microphone) as visitor:
        visitor.page.locator("#record").click()
        recorder = visitor.page.locator("#recorder")
        recorder.get_by_label("With a click").check()
        recorder.get_by_label("Tempo").fill(str(CLICKED_TEMPO))
        recorder.get_by_label("Metre").select_option("3/4")
        recorder.get_by_role("button", name="Record").click()
        recorder.get_by_text("Recording. Press Stop").wait_for()
        visitor.page.wait_for_timeout(6000)
        recorder.get_by_role("button", name="Stop").click()
        visitor.waits_for_facts(f"{CLICKED_TEMPO} beats a minute, 3/4", "notes were found")
        visitor.accompany()
        song = visitor.notes(visitor.download_name(".mid").removesuffix(".mid"))
        assert mean_tempo(song) == pytest.approx(CLICKED_TEMPO, abs=0.5) and song.meters[0][1:] == (
            3,
            4,
        )


# -- settings -----------------------------------------------------------------------------------


def test_address_and_settings_file_bring_all_back(visit, tmp_path):
    with visit() as visitor:
        visitor.example("Auld lang syne")
        visitor.open("Correct or lengthen it")
        visitor.write("Beats per minute", "77", "Enter")
        visitor.waits_for_facts("77 beats a minute")
        visitor.tune()
        visitor.page.get_by_role("checkbox", name="strings").uncheck()
        visitor.write("Chords", "| F  C7 | F  Bb |")
        visitor.choose("Introduction", "bars")
        visitor.accompany(genre="folk", seed=12)
        midi = visitor.download("auld_lang_syne_folk_12.mid")
        settings = tmp_path / "settings.json"
        settings.write_bytes(visitor.download("auld_lang_syne_folk_12.json"))
        visitor.page.wait_for_function("location.search.includes('seed=12')")
        query = visitor.page.url.partition("?")[2]
        visitor.stops()

    def finds_all(visitor: Visitor) -> None:
        visitor.waits_for_takes(1)  # with which the inputs fold away
        visitor.waits_for_facts("Auld lang syne", "77 beats a minute")
        page = visitor.page
        page.wait_for_function(
            "[...document.querySelectorAll('input')].some(input => input.value === '12')"
        )
        assert (
            page.get_by_label("Seed", exact=True).input_value() == "12"
            and page.get_by_role("radio", name="Folk").is_checked()
        )
        visitor.tune()
        assert (
            not page.get_by_role("checkbox", name="strings").is_checked()
            and page.get_by_role("checkbox", name="drums").is_checked()
        )
        assert visitor.download("auld_lang_syne_folk_12.mid") == midi
        visitor.stops()

    with visit(f"?{query}") as visitor:
        finds_all(visitor)
    with visit() as visitor:
        visitor.tune()
        with visitor.page.expect_file_chooser() as chooser:
            visitor.press("Open a settings file")
        chooser.value.set_files(settings)
        finds_all(visitor)


def test_an_address_that_makes_no_sense_is_told(visit):
    with visit("?seed=many&genre=pop") as visitor:
        assert "'many'" in visitor.reads("link was not understood")
        visitor.example()
    with visit("?genre=polka&melody=none&utm_source=x") as visitor:  # what is not there is left out
        visitor.example()
        assert visitor.accompany() == "Ode to joy · Pop"


# -- what goes wrong ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    """Files that hold no melody, and words of what is said of each."""
    folder = tmp_path_factory.mktemp("bad")
    rng = np.random.default_rng(0)
    (folder / "empty.mid").write_bytes(b"")
    (folder / "text.mid").write_text("a little text")
    written(folder / "drums.mid", range(16), is_drum=True)
    soundfile.write(folder / "silence.wav", np.zeros(4 * LISTEN_RATE), LISTEN_RATE)
    soundfile.write(folder / "noise.wav", 0.2 * rng.normal(size=4 * LISTEN_RATE), LISTEN_RATE)
    shutil.copy(ROOT / "docs" / "auld_lang_syne.png", folder / "picture.wav")
    return {
        folder / "empty.mid": "empty",
        folder / "text.mid": "nor a recording",
        folder / "drums.mid": "drums",
        folder / "silence.wav": "silen",
        folder / "noise.wav": "no melody was found",
        folder / "picture.wav": "picture",
    }


def test_bad_files_are_explained_and_nothing_is_lost(visit, bad_files, tune):
    with visit() as visitor:
        visitor.example()
        visitor.accompany()
        visitor.waits_for_sound()
        facts = visitor.waits_for_facts("Ode to joy")
        for file, words in bad_files.items():
            visitor.bring(file)
            assert words in visitor.reads("").lower(), file.name
            assert visitor.waits_for_facts("Ode to joy") == facts and visitor.ask(
                "p.sound.isLoaded"
            )
            for part in ("#facts", "#melody", "#song"):  # nothing is veiled
                assert not visitor.page.locator(part).get_by_text("Error", exact=True).is_visible()
        assert visitor.accompany(seed=1) == "Ode to joy · Pop, 2"
        visitor.stops()
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
