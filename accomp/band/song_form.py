"""Draw the form of a song from the song VAE: how busy and how loud the band is.

Many songs are drawn, and the one whose own melody is nearest to the given one is taken. A melody
longer than sixteen measures is encoded in windows that overlap by half. The noise of a draw is the
same in all windows, so that where the melody returns the latent does, and the form changes
gradually from one window to the next.
Letters: B blocks, M measures, W windows, N draws, K latent size, P phrases.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from accomp.band.form import Form, FormSettings
from accomp.models import measure_features
from accomp.models.song_vae import SongVAE
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS

BLOCK_MEASURES = BLOCK_STEPS // BAR_STEPS


@dataclass(frozen=True)
class SongFormSettings:
    """How a form is drawn and used.

    What the VAE decodes is the mean of many songs, in which less happens than in any one. Wider
    noise makes up for it: on validation songs' melodies, density then deviates by 16 % (of the
    songs themselves by 14 %), and the best draws fit the melody about as well as before.
    """

    draws: int = 64
    wider: float = 2.0  # of the noise
    # The mean loudness of drawn phrases deviates by 0.84 velocities; of the songs' own by 1.36.
    livelier: float = 1.6
    loudest: float = 14.0  # velocity by which a phrase may differ from the song's mean
    fewest_phrases: int = FormSettings.fewest_phrases  # a shorter song gets dynamics only


@dataclass
class DrawnSong:
    """A drawn song by measure.

    Attributes:
        density: [M, 5] notes that it strikes.
        loudness: [M, 5] velocity above its mean.
        agreement: how well the draw's own melody fits, in nats a measure (higher is better).
    """

    density: np.ndarray
    loudness: np.ndarray
    agreement: float


@torch.no_grad()
def draw_song(
    blocks: np.ndarray,
    vae: SongVAE,
    random: np.random.Generator,
    genre: str = "",
    settings: SongFormSettings = SongFormSettings(),
) -> DrawnSong:
    """Draw a song for a melody.

    Args:
        blocks: [B, 2, 32, 128] of the melody in its normal key.
        vae: the song VAE.
        random: draws the latents.
        genre: its name, for what the VAE knows of it.
        settings: how many songs are drawn, and how wide.
    """
    melody = measure_features.describe_melody(blocks)
    count, length = len(melody), vae.config.measures
    starts = np.arange(0, max(count - length // 2, 1), length // 2)
    padded = np.concatenate(
        [melody, np.zeros((starts[-1] + length, measure_features.SIZE), np.float32)]
    )
    windows = torch.from_numpy(padded[starts[:, None] + np.arange(length)])
    places = np.minimum(np.stack([starts, starts + length], 1), count) / count
    about = torch.cat([vae.about_songs(1, genre, float(a), float(b)) for a, b in places])
    device, draws = vae.known.device, settings.draws
    mean, log_variance = vae.encode(windows.to(device), about.to(device), alone=True)
    drawn = random.standard_normal((draws, 1, vae.config.latent)).astype(np.float32)
    noise = torch.from_numpy(drawn).to(device)
    latents = (mean + settings.wider * noise * (log_variance / 2).exp()).flatten(0, 1)
    decoded = vae.decode(latents, about.to(device).repeat(draws, 1)).cpu().numpy()
    songs = join(decoded.reshape(draws, len(starts), length, -1), starts, count)
    lead = [column for column in measure_features.LEAD if column < measure_features.BITS]
    chance = np.clip(songs[..., lead], 1e-4, 1 - 1e-4)
    agreement = np.where(melody[:, lead] > 0, np.log(chance), np.log(1 - chance)).sum(2).mean(1)
    best = int(agreement.argmax())
    found = measure_features.unpack(songs[best])
    return DrawnSong(
        found["density"],
        found["loudness"] * measure_features.LOUDNESS_UNIT,
        float(agreement[best]),
    )


def draw_song_form(
    form: Form,
    blocks: np.ndarray,
    first: int,
    vae: SongVAE,
    random: np.random.Generator,
    genre: str = "",
    settings: SongFormSettings = SongFormSettings(),
) -> Form:
    """Draw energy and dynamics for a form.

    Its energy then follows the draw as well as the melody. Sections, what returns and who rests
    stay. A song of few phrases gets dynamics only. Phrases of one label are as busy; each has its
    own loudness.

    Args:
        form: of `Form.find`.
        blocks: [B, 2, 32, 128] of the melody in its normal key.
        first: number of blocks that come before the first whole bar.
        vae: the song VAE.
        random: draws the song.
        genre: its name, for what the VAE knows of it.
        settings: how the form is drawn.
    """
    drawn = draw_song(blocks[first:], vae, random, genre, settings)
    phrase = np.concatenate([[0], np.cumsum(form.closes)[:-1]])
    count = int(phrase.max()) + 1
    of_measure = phrase[first:].repeat(BLOCK_MEASURES)
    # Measures in which the melody is silent, as those after its end, say nothing about the band.
    sounds = np.asarray(blocks[first:, 1].reshape(-1, BAR_STEPS, blocks.shape[-1]).any((1, 2)))

    def by_phrase(values: np.ndarray) -> np.ndarray:
        """Average [M, 5] over the measures of each phrase, [P, 5]."""
        inside = [
            (of_measure == i) & (sounds | ~sounds[of_measure == i].any()) for i in range(count)
        ]
        return np.stack([values[rows].mean(0) if rows.any() else values.mean(0) for rows in inside])

    density, loudness = map(by_phrase, (drawn.density, drawn.loudness))
    labels = form.labels[np.searchsorted(phrase, np.arange(count))]
    for label in np.unique(labels):
        density[labels == label] = density[labels == label].mean(0)
    band = list(measure_features.PLAYERS)
    busy = np.log2(1 + density[:, band].sum(1))
    loud = loudness[:, band].mean(1)
    louder = settings.livelier * (loud - loud.mean())
    dynamics = np.clip(louder, -settings.loudest, settings.loudest)[phrase]
    form = replace(form, dynamics=dynamics)
    if count < settings.fewest_phrases:
        return form
    # Added to what the melody asks for and to the rise through the song: else all phrases of one
    # label would be as busy.
    energy = np.clip(form.energy + (busy - busy.mean())[phrase], 0, 1)
    return replace(form, energy=energy)


def join(decoded: np.ndarray, starts: np.ndarray, count: int) -> np.ndarray:
    """Join windows [N, W, M, D] that begin at `starts` to [N, count, D].

    Where two overlap, the result changes gradually from one to the next.
    """
    length = decoded.shape[2]
    weight = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)).astype(np.float32)
    total = np.zeros((len(decoded), starts[-1] + length, decoded.shape[3]), np.float32)
    weights = np.zeros(total.shape[1], np.float32)
    for i, start in enumerate(starts):
        total[:, start : start + length] += weight[:, None] * decoded[:, i]
        weights[start : start + length] += weight
    return (total / weights[:, None])[:, :count]
