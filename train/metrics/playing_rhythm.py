"""Measures of players' rhythms: repetition, rests, onsets together and fills."""

import numpy as np

from accomp.music.percussion import keys_of
from accomp.roll.grid import BAR_STEPS, DRUMS
from train.metrics.playing_notes import Playing
from train.metrics.spans import mean, ratio

STRETCH = 16  # bars within which rhythms are told apart: longer songs have no fewer of them
FEWEST = 8  # bars of a stretch in which something is struck, else its rhythms say little
LONG_REST = 8  # bars
RESTED = 32  # bars of a stretch that has a long rest or has not, as songs differ in length
PHRASE = 4  # bars
FILLED = 2  # strikes more than in the other bars of a phrase, in the second half of its last bar
KICK = keys_of("kick")
FILLING = keys_of("snare", "tom")


def patterns(notes: np.ndarray, bars: int) -> np.ndarray:
    """Return at which steps of its bars a part strikes, [bars, 16] bool."""
    struck = np.zeros(bars * BAR_STEPS, bool)
    struck[notes[:, 1]] = True
    return struck.reshape(bars, BAR_STEPS)


def repetition(playing: Playing, track: int) -> float:
    """Measure the share of bars with the very rhythm of the bar before.

    The rhythm is the steps on which the part strikes. Only bars count in which it does, as in the
    bar before.
    """
    struck = patterns(playing.notes[track], playing.bars)
    both = struck[1:].any(1) & struck[:-1].any(1)
    return mean((struck[1:] == struck[:-1]).all(1)[both])


def variety(playing: Playing, track: int) -> float:
    """Measure distinct rhythms by bars: 1 where no bar's rhythm returns.

    Of each stretch of 16 bars (the last one ends with the song), distinct rhythms by bars in which
    the part strikes; the mean over stretches with eight such bars.
    """
    struck = patterns(playing.notes[track], playing.bars)
    found = []
    for part in stretches(struck, STRETCH):
        own = part[part.any(1)]
        if len(own) >= FEWEST:
            found.append(len(np.unique(own, axis=0)) / len(own))
    return mean(found)


def stretches(bars: np.ndarray, length: int) -> list[np.ndarray]:
    """Cut bars [B, ...] into stretches side by side; the last one ends with the song."""
    last = max(0, len(bars) - length)
    starts = sorted({*range(0, last + 1, length), last})
    return [bars[at : at + length] for at in starts]


def silence(playing: Playing, track: int) -> float:
    """Measure the share of bars in which nothing of the part sounds, neither struck nor held."""
    return mean(silent(playing, track))


def silent(playing: Playing, track: int) -> np.ndarray:
    """Tell in which bars nothing of a part sounds, [bars] bool."""
    return np.logical_not(playing.sounding(track).reshape(playing.bars, -1).any(axis=1))


def long_rests(playing: Playing, track: int) -> float:
    """Measure the share of stretches of 32 bars that have eight silent bars in a row.

    The last stretch ends with the song; a shorter song is one stretch.
    """
    rest = silent(playing, track)
    return mean([_longest_run(part) >= LONG_REST for part in stretches(rest, RESTED)])


def _longest_run(on: np.ndarray) -> int:
    longest = run = 0
    for value in on:
        run = run + 1 if value else 0
        longest = max(longest, run)
    return longest


def kick(drums: np.ndarray) -> np.ndarray:
    """Return the notes of the bass drum."""
    return drums[np.isin(drums[:, 0], KICK)]


def interlock(one: np.ndarray, other: np.ndarray) -> float:
    """Measure how often two players strike together, 0 to 1.

    F1 of their onsets, 2 common / (own + other's), in the bars in which both strike.
    """
    bars = max(
        (int(notes[:, 1].max()) // BAR_STEPS + 1 if len(notes) else 0) for notes in (one, other)
    )
    a, b = patterns(one, bars), patterns(other, bars)
    both = a.any(1) & b.any(1)
    return ratio(2 * (a & b)[both].sum(), a[both].sum() + b[both].sum())


def fills(playing: Playing) -> float:
    """Measure the share of phrases of four bars that end with a drum fill.

    In the second half of such a phrase's last bar there are two strikes of snare and toms more than
    in that of its other bars, in the mean. Only phrases with drums in all bars count.
    """
    drums = playing.notes[DRUMS]
    count = np.zeros((playing.bars, BAR_STEPS))
    every = np.zeros(playing.bars, bool)
    filling = drums[np.isin(drums[:, 0], FILLING)]
    np.add.at(count, (filling[:, 1] // BAR_STEPS, filling[:, 1] % BAR_STEPS), 1)
    every[drums[:, 1] // BAR_STEPS] = True
    phrases = playing.bars // PHRASE
    late = count[: phrases * PHRASE, BAR_STEPS // 2 :].sum(1).reshape(phrases, PHRASE)
    played = every[: phrases * PHRASE].reshape(phrases, PHRASE).all(1)
    return mean((late[:, -1] >= late[:, :-1].mean(1) + FILLED)[played])
