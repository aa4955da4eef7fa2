"""Where the page keeps what it makes: folders that go away after an hour, and all of them at exit."""

import atexit
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

KEPT_SECONDS = 3600

_lock = threading.Lock()
_root: Path | None = None


def new_folder() -> Path:
    """An empty folder of its own. Those that are older than KEPT_SECONDS are removed."""
    global _root
    with _lock:
        if _root is None or not _root.is_dir():
            _root = Path(tempfile.mkdtemp(prefix="accomp-", dir=os.environ.get("GRADIO_TEMP_DIR")))
            atexit.register(shutil.rmtree, _root, ignore_errors=True)
        for folder in _root.iterdir():
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=_root))
