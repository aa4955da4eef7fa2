"""Prepare the melody: its track, top line, grid, key and register."""

from dataclasses import dataclass, replace

import numpy as np

from accomp.band.arrange import SETTINGS, ending_step
from accomp.music import keys
from accomp.music.key_sections import KeySection, key_sections
from accomp.music.key_signatures import key_of
from accomp.music.keys import Key
from accomp.music.melody_track import melody_index, skyline
from accomp.music.score import Bar, Note, Score, Track, whole_bars
from accomp.roll.grid import BLOCK_STEPS, Grid
from accomp.roll.parts import melody_planes


@dataclass
class Lead:
    """What the band knows of a melody before it plays.

    Attributes:
        index: of the melody's track in its score.
        track: the melody as it was given.
        line: its top line, one note at a time.
        grid: the steps of its bars.
        key: given, or of the key signature and the notes.
        shift: semitones of the melody above its normal key and octave.
        planes: [2, S, 128] uint8, the line in its normal key, as the models take it.
        first_whole_bar: its onset in beats; before it there is only a pickup.
        intro_steps: steps that the band plays before the melody's first bar.
        sections: where it changes its key for a while, from its first bar on; only one with `key`
            where it does not, or where the key was given.
    """

    index: int
    track: Track
    line: list[Note]
    grid: Grid
    key: Key
    shift: int
    planes: np.ndarray
    first_whole_bar: float = 0.0
    intro_steps: int = 0
    sections: tuple[KeySection, ...] = ()

    @classmethod
    def of(
        cls,
        score: Score,
        melody_track: int | None = None,
        intro_beats: float = 0.0,
        key: str | Key | None = None,
    ) -> "Lead":
        """Prepare the melody of a score.

        Args:
            score: a score with a melody.
            melody_track: index of the melody's track; None to choose the one most like a melody.
            intro_beats: how long before the melody's first bar the band begins.
            key: such as "A minor"; None to find it by the key signature and the notes.

        Raises:
            MusicError: there is no melody, or `key` is not a key.
        """
        index = melody_index(score, melody_track)
        track = score.tracks[index]
        line = skyline(track.notes)
        start = first_bar(score, track).onset - intro_beats if intro_beats else track.start
        grid = Grid.of(score, start, track.end)
        own = keys.parse_key(key) if isinstance(key, str) else key or key_of(score, line)
        shift = keys.shift_of(line, own)
        intro = 0
        if intro_beats:
            intro = int(np.searchsorted(grid.beats, grid.beats[0] + intro_beats - 1e-6))
        whole = whole_bars(score, track)
        sections = [KeySection(whole[0].onset, own)]
        if key is None:
            sections = key_sections(line, [bar.onset for bar in whole], own)
        planes = melody_planes(line, shift, grid)
        lead = cls(index, track, line, grid, own, shift, planes, whole[0].onset, intro)
        return replace(lead, sections=tuple(sections))

    @property
    def end(self) -> int:
        """The step on which the melody ends, exclusive."""
        start, end = (self.grid.nearest_step(beat) for beat in (self.track.start, self.track.end))
        return int(max(end, start + 1))

    @property
    def moved(self) -> np.ndarray:
        """How many semitones the key of each half bar's section lies above `key`, [H] int.

        A key and its relative minor are one.
        """
        return np.array([self._moved_at(beat) for beat in self.grid.half_bar_beats], int)

    @property
    def level_line(self) -> list[Note]:
        """The line as if it were in `key` throughout."""
        return [note._replace(pitch=note.pitch - self._moved_at(note.onset)) for note in self.line]

    def _moved_at(self, beat: float) -> int:
        """Return the semitones by which the key at a beat lies above `key`, the short way."""
        begun = [section for section in self.sections if section.onset <= beat + 1e-6]
        here = (begun[-1] if begun else self.sections[0]).key if self.sections else self.key
        return (keys.relative_major(here) - keys.relative_major(self.key) + 6) % 12 - 6

    @property
    def last_onset(self) -> int:
        """The step of the last note."""
        return int(self.grid.nearest_step(self.line[-1].onset))

    @property
    def final_step(self) -> int:
        """The step at which a band that ends with the melody strikes its last chord."""
        return ending_step(self.last_onset, self.end)

    @property
    def final_end(self) -> int:
        """The step up to which that chord rings: a short last note does not cut it off."""
        rung = min(self.final_step + SETTINGS.shortest_ending, self.grid.steps)
        return max(self.end, rung)

    @property
    def final_pitch(self) -> int:
        """The melody's lowest MIDI pitch while a band that ends with it holds its last chord."""
        start = self.grid.beats[self.final_step]
        lasting = [note.pitch for note in self.line if note.end > start + 1e-6]
        return min(lasting, default=self.line[-1].pitch)

    @property
    def first_block(self) -> int:
        """The block where phrases begin: after an introduction, or a block with only a pickup."""
        pickup = not self.grid.present[: BLOCK_STEPS // 2].any()
        introduced = -(-self.intro_steps // BLOCK_STEPS)
        return max(introduced, int(pickup)) if self.grid.blocks > 1 else 0


def first_bar(score: Score, track: Track) -> Bar:
    """Return the bar of a score in which a track begins."""
    bars = score.bars(track.start + 1e-3)
    return next(bar for bar in reversed(bars) if bar.onset <= track.start + 1e-6)
