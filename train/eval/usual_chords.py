"""Compare plans of the examples with their usual published chords: `python -m train usual_chords`.

The table is usual_chords.yaml. A unit is right where the root is that of one of its chords and the
quality of the same family; a seventh may be left out. A cadence is right where all units marked in
it are. `--show` prints the bars that are not right.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from accomp.band.accompanist import Accompanist
from accomp.music.chord_symbols import ChordSymbol, parse_symbol
from accomp.music.midi import read_midi
from accomp.music.score import Score
from train.command_line import command_parser
from train.eval.chord_figures import named, planned
from train.metrics.chord_places import Readings, Units
from train.metrics.chords import DOMINANT, MAJOR, Chords, Count, family

TABLE = Path(__file__).with_suffix(".yaml")
EXAMPLES = Path(__file__).parents[2] / "examples"
CADENCE = "!"


@dataclass(frozen=True)
class Tune:
    """A tune and its usual chords.

    Attributes:
        name: Of its file.
        melody: The score.
        units: Its units, from the beginning of its first bar.
        readings: [U] the usual chords.
        cadences: The units of each cadence.
    """

    name: str
    melody: Score
    units: Units
    readings: list[Readings]
    cadences: list[list[int]]


def main(arguments: list[str] | None = None) -> None:
    """Print how much of each example's plan is usual."""
    parser = command_parser("usual_chords", __doc__)
    parser.add_argument("--genres", nargs="+", default=["pop"], help="our models (default: pop)")
    parser.add_argument("--seeds", type=int, default=1, help="how many (default: 1)")
    parser.add_argument("--show", action="store_true", help="print the bars that are not right")
    options = parser.parse_args(arguments)
    print("| % (cadences) | " + " | ".join(options.genres) + " |")
    print("|---" * (len(options.genres) + 1) + "|")
    models = [Accompanist.from_pretrained(genre) for genre in options.genres]
    wrong = []
    for tune in tunes():
        cells = []
        for model in models:
            total, closed = Count(0, 0), Count(0, 0)
            for seed in range(options.seeds):
                chords = named(planned(model, tune.melody, seed), tune.units)
                total, closed = total + usual(chords, tune), closed + cadences(chords, tune)
                wrong.append(f"{model.config.genre}, {seed}: {differences(chords, tune)}")
            cells.append(f"{100 * total.ratio:.0f} ({closed.found:g}/{closed.of:g})")
        print(f"| {tune.name} | " + " | ".join(cells) + " |")
    if options.show:
        print("\n".join(["", *wrong]))


def tunes(folder: Path = EXAMPLES, table: Path = TABLE) -> list[Tune]:
    """Read the tunes of a table, whose files are in a folder."""
    rows = yaml.safe_load(table.read_text(encoding="utf-8"))
    return [tune_of(name, row["chords"], folder) for name, row in rows.items()]


def tune_of(name: str, text: str, folder: Path) -> Tune:
    """Read a tune's chords, as usual_chords.yaml explains.

    Raises:
        ValueError: The text has not one entry, or one for each unit, in each of the tune's bars.
    """
    melody = read_midi(folder / f"{name}.mid")
    track = melody.tracks[0]
    units = Units.of(melody.bars(track.end), 0.0, track.end)
    entries: list[str] = []
    bars = [bar.split() for bar in text.strip().strip("|").split("|")]
    if len(bars) != int(units.bars[-1]) + 1:
        raise ValueError(f"{name} has {units.bars[-1] + 1} bars; its chords have {len(bars)}")
    for number, bar in enumerate(bars):
        count = int((units.bars == number).sum())
        whole = len(bar) == 1 and not bar[0].endswith(CADENCE)
        if not whole and len(bar) != count:
            raise ValueError(f"bar {number} of {name} has {count} units; its chords are {bar}")
        entries += bar * count if whole else bar
    marked = [entry.endswith(CADENCE) for entry in entries]
    places = np.split(np.arange(len(marked)), np.flatnonzero(np.diff(marked)) + 1)
    readings = [
        tuple(parse_symbol(symbol) for symbol in entry.rstrip(CADENCE).split(","))
        for entry in entries
    ]
    found = [place.tolist() for place in places if marked[place[0]]]
    return Tune(name, melody, units, readings, found)


def usual(chords: Chords, tune: Tune) -> Count:
    """Count the units in which the melody has begun and the chord is usual."""
    right = [is_one_of(own, known) for own, known in zip(chords, tune.readings)]
    heard = tune.units.ends > tune.melody.tracks[0].start + 1e-6
    return Count(float(np.sum(right, where=heard)), float(heard.sum()))


def cadences(chords: Chords, tune: Tune) -> Count:
    """Count the cadences that are right."""
    right = [all(is_one_of(chords[i], tune.readings[i]) for i in c) for c in tune.cadences]
    return Count(sum(right), len(right))


def is_one_of(own: ChordSymbol | None, known: Readings) -> bool:
    """Tell whether a chord is one of those known.

    It has the root and the family of one; a dominant may lack its seventh.
    """
    return own is not None and any(
        own.root == one.root
        and family(own) in ({MAJOR, DOMINANT} if family(one) == DOMINANT else {family(one)})
        for one in known
    )


def differences(chords: Chords, tune: Tune) -> str:
    """Describe the units that are not usual: bar, chord, and what it should be."""
    rows = zip(tune.units.bars, chords, tune.readings)
    wrong = [
        f"bar {bar} {own} for {','.join(map(str, known))}"
        for bar, own, known in rows
        if not is_one_of(own, known)
    ]
    return f"{tune.name}: {'; '.join(wrong) or 'all usual'}"


if __name__ == "__main__":
    main()
