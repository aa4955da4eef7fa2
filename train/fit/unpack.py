"""Take a model apart into a run that training can go on from: opposite of `train.fit.export`."""

import json
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from accomp.errors import ModelError
from accomp.models import hub
from accomp.models.config import AccompanistConfig
from accomp.roll.grid import TRACK_NAMES
from train.fit.run_files import FIGURES, TRAINING, WEIGHTS, write_json


def unpack(source: str, genre: str | None, run: Path) -> AccompanistConfig:
    """Write the parts of a model to a run, as training would have left them there.

    Args:
        source: The model's folder, genre or Hub id.
        genre: What is to be trained. If the model's networks do not know it, it takes the place of
            the genre for which they were last trained.
        run: The folder.

    Returns:
        The model's settings.

    Raises:
        SystemExit: There is no such model, or its record of training is damaged.
    """
    try:
        found, config, weights = hub.load(source)
    except ModelError as error:
        raise SystemExit(f"--init takes the folder of a run, or a model: {error}") from error
    for name in TRACK_NAMES:
        _write(run, name, f"vaes.{name}.", weights)
        _write(run, f"harmony/{name}", f"harmony.{name}.", weights)
    _write(run, "planner", "planner.", weights)
    _write(run, "feel", "feel.", weights)
    genres = _renamed(config.harmony.genres, config.genre, genre)
    write_json(run / "harmony" / "genres.json", genres)
    genres = _renamed(config.feel.genres, config.genre, genre)
    write_json(run / "feel" / "config.json", asdict(config.feel) | {"genres": genres})
    path = found.folder / TRAINING
    if path.is_file():
        try:
            losses = json.loads(path.read_text())["losses"]
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(
                f"{found}: {TRAINING} can't be read: {type(error).__name__}: {error}"
            ) from error
        for part, figures in losses.items():
            write_json(run / part / FIGURES, figures)
    return config


def _write(run: Path, part: str, prefix: str, weights: dict[str, Tensor]) -> None:
    """Write the weights whose names begin with a prefix, in single precision."""
    own = {
        name.removeprefix(prefix): value.float()
        for name, value in weights.items()
        if name.startswith(prefix)
    }
    if own:
        (run / part).mkdir(parents=True, exist_ok=True)
        save_file(own, run / part / WEIGHTS)


def _renamed(genres: list[str], known: str, genre: str | None) -> list[str]:
    """Return the genres with `genre` in the place of `known`, if it is not among them."""
    if genre is None or genre in genres:
        return genres
    return [genre if name == known else name for name in genres]
