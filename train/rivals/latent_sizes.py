"""Train models of other latent sizes, to compare them.

    python -m train rivals.latent_sizes --corpus CORPUS --run RUN --size 16

Tham & Kim 2021, "Application", compared 8, 16, 32 and 64, and chose 16. This trains the five VAEs
with the config's settings but for the latent size, then the HarmonyNNs of all genres on top of
them, for fewer epochs than our own (`latent_sizes` of configs/rivals.yaml), so that four sizes are
done within an hour. Planner and feel, which have no latents, are taken from --init (a run or a
model; by default the pop model).

RUN/latent_<size> is then a model folder like any other, RUN/latent_<size>/parts the run that it was
made of, and its figures.json says what came of it.
"""

import argparse
import json
import shutil
import time
from pathlib import Path

import yaml

from accomp.band.accompanist import Accompanist
from accomp.models.vae_networks import BLOCK_BEATS
from accomp.roll.grid import TRACK_NAMES
from train.fit import harmony, vae
from train.fit.run_files import FIGURES, WEIGHTS, write_json
from train.fit.settings import planner_config, training_parser
from train.fit.unpack import unpack
from train.rivals.training import rival_settings

TAKEN = ("planner", "feel")  # parts that have no latents
OTHERWISE = "pop"  # the model whose parts are taken where --init names none


def main(arguments: list[str] | None = None) -> None:
    """Train VAEs and HarmonyNNs of a size, and measure them."""
    parser = training_parser("rivals.latent_sizes", __doc__)
    parser.add_argument(
        "--size", type=int, required=True, metavar="N", help="of every instrument's latents"
    )
    options = parser.parse_args(arguments)
    if options.size < 1 or options.size % BLOCK_BEATS:
        raise SystemExit(f"--size is {options.size}; accepted: multiples of {BLOCK_BEATS}")
    started = time.time()
    folder = options.run / f"latent_{options.size}"
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    epochs = rival_settings("latent_sizes")
    config = resized(yaml.safe_load(options.config.read_text()), options.size, epochs)
    take(options.init or OTHERWISE, config, parts)
    (parts / "config.yaml").write_text(yaml.safe_dump(config))
    common = _arguments(options, parts)
    vae.main(common)
    harmony.main([*common, "--export", str(folder)])
    known = {"size": options.size, "seconds": round(time.time() - started)}
    write_json(folder / FIGURES, known | figures_of_size(folder, parts))


def _arguments(options: argparse.Namespace, parts: Path) -> list[str]:
    """Return the arguments that both trainings share."""
    where = ["--corpus", str(options.corpus), "--run", str(parts)]
    arguments = [*where, "--config", str(parts / "config.yaml"), "--seed", str(options.seed)]
    if options.max_steps:
        arguments += ["--max-steps", str(options.max_steps)]
    if options.genre:
        arguments += ["--genre", options.genre]
    return arguments


def resized(config: dict, size: int, epochs: dict[str, int]) -> dict:
    """Return a config with latents of `size`, and `epochs` of training by part (vae, harmony)."""
    instruments = {
        name: {**own, "latent": size} for name, own in config["vae"].get("instruments", {}).items()
    }
    training = {
        name: {**settings, "epochs": epochs.get(name, settings.get("epochs"))}
        for name, settings in config["training"].items()
        if name != "fine_tune"
    }
    return {
        **config,
        "vae": {**config["vae"], "latent": size, "instruments": instruments},
        "training": training,
    }


def take(source: str, config: dict, run: Path) -> None:
    """Put the planner and the feel of a run or a model, `source`, into a run.

    Raises:
        SystemExit: They do not fit the config.
    """
    origin = Path(source)
    if not (origin / TAKEN[0] / WEIGHTS).is_file():
        origin = run / "base"
        if unpack(source, None, origin).planner != planner_config(config):
            raise SystemExit(f"the planner of {source} has other settings than --config")
    for part in TAKEN:
        if (origin / part / WEIGHTS).is_file():
            left_out = shutil.ignore_patterns("checkpoint*", "events*")
            shutil.copytree(origin / part, run / part, dirs_exist_ok=True, ignore=left_out)


def figures_of_size(model: Path, parts: Path) -> dict:
    """Return what a model of a size is worth on validation songs.

    model: its folder; parts: the run that it was made of.

    Returns:
        `parameters`; by instrument the figures of its `vae`, such as reconstruction, F1 of onsets
        and divergence; and by instrument the losses of its `harmony`.
    """
    read = {name: json.loads((parts / name / FIGURES).read_text())["val"] for name in TRACK_NAMES}
    networks = json.loads((parts / "harmony" / FIGURES).read_text())
    parameters = Accompanist.from_pretrained(model, device="cpu").parameters()
    return {
        "parameters": sum(parameter.numel() for parameter in parameters),
        "vae": read,
        "harmony": {name: networks[name]["val"] for name in TRACK_NAMES if name in networks},
    }


if __name__ == "__main__":
    main()
