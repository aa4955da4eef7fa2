"""Choose the constants of invented melodies on validation songs:
`python -m train melody_tuning --corpus CORPUS [CORPUS ...] --out FOLDER`.

A coordinate search: one constant after another, in an order drawn anew each round, takes each of its CHOICES, and keeps the one
with which melodies (those in sixteenths and the others) and continuations lie nearest to real validation songs
(train.eval.melody_figures), if that is nearer by MARGIN, does not copy training songs and does not let one start go on alike.
FOLDER/tuning.jsonl logs what was measured; an interrupted search goes on from there. FOLDER/chosen.json is what came of it, to
be written into the settings' defaults. The seeds of the melodies are others than those of train.eval.melody_figures, so that its figures are
none that were searched for.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.invention.compose import ComposeSettings
from accomp.invention.invent import VARIATION, melody_nn_of
from accomp.invention.pitch_line import PitchLineSettings
from accomp.invention.plan import MelodyPlanSettings
from accomp.models import hub
from accomp.models.melody_nn import FOLDER, MelodyNN, MelodySettings
from accomp.models.progressions import HabitSettings
from train.data.corpus import Corpus
from train.eval.melody_figures import FigureSettings, RealMelodies, measure_melodies
from train.fit.run_files import write_json

FIRST_SEED = 100_000
SEEDS, STARTS, WAYS = (
    24,
    30,
    3,
)  # melodies of each genre, songs that are continued, and how often each
OBJECTIVE = ["distance by movement", "distance of continuations"]
MARGIN = 0.003  # of the mean distance: less is chance, of which there is more with few seeds
MOST_COPIED = 0.5  # of what validation songs share with training songs
FEWEST_DISTINCT, LESS_DIVERSE = (
    0.8,
    0.01,
)  # share of continuations' bars, and fall of their diversity, that are let pass
# By group and field of settings. Against leaps there is a least: no measure tells what is awkward to
# sing.
CHOICES = {
    "compose.close": [3, 5, 8],
    "compose.open": [1.5, 3, 5],
    "compose.likeness": [2, 4, 6, 8, 10, 12],
    "compose.contrast": [1, 2.5, 4, 6, 8],
    "compose.higher": [1, 2.5, 4],
    "compose.played": [0, 0.25, 0.5, 0.75],
    "compose.early": [0, 0.15, 0.3, 0.5],
    "compose.quick_busier": [-2, -1.5, -1, -0.5, 0],
    "sampling.temperature": [0.3, 0.4, 0.5, 0.7, 0.9],
    "sampling.top_p": [0.8, 0.9, 0.95, 1],
    "sampling.richer": [0.2, 0.5, 0.8, 1.1],
    "sampling.register": [1, 2.5, 4],
    "habits.same_again": [0, 0.25, 0.5, 0.75],
    "habits.endings": [3, 6, 10],
    "habits.others": [0.05, 0.15, 0.5],
    "line.long_note": [0, 0.15, 0.3, 0.5],
    "line.repeated": [0.3, 0.6, 0.9],
    "line.leap": [0.05, 0.1, 0.2, 0.4, 0.6],
    "line.hurried": [0.8, 1.2],
    "plan.return_home": [0.5, 0.7, 0.9],
}


@dataclass(frozen=True)
class Searched:
    """The settings among which is searched; `with_` and `value` take names such as "line.leap"."""

    compose: ComposeSettings = ComposeSettings()
    sampling: MelodySettings = MelodySettings()
    habits: HabitSettings = HabitSettings()
    line: PitchLineSettings = PitchLineSettings()
    plan: MelodyPlanSettings = MelodyPlanSettings()

    def value(self, name: str) -> float:
        """Return one setting."""
        group, field = name.split(".")
        return getattr(getattr(self, group), field)

    def with_(self, constants: dict[str, float]) -> "Searched":
        """Return the settings with other values."""
        changed = self
        for name, value in constants.items():
            group, field = name.split(".")
            new = replace(getattr(changed, group), **{field: value})
            changed = replace(changed, **{group: new})
        return changed

    def apply(self, inventor: MelodyNN) -> ComposeSettings:
        """Give a network its settings, and return the others."""
        inventor.settings, inventor.habits.settings = self.sampling, self.habits
        return replace(self.compose, pitch_line=self.line, plan=self.plan)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="train melody_tuning", description=__doc__)
    parser.add_argument(
        "--corpus", type=Path, nargs="+", required=True, help="one or more prepared corpora"
    )
    parser.add_argument("--inventor", type=Path, default=FOLDER)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--minutes", type=float, default=25, help="no further constant is tried after"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help="melodies of each genre")
    parser.add_argument("--starts", type=int, default=STARTS, help="songs that are continued")
    parser.add_argument("--genres", nargs="*", help="all by default")
    parser.add_argument(
        "--constants",
        nargs="*",
        choices=sorted(CHOICES),
        help="which are searched for; all by default",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the order")
    options = parser.parse_args(arguments)
    ends = time.monotonic() + 60 * options.minutes
    songs = RealMelodies.of(
        [Corpus.load(folder) for folder in options.corpus], "val", options.starts
    )
    models = [
        Accompanist.from_pretrained(genre, device="cpu") for genre in options.genres or hub.genres()
    ]
    inventor = melody_nn_of(models[0], MelodyNN.load(options.inventor))
    options.out.mkdir(parents=True, exist_ok=True)
    log = options.out / "tuning.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
    about = {
        name: str(getattr(options, name))
        for name in ("corpus", "inventor", "seeds", "starts", "genres")
    }
    about["objective"] = " + ".join(OBJECTIVE)
    known = {_key(row["constants"]): row for row in rows if row["about"] == about}

    settings = FigureSettings(seeds=options.seeds, first_seed=FIRST_SEED, ways=WAYS)

    def measured(constants: dict[str, float]) -> dict:
        if _key(constants) not in known:
            compose = Searched().with_(constants).apply(inventor)
            found = measure_melodies(
                models, inventor, songs, VARIATION, replace(settings, compose=compose)
            )
            found["objective"] = float(np.mean([found[name] for name in OBJECTIVE]))
            known[_key(constants)] = {"about": about, "constants": constants, **found}
            with log.open("a") as file:
                file.write(json.dumps(known[_key(constants)]) + "\n")
        return known[_key(constants)]

    first = best = measured({name: Searched().value(name) for name in CHOICES})
    random, changed, done = np.random.default_rng(options.seed), True, False
    while changed and not done:
        changed = False
        for name in random.permutation(sorted(options.constants or CHOICES)):
            tried = [{**best["constants"], name: value} for value in CHOICES[name]]
            if done := time.monotonic() > ends:
                break
            allowed = [row for row in map(measured, tried) if _allowed(row, first, songs)]
            better = min([*allowed, best], key=lambda row: row["objective"])
            if better["objective"] < best["objective"] - MARGIN:
                best, changed = better, True
                print(f"{best['objective']:.4f} {name} {best['constants'][name]:g}", flush=True)
    write_json(
        options.out / "chosen.json",
        {"before": first, "chosen": best, "measured": len(known), "finished": not done},
    )


def _allowed(row: dict, first: dict, songs: RealMelodies) -> bool:
    """Whether melodies are still their own and continuations still differ."""
    diverse = (
        row["diversity of continuations"] >= first["diversity of continuations"] - LESS_DIVERSE
    )
    own = row["copied"] <= MOST_COPIED * songs.copied
    return own and diverse and row["distinct bars of continuations"] >= FEWEST_DISTINCT


def _key(constants: dict[str, float]) -> str:
    return json.dumps({name: float(value) for name, value in sorted(constants.items())})


if __name__ == "__main__":
    main()
