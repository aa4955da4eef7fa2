"""Block by block through a song: the latents of everything that the band plays to a melody.

Letters: B blocks of the song, H half bars of a block (4), K latent size of an instrument.
Source: "Generating Musical Accompaniment to a given Master Melody using VAEs and CNNs", "Music Generation"; styles: Tham & Kim
2021, "Generating Music in certain Styles".
"""

import numpy as np
import torch
from torch import Tensor

from accomp.band.form import Shape
from accomp.band.style import StylePath
from accomp.models import harmony_nn as harmony
from accomp.models.band_model import BandModel
from accomp.roll.grid import ACCOMPANIMENT, DRUMS, MELODY, TRACK_NAMES

DRUMS_CHANGE = 0.5  # how likely drums begin anew with a new section
FILL_CHANCE = 0.5  # of a drum fill at the end of a phrase that is followed by one like it


@torch.no_grad()
def choose_latents(
    model: BandModel,
    blocks: Tensor,
    plan: Tensor,
    form: Shape,
    generator: torch.Generator,
    kept: dict[tuple[int, int], Tensor] | None = None,
    path: StylePath | None = None,
) -> tuple[dict[int, Tensor], dict[int, Tensor]]:
    """By track, the band's latents and flags [B, K + 1] for melody blocks [B, 2, 32, 128] under a plan [B, H]; and how many
    onsets blocks shall have whose latents lie between two of real playing, [B], NaN for the others.

    The first networks play where the song or a section begins, and for an instrument that has rested long enough. kept: latents
    [K + 1] by track and block that are not chosen; path: the style that what is chosen is drawn to before it is heard and
    gone on from.
    """
    kept = kept or {}
    config, count = model.config, len(blocks)
    melody = model.encode(MELODY, blocks, plan)[:, :-1]
    latents = {
        t: melody.new_zeros(count, config.vaes[TRACK_NAMES[t]].latent + 1) for t in ACCOMPANIMENT
    }
    unstyled = {track: torch.zeros_like(rows) for track, rows in latents.items()}
    for block in range(count):
        earlier = int(form.source[block])
        for track in ACCOMPANIMENT:
            name = TRACK_NAMES[track]
            if (track, block) in kept:
                latents[track][block] = kept[track, block]
                continue
            waits = track in form.rests and form.rests[track][block]
            if waits:
                continue
            # What returns is played again, but not where it is what was to be made anew.
            returns = earlier >= 0 and (track, earlier) not in kept
            if returns and not (track in form.rests and form.rests[track][earlier]):
                latents[track][block], unstyled[track][block] = (
                    latents[track][earlier],
                    unstyled[track][earlier],
                )
                continue
            rest = min(block, config.longest_rest)
            rested = (
                rest == config.longest_rest and not latents[track][block - rest : block, -1].any()
            )
            waited = block > 0 and track in form.rests and form.rests[track][block - 1]
            is_last = block == count - 1 and block > 0
            opens = form.opens[block]
            if opens and block and track == DRUMS:
                # A drummer often keeps the beat where others begin a new section.
                opens = torch.rand((), generator=generator) < DRUMS_CHANGE
            step = "last" if is_last else "first" if opens or rested or waited else "middle"
            at, of = torch.tensor([[block], [count]], device=melody.device)
            heard = harmony.harmony_context(
                step, at, of, melody, latents, track, plan, model.genre_index
            )
            apart, sparsest = None, harmony.NEVER
            if step == "first":
                sparsest = config.sparsest
                if block and latents[track][block - 1, -1] > 0:
                    apart = latents[track][block - 1, :-1], config.contrast
                heard.previous = harmony.forget(
                    heard.previous, torch.ones(1, dtype=torch.bool, device=at.device)
                )
            chosen = model.harmony[name].choose(
                step,
                heard,
                generator,
                config.temperature,
                config.top_p,
                config.steadiness.get(name, 0.0),
                config.push * (2 * float(form.energy[block]) - 1),
                config.variety.get(name, 0.0),
                apart,
                sparsest,
            )[0]
            unstyled[track][block] = chosen
            latents[track][block] = path.drawn(track, block, chosen) if path else chosen
    onsets = {}
    for track, rows in latents.items():
        onsets[track] = rows.new_full((count,), torch.nan)
        if path and track in path.latents:
            styled = (
                (unstyled[track][:, -1] > 0) & (path.latents[track][:, -1] > 0) & (rows[:, -1] > 0)
            )
            own, style = (
                onsets_of(model, track, plan, each)
                for each in (unstyled[track], path.latents[track])
            )
            onsets[track][styled] = torch.lerp(own, style, path.factor)[styled]
    return latents, onsets


def choose_fills(model: BandModel, form: Shape, generator: torch.Generator) -> dict[int, Tensor]:
    """By block that ends a phrase, a drum latent [1, K] whose last half bar is to be played there; where the song goes on into
    another section always, else by chance.
    """
    fills = {}
    for block in np.flatnonzero(form.closes[:-1]):
        new = form.labels[block + 1] != form.labels[block]
        fill = model.harmony[TRACK_NAMES[DRUMS]].draw_fill(generator)
        if fill is not None and (
            torch.rand((), generator=generator) < (1.0 if new else FILL_CHANCE)
        ):
            fills[int(block)] = fill
    return fills


@torch.no_grad()
def onsets_of(model: BandModel, track: int, plan: Tensor, rows: Tensor) -> Tensor:
    """[B] how many probabilities of an onset pass the threshold in blocks of latents and flags [B, K + 1] under a plan [B, H].

    A latent halfway between two patterns is unsure of every note, and played by the usual thresholds half empty: it gets as many
    as lie between those of the two.
    """
    vae = model.vaes[TRACK_NAMES[track]]
    return (vae.decode(rows[:, :-1], plan)[:, 0] > vae.thresholds[0]).sum((1, 2)).to(rows.dtype)
