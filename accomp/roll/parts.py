"""A song's tracks as the five parts that the models know: which instrument plays which part, in which key and register."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from accomp.errors import MusicError
from accomp.music import keys as tonality
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.score import Note, Score, Track
from accomp.roll import chord_plan as chords
from accomp.roll import pianoroll
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACKS, Grid

NEARLY_EMPTY = 0.25  # a guitar part with fewer notes than this share of the piano's comping is left to the piano
STRINGS_PROGRAMS = range(40, 56)  # of all that plays the strings part, what may give its sound
# Strings, voices, organs and pads hold chords. Where they do, brass, reeds, leads and mallets are left out of the strings
# part: all of them on one track are more than one part can be, and teach it restless noise.
SUSTAINED = {*range(16, 24), *range(40, 55), *range(88, 96)}
ENOUGH_SUSTAINED = 40  # notes


@dataclass
class NormalParts:
    """planes: [5, 2, S, 128] uint8 in the melody's normal key and register; plan: [H] chords that the song plays; notes: by
    track, as the song has them; programs: by track; grid: the steps of its bars; shift: semitones of the song above the normal
    key.
    """

    planes: np.ndarray
    plan: np.ndarray
    notes: dict[int, list[Note]]
    programs: dict[int, int]
    grid: Grid
    shift: int


def split(
    score: Score, melody: int | None = None
) -> tuple[dict[int, list[Note]], list[Note], dict[int, int]]:
    """The notes of each of the five parts (the melody as a single line), the other notes that sound with them, and the main
    program of each part. The families are LPD-5's (Dong et al. 2018): all that is neither drums, piano, guitar nor bass is
    strings. The piano's comping plays the guitar part where there is hardly a guitar. melody: its track, else chosen.
    """
    melody = choose_melody(score) if melody is None else melody
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
    return (
        parts,
        beside,
        {part: count.most_common(1)[0][0] for part, count in sounds.items() if count},
    )


def normal_parts(score: Score, chord_markers: bool = False) -> NormalParts:
    """The parts of a song, ready to be cut into blocks. chord_markers: its chords are those that its markers name, rather than
    those that its parts play. Raises MusicError where there is no melody, or no chord.
    """
    parts, beside, programs = split(score)
    if not parts[MELODY]:
        raise MusicError("the melody track has no notes")
    everything = [note for notes in [*parts.values(), beside] for note in notes]
    grid = Grid.of(
        score, min(note.onset for note in everything), max(note.end for note in everything)
    )
    shift = tonality.shift_of(parts[MELODY])
    planes = np.stack(
        [part_planes(parts[track], track, shift, grid) for track in range(len(TRACKS))]
    )
    if chord_markers:
        symbols, _ = chords.symbols_on_grid(score.chords, score, Track(notes=parts[MELODY]), grid)
        plan = np.array([symbol.transposed(-shift).triad for symbol in symbols])
    else:
        harmony = sum(
            chords.chroma(part)
            for part in (planes[GUITAR], planes[STRINGS], part_planes(beside, GUITAR, shift, grid))
        )
        plan = chords.arrangement_chords(
            harmony, chords.chroma(planes[BASS]), chords.chroma(planes[MELODY])
        )
    return NormalParts(planes, plan, parts, programs, grid, shift)


CENTRE = {
    BASS: 37,
    GUITAR: 56,
    STRINGS: 63,
}  # where `normal_register` brings a track's median, within half an octave


def normal_register(median: float, track: int) -> int:
    """Semitones, a multiple of 12, that bring a track's median pitch within half an octave of its centre."""
    return -12 * round((median - CENTRE[track]) / 12)


def melody_planes(line: list[Note], shift: int, grid: Grid) -> np.ndarray:
    """What the models see of a monophonic melody: planes [2, S, 128] in its normal key, folded into the melody's range."""
    notes = pianoroll.on_grid(line, grid)
    spec = TRACKS[MELODY]
    notes[:, 0] = tonality.fold(notes[:, 0] - shift, spec.low, spec.high)
    return pianoroll.to_planes(notes, grid.steps)


def part_planes(notes: list[Note], track: int, shift: int, grid: Grid) -> np.ndarray:
    """What the models see of a track: planes [2, S, 128] in the normal key and register. shift: as in Lead."""
    if track == MELODY:
        return melody_planes(notes, shift, grid)
    rows = pianoroll.on_grid(notes, grid)
    rows[:, 0] = normal_pitches(rows[:, 0], track, shift)
    rows = rows[rows[:, 0] >= 0]
    if track == DRUMS:
        rows[:, 2] = rows[:, 1] + 1  # a drum is struck; how long its note is held says nothing
    return pianoroll.to_planes(rows, grid.steps)


def normal_pitches(pitches: np.ndarray, track: int, shift: int) -> np.ndarray:
    """Pitches [n] of a track in the normal key and register; -1 for drums that the models don't know."""
    spec = TRACKS[track]
    if track == DRUMS:
        return np.where((pitches >= spec.low) & (pitches <= spec.high), pitches, -1)
    if not len(pitches):
        return pitches
    # The melody's octave is in its shift already.
    register = 0 if track == MELODY else normal_register(float(np.median(pitches)) - shift, track)
    return tonality.fold(pitches - shift + register, spec.low, spec.high)
