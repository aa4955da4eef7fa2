"""Cut songs into the windows that the judge of genres hears, and describe what sounds in them.

Pitches are taken as pitch classes, there or not, so that neither octave doublings nor the many
voices of merged tracks tell a real band from a generated one.

Letters: N windows of four blocks (8 bars), T their 128 steps, F features of a step, B blocks.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from accomp.music.percussion import KINDS, keys_of
from accomp.roll import pianoroll
from accomp.roll.grid import (
    BASS,
    BLOCK_STEPS,
    DRUMS,
    GUITAR,
    HALF_BAR_STEPS,
    MELODY,
    PITCHES,
    STRINGS,
    TRACKS,
)
from train.data.corpus import Corpus

BLOCKS = 4  # of a window
STEPS = BLOCKS * BLOCK_STEPS
# The melody first: the classifier's features are those after it.
PITCHED = (MELODY, GUITAR, BASS, STRINGS)
OF_TRACK = 12 + 12 + 1  # pitch classes struck, pitch classes sounding, mean pitch (0 in silence)
SHAKEN = (54, 69, 70, 82)  # tambourine and shakers
LATIN = (56, 58, *range(60, 69), *range(71, 82))  # other percussion
DRUM_GROUPS = (*(keys_of(kind) for kind in KINDS), SHAKEN, LATIN)
FEATURES = len(PITCHED) * OF_TRACK + len(DRUM_GROUPS)
LEAST_PLAYED = 0.5  # share of a window's blocks in which the melody must play


@dataclass(frozen=True)
class Variation:
    """What of a window is hidden in training, so that the judge relies on no detail."""

    track_dropout: float = 0.12  # share of windows in which a track is silent
    # Up to this share of pitch classes is left out of each half bar: how full a chord is says
    # nothing.
    most_hidden: float = 0.35


def step_features(planes: Tensor) -> Tensor:
    """Return what sounds at each step, [..., T, F] uint8, of planes [..., 5, 2, T, 128] uint8."""
    columns = []
    for track in PITCHED:
        part = planes[..., track, :, :, :]
        onset, sounding = part[..., 0, :, :], part.amax(dim=-3)
        pitch = torch.arange(PITCHES, dtype=torch.float32)
        mean = (sounding.float() @ pitch) / sounding.sum(-1).clamp(min=1)
        columns += [
            _pitch_classes(onset),
            _pitch_classes(sounding),
            mean.round().to(torch.uint8)[..., None],
        ]
    drums = planes[..., DRUMS, 0, :, :]
    columns += [drums[..., list(group)].amax(dim=-1, keepdim=True) for group in DRUM_GROUPS]
    return torch.cat(columns, dim=-1)


def _pitch_classes(plane: Tensor) -> Tensor:
    octaves = -(-PITCHES // 12)
    return F.pad(plane, (0, octaves * 12 - PITCHES)).unflatten(-1, (octaves, 12)).amax(dim=-2)


def melody_plays(features: np.ndarray) -> np.ndarray:
    """Tell in which blocks the melody plays, [B] bool, of features [B, 32, F]."""
    return features[:, :, :12].any(axis=(1, 2))


def window_starts(plays: np.ndarray, every: int = BLOCKS) -> np.ndarray:
    """Return the first blocks of the windows in which the melody plays in half of the blocks.

    The last window ends with the song. plays: [B] bool; every: blocks from start to start.
    """
    last = max(0, len(plays) - BLOCKS)
    starts = np.unique(np.append(np.arange(0, last + 1, every), last))
    return np.array([at for at in starts if plays[at : at + BLOCKS].mean() >= LEAST_PLAYED], int)


@dataclass
class Songs:
    """Songs of a split in which a melody plays.

    Attributes:
        features: [all blocks + 1, 32, F] uint8; the last block is silent.
        index: By song its blocks in `features`, at least four.
        starts: By song the blocks with which a window can begin.
        regular: By song the starts of windows side by side.
        genres: By song.
        groups: By song, the same for versions of one.
    """

    features: np.ndarray
    index: list[np.ndarray]
    starts: list[np.ndarray]
    regular: list[np.ndarray]
    genres: list[str]
    groups: list[str]

    @classmethod
    def read(cls, corpus: Corpus, songs: list[int], genres: dict[str, list[str]]) -> "Songs":
        """Read songs of a corpus. genres: the labels of each genre that is not its own label."""
        genre_of = {label: genre for genre, labels in genres.items() for label in labels}
        parts, result, first = [], cls(np.zeros(0), [], [], [], [], []), 0
        for song in songs:
            entry = corpus.songs[song]
            tracks = [corpus.blocks(track, corpus.own(song)) for track in range(len(TRACKS))]
            features = step_features(torch.stack(tracks, dim=1)).numpy()
            plays = melody_plays(features)
            starts = window_starts(plays, every=1)
            if not len(starts):
                continue
            parts.append(features)
            result.index.append(first + np.arange(max(BLOCKS, len(features))))
            result.index[-1][len(features) :] = -1
            result.starts.append(starts)
            result.regular.append(window_starts(plays) if len(window_starts(plays)) else starts[:1])
            result.genres.append(genre_of.get(entry["genre"], entry["genre"]))
            result.groups.append(str(entry.get("dup_group", song)))
            first += len(features)
        result.features = np.concatenate([*parts, np.zeros((1, BLOCK_STEPS, FEATURES), np.uint8)])
        return result

    def __len__(self) -> int:
        return len(self.index)

    def windows(self, where: list[tuple[int, int]]) -> Tensor:
        """Return the windows at (song, first block), [N, T, F] uint8."""
        blocks = np.stack([self.index[song][at : at + BLOCKS] for song, at in where])
        return torch.from_numpy(self.features[blocks]).flatten(1, 2)

    def every_window(self) -> list[tuple[int, int]]:
        """Return (song, first block) of windows side by side, of all songs."""
        return [(song, int(at)) for song, starts in enumerate(self.regular) for at in starts]


def vary(
    windows: Tensor,
    random: np.random.Generator,
    settings: Variation = Variation(),
) -> Tensor:
    """Hide what should not matter: how full chords are, and whether every instrument plays.

    Args:
        windows: [N, T, F] uint8.
        random: Draws what is hidden.
        settings: How much.

    Returns:
        The windows [N, T, F] as float.
    """
    count, steps, width = windows.shape
    tracks = (width - len(DRUM_GROUPS)) // OF_TRACK
    pitched = windows[..., : tracks * OF_TRACK].float().unflatten(-1, (tracks, OF_TRACK))
    drums = windows[..., tracks * OF_TRACK :].float()
    hidden = random.uniform(0, settings.most_hidden, (count, 1, tracks, 1)) * random.integers(
        2, size=(count, 1, tracks, 1)
    )
    stays = random.random((count, -(-steps // HALF_BAR_STEPS), tracks, 12)) >= hidden
    stays &= random.random((count, 1, tracks, 1)) >= settings.track_dropout
    stays = torch.from_numpy(stays).float().repeat_interleave(HALF_BAR_STEPS, dim=1)[:, :steps]
    classes, height = pitched[..., :-1] * torch.cat([stays, stays], dim=-1), pitched[..., -1:]
    height = height * classes[..., 12:].amax(dim=-1, keepdim=True)
    drums = drums * torch.from_numpy(random.random((count, 1, 1)) >= settings.track_dropout).float()
    return torch.cat([torch.cat([classes, height], dim=-1).flatten(2), drums], dim=-1)


def without_melody(windows: Tensor) -> Tensor:
    """Return windows [N, T, F] without the features of the melody."""
    return windows[..., OF_TRACK:]


def windows_of(planes: np.ndarray) -> Tensor:
    """Return the windows of a song, [N, T, F] uint8, of its planes [5, 2, S, 128]."""
    blocks = pianoroll.to_blocks(planes).swapaxes(0, 1)
    features = step_features(torch.from_numpy(np.ascontiguousarray(blocks))).numpy()
    starts = window_starts(melody_plays(features))
    missing = max(0, BLOCKS - len(features))
    features = np.concatenate([features, np.zeros((missing, BLOCK_STEPS, FEATURES), np.uint8)])
    windows = [features[at : at + BLOCKS].reshape(STEPS, FEATURES) for at in starts]
    return torch.from_numpy(
        np.stack(windows) if windows else np.zeros((0, STEPS, FEATURES), np.uint8)
    )
