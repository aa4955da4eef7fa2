"""Measure one performance: all figures of a band that accompanies a melody."""

from dataclasses import dataclass

import numpy as np
import torch

from accomp.band.accompanist import Accompanist
from accomp.music.keys import estimate_key
from accomp.music.melody_track import skyline
from accomp.roll import chord_plan
from accomp.roll.grid import (
    ACCOMPANIMENT,
    BAR_STEPS,
    BLOCK_HALF_BARS,
    BLOCK_STEPS,
    DRUMS,
    GUITAR,
    MELODY,
    STRINGS,
    TRACK_NAMES,
)
from accomp.roll.pianoroll import to_blocks
from train import metrics
from train.data.tasks import Task
from train.eval import stage
from train.eval.results import FIGURES_OF_BLOCKS
from train.eval.stage import Performance
from train.fit.judges import Judges


@dataclass(frozen=True)
class Measuring:
    """What measuring needs beside the music.

    Attributes:
        judges: The judge of genres.
        encoder: Model whose VAEs encode the bands of all systems, to compare their blocks.
    """

    judges: Judges
    encoder: Accompanist


def measure(
    task: Task, played: Performance, others: list[np.ndarray], tools: Measuring
) -> dict[str, float | list]:
    """Measure all figures of one performance.

    Args:
        task: The melody and its reference.
        played: The band that a system played to it.
        others: Melodies [2, S, 128] of other songs, for the lift of consonance.
        tools: Judge and encoder.

    Returns:
        Figures by name; those of blocks and genres are lists.
    """
    planes, judges = played.planes, tools.judges
    pitched = np.concatenate(
        [planes[list(metrics.PITCHED)], *[other[None] for other in played.others]]
    )
    triads = metrics.best_triads(sum(chord_plan.chroma(part) for part in pitched))
    figures = _harmony(task, planes, pitched, triads, others) | _rhythm(planes) | _notes(played)
    if played.score.chords:
        figures["own_chords"] = metrics.chord_match(triads, stage.plan_of(played.score, task))
    if task.labels:
        figures["structure"] = metrics.structure(
            *block_similarity(planes, triads, task.labels, tools.encoder)
        )
    figures |= _ending(task, played)
    by_block = metrics.by_block(planes)._asdict()
    figures |= {f"{FIGURES_OF_BLOCKS}{name}": row.tolist() for name, row in by_block.items()}
    figures["genre"] = judges.genre(planes).tolist()
    return figures


def _harmony(
    task: Task,
    planes: np.ndarray,
    pitched: np.ndarray,
    triads: np.ndarray,
    others: list[np.ndarray],
) -> dict[str, float]:
    """Consonance with the melody, chord match and the tracks' distance."""
    lifts = [metrics.consonance_lift(task.melody, other, pitched) for other in others]
    return {
        "consonance": metrics.consonance(task.melody, pitched),
        "lift": float(np.mean(lifts)) if lifts else np.nan,
        "chord_match": metrics.chord_match(triads[: len(task.triads)], task.triads[: len(triads)]),
        "tonal_distance": metrics.tonal_distance(planes[GUITAR], planes[STRINGS]),
    }


def _rhythm(planes: np.ndarray) -> dict[str, float]:
    """Groove, and by track emptiness, repetition and movement."""
    figures = {
        "groove": metrics.groove_similarity(planes),
        "on_eighths": metrics.drum_pattern(planes[DRUMS]),
    }
    for track in ACCOMPANIMENT:
        name = TRACK_NAMES[track]
        figures[f"empty_{name}"] = metrics.empty_bars(planes[track])
        figures[f"neighbours_{name}"] = metrics.neighbour_similarity(planes[track])
        if track in metrics.PITCHED:
            figures[f"classes_{name}"] = metrics.used_pitch_classes(planes[track])
    for track in (GUITAR, STRINGS):
        figures[f"movement_{TRACK_NAMES[track]}"] = metrics.voice_movement(planes[track])
    return figures


def _notes(played: Performance) -> dict[str, float]:
    """Velocities, lengths and number of the accompaniment's notes."""
    planes, tracks = played.planes, played.score.tracks
    notes = [note for i, track in enumerate(tracks) if i != MELODY for note in track.notes]
    pitched = [note for track in metrics.PITCHED for note in tracks[track].notes]
    bars = planes.shape[2] / BAR_STEPS
    return {
        "velocity_std": metrics.velocity_std(notes),
        "qualified": metrics.qualified_notes(pitched),
        "notes_per_bar": planes[list(ACCOMPANIMENT), 0].sum() / bars,
    }


def _ending(task: Task, played: Performance) -> dict[str, float]:
    """Tell whether the band ends together, on the tonic unless the melody denies it."""
    line = skyline(task.score.tracks[task.melody_track].notes)
    key = estimate_key(line)
    ending = metrics.ends_together(played.score, key.tonic)
    # A last note outside of the tonic triad denies the tonic.
    denied = not chord_plan.TRIADS[key.tonic + 12 * key.is_minor, line[-1].pitch % 12]
    figures = {f"ends_{name}": float(value) for name, value in ending._asdict().items()}
    figures["ends"] = float(
        ending.sounding and ending.together and ending.held and (ending.on_tonic or denied)
    )
    return figures


def block_similarity(
    planes: np.ndarray, triads: np.ndarray, labels: list[str], model: Accompanist
) -> tuple[np.ndarray, list[str]]:
    """Compare the blocks of a band by their latents.

    Args:
        planes: The band [5, 2, S, 128].
        triads: Its chords [H], -1 where it is silent.
        labels: Of each bar, its phrase's label.
        model: Its VAEs encode the four instruments, whose latents are joined.

    Returns:
        The cosine similarity of the blocks [B, B], and the label of each block.
    """
    plan = torch.from_numpy(np.maximum(triads, 0).reshape(-1, BLOCK_HALF_BARS))
    latents = torch.cat(
        [
            model.encode(t, torch.from_numpy(to_blocks(planes[t])), plan)[:, :-1]
            for t in ACCOMPANIMENT
        ],
        dim=1,
    )
    bars = BLOCK_STEPS // BAR_STEPS
    of_block = labels[::bars][: len(latents)]
    unit = chord_plan.unit(latents[: len(of_block)].numpy())
    return unit @ unit.T, of_block


def other_melodies(tasks: list[Task], task: Task, count: int = 5) -> list[np.ndarray]:
    """Choose melodies of other songs, evenly over the tasks; they are in the normal key too."""
    at = next(i for i, other in enumerate(tasks) if other is task)
    count = min(count, len(tasks) - 1)
    apart = max(1, len(tasks) // (count + 1))
    return [tasks[(at + 1 + i * apart) % len(tasks)].melody for i in range(count)]
