"""Hand a finished song on in another key, at another tempo, with other sounds: no new band.

The notes stay the same ones: nothing is generated anew, and nothing is random.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from accomp.band import arrange
from accomp.band.arrange import PlayerSettings
from accomp.band.balance import balanced
from accomp.checks import Range, read_whole, shown
from accomp.errors import MusicError
from accomp.music import timing
from accomp.music.chord_symbols import is_symbol, parse_symbol
from accomp.music.instruments import KITS, PROGRAMS, instruments, program_name, program_pitches
from accomp.music.key_signatures import signature_of
from accomp.music.keys import Key
from accomp.music.midi import LEAST_RESOLUTION
from accomp.music.score import Chord, KeySignature, Note, Score, Track
from accomp.roll.grid import DRUMS, GUITAR, MELODY, TRACK_NAMES
from accomp.roll.sounding_names import is_second_guitar

TRANSPOSE = Range("the transposition", -12, 12, "-12 to 12 semitones", whole=True)
TEMPO = Range("the tempo", *timing.TEMPO_RANGE, "10 to 400 beats a minute")
KIT = TRACK_NAMES[DRUMS]  # the part whose programs are kits
# Of the pitches in which a part may lie at home; an instrument that has fewer of them does not fit.
LEAST_SHARE = 0.5
# Semitones by which a part's median may leave its home before it moves by an octave: a transposed
# song keeps its shape.
LEEWAY = 7


@dataclass(frozen=True)
class Finish:
    """What is changed of a song after the band has played. Checked when it is made.

    Attributes:
        transpose: Semitones that everything but the drums sounds higher; negative for lower.
        tempo: Quarters a minute on average; None for the melody's own.
        programs: General MIDI programs, 0 to 127, of tracks that get another sound: {"piano": 73}.
            The piano is the melody; programs of the drums are kits.
    """

    transpose: int = 0
    tempo: float | None = None
    programs: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self):
        TRANSPOSE.check(self.transpose)
        if self.tempo is not None:
            TEMPO.check(self.tempo)
        check_programs(self.programs)


def check_programs(programs: Any) -> None:
    """Check that programs fit the tracks that get them.

    Raises:
        MusicError: It is no mapping of names to programs, or one does not fit.
    """
    if not isinstance(programs, Mapping):
        raise MusicError(f"programs are {shown(programs)}; accepted: such as {{'guitar': 27}}")
    for name, program in programs.items():
        if name not in TRACK_NAMES:
            accepted = ", ".join(TRACK_NAMES)
            raise MusicError(
                f"{shown(name, repr)} gets program {shown(program)}; accepted: {accepted}"
            )
        Range(f"the program of {name}", 0, PROGRAMS - 1, whole=True).check(program)
        if program not in fitting_programs(name):
            fitting = ", ".join(map(str, fitting_programs(name)))
            if name == KIT:
                raise MusicError(f"{name} have no kit {program}; accepted: {fitting}")
            raise MusicError(
                f"the program of {name} is {program} ({program_name(program)}), "
                f"which does not play so low or high; accepted: {fitting}"
            )


def fitting_programs(name: str) -> list[int]:
    """Return the General MIDI programs that a track may get.

    An instrument fits a player of the band if it has at least half of the pitches between which
    the part's median may lie. The melody fits every instrument that plays pitches.

    Args:
        name: Of the track, one of TRACK_NAMES. Of the drums they are the kits.
    """
    if name == KIT:
        return list(KITS)
    track = TRACK_NAMES.index(name)
    found = []
    for program, instrument in enumerate(instruments()):
        if instrument.pitches and (track == MELODY or _fits(instrument.pitches, track)):
            found.append(program)
    return found


def _fits(pitches: tuple[int, int], track: int) -> bool:
    low, high = arrange.SETTINGS.parts[track].median
    common = min(high, pitches[1]) - max(low, pitches[0])
    return common >= LEAST_SHARE * (high - low)


def parse_program(text: str) -> tuple[str, int]:
    """Read a track and its program from a text such as "guitar=27" or "piano=flute".

    Raises:
        MusicError: The text names no track or no program.
    """
    name, _, program = (part.strip() for part in text.partition("="))
    known = {each.name.lower(): number for number, each in enumerate(instruments())}
    if name == KIT:
        known = {kit.lower(): number for number, kit in KITS.items()}
    if program.lower() in known:
        number = known[program.lower()]
    else:
        accepted = 'a track and a program, such as guitar=27 or "guitar=Electric Guitar (clean)"'
        number = read_whole(program, f"the program in {shown(text, repr)}", accepted)
    check_programs({name: number})
    return name, number


def finished(song: Score, finish: Finish, genre: str) -> Score:
    """Return a song in another key, at another tempo, with other sounds, balanced anew.

    Drums keep their notes. The melody moves by exactly the semitones; players whose instrument
    would leave its range move by octaves besides. Chords, key signatures and tempo events follow.
    Nothing changes where nothing is asked for.

    Args:
        song: As `Accompanist.perform` returns it.
        finish: What is changed.
        genre: Of the band, for the balance.

    Raises:
        MusicError: The melody would leave the pitches of MIDI.
    """
    if finish == Finish():
        return song
    # From a file the same song gives the same result, to the byte.
    song = timing.on_ticks(song, LEAST_RESOLUTION)
    song = replace(song, tracks=[_track(track, finish) for track in song.tracks])
    if finish.transpose:
        song = replace(
            song,
            key_signatures=[_signature(each, finish.transpose) for each in song.key_signatures],
        )
        fifths = song.key_signatures[0].fifths if song.key_signatures else 0
        chords = [_chord(chord, finish.transpose, fifths) for chord in song.chords]
        song = replace(song, chords=chords)
    if finish.tempo is not None:
        song = timing.at_tempo(song, finish.tempo)
    return balanced(song, genre)


def _track(track: Track, finish: Finish) -> Track:
    """Return a track in its key, with its sound."""
    if track.is_drum:
        return replace(track, program=finish.programs.get(track.name, track.program))
    is_melody = track.name == TRACK_NAMES[MELODY]
    program = finish.programs.get(track.name, track.program)
    notes = track.notes
    if is_melody and finish.transpose:
        notes = _melody(notes, finish.transpose)
    elif notes and not is_melody and (finish.transpose or program != track.program):
        part = GUITAR if is_second_guitar(track) else TRACK_NAMES.index(track.name)
        notes = _at_home(notes, part, finish.transpose, program)
    return replace(track, program=program, notes=notes)


def _melody(notes: list[Note], semitones: int) -> list[Note]:
    pitches = [note.pitch + semitones for note in notes]
    if pitches and not 0 <= min(pitches) <= max(pitches) <= 127:
        raise MusicError(
            f"the melody would reach from pitch {min(pitches)} to {max(pitches)}; accepted: 0 to "
            "127, so another transposition"
        )
    return [note._replace(pitch=pitch) for note, pitch in zip(notes, pitches)]


def _at_home(notes: list[Note], track: int, semitones: int, program: int) -> list[Note]:
    """Transpose a player's notes to where its instrument is at home."""
    part = arrange.SETTINGS.parts[track]
    low, high = program_pitches(program) or part.pitches
    home = max(part.median[0] - LEEWAY, low), min(part.median[1] + LEEWAY, high)
    pitches = (max(part.pitches[0], low), min(part.pitches[1], high))
    player = PlayerSettings(home, pitches, part.voices, part.longest)
    moved = np.array([[note.pitch, 0, 0] for note in notes])
    moved = arrange.in_range(
        moved, semitones, track, replace(arrange.SETTINGS, parts={track: player})
    )
    return [note._replace(pitch=int(pitch)) for note, pitch in zip(notes, moved[:, 0])]


def _chord(chord: Chord, semitones: int, fifths: int) -> Chord:
    """Return a chord `semitones` higher, spelled by the signature of the new key."""
    if not is_symbol(chord.symbol):  # N.C.
        return chord
    symbol = parse_symbol(chord.symbol).transposed(semitones)
    return chord._replace(symbol=symbol.spelled(fifths))


def _signature(signature: KeySignature, semitones: int) -> KeySignature:
    key = Key((signature.tonic + semitones) % 12, signature.is_minor)
    return signature_of(key, signature.onset)
