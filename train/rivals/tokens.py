"""Write songs as the tokens of train.rivals.transformer: bars, steps of a bar, and notes.

The tokens of a bar are BAR, the melody's notes by step, BAND, and then each step on which the band
strikes anything, with its notes: drums, bass, guitar, strings, each from low to high, which is the
order of their tokens. With a token come the step of the bar on which it lies, a class of duration
(0: none; drums have none) and its bar's place among BARS.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from accomp.roll import pianoroll
from accomp.roll.grid import (
    ACCOMPANIMENT,
    BAR_STEPS,
    BASS,
    BLOCK_STEPS,
    DRUMS,
    GUITAR,
    MELODY,
    STRINGS,
    TRACKS,
)
from train.data.corpus import Corpus

BARS = 8  # bars are counted up to a phrase's usual length
DURATIONS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # steps
BAR, BAND, BLANK = 0, 1, 2  # BLANK + s is step s
FIRST_NOTE = BLANK + BAR_STEPS
# The band's tracks in the order of their tokens, then the melody, whose tokens are never chosen.
_ORDER = (DRUMS, BASS, GUITAR, STRINGS, MELODY)
_SIZES = [TRACKS[t].high - TRACKS[t].low + 1 for t in _ORDER]
_STARTS = dict(zip(_ORDER, FIRST_NOTE + np.cumsum([0, *_SIZES[:-1]])))
TOKENS = FIRST_NOTE + sum(_SIZES)
CHOSEN = int(_STARTS[MELODY])  # tokens below may be chosen
_TRACK = np.repeat(_ORDER, _SIZES)
BLOCK_BARS = BLOCK_STEPS // BAR_STEPS


def note_token(token: int) -> tuple[int, int]:
    """Return track and pitch of a note's token."""
    track = int(_TRACK[token - FIRST_NOTE])
    return track, int(token - _STARTS[track]) + TRACKS[track].low


def duration_class(track: int, duration: np.ndarray | int) -> np.ndarray:
    """Return the class of a duration: 0 for drums, else 1 and more.

    It is that of the nearest of DURATIONS, of equally near ones of the shorter.
    """
    nearest = np.abs(np.asarray(duration)[..., None] - DURATIONS).argmin(-1) + 1
    return nearest * (track != DRUMS)


def rows_of(planes: np.ndarray) -> np.ndarray:
    """Return pitch, step and duration in steps of the notes in planes [2, S, 128], [n, 3]."""
    notes = pianoroll.from_planes(planes)
    return np.stack([notes[:, 0], notes[:, 1], notes[:, 2] - notes[:, 1]], axis=1)


def song_tokens(notes: dict[int, np.ndarray], bars: int) -> np.ndarray:
    """Return the tokens of a song.

    Where the band's notes are not given, every bar ends with the band's entry.

    Args:
        notes: Of each track [n, 3] pitch, step and duration of its notes.
        bars: How many there are.

    Returns:
        [N, 5] int64: token, step of the bar, class of duration, bar among BARS, and bar. The last
        row begins the bar after.
    """
    number, zero = np.arange(bars), np.zeros(bars, int)
    last = np.zeros(bars + 1, int)
    # Columns: bar, phase (0 bar, 1 melody, 2 entry, 3 band), step, token, duration class.
    parts = [
        np.stack([np.arange(bars + 1), last, last, last + BAR, last]),
        np.stack([number, zero + 2, zero, zero + BAND, zero]),
    ]
    struck = [np.zeros(0, int)]
    for track, rows in notes.items():
        spec = TRACKS[track]
        fits = (rows[:, 0] >= spec.low) & (rows[:, 0] <= spec.high)
        rows = rows[fits & (rows[:, 1] < bars * BAR_STEPS)]
        bar, step = np.divmod(rows[:, 1], BAR_STEPS)
        token = _STARTS[track] + rows[:, 0] - spec.low
        phase = np.full(len(rows), 1 if track == MELODY else 3)
        parts.append(np.stack([bar, phase, step, token, duration_class(track, rows[:, 2])]))
        if track != MELODY:
            struck.append(rows[:, 1])
    bar, step = np.divmod(np.unique(np.concatenate(struck)), BAR_STEPS)
    parts.append(np.stack([bar, np.full(len(bar), 3), step, BLANK + step, np.zeros(len(bar), int)]))
    bar, phase, step, token, duration = np.concatenate(parts, axis=1)
    order = np.lexsort((token, step, phase, bar))
    return np.stack([token, step, duration, bar % BARS, bar], axis=1)[order]


def allowed(last: int, step: int) -> np.ndarray:
    """Tell which tokens may follow the band's token `last` on a step, [CHOSEN] bool.

    After a step comes a note; after a note a higher token of its step, a later step, or the bar's
    end.
    """
    result = np.zeros(CHOSEN, bool)
    steps = slice(BLANK + (0 if last == BAND else step + 1), FIRST_NOTE)
    if last == BAND or last >= FIRST_NOTE:
        result[BAR] = result[steps] = True
    if last >= BLANK:
        result[max(last + 1, FIRST_NOTE) :] = True
    return result


def band_planes(
    notes: list[tuple[int, int, int, int]], steps: int, tracks: tuple[int, ...]
) -> dict[int, np.ndarray]:
    """Return the planes [2, steps, 128] of tracks by their number.

    notes: (track, pitch, step, duration) each.
    """
    band = {}
    for track in tracks:
        rows = [
            (pitch, step, min(step + length, steps))
            for t, pitch, step, length in notes
            if t == track
        ]
        band[track] = pianoroll.to_planes(np.array(rows, int).reshape(-1, 3), steps)
    return band


class Excerpts:
    """Stretches of songs, from a block in which the melody plays, as tokens.

    Attributes:
        tokens: By song, as of `song_tokens`.
        starts: By song, the bars with which an excerpt can begin.
        bars: Of an excerpt.
    """

    def __init__(self, corpus: Corpus, songs: list[int], bars: int = 32):
        self.tokens, self.starts, self.bars = [], [], bars
        sounding = corpus.active(MELODY)
        for song in songs:
            notes, own = corpus.notes_of(song), corpus.own(song)
            columns = np.stack(
                [notes[name].astype(int) for name in ("pitch", "step", "duration")], axis=1
            )
            by_track = {
                track: columns[notes["track"] == track] for track in (MELODY, *ACCOMPANIMENT)
            }
            tokens = song_tokens(by_track, BLOCK_BARS * (own.stop - own.start))
            starts = BLOCK_BARS * np.flatnonzero(sounding[own])
            if len(starts):
                self.tokens.append(tokens.astype(np.int16))
                self.starts.append(starts)

    def excerpt(self, generator: torch.Generator) -> Tensor:
        """Draw an excerpt: [N, 4] tokens, the last of which begins the bar after."""
        song = int(torch.randint(len(self.tokens), (), generator=generator))
        place = int(torch.randint(len(self.starts[song]), (), generator=generator))
        tokens, start = self.tokens[song], int(self.starts[song][place])
        first, last = np.searchsorted(tokens[:, 4], [start, start + self.bars])
        rows = tokens[first : last + 1, :4].astype(int)
        rows[:, 3] = (rows[:, 3] - start) % BARS
        return torch.from_numpy(rows)

    def segments(
        self, generator: torch.Generator, streams: int, count: int, segment: int
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Give `count` segments of several streams, each going on where the last one ended.

        Args:
            generator: Draws the excerpts of which the streams are made.
            streams: How many there are side by side.
            count: Of segments.
            segment: Tokens in each.

        Yields:
            Rows [streams, segment + 1, 4], and the numbers of their songs [streams, segment + 1],
            which do not come again in another epoch.
        """
        length = segment * count + 1
        rows = torch.zeros(streams, length, 4, dtype=torch.long)
        songs = torch.zeros(streams, length, dtype=torch.long)
        for stream in range(streams):
            filled = 0
            while filled < length:
                found = self.excerpt(generator)[: length - filled]
                number = int(torch.randint(2**62, (), generator=generator))
                rows[stream, filled : filled + len(found)] = found
                songs[stream, filled : filled + len(found)] = number
                filled += len(found)
        for at in range(0, length - 1, segment):
            yield rows[:, at : at + segment + 1], songs[:, at : at + segment + 1]
