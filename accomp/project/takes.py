"""A take as it is kept: a melody, the band's song for it, and how it was made."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from accomp.band.finish import finished
from accomp.checks import check_text
from accomp.errors import MusicError
from accomp.listen.source import SourceMelody
from accomp.music.chord_text import chord_text
from accomp.music.keys import parse_key
from accomp.music.limits import LATEST
from accomp.music.score import Note, Score, Track
from accomp.project.packing import NOT_UNDERSTOOD, Packed, PackLimits, pack, unpack
from accomp.project.plain import to_plain
from accomp.project.settings import Settings, settings_of
from accomp.roll.grid import MELODY, TRACK_NAMES

LONGEST_NAME = 80  # characters of a take's name


@dataclass
class KeptTake:
    """A take that can be shown, played and changed again.

    Attributes:
        settings: How it was made.
        melody: The melody that it is for.
        made: The song as the band played it, in the melody's key and tempo. What is made anew of
            it is made anew of this.
        title: What it is called.
        starred: Whether the user likes it.
        again: Whether its settings and its melody alone make it again.
        band_of: The melody in the song that the band plays to, where it was edited since.
    """

    settings: Settings
    melody: SourceMelody
    made: Score
    title: str = ""
    starred: bool = False
    again: bool = True
    band_of: tuple[Note, ...] | None = None

    @cached_property
    def song(self) -> Score:
        """The song in the key, at the tempo and with the sounds of its settings."""
        return finished(self.made, self.settings.finish, self.settings.genre)

    @property
    def chords(self) -> str:
        """Its chords as text."""
        return chord_text(self.song, self.song.tracks[MELODY])

    @property
    def packed(self) -> str:
        """All of it as letters: in a link, in what a browser keeps and in a project file."""
        about: dict[str, Any] = {
            "settings": to_plain(self.settings, always=("genre", "seed")),
            "key": str(self.melody.key),
            "name": self.melody.name,
            "title": self.title,
            "starred": self.starred,
            "again": self.again,
        }
        if self.melody.gives_chords:
            about["gives_chords"] = True
        if self.band_of is not None:
            about["band_of"] = self.band_of
        return pack(Packed(about, melody_song(self.melody), self.made))

    @classmethod
    def unpacked(cls, letters: str, limits: PackLimits = PackLimits()) -> "KeptTake":
        """Return the take that `packed` describes.

        Of a recording only the notes are left, of a MIDI file only the melody.

        Args:
            letters: What `packed` returned.
            limits: How much is unpacked.

        Raises:
            MusicError: It is something else.
        """
        about, melody, song = unpack(letters, limits)
        kinds = {"settings": dict, "key": str, "name": str, "title": str}
        if not all(isinstance(about.get(name), kind) for name, kind in kinds.items()):
            raise MusicError(NOT_UNDERSTOOD)
        for name in ("name", "title"):
            check_text(about[name], f"the {name} of a take", "text")
        name = "".join(each for each in about["name"] if each not in "/\\:\0")[:LONGEST_NAME]
        gives_chords = about.get("gives_chords") is True and bool(melody.chords)
        return cls(
            settings_of(about["settings"]),
            SourceMelody(
                name or "melody", melody, 0, parse_key(about["key"]), gives_chords=gives_chords
            ),
            song,
            about["title"][:LONGEST_NAME],
            about.get("starred") is True,
            about.get("again") is True,
            _read_notes(about["band_of"]) if "band_of" in about else None,
        )


def _read_notes(found: Any) -> tuple[Note, ...]:
    """Read notes as JSON has them. Raises MusicError."""
    rows: list[Any] = found if isinstance(found, list) else [None]
    for row in rows:
        is_note = isinstance(row, list) and len(row) == len(Note._fields)
        if not is_note or not all(type(value) in (int, float) for value in row):
            raise MusicError(NOT_UNDERSTOOD)
        pitch, onset, duration, velocity = row
        if not (0 <= pitch <= 127 and 0 <= velocity <= 127 and 0 <= onset <= LATEST):
            raise MusicError(NOT_UNDERSTOOD)
        if not 0 <= duration <= LATEST:
            raise MusicError(NOT_UNDERSTOOD)
    return tuple(Note(int(row[0]), float(row[1]), float(row[2]), int(row[3])) for row in rows)


def melody_song(melody: SourceMelody) -> Score:
    """Return a melody as a song of one track, to be shown, played and kept."""
    score, track = melody.score, melody.score.tracks[melody.track]
    piano = Track(TRACK_NAMES[MELODY], 0, False, list(track.notes), list(track.controls))
    return Score(
        [piano],
        score.tempos,
        score.meters,
        score.resolution,
        list(score.chords) if melody.gives_chords else [],
        key_signatures=list(score.key_signatures),
    )
