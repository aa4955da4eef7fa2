"""Plan a melody that is yet to be made: its sections and what returns, its phrases, its chords.

Letters: B blocks, of which P are there already, H half bars of a block (4), Z latent size.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from accomp.models import progressions
from accomp.roll.grid import BAR_STEPS, BLOCK_HALF_BARS, BLOCK_STEPS, PITCHES, PLANES

PHRASE = 4  # blocks
FEWEST_NOTES = 3  # of a block that returns


@dataclass(frozen=True)
class MelodyPlanSettings:
    """How sections follow each other."""

    return_home: float = 0.7  # how often after a new section the first one returns


@dataclass
class Past:
    """What there is before the first new block.

    Attributes:
        latents: [P, Z + 1] latents and flags.
        chords: [P, H].
        planes: [P, 2, 32, 128] uint8.
        pitch: of the last note, in the normal key.
        begun: steps of the first new block that are there already ...
        begun_chords: ... under these chords.
        begun_latent: [Z], of a block that goes on as it began.
    """

    latents: Tensor
    chords: np.ndarray
    planes: np.ndarray
    pitch: int | None = None
    begun: int = 0
    begun_chords: np.ndarray | None = None
    begun_latent: Tensor | None = None

    @classmethod
    def none(cls, latent: int) -> "Past":
        """Return what there is where a melody is made from nothing: no blocks."""
        planes = np.zeros((0, len(PLANES), BLOCK_STEPS, PITCHES), np.uint8)
        return cls(torch.zeros(0, latent + 1), np.zeros((0, BLOCK_HALF_BARS), int), planes)

    @property
    def blocks(self) -> int:
        """The number of blocks that are there."""
        return len(self.chords)

    @property
    def whole(self) -> np.ndarray:
        """Which blocks can return, [P] bool: those that are more than a pickup or an end."""
        struck = np.asarray(self.planes[:, 0].any(-1))
        return (
            (struck.sum(1) >= FEWEST_NOTES)
            & struck[:, :BAR_STEPS].any(1)
            & struck[:, BAR_STEPS:].any(1)
        )


@dataclass
class MelodyPlan:
    """The plan of past and new blocks.

    Attributes:
        chords: [B, H].
        source: [B] int, the earlier block that returns, else -1.
        opens: [B] bool, whether a section begins.
        closes: [B] bool, whether a phrase ends.
        home: [B] bool, whether the section is the first one or its return.
    """

    chords: np.ndarray
    source: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    home: np.ndarray


def make_plan(
    known: progressions.Habits,
    past: Past,
    half_bars: int,
    genre: int,
    minor: bool,
    random: np.random.Generator,
    settings: MelodyPlanSettings = MelodyPlanSettings(),
) -> MelodyPlan:
    """Plan chords, returns and phrases after what is there.

    Args:
        known: how often genres have which progressions and phrase forms.
        past: what is there.
        half_bars: new half bars.
        genre: its index.
        minor: whether the key is minor.
        random: draws sections, progressions and phrase forms.
        settings: how sections follow each other.
    """
    count = past.blocks + -(-half_bars // BLOCK_HALF_BARS)
    letters = _letters(past, count, random, settings)
    nothing = np.zeros(count, bool)
    plan = MelodyPlan(
        np.zeros((count, BLOCK_HALF_BARS), int),
        np.full(count, -1),
        nothing.copy(),
        nothing.copy(),
        nothing.copy(),
    )
    plan.chords[: past.blocks] = past.chords
    first_of: dict[str, int] = {}
    for index, letter in enumerate(letters):
        start = index * PHRASE
        end = start + PHRASE if index + 1 < len(letters) else count
        plan.closes[end - 1] = True
        plan.home[start:end] = letter == letters[0]
        model = first_of.setdefault(letter, start)
        plan.opens[start] = model == start and start > 0
        if end <= past.blocks:
            continue
        if model < start:
            _return_section(plan, model, start, end, past.blocks)
        else:
            new = range(max(start, past.blocks), end)
            phrase = progressions.phrase_chords(
                known, genre, minor, random, end == count, _chord_before(plan, start)
            )
            _write_phrase(plan, start, new, phrase, known.draw_form(genre, random))
        if end == count:
            plan.source[end - 1] = -1  # the end is like nothing before it
    plan.source[np.isin(plan.source, np.flatnonzero(~past.whole))] = -1
    flat, begins = plan.chords.reshape(-1), past.blocks * BLOCK_HALF_BARS
    if past.begun_chords is not None:
        plan.source[past.blocks] = -1
        flat[begins:][: len(past.begun_chords)] = past.begun_chords
    progressions.close_on_tonic(flat[begins : begins + half_bars], minor)
    flat[begins + half_bars :] = progressions.TONIC[minor]
    return plan


def _letters(
    past: Past, count: int, random: np.random.Generator, settings: MelodyPlanSettings
) -> list[str]:
    """Return the letters of the sections of `count` blocks."""
    sections = -(-count // PHRASE)
    if count % PHRASE == 1 and sections > 1:
        sections -= 1  # a single block belongs to the phrase before
    given = past.blocks // PHRASE
    if not given:
        return list(progressions.draw_sections(sections, random))
    # The sections that are there all count as different. Afterwards the first one returns in turn
    # with new ones.
    letters = [chr(ord("A") + index) for index in range(given)]
    while len(letters) < sections:
        home = letters[-1] != "A" and random.random() < settings.return_home
        letters.append("A" if home else chr(max(map(ord, letters)) + 1))
    return letters


def _chord_before(plan: MelodyPlan, start: int) -> int | None:
    return int(plan.chords[start - 1, -1]) if start else None


def _return_section(plan: MelodyPlan, model: int, start: int, end: int, past: int) -> None:
    """Let the section that began at block `model` return in the new blocks of another one."""
    for block in range(max(start, past), end):
        earlier = model + (block - start)
        if earlier < model + PHRASE and earlier < start:
            plan.chords[block] = plan.chords[earlier]
            plan.source[block] = earlier if plan.source[earlier] < 0 else plan.source[earlier]


def _write_phrase(plan: MelodyPlan, start: int, new: range, phrase: np.ndarray, form: str) -> None:
    """Write a phrase's chords [16] and form ("aaba") into the new blocks of a section."""
    chords = phrase.reshape(-1, BLOCK_HALF_BARS)
    for block in new:
        place = block - start
        plan.chords[block] = chords[place % PHRASE]
        if place < PHRASE:
            earlier = form.index(form[place])
            if earlier < place:
                plan.source[block] = start + earlier
