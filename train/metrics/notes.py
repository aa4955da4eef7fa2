"""How faithfully notes are given back, and whether they are whole."""

import torch
import torch.nn.functional as F
from torch import Tensor

LONG = 8  # steps: two beats
NEAR = 2  # steps on either side in which an isolated note has silence


class NoteCount:
    """Counts the notes of real blocks and of blocks that give them back.

    Notes that were struck before a block began are not counted.
    """

    def __init__(self):
        self._sums = torch.zeros(8, dtype=torch.float64)

    def add(self, played: Tensor, real: Tensor) -> None:
        """Count the notes of planes [N, 2, 32, P] that are `played`, and of the `real` ones."""
        lengths, wanted = note_lengths(played), note_lengths(real)
        both = (lengths > 0) & (wanted > 0)
        # A length is right within a step or a fifth, whichever is more.
        close = both & ((lengths - wanted).abs() <= (wanted * 0.2).clamp(min=1))
        counts = [(each > 0).sum() for each in (lengths, wanted)]
        long = [(each >= LONG).sum() for each in (lengths, wanted)]
        alone = [
            isolated(each, lengths).sum() for each, lengths in ((played, lengths), (real, wanted))
        ]
        self._sums += torch.stack([both.sum(), close.sum(), *counts, *long, *alone]).cpu()

    def figures(self) -> dict[str, float]:
        """Return what was counted.

        Returns:
            `onset_f1` of notes with the same onset and pitch, and `note_f1` of those whose lengths
            agree too; the share of `long` notes (two beats and more) and the `isolated` short ones
            per 100, and the same of `real_...` notes.
        """
        onsets, notes, played, real, long, real_long, alone, real_alone = self._sums.tolist()
        played, real = max(played, 1), max(real, 1)
        return {
            "onset_f1": 2 * onsets / (played + real),
            "note_f1": 2 * notes / (played + real),
            "long": long / played,
            "real_long": real_long / real,
            "isolated": 100 * alone / played,
            "real_isolated": 100 * real_alone / real,
        }


def note_lengths(planes: Tensor) -> Tensor:
    """Return the length in steps of the note that is struck in each cell; 0 where none is.

    planes: [N, 2, T, P].

    Returns:
        [N, T, P].
    """
    struck, sounding = planes[:, 0] > 0, planes[:, 1] > 0
    goes_on = torch.zeros_like(planes[:, 0, 0], dtype=torch.float32)  # steps from the next one on
    lengths = torch.zeros(struck.shape, device=planes.device)
    for step in range(struck.shape[1] - 1, -1, -1):
        lengths[:, step] = (1 + goes_on) * struck[:, step]
        goes_on = (1 + goes_on) * (sounding[:, step] & ~struck[:, step])
    return lengths


def isolated(planes: Tensor, lengths: Tensor) -> Tensor:
    """Tell which notes last one step and have silence in all pitches around them.

    Args:
        planes: [N, 2, T, P].
        lengths: [N, T, P], as of `note_lengths`.

    Returns:
        [N, T, P] bool.
    """
    voices = F.pad((planes[:, 1] > 0).sum(2), (NEAR, NEAR))
    around = voices.unfold(1, 2 * NEAR + 1, 1).sum(2)
    return (lengths == 1) & (around == 1)[..., None]
