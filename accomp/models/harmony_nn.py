"""The Conditional-HarmonyNN: from the melody's latents and an instrument's previous latent to its next one.

Letters: N sequences of a batch, Z melody latent size, K latent size of the instrument, C entries of the codebook.
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Models training" and
"Music Generation": (z[t-1], z[t], z[t+1], w[t-1]) to w[t], with special networks for the first step (the melody of the
first step and the next two) and the last (of the last step and the two before). New here: what the earlier instruments
of the same step play, the chords and the place in the song are heard too, and instead of one predicted latent there is a
distribution over latents of real playing, to sample from: the mean of many patterns is no pattern.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll import chord_plan as chords
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_HALF_BARS

STEPS = ("first", "middle", "last")
MELODY_STEPS = {
    "first": (0, 1, 2),
    "middle": (-1, 0, 1),
    "last": (-2, -1, 0),
}  # of which blocks each network hears z
POSITION = 8
UNKNOWN = -1.0
NEVER = -1e4  # logit of what can't be chosen


@dataclass
class HarmonyConfig:
    head: str = (
        "codebook"  # or "regression", the paper's: one latent, trained with mean squared error
    )
    width: int = 128
    residual_blocks: int = 2  # 0 is one hidden layer, the paper's
    shared_trunk: bool = (
        True  # first, middle and last have their own input layers and heads on one trunk
    )
    dropout: float = 0.4
    context: bool = True  # hear earlier instruments, chords, position and genre
    codebook: int = 1024  # C
    temperature: float = 0.03  # of the soft targets exp(-d^2 / T): T as a share of the mean squared distance of two codes
    genres: list[str] = field(default_factory=list)

    def __post_init__(self):
        if self.head not in ("codebook", "regression"):
            raise ValueError(f"head {self.head!r} is unknown; available: codebook, regression")


@dataclass
class Context:
    """What a HarmonyNN hears at one step of N sequences. A latent comes with a flag: 1, of a silent block 0 (its latent is
    zeros), of a previous block that the network is not to know UNKNOWN.

    melody: [N, 3, Z]; previous: [N, K + 1] the instrument's latent one block before and its flag; earlier: [N, E] latents
    and flags of the instruments before it in this block; plan: [N, 2, H] chords of this block and the next; position:
    [N, 8]; genre: [N] int.
    """

    melody: Tensor
    previous: Tensor
    earlier: Tensor
    plan: Tensor
    position: Tensor
    genre: Tensor

    def __getitem__(self, index) -> "Context":
        return Context(*(value[index] for value in vars(self).values()))


def position(block: Tensor, blocks: Tensor) -> Tensor:
    """[N, 8] place of block `block` [N] in songs of `blocks` [N] blocks: the phase in phrases of four blocks (eight bars),
    the distance from the start and to the end up to four blocks, how far on in the song, and a constant for bias.
    """
    phase = F.one_hot(block % 4, 4)
    from_start, to_end = block.clamp(max=4) / 4, (blocks - 1 - block).clamp(0, 4) / 4
    return torch.cat(
        [phase, torch.stack([from_start, to_end, block / blocks, torch.ones_like(block)], dim=1)],
        dim=1,
    )


def harmony_context(
    step: str,
    block: Tensor,
    blocks: Tensor,
    melody: Tensor,
    latents: dict[int, Tensor],
    track: int,
    plan: Tensor,
    genre: int,
    first: Tensor | int = 0,
) -> Context:
    """What `track`'s network hears at blocks `block` [N] of songs `blocks` [N] long, out of the songs' latents one after
    another: melody [all, Z], latents by track [all, K + 1], plan [all, H]; `first` [N]: where each song begins in them.
    """

    def at(rows: Tensor, offset: int) -> Tensor:
        """The rows `offset` blocks on; zeros outside of the song."""
        index = block + offset
        inside = (index >= 0) & (index < blocks)
        picked = rows[first + torch.where(inside, index, block)]
        return picked * inside.reshape(-1, *[1] * (rows.dim() - 1)).to(rows.dtype)

    earlier = [latents[other][first + block] for other in generated_before(track)]
    following = torch.where(
        (block + 1 < blocks)[:, None],
        plan[first + torch.minimum(block + 1, blocks - 1)],
        plan[first + block],
    )
    return Context(
        melody=torch.stack([at(melody, offset) for offset in MELODY_STEPS[step]], dim=1),
        previous=at(latents[track], -1),
        earlier=torch.cat(earlier, dim=1) if earlier else melody.new_zeros(len(block), 0),
        plan=torch.stack([plan[first + block], following], dim=1),
        position=position(block, blocks).to(melody.dtype),
        genre=torch.full_like(block, genre) if isinstance(genre, int) else genre,
    )


class HarmonyNN(nn.Module):
    """First, middle and last network of one instrument.

    melody_latent: Z; latent: K; earlier_latents: latent sizes of the instruments that it hears.
    """

    def __init__(
        self, config: HarmonyConfig, melody_latent: int, latent: int, earlier_latents: list[int]
    ):
        super().__init__()
        self.config, self.latent = config, latent
        melody, previous = 3 * melody_latent, latent + 1
        context = 0
        if config.context:
            context = sum(earlier_latents) + len(earlier_latents)
            context += 2 * BLOCK_HALF_BARS * chords.CHORD_COUNT + POSITION + len(config.genres)
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
            self.register_buffer("codes", torch.zeros(config.codebook, latent))
            # A codebook of few different blocks is filled up with entries that are never chosen.
            self.register_buffer("log_count", torch.zeros(config.codebook))
            # Of each code's block: onsets (as standard deviations of their logarithm) and pitch classes a bar (as standard
            # deviations); and for drums how much of a fill its end is.
            self.register_buffer("density", torch.zeros(config.codebook))
            self.register_buffer("variety", torch.zeros(config.codebook))
            self.register_buffer("fill", torch.zeros(config.codebook))
            self.register_buffer("spread", torch.tensor(1.0))  # mean squared distance of two codes

    @property
    def temperature(self) -> Tensor:
        """T of the soft targets, in squared units of the latents."""
        return self.config.temperature * self.spread

    def set_codes(self, codes: Tensor, **known: Tensor) -> None:
        """Fill the codebook with up to C latents [n, K] of real blocks; known: their density and variety and, from 0 to 1,
        how much of a fill they end with, [n] each.
        """
        for name, values in {
            "codes": codes,
            "density": 0.0,
            "variety": 0.0,
            "fill": 0.0,
            **known,
        }.items():
            buffer = getattr(self, name)
            buffer.zero_()
            buffer[: len(codes)] = values
        self.log_count.fill_(NEVER)
        self.log_count[: len(codes)] = 0.0
        self.spread.copy_(torch.pdist(codes[:256]).square().mean() if len(codes) > 1 else 1.0)

    def forward(self, step: str, heard: Context) -> Tensor:
        """[N, C + 2] logits of the codes, of silence and of staying on the previous latent; with the regression head
        [N, K], the latent. step: "first", "middle" or "last".
        """
        parts = [heard.melody.flatten(1)]
        if step != "first":
            parts.append(heard.previous)
        if self.config.context:
            plan = F.one_hot(heard.plan, chords.CHORD_COUNT).flatten(1).to(heard.melody.dtype)
            parts += [
                heard.earlier,
                plan,
                heard.position,
                F.one_hot(heard.genre, len(self.config.genres)),
            ]
        trunk = self.trunks[0 if self.config.shared_trunk else STEPS.index(step)]
        output = self.heads[step](trunk(self.inputs[step](torch.cat(parts, dim=1))))
        if self.config.head == "regression":
            return output
        query, silence, stay = output[:, : self.latent], output[:, -2:-1], output[:, -1:]
        near = (
            -torch.cdist(query[None], self.codes[None])[0].square()
            * self.log_scale.exp()
            / self.temperature
        )
        stay = stay.masked_fill(heard.previous[:, -1:] <= 0, NEVER)  # there is nothing to stay on
        return torch.cat([near + self.log_count, silence, stay], dim=1)

    def loss(self, step: str, heard: Context, target: Tensor) -> Tensor:
        """[N] losses against the real next latents and flags, target [N, K + 1]."""
        output = self(step, heard)
        real, active = target[:, :-1], target[:, -1]
        if self.config.head == "regression":
            # As published, silence is a latent like any other.
            return (output - real).square().mean(1)
        return -(self._targets(heard.previous, real, active) * output.log_softmax(1)).sum(1)

    def _targets(self, previous: Tensor, real: Tensor, active: Tensor) -> Tensor:
        """[N, C + 2] soft targets: exp(-d^2 / temperature) over codes and the previous latent; silence for silence."""
        distance = (
            torch.cdist(real[None], self.codes[None])[0].square()
            - self.temperature * self.log_count
        )
        stay = (
            (real - previous[:, :-1])
            .square()
            .sum(1, keepdim=True)
            .masked_fill(previous[:, -1:] <= 0, 1e6)
        )
        near = (-torch.cat([distance, stay], dim=1) / self.temperature).softmax(1)
        silent = (1 - active)[:, None]
        return torch.cat([near[:, :-1] * (1 - silent), silent, near[:, -1:] * (1 - silent)], dim=1)

    def choose(
        self,
        step: str,
        heard: Context,
        generator: torch.Generator,
        temperature: float,
        top_p: float,
        steadiness: float = 0.0,
        push: float = 0.0,
        variety: float = 0.0,
        apart: tuple[Tensor, float] | None = None,
        sparsest: float = NEVER,
    ) -> Tensor:
        """[N, K + 1]: the next latent and its flag, sampled from the most likely `top_p` at `temperature` (codebook head)
        or as predicted (regression head). steadiness: added to the logit of staying on the previous latent; push: times
        their density and variety: times their variety are added to those of the codes, so that above 0 busy patterns and those
        of many pitches are preferred; apart: a latent [K] and how much codes far from it are preferred, in logits times
        squared distance, of which the mean of two codes is 1; sparsest: codes of less density are not chosen.
        """
        output = self(step, heard)
        if self.config.head == "regression":
            return torch.cat([output, torch.ones_like(output[:, -1:])], dim=1)
        output[:, -1] += steadiness
        output[:, : len(self.codes)] += push * self.density + variety * self.variety
        output[:, : len(self.codes)] += NEVER * (self.density < sparsest)
        if apart:
            distance = (self.codes - apart[0]).square().sum(1) / self.spread
            output[:, : len(self.codes)] += apart[1] * distance.clamp(max=2)
        probability = (output / temperature).softmax(1)
        ordered, order = probability.sort(dim=1, descending=True)
        ordered = ordered * (ordered.cumsum(1) - ordered < top_p)
        # Drawn on the CPU, so that a seed means the same on every device.
        drawn = torch.multinomial(ordered.float().cpu(), 1, generator=generator).to(order.device)
        index = order.gather(1, drawn)[:, 0]
        candidates = torch.cat([self.codes, torch.zeros_like(self.codes[:1])])
        chosen = candidates[index.clamp(max=len(candidates) - 1)]
        chosen = torch.where((index == len(candidates))[:, None], heard.previous[:, :-1], chosen)
        active = (index != len(self.codes)).to(chosen.dtype)[:, None]
        return torch.cat([chosen * active, active], dim=1)

    def directions(self) -> dict[str, Tensor]:
        """Ways through the latent space along which real playing differs, [K] each, one standard deviation long: "density" to
        busier patterns, "variety" to those of more pitch classes (none for drums), "character" along what differs most
        beside these. Empty for the regression head.
        """
        if self.config.head == "regression":
            return {}
        real = self.log_count == 0
        codes = self.codes[real] - self.codes[real].mean(0)
        found: dict[str, Tensor] = {}
        for name, values in (("density", self.density[real]), ("variety", self.variety[real])):
            if values.std() > 0:
                # The mean way of codes of one deviation more: along it patterns stay as likely as they can.
                found[name] = (
                    codes.T
                    @ (values - values.mean())
                    / (values - values.mean()).square().sum()
                    * values.std()
                )
        named = (
            torch.linalg.qr(torch.stack(list(found.values()), dim=1)).Q
            if found
            else codes.new_zeros(codes.shape[1], 0)
        )
        rest = codes - codes @ named @ named.T
        _, scale, ways = torch.linalg.svd(rest, full_matrices=False)
        sign = ways[0][ways[0].abs().argmax()].sign()  # else the library's version decides
        found["character"] = ways[0] * sign * scale[0] / len(rest) ** 0.5
        return found

    def draw_fill(self, generator: torch.Generator) -> Tensor | None:
        """[1, K]: a code whose block ends with a fill, the more of one the likelier; None where the codebook has none."""
        if self.config.head == "regression" or not (self.fill > 0).any():
            return None
        index = torch.multinomial(self.fill.float().cpu(), 1, generator=generator)
        return self.codes[index.to(self.codes.device)]


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


def forget(previous: Tensor, forgotten: Tensor) -> Tensor:
    """Previous latents and flags [N, K + 1], unknown where `forgotten` [N] bool."""
    unknown = torch.zeros_like(previous)
    unknown[:, -1] = UNKNOWN
    return torch.where(forgotten[:, None], unknown, previous)


def generated_before(instrument: int) -> tuple[int, ...]:
    """The instruments (indices of TRACKS) that are generated before `instrument` in every block."""
    return ACCOMPANIMENT[: ACCOMPANIMENT.index(instrument)]
