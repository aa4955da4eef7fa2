"""What a MelodyNN's songs habitually do: progressions, forms of phrases, tempi and keys, counted (accomp.models.progressions)."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

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
from accomp.roll.grid import BAR_STEPS
from train.data.corpus import Corpus
from train.fit.settings import genre_of

RETURNS = (
    0.6  # distance of latents, of which the mean of two blocks' is 1, up to which a block returns
)
PLAIN = [0, 14, 16, 5, 7, 21, 4]  # triads of the key, and the dominant of A minor
BORROWED = [9, 2, 10, 17, 8]  # other chords that songs in the key have in passing
MOST_BORROWED = 2  # half bars of a progression
FEWEST_SONGS = 2  # that have a progression: it is nobody's own
TEMPO_QUANTILES = np.linspace(0.1, 0.9, 9)
SLOWEST, FASTEST = 60.0, 180.0


class Melodies(NamedTuple):
    """The melodies of a split, one after another, from each one's first block with notes to the last. latents: [all, Z + 1] with
    flags; plan: [all, H]; planes: [all, 2, 32, 128] uint8; places: [all, 4] int, first, block, blocks, genre of each block;
    minor: [songs] bool.
    """

    latents: Tensor
    plan: Tensor
    planes: Tensor
    places: Tensor
    minor: np.ndarray

    @property
    def songs(self) -> list[slice]:
        first, _, blocks, _ = self.places[self.places[:, 1] == 0].T.tolist()
        return [slice(at, at + count) for at, count in zip(first, blocks)]


def count_habits(model: MelodyNN, melodies: Melodies) -> None:
    """Progressions, chord changes, and forms of the songs."""
    habits: Habits = model.habits
    known = np.array([*PLAIN, *BORROWED])
    having: list[dict] = [
        {},
        {},
    ]  # by half of the phrase: songs of each genre and mode that have a progression
    move, forms = np.full((24, 24), 0.5), np.full(tuple(habits.forms.shape), 0.1)
    spread = 2 * melodies.latents[:, :-1].var(0).sum().item()
    for song, rows in enumerate(melodies.songs):
        genre, minor = int(melodies.places[rows.start, 3]), int(melodies.minor[song])
        plan = melodies.plan[rows].numpy()
        np.add.at(move, (plan.reshape(-1)[:-1], plan.reshape(-1)[1:]), 1)
        for at in range(0, len(plan) - 1, 2):
            chords = plan[at : at + 2].reshape(-1)
            if (
                np.isin(chords, known).all()
                and np.isin(chords, BORROWED).sum() <= MOST_BORROWED
                and len(set(chords)) > 1
            ):
                having[at // 2 % 2].setdefault(tuple(chords.tolist()), set()).add(
                    (song, genre, minor)
                )
        latents = melodies.latents[rows]
        for at in range(0, len(plan) - 3, 4):
            if (latents[at : at + 4, -1] > 0).all():
                four = latents[at : at + 4, :-1]
                forms[
                    [genre, -1],
                    FORMS.index(form_of(torch.cdist(four[None], four[None])[0].square() / spread)),
                ] += 1
    songs_of = Counter(
        {
            chords: len({song for song, _, _ in who})
            for half in having
            for chords, who in half.items()
        }
    )
    usual = [
        chords for chords, count in songs_of.most_common(PROGRESSIONS) if count >= FEWEST_SONGS
    ]
    for index, chords in enumerate(usual or list(songs_of)[:PROGRESSIONS]):
        habits.progressions[index] = torch.tensor(chords, dtype=torch.uint8)
        for half, counts in zip(having, (habits.opening, habits.closing)):
            for _, genre, minor in half.get(chords, ()):
                counts[[genre, -1], minor, index] += 1
    assert habits.progressions.shape[1] == HALF_BARS
    habits.move.copy_(torch.from_numpy(np.log(move / move.sum(1, keepdims=True))))
    habits.forms.copy_(torch.from_numpy(forms))
    genres = model.config.harmony.genres
    of_song = np.array([int(melodies.places[rows.start, 3]) for rows in melodies.songs])
    for index, name in enumerate(genres):
        own = melodies.minor if name == ANY else melodies.minor[of_song == index]
        model.config.minor[name] = round(float(own.mean()), 3) if len(own) else 0.0


def form_of(distance: Tensor) -> str:
    """Of four blocks with distances [4, 4], which return: one of FORMS."""
    letters = ""
    for block in range(4):
        like = [j for j in range(block) if distance[block, j] < RETURNS]
        nearest = min(like, key=lambda j: float(distance[block, j])) if like else None
        letters += (
            letters[nearest] if nearest is not None else chr(ord(max(letters, default="`")) + 1)
        )
    return letters


def count_tempos(model: MelodyNN, corpus: Corpus, folder: Path, config: dict) -> None:
    """Tempi and keys of the corpus's training songs by genre, and how often slow ones move in sixteenths, from their files."""
    tempos: dict[str, list[float]] = {}
    keys: dict[str, np.ndarray] = {}
    sixteenths: dict[str, list[bool]] = {}
    for index in corpus.choose("train"):
        song = corpus.songs[index]
        try:
            score = read_midi(folder / song["file"])
            lead = Lead.of(score)
        except (OSError, MusicError):
            continue
        moves = moves_in_sixteenths(lead.planes[0].any(-1).reshape(-1, BAR_STEPS))
        for genre in (genre_of(config, song["genre"]), ANY):
            if moves is not None and mean_tempo(score) <= SixteenthsSettings().up_to:
                sixteenths.setdefault(genre, []).append(moves)
            if SLOWEST <= mean_tempo(score) <= FASTEST:
                tempos.setdefault(genre, []).append(mean_tempo(score))
            keys.setdefault(genre, np.ones(12))[lead.shift % 12] += 1
    model.config.tempos = {
        name: np.quantile(found, TEMPO_QUANTILES).round(1).tolist()
        for name, found in sorted(tempos.items())
    }
    model.config.sixteenths = {
        name: round(float(np.mean(found)), 3) for name, found in sorted(sixteenths.items())
    }
    model.config.keys = {
        genre: (found / found.sum()).round(3).tolist() for genre, found in sorted(keys.items())
    }
