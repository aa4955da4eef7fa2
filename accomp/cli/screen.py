"""Say on the screen what takes time and what fails."""

import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from threading import Event, Thread

from accomp.errors import DoubtError, MusicError

ANYWAY = " If it is a melody, --anyway takes the notes that were heard."


class Failures:
    """Count what fails, and say why on the standard error.

    Attributes:
        count: how often something failed.
    """

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def told(self, what: object) -> Iterator[None]:
        """End a block at an error, and say that this is what was tried.

        One that is not expected is told with where it comes from; the others of a batch go on.
        """
        try:
            yield
        except (MusicError, OSError) as error:  # OSError: what cannot be written
            self.count += 1
            way = ANYWAY if isinstance(error, DoubtError) else ""
            print(f"accomp: {what}: {error}{way}", file=sys.stderr)
        except Exception as error:
            self.count += 1
            traceback.print_exc()
            words = f"an unexpected error, please report it: {error!r}"
            print(f"accomp: {what}: {words}", file=sys.stderr)


def print_anything() -> None:
    """Let what is printed hold any text: names of files that are not UTF-8, on any terminal."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say what is being done while it is done.

    On a terminal that is a line with the seconds that have passed, which is removed at the end.
    Elsewhere, as in a log, it is a line of its own.
    """
    if not sys.stdout.isatty():
        print(f"  {what} ...", flush=True)
        yield
        return
    done = Event()
    clock = Thread(target=_count, args=(what, done), daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()
        print("\r\033[K", end="", flush=True)  # back to the line's beginning, which is erased


def _count(what: str, done: Event) -> None:
    begun = time.monotonic()
    while True:
        line = f"  {what} ... {time.monotonic() - begun:.0f} s"
        print(f"\r{line[: shutil.get_terminal_size().columns - 1]}\033[K", end="", flush=True)
        if done.wait(1.0):
            return
