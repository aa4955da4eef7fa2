"""How a melody is made: its plan (accomp.song_plan), a latent for each block that is new (accomp.melody_nn), notes to sing
(accomp.singing).

Letters: B blocks, of which P are there already, H half bars of a block (4), Z latent size.
"""

import numpy as np
import torch
from torch import Tensor

from accomp import habits, harmony, pianoroll, singing
from accomp.accompanist import Accompanist
from accomp.grid import BAR_STEPS, BLOCK_STEPS, HALF_BAR_STEPS, MELODY, TRACK_NAMES
from accomp.melody_nn import MelodyNN, heard_at
from accomp.song_plan import Past, Plan, make_plan

CLOSE = 5.0  # how much codes that end a phrase are preferred where one ends, in logits
OPEN = 3.0  # how much codes that begin with a note are preferred where a section begins, in logits
LIKENESS = 6.0  # how much within a section patterns like the one before are preferred, in logits
CENTRE, HIGHER = 65.0, 2.5  # mean pitch in the normal key, and how much higher sections are that are not the first's return
CONTRAST = 4.0  # how much a new section seeks other patterns than the one before, in logits
PLAYED = 0.25  # share of the noise that the latents keep when they are decoded; all of it is heard by the network


@torch.no_grad()
def compose(
    model: Accompanist, inventor: MelodyNN, past: Past, steps: int, present: np.ndarray, minor: bool,
    random: np.random.Generator, generator: torch.Generator, variation: float,
) -> tuple[np.ndarray, Plan]:  # fmt: skip
    """Notes [n, 3] in the normal key, in the `steps` steps of the new blocks, of which `present` [steps] bool exist and the past
    has begun the first, and the plan of past and new blocks."""
    genre = inventor.genre_index(model.config.genre)
    half_bars = -(-steps // HALF_BAR_STEPS)
    plan = make_plan(inventor.habits, past, half_bars, genre, minor, random)
    latents = choose_latents(inventor, past, plan, genre, generator, variation)
    vae = model.vaes[TRACK_NAMES[MELODY]]
    new = slice(past.blocks, None)
    probabilities = vae.decode(latents[new].to(model.device), torch.from_numpy(plan.chords[new]).to(model.device))
    planes = vae.binarise(probabilities).cpu().numpy()
    onset = probabilities[:, 0].cpu().numpy()
    for block, source in enumerate(plan.source[new]):
        at = past.blocks + block
        same = 0 <= source < past.blocks and (plan.chords[at] == plan.chords[source]).all()
        if same and not plan.closes[at]:  # what returns of a melody that was given returns note for note
            planes[block], onset[block] = past.planes[source], past.planes[source, 0]
    times = singing.rhythm(pianoroll.from_blocks(planes))
    times = times[times[:, 0] < steps]
    times[:, 1] = np.minimum(times[:, 1], steps)
    last_bar = max(0, (steps - 1) // BAR_STEPS * BAR_STEPS)
    for block in np.flatnonzero(plan.closes[new]):
        bar = block * BLOCK_STEPS + BAR_STEPS
        if past.begun <= bar < last_bar:
            times = singing.close_phrase(times, int(bar), final=False)
    times = singing.close_phrase(times, last_bar, final=True)
    times[:, 1] = np.minimum(times[:, 1], steps)
    exists = present[times[:, 0]]
    exists[-1] = True
    exists &= times[:, 0] >= past.begun
    tonic = habits.TONIC[minor] % 12
    flat = onset.reshape(-1, onset.shape[-1])
    notes = singing.give_pitches(times[exists], flat, plan.chords[new].reshape(-1), tonic, past.pitch)
    return notes, plan


def choose_latents(
    inventor: MelodyNN, past: Past, plan: Plan, genre: int, generator: torch.Generator, variation: float
) -> Tensor:
    """[B, Z] latents of past and new blocks to be decoded, with noise. What returns has the noise it had."""
    count = len(plan.chords)
    heard = torch.cat([past.latents, past.latents.new_zeros(count - past.blocks, past.latents.shape[1])])
    played = heard[:, :-1].clone()
    chords = torch.from_numpy(plan.chords)
    home = torch.tensor([genre])
    register = _registers(past, plan)
    for block in range(past.blocks, count):
        noise = variation * torch.randn(2, heard.shape[1] - 1, generator=generator)
        source = int(plan.source[block])
        if source >= 0 and heard[source, -1] > 0 and not inventor.is_published:
            heard[block], played[block] = heard[source], played[source]
            continue
        if block == past.blocks and past.begun_latent is not None:
            heard[block] = torch.cat([past.begun_latent, torch.ones(1)])
            played[block] = past.begun_latent + PLAYED * noise[1]
            continue
        final = block == count - 1 and block > 0
        before = heard[block - 1, :-1].clone() if block and heard[block - 1, -1] > 0 else None
        step = "last" if final else "first" if block == 0 or plan.opens[block] or before is None else "middle"
        at = heard_at(torch.tensor([block]), torch.tensor([count]), heard, chords, home)
        if before is not None:
            at.previous[0, :-1] += noise[0]
        apart = None
        if before is not None:
            apart = (before, CONTRAST) if plan.opens[block] else (before, -LIKENESS)
        if step == "first":
            at.previous = harmony.forget(at.previous, torch.ones(1, dtype=torch.bool))
        ends, begins = CLOSE * plan.closes[block], OPEN * (step == "first")
        chosen = inventor.choose(step, at, generator, ends, begins, register[block], apart)
        heard[block] = torch.cat([chosen, torch.ones(1)])
        played[block] = chosen + (0.0 if inventor.is_published else PLAYED) * noise[1]
    return played


def _registers(past: Past, plan: Plan) -> np.ndarray:
    """[B] about which pitch each block lies: that of what was given, else CENTRE; other sections than the first are higher."""
    struck = np.nonzero(past.planes[:, 0])[2]
    centre = float(np.clip(struck.mean(), CENTRE - 4, CENTRE + 4)) if len(struck) else CENTRE
    return centre + HIGHER * ~plan.home
