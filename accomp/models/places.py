"""Where models lie: the genres that come with accomp, folders, and the Hub's namespace.

This file imports no torch, so that the command line can list the genres at once.
"""

import os
from pathlib import Path

from accomp.errors import ModelError

CONFIG_FILE = "config.json"  # a folder with it holds a model


def _embedded() -> Path:
    """Return where the genres lie: inside of an installed package, beside it in a checkout."""
    installed = Path(__file__).parents[1] / "data/models"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "models"


MODELS = Path(os.environ.get("ACCOMP_MODELS") or _embedded())


def namespace() -> tuple[str, str | None]:
    """Return the owner of the genres on the Hub and the revision; "" for the embedded genres."""
    name, _, revision = os.environ.get("ACCOMP_NAMESPACE", "").strip().partition("@")
    return name, revision or None


def embedded_genres() -> list[str]:
    """List the genres that come with accomp."""
    return sorted(path.parent.name for path in MODELS.glob(f"*/{CONFIG_FILE}"))


def is_plain(source: str | Path) -> bool:
    """Tell a genre's name ("jazz") from a folder or a Hub id."""
    return isinstance(source, str) and "/" not in source and os.sep not in source


def local_folder(source: str | Path) -> Path | None:
    """Return the folder that a source names; None for a repository on the Hub.

    A plain name is looked for first on the Hub, if there is a namespace, then among the embedded
    genres.

    Raises:
        ModelError: there is no such genre or folder.
    """
    plain = is_plain(source)
    if plain and namespace()[0]:
        return None
    if plain and (MODELS / source / CONFIG_FILE).is_file():
        return MODELS / source
    if Path(source).is_dir():
        return Path(source)
    if plain:
        # The copy of the library that the demo on the Hub holds has no genres.
        otherwise = f"none; accepted too: a Hub id (NAME/accomp-{source})"
        available = ", ".join(embedded_genres()) or otherwise
        raise ModelError(f"genre {source!r} is unknown; available: {available}")
    if isinstance(source, Path):
        raise ModelError(f"there is no folder {source}")
    return None
