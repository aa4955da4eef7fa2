"""Folders for what the page makes: they go away after an hour, and all of them at exit."""

import atexit
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from page.limits import LIMITS

_lock = threading.Lock()
_root: Path | None = None


def new_folder(kept_seconds: float = LIMITS.kept_seconds) -> Path:
    """Make an empty folder of its own, and remove those that are older than `kept_seconds`."""
    global _root
    with _lock:
        if _root is None or not _root.is_dir():
            _root = Path(tempfile.mkdtemp(prefix="accomp-", dir=os.environ.get("GRADIO_TEMP_DIR")))
            atexit.register(shutil.rmtree, _root, ignore_errors=True)
        for folder in _root.iterdir():
            if time.time() - folder.stat().st_mtime > kept_seconds:
                shutil.rmtree(folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=_root))
