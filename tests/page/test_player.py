import json
import math
from dataclasses import dataclass, replace

import gradio as gr
import numpy as np
import pytest
import soundfile

from accomp.music.score import Chord, Note, Score, Tempo, TimeSignature, Track
from accomp.sound.audio_file import write_audio
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import mix, named_tracks, render, render_stems
from page.player import Player, view_of
from page.sound import write_stems
from tests.support.browser import chromium, watched_page  # noqa: F401  the fixture
from tests.support.scores import song as lopsided_song

SOUNDING = ("--autoplay-policy=no-user-gesture-required",)
TONES = {"piano": 0.4, "bass": 0.2, "drums": 0.1}  # amplitude of each track's stand-in for a stem
TONE_START = 1.0  # seconds


def waltz() -> Score:
    """Two bars of 3/4 at 120, slower from beat 3 on, then a bar of 6/8."""
    return Score(
        [
            Track("bass", 33, notes=[Note(40, 0.0, 3.0, 90), Note(43, 3.0, 3.0, 90)]),
            Track(
                "piano",
                notes=[Note(64, 4.5, 1.5, 100), Note(60, 0.0, 1.0, 80), Note(67, 6.0, 3.0, 70)],
            ),
            Track(
                "drums",
                0,
                True,
                [Note(36, 0.0, 0.25, 110), Note(42, 1.0, 0.25, 60), Note(54, 2.0, 0.25, 50)],
            ),
        ],
        tempos=[Tempo(0.0, 500_000), Tempo(3.0, 1_000_000)],
        meters=[TimeSignature(0.0, 3, 4), TimeSignature(6.0, 6, 8)],
        chords=[Chord(0.0, "C"), Chord(1.5, "C"), Chord(3.0, "F")],
    )


def four_bars(shift: int = 0) -> Score:
    """Eight seconds, three tracks."""
    beats = range(16)
    return Score(
        [
            Track(
                "drums",
                0,
                True,
                [Note((36, 38)[beat % 2], float(beat), 0.25, 100) for beat in beats],
            ),
            Track(
                "piano",
                notes=[Note(60 + beat % 5 + shift, float(beat), 0.9, 60 + beat) for beat in beats],
            ),
            Track("bass", 33, notes=[Note(36 + shift, 4.0 * bar, 4.0, 90) for bar in range(4)]),
        ],
        chords=[Chord(0.0, "C"), Chord(8.0, "G7")],
    )


# -- the value ----------------------------------------------------------------------------------


def test_times_follow_meters_and_tempos():
    song = waltz()
    view = view_of(song, title="Waltz")
    assert (
        view["bars"] == [0.0, 1.5, 4.5, 7.5]
        and view["first_bar"] == 1
        and view["length"] == song.seconds(9.0) == 7.5
    )
    assert view["beats"] == [0.5, 1.0, 2.5, 3.5, 6.0]  # of 6/8 the second dotted quarter
    assert (
        view["chords"] == [[0.0, "C"], [1.5, "F"]]
        and view["title"] == "Waltz"
        and view["sound"] == "coming"
    )
    melody, bass, drums = view["tracks"]
    assert [track["name"] for track in view["tracks"]] == ["piano", "bass", "drums"]
    assert melody["notes"] == [[60, 0.0, 0.5, 80], [64, 3.0, 1.5, 100], [67, 4.5, 3.0, 70]]
    assert melody["is_melody"] and not bass["is_melody"] and view["stems"] == {}
    assert bass["colour"] == "#1565c0" and melody["colour"] == "#c2185b"  # those of the picture
    assert drums["is_drum"] and drums["rows"] == [["kick", [36]], ["hi-hat", [42]], ["perc", [54]]]


def test_every_time_is_the_scores():
    song = replace(
        lopsided_song(), tempos=[Tempo(beat / 3, 400_000 + 7_000 * beat) for beat in range(1, 60)]
    )
    for track in view_of(song)["tracks"]:
        source = sorted(
            named_tracks(song)[track["name"]].notes, key=lambda note: (note.onset, note.pitch)
        )
        for (pitch, onset, duration, velocity), note in zip(track["notes"], source):
            assert (pitch, velocity) == (note.pitch, note.velocity)
            assert onset == pytest.approx(song.seconds(note.onset), abs=1e-4)
            assert onset + duration == pytest.approx(song.seconds(note.end), abs=3e-4)


def test_a_pickup_is_bar_nought():
    song = Score(
        [Track("piano", notes=[Note(60, 0.0, 1.0, 80), Note(62, 1.0, 4.0, 80)])],
        meters=[TimeSignature(0.0, 1, 4), TimeSignature(1.0, 4, 4)],
    )
    view = view_of(song)
    assert view["first_bar"] == 0 and view["bars"] == [0.0, 0.5, 2.5]
    late = Score([Track("piano", notes=[Note(60, 3.0, 1.0, 80), Note(62, 4.0, 4.0, 80)])])
    assert view_of(late)["first_bar"] == 0


@pytest.mark.parametrize("song", [Score(), Score([Track("piano")]), waltz(), lopsided_song()])
def test_the_value_is_json(song):
    view = json.loads(json.dumps(view_of(song), allow_nan=False))
    assert (
        len(view["bars"]) >= 2
        and view["bars"] == sorted(view["bars"])
        and len(view["tracks"]) == len(song.tracks)
    )
    assert all(
        math.isfinite(time) for track in view["tracks"] for note in track["notes"] for time in note
    )


def test_the_same_music_has_the_same_id_with_sound_and_without(tmp_path):
    bare, other = view_of(four_bars()), view_of(four_bars(shift=1))
    full = view_of(four_bars(), stems={"bass": tmp_path / "bass.mp3"})
    assert bare["id"] == full["id"] != other["id"]
    assert full["sound"] == "there" and view_of(four_bars(), stems={})["sound"] == "none"
    assert full["stems"].keys() == {"bass"} and full["stems"]["bass"]["path"] == str(
        tmp_path / "bass.mp3"
    )
    assert full["stems"]["bass"]["meta"] == {
        "_type": "gradio.FileData"
    }  # by which Gradio knows what to serve


def test_the_choice_is_read_from_the_value():
    def read(choice):
        return Player().preprocess({"id": "x", "choice": choice})

    assert read({"bars": [2, 3], "locked": ["bass"]}) == {"bars": [2, 3], "locked": ["bass"]}
    nothing = {"bars": None, "locked": []}
    assert (
        Player().preprocess(None)
        == read(None)
        == read({"bars": [3, 2], "locked": "bass"})
        == nothing
    )
    assert read({"bars": ["a", 1], "locked": [1]}) == read({"bars": [0, 1]}) == nothing


@pytest.mark.sound
def test_stems_sum_to_the_mix(tmp_path):
    song = four_bars()
    song.tracks += [
        Track("bass", 33),
        Track("strings", 48),
        Track("bass", 34, notes=[Note(45, 2.0, 4.0, 80)]),
    ]
    names = {name for name, track in named_tracks(song).items() if track.notes}
    paths = write_stems(render_stems(song), tmp_path)
    assert names == set(paths) == set(render_stems(song)) and "bass 6" in names
    decoded = {
        name: soundfile.read(path, dtype="float32", always_2d=True)[0]
        for name, path in paths.items()
    }
    whole = render(song)
    assert len({len(stem) for stem in decoded.values()}) == 1
    summed = mix(decoded)
    assert (
        abs(len(summed) - len(whole)) < 0.5 * SAMPLE_RATE
    )  # until what rings on is inaudible, which is judged apart
    level, expected = (np.sqrt(np.mean(sound[: 8 * SAMPLE_RATE] ** 2)) for sound in (summed, whole))
    assert abs(20 * np.log10(level / expected)) < 0.5


# -- the page -----------------------------------------------------------------------------------


@dataclass
class Site:
    """A page with two players, and what its handlers were told."""

    url: str
    events: list
    inputs: list


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stems")
    rising = np.arange(9 * SAMPLE_RATE) / SAMPLE_RATE
    paths = {name: folder / f"{name}.mp3" for name in TONES}
    for number, (name, amplitude) in enumerate(TONES.items(), start=2):
        tone = amplitude * np.sin(2 * np.pi * 110 * number * rising) * (rising >= TONE_START)
        write_audio(np.stack([tone, tone], 1).astype(np.float32), paths[name])
    site = Site("", [], [])

    def tell(event: gr.EventData):
        site.events.append((event.bars, event.locked))

    with gr.Blocks() as demo:
        first, second = Player(elem_id="first"), Player(elem_id="second")
        gr.Button("roll").click(lambda: view_of(four_bars(), title="Four bars"), None, first)
        gr.Button("sound").click(
            lambda: view_of(four_bars(), stems=paths, title="Four bars"), None, first
        )
        gr.Button("next").click(lambda: view_of(four_bars(shift=1), stems={}), None, first)
        gr.Button("other").click(lambda: view_of(four_bars(shift=2), stems=paths), None, second)
        gr.Button("read").click(site.inputs.append, first)
        first.select(tell, trigger_mode="multiple")
    demo.launch(prevent_thread_lock=True, quiet=True)
    site.url = demo.local_url
    yield site
    demo.close()


@pytest.fixture
def page(site, chromium, request):  # noqa: F811
    """The site in a browser, or a phone's. Nothing may fail, and no other host be asked."""
    site.events.clear()
    site.inputs.clear()
    screen = getattr(request, "param", {"viewport": {"width": 1000, "height": 900}})
    with watched_page(chromium(*SOUNDING), **screen) as (page, watch):
        page.goto(site.url)
        yield page
    assert not watch.errors and not watch.foreign


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def ask(page, expression: str, id: str = "first"):
    """A JavaScript expression of `p`, the player."""
    find = f"document.querySelector('#{id} .player').player"
    return page.evaluate(f"(() => {{ const p = {find}; return {expression} }})()")


def wait(page, condition: str, id: str = "first") -> None:
    find = f"document.querySelector('#{id} .player')?.player"
    page.wait_for_function(
        f"() => {{ const p = {find}; return p && ({condition}) }}", timeout=15_000
    )


def load(page) -> None:
    press(page, "sound")
    wait(page, "p.sound.isLoaded && p.find('status').textContent === 'ready'")


def colours(page) -> int:
    return ask(
        page,
        "new Set(new Uint32Array(p.roll.canvas.getContext('2d').getImageData("
        "0, 0, p.roll.canvas.width, p.roll.canvas.height).data.buffer)).size",
    )


def told(page, entries: list, expected) -> bool:
    """Whether the last of `entries` comes to be `expected`."""
    for _ in range(100):
        if entries[-1:] == [expected]:
            return True
        page.wait_for_timeout(50)
    raise AssertionError(f"Python was told {entries}")


def test_roll_first_then_sound(page):
    assert not page.locator("#first .player").is_visible()
    press(page, "roll")
    wait(page, "p.song")
    assert colours(page) > 20 and page.locator("#first .play").is_disabled()
    assert "preparing" in page.locator("#first .status").inner_text()
    page.locator("#first .in").click(click_count=3)
    page.locator("#first .scroll").evaluate("scroll => scroll.scrollLeft = 150")
    drag_over_bars(page, 1, 2)
    before = ask(page, "[p.roll.scale, p.roll.left, p.selection]")
    assert before[1] == 150 and before[2] == [1, 2]
    load(page)
    assert (
        ask(page, "[p.roll.scale, p.roll.left, p.selection]") == before
        and page.locator("#first .play").is_enabled()
    )


def test_the_sound_begins_where_it_was_written(page):
    load(page)
    loud = "b.getChannelData(0).findIndex(x => Math.abs(x) > 0.03)"
    starts = ask(page, f"[...p.sound.buffers.values()].map(b => {loud} / b.sampleRate)")
    assert starts == pytest.approx([TONE_START] * 3, abs=0.01)


def test_mixer_and_playhead(page):
    load(page)
    press(page, "Play")
    wait(page, "p.position > 1.3")
    assert (
        page.locator("#first .playhead").evaluate(
            "e => new DOMMatrix(getComputedStyle(e).transform).m41"
        )
        > 10
    )

    def level() -> float:
        page.wait_for_timeout(150)
        return ask(page, "p.sound.level")

    def rms(*names: str) -> float:
        return math.sqrt(sum(TONES[name] ** 2 / 2 for name in names))

    assert level() == pytest.approx(rms(*TONES), rel=0.25)
    page.get_by_role("button", name="Solo bass").click()
    assert level() == pytest.approx(rms("bass"), rel=0.25)
    page.get_by_role("button", name="Solo bass").click()
    page.get_by_role("button", name="Mute melody").click()
    assert page.get_by_role("button", name="Mute melody").get_attribute("aria-pressed") == "true"
    assert level() == pytest.approx(rms("bass", "drums"), rel=0.25)
    page.get_by_role("slider", name="Volume of bass").fill("0")
    assert level() == pytest.approx(rms("drums"), rel=0.25)
    press(page, "Pause")
    stopped = ask(page, "p.position")
    page.wait_for_timeout(100)
    assert ask(page, "p.position") == stopped > 1.3 and level() == 0


def test_seeking_by_click_and_keys(page):
    load(page)
    box = page.locator("#first canvas").bounding_box()
    page.locator("#first canvas").click(position={"x": box["width"] / 2, "y": 100})
    assert ask(page, "p.position") == pytest.approx(
        ask(page, f"(p.roll.left + {box['width'] / 2}) / p.roll.scale"), abs=0.05
    )
    page.locator("#first .player").focus()
    for key, position in (("Home", 0), ("ArrowRight", 2), ("ArrowRight", 4), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        assert ask(page, "p.position") == position
    assert (
        page.locator("#first .time").inner_text() == "0:02 / 0:08"
        and page.locator("#first .place").inner_text() == "bar 2"
    )
    page.keyboard.press(" ")
    wait(page, "p.position > 2.1")
    page.keyboard.press(" ")
    assert ask(page, "!p.sound.run")


def drag_over_bars(page, first: int, last: int) -> None:
    box = page.locator("#first .ruler").bounding_box()
    xs = [
        box["x"] + ask(page, f"p.song.bars[{bar}] * p.roll.scale - p.roll.left") + 8
        for bar in (first, last)
    ]
    page.mouse.move(xs[0], box["y"] + 8)
    page.mouse.down()
    page.mouse.move(xs[1], box["y"] + 8, steps=3)
    page.mouse.up()


def test_selection_and_locks_reach_python(page, site):
    load(page)
    drag_over_bars(page, 1, 2)
    assert told(page, site.events, ([2, 3], []))
    assert page.locator("#first .picked").inner_text().startswith("Bars 2–3")
    page.get_by_role("button", name="Lock bass").click()
    assert told(page, site.events, ([2, 3], ["bass"]))
    press(page, "roll")  # a new value, which says nothing of them
    wait(page, "!p.sound.isLoaded")
    press(page, "read")
    assert told(page, site.inputs, {"bars": [2, 3], "locked": ["bass"]})
    press(page, "Clear the selection")
    assert told(page, site.events, (None, ["bass"]))
    assert not page.locator("#first .picked").is_visible()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert told(page, site.events, ([1, 2], ["bass"]))


def test_selected_bars_repeat(page):
    load(page)
    drag_over_bars(page, 1, 1)
    press(page, "Loop")
    ask(page, "p.seek(3.6)")
    press(page, "Play")
    wait(page, "p.position > 3.7")
    wait(page, "p.position < 2.5")
    assert ask(page, "p.sound.run !== null && p.position >= 2")


def test_the_window_keeps_up_with_the_playhead(page):
    load(page)
    page.locator("#first .in").click(click_count=3)
    width = ask(page, "p.roll.width / p.roll.scale")  # seconds
    assert width < 4
    press(page, "Play")
    wait(page, f"p.position > {width / 2}")
    assert ask(page, "p.roll.left") > 0
    page.emulate_media(reduced_motion="reduce")
    ask(page, f"p.seek({0.6 * width})")
    page.evaluate("document.querySelector('#first .scroll').scrollLeft = 0")
    ask(page, "p.seek(0.01)")
    wait(page, f"p.position > {0.6 * width}")
    assert ask(page, "p.roll.left") == 0  # until it has passed the window
    wait(page, f"p.position > {1.05 * width}")
    assert ask(page, "p.roll.left / p.roll.scale") > 0.9 * width


def test_one_player_stops_the_other_and_keeps_its_mix(page):
    load(page)
    press(page, "other")
    wait(page, "p.sound.isLoaded", "second")
    page.locator("#first .play").click()
    wait(page, "p.position > 0.1")
    page.locator("#second .play").click()
    wait(page, "p.position > 0.1", "second")
    assert ask(page, "!p.sound.run && p.at > 0")
    page.locator("#second .volume input").first.fill("50")
    press(page, "other")
    page.wait_for_timeout(300)
    assert ask(
        page, "p.sound.run !== null && p.settings('piano').volume === 50", "second"
    )  # the same song plays on


def test_the_next_song_begins_anew_with_the_same_mix(page):
    load(page)
    page.get_by_role("slider", name="Volume of bass").fill("70")
    page.get_by_role("button", name="Mute drums").click()
    drag_over_bars(page, 1, 2)
    press(page, "Play")
    wait(page, "p.position > 0.2")
    before = ask(page, "p.song.id")
    press(page, "next")
    wait(page, f"p.song.id !== '{before}'")
    assert ask(page, "!p.sound.run && p.position === 0 && p.roll.left === 0")
    assert page.get_by_role("slider", name="Volume of bass").input_value() == "70" and ask(
        page, "!p.isHeard('drums')"
    )
    assert ask(page, "p.selection") == [1, 2]  # its bars are the same
    assert (
        page.locator("#first .status").inner_text() == "no sound"
        and page.locator("#first .play").is_disabled()
    )


@pytest.mark.parametrize(
    "page",
    [{"viewport": {"width": 360, "height": 740}, "has_touch": True, "device_scale_factor": 2}],
    indirect=True,
)
def test_on_a_phone(page):
    load(page)
    assert (
        page.evaluate("document.documentElement.scrollWidth <= innerWidth") and colours(page) > 20
    )
    for name in ("play", "lock", "mute", "in", "volume input"):
        box = page.locator(f"#first .{name}").last.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    page.locator("#first .play").tap()
    wait(page, "p.position > 0.2")
