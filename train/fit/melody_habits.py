"""Count what melodies of a genre habitually do, as accomp.models.progressions has it.

That is their chord progressions and the forms of their phrases, their tempi and their keys.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accomp.band.lead import Lead
from accomp.errors import MusicError
from accomp.invention.compose import SixteenthsSettings, moves_in_sixteenths
from accomp.models.melody_nn import ANY, MelodyNN
from accomp.models.progressions import FORMS, HALF_BARS, PROGRESSIONS, Habits
from accomp.music.midi import read_midi
from accomp.music.timing import mean_tempo
from accomp.roll.chord_plan import CHORD_COUNT
from accomp.roll.grid import BAR_STEPS, BLOCK_HALF_BARS
from train.data.corpus import Corpus
from train.data.melodies import Melodies

BLOCKS = HALF_BARS // BLOCK_HALF_BARS  # of a progression: half a phrase
PHRASE = 2 * BLOCKS  # blocks


@dataclass(frozen=True)
class HabitSettings:
    """What is counted as a habit."""

    # Distance of latents, in units of the mean of two blocks, up to which a block returns.
    returns: float = 0.6
    plain: tuple[int, ...] = (0, 14, 16, 5, 7, 21, 4)  # triads of the key, and A minor's dominant
    borrowed: tuple[int, ...] = (9, 2, 10, 17, 8)  # chords that songs in the key have in passing
    most_borrowed: int = 2  # half bars of a progression
    fewest_songs: int = 2  # that have a progression: it is nobody's own
    prior_move: float = 0.5  # times that each change of chords counts as met, before counting
    prior_form: float = 0.1  # times that each form does
    # Quantiles of the tempi that are kept: first, last and number.
    tempo_quantiles: tuple[float, float, int] = (0.1, 0.9, 9)
    tempi: tuple[float, float] = (60.0, 180.0)  # beats a minute; others are mistakes of files


# By progression, the songs that have it: number, genre, and 1 for minor.
Havers = dict[tuple[int, ...], set[tuple[int, int, int]]]


def count_habits(
    model: MelodyNN, melodies: Melodies, settings: HabitSettings = HabitSettings()
) -> None:
    """Give a model the progressions, chord changes and forms of songs, and who is in minor."""
    habits: Habits = model.habits
    assert habits.progressions.shape[1] == HALF_BARS
    _count_progressions(habits, melodies, settings)
    move = np.full((CHORD_COUNT, CHORD_COUNT), settings.prior_move)
    forms = np.full(tuple(habits.forms.shape), settings.prior_form)
    spread = 2 * melodies.latents[:, :-1].var(0).sum().item()
    for rows in melodies.songs:
        plan, latents = melodies.plan[rows].numpy().reshape(-1), melodies.latents[rows]
        np.add.at(move, (plan[:-1], plan[1:]), 1)
        for at in range(0, len(latents) - PHRASE + 1, PHRASE):
            if (latents[at : at + PHRASE, -1] > 0).all():
                phrase = latents[at : at + PHRASE, :-1]
                distance = torch.cdist(phrase[None], phrase[None])[0].square() / spread
                form = FORMS.index(phrase_form(distance, settings.returns))
                forms[[melodies.genre(rows), -1], form] += 1
    habits.move.copy_(torch.from_numpy(np.log(move / move.sum(1, keepdims=True))))
    habits.forms.copy_(torch.from_numpy(forms))
    of_song = np.array([melodies.genre(rows) for rows in melodies.songs])
    for index, name in enumerate(model.config.harmony.genres):
        own = melodies.minor if name == ANY else melodies.minor[of_song == index]
        model.config.minor[name] = round(float(own.mean()), 3) if len(own) else 0.0


def _count_progressions(habits: Habits, melodies: Melodies, settings: HabitSettings) -> None:
    """Count how many songs have each progression in either half of a phrase."""
    by_half: list[Havers] = [defaultdict(set), defaultdict(set)]
    for song, rows in enumerate(melodies.songs):
        who = song, melodies.genre(rows), int(melodies.minor[song])
        plan = melodies.plan[rows].numpy()
        for at in range(0, len(plan) - BLOCKS + 1, BLOCKS):
            chords = plan[at : at + BLOCKS].reshape(-1)
            if _is_progression(chords, settings):
                by_half[at // BLOCKS % 2][tuple(chords.tolist())].add(who)
    songs_of = Counter(
        {
            chords: len({song for song, _, _ in who})
            for half in by_half
            for chords, who in half.items()
        }
    )
    usual = [
        chords
        for chords, count in songs_of.most_common(PROGRESSIONS)
        if count >= settings.fewest_songs
    ]
    for index, chords in enumerate(usual or list(songs_of)[:PROGRESSIONS]):
        habits.progressions[index] = torch.tensor(chords, dtype=torch.uint8)
        for half, counts in zip(by_half, (habits.opening, habits.closing)):
            for _, genre, minor in half.get(chords, ()):
                counts[[genre, -1], minor, index] += 1


def _is_progression(chords: np.ndarray, settings: HabitSettings) -> bool:
    """Tell whether chords [8] are of a key, few of them borrowed, and not all the same."""
    known = np.array([*settings.plain, *settings.borrowed])
    return (
        np.isin(chords, known).all()
        and np.isin(chords, settings.borrowed).sum() <= settings.most_borrowed
        and len(set(chords)) > 1
    )


def phrase_form(distance: Tensor, returns: float) -> str:
    """Return which of FORMS four blocks have.

    distance: [4, 4] of the blocks; returns: the distance up to which a block returns.
    """
    letters = ""
    for block in range(PHRASE):
        like = [j for j in range(block) if distance[block, j] < returns]
        if like:
            letters += letters[min(like, key=lambda j: float(distance[block, j]))]
        else:
            letters += chr(ord(max(letters, default="`")) + 1)
    return letters


def count_tempos(
    model: MelodyNN,
    corpus: Corpus,
    folder: Path,
    genres: dict[str, str],
    settings: HabitSettings = HabitSettings(),
) -> None:
    """Give a model the tempi and keys of songs, and how often slow ones move in sixteenths.

    Args:
        model: Gets them, by genre.
        corpus: The songs, of which those to train on are counted.
        folder: The corpus's MIDI files.
        genres: The genre by label of the corpus.
        settings: What is counted.
    """
    tempos: dict[str, list[float]] = {}
    keys: dict[str, np.ndarray] = {}
    sixteenths: dict[str, list[bool]] = {}
    slowest, fastest = settings.tempi
    up_to = SixteenthsSettings().up_to  # beats a minute: faster melodies never move so
    for index in corpus.choose("train"):
        song = corpus.songs[index]
        try:
            score = read_midi(folder / song["file"])
            lead = Lead.of(score)
        except (OSError, MusicError):
            continue
        tempo = mean_tempo(score)
        moves = moves_in_sixteenths(lead.planes[0].any(-1).reshape(-1, BAR_STEPS))
        for genre in (genres[song["genre"]], ANY):
            if moves is not None and tempo <= up_to:
                sixteenths.setdefault(genre, []).append(moves)
            if slowest <= tempo <= fastest:
                tempos.setdefault(genre, []).append(tempo)
            keys.setdefault(genre, np.ones(12))[lead.shift % 12] += 1
    quantiles = np.linspace(*settings.tempo_quantiles)
    model.config.tempos = {
        genre: np.quantile(found, quantiles).round(1).tolist()
        for genre, found in sorted(tempos.items())
    }
    model.config.sixteenths = {
        genre: round(float(np.mean(found)), 3) for genre, found in sorted(sixteenths.items())
    }
    model.config.keys = {
        genre: (found / found.sum()).round(3).tolist() for genre, found in sorted(keys.items())
    }
