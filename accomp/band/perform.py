"""From a sketch to a song: decoders, arrangement, endings, and how players of the genre play it."""

import numpy as np
import torch

from accomp.band import arrange as arrangement
from accomp.band import balance as mixing
from accomp.band import intro as opening
from accomp.band import voicing
from accomp.band.lead import Lead
from accomp.band.sketch import Sketch
from accomp.models.feel import MelodyTiming, played_times
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.score import Chord, Note, Score, Track
from accomp.roll import parts, pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BASS, DRUMS, HALF_BAR_STEPS, MELODY, TRACK_NAMES, TRACKS


def perform(sketch: Sketch) -> Score:
    """The melody with the band of `sketch`: five tracks in the order of TRACKS, balanced."""
    model, lead, symbols = sketch.model, sketch.lead, sketch.symbols
    band = decode(sketch)
    if sketch.shape:
        band = arrangement.end_together(band, symbols, lead.final_step, lead.end)
    band = {
        t: notes if t == DRUMS else arrangement.in_range(notes, lead.shift, t)
        for t, notes in band.items()
    }
    if sketch.shape:
        band = arrangement.ground(band, lead.final_step)
    tune = MelodyTiming.of(lead.line, lead.grid)
    tracks = []
    for track, spec in enumerate(TRACKS):
        program = model.config.programs.get(spec.name, spec.program)
        if track == MELODY:
            tracks.append(
                Track(spec.name, program, False, list(lead.track.notes), list(lead.track.controls))
            )
            continue
        notes = _played(sketch, band[track], track, tune) if track not in sketch.silent else []
        if sketch.retake and track not in sketch.silent:
            notes = sketch.retake.splice(track, notes, lead)
        tracks.append(Track(spec.name, program, track == DRUMS, notes))
    if sketch.intro == "count-in":
        tracks[DRUMS].notes[:0] = opening.clicks(sketch.score, lead)
    named = (
        _named([symbol.transposed(lead.shift) for symbol in symbols], lead) if model.planner else []
    )
    score = sketch.score
    song = Score(
        tracks,
        list(score.tempos),
        list(score.meters),
        score.resolution,
        named,
        list(sketch.notices),
    )
    return mixing.balanced(song, model.config.genre)


@torch.no_grad()
def decode(sketch: Sketch) -> dict[int, np.ndarray]:
    """What the band plays: by track, notes [n, 3] in steps, in the normal key."""
    model, plan = sketch.model, sketch.plan
    band = {}
    for track in ACCOMPANIMENT:
        vae, latents = model.vaes[TRACK_NAMES[track]], sketch.latents[track]
        probabilities = vae.decode(latents[:, :-1], plan) * latents[:, -1:, None, None]
        played = vae.binarise(probabilities, sketch.onsets[track])
        if track == DRUMS:
            for block, fill in sketch.fills.items():
                if played[block].any():
                    played[block, :, -HALF_BAR_STEPS:] = vae.binarise(vae.decode(fill, plan[:1]))[
                        0, :, -HALF_BAR_STEPS:
                    ]
        notes = pianoroll.from_planes(pianoroll.from_blocks(played.cpu().numpy()))
        if model.config.planner and len(notes) and track != DRUMS:
            notes = arrangement.strike_again(notes, arrangement.LONGEST[track])
            if track == BASS:
                notes = voicing.bass_notes(arrangement.monophonic(notes), sketch.symbols)
            else:
                notes = arrangement.thin_out(notes, arrangement.MOST_VOICES[track])
                notes = arrangement.lead_voices(notes, sketch.triads, parts.CENTRE[track])
                notes = voicing.colour(notes, sketch.symbols)
        band[track] = notes[notes[:, 1] < sketch.lead.end]
    if model.config.planner and model.config.agree:
        band |= voicing.agree(
            {track: notes for track, notes in band.items() if track != DRUMS}, sketch.symbols
        )
    return band


def _played(sketch: Sketch, notes: np.ndarray, track: int, tune: MelodyTiming) -> list[Note]:
    """Notes in beats, cut at the melody's end: as players of the genre play them, or without feel on the grid."""
    lead, feel, seed = sketch.lead, sketch.model.feel, sketch.seed
    grid, end = lead.grid, lead.track.end
    notes = arrangement.without_unisons(notes)
    notes = notes[np.lexsort((notes[:, 0], notes[:, 1]))]
    notes = notes[grid.present[notes[:, 1]]]
    offsets = np.zeros(len(notes))
    if sketch.feel:
        # Streams of their own: a note more in one track or chord moves no other.
        velocities = feel.velocities(
            notes, track, tune, np.random.default_rng([seed, track, 0]), sketch.dynamics
        )
        offsets = feel.offsets(notes, track, tune, np.random.default_rng([seed, track, 1]))
        offsets[notes[:, 1] >= lead.final_step] = 0  # the band ends as one
    else:
        velocities = feel.plain_velocities(notes, track, tune)
    played = []
    last_beat = (
        grid.beats[grid.nearest_step(end)] - 1e-9
    )  # what sounds to the last step sounds to the melody's very end
    for (pitch, _, last), (onset, stop), velocity in zip(
        notes, played_times(notes, offsets, grid), velocities
    ):
        stop = end if grid.beats[last] >= last_beat else min(stop, end)
        if stop - onset > 1e-9:
            played.append(Note(int(pitch), float(onset), float(stop - onset), int(velocity)))
    return played


def _named(symbols: list[ChordSymbol], lead: Lead) -> list[Chord]:
    """Chords with onsets in beats, one where they change."""
    named: list[Chord] = []
    beats, end = lead.grid.beats, lead.track.end
    for half_bar, symbol in enumerate(symbols):
        first, last = beats[half_bar * HALF_BAR_STEPS], beats[(half_bar + 1) * HALF_BAR_STEPS]
        if first < end - 1e-9 and last > first and (not named or named[-1].symbol != str(symbol)):
            named.append(Chord(float(first), str(symbol)))
    return named
