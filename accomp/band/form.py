"""The shape of a song: its phrases, found where the melody resembles itself, and what they ask of the band.

A phrase is two or four blocks (four or eight bars) long. Phrases that are alike share a label and an accompaniment; one
section leaves somebody out, the energy rises towards the end, and drums fill at phrase ends.
"""

from dataclasses import dataclass, field

import numpy as np

from accomp.roll.grid import DRUMS, GUITAR, STRINGS

PITCH_WEIGHT = 0.7
ALIKE = 0.7  # a melody block as similar as this to an earlier one is a repeat of it
PHRASES_ALIKE = 0.5  # phrases whose blocks are this similar on average have one label
RELATED = 0.35  # in phrases of one label, blocks of at least this similarity share an accompaniment
FEWEST_NOTES = 3  # a block of fewer is like no other
# How likely each instrument is the one that rests in a section, or where there is only one waits for its second phrase. Of
# real songs' bars, guitars and strings rest in 16 to 36 %, drums and basses in 2 to 8 % (train.eval.evaluate on real songs).
RESTS = {STRINGS: 0.55, GUITAR: 0.35, DRUMS: 0.1}
MOST_RESTING = 0.5  # of the song's blocks
FEWEST_PHRASES = 4  # a shorter song has no time to build


@dataclass
class Shape:
    """By block of a song, B blocks: source [B] int, the earlier block whose accompaniment returns, else -1; opens [B] bool,
    whether a new section begins; closes [B] bool, whether a phrase ends; energy [B], 0 to 1; rests: blocks in which an
    instrument waits, by track; labels: [B] int, equal where phrases are alike; dynamics: [B] velocity by which the band is
    louder than on average, empty where nothing is said of it (accomp.band.song_form draws it).
    """

    source: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    energy: np.ndarray
    labels: np.ndarray
    rests: dict[int, np.ndarray]
    dynamics: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def bare(cls, blocks: int) -> "Shape":
        """No phrases: each block follows from the one before, as in the published method."""
        opens = np.arange(blocks) == 0
        nothing = np.zeros(blocks, bool)
        return cls(np.full(blocks, -1), opens, nothing, np.full(blocks, 0.5), np.arange(blocks), {})

    @classmethod
    def of(
        cls, blocks: np.ndarray, first: int, random: np.random.Generator, alike: float = ALIKE
    ) -> "Shape":
        """The shape of melody blocks [B, 2, 32, 128], of which the first `first` come before the first whole bar."""
        count = len(blocks)
        similarity = self_similarity(blocks)
        starts = phrase_starts(similarity, first)
        labels, model_of = label_phrases(similarity, starts, count)
        source = _sources(similarity, blocks, starts, model_of, alike)
        shape = cls.bare(count)
        shape.source = source
        # What comes before the first phrase belongs to it.
        phrase_of = np.maximum(np.searchsorted(starts, np.arange(count), side="right") - 1, 0)
        shape.labels = np.array(labels)[phrase_of]
        new = [start for i, start in enumerate(starts) if i > 0 and labels[i] != labels[i - 1]]
        shape.opens[new] = True
        ends = np.array([*starts[1:], count]) - 1
        shape.closes[ends] = True
        if len(starts) >= FEWEST_PHRASES:
            shape.energy = _energies(blocks, starts, labels, phrase_of)
            shape.rests = _rests(np.array(labels), phrase_of, random)
        return shape


def self_similarity(blocks: np.ndarray) -> np.ndarray:
    """[B, B] how alike melody blocks [B, 2, 32, 128] are: the share of onsets in common (Jaccard index), that of the pitches
    struck and, weighing less because dance tunes have one rhythm throughout, that of the times struck.
    """
    onsets = blocks[:, 0].reshape(len(blocks), -1).astype(np.float32)
    rhythm = blocks[:, 0].any(2).astype(np.float32)
    result = np.zeros((len(blocks), len(blocks)), np.float32)
    for weight, rows in ((PITCH_WEIGHT, onsets), (1 - PITCH_WEIGHT, rhythm)):
        common, size = rows @ rows.T, rows.sum(1)
        result += weight * common / np.maximum(size[:, None] + size[None] - common, 1)
    return result


def phrase_starts(similarity: np.ndarray, first: int) -> np.ndarray:
    """First blocks of the phrases: every fourth block, or every second where the melody resembles itself more after four
    bars than after eight, or is short.
    """
    count = len(similarity)

    def at_lag(lag: int) -> float:
        return float(np.diagonal(similarity, lag)[first:].mean()) if count - first > lag else 0.0

    length = 2 if count - first < 12 or at_lag(2) > at_lag(4) + 0.05 else 4
    starts = np.arange(first, count, length)
    if len(starts) > 1 and count - starts[-1] < length / 2:
        starts = starts[:-1]  # a short rest belongs to the phrase before
    return starts


def label_phrases(
    similarity: np.ndarray, starts: np.ndarray, count: int
) -> tuple[list[int], list[int]]:
    """A label for each phrase, and the earlier phrase that it is modelled on, else -1. Of the earlier phrases the one most
    alike counts, if it is alike enough; phrases are compared block by block from their beginnings.
    """
    ends = [*starts[1:], count]
    labels: list[int] = []
    models: list[int] = []
    for i, (start, end) in enumerate(zip(starts, ends)):
        best, model = PHRASES_ALIKE, -1
        for j in range(i):
            length = min(end - start, ends[j] - starts[j])
            # Phrases that begin alike and end differently (first and second endings) are one phrase.
            weights = np.linspace(1.5, 0.5, length) if length > 1 else np.ones(1)
            alike = np.average(
                [similarity[start + k, starts[j] + k] for k in range(length)], weights=weights
            )
            if alike > best:
                best, model = alike, j
        labels.append(labels[model] if model >= 0 else max(labels, default=-1) + 1)
        models.append(model)
    return labels, models


def _sources(
    similarity: np.ndarray, blocks: np.ndarray, starts: np.ndarray, models: list[int], alike: float
) -> np.ndarray:
    count = len(blocks)
    notes = blocks[:, 0].reshape(count, -1).sum(1)
    source = np.full(count, -1)
    if alike > 1:
        return source
    ends = [*starts[1:], count]
    for i, model in enumerate(models):
        for k in range(ends[i] - starts[i]):
            block = starts[i] + k
            if notes[block] < FEWEST_NOTES:
                continue
            counterpart = (
                starts[model] + k if model >= 0 and k < ends[model] - starts[model] else -1
            )
            if counterpart >= 0 and similarity[block, counterpart] >= RELATED:
                earlier = counterpart
            else:
                like = np.flatnonzero(similarity[block, :block] >= alike)
                like = [j for j in like if notes[j] >= FEWEST_NOTES]
                if not like:
                    continue
                earlier = like[0]
            source[block] = source[earlier] if source[earlier] >= 0 else earlier
    return source


def _rests(
    labels: np.ndarray, phrase_of: np.ndarray, random: np.random.Generator
) -> dict[int, np.ndarray]:
    """Who rests in which blocks: one instrument throughout one section, most often the first, so that sections differ and
    returns are known again; all play in the last phrase. A song of one section begins without it.
    """
    resting = int(random.choice(list(RESTS), p=list(RESTS.values())))
    by_phrase = np.arange(len(labels)) == 0
    possible = [
        label
        for label in dict.fromkeys(labels.tolist())
        if (labels == label).mean() <= MOST_RESTING
    ]
    if len(set(labels.tolist())) > 1 and possible and resting != DRUMS:
        chances = np.where(np.array(possible) == labels[0], 2.0, 1.0)
        by_phrase = labels == random.choice(possible, p=chances / chances.sum())
    by_phrase[-1] = False
    return {resting: by_phrase[phrase_of]}


def _energies(
    blocks: np.ndarray, starts: np.ndarray, labels: list[int], phrase_of: np.ndarray
) -> np.ndarray:
    """Energy rises over the song, is a little higher in later sections (B, C) than in the first, and follows how busy and
    how high the melody is.
    """
    count = len(starts)
    on = blocks[:, 0].reshape(len(blocks), -1).sum(1).astype(float)
    pitch = np.array([np.nonzero(b[0])[1].mean() if b[0].any() else np.nan for b in blocks])
    busy = np.array([on[phrase_of == i].mean() for i in range(count)])
    high = np.array(
        [
            np.nanmean(pitch[phrase_of == i])
            if np.isfinite(pitch[phrase_of == i]).any()
            else np.nan
            for i in range(count)
        ]
    )
    high = (
        np.where(np.isfinite(high), high, np.nanmean(high))
        if np.isfinite(high).any()
        else np.zeros(count)
    )
    rise = np.linspace(0.3, 0.75, count)
    by_phrase = (
        rise + 0.1 * (np.array(labels) > 0) + 0.08 * _standard(busy) + 0.04 * _standard(high)
    )
    return np.clip(by_phrase, 0, 1)[phrase_of]


def _standard(values: np.ndarray) -> np.ndarray:
    deviation = values.std()
    return (
        np.clip((values - values.mean()) / deviation, -2, 2)
        if deviation > 1e-9
        else np.zeros_like(values)
    )
