"""How a melody is made: its plan (accomp.invention.plan), a latent for each block that is new (accomp.models.melody_nn), notes to sing
(accomp.invention.pitch_line).

The VAE plays sixteenths badly, so no code has many. A slow melody that moves in sixteenths, as half of real ones do, is made of
"quick" blocks: four bars of playing, of two latents, in the time of two.
Letters: B blocks, of which P are there already, H half bars of a block (4), Z latent size.
"""

import numpy as np
import torch
from torch import Tensor

from accomp.band.accompanist import Accompanist
from accomp.invention import pitch_line as singing
from accomp.invention.plan import Past, Plan, make_plan
from accomp.models import harmony_nn as harmony
from accomp.models import progressions as habits
from accomp.models.melody_nn import MelodyNN, melody_context
from accomp.roll import pianoroll
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, HALF_BAR_STEPS, MELODY, TRACK_NAMES

# How often a melody no faster than FASTEST beats a minute moves in sixteenths, where no genre's habit is known; and how much for
# quick blocks codes of more notes are preferred, in logits per standard deviation.
SIXTEENTHS, FASTEST, QUICK_BUSIER = 0.5, 120.0, -0.5
# Share of notes off the eighths from which a melody moves in sixteenths; share of these on the second and on the fourth sixteenth
# of beats at least, of which swung eighths have only the latter, and triplets only the former; and notes that tell it.
MOVING, EACH, FEWEST_MOVING = 0.15, 0.15, 8
EARLY = (
    0.5  # how often a phrase is sung to its end a bar early, and the band alone plays the last one
)
CLOSE = 5.0  # how much codes that end a phrase are preferred where one ends, in logits
OPEN = 3.0  # how much codes that begin with a note are preferred where a section begins, in logits
TRIES = 20  # for a melody that begins in the first half of its first bar, which is a pickup else
LIKENESS = 8.0  # how much within a section patterns like the one before are preferred, in logits
CENTRE, HIGHER = (
    65.0,
    2.5,
)  # mean pitch in the normal key, and how much higher sections are that are not the first's return
CONTRAST = 6.0  # how much a new section seeks other patterns than the one before, in logits
PLAYED = 0.25  # share of the noise that the latents keep when they are decoded; all of it is heard by the network


@torch.no_grad()
def compose(
    model: Accompanist,
    inventor: MelodyNN,
    past: Past,
    steps: int,
    present: np.ndarray,
    minor: bool,
    tempo: float,
    random: np.random.Generator,
    generator: torch.Generator,
    variation: float,
) -> tuple[np.ndarray, Plan]:
    """Notes [n, 3] in the normal key, in the `steps` steps of the new blocks, of which `present` [steps] bool exist and the past
    has begun the first, and the plan of past and new blocks. tempo: in beats a minute.
    """
    genre = inventor.genre_index(model.config.genre)
    half_bars = -(-steps // HALF_BAR_STEPS)
    plan = make_plan(inventor.habits, past, half_bars, genre, minor, random)
    often = inventor.config.habit("sixteenths", model.config.genre, SIXTEENTHS)
    shall = ~plan.closes & shall_move(past, tempo, often, random)
    new = slice(past.blocks, None)
    for _ in range(TRIES):
        quick = shall.copy()
        latents = choose_latents(model, inventor, past, plan, quick, genre, generator, variation)[
            new
        ]
        planes, onset = decode(model, latents, plan.chords[new], quick[new])
        if past.blocks or past.begun or planes[0, 0, :HALF_BAR_STEPS].any():
            break
    for block, source in enumerate(plan.source[new]):
        at = past.blocks + block
        same = 0 <= source < past.blocks and (plan.chords[at] == plan.chords[source]).all()
        if (
            same and not plan.closes[at]
        ):  # what returns of a melody that was given returns note for note
            planes[block], onset[block] = past.planes[source], past.planes[source, 0]
    times = singing.rhythm(pianoroll.from_blocks(planes))
    times = times[times[:, 0] < steps]
    times[:, 1] = np.minimum(times[:, 1], steps)
    last_bar = max(0, (steps - 1) // BAR_STEPS * BAR_STEPS)
    for block in np.flatnonzero(plan.closes[new]):
        bar = int(block * BLOCK_STEPS + BAR_STEPS)
        if past.begun <= bar < last_bar:
            sung = (times[:, 0] >= bar - BAR_STEPS) & (
                times[:, 0] <= bar - BAR_STEPS + singing.LAST_CLOSE
            )
            if random.random() < EARLY and past.begun <= bar - BAR_STEPS and sung.any():
                times = times[(times[:, 0] < bar) | (times[:, 0] >= bar + BAR_STEPS)]
                bar -= BAR_STEPS
            times = singing.close_phrase(times, bar, final=False)
    times = singing.close_phrase(times, last_bar, final=True)
    times[:, 1] = np.minimum(times[:, 1], steps)
    exists = present[times[:, 0]]
    exists[-1] = True
    exists &= times[:, 0] >= past.begun
    tonic = habits.TONIC[minor] % 12
    flat = onset.reshape(-1, onset.shape[-1])
    notes = singing.give_pitches(
        times[exists], flat, plan.chords[new].reshape(-1), tonic, past.pitch
    )
    return notes, plan


def moves_in_sixteenths(struck: np.ndarray) -> bool | None:
    """Whether a melody does that strikes on these steps, [..., beats of 4] bool; None where it has too few notes to tell."""
    if struck.sum() < FEWEST_MOVING:
        return None
    second, fourth = struck[..., 1::4].sum(), struck[..., 3::4].sum()
    return bool(
        second + fourth > MOVING * struck.sum() and min(second, fourth) > EACH * (second + fourth)
    )


def shall_move(past: Past, tempo: float, often: float, random: np.random.Generator) -> bool:
    """Whether a melody shall move in sixteenths: as the whole blocks that were given do, else by chance, `often` of slow ones."""
    drawn = random.random() < often
    moves = moves_in_sixteenths(past.planes[:, 0].any(-1))
    return bool(drawn and tempo <= FASTEST) if moves is None else moves


def decode(
    model: Accompanist, latents: Tensor, plan: np.ndarray, quick: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Planes [n, 2, 32, 128] and how likely each pitch is struck [n, 32, 128], of latents [n, 2, Z] under chords [n, H]. Quick
    blocks [n] bool play both of their latents, each in one bar instead of two; others the first.
    """
    vae = model.vaes[TRACK_NAMES[MELODY]]

    def play(latent: Tensor, chords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = vae.decode(latent.to(model.device), torch.from_numpy(chords).to(model.device))
        return vae.binarise(found).cpu().numpy(), found[:, 0].cpu().numpy()

    planes, onset = play(latents[:, 0], plan)
    if quick.any():
        halves = [play(latents[quick, half], stretched(plan[quick], half)) for half in range(2)]
        planes[quick], onset[quick] = (
            np.concatenate(
                [np.maximum(rows[..., ::2, :], rows[..., 1::2, :]) for rows in both], axis=-2
            )
            for both in zip(*halves)
        )
    return planes, onset


def stretched(plan: np.ndarray, half: int) -> np.ndarray:
    """Chords [..., H] of one bar of a block as they are where it is played at half the speed."""
    return np.repeat(plan[..., 2 * half : 2 * half + 2], 2, axis=-1)


def choose_latents(
    model: Accompanist,
    inventor: MelodyNN,
    past: Past,
    plan: Plan,
    quick: np.ndarray,
    genre: int,
    generator: torch.Generator,
    variation: float,
) -> Tensor:
    """[B, 2, Z] latents of past and new blocks to be decoded, with noise; the second is that of quick blocks [B] bool, which
    becomes what returns is. What returns has the noise it had.
    """
    count = len(plan.chords)
    heard = torch.cat(
        [past.latents, past.latents.new_zeros(count - past.blocks, past.latents.shape[1])]
    )
    codes = heard[:, None, :-1].repeat(1, 2, 1)
    played = codes.clone()
    chords = torch.from_numpy(plan.chords)
    home = torch.tensor([genre])
    register = _registers(past, plan)
    for block in range(past.blocks, count):
        noise = variation * torch.randn(2, heard.shape[1] - 1, generator=generator)
        source = int(plan.source[block])
        if source >= 0 and heard[source, -1] > 0 and not inventor.is_published:
            heard[block], codes[block], played[block], quick[block] = (
                heard[source],
                codes[source],
                played[source],
                quick[source],
            )
            continue
        if block == past.blocks and past.begun_latent is not None:
            heard[block] = torch.cat([past.begun_latent, torch.ones(1)])
            played[block] = past.begun_latent + PLAYED * noise[1]
            quick[block] = False
            continue
        quick[block] &= not inventor.is_published
        final = block == count - 1 and block > 0
        before = None
        if block and heard[block - 1, -1] > 0:
            before = (
                codes[block - 1, 1].clone()
                if quick[block] and quick[block - 1]
                else heard[block - 1, :-1].clone()
            )
        step = (
            "last"
            if final
            else "first"
            if block == 0 or plan.opens[block] or before is None
            else "middle"
        )
        ends, begins = CLOSE * plan.closes[block], OPEN * (step == "first")
        at = melody_context(torch.tensor([block]), torch.tensor([count]), heard, chords, home)
        for half in range(1 + quick[block]):
            if half:
                step, before, begins = "middle", codes[block, 0].clone(), 0.0
                noise = variation * torch.randn(2, heard.shape[1] - 1, generator=generator)
            if quick[block]:
                following = (
                    stretched(plan.chords[block], 1)
                    if not half
                    else stretched(plan.chords[min(block + 1, count - 1)], 0)
                )
                at.plan = torch.from_numpy(
                    np.stack([stretched(plan.chords[block], half), following])
                )[None]
            apart = None
            if before is not None:
                at.previous = torch.cat([before + noise[0], torch.ones(1)])[None]
                alike = half or quick[block] == quick[block - 1]
                apart = (
                    (before, CONTRAST)
                    if step == "first"
                    else (before, -LIKENESS)
                    if alike
                    else None
                )
            if step == "first":
                at.previous = harmony.forget(at.previous, torch.ones(1, dtype=torch.bool))
            busier = QUICK_BUSIER if quick[block] else 0.0
            codes[block, half] = inventor.choose(
                step, at, generator, ends, begins, register[block], apart, busier
            )
            played[block, half] = (
                codes[block, half] + (0.0 if inventor.is_published else PLAYED) * noise[1]
            )
        heard[block] = torch.cat([codes[block, 0], torch.ones(1)])
        if quick[block]:
            here = slice(block, block + 1)
            planes, _ = decode(model, codes[here], plan.chords[here], quick[here])
            heard[block] = model.encode(
                MELODY, torch.from_numpy(planes).to(model.device), chords[here].to(model.device)
            )[0].cpu()
    quick[(plan.source >= 0) & (plan.source < past.blocks)] = (
        False  # what was given is one latent, in its own time
    )
    return played


def _registers(past: Past, plan: Plan) -> np.ndarray:
    """[B] about which pitch each block lies: that of what was given, else CENTRE; other sections than the first are higher."""
    struck = np.nonzero(past.planes[:, 0])[2]
    centre = float(np.clip(struck.mean(), CENTRE - 4, CENTRE + 4)) if len(struck) else CENTRE
    return centre + HIGHER * ~plan.home
