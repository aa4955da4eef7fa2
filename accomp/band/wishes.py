"""How busy and how high a part plays that is made again: moves of its latents, and inversions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from accomp.band import arrange
from accomp.band.arrange import ArrangeSettings
from accomp.band.generate import Latents, count_onsets
from accomp.band.retake import Retake
from accomp.models.band_model import BandModel
from accomp.music import keys
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS, DRUMS


@dataclass(frozen=True)
class WishSettings:
    """How far a wish moves the music."""

    deviations: float = 2.0  # of the genre's real playing, for the busiest; nearly all is within
    nearness: float = 0.25  # weight of a voicing's leap beside its distance from the wished pitch


SETTINGS = WishSettings()


@torch.no_grad()
def busier(
    model: BandModel,
    latents: Latents,
    plan: torch.Tensor,
    retake: Retake,
    settings: WishSettings = SETTINGS,
) -> Latents:
    """Move the latents of what is made again towards busier or sparser playing.

    Args:
        model: the genre's networks.
        latents: of the whole song.
        plan: [B, 4] chords.
        retake: what is made again, and how busy it shall be.
        settings: how far it moves.
    """
    if retake.busy is None:
        return latents
    amount = settings.deviations * (2 * retake.busy - 1)
    rows, onsets = dict(latents.rows), dict(latents.onsets)
    blocks = slice(retake.first // BLOCK_STEPS, -(-retake.last // BLOCK_STEPS))
    for track in set(ACCOMPANIMENT) - retake.kept:
        density = model.harmony_nn(track).directions().get("density")
        if density is None:
            continue
        moved = rows[track].clone()
        moved[blocks, :-1] += amount * density * moved[blocks, -1:]
        was, now = (count_onsets(model, track, plan, each) for each in (rows[track], moved))
        rows[track] = moved
        onsets[track] = onsets[track] * (now + 1) / (was + 1)  # NaN stays NaN
    return Latents(rows, onsets, latents.fills)


def higher(
    band: Mapping[int, np.ndarray],
    retake: Retake,
    arranging: ArrangeSettings = arrange.SETTINGS,
    settings: WishSettings = SETTINGS,
) -> dict[int, np.ndarray]:
    """Invert chords, and move single notes by octaves, towards the wished height.

    Args:
        band: by track, [n, 3] notes in the song's key.
        retake: what is made again, and how high it shall be.
        arranging: the registers of the players.
        settings: how much small leaps count.
    """
    moved = dict(band)
    if retake.high is None:
        return moved
    for track in moved.keys() - retake.kept - {DRUMS}:
        part, notes = arranging.parts[track], moved[track].copy()
        aim = part.median[0] + retake.high * (part.median[1] - part.median[0])
        inside = (notes[:, 1] >= retake.first) & (notes[:, 1] < retake.last)
        notes[inside] = _towards(notes[inside], aim, settings)
        notes[inside, 0] = keys.fold(notes[inside, 0], *part.pitches)
        moved[track] = notes
    return moved


def _towards(notes: np.ndarray, aim: float, settings: WishSettings) -> np.ndarray:
    """Return notes [n, 3] whose pitches of each half bar lie about a pitch, in near voicings."""
    notes = notes.copy()
    before: float | None = None
    for rows in arrange.by_half_bar(notes):
        pitches = np.unique(notes[rows, 0])
        octaves = round((aim - pitches.mean()) / 12)

        def distance(way: dict[int, int]) -> float:
            mean = sum(way.values()) / len(way) + 12 * octaves  # noqa: B023  used at once
            leap = 0.0 if before is None else abs(mean - before)  # noqa: B023
            return abs(mean - aim) + settings.nearness * leap

        moves = min(arrange.inversions(pitches), key=distance)
        notes[rows, 0] = [moves[int(pitch)] + 12 * octaves for pitch in notes[rows, 0]]
        before = float(np.mean(list(moves.values()))) + 12 * octaves
    return notes
