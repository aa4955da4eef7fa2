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
# Strings, voices, organs and pads hold chords. Where they do, brass, reeds, leads and mallets are left out of the strings
# part: all of them on one track are more than one part can be, and teach it restless noise.
SUSTAINED = {*range(16, 24), *range(40, 55), *range(88, 96)}
ENOUGH_SUSTAINED = 40  # notes


@dataclass
class Parts:
    """planes: [5, 2, S, 128] uint8 in the melody's normal key and register; plan: [H] chords that the song plays;
    velocity: [5, 16, 3] count, sum and sum of squares of velocities at each sixteenth of a bar; programs: by track."""

    planes: np.ndarray
    plan: np.ndarray
    velocity: np.ndarray
    programs: dict[int, int]


def split(score: Score) -> tuple[dict[int, list[Note]], list[Note], dict[int, int]]:
    """The notes of each of the five parts (the melody as a single line), the other notes that sound with them, and the main
    program of each part. The families are LPD-5's (Dong et al. 2018): all that is neither drums, piano, guitar nor bass is
    strings. The piano's comping plays the guitar part where there is hardly a guitar."""
    melody = choose_melody(score)
    parts: dict[int, list[Note]] = {track: [] for track in range(len(TRACKS))}
    comping: list[Note] = []
    sustained: list[Note] = []
    others: list[Note] = []
    sounds: dict[int, Counter] = {track: Counter() for track in range(len(TRACKS))}
    for index, track in enumerate(score.tracks):
        family = track.program // 8
        part = {0: None, 3: GUITAR, 4: BASS}.get(family, STRINGS)
        if index == melody:
            parts[MELODY] = skyline(track.notes)
        elif track.is_drum:
            parts[DRUMS] += track.notes
        elif part is None:
            comping += track.notes
        elif part == STRINGS and track.program < 120:  # beyond are sound effects
            chosen = sustained if track.program in SUSTAINED else others
            chosen += track.notes
            if track.program in STRINGS_PROGRAMS:
                sounds[STRINGS][track.program] += len(track.notes)
        elif part != STRINGS:
            parts[part] += track.notes
            sounds[part][track.program] += len(track.notes)
    beside = others
    if len(parts[GUITAR]) < NEARLY_EMPTY * len(comping):
        parts[GUITAR], beside = comping, beside + parts[GUITAR]
    else:
        beside = beside + comping
    parts[STRINGS] = sustained if len(sustained) >= ENOUGH_SUSTAINED else sustained + others
    return parts, beside, {part: count.most_common(1)[0][0] for part, count in sounds.items() if count}


def normal_parts(score: Score) -> Parts:
    """The parts of a song, ready to be cut into blocks. Raises MusicError where there is no melody to learn from."""
    parts, beside, programs = split(score)
    if not parts[MELODY]:
        raise MusicError("the melody track has no notes")
    everything = [note for notes in [*parts.values(), beside] for note in notes]
    grid = Grid.of(score, min(note.onset for note in everything), max(note.end for note in everything))
    shift = tonality.shift_of(parts[MELODY])
    planes = np.stack([_part_planes(parts[track], track, shift, grid) for track in range(len(TRACKS))])
    harmony = sum(chords.chroma(part) for part in (planes[GUITAR], planes[STRINGS], _part_planes(beside, GUITAR, shift, grid)))
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
