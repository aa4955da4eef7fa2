"""The files that a lead sheet can be written to. Nothing here imports numpy."""

import os
from pathlib import Path

from accomp.errors import MusicError

ENDINGS = (".musicxml", ".xml", ".mxl", ".pdf", ".png", ".svg")


def check_ending(path: str | os.PathLike) -> str:
    """Return the ending of a lead sheet's name. Raises MusicError where it is another one."""
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise MusicError(
            f"the lead sheet would be a file {ending or 'without ending'}; "
            f"accepted: {', '.join(ENDINGS)}"
        )
    return ending
