"""Choose settings of invented melodies on validation songs: `python -m train melody_tuning ...`.

    python -m train melody_tuning --corpus CORPUS [CORPUS ...] --out FOLDER

A coordinate search: one setting after another, in an order drawn each round, takes each of its
CHOICES. It keeps the one with which melodies (those in sixteenths and the others) and continuations
lie nearest to real validation songs (train.eval.melody_figures), if that is nearer by a margin, and
if the melodies neither copy training songs nor continue a start always alike.

FOLDER/tuning.jsonl logs what was measured; an interrupted search goes on from there.
FOLDER/chosen.json is the result, to be written into the defaults of the settings. The seeds are not
those of `train melody_figures`, whose figures therefore are not those that were searched for.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.invention.compose import ComposeSettings
from accomp.invention.invent import VARIATION, melody_nn_of
from accomp.models import hub
from accomp.models.melody_nn import FOLDER, MelodyNN, MelodySettings
from accomp.models.progressions import HabitSettings
from train.data.corpus import Corpus
from train.eval.melody_figures import FigureSettings, RealMelodies, measure_melodies
from train.fit.run_files import write_json

Values = dict[str, float]  # settings by name, such as "compose.pitch_line.leap"
Choices = Mapping[str, Sequence[float]]

# Against leaps there is a least: no measure tells what is awkward to sing.
CHOICES: Choices = {
    "compose.close": [3, 5, 8],
    "compose.open": [1.5, 3, 5],
    "compose.likeness": [2, 4, 6, 8, 10, 12],
    "compose.contrast": [1, 2.5, 4, 6, 8],
    "compose.higher": [1, 2.5, 4],
    "compose.played": [0, 0.25, 0.5, 0.75],
    "compose.early": [0, 0.15, 0.3, 0.5],
    "compose.quick_busier": [-2, -1.5, -1, -0.5, 0],
    "compose.plan.return_home": [0.5, 0.7, 0.9],
    "compose.pitch_line.long_note": [0, 0.15, 0.3, 0.5],
    "compose.pitch_line.repeated": [0.3, 0.6, 0.9],
    "compose.pitch_line.leap": [0.05, 0.1, 0.2, 0.4, 0.6],
    "compose.pitch_line.hurried": [0.8, 1.2],
    "melody_nn.temperature": [0.3, 0.4, 0.5, 0.7, 0.9],
    "melody_nn.top_p": [0.8, 0.9, 0.95, 1],
    "melody_nn.richer": [0.2, 0.5, 0.8, 1.1],
    "melody_nn.register": [1, 2.5, 4],
    "habits.same_again": [0, 0.25, 0.5, 0.75],
    "habits.endings": [3, 6, 10],
    "habits.others": [0.05, 0.15, 0.5],
}


@dataclass(frozen=True)
class SearchSettings:
    """What is searched for, and what is let pass."""

    objective: tuple[str, ...] = ("distance by movement", "distance of continuations")
    # Of the mean distance: a smaller gain is chance, of which there is more with few seeds.
    margin: float = 0.003
    most_copied: float = (
        0.5  # of the share that validation songs have in common with training songs
    )
    fewest_distinct: float = 0.8  # share of continuations' bars
    less_diverse: float = 0.01  # fall of the continuations' diversity
    seeds: int = 24  # melodies of each genre
    first_seed: int = 100_000
    starts: int = 30  # songs that are continued
    ways: int = 3  # how often each


@dataclass(frozen=True)
class SearchedSettings:
    """The settings that are searched: of composing, of the MelodyNN, and of its habits."""

    compose: ComposeSettings = ComposeSettings()
    melody_nn: MelodySettings = MelodySettings()
    habits: HabitSettings = HabitSettings()


def main(
    arguments: list[str] | None = None,
    choices: Choices = CHOICES,
    measure: Callable[..., dict] = measure_melodies,
) -> None:
    """Search until nothing gets nearer or the time is up, and write what was chosen.

    Args:
        arguments: Of the command line.
        choices: The values that each setting takes.
        measure: What measures melodies, as `measure_melodies`.
    """
    options = _parse(arguments, choices)
    ends = time.monotonic() + 60 * options.minutes
    settings = SearchSettings(seeds=options.seeds, starts=options.starts)
    corpora = [Corpus.load(folder) for folder in options.corpus]
    songs = RealMelodies.of(corpora, "val", settings.starts)
    models = [
        Accompanist.from_pretrained(genre, device="cpu") for genre in options.genres or hub.genres()
    ]
    inventor = melody_nn_of(models[0], MelodyNN.load(options.inventor))
    figures = FigureSettings(
        seeds=settings.seeds, first_seed=settings.first_seed, ways=settings.ways
    )

    def measured(searched: SearchedSettings) -> dict:
        inventor.settings, inventor.habits.settings = searched.melody_nn, searched.habits
        composed = replace(figures, compose=searched.compose)
        return measure(models, inventor, songs, VARIATION, composed)

    options.out.mkdir(parents=True, exist_ok=True)
    log = Log(options.out / "tuning.jsonl", _about(options, settings), measured)
    search = Search(log, choices, songs.copied, settings)
    finished = search.run(
        options.settings or list(choices), np.random.default_rng(options.seed), ends
    )
    write_json(
        options.out / "chosen.json",
        {
            "before": search.first,
            "chosen": search.best,
            "measured": len(log.rows),
            "finished": finished,
        },
    )


def _parse(arguments: list[str] | None, choices: Choices) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="train melody_tuning",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--corpus", type=Path, nargs="+", required=True, help="one or more prepared corpora"
    )
    parser.add_argument(
        "--inventor", type=Path, default=FOLDER, help="folder of a MelodyNN (default: ours)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for log and result")
    parser.add_argument(
        "--minutes", type=float, default=25, help="after which no further setting is tried"
    )
    default = SearchSettings()
    parser.add_argument("--seeds", type=int, default=default.seeds, help="melodies of each genre")
    parser.add_argument(
        "--starts", type=int, default=default.starts, help="songs that are continued"
    )
    parser.add_argument("--genres", nargs="*", help="all by default")
    parser.add_argument(
        "--settings",
        nargs="*",
        choices=sorted(choices),
        help="which are searched for; all by default",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the order")
    return parser.parse_args(arguments)


def _about(options: argparse.Namespace, settings: SearchSettings) -> dict[str, str]:
    """Return what a measurement depends on beside the searched settings."""
    names = ("corpus", "inventor", "seeds", "starts", "genres")
    about = {name: str(getattr(options, name)) for name in names}
    return about | {"objective": " + ".join(settings.objective)}


def value_of(settings: object, name: str) -> float:
    """Read a setting by its name, such as "compose.pitch_line.leap"."""
    for part in name.split("."):
        settings = getattr(settings, part)
    return settings


def with_value(settings: object, name: str, value: float) -> object:
    """Copy nested settings with one of them changed, by its name."""
    first, _, rest = name.partition(".")
    return replace(
        settings, **{first: with_value(getattr(settings, first), rest, value) if rest else value}
    )


@dataclass
class Log:
    """What was measured, in a file: nothing is measured twice.

    Attributes:
        path: The file, a JSON object in each line.
        about: What a measurement depends on beside the settings; rows of others are passed over.
        measure: From settings to figures.
        rows: What is known, by the settings' values.
    """

    path: Path
    about: dict[str, str]
    measure: Callable[[SearchedSettings], dict]
    rows: dict[str, dict] = field(init=False)

    def __post_init__(self):
        lines = self.path.read_text().splitlines() if self.path.is_file() else []
        rows = [json.loads(line) for line in lines]
        self.rows = {_key(row["settings"]): row for row in rows if row["about"] == self.about}

    def figures_of(self, values: Values, objective: Sequence[str]) -> dict:
        """Look settings up, or measure them and write that down.

        The row's "objective" is the mean of the figures named.
        """
        key = _key(values)
        if key not in self.rows:
            searched = SearchedSettings()
            for name, value in values.items():
                searched = with_value(searched, name, value)
            found = self.measure(searched)
            found["objective"] = float(np.mean([found[name] for name in objective]))
            self.rows[key] = {"about": self.about, "settings": values, **found}
            with self.path.open("a") as file:
                file.write(json.dumps(self.rows[key]) + "\n")
        return self.rows[key]


def _key(values: Values) -> str:
    return json.dumps({name: float(value) for name, value in sorted(values.items())})


class Search:
    """A coordinate search, from the defaults on.

    Attributes:
        first: Figures of the defaults.
        best: Figures of the best settings so far.
    """

    def __init__(
        self,
        log: Log,
        choices: Choices,
        copied: float,
        settings: SearchSettings = SearchSettings(),
    ):
        """Measure the defaults.

        Args:
            log: Measures settings.
            choices: The values that each setting takes.
            copied: Share of validation songs' stretches that are in training songs.
            settings: What is searched for.
        """
        self.log, self.choices, self.copied, self.settings = log, choices, copied, settings
        default = SearchedSettings()
        self.first = self.best = self._figures({name: value_of(default, name) for name in choices})

    def run(self, names: Sequence[str], random: np.random.Generator, ends: float) -> bool:
        """Improve the named settings round by round.

        Args:
            names: The settings that are searched for.
            random: Draws the order of each round.
            ends: Time on `time.monotonic` after which no further setting is tried.

        Returns:
            Whether a round ended in which nothing got nearer.
        """
        changed = True
        while changed:
            changed = False
            for name in random.permutation(sorted(names)):
                if time.monotonic() > ends:
                    return False
                changed |= self.improve(str(name))
        return True

    def improve(self, name: str) -> bool:
        """Try each value of a setting and keep the best; returns whether it is nearer."""
        tried = [self._figures({**self.best["settings"], name: v}) for v in self.choices[name]]
        allowed = [row for row in tried if self.is_allowed(row)]
        better = min([*allowed, self.best], key=lambda row: row["objective"])
        if better["objective"] >= self.best["objective"] - self.settings.margin:
            return False
        self.best = better
        print(f"{better['objective']:.4f} {name} {better['settings'][name]:g}", flush=True)
        return True

    def is_allowed(self, row: dict) -> bool:
        """Tell whether melodies are still their own and continuations still differ."""
        diverse = (
            row["diversity of continuations"]
            >= self.first["diversity of continuations"] - self.settings.less_diverse
        )
        own = row["copied"] <= self.settings.most_copied * self.copied
        distinct = row["distinct bars of continuations"] >= self.settings.fewest_distinct
        return own and diverse and distinct

    def _figures(self, values: Values) -> dict:
        return self.log.figures_of(values, self.settings.objective)


if __name__ == "__main__":
    main()
