"""Write, draw and read the losses of a training, epoch by epoch."""

import csv
from pathlib import Path

from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter

LOSSES, CURVES = "losses.csv", "losses.png"


def log_epoch(folder: Path, writer: SummaryWriter, history: list[dict]) -> None:
    """Write the last epoch for TensorBoard, and all epochs as a table and as curves."""
    row = history[-1]
    for name, value in row.items():
        if name != "epoch":
            writer.add_scalar(name, value, row["epoch"])
    names = list(dict.fromkeys(name for entry in history for name in entry))
    with (folder / LOSSES).open("w", newline="") as file:
        table = csv.DictWriter(file, names)
        table.writeheader()
        table.writerows(history)
    plot_losses({folder.name: history}).savefig(folder / CURVES, dpi=80)


def plot_losses(histories: dict[str, list[dict]]) -> Figure:
    """Draw the losses on training and validation songs, a panel for each network."""
    figure = Figure(figsize=(max(5, 3.2 * len(histories)), 3.4), layout="constrained")
    panels = figure.subplots(1, len(histories), squeeze=False)[0]
    for axes, (name, history) in zip(panels, histories.items()):
        for key, style in (("train/loss", "-"), ("val/loss", "--")):
            points = [(row["epoch"], row[key]) for row in history if key in row]
            if points:
                axes.plot(*zip(*points), style, label=key.split("/")[0])
        axes.set_title(name)
        axes.set_xlabel("epoch")
        axes.legend()
    return figure


def read_losses(folder: Path) -> list[dict]:
    """Return the rows that `log_epoch` wrote to a folder; none if nothing was trained there."""
    path = folder / LOSSES
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [
            {key: float(value) for key, value in row.items() if value}
            for row in csv.DictReader(file)
        ]
