"""Make a plan's chords as rich as is asked for: the share of them that is more than triads.

A melody of another style has plain triads in any genre. So richer chords are worth more, or less,
until their share is the one that was asked for.
Letters: U units, C classes of chords.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from accomp.roll.chord_vocabulary import ALTERED, CLASS_COUNT, CLASS_TONES, DOMINANTS

BISECTIONS = 12
FOURTH = 5  # semitones
RICH = torch.from_numpy(CLASS_TONES).sum(1).gt(3).float()  # [C] 1 for more than a triad
_QUALITY = torch.arange(CLASS_COUNT) // 12
IS_DOMINANT = torch.isin(_QUALITY, torch.tensor(DOMINANTS))  # [C]
IS_ALTERED = torch.isin(_QUALITY, torch.tensor(ALTERED))  # [C]


@dataclass(frozen=True)
class RichnessSettings:
    """How the share of rich chords is reached.

    Attributes:
        richest: Nats that rich chords are worth more or less at most. Dominants are worth more only
            where they resolve, as two of three do in lead sheets.
        near: The share may differ by so much from what is asked for.
        tries: Plans that are drawn at most.
        unresolved: Nats that altered dominants cost where they do not resolve; four of five do.
    """

    richest: float = 6.0
    near: float = 0.05
    tries: int = 4
    unresolved: float = 3.0


def as_rich_as(
    share: float,
    drawn: Callable[[Tensor], Tensor],
    logs: Tensor,
    triads: Tensor,
    settings: RichnessSettings = RichnessSettings(),
) -> Tensor:
    """Return the chords [U] of which nearest to `share` are more than triads.

    Args:
        share: 0 to 1; NaN where nothing is asked for.
        drawn: Draws chords [U], given how many nats each class is worth more, [U, C].
        logs: [1, U, C] log probabilities of the chords within their triads.
        triads: [U].
        settings: How.
    """
    resolves = _resolving(triads)[:, None]
    rich = RICH * (resolves | ~IS_DOMINANT)  # [U, C] what may be worth more
    astray = settings.unresolved * (IS_ALTERED & ~resolves)
    odds = (logs.exp() * rich).sum(-1).logit(eps=1e-6)
    low, high, richer = -settings.richest, settings.richest, 0.0
    found: list[tuple[float, Tensor]] = []
    for _ in range(settings.tries):
        chords = drawn(richer * rich - astray)
        missing = share - float(RICH[chords].mean())
        found.append((abs(missing), chords))
        if not abs(missing) > settings.near:  # nor where nothing is asked for
            break
        if not richer and missing < 0:  # all that is rich is worth less
            rich, odds = RICH, (logs.exp() @ RICH).logit(eps=1e-6)
        low, high = (richer, high) if missing > 0 else (low, richer)
        wanted = float((odds + richer).sigmoid().mean()) + missing
        richer = _worth_for(wanted, odds, low, high)
    return min(found, key=lambda each: each[0])[1]


def _resolving(triads: Tensor) -> Tensor:
    """Tell where dominants resolve, [U] bool: what follows triads [U] has its root a fourth up."""
    following = triads.clone()
    for unit in range(len(triads) - 2, -1, -1):
        held = triads[unit] == triads[unit + 1]
        following[unit] = following[unit + 1] if held else triads[unit + 1]
    return (following - triads) % 12 == FOURTH


def _worth_for(share: float, odds: Tensor, low: float, high: float) -> float:
    """Return what must be added to log odds so that their mean probability is `share`.

    It is between `low` and `high`, and the middle of these where no such number is.
    """
    least, most = low, high
    for _ in range(BISECTIONS):
        middle = (least + most) / 2
        if float((odds + middle).sigmoid().mean()) < share:
            least = middle
        else:
            most = middle
    return (low + high) / 2 if least == low or most == high else middle
