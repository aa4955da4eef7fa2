"""What songs of a genre do: their chord progressions and phrase forms.

Counted over real songs. A melody that does not exist yet gets its chords from here.

Letters: G genres (the last is any), F progressions. A progression is four bars of chords
(accomp.roll.chord_plan), [8] half bars, in the normal key; a phrase is four blocks (eight bars).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from accomp.roll.chord_plan import CHORD_COUNT
from accomp.roll.grid import BLOCK_HALF_BARS

PROGRESSIONS = 640  # F
HALF_BARS = 2 * BLOCK_HALF_BARS  # of a progression
TONIC, DOMINANT = {False: 0, True: 21}, {False: 7, True: 4}  # C and G; A minor and E
# The ways in which the four blocks of a phrase repeat each other: the set partitions of four as
# restricted growth strings.
FORMS = [
    f"a{b}{c}{d}"
    for b in "ab"
    for c in "abc"
    for d in "abcd"
    if c <= chr(ord(b) + 1) and d <= chr(ord(max(b, c)) + 1)
]
# Sections of eight bars by their number (Cooper & Meyer 1960; AABA is the usual form of songs).
# Longer ones go on in the same way.
SECTIONS = {1: ["A"], 2: ["AA", "AA", "AB"], 3: ["AAB", "ABA"], 4: ["AABA", "AABA", "ABAB", "ABAC"]}

assert len(FORMS) == 15


@dataclass(frozen=True)
class HabitSettings:
    """How progressions are drawn.

    Chosen on validation songs by train.eval.melody_tuning.
    """

    others: float = 0.15  # weight of the counts of all genres in a genre's
    # Factor by which progressions are preferred that close where a phrase closes.
    endings: float = 6.0
    # How often the second half of a phrase has the chords of the first (but for its close).
    same_again: float = 0.5


class Habits(nn.Module):
    """Counts of what songs do.

    Attributes:
        settings: How progressions are drawn from them.
        progressions: [F, 8] uint8.
        opening, closing: [G, 2, F] how many songs, in major and in minor, have each progression as
            the first and as the second half of a phrase.
        move: [24, 24] log probability of going from one chord to another.
        forms: [G, 15] how often phrases have each of FORMS.
    """

    progressions: Tensor
    opening: Tensor
    closing: Tensor
    move: Tensor
    forms: Tensor

    def __init__(self, genres: int, settings: HabitSettings = HabitSettings()):
        super().__init__()
        self.settings = settings
        nothing = torch.zeros(PROGRESSIONS, HALF_BARS, dtype=torch.uint8)
        self.register_buffer("progressions", nothing)
        self.register_buffer("opening", torch.zeros(genres, 2, PROGRESSIONS))
        self.register_buffer("closing", torch.zeros(genres, 2, PROGRESSIONS))
        self.register_buffer("move", torch.zeros(CHORD_COUNT, CHORD_COUNT))
        self.register_buffer("forms", torch.ones(genres, len(FORMS)))

    def draw_progression(
        self,
        genre: int,
        minor: bool,
        closes: bool,
        random: np.random.Generator,
        after: int | None = None,
        ends: list[int] | None = None,
    ) -> np.ndarray:
        """Draw a progression for half a phrase.

        Args:
            genre: Index.
            minor: Whether the melody is in minor.
            closes: Whether it is the second half of the phrase.
            random: Decides.
            after: The chord before it.
            ends: The chords on which it should rather end.

        Returns:
            [8] int.
        """
        counts = self._mixed(self.closing if closes else self.opening, genre)[int(minor)]
        known = self.progressions.cpu().numpy().astype(int)
        if after is not None:
            counts = counts * np.exp(self.move[after].cpu().numpy()[known[:, 0]])
        if ends:
            counts = counts * np.where(np.isin(known[:, -1], ends), self.settings.endings, 1.0)
        if counts.sum() <= 0:
            return np.full(HALF_BARS, TONIC[minor])
        return known[random.choice(len(known), p=counts / counts.sum())].copy()

    def draw_form(self, genre: int, random: np.random.Generator) -> str:
        """Draw the form of a phrase, one of FORMS."""
        chances = self._mixed(self.forms, genre)
        return FORMS[random.choice(len(FORMS), p=chances / chances.sum())]

    def _mixed(self, counts: Tensor, genre: int) -> np.ndarray:
        """Return the counts of a genre with some of those of all."""
        own, everybody = (counts[index].double().cpu().numpy() for index in (genre, -1))
        others = self.settings.others * everybody / max(everybody.sum(), 1e-9)
        return own / max(own.sum(), 1e-9) + others


def draw_sections(count: int, random: np.random.Generator) -> str:
    """Draw the letters of `count` sections."""
    if count <= 4:
        return str(random.choice(SECTIONS[max(count, 1)]))
    begin = str(random.choice(SECTIONS[4]))
    # The rest is drawn in any case: seeds mean the same only where all draws are the same.
    rest = "C" + draw_sections(count - 5, random)
    return begin + {1: "A", 2: "BA", 3: "CBA"}.get(count - 4, rest)


def phrase_chords(
    habits: Habits,
    genre: int,
    minor: bool,
    random: np.random.Generator,
    final: bool,
    after: int | None = None,
) -> np.ndarray:
    """Draw the chords of a phrase of eight bars.

    Args:
        habits: Counts of progressions.
        genre: Index.
        minor: Whether the melody is in minor.
        random: Decides.
        final: Whether the melody ends with it: then its last bar is the tonic, after the dominant.
            Other phrases end rather on the tonic or the dominant.
        after: The chord before it.

    Returns:
        [16] int.
    """
    tonic, dominant = TONIC[minor], DOMINANT[minor]
    first = habits.draw_progression(genre, minor, False, random, after)
    ends = [tonic] if final else [tonic, dominant, DOMINANT[False]]
    second = habits.draw_progression(genre, minor, True, random, int(first[-1]), ends)
    if random.random() < habits.settings.same_again:
        second[: HALF_BARS // 2] = first[: HALF_BARS // 2]
    if final:
        close_on_tonic(second, minor)
    return np.concatenate([first, second])


def close_on_tonic(plan: np.ndarray, minor: bool) -> None:
    """Make the last bar of a plan the tonic's, in place.

    What leads to it shall be another chord: the dominant, where it was the tonic too.
    """
    plan[-2:] = TONIC[minor]
    if len(plan) > 2 and plan[-3] == TONIC[minor]:
        plan[-3] = DOMINANT[minor]
