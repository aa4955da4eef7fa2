"""Measure moving through the latent spaces: `python -m train latent_space --corpus CORPUS ...`.

Three things, on melodies of the corpus's test songs with the embedded models:
- style: as the style factor goes from 0 to 1 under other test songs as styles, how far drums,
  density and rhythm of the band are from the style song's, and how well the band fits the melody
  (Tham & Kim 2021, "Generating Music in certain Styles", measured nothing);
- blend: how alike neighbouring points between two bands are (continuity, ibid., "Using Variational
  Autoencoders");
- explore: the same along each direction of each instrument, and whether "density" and "variety"
  do what they say.
"""

import argparse
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from accomp import Accompanist, genres
from accomp.band.style import Style
from accomp.roll.grid import ACCOMPANIMENT, BAR_STEPS, DRUMS, TRACK_NAMES
from accomp.roll.pianoroll import from_blocks
from train import metrics
from train.data.corpus import Corpus
from train.data.tasks import Task, song_tasks
from train.eval import stage
from train.eval.measure import other_melodies
from train.eval.systems import genre_for
from train.fit.run_files import write_json


@dataclass(frozen=True)
class PathSettings:
    """The points at which moving through a latent space is measured."""

    factors: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the style; 1 is all style
    blends: int = 11  # evenly from one band to the other, both included
    moves: int = 9  # evenly along a direction
    farthest: float = 2.0  # move in standard deviations, either way
    explored: int = 12  # melodies along whose bands directions are measured

    def amounts(self) -> np.ndarray:
        """Return the amounts of the second band in a blend."""
        return np.linspace(0, 1, self.blends)

    def steps(self) -> np.ndarray:
        """Return the moves along a direction."""
        return np.linspace(-self.farthest, self.farthest, self.moves)


def main(arguments: list[str] | None = None) -> None:
    """Measure style, blend and explore, write the figures and print a summary."""
    parser = argparse.ArgumentParser(
        prog="train latent_space",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that `train prepare` wrote"
    )
    parser.add_argument("--out", type=Path, required=True, help="file for the figures")
    parser.add_argument(
        "--split", choices=["test", "val"], default="test", help="val: while choosing settings"
    )
    parser.add_argument("--limit", type=int, default=40, help="melodies, evenly over the split")
    parser.add_argument("--styles", type=int, default=3, help="style songs for each melody")
    options = parser.parse_args(arguments)
    corpus = Corpus.load(options.corpus)
    tasks = song_tasks(corpus, options.split)
    chosen = np.linspace(0, len(tasks) - 1, min(options.limit, len(tasks))).astype(int)
    tasks = [tasks[i] for i in np.unique(chosen)]
    figures = {
        "style": style(tasks, corpus, options.styles),
        "blend": blend(tasks),
        "explore": explore(tasks),
    }
    write_json(options.out, {"songs": len(tasks), **figures})
    print(report(figures))


@cache
def model_of(genre: str) -> Accompanist:
    """Load the embedded model of a genre, once."""
    return Accompanist.from_pretrained(genre, device="cpu")


def matching(task: Task) -> Accompanist:
    """Load the model of the genre that the task's song is of."""
    return model_of(genre_for(task, genres()))


def style_of(corpus: Corpus, song: int, model: Accompanist) -> tuple[Style, np.ndarray]:
    """Make the style of a song of the corpus; returns its planes [5, 2, S, 128] too."""
    entry = corpus.songs[song]
    at = slice(entry["first"], entry["first"] + entry["blocks"])
    blocks = {track: corpus.blocks(track, at) for track in range(len(TRACK_NAMES))}
    found = Style.of_blocks(
        model, {track: blocks[track] for track in ACCOMPANIMENT}, corpus.plan[at], entry["file"]
    )
    return found, np.stack([from_blocks(each.numpy()) for each in blocks.values()])


def style(
    tasks: list[Task], corpus: Corpus, count: int, settings: PathSettings = PathSettings()
) -> dict[str, list]:
    """Measure bands under styles, from no style to all style.

    Args:
        tasks: Melodies of test songs.
        corpus: That they are of.
        count: Number of style songs for each melody: other tasks' songs.
        settings: The factors.

    Returns:
        Figures [pairs, factors] by name: "drums", "density" and "rhythm" of `distances` to the
        style song, "lift" and "consonance" with the melody.
    """
    found: dict[str, list] = {
        name: [] for name in ("drums", "density", "rhythm", "lift", "consonance")
    }
    for i, task in enumerate(tqdm(tasks, desc="style")):
        model, others = matching(task), other_melodies(tasks, task)
        for k in range(count):
            other = tasks[(i + 1 + k * 7) % len(tasks)]
            if other is task:
                continue
            style_song, planes = style_of(corpus, other.song, model)
            rows: dict[str, list] = {name: [] for name in found}
            for factor in settings.factors:
                played = stage.ours(model, task, k, styles=style_song, style_factor=factor)
                for name, value in distances(played.planes, planes, style_song).items():
                    rows[name].append(value)
                pitched = played.planes[list(metrics.PITCHED)]
                lifts = [metrics.consonance_lift(task.melody, o, pitched) for o in others]
                rows["lift"].append(float(np.mean(lifts)))
                rows["consonance"].append(metrics.consonance(task.melody, pitched))
            for name, values in rows.items():
                found[name].append(values)
    return {name: np.round(np.array(values), 4).tolist() for name, values in found.items()}


def distances(band: np.ndarray, song: np.ndarray, of: Style) -> dict[str, float]:
    """Measure how far a band is from a song, in the instruments that the song has.

    Args:
        band: [5, 2, S, 128].
        song: [5, 2, S, 128].
        of: The song's style.

    Returns:
        "drums": mean absolute difference of how often each drum is struck on each sixteenth of a
        bar, over how often it is in both; "density": difference of the onsets a bar, in logarithms;
        "rhythm": one minus the cosine of the rates by sixteenth.
    """
    tracks = [track for track in of.unique if song[track].any()]
    rates = [(rate(band[track]), rate(song[track])) for track in tracks]
    found = {"drums": np.nan}
    if DRUMS in tracks:
        a, b = rates[tracks.index(DRUMS)]
        found["drums"] = float(np.abs(a - b).sum() / (a.sum() + b.sum()))
    found["density"] = float(
        np.mean([abs(np.log((a.sum() + 0.5) / (b.sum() + 0.5))) for a, b in rates])
    )
    profiles = [(a.sum(1), b.sum(1)) for a, b in rates]
    found["rhythm"] = float(
        np.mean([1 - a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9) for a, b in profiles])
    )
    return found


def rate(planes: np.ndarray) -> np.ndarray:
    """Measure how often each pitch of planes [2, S, 128] is struck on each sixteenth of a bar.

    Of the bars in which the track plays. Returns [16, 128].
    """
    bars = planes[0].reshape(-1, BAR_STEPS, planes.shape[-1])
    if not planes[1].any():
        return np.zeros(bars.shape[1:])
    return bars[planes[1].reshape(len(bars), -1).any(1)].mean(0)


def blend(tasks: list[Task], settings: PathSettings = PathSettings()) -> dict[str, list]:
    """Measure the likeness of points between two bands: of two seeds, and of two genres.

    Returns the likeness of neighbouring points [melodies, steps] as "seeds" and "genres", and that
    of the ends [melodies] as "seeds_ends" and "genres_ends".
    """
    found: dict[str, list] = {"seeds": [], "seeds_ends": [], "genres": [], "genres_ends": []}
    for i, task in enumerate(tqdm(tasks, desc="blend")):
        model = matching(task)
        first = model.sketch(task.score, melody_track=task.melody_track, seed=i)
        names = [name for name in genres() if name != model.config.genre]
        others = {"seeds": (model, i + 1), "genres": (model_of(names[i % len(names)]), i)}
        for kind, (other, seed) in others.items():
            second = other.sketch(task.score, melody_track=task.melody_track, seed=seed)
            points = [
                onsets(
                    stage.performance_of(model.perform(first.blended(second, float(amount))), task)
                )
                for amount in settings.amounts()
            ]
            found[kind].append([likeness(a, b) for a, b in zip(points, points[1:])])
            found[f"{kind}_ends"].append(likeness(points[0], points[-1]))
    return {name: np.round(np.array(values), 4).tolist() for name, values in found.items()}


def explore(tasks: list[Task], settings: PathSettings = PathSettings()) -> dict[str, dict]:
    """Measure bands along the directions of each instrument.

    Returns by instrument and direction the likeness of neighbouring points [melodies, steps] as
    "neighbours", and "onsets" and pitch "classes" a bar at each point [melodies, moves].
    """
    found: dict[str, dict[str, list]] = {}
    for i, task in enumerate(
        tqdm(tasks[:: max(1, len(tasks) // settings.explored)], desc="explore")
    ):
        model = matching(task)
        sketch = model.sketch(task.score, melody_track=task.melody_track, seed=i)
        for track in ACCOMPANIMENT:
            name = TRACK_NAMES[track]
            for direction in model.harmony[name].directions():
                bands = [
                    stage.performance_of(
                        model.perform(sketch.explored({name: {direction: float(move)}})), task
                    ).planes[track]
                    for move in settings.steps()
                ]
                points = [band[0].astype(bool) for band in bands]
                row = found.setdefault(
                    f"{name} {direction}", {"neighbours": [], "onsets": [], "classes": []}
                )
                row["neighbours"].append([likeness(a, b) for a, b in zip(points, points[1:])])
                row["onsets"].append(
                    [float(band[0].sum() / (band.shape[1] / BAR_STEPS)) for band in bands]
                )
                row["classes"].append([metrics.used_pitch_classes(band) for band in bands])
    return {
        name: {k: np.round(np.array(v, float), 4).tolist() for k, v in row.items()}
        for name, row in found.items()
    }


def onsets(played: stage.Performance) -> np.ndarray:
    """Return where the accompaniment strikes notes, [4, S, 128]."""
    return played.planes[list(ACCOMPANIMENT), 0].astype(bool)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Measure the Jaccard index of two bands' onsets; 1 if both are empty."""
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


def report(figures: dict, settings: PathSettings = PathSettings()) -> str:
    """Write the means of the figures as lines of text."""
    lines = ["style: factor " + " ".join(f"{factor:6.2f}" for factor in settings.factors)]
    for name, values in figures["style"].items():
        values = np.array(values, float)
        mean = np.nanmean(values, axis=0)
        lines.append(f"  {name:11s} " + " ".join(f"{value:6.3f}" for value in mean))
    for kind in ("seeds", "genres"):
        values = np.array(figures["blend"][kind])
        ends = np.mean(figures["blend"][f"{kind}_ends"])
        lines.append(
            f"blend of two {kind}: neighbours "
            + " ".join(f"{v:.2f}" for v in values.mean(0))
            + f", ends {ends:.2f}"
        )
    for name, row in figures["explore"].items():
        lines.append(
            f"explore {name}: neighbours {np.mean(row['neighbours']):.2f}, onsets a bar "
            + " ".join(f"{v:.1f}" for v in np.mean(row["onsets"], axis=0))
            + ", pitch classes "
            + " ".join(f"{v:.2f}" for v in np.nanmean(np.array(row["classes"], float), axis=0))
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
