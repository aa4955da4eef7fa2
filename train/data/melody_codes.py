"""Fill the codebook of a MelodyNN with latents of blocks of real melodies that can be sung."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.invention.pitch_line import SCALE
from accomp.models.melody_nn import MelodyNN
from accomp.roll import chord_plan
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, MELODY, STEPS_PER_BEAT, TRACK_NAMES
from train.data.codebook import density_of, latent_key, variety_of
from train.data.melodies import Melodies


@dataclass(frozen=True)
class MelodyCodeSettings:
    """Which blocks become codes; they must be as a voice could sing them."""

    per_song: int = 10  # so that no song fills the codebook
    grain: float = 8.0  # latents that are equal when rounded to 1/grain are one code
    fewest_onsets: int = 5  # fewer are an end of a phrase rather than a phrase
    most_onsets: int = 16  # more leave no time to breathe
    fewest_pitches: int = 4  # different ones
    most_repeated: float = 0.34  # share of the notes that repeat the one before
    span: int = 15  # semitones from the lowest to the highest note
    faithful: float = 0.7  # F1 of the onsets as the VAE decodes them
    in_key: float = 0.9  # share of the notes


@torch.no_grad()
def fill_melody_codebook(
    model: MelodyNN,
    melodies: Melodies,
    voice: Accompanist,
    seed: int,
    settings: MelodyCodeSettings = MelodyCodeSettings(),
) -> None:
    """Give a model the latents of different blocks, a few of each song, genre by genre in turn.

    Args:
        model: Gets the codes.
        melodies: The blocks.
        voice: The model whose piano VAE gave the latents.
        seed: Of the draw.
        settings: Which blocks become codes.

    Raises:
        SystemExit: No block can be sung.
    """
    random = np.random.default_rng(seed)
    good = singable(melodies, voice, settings)
    queues = _queues_by_genre(melodies, good, random, settings)
    size = model.config.harmony.codebook
    chosen: list[int] = []
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


def _queues_by_genre(
    melodies: Melodies, good: np.ndarray, random: np.random.Generator, settings: MelodyCodeSettings
) -> list[list[int]]:
    """Return the numbers of good blocks with different latents, of each genre in random order."""
    by_genre: dict[int, list[int]] = {}
    seen = set()
    songs = melodies.songs
    for song in random.permutation(len(songs)):
        rows = songs[song]
        taken = 0
        for block in random.permutation(np.flatnonzero(good[rows]) + rows.start):
            key = latent_key(melodies.latents[block], settings.grain)
            if key not in seen and taken < settings.per_song:
                seen.add(key)
                taken += 1
                by_genre.setdefault(melodies.genre(rows), []).append(int(block))
    return [list(random.permutation(blocks)) for blocks in by_genre.values()]


@torch.no_grad()
def singable(
    melodies: Melodies, voice: Accompanist, settings: MelodyCodeSettings = MelodyCodeSettings()
) -> np.ndarray:
    """Tell which blocks can be sung and are decoded faithfully by the VAE, [all blocks] bool."""
    vae = voice.vaes[TRACK_NAMES[MELODY]]
    good = torch.zeros(len(melodies.plan), dtype=torch.bool)
    for at in range(0, len(good), 2048):
        real = melodies.planes[at : at + 2048, 0].bool()
        found = at + torch.nonzero(_has_singable_notes(real, settings))[:, 0]
        decoded = vae.decode(melodies.latents[found, :-1], melodies.plan[found])
        again = vae.binarise(decoded)[:, 0].bool()
        real = real[found - at]
        common, count = ((each.flatten(1).sum(1)) for each in (real & again, real))
        good[found] = 2 * common / (count + again.flatten(1).sum(1)) >= settings.faithful
    return good.numpy()


def _has_singable_notes(struck: Tensor, settings: MelodyCodeSettings) -> Tensor:
    """Tell of which blocks [n, 32, 128] bool the notes struck can be sung, [n] bool."""
    count, used, pitch = struck.flatten(1).sum(1), struck.any(1), torch.arange(struck.shape[2])
    span = torch.where(used, pitch, -1).amax(1) - torch.where(used, pitch, 999).amin(1)
    in_key = (struck.sum(1) * torch.from_numpy(SCALE)[pitch % 12]).sum(1) / count.clamp(min=1)
    fits = (
        (count >= settings.fewest_onsets)
        & (count <= settings.most_onsets)
        & (span <= settings.span)
        & (in_key >= settings.in_key)
    )
    one_at_a_time = (struck.sum(2) <= 1).all(1)
    fits &= one_at_a_time & (used.sum(1) >= settings.fewest_pitches)
    return fits & (repeated(struck) <= settings.most_repeated)


def repeated(struck: Tensor) -> Tensor:
    """Return the share of notes that repeat the one before, [n].

    struck: [n, 32, 128] bool, one note at a time.
    """
    pitch = torch.where(struck.any(2), struck.int().argmax(2), -1).numpy()
    notes = [row[row >= 0] for row in pitch]
    return torch.tensor(
        [float((np.diff(each) == 0).mean()) if len(each) > 1 else 1.0 for each in notes]
    )


def closing_of(planes: Tensor) -> Tensor:
    """Return how much blocks [n, 2, 32, 128] sound like the end of a phrase, [n] from 0 to 1.

    At an end the last note begins early, and nothing follows it.
    """
    struck = planes[:, 0].bool().any(-1)
    last = torch.where(struck, torch.arange(BLOCK_STEPS), -1).amax(1)
    beat_before = BAR_STEPS - STEPS_PER_BEAT  # of the second bar
    return ((BLOCK_STEPS - 2 - last) / beat_before).clamp(0, 1) * (last >= beat_before)


def height_of(planes: Tensor, plan: Tensor) -> Tensor:
    """Return the mean pitch of blocks [n, 2, 32, 128] above the roots of their chords, [n].

    plan: [n, H] the chords.
    """
    struck = planes[:, 0].float()
    pitch = (struck * torch.arange(struck.shape[2])).sum((1, 2)) / struck.sum((1, 2)).clamp(min=1)
    return pitch - chord_plan.root_offset(plan).float().mean(1)


def opening_of(planes: Tensor) -> Tensor:
    """Return 1 where blocks [n, 2, 32, 128] begin with a note within the first beat, else 0."""
    return planes[:, 0, :STEPS_PER_BEAT].flatten(1).any(1).float()
