"""Choose a chord for each place of a song: what is worth most there, and how chords change.

Letters: U places, T chords, S states of a chord that sounds.
"""

from dataclasses import dataclass

import numpy as np

# The states of a chord: it began at the bar line or within the bar, and no bar line has come yet;
# or it was held over so many bar lines, LONG - 1 standing for more, too.
AT_LINE, WITHIN, OVER_ONE = 0, 1, 2
LONG = 4  # bars from which a chord counts as standing still
STATES = OVER_ONE + LONG - 1


@dataclass(frozen=True)
class PathSettings:
    """What changes of chord are worth, in expected agreement.

    All were chosen on every second song of the bench and on lead sheets for validation.
    """

    # The chord that is most expected in each place changes too seldom. At a bar line, within a bar,
    # and within a bar on a place of one beat: waltzes seldom change on their third.
    change: tuple[float, float, float] = (0.18, 0.0, -0.04)
    held_over: float = 0.3  # that a change within a bar costs that is held over the bar line
    standing: float = 0.08  # that each bar costs in which a chord stands, from the LONGth on


def changing_path(
    worth: np.ndarray,
    begins: np.ndarray,
    brief: np.ndarray,
    settings: PathSettings = PathSettings(),
) -> np.ndarray:
    """Find the chords that are worth most, with what their changes are worth.

    The search is exact (Viterbi over chords and for how long they have been held).

    Args:
        worth: [U, T] of each chord; -inf where another is given.
        begins: [U] bool, whether a bar begins.
        brief: [U] bool, whether a place is but one beat long.
        settings: What changes are worth.

    Returns:
        [U] chords.
    """
    score = np.full((worth.shape[1], STATES), -np.inf)
    score[:, AT_LINE] = worth[0]
    held_from, costs = _holding(settings)
    values = np.choose(np.where(begins, 0, 1 + brief), settings.change)
    back = []
    for place, starts_bar, change in zip(worth[1:], begins[1:].astype(bool), values[1:]):
        if starts_bar:
            new, state = _held_over_line(score, held_from, costs)
        else:
            new, state = score.copy(), np.tile(np.arange(STATES), (len(score), 1))
        chord = np.tile(np.arange(len(score))[:, None], (1, STATES))
        begun = AT_LINE if starts_bar else WITHIN
        before, before_state, value = _changed(score)
        # Within a bar, a chord that began there may be held on instead.
        better = value + change > new[:, begun]
        new[better, begun] = value[better] + change
        chord[better, begun], state[better, begun] = before[better], before_state[better]
        back.append((chord, state))
        score = new + place[:, None]
    chord, state = np.unravel_index(int(score.argmax()), score.shape)
    path = [int(chord)]
    for chords, states in reversed(back):
        chord, state = chords[chord, state], states[chord, state]
        path.append(int(chord))
    return np.array(path[::-1])


def _holding(settings: PathSettings) -> tuple[list[list[int]], np.ndarray]:
    """Return from which states a bar line leads to each state, and what that costs, [S, S]."""
    leads_from: list[list[int]] = [[] for _ in range(STATES)]
    costs = np.zeros((STATES, STATES))
    for state in range(STATES):
        to = OVER_ONE if state < OVER_ONE else min(state + 1, STATES - 1)
        leads_from[to].append(state)
        costs[state, to] = settings.standing * (to == STATES - 1)
    costs[WITHIN, OVER_ONE] = settings.held_over
    return leads_from, costs


def _held_over_line(
    score: np.ndarray, leads_from: list[list[int]], costs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores [T, S] of chords held over a bar line, and their states before."""
    new = np.full_like(score, -np.inf)
    state = np.zeros(score.shape, int)
    for to, states in enumerate(leads_from):
        if states:
            reached = score[:, states] - costs[states, to]
            best = reached.argmax(1)
            new[:, to] = reached[np.arange(len(score)), best]
            state[:, to] = np.array(states)[best]
    return new, state


def _changed(score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each chord the best other one before it, its state, and its score, [T] each."""
    states, values = score.argmax(1), score.max(1)
    first, second = np.argsort(-values, kind="stable")[:2]
    before = np.full(len(score), first)
    before[first] = second
    return before, states[before], values[before]
