"""Decide who plays when, as real arrangements do.

A melody is cut into units of two blocks (four bars). Unit by unit, and in each player by player, it
is drawn whether a player waits at the beginning, stops, or waits on. How likely that is say
logistic models that `python -m train line_ups` fits to real songs (Allison 1982, "Discrete-Time
Methods for the Analysis of Event Histories"): by genre, by where sections and phrases begin, by
what the melody does, by what the others do and by what the player did where the melody was the
same.
Letters: B blocks, U units, P players (those of ACCOMPANIMENT, in that order), F features.
"""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from accomp.band.form import Form
from accomp.roll.grid import ACCOMPANIMENT, TRACK_NAMES

WEIGHTS = Path(__file__).parents[1] / "data" / "line_ups" / "weights.json"
UNIT_BLOCKS = 2
EVENTS = ("begins", "stops", "stays")  # silent from the start, after playing, after a rest
FOLLOWING = ("section", "phrase", "same")  # what follows a unit: another section, a phrase, or none
# What the models know beside the genre, in this order.
FEATURES = (
    "always",
    "section",  # another section begins
    "phrase",  # a phrase begins
    "busy",  # the melody's notes, in octaves from the song's mean
    "melody_rests",
    "rested_there",  # where the same phrase was: 1 rested, -1 played, 0 there is none
    "others_rest",  # how many of the players before it
    "others_stop",
    "others_enter",
    "rested_before",  # it has played and then rested
    "waiting",  # it has not played yet
    "long",  # it has rested for two units or more
)


@dataclass(frozen=True)
class LineUpSettings:
    """What no line-up does, however likely it is."""

    fewest_units: int = 3  # a shorter song has no time for it: everybody plays
    fewest_playing: int = 2  # of the band, in every unit
    # Of the units, by each player (in the order of ACCOMPANIMENT): strings are a colour.
    most_resting: tuple[float, ...] = (0.5, 0.5, 0.5, 0.75)
    # Of the units, in a row, but always one: in 32 bars a bass may enter after eight, in 16 that is
    # half of the song.
    longest_rest: tuple[float, ...] = (0.25, 0.25, 0.34, 0.5)
    # Whether a player is there in the last unit, for an ending on purpose. In songs 5 % of drummers
    # and basses are not.
    ends: tuple[bool, ...] = (True, True, False, False)
    busiest: float = 2.0  # octaves; units farther from the mean count as this


@dataclass
class Units:
    """What a melody does in each unit.

    Attributes:
        starts: [U + 1] first block of each unit, and the number of blocks.
        section: [U] bool, whether another section begins.
        phrase: [U] bool, whether a phrase begins.
        before: [U] int, the unit at this place of the last phrase like this one, else -1.
        busy: [U] octaves that it has more notes than the song has on average.
        melody_rests: [U] share of the blocks in which the melody is silent.
    """

    starts: np.ndarray
    section: np.ndarray
    phrase: np.ndarray
    before: np.ndarray
    busy: np.ndarray
    melody_rests: np.ndarray

    @property
    def count(self) -> int:
        """U."""
        return len(self.phrase)

    def following(self, unit: int) -> str:
        """Return which of FOLLOWING comes after a unit that is not the last."""
        if self.section[unit + 1]:
            return "section"
        return "phrase" if self.phrase[unit + 1] else "same"

    @classmethod
    def of(
        cls,
        form: Form,
        blocks: np.ndarray,
        first: int,
        settings: LineUpSettings = LineUpSettings(),
    ) -> "Units":
        """Cut a melody into units.

        Args:
            form: of `Form.find`.
            blocks: [B, 2, 32, 128] of the melody.
            first: number of blocks that come before the first whole bar.
            settings: how far units may be from the mean.
        """
        count = len(blocks)
        starts = np.arange(first, max(count - UNIT_BLOCKS + 1, first + 1), UNIT_BLOCKS)
        phrase = np.concatenate([[0], np.cumsum(form.closes)[:-1]])[starts]
        begins = np.diff(phrase, prepend=-1) > 0
        labels = form.labels[starts]
        notes = blocks[:, 0].reshape(count, -1).sum(1)
        parts = np.split(notes[first:], starts[1:] - first)
        struck = np.array([part.mean() for part in parts])
        octaves = np.log2((1 + struck) / (1 + notes[first:].mean()))
        return cls(
            np.append(starts, count),
            begins & (np.diff(labels, prepend=labels[0]) != 0),
            begins,
            _places_before(phrase, begins, labels),
            np.clip(octaves, -settings.busiest, settings.busiest),
            np.array([(part == 0).mean() for part in parts]),
        )


def _places_before(phrase: np.ndarray, begins: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Find for each unit the one at its place of the last phrase of its label, else -1."""
    count = len(phrase)
    offset = np.arange(count) - np.maximum.accumulate(np.where(begins, np.arange(count), 0))
    found = np.full(count, -1)
    for unit in range(count):
        like = (labels == labels[unit]) & (offset == offset[unit]) & (phrase < phrase[unit])
        if like.any():
            found[unit] = np.flatnonzero(like)[-1]
    return found


def event_of(rests: np.ndarray, unit: int, player: int) -> str:
    """Return which of EVENTS could happen to a player, given the units before in `rests` [U, P]."""
    if unit == 0:
        return "begins"
    return "stays" if rests[unit - 1, player] else "stops"


def features(units: Units, rests: np.ndarray, unit: int, player: int) -> np.ndarray:
    """Return what the models know of a unit, [F].

    Args:
        units: of the song.
        rests: [U, P] bool; known of all units before, and in this one of the players before.
        unit: 0 to U - 1.
        player: index in ACCOMPANIMENT.
    """
    own = rests[:unit, player]
    there = units.before[unit]
    now = rests[unit, :player]
    past = rests[unit - 1, :player] if unit else now
    values = {
        "always": 1.0,
        "section": units.section[unit],
        "phrase": units.phrase[unit],
        "busy": units.busy[unit],
        "melody_rests": units.melody_rests[unit],
        "rested_there": 2.0 * own[there] - 1 if there >= 0 else 0.0,
        "others_rest": now.sum(),
        "others_stop": (now & ~past).sum(),
        "others_enter": (past & ~now).sum(),
        "rested_before": (own[1:] & ~own[:-1]).any(),
        "waiting": unit > 0 and own.all(),
        "long": unit > 1 and own[-2:].all(),
    }
    return np.array([values[name] for name in FEATURES], float)


@dataclass
class LineUpModel:
    """How likely players rest, and drummers fill.

    Attributes:
        genres: names.
        weights: by name of the player and event, [F + genres].
        fills: by genre, and "" for all, and by what follows (FOLLOWING) the share of units that
            end with a drum fill.
    """

    genres: list[str]
    weights: dict[str, dict[str, np.ndarray]]
    fills: dict[str, dict[str, float]]

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "LineUpModel":
        """Read what `python -m train line_ups` wrote."""
        table = json.loads(path.read_text(encoding="utf-8"))
        weights = {
            name: {event: np.array(row) for event, row in events.items()}
            for name, events in table["weights"].items()
        }
        return cls(table["genres"], weights, table["fills"])

    def chance(self, known: np.ndarray, player: int, event: str, genre: str) -> float:
        """Return the probability that a player rests.

        Args:
            known: [F] of `features`.
            player: index in ACCOMPANIMENT.
            event: of EVENTS.
            genre: a name; one that the models do not know is like none.
        """
        row = self.weights[TRACK_NAMES[ACCOMPANIMENT[player]]][event]
        of_genre = [float(name == genre) for name in self.genres]
        return float(1 / (1 + np.exp(-row @ np.concatenate([known, of_genre]))))


@cache
def shipped_line_ups() -> LineUpModel:
    """Return the models that come with the package."""
    return LineUpModel.load()


def draw_line_up(
    units: Units,
    model: LineUpModel,
    random: np.random.Generator,
    genre: str = "",
    settings: LineUpSettings = LineUpSettings(),
) -> np.ndarray:
    """Draw who rests in which units.

    Args:
        units: of the melody.
        model: how likely players rest.
        random: draws.
        genre: its name.
        settings: what no line-up does.

    Returns:
        [U, P] bool.
    """
    players = len(ACCOMPANIMENT)
    rests = np.zeros((units.count, players), bool)
    if units.count < settings.fewest_units:
        return rests
    for unit in range(units.count):
        chances = np.zeros(players)
        for player in range(players):
            event = event_of(rests, unit, player)
            known = features(units, rests, unit, player)
            chances[player] = model.chance(known, player, event, genre)
            may_rest = _may_rest(rests[:unit, player], player, units.count, settings)
            rests[unit, player] = random.random() < chances[player] and may_rest
        by_chance = np.argsort(chances, kind="stable")
        missing = settings.fewest_playing - (~rests[unit]).sum()
        waiting = [player for player in by_chance if rests[unit, player]]
        rests[unit, waiting[: max(missing, 0)]] = False
    return rests


def _may_rest(own: np.ndarray, player: int, count: int, settings: LineUpSettings) -> bool:
    """Tell whether a player may rest in the next unit, too.

    Args:
        own: [units so far] bool, where it rested.
        player: index in ACCOMPANIMENT.
        count: U.
        settings: how long players rest at most.
    """
    if settings.ends[player] and len(own) == count - 1:
        return False
    longest = max(1, int(settings.longest_rest[player] * count))
    in_a_row = len(own) >= longest and bool(own[len(own) - longest :].all())
    return own.sum() + 1 <= settings.most_resting[player] * count and not in_a_row


def lined_up(
    form: Form, blocks: np.ndarray, first: int, random: np.random.Generator, genre: str = ""
) -> Form:
    """Return a form with a line-up drawn for it, and where drums may fill.

    What comes before the first unit belongs to it.

    Args:
        form: of `Form.find`.
        blocks: [B, 2, 32, 128] of the melody.
        first: number of blocks that come before the first whole bar.
        random: draws.
        genre: its name.
    """
    units, model = Units.of(form, blocks, first), shipped_line_ups()
    rests = draw_line_up(units, model, random, genre)
    every = np.arange(len(blocks))
    unit = np.clip(np.searchsorted(units.starts, every, side="right") - 1, 0, units.count - 1)
    by_track = {
        track: rests[unit, player]
        for player, track in enumerate(ACCOMPANIMENT)
        if rests[:, player].any()
    }
    fills = np.zeros(len(blocks))
    of_genre = model.fills.get(genre, model.fills[""])
    fills[units.starts[1:-1] - 1] = [of_genre[units.following(u)] for u in range(units.count - 1)]
    return replace(form, rests=by_track, fills=fills, is_lined_up=True)
