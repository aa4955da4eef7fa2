"""What a HarmonyNN that attends over the song hears and keeps: songs, memories, rows of blocks.

The letters are those of accomp.models.song_harmony.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from accomp.models.harmony_network import UNKNOWN, SongLatents, generated_before


@dataclass
class Song:
    """What the network hears of N songs, padded to the length of the longest.

    Attributes:
        melody: [N, T, Z + 1] latents and flags.
        plan: [N, T, H] chords.
        blocks: [N] int, how many blocks each song has.
        genre: [N] int.
        earlier: Of each instrument before it, [N, T, K + 1].
        own: [N, T, K + 1] what the instrument itself played; the network hears only the past.
        meters: [N, T] int, of accomp.roll.grid; None where they are of no matter.
    """

    melody: Tensor
    plan: Tensor
    blocks: Tensor
    genre: Tensor
    earlier: list[Tensor]
    own: Tensor
    meters: Tensor | None = None


@dataclass
class Real:
    """What real players played, as the network may say it.

    Attributes:
        rows: [N, T, K + 1] latents and flags.
        codes: [N, T, n] int, the codes that may stand for it.
        shares: [N, T, n] how much each of them does, of sum 1.
        again: [N, T, T] d^2 / T of what was played in each block; FAR where that is no repeat.
        rhythms: Of its own and of each earlier instrument's [N, T, RHYTHM].
    """

    rows: Tensor
    codes: Tensor
    shares: Tensor
    again: Tensor
    rhythms: list[Tensor]


@dataclass
class Memory:
    """What the network keeps of blocks that were played.

    Attributes:
        told: Of each layer, keys and values.
        pointers: [N, M, W] keys of the blocks that may be taken up.
        own: [N, M, K + 1] what the instrument played, as far as the network is to know.
        rhythms: [N, M, RHYTHM] of that; zeros where nothing is known.
    """

    told: list[tuple[Tensor, Tensor]]
    pointers: Tensor
    own: Tensor
    rhythms: Tensor

    def followed_by(self, later: "Memory") -> "Memory":
        """Return the memory of these blocks and those after them."""
        told = [
            (torch.cat([k, more_k], dim=2), torch.cat([v, more_v], dim=2))
            for (k, v), (more_k, more_v) in zip(self.told, later.told)
        ]
        others = (
            torch.cat(each, dim=1)
            for each in (
                (self.pointers, later.pointers),
                (self.own, later.own),
                (self.rhythms, later.rhythms),
            )
        )
        return Memory(told, *others)


@dataclass
class Heard:
    """What the network made of the melody, the plan and the codebook, once for all blocks.

    Attributes:
        blocks: [N, T, W] of the encoder.
        windows: Of each step [N, T, W], the melody that its network takes as published.
        pairs: [N, T, T, MELODY_PAIR].
        factors: Of each of the network's `spreads` [K + 1], by which latents and flags are scaled
            to numbers of about 1.
        keys: [C, W + RHYTHM] of the codes.
        liking: [C] of the codes, whatever the song.
        lags: [T, T] int, of `song_pairs.lags`.
        future: [T, T] bool, whether a block is not earlier than the one that asks.
    """

    blocks: Tensor
    windows: list[Tensor]
    pairs: Tensor
    factors: list[Tensor]
    keys: Tensor
    liking: Tensor
    lags: Tensor
    future: Tensor


def unit_rhythm(rhythm: Tensor) -> Tensor:
    """Scale both halves of rhythms [..., RHYTHM] to a length of 1."""
    halves = rhythm.unflatten(-1, (2, -1))
    return (halves / halves.norm(dim=-1, keepdim=True).clamp(min=0.1)).flatten(-2)


def song_of(track: int, songs: SongLatents) -> Song:
    """Return what an instrument's network hears of one song; its rows are filled in on the way."""
    genre = songs.genre
    if isinstance(genre, int):
        genre = torch.full_like(songs.blocks, genre)
    return Song(
        melody=with_flags(songs.melody)[None],
        plan=songs.plan[None],
        blocks=songs.blocks,
        genre=genre,
        earlier=[songs.tracks[other][None] for other in generated_before(track)],
        own=songs.tracks[track][None],
    )


def with_flags(latents: Tensor) -> Tensor:
    """Add flags to latents [..., K] that are zeros where nothing sounds."""
    return torch.cat([latents, latents.any(-1, keepdim=True).to(latents.dtype)], dim=-1)


def unknown(rows: Tensor) -> Tensor:
    """Return rows [..., K + 1] of which the network is to know nothing."""
    result = torch.zeros_like(rows)
    result[..., -1] = UNKNOWN
    return result


def rows_moved(rows: Tensor, by: int) -> Tensor:
    """Return rows [N, T, K + 1] `by` blocks later; what lies outside of the song is unknown."""
    count = rows.shape[1]
    outside = unknown(rows[:, : min(abs(by), count)])
    if by >= 0:
        return torch.cat([outside, rows[:, : max(count - by, 0)]], dim=1)
    return torch.cat([rows[:, -by:], outside], dim=1)


def rows_before(rows: Tensor, at: slice, by: int, known: bool = False) -> Tensor:
    """Return the rows [N, Q, K + 1] `by` blocks before those `at`.

    Before the song they are unknown, or zeros if that is `known`.
    """
    missing = min(max(by - at.start, 0), at.stop - at.start)
    picked = rows[:, max(at.start - by, 0) : max(at.stop - by, 0)]
    if not missing:
        return picked
    outside = rows.new_zeros(len(rows), missing, rows.shape[-1])
    if not known:
        outside[..., -1] = UNKNOWN
    return torch.cat([outside, picked], dim=1)


def by_step(steps: Tensor, of_step: Callable[[int], Tensor]) -> Tensor:
    """Put together what each step's own layer makes of the blocks that it is for.

    steps: [N, Q] int; of_step: returns [N, Q, numbers] for all blocks, by index in STEPS.
    """
    first = int(steps[0, 0])
    result = of_step(first)
    if steps.numel() == 1 or bool((steps == first).all()):
        return result
    for index in steps.unique().tolist():
        result = torch.where((steps == index)[..., None], of_step(index), result)
    return result
