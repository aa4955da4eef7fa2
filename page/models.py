"""The models that the page serves, and the calls that need them.

Where a Space lends a GPU for each call these run on it; elsewhere they are plain calls. From a
process of ZeroGPU only the words of gr.Error come back, those of no other error.
"""

import sys
from collections.abc import Mapping, Sequence

import spaces
from spaces.config import Config

from accomp import Accompanist, continue_melody, genres, invent
from accomp.band.chord_choices import Alternative
from accomp.band.options import Options, Redo
from accomp.band.refill import Refill
from accomp.errors import ModelError, MusicError
from accomp.models.melody_nn import shipped_melody_nn
from accomp.models.shelf import Shelf
from accomp.music.score import Chord, Score
from accomp.project.choices import Blend, MelodyRecipe
from page.genres import describe
from page.messages import errors_shown, refuse
from page.words import say

GENRES = genres()
shelf = Shelf(Accompanist.from_pretrained)  # each genre is loaded once, at its first use


def _load_all() -> None:
    """Load all genres, and leave out those that can't be loaded.

    On ZeroGPU the GPU's process is a copy of this one, made for each call: what it would load would
    be lost with it.
    """
    for name in list(GENRES):
        try:
            shelf.get(name)
        except ModelError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            GENRES.remove(name)
    try:
        shipped_melody_nn()
    except MusicError as error:
        print(f"no melodies are invented: {error}", file=sys.stderr)


if Config.zero_gpu:
    _load_all()


@spaces.GPU(duration=15)
def play(
    genre: str,
    score: Score,
    options: Options,
    redo: Redo | None = None,
    blend: Blend | None = None,
    explore: Mapping[str, Mapping[str, float]] | None = None,
) -> Score:
    """Give a melody a band.

    Args:
        genre: Whose models play.
        score: The melody.
        options: How the band is made.
        redo: An earlier result, and which part of it is made again.
        blend: Another band to go towards.
        explore: How far instruments move, as in Sketch.explored.

    Raises:
        gr.Error: A MusicError's words.
    """
    with errors_shown():
        model = shelf.get(genre)
        sketch = model.sketch(score, options, redo=redo)
        if blend:
            other = shelf.get(blend.genre).sketch(score, options, redo=redo, seed=blend.seed)
            sketch = sketch.blended(other, blend.amount)
        return model.perform(sketch.explored(explore or {}))


@spaces.GPU(duration=15)
def refill(genre: str, melody: Score, song: Score, part: Refill, options: Options) -> Score:
    """Make some bars of some players of a song anew.

    Args:
        genre: Whose models play.
        melody: What the song was made of.
        song: The song as the band played it.
        part: Which bars, whose, and what they shall be like.
        options: How the song was made.

    Raises:
        gr.Error: A MusicError's words.
    """
    with errors_shown():
        return shelf.get(genre).refill(melody, song, part, options)


@spaces.GPU(duration=15)
def offer(
    genre: str, score: Score, options: Options, chords: Sequence[Chord], place: tuple[float, int]
) -> tuple[list[Alternative], list[float]]:
    """Return likely chords for a place of a melody, and the beats at which the melody returns.

    Args:
        genre: Whose models are asked.
        score: The melody.
        options: How chords are planned.
        chords: Those of the whole melody.
        place: A beat, and how many chords are wanted.

    Raises:
        gr.Error: A MusicError's words.
    """
    with errors_shown():
        model, (beat, count) = shelf.get(genre), place
        alternatives = model.chord_alternatives(score, chords, beat, options, n=count)
        return alternatives, model.returns(score, beat, options)


@spaces.GPU(duration=15)
def invent_melody(recipe: MelodyRecipe) -> Score:
    """Invent a melody. Raises gr.Error with a MusicError's words."""
    with errors_shown():
        model = shelf.get(recipe.genre)
        return invent(model, recipe.bars, recipe.seed, recipe.variation)


@spaces.GPU(duration=15)
def lengthen_melody(recipe: MelodyRecipe, score: Score, track: int, key: str | None) -> Score:
    """Continue a melody.

    Args:
        recipe: How.
        score: What holds the melody.
        track: The melody's index in its tracks.
        key: Of the melody; None to estimate it.

    Raises:
        gr.Error: A MusicError's words.
    """
    with errors_shown():
        return continue_melody(
            shelf.get(recipe.genre),
            score,
            recipe.bars,
            recipe.seed,
            recipe.variation,
            melody_track=track,
            key=key,
            chords=recipe.chords or "planned",
        )


def check_genre(genre: str) -> None:
    """Load a genre's models, outside of the GPU's time.

    Raises:
        gr.Error: The genre is not served, or its models can't be loaded.
    """
    if genre not in GENRES:
        raise refuse(
            "Genre {genre} is unknown; available: {genres}.",
            genre=repr(str(genre)[:40]),
            genres=", ".join(GENRES),
        )
    with errors_shown():
        shelf.get(genre)


def served(genre: str) -> str:
    """Describe a genre and name the models that play it.

    Args:
        genre: One of those that the page offers.

    Returns:
        models: A line about the genre, and the Hub's repository with its revision, or "embedded".
    """
    check_genre(genre)
    source = shelf.get(genre).source
    where = "Models: `{models}`" if source and source.commit else "Models: `{models}`, embedded"
    return f"{say(describe(genre))} {say(where, models=source)}"
