"""Store the weights that genres have in common once: `python -m train share [GENRE ...]`.

Genres that were fine-tuned from one run have the same VAEs, chord planner and feel. A folder that
training has written is complete by itself; this command moves what is shared out of it, and
removes shared files that no genre names any more. `store_whole` is the opposite: what goes to the
Hub is complete again.
"""

import argparse
import shutil
from pathlib import Path

from accomp.errors import ModelError
from accomp.models.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    digest,
    load_settings,
    save_settings,
    save_weights,
)
from accomp.models.genre_files import (
    MODELS,
    OWN_FILE,
    SHARED_FOLDER,
    STORED,
    Stored,
    load_genre,
    read_settings,
    shared_file,
)

SHARED_PARTS = ("vaes.", "planner.", "feel.")  # how the names of shared weights begin
FORMAT = {"format": "pt"}  # as the Hub expects it of PyTorch's weights


def main(arguments: list[str] | None = None) -> None:
    """Store the weights of the genres that the command line names in two files each."""
    parser = argparse.ArgumentParser(
        prog="train share", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("genres", nargs="*", metavar="GENRE", help="all by default")
    parser.add_argument(
        "--models", type=Path, default=MODELS, help="folder with a folder for each genre"
    )
    options = parser.parse_args(arguments)
    known = sorted(path.parent.name for path in options.models.glob(f"*/{CONFIG_FILE}"))
    try:
        for genre in options.genres or known:
            stored = store_shared(options.models / genre)
            print(f"{genre}: shares {SHARED_FOLDER}/{stored.shared[:12]}.safetensors")
        remove_unused(options.models)
    except ModelError as error:
        raise SystemExit(f"train share: {error}") from error


def store_shared(folder: Path) -> Stored:
    """Move the weights that a genre shares to the folder of shared weights beside its own.

    Raises:
        ModelError: the folder holds no model.
    """
    _, weights = load_genre(folder, str(folder))
    own = {name: value for name, value in weights.items() if not name.startswith(SHARED_PARTS)}
    place = folder.absolute().parent / SHARED_FOLDER
    place.mkdir(exist_ok=True)
    new = place / "new.safetensors"
    save_weights(new, {name: weights[name] for name in weights.keys() - own.keys()}, FORMAT)
    save_weights(folder / OWN_FILE, own, FORMAT)
    stored = Stored(digest(folder / OWN_FILE), digest(new))
    new.replace(place / f"{stored.shared[:12]}.safetensors")
    save_settings(
        folder / CONFIG_FILE, load_settings(folder / CONFIG_FILE) | {STORED: vars(stored)}
    )
    (folder / WEIGHTS_FILE).unlink(missing_ok=True)
    return stored


def remove_unused(models: Path) -> None:
    """Remove shared weights that no genre of a folder of genres names."""
    used = {path for path in map(_shared_by, models.glob(f"*/{CONFIG_FILE}")) if path}
    for path in (models.absolute() / SHARED_FOLDER).glob("*.safetensors"):
        if path not in used:
            path.unlink()


def store_whole(folder: Path, target: Path) -> None:
    """Write a complete copy of a genre's settings and weights to the folder `target`.

    Raises:
        ModelError: the folder holds no model, or its weights are not those that it was made with.
    """
    settings, stored = read_settings(folder, str(folder))
    if stored is None:
        for name in (CONFIG_FILE, WEIGHTS_FILE):
            shutil.copyfile(folder / name, target / name)
        return
    _, weights = load_genre(folder, str(folder))
    save_weights(target / WEIGHTS_FILE, weights, FORMAT)
    if digest(target / WEIGHTS_FILE) != settings.weights_sha256:
        raise ModelError(f"{folder}: {OWN_FILE} and the shared weights are not of one model")
    values = load_settings(folder / CONFIG_FILE)
    del values[STORED]
    save_settings(target / CONFIG_FILE, values)


def _shared_by(config: Path) -> Path | None:
    _, stored = read_settings(config.parent, str(config.parent))
    return stored and shared_file(config.parent, stored)


if __name__ == "__main__":
    main()
