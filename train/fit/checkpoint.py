"""Save a training in progress, and load it to go on from there."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

CHECKPOINT = "checkpoint.safetensors"


def save_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, history: list[dict]
) -> None:
    """Write model, optimizer, random state and history as safetensors.

    An interrupted save leaves the last checkpoint as it was.

    Args:
        path: The file.
        model: What is trained.
        optimizer: What trains it.
        history: The figures of each epoch so far, as JSON has them.
    """
    state = optimizer.state_dict()
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {
        f"optimizer.{index}.{name}": v
        for index, entry in state["state"].items()
        for name, v in entry.items()
    }
    tensors["random"] = torch.get_rng_state()
    texts = {"groups": json.dumps(state["param_groups"]), "history": json.dumps(history)}
    part = path.with_suffix(".part")
    save_file({name: value.detach().cpu().clone() for name, value in tensors.items()}, part, texts)
    part.replace(path)


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict]:
    """Set model, optimizer and random state from a checkpoint; return its history."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no dict
        texts = file.metadata()
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            index, key = name.removeprefix("optimizer.").split(".")
            state.setdefault(int(index), {})[key] = value
    model.load_state_dict(
        {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    )
    optimizer.load_state_dict({"state": state, "param_groups": json.loads(texts["groups"])})
    torch.set_rng_state(tensors["random"])
    return json.loads(texts["history"])


def resume(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[dict]:
    """Load a checkpoint where there is one; return its history, or an empty one.

    Raises:
        SystemExit: The checkpoint is damaged, or of another model.
    """
    if not path.is_file():
        return []
    try:
        return load_checkpoint(path, model, optimizer)
    except SafetensorError as error:
        raise SystemExit(
            f"{path} is damaged ({error}); delete it to train from the beginning, or choose "
            "another --run"
        ) from error
    except (RuntimeError, ValueError, KeyError) as error:
        raise SystemExit(
            f"{path} is of another model; choose another --run, or delete it ({error})"
        ) from error
