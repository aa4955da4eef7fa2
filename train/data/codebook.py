"""The codebooks of real playing that the HarmonyNNs choose from."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from accomp.models.harmony_nn import HarmonyNN
from accomp.roll.grid import BAR_STEPS, BLOCK_HALF_BARS, DRUMS, HALF_BAR_STEPS
from train.fit.settings import Session

CODES_PER_SONG = 24
FILLED = 3  # of a block's four half bars; a pattern that sounds in fewer is an entry or a rest, and no pattern to stay on
FILL_KEYS = [
    37,
    38,
    40,
    41,
    43,
    45,
    47,
    48,
    50,
    60,
    61,
    62,
    63,
    64,
    65,
    66,
]  # snares, toms, hand drums
FEWEST_FILL_STROKES = 2
SHARE_OF_OTHERS = (
    0.25  # of a genre's codebook that may come from other genres, where its own songs don't fill it
)


def fill_codebook(
    network: HarmonyNN, track: int, latents: Tensor, session: Session, songs: list[int]
) -> None:
    """Latents of different, well-filled blocks of the given songs, by chance, at most a few a song. Where a genre has too
    few, other training songs lend some; what stays empty is never chosen.
    """
    random = np.random.default_rng(session.options.seed)
    size = network.config.codebook
    own = _different_blocks(track, latents, session, songs, random)[:size]
    if len(own) < size and session.options.genre:
        others = [song for song in session.corpus.choose("train") if song not in set(songs)]
        lent = _different_blocks(track, latents, session, others, random)
        own = np.concatenate([own, lent[: min(size - len(own), int(SHARE_OF_OTHERS * len(own)))]])
    planes = session.corpus.blocks(track, np.sort(own))
    order = np.argsort(np.argsort(own))  # blocks are read in the order in which they lie on disk
    known = {"density": density_of(planes)[order]}
    if track == DRUMS:
        known["fill"] = fill_of(planes)[order]
    else:
        known["variety"] = variety_of(planes)[order]
    network.set_codes(latents[own, :-1], **known)


def density_of(planes: Tensor) -> Tensor:
    """[n]: how busy blocks [n, 2, 32, 128] are: their onsets, as standard deviations of the logarithm from the mean."""
    return _standard(planes[:, 0].flatten(1).sum(1, dtype=torch.float32).clamp(min=1).log())


def variety_of(planes: Tensor) -> Tensor:
    """[n]: how many pitch classes a bar blocks [n, 2, 32, 128] use, as standard deviations from the mean."""
    sounding = planes[:, 1].reshape(len(planes), 2, BAR_STEPS, -1).any(2)
    octaves = F.pad(sounding, (0, -sounding.shape[-1] % 12)).reshape(len(planes), 2, -1, 12)
    return _standard(octaves.any(2).sum((1, 2), dtype=torch.float32))


def _standard(values: Tensor) -> Tensor:
    return ((values - values.mean()) / values.std(correction=0).clamp(min=1e-6)).clamp(-2, 2)


def fill_of(planes: Tensor) -> Tensor:
    """[n], 0 to 1: how much of a fill drum blocks [n, 2, 32, 128] end with: how many more snares and toms are struck in
    the last half bar than in the same half of the bar before, and how few of its strokes are the same.
    """
    bars = planes[:, 0].reshape(len(planes), 2, 2, HALF_BAR_STEPS, -1).float()
    before, last = bars[:, 0, 1], bars[:, 1, 1]
    more = (last[..., FILL_KEYS].sum((1, 2)) - before[..., FILL_KEYS].sum((1, 2))).clamp(min=0)
    common = (last * before).sum((1, 2)) / torch.maximum(last, before).sum((1, 2)).clamp(min=1)
    return (more >= FEWEST_FILL_STROKES) * (more / 8).clamp(max=1) * (1 - common)


def _different_blocks(
    track: int, latents: Tensor, session: Session, songs: list[int], random: np.random.Generator
) -> np.ndarray:
    chosen, seen = [], set()
    for song in songs:
        index = session.corpus.block_index([song])
        sounding = (
            session.corpus.blocks(track, index)[:, 1]
            .reshape(len(index), BLOCK_HALF_BARS, -1)
            .any(2)
            .sum(1)
            .numpy()
        )
        index = random.permutation(index[sounding >= FILLED])
        count = 0
        for block in index:
            key = latents[block].mul(8).round().numpy().tobytes()
            if key not in seen and count < CODES_PER_SONG:
                seen.add(key)
                chosen.append(block)
                count += 1
    return random.permutation(np.array(chosen, int))
