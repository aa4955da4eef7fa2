"""How the page is served: who waits, what may be uploaded, whether it is well, and how it ends."""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from page import files, visits
from page.limits import LIMITS
from page.messages import refuse
from page.words import WORDS

MUSIC = "music"  # the places for which visitors wait in a line
BUSY = "{count} others are waiting for music just now. Try again in a minute."
FULL = "The page holds as many files of visitors as it can just now. Try again in an hour."
LARGE = "The file is larger than {most} MB; export it as mp3."
UPLOAD = "/gradio_api/upload"
ARENAS = 2  # from which threads get memory; see share_memory
LARGE_BLOCK = 1 << 20  # bytes from which memory goes back at once; see share_memory
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3  # of glibc's malloc.h
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


def serve(demo: gr.Blocks, **options: Any) -> None:
    """Serve a page until it is told to end, and leave no files behind.

    Args:
        demo: The page.
        **options: More arguments of Blocks.launch.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)
    share_memory()
    demo.launch(**launching(demo), **options, prevent_thread_lock=True)
    with suppress(KeyboardInterrupt):
        while not visits.closing.wait(1.0):  # in steps, so that Ctrl-C is seen everywhere
            pass
    visits.close()
    demo.close()


def share_memory() -> None:
    """Let all threads get their memory from few places, and give large blocks back at once.

    Else glibc has eight places for each core, and each keeps for its threads what a song left in
    it: sound and networks need many blocks of megabytes for a moment.
    """
    with suppress(OSError, AttributeError):  # another system's
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_ARENA_MAX, ARENAS)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def launching(demo: gr.Blocks) -> dict[str, Any]:
    """Give a page's line a length, and return the arguments with which it is launched."""
    _limit_line(demo)
    return {
        "max_file_size": LIMITS.upload_bytes,
        "i18n": WORDS,
        "app_kwargs": {
            "routes": [Route("/health", _health(demo))],
            "middleware": [Middleware(UploadLimit)],
        },
    }


def waiting(demo: gr.Blocks) -> int:
    """Return how many wait for music."""
    line = demo._queue.event_queue_per_concurrency_id.get(MUSIC)
    return len(line.queue) if line else 0


class UploadLimit:
    """Refuse an upload when it, or all that are kept, are too large. An ASGI middleware."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        self.app = app
        self.counted = (-1e9, 0, 0)  # when, files, bytes

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and scope["path"].endswith(UPLOAD):
            request = Request(scope)
            if refusal := self._refusal(request):
                return await refusal(scope, receive, send)
            _remove_broken_off()
            with suppress(ClientDisconnect):  # it broke off, and there is nobody to tell
                await self.app(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refusal(self, request: Request) -> JSONResponse | None:
        size = request.headers.get("content-length", "")
        if not size.isdecimal() or len(size) > 15 or int(size) > LIMITS.upload_bytes + 10_000:
            return _said(413, request, LARGE, most=LIMITS.upload_bytes // 10**6)
        count, total = self._kept()
        if count >= LIMITS.uploads or total + int(size) > LIMITS.uploads_bytes:
            return _said(507, request, FULL)
        return None

    def _kept(self) -> tuple[int, int]:
        """Return how many files are kept of visitors, and their bytes; counted now and then."""
        if time.monotonic() - self.counted[0] > LIMITS.moment:
            sizes = [
                entry.stat().st_size
                for folder in os.scandir(files.uploads())
                if folder.is_dir()
                for entry in os.scandir(folder)
            ]
            self.counted = (time.monotonic(), len(sizes), sum(sizes))
        return self.counted[1], self.counted[2]


def _remove_broken_off() -> None:
    """Remove what is left of uploads that broke off: files beside the folders of whole ones."""
    for entry in os.scandir(files.uploads()):
        with suppress(OSError):
            if entry.is_file() and time.time() - entry.stat().st_mtime > LIMITS.broken_off:
                Path(entry.path).unlink()


def _limit_line(demo: gr.Blocks) -> None:
    """Tell who comes when the line is full so, in words, in place of waiting without an end."""
    queue = demo._queue
    push = queue.push
    queue.max_size = LIMITS.line_of_all

    async def pushed(body: Any, request: Any, username: str | None) -> Any:
        function = demo.fns.get(body.fn_index)
        is_music = function is not None and function.concurrency_id == MUSIC
        count = waiting(demo)
        if is_music and count >= LIMITS.line:
            is_browser = "mozilla" in request.headers.get("user-agent", "").lower()
            # To 503 Gradio's page says words of its own; to 400 it says these.
            words = _words(request, BUSY, count=count)
            return False, words, "error" if is_browser else "queue_full"
        return await push(body, request, username)

    queue.push = pushed  # type: ignore[method-assign]  Gradio has no words of one's own for it


def _words(request: Any, text: str, **values: Any) -> str:
    """Return words in the language of a request that is not an event's yet."""
    before = LocalContext.request.set(SimpleNamespace(headers=request.headers))  # type: ignore[arg-type]
    try:
        return refuse(text, **values).message
    finally:
        LocalContext.request.reset(before)


def _said(status: int, request: Request, text: str, **values: Any) -> JSONResponse:
    words = _words(request, text, **values)
    return JSONResponse({"detail": words, "error": words}, status)


def _health(demo: gr.Blocks) -> Callable[[Request], Awaitable[JSONResponse]]:
    """Return what answers a load balancer: 200, or 503 where others had better be asked."""

    async def health(request: Request) -> JSONResponse:
        count = waiting(demo)
        is_well = demo.is_running and not visits.closing.is_set() and count < LIMITS.line
        return JSONResponse({"well": is_well, "waiting": count}, 200 if is_well else 503)

    return health


def _end(number: int, frame: FrameType | None) -> None:
    """End in order; a second signal ends it at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    visits.close()
