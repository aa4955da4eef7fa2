"""A Transformer-XL over note tokens that plays a band to a melody, after the second baseline of Tham & Kim 2021 (Dai et al.
2019: segment-level recurrence and relative positions): `python -m train rivals.transformer --corpus CORPUS --run RUN`.

A bar is a token, the melody's notes in it, a token for the band's entry, and then steps, each with the notes that the band
strikes there; train.rivals.tokens has the alphabet. The melody is given, so nothing is lost on predicting it, and at
generation it is forced and the band sampled. A note's length is predicted from what the network sees and the note chosen.
The published baseline's model is larger and trained elsewhere; width, depth and alphabet here are ours, for one CPU core.
(With several processes, what each remembers is not the segment right before: train it on one.)
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.roll.grid import ACCOMPANIMENT, BAR_STEPS, DRUMS, MELODY
from train.data.corpus import Corpus
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.run_files import WEIGHTS, save_weights
from train.fit.settings import CONFIGS, Session, training_parser
from train.rivals import tokens, write_figures
from train.rivals.attention import Layer
from train.rivals.tokens import BAND, BAR, BARS, BLANK, CHOSEN, DURATIONS, FIRST_NOTE, Excerpts

WIDTH, LAYERS, HEADS = 192, 4, 4
SEGMENT = 192  # tokens; as many of the segment before are remembered in training
CONTEXT = 2 * SEGMENT  # tokens that are seen at generation: as far back as in training
EPOCH_SEGMENTS = 80  # of each stream of a batch
VALIDATION_STREAMS, VALIDATION_SEGMENTS = 8, 12
TEMPERATURE, TOP_P = 0.95, 0.95


class Transformer(nn.Module):
    def __init__(self, width: int = WIDTH, layers: int = LAYERS, heads: int = HEADS):
        super().__init__()
        self.width = width
        self.token, self.step = nn.Embedding(tokens.TOKENS, width), nn.Embedding(BAR_STEPS, width)
        self.duration, self.bar = nn.Embedding(len(DURATIONS) + 1, width), nn.Embedding(BARS, width)
        for table in (self.token, self.step, self.duration, self.bar):
            nn.init.normal_(table.weight, std=0.5)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.next_token = nn.Linear(width, CHOSEN)
        self.next_duration = nn.Sequential(
            nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, len(DURATIONS))
        )

    def embed(self, rows: Tensor) -> Tensor:
        """[..., 4] (token, step, duration class or 0, bar) to [..., width]."""
        token, step, duration, bar = rows.unbind(-1)
        return self.token(token) + self.step(step) + self.duration(duration) + self.bar(bar)

    def distances(self, count: int) -> list[Tensor]:
        """Of each layer [heads, count, D]: the positions at distance count - 1 to 0."""
        distance = torch.arange(count - 1, -1, -1, device=self.next_token.weight.device)[:, None]
        rate = torch.exp(
            torch.arange(0, self.width, 2, device=distance.device)
            * (-math.log(10_000) / self.width)
        )
        waves = torch.cat([(distance * rate).sin(), (distance * rate).cos()], dim=-1)
        return [layer.split(layer.position(waves)) for layer in self.layers]

    def forward(
        self, rows: Tensor, songs: Tensor, memory: tuple[list[Tensor], Tensor] | None = None
    ):
        """rows: [B, T, 4] tokens of a segment (see `embed`); songs: [B, T], tokens see those of their own song only; memory: what
        was returned for the segment before. Returns hidden states [B, T, width] and the memory for the next segment.
        """
        count = rows.shape[1]
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
            remembered.append(context[:, -SEGMENT:].detach())
            x = layer(x, *layer.keys_values(context), positions, hidden_from)
        return self.norm(x), (remembered, all_songs[:, -SEGMENT:])

    def durations(self, hidden: Tensor, token: Tensor) -> Tensor:
        """Logits [..., durations] of the length of the note `token` that follows hidden states [..., width]."""
        return self.next_duration(torch.cat([hidden, self.token(token).to(hidden.dtype)], dim=-1))


def losses_of(
    network: Transformer, hidden: Tensor, rows: Tensor, songs: Tensor
) -> dict[str, Tensor]:
    """Of hidden states [B, T, width] and what they were to foretell, one token longer: the cross-entropy of the band's tokens
    and of their notes' lengths, both by token, and their sum `loss`. The melody, and another song's beginning, do not count.
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
    """The trained network of a run."""

    temperature, top_p = TEMPERATURE, TOP_P

    def __init__(self, run: Path, corpus: Corpus | None = None):
        self.network = Transformer()
        self.network.load_state_dict(load_file(run / WEIGHTS))
        self.network.eval()

    @torch.inference_mode()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals. The melody's tokens are forced; the band's are sampled with a temperature from the smallest set of
        tokens that has TOP_P of the probability. A step's notes rise in the order of their tokens, so that none comes twice.
        """
        random = np.random.default_rng(seed)
        bars = planes.shape[1] // BAR_STEPS
        given = tokens.tokens_of({MELODY: tokens.rows_of(planes)}, bars)
        cache = Cache(self.network)
        notes: list[tuple[int, int, int, int]] = []
        for bar in range(bars):
            for row in given[given[:, 4] == bar, :4]:  # up to the band's entry
                hidden = cache.see(row)
            token, step = BAND, 0
            while (token := self.next_token(hidden, token, step, random)) != BAR:
                length = 0
                if token < FIRST_NOTE:
                    step = token - BLANK
                else:
                    track, pitch = tokens.note_token(token)
                    if track != DRUMS:
                        length = 1 + self.choose(
                            self.network.durations(hidden, torch.tensor(token)), random
                        )
                    notes.append(
                        (track, pitch, bar * BAR_STEPS + step, DURATIONS[max(length - 1, 0)])
                    )
                hidden = cache.see(np.array([token, step, length, bar % BARS]))
        return tokens.band_planes(notes, planes.shape[1], ACCOMPANIMENT)

    def next_token(self, hidden: Tensor, last: int, step: int, random: np.random.Generator) -> int:
        allowed = torch.from_numpy(tokens.allowed(last, step))
        return self.choose(self.network.next_token(hidden).masked_fill(~allowed, -math.inf), random)

    def choose(self, logits: Tensor, random: np.random.Generator) -> int:
        chance = (logits.double() / self.temperature).softmax(0).numpy()
        order = np.argsort(-chance, kind="stable")
        kept = order[: int(np.searchsorted(chance[order].cumsum(), self.top_p)) + 1]
        return int(random.choice(kept, p=chance[kept] / chance[kept].sum()))


class Cache:
    """What the network has seen of a song, as keys and values, so that each further token costs one pass of one token."""

    def __init__(self, network: Transformer):
        self.network = network
        self.positions = [p.contiguous() for p in network.distances(CONTEXT)]
        layer = network.layers[0]
        shape = (len(network.layers), 2, 1, layer.heads, 4 * CONTEXT, network.width // layer.heads)
        self.kept, self.count = torch.zeros(shape), 0

    def see(self, row: np.ndarray) -> Tensor:
        """The hidden state [width] after a token (token, step, duration class or 0, bar)."""
        if self.count == self.kept.shape[4]:  # full: begin again with what can still be seen
            self.kept[..., :CONTEXT, :] = self.kept[..., -CONTEXT:, :].clone()
            self.count = CONTEXT
        self.count += 1
        first = max(0, self.count - CONTEXT)
        x = self.network.embed(torch.from_numpy(row)[None, None])
        for at, layer in enumerate(self.network.layers):
            for part, value in enumerate(layer.keys_values(x)):
                self.kept[at, part, :, :, self.count - 1] = value[:, :, 0]
            keys, values = self.kept[at, :, :, :, first : self.count]
            x = layer(x, keys, values, self.positions[at][:, CONTEXT - keys.shape[2] :], None)
        return self.network.norm(x)[0, 0]


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("rivals.transformer", __doc__)
    options.set_defaults(config=CONFIGS / "rivals.yaml")
    session = Session.open(options.parse_args(arguments))
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)
    network = Transformer()
    excerpts = {split: Excerpts(corpus, session.songs(split)) for split in ("train", "val")}
    memory: dict = {}

    def batches(generator: torch.Generator, size: int):
        yield from excerpts["train"].segments(generator, size, EPOCH_SEGMENTS, SEGMENT)

    def losses(progress: float, batch) -> dict[str, Tensor]:
        rows, songs = batch
        with torch.autocast(rows.device.type, torch.bfloat16):
            hidden, memory["train"] = network(rows[:, :-1], songs[:, :-1], memory.get("train"))
            return losses_of(network, hidden, rows, songs)

    @torch.no_grad()
    def validate() -> dict[str, float]:
        sums, seen = {}, None
        fixed = torch.Generator().manual_seed(0)
        for rows, songs in excerpts["val"].segments(
            fixed, VALIDATION_STREAMS, VALIDATION_SEGMENTS, SEGMENT
        ):
            rows, songs = rows.to(network.norm.weight.device), songs.to(network.norm.weight.device)
            hidden, seen = network(rows[:, :-1], songs[:, :-1], seen)
            for name, value in losses_of(network, hidden, rows, songs).items():
                sums[name] = sums.get(name, 0.0) + float(value) / VALIDATION_SEGMENTS
        return sums

    settings = FitSettings(**session.config["transformer"], seed=options.seed)
    history = fit(
        options.run, FunctionTask(network, losses, batches, validate), settings, options.max_steps
    )
    save_weights(options.run, network)
    write_figures(session, network, history)


if __name__ == "__main__":
    main()
