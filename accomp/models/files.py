"""Save and load the settings (JSON) and the weights (safetensors) of a model's folder.

Every file is written whole or not at all. Whatever is missing, damaged or does not fit raises
ModelError with the name of the place.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from safetensors import SafetensorError, safe_open

from accomp.errors import DamagedError, ModelError
from accomp.models.places import CONFIG_FILE

if TYPE_CHECKING:  # torch takes seconds, and the texts beside weights are read without it
    from torch import Tensor, nn

WEIGHTS_FILE = "model.safetensors"
MOST_BYTES = 20_000_000  # of a file of settings
T = TypeVar("T")
Network = TypeVar("Network", bound="nn.Module")


def save_network(
    folder: Path, model: "nn.Module", config: str = CONFIG_FILE, weights: str = WEIGHTS_FILE
) -> None:
    """Write the settings and the half-precision weights of a network.

    Args:
        folder: is made where it is missing.
        model: its attribute `config` is a dataclass of settings.
        config: name of the settings' file.
        weights: name of the weights' file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(folder / weights, halved(model.state_dict()))
    save_settings(folder / config, model.config)


def load_network(
    folder: Path,
    build: Callable[[dict], Network],
    kind: str,
    config: str = CONFIG_FILE,
    weights: str = WEIGHTS_FILE,
) -> Network:
    """Load a network that `save_network` wrote.

    Args:
        folder: of the two files.
        build: makes the network from the settings.
        kind: of network, for the message of an error ("song VAE").
        config: name of the settings' file.
        weights: name of the weights' file.

    Returns:
        The network with float32 weights, in evaluation mode.

    Raises:
        ModelError: a file is missing or damaged, or the weights do not fit the settings.
    """
    place = f"{folder} holds no {kind}"
    model = load_settings(folder / config, build, place)
    fit(model, load_weights(folder / weights, place), f"{place}: {weights} does not fit {config}")
    return model.float().eval()


def save_settings(path: Path, settings: Any) -> None:
    """Write a dataclass or a dict as JSON."""
    values = settings if isinstance(settings, dict) else asdict(settings)
    part = _part(path)
    part.write_text(json.dumps(values, indent=1) + "\n")
    part.replace(path)


def load_settings(path: Path, build: Callable[[dict], T] = dict, place: str | None = None) -> T:
    """Load settings and build what they describe.

    Args:
        path: of the JSON file.
        build: from the file's values to what is returned.
        place: how an error's message begins; by default the file's folder.

    Raises:
        ModelError: the file is missing or no JSON, or `build` does not accept its values.
    """
    place = place or str(path.parent)
    if not path.is_file():
        raise ModelError(f"{place}: {path.name} is missing")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ModelError(f"{place}: {path.name} is larger than {MOST_BYTES / 1e6:g} MB")
        return build(json.loads(path.read_text(encoding="utf-8")))
    except ModelError:
        raise
    except RecursionError as error:
        raise ModelError(f"{place}: {path.name} is nested too deeply") from error
    except KeyError as error:
        raise ModelError(f"{place}: {path.name} has no {error}") from error
    except (OSError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError(f"{place}: {path.name}: {error}") from error


def save_weights(
    path: Path, weights: "dict[str, Tensor]", metadata: dict[str, str] | None = None
) -> None:
    """Write tensors as safetensors, with texts beside them."""
    from safetensors.torch import save_file

    part = _part(path)
    save_file(weights, part, metadata)
    part.chmod(0o644)  # safetensors writes for its owner alone
    part.replace(path)


def load_weights(
    path: Path, place: str | None = None, sha256: str | None = None
) -> "dict[str, Tensor]":
    """Load the tensors of a safetensors file to the CPU.

    Args:
        path: of the file.
        place: how an error's message begins; by default the file's folder.
        sha256: that the file must have.

    Raises:
        DamagedError: the file has another SHA-256.
        ModelError: the file is missing or in another format.
    """
    place = place or str(path.parent)
    with _opened(path, place, sha256) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping


def load_metadata(path: Path) -> dict[str, str]:
    """Load the texts that are stored beside the tensors of a safetensors file.

    Raises:
        ModelError: the file is missing or in another format.
    """
    with _opened(path, str(path.parent), framework="np") as file:
        return file.metadata() or {}


def fit(model: "nn.Module", weights: "Mapping[str, Tensor]", place: str) -> None:
    """Give a network weights that must be all of its own.

    Raises:
        ModelError: a weight is missing, unknown or of another shape.
    """
    wrong = _misfits(model.state_dict(), weights)
    if wrong:
        raise ModelError(f"{place}: {wrong[0]} (of {len(wrong)} such weights)")
    model.load_state_dict(weights)


def halved(weights: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """Copy weights to the CPU, floating-point ones in half precision."""
    return {name: half(value).cpu().contiguous() for name, value in weights.items()}


def half(value: "Tensor") -> "Tensor":
    """Convert a floating-point tensor to half precision and leave others as they are."""
    return value.half() if value.is_floating_point() else value


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path, place: str, sha256: str | None = None, framework: str = "pt") -> safe_open:
    """Open a safetensors file after checking its SHA-256."""
    if not path.is_file():
        raise ModelError(
            f"{place}: {path.name} is missing; "
            "weights in other formats (pickle: .bin, .pt, .ckpt) are not read"
        )
    if sha256 is not None and (found := digest(path)) != sha256:
        raise DamagedError(
            f"{place}: {path.name} is not the file that {CONFIG_FILE} was written with: "
            f"its SHA-256 is {found[:12]}..., expected {sha256[:12] or 'none'}..."
        )
    try:
        return safe_open(path, framework)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{place}: {path.name} is not in the safetensors format: {error}"
        ) from error


def _misfits(expected: "Mapping[str, Tensor]", weights: "Mapping[str, Tensor]") -> list[str]:
    """Say which weights are missing, unknown or of another shape."""
    wrong = [f"{name} is missing" for name in sorted(expected.keys() - weights.keys())]
    wrong += [f"{name} is unknown" for name in sorted(weights.keys() - expected.keys())]
    return wrong + [
        f"{name} is {list(weights[name].shape)} instead of {list(expected[name].shape)}"
        for name in sorted(expected.keys() & weights.keys())
        if expected[name].shape != weights[name].shape
    ]


def _part(path: Path) -> Path:
    """Return where a file is written until it is whole."""
    return path.with_name(f".{path.name}.part")
