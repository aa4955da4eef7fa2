"""Measure the transcription of a recording: its notes, its beats and bars, and the band it gets.

Each function compares a transcription with the Clip (train.data.clips), which knows what was
played.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mir_eval
import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.listen.beat_grid import BeatGrid, SungNote
from accomp.listen.frames import hertz
from accomp.listen.transcribe import Transcription
from accomp.music.score import Note, Score, TimeSignature, Track
from accomp.roll import chord_plan
from accomp.roll.grid import HALF_BAR_STEPS
from train import metrics
from train.data.clips import Clip, Tune
from train.eval import stage

# Pitch, which may have fractions, onset s, offset s and velocity of each note.
Truth = Sequence[tuple[float, float, float, int]]
# What `compare` measures.
FIGURES = (
    *("f1", "precision", "recall", "f1_offsets", "f1_onsets", "f1_loose", "octaves", "found"),
)
OFFSET_RATIO = 0.2  # of a note's length by which its end may be off (mir_eval's own)
# Factors of a tempo that is right at another metrical level.
RATIOS = (1, 2, 1 / 2, 3, 1 / 3, 3 / 2, 2 / 3)


@dataclass(frozen=True)
class Tolerances:
    """How near is right."""

    onset: float = 0.05  # seconds within which a note is right (mir_eval's own)
    pitch: float = 50.0  # cents within which it is (mir_eval's own)
    # The same of notes that are about right, as one hears them or mends them.
    loose_onset: float = 0.1
    loose_pitch: float = 100.0
    tempo: float = 1.04  # factor by which a tempo may be off (Gouyon et al. 2006; MIREX)
    bar_line: float = 0.07  # seconds within which a bar line is right (Dixon 2001; MIREX)
    most_bars: float = 0.8  # F-measure of bar lines from which all are right
    place: float = 1e-3  # beats within which places are the same


TOLERANCES = Tolerances()


# Notes


def compare(
    true: Truth, found: list[SungNote], tolerances: Tolerances = TOLERANCES
) -> dict[str, float]:
    """Measure notes.

    Args:
        true: The notes as they were performed.
        found: Those of a transcriber; pitches may have fractions, as sung ones have.
        tolerances: How near is right.

    Returns:
        F1, precision and recall by onset and pitch, F1 with offsets too (f1_offsets), F1 by onset
        alone (f1_onsets), that of notes that are about right (f1_loose), the share of true notes
        that are found octaves off (octaves), and notes found for each true one (found).
    """
    if not found:
        return dict.fromkeys(FIGURES, 0.0)
    of_true = _intervals([(onset, offset) for _, onset, offset, _ in true])
    of_found = _intervals([(note.onset, note.offset) for note in found])
    tones, sounds = (hertz(np.array([note[0] for note in notes], float)) for notes in (true, found))

    def score(onset: float, pitch: float, offset_ratio: Any = None) -> tuple:
        return mir_eval.transcription.precision_recall_f1_overlap(
            *(of_true, tones, of_found, sounds),
            onset_tolerance=onset,
            pitch_tolerance=pitch,
            offset_ratio=offset_ratio,
        )

    precision, recall, f1, _ = score(tolerances.onset, tolerances.pitch)
    pairs = matched(true, found, tolerances)
    apart = np.array([found[j].pitch - true[i][0] for i, j in pairs])
    octaves = np.rint(apart / 12)
    is_octave = np.abs(apart - 12 * octaves) <= tolerances.pitch / 100
    values = (
        f1,
        precision,
        recall,
        score(tolerances.onset, tolerances.pitch, OFFSET_RATIO)[2],
        2 * len(pairs) / (len(true) + len(found)),
        score(tolerances.loose_onset, tolerances.loose_pitch)[2],
        float((is_octave & (octaves != 0)).sum() / len(true)),
        len(found) / len(true),
    )
    return dict(zip(FIGURES, values))


def matched(
    true: Truth, found: list[SungNote], tolerances: Tolerances = TOLERANCES
) -> list[tuple[int, int]]:
    """Return indices of the notes with the same onset, each once at most (mir_eval.transcription).

    Arguments as of `compare`.
    """
    of_true = _intervals([(onset, offset) for _, onset, offset, _ in true])
    of_found = _intervals([(note.onset, note.offset) for note in found])
    return mir_eval.transcription.match_note_onsets(
        of_true, of_found, onset_tolerance=tolerances.onset
    )


def _intervals(pairs: list[tuple[float, float]]) -> np.ndarray:
    spans = np.array(pairs, float)
    spans[:, 1] = np.maximum(spans[:, 1], spans[:, 0] + 0.02)
    return spans


# Beats and bars


def on_paper(
    clip: Clip, written: Transcription, tolerances: Tolerances = TOLERANCES
) -> dict[str, float]:
    """Measure beats and bars.

    Args:
        clip: What was played.
        written: Its transcription.
        tolerances: How near is right.

    Returns:
        tempo: 1 where it is right; tempo_level: 1 where it is right or one of RATIOS of it; meter:
        1 where it is the true one; bar_lines: 1 where they are right; places_beats, places_bars:
        share of the notes with a true onset that are written on the true place, all moved by the
        same number of beats, or of bars.
    """
    grid, meter = written.grid, clip.tune.meter
    right = [
        abs(np.log(grid.tempo / clip.tempo / ratio)) <= np.log(tolerances.tempo) for ratio in RATIOS
    ]
    notes, pairs = written.score.tracks[0].notes, matched(clip.notes, written.notes, tolerances)
    apart = np.array([notes[j].onset - clip.line[i][1] for i, j in pairs])
    return {
        "tempo": float(right[0]),
        "tempo_level": float(any(right)),
        "meter": float(grid.meter == meter[1:]),
        "bar_lines": float(bar_lines(clip, grid, tolerances) >= tolerances.most_bars),
        "places_beats": together(apart, 1.0, tolerances),
        "places_bars": together(apart, meter.bar_beats, tolerances),
    }


def bar_lines(clip: Clip, grid: BeatGrid, tolerances: Tolerances = TOLERANCES) -> float:
    """Return the F-measure (mir_eval.beat) of bar lines, from the first to the last onset.

    Bars of half or twice the length get two thirds at most, those of another beat or meter less.
    """
    near = tolerances.bar_line
    first, last = clip.notes[0][1] - near, clip.notes[-1][1] + near
    bar = clip.tune.meter.bar_beats
    true = clip.seconds_of(np.arange(0, clip.line[-1][1] + bar, bar))
    true = true[(true >= first) & (true <= last)]
    if not len(true):
        return 0.0
    # Lines beyond the outermost true ones count where they would be nearer to them than the next
    # true ones are.
    low, high = (
        float(clip.seconds_of(clip.beats_of(true[end]) + side * bar / 2))
        for end, side in ((0, -1), (-1, 1))
    )
    around = np.floor(grid.position([low, high]) / grid.bar_pulses)
    found = grid.seconds(np.arange(around[0], around[1] + 2) * grid.bar_pulses)
    found = found[(found > low) & (found < high)]
    return mir_eval.beat.f_measure(true, np.maximum(found, 0), near)


def together(apart: np.ndarray, step: float, tolerances: Tolerances = TOLERANCES) -> float:
    """Return the largest share of distances [n] that are the same multiple of `step`; 0 of none."""
    times = np.rint(apart / step)
    exact = times[np.abs(apart - times * step) < tolerances.place]
    return float(np.unique(exact, return_counts=True)[1].max() / len(apart)) if len(exact) else 0.0


# The band


def chord_match(model: Accompanist, clip: Clip, written: Transcription) -> float:
    """Measure the accompaniment to a recording by its chord match, as train.eval.evaluate does.

    It is compared with the tune's own chords, in each of its half bars, wherever those of the
    accompaniment are.
    """
    song = model.accompany(written.score)
    return _chord_match(
        song, clip.tune, lambda beat: clip.beats_of(song.seconds(beat) - written.grid.offset)
    )


def chord_match_of_midi(model: Accompanist, tune: Tune) -> float:
    """Measure the accompaniment to the true melody as MIDI in the same way."""
    notes = [Note(pitch, onset, duration, 80) for pitch, onset, duration in tune.line]
    score = Score([Track("melody", notes=notes)], meters=[TimeSignature(0.0, *tune.meter[1:])])
    return _chord_match(model.accompany(score), tune, lambda beat: beat)


def _chord_match(
    song: Score, tune: Tune, true_beat: Callable[[float], float | np.ndarray]
) -> float:
    """Compare a song with a tune's chords. true_beat: from a beat of the song to the tune's."""
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
    chroma = sum(chord_plan.chroma(planes[track]) for track in metrics.PITCHED)
    played = metrics.best_triads(chroma)
    lines = tune.task.grid.beats[::HALF_BAR_STEPS]
    first, last = (tune.first + tune.line[index][1] for index in (0, -1))
    inside = (lines[1:] > first + 1e-6) & (lines[:-1] <= last) & (np.diff(lines) > 1e-6)
    inside = np.flatnonzero(inside)[: len(tune.task.triads)]
    return metrics.chord_match(played[inside], tune.task.triads[inside])
