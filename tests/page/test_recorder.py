import dataclasses
import json
import wave

import gradio as gr
import numpy as np
import pytest

from page.recorder import ClickRecording, PlayedMelody, Recorder, read_recording
from tests.support.browser import chromium, watched_page  # noqa: F401  a fixture

GOOD = {"tempo": 96, "meter": [4, 4], "first": 0.625}


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    """Gradio's folder of uploads, with a recording in it."""
    folder = tmp_path / "uploads"
    (folder / "a1").mkdir(parents=True)
    (folder / "a1" / "take.wav").write_bytes(b"RIFF")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def test_what_the_recorder_sends_is_a_take(uploads):
    path = str(uploads / "a1" / "take.wav")
    assert read_recording(GOOD | {"path": path}) == ClickRecording(path, 96.0, (4, 4), 0.625)
    assert read_recording(
        {"path": path, "tempo": 40.5, "meter": [6, 8], "first": 0}
    ) == ClickRecording(path, 40.5, (6, 8), 0.0)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "{uploads}/../../../../../../../../etc/passwd",
        "{uploads}/../outside.wav",
        "{uploads}",
        "{uploads}/a1",
        "{uploads}/none.wav",
        "{uploads}/link.wav",
        "{uploads}/circle.wav",
        "{uploads}/a\0.wav",
        "{uploads}/" + 999 * "a",
        "../../etc/passwd",
        "http://127.0.0.1/take.wav",
        "",
        None,
        3,
        ["a"],
        {"path": "a"},
    ],
)
def test_a_path_that_is_no_upload_is_refused(uploads, path):
    (uploads.parent / "outside.wav").write_bytes(b"RIFF")
    (uploads / "link.wav").symlink_to(uploads.parent / "outside.wav")
    (uploads / "circle.wav").symlink_to(uploads / "circle.wav")
    if isinstance(path, str):
        path = path.replace("{uploads}", str(uploads))
    with pytest.raises(ValueError, match="was not found among the uploaded files"):
        read_recording(GOOD | {"path": path})


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("tempo", 39, "tempo"),
        ("tempo", 241, "tempo"),
        ("tempo", float("nan"), "tempo"),
        ("tempo", "96", "tempo"),
        ("tempo", True, "tempo"),
        ("tempo", None, "tempo"),
        pytest.param("tempo", 10**400, "tempo", id="huge"),
        ("first", -0.1, "first bar"),
        ("first", float("inf"), "first bar"),
        ("first", 11, "first bar"),
        ("first", [1], "first bar"),
        ("meter", [5, 4], "4/4"),
        ("meter", "4/4", "4/4"),
        ("meter", [4], "4/4"),
        ("meter", None, "4/4"),
        ("meter", [[4], 4], "4/4"),
    ],
)
def test_bad_numbers_are_refused(uploads, name, value, message):
    with pytest.raises(ValueError, match=message):
        read_recording(GOOD | {"path": str(uploads / "a1" / "take.wav"), name: value})


def test_a_free_recording_is_a_path(uploads):
    path = str(uploads / "a1" / "take.wav")
    assert read_recording({"path": path}) == path


def test_what_was_played_comes_in_its_order():
    notes = [[64, 1.0, 1.4, 90], [60, -0.2, 0.9, 127]]
    played = read_recording({"notes": notes, "tempo": 96, "meter": [3, 4]})
    expected = ((60, -0.2, 0.9, 127), (64, 1.0, 1.4, 90))
    assert played == PlayedMelody(expected, 96.0, (3, 4))


@pytest.mark.parametrize(
    "notes, words",
    [
        ([], "1 to"),
        ("60", "1 to"),
        ([[60, 0.0, 1.0]], "velocity"),
        ([[128, 0.0, 1.0, 90]], "pitch"),
        ([[60, 1.0, 0.5, 90]], "end of a note"),
        ([[60, 0.0, float("nan"), 90]], "end of a note"),
        ([[60, 0.0, 1.0, 0]], "velocity"),
        ([[60, "0", 1.0, 9]], "onset"),
        ([[60, 0.0, 1.0, 90]] * 10_001, "1 to"),
    ],
)
def test_what_can_not_have_been_played_is_refused(notes, words):
    with pytest.raises(ValueError, match=words):
        read_recording({"notes": notes, "tempo": 96, "meter": [4, 4]})


@pytest.mark.parametrize("value", [None, "take.wav", [], 3])
def test_no_recording_is_refused(value):
    with pytest.raises(ValueError, match="no recording yet"):
        read_recording(value)


# --- in a browser

TONE = 440
LATENCY = 0.1 + 0.05  # seconds; what the browser says of the looped microphone: output and input
SILENT_MICROPHONE = """
    navigator.mediaDevices.getUserMedia =
        async () => new AudioContext().createMediaStreamDestination().stream;
"""
# The microphone records what the page plays, without delay: the clicks are in the recording.
LOOPED_MICROPHONE = f"""
    {SILENT_MICROPHONE}
    MediaStreamTrack.prototype.getSettings = () => ({{ latency: 0.05 }});
    const connect = AudioNode.prototype.connect;
    window.AudioContext = class extends AudioContext {{
        played = this.createGain();
        get outputLatency() {{ return 0.1; }}
        createMediaStreamSource() {{ return this.played; }}
    }};
    AudioNode.prototype.connect = function (to, ...rest) {{
        if (to === this.context.destination && this instanceof GainNode)
            connect.call(this, this.context.played);
        return connect.call(this, to, ...rest);
    }};
"""


def told(recording):
    """What was read, for JSON."""
    return recording if isinstance(recording, str) else dataclasses.asdict(recording)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The recorder on a page that shows and counts recordings, and empties it after each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        with gr.Blocks() as demo:
            recorder, shown, number = (
                Recorder(),
                gr.Textbox(label="Take"),
                gr.Number(0, label="Takes"),
            )
            recorder.input(
                lambda value, takes: (
                    json.dumps(told(read_recording(value))),
                    takes + 1,
                    None,
                ),
                [recorder, number],
                [shown, number, recorder],
            )
        yield demo.launch(prevent_thread_lock=True, quiet=True)[1]
        demo.close()


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):  # noqa: F811
    """Chromium with a microphone that hears a tone."""
    tone = tmp_path_factory.mktemp("tone") / "tone.wav"
    with wave.open(str(tone), "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", ""))
        file.writeframes(
            (8000 * np.sin(2 * np.pi * TONE * np.arange(10 * 48000) / 48000))
            .astype("<i2")
            .tobytes()
        )
    return chromium(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={tone}",
    )


@pytest.fixture
def page(browser, address):
    with watched_page(browser) as (page, watch):
        page.goto(address)
        yield page
    assert not watch.foreign


def says(page, text):
    page.get_by_role("status").get_by_text(text).wait_for(timeout=10_000)


def record(page, tempo, meter, seconds):
    """Press Record, wait for the count-in and for so many seconds, and stop."""
    page.get_by_label("With a click").check()
    page.get_by_label("Tempo").fill(str(tempo))
    page.get_by_label("Metre").select_option(meter)
    page.get_by_role("button", name="Record").click()
    says(page, "Recording")
    page.wait_for_timeout(1000 * seconds)
    page.get_by_role("button", name="Stop").click()


def received(page, takes=1):
    """The recording that Python was given, its samples and their rate, once there are so many."""
    says(page, "Recorded")
    page.wait_for_function(
        "takes => document.querySelector('[aria-label=Takes]').value === String(takes)", arg=takes
    )
    take = json.loads(page.get_by_label("Take", exact=True).input_value())
    with wave.open(take["path"]) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return (
            take,
            np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768,
            file.getframerate(),
        )


def test_a_recording_arrives_with_its_beats(browser, address):
    with watched_page(browser) as (page, watch):
        page.goto(address)
        record(page, 120, "4/4", 2)
        take, samples, rate = received(page)
    assert (take["tempo"], take["meter"]) == (120, [4, 4])
    assert take["first"] == pytest.approx(0.5, abs=0.01)  # one beat of room for an upbeat
    assert 2.3 < len(samples) / rate < 6  # longer on a busy machine
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * rate / len(samples) == pytest.approx(TONE, abs=2)
    assert watch.errors == [] and watch.foreign == []


def test_the_clicks_are_where_the_takes_say(browser, address):
    with watched_page(browser) as (page, watch):
        page.add_init_script(LOOPED_MICROPHONE)
        page.goto(address)
        for takes, (tempo, meter, beats, parts) in enumerate(
            [(200, "3/4", 3, 1), (120, "6/8", 2, 3)], 1
        ):
            record(page, tempo, meter, 1.5)
            take, samples, rate = received(page, takes)
            loud = np.flatnonzero(np.abs(samples) > 0.01)
            clicks = loud[np.diff(loud, prepend=-rate) > 0.06 * rate] / rate
            assert len(clicks) > 4 and np.diff(clicks) == pytest.approx(
                60 / tempo / parts, abs=0.001
            )
            # A singer who is with the click is recorded later than it by the latency; here the
            # click is recorded at once.
            accents = [
                time
                for time in clicks
                if np.abs(samples[int(time * rate) :][: rate // 100]).max() > 0.42
            ]
            assert accents[0] == pytest.approx(take["first"] - LATENCY, abs=0.001)
            assert np.diff(accents) == pytest.approx(beats * 60 / tempo, abs=0.001)
    assert watch.errors == []


def test_the_tempo_is_tapped_and_stepped(page):
    page.get_by_label("With a click").check()
    tempo = page.get_by_label("Tempo")
    # On a busy machine the pauses are longer than asked for.
    at = page.get_by_role("button", name="Tap").evaluate(
        """async (button) => {
            const at = [];
            for (let i = 0; i < 5; i++) {
                at.push(performance.now());
                button.click();
                await new Promise((resolve) => setTimeout(resolve, 300));
            }
            return at;
        }"""
    )
    pause = np.median(np.diff(at))
    assert int(tempo.input_value()) == pytest.approx(60_000 / pause, rel=0.06)
    tempo.fill("40")
    page.get_by_role("button", name="Slower").click()
    assert tempo.input_value() == "40"
    page.get_by_role("button", name="Faster").press("Enter")
    assert tempo.input_value() == "41"
    tempo.fill("999")
    tempo.blur()
    assert tempo.input_value() == "240"


def test_what_is_no_recording_is_not_sent(browser, address):
    with watched_page(browser) as (page, watch):
        page.add_init_script(SILENT_MICROPHONE)
        page.goto(address)
        page.get_by_label("With a click").check()
        page.get_by_role("button", name="Record").click()
        says(page, "Count-in")
        page.get_by_role("button", name="Stop").click()
        says(page, "nothing was recorded")
        record(page, 240, "2/4", 0.1)
        says(page, "less than a second")
        record(page, 240, "2/4", 1.2)
        says(page, "Nothing was heard")
        assert page.get_by_label("Takes").input_value() == "0"
    assert watch.errors == []


def test_a_recording_is_kept_until_it_could_be_sent(page):
    page.route("**/upload*", lambda route: route.abort())
    record(page, 240, "2/4", 1.2)
    says(page, "could not be sent")
    page.unroute("**/upload*")
    page.get_by_role("button", name="Send again").click()
    take, samples, rate = received(page)
    assert take["meter"] == [2, 4] and len(samples) / rate > 1


def test_a_blocked_microphone_is_explained(chromium, address):  # noqa: F811
    with watched_page(
        chromium("--deny-permission-prompts", "--use-fake-device-for-media-stream")
    ) as (page, watch):
        page.goto(address)
        page.get_by_role("button", name="Record").click()
        says(page, "The microphone is blocked")
        assert page.get_by_role("button", name="Record").is_enabled()
    assert watch.errors == []


def test_without_a_click_it_begins_at_once(page):
    page.get_by_role("button", name="Record").click()
    says(page, "Recording")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop").click()
    says(page, "Recorded 0:0")
    page.wait_for_function("document.querySelector('[aria-label=Takes]').value === '1'")
    path = json.loads(page.get_by_label("Take", exact=True).input_value())
    with wave.open(path) as file:
        assert file.getnframes() / file.getframerate() > 1


def test_it_fits_a_phone(browser, address):
    with watched_page(browser, viewport={"width": 360, "height": 740}) as (page, watch):
        page.goto(address)
        page.get_by_role("button", name="Record").wait_for()
        page.get_by_label("With a click").check()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_role("button", name="Record").focus()
        page.keyboard.press("Space")
        says(page, "Count-in")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert watch.errors == []
