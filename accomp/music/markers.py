"""Markers of MIDI files: chords, or the sections of the song."""

import re

from accomp.music.chord_symbols import is_symbol, parse_symbol
from accomp.music.score import Chord, Score

SECTION_BEATS = 8.0  # how long sections last at least, on average; two chords rarely last as long
CHORD_TONES = 0.45  # share of the sounding time from which single letters are the chords
_LETTER = re.compile(r"[A-H]")


def add_chords(score: Score, markers: list[tuple[float, str]]) -> None:
    """Give a score the chords that its markers name, unless they are the letters of sections.

    Args:
        score: The music of the file, without chords.
        markers: Onset in beats and text each.
    """
    texts = sorted(((onset, text) for onset, text in markers if text), key=lambda each: each[0])
    chords = [Chord(onset, text) for onset, text in texts if is_symbol(text)]
    if not _names_sections(score, chords, len(chords) < len(texts)):
        score.chords = chords
        return
    letters = ", ".join(dict.fromkeys(chord.symbol for chord in chords))
    score.notices.append(f"the markers {letters} name sections and are not taken as chords")


def _names_sections(score: Score, chords: list[Chord], has_others: bool) -> bool:
    """Tell whether symbols name sections of the song: A, B, A, C.

    Such are plain letters, far apart, that come in the order of the alphabet or among other words
    (Intro, V, Coda), and are not what is played.
    """
    letters = list(dict.fromkeys(chord.symbol for chord in chords))
    if not letters or not all(_LETTER.fullmatch(letter) for letter in letters):
        return False
    ordered = letters == [chr(ord("A") + place) for place in range(len(letters))]
    span = max(score.end, chords[-1].onset + 1.0) - min(chord.onset for chord in chords)
    if not (ordered or has_others) or span / len(chords) < SECTION_BEATS:
        return False
    return _chord_tones(score, chords) < CHORD_TONES


def _chord_tones(score: Score, chords: list[Chord]) -> float:
    """Return the share of pitched sound that is of the chord at its onset."""
    chords = sorted(chords)
    notes = sorted(
        (note for track in score.tracks if not track.is_drum for note in track.notes),
        key=lambda note: note.onset,
    )
    inside = total = 0.0
    place = -1
    tones: set[int] = set()
    for note in notes:
        while place + 1 < len(chords) and chords[place + 1].onset <= note.onset + 1e-6:
            place += 1
            tones = parse_symbol(chords[place].symbol).tones
        if place >= 0:
            total += note.duration
            inside += note.duration * (note.pitch % 12 in tones)
    return inside / total if total else 0.0
