"""Find the form of a song: its phrases and sections, and how the band plays them.

Phrases are found where the melody resembles itself. A phrase is two or four blocks (four or eight
bars) long. Phrases that are alike share a label and an accompaniment. The energy rises towards the
end. Who rests, and where drums fill, is decided in line_up.py.
Letters: B blocks of a song.
"""

from dataclasses import dataclass, field

import numpy as np

from accomp.models.harmony_network import ANY_METER


@dataclass(frozen=True)
class FormSettings:
    """What counts as alike, and how sections differ.

    Similarities are from 0 to 1 (see `self_similarity`), energies too.
    """

    pitch_weight: float = 0.7  # of struck pitches; the rest is for rhythm
    alike: float = 0.7  # a block as similar as this to an earlier one repeats it; above 1: never
    phrases_alike: float = 0.5  # phrases whose blocks are as similar on average share a label
    related: float = 0.35  # in phrases of one label, such blocks share an accompaniment
    fewest_notes: int = 3  # a block of fewer notes resembles no other
    short_song: int = 12  # blocks; a shorter song has phrases of two blocks
    short_phrases: float = 0.05  # so much more similarity after two blocks than after four, too
    fewest_phrases: int = 4  # a shorter song has no time to build up
    rise: tuple[float, float] = (0.3, 0.75)  # energy of the first and the last phrase
    later_section: float = 0.1  # energy that sections after the first have more
    busy: float = 0.08  # energy for each standard deviation of the melody's notes a block
    high: float = 0.04  # energy for each standard deviation of the melody's mean pitch


@dataclass
class Form:
    """The form of a song of B blocks.

    Attributes:
        source: [B] int, the earlier block whose accompaniment returns, else -1.
        opens: [B] bool, whether a new section begins.
        closes: [B] bool, whether a phrase ends.
        energy: [B] from 0 to 1.
        labels: [B] int, equal where phrases are alike.
        rests: by track, [B] bool, the blocks in which a player waits.
        fills: [B] how likely a drum fill ends a block; empty where none does.
        is_lined_up: whether `rests` says of everybody who waits when, so that nobody else does.
        dynamics: [B] velocity by which the band is louder than on average; empty where it is
            not drawn (accomp.band.song_form draws it).
        meters: [B] int, of accomp.roll.grid.METERS; empty where any will do.
    """

    source: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    energy: np.ndarray
    labels: np.ndarray
    rests: dict[int, np.ndarray]
    dynamics: np.ndarray = field(default_factory=lambda: np.zeros(0))
    meters: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    fills: np.ndarray = field(default_factory=lambda: np.zeros(0))
    is_lined_up: bool = False

    def meter(self, block: int) -> int:
        """Return the meter of a block; ANY_METER where any will do."""
        return int(self.meters[block]) if len(self.meters) else ANY_METER

    @classmethod
    def bare(cls, blocks: int) -> "Form":
        """Return a form without phrases, as in the published method.

        Each block only follows from the one before.
        """
        opens = np.arange(blocks) == 0
        nothing = np.zeros(blocks, bool)
        return cls(np.full(blocks, -1), opens, nothing, np.full(blocks, 0.5), np.arange(blocks), {})

    @classmethod
    def find(
        cls,
        blocks: np.ndarray,
        first: int,
        settings: FormSettings = FormSettings(),
    ) -> "Form":
        """Find the form of a melody, in which nobody rests (accomp.band.line_up).

        Args:
            blocks: [B, 2, 32, 128] of the melody.
            first: number of blocks that come before the first whole bar.
            settings: what counts as alike.
        """
        count = len(blocks)
        similarity = self_similarity(blocks, settings)
        starts = phrase_starts(similarity, first, settings)
        labels, model_of = label_phrases(similarity, starts, settings)
        form = cls.bare(count)
        form.source = _sources(similarity, blocks, starts, model_of, settings)
        # What comes before the first phrase belongs to it.
        phrase_of = np.maximum(np.searchsorted(starts, np.arange(count), side="right") - 1, 0)
        form.labels = np.array(labels)[phrase_of]
        new = [start for i, start in enumerate(starts) if i > 0 and labels[i] != labels[i - 1]]
        form.opens[new] = True
        ends = np.array([*starts[1:], count]) - 1
        form.closes[ends] = True
        if len(starts) >= settings.fewest_phrases:
            form.energy = _energies(blocks, labels, phrase_of, settings)
        return form


def self_similarity(blocks: np.ndarray, settings: FormSettings = FormSettings()) -> np.ndarray:
    """Measure how alike melody blocks are.

    The share of onsets in common (Jaccard index): that of the struck pitches, and that of the
    struck times, which weighs less because dance tunes have one rhythm throughout.

    Args:
        blocks: [B, 2, 32, 128].
        settings: their weights.

    Returns:
        [B, B] from 0 to 1.
    """
    onsets = blocks[:, 0].reshape(len(blocks), -1).astype(np.float32)
    rhythm = np.asarray(blocks[:, 0].any(2), np.float32)
    result = np.zeros((len(blocks), len(blocks)), np.float32)
    weight = settings.pitch_weight
    for share, rows in ((weight, onsets), (1 - weight, rhythm)):
        common, size = rows @ rows.T, rows.sum(1)
        result += share * common / np.maximum(size[:, None] + size[None] - common, 1)
    return result


def phrase_starts(
    similarity: np.ndarray, first: int, settings: FormSettings = FormSettings()
) -> np.ndarray:
    """Find the first blocks of the phrases.

    A phrase begins every fourth block; or every second one, where the melody is short or
    resembles itself more after four bars than after eight.
    """
    count = len(similarity)

    def at_lag(lag: int) -> float:
        return float(np.diagonal(similarity, lag)[first:].mean()) if count - first > lag else 0.0

    is_short = count - first < settings.short_song
    length = 2 if is_short or at_lag(2) > at_lag(4) + settings.short_phrases else 4
    starts = np.arange(first, count, length)
    if len(starts) > 1 and count - starts[-1] < length / 2:
        starts = starts[:-1]  # a short rest belongs to the phrase before
    return starts


def label_phrases(
    similarity: np.ndarray, starts: np.ndarray, settings: FormSettings = FormSettings()
) -> tuple[list[int], list[int]]:
    """Label the phrases so that alike ones share a label.

    Phrases are compared block by block from their beginnings.

    Returns:
        The label of each phrase, and the earlier phrase that it is modelled on, else -1.
    """
    ends = [*starts[1:], len(similarity)]
    labels: list[int] = []
    models: list[int] = []
    for i, (start, end) in enumerate(zip(starts, ends)):
        best, model = settings.phrases_alike, -1
        for j in range(i):
            length = min(end - start, ends[j] - starts[j])
            # Phrases that begin alike and end differently (first and second endings) are alike.
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
    similarity: np.ndarray,
    blocks: np.ndarray,
    starts: np.ndarray,
    models: list[int],
    settings: FormSettings,
) -> np.ndarray:
    """Find for each block the earlier one whose accompaniment returns, [B], else -1."""
    count = len(blocks)
    source = np.full(count, -1)
    if settings.alike > 1:
        return source
    enough = blocks[:, 0].reshape(count, -1).sum(1) >= settings.fewest_notes
    ends = [*starts[1:], count]
    for i, model in enumerate(models):
        for block in range(starts[i], ends[i]):
            if not enough[block]:
                continue
            counterpart = -1
            if model >= 0 and block - starts[i] < ends[model] - starts[model]:
                counterpart = starts[model] + block - starts[i]
            if counterpart >= 0 and similarity[block, counterpart] >= settings.related:
                earlier = counterpart
            else:
                like = (similarity[block, :block] >= settings.alike) & enough[:block]
                if not like.any():
                    continue
                earlier = int(like.argmax())
            source[block] = source[earlier] if source[earlier] >= 0 else earlier
    return source


def _energies(
    blocks: np.ndarray, labels: list[int], phrase_of: np.ndarray, settings: FormSettings
) -> np.ndarray:
    """Return the energy of each block, [B].

    It rises over the song, is a little higher in later sections than in the first, and follows
    how busy and how high the melody is.
    """
    count = len(labels)
    on = blocks[:, 0].reshape(len(blocks), -1).sum(1).astype(float)
    pitch = np.array([np.nonzero(b[0])[1].mean() if b[0].any() else np.nan for b in blocks])
    busy = np.array([on[phrase_of == i].mean() for i in range(count)])
    high = np.array([_mean(pitch[phrase_of == i]) for i in range(count)])
    high = np.where(np.isfinite(high), high, _mean(high, 0.0))
    rise = np.linspace(*settings.rise, count)
    by_phrase = (
        rise
        + settings.later_section * (np.array(labels) > 0)
        + settings.busy * _standard(busy)
        + settings.high * _standard(high)
    )
    return np.clip(by_phrase, 0, 1)[phrase_of]


def _mean(values: np.ndarray, otherwise: float = np.nan) -> float:
    """Return the mean of the finite values; `otherwise` where there are none."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else otherwise


def _standard(values: np.ndarray) -> np.ndarray:
    """Scale to mean 0 and standard deviation 1, clipped at 2; zeros where all are equal."""
    deviation = values.std()
    if deviation <= 1e-9:
        return np.zeros_like(values)
    return np.clip((values - values.mean()) / deviation, -2, 2)
