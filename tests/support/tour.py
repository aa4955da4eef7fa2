"""Make the tour of the page for README, and its picture.

    .venv/bin/python -m tests.support.tour

A browser does what a visitor would, with captions. Writes docs/tour.gif and docs/page.png.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.page.web.visitor import SOUNDING, Visitor
from tests.support.browser import CHROMIUM, FLAGS
from tests.support.server import serving

DOCS = Path(__file__).parents[2] / "docs"
WINDOW = {"width": 1280, "height": 900}
SIZE = (896, 630)  # of the tour, in pixels
COLOURS = 128
LARGEST = 3_000_000  # bytes
STILL, MOVING = 5.0, 0.6  # seconds that a frame is shown
CAPTION = """(text) => {
    const caption = document.getElementById("caption")
        ?? document.body.appendChild(document.createElement("div"));
    caption.id = "caption";
    caption.textContent = text;
    caption.style.cssText = "position:fixed;z-index:99;left:50%;bottom:22px;translate:-50%;"
        + "padding:12px 22px;border-radius:99px;background:#1c1b1f;color:#fff;"
        + "font:600 20px Inter;box-shadow:0 6px 24px #0006;white-space:nowrap";
}"""


@dataclass
class Film:
    """The frames of a tour."""

    page: Page
    frames: list[Image.Image] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def say(self, caption: str) -> None:
        """Show a caption from now on."""
        self.page.evaluate(CAPTION, caption)

    def still(self, seconds: float = STILL) -> None:
        """Take a frame that stands for a while."""
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.frames.append(picture.resize(SIZE, Image.Resampling.LANCZOS))
        self.seconds.append(seconds)

    def moving(self, count: int) -> None:
        """Take frames one after another, as things move."""
        for _ in range(count):
            self.still(MOVING)
            self.page.wait_for_timeout(int(1000 * MOVING))

    def write(self, path: Path) -> None:
        """Write all frames as a GIF with one set of colours: only what changes is stored."""
        sheet = Image.new("RGB", (SIZE[0], SIZE[1] * len(self.frames[::3])))
        for place, frame in enumerate(self.frames[::3]):
            sheet.paste(frame, (0, place * SIZE[1]))
        palette = sheet.quantize(COLOURS)
        first, *rest = (
            frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames
        )
        durations = [round(1000 * each) for each in self.seconds]
        first.save(
            path, save_all=True, append_images=rest, duration=durations, loop=0, optimize=False
        )


def walk(visitor: Visitor, film: Film) -> Iterator[tuple[str, Callable[[], None]]]:
    """Return each step of the tour: what is said, and what is done then."""
    page = visitor.page
    card = page.locator

    def plays(count: int = 6) -> None:
        if "playing" not in (page.locator("#song .player").get_attribute("class") or ""):
            page.locator("#song .play").click()
        film.moving(count)
        page.locator("#song .play").click()

    def genre(name: str) -> None:
        card("#genres label").filter(has_text=name).click()
        film.still(1.5)
        visitor.makes("Play it with a band")
        visitor.wait("p.song")

    yield "A melody is open. Drop, record or invent your own.", film.still
    yield (
        "Or choose an example, and hear it.",
        lambda: (card("#examples label").filter(has_text="Ode").click(), plays(4)),
    )
    yield "One click, and a band plays.", lambda: (visitor.makes("Play it with a band"), plays(5))
    yield (
        "Mute, solo or mix anybody while it plays.",
        lambda: (page.get_by_role("button", name="Mute melody").click(), plays(3)),
    )
    yield "Another genre is one more take.", lambda: (genre("Jazz"), plays(4))
    yield "Takes are compared with one click.", lambda: (visitor.take("Ode to joy · Pop"), plays(2))
    yield (
        "Lock what you like, choose bars by dragging …",
        lambda: (
            page.get_by_role("button", name="Mute melody").click(),
            page.get_by_role("button", name="Lock drums").click(),
            visitor.select_bars(4, 7),
            film.still(),
        ),
    )
    yield (
        "… and have the rest made anew.",
        lambda: (visitor.makes("Remake"), page.wait_for_timeout(600), film.still(3)),
    )
    yield (
        "Undo and redo go through what was seen.",
        lambda: (
            page.get_by_role("button", name="Lock drums").click(),
            page.locator("#song .clear").click(),
            visitor.makes("Undo"),
            film.still(1.8),
            visitor.makes("Redo"),
            film.still(1.8),
        ),
    )
    yield "Click a chord, and take another one that fits.", lambda: _chord(visitor, film)
    yield "Move a note of the melody. The band can follow.", lambda: _note(visitor, film)
    yield "Have bars of one player played anew.", lambda: _bars(visitor, film)
    yield (
        "Sing it lower, with a flute in front.",
        lambda: (
            page.get_by_label("Sound of melody").select_option("Flute"),
            page.get_by_label("Key, in semitones").select_option("-3"),
            page.locator("#takes .detail").get_by_text("Flute").first.wait_for(),
            plays(3),
        ),
    )
    yield "No strings, a second guitar: who stays plays the same.", lambda: _line_up(visitor, film)
    yield (
        "Star the best one. It is still here at your next visit.",
        lambda: (
            page.locator("#takes .shown .star").click(),
            page.wait_for_timeout(600),
            film.still(),
        ),
    )
    yield (
        "Make one player busier, or blend two takes.",
        lambda: (visitor.turn_to("Explore"), film.still()),
    )
    yield (
        "Keep the song as MIDI, sound, stems or a lead sheet.",
        lambda: (
            visitor.sees_downloads(),
            page.mouse.wheel(0, 900),
            page.wait_for_timeout(500),
            film.still(),
            visitor.closes_downloads(),
            page.mouse.wheel(0, -2000),
            page.wait_for_timeout(500),
        ),
    )
    yield "Copy link: it opens with this take, ready to play.", film.still


def _chord(visitor: Visitor, film: Film) -> None:
    """Take another chord for the bar where the song stands."""
    visitor.press("Chords")
    chip = visitor.page.locator("#song .chip").first
    chip.wait_for()
    film.still()
    chip.click()
    visitor.page.locator("#takes [aria-current]").get_by_text(" in bar").wait_for()
    film.still(3)
    visitor.page.keyboard.press("Escape")


def _note(visitor: Visitor, film: Film) -> None:
    """Move a note by keys, and go back."""
    visitor.press("Edit notes")
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        visitor.page.keyboard.press(key)
        film.still(1)
    film.still(3)
    visitor.page.keyboard.press("Control+z")
    visitor.page.keyboard.press("Control+z")
    visitor.page.locator("#song").get_by_role("button", name="Done").click()
    for _ in range(3):
        visitor.press("Zoom out")


def _bars(visitor: Visitor, film: Film) -> None:
    """Have some bars of the guitar played anew."""
    visitor.press("Play bars of guitar anew")
    for _ in range(3):
        visitor.press("End a bar later")
    visitor.page.get_by_label("How busy").fill("80")
    film.still()
    visitor.makes("Play it anew here")
    film.still(3)
    visitor.page.keyboard.press("Escape")


def _line_up(visitor: Visitor, film: Film) -> None:
    """Have a second guitar in the strings' place."""
    visitor.turn_to("Change")
    box = visitor.page.get_by_role("combobox", name="Line-up", exact=True)
    box.click()
    film.still()
    visitor.page.get_by_role("option", name="No strings, a second guitar").click()
    visitor.makes("Play it so")
    film.still(4)


def main() -> None:
    """Make the tour and the picture."""
    with serving() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *SOUNDING])
        page = browser.new_page(viewport=WINDOW)
        page.set_default_timeout(90_000)
        page.goto(server.url)
        visitor, film = Visitor(page), Film(page)
        visitor.wait("p.song")
        page.wait_for_timeout(2000)
        for caption, act in walk(visitor, film):
            film.say(caption)
            act()
        film.write(DOCS / "tour.gif")
        visitor.ask("p.pause()")
        visitor.ask("p.seek(0)")
        page.evaluate("document.getElementById('caption').remove(); scrollTo(0, 0)")
        page.wait_for_timeout(1000)
        page.screenshot(path=DOCS / "page.png")
        browser.close()
    size = (DOCS / "tour.gif").stat().st_size
    print(f"{len(film.frames)} frames, {sum(film.seconds):.0f} s, {size / 1e6:.2f} MB")
    if size > LARGEST:
        raise SystemExit(f"the tour is larger than {LARGEST / 1e6:g} MB")


if __name__ == "__main__":
    main()
