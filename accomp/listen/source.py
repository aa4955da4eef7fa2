"""Load a melody from MIDI, a sheet or audio and apply the user's corrections.

`open_melody(path)` does both at once. Where the user corrects what was guessed, step by step,
`load_source(path)` reads and transcribes the file once, and `Source.melody(corrections)` is quick.
"""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from accomp.checks import Range, check_number, check_text, shown
from accomp.errors import MusicError
from accomp.listen.accepted import melody_kind
from accomp.listen.beat_grid import Counting, SungNote, shifted
from accomp.listen.beats import BeatSettings, check_given
from accomp.listen.notes import NoteSettings, transcribe_notes
from accomp.listen.tidy import without_doubtful
from accomp.listen.transcribe import (
    Click,
    Transcription,
    TranscriptionSettings,
    grid_of,
    on_beats,
)
from accomp.music import timing
from accomp.music.key_signatures import key_of
from accomp.music.keys import Key, parse_key
from accomp.music.melody_track import melody_index, skyline
from accomp.music.melody_turns import with_whole_melody
from accomp.music.midi import read_midi
from accomp.music.notation import read_notation
from accomp.music.score import Score, whole_bars
from accomp.sound.audio_file import Recording, amplified, read_recording

LATER = Range("the move of the bar lines", -1000, 1000, "-1000 to 1000 beats", whole=True)
TRACK = Range("the melody's track", -65_535, 65_535, "a track's number, from 0", whole=True)
PACES = (0.25, 0.5, 1.0, 2.0, 4.0)  # accepted factors of the number of beats


@dataclass(frozen=True)
class Corrections:
    """What the user knows better than the guess; None where the guess is kept.

    Attributes:
        tempo: Beats per minute.
        pace: 0.5 for half as many beats as were guessed, 2 for twice as many; one of PACES.
        meter: Such as (3, 4).
        downbeat: Seconds in a recording at which some bar begins.
        later: Pulses by which the bar lines move later.
        key: Such as "A minor".
        track: The melody's index among the tracks of a file, from 0.
        keep_doubtful: Whether very short notes that may not have been sung stay.
    """

    tempo: float | None = None
    pace: float = 1.0
    meter: tuple[int, int] | None = None
    downbeat: float | None = None
    later: int = 0
    key: str | None = None
    track: int | None = None
    keep_doubtful: bool = False

    def check(self) -> None:
        """Raise MusicError where a value is not of its kind; the ranges depend on the melody."""
        for name, value, accepted in (
            ("tempo", self.tempo, "beats a minute"),
            ("downbeat", self.downbeat, "seconds"),
        ):
            if value is not None:
                check_number(value, f"the {name}", accepted)
        check_number(self.pace, "the pace", "a number such as 0.5 or 2")
        LATER.check(self.later)
        if self.track is not None:
            TRACK.check(self.track)
        if self.key is not None:
            check_text(self.key, "the key", "such as A minor")
        meter = self.meter
        if meter is not None and not (
            isinstance(meter, tuple) and len(meter) == 2 and all(type(n) is int for n in meter)
        ):
            raise MusicError(f"the meter is {shown(meter)}; accepted: such as (3, 4)")
        if not isinstance(self.keep_doubtful, bool):
            found = shown(self.keep_doubtful)
            raise MusicError(f"keep_doubtful is {found}; accepted: True or False")


@dataclass
class SourceMelody:
    """A melody with its key and its beats, guessed or corrected.

    Attributes:
        name: The file's name without its ending.
        score: All tracks; of a recording the melody alone.
        track: The melody's index in `score.tracks`.
        key: Its key.
        recording: The recording, if it is one.
        transcription: The recording's transcription, if it is one.
        gives_chords: Whether the score's chords are given, as those of a lead sheet are.
    """

    name: str
    score: Score
    track: int
    key: Key
    recording: Recording | None = None
    transcription: Transcription | None = None
    gives_chords: bool = False

    @property
    def tempo(self) -> float:
        """Beats per minute: pulses of a recording, quarters of a MIDI file."""
        return (
            self.transcription.grid.tempo if self.transcription else timing.mean_tempo(self.score)
        )

    def __str__(self) -> str:
        """Such as: G major, 96 beats a minute, 4/4, 16 bars."""
        bars = len(whole_bars(self.score, self.score.tracks[self.track])) - 1
        _, numerator, denominator = self.score.meters[0]
        changing = " at first" if len(self.score.meters) > 1 else ""
        length = f"{bars} bar{'s' if bars > 1 else ''}"
        return (
            f"{self.key}, {self.tempo:.0f} beats a minute, "
            f"{numerator}/{denominator}{changing}, {length}"
        )


@dataclass
class Source:
    """A file that holds a melody: a MIDI file's score, or the notes of a recording.

    Attributes:
        name: The file's name without its ending.
        score: The music of a MIDI file or a sheet; None for a recording.
        recording: The recording; None for notes.
        notes: The recording's notes, doubtful ones among them.
        notices: What the user should know of the recording, in words.
        click: The click that the recording was made to.
        gives_chords: Whether the score's chords are given, as those of a lead sheet are.
    """

    name: str
    score: Score | None = None
    recording: Recording | None = None
    notes: list[SungNote] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    click: Click | None = None
    gives_chords: bool = False

    def melody(
        self,
        corrections: Corrections = Corrections(),
        settings: TranscriptionSettings = TranscriptionSettings(),
    ) -> SourceMelody:
        """Find the melody, its key and beats, except where corrections say them.

        settings: how a recording's beats are found.

        Raises:
            MusicError: A correction is out of range.
        """
        corrections.check()
        _check_pace(corrections.pace)
        transcription = None
        if self.score is None:
            transcription = self._transcription(corrections, settings)
            score = transcription.score
        else:
            score = _corrected(self.score, corrections)
            if corrections.track is None:
                score = with_whole_melody(score)
        track = melody_index(score, corrections.track)
        if corrections.key:
            key = parse_key(corrections.key)
        else:
            key = key_of(score, skyline(score.tracks[track].notes))
        return SourceMelody(
            self.name, score, track, key, self.recording, transcription, self.gives_chords
        )

    def countings(
        self,
        corrections: Corrections = Corrections(),
        settings: TranscriptionSettings = TranscriptionSettings(),
    ) -> list[Counting]:
        """Return the likeliest ways of counting a recording, the likeliest first.

        `corrected` makes corrections of one. What was corrected of tempo, meter and bar lines does
        not count, so that the ways stay. There are none of a MIDI file, nor to a click.

        Args:
            corrections: Which say whether doubtful notes count.
            settings: How a recording's beats are found.

        Raises:
            MusicError: A correction is out of range.
        """
        if self.score is not None or self.click:
            return []
        free = Corrections(keep_doubtful=corrections.keep_doubtful)
        grid = self._transcription(free, settings).grid
        return [grid.counting, *grid.others]

    def _transcription(
        self, corrections: Corrections, settings: TranscriptionSettings
    ) -> Transcription:
        notes = self.notes if corrections.keep_doubtful else without_doubtful(self.notes)
        grid = grid_of(
            notes,
            tempo=corrections.tempo,
            pace=corrections.pace,
            downbeat=corrections.downbeat,
            meter=corrections.meter,
            click=self.click,
            settings=settings.beats,
        )
        transcription = on_beats(notes, shifted(grid, corrections.later), settings.places)
        transcription.score.notices[:0] = self.notices
        return transcription


def open_melody(
    path: str | os.PathLike,
    corrections: Corrections = Corrections(),
    click: Click | None = None,
    anyway: bool = False,
) -> SourceMelody:
    """Load a melody from a MIDI file, a sheet (MusicXML, ABC) or a recording of one voice.

    Args:
        path: The file; its content tells which of them it is.
        corrections: What the user knows better than the guess.
        click: The click that a recording was made to.
        anyway: Whether the notes of a recording that seems to be no melody are taken, with a
            notice.

    Raises:
        DoubtError: It is a recording that seems to be no melody, unless `anyway`.
        MusicError: The file is neither, holds no melody, or a correction is out of range.
    """
    return load_source(path, click, anyway=anyway).melody(corrections)


def load_source(
    path: str | os.PathLike,
    click: Click | None = None,
    settings: NoteSettings = NoteSettings(),
    anyway: bool = False,
) -> Source:
    """Read a MIDI file or a sheet (MusicXML, ABC), or transcribe a recording of one voice.

    Args:
        path: The file; its content tells which of them it is.
        click: The click that a recording was made to.
        settings: How notes are found in a recording.
        anyway: Whether the notes of a recording that seems to be no melody are taken, with a
            notice.

    Raises:
        DoubtError: It is a recording that seems to be no melody, unless `anyway`.
        MusicError: The file is neither, or holds no melody.
    """
    name = Path(path).stem
    kind = melody_kind(path)
    if kind == "MIDI":
        return Source(name, read_midi(path))
    if kind == "sheet":
        sheet = read_notation(path)
        return Source(name, sheet, gives_chords=bool(sheet.chords))
    return source_of(read_recording(path), name, click, settings, anyway)


def source_of(
    recording: Recording,
    name: str = "recording",
    click: Click | None = None,
    settings: NoteSettings = NoteSettings(),
    anyway: bool = False,
) -> Source:
    """Transcribe a recording; its samples are not kept, the mix reads the file again.

    Args:
        recording: Of one voice.
        name: Of the melody.
        click: The click that it was made to.
        settings: How notes are found.
        anyway: Whether the notes of what seems to be no melody are taken, with a notice.

    Raises:
        DoubtError: The recording seems to be no melody, unless `anyway`.
        MusicError: The recording holds no melody.
    """
    sound = amplified(recording.mono)
    notes, notices = transcribe_notes(sound, settings, anyway)
    notices = [*recording.notices, *notices]
    recording = replace(recording, mono=recording.mono[:0].copy())
    return Source(name, recording=recording, notes=notes, notices=notices, click=click)


def corrected(corrections: Corrections, counting: Counting) -> Corrections:
    """Return corrections by which a recording is counted in this way."""
    return replace(
        corrections,
        tempo=round(counting.tempo, 1),
        pace=1.0,
        meter=counting.meter,
        downbeat=counting.downbeat,
        later=0,
    )


def check_corrections(corrections: Corrections, settings: BeatSettings = BeatSettings()) -> None:
    """Check corrections of a recording before it is transcribed, which takes long.

    Raises:
        MusicError: A correction is out of range, or for MIDI files.
    """
    _check_pace(corrections.pace)
    check_given(corrections.tempo, corrections.downbeat, corrections.meter, settings)
    if corrections.key:
        parse_key(corrections.key)
    if corrections.track:
        raise MusicError(
            f"melody track {corrections.track} does not exist: a recording has one track, 0"
        )


def _check_pace(pace: float) -> None:
    if pace not in PACES:
        accepted = ", ".join(f"{pace:g}" for pace in PACES)
        raise MusicError(f"the pace is {pace:g}; accepted: {accepted}")


def _corrected(score: Score, corrections: Corrections) -> Score:
    if corrections.downbeat is not None:
        raise MusicError(
            "a downbeat in seconds is for recordings; move the bar lines of a MIDI file by beats"
        )
    if corrections.pace != 1:
        score = timing.renotated(score, corrections.pace)
    if corrections.tempo is not None:
        score = timing.at_tempo(score, corrections.tempo)
    if corrections.meter:
        score = timing.in_meter(score, corrections.meter)
    return timing.bar_lines_later(score, corrections.later) if corrections.later else score
