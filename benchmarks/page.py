"""Measure how long the page takes: `python -m benchmarks.page [--genre pop] [--users 10 30]`.

Prints a table. The page runs in a process of its own. The times of one visitor are those of a real
browser, from the click to what is seen or heard; without chromium or playwright they are left out.
Many users are simulated: see benchmarks.page_users.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from accomp import genres, write_midi
from benchmarks.page_users import time_users
from benchmarks.speed import row, tune
from tests.page.web.visitor import SOUNDING, Visitor
from tests.support.browser import CHROMIUM, FLAGS, watched_page
from tests.support.server import Server, serving

BARS = 32  # of the melody
LIMIT = 60_000  # ms to wait for anything on the page
HEARD = "p.sound.isRunning && p.sound.level > 1e-3"


def main() -> None:
    """Start the page, and measure one visitor and then many."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--genre", default="pop", help="that plays (default: pop)")
    parser.add_argument(
        "--users", type=int, nargs="+", default=[10, 30], help="at once (default: 10 30)"
    )
    options = parser.parse_args()
    row("", "", "figure")
    row("processor cores", "", f"{os.cpu_count()}")
    with tempfile.TemporaryDirectory() as folder:
        melody = Path(folder) / "melody.mid"
        write_midi(tune(BARS), melody)
        start = time.perf_counter()
        with serving() as server:
            row("process start to page", "", f"{time.perf_counter() - start:.1f} s")
            one_visitor(server, melody, options.genre)
            row("peak memory", "after one visitor", f"{server.peak_memory():.0f} MB")
            time_users(server.url, melody, genres(), len(genres()))  # all models are loaded then
            for users in options.users:
                many_users(server, melody, users)
            row("peak memory", "at the end", f"{server.peak_memory():.0f} MB")


def one_visitor(server: Server, melody: Path, genre: str) -> None:
    """Time in a browser what one visitor waits for."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return row("one visitor", "playwright is not installed", "")
    if not CHROMIUM:
        return row("one visitor", "chromium is not installed", "")
    with sync_playwright() as playwright:
        flags = [*FLAGS, *SOUNDING]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        with watched_page(browser) as (page, _):
            page.set_default_timeout(LIMIT)
            sent: list[int] = []
            page.on("response", lambda answer: sent.append(size_of(answer)))
            start = time.perf_counter()
            page.goto(server.url)
            page.get_by_role("button", name="Play it with a band").wait_for()
            row("address to page", "", seconds(start))
            visit(Visitor(page), melody, genre)
            row("sent for the sound", "", f"{sum(sent) / 1e6:.1f} MB")
        browser.close()


def size_of(answer) -> int:  # noqa: ANN001  of playwright
    """Return the bytes that were sent, if they are of what plays live."""
    return int(answer.headers.get("content-length", 0)) if "/player/made/" in answer.url else 0


def visit(visitor: Visitor, melody: Path, genre: str) -> None:
    """Time what a visitor does with the page."""
    start = time.perf_counter()
    visitor.bring(melody)
    visitor.wait("p.song?.tracks[0].notes.length > 100")
    row("file to its roll", f"{BARS} bars", seconds(start))
    visitor.wait("p.state === 'ready'")
    row("file to ready to play", f"{BARS} bars", seconds(start))
    visitor.page.locator("#genres label").filter(has_text=genre.capitalize()).click()
    press = visitor.press
    first = f"{BARS} bars, first song of the genre"
    time_press(visitor, "click to", first, lambda: press("Play it with a band"))
    visitor.waits_for_takes(1)  # with it the inputs fold away
    visitor.settles()
    visitor.tune()
    for seed in (1, 2):
        visitor.page.get_by_label("Seed", exact=True).fill(str(seed))
        next_one = f"{BARS} bars, another song"
        time_press(visitor, "click to", next_one, lambda: press("Play it with a band"))
    time_press(visitor, "remake to", f"{BARS} bars, while it plays", lambda: press("Remake"))
    visitor.turn_to("Explore an instrument")
    slider = visitor.page.get_by_label("number input for Sparser to busier")
    slider.fill("1")
    moved = f"{BARS} bars, an instrument moved while it plays"
    time_press(visitor, "slider to", moved, lambda: slider.press("Tab"))


def time_press(visitor: Visitor, what: str, detail: str, press: Callable[[], None]) -> None:
    """Print how long it takes from a press until a new song is seen, and until it is heard."""
    before = visitor.ask("p.song.id")
    start = time.perf_counter()
    press()
    visitor.wait(f"p.song.id !== '{before}'")
    row(f"{what} the song's roll", detail, seconds(start))
    visitor.wait(f"p.song.id !== '{before}' && p.sound.isSent && {HEARD}")
    row(f"{what} the song's sound", detail, seconds(start))


def seconds(start: float) -> str:
    """Return the time since `start`, as the table has it."""
    return f"{time.perf_counter() - start:.2f} s"


def many_users(server: Server, melody: Path, users: int) -> None:
    """Time users who all press the main button at the same moment, each for another seed."""
    taken = time_users(server.url, melody, genres(), users)
    detail = f"{users} users at once, {BARS} bars each"
    row(
        "click to all that roll and sound need, median", detail, f"{statistics.median(taken):.2f} s"
    )
    row("click to all that roll and sound need, worst", detail, f"{max(taken):.2f} s")


if __name__ == "__main__":
    main()
