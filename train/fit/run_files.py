"""Name, write and find the files of a run: weights, figures and JSON.

A run is the folder that `--run` names; each part that was trained has a folder in it.
"""

import json
from pathlib import Path

from accelerate import PartialState
from safetensors.torch import save_file
from torch import nn

WEIGHTS, FIGURES = "weights.safetensors", "figures.json"  # of a part, in a run
TRAINING = "training.json"  # of a model: how it was trained, and its figures


def writes() -> bool:
    """Tell whether this process is the one of several that writes results."""
    return PartialState().is_main_process


def write_json(path: Path, values: object) -> None:
    """Write values as JSON into a file, whose folder is made where it is missing."""
    if not writes():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n")


def find_weights(run: Path, name: str) -> Path:
    """Return the path of the weights of a run's part; SystemExit says where they are missing."""
    path = run / name / WEIGHTS
    if not path.is_file():
        raise SystemExit(f"{run} holds no trained {name} ({path} is missing); train it first")
    return path


def save_weights(folder: Path, model: nn.Module) -> None:
    """Write the weights of a model into a folder, which is made where it is missing."""
    if not writes():
        return
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.cpu().contiguous() for name, value in model.state_dict().items()},
        folder / WEIGHTS,
    )
