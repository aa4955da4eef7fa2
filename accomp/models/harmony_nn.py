"""The Conditional-HarmonyNN: from melody latents to an instrument's next latent.

Letters: N sequences of a batch, Z melody latent size, K latent size of the instrument, C entries of
the codebook, H half bars of a block (4).
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Models
training" and "Music Generation": (z[t-1], z[t], z[t+1], w[t-1]) to w[t], with special networks for
the first step (the melody of the first step and the next two) and the last (of the last step and
the two before).
New here: the networks also take what the earlier instruments of the same step play, the chords and
the place in the song; and instead of one predicted latent there is a distribution over latents of
real playing to sample from, because the mean of many patterns is not a pattern that anyone plays.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll.chord_plan import CHORD_COUNT
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_HALF_BARS

STEPS = ("first", "middle", "last")
# The blocks, relative to the next one, whose melody each network takes.
MELODY_STEPS = {"first": (0, 1, 2), "middle": (-1, 0, 1), "last": (-2, -1, 0)}
POSITION = 8  # numbers of `position`
UNKNOWN = -1.0  # flag of a latent that the network is not to know
NEVER = -1e4  # logit of what cannot be chosen


@dataclass
class HarmonyConfig:
    """What a HarmonyNN is made of.

    Attributes:
        head: "codebook", or "regression" as published: one latent, trained with mean squared error.
        width: Of the hidden layers.
        residual_blocks: 0 is one hidden layer, as published.
        shared_trunk: Whether first, middle and last network share all but input layers and heads.
        dropout: In training.
        context: Whether earlier instruments, chords, position and genre are inputs.
        codebook: C.
        temperature: Of the soft targets exp(-d^2 / T): T as a share of the mean squared distance
            of two codes.
        genres: Names.
    """

    head: str = "codebook"
    width: int = 128
    residual_blocks: int = 2
    shared_trunk: bool = True
    dropout: float = 0.4
    context: bool = True
    codebook: int = 1024
    temperature: float = 0.03
    genres: list[str] = field(default_factory=list)

    def __post_init__(self):
        if self.head not in ("codebook", "regression"):
            raise ValueError(f"head {self.head!r} is unknown; available: codebook, regression")


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


@dataclass
class SongLatents:
    """The latents of N songs, one song after another.

    Attributes:
        melody: [all, Z].
        tracks: By track index, [all, K + 1] latents and flags.
        plan: [all, H] chords.
        blocks: [N] int, how many blocks each song has.
        genre: [N] int, or one for all songs.
        first: [N] int, where each song begins; or one number.
    """

    melody: Tensor
    tracks: dict[int, Tensor]
    plan: Tensor
    blocks: Tensor
    genre: Tensor | int
    first: Tensor | int = 0


@dataclass(frozen=True)
class Sampling:
    """How a latent is sampled from the distribution of a HarmonyNN.

    Attributes:
        temperature: By which logits are divided.
        top_p: Probability of the likeliest choices that are sampled from.
        steadiness: Added to the logit of staying on the previous latent.
        push: Times a code's density added to its logit: above 0 busy patterns are preferred.
        variety: Times a code's variety added to its logit: above 0 patterns of many pitches are.
        apart: A latent [K] and how much codes far from it are preferred: logits times squared
            distance, of which the mean of two codes is 1.
        sparsest: Codes of less density are not chosen.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    steadiness: float = 0.0
    push: float = 0.0
    variety: float = 0.0
    apart: tuple[Tensor, float] | None = None
    sparsest: float = NEVER


def position(block: Tensor, blocks: Tensor) -> Tensor:
    """Describe the place of blocks in their songs.

    Args:
        block: [N] int index.
        blocks: [N] int, how many blocks each song has.

    Returns:
        [N, 8]: the phase in phrases of four blocks (eight bars), the distance from the start and to
        the end up to four blocks, how far on in the song, and a constant for bias.
    """
    phase = F.one_hot(block % 4, 4)
    from_start, to_end = block.clamp(max=4) / 4, (blocks - 1 - block).clamp(0, 4) / 4
    return torch.cat(
        [phase, torch.stack([from_start, to_end, block / blocks, torch.ones_like(block)], dim=1)],
        dim=1,
    )


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


class HarmonyNN(nn.Module):
    """First, middle and last network of one instrument.

    Attributes:
        config: What it is made of.
        latent: K.

    With the codebook head also:
        codes: [C, K] latents of real blocks. A codebook of few different blocks is filled up with
            entries that are never chosen.
        log_count: [C] 0, or NEVER for entries that are not used.
        density: [C] onsets of each code's block, standard deviations of their logarithm.
        variety: [C] its pitch classes a bar, standard deviations.
        fill: [C] for drums, how much of a fill its end is, 0 to 1.
        spread: Mean squared distance of two codes.
    """

    codes: Tensor
    log_count: Tensor
    density: Tensor
    variety: Tensor
    fill: Tensor
    spread: Tensor

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
        super().__init__()
        self.config, self.latent = config, latent
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
            self.register_buffer("codes", torch.zeros(config.codebook, latent))
            self.register_buffer("log_count", torch.zeros(config.codebook))
            self.register_buffer("density", torch.zeros(config.codebook))
            self.register_buffer("variety", torch.zeros(config.codebook))
            self.register_buffer("fill", torch.zeros(config.codebook))
            self.register_buffer("spread", torch.tensor(1.0))

    @property
    def is_regression(self) -> bool:
        """Whether it predicts one latent, as published, and has no codebook."""
        return self.config.head == "regression"

    @property
    def temperature(self) -> Tensor:
        """T of the soft targets, in squared units of the latents."""
        return self.config.temperature * self.spread

    def set_codes(self, codes: Tensor, **known: Tensor) -> None:
        """Fill the codebook with latents of real blocks.

        Args:
            codes: [n, K], at most C.
            **known: density, variety and fill of the codes, [n] each; zeros by default.
        """
        values = {"codes": codes, "density": 0.0, "variety": 0.0, "fill": 0.0, **known}
        for name, value in values.items():
            buffer = getattr(self, name)
            buffer.zero_()
            buffer[: len(codes)] = value
        self.log_count.fill_(NEVER)
        self.log_count[: len(codes)] = 0.0
        apart = torch.pdist(codes[:256]).square()
        self.spread.copy_(apart.mean() if len(codes) > 1 else torch.ones(()))

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

    def _apply_wishes(self, logits: Tensor, sampling: Sampling) -> None:
        """Change logits [N, C + 2] in place as `sampling` wishes."""
        codes = logits[:, : len(self.codes)]
        logits[:, -1] += sampling.steadiness
        codes += sampling.push * self.density + sampling.variety * self.variety
        codes += NEVER * (self.density < sampling.sparsest)
        if sampling.apart:
            latent, weight = sampling.apart
            codes += weight * self.distance(latent)

    def distance(self, latent: Tensor) -> Tensor:
        """Return the squared distance of each code from a latent [K]: [C], at most 2.

        The mean of two codes is 1.
        """
        return ((self.codes - latent).square().sum(1) / self.spread).clamp(max=2)

    def directions(self) -> dict[str, Tensor]:
        """Return directions of the latent space along which real playing differs.

        Returns:
            [K] each, one standard deviation long: "density" to busier patterns, "variety" to those
            of more pitch classes (none for drums), "character" along what differs most beside
            these. Empty for the regression head.
        """
        if self.is_regression:
            return {}
        real = self.log_count == 0
        codes = self.codes[real] - self.codes[real].mean(0)
        found: dict[str, Tensor] = {}
        for name, values in (("density", self.density[real]), ("variety", self.variety[real])):
            if values.std() > 0:
                # The mean way of codes of one deviation more: along it patterns stay as likely as
                # they can.
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
        """Draw a code whose block ends with a fill, the more of one the likelier.

        Returns:
            [1, K]; None where the codebook has no fills.
        """
        if self.is_regression or not (self.fill > 0).any():
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


def draw(logits: Tensor, top_p: float, generator: torch.Generator) -> Tensor:
    """Sample among the likeliest choices, which have `top_p` of the probability.

    Drawn on the CPU, so that a seed means the same on every device.

    Args:
        logits: [N, choices].
        top_p: 0 to 1.
        generator: Of the CPU.

    Returns:
        [N] int.
    """
    ordered, order = logits.softmax(1).sort(dim=1, descending=True)
    ordered = ordered * (ordered.cumsum(1) - ordered < top_p)
    drawn = torch.multinomial(ordered.float().cpu(), 1, generator=generator).to(order.device)
    return order.gather(1, drawn)[:, 0]


def forget(previous: Tensor, forgotten: Tensor) -> Tensor:
    """Make previous latents and flags [N, K + 1] unknown where `forgotten` [N] bool."""
    unknown = torch.zeros_like(previous)
    unknown[:, -1] = UNKNOWN
    return torch.where(forgotten[:, None], unknown, previous)


def generated_before(instrument: int) -> tuple[int, ...]:
    """Return the instruments that are generated before one in every block."""
    return ACCOMPANIMENT[: ACCOMPANIMENT.index(instrument)]
