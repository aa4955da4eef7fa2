"""The melodies that a command was given: files, pipes and the standard input."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from accomp.cli.screen import Failures
from accomp.errors import MusicError
from accomp.listen.accepted import ACCEPTED, melody_kind
from accomp.project.kind import ENDING, is_project
from accomp.sound.accepted import MAX_BYTES

STANDARD_INPUT = Path("-")
_PIECE = 1 << 20  # bytes


@dataclass(frozen=True)
class Given:
    """A melody that was given.

    Attributes:
        path: where it can be read, as often as needed.
        shown: what was given, for messages.
        name: of the folder for its results.
    """

    path: Path
    shown: str
    name: str


@contextmanager
def opened(paths: list[Path], failures: Failures) -> Iterator[list[Given]]:
    """Return those paths that hold melodies; what flows is kept in a file for the time.

    A path that holds none is reported and left out.
    """
    with TemporaryDirectory(prefix="accomp-") as folder:
        found = []
        for number, path in enumerate(paths):
            shown = "the standard input" if path == STANDARD_INPUT else shown_path(path)
            with failures.told(shown):
                kept = path
                if _flows(path):
                    kept = Path(folder, f"{number}")
                    _keep(path, kept)
                if not is_project(kept):
                    melody_kind(kept)
                found.append(Given(kept, shown, _name(path)))
        yield found


def shown_path(path: Path) -> str:
    """Return a path as text that can be printed, whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "replace")


def _flows(path: Path) -> bool:
    """Tell whether a path can be read only once: a pipe, `<(command)`, the standard input."""
    return path == STANDARD_INPUT or path.is_fifo() or path.is_char_device() or path.is_socket()


def _keep(path: Path, kept: Path) -> None:
    """Write what flows to a file.

    Raises:
        MusicError: it does not end within the largest accepted size.
    """
    source = sys.stdin.buffer if path == STANDARD_INPUT else path.open("rb")
    left = MAX_BYTES + 1
    with kept.open("wb") as target:
        while left > 0 and (piece := source.read(min(_PIECE, left))):
            target.write(piece)
            left -= len(piece)
    if source is not sys.stdin.buffer:
        source.close()
    if left <= 0:
        raise MusicError(f"it is larger than {MAX_BYTES / 1e6:g} MB; {ACCEPTED}")


def _name(path: Path) -> str:
    """Return a name for the folder of results, which always lies within that of all results."""
    if path == STANDARD_INPUT or path.parent == Path("/dev/fd") or path == Path("/dev/stdin"):
        return "stdin"
    name = path.name.removesuffix(ENDING).strip()
    name = name if name != path.name else path.stem.strip()
    return name if name.strip(".") else "melody"
