"""The network of a chord planner: how likely each chord is, given a melody and other chords.

Not part of the published method (Tham & Kim 2021), whose instruments agree by chance only.
A melody encoder hears the whole melody. A context network hears it together with the chords of
some half bars and says how likely each chord of the others is, so that it knows progressions, can
fill in what is left open around given chords, and rank whole plans. It learns as masked language
models do (Devlin et al. 2019, "BERT"), with any share of the chords masked (Ghazvininejad et al.
2019, "Mask-Predict").
Letters: N melodies, U units (accomp.roll.melody_units), D width, C classes of chords (192).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from accomp.roll.chord_vocabulary import CLASS_COUNT, CLASS_TONES, PLANNED
from accomp.roll.grid import HALF_BAR_STEPS
from accomp.roll.melody_units import PLACES, SILENT

# How colourful a song's chords are: what share of them has more tones than a triad, what share
# leaves the key, and how often they change a bar.
LEVELS = 3
EXTENDED = 0  # the number of the first of these
QUANTILES = 5  # of each of the levels that a genre's songs have
UNKNOWN = -1.0  # a level that is not known
MASKED = -1  # the chord of a unit that is not known
KEYS = 24
CHORD_INPUTS = 12 + len(PLANNED) + 12 + 12 + 1  # root, quality, bass, tones; whether it is known
MELODY_INPUTS = HALF_BAR_STEPS * 15 + PLACES  # 12 pitch classes, struck, height, present
FARTHEST = 32  # units apart; what is farther counts as being as far
LOOK_ABOUT = 256  # units that attend at a time: at 2,000 bars all at once would take gigabytes
RETURNS = (0, 1, 2, 3)  # units after each of two that are compared to tell whether a tune returns


@dataclass
class PlannerConfig:
    """What a ChordPlanner is made of.

    Attributes:
        width: Of the melody's encoding.
        layers: Of attention in the encoder.
        context: Width of the network that hears chords.
        heads: Of attention.
        dropout: In training.
        genres: That it knows; the number after the last stands for any.
    """

    width: int = 128
    layers: int = 2
    context: int = 96
    heads: int = 4
    dropout: float = 0.2
    genres: list[str] = field(default_factory=list)


class Melodies(NamedTuple):
    """A batch of melodies.

    Attributes:
        pitch_class: [N, U, 8] int, SILENT where nothing sounds.
        rows: [N, U, 24 + PLACES] float: struck, height and present of each step, and places.
        valid: [N, U] bool, whether there is a unit.
        genre: [N] int; the number of genres for any.
        key: [N] int, tonic + 12 for minor; -1 where it is not told.
        levels: [N, LEVELS] float; NaN where it is not told.
    """

    pitch_class: Tensor
    rows: Tensor
    valid: Tensor
    genre: Tensor
    key: Tensor
    levels: Tensor

    def transposed(self, semitones: Tensor) -> "Melodies":
        """Return the melodies higher by [N] int semitones."""
        moved = (self.pitch_class + semitones[:, None, None]) % 12
        key = torch.where(
            self.key < 0, self.key, (self.key + semitones) % 12 + 12 * (self.key >= 12)
        )
        return self._replace(
            pitch_class=torch.where(self.pitch_class == SILENT, SILENT, moved), key=key
        )


class Encoded(NamedTuple):
    """What the encoder makes of melodies.

    Attributes:
        hidden: [N, U, D].
        alike: [N, U, U, 2], or [1, U, U, 2] of one melody in all keys, how alike two places of the
            melody are: in their units, and in what follows.
        far: [N or 1, U, U] bool, whether one of two units is none.
        logits: [N, U, C] of the chords, from the melody alone.
        key: [N, 24] logits of the key.
    """

    hidden: Tensor
    alike: Tensor
    far: Tensor
    logits: Tensor
    key: Tensor

    def rows(self, numbers: Tensor) -> "Encoded":
        """Return what is heard of the melodies of some numbers."""
        shared = len(self.alike) == 1
        alike, far = (self.alike, self.far) if shared else (self.alike[numbers], self.far[numbers])
        return Encoded(self.hidden[numbers], alike, far, self.logits[numbers], self.key[numbers])


def transpose_logits(logits: Tensor, semitones: Tensor) -> Tensor:
    """Move logits [N, ..., C or 12 k] higher by [N] int semitones."""
    by_root = logits.unflatten(-1, (-1, 12))
    at = (torch.arange(12, device=logits.device)[None] - semitones[:, None]) % 12
    index = at.reshape(len(at), *[1] * (by_root.dim() - 2), 12).expand_as(by_root)
    return by_root.gather(-1, index).flatten(-2)


class ChordPlanner(nn.Module):
    """The network of chord probabilities.

    Attributes:
        config: What it is made of.
        levels: [G + 1, LEVELS, QUANTILES] what songs of each genre do, and of any, from the
            plainest to the most colourful one, evenly spaced; UNKNOWN where it is not known.
    """

    tones: Tensor
    levels: Tensor

    def __init__(self, config: PlannerConfig):
        super().__init__()
        self.config = config
        width, dropout = config.width, config.dropout
        self.register_buffer("tones", torch.from_numpy(CLASS_TONES), persistent=False)
        unknown = torch.full((len(config.genres) + 1, LEVELS, QUANTILES), UNKNOWN)
        self.register_buffer("levels", unknown)
        self.melody = nn.Linear(MELODY_INPUTS, width)
        self.genre = nn.Embedding(len(config.genres) + 1, width)
        self.key_told = nn.Embedding(KEYS + 1, width)
        self.level_told = nn.Linear(2 * LEVELS, width)
        self.gru = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.layers = nn.ModuleList(
            [Attention(width, config.heads, dropout) for _ in range(config.layers)]
        )
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)
        self.frame = nn.Linear(width, CLASS_COUNT)
        self.key_heard = nn.Linear(width, KEYS)
        self.context = Context(config)

    def encode(self, melodies: Melodies, *, one_melody: bool = False) -> Encoded:
        """Hear melodies, which may be one in several keys: its places are then compared once."""
        classes = F.one_hot(melodies.pitch_class.long(), SILENT + 1)[..., :SILENT].float()
        rows = torch.cat([classes.flatten(2), melodies.rows], dim=-1)
        hidden = self.melody(rows) + self._told(melodies)[:, None]
        hidden = self.dropout(F.gelu(hidden))
        hidden = hidden + self.gru(hidden)[0]
        compared = slice(0, 1) if one_melody else slice(None)
        struck = melodies.rows[compared, :, :HALF_BAR_STEPS, None]
        valid = melodies.valid[compared]
        alike = likeness(classes[compared] * struck + 0.3 * classes[compared], valid)
        far = ~(valid[:, None] & valid[:, :, None])
        for layer in self.layers:
            hidden = layer(hidden, alike, far)
        hidden = self.norm(hidden)
        kept = melodies.valid[..., None]
        mean = (hidden * kept).sum(1) / kept.sum(1).clamp(min=1)
        return Encoded(hidden, alike, far, self.frame(self.dropout(hidden)), self.key_heard(mean))

    def _told(self, melodies: Melodies) -> Tensor:
        """Embed genre, key and levels, [N, D]."""
        known = ~melodies.levels.isnan()
        levels = torch.cat([melodies.levels.nan_to_num(0.0), known.float()], dim=-1)
        key = torch.where(melodies.key < 0, KEYS, melodies.key)
        return self.genre(melodies.genre) + self.key_told(key) + self.level_told(levels)

    def describe_chords(self, chords: Tensor, basses: Tensor) -> Tensor:
        """Return inputs [..., CHORD_INPUTS] of chords [...], zeros where they are MASKED."""
        known = (chords >= 0).float()[..., None]
        chord = chords.clamp(min=0)
        parts = [
            F.one_hot(chord % 12, 12),
            F.one_hot(chord // 12, len(PLANNED)),
            F.one_hot((chord + basses) % 12, 12),
            self.tones[chord],
        ]
        return torch.cat([torch.cat(parts, dim=-1) * known, known], dim=-1)

    def fill(self, heard: Encoded, chords: Tensor, basses: Tensor) -> tuple[Tensor, Tensor]:
        """Say how likely chords are, given others.

        Args:
            heard: The melodies.
            chords: [N, U] int classes, MASKED where they are not known.
            basses: [N, U] int semitones of the bass above the root.

        Returns:
            [N, U, C] logits of every unit's chord, and the hidden state [N, U, context].
        """
        return self.context(heard, self.describe_chords(chords, basses))

    def bass_logits(self, hidden: Tensor, chords: Tensor) -> Tensor:
        """Return logits [N, U, 12] of the bass's semitones above the root of chords [N, U]."""
        return self.context.bass_logits(
            hidden, self.describe_chords(chords, torch.zeros_like(chords))
        )


class Context(nn.Module):
    """Hears chords beside the melody."""

    def __init__(self, config: PlannerConfig):
        super().__init__()
        width = config.context
        self.inputs = nn.Linear(CHORD_INPUTS, width)
        self.heard = nn.Linear(config.width, width)
        self.gru = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.attention = Attention(width, config.heads, config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.norm = nn.LayerNorm(width)
        self.chord = nn.Linear(width, CLASS_COUNT)
        self.bass = nn.Sequential(
            nn.Linear(width + CHORD_INPUTS, width), nn.GELU(), nn.Linear(width, 12)
        )

    def forward(self, heard: Encoded, chords: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [N, U, C] and the hidden state."""
        hidden = self.dropout(F.gelu(self.inputs(chords) + self.heard(heard.hidden)))
        hidden = hidden + self.gru(hidden)[0]
        hidden = self.norm(self.attention(hidden, heard.alike, heard.far))
        # The melody's own logits are what the context corrects.
        return self.chord(self.dropout(hidden)) + heard.logits, hidden

    def bass_logits(self, hidden: Tensor, chord: Tensor) -> Tensor:
        """Return logits [N, U, 12] of basses."""
        return self.bass(torch.cat([hidden, chord], dim=-1))


class Attention(nn.Module):
    """A layer of attention and a feed-forward network, each on a normalised residual.

    Attention knows how far apart two units are (Shaw et al. 2018) and how alike the melody is
    there, so that returning phrases hear each other.
    """

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.inputs = nn.Linear(width, 3 * width)
        self.distance = nn.Embedding(2 * FARTHEST + 1, heads)
        self.alike = nn.Linear(2, heads)
        self.output = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.forth = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, hidden: Tensor, alike: Tensor, far: Tensor) -> Tensor:
        """Return hidden states [N, U, width].

        Args:
            hidden: [N, U, width].
            alike: [N or 1, U, U, 2].
            far: [N or 1, U, U] bool, between which units there is no attention.
        """
        query, key, value = (
            each.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for each in self.inputs(self.norm(hidden)).chunk(3, dim=-1)
        )
        # A long song's units look about in turn: all pairs at once would take gigabytes.
        seen = torch.cat(
            [
                F.scaled_dot_product_attention(
                    query[:, :, at], key, value, attn_mask=self._bias(alike[:, at], far[:, at], at)
                )
                for at in (
                    slice(start, start + LOOK_ABOUT)
                    for start in range(0, hidden.shape[1], LOOK_ABOUT)
                )
            ],
            dim=2,
        )
        hidden = hidden + self.dropout(self.output(seen.transpose(1, 2).flatten(2)))
        return hidden + self.forth(hidden)

    def _bias(self, alike: Tensor, far: Tensor, at: slice) -> Tensor:
        """Return what is added to the attention of the units `at` to all, [N or 1, heads, V, U].

        Args:
            alike: [N or 1, V, U, 2] of these units and all.
            far: [N or 1, V, U] bool.
            at: Which units.
        """
        units = torch.arange(alike.shape[2], device=alike.device)
        apart = (units[None] - units[at, None]).clamp(-FARTHEST, FARTHEST) + FARTHEST
        bias = self.distance(apart)[None] + self.alike(alike)
        return bias.permute(0, 3, 1, 2).masked_fill(far[:, None], -1e4)


def likeness(rows: Tensor, valid: Tensor) -> Tensor:
    """Compare all places of melodies.

    Args:
        rows: [N, U, 8, 12] what each step plays.
        valid: [N, U] bool.

    Returns:
        [N, U, U, 2] cosine similarity of two units, and its mean over the units that follow (two
        bars of four beats).
    """
    flat = F.normalize(rows.flatten(2), dim=-1) * valid[..., None]
    one = flat @ flat.transpose(1, 2)
    padded = F.pad(one, (0, RETURNS[-1], 0, RETURNS[-1]))
    units = one.shape[1]
    following = torch.zeros_like(one)
    for k in RETURNS:
        following = following + padded[:, k : k + units, k : k + units]
    return torch.stack([one, following / len(RETURNS)], dim=-1)
