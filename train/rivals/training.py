"""Train a rival: the command line, the settings and the run that they share."""

import argparse

import yaml
from torch import nn

from train.fit.loop import FitSettings, Task, fit
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import CONFIGS, Session, training_parser

RIVALS = "rivals.yaml"


def rival_settings(name: str) -> dict:
    """Return the settings of a rival in configs/rivals.yaml."""
    return yaml.safe_load((CONFIGS / RIVALS).read_text())[name]


def rival_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return the parser of a rival whose training is set in configs/rivals.yaml."""
    return training_parser(f"rivals.{name}", description, RIVALS)


def add_epochs(parser: argparse.ArgumentParser, default: int) -> None:
    """Add the option that trains for another number of epochs."""
    parser.add_argument(
        "--epochs",
        type=int,
        default=default,
        metavar="N",
        help="how long to train (default: %(default)s)",
    )


def train_rival(session: Session, task: Task, settings: FitSettings, network: nn.Module) -> None:
    """Train a rival, and write its weights and figures into the run.

    Args:
        session: The training.
        task: What is trained on what.
        settings: How long and how fast.
        network: What of the task's model plays.
    """
    options = session.options
    history = fit(options.run, task, settings, options.max_steps)
    save_weights(options.run, network)
    write_figures(session, network, history)


def write_figures(session: Session, network: nn.Module, history: list[dict]) -> None:
    """Write seed, parameters, seconds, data and losses of a rival into figures.json.

    The seconds are of all epochs with their validation, by the clock and of processor cores; the
    losses are those of the last epoch.
    """
    figures = {
        "seed": session.options.seed,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    figures |= {
        name: round(sum(row.get(name, 0.0) for row in history), 1)
        for name in ("seconds", "core_seconds")
    }
    figures["data"] = [session.data]
    write_json(session.options.run / FIGURES, {**figures, "val": history[-1]})
