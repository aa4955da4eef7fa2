"""Compare each genre's chords with those of real songs: `python -m train genre_chords CORPUS`.

CORPUS is what `train prepare` wrote. Real songs' chords are recognised from their bands
(train.metrics.chord_naming). Ours are those that the plans name or, with `--heard`, recognised from
our bands in the same way. All genres get the same melodies or, with `--own`, those of their own
songs. Printed is the distance of each genre's plans from each genre's real songs
(train.metrics.chord_statistics) and how often a genre's own songs are the nearest.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from accomp.band.accompanist import Accompanist
from accomp.music.chord_symbols import ChordSymbol
from accomp.roll import chord_plan
from accomp.roll.grid import BASS
from train import metrics
from train.command_line import command_parser
from train.data.corpus import Corpus
from train.data.tasks import Task, song_tasks
from train.eval import stage
from train.eval.chord_figures import named, planned
from train.eval.stage import Performance
from train.fit.settings import CONFIGS, genre_of
from train.metrics.chord_naming import heard
from train.metrics.chord_places import Units
from train.metrics.chord_statistics import Statistics, distance

GENRES = ("folk", "game", "gospel", "jazz", "latin", "pop", "rock")


def main(arguments: list[str] | None = None) -> None:
    """Print the distances, and the qualities and changes of real songs and plans."""
    parser = command_parser("genre_chords", __doc__)
    parser.add_argument("corpus", type=Path, help="folder that `train prepare` wrote")
    parser.add_argument("--splits", nargs="+", default=["test"], help="of real songs")
    parser.add_argument("--melodies", type=int, default=40, help="that all genres plan for")
    parser.add_argument("--models", type=Path, help="folder of models (default: ours)")
    parser.add_argument("--own", action="store_true", help="melodies of each genre's own songs")
    parser.add_argument("--heard", action="store_true", help="recognise our chords, too")
    options = parser.parse_args(arguments)
    corpus = Corpus.load(options.corpus)
    tasks = [task for split in options.splits for task in song_tasks(corpus, split)]
    real = {g: Statistics.of(real_chords(corpus, of_genre(tasks, g))) for g in GENRES}
    chosen = spread(tasks, options.melodies)
    ours = {}
    for genre in GENRES:
        source = str(options.models / genre) if options.models else genre
        melodies = of_genre(tasks, genre)[: options.melodies] if options.own else chosen
        chords = band_chords if options.heard else plans
        ours[genre] = Statistics.of(chords(Accompanist.from_pretrained(source), melodies))
    print(table(ours, real))
    print(f"\n{portraits(real, 'real')}\n\n{portraits(ours, 'plans')}")


def of_genre(tasks: Sequence[Task], genre: str) -> list[Task]:
    """Return the songs whose label belongs to a genre."""
    config = yaml.safe_load((CONFIGS / "accomp.yaml").read_text())
    return [task for task in tasks if genre_of(config, task.group) == genre]


def spread(tasks: Sequence[Task], count: int) -> list[Task]:
    """Choose so many songs of all genres evenly, in their order."""
    by_genre = [of_genre(tasks, genre) for genre in GENRES]
    each = max(1, count // len(GENRES))
    return [task for own in by_genre for task in own[:each]]


def real_chords(corpus: Corpus, tasks: Sequence[Task]) -> list[list[ChordSymbol | None]]:
    """Recognise the chords of songs' own bands, of each half bar."""
    return [recognised(stage.real(task, corpus)) for task in tasks]


def band_chords(model: Accompanist, tasks: Sequence[Task]) -> list[list[ChordSymbol | None]]:
    """Recognise the chords of our bands, of each half bar."""
    return [recognised(stage.ours(model, task, 0)) for task in tasks]


def recognised(played: Performance) -> list[ChordSymbol | None]:
    """Recognise the chords of a band, of each half bar."""
    chroma = [chord_plan.chroma(played.planes[track]) for track in metrics.PITCHED]
    return heard(np.sum(chroma, axis=0), chord_plan.chroma(played.planes[BASS]))


def plans(model: Accompanist, tasks: Sequence[Task]) -> list[list[ChordSymbol | None]]:
    """Plan the chords of melodies, of each half bar."""
    found = []
    for task in tasks:
        units = Units.between(task.grid.half_bar_beats, task.score.end, 4.0)
        found.append(list(named(planned(model, task.score, 0), units)))
    return found


def table(ours: dict[str, Statistics], real: dict[str, Statistics]) -> str:
    """Return a Markdown table of distances: a row for each genre's plans."""
    lines = ["| plans | " + " | ".join(real) + " | nearest |", "|---" * (len(real) + 2) + "|"]
    right = 0
    for genre, own in ours.items():
        apart = {name: distance(own, songs) for name, songs in real.items()}
        nearest = min(apart, key=lambda name: apart[name])
        right += nearest == genre
        cells = " | ".join(f"{value:.3f}" for value in apart.values())
        lines.append(f"| {genre} | {cells} | {nearest} |")
    songs = ", ".join(f"{name} {own.songs}" for name, own in real.items())
    return "\n".join([*lines, "", f"own genre nearest: {right} of {len(ours)}; songs: {songs}"])


def portraits(statistics: dict[str, Statistics], title: str) -> str:
    """Return a Markdown table of each genre's qualities and lengths, in per cent."""
    kinds = sorted(
        {str(name) for own in statistics.values() for name in own.shares["qualities"]},
        key=lambda name: (
            -sum(own.shares["qualities"].get(name, 0.0) for own in statistics.values())
        ),
    )
    heads = [name or "major" for name in kinds] + ["one unit", "two", "to 4", "to 8", "more"]
    lines = [f"| {title}, % | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for genre, own in statistics.items():
        rows = [own.shares["qualities"].get(name, 0.0) for name in kinds]
        rows += [own.shares["lengths"].get(length, 0.0) for length in range(5)]
        cells = " | ".join(f"{100 * value / max(own.songs, 1):.0f}" for value in rows)
        lines.append(f"| {genre} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
