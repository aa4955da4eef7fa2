"""A song's tracks as the five parts that the models learn: which instrument plays which part, in which key and register."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from accomp import arrangement, chords, pianoroll, tonality
from accomp.accompanist import VELOCITY_POSITIONS, melody_planes
from accomp.errors import MusicError
from accomp.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACKS, Grid
from accomp.melody import choose_melody, skyline
from accomp.score import Note, Score

NEARLY_EMPTY = 0.25  # a guitar part with fewer notes than this share of the piano's comping is left to the piano
STRINGS_PROGRAMS = range(40, 56)  # of all that plays the strings part, what may give its sound


@dataclass
class Parts:
    """planes: [5, 2, S, 128] uint8 in the melody's normal key and register; plan: [H] chords that the song plays;
    velocity: [5, 16, 3] count, sum and sum of squares of velocities at each sixteenth of a bar; programs: by track."""

    planes: np.ndarray
    plan: np.ndarray
    velocity: np.ndarray
    programs: dict[int, int]


def split(score: Score) -> tuple[dict[int, list[Note]], list[Note], dict[int, int]]:
    """The notes of each of the five parts (the melody as a single line), the piano's comping, and the main program of each
    part. The families are LPD-5's (Dong et al. 2018): all that is neither drums, piano, guitar nor bass is strings. The
    piano's comping plays the guitar part where there is hardly a guitar."""
    melody = choose_melody(score)
    parts: dict[int, list[Note]] = {track: [] for track in range(len(TRACKS))}
    comping: list[Note] = []
    sounds: dict[int, Counter] = {track: Counter() for track in range(len(TRACKS))}
    for index, track in enumerate(score.tracks):
        family = track.program // 8
        if index == melody:
            parts[MELODY] = skyline(track.notes)
        elif track.is_drum:
            parts[DRUMS] += track.notes
        elif family == 0:
            comping += track.notes
        elif track.program < 120:  # beyond are sound effects
            part = {3: GUITAR, 4: BASS}.get(family, STRINGS)
            parts[part] += track.notes
            if part != STRINGS or track.program in STRINGS_PROGRAMS:
                sounds[part][track.program] += len(track.notes)
    if len(parts[GUITAR]) < NEARLY_EMPTY * len(comping):
        parts[GUITAR] = comping
    return parts, comping, {part: count.most_common(1)[0][0] for part, count in sounds.items() if count}


def normal_parts(score: Score) -> Parts:
    """The parts of a song, ready to be cut into blocks. Raises MusicError where there is no melody to learn from."""
    parts, comping, programs = split(score)
    if not parts[MELODY]:
        raise MusicError("the melody track has no notes")
    everything = [note for notes in parts.values() for note in notes]
    grid = Grid.of(score, min(note.onset for note in everything), max(note.end for note in everything))
    shift = tonality.shift_of(parts[MELODY])
    planes = np.stack([_part_planes(parts[track], track, shift, grid) for track in range(len(TRACKS))])
    piano = _part_planes(comping, GUITAR, shift, grid)
    harmony = chords.chroma(planes[GUITAR]) + chords.chroma(planes[STRINGS]) + chords.chroma(piano)
    plan = chords.of_arrangement(harmony, chords.chroma(planes[BASS]), chords.chroma(planes[MELODY]))
    velocity = np.stack([_velocities(parts[track], grid) for track in range(len(TRACKS))])
    return Parts(planes, plan, velocity, programs)


def _part_planes(notes: list[Note], track: int, shift: int, grid: Grid) -> np.ndarray:
    spec = TRACKS[track]
    if track == MELODY:
        return melody_planes(notes, shift, grid)
    rows = pianoroll.on_grid(notes, grid)
    if track == DRUMS:
        rows = rows[(rows[:, 0] >= spec.low) & (rows[:, 0] <= spec.high)]
        rows[:, 2] = rows[:, 1] + 1  # a drum is struck; how long its note is held says nothing
    elif len(rows):
        register = arrangement.normal_register(float(np.median(rows[:, 0])) - shift, track)
        rows[:, 0] = tonality.fold(rows[:, 0] - shift + register, spec.low, spec.high)
    return pianoroll.to_planes(rows, grid.steps)


def _velocities(notes: list[Note], grid: Grid) -> np.ndarray:
    sums = np.zeros((VELOCITY_POSITIONS, 3))
    if notes:
        onset, velocity = np.array([(note.onset, note.velocity) for note in notes], float).T
        at = grid.nearest_step(onset) % VELOCITY_POSITIONS
        for power in range(3):
            np.add.at(sums[:, power], at, velocity**power)
    return sums
