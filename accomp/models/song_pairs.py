"""What the song network knows of two blocks of a song, and attention that heeds it.

Letters: N songs, T blocks of the longest one, Q blocks that ask, M blocks that are asked, Z melody
latent size, K latent size of an instrument, F numbers of a pair, W width, A heads.
Sources: attention that hears relative places: Shaw et al. 2018; of what is alike elsewhere in the
piece: Huang et al. 2019, "Music Transformer".
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Two latents count as alike by exp(-d^2 / width), d^2 as a share of the mean of two blocks of real
# playing: whether they are nearly the same, and whether they are of a kind.
WIDTHS = (0.05, 0.5)
STRANGERS = 2.0  # added to d^2 where one of two blocks is silent or unknown
AROUND = (-1, 0, 1, 2)  # two blocks lie in alike phrases where these blocks around them are alike
CYCLES = (2, 4, 8)  # blocks after which playing often returns
MELODY_PAIR = len(WIDTHS) + 1 + 2 + len(CYCLES)  # numbers of `melody_pairs`
FARTHEST = 16  # blocks; those farther apart count as one distance


def alike(first: Tensor, second: Tensor, spread: Tensor) -> Tensor:
    """Compare latents of blocks.

    Args:
        first: [N, Q, K + 1] latents and flags; a flag over 0 says that the block sounds.
        second: [N, M, K + 1] likewise.
        spread: Mean squared distance of two latents of real playing.

    Returns:
        [N, Q, M, len(WIDTHS)] from 0 to 1. Two silent blocks, which are zeros, are alike.
    """
    # Of one block that asks, by differences: in a song of few blocks that is faster.
    mode = "use_mm_for_euclid_dist" if first.shape[1] > 1 else "donot_use_mm_for_euclid_dist"
    distance = torch.cdist(first[..., :-1], second[..., :-1], compute_mode=mode).square() / spread
    return _likeness(distance, first[..., -1][:, :, None], second[..., -1][:, None])


def alike_each(first: Tensor, second: Tensor, spread: Tensor) -> Tensor:
    """Compare latents of blocks one by one.

    Args:
        first: [N, Q, K + 1] latents and flags.
        second: [N, Q, K + 1] likewise.
        spread: As of `alike`.

    Returns:
        [N, Q, len(WIDTHS)] from 0 to 1.
    """
    distance = (first[..., :-1] - second[..., :-1]).square().sum(-1) / spread
    return _likeness(distance, first[..., -1], second[..., -1])


def _likeness(distance: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Return how alike blocks of some distance and these flags are, [..., len(WIDTHS)]."""
    strange = (one != other) | (one < 0)
    distance = distance + STRANGERS * strange
    return torch.exp(distance[..., None] * distance.new_tensor([-1 / width for width in WIDTHS]))


def melody_pairs(melody: Tensor, plan: Tensor, spread: Tensor) -> Tensor:
    """Compare the melody, the chords and the places of all pairs of blocks.

    Args:
        melody: [N, T, Z + 1] latents and flags.
        plan: [N, T, H] chords.
        spread: Mean squared distance of two melody latents.

    Returns:
        [N, T, T, MELODY_PAIR].
    """
    count = melody.shape[1]
    similar = alike(melody, melody, spread)
    same_chords = (plan[:, :, None] == plan[:, None]).to(melody.dtype).mean(-1)
    at = torch.arange(count, device=melody.device)
    lag = at[:, None] - at
    cycles = torch.stack([lag % cycle == 0 for cycle in CYCLES], dim=-1).to(melody.dtype)
    return torch.cat(
        [
            similar,
            _along(similar[..., -1])[..., None],
            same_chords[..., None],
            _along(same_chords)[..., None],
            cycles.expand(len(melody), -1, -1, -1),
        ],
        dim=-1,
    )


def _along(pairs: Tensor) -> Tensor:
    """Return the mean of [N, T, T] along the diagonals, over the blocks AROUND each pair."""
    count = pairs.shape[1]
    before, after = -AROUND[0], AROUND[-1]
    wide = F.pad(pairs, (before, after, before, after))
    moved = [
        wide[:, before + by : before + by + count, before + by : before + by + count]
        for by in AROUND
    ]
    return torch.stack(moved).mean(0)


def lags(asking: Tensor, asked: Tensor) -> Tensor:
    """Return by how many blocks the ones that ask [Q] are later than those asked [M].

    Returns:
        [Q, M] int from 0 on.
    """
    return (asking[:, None] - asked).clamp(-FARTHEST, FARTHEST) + FARTHEST


class PairBias(nn.Module):
    """What is added to the logits of attention for each pair of blocks."""

    def __init__(self, size: int, heads: int, hidden: int = 16):
        """Make an untrained one.

        size: F; heads: A.
        """
        super().__init__()
        self.lags = nn.Embedding(2 * FARTHEST + 1, heads)
        nn.init.zeros_(self.lags.weight)
        self.network = nn.Sequential(nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, heads))

    def forward(self, pairs: Tensor, lag: Tensor) -> Tensor:
        """Return biases [N, A, Q, M].

        pairs: [N, Q, M, F]; lag: [Q, M] int, of `lags`.
        """
        return (self.network(pairs) + self.lags(lag)).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """A layer in which blocks ask other blocks, and then think."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.norm, self.thought_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.answer = nn.Linear(width, width), nn.Linear(width, width)
        self.told = nn.Linear(width, 2 * width)
        self.nothing = nn.Parameter(torch.zeros(2, heads, 1, width // heads))  # may be heard too
        self.thought = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def tell(self, memory: Tensor, begins: bool = True) -> tuple[Tensor, Tensor]:
        """Return keys and values of blocks [N, M, W].

        Returns:
            [N, A, M, W / A] each, or of 1 + M where they begin the song: the first is nothing.
        """
        keys, values = (self._by_head(each) for each in self.told(memory).chunk(2, dim=-1))
        if begins:
            none = self.nothing[:, None].expand(-1, len(memory), -1, -1, -1)
            keys, values = torch.cat([none[0], keys], dim=2), torch.cat([none[1], values], dim=2)
        return keys, values

    def forward(self, x: Tensor, told: tuple[Tensor, Tensor], bias: Tensor) -> Tensor:
        """Return what blocks [N, Q, W] know after asking.

        Args:
            x: [N, Q, W].
            told: Of `tell`, from the song's beginning on.
            bias: [N, A, Q, M]; NEVER where a block may not be asked.
        """
        query = self._by_head(self.query(self.norm(x)))
        keys, values = told
        logits = query @ keys.mT / query.shape[-1] ** 0.5 + F.pad(bias, (1, 0))
        heard = (logits.softmax(-1) @ values).transpose(1, 2).flatten(2)
        x = x + self.dropout(self.answer(heard))
        return x + self.dropout(self.thought(self.thought_norm(x)))

    def _by_head(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
