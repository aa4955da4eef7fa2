"""What the judges of train.fit.judges hear, and their networks.

Letters: N windows of four blocks (8 bars), T their 128 steps, F features of a step, P pitched tracks, D the embedding.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll import pianoroll
from accomp.roll.grid import (
    BASS,
    BLOCK_STEPS,
    DRUMS,
    GUITAR,
    HALF_BAR_STEPS,
    MELODY,
    PITCHES,
    STEPS_PER_BEAT,
    STRINGS,
)
from train.data.corpus import Corpus

BLOCKS = 4  # of a window
STEPS = BLOCKS * BLOCK_STEPS

# What a step sounds like. Pitches are heard as pitch classes, there or not, so that neither octave doublings nor the many
# voices of merged tracks tell a real band from a generated one.
PITCHED = (
    MELODY,
    GUITAR,
    BASS,
    STRINGS,
)  # the melody first: the classifier's features are those after it
OF_TRACK = 12 + 12 + 1  # pitch classes struck, pitch classes sounding, mean pitch (0 in silence)
DRUM_GROUPS = (  # General MIDI's drums by what they do in a beat
    (35, 36),  # bass drum
    (37, 38, 39, 40),  # snare, side stick, clap
    (42, 44),  # closed hi-hat
    (46,),  # open hi-hat
    (41, 43, 45, 47, 48, 50),  # toms
    (49, 52, 55, 57),  # crash
    (51, 53, 59),  # ride
    (54, 69, 70, 82),  # tambourine, shakers
    (56, 58, *range(60, 69), *range(71, 82)),  # Latin percussion
)
FEATURES = len(PITCHED) * OF_TRACK + len(DRUM_GROUPS)


@dataclass(frozen=True)
class Settings:
    """Of both judges: what of a window is hidden or changed in training, so that neither hangs on a detail."""

    width: int = 48
    embedding: int = 48  # D
    dropout: float = 0.4
    track_dropout: float = 0.12  # share of windows in which a track is silent
    most_hidden: float = 0.35  # up to this share of pitch classes is left out of each half bar: how full a chord is says nothing
    genre_windows: int = 600  # of each genre in an epoch, from songs drawn alike
    critic_windows: int = 5  # of each song in an epoch, each once matched and once mismatched
    same_song: float = 0.25  # share of mismatched bands that come from elsewhere in the song
    far: int = 8  # blocks at least between the two places
    alike: float = 0.5  # share of strikes in common from which the other place counts as a repeat, where the band does match


# What the judges hear


def features_of(planes: Tensor) -> Tensor:
    """[..., 5, 2, T, 128] to [..., T, F], both uint8: what sounds at each step."""
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


def window_starts(plays: np.ndarray, every: int = BLOCKS) -> np.ndarray:
    """First blocks of the windows in which the melody plays, in at least half of the blocks there are. plays: [B] bool;
    every: blocks between starts. The last window ends with the song.
    """
    last = max(0, len(plays) - BLOCKS)
    starts = np.unique(np.append(np.arange(0, last + 1, every), last))
    return np.array([at for at in starts if plays[at : at + BLOCKS].mean() >= 0.5], int)


@dataclass
class Songs:
    """Songs of a split in which a melody plays. features: [blocks + 1, 32, F] uint8, the last block silent; index: by song
    its blocks in `features`, at least four; starts: by song where a window can begin; genres and groups: by song.
    """

    features: np.ndarray
    index: list[np.ndarray]
    starts: list[np.ndarray]
    regular: list[np.ndarray]
    genres: list[str]
    groups: list[str]

    @classmethod
    def of(cls, corpus: Corpus, songs: list[int], groups: dict[str, list[str]]) -> "Songs":
        """groups: which labels make a genre."""
        genre_of = {label: genre for genre, labels in groups.items() for label in labels}
        parts, result, first = [], cls(np.zeros(0), [], [], [], [], []), 0
        for song in songs:
            entry = corpus.songs[song]
            at = slice(entry["first"], entry["first"] + entry["blocks"])
            planes = torch.stack([corpus.blocks(track, at) for track in range(5)], dim=1)
            heard = features_of(planes).numpy()
            plays = heard[:, :, :12].any(axis=(1, 2))
            starts = window_starts(plays, every=1)
            if not len(starts):
                continue
            parts.append(heard)
            result.index.append(first + np.arange(max(BLOCKS, len(heard))))
            result.index[-1][len(heard) :] = -1
            result.starts.append(starts)
            result.regular.append(window_starts(plays) if len(window_starts(plays)) else starts[:1])
            result.genres.append(genre_of.get(entry["genre"], entry["genre"]))
            result.groups.append(str(entry.get("dup_group", song)))
            first += len(heard)
        result.features = np.concatenate([*parts, np.zeros((1, BLOCK_STEPS, FEATURES), np.uint8)])
        return result

    def __len__(self) -> int:
        return len(self.index)

    def windows(self, where: list[tuple[int, int]]) -> Tensor:
        """[N, T, F] uint8: the windows at (song, first block)."""
        blocks = np.stack([self.index[song][at : at + BLOCKS] for song, at in where])
        return torch.from_numpy(self.features[blocks]).flatten(1, 2)

    def every_window(self) -> list[tuple[int, int]]:
        """Windows side by side, of all songs."""
        return [(song, int(at)) for song, starts in enumerate(self.regular) for at in starts]


def vary(
    windows: Tensor, random: np.random.Generator, settings: Settings, keep_melody: bool = False
) -> Tensor:
    """Windows [N, T, F] uint8 as float, without what should not matter: how many notes a chord has and whether every
    instrument plays. keep_melody: the first track is the melody, which stays whole.
    """
    count, steps, width = windows.shape
    tracks = (width - len(DRUM_GROUPS)) // OF_TRACK
    pitched = windows[..., : tracks * OF_TRACK].float().unflatten(-1, (tracks, OF_TRACK))
    drums = windows[..., tracks * OF_TRACK :].float()
    first = int(keep_melody)
    hidden = random.uniform(0, settings.most_hidden, (count, 1, tracks, 1)) * random.integers(
        2, size=(count, 1, tracks, 1)
    )
    stays = random.random((count, -(-steps // HALF_BAR_STEPS), tracks, 12)) >= hidden
    stays &= random.random((count, 1, tracks, 1)) >= settings.track_dropout
    stays[:, :, :first] = True
    stays = torch.from_numpy(stays).float().repeat_interleave(HALF_BAR_STEPS, dim=1)[:, :steps]
    classes, height = pitched[..., :-1] * torch.cat([stays, stays], dim=-1), pitched[..., -1:]
    height = height * classes[..., 12:].amax(dim=-1, keepdim=True)
    drums = drums * torch.from_numpy(random.random((count, 1, 1)) >= settings.track_dropout).float()
    return torch.cat([torch.cat([classes, height], dim=-1).flatten(2), drums], dim=-1)


# The networks


class Listener(nn.Module):
    """Windows [N, T, F] to logits. Half of it hears harmony: its convolutions go around the circle of pitch classes and it
    takes mean and maximum over the twelve rotations. The other half hears rhythm and contour: drums, and of each track whether
    it strikes, whether it sounds, and how far from its mean pitch in the window. So it is deaf to the key, with no need of
    transposed examples, and to the octave in which an instrument is written, which says more of how a song was brought to
    the normal key than of its style.
    """

    def __init__(
        self, tracks: int, outputs: int, width: int = 48, embedding: int = 48, dropout: float = 0.3
    ):
        super().__init__()
        self.tracks, beat = tracks, STEPS_PER_BEAT
        self.beats = nn.Conv2d(2 * tracks, width, (12, beat), stride=(1, beat))
        self.changes = nn.Conv2d(width, width, (1, 3), padding=(0, 1))
        self.rhythm = nn.Conv1d(
            3 * tracks + len(DRUM_GROUPS), width, 2 * beat, stride=beat, padding=beat // 2
        )
        self.bars = nn.Conv1d(3 * width, 2 * width, 4, stride=4)
        self.phrase = nn.Conv1d(2 * width, 2 * width, 3, padding=1)
        self.penultimate = nn.Linear(4 * width, embedding)
        self.out = nn.Linear(embedding, outputs)
        self.dropout = nn.Dropout(dropout)

    def embed(self, windows: Tensor) -> Tensor:
        """[N, T, F] to [N, D]."""
        windows = windows.float()
        pitched = windows[..., : self.tracks * OF_TRACK].unflatten(-1, (self.tracks, OF_TRACK))
        classes = (
            pitched[..., :-1].unflatten(-1, (2, 12)).permute(0, 2, 3, 4, 1).flatten(1, 2)
        )  # [N, 2 P, 12, T]
        height = pitched[..., -1].transpose(1, 2)  # [N, P, T]
        sounds = (height > 0).float()
        contour = (
            sounds
            * (height - height.sum(2, keepdim=True) / sounds.sum(2, keepdim=True).clamp(min=1))
            / 12
        )
        strikes = classes[:, ::2].amax(dim=2)
        drums = windows[..., self.tracks * OF_TRACK :].transpose(1, 2)
        around = torch.cat([classes, classes[:, :, :-1]], dim=2)
        harmony = F.gelu(self.beats(around))  # [N, width, 12, beats]
        harmony = harmony + F.gelu(self.changes(harmony))
        rhythm = F.gelu(self.rhythm(torch.cat([strikes, sounds, contour, drums], dim=1)))
        by_beat = torch.cat([harmony.mean(dim=2), harmony.amax(dim=2), rhythm], dim=1)
        by_bar = F.gelu(self.bars(self.dropout(by_beat)))
        by_bar = by_bar + F.gelu(self.phrase(self.dropout(by_bar)))
        return F.gelu(
            self.penultimate(
                self.dropout(torch.cat([by_bar.mean(dim=2), by_bar.amax(dim=2)], dim=1))
            )
        )

    def forward(self, windows: Tensor) -> Tensor:
        return self.out(self.dropout(self.embed(windows)))


class Critic(Listener):
    """One logit, matched or not. It hears harmony above all: take the drums from real songs and neither the logits nor the
    embeddings move, so drums have to be judged by other means.

    threshold: the logit from which a window is called matched; spread: of the embedding over real music, its unit.
    """

    threshold: Tensor
    spread: Tensor

    def __init__(self, width: int, embedding: int, dropout: float = 0.3):
        super().__init__(len(PITCHED), 1, width, embedding, dropout)
        self.register_buffer("threshold", torch.tensor(0.0))
        self.register_buffer("spread", torch.tensor(1.0))


def without_melody(windows: Tensor) -> Tensor:
    return windows[..., OF_TRACK:]


def windows_of(planes: np.ndarray) -> Tensor:
    """[5, 2, S, 128] to [N, T, F] uint8."""
    blocks = pianoroll.to_blocks(planes).swapaxes(0, 1)
    heard = features_of(torch.from_numpy(np.ascontiguousarray(blocks))).numpy()
    starts = window_starts(heard[:, :, :12].any(axis=(1, 2)))
    missing = max(0, BLOCKS - len(heard))
    heard = np.concatenate([heard, np.zeros((missing, BLOCK_STEPS, FEATURES), np.uint8)])
    windows = [heard[at : at + BLOCKS].reshape(STEPS, FEATURES) for at in starts]
    return torch.from_numpy(
        np.stack(windows) if windows else np.zeros((0, STEPS, FEATURES), np.uint8)
    )
