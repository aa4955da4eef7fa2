"""Train any network: the loop that all training scripts share.

It shows progress, logs losses, draws curves, writes samples and checkpoints, and runs on several
GPUs. A script says what is trained on what by a `Task`.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from train.fit.checkpoint import CHECKPOINT, resume, save_checkpoint
from train.fit.losses import log_epoch


@dataclass(frozen=True)
class FitSettings:
    """How long and how fast to train: a part of `training` in a config file."""

    epochs: int
    batch_size: int  # of each process
    learning_rate: float  # the highest; see `Schedule`
    weight_decay: float = 0.0
    sample_every: int = 10  # epochs between written samples
    seed: int = 0


@dataclass(frozen=True)
class Schedule:
    """What is the same in all trainings; shares are of all epochs."""

    warm_up: float = 0.05  # share over which the learning rate rises, so that Adam settles first
    start: float = 0.01  # share that counts as done at the start: the first rate is not 0
    rest: float = 0.5  # share at the end over which the rate falls, linearly, to where it rests
    last: float = 0.02  # added to the falling rate's factor, which would be 0 at the end
    gradient_norm: float = 1.0  # larger gradients are scaled down to this norm

    def factor(self, progress: float) -> float:
        """Return the factor of the learning rate when `progress`, 0 to 1, of training is done."""
        rising = (progress + self.start) / self.warm_up
        return min(1.0, rising, (1 - progress) / self.rest + self.last)


class Task:
    """A network with its losses, batches and figures; a subclass for each kind of network.

    Attributes:
        model: The network that is trained; its weights and buffers are in the checkpoint.
    """

    def __init__(self, model: nn.Module):
        self.model = model

    def batches(self, generator: torch.Generator, size: int) -> Iterator:
        """Give the batches of an epoch, on the CPU, in an order drawn from the generator."""
        raise NotImplementedError

    def losses(self, progress: float, batch: Any) -> dict[str, Tensor]:
        """Return the named losses of a batch: `loss` is the one to descend.

        progress: the share of training that is done, 0 to 1.
        """
        raise NotImplementedError

    def validate(self) -> dict[str, float]:
        """Return named figures on validation songs, `loss` among them."""
        raise NotImplementedError

    def sample(self, folder: Path) -> None:
        """Write music or pictures that show what the network has learned; by default none."""

    def optimizer(self, settings: FitSettings) -> torch.optim.Optimizer:
        """Return what descends the loss."""
        return torch.optim.AdamW(
            self.model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )

    def step(self, descent: "Descent", progress: float, batch: Any) -> dict[str, Tensor]:
        """Learn from a batch and return its losses."""
        named = descent.objective(progress, batch)
        descent.descend(named["loss"], progress)
        return named


class FunctionTask(Task):
    """A task made of functions: those that `Task` has as methods."""

    def __init__(
        self,
        model: nn.Module,
        losses: Callable[..., dict[str, Tensor]],
        batches: Callable[[torch.Generator, int], Iterator],
        validate: Callable[[], dict[str, float]],
        sample: Callable[[Path], None] = lambda folder: None,
    ):
        """Keep the functions; for tasks that keep nothing else.

        Args:
            model: The network that is trained.
            losses: As `Task.losses`.
            batches: As `Task.batches`.
            validate: As `Task.validate`.
            sample: As `Task.sample`.
        """
        super().__init__(model)
        self.losses, self.batches, self.validate, self.sample = losses, batches, validate, sample


class Objective(nn.Module):
    """A task's losses as a module's `forward`, which is what data-parallel training wraps."""

    def __init__(self, task: Task):
        super().__init__()
        self.model, self.losses = task.model, task.losses

    def forward(self, progress: float, batch: Any) -> dict[str, Tensor]:
        """Return `Task.losses`."""
        return self.losses(progress, batch)


@dataclass
class Descent:
    """What a step of training needs.

    Attributes:
        accelerator: Keeps several processes together.
        objective: The task's losses, wrapped for several processes.
        optimizer: What descends them.
        settings: How fast.
        schedule: How the rate changes with progress.
    """

    accelerator: Accelerator
    objective: nn.Module
    optimizer: torch.optim.Optimizer
    settings: FitSettings
    schedule: Schedule

    def descend(self, loss: Tensor, progress: float) -> None:
        """Move the weights against the gradient of the loss."""
        rate = self.settings.learning_rate * self.schedule.factor(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("faster", 1.0)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.objective.parameters(), self.schedule.gradient_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def fit(
    folder: Path,
    task: Task,
    settings: FitSettings,
    max_steps: int | None = None,
    schedule: Schedule = Schedule(),
) -> list[dict]:
    """Train a task's network, and return the figures of every epoch.

    A checkpoint is written after every epoch, and training goes on from it if there is one. Under
    `accelerate launch` each process takes its share of the batches.

    Args:
        folder: Gets the checkpoint, losses, curves and samples.
        task: What is trained on what.
        settings: How long and how fast.
        max_steps: Ends the training early, to try things out.
        schedule: How the learning rate changes.

    Returns:
        For each epoch its losses and figures (`train/...`, `val/...`), and how many seconds it took
        by the clock (`seconds`) and of processor cores (`core_seconds`).

    Raises:
        SystemExit: The folder holds a checkpoint of another model.
    """
    # A HarmonyNN's batch goes through one of its three networks; the others have no gradient then.
    accelerator = Accelerator(
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)]
    )
    main = accelerator.is_main_process
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed + accelerator.process_index)
    task.model.to(accelerator.device)
    objective, optimizer = accelerator.prepare(Objective(task), task.optimizer(settings))
    descent = Descent(accelerator, objective, optimizer, settings, schedule)
    history = resume(folder / CHECKPOINT, task.model, optimizer)
    writer = SummaryWriter(folder) if main else None
    progress_bar = tqdm(
        range(len(history), settings.epochs),
        initial=len(history),
        total=settings.epochs,
        desc=folder.name,
        unit="epoch",
        disable=not main,
    )
    steps_left = max_steps
    for epoch in progress_bar:
        watch = Stopwatch()
        row, steps = _train_epoch(task, descent, epoch, steps_left)
        history.append(row)
        if writer:
            row |= {f"val/{name}": float(value) for name, value in task.validate().items()}
            row |= watch.read()
            log_epoch(folder, writer, history)
            save_checkpoint(folder / CHECKPOINT, task.model, optimizer, history)
            progress_bar.set_postfix(
                {k: f"{v:.3g}" for k, v in row.items() if k in ("train/loss", "val/loss")}
            )
            if (epoch + 1) % settings.sample_every == 0 or epoch + 1 == settings.epochs:
                task.sample(folder / "samples" / f"epoch_{epoch + 1:03d}")
        accelerator.wait_for_everyone()
        steps_left = None if steps_left is None else steps_left - steps
        if steps_left is not None and steps_left <= 0:
            break
    if writer:
        writer.close()
    task.model.eval()
    task.model.cpu()
    return history


def _train_epoch(
    task: Task, descent: Descent, epoch: int, max_steps: int | None
) -> tuple[dict[str, float], int]:
    """Train for an epoch, at most `max_steps`; return its mean losses and the number of steps."""
    accelerator, settings = descent.accelerator, descent.settings
    task.model.train()
    # What an epoch draws depends on the seed and the epoch alone, so that a resumed run draws the
    # same. (The factor is larger than any number of epochs.)
    seed = settings.seed * 1_000_003 + epoch
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed + accelerator.process_index)
    sums: dict[str, Tensor | float] = {}
    steps = 0
    batches = task.batches(generator, settings.batch_size)
    for batch in _share(batches, accelerator.num_processes, accelerator.process_index):
        if max_steps is not None and steps >= max_steps:
            break
        named = task.step(descent, epoch / settings.epochs, _to(batch, accelerator.device))
        for name, value in named.items():
            sums[name] = sums.get(name, 0.0) + value.detach()
        steps += 1
    accelerator.wait_for_everyone()
    task.model.eval()
    means = {f"train/{name}": float(value) / max(steps, 1) for name, value in sums.items()}
    return {"epoch": epoch + 1, **means}, steps


class Stopwatch:
    """Measures from when it is made."""

    def __init__(self):
        self.clock, self.cores = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Return the seconds that passed, and those of processor cores.

        Other programs on a busy machine stretch the former and not the latter.
        """
        return {
            "seconds": round(time.perf_counter() - self.clock, 3),
            "core_seconds": round(time.process_time() - self.cores, 3),
        }


def _share(batches: Iterator, processes: int, process: int) -> Iterator:
    """Give a process its share of the batches; all get as many, and the rest is left out."""
    group = []
    for batch in batches:
        group.append(batch)
        if len(group) == processes:
            yield group[process]
            group = []


def _to(batch: Any, device: torch.device) -> Any:
    """Move all tensors in a batch to a device."""
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: _to(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(_to(value, device) for value in batch)
    return batch
