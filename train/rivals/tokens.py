"""The alphabet of train.rivals.transformer: bars, steps of a bar, and notes.

The tokens of a bar: BAR, the melody's notes by step, BAND, and for each step on which the band strikes anything the step and
its notes: drums, bass, guitar, strings, each from low to high, which is the order of their tokens. A token comes with the step
of the bar on which it lies, a class of duration (0: none; drums have none) and its bar's place among BARS.
"""

import numpy as np
import torch
from torch import Tensor

from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BAR_STEPS, BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACKS
from train.data.corpus import Corpus

EXCERPT_BARS = 32
BARS = 8  # bars are counted up to a phrase's usual length
DURATIONS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # steps
BAR, BAND, BLANK = 0, 1, 2  # BLANK + s is step s
FIRST_NOTE = BLANK + BAR_STEPS
# The band's tracks in the order of their tokens, then the melody's, which is never chosen.
_ORDER = (DRUMS, BASS, GUITAR, STRINGS, MELODY)
_SIZES = [TRACKS[t].high - TRACKS[t].low + 1 for t in _ORDER]
_STARTS = dict(zip(_ORDER, FIRST_NOTE + np.cumsum([0, *_SIZES[:-1]])))
TOKENS = FIRST_NOTE + sum(_SIZES)
CHOSEN = int(_STARTS[MELODY])  # tokens below may be chosen
_TRACK = np.repeat(_ORDER, _SIZES)


def note_token(token: int) -> tuple[int, int]:
    """Track and pitch of a note's token."""
    track = int(_TRACK[token - FIRST_NOTE])
    return track, int(token - _STARTS[track]) + TRACKS[track].low


def duration_class(track: int, duration):
    """1 and more: the nearest of DURATIONS (of equally near ones the shorter); 0: drums. Of a number or an array."""
    nearest = np.abs(np.asarray(duration)[..., None] - DURATIONS).argmin(-1) + 1
    return nearest * (track != DRUMS)


def rows_of(planes: np.ndarray) -> np.ndarray:
    """[notes, 3] pitch, step and duration in steps of planes [2, S, 128]."""
    notes = pianoroll.from_planes(planes)
    return np.stack([notes[:, 0], notes[:, 1], notes[:, 2] - notes[:, 1]], axis=1)


def tokens_of(notes: dict[int, np.ndarray], bars: int) -> np.ndarray:
    """[N, 5] int64 (token, step of the bar, duration class, bar among BARS, bar) of [n, 3] pitch, step and duration of each
    track's notes. Where the band's are not given, every bar ends with the band's entry. The last row begins the bar after.
    """
    number = np.arange(bars)
    zero = np.zeros(bars, int)
    # Columns: bar, phase (bar, melody, entry, band), step, token, duration class.
    parts = [
        np.stack(
            [
                np.arange(bars + 1),
                *np.zeros((2, bars + 1), int),
                np.full(bars + 1, BAR),
                np.zeros(bars + 1, int),
            ]
        )
    ]
    parts.append(np.stack([number, zero + 2, zero, zero + BAND, zero]))
    struck = [np.zeros(0, int)]
    for track, rows in notes.items():
        spec = TRACKS[track]
        rows = rows[
            (rows[:, 0] >= spec.low) & (rows[:, 0] <= spec.high) & (rows[:, 1] < bars * BAR_STEPS)
        ]
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
    """[CHOSEN] bool: what may follow the band's token `last` on `step`: after a step a note, after a note a higher token of
    its step, a later step, or the bar's end.
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
    """The planes [2, steps, 128] of each track of notes (track, pitch, step, duration)."""
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
    """Stretches of 32 bars of songs, from a block in which the melody plays, as tokens."""

    def __init__(self, corpus: Corpus, songs: list[int]):
        self.tokens, self.starts = [], []
        sounding = corpus.active(MELODY)
        for song in songs:
            notes, bars = corpus.notes_of(song), 2 * corpus.songs[song]["blocks"]
            columns = np.stack(
                [notes[c].astype(int) for c in ("pitch", "step", "duration")], axis=1
            )
            tokens = tokens_of(
                {t: columns[notes["track"] == t] for t in (MELODY, *ACCOMPANIMENT)}, bars
            )
            first = corpus.songs[song]["first"]
            starts = 2 * np.flatnonzero(sounding[first : first + bars // 2])
            if len(starts):
                self.tokens.append(tokens.astype(np.int16))
                self.starts.append(starts)

    def excerpt(self, generator: torch.Generator) -> Tensor:
        """[N, 4] tokens; the last begins the bar after."""
        song = int(torch.randint(len(self.tokens), (), generator=generator))
        start = int(
            self.starts[song][int(torch.randint(len(self.starts[song]), (), generator=generator))]
        )
        bar = self.tokens[song][:, 4]
        rows = self.tokens[song][
            np.searchsorted(bar, start) : np.searchsorted(bar, start + EXCERPT_BARS) + 1, :4
        ].astype(int)
        rows[:, 3] = (rows[:, 3] - start) % BARS
        return torch.from_numpy(rows)

    def segments(self, generator: torch.Generator, streams: int, count: int, segment: int):
        """`count` times rows [streams, segment + 1, 4] and songs [streams, segment + 1], each going on where the last ended; the
        numbers of songs do not come again in another epoch.
        """
        length = segment * count + 1
        rows, songs = (
            torch.zeros(streams, length, 4, dtype=torch.long),
            torch.zeros(streams, length, dtype=torch.long),
        )
        for stream in range(streams):
            filled = 0
            while filled < length:
                found = self.excerpt(generator)[: length - filled]
                rows[stream, filled : filled + len(found)] = found
                songs[stream, filled : filled + len(found)] = int(
                    torch.randint(2**62, (), generator=generator)
                )
                filled += len(found)
        for at in range(0, length - 1, segment):
            yield rows[:, at : at + segment + 1], songs[:, at : at + segment + 1]
