"""A song's shape drawn from the song VAE (accomp.models.song_vae): who plays where, how busy and how loud the band is.

Of many songs that have such a melody, the one is taken whose own melody comes nearest to it. A melody longer than sixteen
measures is heard through windows that overlap by half; the noise of a draw is the same in all of them, so that where the melody
returns the latent does, and from one to the next the shape changes gradually.
Letters: B blocks, M measures, W windows, N draws, K latent size, P phrases.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from accomp.band.form import FEWEST_PHRASES, Shape
from accomp.models import measure_features as measures
from accomp.models.song_vae import SongVAE
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, MELODY

DRAWS = 64
MOST_RESTING = 0.5  # of a song's phrases, by each instrument
FEWEST_PLAYING = 2  # of the band, in every phrase
# What is decoded is the mean of many songs, in which less happens than in any one. Noise that is twice as wide makes up for it:
# on validation songs' melodies, draws then rest in 6.1 % of phrases of eight bars (the songs themselves in 7.3 %), 0.32 of the
# band change at a phrase (0.32), density deviates by 16 % (14 %), and the best of them fit the melody about as well as before.
WIDER = 2.0
LIVELIER = 1.6  # the mean loudness of such phrases deviates by 0.84 velocities; in the songs themselves by 1.36
LOUDEST = 14.0  # velocity by which a phrase may differ from the song's mean
BAR_BLOCKS = BLOCK_STEPS // BAR_STEPS  # measures of a block


@dataclass
class Drawn:
    """By measure of a song: plays [M, 5] probability that a track plays, density [M, 5] notes it strikes, loudness [M, 5]
    velocity above its mean; agreement: how well the draw's own melody fits, in nats a measure (higher is better).
    """

    plays: np.ndarray
    density: np.ndarray
    loudness: np.ndarray
    agreement: float


@torch.no_grad()
def draw(
    blocks: np.ndarray,
    vae: SongVAE,
    random: np.random.Generator,
    genre: str = "",
    draws: int = DRAWS,
) -> Drawn:
    """A band's shape for melody blocks [B, 2, 32, 128] in their normal key, of a genre."""
    melody = measures.describe_melody(blocks)
    count, length = len(melody), vae.config.measures
    starts = np.arange(0, max(count - length // 2, 1), length // 2)
    padded = np.concatenate([melody, np.zeros((starts[-1] + length, measures.SIZE), np.float32)])
    windows = torch.from_numpy(padded[starts[:, None] + np.arange(length)])
    places = np.minimum(np.stack([starts, starts + length], 1), count) / count
    about = torch.cat([vae.about_songs(1, genre, *map(float, place)) for place in places])
    device = vae.known.device
    mean, log_variance = vae.encode(windows.to(device), about.to(device), alone=True)
    noise = torch.from_numpy(
        random.standard_normal((draws, 1, vae.config.latent)).astype(np.float32)
    ).to(device)
    latents = (mean + WIDER * noise * (log_variance / 2).exp()).flatten(0, 1)
    decoded = vae.decode(latents, about.to(device).repeat(draws, 1)).cpu().numpy()
    songs = join(decoded.reshape(draws, len(starts), length, -1), starts, count)
    lead = [column for column in measures.LEAD if column < measures.BITS]
    chance = np.clip(songs[..., lead], 1e-4, 1 - 1e-4)
    agreement = np.where(melody[:, lead] > 0, np.log(chance), np.log(1 - chance)).sum(2).mean(1)
    best = int(agreement.argmax())
    found = measures.unpack(songs[best])
    return Drawn(
        found["plays"],
        found["density"],
        found["loudness"] * measures.LOUDNESS_UNIT,
        float(agreement[best]),
    )


def shaped(
    shape: Shape,
    blocks: np.ndarray,
    first: int,
    vae: SongVAE,
    random: np.random.Generator,
    genre: str = "",
) -> Shape:
    """A shape (of Shape.of) whose rests and dynamics are drawn, and whose energy follows the draw as well as the melody; of a
    song of few phrases dynamics only. Sections and what returns stay those of the melody, and its rests where nobody rests in
    the draw.

    blocks: [B, 2, 32, 128] in the normal key, of which the first `first` come before the first whole bar. Phrases of one label
    share who plays, so that they are known again; each has its own loudness.
    """
    drawn = draw(blocks[first:], vae, random, genre)
    phrase = np.concatenate([[0], np.cumsum(shape.closes)[:-1]])
    count = int(phrase.max()) + 1
    of_block = phrase[first:].repeat(BAR_BLOCKS)
    # Measures in which the melody is silent, as those after its end, say nothing of how the band goes with it.
    heard = blocks[first:, 1].reshape(-1, BAR_STEPS, blocks.shape[-1]).any((1, 2))

    def by_phrase(values: np.ndarray) -> np.ndarray:
        """[P, 5] means over the measures of each phrase."""
        inside = [(of_block == i) & (heard | ~heard[of_block == i].any()) for i in range(count)]
        return np.stack([values[rows].mean(0) if rows.any() else values.mean(0) for rows in inside])

    plays, density, loudness = (
        by_phrase(drawn.plays),
        by_phrase(drawn.density),
        by_phrase(drawn.loudness),
    )
    labels = shape.labels[np.searchsorted(phrase, np.arange(count))]
    for label in np.unique(labels):
        plays[labels == label] = plays[labels == label][0]
        density[labels == label] = density[labels == label].mean(0)
    band = list(measures.PLAYERS)
    busy = np.log2(1 + density[:, band].sum(1))
    loud = loudness[:, band].mean(1)
    shape = replace(
        shape, dynamics=np.clip(LIVELIER * (loud - loud.mean()), -LOUDEST, LOUDEST)[phrase]
    )
    if count < FEWEST_PHRASES:
        return shape
    # On top of what the melody asks for and of the rise through the song: phrases of one label would all be as busy.
    energy = np.clip(shape.energy + (busy - busy.mean())[phrase], 0, 1)
    return replace(shape, energy=energy, rests=rests_of(plays, phrase, random) or shape.rests)


def rests_of(
    plays: np.ndarray, phrase: np.ndarray, random: np.random.Generator
) -> dict[int, np.ndarray]:
    """By track, the blocks [B] in which it rests, drawn by the probabilities [P, 5] that it plays, with phrase [B] of each block.

    For each instrument one number is drawn, and it rests in the phrases in which it is less likely to play than that: in each
    as often as it should, but always first where it is least expected.
    """
    bound = np.minimum(random.random(plays.shape[1]), np.quantile(plays, MOST_RESTING, axis=0))
    resting = plays < bound
    resting[:, MELODY] = False
    resting[-1] = False  # all end together
    band = np.array(measures.PLAYERS)
    for row, chance in zip(resting, plays):
        row[band[np.argsort(-chance[band], kind="stable")[:FEWEST_PLAYING]]] = False
    return {track: resting[phrase, track] for track in measures.PLAYERS if resting[:, track].any()}


def join(decoded: np.ndarray, starts: np.ndarray, count: int) -> np.ndarray:
    """[N, count, D] of windows [N, W, M, D] that begin at `starts`: where two overlap, from one gradually to the next."""
    length = decoded.shape[2]
    weight = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)).astype(np.float32)
    total = np.zeros((len(decoded), starts[-1] + length, decoded.shape[3]), np.float32)
    weights = np.zeros(total.shape[1], np.float32)
    for i, start in enumerate(starts):
        total[:, start : start + length] += weight[:, None] * decoded[:, i]
        weights[start : start + length] += weight
    return (total / weights[:, None])[:, :count]
