"""One folder for all that a running page writes, and folders in it for what it makes.

Temporary files are in it, too. What was made goes away after an hour. The whole folder goes when
the page ends, and where it was killed, when the next one starts: a lock that ends with its process
tells that nobody uses it.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from page.limits import LIMITS

PREFIX = "accomp-page-"
LOCK = "in-use"
UPLOADS = "gradio"

_lock = threading.Lock()
_root: Path | None = None
_held: dict[Path, int] = {}  # open files whose lock tells that a folder is in use


def own_folder() -> Path:
    """Return the folder of this process, which is made at the first call.

    Uploads, and Gradio's copies of files, are in it, too: no other page's clearing reaches them.
    """
    global _root
    with _lock:
        if _root is None or not _root.is_dir():
            parent = _parent()
            _remove_left(parent)
            _root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            # By its name a lock is found only when it is held.
            _held[_root] = os.open(_root / "lock", os.O_CREAT | os.O_RDWR)
            fcntl.flock(_held[_root], fcntl.LOCK_EX)
            (_root / "lock").rename(_root / LOCK)
            atexit.register(shutil.rmtree, _root, ignore_errors=True)
            (_root / UPLOADS).mkdir()
            os.environ["GRADIO_TEMP_DIR"] = str(_root / UPLOADS)
        return _root


def keep_all() -> None:
    """Let all temporary files of this process lie in its own folder.

    So those that it had open when it was killed go with the folder, when the next page starts.
    """
    tempfile.tempdir = str(own_folder())


def uploads() -> Path:
    """Return the folder in which Gradio keeps what visitors upload, a folder for each file."""
    folder = own_folder() / UPLOADS
    folder.mkdir(exist_ok=True)
    return folder


def new_folder(kept_seconds: float = LIMITS.kept_seconds) -> Path:
    """Make an empty folder of its own, and remove those that are older than `kept_seconds`."""
    made = own_folder() / "made"
    with _lock:
        made.mkdir(exist_ok=True)
        for folder in made.iterdir():
            if time.time() - folder.stat().st_mtime > kept_seconds:
                shutil.rmtree(folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=made))


def _parent() -> Path:
    """Return where pages have their folders: GRADIO_TEMP_DIR, or the system's."""
    asked = os.environ.get("GRADIO_TEMP_DIR")
    if asked and Path(asked).parent.name.startswith(PREFIX):  # set by this process itself
        asked = str(Path(asked).parents[1])
    folder = Path(asked or tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _remove_left(parent: Path) -> None:
    """Remove the folders of pages that were killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            file = os.open(folder / LOCK, os.O_RDWR)
        except OSError:  # another user's, or not a page's
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # it is in use
            pass
        finally:
            os.close(file)
