"""Train a HarmonyNN that attends over the song: whole songs, in part on from its own playing.

Letters: N songs of a batch, T blocks of the longest one, K latent size of an instrument.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from accomp.band.accompanist import Accompanist
from accomp.models.harmony_network import NEVER, Sampling, generated_before
from accomp.models.song_harmony import (
    FAR,
    FIRST,
    LAST,
    MIDDLE,
    SongHarmonyNN,
    SongPlayer,
)
from accomp.models.song_memory import Real, Song, unknown
from accomp.roll.grid import MELODY
from train.fit.code_shares import balance, code_shares
from train.fit.player_task import CorpusLatents, PlayerTask


@dataclass(frozen=True)
class SongTraining:
    """How often a network learns from what."""

    # Share of songs whose past the network has itself played (scheduled sampling, Bengio et al.
    # 2015, of whole songs).
    own_past: float = 0.3
    # Share of songs of which every block is a lesson for the first network, which hears nothing of
    # the past.
    first_lessons: float = 0.15
    forgotten: float = 0.15  # share of blocks of the past that are not known
    unheard: float = 0.1  # share of blocks in which an earlier instrument is not heard
    # Squared distance, in T of the soft targets, up to which a block counts as taken up: real
    # players' variations of a pattern are farther from it, and no repeats.
    same: float = 2.0
    closing: int = 2  # the last network learns from so many blocks at the end
    rhythms: float = 0.05  # weight of telling the rhythms of latents, in nats a block
    noise: float = 0.2  # standard deviation added to latents that are heard, of numbers of about 1
    at_once: int = 4096  # blocks that are rolled out together
    jitter: float = 0.2  # songs of about the same length lie in a batch: so much is about


class SongHarmonyTask(PlayerTask):
    """The networks of one instrument, and the songs they learn from."""

    model: SongHarmonyNN

    def __init__(
        self,
        band: Accompanist,
        track: int,
        latents: CorpusLatents,
        places: dict[str, Tensor],
        settings: SongTraining = SongTraining(),
        write_examples: Callable[[Path], None] | None = None,
    ):
        """Keep what is trained on what.

        Args:
            band: The models of which the network is one.
            track: Whose network.
            latents: All blocks of the corpus.
            places: By split, as of `places_of`: of whole songs.
            settings: How often it learns from what.
            write_examples: Writes music that the band plays.
        """
        super().__init__(band, track, latents, write_examples)
        self.settings = settings
        # Of each song its first block, the number of its blocks, and its genre.
        self.spans = {split: rows[rows[:, 1] == 0][:, [0, 2, 3]] for split, rows in places.items()}

    @cached_property
    def _codes(self) -> tuple[Tensor, Tensor]:
        """The codes that stand for all blocks, and their shares, as of `code_shares`."""
        rows, meters = self.latents.by_track[self.track], self.latents.meters
        index = self._new_blocks()
        liking = balance(self.model, rows[index, :-1], meters if meters is None else meters[index])
        return code_shares(self.model, rows[:, :-1], meters, liking)

    def _new_blocks(self) -> Tensor:
        """Return the numbers of the blocks of training songs that repeat no earlier one."""
        rows, found = self.latents.by_track[self.track], []
        for first, count, _ in self.spans["train"].tolist():
            own = rows[first : first + count]
            again = self.model.taken_up(own[None], self.settings.same)[0] < FAR
            found.append(first + torch.nonzero((own[:, -1] > 0) & ~again.any(1))[:, 0])
        index = torch.cat(found)
        return index[torch.randperm(len(index), generator=torch.Generator().manual_seed(0))]

    def real(self, spans: Tensor) -> Real:
        """Return what real players played in songs [N, 3]."""
        rows = padded(self.latents.by_track[self.track], spans)
        codes, shares = (padded(known, spans) for known in self._codes)
        again = self.model.taken_up(rows, self.settings.same)
        players = (self.track, *generated_before(self.track))
        rhythms = [padded(self.latents.rhythms[which], spans).float() for which in players]
        return Real(rows, codes, shares, again, rhythms)

    def song(self, spans: Tensor) -> Song:
        """Return what the network hears of songs [N, 3]."""
        tracks, meters = self.latents.by_track, self.latents.meters
        return Song(
            melody=padded(tracks[MELODY], spans),
            plan=padded(self.latents.plan, spans),
            blocks=spans[:, 1],
            genre=spans[:, 2],
            earlier=[padded(tracks[other], spans) for other in generated_before(self.track)],
            own=padded(tracks[self.track], spans),
            meters=None if meters is None else padded(meters, spans),
        )

    def batches(self, generator: torch.Generator, size: int) -> Iterator[dict]:
        """Give batches of whole songs of about `size` blocks."""
        spans, settings = self.spans["train"], self.settings
        rolled = torch.rand(len(spans), generator=generator) < settings.own_past
        played = self._rolled_out(spans[rolled], generator)
        groups = grouped(spans, size, settings.jitter, generator)
        for index in torch.randperm(len(groups), generator=generator).tolist():
            chosen = groups[index]
            song, real = self.song(spans[chosen]), self.real(spans[chosen])
            own = real.rows.clone()
            for row, number in enumerate(chosen.tolist()):
                rows = played.get(int(spans[number, 0]))
                if rows is not None:
                    own[row, : len(rows)] = rows
            song, steps = self._lesson(replace(song, own=own), real.rows, generator)
            yield {"song": vars(song), "real": vars(real), "steps": steps}

    def _lesson(self, song: Song, real: Tensor, generator: torch.Generator) -> tuple[Song, Tensor]:
        """Draw which networks learn, and what they do not know."""
        settings = self.settings

        def drawn(share: float, *shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator) < share

        steps = steps_of(real, song.blocks, settings.closing)
        is_first = drawn(settings.first_lessons, len(real))[:, None] & (real[..., -1] > 0)
        lesson = is_first.any(1, keepdim=True)
        steps = torch.where(lesson, FIRST, steps)
        forgotten = lesson | drawn(settings.forgotten, *steps.shape)
        own = torch.where(
            forgotten[..., None], unknown(song.own), self._noisy(song.own, 1, generator)
        )
        earlier = []
        for i, rows in enumerate(song.earlier):
            silent = drawn(settings.unheard, *steps.shape)[..., None]
            earlier.append(torch.where(silent, 0.0, self._noisy(rows, 2 + i, generator)))
        melody = self._noisy(song.melody, 0, generator)
        return replace(song, own=own, earlier=earlier, melody=melody), steps

    def _noisy(self, rows: Tensor, index: int, generator: torch.Generator) -> Tensor:
        latents = rows[..., :-1]
        scale = (
            self.settings.noise * (self.model.spreads[index].cpu() / (2 * latents.shape[-1])).sqrt()
        )
        noise = scale * torch.randn(latents.shape, generator=generator)
        return torch.cat([latents + noise * (rows[..., -1:] > 0), rows[..., -1:]], dim=-1)

    @torch.no_grad()
    def _rolled_out(self, spans: Tensor, generator: torch.Generator) -> dict[int, Tensor]:
        """Return what the network plays in songs, by their first block, [T, K + 1] each.

        It plays where real players do, on from their first block.
        """
        settings, found = self.settings, {}
        self.model.eval()
        sampling = Sampling(self.config.temperature, self.config.top_p, silence=NEVER)
        for chosen in grouped(spans, settings.at_once, settings.jitter, generator):
            song = self.song(spans[chosen])
            real = song.own
            steps = steps_of(real, song.blocks, 1)
            song.own = real.clone()
            player = SongPlayer(self.model, song)
            for block in range(1, real.shape[1]):
                plays = (steps[:, block] != FIRST) & (real[:, block, -1] > 0)
                if not plays.any():
                    continue
                own = player.choose_all(
                    steps[:, block].clamp(min=MIDDLE), block, generator, sampling
                )
                song.own[:, block] = torch.where(plays[:, None], own, song.own[:, block])
            for row, number in enumerate(chosen.tolist()):
                first, count, _ = spans[number].tolist()
                found[first] = song.own[row, :count]
        self.model.train()
        return found

    def losses(self, progress: float, batch: dict) -> dict[str, Tensor]:
        """Return the mean loss of a batch."""
        song, real, steps = Song(**batch["song"]), Real(**batch["real"]), batch["steps"]
        values, told = self.model.loss(song, real, steps)
        taught = counted(song, real.rows, steps)
        following, rhythms = values[taught].mean(), told[taught].mean()
        return {
            "loss": following + self.settings.rhythms * rhythms,
            "following": following,
            "rhythms": rhythms,
        }

    @torch.no_grad()
    def evaluate(self, split: str) -> dict[str, float]:
        """Return the mean losses on a split: of each network, and of all steps."""
        found = []
        for chosen in grouped(self.spans[split], self.settings.at_once):
            spans = self.spans[split][chosen]
            song, real = self.song(spans), self.real(spans)
            steps = steps_of(song.own, song.blocks, 1)
            values, _ = self.model.loss(song, real, steps)
            kept = counted(song, song.own, steps)
            found.append(torch.stack([values[kept], steps[kept].to(values.dtype)]))
        values, steps = torch.cat(found, dim=1)
        named = {"first": FIRST, "middle": MIDDLE, "last": LAST}
        by_step = {name: values[steps == index] for name, index in named.items()}
        return {"loss": float(values.mean())} | {
            name: float(each.mean()) for name, each in by_step.items() if len(each)
        }


def padded(rows: Tensor, spans: Tensor) -> Tensor:
    """Pick the rows of songs [N, 3]: [N, T, ...], filled up with zeros."""
    own = [rows[first : first + count] for first, count, _ in spans.tolist()]
    return pad_sequence(own, batch_first=True)


def spreads_of(latents: CorpusLatents, track: int) -> Tensor:
    """Return the mean squared distances of two latents as `SongHarmonyNN.spreads` has them."""
    found = torch.ones(2 + len(generated_before(track)))
    for i, which in enumerate((MELODY, track, *generated_before(track))):
        rows = latents.by_track[which]
        rows = rows[rows[:, -1] > 0, :-1]
        if len(rows) > 1:  # the spread of a part that nobody plays is of no matter
            found[i] = (2 * rows.var(0).sum()).clamp(min=1e-6)
    return found


def steps_of(real: Tensor, blocks: Tensor, closing: int) -> Tensor:
    """Return which network plays each block, [N, T] int.

    The first one until the instrument has played, the last one at the end.

    Args:
        real: [N, T, K + 1] what is played.
        blocks: [N] how many blocks each song has.
        closing: How many at the end are the last network's.
    """
    active = (real[..., -1] > 0).cumsum(1)
    played = torch.cat([torch.zeros_like(active[:, :1]), active[:, :-1]], dim=1) > 0
    at = torch.arange(real.shape[1])
    steps = torch.where(at >= blocks[:, None] - closing, LAST, MIDDLE)
    return torch.where(played, steps, FIRST)


def counted(song: Song, real: Tensor, steps: Tensor) -> Tensor:
    """Return which blocks teach, [N, T] bool.

    The openings of real songs would teach the first network silence.
    """
    inside = torch.arange(real.shape[1], device=real.device) < song.blocks[:, None]
    return inside & ((steps != FIRST) | (real[..., -1] > 0))


def grouped(
    spans: Tensor, size: int, jitter: float = 0.0, generator: torch.Generator | None = None
) -> list[Tensor]:
    """Part songs into groups of about the same length and of at most `size` blocks.

    Args:
        spans: [songs, 3].
        size: Blocks of a group, with those that fill up shorter songs.
        jitter: Standard deviation of the logarithm of lengths by which songs are told apart.
        generator: Draws it.
    """
    length = spans[:, 1].to(torch.float32)
    if jitter:
        length = length * (jitter * torch.randn(len(spans), generator=generator)).exp()
    groups: list[list[int]] = []
    longest = 0
    for song in length.argsort().tolist():
        longest = max(longest, int(spans[song, 1]))
        if not groups or longest * (len(groups[-1]) + 1) > size:
            groups.append([])
            longest = int(spans[song, 1])
        groups[-1].append(song)
    return [torch.tensor(group) for group in groups]
