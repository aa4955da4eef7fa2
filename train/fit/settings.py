"""Read the command line and config file of a training, and open its corpus and run."""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from accelerate import PartialState
from safetensors.torch import load_file
from torch import nn

from accomp.models.chord_planner import PlannerConfig
from accomp.models.files import CONFIG_FILE
from accomp.models.harmony_nn import HarmonyConfig
from accomp.models.vae import VAEConfig
from accomp.roll.grid import TRACKS
from train.command_line import command_parser, present
from train.data.corpus import Corpus
from train.fit.loop import FitSettings
from train.fit.run_files import FIGURES, WEIGHTS, find_weights, writes
from train.fit.unpack import unpack

CONFIGS = Path(__file__).parents[1] / "configs"


def training_parser(
    name: str, description: str | None, config: str = "accomp.yaml"
) -> argparse.ArgumentParser:
    """Return a parser with the arguments of all training scripts that learn from a corpus.

    name: of the command; description: for its help; config: the settings that it has by default.
    """
    result = run_parser(name, description, config)
    result.add_argument(
        "--corpus", type=Path, required=True, help="folder that `train prepare` wrote"
    )
    result.add_argument("--genre", help="train on the songs of this genre only")
    return result


def run_parser(
    name: str, description: str | None, config: str = "accomp.yaml"
) -> argparse.ArgumentParser:
    """Return a parser with the arguments that all training scripts have.

    name: of the command; description: for its help; config: the settings that it has by default.
    """
    result = command_parser(name, description)
    result.add_argument(
        "--run", type=Path, required=True, help="folder for weights, logs, curves and samples"
    )
    result.add_argument(
        "--config",
        type=present,
        default=CONFIGS / config,
        metavar="FILE",
        help=f"settings in YAML (default: train/configs/{config})",
    )
    result.add_argument(
        "--init",
        metavar="RUN_OR_MODEL",
        help="fine-tune this run or model (folder, genre or Hub id), by the config's `fine_tune`",
    )
    result.add_argument(
        "--seed", type=int, default=0, help="same seed, same weights (default: %(default)s)"
    )
    result.add_argument(
        "--max-steps", type=int, metavar="N", help="stop after so many steps, to try things out"
    )
    return result


@dataclass
class TrainingRun:
    """What a training script was asked for.

    Attributes:
        options: The command line; `init` is the folder of a run, or None.
        config: The config file.
    """

    options: argparse.Namespace
    config: dict

    @classmethod
    def begin(cls, options: argparse.Namespace) -> "TrainingRun":
        """Load the config, copy it into the run, and make a run of `--init`."""
        text = options.config.read_text()
        config = yaml.safe_load(text)
        options.run.mkdir(parents=True, exist_ok=True)
        (options.run / "config.yaml").write_text(text)
        if options.init:
            genre = getattr(options, "genre", None)
            options.init = initial_run(options.init, config, genre, options.run)
        return cls(options, config)

    def fit_settings(self, part: str, default: FitSettings | None = None) -> FitSettings:
        """Return how the config trains a part, or fine-tunes it where there is `--init`.

        default: where the config does not say it.
        """
        training = self.config["training"]
        stage = training["fine_tune"] if self.options.init else training
        if part not in stage and default:
            return replace(default, seed=self.options.seed)
        return FitSettings(**stage[part], seed=self.options.seed)

    def load_initial(self, name: str, model: nn.Module) -> None:
        """Give a model the weights of the run that `--init` names, if it names one."""
        if self.options.init:
            model.load_state_dict(load_file(find_weights(self.options.init, name)))

    def load_trained(self, name: str, model: nn.Module) -> nn.Module:
        """Give a model the weights of this run, or else of the one that `--init` names."""
        folders = [folder for folder in (self.options.run, self.options.init) if folder]
        found = next(
            (folder for folder in folders if (folder / name / WEIGHTS).is_file()), folders[0]
        )
        model.load_state_dict(load_file(find_weights(found, name)))
        return model.eval()

    def learned_before(self, part: str) -> list[dict]:
        """Return what a part was trained on before `--init`."""
        path = self.options.init / part / FIGURES if self.options.init else None
        return json.loads(path.read_text()).get("data", []) if path and path.is_file() else []


@dataclass
class Session(TrainingRun):
    """A training run on a corpus.

    Attributes:
        corpus: The songs.
    """

    corpus: Corpus

    @classmethod
    def open(cls, options: argparse.Namespace) -> "Session":
        """Begin a run and load its corpus."""
        begun = TrainingRun.begin(options)
        return cls(begun.options, begun.config, Corpus.load(options.corpus))

    @property
    def labels(self) -> list[str] | None:
        """The corpus labels of the chosen genre; None for all."""
        genre = self.options.genre
        return (self.config.get("genres") or {}).get(genre, [genre]) if genre else None

    def genre_of(self, label: str) -> str:
        """Return the genre that a corpus label belongs to."""
        return genre_of(self.config, label)

    def genre_numbers(self, genres: list[str]) -> dict[str, int]:
        """Return the number of the genre by label of the corpus; 0 if it is not among them."""
        return {
            label: genres.index(genre) if (genre := self.genre_of(label)) in genres else 0
            for label in {song["genre"] for song in self.corpus.songs}
        }

    @property
    def data(self) -> dict:
        """What this session trains on, for the record: see `Corpus.described`."""
        return self.corpus.described(self.labels)

    def learned_from(self, part: str, *also: Corpus) -> list[dict]:
        """Return what a part was trained on: before `--init`, now, and on which other corpora."""
        return [*self.learned_before(part), self.data, *(corpus.described() for corpus in also)]

    def songs(self, split: str) -> list[int]:
        """Return the songs of a split, of the chosen genre."""
        return self.corpus.choose(split, self.labels)


def initial_run(init: str, config: dict, genre: str | None, run: Path) -> Path:
    """Return the run that `--init` names; a model is taken apart into one first.

    Args:
        init: The folder of a run; or a model's folder, genre or Hub id.
        config: The config file.
        genre: What is to be trained; see `unpack`.
        run: The new run, whose folder `base` gets the parts of a model.

    Returns:
        The folder of the run to start from.

    Raises:
        SystemExit: The model has other settings than the config.
    """
    if Path(init).is_dir() and not (Path(init) / CONFIG_FILE).is_file():
        return Path(init)
    base = run / "base"
    if writes():
        model = unpack(init, genre, base)
        fits = {
            "vae": vae_configs(config) == model.vaes,
            "planner": planner_config(config) == model.planner,
            "harmony": harmony_config(config, model.harmony.genres) == model.harmony,
        }
        if not all(fits.values()):
            others = ", ".join(part for part, same in fits.items() if not same)
            raise SystemExit(f"{init} has other settings than --config: {others}")
    PartialState().wait_for_everyone()
    return base


def genre_of(config: dict, label: str) -> str:
    """Return the genre that a corpus label belongs to, by the `genres` of a config."""
    groups = config.get("genres") or {}
    return next((name for name, labels in groups.items() if label in labels), label)


def vae_configs(config: dict) -> dict[str, VAEConfig]:
    """Return the settings of the five VAEs by track name: the common ones and each one's own."""
    common = {
        key: value
        for key, value in config["vae"].items()
        if key not in ("instruments", "full_range")
    }
    own = config["vae"].get("instruments", {})
    ranges = {
        spec.name: {} if config["vae"].get("full_range") else {"low": spec.low, "high": spec.high}
        for spec in TRACKS
    }
    return {
        spec.name: VAEConfig(**{**ranges[spec.name], **common, **own.get(spec.name, {})})
        for spec in TRACKS
    }


def planner_config(config: dict) -> PlannerConfig | None:
    """Return the settings of the chord planner; None where the config has none."""
    return PlannerConfig(**config["planner"]) if config["planner"] else None


def harmony_config(config: dict, genres: list[str]) -> HarmonyConfig:
    """Return the settings of the HarmonyNNs, which are told these genres apart."""
    return HarmonyConfig(**config["harmony"], genres=genres)


def playing_settings(config: dict, genre: str | None) -> dict[str, Any]:
    """Return how a band plays: the config's `accompanist`, and what it says of the genre."""
    by_genre = config.get("accompanist_by_genre", {})
    return {**config.get("accompanist", {}), **by_genre.get(genre, {})}
