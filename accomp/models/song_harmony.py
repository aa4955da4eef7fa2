"""A HarmonyNN that attends over the song: to the whole melody, and to all that was played so far.

It differs from the published one (accomp.models.harmony_nn) in how far it hears. An encoder hears
the melody, the chords and the places of all blocks. For the next block the instrument asks all
earlier ones what the band played there; what it is told depends on how alike the melody, the
chords and the other players are here and there. It then takes a code of real playing, is silent, or
takes up what it played in one of the earlier blocks (a pointer: Vinyals et al. 2015; mixed with a
vocabulary: Merity et al. 2017), of which staying on the previous one is a case. First, middle and
last network have inputs and heads of their own, as published.

Letters: N songs, T blocks of the longest one, Q blocks that ask, M blocks that are asked, Z melody
latent size, K latent size of the instrument, C codes, H half bars of a block (4), W width.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.models.harmony_network import (
    MELODY_STEPS,
    NEVER,
    POSITION,
    STEPS,
    UNKNOWN,
    HarmonyConfig,
    HarmonyNetwork,
    Sampling,
    SongLatents,
    draw,
    generated_before,
    position,
)
from accomp.models.song_pairs import (
    MELODY_PAIR,
    WIDTHS,
    Attention,
    PairBias,
    alike,
    alike_each,
    melody_pairs,
)
from accomp.roll.chord_plan import CHORD_COUNT
from accomp.roll.grid import BLOCK_HALF_BARS

FIRST, MIDDLE, LAST = range(len(STEPS))
HABITS = (1, 2, 4)  # a block remembers whether it was played like those so many blocks before
FOLLOWED = (1, 2)  # a block is taken up where those before it were like those before the next one


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
class Memory:
    """What the network keeps of blocks that were played.

    Attributes:
        told: Of each layer, keys and values.
        pointers: [N, M, W] keys of the blocks that may be taken up.
        own: [N, M, K + 1] what the instrument played, as far as the network is to know.
    """

    told: list[tuple[Tensor, Tensor]]
    pointers: Tensor
    own: Tensor

    def followed_by(self, later: "Memory") -> "Memory":
        """Return the memory of these blocks and those after them."""
        told = [
            (torch.cat([k, more_k], dim=2), torch.cat([v, more_v], dim=2))
            for (k, v), (more_k, more_v) in zip(self.told, later.told)
        ]
        pointers = torch.cat([self.pointers, later.pointers], dim=1)
        return Memory(told, pointers, torch.cat([self.own, later.own], dim=1))


@dataclass
class Heard:
    """What the encoder made of the melody and the plan.

    Attributes:
        blocks: [N, T, W].
        pairs: [N, T, T, MELODY_PAIR].
    """

    blocks: Tensor
    pairs: Tensor


class SongHarmonyNN(HarmonyNetwork):
    """First, middle and last network of one instrument, which attend over the song.

    Attributes:
        spreads: Mean squared distances of two latents: of the melody, of its own, of each earlier
            instrument's. Latents are heard relative to them.
    """

    spreads: Tensor

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
        width, heads, dropout = config.width, config.heads, config.dropout
        earlier = sum(earlier_latents) + len(earlier_latents)
        genres = len(config.genres)
        place = BLOCK_HALF_BARS * CHORD_COUNT + POSITION + genres
        own_pair = len(WIDTHS) * (len(earlier_latents) + len(FOLLOWED))
        self.blocks = nn.Linear(melody_latent + 1 + place, width)
        self.encoder = Attention(width, heads, dropout)
        self.encoder_bias = PairBias(MELODY_PAIR, heads)
        melody = len(MELODY_STEPS["middle"]) * (melody_latent + 1)
        self.inputs = nn.ModuleDict(
            {step: nn.Linear(melody + (latent + 1) * (step != "first"), width) for step in STEPS}
        )
        self.present = nn.Linear(earlier, width)
        self.past = nn.Linear(earlier + latent + 1 + len(HABITS) * len(WIDTHS), width)
        self.past_norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(Attention(width, heads, dropout) for _ in range(config.layers))
        self.biases = nn.ModuleList(
            PairBias(MELODY_PAIR + own_pair, heads) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width)
        # Whether to play something new, silence; a query of codes, and one of earlier blocks.
        self.heads = nn.ModuleDict({step: nn.Linear(width, 2 + 2 * width) for step in STEPS})
        self.lock = nn.Linear(earlier, width, bias=False)  # codes that fit what others play now
        self.code_keys = nn.Linear(latent, width + 1)
        self.pointer_keys = nn.Linear(width, width)
        self.pointer_bias = PairBias(MELODY_PAIR + own_pair, 1)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("spreads", torch.ones(2 + len(earlier_latents)))
        self._add_codebook()

    def player(self, track: int, songs: SongLatents) -> "SongPlayer":
        """Return what chooses the latents of an instrument for a song, block by block."""
        return SongPlayer(self, song_of(track, songs))

    def listen(self, song: Song) -> Heard:
        """Hear the melody, the chords and the places of all blocks."""
        count = song.melody.shape[1]
        at = torch.arange(count, device=song.melody.device)
        blocks = song.blocks[:, None].expand(-1, count)
        places = position(at.expand_as(blocks).flatten(), blocks.flatten()).to(song.melody.dtype)
        genre = F.one_hot(song.genre, len(self.config.genres))[:, None].expand(-1, count, -1)
        x = self.blocks(
            torch.cat(
                [
                    self._scaled(song.melody, 0),
                    F.one_hot(song.plan, CHORD_COUNT).flatten(2).to(song.melody.dtype),
                    places.unflatten(0, (len(song.blocks), count)),
                    genre,
                ],
                dim=-1,
            )
        )
        pairs = melody_pairs(song.melody, song.plan, self.spreads[0])
        bias = self.encoder_bias(pairs, at[:, None] - at)
        beyond = (at >= song.blocks[:, None])[:, None, None]
        bias = bias.masked_fill(beyond, NEVER)
        x = self.dropout(x)
        return Heard(self.encoder(x, self.encoder.tell(x), bias), pairs)

    def remember(self, heard: Heard, song: Song, at: slice) -> Memory:
        """Keep what was played in the blocks `at`, once it is final."""
        own = song.own
        habits = [alike_each(own[:, at], _moved(own, by)[:, at], self.spreads[1]) for by in HABITS]
        played = torch.cat([self._played(song, at), self._scaled(own[:, at], 1), *habits], dim=-1)
        memory = self.past_norm(self.dropout(self.past(played)) + heard.blocks[:, at])
        told = [cast(Attention, layer).tell(memory) for layer in self.layers]
        return Memory(told, self.pointer_keys(memory), own[:, at])

    def forward(self, heard: Heard, song: Song, memory: Memory, at: slice, steps: Tensor) -> Tensor:
        """Return logits of the choices for blocks.

        Args:
            heard: Of `listen`.
            song: N songs, of which the past and what earlier instruments play is heard.
            memory: Of the first M blocks; later ones than the one that asks are not heard.
            at: Of the Q blocks that ask.
            steps: [N, Q] int, index in STEPS, of the network that chooses.

        Returns:
            [N, Q, C + 1 + M] of the codes, of silence, and of what was played in each block.
        """
        count = memory.own.shape[1]
        places = torch.arange(song.melody.shape[1], device=steps.device)
        lag = places[at, None] - places[:count]
        pairs = torch.cat([heard.pairs[:, at, :count], *self._own_pairs(song, at, count)], dim=-1)
        present = self._played(song, at)
        x = heard.blocks[:, at] + self.present(present) + self._step_input(song, at, steps)
        x = self.dropout(x)
        future = (lag <= 0)[None, None]
        for layer, bias, told in zip(self.layers, self.biases, memory.told):
            x = layer(x, told, bias(pairs, lag).masked_fill(future, NEVER))
        output = _by_step(steps, lambda step: self.heads[step](self.norm(x)))
        new, silence, query, pointer = output.split([1, 1, *[self.config.width] * 2], dim=-1)
        root = self.config.width**0.5
        keys = self.code_keys(self.codes * self._factor(1, self.latent))
        codes = (query + self.lock(present)) @ keys[:, :-1].T / root + keys[:, -1] + self.log_count
        if song.meters is not None and self.config.meters:
            codes = codes + NEVER * ~self.suits(song.meters[:, at])
        taken = pointer @ memory.pointers.mT / root + self.pointer_bias(pairs, lag)[:, 0]
        taken = taken.masked_fill(future[0] | (memory.own[:, None, :, -1] <= 0), NEVER)
        return torch.cat([codes.log_softmax(-1) + new, silence, taken], dim=-1)

    def loss(self, song: Song, real: Tensor, steps: Tensor) -> Tensor:
        """Return the negative log likelihood of the real latents.

        The distribution is a mixture around all choices, each of density exp(-d^2 / T). Where the
        song has other latents of the instrument than the real ones, because the network has played
        them, what it played counts as what real players played there: so it learns to take up its
        own patterns where they take up theirs.

        Args:
            song: N songs.
            real: [N, T, K + 1] the real latents and flags.
            steps: [N, T] int.

        Returns:
            [N, T]; of no meaning beyond the end of a song.
        """
        count = real.shape[1]
        everything = slice(0, count)
        heard = self.listen(song)
        memory = self.remember(heard, song, everything)
        chances = self(heard, song, memory, everything, steps).log_softmax(-1)
        latents = real[..., :-1]
        apart = torch.cdist(latents.flatten(0, 1), self.codes).square().unflatten(0, real.shape[:2])
        again = torch.cdist(latents, latents).square()
        near = -torch.cat([apart, again], dim=-1) / self.temperature
        size = len(self.codes)
        played = torch.cat([chances[..., :size], chances[..., size + 1 :]], dim=-1) + near
        silent = chances[..., size]
        return -torch.where(real[..., -1] > 0, played.logsumexp(-1), silent)

    def _played(self, song: Song, at: slice) -> Tensor:
        """Return what earlier instruments play in blocks, [N, Q, E]."""
        rows = [self._scaled(rows[:, at], 2 + i) for i, rows in enumerate(song.earlier)]
        return torch.cat(rows, dim=-1) if rows else song.own[:, at, :0]

    def _own_pairs(self, song: Song, at: slice, count: int) -> list[Tensor]:
        """Compare what is played here and there, as far as it is known here: [N, Q, M, F] each."""
        pairs = [
            alike(rows[:, at], rows[:, :count], self.spreads[2 + i])
            for i, rows in enumerate(song.earlier)
        ]
        for by in FOLLOWED:
            moved = _moved(song.own, by)
            pairs.append(alike(moved[:, at], moved[:, :count], self.spreads[1]))
        return pairs

    def _step_input(self, song: Song, at: slice, steps: Tensor) -> Tensor:
        """Return what first, middle and last network take as published, [N, Q, W]."""
        melody = self._scaled(song.melody, 0)
        previous = self._scaled(_moved(song.own, 1)[:, at], 1)

        def taken(step: str) -> Tensor:
            parts = [_moved(melody, -offset)[:, at] for offset in MELODY_STEPS[step]]
            if step != "first":
                parts.append(previous)
            return self.inputs[step](torch.cat(parts, dim=-1))

        return _by_step(steps, taken)

    def _factor(self, index: int, size: int) -> Tensor:
        """Return what makes the `size` numbers of a latent about 1; index: in `spreads`."""
        return (2 * size / self.spreads[index]).sqrt()

    def _scaled(self, rows: Tensor, index: int) -> Tensor:
        """Return rows [..., K + 1] whose latents have numbers of about 1."""
        latents = rows[..., :-1] * self._factor(index, rows.shape[-1] - 1)
        return torch.cat([latents, rows[..., -1:]], dim=-1)


@dataclass
class SongPlayer:
    """One instrument's way through songs; see `harmony_network.Player`.

    Attributes:
        network: Whose.
        song: N songs; `own` is filled in on the way, by whoever calls.
        heard: What the network made of the melody.
        memory: Of the blocks that were final at the last choice.
    """

    network: SongHarmonyNN
    song: Song
    heard: Heard = field(init=False)
    memory: Memory | None = None

    def __post_init__(self):
        with torch.no_grad():
            self.heard = self.network.listen(self.song)

    def choose(
        self, step: str, block: int, generator: torch.Generator, sampling: Sampling
    ) -> Tensor:
        """Sample the latent and flag [K + 1] of a block of one song."""
        steps = torch.tensor([STEPS.index(step)], device=self.song.own.device)
        return self.choose_all(steps, block, generator, sampling)[0]

    @torch.no_grad()
    def choose_all(
        self, steps: Tensor, block: int, generator: torch.Generator, sampling: Sampling
    ) -> Tensor:
        """Sample the latents and flags [N, K + 1] of a block of all songs.

        Args:
            steps: [N] int, index in STEPS. The first network hears nothing of the own past, so
                it chooses for all songs or for none.
            block: Index.
            generator: Of the CPU.
            sampling: How.
        """
        network, song, at = self.network, self.song, slice(block, block + 1)
        if bool((steps == FIRST).any()):
            song = replace(song, own=unknown(song.own))
            memory = network.remember(self.heard, song, slice(0, block))
        else:
            memory = self._memory(block)
        logits = network(self.heard, song, memory, at, steps[:, None])[:, 0]
        network._apply_wishes(logits, sampling)
        index = draw(logits / sampling.temperature, sampling.top_p, generator)
        nothing = network.codes.new_zeros(1, network.codes.shape[1])
        size = len(network.codes)
        chosen = torch.cat([network.codes, nothing])[index.clamp(max=size)]
        if block:
            earlier = (index - size - 1).clamp(min=0)
            taken = song.own[torch.arange(len(index)), earlier, :-1]
            chosen = torch.where((index > size)[:, None], taken, chosen)
        active = (index != size).to(chosen.dtype)[:, None]
        return torch.cat([chosen * active, active], dim=1)

    def _memory(self, block: int) -> Memory:
        """Return the memory of the blocks before this one."""
        known = self.memory.own.shape[1] if self.memory else 0
        if known < block or not self.memory:
            later = self.network.remember(self.heard, self.song, slice(known, block))
            self.memory = self.memory.followed_by(later) if self.memory else later
        return self.memory


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


def _moved(rows: Tensor, by: int) -> Tensor:
    """Return rows [N, T, K + 1] `by` blocks later; what lies outside of the song is unknown."""
    count = rows.shape[1]
    outside = unknown(rows[:, : min(abs(by), count)])
    if by >= 0:
        return torch.cat([outside, rows[:, : max(count - by, 0)]], dim=1)
    return torch.cat([rows[:, -by:], outside], dim=1)


def _by_step(steps: Tensor, of_step: Callable[[str], Tensor]) -> Tensor:
    """Put together what each step's own layer makes of the blocks that it is for.

    steps: [N, Q] int; of_step: returns [N, Q, numbers] for all blocks.
    """
    present = steps.unique().tolist()
    result = of_step(STEPS[present[0]])
    for index in present[1:]:
        result = torch.where((steps == index)[..., None], of_step(STEPS[index]), result)
    return result
