"""Print what a training cost: `python -m train cost RUN ...`.

Prints the minutes, the number of weights and the megabytes of each run. A run is a folder with
parts that `train.fit.loop.fit` (or a rival's own loop) trained. Minutes are of one core if
that was recorded, else of the clock. Runs from before epochs were timed are timed from the first to
the last entry of TensorBoard's logs, which overstates a run that was interrupted and resumed.
"""

import argparse
import math
import os
from pathlib import Path

from safetensors import safe_open
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from accomp.models.files import CONFIG_FILE
from accomp.models.genre_files import weight_files
from train.fit.losses import LOSSES, read_losses
from train.fit.run_files import WEIGHTS

LOGS = "events.out.tfevents.*"


def cost_of(run: Path, model: Path | None = None) -> dict[str, float]:
    """Measure minutes of training, and parameters and megabytes of the weights.

    The weights are those of `model`, a model folder; by default of `run` if it is a model folder,
    else of all its parts.
    """
    # Runs may share parts through links, which rglob does not follow.
    folders = [Path(place) for place, _, _ in os.walk(run, followlinks=True)]
    model = model or (run if (run / CONFIG_FILE).is_file() else None)
    files = [f / WEIGHTS for f in folders if (f / WEIGHTS).is_file()]
    if model:
        files = weight_files(model)
    seconds = sum(seconds_of(folder) for folder in folders if (folder / LOSSES).is_file())
    return {
        "minutes": seconds / 60,
        "parameters": sum(map(weight_count, files)),
        "megabytes": sum(path.stat().st_size for path in files) / 1e6,
    }


def seconds_of(folder: Path) -> float:
    """Return seconds of one part's training."""
    rows = read_losses(folder)
    for name in ("core_seconds", "seconds"):
        if rows and all(name in row for row in rows):
            return sum(row[name] for row in rows)
    return sum(map(logged_seconds, folder.glob(LOGS)))


def logged_seconds(path: Path) -> float:
    """Return seconds from the opening of a TensorBoard log to its last entry."""
    log = EventAccumulator(str(path), size_guidance={"scalars": 0})
    log.Reload()
    times = [event.wall_time for tag in log.Tags()["scalars"] for event in log.Scalars(tag)]
    return max(times) - log.FirstEventTimestamp() if times else 0.0


def weight_count(path: Path) -> int:
    """Count the numbers in a file of weights, without loading them."""
    with safe_open(path, "pt") as file:
        names = list(file.keys())  # `safe_open` itself can't be iterated
        return sum(math.prod(file.get_slice(name).get_shape()) for name in names)


def main(arguments: list[str] | None = None) -> None:
    """Print the cost of each run that the command line names."""
    parser = argparse.ArgumentParser(
        prog="train cost", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+")
    for run in parser.parse_args(arguments).runs:
        if not run.is_dir():
            raise SystemExit(f"{run} is not a folder")
        cost = cost_of(run)
        print(
            f"{run}: {cost['minutes']:.1f} minutes, {cost['parameters']:,} parameters, "
            f"{cost['megabytes']:.1f} MB"
        )


if __name__ == "__main__":
    main()
