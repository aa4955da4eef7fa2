"""Compose a melody: plan it, choose a latent for each new block, decode, give pitches.

The plan is accomp.invention.plan's, the latents are the MelodyNN's (accomp.models.melody_nn), and
the pitches are accomp.invention.pitch_line's.
The VAE plays sixteenths badly, so no code of the MelodyNN has many. A slow melody that moves in
sixteenths, as half of real ones do, is made of "quick" blocks: four bars of playing, of two
latents, in the time of two.
Letters: B blocks, of which P are there already, H half bars of a block (4), Z latent size.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from accomp.invention import pitch_line
from accomp.invention.pitch_line import PitchLineSettings
from accomp.invention.plan import MelodyPlan, MelodyPlanSettings, Past, make_plan
from accomp.models import harmony_nn, progressions
from accomp.models.band_model import BandModel
from accomp.models.melody_nn import MelodyNN, MelodyWish, melody_context
from accomp.roll import pianoroll
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, HALF_BAR_STEPS, MELODY


@dataclass(frozen=True)
class SixteenthsSettings:
    """When a melody moves in sixteenths."""

    often: float = 0.5  # share of slow melodies that do, where no genre's habit is known
    up_to: float = 120.0  # beats a minute; a faster melody never does
    # A given melody does if this share of its notes is off the eighths, ...
    moving: float = 0.15
    # ... and of these at least this share on the second and on the fourth sixteenth of beats:
    # swung eighths have only the latter, and triplets only the former.
    each: float = 0.15
    fewest: int = 8  # notes that tell it


@dataclass(frozen=True)
class ComposeSettings:
    """How latents are chosen; preferences are in logits.

    `train melody_tuning` searched for these on validation songs.
    """

    close: float = 5.0  # for codes that end a phrase where one ends
    open: float = 3.0  # for codes that begin with a note where a section begins
    likeness: float = 8.0  # for patterns like the one before, within a section
    contrast: float = 6.0  # for patterns unlike the one before, in a new section
    quick_busier: float = -0.5  # for codes of more notes in quick blocks, per standard deviation
    centre: float = 65.0  # mean pitch in the normal key
    given_centre: float = 4.0  # semitones by which a given melody may move it
    higher: float = 2.5  # semitones that sections are higher which are not the first's return
    early: float = 0.5  # how often a phrase ends a bar early, and the band alone plays the last
    played: float = 0.25  # share of the noise that the latents keep when they are decoded
    tries: int = 20  # attempts to get a first note in the first half bar
    sixteenths: SixteenthsSettings = SixteenthsSettings()
    plan: MelodyPlanSettings = MelodyPlanSettings()
    pitch_line: PitchLineSettings = field(default_factory=PitchLineSettings)


SETTINGS = ComposeSettings()


@dataclass
class MelodyTask:
    """What melody is to be made.

    Attributes:
        past: what there is already.
        present: [steps] bool, which steps of the new blocks exist. The past has begun the first.
        minor: whether the key is minor.
        tempo: beats a minute.
        variation: standard deviation of the noise on the latents.
    """

    past: Past
    present: np.ndarray
    minor: bool
    tempo: float
    variation: float

    @property
    def steps(self) -> int:
        """The number of steps of the new blocks."""
        return len(self.present)


class MelodyStreams:
    """The random generators of a melody.

    Attributes:
        plan: draws plan, key and tempo.
        latents: draws latents and their noise.
    """

    def __init__(self, seed: int):
        self.plan = np.random.default_rng(seed)
        self.latents = torch.Generator().manual_seed(seed)


@torch.no_grad()
def compose(
    model: BandModel,
    inventor: MelodyNN,
    task: MelodyTask,
    streams: MelodyStreams,
    settings: ComposeSettings = SETTINGS,
) -> tuple[np.ndarray, MelodyPlan]:
    """Compose a melody.

    Args:
        model: the genre's networks, whose piano VAE decodes.
        inventor: the MelodyNN.
        task: what melody is to be made.
        streams: the random generators.
        settings: how it is made.

    Returns:
        Notes [n, 3] in the normal key, in steps from the first new block on; and the plan of past
        and new blocks.
    """
    past, genre = task.past, inventor.genre_index(model.config.genre)
    half_bars = -(-task.steps // HALF_BAR_STEPS)
    plan = make_plan(
        inventor.habits, past, half_bars, genre, task.minor, streams.plan, settings.plan
    )
    often = inventor.config.habit("sixteenths", model.config.genre, settings.sixteenths.often)
    moves = shall_move(past, task.tempo, often, streams.plan, settings.sixteenths)
    walk = _Walk(model, inventor, task, plan, genre, streams.latents, settings)
    new = slice(past.blocks, None)
    for _ in range(settings.tries):
        latents, quick = walk.choose(~plan.closes & moves)
        planes, onset = decode(model, latents[new], plan.chords[new], quick[new])
        if past.blocks or past.begun or planes[0, 0, :HALF_BAR_STEPS].any():
            break
    _restore_given(planes, onset, plan, past)
    times = _times(planes, plan, task, streams.plan, settings)
    tonic = progressions.TONIC[task.minor] % 12
    notes = pitch_line.give_pitches(
        times,
        onset.reshape(-1, onset.shape[-1]),
        plan.chords[new].reshape(-1),
        tonic,
        past.pitch,
        settings.pitch_line,
    )
    return notes, plan


def _restore_given(planes: np.ndarray, onset: np.ndarray, plan: MelodyPlan, past: Past) -> None:
    """Let what returns of a given melody return note for note, in place."""
    for block, source in enumerate(plan.source[past.blocks :]):
        at = past.blocks + block
        returns = 0 <= source < past.blocks and not plan.closes[at]
        if returns and (plan.chords[at] == plan.chords[source]).all():
            planes[block], onset[block] = past.planes[source], past.planes[source, 0]


def _times(
    planes: np.ndarray,
    plan: MelodyPlan,
    task: MelodyTask,
    random: np.random.Generator,
    settings: ComposeSettings,
) -> np.ndarray:
    """Return when the new notes begin and end, [n, 2] steps, with the phrases closed."""
    line, past, steps = settings.pitch_line, task.past, task.steps
    times = pitch_line.rhythm(pianoroll.from_blocks(planes), line)
    times = times[times[:, 0] < steps]
    times[:, 1] = np.minimum(times[:, 1], steps)
    last_bar = max(0, (steps - 1) // BAR_STEPS * BAR_STEPS)
    for block in np.flatnonzero(plan.closes[past.blocks :]):
        bar = int(block * BLOCK_STEPS + BAR_STEPS)
        if past.begun <= bar < last_bar:
            before = bar - BAR_STEPS
            touched = (times[:, 0] >= before) & (times[:, 0] <= before + line.last_close)
            if random.random() < settings.early and past.begun <= before and touched.any():
                times = times[(times[:, 0] < bar) | (times[:, 0] >= bar + BAR_STEPS)]
                bar = before
            times = pitch_line.close_phrase(times, bar, final=False, settings=line)
    times = pitch_line.close_phrase(times, last_bar, final=True, settings=line)
    times[:, 1] = np.minimum(times[:, 1], steps)
    exists = task.present[times[:, 0]]
    exists[-1] = True
    return times[exists & (times[:, 0] >= past.begun)]


def moves_in_sixteenths(
    struck: np.ndarray, settings: SixteenthsSettings = SixteenthsSettings()
) -> bool | None:
    """Return whether a melody moves in sixteenths; None where it has too few notes to tell.

    Args:
        struck: [..., beats of 4] bool, the steps on which it strikes.
        settings: what counts as moving.
    """
    if struck.sum() < settings.fewest:
        return None
    second, fourth = struck[..., 1::4].sum(), struck[..., 3::4].sum()
    is_moving = second + fourth > settings.moving * struck.sum()
    return bool(is_moving and min(second, fourth) > settings.each * (second + fourth))


def shall_move(
    past: Past,
    tempo: float,
    often: float,
    random: np.random.Generator,
    settings: SixteenthsSettings = SixteenthsSettings(),
) -> bool:
    """Decide whether a melody shall move in sixteenths.

    It does as the whole blocks that were given do; else by chance.

    Args:
        past: what was given.
        tempo: beats a minute.
        often: share of slow melodies that do.
        random: draws.
        settings: what counts as moving, and as slow.
    """
    drawn = random.random() < often
    moves = moves_in_sixteenths(np.asarray(past.planes[:, 0].any(-1)), settings)
    return bool(drawn and tempo <= settings.up_to) if moves is None else moves


def decode(
    model: BandModel, latents: Tensor, plan: np.ndarray, quick: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Decode latents under chords.

    Args:
        model: the networks whose piano VAE decodes.
        latents: [n, 2, Z]; the second is that of quick blocks.
        plan: [n, H] chords.
        quick: [n] bool. Quick blocks play both of their latents, each in one bar instead of two;
            others play the first.

    Returns:
        Planes [n, 2, 32, 128], and how likely each pitch is struck, [n, 32, 128].
    """
    vae = model.vae(MELODY)

    def play(latent: Tensor, chords: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = vae.decode(latent.to(model.device), torch.from_numpy(chords).to(model.device))
        return vae.binarise(found).cpu().numpy(), found[:, 0].cpu().numpy()

    planes, onset = play(latents[:, 0], plan)
    if quick.any():
        halves = [play(latents[quick, half], stretched(plan[quick], half)) for half in range(2)]
        planes[quick], onset[quick] = (_halved(both) for both in zip(*halves))
    return planes, onset


def _halved(both: tuple[np.ndarray, ...]) -> np.ndarray:
    """Join two blocks [..., 32, 128] to one at twice the speed."""
    bars = [np.maximum(rows[..., ::2, :], rows[..., 1::2, :]) for rows in both]
    return np.concatenate(bars, axis=-2)


def stretched(plan: np.ndarray, half: int) -> np.ndarray:
    """Return the chords [..., H] of one bar of a block as they are at half the speed."""
    return np.repeat(plan[..., 2 * half : 2 * half + 2], 2, axis=-1)


class _Walk:
    """Chooses the latents of a melody block by block."""

    def __init__(
        self,
        model: BandModel,
        inventor: MelodyNN,
        task: MelodyTask,
        plan: MelodyPlan,
        genre: int,
        generator: torch.Generator,
        settings: ComposeSettings,
    ):
        self.model, self.inventor, self.past, self.plan = model, inventor, task.past, plan
        self.variation, self.generator, self.settings = task.variation, generator, settings
        self.genre, self.chords = torch.tensor([genre]), torch.from_numpy(plan.chords)
        self.register = _registers(task.past, plan, settings)
        self.count, self.size = len(plan.chords), task.past.latents.shape[1] - 1
        # How much of the noise is played; all of it is input of the network.
        self.played_noise = 0.0 if inventor.is_published else settings.played

    def choose(self, quick: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """Choose the latents of past and new blocks.

        Args:
            quick: [B] bool, which blocks shall be quick.

        Returns:
            [B, 2, Z] latents to be decoded, with noise; the second is that of quick blocks. What
            returns has the noise that it had. And which blocks are quick: a block that returns is
            what it was.
        """
        past, count = self.past, self.count
        new = past.latents.new_zeros(count - past.blocks, self.size + 1)
        self.quick = quick.copy()
        self.inputs = torch.cat([past.latents, new])  # [B, Z + 1] what the network takes
        self.codes = self.inputs[:, None, :-1].repeat(1, 2, 1)  # [B, 2, Z] as they were chosen
        self.played = self.codes.clone()  # [B, 2, Z] with noise
        for block in range(past.blocks, count):
            self._choose_block(block)
        # What was given is one latent, in its own time.
        self.quick[(self.plan.source >= 0) & (self.plan.source < past.blocks)] = False
        return self.played, self.quick

    def _noise(self) -> Tensor:
        return self.variation * torch.randn(2, self.size, generator=self.generator)

    def _choose_block(self, block: int) -> None:
        noise = self._noise()
        source = int(self.plan.source[block])
        if source >= 0 and self.inputs[source, -1] > 0 and not self.inventor.is_published:
            for rows in (self.inputs, self.codes, self.played, self.quick):
                rows[block] = rows[source]
            return
        if block == self.past.blocks and self.past.begun_latent is not None:
            self.inputs[block] = torch.cat([self.past.begun_latent, torch.ones(1)])
            self.played[block] = self.past.begun_latent + self.settings.played * noise[1]
            self.quick[block] = False
            return
        self.quick[block] &= not self.inventor.is_published
        self._sample(block, noise)
        self.inputs[block] = torch.cat([self.codes[block, 0], torch.ones(1)])
        if self.quick[block]:
            self.inputs[block] = self._encoded(block)

    def _encoded(self, block: int) -> Tensor:
        """Encode what a quick block sounds like, [Z + 1]."""
        here, device = slice(block, block + 1), self.model.device
        planes, _ = decode(self.model, self.codes[here], self.plan.chords[here], self.quick[here])
        blocks = torch.from_numpy(planes).to(device)
        return self.model.encode(MELODY, blocks, self.chords[here].to(device))[0].cpu()

    def _sample(self, block: int, noise: Tensor) -> None:
        """Sample the code of a block, and the second one of a quick block."""
        settings, is_quick = self.settings, bool(self.quick[block])
        before = self._before(block)
        step = self._step(block, before)
        context = melody_context(
            torch.tensor([block]), torch.tensor([self.count]), self.inputs, self.chords, self.genre
        )
        for half in range(1 + is_quick):
            if half:
                step, before, noise = "middle", self.codes[block, 0].clone(), self._noise()
            if is_quick:
                context.plan = self._quick_chords(block, half)
            apart = None
            if before is not None:
                context.previous = torch.cat([before + noise[0], torch.ones(1)])[None]
                is_alike = half or is_quick == self.quick[block - 1]
                if step == "first":
                    apart = before, settings.contrast
                elif is_alike:
                    apart = before, -settings.likeness
            if step == "first":
                forgotten = torch.ones(1, dtype=torch.bool)
                context.previous = harmony_nn.forget(context.previous, forgotten)
            wish = MelodyWish(
                close=settings.close * self.plan.closes[block],
                open=settings.open * (step == "first" and not half),
                register=self.register[block],
                apart=apart,
                busier=settings.quick_busier if is_quick else 0.0,
            )
            chosen = self.inventor.choose(step, context, self.generator, wish)
            self.codes[block, half] = chosen
            self.played[block, half] = self.codes[block, half] + self.played_noise * noise[1]

    def _before(self, block: int) -> Tensor | None:
        """Return the latent [Z] before a block; None where nothing plays."""
        if not block or self.inputs[block - 1, -1] <= 0:
            return None
        if self.quick[block] and self.quick[block - 1]:
            return self.codes[block - 1, 1].clone()
        return self.inputs[block - 1, :-1].clone()

    def _step(self, block: int, before: Tensor | None) -> str:
        """Return which network plays: "first", "middle" or "last"."""
        if 0 < block == self.count - 1:
            return "last"
        return "first" if block == 0 or self.plan.opens[block] or before is None else "middle"

    def _quick_chords(self, block: int, half: int) -> Tensor:
        """Return the chords of half a quick block and of what follows, [1, 2, H]."""
        chords = self.plan.chords
        following = stretched(chords[block], 1)
        if half:
            following = stretched(chords[min(block + 1, self.count - 1)], 0)
        return torch.from_numpy(np.stack([stretched(chords[block], half), following]))[None]


def _registers(past: Past, plan: MelodyPlan, settings: ComposeSettings) -> np.ndarray:
    """Return about which pitch each block lies, [B]: that of what was given, else the centre.

    Other sections than the first one are higher.
    """
    struck, centre = np.nonzero(past.planes[:, 0])[2], settings.centre
    if len(struck):
        away = settings.given_centre
        centre = float(np.clip(struck.mean(), centre - away, centre + away))
    return centre + settings.higher * ~plan.home
