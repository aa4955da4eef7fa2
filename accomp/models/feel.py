"""The feel of a genre's players: velocities, and offsets from the grid.

Learned per genre and instrument. Not part of the published method (Tham & Kim 2021), which has no
velocities. Notes are [n, 3] int arrays of pitch, first step and end step; offsets and times between
steps are in steps, that is sixteenths of four-beat bars.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from accomp.models.note_features import FEATURES, note_features, with_genre
from accomp.models.swing import MelodyTiming, SwingSettings, melody_swing, swing_offsets
from accomp.music.percussion import keys_of
from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, DRUMS, MELODY, STEPS_PER_BEAT, TRACKS, Grid

NOTHING = np.zeros(0)


@dataclass
class FeelConfig:
    """What a Feel is made of and how strongly it plays.

    Attributes:
        genres: Those that the network and the statistics know.
        genre: The one to play; one that is not known plays with the statistics of all.
        width: Of the network's hidden layers.
        dynamics: Factor of the learned deviations of loudness.
        looseness: Factor of the learned deviations of time.
    """

    genres: list[str] = field(default_factory=list)
    genre: str = ""
    width: int = 32
    dynamics: float = 1.0
    looseness: float = 1.0

    @property
    def slot(self) -> int:
        """Index of the genre's statistics; the last one is that of all genres."""
        return self.genres.index(self.genre) if self.genre in self.genres else len(self.genres)


@dataclass(frozen=True)
class FeelSettings:
    """Limits of loudness and time. Unless said otherwise, steps."""

    velocities: tuple[int, int] = (12, 124)  # softest and loudest velocity
    # How loud the band can be beside the genre's mean, by the melody's mean velocity.
    loudness: tuple[float, float] = (0.6, 1.25)
    memory: float = 2 * BAR_STEPS  # after it slow changes of loudness are forgotten to 1/e
    # 25 ms at 120 bpm. With SwingSettings.most it keeps every strike in its order.
    most_micro: float = 0.2
    most_jitter: float = 2.5  # standard deviations
    kick_jitter: float = 0.5  # factor beside the kit's: the kick keeps the time
    piece_jitter: float = 0.01  # by which pieces of the kit struck together differ
    swing: SwingSettings = SwingSettings()


class Feel(nn.Module):
    """A network for velocities, and statistics of each genre and of all.

    Attributes:
        config: What it is made of.
        settings: Limits of loudness and time.
        level, deviation: [genres + 1, tracks] mean velocity and its deviation within a song.
        position_mean: [genres + 1, tracks, 16] mean velocity at each sixteenth of a bar.
        slow, shared: [tracks] of the variance that the network leaves open: the share that changes
            slowly, and the share that notes struck together have in common beside it.
        swing: [genres + 1] steps by which off-beat eighths are late where the genre swings.
        swing_share: [genres + 1] share of its songs that swing.
        delay: [genres + 1, tracks, 4] how late each track is at each step of a beat.
        jitter: [genres + 1, tracks] how unsteady each track is.
    """

    level: Tensor
    deviation: Tensor
    position_mean: Tensor
    slow: Tensor
    shared: Tensor
    swing: Tensor
    swing_share: Tensor
    delay: Tensor
    jitter: Tensor

    def __init__(self, config: FeelConfig, settings: FeelSettings = FeelSettings()):
        super().__init__()
        self.config, self.settings = config, settings
        slots, tracks = len(config.genres) + 1, len(TRACKS)
        width = config.width
        first = nn.Linear(FEATURES + len(config.genres), width)
        hidden, last = nn.Linear(width, width), nn.Linear(width, 2)
        self.network = nn.Sequential(first, nn.SiLU(), hidden, nn.SiLU(), last)
        nn.init.zeros_(last.weight)  # untrained, it expects each track's level
        nn.init.zeros_(last.bias)
        self.register_buffer("level", torch.full((slots, tracks), 80.0))
        self.register_buffer("deviation", torch.full((slots, tracks), 10.0))
        self.register_buffer("position_mean", torch.full((slots, tracks, BAR_STEPS), 80.0))
        self.register_buffer("slow", torch.full((tracks,), 0.3))
        self.register_buffer("shared", torch.full((tracks,), 0.3))
        self.register_buffer("swing", torch.zeros(slots))
        self.register_buffer("swing_share", torch.zeros(slots))
        self.register_buffer("delay", torch.zeros(slots, tracks, STEPS_PER_BEAT))
        self.register_buffer("jitter", torch.full((slots, tracks), 0.05))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and spread of velocities, in deviations from the track's level.

        Args:
            rows: [n, FEATURES + genres] of `note_features` and `with_genre`.

        Returns:
            [n] each.
        """
        mean, spread = self.network(rows).unbind(-1)
        return mean, 0.1 + nn.functional.softplus(spread)

    def plain_velocities(self, notes: np.ndarray, track: int, melody: MelodyTiming) -> np.ndarray:
        """Return velocities without feel: the genre's mean at each note's sixteenth.

        They follow the melody's loudness.

        Args:
            notes: [n, 3].
            track: Index in TRACKS.
            melody: On the same grid.

        Returns:
            [n] int.
        """
        mean = self.position_mean[self.config.slot, track].cpu().numpy()[notes[:, 1] % BAR_STEPS]
        return self._as_velocity(mean * self._loudness(melody))

    @torch.no_grad()
    def velocities(
        self,
        notes: np.ndarray,
        track: int,
        melody: MelodyTiming,
        random: np.random.Generator,
        by_block: np.ndarray = NOTHING,
    ) -> np.ndarray:
        """Draw the velocities of a track's notes.

        Args:
            notes: [n, 3] in any order.
            track: Index in TRACKS.
            melody: On the same grid.
            random: Decides what the network leaves open.
            by_block: [B] velocity by which the band is louder in each block, instead of each
                player's slow drift: players of real songs swell together.

        Returns:
            [n] int.
        """
        slot, order = self.config.slot, np.lexsort((notes[:, 0], notes[:, 1]))
        if not len(notes):
            return np.zeros(0, int)
        rows = note_features(notes[order], track, melody)
        rows = torch.from_numpy(with_genre(rows, slot, len(self.config.genres)))
        mean, spread = (part.cpu().numpy() for part in self(rows.to(self.level.device)))
        slow, shared = float(self.slow[track]) * (not len(by_block)), float(self.shared[track])
        drawn = noise(notes[order, 1], slow, shared, random, self.settings.memory)
        dynamics = mean + spread * drawn
        level = self.level[slot, track].item() * self._loudness(melody)
        result = np.zeros(len(notes), int)
        louder = (
            by_block[np.minimum(notes[order, 1] // BLOCK_STEPS, len(by_block) - 1)]
            if len(by_block)
            else 0.0
        )
        result[order] = self._as_velocity(
            level + louder + self.config.dynamics * self.deviation[slot, track].item() * dynamics
        )
        return result

    def offsets(
        self, notes: np.ndarray, track: int, melody: MelodyTiming, random: np.random.Generator
    ) -> np.ndarray:
        """Draw how many steps after its grid step each of a track's notes is struck.

        Strikes keep their order, and none comes before the grid's first step.

        Args:
            notes: [n, 3].
            track: Index in TRACKS.
            melody: On the same grid.
            random: Decides the jitter.

        Returns:
            [n] float.
        """
        if not len(notes):
            return np.zeros(0)
        slot, settings = self.config.slot, self.settings
        steps, strike = np.unique(notes[:, 1], return_inverse=True)
        micro = self._jitter_of(notes, track, steps, strike, random)
        late = (
            self.config.looseness
            * self.delay[slot, track].cpu().numpy()[notes[:, 1] % STEPS_PER_BEAT]
        )
        micro = np.clip(late + micro, -settings.most_micro, settings.most_micro)
        least = settings.swing.least
        sixteenths = melody.step[(melody.step % STEPS_PER_BEAT == 3) & (melody.offset > -least)]
        genre_swings = bool(self.swing[slot] >= least)
        swing = self.swing_of(melody, track)
        swung = swing_offsets(steps, swing, genre_swings, sixteenths, settings.swing)
        swung = swung * melody.even[steps]
        return np.maximum(swung[strike] + micro, -notes[:, 1])

    def _jitter_of(
        self,
        notes: np.ndarray,
        track: int,
        steps: np.ndarray,
        strike: np.ndarray,
        random: np.random.Generator,
    ) -> np.ndarray:
        """Draw the unsteadiness of a track's notes.

        Args:
            notes: [n, 3].
            track: Index in TRACKS.
            steps: [s] the different steps on which it strikes, rising.
            strike: [n] index of each note's step among them.
            random: Decides.

        Returns:
            [n] steps.
        """
        settings, looseness = self.settings, self.config.looseness
        jitter = looseness * self.jitter[self.config.slot, track].item()
        drawn = noise(steps, 0.5, 0.0, random, settings.memory)
        micro = jitter * np.clip(drawn, -settings.most_jitter, settings.most_jitter)[strike]
        if track != DRUMS:
            return micro
        kick = np.isin(notes[:, 0], keys_of("kick"))
        with_kick = np.isin(strike, strike[kick])
        apart = settings.piece_jitter * looseness * random.uniform(-1, 1, len(notes)) * ~kick
        return np.where(with_kick, settings.kick_jitter, 1.0) * micro + apart

    def swing_of(self, melody: MelodyTiming, track: int) -> float:
        """Return how late a track's off-beat eighths are, in steps.

        They are as late as the melody's, or by the genre where the melody has few. Drums swing as
        the genre does under a straight melody too: at slow and medium tempi drummers swing more
        than their soloists (Friberg & Sundstrom 2002, "Swing ratios and ensemble timing in jazz
        performance").
        """
        own = melody_swing(melody, self.settings.swing)
        genre = self.swing[self.config.slot].item()
        swing = genre if own is None or (own <= 0 and track == DRUMS) else own
        return float(np.clip(swing, 0, self.settings.swing.most))

    def _loudness(self, melody: MelodyTiming) -> float:
        """Return the melody's loudness relative to the genre's."""
        if not len(melody.velocity):
            return 1.0
        usual = self.level[self.config.slot, MELODY].item()
        return float(np.clip(melody.velocity.mean() / usual, *self.settings.loudness))

    def _as_velocity(self, values: np.ndarray) -> np.ndarray:
        return np.clip(np.round(values), *self.settings.velocities).astype(int)


def noise(
    steps: np.ndarray,
    slow: float,
    shared: float,
    random: np.random.Generator,
    memory: float = FeelSettings.memory,
) -> np.ndarray:
    """Draw noise of unit variance for notes.

    Args:
        steps: [n] rising.
        slow: Share of the variance that changes slowly with time.
        shared: Share that is common to the notes of a step; the rest is each note's own.
        random: Decides.
        memory: Steps after which slow changes are forgotten to 1/e.

    Returns:
        [n].
    """
    if not len(steps):
        return np.zeros(0)
    strikes, strike = np.unique(steps, return_inverse=True)
    slow = float(np.clip(slow, 0, 1))
    shared = float(np.clip(shared, 0, 1 - slow))
    keep = np.exp(-np.diff(strikes, prepend=strikes[0]) / memory)
    fresh = random.standard_normal(len(strikes)) * np.sqrt(1 - keep**2)
    drift = np.empty(len(strikes))
    state = random.standard_normal()
    for i in range(len(strikes)):
        drift[i] = state = keep[i] * state + fresh[i]
    common = np.sqrt(slow) * drift + np.sqrt(shared) * random.standard_normal(len(strikes))
    return common[strike] + np.sqrt(max(1 - slow - shared, 0)) * random.standard_normal(len(steps))


def played_times(notes: np.ndarray, offsets: np.ndarray, grid: Grid) -> np.ndarray:
    """Return when notes begin and end once they are moved off the grid.

    A note that ends where another begins still does. No note loses its duration or sounds into the
    next of its pitch.

    Args:
        notes: [n, 3].
        offsets: [n] steps.
        grid: The steps in beats.

    Returns:
        [n, 2] onset and end in beats.
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
