"""Which genre's band fits a melody: a multinomial logistic regression on some fifty statistics of its notes.

It hears intervals, scale, rhythm, repeats, meter and tempo; neither names nor sounds, nor how loud or exactly the notes are
played, which says who made a file rather than what music it is. train.fit.suggestion trains it.
Letters: N melodies, F features, G genres, n notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from accomp.models.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    load_settings,
    load_weights,
    save_settings,
    save_weights,
)
from accomp.music.keys import estimate_key
from accomp.music.melody_track import melody_index, skyline
from accomp.music.score import Note, Score

FOLDER = Path(__file__).parent / "data/genres"
FEW = 8  # notes; what so few say counts half
FARTHEST = 3.0  # standard deviations from the mean; stranger melodies are like these
SHORTEST, LONGEST = 1 / 16, 16.0  # pulses; shorter and longer notes and rests are like these
MEMORY = 8  # bars before it that a bar may repeat
REST = 0.5  # pulses of silence that end a phrase

# Semitones above the tonic.
MAJOR_SCALE, MAJOR_PENTATONIC = (0, 2, 4, 5, 7, 9, 11), (0, 2, 4, 7, 9)
MINOR_SCALE, MINOR_PENTATONIC = (
    (0, 2, 3, 5, 7, 8, 10, 11),
    (0, 3, 5, 7, 10),
)  # natural and harmonic minor
# The largest of each kind of interval, in semitones; the last kind has no bound.
INTERVALS = {
    "unison": 0,
    "semitone": 1,
    "tone": 2,
    "third": 4,
    "fourth": 5,
    "fifth": 7,
    "seventh": 11,
    "octave": np.inf,
}
# Where in a pulse notes begin, in parts of it: places that divide it by four and by three.
PLACES = {
    "pulse": 0.0,
    "first_quarter": 1 / 4,
    "first_third": 1 / 3,
    "half": 1 / 2,
    "second_third": 2 / 3,
    "last_quarter": 3 / 4,
}
# Times from onset to onset, in pulses.
TIMES = {
    "quarter": 1 / 4,
    "third": 1 / 3,
    "half": 1 / 2,
    "three_quarters": 3 / 4,
    "one": 1.0,
    "one_and_half": 1.5,
    "two": 2.0,
    "three": 3.0,
    "four": 4.0,
}


@dataclass
class Line:
    """A melody, one note at a time. A pulse is a quarter note, in compound meters a dotted one.

    pitch: [n] semitones above the first note; degree: [n] semitones above the tonic, 0-11; onset, duration: [n] pulses; bar: [n]
    its bar's number; in_bar: [n] pulses since that began; bar_pulses: [n] how long that is; compound: [n] bool, of the meter;
    tempo: mean, pulses a minute.
    """

    pitch: np.ndarray
    degree: np.ndarray
    is_minor: bool
    onset: np.ndarray
    duration: np.ndarray
    bar: np.ndarray
    in_bar: np.ndarray
    bar_pulses: np.ndarray
    compound: np.ndarray
    tempo: float

    @classmethod
    def of(cls, notes: list[Note], score: Score) -> "Line":
        """notes: of one track of `score`, at least one."""
        line = skyline(notes)
        key = estimate_key(line)
        pitch, onset, duration, _ = np.array(line, float).T
        bars = score.bars(onset[-1] + 1e-3)
        bar = np.maximum(np.searchsorted([bar.onset for bar in bars], onset + 1e-6) - 1, 0)
        since = np.maximum(onset - np.array([bar.onset for bar in bars])[bar], 0)
        bar_beats = np.array([bar.meter.bar_beats for bar in bars])[bar]
        compound = np.array([bar.meter.is_compound for bar in bars])[bar]
        pulse = np.where(compound, 1.5, 1.0)
        # Where the meter changes, time is counted in the pulses of most notes.
        common = float(np.median(pulse))
        span = max(line[-1].end - onset[0], SHORTEST)
        seconds = max(score.seconds(onset[0] + span) - score.seconds(onset[0]), 1e-3)
        return cls(
            pitch=pitch - pitch[0],
            degree=(pitch.astype(int) - key.tonic) % 12,
            is_minor=key.is_minor,
            onset=onset / common,
            duration=np.clip(duration / common, SHORTEST, LONGEST),
            bar=bar,
            in_bar=since / pulse,
            bar_pulses=bar_beats / pulse,
            compound=compound,
            tempo=60 * span / common / seconds,
        )

    def __len__(self) -> int:
        return len(self.pitch)

    @property
    def between(self) -> np.ndarray:
        """[n - 1] times from onset to onset, in pulses."""
        return np.clip(np.diff(self.onset), SHORTEST, LONGEST)


def features(line: Line) -> dict[str, float]:
    """By name; shares and means, so that an excerpt has about those of the whole. None changes with transposition."""
    parts = (scale(line), intervals(line), places(line), times(line), repeats(line), meter(line))
    return {name: float(value) for part in parts for name, value in part.items()}


def scale(line: Line) -> dict[str, float]:
    """How much of its time the melody is on which degrees, and how far it reaches."""
    share = np.bincount(line.degree, np.minimum(line.duration, 4), 12)
    share /= share.sum()
    notes, pentatonic = (
        (MINOR_SCALE, MINOR_PENTATONIC) if line.is_minor else (MAJOR_SCALE, MAJOR_PENTATONIC)
    )
    low, high = np.percentile(line.pitch, (5, 95))
    return {
        "minor": line.is_minor,
        "in_scale": share[list(notes)].sum(),
        "pentatonic": share[list(pentatonic)].sum(),
        "degree_entropy": _entropy(share),
        "ends_on_tonic": line.degree[-1] == 0,
        "range": high - low,
        "spread": line.pitch.std(),
    }


def intervals(line: Line) -> dict[str, float]:
    steps = np.diff(line.pitch)
    share = _shares(np.searchsorted(list(INTERVALS.values()), np.abs(steps)), len(INTERVALS))
    moves = steps[steps != 0]
    turns = moves[1:] * moves[:-1] < 0
    return {f"interval_{name}": part for name, part in zip(INTERVALS, share)} | {
        "interval_mean": _mean(np.minimum(np.abs(steps), 12)),
        "interval_entropy": _entropy(share),
        "rising": _mean(moves > 0),
        "turns": _mean(turns),
        "leaps_turned": _mean(turns[np.abs(moves[:-1]) > 4]),
        "arpeggios": _mean((np.abs(steps[1:]) > 2) & (np.abs(steps[:-1]) > 2)),
    }


def places(line: Line) -> dict[str, float]:
    """Where in the pulse notes begin. A swung eighth lies on the second third."""
    place = line.in_bar % 1
    nearest = np.abs(place[:, None] - [*PLACES.values(), 1.0]).argmin(1) % len(PLACES)
    share = _shares(nearest, len(PLACES))
    thirds, halves = share[2] + share[4], share[3]
    # Syncopated: off the pulse, and on the next one nothing is struck.
    held_over = (nearest[:-1] != 0) & (place[:-1] + line.between > 1.1)
    return {f"begins_{name}": part for name, part in zip(PLACES, share)} | {
        "syncopation": _mean(held_over),
        "triplets": thirds / (thirds + halves) if thirds + halves > 0.02 else 0.0,
    }


def times(line: Line) -> dict[str, float]:
    between, values = line.between, np.array(list(TIMES.values()))
    share = _shares(np.searchsorted(np.sqrt(values[1:] * values[:-1]), between), len(TIMES))
    change = np.abs(np.diff(np.log2(between)))
    silent = np.maximum(between - line.duration[:-1], 0)
    density = -np.log2(between.mean()) if len(between) else 0.0
    return {f"time_{name}": part for name, part in zip(TIMES, share)} | {
        "time_entropy": _entropy(share),
        "time_same": _mean(change < 0.2),
        "time_change": _mean(np.minimum(change, 3)),
        "notes_a_pulse": density,
        "notes_a_second": density + np.log2(line.tempo / 60),
        "silence": silent.sum() / max(between.sum(), SHORTEST),
        "phrase_ends": _mean(silent >= REST),
        "long_notes": _mean(line.duration >= 3),
    }


def repeats(line: Line) -> dict[str, float]:
    """Shares of bars whose rhythm, contour or notes are those of a bar shortly before, and how unlike in number of notes
    bars are.
    """
    # Twelfths of a pulse: what is played by hand repeats too.
    step = np.round(line.in_bar * 12).astype(int)
    bars = [np.flatnonzero(line.bar == number) for number in np.unique(line.bar)]
    rhythms = [tuple(step[bar]) for bar in bars]
    counts = [len(bar) for bar in bars]
    return {
        "repeats_rhythm": _repeated(rhythms, MEMORY),
        "repeats_last_rhythm": _repeated(rhythms, 1),
        "repeats_contour": _repeated(
            [(*step[bar], *np.diff(line.pitch[bar])) for bar in bars], MEMORY
        ),
        "repeats_notes": _repeated([(*step[bar], *line.pitch[bar]) for bar in bars], MEMORY),
        "uneven_bars": np.std(counts) / np.mean(counts),
    }


def meter(line: Line) -> dict[str, float]:
    simple = ~line.compound
    return {
        "compound": line.compound.mean(),
        "in_two": (np.isclose(line.bar_pulses, 2) & simple).mean(),
        "in_three": (np.isclose(line.bar_pulses, 3) & simple).mean(),
        "odd_meter": (~np.isin(line.bar_pulses, (2, 3, 4)) & simple).mean(),
        "tempo": np.log2(line.tempo / 120),
    }


@dataclass
class GenreModel:
    """genres: [G] names; features: [F] names; mean, deviation: [F] of the features in training; weight: [F, G]; bias: [G]."""

    genres: list[str]
    features: list[str]
    mean: np.ndarray
    deviation: np.ndarray
    weight: np.ndarray
    bias: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> "GenreModel":
        """Load what `save` wrote. Raises ModelError where files are missing or do not fit."""
        place = f"{folder} holds no genre model"
        weights = load_weights(folder / WEIGHTS_FILE, place)
        arrays = {name: value.numpy() for name, value in weights.items()}
        return load_settings(folder / CONFIG_FILE, lambda values: cls(**values, **arrays), place)

    def save(self, folder: Path) -> None:
        """Write config.json and float32 model.safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        save_settings(folder / CONFIG_FILE, {"genres": self.genres, "features": self.features})
        arrays = {name: getattr(self, name) for name in ("mean", "deviation", "weight", "bias")}
        save_weights(
            folder / WEIGHTS_FILE,
            {
                name: torch.from_numpy(np.ascontiguousarray(array, np.float32))
                for name, array in arrays.items()
            },
        )

    def probabilities(self, values: np.ndarray, notes: np.ndarray) -> np.ndarray:
        """[N, G] of features [N, F] of melodies with so many notes [N]."""
        logits = normalised(values, notes, self.mean, self.deviation) @ self.weight + self.bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True)


def normalised(
    values: np.ndarray, notes: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> np.ndarray:
    """[N, F] features in standard deviations from their mean; nearer to it where a melody has few notes [N]."""
    return (
        np.clip((values - mean) / deviation, -FARTHEST, FARTHEST) * (notes / (notes + FEW))[:, None]
    )


@cache
def shipped() -> GenreModel:
    return GenreModel.load(FOLDER)


def suggest(
    score: Score,
    track: int | None = None,
    genres: Sequence[str] | None = None,
    model: GenreModel | None = None,
) -> list[tuple[str, float]]:
    """Genres and their probabilities for a melody, the likeliest first. They count as equally common beforehand.

    track: of the melody, by default the one most like one; genres: the ones to choose from, by default all that the model knows;
    model: by default the one that ships with the package. Raises MusicError where there is no melody.
    """
    model = model or shipped()
    line = Line.of(score.tracks[melody_index(score, track)].notes, score)
    found = features(line)
    values = np.array([[found[name] for name in model.features]])
    probability = dict(
        zip(model.genres, model.probabilities(values, np.array([len(line)]))[0].tolist())
    )
    chosen = [genre for genre in model.genres if genres is None or genre in genres]
    total = sum(probability[genre] for genre in chosen)
    return sorted(
        ((genre, probability[genre] / total) for genre in chosen), key=lambda pair: -pair[1]
    )


def _shares(kinds: np.ndarray, count: int) -> np.ndarray:
    """[count] of the numbers 0 to count - 1 among `kinds`."""
    return np.bincount(kinds, minlength=count) / max(len(kinds), 1)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _entropy(share: np.ndarray) -> float:
    """In bits."""
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def _repeated(bars: list[tuple], memory: int) -> float:
    """Share of bars that are among the `memory` ones before them."""
    return _mean(
        [bar in bars[max(index - memory, 0) : index] for index, bar in enumerate(bars) if index]
    )
