"""VAEs of other latent sizes, compared as in Tham & Kim 2021, "Application" (8, 16, 32 and 64; they chose 16):
`python -m train rivals.latent_sizes --corpus CORPUS --run RUN --size 16`.

Trains the five VAEs with the config's settings but for the latent size, then the HarmonyNNs of all genres on top of them, for
fewer epochs than our own (`latent_sizes` of configs/rivals.yaml), so that four sizes are done within an hour. Planner and
feel, which know no latents, are taken from --init (a run or a model; by default the pop model). RUN/latent_<size> is then a
model folder like any other, RUN/latent_<size>/parts the run it was made of, and its figures.json says what came of it.
"""

import json
import shutil
import time
from pathlib import Path

import yaml

from accomp.band.accompanist import Accompanist
from accomp.roll.grid import TRACK_NAMES
from train.fit import harmony, vae
from train.fit.run_files import FIGURES, WEIGHTS, write_json
from train.fit.settings import CONFIGS, planner_config, training_parser
from train.fit.unpack import unpack

SETTINGS = CONFIGS / "rivals.yaml"
TAKEN = ("planner", "feel")


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("rivals.latent_sizes", __doc__)
    options.add_argument(
        "--size", type=int, required=True, help="dimensions of every instrument's latents"
    )
    options = options.parse_args(arguments)
    if options.size < 1:
        raise SystemExit(f"--size is {options.size}; accepted: 1 and more")
    started = time.time()
    folder = options.run / f"latent_{options.size}"
    parts = folder / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    epochs = yaml.safe_load(SETTINGS.read_text())["latent_sizes"]
    config = resized(yaml.safe_load(options.config.read_text()), options.size, epochs)
    take(options.init or "pop", config, parts)
    (parts / "config.yaml").write_text(yaml.safe_dump(config))
    common = [
        "--corpus",
        str(options.corpus),
        "--run",
        str(parts),
        "--config",
        str(parts / "config.yaml"),
    ]
    common += [
        "--seed",
        str(options.seed),
        *(["--max-steps", str(options.max_steps)] if options.max_steps else []),
    ]
    common += ["--genre", options.genre] if options.genre else []
    vae.main(common)
    harmony.main([*common, "--export", str(folder)])
    write_json(
        folder / FIGURES,
        {
            "size": options.size,
            "seconds": round(time.time() - started),
            **figures_of(folder, parts),
        },
    )


def resized(config: dict, size: int, epochs: dict[str, int]) -> dict:
    """The config with latents of `size` for every instrument, and `epochs` of training by part (vae, harmony)."""
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
    """Put planner and feel of `source`, a run or a model, into `run`. Raises SystemExit where they do not fit `config`."""
    origin = Path(source)
    if not (origin / TAKEN[0] / WEIGHTS).is_file():
        origin = run / "base"
        if unpack(source, None, origin).planner != planner_config(config):
            raise SystemExit(f"the planner of {source} has other settings than --config")
    for part in TAKEN:
        if (origin / part / WEIGHTS).is_file():
            left_out = shutil.ignore_patterns("checkpoint*", "events*")
            shutil.copytree(origin / part, run / part, dirs_exist_ok=True, ignore=left_out)


def figures_of(model: Path, parts: Path) -> dict:
    """Parameters, and by instrument the VAE's reconstruction (nats a block, F1 of onsets) and divergence, and the HarmonyNN's
    loss, all on validation songs.
    """
    read = {name: json.loads((parts / name / FIGURES).read_text())["val"] for name in TRACK_NAMES}
    networks = json.loads((parts / "harmony" / FIGURES).read_text())
    return {
        "parameters": sum(
            p.numel() for p in Accompanist.from_pretrained(model, device="cpu").parameters()
        ),
        "vae": read,
        "harmony": {name: networks[name]["val"] for name in TRACK_NAMES if name in networks},
    }


if __name__ == "__main__":
    main()
