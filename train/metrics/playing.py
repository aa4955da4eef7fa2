"""Measures of how a band plays: sixteen, of each player and of players together.

They are taken of a Playing: the notes of the five parts, in sixteenths, over bars of four beats.
A measure gives samples: of each note, onset or step for those of notes, one for the whole song for
those that are shares. `profile` takes them all; train.metrics.playing_distance compares songs by
them. A measure without an answer, such as the register of a silent part, has no samples.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import numpy as np

from accomp.roll.grid import (
    ACCOMPANIMENT,
    BASS,
    DRUMS,
    GUITAR,
    MELODY,
    STRINGS,
    TRACK_NAMES,
)
from train.metrics import playing_notes as of_notes
from train.metrics import playing_rhythm as rhythm
from train.metrics import playing_together as together
from train.metrics.playing_notes import Playing

Samples = np.ndarray | float  # [n], or the one of a share
Taken = Mapping[str, Samples]  # by player, or pair of players
KICK = "kick"  # of the drums


class Measure(NamedTuple):
    """One of the sixteen measures.

    Attributes:
        title: For tables.
        unit: Of the samples.
        resolution: In that unit, a difference that nobody hears: no yardstick is finer.
        take: Gives the samples by player, or pair of players.
    """

    title: str
    unit: str
    resolution: float
    take: Callable[[Playing], Taken]


def _each(function: Callable, *tracks: int) -> Callable[[Playing], Taken]:
    """Take a measure of each of some players: by name of the player."""
    return lambda playing: {TRACK_NAMES[track]: function(playing, track) for track in tracks}


def _pairs(function: Callable, *pairs: tuple[int, int]) -> Callable[[Playing], Taken]:
    """Take a measure of pairs of players: by both names."""
    return lambda playing: {
        f"{TRACK_NAMES[a]}-{TRACK_NAMES[b]}": function(playing, a, b) for a, b in pairs
    }


def _interlock(playing: Playing) -> Taken:
    return {
        f"{TRACK_NAMES[BASS]}-{KICK}": rhythm.interlock(
            playing.notes[BASS], rhythm.kick(playing.notes[DRUMS])
        ),
        f"{TRACK_NAMES[GUITAR]}-{TRACK_NAMES[STRINGS]}": rhythm.interlock(
            playing.notes[GUITAR], playing.notes[STRINGS]
        ),
    }


PITCHED = (BASS, GUITAR, STRINGS)
MEASURES = {
    "lengths": Measure("note lengths", "log2 beats", 0.05, _each(of_notes.lengths, *PITCHED)),
    "gaps": Measure(
        "gaps between onsets", "log2 beats", 0.05, _each(of_notes.onset_gaps, *ACCOMPANIMENT)
    ),
    "polyphony": Measure("polyphony", "notes", 0.05, _each(of_notes.polyphony, *ACCOMPANIMENT)),
    "register": Measure("register", "semitones", 0.25, _each(of_notes.register, *PITCHED)),
    "leaps": Measure("leaps of the top voice", "semitones", 0.25, _each(of_notes.leaps, *PITCHED)),
    "blips": Measure("isolated short notes", "per 100", 0.25, _each(of_notes.blips, *PITCHED)),
    "repetition": Measure(
        "rhythm of the bar before", "share", 0.01, _each(rhythm.repetition, *ACCOMPANIMENT)
    ),
    "variety": Measure(
        "distinct rhythms a bar", "share", 0.01, _each(rhythm.variety, *ACCOMPANIMENT)
    ),
    "silence": Measure("silent bars", "share", 0.01, _each(rhythm.silence, *ACCOMPANIMENT)),
    "rests": Measure(
        "silent for eight bars and more", "share", 0.01, _each(rhythm.long_rests, *ACCOMPANIMENT)
    ),
    "interlock": Measure("onsets together", "F1", 0.02, _interlock),
    "fills": Measure(
        "fills at phrase ends", "share", 0.01, lambda playing: {"drums": rhythm.fills(playing)}
    ),
    "clashes": Measure(
        "semitones on strong beats",
        "share",
        0.01,
        _pairs(together.clashes, (BASS, GUITAR), (BASS, STRINGS), (GUITAR, STRINGS)),
    ),
    "melody clashes": Measure(
        "semitones with the melody",
        "share",
        0.01,
        _pairs(together.clashes, (BASS, MELODY), (GUITAR, MELODY), (STRINGS, MELODY)),
    ),
    "room": Measure(
        "above the melody or a third below",
        "share",
        0.01,
        _each(together.in_the_way, GUITAR, STRINGS),
    ),
    "chord tones": Measure(
        "bass on chord tones at changes",
        "share",
        0.01,
        lambda playing: {"bass": together.bass_on_chords(playing)},
    ),
}


def measure_of(row: str) -> Measure:
    """Return the measure of a row, "measure / player"."""
    return MEASURES[row.partition(" / ")[0]]


def profile(playing: Playing, lineup: Collection[str]) -> dict[str, np.ndarray]:
    """Take all measures of a band.

    Args:
        playing: The band.
        lineup: Names of the players that take part; of the others nothing is measured.

    Returns:
        Samples by row, "measure / player" or "measure / player-player"; rows without samples are
        left out.
    """
    found = {
        f"{name} / {who}": np.asarray(samples, float).reshape(-1)
        for name, measure in MEASURES.items()
        for who, samples in measure.take(playing).items()
        if set(who.split("-")) - {KICK} <= set(lineup)
    }
    found = {row: samples[np.isfinite(samples)] for row, samples in found.items()}
    return {row: samples for row, samples in found.items() if len(samples)}
