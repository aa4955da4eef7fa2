"""Write files so that nothing half-written is ever left behind."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(path: str | os.PathLike) -> Iterator[Path]:
    """Give a path beside another one; what was written there takes its place at the end.

    After an error the other file is as it was before. What is no file (a pipe, a device) is
    written to as it is.

    Args:
        path: Where the file is wanted. Its ending is that of the path beside it, too.
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        yield target
        return
    target = target.resolve()  # a link stays one
    beside = target.with_name(f".{secrets.token_hex(8)}{target.suffix[:16]}")
    try:
        yield beside
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
