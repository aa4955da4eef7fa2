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

from dataclasses import dataclass, field, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.models.harmony_network import (
    MELODY_STEPS,
    NEVER,
    POSITION,
    RHYTHM,
    STEPS,
    HarmonyConfig,
    HarmonyNetwork,
    Sampling,
    SongLatents,
    draw,
    position,
)
from accomp.models.song_memory import (
    Heard,
    Memory,
    Real,
    Song,
    by_step,
    rows_before,
    rows_moved,
    song_of,
    unit_rhythm,
    unknown,
)
from accomp.models.song_pairs import (
    MELODY_PAIR,
    WIDTHS,
    Attention,
    PairBias,
    alike,
    alike_each,
    lags,
    melody_pairs,
)
from accomp.roll.chord_plan import CHORD_COUNT
from accomp.roll.grid import BLOCK_HALF_BARS

FIRST, MIDDLE, LAST = range(len(STEPS))
FAR = -NEVER  # d^2 / T of what does not count as the same
HABITS = (1, 2, 4)  # a block remembers whether it was played like those so many blocks before
OLDER = (1, 4)  # the rhythm of a block may be that of those so many blocks before
FOLLOWED = (1, 2)  # a block is taken up where those before it were like those before the next one


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
        self._sizes = [melody_latent, latent, *earlier_latents]
        width, heads, dropout = config.width, config.heads, config.dropout
        earlier = sum(earlier_latents) + len(earlier_latents)
        genres = len(config.genres)
        place = BLOCK_HALF_BARS * CHORD_COUNT + POSITION + genres
        own_pair = len(WIDTHS) * (len(earlier_latents) + len(FOLLOWED))
        self.blocks = nn.Linear(melody_latent + 1 + place, width)
        self.encoder = Attention(width, heads, dropout)
        self.encoder_bias = PairBias(MELODY_PAIR, heads)
        melody = len(MELODY_STEPS["middle"]) * (melody_latent + 1)
        self.inputs = nn.ModuleDict({step: nn.Linear(melody, width) for step in STEPS})
        self.previous = nn.ModuleDict({step: nn.Linear(latent + 1, width) for step in STEPS[1:]})
        # Nobody plays before the first instrument.
        self.present = nn.Linear(earlier, width, bias=False) if earlier else None
        self.past = nn.Linear(earlier + latent + 1 + len(HABITS) * len(WIDTHS), width)
        self.past_norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(Attention(width, heads, dropout) for _ in range(config.layers))
        self.biases = nn.ModuleList(
            PairBias(MELODY_PAIR + own_pair, heads) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width)
        # Whether to play something new, silence; a query of codes, and one of earlier blocks.
        self.heads = nn.ModuleDict({step: nn.Linear(width, 2 + 2 * width) for step in STEPS})
        # The straight way to codes that fit what others play now and what it played last.
        self.fits = nn.Linear(earlier + len(HABITS) * (latent + 1), width, bias=False)
        self.code_keys = nn.Linear(latent + 1, width + 1)
        # What is played sounds in a rhythm, which a latent tells only roundabout. How much the
        # rhythm shall be that of what was played OLDER blocks before, and how much it shall meet
        # either half of what each earlier instrument plays now.
        self.rhythms = nn.ModuleList(_rhythm_network(size) for size in self._sizes[1:])
        self.wanted = nn.Linear(width, 2 * (len(OLDER) + len(earlier_latents)))
        self.pointer_keys = nn.Linear(width, width)
        self.pointer_bias = PairBias(MELODY_PAIR + own_pair, 1)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("spreads", torch.ones(len(self._sizes)))
        self._add_codebook()

    def player(self, track: int, songs: SongLatents) -> "SongPlayer":
        """Return what chooses the latents of an instrument for a song, block by block."""
        return SongPlayer(self, song_of(track, songs))

    def listen(self, song: Song) -> Heard:
        """Hear the melody, the chords and the places of all blocks."""
        factors = self._factors()
        melody = song.melody * factors[0]
        x = self.dropout(self.blocks(torch.cat([melody, *self._places(song)], dim=-1)))
        pairs = melody_pairs(song.melody, song.plan, self.spreads[0])
        at = torch.arange(melody.shape[1], device=melody.device)
        bias = self.encoder_bias(pairs, lags(at, at))
        bias = bias.masked_fill((at >= song.blocks[:, None])[:, None, None], NEVER)
        windows = [
            self.inputs[step](
                torch.cat([rows_moved(melody, -by) for by in MELODY_STEPS[step]], dim=-1)
            )
            for step in STEPS
        ]
        codes = self.codes * factors[1][:-1]
        out = codes.square().mean(1, keepdim=True)  # how far out they lie
        keys = self.code_keys(torch.cat([codes, out], dim=1))
        return Heard(
            self.encoder(x, self.encoder.tell(x), bias),
            windows,
            pairs,
            factors,
            torch.cat(
                [keys[:, :-1] / self.config.width**0.5, unit_rhythm(self.rhythm.to(keys.dtype))],
                dim=1,
            ),
            keys[:, -1] + self.log_count,
            lags(at, at),
            at[:, None] <= at,
        )

    def _factors(self) -> list[Tensor]:
        return [
            torch.cat([(2 * size / spread).sqrt().expand(size), torch.ones_like(spread)[None]])
            for size, spread in zip(self._sizes, self.spreads)
        ]

    def _places(self, song: Song) -> list[Tensor]:
        """Return the chords, the places and the genre of all blocks, [N, T, numbers] each."""
        count, dtype = song.melody.shape[1], song.melody.dtype
        blocks = song.blocks[:, None].expand(-1, count)
        at = torch.arange(count, device=blocks.device).expand_as(blocks)
        places = position(at.flatten(), blocks.flatten()).to(dtype)
        genre = F.one_hot(song.genre, len(self.config.genres))[:, None].expand(-1, count, -1)
        chords = F.one_hot(song.plan, CHORD_COUNT).flatten(2).to(dtype)
        return [chords, places.unflatten(0, blocks.shape), genre.to(dtype)]

    def remember(self, heard: Heard, song: Song, at: slice) -> Memory:
        """Keep what was played in the blocks `at`, once it is final."""
        own = song.own[:, at]
        before = torch.stack([rows_before(song.own, at, by) for by in HABITS], dim=2)
        habits = alike_each(own[:, :, None], before, self.spreads[1]).flatten(2)
        played = [*self._played(heard, song, at), own * heard.factors[1], habits]
        memory = self.dropout(self.past(torch.cat(played, dim=-1))) + heard.blocks[:, at]
        memory = self.past_norm(memory)
        told = [cast(Attention, layer).tell(memory, at.start == 0) for layer in self.layers]
        rhythms = self._rhythm(heard, own, 0)
        return Memory(told, self.pointer_keys(memory), own, rhythms)

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
        codes, new, others = self._scores(heard, song, memory, at, steps)
        return torch.cat([codes.log_softmax(-1) + new, others], dim=-1)

    def _scores(
        self, heard: Heard, song: Song, memory: Memory, at: slice, steps: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of codes among codes, of any code, and of all other choices.

        The arguments are those of `forward`.

        Returns:
            [N, Q, C], [N, Q, 1] and [N, Q, 1 + M].
        """
        count = memory.own.shape[1]
        lag = heard.lags[at, :count]
        pairs = torch.cat([heard.pairs[:, at, :count], *self._own_pairs(song, at, count)], dim=-1)
        present = self._played(heard, song, at)
        played = [rows_before(song.own, at, by) * heard.factors[1] for by in HABITS]

        def step_input(index: int) -> Tensor:
            window = heard.windows[index][:, at]
            return window if index == FIRST else window + self.previous[STEPS[index]](played[0])

        x = heard.blocks[:, at] + by_step(steps, step_input)
        if self.present:
            x = x + self.present(torch.cat(present, dim=-1))
        x = self.dropout(x)
        future = heard.future[at, :count]
        for layer, bias, told in zip(self.layers, self.biases, memory.told):
            x = layer(x, told, bias(pairs, lag).masked_fill(future, NEVER))
        x = self.norm(x)
        output = by_step(steps, lambda index: self.heads[STEPS[index]](x))
        new, silence, query, pointer = output.split([1, 1, *[self.config.width] * 2], dim=-1)
        query = query + self.fits(torch.cat([*present, *played], dim=-1))
        asked = self._wanted_rhythm(self.wanted(x), heard, song, memory, at)
        codes = torch.cat([query, asked], dim=-1) @ heard.keys.T + heard.liking
        if song.meters is not None and self.config.meters:
            codes = codes + NEVER * ~self.suits(song.meters[:, at])
        taken = pointer @ memory.pointers.mT / self.config.width**0.5
        taken = taken + self.pointer_bias(pairs, lag)[:, 0]
        taken = taken.masked_fill(future | (memory.own[:, None, :, -1] <= 0), NEVER)
        return codes, new, torch.cat([silence, taken], dim=-1)

    def loss(self, song: Song, real: Real, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cross entropy of what real players did.

        What they repeat may be taken up from any block in which they played it. Anything else is
        new: a few codes stand for it. Where the song has other latents of the instrument than the
        real ones, because the network has played them, what it played counts as what real players
        played there: so it learns to take up its own patterns where they take up theirs.

        Args:
            song: N songs.
            real: What real players played.
            steps: [N, T] int.

        Returns:
            [N, T] and how badly it tells the rhythms of latents, in nats, [N, T]; of no meaning
            beyond the end of a song.
        """
        everything = slice(0, steps.shape[1])
        heard = self.listen(song)
        memory = self.remember(heard, song, everything)
        codes, new, others = self._scores(heard, song, memory, everything, steps)
        near = codes.gather(-1, real.codes) - codes.logsumexp(-1, keepdim=True)
        played = new[..., 0] + (real.shares * near).sum(-1)
        known = (real.again < FAR) & (others[..., 1:] > NEVER / 2)
        again = (others[..., 1:] - real.again).masked_fill(~known, NEVER).logsumexp(-1)
        played = torch.where(known.any(-1), again, played)
        chosen = torch.where(real.rows[..., -1] > 0, played, others[..., 0])
        told = torch.stack(
            [
                F.binary_cross_entropy_with_logits(
                    self.rhythm_logits(heard, rows, which), rhythm, reduction="none"
                ).sum(-1)
                * (rows[..., -1] > 0)
                for which, (rows, rhythm) in enumerate(
                    zip([real.rows, *song.earlier], real.rhythms)
                )
            ]
        )
        return torch.cat([new, others], dim=-1).logsumexp(-1) - chosen, told.sum(0)

    @torch.no_grad()
    def logits_of_codes(self, latents: Tensor, meters: Tensor | None = None) -> Tensor:
        """Return how well each code may stand for latents: -d^2 / T, [n, C].

        Args:
            latents: [n, K].
            meters: [n] int; None where they are of no matter.
        """
        never = (self.log_count < NEVER / 2)[None]
        if meters is not None and self.config.meters:
            never = never | ~self.suits(meters)
        apart = torch.cdist(latents, self.codes).square() / self.temperature
        return (-apart).masked_fill(never, -torch.inf)

    @torch.no_grad()
    def taken_up(self, rows: Tensor, same: float) -> Tensor:
        """Compare what was played with what was played before: d^2 / T, [N, T, T].

        Args:
            rows: [N, T, K + 1].
            same: d^2 / T up to which a block counts as one taken up; FAR beyond, and of blocks that
                are not earlier.
        """
        again = torch.cdist(rows[..., :-1], rows[..., :-1]).square() / self.temperature
        earlier = torch.ones_like(again, dtype=torch.bool).tril(-1) & (rows[:, None, :, -1] > 0)
        return again.masked_fill(~earlier | (again > same), FAR)

    def rhythm_logits(self, heard: Heard, rows: Tensor, which: int) -> Tensor:
        """Return how sure each number of the rhythm of rows [N, Q, K + 1] is, [N, Q, RHYTHM].

        which: 0 for rows of its own, and from 1 on for those of earlier instruments.
        """
        return self.rhythms[which]((rows * heard.factors[1 + which])[..., :-1])

    def _rhythm(self, heard: Heard, rows: Tensor, which: int) -> Tensor:
        """Return the rhythms of rows [N, Q, K + 1], zeros where nothing is known: [N, Q, RHYTHM].

        which: As of `rhythm_logits`.
        """
        rhythm = unit_rhythm(self.rhythm_logits(heard, rows, which).sigmoid())
        return rhythm * (rows[..., -1:] > 0)

    def _wanted_rhythm(
        self, wanted: Tensor, heard: Heard, song: Song, memory: Memory, at: slice
    ) -> Tensor:
        """Return the rhythm that codes should have, [N, Q, RHYTHM].

        Args:
            wanted: [N, Q, 2 for each rhythm that it may be like], how much.
            heard: As of `forward`.
            song: As of `forward`.
            memory: As of `forward`.
            at: As of `forward`.
        """
        shares = wanted.unflatten(-1, (-1, 2, 1))
        own = torch.stack([rows_before(memory.rhythms, at, by, known=True) for by in OLDER], dim=2)
        result = (shares[:, :, : len(OLDER)] * own.unflatten(-1, (2, -1))).sum(2)
        if song.earlier:
            others = [self._rhythm(heard, r[:, at], 1 + i) for i, r in enumerate(song.earlier)]
            halves = torch.stack(others, dim=2).unflatten(-1, (2, -1))
            # Either half of what the others play may be met by what is struck.
            meeting = (shares[:, :, len(OLDER) :] * halves).sum((2, 3))
            result = torch.cat([result[..., :1, :] + meeting[..., None, :], result[..., 1:, :]], 2)
        return result.flatten(2)

    def _played(self, heard: Heard, song: Song, at: slice) -> list[Tensor]:
        """Return what earlier instruments play in blocks, [N, Q, K + 1] each."""
        return [rows[:, at] * by for rows, by in zip(song.earlier, heard.factors[2:])]

    def _own_pairs(self, song: Song, at: slice, count: int) -> list[Tensor]:
        """Compare what is played here and there, as far as it is known here: [N, Q, M, F] each."""
        pairs = [
            alike(rows[:, at], rows[:, :count], spread)
            for rows, spread in zip(song.earlier, self.spreads[2:])
        ]
        everything = slice(0, count)
        for by in FOLLOWED:
            here, there = (rows_before(song.own, where, by) for where in (at, everything))
            pairs.append(alike(here, there, self.spreads[1]))
        return pairs


@dataclass
class SongPlayer:
    """One instrument's way through songs; see `harmony_network.Player`.

    Attributes:
        network: Whose.
        song: N songs; `own` is filled in on the way, by whoever calls.
        heard: What the network made of the melody.
        memory: Of the blocks that were final at the last choice.
        wishes: The same samplings with all that they wish of codes in `wish`, as few differ.
    """

    network: SongHarmonyNN
    song: Song
    heard: Heard = field(init=False)
    memory: Memory | None = None
    wishes: dict[Sampling, Sampling] = field(default_factory=dict)

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
        network._apply_wishes(logits, self._summed(sampling))
        index = draw(logits / sampling.temperature, sampling.top_p, generator)
        size = len(network.codes)
        chosen = network.codes[index.clamp(max=size - 1)]
        if block:
            earlier = (index - size - 1).clamp(min=0)
            taken = song.own[torch.arange(len(index)), earlier, :-1]
            chosen = torch.where((index > size)[:, None], taken, chosen)
        active = (index != size).to(chosen.dtype)[:, None]
        return torch.cat([chosen * active, active], dim=1)

    def _summed(self, sampling: Sampling) -> Sampling:
        """Return a sampling with all that it wishes of codes in `wish`."""
        if sampling.apart or sampling.wish is not None:
            return sampling
        known = replace(sampling, past=None)
        if known not in self.wishes:
            plain = Sampling(silence=sampling.silence, steadiness=sampling.steadiness)
            self.wishes[known] = replace(plain, wish=self.network.wishes(known))
        return replace(self.wishes[known], past=sampling.past)

    def _memory(self, block: int) -> Memory:
        """Return the memory of the blocks before this one."""
        known = self.memory.own.shape[1] if self.memory else 0
        if known < block or not self.memory:
            later = self.network.remember(self.heard, self.song, slice(known, block))
            self.memory = self.memory.followed_by(later) if self.memory and known else later
        return self.memory


def _rhythm_network(latent: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(latent, 64), nn.GELU(), nn.Linear(64, RHYTHM))
