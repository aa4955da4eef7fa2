"""A visitor of the page in a real browser, and the melodies and songs of the tests."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from accomp import Note, Score, Tempo, TimeSignature, Track, read_midi, write_midi
from accomp.roll.grid import TRACK_NAMES

ROOT = Path(__file__).parents[3]
ODE = ROOT / "examples" / "ode_to_joy.mid"
PICTURES = ROOT / "test-results"  # what the page looked like; not in the repository
PATIENCE = 90  # seconds: sound on a busy machine
SOUNDING = ("--autoplay-policy=no-user-gesture-required",)
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
HUMMED_TEMPO = 100
# The list of takes, and which one is marked.
CURRENT = """JSON.stringify(
    [...document.querySelectorAll('#takes .choose')].map(row => [row.ariaCurrent, row.innerText])
)"""


class Visitor:
    """Somebody at the page, with its one player."""

    def __init__(self, page):
        self.page = page

    # What is done

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def bring(self, file: Path) -> None:
        """Chooses a file."""
        self.wants_melody()
        self.page.locator("#melody-file").get_by_test_id("file-upload").set_input_files(file)

    def wants_melody(self) -> None:
        """Unfolds where melodies come from, if it is folded away."""
        if not self.page.locator("#melody-part").is_visible():
            self.press("Change melody")
            self.page.locator("#examples").wait_for()

    def drop(self, file: Path) -> None:
        handle = self.page.evaluate_handle(
            """([bytes, name]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(bytes)], name));
                return transfer;
            }""",
            [list(file.read_bytes()), file.name],
        )
        zone = self.page.locator("#melody-file button:has([data-testid=file-upload])")
        for event in ("dragenter", "dragover", "drop"):
            zone.dispatch_event(event, {"dataTransfer": handle})

    def stops(self) -> None:
        """Stop what is still being made, if anything is."""
        if self.page.locator("#stop").is_visible():
            self.press("Stop")

    def choose(self, label: str, value: str) -> None:
        """In a list that opens."""
        box = self.page.get_by_role("combobox", name=label, exact=True)
        box.click()
        self.page.get_by_role("option", name=value, exact=True).click()

    def open(self, accordion: str) -> None:
        """Open a part of the page that is folded together, and the part that it is in."""
        if accordion in ("In the style of", "Settings of invented melodies"):
            self.tune()
        self.page.get_by_role("button", name=accordion).first.click()
        self.settles()

    def tune(self) -> None:
        """Open what can be tuned, if it is not open yet."""
        if not self.page.get_by_label("Seed", exact=True).is_visible():
            self.open("Tune it")

    def turn_to(self, tab: str) -> None:
        """Of what can be done with a take."""
        self.page.locator("#more").get_by_role("tab", name=tab, exact=True).click()
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
        """Wait until widgets that have just appeared have their values.

        Gradio sets them some 50 ms later, over what was typed by then, and nothing else shows it.
        """
        self.page.evaluate(
            """() => new Promise((resolve) => setTimeout(
                () => requestIdleCallback(resolve, { timeout: 5000 }), 300))"""
        )

    def example(self, title: str = "Ode to joy") -> None:
        self.wants_melody()
        self.waits_for_facts(",")  # the page has opened its own first melody
        self.page.locator("#examples label").filter(has_text=title).click()
        self.waits_for_facts(title)

    def accompany(self, **settings) -> str:
        """A song for the melody; gives its title as soon as it is shown."""
        for label, value in settings.items():
            if label == "seed":
                self.tune()
                self.page.get_by_label("Seed", exact=True).fill(str(value))
            else:
                self.page.locator("#genres label").filter(has_text=value.capitalize()).click()
        return self.makes("Play it with a band")

    def makes(self, button: str) -> str:
        """Presses a button that makes a take; gives the take's name."""
        return self._made_by(lambda: self.press(button))

    def makes_by_key(self, key: str) -> str:
        """Presses a key that makes a take; gives the take's name."""
        return self._made_by(lambda: self.page.keyboard.press(key))

    def _made_by(self, act: Callable[[], None]) -> str:
        before = self.page.evaluate(CURRENT)
        act()
        self.page.wait_for_function(
            f"before => {CURRENT} !== before", arg=before, timeout=1000 * PATIENCE
        )
        return self.chosen()

    def select_bars(self, first: int, last: int) -> None:
        """By a drag over the song's ruler; counted from 0."""
        ruler = self.page.locator("#song .ruler")
        ruler.scroll_into_view_if_needed()
        box = ruler.bounding_box()
        xs = [
            box["x"] + self.ask(f"p.song.bars[{bar}] * p.roll.scale - p.roll.left") + 8
            for bar in (first, last)
        ]
        self.page.mouse.move(xs[0], box["y"] + 8)
        self.page.mouse.down()
        self.page.mouse.move(xs[1], box["y"] + 8, steps=3)
        self.page.mouse.up()

    # What is seen and heard

    def ask(self, expression: str):
        """A JavaScript expression of `p`, the player."""
        find = "document.querySelector('#song .player').player"
        return self.page.evaluate(f"(() => {{ const p = {find}; return {expression} }})()")

    def wait(self, condition: str) -> None:
        find = "document.querySelector('#song .player')?.player"
        self.page.wait_for_function(
            f"() => {{ const p = {find}; return p && ({condition}) }}", timeout=1000 * PATIENCE
        )

    def waits_for_sound(self) -> None:
        self.wait("p.sound.isLoaded && ['ready', 'playing', 'paused'].includes(p.state)")

    def waits_for_facts(self, *words: str) -> str:
        """Until what is said of the melody has all these words."""
        for word in words:
            self.page.locator("#facts").get_by_text(word).first.wait_for(timeout=1000 * PATIENCE)
        # Beside them Gradio may still show how long a handler takes.
        return self.page.locator("#facts .prose").first.inner_text()

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
        """Of what the player shows."""
        return self.page.evaluate(
            "document.querySelector('#song .player')?.player?.song?.title ?? ''"
        )

    def chosen(self) -> str:
        """The name of the take that is marked in the list."""
        return self.page.locator("#takes [aria-current] .title").inner_text()

    def waits_for_takes(self, count: int) -> None:
        self.page.locator("#takes li").nth(count - 1).wait_for()

    def take(self, name: str) -> None:
        """Choose a take in the list."""
        self.page.locator("#takes").get_by_role("button", name=name).first.click()
        self.page.locator("#takes [aria-current]").filter(has_text=name).wait_for()

    def status(self) -> str:
        return self.page.locator("#status").get_by_test_id("markdown").inner_text().strip()

    def takes(self) -> list[str]:
        return self.page.locator("#takes .title").all_inner_texts()

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
        """A file of the take that is shown, which is ready."""
        self.sees_downloads()
        link = self.page.locator(f"#downloads a[download='{name}']")
        link.first.wait_for(timeout=1000 * PATIENCE)
        answer = self.page.request.get(link.first.get_attribute("href"))
        self.closes_downloads()
        assert answer.ok
        return answer.body()

    def download_name(self, ending: str) -> str:
        """Of the file of the take that is shown, which ends so."""
        self.sees_downloads()
        name = self.page.locator(f"#downloads a[download$='{ending}']").first.get_attribute(
            "download"
        )
        self.closes_downloads()
        return name

    def keeps(self, what: str) -> bytes:
        """A file that is made when it is asked for, by its name in the menu."""
        self.sees_downloads()
        with self.page.expect_download(timeout=1000 * PATIENCE) as download:
            self.page.locator("#downloads").get_by_label(what, exact=True).click()
        self.closes_downloads()
        return Path(download.value.path()).read_bytes()

    def closes_downloads(self) -> None:
        self.page.keyboard.press("Escape")
        self.page.locator("#downloads .menu").wait_for(state="hidden")

    def sees_downloads(self) -> None:
        if not self.page.locator("#downloads .menu").is_visible():
            self.press("Download")

    def notes(self, name: str) -> Score:
        return read_midi(io.BytesIO(self.download(f"{name}.mid")))

    def picture(self, name: str) -> None:
        PICTURES.mkdir(exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def width(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth")


def written(
    file: Path, steps, tempo: float = 150, meter: tuple[int, int] = (4, 4), is_drum: bool = False
) -> Path:
    """A MIDI file: a note each beat, on the steps of a major scale up and down."""
    scale = (60, 62, 64, 65, 67, 69, 71, 72)
    pitches = [scale[abs((step * 3) % 14 - 7)] for step in steps]
    notes = [Note(pitch, float(beat), 0.9, 80) for beat, pitch in enumerate(pitches)]
    write_midi(
        Score(
            [Track("tune", 0, is_drum, notes)],
            [Tempo(0.0, round(60e6 / tempo))],
            [TimeSignature(0.0, *meter)],
        ),
        file,
    )
    return file


def by_name(song: Score) -> dict[str, list[tuple]]:
    """(pitch, onset, duration) of each track's notes."""
    return {
        name: [note[:3] for note in track.notes] for name, track in zip(TRACK_NAMES, song.tracks)
    }


def shown_notes(visitor: Visitor) -> dict[str, list]:
    """[pitch, onset s] of each track in the roll."""
    return {
        track["name"]: [note[:2] for note in track["notes"]]
        for track in visitor.ask("p.song.tracks")
    }


def assert_shows(visitor: Visitor, song: Score) -> None:
    """What the roll shows is what the MIDI file holds. A MIDI file's places are whole ticks."""
    shown = shown_notes(visitor)
    for name, track in zip(TRACK_NAMES, song.tracks):
        expected = sorted([note.pitch, song.seconds(note.onset)] for note in track.notes)
        assert len(shown[name]) == len(expected)
        assert np.allclose(np.array(sorted(shown[name])), np.array(expected), atol=0.003)
