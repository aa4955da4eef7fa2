"""The player in a browser: what is heard, seen and told to Python."""

import math
from dataclasses import dataclass

import gradio as gr
import numpy as np
import pytest

from accomp.listen.beat_grid import SungNote
from accomp.sound.audio_file import write_audio
from accomp.sound.rates import SAMPLE_RATE
from page.player import Player, Voice, live, view_of
from tests.page.player_songs import four_bars, strange
from tests.support.browser import chromium, watched_page  # noqa: F401  the fixture

SOUNDING = ("--autoplay-policy=no-user-gesture-required",)
TONES = {"piano": 0.4, "bass": 0.2, "drums": 0.1}  # amplitude of each track's stand-in for a stem
TONE_START = 1.0  # seconds
SOUND = "p.position > 0.3 && p.sound.level > 0.003"  # it plays, and can be heard
LOUD = 0.004  # root mean square of a track that is heard
SUNG = [SungNote(60, 0.0, 1.0, 80), SungNote(62, 1.0, 2.0, 80)]
HINDERED = live.fault()
plays_live = pytest.mark.skipif(bool(HINDERED), reason=HINDERED)


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

    def render(player):
        site.inputs.append(player["id"])
        return view_of(four_bars(), stems=paths, title="Four bars")

    def shown(name: str, player, make) -> None:
        gr.Button(name).click(make, None, player)

    voice = Voice(paths["piano"], 0.0)
    with gr.Blocks() as demo:
        first, second = Player(elem_id="first"), Player(elem_id="second")
        shown("song", first, lambda: view_of(four_bars(), title="Four bars"))
        shown("play", first, lambda: view_of(four_bars(), title="Four bars", play=True))
        shown("take", first, lambda: view_of(four_bars(bass=3), title="Another take"))
        shown("new", first, lambda: view_of(four_bars(shift=1), title="Another melody"))
        shown("strange", first, lambda: view_of(strange(), title="A flute"))
        shown("sung", first, lambda: view_of(four_bars(), sung=SUNG, voice=voice))
        shown("stems", first, lambda: view_of(four_bars(), stems=paths, title="Four bars"))
        shown("silent", first, lambda: view_of(four_bars(shift=1), stems={}))
        shown("other", second, lambda: view_of(four_bars(shift=2)))
        gr.Button("read").click(site.inputs.append, first)
        first.select(tell, trigger_mode="multiple")
        first.download(render, first, first)
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
        page.watch = watch
        page.goto(site.url)
        yield page
    assert not watch.errors and not watch.foreign


@pytest.fixture
def watch(page):
    """What went wrong on the page so far."""
    return page.watch


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


def load(page, name: str = "song") -> None:
    press(page, name)
    wait(page, "p.state === 'ready'")


def level(page, seconds: float = 0.6, at: float | None = None) -> float:
    """Root mean square of what is heard in some seconds, from a place in the song on."""
    if at is not None:
        ask(page, f"p.seek({at})")
    page.wait_for_timeout(150)
    return page.evaluate(
        f"""async () => {{
            const {{ sound }} = document.querySelector("#first .player").player, found = [];
            const end = performance.now() + {1000 * seconds};
            while (performance.now() < end) {{
                found.push(sound.level ** 2);
                await new Promise((go) => setTimeout(go, 20));
            }}
            return Math.sqrt(found.reduce((sum, x) => sum + x, 0) / found.length);
        }}"""
    )


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


@plays_live
def test_it_is_heard_and_says_what_it_does(page):
    assert not page.locator("#first .player").is_visible()
    load(page)
    assert colours(page) > 20 and page.locator("#first .status").inner_text() == "ready"
    assert "Live sound" in page.locator("#first .source").inner_text()
    press(page, "Play")
    wait(page, SOUND)
    assert ask(page, "p.section.dataset.state") == "playing"
    press(page, "Pause")
    wait(page, "p.state === 'paused'")
    stopped = ask(page, "p.position")
    page.wait_for_timeout(150)
    assert ask(page, "p.position") == stopped > 0.3
    # What sounded has died away, not only the player's own number.
    assert ask(page, "p.live.constructor.name") == "LiveSound" and band_level(page) < 1e-4


def band_level(page) -> float:
    """What comes out of the audio thread, whether or not the player says that it plays."""
    scripts = live.places()["scripts"]
    return page.evaluate(
        f"import('/gradio_api/file={scripts}/band.js').then(({{ band }}) => band.level)"
    )


@plays_live
def test_a_song_can_begin_by_itself_and_ends(page):
    press(page, "play")
    wait(page, SOUND)
    ask(page, "p.seek(7.5)")
    wait(page, "p.state === 'ended'")
    assert ask(page, "p.position") == 0
    press(page, "play")  # a new wish for the same song
    wait(page, "p.state === 'playing'")


@plays_live
def test_a_press_is_remembered_while_the_sounds_come(page):
    page.route("**/*.sf3", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.reload()
    press(page, "song")
    wait(page, "p.song")
    assert ask(page, "p.state") == "loading" and page.locator("#first .play").is_enabled()
    page.locator("#first .play").click()
    assert "loading sounds" in page.locator("#first .status").inner_text()
    wait(page, SOUND)


@plays_live
def test_a_fault_has_words_and_play_tries_again(page, watch):
    page.route("**/*.sf3", lambda route: route.abort())
    page.reload()
    press(page, "song")
    wait(page, "p.state === 'error'")
    assert "Press play to try again" in page.locator("#first .status").inner_text()
    page.unroute("**/*.sf3")
    press(page, "Play")
    wait(page, SOUND)
    watch.errors.clear()  # the browser names what it could not load


@plays_live
def test_an_instrument_that_no_genre_has_is_made(page):
    load(page, "strange")
    press(page, "Play")
    wait(page, SOUND)


@plays_live
def test_mixer_acts_at_once(page):
    load(page)
    press(page, "Play")
    wait(page, "p.position > 0.5")
    assert (
        page.locator("#first .playhead").evaluate(
            "e => new DOMMatrix(getComputedStyle(e).transform).m41"
        )
        > 10
    )
    everything = level(page, at=2.0)
    assert everything > LOUD
    page.get_by_role("button", name="Solo bass").click()
    bass = level(page, at=2.0)
    assert LOUD < bass < everything
    page.get_by_role("slider", name="Volume of bass").fill("50")
    assert level(page, at=2.0) == pytest.approx(bass / 2, rel=0.2)
    page.get_by_role("button", name="Mute bass").click()
    assert level(page) < 1e-3
    page.get_by_role("slider", name="Volume of bass").fill("100")
    ask(page, "p.seek(2.0)")
    page.get_by_role("button", name="Mute bass").click()
    assert level(page) == pytest.approx(bass, rel=0.3)  # though the note began while it was muted
    page.get_by_role("button", name="Solo bass").click()
    page.get_by_role("button", name="Mute melody").click()
    assert page.get_by_role("button", name="Mute melody").get_attribute("aria-pressed") == "true"
    assert not ask(page, "p.isHeard('piano')") and ask(page, "p.isHeard('bass')")
    assert LOUD < level(page, at=2.0) < 1.3 * everything  # a busy machine hears another moment


@plays_live
def test_the_melody_alone(page):
    load(page)
    press(page, "Melody alone")
    assert page.locator("#first .track").count() == 1
    press(page, "Play")
    wait(page, SOUND)
    assert ask(page, "!p.isHeard('bass') && !p.isHeard('drums') && p.isHeard('piano')")
    alone = level(page, 1.0)
    press(page, "Band")
    assert page.locator("#first .track").count() == 3
    assert level(page, 1.0) > alone > LOUD


@plays_live
def test_tempo_and_key(page):
    load(page)
    press(page, "Play")
    wait(page, SOUND)
    page.locator("#first .tempo").fill("60")  # of 120
    page.wait_for_timeout(100)
    before = ask(page, "[p.position, performance.now()]")
    page.wait_for_timeout(1000)
    after = ask(page, "[p.position, performance.now()]")
    assert (after[0] - before[0]) / (after[1] - before[1]) == pytest.approx(0.0005, rel=0.1)
    page.locator("#first .tempo").fill("120")
    page.get_by_role("button", name="Solo melody").click()
    ask(page, "p.seek(0.2)")
    low = loudest_pitch(page)
    page.locator("#first .transpose").select_option("+7")
    ask(page, "p.seek(0.2)")  # the same part of the note
    assert loudest_pitch(page) == pytest.approx(low * 1.5, rel=0.05)
    assert ask(page, "p.roll.steps") == 7


def loudest_pitch(page) -> float:
    """The frequency with the most energy of what sounds, in Hz."""
    page.wait_for_timeout(300)
    scripts = live.places()["scripts"]
    return page.evaluate(
        f"""import('/gradio_api/file={scripts}/band.js').then(({{ band }}) => {{
            const meter = new AnalyserNode(band.context, {{ fftSize: 32768 }});
            band.node.connect(meter);
            return new Promise((found) => setTimeout(() => {{
                const bins = new Float32Array(meter.frequencyBinCount);
                meter.getFloatFrequencyData(bins);
                band.node.disconnect(meter);
                found((bins.indexOf(Math.max(...bins)) * band.context.sampleRate) / 32768);
            }}, 900));
        }})"""
    )


@plays_live
def test_another_take_goes_on_where_the_last_one_was(page):
    load(page)
    press(page, "Play")
    wait(page, "p.position > 1")
    page.evaluate(
        """() => {
            const { player } = document.querySelector("#first .player");
            window.seen = { quietest: 1, jump: 0, last: player.position };
            window.looking = setInterval(() => {
                const now = player.position;
                seen.jump = Math.max(seen.jump, Math.abs(now - seen.last));
                seen.quietest = Math.min(seen.quietest, player.sound.level);
                seen.last = now;
            }, 20);
        }"""
    )
    before = ask(page, "p.song.id")
    press(page, "take")
    wait(page, f"p.song.id !== '{before}'")
    page.wait_for_timeout(500)
    seen = page.evaluate("(clearInterval(looking), seen)")
    assert ask(page, "p.state === 'playing' && p.position > 1.4")
    assert seen["jump"] < 0.3 and seen["quietest"] > 1e-4
    before = ask(page, "p.song.id")
    press(page, "new")  # another melody begins anew
    wait(page, f"p.song.id !== '{before}'")
    assert ask(page, "!p.sound.isRunning && p.position === 0")


@plays_live
def test_the_visitors_recording_plays_along(page):
    load(page, "sung")
    press(page, "Play")
    wait(page, "p.live.recording && p.position > 1.2 && p.sound.level > 0.003")
    page.get_by_role("button", name="Solo you").click()
    alone = level(page)
    assert alone == pytest.approx(TONES["piano"] / math.sqrt(2), rel=0.15)
    page.locator("#first .tempo").fill("90")  # nobody sings that
    assert level(page) < 1e-3
    page.locator("#first .tempo").fill("120")  # their own
    assert level(page) == pytest.approx(alone, rel=0.15)


# -- where the server makes the sound -----------------------------------------------------------


def test_rendered_stems_are_mixed(page):
    load(page, "stems")
    assert "Rendered" in page.locator("#first .source").inner_text()
    assert not page.locator("#first .tempo").is_visible()
    loud = "b.getChannelData(0).findIndex(x => Math.abs(x) > 0.03)"
    starts = ask(page, f"[...p.sound.buffers.values()].map(b => {loud} / b.sampleRate)")
    assert starts == pytest.approx([TONE_START] * 3, abs=0.01)
    press(page, "Play")
    wait(page, "p.position > 1.3")

    def rms(*names: str) -> float:
        return math.sqrt(sum(TONES[name] ** 2 / 2 for name in names))

    assert level(page) == pytest.approx(rms(*TONES), rel=0.25)
    page.get_by_role("button", name="Solo bass").click()
    assert level(page) == pytest.approx(rms("bass"), rel=0.25)
    page.get_by_role("button", name="Solo bass").click()
    page.get_by_role("button", name="Mute melody").click()
    assert level(page) == pytest.approx(rms("bass", "drums"), rel=0.25)
    page.get_by_role("slider", name="Volume of bass").fill("0")
    assert level(page) == pytest.approx(rms("drums"), rel=0.25)


def test_a_browser_without_audio_thread_gets_rendered_sound(page, site):
    page.add_init_script("delete window.AudioWorkletNode")
    page.reload()
    press(page, "song")
    wait(page, "p.files.isLoaded && p.state === 'ready'")
    assert site.inputs == [ask(page, "p.song.id")]
    press(page, "Play")
    wait(page, SOUND.replace("0.3", "1.2"))


def test_where_there_is_no_sound_it_says_so(page):
    press(page, "silent")
    wait(page, "p.state === 'error'")
    assert "There can be no sound" in page.locator("#first .status").inner_text()


# -- seeking, selecting, looking ----------------------------------------------------------------


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
    assert ask(page, "!p.sound.isRunning")


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
    press(page, "take")  # a new value, which says nothing of them
    wait(page, "p.song.title === 'Another take'")
    press(page, "read")
    chosen = {"id": ask(page, "p.song.id"), "bars": [2, 3], "locked": ["bass"]}
    assert told(page, site.inputs, chosen)
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
    assert ask(page, "p.sound.isRunning && p.position >= 2")


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
    wait(page, "p.state === 'ready'", "second")
    page.locator("#first .play").click()
    wait(page, "p.position > 0.1")
    page.locator("#second .play").click()
    wait(page, "p.position > 0.1", "second")
    assert ask(page, "!p.sound.isRunning && p.at > 0")
    page.locator("#second .volume input").first.fill("50")
    press(page, "other")
    page.wait_for_timeout(300)
    assert ask(
        page, "p.sound.isRunning && p.mixer.strip('piano').volume === 50", "second"
    )  # the same song plays on


def test_the_next_song_begins_anew_with_the_same_mix(page):
    load(page)
    page.get_by_role("slider", name="Volume of bass").fill("70")
    page.get_by_role("button", name="Mute drums").click()
    drag_over_bars(page, 1, 2)
    press(page, "Play")
    wait(page, "p.position > 0.2")
    before = ask(page, "p.song.id")
    press(page, "new")
    wait(page, f"p.song.id !== '{before}'")
    assert ask(page, "!p.sound.isRunning && p.position === 0 && p.roll.left === 0")
    assert page.get_by_role("slider", name="Volume of bass").input_value() == "70" and ask(
        page, "!p.isHeard('drums')"
    )
    assert ask(page, "p.selection") == [1, 2]  # its bars are the same


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
