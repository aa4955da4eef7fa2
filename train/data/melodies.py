"""Read the melodies of corpora as a MelodyNN learns from them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.music.keys import estimate_key
from accomp.music.score import Note
from accomp.roll import pianoroll
from accomp.roll.grid import MELODY, STEPS_PER_BEAT
from train.data.corpus import Corpus

VELOCITY = 80  # of notes whose key is estimated, which depends on no velocity


@dataclass(frozen=True)
class MelodyReading:
    """Which melodies are read."""

    fewest_blocks: int = 4  # a phrase; shorter melodies have no form to learn


class Melodies(NamedTuple):
    """The melodies of a split, one after another, each from its first block with notes to its last.

    Attributes:
        latents: [all blocks, Z + 1] the latent of each block, and whether it sounds.
        plan: [all blocks, H] the chords.
        planes: [all blocks, 2, 32, 128] uint8.
        places: [all blocks, 4] int64: of each block the first one of its song, its place in the
            song, the blocks of the song, and the genre.
        minor: [songs] bool.
    """

    latents: Tensor
    plan: Tensor
    planes: Tensor
    places: Tensor
    minor: np.ndarray

    @property
    def songs(self) -> list[slice]:
        """Where each song's blocks are."""
        first, _, blocks, _ = self.places[self.places[:, 1] == 0].T.tolist()
        return [slice(at, at + count) for at, count in zip(first, blocks)]

    def genre(self, song: slice) -> int:
        """Return the number of a song's genre."""
        return int(self.places[song.start, 3])


@torch.no_grad()
def read_melodies(
    corpora: list[Corpus],
    split: str,
    voice: Accompanist,
    genres: dict[str, int],
    settings: MelodyReading = MelodyReading(),
) -> Melodies:
    """Read the melodies of a split's songs.

    Args:
        corpora: The songs.
        split: train, val or test.
        voice: The model whose piano VAE gives the latents.
        genres: Number of the genre by label of the corpora.
        settings: Which melodies are read.
    """
    latents, plans, planes, places, minor = [], [], [], [], []
    total = 0
    for corpus in corpora:
        sounding = corpus.active(MELODY)
        for song in corpus.choose(split):
            own = corpus.own(song)
            at = own.start + np.flatnonzero(sounding[own])
            if len(at) < settings.fewest_blocks:
                continue
            inside = np.arange(at[0], at[-1] + 1)
            blocks, plan = corpus.blocks(MELODY, inside), corpus.plan[inside]
            latents.append(voice.encode(MELODY, blocks, plan))
            plans.append(plan)
            planes.append(blocks)
            genre = genres[corpus.songs[song]["genre"]]
            places += [(total, block, len(inside), genre) for block in range(len(inside))]
            total += len(inside)
            minor.append(_is_minor(blocks.numpy()))
    if not latents:
        empty = torch.zeros(0, 4, dtype=torch.int64)
        return Melodies(torch.zeros(0, 1), empty, torch.zeros(0), empty, np.zeros(0, bool))
    rows = torch.tensor(places, dtype=torch.int64)
    return Melodies(torch.cat(latents), torch.cat(plans), torch.cat(planes), rows, np.array(minor))


def _is_minor(blocks: np.ndarray) -> bool:
    """Tell whether a melody, blocks [B, 2, 32, 128], is in minor."""
    rows = pianoroll.from_planes(pianoroll.from_blocks(blocks))
    notes = [
        Note(int(pitch), step / STEPS_PER_BEAT, (end - step) / STEPS_PER_BEAT, VELOCITY)
        for pitch, step, end in rows
    ]
    return estimate_key(notes).is_minor
