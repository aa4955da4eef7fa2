"""Turn a sketch into a song: decode, arrange, and play it like the genre's players."""

import numpy as np
import torch

from accomp.band import arrange, balance, intro, voicing, wishes
from accomp.band.arrange import ArrangeSettings
from accomp.band.chords import chord_changes
from accomp.band.sketch import Sketch
from accomp.band.streams import Streams
from accomp.models.feel import played_times
from accomp.models.swing import MelodyTiming
from accomp.music.key_signatures import key_signatures_of
from accomp.music.score import Note, Score, Track
from accomp.roll import parts, pianoroll
from accomp.roll.grid import (
    ACCOMPANIMENT,
    BASS,
    BLOCK_STEPS,
    DRUMS,
    HALF_BAR_STEPS,
    MELODY,
    TRACKS,
)


def perform(sketch: Sketch, settings: ArrangeSettings = arrange.SETTINGS) -> Score:
    """Play a sketch: the melody with its band, five tracks in the order of TRACKS, balanced."""
    model, lead, options = sketch.model, sketch.lead, sketch.options
    band = decode(sketch, settings)
    if options.form:
        band = arrange.end_together(band, sketch.chords, lead.final_step, lead.final_end, settings)
    for track in band.keys() - {DRUMS}:
        band[track] = arrange.in_range(band[track], lead.shift, track, settings)
        if options.form:
            phrases = (np.flatnonzero(sketch.form.closes) + 1) * BLOCK_STEPS
            band[track] = arrange.settle(band[track], phrases, track, settings)
    if sketch.retake:
        band = wishes.higher(band, sketch.retake, settings)
    if options.form:
        band = arrange.end_under(band, lead.final_step, lead.final_pitch)
        band = arrange.ground(band, lead.final_step)
    tracks = [_track(sketch, track, band) for track in range(len(TRACKS))]
    if options.intro == "count-in":
        tracks[DRUMS].notes[:0] = intro.clicks(sketch.score, lead)
    chords = []
    if model.planner:
        symbols = [symbol.transposed(lead.shift) for symbol in sketch.chords]
        onsets = lead.grid.beats[: lead.grid.steps : HALF_BAR_STEPS]
        chords = chord_changes(symbols, onsets, lead.track.end, lead.key)
    score = sketch.score
    song = Score(
        tracks,
        list(score.tempos),
        list(score.meters),
        score.resolution,
        chords,
        list(sketch.notices),
        key_signatures_of(score, lead.key),
    )
    if sketch.rests:
        song = sketch.rests.unfolded(song, delay_of(sketch))
    return balance.balanced(song, model.config.genre)


def delay_of(sketch: Sketch) -> float:
    """Return by how many beats a sketch's melody is later than it was given."""
    rests = sketch.rests
    return sketch.lead.track.start - rests.melody.tracks[rests.track].start if rests else 0.0


@torch.no_grad()
def decode(sketch: Sketch, settings: ArrangeSettings = arrange.SETTINGS) -> dict[int, np.ndarray]:
    """Decode what the band plays: by track, notes [n, 3] in steps, in the normal key."""
    config = sketch.model.config
    band = {}
    for track in ACCOMPANIMENT:
        notes = pianoroll.from_planes(pianoroll.from_blocks(_blocks(sketch, track)))
        if config.planner and len(notes) and track != DRUMS:
            notes = _voiced(notes, sketch, track, settings)
        band[track] = notes[notes[:, 1] < sketch.lead.end]
    if config.planner and config.agree:
        pitched = {track: notes for track, notes in band.items() if track != DRUMS}
        band |= voicing.without_clashes(voicing.agree(pitched, sketch.chords), sketch.chords)
        band[BASS] = voicing.given_bass(band[BASS], sketch.chords)
    return band


def _blocks(sketch: Sketch, track: int) -> np.ndarray:
    """Decode a track's blocks with their fills, [B, 2, 32, 128]."""
    vae, plan, latents = sketch.model.vae(track), sketch.plan, sketch.latents
    rows = latents.rows[track]
    probabilities = vae.decode(rows[:, :-1], plan) * rows[:, -1:, None, None]
    played = vae.binarise(probabilities, latents.onsets[track])
    if track == DRUMS:
        for block, fill in latents.fills.items():
            if played[block].any():
                filled = vae.binarise(vae.decode(fill, plan[:1]))[0]
                played[block, :, -HALF_BAR_STEPS:] = filled[:, -HALF_BAR_STEPS:]
    return played.cpu().numpy()


def _voiced(notes: np.ndarray, sketch: Sketch, track: int, settings: ArrangeSettings) -> np.ndarray:
    """Give a pitched track the voices of its instrument and the tones of the very chords."""
    part = settings.parts[track]
    notes = arrange.strike_again(notes, part.longest)
    centre = parts.CENTRE[track]
    if track == BASS:
        line = arrange.lead_bass(arrange.monophonic(notes), sketch.triads, centre, settings)
        return voicing.bass_notes(line, sketch.chords)
    notes = arrange.thin_out(notes, part.voices)
    if part.steady:
        notes = arrange.steady_voices(notes, part.steady)
    notes = arrange.lead_voices(notes, sketch.triads, centre, part.content, settings)
    return voicing.release(voicing.colour(notes, sketch.chords), sketch.chords)


def _track(sketch: Sketch, track: int, band: dict[int, np.ndarray]) -> Track:
    """Return a track of the song: the melody as it was given, or what a player plays."""
    spec, lead = TRACKS[track], sketch.lead
    program = sketch.model.config.programs.get(spec.name, spec.program)
    if track == MELODY:
        return Track(spec.name, program, False, list(lead.track.notes), list(lead.track.controls))
    notes = []
    if track not in sketch.options.silent:
        notes = _played(sketch, band[track], track)
        if sketch.retake:
            notes = sketch.retake.splice(track, notes, lead)
    return Track(spec.name, program, track == DRUMS, notes)


def _played(sketch: Sketch, notes: np.ndarray, track: int) -> list[Note]:
    """Return notes in beats with players' velocities and timing, cut where the song ends."""
    lead, feel, streams = sketch.lead, sketch.model.feel, Streams(sketch.options.seed)
    grid, end = lead.grid, lead.track.end
    if sketch.options.form and lead.final_end > lead.end:
        end = float(grid.beats[lead.final_end])
    melody = MelodyTiming.of(lead.line, lead.grid)
    notes = arrange.without_unisons(notes)
    notes = notes[np.lexsort((notes[:, 0], notes[:, 1]))]
    notes = notes[grid.present[notes[:, 1]]]
    offsets = np.zeros(len(notes))
    if sketch.options.feel:
        dynamics = sketch.form.dynamics
        velocities = feel.velocities(notes, track, melody, streams.velocities(track), dynamics)
        offsets = feel.offsets(notes, track, melody, streams.offsets(track))
        offsets[notes[:, 1] >= lead.final_step] = 0  # the band ends as one
    else:
        velocities = feel.plain_velocities(notes, track, melody)
    played = []
    # What sounds to the last step sounds to the melody's very end.
    last_beat = grid.beats[grid.nearest_step(end)] - 1e-9
    times = played_times(notes, offsets, grid)
    for (pitch, _, last), (onset, stop), velocity in zip(notes, times, velocities):
        stop = end if grid.beats[last] >= last_beat else min(stop, end)
        if stop - onset > 1e-9:
            played.append(Note(int(pitch), float(onset), float(stop - onset), int(velocity)))
    return played
