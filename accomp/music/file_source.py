"""Read a path, the bytes of a file or a binary file object."""

import os
from pathlib import Path
from typing import BinaryIO

from accomp.errors import MusicError

FileSource = str | os.PathLike | bytes | bytearray | memoryview | BinaryIO


def read_source(source: FileSource, limit: int, accepted: str) -> bytes:
    """Return the first `limit` bytes of a path, bytes or a binary file object.

    Pass the largest accepted size plus 1 to see whether a file is larger.

    Args:
        source: A path, the bytes of a file or a file object opened as binary.
        limit: The number of bytes after which reading stops.
        accepted: The end of messages: which files the caller accepts.

    Raises:
        MusicError: `source` does not exist, is not a file, cannot be read or was opened as text.
    """
    try:
        data = _read(source, limit, accepted)
    except MusicError:
        raise
    except (
        OSError,
        ValueError,
    ) as error:  # ValueError: a path with a null byte, text in no encoding
        raise MusicError(f"the file cannot be read ({error}); {accepted}") from error
    if not isinstance(data, bytes):
        raise MusicError(
            "the file was opened as text; accepted: a path, bytes or a binary file object"
        )
    return data


def _read(source: FileSource, limit: int, accepted: str) -> bytes | str:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source[:limit])
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.exists():
            raise MusicError(f"{path} does not exist; {accepted}")
        if not path.is_file():
            raise MusicError(f"{path} is not a file; {accepted}")
        with path.open("rb") as file:
            return file.read(limit)
    if hasattr(source, "read"):
        return source.read(limit)
    raise MusicError(
        f"a {type(source).__name__} was given; accepted: a path, bytes or a binary file object"
    )
