"""A real browser for tests of the web page.

The fixture `chromium` launches it; a `Watch` collects requests and errors of pages.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)  # it calls no host that the page does not call
OWN_HOSTS = ("127.0.0.1", "localhost")


@dataclass
class Watch:
    """What happened in the pages of a context."""

    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)  # addresses asked for beyond this machine

    def request(self, request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("blob", "data", "about") and address.hostname not in OWN_HOSTS:
            self.foreign.append(request.url)

    def message(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Callable]:
    """launch(*flags) -> Browser; the browser with the same flags is launched once.

    Each module has a Playwright of its own: while one runs, asyncio.run fails in this thread,
    and other tests may need it.
    """
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    browsers = {}

    def launch(*flags: str):
        if flags not in browsers:
            browsers[flags] = playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*FLAGS, *flags]
            )
        return browsers[flags]

    with sync_api.sync_playwright() as playwright:
        yield launch
        for browser in browsers.values():
            browser.close()


@contextmanager
def watched_page(browser, **context) -> Iterator[tuple]:
    """Open a page in a context of its own; gives the page and its Watch.

    context: arguments of Browser.new_context, such as viewport.
    """
    watch = Watch()
    opened = browser.new_context(**context)
    opened.on("request", watch.request)
    opened.on("console", watch.message)
    opened.on("weberror", lambda error: watch.errors.append(str(error.error)))
    try:
        yield opened.new_page(), watch
    finally:
        opened.close()
