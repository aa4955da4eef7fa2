"""Which tracks of a song play its guitar, bass and strings parts: chosen by what they play.

A part is what one player, or a section that breathes together, could play. Files name instruments
loosely and have many tracks: six of them merged into one part are more than a part can be, and
teach it restless noise.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from accomp.music.score import Note, Track
from accomp.roll.grid import BASS, GUITAR, STRINGS

# General MIDI programs by what they are.
PIANO_PROGRAMS = range(0, 8)
ORGAN_PROGRAMS = range(16, 20)
REED_ORGAN_PROGRAMS = (20, 21, 23)  # accordions among them
GUITAR_PROGRAMS = range(24, 32)
BASS_PROGRAMS = range(32, 40)
STRING_PROGRAMS = (40, 41, 42, 43, 44, 48, 49, 50, 51)  # bowed: no pizzicato, harp or timpani
CHOIR_PROGRAMS = (52, 53, 54)
WIND_PROGRAMS = range(56, 80)  # brass, reeds, pipes
PAD_PROGRAMS = range(88, 96)
PLUCKED_PROGRAMS = (104, 105, 106, 107)  # sitar, banjo, shamisen, koto
UNPITCHED_PROGRAMS = {113, *range(115, 128)}  # struck wood and metal, and effects
SPAN = 4.0  # beats in which a track plays or rests; a bar of most songs


@dataclass(frozen=True)
class PlayerSettings:
    """What makes a track worth a part."""

    # Strings. How much each kind is worth beside bowed strings. Winds are taken only where they
    # hold chords as strings would.
    choir: float = 0.9
    pad: float = 0.8
    organ: float = 0.6
    reed_organ: float = 0.4
    wind: float = 0.3
    # Beats: the median length from which a track holds its notes. Bowed strings also play figures.
    bowed_held: float = 0.5
    held: float = 1.0
    wind_held: float = 2.0
    wind_voices: float = 1.5  # notes that winds sound together at least
    lowest: float = 50.0  # median pitch; lower tracks double the bass
    long: float = 2.0  # beats; longer notes make a track no more of a pad
    fewest: int = 12  # notes of a part; fewer are an accident
    voices: float = 4.0  # mean, up to which string tracks join to one section

    # Guitar.
    plucked: float = 0.5  # how much a banjo or koto is worth beside a guitar
    chordal: float = 2.0  # notes together, on the mean, from which a guitar is all comping
    line: float = 0.4  # how much a guitar is worth that plays single notes
    # Share of the song in which guitars must play to keep the piano's comping out of their part.
    least_guitar: float = 0.2
    piano_low: int = 48  # comping below this C is the left hand's, which is the bass's work
    piano_voices: int = 5  # notes of a chord that a hand can play on a guitar
    piano_span: int = 24  # semitones from its highest to its lowest

    # Bass.
    bass_highest: float = 50.0  # median pitch, and
    bass_voices: float = 1.2  # notes together, of another instrument that plays the bass


class Player(NamedTuple):
    """A track and what it plays.

    Attributes:
        program: General MIDI program.
        notes: At least one.
        length: Median length of its notes in beats.
        voices: Notes that sound together, on the mean over the time in which it sounds.
        pitch: Median.
        spans: The spans of SPAN beats in which it sounds.
    """

    program: int
    notes: list[Note]
    length: float
    voices: float
    pitch: float
    spans: set[int]

    @classmethod
    def of(cls, track: Track) -> "Player":
        """Measure what a track with notes plays."""
        pitch, _, duration, _ = np.array(track.notes, float).T
        return cls(
            track.program,
            track.notes,
            float(np.median(duration)),
            voices(track.notes),
            float(np.median(pitch)),
            spans(track.notes),
        )


class Ensemble(NamedTuple):
    """The accompaniment's pitched parts.

    Attributes:
        notes: Of GUITAR, BASS and STRINGS.
        programs: The program that plays most of a part's notes, by part that plays. A guitar part
            with a piano's program is a piano's comping.
        others: Pitched notes that belong to no part.
    """

    notes: dict[int, list[Note]]
    programs: dict[int, int]
    others: list[Note]


def voices(notes: list[Note]) -> float:
    """Return how many notes sound together, on the mean over the time in which any does."""
    onset, duration = np.array(sorted((n.onset, n.duration) for n in notes), float).T
    end = np.maximum.accumulate(onset + duration)
    sounding = (end - np.maximum(onset, np.append(-np.inf, end[:-1]))).clip(min=0).sum()
    return max(float(duration.sum() / max(sounding, 1e-6)), 1.0)  # notes may have no length


def spans(notes: Iterable[Note]) -> set[int]:
    """Return the spans of SPAN beats in which notes sound."""
    found: set[int] = set()
    for note in notes:
        last = max(note.onset, note.end - 1e-3)
        found.update(range(int(note.onset // SPAN), int(last // SPAN) + 1))
    return found


def share_out(tracks: list[Track], settings: PlayerSettings = PlayerSettings()) -> Ensemble:
    """Choose who plays guitar, bass and strings.

    Args:
        tracks: The pitched tracks beside the melody.
        settings: What makes a track worth a part.
    """
    players = [
        Player.of(track)
        for track in tracks
        if track.notes and track.program not in UNPITCHED_PROGRAMS
    ]
    whole = max(len(set().union(*(player.spans for player in players))), 1)
    bass = _bass(players, settings)
    strings = _strings([player for player in players if player not in bass], settings)
    guitar = _guitar([player for player in players if player not in bass], whole, settings)
    chosen = {
        GUITAR: taking_turns(guitar),
        BASS: taking_turns(bass),
        STRINGS: section(strings, settings.voices),
    }
    if guitar and guitar[0].program in PIANO_PROGRAMS:
        chosen[GUITAR] = as_guitar(chosen[GUITAR], settings)
    used = {note for notes in chosen.values() for note in notes}
    everything = (note for player in players for note in player.notes)
    by_part = {GUITAR: guitar, BASS: bass, STRINGS: strings}
    programs = {
        part: _main_program(by_part[part], notes) for part, notes in chosen.items() if notes
    }
    return Ensemble(chosen, programs, [note for note in everything if note not in used])


def _bass(players: list[Player], settings: PlayerSettings) -> list[Player]:
    """Rank who plays the bass: basses, or else another low line."""
    found = [player for player in players if player.program in BASS_PROGRAMS]
    if not found:
        found = [
            player
            for player in players
            if player.program not in (*PIANO_PROGRAMS, *GUITAR_PROGRAMS)
            and player.pitch < settings.bass_highest
            and player.voices < settings.bass_voices
        ]
    return sorted(found, key=lambda player: -len(player.spans) / player.voices)


def _strings(players: list[Player], settings: PlayerSettings) -> list[Player]:
    """Rank who holds the strings part; those who do not hold their notes do not play it."""
    kinds = {
        1.0: STRING_PROGRAMS,
        settings.choir: CHOIR_PROGRAMS,
        settings.pad: PAD_PROGRAMS,
        settings.organ: ORGAN_PROGRAMS,
        settings.reed_organ: REED_ORGAN_PROGRAMS,
        settings.wind: WIND_PROGRAMS,
    }
    worth = {program: value for value, programs in kinds.items() for program in programs}

    def holds(player: Player) -> bool:
        if player.pitch < settings.lowest or len(player.notes) < settings.fewest:
            return False
        if player.program in WIND_PROGRAMS:
            return player.length >= settings.wind_held and player.voices >= settings.wind_voices
        is_bowed = player.program in STRING_PROGRAMS
        return player.length >= (settings.bowed_held if is_bowed else settings.held)

    def merit(player: Player) -> float:
        held = min(player.length / settings.long, 1.0)
        return worth[player.program] * held * len(player.spans) * min(player.voices, 3.0) ** 0.5

    found = [player for player in players if player.program in worth and holds(player)]
    ranked = sorted(found, key=merit, reverse=True)
    is_wind = bool(ranked) and ranked[0].program in WIND_PROGRAMS
    return [player for player in ranked if (player.program in WIND_PROGRAMS) == is_wind]


def _guitar(players: list[Player], whole: int, settings: PlayerSettings) -> list[Player]:
    """Rank the guitars, or the pianos where guitars hardly play in the song's `whole` spans."""

    def merit(player: Player) -> float:
        is_guitar = player.program in GUITAR_PROGRAMS
        chordal = min(max(player.voices - 1, 0) / (settings.chordal - 1), 1.0)
        worth = settings.line + (1 - settings.line) * chordal
        return len(player.spans) * worth * (1.0 if is_guitar else settings.plucked)

    guitars = [
        player for player in players if player.program in (*GUITAR_PROGRAMS, *PLUCKED_PROGRAMS)
    ]
    pianos = [player for player in players if player.program in PIANO_PROGRAMS]
    played = set().union(*(player.spans for player in guitars))
    is_enough = len(played) >= settings.least_guitar * whole
    found = guitars if is_enough or not pianos else pianos
    return sorted(found, key=merit, reverse=True)


def taking_turns(players: list[Player]) -> list[Note]:
    """Let the first play, and the next in the spans in which those before rest."""
    notes: list[Note] = []
    for player in players:
        taken = spans(notes)
        notes = notes + [note for note in player.notes if not spans([note]) & taken]
    return notes


def section(players: list[Player], most: float) -> list[Note]:
    """Join the first and those who fit beside it into a section of at most `most` voices."""
    notes: list[Note] = []
    for player in players:
        heard = {(round(note.onset * 4), note.pitch) for note in notes}
        joined = notes + [
            note for note in player.notes if (round(note.onset * 4), note.pitch) not in heard
        ]
        if not notes or voices(joined) <= most:
            notes = joined
    return notes


def as_guitar(notes: list[Note], settings: PlayerSettings = PlayerSettings()) -> list[Note]:
    """Leave of a piano's comping what a guitar could play: no left hand, no wide chords."""
    chords: dict[int, list[Note]] = {}
    for note in notes:
        if note.pitch >= settings.piano_low:
            chords.setdefault(round(note.onset * 4), []).append(note)
    kept: list[Note] = []
    for chord in chords.values():
        highest = sorted(chord, key=lambda note: -note.pitch)[: settings.piano_voices]
        kept += [n for n in highest if n.pitch >= highest[0].pitch - settings.piano_span]
    return kept


def _main_program(players: list[Player], notes: list[Note]) -> int:
    chosen = set(notes)
    counts: Counter[int] = Counter()
    for player in players:
        counts[player.program] += len(chosen.intersection(player.notes))
    return counts.most_common(1)[0][0]
