"""The five parts of a song, in the normal key and register."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accomp.errors import MusicError
from accomp.music import keys
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.score import Note, Score, Track
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACKS, Grid

# General MIDI programs by family (program // 8): their parts; other families play the strings part.
PIANO_FAMILY, GUITAR_FAMILY, BASS_FAMILY = 0, 3, 4
FIRST_SOUND_EFFECT = 120
STRINGS_PROGRAMS = range(40, 56)  # of all that plays the strings part, what may give its sound
# Strings, voices, organs and pads hold chords. Where they do, brass, reeds, leads and mallets are
# left out of the strings part: all of them on one track are more than one part can be, and teach it
# restless noise.
SUSTAINED_PROGRAMS = {*range(16, 24), *range(40, 55), *range(88, 96)}
# The pitch to which `normal_register` brings a track's median, within half an octave.
CENTRE = {BASS: 37, GUITAR: 56, STRINGS: 63}


@dataclass(frozen=True)
class PartSettings:
    """How the tracks of a song are shared out among the parts."""

    # A guitar part with fewer notes than this share of the piano's comping is left to the piano.
    least_guitar: float = 0.25
    # The strings part is the sustained programs' alone where these have as many notes.
    enough_sustained: int = 40


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
    score: Score, melody: int | None = None, settings: PartSettings = PartSettings()
) -> Parts:
    """Share out the tracks of a song among the five parts.

    The families are LPD-5's (Dong et al. 2018): all that is neither drums, piano, guitar nor bass
    is strings. The piano's comping plays the guitar part where there is hardly a guitar.

    Args:
        score: The song.
        melody: The index of its track; by default chosen.
        settings: Thresholds.
    """
    melody = choose_melody(score) if melody is None else melody
    notes: dict[int, list[Note]] = {part: [] for part in range(len(TRACKS))}
    notes[MELODY] = skyline(score.tracks[melody].notes)
    accompaniment = [track for index, track in enumerate(score.tracks) if index != melody]
    of_role: dict[int | str | None, list[Track]] = {}
    for track in accompaniment:
        of_role.setdefault(_role(track), []).append(track)
    for part in (DRUMS, BASS, GUITAR):
        notes[part] = _notes(of_role.get(part, []))
    comping, sustained, others = (
        _notes(of_role.get(role, [])) for role in ("comping", "sustained", "other")
    )
    if len(notes[GUITAR]) < settings.least_guitar * len(comping):
        notes[GUITAR], left_out = comping, notes[GUITAR]
    else:
        left_out = comping
    is_enough = len(sustained) >= settings.enough_sustained
    notes[STRINGS] = sustained if is_enough else sustained + others
    return Parts(notes, others + left_out, _main_programs(accompaniment))


def _role(track: Track) -> int | str | None:
    """Return a track's part, or "comping", "sustained", "other", or None (effects)."""
    family = track.program // 8
    if track.is_drum:
        return DRUMS
    if family == PIANO_FAMILY:
        return "comping"
    if family in (GUITAR_FAMILY, BASS_FAMILY):
        return GUITAR if family == GUITAR_FAMILY else BASS
    if track.program >= FIRST_SOUND_EFFECT:
        return None
    return "sustained" if track.program in SUSTAINED_PROGRAMS else "other"


def _notes(tracks: list[Track]) -> list[Note]:
    return [note for track in tracks for note in track.notes]


def _main_programs(tracks: list[Track]) -> dict[int, int]:
    sounds: dict[int, Counter[int]] = {GUITAR: Counter(), BASS: Counter(), STRINGS: Counter()}
    for track in tracks:
        role = _role(track)
        if role in (GUITAR, BASS):
            sounds[role][track.program] += len(track.notes)
        elif role in ("sustained", "other") and track.program in STRINGS_PROGRAMS:
            sounds[STRINGS][track.program] += len(track.notes)
    return {part: count.most_common(1)[0][0] for part, count in sounds.items() if count}


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
