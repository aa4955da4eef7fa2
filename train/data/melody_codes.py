"""The codebook of a MelodyNN: latents of blocks of real melodies that a voice could sing."""

import numpy as np
import torch
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.invention.pitch_line import SCALE
from accomp.models.melody_nn import MelodyNN
from accomp.roll import chord_plan as chords
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, MELODY, STEPS_PER_BEAT, TRACK_NAMES
from train.data.codebook import density_of, variety_of
from train.fit.melody_habits import Melodies

CODES_PER_SONG = 10
SINGABLE_ONSETS = 5, 16  # of a block that may be a code
SINGABLE_PITCHES = 4  # different ones, at least
MOST_REPEATED = 0.34  # share of its notes that repeat the one before
SINGABLE_SPAN = 15  # semitones
FAITHFUL = 0.7  # F1 of its onsets as the VAE plays them again
IN_KEY = 0.9  # share of its notes


@torch.no_grad()
def fill_codebook(model: MelodyNN, melodies: Melodies, voice: Accompanist, seed: int) -> None:
    """Latents of different blocks that a voice could sing and that the VAE plays as they were, genre by genre in turn, a few a
    song.
    """
    random = np.random.default_rng(seed)
    by_genre: dict[int, list[int]] = {}
    seen = set()
    good = singable(melodies, voice)
    songs = melodies.songs
    for song in random.permutation(len(songs)):
        rows = songs[song]
        own = random.permutation(np.flatnonzero(good[rows]) + rows.start)
        genre, taken = int(melodies.places[rows.start, 3]), 0
        for block in own:
            key = melodies.latents[block].mul(8).round().numpy().tobytes()
            if key not in seen and taken < CODES_PER_SONG:
                seen.add(key)
                taken += 1
                by_genre.setdefault(genre, []).append(int(block))
    size = model.config.harmony.codebook
    chosen: list[int] = []
    queues = [list(random.permutation(blocks)) for blocks in by_genre.values()]
    while len(chosen) < size and any(queues):
        chosen += [int(queue.pop()) for queue in queues if queue][: size - len(chosen)]
    if not chosen:
        raise SystemExit("no block of the corpora can be sung")
    planes = melodies.planes[chosen]
    model.network.set_codes(
        melodies.latents[chosen, :-1], density=density_of(planes), variety=variety_of(planes)
    )
    model.closing[: len(chosen)] = closing_of(planes)
    model.opening[: len(chosen)] = opening_of(planes)
    model.height[: len(chosen)] = height_of(planes, melodies.plan[chosen])


@torch.no_grad()
def singable(melodies: Melodies, voice: Accompanist) -> np.ndarray:
    """[all] bool: of which blocks a voice could sing the notes, and the VAE gives them back."""
    vae = voice.vaes[TRACK_NAMES[MELODY]]
    good = torch.zeros(len(melodies.plan), dtype=torch.bool)
    for at in range(0, len(good), 2048):
        real = melodies.planes[at : at + 2048, 0].bool()
        found = at + torch.nonzero(_by_its_notes(real))[:, 0]
        again = vae.binarise(vae.decode(melodies.latents[found, :-1], melodies.plan[found]))[
            :, 0
        ].bool()
        real = real[found - at]
        common, count = ((each.flatten(1).sum(1)) for each in (real & again, real))
        good[found] = 2 * common / (count + again.flatten(1).sum(1)) >= FAITHFUL
    return good.numpy()


def _by_its_notes(real: Tensor) -> Tensor:
    """[n] bool: of which blocks [n, 32, 128] a voice could sing the notes struck."""
    count, used, pitch = real.flatten(1).sum(1), real.any(1), torch.arange(real.shape[2])
    span = torch.where(used, pitch, -1).amax(1) - torch.where(used, pitch, 999).amin(1)
    in_key = (real.sum(1) * torch.from_numpy(SCALE)[pitch % 12]).sum(1) / count.clamp(min=1)
    fits = (
        (count >= SINGABLE_ONSETS[0])
        & (count <= SINGABLE_ONSETS[1])
        & (span <= SINGABLE_SPAN)
        & (in_key >= IN_KEY)
    )
    fits &= (real.sum(2) <= 1).all(1) & (used.sum(1) >= SINGABLE_PITCHES)
    return fits & (repeated(real) <= MOST_REPEATED)


def repeated(struck: Tensor) -> Tensor:
    """[n] share of the notes of [n, 32, 128] bool, one at a time, that repeat the one before."""
    pitch = torch.where(struck.any(2), struck.int().argmax(2), -1).numpy()
    notes = [row[row >= 0] for row in pitch]
    return torch.tensor(
        [float((np.diff(each) == 0).mean()) if len(each) > 1 else 1.0 for each in notes]
    )


def closing_of(planes: Tensor) -> Tensor:
    """[n], 0 to 1: how much blocks [n, 2, 32, 128] are the end of a phrase: their last note begins early and nothing follows."""
    struck = planes[:, 0].bool().any(-1)
    last = torch.where(struck, torch.arange(BLOCK_STEPS), -1).amax(1)
    return ((BLOCK_STEPS - 2 - last) / (BAR_STEPS - 4)).clamp(0, 1) * (last >= BAR_STEPS - 4)


def height_of(planes: Tensor, plan: Tensor) -> Tensor:
    """[n]: the mean pitch of blocks [n, 2, 32, 128] above the roots of the chords [n, H] under which they were played."""
    struck = planes[:, 0].float()
    pitch = (struck * torch.arange(struck.shape[2])).sum((1, 2)) / struck.sum((1, 2)).clamp(min=1)
    return pitch - chords.root_offset(plan).float().mean(1)


def opening_of(planes: Tensor) -> Tensor:
    """[n], 1 where blocks [n, 2, 32, 128] begin with a note within the first beat, else 0."""
    return planes[:, 0, :STEPS_PER_BEAT].flatten(1).any(1).float()
