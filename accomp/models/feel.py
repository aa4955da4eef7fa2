"""Feel: how loud each note of the band is and how far from the grid it is struck, learned per genre and instrument.

Not part of the published method (Tham & Kim 2021), which has no velocities. Notes are [n, 3] int arrays of pitch, first step
and end step; offsets and times between steps are in steps, that is sixteenths of four-beat bars.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from accomp.music.percussion import KINDS, keys_of
from accomp.music.score import Note
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, DRUMS, MELODY, STEPS_PER_BEAT, TRACKS, Grid

PHRASE_BARS = 8
LONG = 32  # steps; longer notes and gaps are like this one
NEAR = (
    BAR_STEPS / 2
)  # steps; standard deviation of the window in which the melody's loudness is heard
LOUDNESS_UNIT = 16.0  # velocity
QUIETEST, LOUDEST = 12, 124
NOTHING = np.zeros(0)
MEMORY = 2 * BAR_STEPS  # steps after which slow changes of loudness are forgotten to 1/e

MOST_SWING = 0.8  # steps; 2/3 is a triplet
LEAST_SWING = 0.15  # less is straight
FEW_EIGHTHS = 4  # a melody with fewer off-beat eighths doesn't say whether it swings
OFF_BEAT = (
    1.6,
    3.2,
)  # where in a beat a swung eighth may lie; what lies on the step 3 itself is a sixteenth
SIXTEENTH = 2.9
MOST_MICRO = 0.2  # steps; 25 ms at 120 bpm. With MOST_SWING it keeps every strike in its order
KICK_JITTER = 0.5  # of the kit's: it keeps the time
PIECE_JITTER = 0.01  # steps by which pieces of the kit struck together differ

FEATURES = BAR_STEPS + PHRASE_BARS + len(TRACKS) + len(KINDS) + 1 + 9


@dataclass
class FeelConfig:
    genres: list[str] = field(default_factory=list)  # that the network and the statistics know
    genre: str = ""  # the one to play; one that is not among them plays with the statistics of all
    width: int = 32
    dynamics: float = 1.0  # of the learned deviations of loudness
    looseness: float = 1.0  # of the learned deviations of time

    @property
    def slot(self) -> int:
        """Of the genre's statistics; the last one is that of all genres."""
        return self.genres.index(self.genre) if self.genre in self.genres else len(self.genres)


@dataclass
class MelodyTiming:
    """What the band hears of a melody of m notes on a grid of S steps: step [m] int, offset [m] steps, velocity [m], and
    even [S] bool, whether a step is one of a beat's four equal ones, which alone can swing.
    """

    step: np.ndarray
    offset: np.ndarray
    velocity: np.ndarray
    even: np.ndarray

    @classmethod
    def of(cls, line: list[Note], grid: Grid) -> "MelodyTiming":
        onset = np.array([note.onset for note in line], float)
        velocity = np.array([note.velocity for note in line], float)
        step = np.minimum(grid.nearest_step(onset).astype(int), grid.steps - 1)
        widths = np.diff(grid.beats).reshape(-1, STEPS_PER_BEAT)
        even = np.isclose(widths, 1 / STEPS_PER_BEAT).all(1).repeat(STEPS_PER_BEAT)
        return cls(step, (onset - grid.beats[step]) * STEPS_PER_BEAT, velocity, even)


class Feel(nn.Module):
    """A network for the velocities of single notes, and statistics of each genre and of all, [genres + 1, ...]."""

    def __init__(self, config: FeelConfig):
        super().__init__()
        self.config = config
        slots, tracks = len(config.genres) + 1, len(TRACKS)
        self.network = nn.Sequential(
            nn.Linear(FEATURES + len(config.genres), config.width),
            nn.SiLU(),
            nn.Linear(config.width, config.width),
            nn.SiLU(),
            nn.Linear(config.width, 2),
        )
        nn.init.zeros_(self.network[-1].weight)  # untrained, it expects each track's level
        nn.init.zeros_(self.network[-1].bias)
        # Velocities: mean of each track, its deviation within a song, and its mean at each sixteenth of a bar.
        self.register_buffer("level", torch.full((slots, tracks), 80.0))
        self.register_buffer("deviation", torch.full((slots, tracks), 10.0))
        self.register_buffer("position_mean", torch.full((slots, tracks, BAR_STEPS), 80.0))
        # Of the variance that the network leaves open: what changes slowly, and what notes struck together share beside it.
        self.register_buffer("slow", torch.full((tracks,), 0.3))
        self.register_buffer("shared", torch.full((tracks,), 0.3))
        # Times in steps: of the off-beat eighth where the genre swings; share of its songs that do; how late each track is
        # at each step of a beat, and how unsteady.
        self.register_buffer("swing", torch.zeros(slots))
        self.register_buffer("swing_share", torch.zeros(slots))
        self.register_buffer("delay", torch.zeros(slots, tracks, STEPS_PER_BEAT))
        self.register_buffer("jitter", torch.full((slots, tracks), 0.05))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and spread [n] of the velocities of notes from `features` and genre [n, FEATURES + genres], in deviations from
        the track's level.
        """
        mean, spread = self.network(rows).unbind(-1)
        return mean, 0.1 + nn.functional.softplus(spread)

    def plain_velocities(self, notes: np.ndarray, track: int, tune: MelodyTiming) -> np.ndarray:
        """[n] int velocities without feel: the genre's mean at each note's sixteenth, at the melody's loudness."""
        mean = self.position_mean[self.config.slot, track].cpu().numpy()[notes[:, 1] % BAR_STEPS]
        return _as_velocity(mean * self._loudness(tune))

    @torch.no_grad()
    def velocities(
        self,
        notes: np.ndarray,
        track: int,
        tune: MelodyTiming,
        random: np.random.Generator,
        by_block: np.ndarray = NOTHING,
    ) -> np.ndarray:
        """[n] int velocities of a track's notes [n, 3], in any order. by_block: [B] velocity by which the band is louder in each
        block (Form.dynamics), instead of each player's slow drift: players of real songs swell together.
        """
        slot, order = self.config.slot, np.lexsort((notes[:, 0], notes[:, 1]))
        if not len(notes):
            return np.zeros(0, int)
        rows = with_genre(note_features(notes[order], track, tune), slot, len(self.config.genres))
        mean, spread = (
            part.cpu().numpy() for part in self(torch.from_numpy(rows).to(self.level.device))
        )
        slow, shared = float(self.slow[track]) * (not len(by_block)), float(self.shared[track])
        dynamics = mean + spread * noise(notes[order, 1], slow, shared, random)
        level = self.level[slot, track].item() * self._loudness(tune)
        result = np.zeros(len(notes), int)
        louder = (
            by_block[np.minimum(notes[order, 1] // BLOCK_STEPS, len(by_block) - 1)]
            if len(by_block)
            else 0.0
        )
        result[order] = _as_velocity(
            level + louder + self.config.dynamics * self.deviation[slot, track].item() * dynamics
        )
        return result

    def offsets(
        self, notes: np.ndarray, track: int, tune: MelodyTiming, random: np.random.Generator
    ) -> np.ndarray:
        """[n] float: how many steps after its grid step each of a track's notes [n, 3] is struck. Strikes keep their order,
        and none comes before the grid's first step.
        """
        if not len(notes):
            return np.zeros(0)
        slot = self.config.slot
        steps, strike = np.unique(notes[:, 1], return_inverse=True)
        jitter = self.config.looseness * self.jitter[slot, track].item()
        micro = jitter * np.clip(noise(steps, 0.5, 0.0, random), -2.5, 2.5)[strike]
        if track == DRUMS:
            kick = np.isin(notes[:, 0], keys_of("kick"))
            micro = np.where(np.isin(strike, strike[kick]), KICK_JITTER, 1.0) * micro
            micro = (
                micro
                + PIECE_JITTER * self.config.looseness * random.uniform(-1, 1, len(notes)) * ~kick
            )
        late = (
            self.config.looseness
            * self.delay[slot, track].cpu().numpy()[notes[:, 1] % STEPS_PER_BEAT]
        )
        micro = np.clip(late + micro, -MOST_MICRO, MOST_MICRO)
        sixteenths = tune.step[(tune.step % STEPS_PER_BEAT == 3) & (tune.offset > -LEAST_SWING)]
        genre_swings = bool(self.swing[slot] >= LEAST_SWING)
        swung = (
            swing_offsets(steps, self.swing_of(tune, track), genre_swings, sixteenths)
            * tune.even[steps]
        )
        return np.maximum(swung[strike] + micro, -notes[:, 1])

    def swing_of(self, tune: MelodyTiming, track: int) -> float:
        """How late off-beat eighths are, in steps: as the melody's are; by the genre where it has but few. Drums swing as
        the genre does under a straight melody too, as at slow and medium tempi drummers swing more than their soloists (Friberg &
        Sundstrom 2002, "Swing ratios and ensemble timing in jazz performance").
        """
        own, genre = melody_swing(tune), self.swing[self.config.slot].item()
        follows = own is not None and (own > 0 or track != DRUMS)
        return float(np.clip(own if follows else genre, 0, MOST_SWING))

    def _loudness(self, tune: MelodyTiming) -> float:
        """Of the melody, relative to the genre's."""
        if not len(tune.velocity):
            return 1.0
        return float(
            np.clip(tune.velocity.mean() / self.level[self.config.slot, MELODY].item(), 0.6, 1.25)
        )


def note_features(notes: np.ndarray, track: int, tune: MelodyTiming) -> np.ndarray:
    """[n, FEATURES] float32 of a track's notes, sorted by step and pitch."""
    pitch, step, end = notes.T
    steps, strike, together = np.unique(step, return_inverse=True, return_counts=True)
    gap = np.diff(steps, prepend=steps[0] - LONG, append=steps[-1] + LONG)
    lowest, highest = np.append(True, np.diff(strike) > 0), np.append(np.diff(strike) > 0, True)
    kinds = np.zeros((len(notes), len(KINDS) + 1))
    if track == DRUMS:
        kinds[np.arange(len(notes)), drum_class(pitch)] = 1
    register = np.zeros(len(notes)) if track == DRUMS else (pitch - np.median(pitch)) / 12
    columns = [
        np.clip(register, -2, 2),
        np.log2(together[strike]) / 2,
        lowest,
        highest,
        _length(gap[:-1])[strike],
        _length(gap[1:])[strike],
        _length(end - step),
        local_loudness(tune, steps)[strike],
        np.isin(steps, tune.step)[strike],
    ]
    places = (
        np.eye(BAR_STEPS)[step % BAR_STEPS],
        np.eye(PHRASE_BARS)[step // BAR_STEPS % PHRASE_BARS],
    )
    instrument = np.eye(len(TRACKS))[np.full(len(notes), track)]
    return np.concatenate([*places, instrument, kinds, np.stack(columns, 1)], 1).astype(np.float32)


def with_genre(rows: np.ndarray, genre: int, genres: int) -> np.ndarray:
    """Features [n, FEATURES] and which of `genres` genres it is; none of them where `genre` is their number."""
    one_hot = np.zeros((len(rows), genres), np.float32)
    one_hot[:, genre : genre + 1] = 1
    return np.concatenate([rows, one_hot], 1)


def drum_class(pitches: np.ndarray) -> np.ndarray:
    """[n] index into percussion.KINDS; their number for all other drums."""
    by_pitch = np.full(128, len(KINDS))
    for index, kind in enumerate(KINDS):
        by_pitch[list(keys_of(kind))] = index
    return by_pitch[pitches]


def local_loudness(tune: MelodyTiming, steps: np.ndarray) -> np.ndarray:
    """How much louder than on average the melody is around each of the rising `steps`: mean velocity of the notes in a
    Gaussian window, 0 where it has long been silent; in LOUDNESS_UNIT.
    """
    if not len(tune.step):
        return np.zeros(len(steps))
    first = min(int(steps[0]), int(tune.step.min()))
    length = max(int(steps[-1]), int(tune.step.max())) - first + 1
    louder = np.bincount(tune.step - first, tune.velocity - tune.velocity.mean(), length)
    count = np.bincount(tune.step - first, minlength=length).astype(float)
    reach = int(3 * NEAR)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / NEAR) ** 2)
    louder, count = (np.convolve(part, window)[reach : reach + length] for part in (louder, count))
    # A single far note says little.
    return np.clip(louder / (count + 0.5) / LOUDNESS_UNIT, -2, 2)[steps - first]


def noise(steps: np.ndarray, slow: float, shared: float, random: np.random.Generator) -> np.ndarray:
    """[n] of unit variance for notes on the rising `steps`: the share `slow` of it changes slowly with time, the share
    `shared` is common to the notes of a step, the rest is each note's own.
    """
    if not len(steps):
        return np.zeros(0)
    strikes, strike = np.unique(steps, return_inverse=True)
    slow = float(np.clip(slow, 0, 1))
    shared = float(np.clip(shared, 0, 1 - slow))
    keep = np.exp(-np.diff(strikes, prepend=strikes[0]) / MEMORY)
    fresh = random.standard_normal(len(strikes)) * np.sqrt(1 - keep**2)
    drift = np.empty(len(strikes))
    state = random.standard_normal()
    for i in range(len(strikes)):
        drift[i] = state = keep[i] * state + fresh[i]
    common = np.sqrt(slow) * drift + np.sqrt(shared) * random.standard_normal(len(strikes))
    return common[strike] + np.sqrt(max(1 - slow - shared, 0)) * random.standard_normal(len(steps))


def melody_swing(tune: MelodyTiming) -> float | None:
    """How late the melody's off-beat eighths are, in steps; 0 where most of them are straight, None where it has few."""
    heard = tune.even[tune.step]
    swing, share, count = swing_in(tune.step[heard], tune.offset[heard])
    if count < FEW_EIGHTHS:
        return None
    return swing if share > 0.5 else 0.0


def swing_in(step: np.ndarray, offset: np.ndarray) -> tuple[float, float, int]:
    """Of notes [n] by step and offset from it: how late off-beat eighths that are late are (mean, steps; 0 if there are
    none), their share of all off-beat eighths, and the number of these. A triplet's last eighth is nearest to the step 3.
    """
    on_beat = offset[step % STEPS_PER_BEAT == 0]
    behind = float(np.median(on_beat)) if len(on_beat) >= FEW_EIGHTHS else 0.0
    place = step % STEPS_PER_BEAT + offset - behind
    within = (place > OFF_BEAT[0]) & (place < OFF_BEAT[1])
    # A beat with notes both on the eighth and on the sixteenth after it is one of sixteenths, and says nothing of eighths.
    beat = step // STEPS_PER_BEAT
    both = np.intersect1d(
        beat[within & (np.abs(place - 2) < LEAST_SWING)], beat[within & (place >= SIXTEENTH)]
    )
    place = place[within & (place < SIXTEENTH) & ~np.isin(beat, both)] - 2
    late = place[place >= LEAST_SWING]
    return (float(late.mean()) if len(late) else 0.0), len(late) / max(len(place), 1), len(place)


def swing_offsets(
    steps: np.ndarray, swing: float, genre_swings: bool, sixteenths: np.ndarray
) -> np.ndarray:
    """[n] offsets of the strikes on the different, rising `steps` of one track when off-beat eighths are `swing` steps late.

    Where a genre swings or the melody does, a strike on step 3 of a beat without one on step 2 is an off-beat eighth too:
    triplets lie nearest to step 3, and so the models learned them. It sounds where the melody has its eighths, save on
    the steps `sixteenths`, on which the melody plays a sixteenth.
    """
    swings = swing >= LEAST_SWING
    place = steps % STEPS_PER_BEAT
    if not swings and not genre_swings:
        return np.zeros(len(steps))
    lone = (place == 3) & ~np.isin(steps - 1, steps) & ~np.isin(steps, sixteenths)
    late = swing / 2 * ~np.isin(steps, sixteenths)
    return np.select([lone, place == 2, place % 2 == 1], [swing - 1, swing, late], 0.0)


def played_times(notes: np.ndarray, offsets: np.ndarray, grid: Grid) -> np.ndarray:
    """[n, 2] onset and end in beats of a track's notes [n, 3] struck `offsets` [n] steps off the grid. A note that ends where
    another begins still does; no note loses its duration or sounds into the next of its pitch.
    """
    if not len(notes):
        return np.zeros((0, 2))
    pitch, start, end = notes.T
    strikes, first = np.unique(start, return_index=True)
    moved = dict(zip(strikes.tolist(), offsets[first].tolist()))
    end_offset = np.array([moved.get(int(e), o) for e, o in zip(end, offsets)])
    onsets = np.maximum(grid.beats[start] + offsets / STEPS_PER_BEAT, grid.beats[0])
    ends = grid.beats[end] + end_offset / STEPS_PER_BEAT
    order = np.lexsort((start, pitch))
    again = np.append(pitch[order][1:] == pitch[order][:-1], False)
    following = np.append(onsets[order][1:], np.inf)
    ends[order] = np.where(again, np.minimum(ends[order], following), ends[order])
    return np.stack([onsets, ends], 1)


def _length(steps: np.ndarray) -> np.ndarray:
    return np.log2(1 + np.minimum(steps, LONG)) / np.log2(1 + LONG)


def _as_velocity(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), QUIETEST, LOUDEST).astype(int)
