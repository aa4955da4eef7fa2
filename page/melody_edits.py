"""Melodies whose notes were changed by hand on the roll. No widgets."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from accomp.checks import check_number, shown
from accomp.errors import MusicError
from accomp.listen.source import Corrections, Source, SourceMelody
from accomp.listen.transcribe import TranscriptionSettings
from accomp.music.score import Note, Score, Track
from accomp.project.settings import Settings
from accomp.roll.grid import PITCHES
from page.naming import EDITED

SAME = 0.02  # beats within which a note that the browser sends back is the one it was given
MOST_NOTES = 20_000
MOST_BEATS = 20_000.0
LOUDEST = 127
ACCEPTED = "notes as [pitch, onset in beats, beats, velocity]"
# Parts of a beat in which places are compared: MIDI files round them.
PARTS = 96


@dataclass
class EditedSource(Source):
    """A melody that was edited; of a recording the sound is still there.

    Attributes:
        before: What was edited.
        before_settings: The settings that it had.
        understood: The melody as it was understood when it was edited.
        turn: By which the browser counts edits; one that comes late is left out.
    """

    before: Source | None = None
    before_settings: Settings = Settings()
    understood: SourceMelody | None = None
    turn: int = 0

    def melody(
        self,
        corrections: Corrections = Corrections(),
        settings: TranscriptionSettings = TranscriptionSettings(),
    ) -> SourceMelody:
        """Return the melody. A recording goes with it as long as its beats are not moved."""
        found = super().melody(corrections, settings)
        sung = self.understood.transcription if self.understood else None
        if sung is None or replace(corrections, key=None) != Corrections():
            return replace(found, recording=None)
        return replace(found, transcription=replace(sung, score=found.score))


def edited(
    source: Source, settings: Settings, melody: SourceMelody, notes: list[Note]
) -> tuple[EditedSource, Settings]:
    """Return a melody with other notes, and its settings: corrections are then part of it.

    Args:
        source: What is edited. Where it was edited before, what it was edited from stays known.
        settings: Its settings.
        melody: The same as these settings understand it.
        notes: What it has instead; at least one.
    """
    score = melody.score
    track = score.tracks[melody.track]
    line = Track(track.name, track.program, False, notes, track.controls)
    first = source if isinstance(source, EditedSource) else None
    after = EditedSource(
        family(melody) + EDITED,
        replace(score, tracks=[line]),
        recording=melody.recording,
        notes=source.notes,
        notices=source.notices,
        gives_chords=bool(score.chords)
        and bool(settings.invented or settings.continued or melody.gives_chords),
        before=first.before if first else source,
        before_settings=first.before_settings if first else settings,
        understood=melody,
    )
    return after, settings.changed(
        melody="",
        invented=None,
        continued=(),
        corrections=Corrections(key=str(melody.key)),
    )


def family(melody: SourceMelody) -> str:
    """Return a name that a melody shares with what is edited of it."""
    return melody.name.removesuffix(EDITED)


def read_notes(found: object, known: Iterable[Note]) -> list[Note]:
    """Read the notes that a browser sends.

    Args:
        found: Lists of pitch, onset and length in beats, velocity.
        known: The notes that it was given. Those that come back nearly the same are these.

    Raises:
        MusicError: Something else was sent.
    """
    if not isinstance(found, list) or len(found) > MOST_NOTES:
        raise MusicError(f"the notes are {shown(found)}; accepted: {ACCEPTED}")
    by_pitch: dict[int, list[Note]] = {}
    for note in known:
        by_pitch.setdefault(note.pitch, []).append(note)
    return sorted((_known(_read(each), by_pitch) for each in found), key=lambda note: note.onset)


def _read(found: object) -> Note:
    if not isinstance(found, list) or len(found) != len(Note._fields):
        raise MusicError(f"a note is {shown(found)}; accepted: {ACCEPTED}")
    pitch, onset, duration, velocity = found
    for value in (onset, duration):
        check_number(value, "a time of a note", "a number of beats")
    if type(pitch) is not int or not 0 <= pitch < PITCHES:
        raise MusicError(f"the pitch of a note is {shown(pitch)}; accepted: 0 to {PITCHES - 1}")
    if type(velocity) is not int or not 1 <= velocity <= LOUDEST:
        raise MusicError(f"the velocity of a note is {shown(velocity)}; accepted: 1 to {LOUDEST}")
    if not (0 <= onset <= MOST_BEATS and 0 < duration <= MOST_BEATS):
        raise MusicError(f"a note is {shown(found)}; accepted: {ACCEPTED}")
    return Note(pitch, float(onset), float(duration), velocity)


def _known(note: Note, by_pitch: dict[int, list[Note]]) -> Note:
    """Return a note with the onset and the end that it had, where they are nearly the same."""
    for old in by_pitch.get(note.pitch, ()):
        if abs(old.onset - note.onset) < SAME and abs(old.end - note.end) < SAME:
            return old._replace(velocity=note.velocity)
    parts = [round(value * PARTS) / PARTS for value in (note.onset, note.duration)]
    return note._replace(onset=parts[0], duration=max(parts[1], 1 / PARTS))


def later(notes: Iterable[Note], beats: float) -> list[Note]:
    """Return notes later by `beats`, which an introduction takes; earlier where it is negative."""
    return [note._replace(onset=note.onset + beats) for note in notes]


def delay_of(song_notes: list[Note], notes: list[Note]) -> float:
    """Return the beats by which a melody begins later in its song."""
    first, other = (min((n.onset for n in each), default=0.0) for each in (song_notes, notes))
    return round((first - other) * PARTS) / PARTS


def changed_bars(song: Score, before: Iterable[Note], after: Iterable[Note]) -> list[int]:
    """Return the bars of a song in which two melodies differ, counted from 1."""
    differing = {_place(note): note for note in before}
    for note in after:
        if differing.pop(_place(note), None) is None:
            differing[_place(note)] = note
    if not differing:
        return []
    bars = song.bars(max(song.end, *(note.end for note in differing.values())))
    onsets = np.array([bar.onset for bar in bars])
    found: set[int] = set()
    for note in differing.values():
        first = int(np.searchsorted(onsets, note.onset + 1e-6))
        last = int(np.searchsorted(onsets, note.end - 1e-6))
        found.update(range(max(first, 1), max(last, first, 1) + 1))
    return sorted(found)


def spans(bars: Iterable[int]) -> list[tuple[int, int]]:
    """Return bars as first and last ones of those that follow one another."""
    found: list[tuple[int, int]] = []
    for bar in sorted(set(bars)):
        if found and found[-1][1] == bar - 1:
            found[-1] = (found[-1][0], bar)
        else:
            found.append((bar, bar))
    return found


def _place(note: Note) -> tuple[int, int, int]:
    return note.pitch, round(note.onset * PARTS), round(note.end * PARTS)
