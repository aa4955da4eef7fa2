"""The plan of a melody that is yet to be: its sections and what returns, its phrases, its chords.

Letters: B blocks, of which P are there already, H half bars of a block (4), Z latent size.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from accomp.models import progressions as habits
from accomp.roll.grid import BAR_STEPS, BLOCK_HALF_BARS, BLOCK_STEPS, PITCHES, PLANES

PHRASE = 4  # blocks
FEWEST_NOTES = 3  # of a block that returns
RETURN_HOME = 0.7  # how often after a new section the first one returns


@dataclass
class Past:
    """What there is before the first new block. latents: [P, Z + 1] with flags; plan: [P, H]; planes: [P, 2, 32, 128] uint8;
    pitch: of the last note, in the normal key; begun: steps of the first new block that are there already, under the chords
    begun_plan; begun_latent: [Z], of a block that goes on as it began.
    """

    latents: Tensor
    plan: np.ndarray
    planes: np.ndarray
    pitch: int | None = None
    begun: int = 0
    begun_plan: np.ndarray | None = None
    begun_latent: Tensor | None = None

    @classmethod
    def none(cls, latent: int) -> "Past":
        """Where a melody is invented from nothing."""
        planes = np.zeros((0, len(PLANES), BLOCK_STEPS, PITCHES), np.uint8)
        return cls(torch.zeros(0, latent + 1), np.zeros((0, BLOCK_HALF_BARS), int), planes)

    @property
    def blocks(self) -> int:
        return len(self.plan)

    @property
    def whole(self) -> np.ndarray:
        """[P] bool: the blocks that can return: more than a pickup, or than an end."""
        struck = self.planes[:, 0].any(-1)
        return (
            (struck.sum(1) >= FEWEST_NOTES)
            & struck[:, :BAR_STEPS].any(1)
            & struck[:, BAR_STEPS:].any(1)
        )


@dataclass
class Plan:
    """Of past and new blocks, [B]: chords [B, H]; source: the earlier block that returns, else -1; opens, closes, home: bool,
    whether a section begins, whether a phrase ends, and whether the section is the first or its return.
    """

    chords: np.ndarray
    source: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    home: np.ndarray


def make_plan(
    known: habits.Habits,
    past: Past,
    half_bars: int,
    genre: int,
    minor: bool,
    random: np.random.Generator,
) -> Plan:
    """Chords, returns and phrases of `half_bars` half bars after the past."""
    count = past.blocks + -(-half_bars // BLOCK_HALF_BARS)
    sections = -(-count // PHRASE)
    if count % PHRASE == 1 and sections > 1:
        sections -= 1  # a single block belongs to the phrase before
    whole = past.blocks // PHRASE  # sections that are there
    letters = (
        list(habits.draw_sections(sections, random))
        if not whole
        else _letters_after(whole, sections, random)
    )
    source = np.full(count, -1)
    chords = np.zeros((count, BLOCK_HALF_BARS), int)
    chords[: past.blocks] = past.plan
    opens, closes, home = (np.zeros(count, bool) for _ in range(3))
    first_of: dict[str, int] = {}
    for index, letter in enumerate(letters):
        start, end = index * PHRASE, (index + 1) * PHRASE if index + 1 < sections else count
        closes[end - 1] = True
        home[start:end] = letter == letters[0]
        model = first_of.setdefault(letter, start)
        opens[start] = model == start and start > 0
        if end <= past.blocks:
            continue
        after = int(chords[start - 1, -1]) if start else None
        final = end == count
        if model < start:
            for block in range(start, end):
                earlier = model + (block - start)
                if block >= past.blocks and earlier < model + PHRASE and earlier < start:
                    chords[block] = chords[earlier]
                    source[block] = earlier if source[earlier] < 0 else source[earlier]
        else:
            fresh = habits.phrase_chords(known, genre, minor, random, final, after).reshape(
                -1, BLOCK_HALF_BARS
            )
            for block in range(max(start, past.blocks), end):
                chords[block] = fresh[(block - start) % PHRASE]
            form = known.draw_form(genre, random)
            for block in range(max(start, past.blocks), min(end, start + PHRASE)):
                earlier = form.index(form[block - start])
                if earlier < block - start:
                    source[block] = start + earlier
        if final:
            source[end - 1] = -1  # the end is like nothing before it
    source[np.isin(source, np.flatnonzero(~past.whole))] = -1
    flat = chords.reshape(-1)
    if past.begun:
        source[past.blocks] = -1
        flat[past.blocks * BLOCK_HALF_BARS :][: len(past.begun_plan)] = past.begun_plan
    habits.close_on_tonic(
        flat[: past.blocks * BLOCK_HALF_BARS + half_bars][past.blocks * BLOCK_HALF_BARS :], minor
    )
    flat[past.blocks * BLOCK_HALF_BARS + half_bars :] = habits.TONIC[minor]
    return Plan(chords, source, opens, closes, home)


def _letters_after(whole: int, sections: int, random: np.random.Generator) -> list[str]:
    """Letters of sections of which the first `whole` were given and are all counted as different; afterwards the first returns
    in turn with new ones.
    """
    letters = [chr(ord("A") + index) for index in range(whole)]
    while len(letters) < sections:
        home = letters[-1] != "A" and random.random() < RETURN_HOME
        letters.append("A" if home else chr(max(map(ord, letters)) + 1))
    return letters
