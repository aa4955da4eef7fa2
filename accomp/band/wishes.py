"""How busy and how high a part plays that is made again: other patterns, and inversions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from accomp.band import arrange
from accomp.band.arrange import ArrangeSettings
from accomp.band.generate import Latents, count_onsets
from accomp.band.retake import Retake
from accomp.models.band_model import BandModel
from accomp.music import keys
from accomp.roll.grid import ACCOMPANIMENT, BASS, BLOCK_STEPS, DRUMS, GUITAR, STRINGS


@dataclass(frozen=True)
class WishSettings:
    """How far a wish moves the music.

    Attributes:
        times: as many onsets as usual for the busiest, and for the sparsest the reciprocal.
        deviations: of the genre's real playing by which the patterns taken are busier or sparser.
        reach: by track, MIDI pitches about which it plays when it is lowest and highest.
        nearness: weight of a voicing's leap beside its distance from the wished pitch.
    """

    times: float = 2.0
    deviations: float = 1.0
    reach: Mapping[int, tuple[int, int]] = field(
        default_factory=lambda: {BASS: (28, 49), GUITAR: (45, 74), STRINGS: (50, 84)}
    )
    nearness: float = 0.25


SETTINGS = WishSettings()
AS_USUAL = 0.5  # how busy: as the models would


@torch.no_grad()
def busier(
    model: BandModel,
    latents: Latents,
    plan: torch.Tensor,
    retake: Retake,
    settings: WishSettings = SETTINGS,
) -> Latents:
    """Give what is made again other patterns of real playing, of more or fewer onsets.

    Args:
        model: the genre's networks.
        latents: of the whole song.
        plan: [B, 4] chords.
        retake: what is made again, and how busy it shall be.
        settings: how far it moves.
    """
    if retake.busy is None or retake.busy == AS_USUAL:
        return latents
    more = 2 * retake.busy - 1
    rows, onsets = dict(latents.rows), dict(latents.onsets)
    blocks = slice(retake.first // BLOCK_STEPS, -(-retake.last // BLOCK_STEPS))
    for track in set(ACCOMPANIMENT) - retake.kept:
        usual = count_onsets(model, track, plan, rows[track])
        usual = torch.where(onsets[track].isnan(), usual, onsets[track])
        onsets[track] = onsets[track].clone()
        onsets[track][blocks] = (usual * settings.times**more)[blocks]
        network, played = model.harmony_nn(track), rows[track].clone()
        for block in range(blocks.start, blocks.stop):
            if played[block, -1] > 0:
                latent = network.busier_code(played[block, :-1], settings.deviations * more)
                played[block, :-1] = latent
        rows[track] = played
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
        low, high = settings.reach[track]
        aim = low + retake.high * (high - low)
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
