"""Other systems, trained on the same songs and measured in the same way, for comparison.

Each is a class with `play(planes, seed)`: melody planes [2, S, 128] to the band's planes by track, [2, S, 128] each, both in
the melody's normal key. `accompany` makes a Score of that, as Accompanist.accompany does.
"""

import numpy as np
from torch import nn

from accomp.band import arrange as arrangement
from accomp.band.lead import Lead
from accomp.music.score import Score, Track
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, DRUMS, MELODY, TRACKS
from train.fit.run_files import FIGURES, write_json
from train.fit.settings import Session

VELOCITY = 80  # none of them knows dynamics


def accompany(rival, score: Score, *, seed: int = 0, melody_track: int | None = None) -> Score:
    """The melody of `score` with what `rival` plays to it, cut at the melody's end."""
    lead = Lead.of(score, melody_track)
    band = rival.play(lead.planes, seed)
    tracks = [Track(spec.name, spec.program, track == DRUMS) for track, spec in enumerate(TRACKS)]
    tracks[MELODY].notes = list(lead.track.notes)
    for track in ACCOMPANIMENT:
        notes = pianoroll.from_planes(band[track])
        notes = notes[notes[:, 1] < lead.end]
        notes[:, 2] = np.minimum(notes[:, 2], lead.end)
        notes = notes if track == DRUMS else arrangement.in_range(notes, lead.shift, track)
        tracks[track].notes = pianoroll.in_beats(notes, lead.grid, VELOCITY)
    return Score(tracks, list(score.tempos), list(score.meters), score.resolution)


def write_figures(session: Session, network: nn.Module, history: list[dict]) -> None:
    """figures.json of a run: seed, parameters, the seconds that all its epochs took with their validation (of the clock, and
    of processor cores), what it was trained on, and the last epoch's losses.
    """
    figures = {
        "seed": session.options.seed,
        "parameters": sum(p.numel() for p in network.parameters()),
    }
    figures |= {
        name: round(sum(row.get(name, 0.0) for row in history), 1)
        for name in ("seconds", "core_seconds")
    }
    figures["data"] = [session.data]
    write_json(session.options.run / FIGURES, {**figures, "val": history[-1]})
