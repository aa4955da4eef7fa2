"""What the trainings of HarmonyNNs of all kinds share: the songs, and what a task is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.roll.grid import TRACK_NAMES
from train.data.corpus import Corpus
from train.fit.loop import Task


@dataclass
class CorpusLatents:
    """All blocks of a corpus as latents.

    Attributes:
        plan: [all blocks, H] the chords.
        by_track: Of each track [all blocks, K + 1], latents and whether the block sounds.
        rhythms: Of each track of the accompaniment [all blocks, RHYTHM] bool; of the song network.
        meters: [all blocks] int; None where they are of no matter.
    """

    plan: Tensor
    by_track: dict[int, Tensor]
    rhythms: dict[int, Tensor] = field(default_factory=dict)
    meters: Tensor | None = None


def places_of(corpus: Corpus, songs: list[int], genres: dict[str, int], sounding: Tensor) -> Tensor:
    """List the blocks between the first and the last of each song in which its melody sounds.

    That is what a user gives; introductions without melody would teach silence.

    Args:
        corpus: The songs.
        songs: Which of them.
        genres: Number of the genre by label of the corpus.
        sounding: [all blocks], over 0 where the melody sounds.

    Returns:
        [blocks, 4] int64: the song's first block, the block's place in the song, the number of the
        song's blocks, and its genre.
    """
    rows = []
    for song in songs:
        own = corpus.own(song)
        at = torch.nonzero(sounding[own])[:, 0].tolist()
        if not at:
            continue
        first, count = own.start + at[0], at[-1] - at[0] + 1
        genre = genres[corpus.songs[song]["genre"]]
        rows += [(first, block, count, genre) for block in range(count)]
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, 4)


def of_players(places: Tensor, own: Tensor) -> Tensor:
    """Leave out the places [blocks, 4] of songs in which an instrument does not play.

    A song for three players does not teach the fourth to be silent.

    own: [all blocks], over 0 where the instrument sounds.
    """
    if not len(places):
        return places
    _, song = places[:, 0].unique(return_inverse=True)
    active = (own[places[:, 0] + places[:, 1]] > 0).to(torch.int64)
    return places[
        torch.zeros(int(song.max()) + 1, dtype=torch.int64).index_add_(0, song, active)[song] > 0
    ]


class PlayerTask(Task):
    """One instrument's HarmonyNN, of whichever kind, and what it learns from.

    Attributes:
        config: Of the band.
        track: Whose network.
        latents: All blocks of the corpus.
    """

    def __init__(
        self,
        band: Accompanist,
        track: int,
        latents: CorpusLatents,
        write_examples: Callable[[Path], None] | None = None,
    ):
        """Keep what is trained on what.

        Args:
            band: The models of which the network is one.
            track: Whose network.
            latents: All blocks of the corpus.
            write_examples: Writes music that the band plays.
        """
        super().__init__(band.harmony[TRACK_NAMES[track]])
        self.config, self.track, self.latents = band.config, track, latents
        self.write_examples = write_examples

    def evaluate(self, split: str) -> dict[str, float]:
        """Return the mean losses on a split: of each network, and of all steps."""
        raise NotImplementedError

    def validate(self) -> dict[str, float]:
        """Return the losses on validation songs."""
        return self.evaluate("val")

    def sample(self, folder: Path) -> None:
        """Write music that the band plays."""
        if self.write_examples:
            device = device_of(self.model)
            self.write_examples(folder)  # which leaves the band on the CPU
            self.model.to(device)


def device_of(network: torch.nn.Module) -> torch.device:
    """Return where a network's weights are."""
    return next(network.parameters()).device
