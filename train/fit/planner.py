"""Train the chord planner.

    python -m train planner SOURCE... --run RUN [--export MODEL...]

Each SOURCE holds melodies with chords: a JSON-lines file of lead sheets, a folder of such files or
of MIDI files whose markers are chord symbols, or a corpus of `train prepare`, whose arrangements
tell the triads (train.data.lead_sheets). The config's `planner` says which genre a source is, and
how much of it is learned. The planner learns to fill in chords that are masked, given the melody
and those that are not, in all keys; and the key.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from accomp.models.chord_planner import (
    LEVELS,
    MASKED,
    QUANTILES,
    UNKNOWN,
    ChordPlanner,
    Encoded,
    Melodies,
)
from accomp.models.plan_search import TRIAD_OF, melody_tensors
from accomp.music.keys import Key
from train.data.chord_examples import ChordExample, key_of_melody, transposed
from train.data.chord_sources import read_source
from train.data.splits import SPLITS
from train.fit.export import export_planner
from train.fit.loop import Task, fit
from train.fit.run_files import FIGURES, save_weights, write_json
from train.fit.settings import TrainingRun, planner_config, run_parser

LEVEL_RANGE = (0.1, 0.9)  # quantiles that count as the plainest and the most colourful song
IGNORED = -100  # as cross_entropy has it


@dataclass(frozen=True)
class PlannerTraining:
    """How the planner learns, beside the config's `training`."""

    units: int = 144  # of an excerpt: 72 bars of four beats
    all_masked: float = 0.4  # share of excerpts of which no chord is known
    by_bars: float = 0.6  # share of the others in which spans are masked rather than single units
    spans: tuple[int, int] = (2, 12)  # units of a span
    mistaken: float = 0.5  # share of excerpts with known chords that have own mistakes in them
    mistakes: float = 0.25  # share of their known chords that are drawn from the melody instead
    key_told: float = 0.5  # share of excerpts that are told the key
    genre_told: float = 0.7
    level_told: float = 0.4
    frame: float = 0.5  # weight of the chords from the melody alone
    # Semitones above the normal key in which excerpts are heard, and how often: a key's estimate
    # is mostly right, and mostly wrong by a fifth. Any other key is heard as often as `any_key`.
    keys: tuple[tuple[int, float], ...] = ((0, 0.6), (7, 0.12), (5, 0.12))
    any_key: float = 0.16
    triad: float = 1.0  # weight of the triad, beside that of the whole chord
    bass: float = 0.2
    key: float = 0.1


@dataclass
class Batch:
    """Melodies and their chords.

    Attributes:
        melodies: [N, U].
        chords: [N, U] classes; IGNORED where they are unknown.
        basses: [N, U].
        key: [N] int.
        has_melody: [N] bool.
    """

    melodies: Melodies
    chords: Tensor
    basses: Tensor
    key: Tensor
    has_melody: Tensor


def collate(examples: list[ChordExample], genres: list[str]) -> Batch:
    """Stack examples; a genre that is not among `genres` counts as any."""
    classes, rows, valid = melody_tensors([example.units for example in examples])
    longest = valid.shape[1]

    def padded(values: np.ndarray, fill: int) -> np.ndarray:
        return np.pad(values.astype(np.int64), (0, longest - len(values)), constant_values=fill)

    chords = torch.from_numpy(
        np.stack([padded(np.where(e.chords < 0, IGNORED, e.chords), IGNORED) for e in examples])
    )
    basses = torch.from_numpy(np.stack([padded(e.basses, 0) for e in examples]))
    key = torch.tensor([e.key.tonic + 12 * e.key.is_minor for e in examples])
    levels = torch.from_numpy(np.stack([e.levels for e in examples]))
    numbers = [genres.index(e.genre) if e.genre in genres else len(genres) for e in examples]
    return Batch(
        Melodies(classes, rows, valid, torch.tensor(numbers), key, levels),
        chords,
        basses,
        key,
        torch.tensor([e.has_melody for e in examples]),
    )


def cut(example: ChordExample, units: int, random: np.random.Generator) -> ChordExample:
    """Cut a window of at most `units` out of an example, mostly at a bar of a phrase."""
    spare = len(example) - units
    if spare <= 0:
        return example
    first = int(random.integers(spare + 1))
    own = slice(first, first + units)
    return replace(
        example,
        units=example.units.part(first, first + units),
        chords=example.chords[own],
        basses=example.basses[own],
    )


def draw_mask(shape: torch.Size, generator: torch.Generator, settings: PlannerTraining) -> Tensor:
    """Draw which chords are masked, [N, U] bool: all, single units or spans of them."""
    count, units = shape
    ratio = torch.rand(count, 1, generator=generator)
    single = torch.rand(count, units, generator=generator) < ratio
    low, high = settings.spans
    length = torch.randint(low, high + 1, (count, 1), generator=generator)
    offset = torch.randint(0, high, (count, 1), generator=generator)
    span = (torch.arange(units)[None] + offset) // length
    drawn = torch.rand(count, units + high, generator=generator) < ratio
    spans = drawn.gather(1, span)
    by_bars = torch.rand(count, 1, generator=generator) < settings.by_bars
    every = torch.rand(count, 1, generator=generator) < settings.all_masked
    return torch.where(by_bars, spans, single) | every


def main(arguments: list[str] | None = None) -> None:
    """Train the planner."""
    parser = run_parser("planner", __doc__)
    parser.add_argument(
        "sources", nargs="+", type=Path, metavar="SOURCE", help="melodies with chords; see above"
    )
    parser.add_argument(
        "--export", nargs="+", type=Path, default=[], metavar="MODEL", help="genres that get it"
    )
    run = TrainingRun.begin(parser.parse_args(arguments))
    config, options = planner_config(run.config), run.options
    if config is None:
        raise SystemExit(f"{options.config.name} has no chord planner")
    sources = PlannerSources(**run.config["planner_sources"])
    found = [sources.labelled(e) for path in options.sources for e in read_source(path)]
    examples = {split: [e for e in found if e.split == split] for split in SPLITS}
    for split in ("train", "val"):
        if not any(e.has_melody for e in examples[split]):
            raise SystemExit(f"no {split} song has a melody and chords")
    torch.manual_seed(options.seed)
    model = ChordPlanner(config)
    run.load_initial("planner", model)
    model.levels.copy_(genre_levels(model, examples["train"]))
    folder = options.run / "planner"
    task = PlannerTask(model, examples, sources, options.seed)
    fit(folder, task, run.fit_settings("planner"), options.max_steps)
    save_weights(folder, model)
    known = {"seed": options.seed, "examples": len(examples["train"])}
    known["data"] = [*run.learned_before("planner"), *described(found)]
    figures = {split: evaluate_planner(model, examples[split]) for split in ("val", "test")}
    write_json(folder / FIGURES, known | figures)
    for genre in options.export:
        export_planner(model, folder, genre)


def described(examples: list[ChordExample]) -> list[dict]:
    """Describe the songs of each source, for the record, as `Corpus.described` does."""
    rows = []
    for source in dict.fromkeys(e.source for e in examples):
        own = [e for e in examples if e.source == source]
        counts = {
            "songs": Counter(e.split for e in own),
            "licences": Counter(e.licence for e in own),
        }
        songs = {split: counts["songs"][split] for split in SPLITS}
        rows.append(
            {
                "corpus": source,
                "songs": songs,
                "licences": dict(counts["licences"]),
                "sources": {source: len(own)},
            }
        )
    return rows


@dataclass(frozen=True)
class PlannerSources:
    """What is known of sources: the config's `planner_sources`.

    Attributes:
        genres: The genre of a source's songs, or of those of a label, where the label is another.
        weights: By source, how often each of its songs is heard in an epoch; 1 where it is not
            told.
    """

    genres: dict[str, str]
    weights: dict[str, float]

    def labelled(self, example: ChordExample) -> ChordExample:
        """Return an example with its genre: by its source, else by its label."""
        genre = self.genres.get(example.source) or self.genres.get(example.genre, example.genre)
        return replace(example, genre=genre)


def genre_levels(model: ChordPlanner, examples: list[ChordExample]) -> Tensor:
    """Measure the levels of each genre's songs, and of all, as `ChordPlanner.levels` has them."""
    places = np.linspace(*LEVEL_RANGE, QUANTILES)
    rows = np.full(model.levels.shape, UNKNOWN)
    for number, genre in enumerate([*model.config.genres, None]):
        own = [e.levels for e in examples if e.has_melody and genre in (e.genre, None)]
        if own:
            rows[number] = np.quantile(np.stack(own), places, axis=0).T
    return torch.from_numpy(rows)


class PlannerTask(Task):
    """A planner and the examples that it learns from."""

    model: ChordPlanner

    def __init__(
        self,
        model: ChordPlanner,
        examples: dict[str, list[ChordExample]],
        sources: PlannerSources,
        seed: int,
        settings: PlannerTraining = PlannerTraining(),
    ):
        """Keep what is trained on what.

        Args:
            model: The planner.
            examples: Those of the splits train and val.
            sources: How often the examples of each are heard.
            seed: Of keys, cuts and masks.
            settings: How excerpts are cut and masked.
        """
        super().__init__(model)
        self.examples, self.settings = examples, settings
        self.weights = sources.weights
        self._reseed(seed)

    def _reseed(self, seed: int) -> None:
        """Begin to draw keys, cuts and masks anew: at each epoch, as a resumed training does."""
        self.random = np.random.default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed)

    def batches(self, generator: torch.Generator, size: int) -> Iterator[Batch]:
        """Give excerpts of similar length, in random order, each in a random key."""
        self._reseed(int(torch.randint(2**31, (1,), generator=generator)))
        train = self.examples["train"]
        chance = torch.tensor([self.weights.get(e.source, 1.0) for e in train])
        kept = torch.rand(len(train), generator=generator) < chance
        index = kept.nonzero()[:, 0]
        lengths = torch.tensor([min(len(train[i]), self.settings.units) for i in index.tolist()])
        order = index[(lengths + 16 * torch.rand(len(index), generator=generator)).argsort()]
        groups = [order[at : at + size].tolist() for at in range(0, len(order), size)]
        for group in torch.randperm(len(groups), generator=generator).tolist():
            chosen = [self._varied(train[i]) for i in groups[group]]
            yield collate(chosen, self.model.config.genres)

    def _varied(self, example: ChordExample) -> ChordExample:
        settings, random = self.settings, self.random
        shifts, chances = zip(*settings.keys)
        by = int(random.integers(12))
        if random.random() >= settings.any_key:
            chances = np.array(chances) / sum(chances)
            by = int(random.choice(shifts, p=chances)) - normal_tonic(example.key)
        return transposed(cut(example, settings.units, random), by)

    def told(self, melodies: Melodies) -> Melodies:
        """Leave out some of the genres, keys and levels."""
        settings, count = self.settings, len(melodies.genre)

        def keep(share: float, *shape: int) -> Tensor:
            return torch.rand(count, *shape, generator=self.generator) < share

        any_genre = torch.full_like(melodies.genre, len(self.model.config.genres))
        return melodies._replace(
            genre=torch.where(keep(settings.genre_told), melodies.genre, any_genre),
            key=torch.where(keep(settings.key_told), melodies.key, -1),
            levels=torch.where(
                keep(settings.level_told, 1) & keep(0.7, LEVELS), melodies.levels, torch.nan
            ),
        )

    def losses(self, progress: float, batch: Batch) -> dict[str, Tensor]:
        """Return the cross-entropies of masked chords, their triads, their basses and the key."""
        model, settings = self.model, self.settings
        melodies = self.told(batch.melodies)
        heard = model.encode(melodies)
        masked = draw_mask(batch.chords.shape, self.generator, settings) | (batch.chords < 0)
        given = torch.where(masked, MASKED, batch.chords)
        given = self._with_mistakes(given, heard)
        logits, hidden = model.fill(heard, given, batch.basses)
        wanted = torch.where(masked, batch.chords, IGNORED)
        with_melody = torch.where(batch.has_melody[:, None], batch.chords, IGNORED)
        frame = chord_loss(heard.logits, with_melody, settings.triad)
        filled = chord_loss(logits, wanted, settings.triad)
        known = batch.chords.clamp(min=0)
        slash = torch.where(wanted >= 0, batch.basses, IGNORED)
        bass = cross_entropy(model.bass_logits(hidden, known), slash)
        key = cross_entropy(heard.key, torch.where(batch.has_melody, batch.key, IGNORED))
        loss = filled + settings.frame * frame + settings.bass * bass + settings.key * key
        return {"loss": loss, "filled": filled, "frame": frame, "bass": bass, "key": key}

    def _with_mistakes(self, given: Tensor, heard: Encoded) -> Tensor:
        """Replace some known chords by those that the melody alone suggests."""
        settings = self.settings
        shape = given.shape
        drawn = torch.distributions.Categorical(logits=heard.logits.detach()).sample()
        some = torch.rand(shape, generator=self.generator) < settings.mistakes
        some &= torch.rand(shape[0], 1, generator=self.generator) < settings.mistaken
        return torch.where(some & (given >= 0), drawn, given)

    def validate(self) -> dict[str, float]:
        """Return the figures of `evaluate_planner`."""
        return evaluate_planner(self.model, self.examples["val"])


def normal_tonic(key: Key) -> int:
    """Return the tonic of a major key, or of a minor one's relative major."""
    return (key.tonic + 3 * key.is_minor) % 12


def cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean cross-entropy of wanted classes that are not IGNORED, 0 if all are."""
    total = F.cross_entropy(
        logits.flatten(0, -2), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return total / (wanted != IGNORED).sum().clamp(min=1)


def chord_loss(logits: Tensor, wanted: Tensor, triad: float) -> Tensor:
    """Return the cross-entropy of chords plus `triad` times that of their triads.

    Args:
        logits: [N, U, C].
        wanted: [N, U] classes, IGNORED where they do not count.
        triad: Weight.
    """
    known = wanted != IGNORED
    row = logits[known]
    classes = wanted[known]
    logs = row.log_softmax(-1)
    triads = (logs.exp() @ TRIAD_OF.to(logs)).clamp(min=1e-9).log()
    of_triad = F.nll_loss(triads, TRIAD_OF.argmax(1).to(classes)[classes], reduction="none")
    of_chord = F.nll_loss(logs, classes, reduction="none")
    return (of_chord.sum() + triad * of_triad.sum()) / known.sum().clamp(min=1)


@torch.no_grad()
def evaluate_planner(model: ChordPlanner, examples: list[ChordExample]) -> dict[str, float]:
    """Measure a planner that is told the genre but no chord and no key.

    Returns:
        `loss`, the cross-entropy of the chords in nats; and by source the accuracy of the triad and
        of the whole chord, the cross-entropy, and the share of keys that are right.
    """
    examples = [example for example in examples if example.has_melody]
    sums: dict[str, np.ndarray] = {}
    for at in range(0, len(examples), 16):
        some = [
            transposed(e, -normal_tonic(key_of_melody(e.units))) for e in examples[at : at + 16]
        ]
        batch = collate(some, model.config.genres)
        melodies = batch.melodies._replace(
            key=torch.full_like(batch.key, -1),
            levels=torch.full_like(batch.melodies.levels, torch.nan),
        )
        heard = model.encode(melodies)
        nothing = torch.full_like(batch.chords, MASKED)
        logits, _ = model.fill(heard, nothing, batch.basses)
        logs = logits.log_softmax(-1)
        triads = logs.exp() @ TRIAD_OF
        right_key = heard.key.argmax(-1) == batch.key
        for i, example in enumerate(some):
            known = batch.chords[i] >= 0
            wanted = batch.chords[i][known]
            found = np.array(
                [
                    float((triads[i][known].argmax(-1) == TRIAD_OF.argmax(1)[wanted]).sum()),
                    float((logs[i][known].argmax(-1) == wanted).sum()),
                    -float(logs[i][known].gather(1, wanted[:, None]).sum()),
                    float(known.sum()),
                    float(right_key[i]),
                    1.0,
                ]
            )
            sums[example.source] = sums.get(example.source, 0) + found
    figures = {}
    for source, (triad, chord, nats, count, keys, songs) in sums.items():
        figures |= {
            f"{source}/triad": triad / count,
            f"{source}/chord": chord / count,
            f"{source}/nats": nats / count,
            f"{source}/key": keys / songs,
        }
    total = np.sum([*sums.values()], axis=0) if sums else np.full(6, np.nan)
    return {"loss": total[2] / total[3], "triad": total[0] / total[3], **figures}


if __name__ == "__main__":
    main()
