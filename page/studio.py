"""Takes: the bands that the page makes for melodies, with their MIDI files. No widgets."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from accomp.band.finish import Finish, finished
from accomp.band.options import Options, Redo
from accomp.errors import MusicError
from accomp.listen.beat_grid import SungNote
from accomp.listen.source import Corrections, Source, SourceMelody
from accomp.music.chord_text import chord_text
from accomp.music.keys import Key
from accomp.music.midi import write_midi
from accomp.music.score import Note, Score, first_bar_number
from accomp.project.choices import Blend
from accomp.project.file import Project, write_project
from accomp.project.settings import Settings
from accomp.project.takes import KeptTake, melody_song
from accomp.roll.grid import MELODY, STRINGS, TRACK_NAMES
from accomp.roll.sounding_names import by_sound, is_second_guitar, sounding_names
from accomp.sheet.files import write_lead_sheet
from page import chord_edits, melody_edits, naming
from page.files import new_folder
from page.limits import LIMITS
from page.player import VOICE, Editing, Voice, editable, live, view_of
from page.words import say

OCTAVE = 12  # semitones
LEAD = TRACK_NAMES[MELODY]  # the part that plays the melody


class Play(Protocol):
    """Give a melody a band; page.models.play does."""

    def __call__(  # noqa: D102
        self,
        genre: str,
        score: Score,
        options: Options,
        redo: Redo | None = None,
        blend: Blend | None = None,
        explore: Mapping[str, Mapping[str, float]] | None = None,
        /,
    ) -> Score: ...


@dataclass
class Take:
    """A song as it was made, and its files as far as they are there.

    Attributes:
        number: Counted from 1.
        settings: How it was made.
        melody: The melody that it is for.
        song: The music as it was made, before `settings.finish`.
        folder: Where its files are.
        sounds: Rendered sound by track, for a browser that can't play live; None while it is
            missing, empty where there can be none.
        is_retake: Whether a part of an earlier take is in it, so that its settings alone don't
            make it again.
        style: The visitor's own song in whose style it is.
        is_shown: Whether the visitor looks at it.
        files: Its MIDI file, and the file that brings it back.
        kept: Files for download that were made, by kind of page.keeping.
        title: What it is called, by the page or by the visitor.
        starred: Whether the visitor likes it.
        band_of: The melody in its song that the band plays to, where it was edited since.
        is_edit: Whether it came of an edit of another take.
        is_step: Whether it is such a one and was edited further: the list leaves it out.
        ids: By which players knew it before it was given out otherwise.
    """

    number: int
    settings: Settings
    melody: SourceMelody
    song: Score
    folder: Path
    sounds: dict[str, Path] | None = None
    is_retake: bool = False
    style: Path | None = None
    is_shown: bool = False
    files: list[Path] = field(default_factory=list)
    kept: dict[str, Path] = field(default_factory=dict)
    title: str = ""
    starred: bool = False
    band_of: tuple[Note, ...] | None = None
    is_edit: bool = False
    is_step: bool = False
    ids: set[str] = field(default_factory=set, init=False)

    @property
    def stale(self) -> list[int]:
        """The bars, counted from 1, in which the band plays to the melody before an edit."""
        if self.band_of is None:
            return []
        return melody_edits.changed_bars(self.song, self.band_of, self.song.tracks[MELODY].notes)

    @property
    def label(self) -> str:
        """What it is called."""
        return self.title or naming.named(self.melody.name, self.settings, ())

    @property
    def detail(self) -> str:
        """What tells it from others of its name."""
        bars = len(self.song.bars(self.song.end))
        words = [say("seed {seed}, {bars} bars", seed=self.settings.seed, bars=bars)]
        return ", ".join([*words, *naming.finishes(self.settings.finish)])

    @property
    def name(self) -> str:
        """Name of its files without ending: melody, genre, seed, and what else is special."""
        made, blend = self.settings, self.settings.blend
        melody = self.melody.name.encode()[: LIMITS.name_bytes].decode(errors="ignore")
        parts = [melody, made.genre, made.seed]
        parts += [blend.genre, blend.seed, f"{blend.amount:g}"] if blend else []
        parts += ["own_style"] if self.style else [name for name, _ in made.styles]
        parts += [f"{name}_moved" for name in made.explore]
        if steps := made.finish.transpose:
            parts.append(f"{'up' if steps > 0 else 'down'}{abs(steps)}")
        parts += [f"{made.finish.tempo:g}bpm"] if made.finish.tempo else []
        return "_".join(map(str, parts))

    @property
    def has_settings(self) -> bool:
        """Whether its settings alone make it again, with its melody."""
        return not self.is_retake and self.style is None

    @property
    def is_remade_by_settings(self) -> bool:
        """Whether its settings make it again without any file: its melody is in them, too."""
        return self.has_settings and bool(self.settings.melody or self.settings.invented)

    @property
    def packed(self) -> str:
        """All that is needed to show, play and change it again, as letters of a link."""
        kept = KeptTake(
            *(self.settings, self.melody, self.song),
            *(self.label, self.starred, self.has_settings),
            band_of=self.band_of if self.stale else None,
        )
        return kept.packed

    @property
    def address(self) -> str:
        """What a link to it has after the page's own address, from the question mark on."""
        query = f"?{self.settings.to_address()}" if self.has_settings else ""
        return query if self.is_remade_by_settings else f"{query}#take={self.packed}"

    @property
    def heard(self) -> Score:
        """The music as it is given out: what the player plays and all files hold."""
        return finished(self.song, self.settings.finish, self.settings.genre)

    def _as_written(self) -> tuple[Score, dict[str, list[int]]]:
        """Return the song at its own pitches and tempo with the sounds and levels of `heard`.

        Also returns, by track, how many octaves each note is heard higher than the transposition
        says: a player stays in the range of the instrument.
        """
        finish = self.settings.finish
        heard = finished(self.song, replace(finish, tempo=None), self.settings.genre)
        pairs = list(zip(self.song.tracks, heard.tracks))
        tracks = [
            replace(track, program=other.program, controls=other.controls) for track, other in pairs
        ]
        octaves = {
            track.name: [
                (high.pitch - note.pitch - finish.transpose) // OCTAVE
                for note, high in zip(track.notes, other.notes)
            ]
            for track, other in pairs
            if not track.is_drum and other.notes is not track.notes
        }
        return replace(self.song, tracks=tracks), octaves

    def is_in_player(self, name: Any) -> bool:
        """Tell whether a player that names its song so shows this take, also as it was before."""
        return name in self.ids or name == self.view()["id"]

    def give_out(self, finish: Finish) -> None:
        """Give it another tempo, key or sounds; what was made of it before is made again."""
        if finish != self.settings.finish:
            self.ids.add(self.view()["id"])
            self.settings = self.settings.changed(finish=finish)
            self.folder, self.sounds = new_folder(), None
            write_notes(self)

    @property
    def chords(self) -> str:
        """Its chords as text."""
        heard = self.heard
        return chord_text(heard, heard.tracks[MELODY])

    @property
    def is_there(self) -> bool:
        """Whether its files are there: they go away after a while."""
        return self.folder.is_dir()

    def view(self, voice: Path | None = None, play: bool = False, turn: int = 0) -> dict[str, Any]:
        """Return what the player shows of it.

        It plays the song as it was made in another tempo and key by itself; to rendered sound the
        song is shown as that sounds, and can't be edited then.

        Args:
            voice: The file of its melody's recording.
            play: Whether it is heard at once.
            turn: The browser's number of the edit that led to it; 0 for none.
        """
        finish = self.settings.finish
        is_live = self.sounds is None and not live.fault()
        song, octaves = self._as_written() if is_live else (self.heard, None)
        found = self.melody.transcription if is_live or fits_recording(finish) else None
        start = found.start_of(self.song) if found else 0.0
        view = view_of(
            song,
            title=self.label,
            sung=found and _from_second(start, found.notes),
            voice=Voice(voice, -start) if voice else None,
            stems=self.sounds,
            play=play,
            octaves=octaves,
        )
        view |= given_out(finish if is_live else Finish(), self.melody.key)
        if not is_live and finish != Finish():
            return view
        places = chord_edits.places(self.song) if self.song.chords else ()
        family = melody_edits.family(self.melody)
        return view | editable(self.song, Editing(turn, self.stale, places, family))


@dataclass(frozen=True)
class Remake:
    """Which part of an earlier take is made again.

    Attributes:
        base: The earlier take.
        keep: Names of tracks that stay.
        bars: First and last bar, counted from 1 in its song, outside of which everything stays;
            None to make all bars again.
    """

    base: Take
    keep: Collection[str] = ()
    bars: tuple[int, int] | None = None

    def redo(self, instruments: Collection[str]) -> Redo | None:
        """Return this for the library, None where nothing stays.

        Raises:
            MusicError: All `instruments` stay.
        """
        if not self.keep and not self.bars:
            return None
        kept = set(self.keep) - {TRACK_NAMES[MELODY], VOICE}
        if kept >= set(instruments):
            raise MusicError(
                "nothing can change: every instrument that plays is locked, or none plays"
            )
        span = span_of(self.base.song, self.bars) if self.bars else None
        return Redo(self.base.song, kept, span)

    def words(self, playing: Collection[str]) -> str:
        """Say what is made again, such as: bars 3–4 anew, drums kept."""
        bars = self.bars
        second = is_second_guitar(self.base.song.tracks[STRINGS])
        if bars:
            song = self.base.song
            before = first_bar_number(song.bars(song.end), song.tracks[MELODY].start) - 1
            bars = (bars[0] + before, bars[1] + before)
        return naming.remade(self.keep, playing, bars, second)


def make(
    play: Play,
    melody: SourceMelody,
    settings: Settings,
    takes: list[Take],
    remake: Remake | None = None,
    style: Path | None = None,
) -> Take:
    """Make a take with its MIDI file.

    Args:
        play: Makes the music.
        melody: The melody, with the settings' corrections.
        settings: How the take is made.
        takes: The earlier takes, by which it is numbered.
        remake: Which part of an earlier take is made again.
        style: A song of the visitor's, in place of built-in styles.

    Raises:
        MusicError: A setting is not accepted, or nothing can change.
    """
    redo = remake.redo(settings.instruments) if remake else None
    options = settings.options(melody, style)
    song = play(settings.genre, melody.score, options, redo, settings.blend, settings.explore)
    number = takes[-1].number + 1 if takes else 1
    differs = [remake.words(settings.instruments)] if remake else []
    if style:
        differs.append(say("like {style}", style=style.stem))
    take = Take(
        number,
        settings,
        melody,
        song,
        new_folder(),
        is_retake=redo is not None,
        style=style,
        title=naming.named(
            melody.name, settings, [each.label for each in takes], [*filter(None, differs)]
        ),
    )
    write_notes(take)
    return take


def span_of(song: Score, bars: tuple[int, int]) -> tuple[float, float]:
    """Return the beats from the first to the end of the last of two bars, counted from 1."""
    found = song.bars(song.end)
    lines = [*(bar.onset for bar in found), found[-1].onset + found[-1].meter.bar_beats]
    return lines[min(bars[0], len(found)) - 1], lines[min(bars[1], len(found))]


def find(takes: list[Take], number: int | None) -> Take | None:
    """Return a take by its number; its notes are written again where its files went away."""
    take = next((take for take in takes if take.number == number), None)
    if take and not take.is_there:
        take.folder, take.sounds = new_folder(), None
        write_notes(take)
    return take


def lead_notes(melody: SourceMelody) -> list[Note]:
    """Return the notes of a melody's track."""
    return melody.score.tracks[melody.track].notes


def last_seed(takes: list[Take]) -> int:
    """Return the largest seed of some takes."""
    return max(take.settings.seed for take in takes)


def named_recording(path: str) -> str:
    """Copy a recording made in the page to a name that its takes can have.

    The copy goes away with them.
    """
    return str(shutil.copyfile(path, new_folder() / f"my_melody{Path(path).suffix}"))


def melody_view(
    melody: SourceMelody,
    finish: Finish = Finish(),
    stems: dict[str, Path] | None = None,
    voice: Path | None = None,
    turn: int = 0,
) -> dict[str, Any]:
    """Return what the player shows of a melody, with the recording's notes, if it is one.

    Args:
        melody: The melody.
        finish: In which tempo, key and sound it is played.
        stems: Its rendered sound by track, for a browser that can't play live.
        voice: The file of its recording.
        turn: The browser's number of the edit that led to it; 0 for none.
    """
    found, song = melody.transcription, melody_song(melody)
    start = found.start if found else 0.0
    for track in song.tracks:
        track.program = finish.programs.get(track.name, track.program)
    view = view_of(
        song,
        title=naming.title(melody.name),
        sung=found and _from_second(start, found.notes),
        voice=Voice(voice, -start) if voice else None,
        stems=stems,
    )
    editing = Editing(turn, family=melody_edits.family(melody))
    return view | given_out(finish, melody.key) | editable(song, editing)


def fits_recording(finish: Finish) -> bool:
    """Tell whether a recording can be heard with what is given out so: in its own tempo and key."""
    return finish.transpose == 0 and finish.tempo is None


def given_out(finish: Finish, key: Key) -> dict[str, Any]:
    """Return the part of a player's view that says in which tempo and key it plays."""
    return {"finish": {"tempo": finish.tempo, "transpose": finish.transpose, "key": list(key)}}


def _from_second(start: float, notes: list[SungNote]) -> list[SungNote]:
    """Return the notes of a recording in seconds from `start` on."""
    return [note._replace(onset=note.onset - start, offset=note.offset - start) for note in notes]


def unpacked(letters: str, number: int) -> Take:
    """Return the take that `Take.packed` describes.

    Of a recording only the notes are left, of a MIDI file only the melody.

    Args:
        letters: What `Take.packed` returned.
        number: Of the take.

    Raises:
        MusicError: It is something else.
    """
    kept = KeptTake.unpacked(letters)
    take = Take(
        *(number, kept.settings, kept.melody, kept.made, new_folder()),
        is_retake=not kept.again,
        title=kept.title,
        starred=kept.starred,
        band_of=kept.band_of,
    )
    write_notes(take)
    return take


def packed_melody(melody: SourceMelody, settings: Settings) -> str:
    """Return a melody without a band as letters that `unpacked` takes for a take of it alone."""
    return Take(0, settings, melody, melody_song(melody), Path()).packed


def source_of(take: Take) -> tuple[Source, Settings]:
    """Return the melody of a take as if its file had been opened, and the settings for it.

    The melody is as it was corrected, so that the settings have no correction but the key.
    """
    settings = take.settings.changed(
        melody="", invented=None, continued=(), corrections=Corrections(key=str(take.melody.key))
    )
    source = Source(
        take.melody.name, melody_song(take.melody), gives_chords=take.melody.gives_chords
    )
    return source, settings


def write_notes(take: Take) -> None:
    """Write the MIDI file of a take, and the file that brings it back."""
    midi, settings = take.folder / f"{take.name}.mid", take.folder / f"{take.name}.json"
    write_midi(by_sound(take.heard), midi)
    write_project(Project(take.settings, [take.packed]), settings)
    take.files, take.kept = [midi, settings], {}


def write_sheet(take: Take, ending: str) -> Path:
    """Write the lead sheet of a take, melody and chord symbols, unless it is there.

    Raises:
        MusicError: A package that draws it is missing.
    """
    path = take.folder / f"{take.name}_lead_sheet.{ending}"
    if not path.is_file():
        write_lead_sheet(take.heard, path, naming.title(take.melody.name), MELODY)
    return path


def write_part(take: Take, name: str) -> Path:
    """Write one track of a take as a MIDI file, with its tempo, metre and chords.

    Args:
        take: The take.
        name: Of the part; the file is named by what sounds.
    """
    heard = take.heard
    path = take.folder / f"{take.name}_{sounding_names(heard)[name]}.mid"
    if not path.is_file():
        named = by_sound(heard).tracks
        tracks = [new for new, old in zip(named, heard.tracks) if old.name == name]
        write_midi(replace(heard, tracks=tracks), path)
    return path
