"""Viterbi's paths are compared with the best of all that can be written down."""

from itertools import product

import pytest
import torch

from accomp.models.note_states import HOLD, OFF, ONSET, likeliest_line, likeliest_states

STEPS = 5


def is_whole(states) -> bool:
    """Whether every held step but the first follows a step that sounds."""
    return all(b != HOLD or a != OFF for a, b in zip(states, states[1:]))


def score(states, onset, hold) -> float:
    return sum(float((0.0, onset[t], hold[t])[state]) for t, state in enumerate(states))


def odds(pitches, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 4, STEPS, pitches, generator=generator) * 2


def test_each_pitch_gets_the_likeliest_whole_notes():
    onset, hold = odds(3)
    found = likeliest_states(onset, hold)
    paths = [path for path in product((OFF, ONSET, HOLD), repeat=STEPS) if is_whole(path)]
    for block, pitch in product(range(4), range(3)):
        own = onset[block, :, pitch], hold[block, :, pitch]
        best = max(paths, key=lambda path: score(path, *own))
        assert tuple(found[block, :, pitch].tolist()) == best


def test_a_line_gets_the_likeliest_notes_of_one_pitch_at_a_time():
    onset, hold = odds(2, seed=1)
    found = likeliest_line(onset, hold)
    cells = [(OFF, OFF), (ONSET, OFF), (HOLD, OFF), (OFF, ONSET), (OFF, HOLD)]
    paths = [
        path for path in product(cells, repeat=STEPS) if all(is_whole(own) for own in zip(*path))
    ]
    for block in range(4):

        def total(path, block=block):
            return sum(
                score(o, onset[block, :, p], hold[block, :, p]) for p, o in enumerate(zip(*path))
            )

        assert tuple(map(tuple, found[block].tolist())) == max(paths, key=total)


@pytest.mark.parametrize("find", [likeliest_states, likeliest_line])
def test_doubt_about_one_step_does_not_chop_a_note(find):
    onset, hold = torch.full((1, 8, 1), -4.0), torch.full((1, 8, 1), -4.0)
    onset[0, 2], hold[0, 3:7] = 4.0, 3.0
    hold[0, 5] = -0.5  # as if silent, by itself
    assert find(onset, hold)[0, :, 0].tolist() == [0, 0, 1, 2, 2, 2, 2, 0]


@pytest.mark.parametrize("find", [likeliest_states, likeliest_line])
def test_what_sounds_is_struck_somewhere(find):
    onset, hold = torch.full((1, 8, 1), -1.0), torch.full((1, 8, 1), -4.0)
    hold[0, 3:5] = 2.0  # surely sounding, though no step is likely to be struck
    assert find(onset, hold)[0, :, 0].tolist() == [0, 0, 1, 2, 2, 0, 0, 0]
