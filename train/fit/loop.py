"""The training loop that all scripts share: progress, logs, loss curves, samples, checkpoints, several GPUs."""

import csv
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from matplotlib.figure import Figure
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

CHECKPOINT, LOSSES, CURVES = "checkpoint.safetensors", "losses.csv", "losses.png"


@dataclass
class Fit:
    """How to train: read from the `training` part of a config file."""

    epochs: int
    batch_size: int  # of each process
    learning_rate: float
    weight_decay: float = 0.0
    sample_every: int = 10  # epochs between written samples
    seed: int = 0


class Objective(nn.Module):
    """A model with its loss as `forward`, which is what data-parallel training wraps."""

    def __init__(self, model: nn.Module, losses: Callable[..., dict[str, Tensor]]):
        super().__init__()
        self.model, self.losses = model, losses

    def forward(self, progress: float, batch) -> dict[str, Tensor]:
        return self.losses(progress, batch)


def fit(
    folder: Path,
    model: nn.Module,
    losses: Callable[..., dict[str, Tensor]],
    batches: Callable[[torch.Generator, int], Iterator],
    validate: Callable[[], dict[str, float]],
    sample: Callable[[Path], None],
    settings: Fit,
    max_steps: int | None = None,
) -> list[dict]:
    """Train `model` and return the losses of every epoch, and its seconds by the clock and of processor cores.

    losses(progress, batch): named losses of a batch, `loss` is the one to descend, progress runs from 0 to 1;
    batches(generator, size): the batches of an epoch, on the CPU; validate(): named figures; sample(folder): write music.
    All that is written goes to `folder`. A checkpoint is written after every epoch, and training goes on from it if there is
    one; max_steps ends it early.
    Under `accelerate launch` each process takes its share of the batches.
    """
    # A HarmonyNN's batch goes through one of its three networks; the others have no gradient then.
    accelerator = Accelerator(
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)]
    )
    main = accelerator.is_main_process
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed + accelerator.process_index)
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    model.to(accelerator.device)
    objective, optimizer = accelerator.prepare(Objective(model, losses), optimizer)
    checkpoint = folder / CHECKPOINT
    history: list[dict] = []
    if checkpoint.is_file():
        try:
            history = load_checkpoint(checkpoint, model, optimizer)
        except (RuntimeError, ValueError, KeyError) as error:
            raise SystemExit(
                f"{checkpoint} is of another model; choose another --run, or delete it ({error})"
            ) from error
    writer = SummaryWriter(folder) if main else None
    steps = 0
    first = len(history)
    progress_bar = tqdm(
        range(first, settings.epochs),
        initial=first,
        total=settings.epochs,
        desc=folder.name,
        unit="epoch",
        disable=not main,
    )
    for epoch in progress_bar:
        started = time.perf_counter(), time.process_time()
        model.train()
        # The order of an epoch depends on the seed and the epoch alone, so that a resumed run sees the same.
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
        sums: dict[str, Tensor] = {}
        count = 0
        peak = settings.learning_rate
        for batch in _share(
            batches(generator, settings.batch_size),
            accelerator.num_processes,
            accelerator.process_index,
        ):
            if max_steps is not None and steps >= max_steps:
                break
            # Warm up over the first twentieth of training and come to rest linearly in its last half.
            progress = epoch / settings.epochs
            for group in optimizer.param_groups:
                group["lr"] = peak * min(1.0, (progress + 0.01) / 0.05, 2 * (1 - progress) + 0.02)
            named = objective(progress, _to(batch, accelerator.device))
            accelerator.backward(named["loss"])
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            for name, value in named.items():
                sums[name] = sums.get(name, 0.0) + value.detach()
            steps, count = steps + 1, count + 1
        accelerator.wait_for_everyone()
        model.eval()
        row = {
            "epoch": epoch + 1,
            **{f"train/{k}": float(v) / max(count, 1) for k, v in sums.items()},
        }
        if main:
            row |= {f"val/{name}": float(value) for name, value in validate().items()}
            row["seconds"] = round(time.perf_counter() - started[0], 3)
            row["core_seconds"] = round(
                time.process_time() - started[1], 3
            )  # what a busy machine does not stretch
            history.append(row)
            log_epoch(folder, writer, history)
            save_checkpoint(checkpoint, model, optimizer, history)
            progress_bar.set_postfix(
                {k: f"{v:.3g}" for k, v in row.items() if k in ("train/loss", "val/loss")}
            )
            if (epoch + 1) % settings.sample_every == 0 or epoch + 1 == settings.epochs:
                sample(folder / "samples" / f"epoch_{epoch + 1:03d}")
        else:
            history.append(row)
        accelerator.wait_for_everyone()
        if max_steps is not None and steps >= max_steps:
            break
    if writer:
        writer.close()
    model.eval()
    model.cpu()
    return history


def _share(batches: Iterator, processes: int, process: int) -> Iterator:
    """Every process's share of the batches, the same number for each; what is over at the end is left out."""
    group = []
    for batch in batches:
        group.append(batch)
        if len(group) == processes:
            yield group[process]
            group = []


def _to(batch, device):
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: _to(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(_to(value, device) for value in batch)
    return batch


def save_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, history: list[dict]
) -> None:
    """A checkpoint, as safetensors. An interrupted save leaves the last one as it was."""
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
    """Opposite of `save_checkpoint`: sets the model, the optimizer and the random state, and returns the history."""
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
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


def log_epoch(folder: Path, writer: SummaryWriter, history: list[dict]) -> None:
    row = history[-1]
    for name, value in row.items():
        if name != "epoch":
            writer.add_scalar(name, value, row["epoch"])
    names = list(dict.fromkeys(name for entry in history for name in entry))
    with open(folder / LOSSES, "w", newline="") as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows(history)
    plot_losses({folder.name: history}).savefig(folder / CURVES, dpi=80)


def plot_losses(histories: dict[str, list[dict]]) -> Figure:
    """The curves of loss on training and validation music, a panel for each network."""
    figure = Figure(figsize=(max(5, 3.2 * len(histories)), 3.4), layout="constrained")
    for axes, (name, history) in zip(
        figure.subplots(1, len(histories), squeeze=False)[0], histories.items()
    ):
        for key, style in (("train/loss", "-"), ("val/loss", "--")):
            points = [(row["epoch"], row[key]) for row in history if key in row]
            if points:
                axes.plot(*zip(*points), style, label=key.split("/")[0])
        axes.set_title(name)
        axes.set_xlabel("epoch")
        axes.legend()
    return figure


def read_losses(folder: Path) -> list[dict]:
    """The losses that `fit` wrote to a folder; none if it has not run there."""
    path = folder / LOSSES
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        return [
            {key: float(value) for key, value in row.items() if value}
            for row in csv.DictReader(file)
        ]


def writes() -> bool:
    """Whether this process is the one that writes results."""
    return PartialState().is_main_process


def write_json(path: Path, values) -> None:
    if not writes():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=1) + "\n")
