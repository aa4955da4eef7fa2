"""Train a Transformer-XL over note tokens that plays a band to a melody.

    python -m train rivals.transformer --corpus CORPUS --run RUN

It follows the second baseline of Tham & Kim 2021 (Dai et al. 2019: segment-level recurrence and
relative positions). A bar is a token, the melody's notes in it, a token for the band's entry, and
then steps, each with the notes that the band strikes there; train.rivals.tokens has the alphabet.
The melody is given: it is not learned to be predicted, and while playing, its tokens are forced and
those of the band sampled. A note's length is predicted from what the network has seen and the note
chosen. The published baseline's model is larger and trained elsewhere; width, depth and alphabet
here are ours, for one CPU core. With several processes, what each remembers is not the segment
right before: train it on one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.roll.grid import ACCOMPANIMENT, BAR_STEPS, DRUMS, MELODY
from train.data.corpus import Corpus
from train.fit.loop import FitSettings, Task
from train.fit.run_files import WEIGHTS
from train.fit.settings import Session
from train.rivals import tokens
from train.rivals.attention import Layer
from train.rivals.tokens import BAND, BAR, BARS, BLANK, CHOSEN, DURATIONS, FIRST_NOTE, Excerpts
from train.rivals.training import rival_parser, train_rival

# Of each layer what it remembers, and the songs that that is of, [B, segment].
Memory = tuple[list[Tensor], Tensor]


@dataclass(frozen=True)
class TransformerSettings:
    """Sizes of the network, and how it is trained and played."""

    width: int = 192
    layers: int = 4
    heads: int = 4
    segment: int = 192  # tokens; as many of the segment before are remembered in training
    excerpt_bars: int = 32  # of a song, before another song follows
    epoch_segments: int = 80  # of each stream of a batch
    validation_streams: int = 8
    validation_segments: int = 12
    temperature: float = 0.95
    top_p: float = 0.95  # the likeliest tokens of this probability are sampled from

    @property
    def context(self) -> int:
        """Tokens that are seen while playing: as far back as in training."""
        return 2 * self.segment


class Transformer(nn.Module):
    """From tokens to hidden states, of which tokens and lengths are predicted."""

    def __init__(self, settings: TransformerSettings = TransformerSettings()):
        super().__init__()
        self.settings, width = settings, settings.width
        self.token, self.step = nn.Embedding(tokens.TOKENS, width), nn.Embedding(BAR_STEPS, width)
        self.duration, self.bar = nn.Embedding(len(DURATIONS) + 1, width), nn.Embedding(BARS, width)
        for table in (self.token, self.step, self.duration, self.bar):
            nn.init.normal_(table.weight, std=0.5)
        self.layers = nn.ModuleList(Layer(width, settings.heads) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(width)
        self.next_token = nn.Linear(width, CHOSEN)
        self.next_duration = nn.Sequential(
            nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, len(DURATIONS))
        )

    def embed(self, rows: Tensor) -> Tensor:
        """Return [..., width] of rows [..., 4]: token, step, duration class or 0, bar."""
        token, step, duration, bar = rows.unbind(-1)
        return self.token(token) + self.step(step) + self.duration(duration) + self.bar(bar)

    def distances(self, count: int) -> list[Tensor]:
        """Return of each layer the positions at distance count - 1 to 0, [heads, count, D]."""
        distance = torch.arange(count - 1, -1, -1, device=self.next_token.weight.device)[:, None]
        width = self.settings.width
        rate = torch.exp(
            torch.arange(0, width, 2, device=distance.device) * (-math.log(10_000) / width)
        )
        waves = torch.cat([(distance * rate).sin(), (distance * rate).cos()], dim=-1)
        return [layer.split(layer.position(waves)) for layer in self.layers]

    def forward(
        self, rows: Tensor, songs: Tensor, memory: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """Return hidden states of a segment, [B, T, width], and the memory for the next.

        rows: [B, T, 4] tokens (see `embed`); songs: [B, T], tokens see those of their own song
        only; memory: what was returned for the segment before.
        """
        count, segment = rows.shape[1], self.settings.segment
        past, past_songs = memory or ([None] * len(self.layers), songs[:, :0])
        all_songs = torch.cat([past_songs, songs], dim=1)
        ahead = torch.ones(count, all_songs.shape[1], dtype=torch.bool, device=rows.device).triu(
            all_songs.shape[1] - count + 1
        )
        unseen = (ahead | (songs[:, :, None] != all_songs[:, None]))[:, None]
        hidden_from = torch.zeros(unseen.shape, device=rows.device).masked_fill(unseen, -1e9)
        x, remembered = self.embed(rows), []
        for layer, before, positions in zip(self.layers, past, self.distances(all_songs.shape[1])):
            context = x if before is None else torch.cat([before, x], dim=1)
            remembered.append(context[:, -segment:].detach())
            x = layer(x, *layer.keys_values(context), positions, hidden_from)
        return self.norm(x), (remembered, all_songs[:, -segment:])

    def durations(self, hidden: Tensor, token: Tensor) -> Tensor:
        """Return logits of a note's length, [..., durations].

        hidden: [..., width] the states that the note `token` follows.
        """
        return self.next_duration(torch.cat([hidden, self.token(token).to(hidden.dtype)], dim=-1))


def band_losses(
    network: Transformer, hidden: Tensor, rows: Tensor, songs: Tensor
) -> dict[str, Tensor]:
    """Return the cross-entropies of the band's tokens and of their notes' lengths, and their sum.

    Both are by token. The melody, and another song's beginning, do not count.

    Args:
        network: Predicts them.
        hidden: [B, T, width] hidden states.
        rows: [B, T + 1, 4] what was given and was to be predicted.
        songs: [B, T + 1].
    """
    target, same = rows[:, 1:], songs[:, 1:] == songs[:, :-1]
    counted = same & (target[..., 0] < CHOSEN) & (target[..., 0] != BAND)
    seen, token = hidden[counted], target[counted][:, 0]
    by_token = F.cross_entropy(network.next_token(seen).float(), token)
    long = target[counted][:, 2] > 0
    lengths = network.durations(seen[long], token[long]).float()
    by_length = F.cross_entropy(lengths, target[counted][long][:, 2] - 1, reduction="sum") / max(
        len(token), 1
    )
    return {"loss": by_token + by_length, "token": by_token, "length": by_length}


class Transformers:
    """The trained network of a run, as an accompanist."""

    def __init__(
        self,
        run: Path,
        corpus: Corpus | None = None,
        settings: TransformerSettings = TransformerSettings(),
    ):
        self.settings = settings
        self.network = Transformer(settings)
        self.network.load_state_dict(load_file(run / WEIGHTS))
        self.network.eval()

    @torch.inference_mode()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals.

        The melody's tokens are forced; the band's are sampled with a temperature from the smallest
        set of tokens that has `top_p` of the probability. A step's notes rise in the order of their
        tokens, so that none comes twice.
        """
        random = np.random.default_rng(seed)
        bars = planes.shape[1] // BAR_STEPS
        given = tokens.song_tokens({MELODY: tokens.rows_of(planes)}, bars)
        cache = Cache(self.network)
        notes: list[tuple[int, int, int, int]] = []
        for bar in range(bars):
            for row in given[given[:, 4] == bar, :4]:  # up to the band's entry
                hidden = cache.see(row)
            token, step = BAND, 0
            while (token := self._next_token(hidden, token, step, random)) != BAR:
                length = 0
                if token < FIRST_NOTE:
                    step = token - BLANK
                else:
                    track, pitch = tokens.note_token(token)
                    if track != DRUMS:
                        lengths = self.network.durations(hidden, torch.tensor(token))
                        length = 1 + self._sampled(lengths, random)
                    duration = DURATIONS[max(length - 1, 0)]
                    notes.append((track, pitch, bar * BAR_STEPS + step, duration))
                hidden = cache.see(np.array([token, step, length, bar % BARS]))
        return tokens.band_planes(notes, planes.shape[1], ACCOMPANIMENT)

    def _next_token(self, hidden: Tensor, last: int, step: int, random: np.random.Generator) -> int:
        """Sample what follows the band's token `last` on a step."""
        allowed = torch.from_numpy(tokens.allowed(last, step))
        logits = self.network.next_token(hidden).masked_fill(~allowed, -math.inf)
        return self._sampled(logits, random)

    def _sampled(self, logits: Tensor, random: np.random.Generator) -> int:
        chance = (logits.double() / self.settings.temperature).softmax(0).numpy()
        order = np.argsort(-chance, kind="stable")
        likeliest = np.searchsorted(chance[order].cumsum(), self.settings.top_p)
        kept = order[: int(likeliest) + 1]
        return int(random.choice(kept, p=chance[kept] / chance[kept].sum()))


class Cache:
    """What the network has seen of a song: each further token costs one pass of one token.

    Attributes:
        kept: [layers, 2, 1, heads, 4 contexts, D] keys and values.
        count: How many tokens are in it.
    """

    def __init__(self, network: Transformer):
        settings = network.settings
        self.network, self.context = network, settings.context
        self.positions = [p.contiguous() for p in network.distances(self.context)]
        heads, size = settings.heads, settings.width // settings.heads
        shape = (settings.layers, 2, 1, heads, 4 * self.context, size)
        self.kept, self.count = torch.zeros(shape), 0

    def see(self, row: np.ndarray) -> Tensor:
        """Return the hidden state [width] after a token: token, step, duration class or 0, bar."""
        context = self.context
        if self.count == self.kept.shape[4]:  # full: begin again with what can still be seen
            self.kept[..., :context, :] = self.kept[..., -context:, :].clone()
            self.count = context
        self.count += 1
        first = max(0, self.count - context)
        x = self.network.embed(torch.from_numpy(row)[None, None])
        for at, layer in enumerate(self.network.layers):
            for part, value in enumerate(layer.keys_values(x)):
                self.kept[at, part, :, :, self.count - 1] = value[:, :, 0]
            keys, values = self.kept[at, :, :, :, first : self.count]
            x = layer(x, keys, values, self.positions[at][:, context - keys.shape[2] :], None)
        return self.network.norm(x)[0, 0]


def main(
    arguments: list[str] | None = None, settings: TransformerSettings = TransformerSettings()
) -> None:
    """Train the network."""
    session = Session.open(rival_parser("transformer", __doc__).parse_args(arguments))
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)
    network = Transformer(settings)
    excerpts = {
        split: Excerpts(corpus, session.songs(split), settings.excerpt_bars)
        for split in ("train", "val")
    }
    fit_settings = FitSettings(**session.config["transformer"], seed=options.seed)
    train_rival(session, TransformerTask(network, excerpts), fit_settings, network)


class TransformerTask(Task):
    """The network and the excerpts that it learns from."""

    model: Transformer

    def __init__(self, model: Transformer, excerpts: dict[str, Excerpts]):
        super().__init__(model)
        self.excerpts, self.settings = excerpts, model.settings
        self.memory: Memory | None = None  # of the segment before

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give segments of `size` streams: rows [N, T + 1, 4] and songs [N, T + 1]."""
        segments, segment = self.settings.epoch_segments, self.settings.segment
        yield from self.excerpts["train"].segments(generator, size, segments, segment)

    def losses(self, progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the losses of `band_losses`, and remember the segment."""
        rows, songs = batch
        with torch.autocast(rows.device.type, torch.bfloat16):
            hidden, self.memory = self.model(rows[:, :-1], songs[:, :-1], self.memory)
            return band_losses(self.model, hidden, rows, songs)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the same on validation songs."""
        sums, memory, settings = {}, None, self.settings
        device = self.model.norm.weight.device
        count = settings.validation_segments
        segments = self.excerpts["val"].segments(
            torch.Generator().manual_seed(0), settings.validation_streams, count, settings.segment
        )
        for rows, songs in segments:
            rows, songs = rows.to(device), songs.to(device)
            hidden, memory = self.model(rows[:, :-1], songs[:, :-1], memory)
            for name, value in band_losses(self.model, hidden, rows, songs).items():
                sums[name] = sums.get(name, 0.0) + float(value) / count
        return sums


if __name__ == "__main__":
    main()
