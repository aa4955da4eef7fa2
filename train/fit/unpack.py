"""A model taken apart into a run that one can train on from: opposite of `train.fit.harmony.export`."""

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
    """Write the parts of a model (folder, genre or Hub id) to `run`, as training would have left them there. A genre that
    its networks have not met takes the place of the one that they were last trained for. Raises SystemExit.
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
    write_json(
        run / "harmony" / "genres.json", _renamed(config.harmony.genres, config.genre, genre)
    )
    feel = config.feel
    write_json(
        run / "feel" / "config.json",
        asdict(feel) | {"genres": _renamed(feel.genres, config.genre, genre)},
    )
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
    own = {
        name.removeprefix(prefix): value.float()
        for name, value in weights.items()
        if name.startswith(prefix)
    }
    if own:
        (run / part).mkdir(parents=True, exist_ok=True)
        save_file(own, run / part / WEIGHTS)


def _renamed(genres: list[str], known: str, genre: str | None) -> list[str]:
    return (
        genres
        if genre is None or genre in genres
        else [genre if name == known else name for name in genres]
    )
