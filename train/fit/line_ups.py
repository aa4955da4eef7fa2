"""Fit who plays when: `python -m train line_ups --corpus CORPUS`.

It learns from the real songs in which drums, bass and guitar play: from 64 bars from their melody's
first note on, cut in two, because melodies to accompany are as short as that. A player rests
in a unit of four bars of which it is silent in three. Songs without strings say nothing about
strings. The models of accomp.band.line_up are logistic; they are fitted to the training songs by
Newton's method with a penalty on the squared weights. Printed and written beside the weights is how
often players rest in songs of the splits val and test, and in line-ups that are drawn for them.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from accomp.band.form import Form
from accomp.band.line_up import (
    EVENTS,
    FEATURES,
    FOLLOWING,
    UNIT_BLOCKS,
    WEIGHTS,
    LineUpModel,
    Units,
    draw_line_up,
    event_of,
    features,
)
from accomp.roll.grid import (
    ACCOMPANIMENT,
    BAR_STEPS,
    BLOCK_STEPS,
    DRUMS,
    MELODY,
    PITCHES,
    STRINGS,
    TRACK_NAMES,
)
from train.command_line import command_parser
from train.data.comping import SOURCE as WRITTEN
from train.data.corpus import Corpus
from train.data.splits import SPLITS
from train.fit.settings import CONFIGS, genre_of
from train.metrics.playing_rhythm import FILLED, FILLING

BLOCK_BARS = BLOCK_STEPS // BAR_STEPS
PLAYERS = len(ACCOMPANIMENT)


@dataclass(frozen=True)
class LineUpFit:
    """What counts as resting, and how the models are fitted.

    Attributes:
        silent: Share of a unit's bars that a resting player is silent in.
        least: Share of the bars in which somebody plays who belongs to the band.
        stretch: Blocks of a stretch.
        stretches: Of a song.
        penalty: On the squared weights of all but the constant.
        genre_penalty: On those of the genres, of which some have few songs.
        iterations: Of Newton's method.
        prior: Units as of all genres that are added to a genre's, for fills.
        gap: Bars; a player who rests as long is counted.
        draws: Line-ups that are drawn for each melody.
    """

    silent: float = 0.75
    least: float = 0.1
    stretch: int = 16
    stretches: int = 2
    penalty: float = 1.0
    genre_penalty: float = 4.0
    iterations: int = 25
    prior: int = 40
    gap: int = 8
    draws: int = 2


@dataclass
class Stretch:
    """Who plays when in a stretch of a real song.

    Attributes:
        genre: Its genre.
        split: train, val or test.
        units: What its melody does.
        rests: [U, P] bool.
        known: [P] bool, who belongs to its band.
        fills: [U] whether a unit ends with a drum fill; NaN where the drums rest.
    """

    genre: str
    split: str
    units: Units
    rests: np.ndarray
    known: np.ndarray
    fills: np.ndarray


def main(arguments: list[str] | None = None) -> None:
    """Fit the models, write them, and print how often players rest."""
    parser = command_parser("line_ups", __doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="of `train prepare`")
    parser.add_argument("--config", type=Path, default=CONFIGS / "accomp.yaml", help="for genres")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file for the weights")
    options = parser.parse_args(arguments)
    corpus = Corpus.load(options.corpus)
    found = list(stretches(corpus, yaml.safe_load(options.config.read_text())))
    model = fit([part for part in found if part.split == "train"])
    measured = figures([part for part in found if part.split != "train"], model)
    write(options, model, corpus, found, measured)
    for name, row in measured.items():
        print(f"{name:20}", row)


def write(
    options: argparse.Namespace,
    model: LineUpModel,
    corpus: Corpus,
    found: list[Stretch],
    measured: dict,
) -> None:
    """Write the weights with where they come from.

    Args:
        options: `out` is the file.
        model: The weights.
        corpus: What they were fitted to.
        found: Stretches of all splits.
        measured: Figures.
    """
    weights = {
        name: {event: np.round(row, 3).tolist() for event, row in events.items()}
        for name, events in model.weights.items()
    }
    table = {
        "source": f"fitted by python -m train line_ups to the corpus {corpus.name!r}",
        "data": corpus.described(),
        "stretches": {split: sum(part.split == split for part in found) for split in SPLITS},
        "figures": measured,
        "features": list(FEATURES),
        "genres": model.genres,
        "weights": weights,
        "fills": model.fills,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def stretches(corpus: Corpus, config: dict, settings: LineUpFit = LineUpFit()) -> Iterator[Stretch]:
    """Give the stretches of the songs in which drums, bass and guitar play.

    Args:
        corpus: The songs.
        config: Says which labels make a genre.
        settings: What counts as playing.
    """
    for song, entry in enumerate(corpus.songs):
        if entry.get("source") == WRITTEN:
            continue
        own = corpus.own(song)
        sounding = np.flatnonzero(_bars(corpus, MELODY, own).reshape(-1, BLOCK_BARS).any(1))
        if not len(sounding):
            continue
        start = own.start + int(sounding[0])
        last = min(own.start + int(sounding[-1]) + 1, start + settings.stretches * settings.stretch)
        plays = np.stack([_bars(corpus, t, slice(start, last)) for t in ACCOMPANIMENT])
        known = plays.mean(1) >= settings.least
        if not known[[track != STRINGS for track in ACCOMPANIMENT]].all():
            continue
        genre = genre_of(config, entry["genre"])
        for first in range(start, last - settings.stretch + 1, settings.stretch):
            melody = corpus.blocks(MELODY, slice(first, first + settings.stretch)).numpy()
            at = (first - start) * BLOCK_BARS
            own_plays = plays[:, at : at + settings.stretch * BLOCK_BARS]
            units = Units.of(Form.find(melody, 0), melody, 0)
            silent = [
                1 - own_plays[:, one * BLOCK_BARS : other * BLOCK_BARS].mean(1)
                for one, other in zip(units.starts[:-1], units.starts[1:])
            ]
            rests = np.stack(silent) >= settings.silent
            fills = _fills(corpus.blocks(DRUMS, slice(first, first + settings.stretch)).numpy())
            yield Stretch(genre, entry["split"], units, rests & known, known, fills)


def _bars(corpus: Corpus, track: int, blocks: slice) -> np.ndarray:
    """Tell in which bars a track sounds, [2 B] bool."""
    sounds = np.asarray(corpus.packed[track][blocks])[:, 1].any(-1)
    return np.asarray(sounds.reshape(-1, BAR_STEPS).any(1))


def _fills(drums: np.ndarray) -> np.ndarray:
    """Tell which four bars of a stretch's drums end with a fill, as train.metrics.playing_rhythm.

    Args:
        drums: [B, 2, 32, 128].

    Returns:
        [U] 0 or 1; NaN where they do not play in all four bars.
    """
    bars = np.moveaxis(drums, 1, 0)[0].reshape(-1, UNIT_BLOCKS * BLOCK_BARS, BAR_STEPS, PITCHES)
    late = bars[:, :, BAR_STEPS // 2 :, list(FILLING)].sum((2, 3), dtype=int)
    is_fill = late[:, -1] >= late[:, :-1].mean(1) + FILLED
    return np.where(bars.any((2, 3)).all(1), is_fill, np.nan)


def fit_fills(
    found: list[Stretch], settings: LineUpFit = LineUpFit()
) -> dict[str, dict[str, float]]:
    """Count how often units end with a drum fill.

    Returns:
        By genre and by what follows (FOLLOWING) the share of units, drawn to that of all genres
        where there are few; that is under the name "".
    """
    genres = ["", *sorted({part.genre for part in found})]
    counts = {genre: {what: np.zeros(2) for what in FOLLOWING} for genre in genres}
    for part in found:
        for unit in map(int, np.flatnonzero(np.isfinite(part.fills[:-1]))):
            for genre in ("", part.genre):
                counts[genre][part.units.following(unit)] += part.fills[unit], 1
    shares: dict[str, dict[str, float]] = {}
    for genre in genres:
        for what, (fills, units) in counts[genre].items():
            total, of = counts[""][what]
            share = (fills + settings.prior * total / max(of, 1)) / (units + settings.prior)
            shares.setdefault(genre, {})[what] = round(float(share), 3)
    return shares


def fit(found: list[Stretch], settings: LineUpFit = LineUpFit()) -> LineUpModel:
    """Fit the models to stretches of songs."""
    genres = sorted({part.genre for part in found})
    rows: dict[tuple[int, str], list[tuple[np.ndarray, bool]]] = {}
    for song in found:
        of_genre = [float(name == song.genre) for name in genres]
        for unit in range(song.units.count):
            for player in map(int, np.flatnonzero(song.known)):
                known = features(song.units, song.rests, unit, player)
                event = event_of(song.rests, unit, player)
                example = np.concatenate([known, of_genre]), bool(song.rests[unit, player])
                rows.setdefault((player, event), []).append(example)
    penalty = np.full(len(FEATURES) + len(genres), settings.penalty)
    penalty[len(FEATURES) :] = settings.genre_penalty
    penalty[FEATURES.index("always")] = 0.01
    weights = {
        TRACK_NAMES[track]: {
            event: _newton(rows.get((player, event), []), penalty, settings) for event in EVENTS
        }
        for player, track in enumerate(ACCOMPANIMENT)
    }
    return LineUpModel(genres, weights, fit_fills(found, settings))


def _newton(
    examples: list[tuple[np.ndarray, bool]], penalty: np.ndarray, settings: LineUpFit
) -> np.ndarray:
    """Fit a logistic model with a penalty [F + genres] on its squared weights.

    Without an example it says that nobody rests.
    """
    if not examples:
        return np.append(-10.0, np.zeros(len(penalty) - 1))
    inputs = np.array([row for row, _ in examples])
    rests = np.array([rests for _, rests in examples], float)
    weights = np.zeros(len(penalty))
    for _ in range(settings.iterations):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (chance - rests) + penalty * weights
        curve = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + np.diag(penalty)
        weights = weights - np.linalg.solve(curve, slope)
    return weights


def figures(
    songs: list[Stretch], model: LineUpModel, settings: LineUpFit = LineUpFit()
) -> dict[str, dict[str, list[float]]]:
    """Measure how often players rest in songs, and in line-ups drawn for their melodies.

    Args:
        songs: With their own line-ups.
        model: To draw by.
        settings: What is counted.

    Returns:
        By genre and player [songs, share of units it rests in, of these songs and as drawn, share
        of the songs in which it rests for `gap` bars, and as drawn], in %.
    """
    drawn = [
        [
            draw_line_up(song.units, model, np.random.default_rng([index, draw]), song.genre)
            for draw in range(settings.draws)
        ]
        for index, song in enumerate(songs)
    ]
    found: dict[str, dict[str, list[float]]] = {}
    for genre in ["all", *model.genres]:
        chosen = [i for i, song in enumerate(songs) if genre in ("all", song.genre)]
        for player, track in enumerate(ACCOMPANIMENT):
            known = [i for i in chosen if songs[i].known[player]]
            if not known:
                continue
            real = [songs[i].rests[:, player] for i in known]
            ours = [rests[:, player] for i in known for rests in drawn[i]]
            shares = [
                100 * float(np.mean([rests.mean() for rests in some])) for some in (real, ours)
            ]
            shares += [
                100 * float(np.mean([_longest(rests) >= settings.gap // 4 for rests in some]))
                for some in (real, ours)
            ]
            row = [len(known), *(round(share, 1) for share in shares)]
            found.setdefault(genre, {})[TRACK_NAMES[track]] = row
    return found


def _longest(rests: np.ndarray) -> int:
    """Return how many units in a row a player rests at most."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], rests.astype(int), [0]])))
    return int(np.diff(edges)[::2].max(initial=0))


if __name__ == "__main__":
    main()
