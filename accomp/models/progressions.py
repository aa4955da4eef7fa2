"""What songs of a genre habitually do, counted over real ones: their chord progressions, the forms of their
phrases. With it a melody gets its plan before there is one.

Letters: G genres (the last is any), F progressions. A progression is four bars of chords (accomp.roll.chord_plan), [8] half bars, in the
normal key; a phrase is four blocks (eight bars).
"""

import numpy as np
import torch
from torch import Tensor, nn

from accomp.roll.grid import BLOCK_HALF_BARS

PROGRESSIONS = 640  # F
HALF_BARS = 2 * BLOCK_HALF_BARS  # of a progression
TONIC, DOMINANT = {False: 0, True: 21}, {False: 7, True: 4}  # C and G, A minor and E
# The ways in which the four blocks of a phrase repeat each other: the set partitions of four as restricted growth strings.
FORMS = [
    f"a{b}{c}{d}"
    for b in "ab"
    for c in "abc"
    for d in "abcd"
    if c <= chr(ord(b) + 1) and d <= chr(ord(max(b, c)) + 1)
]
# Sections of eight bars by their number (Cooper & Meyer 1960; AABA is the usual form of songs); what is longer goes on so.
SECTIONS = {1: ["A"], 2: ["AA", "AA", "AB"], 3: ["AAB", "ABA"], 4: ["AABA", "AABA", "ABAB", "ABAC"]}
OTHERS = 0.15  # how much the counts of all genres weigh in a genre's
ENDINGS = 6.0  # how much rather than by their counts progressions are chosen that close where a phrase closes
SAME_AGAIN = (
    0.5  # how often the second half of a phrase has the chords of the first (but for its close)
)

assert len(FORMS) == 15


class Habits(nn.Module):
    """progressions [F, 8] uint8; opening and closing [G, 2, F]: how many songs, in major and in minor, have each as the first and
    as the second half of a phrase; move [24, 24]: log probability of going from one chord to another; forms [G, 15]: how often
    phrases have each of FORMS.
    """

    def __init__(self, genres: int):
        super().__init__()
        self.register_buffer(
            "progressions", torch.zeros(PROGRESSIONS, HALF_BARS, dtype=torch.uint8)
        )
        self.register_buffer("opening", torch.zeros(genres, 2, PROGRESSIONS))
        self.register_buffer("closing", torch.zeros(genres, 2, PROGRESSIONS))
        self.register_buffer("move", torch.zeros(24, 24))
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
        """[8]: a progression for the first or, if `closes`, the second half of a phrase. after: the chord before it; ends: the
        chords on which it should rather end.
        """
        counts = self._mixed(self.closing if closes else self.opening, genre)[int(minor)]
        known = self.progressions.cpu().numpy().astype(int)
        if after is not None:
            counts = counts * np.exp(self.move[after].cpu().numpy()[known[:, 0]])
        if ends:
            counts = counts * np.where(np.isin(known[:, -1], ends), ENDINGS, 1.0)
        if counts.sum() <= 0:
            return np.full(HALF_BARS, TONIC[minor])
        return known[random.choice(len(known), p=counts / counts.sum())].copy()

    def draw_form(self, genre: int, random: np.random.Generator) -> str:
        """Of a phrase, one of FORMS."""
        chances = self._mixed(self.forms, genre)
        return FORMS[random.choice(len(FORMS), p=chances / chances.sum())]

    def _mixed(self, counts: Tensor, genre: int) -> np.ndarray:
        """The counts of a genre with some of those of all."""
        own, everybody = (counts[index].double().cpu().numpy() for index in (genre, -1))
        return own / max(own.sum(), 1e-9) + OTHERS * everybody / max(everybody.sum(), 1e-9)


def draw_sections(count: int, random: np.random.Generator) -> str:
    """Letters of `count` sections."""
    if count <= 4:
        return str(random.choice(SECTIONS[max(count, 1)]))
    return str(random.choice(SECTIONS[4])) + {1: "A", 2: "BA", 3: "CBA"}.get(
        count - 4, "C" + draw_sections(count - 5, random)
    )


def phrase_chords(
    habits: Habits,
    genre: int,
    minor: bool,
    random: np.random.Generator,
    final: bool,
    after: int | None = None,
) -> np.ndarray:
    """[16] chords of a phrase of eight bars; after: the chord before it; final: whether the melody ends with it, which it does
    with a bar of the tonic after the dominant; others end rather on the tonic or the dominant.
    """
    tonic, dominant = TONIC[minor], DOMINANT[minor]
    first = habits.draw_progression(genre, minor, False, random, after)
    second = habits.draw_progression(
        genre, minor, True, random, int(first[-1]), [tonic] if final else [tonic, dominant, 7]
    )
    if random.random() < SAME_AGAIN:
        second[: HALF_BARS // 2] = first[: HALF_BARS // 2]
    if final:
        close_on_tonic(second, minor)
    return np.concatenate([first, second])


def close_on_tonic(plan: np.ndarray, minor: bool) -> None:
    """Make the last bar the tonic's, in place, and let what leads to it be another chord: the dominant, where it was the tonic
    too.
    """
    plan[-2:] = TONIC[minor]
    if len(plan) > 2 and plan[-3] == TONIC[minor]:
        plan[-3] = DOMINANT[minor]
