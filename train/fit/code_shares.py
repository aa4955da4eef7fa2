"""Which codes stand for what real players play, such that each code stands for as much.

In many dimensions a few points are the nearest neighbours of most others (Radovanovic et al. 2010,
"Hubs in Space"): here plain patterns near the mean, and a network that learns to choose the nearest
codes plays hardly anything else. The codes are drawn from real playing by chance, so each of them
has to stand for the same share of it. Then what is chosen is as busy and as varied as what is real.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from accomp.models.song_harmony import SongHarmonyNN


@dataclass(frozen=True)
class ShareSettings:
    """How the shares are found."""

    codes: int = 8  # at most so many stand for a block
    examples: int = 12_000  # blocks by which the codes are balanced, at most
    rounds: int = 25
    step: float = 0.5  # of the way to balance in a round
    least: float = 0.01  # of the mean share: a code with less counts as one with so much


def balance(
    network: SongHarmonyNN,
    latents: Tensor,
    meters: Tensor | None,
    settings: ShareSettings = ShareSettings(),
) -> Tensor:
    """Return what has to be added to each code's logits so that all codes are used alike, [C].

    It is found as by Sinkhorn's algorithm (Cuturi 2013), one side of which is softmax.

    Args:
        network: Its codes.
        latents: [n, K] of what is played.
        meters: [n] int; None where they are of no matter.
        settings: How.
    """
    apart = network.logits_of_codes(latents[: settings.examples], _first(meters, settings.examples))
    used = torch.isfinite(apart).any(0)
    liking = torch.zeros(apart.shape[1])
    for _ in range(settings.rounds):
        share = (apart + liking).softmax(1).mean(0) * int(used.sum())
        liking -= settings.step * share.clamp(min=settings.least).log()
    return liking.where(used, torch.zeros(()))


def code_shares(
    network: SongHarmonyNN,
    latents: Tensor,
    meters: Tensor | None,
    liking: Tensor,
    settings: ShareSettings = ShareSettings(),
) -> tuple[Tensor, Tensor]:
    """Return the codes that stand for what is played, and how much each does.

    Args:
        network: Its codes.
        latents: [n, K].
        meters: [n] int; None where they are of no matter.
        liking: [C] of `balance`.
        settings: How many.

    Returns:
        [n, codes] int, and [n, codes] of sum 1.
    """
    found = []
    for at in range(0, len(latents), 1024):
        part = slice(at, at + 1024)
        logits = network.logits_of_codes(latents[part], meters if meters is None else meters[part])
        found.append((logits + liking).topk(min(settings.codes, logits.shape[1])))
    shares = torch.cat([each.values for each in found]).softmax(1)
    return torch.cat([each.indices for each in found]), shares


def _first(meters: Tensor | None, count: int) -> Tensor | None:
    return meters if meters is None else meters[:count]
