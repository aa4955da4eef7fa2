"""What every HarmonyNN has: settings, a codebook of real playing, and ways to draw from it.

Letters: N sequences of a batch, Z melody latent size, K latent size of the instrument, C entries of
the codebook, H half bars of a block (4), B blocks of a song.
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Models
training" and "Music Generation".
New here: instead of one predicted latent there is a distribution over latents of real playing to
sample from, because the mean of many patterns is not a pattern that anyone plays.
"""

from dataclasses import dataclass, field
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS

STEPS = ("first", "middle", "last")
# The blocks, relative to the next one, whose melody each network takes.
MELODY_STEPS = {"first": (0, 1, 2), "middle": (-1, 0, 1), "last": (-2, -1, 0)}
POSITION = 8  # numbers of `position`
# Numbers of a rhythm: at each step of a block, of drums whether the bass drum and whether anything
# is struck; of others whether anything is struck and whether anything sounds.
RHYTHM = 2 * BLOCK_STEPS
UNKNOWN = -1.0  # flag of a latent that the network is not to know
NEVER = -1e4  # logit of what cannot be chosen
ANY_METER = 0  # of codes that suit every meter, and of songs whose meter is of no matter
_CHOICES = {"head": ("codebook", "regression"), "network": ("steps", "song")}


@dataclass
class HarmonyConfig:
    """What a HarmonyNN is made of.

    Attributes:
        head: "codebook", or "regression" as published: one latent, trained with mean squared error.
        network: "steps" as published: it hears one block back; or "song": it attends over the
            whole song (accomp.models.song_harmony).
        width: Of the hidden layers.
        residual_blocks: 0 is one hidden layer, as published. Of the steps network.
        shared_trunk: Whether first, middle and last network share all but input layers and heads.
            Of the steps network.
        layers: Of attention to what was played. Of the song network.
        heads: Of each attention. Of the song network.
        dropout: In training.
        context: Whether earlier instruments, chords, position and genre are inputs. The song
            network always has them.
        codebook: C.
        meters: Whether the codes are told apart by meter.
        temperature: Of the soft targets exp(-d^2 / T): T as a share of the mean squared distance
            of two codes.
        genres: Names.
    """

    head: str = "codebook"
    network: str = "steps"
    width: int = 128
    residual_blocks: int = 2
    shared_trunk: bool = True
    layers: int = 2
    heads: int = 4
    dropout: float = 0.4
    context: bool = True
    codebook: int = 1024
    meters: bool = False
    temperature: float = 0.03
    genres: list[str] = field(default_factory=list)

    def __post_init__(self):
        for name, available in _CHOICES.items():
            value = getattr(self, name)
            if value not in available:
                raise ValueError(f"{name} {value!r} is unknown; available: {', '.join(available)}")
        if self.network == "song" and (self.head != "codebook" or self.width % self.heads):
            raise ValueError(
                f"network 'song' with head {self.head!r}, width {self.width} and {self.heads} "
                "attention heads; accepted: head 'codebook' and a width that the heads divide"
            )


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
        steadiness: Added to the logits of what the player played before: of staying on the
            previous latent, or of taking up an earlier one.
        silence: Added to the logit of silence; NEVER where a player shall play.
        push: Times a code's density added to its logit: above 0 busy patterns are preferred.
        even: Added to the logits of codes of two bars in one rhythm, of the song network.
        variety: Times a code's variety added to its logit: above 0 patterns of many pitches are.
        apart: A latent [K] and how much codes far from it are preferred: logits times squared
            distance, of which the mean of two codes is 1.
        sparsest: Codes of less density are not chosen.
        meter: Of accomp.roll.grid, or ANY_METER; codes of other meters are not chosen, if there
            are any of it.
        wish: [C] added to the logits of the codes.
        past: [blocks so far] added to the logits of what was played in each, of the song network.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    steadiness: float = 0.0
    silence: float = 0.0
    push: float = 0.0
    even: float = 0.0
    variety: float = 0.0
    apart: tuple[Tensor, float] | None = None
    sparsest: float = NEVER
    meter: int = ANY_METER
    wish: Tensor | None = None
    past: Tensor | None = None


class Player(Protocol):
    """One instrument's way through a song, from block to block."""

    def choose(
        self, step: str, block: int, generator: torch.Generator, sampling: Sampling
    ) -> Tensor:
        """Sample the latent and flag [K + 1] of a block.

        The rows of the song up to it, and those of earlier instruments in it, are final.

        Args:
            step: Of STEPS.
            block: Index.
            generator: Of the CPU.
            sampling: How.
        """
        ...


class HarmonyNetwork(nn.Module):
    """One instrument's networks, with their codebook where they have one.

    Attributes:
        config: What it is made of.
        latent: K.

    With the codebook head also:
        codes: [C, K] latents of real blocks. A codebook of few different blocks is filled up with
            entries that are never chosen.
        log_count: [C] the logarithm of how often real playing is like the code, relative to the
            mean; NEVER for entries that are not used.
        density: [C] onsets of each code's block, standard deviations of their logarithm.
        variety: [C] its pitch classes a bar, standard deviations.
        fill: [C] for drums, how much of a fill its end is, 0 to 1.
        rhythm: [C, RHYTHM] bool, of each code's block, of the song network.
        meter: [C] int8, with `meters`: the meter that it is played in (accomp.roll.grid), or
            ANY_METER.
        spread: Mean squared distance of two codes.
    """

    codes: Tensor
    log_count: Tensor
    density: Tensor
    variety: Tensor
    fill: Tensor
    rhythm: Tensor
    meter: Tensor
    spread: Tensor

    def __init__(self, config: HarmonyConfig, latent: int):
        """Make an empty codebook.

        config: what the network is made of; latent: K.
        """
        super().__init__()
        self.config, self.latent = config, latent

    def _add_codebook(self) -> None:
        size = self.config.codebook
        self.register_buffer("codes", torch.zeros(size, self.latent))
        self.register_buffer("log_count", torch.zeros(size))
        self.register_buffer("density", torch.zeros(size))
        self.register_buffer("variety", torch.zeros(size))
        self.register_buffer("fill", torch.zeros(size))
        if self.config.network == "song":
            self.register_buffer("rhythm", torch.zeros(size, RHYTHM, dtype=torch.bool))
        if self.config.meters:
            self.register_buffer("meter", torch.zeros(size, dtype=torch.int8))
        self.register_buffer("spread", torch.tensor(1.0))

    @property
    def is_regression(self) -> bool:
        """Whether it predicts one latent, as published, and has no codebook."""
        return self.config.head == "regression"

    @property
    def temperature(self) -> Tensor:
        """T of the soft targets, in squared units of the latents."""
        return self.config.temperature * self.spread

    def player(self, track: int, songs: SongLatents) -> Player:
        """Return what chooses the latents of an instrument for a song, block by block.

        Args:
            track: Index in TRACKS.
            songs: One song, whose rows of latents are filled in on the way.
        """
        raise NotImplementedError

    def set_codes(self, codes: Tensor, **known: Tensor) -> None:
        """Fill the codebook with latents of real blocks.

        Args:
            codes: [n, K], at most C.
            **known: log_count, density, variety, fill, rhythm and meter of the codes, [n, ...]
                each; zeros by default.
        """
        values = {"codes": codes, "density": 0.0, "variety": 0.0, "fill": 0.0, "log_count": 0.0}
        if self.config.network == "song":
            values["rhythm"] = False
        if self.config.meters:
            values["meter"] = ANY_METER
        for name, value in values.items():
            buffer = getattr(self, name)
            buffer.fill_(NEVER if name == "log_count" else 0)
            buffer[: len(codes)] = known.get(name, value)
        apart = torch.pdist(codes[:256]).square()
        self.spread.copy_(apart.mean() if len(codes) > 1 else torch.ones(()))

    def _apply_wishes(self, logits: Tensor, sampling: Sampling) -> None:
        """Change logits in place as `sampling` wishes.

        logits: [N, C + 1 + n] of the codes, of silence, and of what was played before.
        """
        count = len(self.codes)
        logits[:, :count] += self.wishes(sampling)
        logits[:, count] += sampling.silence
        logits[:, count + 1 :] += sampling.steadiness
        if sampling.past is not None and self.config.network == "song":
            logits[:, count + 1 :] += sampling.past

    def wishes(self, sampling: Sampling) -> Tensor:
        """Return what is added to the logits of the codes as `sampling` wishes, [C]."""
        codes = sampling.push * self.density + sampling.variety * self.variety
        codes += NEVER * (self.density < sampling.sparsest)
        if self.config.meters and sampling.meter != ANY_METER:
            codes += NEVER * ~self.suits(torch.tensor(sampling.meter, device=codes.device))
        if sampling.even and self.config.network == "song":
            codes += sampling.even * self.is_even
        if sampling.wish is not None:
            codes += sampling.wish
        if sampling.apart:
            latent, weight = sampling.apart
            codes += weight * self.distance(latent)
        return codes

    @property
    def is_even(self) -> Tensor:
        """Whether the two bars of each code have one rhythm, [C] bool."""
        bars = self.rhythm.unflatten(1, (2, 2, -1))
        return (bars[:, :, 0] == bars[:, :, 1]).flatten(1).all(1)

    def suits(self, meter: Tensor) -> Tensor:
        """Return which codes may be played in meters [...] int: [..., C] bool; all if none is."""
        used, asked = self.log_count > NEVER / 2, meter[..., None]
        same = used & ((self.meter == asked) | (self.meter == ANY_METER))
        return same | ~same.any(-1, keepdim=True) | (asked == ANY_METER)

    def distance(self, latent: Tensor) -> Tensor:
        """Return the squared distance of each code from a latent [K]: [C], at most 2.

        The mean of two codes is 1.
        """
        return ((self.codes - latent).square().sum(1) / self.spread).clamp(max=2)

    def busier_code(self, latent: Tensor, deviations: float, among: int = 32) -> Tensor:
        """Return real playing like a latent, but of more onsets, or of fewer.

        Args:
            latent: [K].
            deviations: How many more, in deviations of `density`; below 0 for fewer.
            among: Of so many codes whose density is nearest to the one asked for, the one most
                like the latent is taken.

        Returns:
            [K], a code; the latent itself where the network has no codes.
        """
        if self.is_regression:
            return latent
        used = self.log_count > NEVER / 2
        nearest = self.distance(latent).masked_fill(~used, torch.inf).argmin()
        if self.config.meters:
            used = used & self.suits(self.meter[nearest])
        off = (self.density - self.density[nearest] - deviations).abs()
        off = off.masked_fill(~used, torch.inf)
        candidates = off.topk(min(among, int(used.sum())), largest=False).indices
        return self.codes[candidates[self.distance(latent)[candidates].argmin()]]

    def nearest(self, latents: Tensor) -> Tensor:
        """Return the squared distance of each code from the nearest of latents [n, K]: [C].

        At most 1, as much as two codes are apart on average: the strangest are no farther. Zeros
        if there are no latents.
        """
        if not len(latents):
            return torch.zeros_like(self.log_count)
        apart = torch.cdist(self.codes, latents).square().amin(1)
        return (apart / self.spread).clamp(max=1)

    def directions(self) -> dict[str, Tensor]:
        """Return directions of the latent space along which real playing differs.

        Returns:
            [K] each, one standard deviation long: "density" to busier patterns, "variety" to those
            of more pitch classes (none for drums), "character" along what differs most beside
            these. Empty for the regression head.
        """
        if self.is_regression:
            return {}
        real = self.log_count > NEVER / 2
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

    def draw_fill(self, generator: torch.Generator, meter: int = ANY_METER) -> Tensor | None:
        """Draw a code whose block ends with a fill, the more of one the likelier.

        Args:
            generator: Of the CPU.
            meter: In which the fill is played.

        Returns:
            [1, K]; None where the codebook has no fills of the meter.
        """
        if self.is_regression:
            return None
        fills = self.fill.float().cpu()
        if self.config.meters:
            fills = fills * self.suits(torch.tensor(meter, device=self.meter.device)).cpu()
        if not (fills > 0).any():
            return None
        index = torch.multinomial(fills, 1, generator=generator)
        return self.codes[index.to(self.codes.device)]


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
