"""How project files are told from melodies. Nothing here imports torch."""

from pathlib import Path

ENDING = ".accomp.json"


def is_project(path: Path) -> bool:
    """Tell whether a file is JSON, as project files are, by its first letter."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
