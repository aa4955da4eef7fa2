"""Define the layer of train.rivals.transformer: attention by content and by distance."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Layer(nn.Module):
    """A decoder layer with the relative attention of Dai et al. 2019, section 3.3.

    It is normalised before, not after, which trains without a long warm-up.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.position = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.content_bias = nn.Parameter(torch.zeros(heads, 1, width // heads))
        self.position_bias = nn.Parameter(torch.zeros(heads, 1, width // heads))
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def split(self, x: Tensor) -> Tensor:
        """Return [..., heads, N, width / heads] of [..., N, width]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)

    def keys_values(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values [B, heads, N, D] of hidden states [B, N, width]."""
        keys, values = self.key_value(self.norm(hidden)).chunk(2, dim=-1)
        return self.split(keys), self.split(values)

    def forward(
        self, x: Tensor, keys: Tensor, values: Tensor, positions: Tensor, hidden_from: Tensor | None
    ) -> Tensor:
        """Return the next layer's input, [B, T, width].

        Args:
            x: [B, T, width] the last T of the K states to which it attends.
            keys: [B, heads, K, D].
            values: [B, heads, K, D].
            positions: [heads, K, D] for the distances K - 1 to 0.
            hidden_from: [B, 1, T, K] added to the scores: 0 where a key is seen, far below it where
                it must not be. None: all are seen (T is 1).
        """
        query = self.split(self.query(self.norm(x)))
        scale = 1 / math.sqrt(keys.shape[-1])
        scores = (scale * (query + self.content_bias)) @ keys.transpose(-1, -2)
        by_distance = (scale * (query + self.position_bias)) @ positions.transpose(-1, -2)
        scores = scores + shifted(by_distance)
        if hidden_from is not None:
            scores = scores + hidden_from
        seen = scores.softmax(-1).to(values.dtype) @ values
        x = x + self.out(seen.transpose(-2, -3).flatten(-2))
        return x + self.feed(self.norm_out(x))


def shifted(scores: Tensor) -> Tensor:
    """Turn scores of queries with distances into scores with keys, [..., T, K] both.

    The distances are K - 1 to 0. The query in row i, T - 1 - i before the last, has distance
    K - T + i - j to key j (Dai et al. 2019, appendix B). Where a key lies ahead, the value means
    nothing.
    """
    *lead, rows, columns = scores.shape
    if rows == 1:
        return scores
    padded = F.pad(scores, (1, 0)).reshape(*lead, columns + 1, rows)
    return padded[..., 1:, :].reshape(*lead, rows, columns)
