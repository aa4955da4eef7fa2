"""Measure how long the page takes: `python -m benchmarks.page [--genre pop] [--users 10]`.

Prints a table. The page runs in a process of its own. The times of one visitor are those of a real
browser, from the click to what is seen or can be played; without chromium or playwright they are
left out.
"""

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gradio_client import Client, handle_file

from accomp import genres, write_midi
from benchmarks.speed import row, tune
from tests.support.browser import CHROMIUM, FLAGS, watched_page
from tests.support.server import Server, serving

BARS = 32  # of the melody
LIMIT = 300_000  # ms to wait for anything on the page


def main() -> None:
    """Start the page, and measure one visitor and then many."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--genre", default="pop", help="that plays (default: pop)")
    parser.add_argument("--users", type=int, default=10, help="at once (default: 10)")
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
            many_users(server, melody, options.users)
            row(
                "peak memory",
                f"after {options.users} users at once",
                f"{server.peak_memory():.0f} MB",
            )


def one_visitor(server: Server, melody: Path, genre: str) -> None:
    """Time in a browser what one visitor waits for."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return row("one visitor", "playwright is not installed", "")
    if not CHROMIUM:
        return row("one visitor", "chromium is not installed", "")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        with watched_page(browser) as (page, _):
            page.set_default_timeout(LIMIT)

            def seconds_until(player: str, condition: str) -> float:
                found = f"document.querySelector('#{player} .player')?.player"
                page.wait_for_function(
                    f"() => {{ const p = {found}; return p?.song && ({condition}) }}"
                )
                return time.perf_counter() - start

            start = time.perf_counter()
            page.goto(server.url)
            page.get_by_role("button", name="Accompany").wait_for()
            row("address to page", "", f"{time.perf_counter() - start:.1f} s")
            page.get_by_label("Genre", exact=True).fill(genre)
            page.get_by_label("Genre", exact=True).press("Enter")
            start = time.perf_counter()
            page.get_by_test_id("file-upload").first.set_input_files(melody)
            row("file to its roll", f"{BARS} bars", f"{seconds_until('melody', 'true'):.1f} s")
            row(
                "file to its sound",
                f"{BARS} bars",
                f"{seconds_until('melody', 'p.sound.isLoaded'):.1f} s",
            )
            for seed, detail in ((0, "first song of the genre"), (1, "next song")):
                page.get_by_label("Seed", exact=True).fill(str(seed))
                start = time.perf_counter()
                page.get_by_role("button", name="Accompany").click()
                shown = f"p.song.title.endsWith('seed {seed}')"
                row(
                    "click to the song's roll",
                    f"{BARS} bars, {detail}",
                    f"{seconds_until('song', shown):.1f} s",
                )
                heard = f"{shown} && p.sound.isLoaded"
                row(
                    "click to the song's sound",
                    f"{BARS} bars, {detail}",
                    f"{seconds_until('song', heard):.1f} s",
                )
            page.get_by_role("button", name="Explore an instrument").click()
            page.get_by_label("number input for Sparser to busier").fill("1")
            start = time.perf_counter()
            page.keyboard.press("Tab")
            moved = "p.song.title.endsWith('moved')"
            row(
                "click to the roll with an instrument moved",
                f"{BARS} bars",
                f"{seconds_until('song', moved):.1f} s",
            )
            start = time.perf_counter()
            page.get_by_role("button", name="Invent a melody").click()
            invented = "!p.song.title.endsWith('moved')"
            row(
                "click to the roll of an invented melody's song",
                "16 bars",
                f"{seconds_until('song', invented):.1f} s",
            )
        browser.close()


def many_users(server: Server, melody: Path, users: int) -> None:
    """Time users who all ask the API at the same moment, each for another seed, in all genres."""

    def ask(number: int, client: Client) -> float:
        genre = genres()[number % len(genres())]
        client.predict(handle_file(melody), genre, number, api_name="/accompany")
        return time.perf_counter() - start

    with tempfile.TemporaryDirectory() as downloads, ThreadPoolExecutor(users) as pool:
        clients = [
            Client(server.url, verbose=False, download_files=downloads) for _ in range(users)
        ]
        start = time.perf_counter()
        taken = list(pool.map(ask, range(users), clients))
    detail = f"{users} users at once, {BARS} bars each"
    row("request to song with WAV, median", detail, f"{statistics.median(taken):.1f} s")
    row("request to song with WAV, worst", detail, f"{max(taken):.1f} s")


if __name__ == "__main__":
    main()
