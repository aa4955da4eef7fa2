"""The five parts of a song, in the normal key and register."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accomp.errors import MusicError
from accomp.music import keys
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.score import Note, Score, Track
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACKS, Grid
from accomp.roll.players import PlayerSettings, share_out

# The pitch to which `normal_register` brings a track's median, within half an octave.
CENTRE = {BASS: 37, GUITAR: 56, STRINGS: 63}


class Parts(NamedTuple):
    """The parts of a song.

    Attributes:
        notes: By track index; the melody is a single line.
        others: Notes that sound with them and belong to no part.
        programs: By track index, the program that plays most notes of the part.
    """

    notes: dict[int, list[Note]]
    others: list[Note]
    programs: dict[int, int]


@dataclass
class NormalParts:
    """The parts of a song, ready to be cut into blocks.

    Attributes:
        planes: [5, 2, S, 128] uint8 in the melody's normal key and register.
        plan: [H] chords that the song plays.
        notes: By track index, as the song has them.
        programs: By track index.
        grid: The steps of its bars.
        shift: Semitones of the song above the normal key.
    """

    planes: np.ndarray
    plan: np.ndarray
    notes: dict[int, list[Note]]
    programs: dict[int, int]
    grid: Grid
    shift: int


def split_parts(
    score: Score, melody: int | None = None, settings: PlayerSettings = PlayerSettings()
) -> Parts:
    """Share out the tracks of a song among the five parts.

    Drums play the drums; who plays guitar, bass and strings is chosen by what the tracks play
    (accomp.roll.players). All other pitched notes belong to no part.

    Args:
        score: The song.
        melody: The index of its track; by default chosen.
        settings: What makes a track worth a part.
    """
    melody = choose_melody(score) if melody is None else melody
    others = [track for index, track in enumerate(score.tracks) if index != melody]
    ensemble = share_out([track for track in others if not track.is_drum], settings)
    struck = [note for track in others if track.is_drum for note in track.notes]
    line = skyline(score.tracks[melody].notes)
    notes = {DRUMS: struck, MELODY: line, **ensemble.notes}
    return Parts(dict(sorted(notes.items())), ensemble.others, ensemble.programs)


def normal_parts(score: Score, chord_markers: bool = False) -> NormalParts:
    """Transpose the parts of a song to its normal key and register, on its grid.

    Args:
        score: The song.
        chord_markers: Whether its chords are those of its markers rather than those that its parts
            play.

    Raises:
        MusicError: There is no melody, or no chord.
    """
    parts = split_parts(score)
    notes = parts.notes
    if not notes[MELODY]:
        raise MusicError("the melody track has no notes")
    everything = [note for some in [*notes.values(), parts.others] for note in some]
    grid = Grid.of(
        score, min(note.onset for note in everything), max(note.end for note in everything)
    )
    shift = keys.shift_of(notes[MELODY])
    planes = np.stack(
        [part_planes(notes[track], track, shift, grid) for track in range(len(TRACKS))]
    )
    if chord_markers:
        line = Track(notes=notes[MELODY])
        symbols, _ = chord_plan.symbols_on_grid(score.chords, score, line, grid)
        plan = np.array([symbol.transposed(-shift).triad for symbol in symbols])
    else:
        chordal = (planes[GUITAR], planes[STRINGS], part_planes(parts.others, GUITAR, shift, grid))
        plan = chord_plan.arrangement_chords(
            np.sum([chord_plan.chroma(part) for part in chordal], axis=0),
            chord_plan.chroma(planes[BASS]),
            chord_plan.chroma(planes[MELODY]),
        )
    return NormalParts(planes, plan, notes, parts.programs, grid, shift)


def normal_register(median: float, track: int) -> int:
    """Return the octaves that bring a median pitch nearest to its track's centre.

    Returns:
        Semitones, a multiple of 12.
    """
    return -12 * round((median - CENTRE[track]) / 12)


def melody_planes(line: list[Note], shift: int, grid: Grid) -> np.ndarray:
    """Draw a monophonic melody in its normal key, folded into the melody's range.

    Args:
        line: One note at a time.
        shift: Semitones of the melody above its normal form.
        grid: The steps of its bars.

    Returns:
        Planes [2, S, 128].
    """
    notes = pianoroll.on_grid(line, grid)
    spec = TRACKS[MELODY]
    notes[:, 0] = keys.fold(notes[:, 0] - shift, spec.low, spec.high)
    return pianoroll.to_planes(notes, grid.steps)


def part_planes(notes: list[Note], track: int, shift: int, grid: Grid) -> np.ndarray:
    """Draw a part in the normal key and register.

    Args:
        notes: Of the part.
        track: Its index.
        shift: Semitones of the melody above its normal form.
        grid: The steps of the song's bars.

    Returns:
        Planes [2, S, 128].
    """
    if track == MELODY:
        return melody_planes(notes, shift, grid)
    rows = pianoroll.on_grid(notes, grid)
    rows[:, 0] = normal_pitches(rows[:, 0], track, shift)
    rows = rows[rows[:, 0] >= 0]
    if track == DRUMS:
        rows[:, 2] = rows[:, 1] + 1  # a drum is struck; how long its note is held says nothing
    return pianoroll.to_planes(rows, grid.steps)


def normal_pitches(pitches: np.ndarray, track: int, shift: int) -> np.ndarray:
    """Transpose pitches to the normal key and register.

    Args:
        pitches: [n] of one part.
        track: Its index.
        shift: Semitones of the melody above its normal form.

    Returns:
        [n] pitches; -1 for drums that the models do not know.
    """
    spec = TRACKS[track]
    if track == DRUMS:
        return np.where((pitches >= spec.low) & (pitches <= spec.high), pitches, -1)
    if not len(pitches):
        return pitches
    # The melody's octave is in its shift already.
    register = 0 if track == MELODY else normal_register(float(np.median(pitches)) - shift, track)
    return keys.fold(pitches - shift + register, spec.low, spec.high)
