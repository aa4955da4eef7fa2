"""What a song VAE has learned: how well it gives songs back, how much its songs are alike, and pictures of them.

Letters: N songs, M measures, D numbers of a measure, K latent size.
"""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from accomp.models import measure_features as measures
from accomp.models.song_vae import SongVAE
from accomp.roll.grid import TRACK_NAMES
from train.data.song_windows import FINE_PITCHES, FINE_STEPS

SAMPLES = 50  # that are compared with as many real songs
STEPS = 8  # of an interpolation
SAME = 0.8  # measures whose onsets have this Jaccard index on average are all the same
ONSETS = slice(1, 17)  # among a track's bits


@torch.no_grad()
def evaluate(
    model: SongVAE, batch: tuple[Tensor, Tensor | None], size: int = 64
) -> dict[str, float]:
    """The loss and its parts, nats a song, and the F1 of reconstructed onsets."""
    sums, hits, count = np.zeros(4), np.zeros(3), 0
    songs, abouts = batch
    device = model.known.device
    for at in range(0, len(songs), size):
        part, about = (
            songs[at : at + size].to(device),
            None if abouts is None else abouts[at : at + size].to(device),
        )
        loss = model.loss(part, about, model.config.kl_weight)
        sums += np.array([float(value) for value in loss]) * len(part)
        played, real = struck(model, reconstruct(model, part, about)), struck(model, part)
        hits += [float((played & real).sum()), float(played.sum()), float(real.sum())]
        count += len(part)
    named = dict(zip(("loss", "reconstruction", "kl", "match"), (sums / max(count, 1)).tolist()))
    return named | {"onset_f1": 2 * hits[0] / max(hits[1] + hits[2], 1)}


@torch.no_grad()
def reconstruct(model: SongVAE, songs: Tensor, about: Tensor | None) -> Tensor:
    return model.decode(model.encode(songs, about)[0], about)


@torch.no_grad()
def draw(model: SongVAE, count: int, seed: int, genre: str = "") -> Tensor:
    """[count, M, D] songs of latents of the prior."""
    latents = torch.randn(count, model.config.latent, generator=torch.Generator().manual_seed(seed))
    device = model.known.device
    return model.decode(latents.to(device), model.about_songs(count, genre).to(device)).cpu()


def struck(model: SongVAE, songs: Tensor, threshold: float = 0.5) -> Tensor:
    """[N, M, cells] bool: where songs [N, M, D] have onsets."""
    if not model.config.bits:
        return songs > threshold
    bits = songs[..., : measures.BITS].unflatten(-1, (measures.COUNT, -1))
    return (bits[..., ONSETS] > threshold).flatten(2)


def compare(model: SongVAE, windows, seed: int) -> dict[str, dict[str, float]]:
    """Fifty real test songs, the same reconstructed, and fifty drawn ones: see `alike`. As few cells of the drawn songs count as
    onsets as of the real ones: they are the likeliest. (By a threshold of 0.5 the published model may play nothing.)
    """
    songs, about = windows.some("test", SAMPLES)
    real = struck(model, songs)
    kinds = {
        "reconstructed": reconstruct(model, songs, about),
        "drawn": draw(model, len(songs), seed),
    }
    return (
        {"real": alike(real)}
        | {name: alike(likeliest(model, made, real)) for name, made in kinds.items()}
        | {f"{name}_over_half": alike(struck(model, made)) for name, made in kinds.items()}
    )


def likeliest(model: SongVAE, songs: Tensor, real: Tensor) -> Tensor:
    """Onsets by the threshold that leaves as many in all songs as real ones have."""
    bits = model.config.bits
    values = (
        songs
        if not bits
        else songs[..., : measures.BITS].unflatten(-1, (measures.COUNT, -1))[..., ONSETS]
    )
    values = values.flatten().sort(descending=True).values
    return struck(model, songs, float(values[min(int(real.sum()), len(values) - 1)]))


def alike(onsets: Tensor) -> dict[str, float]:
    """Of songs [N, M, cells]: `songs`, the mean Jaccard index of two songs' onsets; `measures`, that of two measures of a song;
    `same`, the share of songs whose measures are all alike; `lag_4`, how much more alike measures are that lie four apart than
    three or five: form; `onsets` a measure; `silent`, the share of songs without a note.
    """
    rows = onsets.float().flatten(1)
    within = torch.stack([_jaccard(song) for song in onsets.float()])
    pairs, apart = _pairs(len(rows)), _pairs(onsets.shape[1])
    by_song = within[:, apart[0], apart[1]].mean(1)
    at_lag = {lag: within.diagonal(lag, 1, 2).mean() for lag in (3, 4, 5)}
    figures = {
        "songs": _jaccard(rows)[pairs[0], pairs[1]].mean(),
        "measures": by_song.mean(),
        "same": (by_song > SAME).float().mean(),
        "lag_4": at_lag[4] - (at_lag[3] + at_lag[5]) / 2,
        "onsets": onsets.float().sum(2).mean(),
        "silent": (~onsets.flatten(1).any(1)).float().mean(),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


def _jaccard(rows: Tensor) -> Tensor:
    """[n, n] of rows [n, cells] of zeros and ones; two empty ones are the same."""
    common, size = rows @ rows.T, rows.sum(1)
    union = size[:, None] + size[None] - common
    return torch.where(union > 0, common / union.clamp(min=1), torch.ones_like(union))


def _pairs(count: int) -> Tensor:
    return torch.triu_indices(count, count, 1)


@torch.no_grad()
def interpolation(
    model: SongVAE, songs: Tensor, about: Tensor | None
) -> tuple[Tensor, dict[str, float]]:
    """[8, M, D] on the way between two songs [2, M, D], and how smooth that is: `largest`, the largest of the seven steps as a
    share of all (evenly: 0.14); `detour`, their sum over the distance of the ends (straight: 1), by mean absolute difference.
    """
    mean = model.encode(songs, about)[0]
    way = torch.linspace(0, 1, STEPS, device=mean.device)[:, None]
    latents = mean[:1] * (1 - way) + mean[1:] * way
    made = model.decode(latents, None if about is None else about[:1] * (1 - way) + about[1:] * way)
    steps = (made[1:] - made[:-1]).abs().flatten(1).mean(1)
    figures = {
        "largest": float(steps.max() / steps.sum()),
        "detour": float(steps.sum() / (made[-1] - made[0]).abs().mean()),
    }
    return made.cpu(), figures


def picture(songs: Tensor) -> Figure:
    """Songs [N, M, D]: how many notes each track strikes in each measure; of published onsets the piano roll."""
    figure = Figure(figsize=(9, 0.9 * len(songs) + 0.4), layout="constrained")
    for axes, song in zip(figure.subplots(len(songs), 1, squeeze=False)[:, 0], songs.numpy()):
        if song.shape[1] == measures.SIZE:
            found = measures.unpack(song)
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
