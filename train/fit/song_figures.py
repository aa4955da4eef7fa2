"""Measure what a song VAE has learned, and draw its songs.

How well it reconstructs songs, how alike its songs are to one another, and how smoothly it
interpolates. Letters: N songs, M measures, D numbers of a measure, K latent size.
"""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from accomp.models import measure_features
from accomp.models.song_vae import SongVAE
from accomp.roll.grid import TRACK_NAMES
from train.data.song_windows import FINE_PITCHES, FINE_STEPS, BandWindows, OnsetWindows

ONSETS = slice(1, 17)  # among a track's bits


@dataclass(frozen=True)
class SongFigureSettings:
    """How songs are compared."""

    samples: int = 50  # drawn songs that are compared with as many real ones
    steps: int = 8  # songs of an interpolation, both ends included
    same: float = 0.8  # mean Jaccard index of onsets from which a song's measures are all alike


@torch.no_grad()
def evaluate(
    model: SongVAE, batch: tuple[Tensor, Tensor | None], size: int = 64
) -> dict[str, float]:
    """Measure the loss and its parts, in nats a song, and the F1 of reconstructed onsets.

    `batch` holds songs [N, M, D] and what is known about them; `size` of them are measured at once.
    """
    sums, hits, count = np.zeros(4), np.zeros(3), 0
    songs, abouts = batch
    device = model.known.device
    for at in range(0, len(songs), size):
        part = songs[at : at + size].to(device)
        about = None if abouts is None else abouts[at : at + size].to(device)
        loss = model.loss(part, about, model.config.kl_weight)
        sums += np.array([float(value) for value in loss]) * len(part)
        played, real = struck(model, reconstruct(model, part, about)), struck(model, part)
        hits += [float((played & real).sum()), float(played.sum()), float(real.sum())]
        count += len(part)
    named = dict(zip(("loss", "reconstruction", "kl", "match"), (sums / max(count, 1)).tolist()))
    return named | {"onset_f1": 2 * hits[0] / max(hits[1] + hits[2], 1)}


@torch.no_grad()
def reconstruct(model: SongVAE, songs: Tensor, about: Tensor | None) -> Tensor:
    """Encode songs [N, M, D] and decode the means of their latents."""
    return model.decode(model.encode(songs, about)[0], about)


@torch.no_grad()
def draw(model: SongVAE, count: int, seed: int, genre: str = "") -> Tensor:
    """Decode latents drawn from the prior.

    Args:
        model: A trained song VAE.
        count: Number of songs.
        seed: Of the draw.
        genre: Of all songs, if the model knows genres; "" for none in particular.

    Returns:
        Songs [count, M, D].
    """
    latents = torch.randn(count, model.config.latent, generator=torch.Generator().manual_seed(seed))
    device = model.known.device
    return model.decode(latents.to(device), model.about_songs(count, genre).to(device)).cpu()


def struck(model: SongVAE, songs: Tensor, threshold: float = 0.5) -> Tensor:
    """Tell where songs [N, M, D] have onsets, [N, M, cells] bool."""
    if not model.config.bits:
        return songs > threshold
    bits = songs[..., : measure_features.BITS].unflatten(-1, (measure_features.TRACK_COUNT, -1))
    return (bits[..., ONSETS] > threshold).flatten(2)


def compare(
    model: SongVAE,
    windows: BandWindows | OnsetWindows,
    seed: int,
    settings: SongFigureSettings = SongFigureSettings(),
) -> dict[str, dict[str, float]]:
    """Compare real test songs, the same songs reconstructed, and drawn ones.

    As many cells of the other songs count as onsets as of the real ones: the likeliest. (By a
    threshold of 0.5 the published model may play nothing; "..._over_half" are the figures by it.)

    Args:
        model: A trained song VAE.
        windows: The corpora's songs.
        seed: Of the drawn songs.
        settings: How many songs, and what counts as alike.

    Returns:
        By kind of songs what `alike` measures.
    """
    songs, about = windows.some("test", settings.samples)
    real = struck(model, songs)
    kinds = {
        "reconstructed": reconstruct(model, songs, about),
        "drawn": draw(model, len(songs), seed),
    }
    onsets = {"real": real}
    onsets |= {name: likeliest(model, made, real) for name, made in kinds.items()}
    onsets |= {f"{name}_over_half": struck(model, made) for name, made in kinds.items()}
    return {name: alike(found, settings) for name, found in onsets.items()}


def likeliest(model: SongVAE, songs: Tensor, real: Tensor) -> Tensor:
    """Find onsets by the threshold that leaves as many in all songs as the real ones have."""
    values = songs
    if model.config.bits:
        values = songs[..., : measure_features.BITS].unflatten(
            -1, (measure_features.TRACK_COUNT, -1)
        )[..., ONSETS]
    values = values.flatten().sort(descending=True).values
    return struck(model, songs, float(values[min(int(real.sum()), len(values) - 1)]))


def alike(onsets: Tensor, settings: SongFigureSettings = SongFigureSettings()) -> dict[str, float]:
    """Measure how alike songs and their measures are, by onsets [N, M, cells].

    Returns:
        "songs", the mean Jaccard index of two songs' onsets; "measures", that of two measures of a
        song; "same", the share of songs whose measures are all alike; "lag_4", how much more alike
        measures are that lie four apart than three or five: form; "onsets" a measure; "silent", the
        share of songs without a note.
    """
    rows = onsets.float().flatten(1)
    within = torch.stack([_jaccard(song) for song in onsets.float()])
    pairs, apart = _pairs(len(rows)), _pairs(onsets.shape[1])
    by_song = within[:, apart[0], apart[1]].mean(1)
    at_lag = {lag: within.diagonal(lag, 1, 2).mean() for lag in (3, 4, 5)}
    figures = {
        "songs": _jaccard(rows)[pairs[0], pairs[1]].mean(),
        "measures": by_song.mean(),
        "same": (by_song > settings.same).float().mean(),
        "lag_4": at_lag[4] - (at_lag[3] + at_lag[5]) / 2,
        "onsets": onsets.float().sum(2).mean(),
        "silent": (~onsets.flatten(1).any(1)).float().mean(),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def _jaccard(rows: Tensor) -> Tensor:
    """Return the Jaccard indices [n, n] of rows [n, cells] of 0 and 1; 1 for two empty ones."""
    common, size = rows @ rows.T, rows.sum(1)
    union = size[:, None] + size[None] - common
    return torch.where(union > 0, common / union.clamp(min=1), torch.ones_like(union))


def _pairs(count: int) -> Tensor:
    return torch.triu_indices(count, count, 1)


@torch.no_grad()
def interpolation(
    model: SongVAE,
    songs: Tensor,
    about: Tensor | None,
    settings: SongFigureSettings = SongFigureSettings(),
) -> tuple[Tensor, dict[str, float]]:
    """Interpolate between the latents of two songs, and measure how smooth that is.

    Args:
        model: A trained song VAE.
        songs: [2, M, D].
        about: What is known about them, if the model asks for it.
        settings: The number of steps.

    Returns:
        The songs on the way [steps, M, D], and by mean absolute difference: "largest", the largest
        step as a share of all (of eight songs evenly 0.14); "detour", the sum of the steps over the
        distance of the ends (straight: 1).
    """
    mean = model.encode(songs, about)[0]
    way = torch.linspace(0, 1, settings.steps, device=mean.device)[:, None]
    latents = mean[:1] * (1 - way) + mean[1:] * way
    made = model.decode(latents, None if about is None else about[:1] * (1 - way) + about[1:] * way)
    steps = (made[1:] - made[:-1]).abs().flatten(1).mean(1)
    figures = {
        "largest": float(steps.max() / steps.sum()),
        "detour": float(steps.sum() / (made[-1] - made[0]).abs().mean()),
    }
    return made.cpu(), figures


def picture(songs: Tensor) -> Figure:
    """Draw how many notes each track of songs [N, M, D] strikes in each measure.

    Of the published model's onsets the piano roll is drawn.
    """
    figure = Figure(figsize=(9, 0.9 * len(songs) + 0.4), layout="constrained")
    for axes, song in zip(figure.subplots(len(songs), 1, squeeze=False)[:, 0], songs.numpy()):
        if song.shape[1] == measure_features.SIZE:
            found = measure_features.unpack(song)
            axes.imshow(
                (np.log2(1 + found["density"]) * found["plays"]).T,
                aspect="auto",
                cmap="Greys",
                vmin=0,
                vmax=6,
            )
            axes.set_yticks(range(len(TRACK_NAMES)), TRACK_NAMES, fontsize=6)
        else:
            roll = song.reshape(-1, FINE_PITCHES).T
            axes.imshow(
                roll,
                aspect="auto",
                cmap="Greys",
                origin="lower",
                vmin=0,
                vmax=max(float(roll.max()), 1e-6),
            )
            axes.set_xticks(np.arange(0, roll.shape[1], FINE_STEPS), [])
            axes.set_yticks([])
    return figure
