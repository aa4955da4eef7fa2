"""List the built-in styles.

This file imports no torch, so that the command line can list the styles at once.
"""

import json
from functools import cache
from pathlib import Path

from accomp.models.files import load_metadata

STYLES = Path(__file__).parents[1] / "data/styles"  # the built-in ones: train.fit.styles makes them
STYLES_FILE = "styles.safetensors"


@cache
def built_in(folder: Path = STYLES) -> dict[str, dict[str, str]]:
    """Return the styles of a folder by name: genre, licence and source of each."""
    return json.loads(load_metadata(folder / STYLES_FILE)["styles"])
