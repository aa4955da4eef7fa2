"""Load the settings and weights of a genre from its folder.

A folder is complete with config.json and model.safetensors: so are repositories on the Hub and
what `save_pretrained` writes. The genres that come with accomp have the same VAEs, chord planner
and feel, which are stored once (`python -m train share` does that):

    models/shared/<first 12 digits of its SHA-256>.safetensors   the weights that genres share
    models/jazz/own.safetensors                                  the other weights of a genre
    models/jazz/config.json                                      names the SHA-256 of both
"""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from accomp.models.config import AccompanistConfig
from accomp.models.files import CONFIG_FILE, WEIGHTS_FILE, load_settings, load_weights
from accomp.models.places import MODELS

OWN_FILE, SHARED_FOLDER = "own.safetensors", "shared"
STORED = "stored_sha256"  # the key of config.json that says that the weights lie in two files


@dataclass(frozen=True)
class Stored:
    """The SHA-256 of the two files that hold a genre's weights.

    Attributes:
        own: of the genre's own file.
        shared: of the file that it shares with other genres.
    """

    own: str
    shared: str


def load_genre(folder: Path, place: str) -> tuple[AccompanistConfig, dict[str, Tensor]]:
    """Load the settings and weights of a genre.

    A part of a file, and one whose bytes have changed, are never loaded.

    Args:
        folder: of the genre.
        place: how an error's message begins.

    Raises:
        ModelError: a file is missing, no safetensors, or not the one that the settings were
            written with.
    """
    settings, stored = read_settings(folder, place)
    if stored is None:
        return settings, load_weights(folder / WEIGHTS_FILE, place, settings.weights_sha256)
    own = load_weights(folder / OWN_FILE, place, stored.own)
    return settings, own | load_weights(shared_file(folder, stored), place, stored.shared)


def read_settings(folder: Path, place: str) -> tuple[AccompanistConfig, Stored | None]:
    """Load the settings of a genre, and how its weights are stored: None for one file."""

    def build(values: dict) -> tuple[AccompanistConfig, Stored | None]:
        stored = values.pop(STORED, None)
        return AccompanistConfig.from_dict(values), stored and Stored(**stored)

    return load_settings(folder / CONFIG_FILE, build, place)


def shared_file(folder: Path, stored: Stored) -> Path:
    """Return the path of the weights that a genre's folder shares with others.

    They lie beside the folder; for the copy of a folder, with the genres that come with accomp.
    """
    name = f"{stored.shared[:12]}.safetensors"
    beside = folder.absolute().parent / SHARED_FOLDER / name
    return beside if beside.is_file() else MODELS / SHARED_FOLDER / name


def weight_files(folder: Path) -> list[Path]:
    """List the files that hold a genre's weights."""
    _, stored = read_settings(folder, str(folder))
    if stored is None:
        return [folder / WEIGHTS_FILE]
    return [folder / OWN_FILE, shared_file(folder, stored)]
