"""The page as its visitors have it: app.py with its models in a process of its own, in a real browser."""

import io
import json
import re
import shutil
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from accomp import Note, Score, Tempo, TimeSignature, Track, genres, read_midi, write_midi
from accomp.grid import MELODY, TRACK_NAMES
from accomp.notes_net import RATE
from accomp.timing import mean_tempo
from page.player import VOICE
from page.settings import BAND
from page.words import GERMAN
from tests.browser import chromium, watched_page  # noqa: F401  a fixture
from tests.server import serving
from tests.sounds import encoded
from train import voices
from train.voices import Manner

ROOT = Path(__file__).parent.parent
ODE = ROOT / "examples" / "ode_to_joy.mid"
PICTURES = ROOT / "test-results"  # what the page looked like; not in the repository
PATIENCE = 90  # seconds: sound on a busy machine
SOUNDING = ("--autoplay-policy=no-user-gesture-required",)
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
HUMMED_TEMPO = 100
CLICKED_TEMPO = 132

pytestmark = [
    pytest.mark.skipif(shutil.which("fluidsynth") is None, reason="FluidSynth is not installed"),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc"),
    pytest.mark.skipif(not genres(), reason="no models are there"),
]


class Visitor:
    """Somebody at the page. Players are `melody` and `song`."""

    def __init__(self, page):
        self.page = page

    # What is done

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def bring(self, file: Path) -> None:
        """Chooses a file, in place of the one that is there."""
        clear = self.page.get_by_role("tabpanel").get_by_role("button", name="Clear")
        if clear.count():
            clear.click()
        self.page.get_by_test_id("file-upload").first.set_input_files(file)

    def drop(self, file: Path) -> None:
        handle = self.page.evaluate_handle(
            """([bytes, name]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(bytes)], name));
                return transfer;
            }""",
            [list(file.read_bytes()), file.name],
        )
        zone = self.page.locator("button:has([data-testid=file-upload])").first
        for event in ("dragenter", "dragover", "drop"):
            zone.dispatch_event(event, {"dataTransfer": handle})

    def choose(self, label: str, value: str) -> None:
        """In a list that opens."""
        box = self.page.get_by_role("combobox", name=label, exact=True)
        box.click()
        self.page.get_by_role("option", name=value, exact=True).click()

    def open(self, accordion: str) -> None:
        self.page.get_by_role("button", name=accordion).first.click()
        self.settles()

    def write(self, label: str, text: str, key: str = "") -> None:
        """Into a box, the first of its label; then a key is pressed."""
        box = self.page.get_by_label(label).first
        box.wait_for()
        self.settles()
        box.fill(text)
        if key:
            box.press(key)

    def settles(self) -> None:
        """Until widgets that have just appeared have their values: Gradio sets them some 50 ms later, over what was typed
        by then, and nothing else shows it."""
        self.page.evaluate(
            "() => new Promise((resolve) => setTimeout(() => requestIdleCallback(resolve, { timeout: 5000 }), 300))"
        )

    def example(self, title: str = "Ode to joy") -> None:
        self.press(title)
        self.waits_for_facts(title)

    def accompany(self, **settings) -> str:
        """A song for the melody; gives its title as soon as it is shown."""
        for label, value in settings.items():
            if label == "seed":
                self.page.get_by_label("Seed", exact=True).fill(str(value))
            else:
                self.choose(label.capitalize(), value)
        return self.makes("Accompany")

    def makes(self, button: str) -> str:
        """Presses a button that makes a take; gives the take's title."""
        before = self.title()
        self.press(button)
        self.wait("song", f"p.song && p.song.title !== {json.dumps(before)}")
        return self.title()

    def select_bars(self, first: int, last: int) -> None:
        """By a drag over the song's ruler; counted from 0."""
        ruler = self.page.locator("#song .ruler")
        ruler.scroll_into_view_if_needed()
        box = ruler.bounding_box()
        xs = [box["x"] + self.ask("song", f"p.song.bars[{bar}] * p.roll.scale - p.roll.left") + 8 for bar in (first, last)]
        self.page.mouse.move(xs[0], box["y"] + 8)
        self.page.mouse.down()
        self.page.mouse.move(xs[1], box["y"] + 8, steps=3)
        self.page.mouse.up()

    # What is seen and heard

    def ask(self, player: str, expression: str):
        """A JavaScript expression of `p`, the player."""
        find = f"document.querySelector('#{player} .player').player"
        return self.page.evaluate(f"(() => {{ const p = {find}; return {expression} }})()")

    def wait(self, player: str, condition: str) -> None:
        find = f"document.querySelector('#{player} .player')?.player"
        self.page.wait_for_function(f"() => {{ const p = {find}; return p && ({condition}) }}", timeout=1000 * PATIENCE)

    def waits_for_sound(self, player: str = "song") -> None:
        self.wait(player, "p.sound.isLoaded && p.find('status').textContent === 'ready'")

    def waits_for_facts(self, *words: str) -> str:
        """Until what is said of the melody has all these words."""
        for word in words:
            self.page.locator("#facts").get_by_text(word).first.wait_for(timeout=1000 * PATIENCE)
        return self.page.locator("#facts").inner_text()

    def reads(self, words: str) -> str:
        """Until a message with these words is there; gives it, and puts all messages away."""
        message = self.page.get_by_test_id("toast-body").filter(has_text=words).first
        message.wait_for(timeout=1000 * PATIENCE)
        text = message.inner_text()
        for close in self.page.get_by_test_id("toast-close").all():
            close.click()
        self.page.get_by_test_id("toast-body").first.wait_for(state="detached")
        return text

    def title(self) -> str:
        """Of the song that is shown."""
        return self.page.evaluate("document.querySelector('#song .player')?.player?.song?.title ?? ''")

    def status(self) -> str:
        return self.page.locator("#status").get_by_test_id("markdown").inner_text().strip()

    def takes(self) -> list[str]:
        return self.page.locator("#takes label").all_inner_texts()

    def level(self) -> float:
        """How loud the song is now: the mean of some moments."""
        return self.page.evaluate(
            """async () => {
                const { sound } = document.querySelector('#song .player').player, levels = [];
                for (let i = 0; i < 15; i++) {
                    await new Promise((resolve) => setTimeout(resolve, 40));
                    levels.push(sound.level);
                }
                return levels.reduce((sum, level) => sum + level, 0) / levels.length;
            }"""
        )

    def download(self, name: str) -> bytes:
        """A file of the take that is shown."""
        link = self.page.locator(f"#downloads a[download='{name}']")
        link.wait_for(timeout=1000 * PATIENCE)
        answer = self.page.request.get(link.get_attribute("href"))
        assert answer.ok
        return answer.body()

    def download_name(self, ending: str) -> str:
        """Of the file of the take that is shown, which ends so."""
        return self.page.locator(f"#downloads a[download$='{ending}']").first.get_attribute("download")

    def notes(self, name: str) -> Score:
        return read_midi(io.BytesIO(self.download(f"{name}.mid")))

    def picture(self, name: str) -> None:
        PICTURES.mkdir(exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def width(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth")


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


@pytest.fixture
def visit(chromium, server):  # noqa: F811
    """visit(query="", flags=..., **context) -> Visitor, each in a browser context of its own. In the end none of their pages may
    have complained or asked another host."""
    opened = []

    @contextmanager
    def visiting(query: str = "", flags=SOUNDING, ready: str = "Accompany", **context):
        with watched_page(chromium(*flags), **{"viewport": DESK, **context}) as (page, watch):
            opened.append(watch)
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(server.url + query)
            page.get_by_role("button", name=ready).wait_for()
            yield Visitor(page)

    yield visiting
    for watch in opened:
        # Gradio refuses its own requests to cancel what was begun a moment ago (422), or is being cancelled already (500).
        assert not [error for error in watch.errors if "/gradio_api/cancel" not in error] and not watch.foreign


@pytest.fixture(scope="module")
def tune(tmp_path_factory):
    """Eight bars for the piano, at 150, so that its sound is there soon."""
    return written(tmp_path_factory.mktemp("tunes") / "little tune.mid", range(32))


@pytest.fixture(scope="module")
def hummed(tmp_path_factory):
    """The first six bars of the Ode, hummed: samples at RATE."""
    notes = read_midi(ODE).tracks[0].notes[:22]
    line = [(note.pitch - 12, note.onset, note.duration) for note in notes]
    sung, _, _ = voices.perform(line, np.random.default_rng(2), HUMMED_TEMPO, 0.0, 0.01)
    sound = voices.voice(sung, Manner((0.1, 0.2)), np.random.default_rng(3), "hum")
    return voices.record(sound, np.random.default_rng(4), 30)


def written(file: Path, steps, tempo: float = 150, meter: tuple[int, int] = (4, 4), is_drum: bool = False) -> Path:
    """A MIDI file: a note each beat, on the steps of a major scale up and down."""
    scale = (60, 62, 64, 65, 67, 69, 71, 72)
    pitches = [scale[abs((step * 3) % 14 - 7)] for step in steps]
    notes = [Note(pitch, float(beat), 0.9, 80) for beat, pitch in enumerate(pitches)]
    write_midi(Score([Track("tune", 0, is_drum, notes)], [Tempo(0.0, round(60e6 / tempo))], [TimeSignature(0.0, *meter)]), file)
    return file


def by_name(song: Score) -> dict[str, list[tuple]]:
    """(pitch, onset, duration) of each track's notes."""
    return {name: [note[:3] for note in track.notes] for name, track in zip(TRACK_NAMES, song.tracks)}


def shown_notes(visitor: Visitor, player: str = "song") -> dict[str, list]:
    """[pitch, onset s] of each track in the roll."""
    return {track["name"]: [note[:2] for note in track["notes"]] for track in visitor.ask(player, "p.song.tracks")}


def assert_shows(visitor: Visitor, song: Score) -> None:
    """What the roll shows is what the MIDI file holds. A MIDI file's places are whole ticks."""
    shown = shown_notes(visitor)
    for name, track in zip(TRACK_NAMES, song.tracks):
        expected = sorted([note.pitch, song.seconds(note.onset)] for note in track.notes)
        assert len(shown[name]) == len(expected)
        assert np.allclose(np.array(sorted(shown[name])), np.array(expected), atol=0.003)


# -- from a melody to a song ---------------------------------------------------------------------------------------------


def test_an_example_becomes_a_song_that_is_heard(visit):
    with visit() as visitor:
        visitor.picture("start")
        visitor.example()
        assert visitor.waits_for_facts("16 bars").startswith("Ode to joy: D major, 120 beats a minute, 4/4")
        visitor.wait("melody", "p.song.tracks.length === 1")
        melody = read_midi(ODE).tracks[0].notes
        assert shown_notes(visitor, "melody")["piano"] == [[n.pitch, pytest.approx(n.onset / 2)] for n in melody]
        assert visitor.accompany() == "1: pop, seed 0"
        assert visitor.status() == "Making the sound…"
        assert_shows(visitor, visitor.notes("ode_to_joy_pop_0"))
        visitor.waits_for_sound()
        visitor.picture("song")
        visitor.page.locator("#song .play").click()
        visitor.wait("song", "p.position > 1 && p.sound.level > 0.001")
        at, head = visitor.ask("song", "[p.position, new DOMMatrix(getComputedStyle(p.find('playhead')).transform).m41]")
        assert head == pytest.approx(at * visitor.ask("song", "p.roll.scale"), abs=20)
        together = visitor.level()
        for name in ("melody", "drums", "guitar", "strings"):
            visitor.page.locator("#song").get_by_role("button", name=f"Mute {name}").click()
        assert 0 < visitor.level() < 0.8 * together
        visitor.page.locator("#song").get_by_role("button", name="Mute bass").click()
        visitor.wait("song", "p.sound.level === 0")
        canvas = visitor.page.locator("#song canvas")
        visitor.page.locator("#song .play").click()
        canvas.click(position={"x": 400, "y": 100})
        clicked = visitor.ask("song", "(p.roll.left + 400) / p.roll.scale")
        assert visitor.ask("song", "p.position") == pytest.approx(clicked, abs=0.05) and clicked > 5
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
        assert json.loads(visitor.download(f"{name}.json")) == {"genre": "jazz", "seed": 3}
        assert visitor.download(f"{name}.png").startswith(b"\x89PNG")
        seconds = song.seconds(song.end)
        assert seconds <= soundfile.info(io.BytesIO(visitor.download(f"{name}.mp3"))).duration <= seconds + 5
        visitor.press("Prepare WAV and stems")
        whole, rate = soundfile.read(io.BytesIO(visitor.download(f"{name}.wav")))
        with zipfile.ZipFile(io.BytesIO(visitor.download(f"{name}_stems.zip"))) as bundle:
            stems = {file: soundfile.read(io.BytesIO(bundle.read(file)))[0] for file in bundle.namelist()}
        assert set(stems) == {f"{name}_{track}.wav" for track, notes in by_name(song).items() if notes}
        mixed = sum(stems.values())
        assert len(mixed) == len(whole) and np.corrcoef(mixed.ravel(), whole.ravel())[0, 1] > 0.999
        with visitor.page.expect_download() as download:
            visitor.page.locator(f"#downloads a[download='{name}.mid']").click()
        assert download.value.suggested_filename == f"{name}.mid"


def test_a_file_is_dropped_and_another_chosen(visit, tune, tmp_path):
    slow = written(tmp_path / "slow_air.mid", range(12), tempo=60, meter=(3, 4))
    with visit() as visitor:
        visitor.drop(tune)
        visitor.waits_for_facts("Little tune", "C major, 150 beats a minute, 4/4, 8 bars")
        visitor.bring(slow)
        visitor.waits_for_facts("Slow air", "60 beats a minute, 3/4, 4 bars")
        visitor.wait("melody", "p.song.tracks[0].notes.length === 12")


def test_of_two_melodies_the_later_one_stays(visit, tune, tmp_path):
    long = written(tmp_path / "long.mid", range(1200))
    with visit() as visitor:
        visitor.bring(long)
        visitor.waits_for_facts("Long", "300 bars")
        visitor.bring(tune)  # while the sound of the long one is made
        visitor.waits_for_facts("Little tune")
        visitor.wait("melody", "p.song.bars.length === 9")
        visitor.waits_for_sound("melody")
        visitor.page.wait_for_timeout(3000)  # in which the other sound comes
        assert visitor.ask("melody", "p.song.bars.length") == 9


def test_a_file_that_has_an_examples_name_is_no_example(visit, tmp_path):
    with visit() as visitor:
        visitor.bring(written(tmp_path / ODE.name, range(16)))
        visitor.waits_for_facts("Ode to joy", "4 bars")
        visitor.accompany()
        assert "melody" not in json.loads(visitor.download("ode_to_joy_pop_0.json"))


def test_without_a_melody_it_says_what_to_do(visit):
    with visit() as visitor:
        for button in ("Accompany", "Three takes"):
            visitor.press(button)
            assert "Bring a melody first" in visitor.reads("Bring a melody first")
        assert not visitor.page.locator("#song").is_visible()


def test_one_is_tried_for_me(visit):
    with visit() as visitor:
        assert visitor.makes("No melody at hand? Try one for me").startswith("1: ")
        seed, genre = (visitor.page.get_by_label(label, exact=True).input_value() for label in ("Seed", "Genre"))
        assert visitor.title() == f"1: {genre}, seed {seed}" and visitor.waits_for_facts(" bars")
        visitor.press("Stop")
        visitor.waits_for_sound("melody")


def test_a_melody_is_invented_and_its_address_brings_it_back(visit):
    with visit() as visitor:
        visitor.open("How a melody is invented")
        assert visitor.makes("Surprise me: invent one") == "1: pop, seed 0"
        seed = visitor.page.get_by_label("The melody's seed").input_value()
        assert "with chords of its own" in visitor.waits_for_facts(f"Invented pop {seed}", "16 bars")
        visitor.page.get_by_label("8", exact=True).check()
        visitor.write("The melody's seed", "3")
        visitor.makes("Invent this one")
        facts = visitor.waits_for_facts("Invented pop 3", "8 bars")
        midi = visitor.download("invented_pop_3_pop_0.mid")
        visitor.page.wait_for_function("location.search.includes('invented')")
        query = visitor.page.url.partition("?")[2]
        visitor.press("Stop")
    with visit(f"?{query}") as visitor:
        assert visitor.waits_for_facts("Invented pop 3") == facts
        visitor.accompany()
        assert visitor.download("invented_pop_3_pop_0.mid") == midi
        visitor.press("Stop")


def test_a_melody_goes_on_and_its_address_brings_it_back(visit):
    with visit() as visitor:
        visitor.example()
        assert not visitor.page.get_by_role("button", name="Without what was added").count()
        visitor.press("Go on")
        facts = visitor.waits_for_facts("Ode to joy and 8 more bars", "24 bars")
        visitor.accompany()
        midi = visitor.download("ode_to_joy_and_8_more_bars_pop_0.mid")
        notes = read_midi(ODE).tracks[0].notes
        assert read_midi(io.BytesIO(midi)).tracks[MELODY].notes[: len(notes)] == notes
        visitor.page.wait_for_function("location.search.includes('continued')")
        query = visitor.page.url.partition("?")[2]
        visitor.press("Without what was added")
        visitor.page.get_by_role("button", name="Without what was added").wait_for(state="detached")
        assert "16 bars" in visitor.waits_for_facts("Ode to joy")
        visitor.press("Stop")
    with visit(f"?{query}") as visitor:
        assert visitor.waits_for_facts("24 bars") == facts
        visitor.accompany()
        assert visitor.download("ode_to_joy_and_8_more_bars_pop_0.mid") == midi
        visitor.press("Stop")


# -- what was understood, and corrections --------------------------------------------------------------------------------


def test_corrections_of_a_midi_file_stay_in_the_song(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("C major, 150 beats a minute, 4/4, 8 bars")
        visitor.open("Is something wrong with it?")
        visitor.press("Half tempo")
        visitor.waits_for_facts("75 beats a minute, 4/4, 4 bars")
        visitor.press("Double tempo")
        visitor.waits_for_facts("150 beats a minute, 4/4, 8 bars")
        visitor.choose("Metre", "3/4")
        visitor.waits_for_facts("3/4, 11 bars")
        visitor.choose("Key", "A minor")
        visitor.waits_for_facts("A minor")
        visitor.write("Beats a minute", "90", "Enter")
        visitor.waits_for_facts("90 beats a minute")
        visitor.press("Bar lines a beat later")
        visitor.waits_for_facts("A minor, 90 beats a minute, 3/4")
        visitor.wait("melody", "p.song.tracks[0].notes[0][1] > 1.3")  # two beats of rest, at 90
        visitor.accompany()
        song = visitor.notes("little tune_pop_0")
        assert [note.pitch for note in song.tracks[MELODY].notes] == [note.pitch for note in read_midi(tune).tracks[0].notes]
        assert mean_tempo(song) == pytest.approx(90, abs=0.1) and song.meters[-1][1:] == (3, 4)
        corrections = json.loads(visitor.download("little tune_pop_0.json"))["corrections"]
        assert corrections == {"tempo": 90, "meter": [3, 4], "later": 1, "key": "A minor"}


@pytest.mark.parametrize("kind", ["mp3"])
def test_a_recording_is_heard_beside_the_band(visit, hummed, kind, tmp_path):
    file = tmp_path / f"my_hum.{kind}"
    file.write_bytes(encoded(np.interp(np.arange(3 * len(hummed)) / 3, np.arange(len(hummed)), hummed), kind, 3 * RATE))
    with visit() as visitor:
        visitor.bring(file)
        facts = visitor.waits_for_facts("My hum", "notes were heard")
        assert f"{HUMMED_TEMPO} beats a minute" in facts
        visitor.picture("recording")
        visitor.accompany(genre="pop", seed=1)
        assert visitor.ask("song", "p.song.tracks.map(t => t.label).slice(0, 2)") == ["you", "piano"]
        assert visitor.ask("song", "p.song.tracks.map(t => t.name).filter(name => !p.isHeard(name))") == ["piano"]
        visitor.waits_for_sound()
        assert visitor.ask("song", f"p.sound.buffers.has('{VOICE}')")
        visitor.open("Is something wrong with it?")
        for press, tempo in (("Double tempo", 2 * HUMMED_TEMPO), ("Half tempo", HUMMED_TEMPO), ("Half tempo", HUMMED_TEMPO // 2)):
            visitor.press(press)
            visitor.waits_for_facts(f"{tempo} beats a minute")
        before = visitor.ask("melody", "p.song.tracks[0].notes[0][1]")
        visitor.press("Bar lines a beat later")
        visitor.wait("melody", f"p.song.tracks[0].notes[0][1] !== {before}")
        visitor.choose("Key", "G major")
        visitor.waits_for_facts("G major")
        visitor.accompany(seed=2)
        assert mean_tempo(visitor.notes("my_hum_pop_2")) == pytest.approx(HUMMED_TEMPO / 2, abs=1.5)
        assert visitor.ask("song", f"p.isHeard('{VOICE}') && !p.isHeard('piano')")


# -- the microphone ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def microphone(hummed, tmp_path_factory):
    """Flags of a browser whose microphone hears the humming, over and over."""
    file = tmp_path_factory.mktemp("microphone") / "hum.wav"
    soundfile.write(file, np.interp(np.arange(3 * len(hummed)) / 3, np.arange(len(hummed)), hummed), 3 * RATE)
    return (*SOUNDING, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={file}")  # fmt: skip


def test_what_is_recorded_is_a_melody(visit, microphone):
    with visit(flags=microphone) as visitor:
        visitor.page.get_by_role("tab", name="Record", exact=True).click()
        visitor.press("Record")
        visitor.page.wait_for_timeout(6000)
        visitor.page.get_by_role("tabpanel").get_by_role("button", name="Stop").click()
        visitor.waits_for_facts("notes were heard")
        assert visitor.ask("melody", "p.song.tracks.map(t => t.label)") == ["you", "piano"]


def test_what_is_recorded_to_the_click_has_its_tempo_and_metre(visit, microphone):
    with visit(flags=microphone) as visitor:
        visitor.page.get_by_role("tab", name="Record with a click").click()
        recorder = visitor.page.locator("#recorder")
        recorder.get_by_label("Tempo").fill(str(CLICKED_TEMPO))
        recorder.get_by_label("Metre").select_option("3/4")
        recorder.get_by_role("button", name="Record").click()
        recorder.get_by_text("Recording. Press Stop").wait_for()
        visitor.page.wait_for_timeout(6000)
        recorder.get_by_role("button", name="Stop").click()
        visitor.waits_for_facts(f"{CLICKED_TEMPO} beats a minute, 3/4", "notes were heard")
        visitor.accompany()
        song = visitor.notes(visitor.download_name(".mid").removesuffix(".mid"))
        assert mean_tempo(song) == pytest.approx(CLICKED_TEMPO, abs=0.5) and song.meters[0][1:] == (3, 4)


# -- takes ---------------------------------------------------------------------------------------------------------------


def test_what_is_locked_stays_and_the_rest_is_made_anew(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="rock", seed=5)
        first = by_name(visitor.notes("little tune_rock_5"))
        for name in ("drums", "bass"):
            visitor.page.get_by_role("button", name=f"Lock {name}").click()
        assert visitor.makes("Another take of it") == "2: rock, seed 6"
        second = by_name(visitor.notes("little tune_rock_6"))
        assert {name for name in BAND if first[name] == second[name]} == {"drums", "bass"}
        visitor.choose("Make anew", "bass")  # whatever is locked
        visitor.makes("Another take of it")
        third = by_name(visitor.notes("little tune_rock_7"))
        assert {name for name in BAND if second[name] != third[name]} == {"bass"}
        for name in ("guitar", "strings"):
            visitor.page.get_by_role("button", name=f"Lock {name}").click()
        visitor.choose("Make anew", "all that is not locked")
        visitor.press("Another take of it")
        assert "nothing can change" in visitor.reads("nothing can change")
        assert visitor.takes() == ["1: rock, seed 5", "2: rock, seed 6", "3: rock, seed 7"]


def test_only_the_selected_bars_are_made_anew(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(genre="latin", seed=1)
        first = by_name(visitor.notes("little tune_latin_1"))
        visitor.select_bars(4, 5)
        visitor.page.locator("#song .picked").get_by_text("Bars 5–6").wait_for()
        visitor.makes("Another take of it")
        second = by_name(visitor.notes("little tune_latin_2"))
        changed = [note for name in BAND for note in set(first[name]) ^ set(second[name])]
        assert changed and all(15.5 <= onset < 24 for _, onset, _ in changed)


def test_a_take_that_comes_while_the_sound_of_another_is_made_is_kept(visit):
    with visit() as visitor:
        visitor.example("Greensleeves")
        visitor.waits_for_sound("melody")
        visitor.accompany(seed=1)
        assert visitor.makes("Another take of it") == "2: pop, seed 2"  # before the first one has sound
        seed = visitor.page.get_by_label("Seed", exact=True)
        seed.fill("55")
        visitor.waits_for_sound()
        assert seed.input_value() == "55"  # what was typed meanwhile
        assert visitor.title() == "2: pop, seed 2" and visitor.takes() == ["1: pop, seed 1", "2: pop, seed 2"]


def test_three_takes_to_choose_from(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.page.get_by_label("Seed", exact=True).fill("7")
        assert visitor.makes("Three takes") == "1: pop, seed 7"
        visitor.waits_for_sound()
        first = shown_notes(visitor)
        assert visitor.takes() == ["1: pop, seed 7", "2: pop, seed 8", "3: pop, seed 9"]
        visitor.page.get_by_label("3: pop, seed 9").click()
        visitor.wait("song", "p.song.title === '3: pop, seed 9'")
        assert visitor.page.get_by_label("Seed", exact=True).input_value() == "9" and shown_notes(visitor) != first
        assert_shows(visitor, visitor.notes("little tune_pop_9"))
        visitor.waits_for_sound()  # it is made when the take is first looked at
        for title in ("2: pop, seed 8", "1: pop, seed 7"):
            assert visitor.makes("Undo") == title
        assert shown_notes(visitor) == first
        visitor.waits_for_sound()
        visitor.press("Undo")
        assert "no earlier take" in visitor.reads("no earlier take")
        assert visitor.title() == "1: pop, seed 7" and len(visitor.takes()) == 3


def test_a_band_in_the_style_of_other_songs(visit, tune, tmp_path):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.open("In the style of")
        visitor.choose("Style", "bossa nova (latin)")
        assert visitor.accompany() == "1: pop, seed 0, bossa nova"
        visitor.choose("And another style", "swing (jazz)")
        assert visitor.accompany() == "2: pop, seed 0, bossa nova + swing"
        name = "little tune_pop_0_bossa_nova_swing"
        assert json.loads(visitor.download(f"{name}.json"))["styles"] == [["bossa_nova", 0.5], ["swing", 0.5]]
        first, song = visitor.notes(name), tmp_path / "my_song.mid"
        song.write_bytes(visitor.download(f"{name}.mid"))
        own = visitor.page.locator("#own-style")
        own.locator("input[type=file]").set_input_files(song)
        own.get_by_text("my_song").first.wait_for()
        visitor.press("Accompany")
        assert "no settings file" in visitor.reads("own song")
        visitor.wait("song", "p.song.title === '3: pop, seed 0, my_song'")
        assert by_name(visitor.notes("little tune_pop_0_own_style")) != by_name(first)
        assert not visitor.page.locator("#downloads a[download$='.json']").count() and not visitor.page.url.partition("?")[2]
        visitor.press("Stop")
        own.get_by_role("button", name="Clear").click()
        own.locator("input[type=file]").set_input_files(tune)  # a melody alone
        own.get_by_text("little tune").first.wait_for()
        visitor.press("Accompany")
        assert "a style needs a song with a band" in visitor.reads("a style needs")


def slide(visitor: Visitor, label: str, share: float) -> None:
    """Lets go of a slider at a share of its length."""
    slider = visitor.page.get_by_label(f"range slider for {label}")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    slider.click(position={"x": share * box["width"], "y": box["height"] / 2})


def test_between_two_takes(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(seed=4)
        assert not visitor.page.get_by_role("button", name="Between two takes").count()
        visitor.accompany(genre="jazz", seed=5)
        visitor.open("Between two takes")
        slide(visitor, "How far", 0.5)
        visitor.wait("song", "p.song.title.startsWith('3: jazz 5 + pop 4, 0.')")
        name = visitor.download_name(".mid").removesuffix(".mid")
        chosen = json.loads(visitor.download(f"{name}.json"))
        amount = chosen.pop("blend")["amount"]
        assert 0.4 <= amount <= 0.6 and chosen == {"genre": "jazz", "seed": 5} and name == f"little tune_jazz_5_pop_4_{amount}"
        visitor.page.get_by_label("number input for How far").fill("1")
        visitor.page.keyboard.press("Tab")  # without a mouse
        visitor.wait("song", "p.song.title === '4: jazz 5 + pop 4, 1'")
        end = by_name(visitor.notes("little tune_jazz_5_pop_4_1"))
        visitor.page.get_by_label("1: pop, seed 4").click()
        visitor.wait("song", "p.song.title === '1: pop, seed 4'")
        assert by_name(visitor.notes("little tune_pop_4")) == end
        visitor.press("Stop")


def test_an_instrument_is_explored(visit, tune):
    with visit() as visitor:
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        visitor.accompany(seed=1)
        plain = by_name(visitor.notes("little tune_pop_1"))
        visitor.open("Explore an instrument")
        slide(visitor, "Sparser to busier", 0.95)
        visitor.wait("song", "p.song.title === '2: pop, seed 1, guitar moved'")
        moved = by_name(visitor.notes("little tune_pop_1_guitar_moved"))
        assert len(moved["guitar"]) > len(plain["guitar"])
        assert {name for name in BAND if moved[name] != plain[name]} == {"guitar"}
        visitor.choose("Who changes", "drums")
        visitor.page.get_by_label("range slider for Plainer to richer in pitches").wait_for(state="detached")
        slide(visitor, "Sparser to busier", 0.05)
        visitor.wait("song", "p.song.title === '3: pop, seed 1, drums and guitar moved'")
        settings = json.loads(visitor.download("little tune_pop_1_drums_moved_guitar_moved.json"))
        assert settings["explore"]["guitar"]["density"] > 1.5 and settings["explore"]["drums"]["density"] < -1.5
        assert visitor.makes("Everybody back to the middle") == "4: pop, seed 1"
        assert by_name(visitor.notes("little tune_pop_1")) == plain
        visitor.press("Stop")


def test_stop_really_stops(visit, server):
    with visit() as visitor:
        visitor.example("Greensleeves")
        visitor.waits_for_sound("melody")
        eventually(lambda: not server.children())
        visitor.accompany(seed=77)
        eventually(lambda: "fluidsynth" in server.children())
        visitor.press("Stop")
        visitor.page.locator("#status").get_by_text("Stopped.").wait_for()
        eventually(lambda: not server.children(), seconds=5)
        files = server.made()
        visitor.page.wait_for_timeout(1500)  # in which nothing may happen
        assert server.made() == files and not server.children()
        assert not any(file.name.startswith("greensleeves_pop_77") and file.suffix == ".mp3" for file in files)
        assert visitor.ask("song", "!p.sound.isLoaded") and visitor.status() == "Stopped."
        assert not visitor.page.get_by_test_id("toast-body").count()  # that is no mistake
        visitor.accompany(seed=78)  # the page works on
        visitor.waits_for_sound()


def eventually(condition, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not come about"
        time.sleep(0.05)


# -- settings ------------------------------------------------------------------------------------------------------------


def test_address_and_settings_file_bring_all_back(visit, tmp_path):
    with visit() as visitor:
        visitor.example("Auld lang syne")
        visitor.open("Is something wrong with it?")
        visitor.write("Beats a minute", "77", "Enter")
        visitor.waits_for_facts("77 beats a minute")
        visitor.page.get_by_label("strings").uncheck()
        visitor.open("More")
        visitor.write("Chords", "| F  C7 | F  Bb |")
        visitor.choose("Introduction", "bars")
        visitor.accompany(genre="folk", seed=12)
        midi = visitor.download("auld_lang_syne_folk_12.mid")
        settings = tmp_path / "settings.json"
        settings.write_bytes(visitor.download("auld_lang_syne_folk_12.json"))
        visitor.page.wait_for_function("location.search.includes('seed=12')")
        query = visitor.page.url.partition("?")[2]
        visitor.press("Stop")

    def finds_all(visitor: Visitor) -> None:
        visitor.waits_for_facts("Auld lang syne", "77 beats a minute")
        page = visitor.page
        page.wait_for_function("[...document.querySelectorAll('input')].some(input => input.value === '12')")
        assert page.get_by_label("Seed", exact=True).input_value() == "12" and page.get_by_label("Genre").input_value() == "folk"
        assert not page.get_by_label("strings").is_checked() and page.get_by_label("drums").is_checked()
        visitor.accompany()
        assert visitor.download("auld_lang_syne_folk_12.mid") == midi
        visitor.press("Stop")

    with visit(f"?{query}") as visitor:
        finds_all(visitor)
    with visit() as visitor:
        visitor.open("More")
        with visitor.page.expect_file_chooser() as chooser:
            visitor.press("Open a settings file")
        chooser.value.set_files(settings)
        finds_all(visitor)


def test_an_address_that_makes_no_sense_is_told(visit):
    with visit("?seed=many&genre=pop") as visitor:
        assert "'many'" in visitor.reads("address was not understood")
        visitor.example()
    with visit("?genre=polka&melody=none&utm_source=x") as visitor:  # what is not there is left out
        visitor.example()
        assert visitor.accompany() == "1: pop, seed 0"


# -- what goes wrong -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    """Files that hold no melody, and words of what is said of each."""
    folder = tmp_path_factory.mktemp("bad")
    rng = np.random.default_rng(0)
    (folder / "empty.mid").write_bytes(b"")
    (folder / "text.mid").write_text("a little text")
    written(folder / "drums.mid", range(16), is_drum=True)
    soundfile.write(folder / "silence.wav", np.zeros(4 * RATE), RATE)
    soundfile.write(folder / "noise.wav", 0.2 * rng.normal(size=4 * RATE), RATE)
    shutil.copy(ROOT / "docs" / "auld_lang_syne.png", folder / "picture.wav")
    return {folder / "empty.mid": "empty", folder / "text.mid": "not midi", folder / "drums.mid": "drums",
            folder / "silence.wav": "silen", folder / "noise.wav": "no melody was heard",
            folder / "picture.wav": "picture"}  # fmt: skip


def test_bad_files_are_explained_and_nothing_is_lost(visit, bad_files, tune):
    with visit() as visitor:
        visitor.example()
        visitor.accompany()
        visitor.waits_for_sound()
        facts = visitor.waits_for_facts("Ode to joy")
        for file, words in bad_files.items():
            visitor.bring(file)
            assert words in visitor.reads("").lower(), file.name
            assert visitor.waits_for_facts("Ode to joy") == facts and visitor.ask("song", "p.sound.isLoaded")
            for part in ("#facts", "#melody", "#song"):  # nothing is veiled
                assert not visitor.page.locator(part).get_by_text("Error", exact=True).is_visible()
        assert visitor.accompany(seed=1) == "2: pop, seed 1"
        visitor.press("Stop")
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")


# -- everybody -----------------------------------------------------------------------------------------------------------

CONTROLS = ("button", "textbox", "checkbox", "slider", "combobox", "spinbutton", "link", "radio", "tab")


def nameless(page) -> list[str]:
    """Controls in the accessibility tree that a screen reader could not name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    found = []
    for node in nodes:
        if not node["ignored"] and node["role"]["value"] in CONTROLS and not node.get("name", {}).get("value", "").strip():
            html = session.send("DOM.getOuterHTML", {"backendNodeId": node["backendDOMNodeId"]})["outerHTML"]
            found.append(f"{node['role']['value']}: {html[:200]}")
    return found


def beyond(page) -> list[str]:
    """Visible controls that are not within the width of the window."""
    return page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, a')].filter((control) => {
            const box = control.getBoundingClientRect();
            return control.checkVisibility({ visibilityProperty: true }) && box.width > 1
                && (box.left < -1 || box.right > innerWidth + 1);
        }).map((control) => control.outerHTML.slice(0, 120))"""
    )


def test_on_a_phone_all_can_be_reached(visit):
    with visit(viewport=PHONE, has_touch=True, device_scale_factor=2) as visitor:
        page = visitor.page
        for tab in ("Record with a click", "Record", "A file"):
            page.get_by_role("tab", name=tab, exact=True).tap()
            assert visitor.width() <= PHONE["width"] and not beyond(page), tab
        visitor.example()
        for accordion in ("More", "In the style of", "How a melody is invented", "Is something wrong with it?"):
            visitor.open(accordion)
        visitor.accompany()
        visitor.accompany(seed=1)
        for accordion in ("Between two takes", "Explore an instrument"):
            visitor.open(accordion)
        visitor.waits_for_sound()
        assert visitor.width() <= PHONE["width"] and not beyond(page)
        visitor.picture("phone")
        page.locator("#song .play").tap()
        visitor.wait("song", "p.position > 0.2")


def test_the_keyboard_alone_will_do(visit):
    with visit() as visitor:
        tab_to(visitor.page, "Ode to joy")
        visitor.page.keyboard.press("Enter")
        visitor.waits_for_facts("Ode to joy")
        tab_to(visitor.page, "Accompany")
        visitor.page.keyboard.press("Enter")
        visitor.waits_for_sound()
        tab_to(visitor.page, "Player: 1: pop, seed 0")
        visitor.page.keyboard.press("Space")
        visitor.wait("song", "p.position > 0.3")
        visitor.page.keyboard.press("Space")
        for _ in range(2):
            visitor.page.keyboard.press("Shift+ArrowRight")
        visitor.page.locator("#song .picked").get_by_text("Bars 1–2").wait_for()


def tab_to(page, name: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText || ''")
        if here.strip() == name:
            return
    raise AssertionError(f"the tabulator key does not lead to {name!r}")


def test_every_control_has_a_name(visit, tune):
    with visit() as visitor:
        page = visitor.page
        for tab in ("Record with a click", "Record", "A file"):
            page.get_by_role("tab", name=tab, exact=True).click()
            assert nameless(page) == [], tab
        visitor.bring(tune)
        visitor.waits_for_facts("Little tune")
        for accordion in ("More", "In the style of", "How a melody is invented", "Is something wrong with it?"):
            visitor.open(accordion)
        visitor.accompany()
        visitor.accompany(seed=1)
        for accordion in ("Between two takes", "Explore an instrument"):
            visitor.open(accordion)
        visitor.waits_for_sound()
        assert nameless(page) == []


def test_it_is_dark_where_that_is_wished(visit):
    with visit("?__theme=dark") as visitor:
        visitor.example()
        visitor.accompany()
        visitor.page.locator("#downloads").wait_for()
        visitor.picture("dark")
        ground, text = visitor.page.evaluate(
            """['backgroundColor', 'color'].map(name =>
                getComputedStyle(document.querySelector('#song .player'))[name].match(/[0-9.]+/g).map(Number))"""
        )
        assert max(ground[:3]) < 80 and min(text[:3]) > 150
        visitor.press("Stop")


def test_the_page_speaks_german_to_a_german_browser(visit):
    with visit(locale="de-DE", ready="Begleiten") as visitor:
        for word in ("Genre vorschlagen", "Drei Fassungen", "Keine Melodie da? Probiere eine für mich"):
            visitor.page.get_by_role("button", name=word).wait_for()
        visitor.page.get_by_label("Startzahl").wait_for()


def test_every_word_of_the_page_is_translated():
    for file in (ROOT / "app.py", ROOT / "page" / "panels.py"):
        text = file.read_text()
        used = set(re.findall(r'\bt\(\s*"([^"]+)"', text))
        for names in re.findall(r"for text in \(([^)]*)\)", text):  # a widget for each of several words
            used |= set(re.findall(r'"([^"]+)"', names))
        assert used and used <= GERMAN.keys()
