"""A second guitar in the strings' place, as line-ups of real songs have it.

The guitar's own networks play it once more: they hear the drums and the bass, and draw other
patterns than the first guitar's. It plays in the register above it.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from accomp.band import arrange
from accomp.band.balance import balanced
from accomp.band.ensembles import ensembles
from accomp.band.generate import Latents, choose_latents
from accomp.band.options import SEED
from accomp.band.perform import perform
from accomp.band.retake import Retake
from accomp.band.sketch import Sketch
from accomp.band.streams import Streams
from accomp.band.wishes import busier
from accomp.models.band_model import BandModel
from accomp.music.score import Note, Score
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BASS, DRUMS, GUITAR, STRINGS, TRACK_NAMES

PLAYER = TRACK_NAMES[STRINGS]  # the part whose place it takes
SECOND = 1 << 20  # added to the seed of the song: a stream that no other take of it has
PROGRAM = 27  # where no line-up of the genre has two guitars: a clean electric one


@dataclass(frozen=True)
class SecondSettings:
    """What makes a second guitar another one than the first.

    Attributes:
        draws: parts that are drawn, of which one is played.
        together: share of its strokes that fall on the first guitar's, on the median of real songs
            with two (`python -m benchmarks.ensembles`, as the following).
        higher: semitones by which its register lies above the first guitar's. The middle half of
            real ones lies from 3 lower to 8 higher.
        voices: notes at a time. The middle half of real ones have 1.0 to 2.1 on the mean.
    """

    draws: int = 3
    together: float = 0.5
    higher: int = 3
    voices: int = 2


SETTINGS = SecondSettings()


def program_of(genre: str) -> int:
    """Return the sound of second guitars in a genre's songs."""
    line_ups = (each for each in ensembles(genre) if each.second_guitar)
    found = next(line_ups, None)
    return found.programs[PLAYER] if found else PROGRAM


def with_second_guitar(sketch: Sketch, song: Score, settings: SecondSettings = SETTINGS) -> Score:
    """Return a song in which a second guitar plays what the strings would, if it shall.

    What stays of an earlier take in the strings' place keeps its sound, whichever it is.

    Args:
        sketch: Of the song.
        song: As `perform` played it.
        settings: What makes it a second one.
    """
    retake, track = sketch.retake, song.tracks[STRINGS]
    if retake and STRINGS in retake.kept:
        played = replace(track, program=retake.earlier.tracks[STRINGS].program)
        if sketch.options.second_guitar and PLAYER in sketch.options.instruments:
            played.notes = list(retake.earlier.tracks[STRINGS].notes)
    elif sketch.options.second_guitar and PLAYER in sketch.options.instruments:
        program = program_of(sketch.model.config.genre)
        played = replace(track, program=program, notes=_played(sketch, song, settings))
    else:
        return song
    if played == track:
        return song
    tracks = list(song.tracks)
    tracks[STRINGS] = played
    return balanced(replace(song, tracks=tracks), sketch.model.config.genre)


def _played(sketch: Sketch, song: Score, settings: SecondSettings) -> list[Note]:
    """Return the notes of the draw that is as much together with the first guitar as real ones."""
    first = song.tracks[GUITAR].notes
    drawn = [_drawn(sketch, number, settings) for number in range(settings.draws)]
    return min(drawn, key=lambda notes: abs(_together(first, notes) - settings.together))


def _together(first: list[Note], second: list[Note]) -> float:
    """Return the share of the second guitar's strokes that fall on the first one's."""
    strokes, others = ({round(4 * note.onset) for note in notes} for notes in (second, first))
    return len(strokes & others) / max(len(strokes), 1)


def _drawn(sketch: Sketch, number: int, settings: SecondSettings) -> list[Note]:
    """Draw the part of a second guitar and return its notes."""
    model, options = sketch.model, sketch.options
    seed = (options.seed + SECOND + number) % (int(SEED.high) + 1)
    form = sketch.form
    if STRINGS in form.rests:  # it comes and goes as strings do
        form = replace(form, rests={**form.rests, GUITAR: form.rests[STRINGS]})
    retake = _in_strings_place(sketch.retake) if sketch.retake else None
    kept = _heard(sketch, retake)
    blocks = torch.from_numpy(pianoroll.to_blocks(sketch.lead.planes)).to(model.device)
    latents = choose_latents(model, blocks, sketch.plan, form, Streams(seed).latents, kept)
    if retake:
        latents = busier(model, latents, sketch.plan, retake)
    latents = Latents(latents.rows, latents.onsets, {})
    options = replace(options, seed=seed, instruments={TRACK_NAMES[GUITAR]}, second_guitar=False)
    alone = replace(
        sketch, form=form, latents=latents, options=options, retake=retake, second_moves={}
    )
    if sketch.second_moves:
        alone = alone.explored({TRACK_NAMES[GUITAR]: sketch.second_moves})
    return perform(alone, _register(settings)).tracks[GUITAR].notes


def _heard(sketch: Sketch, retake: Retake | None) -> dict[tuple[int, int], torch.Tensor]:
    """Return what the second guitar hears, and what stays of it, as latents by track and block."""
    model: BandModel = sketch.model
    kept = {}
    for track in set(ACCOMPANIMENT) - {GUITAR}:
        rows = sketch.latents.rows[track]
        heard = rows if track in (DRUMS, BASS) else torch.zeros_like(rows)
        kept |= {(track, block): heard[block] for block in range(len(heard))}
    if retake:
        stays = retake.kept_latents(model, sketch.lead, sketch.plan)
        kept |= {place: row for place, row in stays.items() if place[0] == GUITAR}
    return kept


def _in_strings_place(retake: Retake) -> Retake:
    """Return a retake of the second guitar as if it were the guitar."""
    tracks = list(retake.earlier.tracks)
    tracks[GUITAR] = replace(tracks[STRINGS], name=TRACK_NAMES[GUITAR])
    kept = frozenset(ACCOMPANIMENT) - {GUITAR}
    return replace(retake, earlier=replace(retake.earlier, tracks=tracks), kept=kept)


def _register(settings: SecondSettings) -> arrange.ArrangeSettings:
    """Return how a second guitar is arranged: as a guitar that plays higher."""
    part = arrange.SETTINGS.parts[GUITAR]
    low, high = (int(pitch) for pitch in np.add(part.median, settings.higher))
    second = replace(part, median=(low, high), voices=settings.voices)
    return replace(arrange.SETTINGS, parts={**arrange.SETTINGS.parts, GUITAR: second})
