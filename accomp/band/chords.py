"""Choose the chord of each half bar: planned, given, kept from an earlier result, or the intro's.

Letters: H half bars of the song.
"""

from dataclasses import dataclass

import numpy as np

from accomp.band import intro
from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.band.options import Options
from accomp.band.planning import C_MAJOR, Planning, plan_melody, plan_request
from accomp.band.retake import Retake
from accomp.errors import MusicError
from accomp.models.band_model import SEVENTHS, BandModel
from accomp.music.chord_symbols import ChordSymbol, triad_symbol
from accomp.music.key_signatures import signature_of
from accomp.music.keys import Key
from accomp.music.score import Chord, Score
from accomp.roll.chord_plan import CHORD_COUNT, symbols_on_grid
from accomp.roll.grid import HALF_BAR_STEPS

# Quality by index in SEVENTHS, and whether the triad is minor. Minor chords get no major seventh.
QUALITIES = {(0, 0): "", (0, 1): "m", (1, 0): "7", (1, 1): "m7", (2, 0): "maj7", (2, 1): "m"}
_TONES = (np.arange(CHORD_COUNT)[:, None] % 12 + SEVENTHS) % 12
# [24, 3] whether a chord with each of SEVENTHS stays in the key.
IN_KEY = np.isin(_TONES, [0, 2, 4, 5, 7, 9, 11]) | (np.array(SEVENTHS) == 0)


@dataclass(frozen=True)
class SeventhSettings:
    """How often the chords of an invented melody get sevenths."""

    # Songs have sevenths outside of the key in passing. A plan's chord keeps its seventh
    # throughout a song, so these are made rarer.
    out_of_key: float = 0.2


def check_model_knows_chords(model: BandModel, options: Options) -> None:
    """Raise MusicError where chords are given to a model without a planner."""
    if options.chords != "planned" and model.planner is None:
        raise MusicError(f"the models of {model.config.genre} know no chords; leave `chords` out")


def choose_chords(
    model: BandModel,
    score: Score,
    lead: Lead,
    form: Form,
    options: Options,
    retake: Retake | None,
    random: np.random.Generator,
) -> tuple[list[ChordSymbol], list[str]]:
    """Choose the chords of a song.

    Args:
        model: the genre's networks.
        score: the melody's score, with room for the introduction.
        lead: the melody.
        form: its phrases.
        options: `chords`, and whether the last chord shall be the tonic (`form`).
        retake: what stays of an earlier result.
        random: draws plans.

    Returns:
        [H] symbols in the normal key, and notices about given chords.

    Raises:
        MusicError: `chords` is "melody" or a text, and holds no chords.
    """
    given = options.chords if isinstance(options.chords, str) else list(options.chords)
    notices = []
    if given == "melody":
        given = list(score.chords)
    elif given == "planned" and retake and model.planner:
        given = list(retake.earlier.chords)
    if given == "planned":
        chords = plan_chords(model, score, lead, form, options, random)
    else:
        named, notices = symbols_on_grid(given, score, lead.track, lead.grid)
        chords = [symbol.transposed(-lead.shift) for symbol in named]
        if retake:
            chords = retake.chords(chords, score, lead)
    before = intro.half_bars(lead)
    return [*intro.turnaround(lead), *chords[before:]], notices


def plan_chords(
    model: BandModel,
    score: Score,
    lead: Lead,
    form: Form,
    options: Options,
    random: np.random.Generator,
) -> list[ChordSymbol]:
    """Plan the chords of a melody: one symbol for each half bar, in its normal key.

    Args:
        model: the genre's networks; one without a planner knows C only.
        score: the melody's score.
        lead: the melody.
        form: its phrases.
        options: `colour`, and whether the last chord shall be the tonic (`form`).
        random: draws plans, of which the best is returned.
    """
    if model.planner is None:
        return [triad_symbol(C_MAJOR)] * (lead.grid.steps // HALF_BAR_STEPS)
    planning = hear(model, score, lead, form, options)
    return planning.symbols(planning.search.best(random)[0])


def hear(model: BandModel, score: Score, lead: Lead, form: Form, options: Options) -> Planning:
    """Let a model's planner hear a melody; the arguments are those of `plan_chords`."""
    assert model.planner
    request = plan_request(model.planner, score, lead, form, model.config, options.colour)
    return plan_melody(model.planner, request, lead, ending=options.form)


def draw_qualities(
    model: BandModel,
    random: np.random.Generator,
    settings: SeventhSettings = SeventhSettings(),
) -> list[str] | None:
    """Draw a quality for each of the 24 triads; None where the genre's models add no sevenths."""
    chances = model.colours.double().cpu().numpy() * np.where(IN_KEY, 1.0, settings.out_of_key)
    drawn = [random.choice(len(SEVENTHS), p=row / row.sum()) for row in chances]
    if not model.config.colours:
        return None
    return [QUALITIES[int(seventh), int(chord >= 12)] for chord, seventh in enumerate(drawn)]


def with_sevenths(plan: np.ndarray, qualities: list[str] | None) -> list[ChordSymbol]:
    """Return the symbols of triads [H] with the qualities of `draw_qualities`."""
    return [triad_symbol(chord, qualities[chord] if qualities else None) for chord in plan]


def chord_changes(
    symbols: list[ChordSymbol], onsets: np.ndarray, end: float, key: Key
) -> list[Chord]:
    """Return the chords of a song where they change.

    Args:
        symbols: [H] in the song's key.
        onsets: [H] beats at which the half bars begin; those that a bar lacks have no length.
        end: beat at which the song ends.
        key: of the song, by which chords are spelled.
    """
    changes: list[Chord] = []
    fifths = signature_of(key).fifths
    for symbol, onset, following in zip(symbols, onsets, [*onsets[1:], end]):
        text = symbol.spelled(fifths)
        is_new = not changes or changes[-1].symbol != text
        if onset < end - 1e-9 and following > onset and is_new:
            changes.append(Chord(float(onset), text))
    return changes
