"""The Conditional-HarmonyNN: from melody latents to an instrument's next latent.

Letters: N sequences of a batch, Z melody latent size, K latent size of the instrument, C entries of
the codebook, H half bars of a block (4).
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Models
training" and "Music Generation": (z[t-1], z[t], z[t+1], w[t-1]) to w[t], with special networks for
the first step (the melody of the first step and the next two) and the last (of the last step and
the two before).
New here: the networks also take what the earlier instruments of the same step play, the chords and
the place in the song; and there may be a codebook (accomp.models.harmony_network).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.models.harmony_network import (
    MELODY_STEPS,
    NEVER,
    POSITION,
    STEPS,
    HarmonyConfig,
    HarmonyNetwork,
    Sampling,
    SongLatents,
    draw,
    forget,
    generated_before,
    position,
)
from accomp.roll.chord_plan import CHORD_COUNT
from accomp.roll.grid import BLOCK_HALF_BARS


@dataclass
class Context:
    """The inputs of a HarmonyNN for one step of N sequences.

    A latent comes with a flag: 1; 0 for a silent block, whose latent is zeros; UNKNOWN for a
    previous block that the network is not to know.

    Attributes:
        melody: [N, 3, Z].
        previous: [N, K + 1] the instrument's latent one block before and its flag.
        earlier: [N, E] latents and flags of the instruments before it in this block.
        plan: [N, 2, H] chords of this block and the next.
        position: [N, 8], of `position`.
        genre: [N] int.
    """

    melody: Tensor
    previous: Tensor
    earlier: Tensor
    plan: Tensor
    position: Tensor
    genre: Tensor

    def __getitem__(self, index: int | slice | Tensor) -> "Context":
        return Context(*(value[index] for value in vars(self).values()))


def harmony_context(step: str, track: int, block: Tensor, songs: SongLatents) -> Context:
    """Return the inputs of an instrument's network.

    Args:
        step: Of STEPS.
        track: Index in TRACKS.
        block: [N] int, the next block of each song.
        songs: N songs.
    """
    first, blocks, plan = songs.first, songs.blocks, songs.plan

    def at(rows: Tensor, offset: int) -> Tensor:
        """Pick the rows `offset` blocks on; zeros outside of the song."""
        index = block + offset
        inside = (index >= 0) & (index < blocks)
        picked = rows[first + torch.where(inside, index, block)]
        return picked * inside.reshape(-1, *[1] * (rows.dim() - 1)).to(rows.dtype)

    earlier = [songs.tracks[other][first + block] for other in generated_before(track)]
    following = torch.where(
        (block + 1 < blocks)[:, None],
        plan[first + torch.minimum(block + 1, blocks - 1)],
        plan[first + block],
    )
    melody, genre = songs.melody, songs.genre
    return Context(
        melody=torch.stack([at(melody, offset) for offset in MELODY_STEPS[step]], dim=1),
        previous=at(songs.tracks[track], -1),
        earlier=torch.cat(earlier, dim=1) if earlier else melody.new_zeros(len(block), 0),
        plan=torch.stack([plan[first + block], following], dim=1),
        position=position(block, blocks).to(melody.dtype),
        genre=torch.full_like(block, genre) if isinstance(genre, int) else genre,
    )


class HarmonyNN(HarmonyNetwork):
    """First, middle and last network of one instrument, which hear one block back."""

    def __init__(
        self, config: HarmonyConfig, melody_latent: int, latent: int, earlier_latents: list[int]
    ):
        """Make untrained networks.

        Args:
            config: What they are made of.
            melody_latent: Z.
            latent: K.
            earlier_latents: Latent sizes of the instruments that are generated before it.
        """
        super().__init__(config, latent)
        melody, previous = 3 * melody_latent, latent + 1
        context = 0
        if config.context:
            context = sum(earlier_latents) + len(earlier_latents)
            context += 2 * BLOCK_HALF_BARS * CHORD_COUNT + POSITION + len(config.genres)
        sizes = {
            "first": melody + context,
            "middle": melody + previous + context,
            "last": melody + previous + context,
        }
        self.inputs = nn.ModuleDict(
            {step: nn.Linear(size, config.width) for step, size in sizes.items()}
        )
        count = 1 if config.shared_trunk else len(STEPS)
        self.trunks = nn.ModuleList(_Trunk(config) for _ in range(count))
        outputs = latent + 2 if config.head == "codebook" else latent
        self.heads = nn.ModuleDict({step: nn.Linear(config.width, outputs) for step in STEPS})
        if config.head == "codebook":
            self.log_scale = nn.Parameter(torch.tensor(0.0))
            self._add_codebook()

    def forward(self, step: str, context: Context) -> Tensor:
        """Return logits of the choices, or with the regression head the latent.

        Args:
            step: Of STEPS.
            context: Inputs of N sequences.

        Returns:
            [N, C + 2] logits of the codes, of silence and of staying on the previous latent; with
            the regression head [N, K].
        """
        parts = [context.melody.flatten(1)]
        if step != "first":
            parts.append(context.previous)
        if self.config.context:
            parts += [
                context.earlier,
                F.one_hot(context.plan, CHORD_COUNT).flatten(1).to(context.melody.dtype),
                context.position,
                F.one_hot(context.genre, len(self.config.genres)),
            ]
        trunk = self.trunks[0 if self.config.shared_trunk else STEPS.index(step)]
        output = self.heads[step](trunk(self.inputs[step](torch.cat(parts, dim=1))))
        if self.is_regression:
            return output
        query, silence, stay = output[:, : self.latent], output[:, -2:-1], output[:, -1:]
        near = (
            -torch.cdist(query[None], self.codes[None])[0].square()
            * self.log_scale.exp()
            / self.temperature
        )
        nothing = context.previous[:, -1:] <= 0  # there is nothing to stay on
        return torch.cat([near + self.log_count, silence, stay.masked_fill(nothing, NEVER)], dim=1)

    def loss(self, step: str, context: Context, target: Tensor) -> Tensor:
        """Return losses against the real next latents.

        Args:
            step: Of STEPS.
            context: Inputs of N sequences.
            target: [N, K + 1] latents and flags.

        Returns:
            [N].
        """
        output = self(step, context)
        real, active = target[:, :-1], target[:, -1]
        if self.is_regression:
            # As published, silence is a latent like any other.
            return (output - real).square().mean(1)
        return -(self._targets(context.previous, real, active) * output.log_softmax(1)).sum(1)

    def _targets(self, previous: Tensor, real: Tensor, active: Tensor) -> Tensor:
        """Return soft targets [N, C + 2]: exp(-d^2 / T) over codes and staying.

        Silence has silence as its target.
        """
        distance = (
            torch.cdist(real[None], self.codes[None])[0].square()
            - self.temperature * self.log_count
        )
        stay = (real - previous[:, :-1]).square().sum(1, keepdim=True)
        stay = stay.masked_fill(previous[:, -1:] <= 0, 1e6)
        near = (-torch.cat([distance, stay], dim=1) / self.temperature).softmax(1)
        silent = (1 - active)[:, None]
        return torch.cat([near[:, :-1] * (1 - silent), silent, near[:, -1:] * (1 - silent)], dim=1)

    def choose(
        self,
        step: str,
        context: Context,
        generator: torch.Generator,
        sampling: Sampling = Sampling(),
    ) -> Tensor:
        """Sample the next latents, or predict them with the regression head.

        Args:
            step: Of STEPS.
            context: Inputs of N sequences.
            generator: Of the CPU.
            sampling: How; of no matter with the regression head.

        Returns:
            [N, K + 1] latents and flags.
        """
        output = self(step, context)
        if self.is_regression:
            return torch.cat([output, torch.ones_like(output[:, -1:])], dim=1)
        self._apply_wishes(output, sampling)
        index = draw(output / sampling.temperature, sampling.top_p, generator)
        candidates = torch.cat([self.codes, torch.zeros_like(self.codes[:1])])
        chosen = candidates[index.clamp(max=len(candidates) - 1)]
        stays = (index == len(candidates))[:, None]
        chosen = torch.where(stays, context.previous[:, :-1], chosen)
        active = (index != len(self.codes)).to(chosen.dtype)[:, None]
        return torch.cat([chosen * active, active], dim=1)

    def player(self, track: int, songs: SongLatents) -> "StepsPlayer":
        """Return what chooses the latents of an instrument for a song, block by block."""
        return StepsPlayer(self, track, songs)


@dataclass
class StepsPlayer:
    """One instrument's way through a song; see `harmony_network.Player`."""

    network: HarmonyNN
    track: int
    songs: SongLatents

    def choose(
        self, step: str, block: int, generator: torch.Generator, sampling: Sampling
    ) -> Tensor:
        """Sample the latent and flag [K + 1] of a block, from the one before."""
        at = torch.tensor([block], device=self.songs.melody.device)
        context = harmony_context(step, self.track, at, self.songs)
        if step == "first":
            context.previous = forget(context.previous, torch.ones_like(at, dtype=torch.bool))
        return self.network.choose(step, context, generator, sampling)[0]


class _Trunk(nn.Module):
    def __init__(self, config: HarmonyConfig):
        super().__init__()
        width = config.width
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, width),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Linear(width, width),
            )
            for _ in range(config.residual_blocks)
        )

    def forward(self, x: Tensor) -> Tensor:
        if not self.blocks:
            return F.relu(x)
        x = self.dropout(F.gelu(x))
        for block in self.blocks:
            x = x + block(x)
        return x
