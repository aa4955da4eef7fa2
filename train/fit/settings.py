"""What the training scripts share before they train: the command line, the config file and the folders of a run."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import yaml
from accelerate import PartialState
from safetensors.torch import load_file, save_file
from torch import nn

from accomp.models.chord_planner import PlannerConfig
from accomp.models.config import CONFIG_FILE
from accomp.models.harmony_nn import HarmonyConfig
from accomp.models.vae import VAEConfig
from accomp.roll.grid import TRACKS
from train.data.corpus import Corpus
from train.fit.loop import Fit, writes
from train.fit.unpack import FIGURES, WEIGHTS, unpack

CONFIGS = Path(__file__).parents[1] / "configs"


def present(text: str) -> Path:
    """An argument that is the path of a file."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)


def parser(script: str, description: str) -> argparse.ArgumentParser:
    """The arguments that all training scripts have."""
    result = argparse.ArgumentParser(
        prog=f"train.{script}",
        description=description,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    result.add_argument(
        "--corpus", type=Path, required=True, help="folder that train.data.prepare wrote"
    )
    result.add_argument(
        "--run", type=Path, required=True, help="folder for weights, logs, curves and samples"
    )
    result.add_argument(
        "--config",
        type=present,
        default=CONFIGS / "accomp.yaml",
        help="accomp.yaml (default) or paper.yaml",
    )
    result.add_argument("--genre", help="train on this genre's songs only")
    result.add_argument(
        "--init",
        metavar="RUN_OR_MODEL",
        help="fine-tune, with the config's fine_tune settings: start from this run, or from a model (folder, genre or Hub id)",
    )
    result.add_argument("--seed", type=int, default=0)
    result.add_argument("--max-steps", type=int, help="stop early, to try things out")
    return result


@dataclass
class Session:
    """A training run: its options, config and corpus."""

    options: argparse.Namespace
    config: dict
    corpus: Corpus

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Session":
        config = yaml.safe_load(options.config.read_text())
        options.run.mkdir(parents=True, exist_ok=True)
        (options.run / "config.yaml").write_text(options.config.read_text())
        if options.init:
            options.init = initial_run(options.init, config, options.genre, options.run)
        return cls(options, config, Corpus.load(options.corpus))

    @property
    def labels(self) -> list[str] | None:
        """The corpus labels of the chosen genre; None for all."""
        genre = self.options.genre
        return (self.config.get("genres") or {}).get(genre, [genre]) if genre else None

    def genre_of(self, label: str) -> str:
        """The genre that a corpus label belongs to."""
        return genre_of(self.config, label)

    @property
    def data(self) -> dict:
        """What this session trains on, for the record: songs by split, and how many state which licence and source."""
        return self.corpus.described(self.labels)

    def learned_from(self, part: str, *also: Corpus) -> list[dict]:
        """What a part of this run has been trained on, and before that the one it started from."""
        path = self.options.init / part / FIGURES if self.options.init else None
        earlier = json.loads(path.read_text()).get("data", []) if path and path.is_file() else []
        return [*earlier, self.data, *(corpus.described() for corpus in also)]

    def songs(self, split: str) -> list[int]:
        return self.corpus.choose(split, self.labels)

    def fit(self, part: str) -> Fit:
        training = self.config["training"]
        settings = (training["fine_tune"] if self.options.init else training)[part]
        return Fit(**settings, seed=self.options.seed)

    def start(self, name: str, model: nn.Module) -> None:
        """With --init, give `model` the weights of that run."""
        if self.options.init:
            model.load_state_dict(load_file(find_weights(self.options.init, name)))

    def trained(self, name: str, model: nn.Module) -> nn.Module:
        """`model` with the weights of this run, or of the one it started from."""
        folders = [folder for folder in (self.options.run, self.options.init) if folder]
        found = next(
            (folder for folder in folders if (folder / name / WEIGHTS).is_file()), folders[0]
        )
        model.load_state_dict(load_file(find_weights(found, name)))
        return model.eval()


def initial_run(init: str, config: dict, genre: str | None, run: Path) -> Path:
    """The run that --init names; a model is first taken apart, into the folder `base` of the new run."""
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
            raise SystemExit(
                f"{init} has other settings than --config: {', '.join(k for k, same in fits.items() if not same)}"
            )
    PartialState().wait_for_everyone()
    return base


def genre_of(config: dict, label: str) -> str:
    """The genre that a corpus label belongs to, by the `genres` of a config."""
    groups = config.get("genres") or {}
    return next((name for name, labels in groups.items() if label in labels), label)


def find_weights(run: Path, name: str) -> Path:
    path = run / name / WEIGHTS
    if not path.is_file():
        raise SystemExit(f"{run} holds no trained {name} ({path} is missing); train it first")
    return path


def save_weights(folder: Path, model: nn.Module) -> None:
    if not writes():
        return
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.cpu().contiguous() for name, value in model.state_dict().items()},
        folder / WEIGHTS,
    )


def vae_configs(config: dict) -> dict[str, VAEConfig]:
    """The settings of the five VAEs by track name: the common ones and each instrument's own."""
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
    return PlannerConfig(**config["planner"]) if config["planner"] else None


def harmony_config(config: dict, genres: list[str]) -> HarmonyConfig:
    return HarmonyConfig(**config["harmony"], genres=genres)
