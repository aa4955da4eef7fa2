"""The likeliest notes of a piano roll whose every cell is off, an onset or a held note.

Letters: N blocks, T steps, P pitches. Viterbi's algorithm (1967) over the steps, for all pitches of
all blocks at once: a note is held only where it was struck or held a step before, so that what
sounds is made of whole notes and nothing stutters.
"""

import torch
from torch import Tensor

OFF, ONSET, HOLD = range(3)


def likeliest_states(onset: Tensor, hold: Tensor) -> Tensor:
    """Find the likeliest states of each pitch, whatever the other pitches do.

    A first step may be held: the note was struck before it.

    Args:
        onset: [N, T, P] log odds of an onset against silence.
        hold: [N, T, P] log odds of a held note against silence.

    Returns:
        [N, T, P] int64 of OFF, ONSET and HOLD.
    """
    silent, struck, held = torch.zeros_like(onset[:, 0]), onset[:, 0], hold[:, 0]
    before = []  # of each later step, the state before anything else, and before a held note
    for step in range(1, onset.shape[1]):
        sounding, note = torch.maximum(struck, held), _note(struck, held)
        before.append((torch.where(silent >= sounding, OFF, note), note))
        best = torch.maximum(silent, sounding)
        silent, struck, held = best, best + onset[:, step], sounding + hold[:, step]
    state = torch.where(silent >= torch.maximum(struck, held), OFF, _note(struck, held))
    states = [state]
    for anything, note in reversed(before):
        state = torch.where(state == HOLD, note, anything)
        states.append(state)
    return torch.stack(states[::-1], dim=1)


def likeliest_line(onset: Tensor, hold: Tensor) -> Tensor:
    """Find the likeliest states of all pitches of which at most one sounds at a time.

    Args:
        onset: [N, T, P] log odds, as of `likeliest_states`.
        hold: [N, T, P] likewise.

    Returns:
        [N, T, P] int64 of OFF, ONSET and HOLD.
    """
    rest, struck, held = onset.new_zeros(len(onset)), onset[:, 0], hold[:, 0]
    before = []  # of each later step, the pitch before anything else (-1 for a rest), and its note
    for step in range(1, onset.shape[1]):
        sounding, note = torch.maximum(struck, held), _note(struck, held)
        loudest, pitch = sounding.max(1)
        before.append((torch.where(rest >= loudest, -1, pitch), note))
        best = torch.maximum(rest, loudest)
        rest, struck, held = best, best[:, None] + onset[:, step], sounding + hold[:, step]
    loudest, pitch = torch.maximum(struck, held).max(1)
    pitch, note = torch.where(rest >= loudest, -1, pitch)[:, None], _note(struck, held)
    states = torch.zeros(onset.shape, dtype=torch.int64, device=onset.device)
    for step in range(onset.shape[1] - 1, -1, -1):
        found = note.gather(1, pitch.clamp(min=0)).where(pitch >= 0, OFF)
        states[:, step].scatter_(1, pitch.clamp(min=0), found)
        if step:
            earlier, note = before[step - 1]
            pitch = torch.where(found == HOLD, pitch, earlier[:, None])
    return states


def _note(struck: Tensor, held: Tensor) -> Tensor:
    """Return the likelier of ONSET and HOLD."""
    return torch.where(struck >= held, ONSET, HOLD)
