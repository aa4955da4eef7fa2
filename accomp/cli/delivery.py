"""Finish a song, say what it is, and write all of its files."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from accomp.band.finish import Finish, finished
from accomp.cli.files import write_file, write_song
from accomp.cli.job import Job
from accomp.errors import MusicError
from accomp.listen.source import Corrections, SourceMelody
from accomp.music.chord_text import chord_text
from accomp.music.instruments import program_name
from accomp.music.score import Score, Track
from accomp.project.choices import BAND, Blend
from accomp.project.file import Project, write_project
from accomp.project.kind import ENDING
from accomp.project.settings import Settings
from accomp.project.takes import KeptTake
from accomp.roll.grid import ACCOMPANIMENT, MELODY
from accomp.roll.sounding_names import sounding_name
from accomp.sheet.files import write_lead_sheet


@dataclass(frozen=True)
class Delivery:
    """A song that is made, and what is needed to write it.

    Attributes:
        made: as the band played it.
        score: the melody as the band was given it.
        melody: the melody as it was opened.
        job: what was asked for; its options are those of the band.
        earlier: the takes of the project that it comes from, packed.
        take: the project's take that the song still is, but for its finish; None for a new one.
    """

    made: Score
    score: Score
    melody: SourceMelody
    job: Job
    earlier: tuple[str, ...] = ()
    take: KeptTake | None = None

    @property
    def finish(self) -> Finish:
        """Key, tempo and sounds of the result."""
        return Finish(**self.job.finish)

    @property
    def kept(self) -> KeptTake:
        """The take for a project file. Raises MusicError where a choice is none of a project."""
        if self.take:
            return replace(self.take, settings=self.take.settings.changed(finish=self.finish))
        job, options = self.job, self.job.options
        styles = [(name, weight) for name, weight in options.weighted_styles]
        own = [each for each in styles if not isinstance(each[0], str)]
        given = options.chords if isinstance(options.chords, str) else ""
        blend = job.blend and Blend(job.blend[0] or job.genre, job.blend[1], job.amount)
        name = self.melody.name.encode("utf-8", "replace").decode()  # of files that are not UTF-8
        melody = SourceMelody(
            name,
            self.melody.score,
            self.melody.track,
            self.melody.key,
            gives_chords=given == "melody" or self.melody.gives_chords,
        )
        settings = Settings(
            genre=job.genre,
            seed=options.seed,
            variation=float(options.variation),
            chords="" if given in ("planned", "melody") else given,
            intro=options.intro,
            instruments=tuple(name for name in BAND if name in options.instruments),
            corrections=Corrections(key=str(melody.key)),
            styles=() if own else tuple(styles),  # type: ignore[arg-type]  names
            style_factor=options.style_factor,
            colour=options.colour,
            blend=blend,
            explore=job.moves,
            form=options.form,
            feel=options.feel,
            finish=self.finish,
            second_guitar=options.second_guitar,
        )
        is_spliced = bool(job.refills or (self.earlier and job.ensemble and not job.changes_band))
        again = not (own or is_spliced)
        return KeptTake(settings, melody, self.made, name, again=again)


def deliver(delivery: Delivery, folder: Path) -> None:
    """Print what a song is, and write its files.

    Args:
        delivery: the song.
        folder: is made where it is missing.

    Raises:
        MusicError: a choice is not accepted, or a lead sheet needs a package that is missing.
        OSError: a file cannot be written.
    """
    finish, job = delivery.finish, delivery.job
    song = finished(delivery.made, finish, job.genre)
    describe(song)
    is_moved = bool(finish.transpose) or finish.tempo is not None
    write_song(song, delivery.score, delivery.melody, folder, job, with_recording=not is_moved)
    _write_project(delivery, folder)
    title = titled(delivery.melody.name)
    for path in job.lead_sheets:
        target = folder / path if path.parent == Path() else path
        write_file(target, lambda target: write_lead_sheet(song, target, title, MELODY))


def titled(name: str) -> str:
    """Return a file's name as a title: "ode_to_joy" is "Ode to joy"."""
    words = " ".join(name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def describe(song: Score) -> None:
    """Print notices, chords and who plays."""
    for notice in song.notices:
        print(f"  {notice}")
    if song.chords:
        print("  chords, with the numbers of bars (change them with --chords):")
        text = chord_text(song, song.tracks[MELODY], numbered=True)
        print("    " + text.replace("\n", "\n    "))
    band = [song.tracks[track] for track in ACCOMPANIMENT]
    print(f"  the band: {', '.join(_player(track) for track in band)}")


def _player(track: Track) -> str:
    if not track.notes:
        return f"{track.name} (silent)"
    name = sounding_name(track)
    return name if track.is_drum else f"{name} ({program_name(track.program)})"


def _write_project(delivery: Delivery, folder: Path) -> None:
    try:
        letters = delivery.kept.packed
    except MusicError as error:
        print(f"  no project file: {error}", file=sys.stderr)
        return
    takes = [each for each in delivery.earlier if each != letters]
    project = Project(delivery.kept.settings, [*takes, letters])
    write_file(folder / f"song{ENDING}", lambda path: write_project(project, path))
