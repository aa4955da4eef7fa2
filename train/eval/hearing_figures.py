"""What is measured of a recording that was heard: its notes, its beats and bars, and the band that it gets.

Each function compares what was heard with the Clip (train.data.clips), which knows what was played.
"""

from dataclasses import replace

import mir_eval
import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.listen.beat_grid import BeatGrid, SungNote
from accomp.listen.transcribe import Transcription
from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.roll import chord_plan as chords
from accomp.roll.grid import HALF_BAR_STEPS
from train.data import voices
from train.data.clips import Clip, Tune
from train.eval import metrics, stage

ONSET, PITCH = 0.05, 50.0  # seconds and cents within which a note is right (mir_eval's own)
TEMPO = 1.04  # factor by which a tempo may be off (Gouyon et al. 2006; MIREX)
RATIOS = (1, 2, 1 / 2, 3, 1 / 3, 3 / 2, 2 / 3)  # of a tempo that is right at another metrical level
BAR_LINE, MOST_BARS = (
    0.07,
    0.8,
)  # seconds within which a bar line is right (Dixon 2001; MIREX), F-measure from which all are
SAME_PLACE = 1e-3  # beats


# Notes


def compare(true: voices.Performed, heard: list[SungNote]) -> dict[str, float]:
    """F1 of notes by onset and pitch, with offsets too, and the share of true notes that are heard octaves off."""
    if not heard:
        return {"f1": 0.0, "precision": 0.0, "recall": 0.0, "f1_offsets": 0.0, "octaves": 0.0}
    spans, tones = (
        _intervals([(onset, offset) for _, onset, offset, _ in true]),
        _hertz([pitch for pitch, *_ in true]),
    )
    found, sounds = (
        _intervals([(note.onset, note.offset) for note in heard]),
        _hertz([note.pitch for note in heard]),
    )
    settings = {"onset_tolerance": ONSET, "pitch_tolerance": PITCH}
    score = mir_eval.transcription.precision_recall_f1_overlap
    precision, recall, f1, _ = score(spans, tones, found, sounds, offset_ratio=None, **settings)
    apart = [heard[j].pitch - true[i][0] for i, j in matched(true, heard)]
    octaves = sum(interval != 0 and interval % 12 == 0 for interval in apart) / len(true)
    with_offsets = score(spans, tones, found, sounds, **settings)[2]
    return {
        "f1": f1,
        "precision": precision,
        "recall": recall,
        "f1_offsets": with_offsets,
        "octaves": octaves,
    }


def matched(true: voices.Performed, heard: list[SungNote]) -> list[tuple[int, int]]:
    """Indices of the notes played and heard whose onsets are the same, each at most once (mir_eval.transcription)."""
    spans = _intervals([(onset, offset) for _, onset, offset, _ in true])
    found = _intervals([(note.onset, note.offset) for note in heard])
    return mir_eval.transcription.match_note_onsets(spans, found, onset_tolerance=ONSET)


def _intervals(pairs: list[tuple[float, float]]) -> np.ndarray:
    spans = np.array(pairs, float)
    spans[:, 1] = np.maximum(spans[:, 1], spans[:, 0] + 0.02)
    return spans


def _hertz(pitches: list[int]) -> np.ndarray:
    return 440 * 2 ** ((np.array(pitches, float) - 69) / 12)


# Beats and bars


def on_paper(clip: Clip, heard: Transcription) -> dict[str, float]:
    """tempo: 1 where it is within 4 %; tempo_level: within 4 % of it times one of RATIOS; meter: 1 where it is the true one;
    bar_lines: see there; places_beats, places_bars: share of the notes with a true onset that are written on the true place, all
    moved by the same number of beats, or of bars.
    """
    grid, meter = heard.grid, clip.tune.meter
    right = [abs(np.log(grid.tempo / clip.tempo / ratio)) <= np.log(TEMPO) for ratio in RATIOS]
    written, pairs = heard.score.tracks[0].notes, matched(clip.notes, heard.notes)
    apart = np.array([written[j].onset - clip.line[i][1] for i, j in pairs])
    return {
        "tempo": float(right[0]),
        "tempo_level": float(any(right)),
        "meter": float(grid.meter == meter[1:]),
        "bar_lines": float(bar_lines(clip, grid) >= MOST_BARS),
        "places_beats": together(apart, 1.0),
        "places_bars": together(apart, meter.bar_beats),
    }


def bar_lines(clip: Clip, grid: BeatGrid) -> float:
    """F-measure (mir_eval.beat) of the grid's bar lines against the true ones within BAR_LINE, from the first to the last onset.
    Bars of half or twice the length get two thirds at most, those of another beat or meter less.
    """
    first, last = clip.notes[0][1] - BAR_LINE, clip.notes[-1][1] + BAR_LINE
    bar = clip.tune.meter.bar_beats
    true = clip.seconds_of(np.arange(0, clip.line[-1][1] + bar, bar))
    true = true[(true >= first) & (true <= last)]
    if not len(true):
        return 0.0
    # Lines beyond the outermost true ones count where they would be nearer to them than the next true ones are.
    low, high = (
        float(clip.seconds_of(clip.beats_of(true[end]) + side * bar / 2))
        for end, side in ((0, -1), (-1, 1))
    )
    around = np.floor(grid.position([low, high]) / grid.bar_pulses)
    found = grid.seconds(np.arange(around[0], around[1] + 2) * grid.bar_pulses)
    found = found[(found > low) & (found < high)]
    return mir_eval.beat.f_measure(true, np.maximum(found, 0), BAR_LINE)


def together(apart: np.ndarray, step: float) -> float:
    """The largest share of distances [n] that are the same multiple of `step`; 0 of none."""
    times = np.rint(apart / step)
    exact = times[np.abs(apart - times * step) < SAME_PLACE]
    return float(np.unique(exact, return_counts=True)[1].max() / len(apart)) if len(exact) else 0.0


# The band


def chord_match(model: Accompanist, clip: Clip, heard: Transcription) -> float:
    """Chord match, as train.eval.evaluate measures it, of the accompaniment to a recording with the tune's own chords: in each of its
    half bars, wherever those of the accompaniment are.
    """
    song = model.accompany(heard.score)
    return _chord_match(
        song, clip.tune, lambda beat: clip.beats_of(song.seconds(beat) - heard.grid.offset)
    )


def chord_match_of_midi(model: Accompanist, tune: Tune) -> float:
    """The same of the accompaniment to the true melody as MIDI."""
    notes = [Note(pitch, onset, duration, 80) for pitch, onset, duration in tune.line]
    score = Score([Track("melody", notes=notes)], meters=[TimeSignature(0.0, *tune.meter[1:])])
    return _chord_match(model.accompany(score), tune, lambda beat: beat)


def _chord_match(song: Score, tune: Tune, true_beat) -> float:
    """true_beat: function from a beat of the song to that of the tune."""
    tracks = []
    for track in song.tracks:
        spans = [
            (true_beat(note.onset) + tune.first, true_beat(note.end) + tune.first)
            for note in track.notes
        ]
        notes = [
            note._replace(onset=float(a), duration=float(b - a))
            for note, (a, b) in zip(track.notes, spans)
        ]
        tracks.append(replace(track, notes=notes))
    planes = stage.performance_of(Score(tracks), tune.task).planes
    played = metrics.best_triads(sum(chords.chroma(planes[track]) for track in metrics.PITCHED))
    lines = tune.task.grid.beats[::HALF_BAR_STEPS]
    first, last = (tune.first + tune.line[index][1] for index in (0, -1))
    inside = (lines[1:] > first + 1e-6) & (lines[:-1] <= last) & (np.diff(lines) > 1e-6)
    inside = np.flatnonzero(inside)[: len(tune.task.triads)]
    return metrics.chord_match(played[inside], tune.task.triads[inside])
