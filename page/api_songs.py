"""The page's calls for programs that take a song further: change it, write it down, keep it."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

from accomp.band.ensembles import find_ensemble
from accomp.band.finish import Finish, parse_program
from accomp.band.options import Redo
from accomp.band.other_players import with_players, with_sounds
from accomp.band.refill import Refill, parse_chord, parse_refill
from accomp.checks import read_number, shown
from accomp.errors import AudioUnavailable, MusicError
from accomp.listen.accepted import melody_kind
from accomp.listen.source import load_source
from accomp.music.score import Score
from accomp.project.choices import BAND, SEED
from accomp.project.file import read_project
from accomp.project.kind import is_project
from accomp.project.takes import KeptTake
from accomp.sheet.files import WRITERS, write_lead_sheet
from page import api, models, sound, studio
from page.files import new_folder
from page.messages import errors_shown, for_programs, warn
from page.studio import Take

NO_SONG = "there is no song; accepted: a project file, and for a lead sheet also MIDI and MusicXML"


def project(*given: Any) -> tuple[str, str]:
    """Give a melody a band, and return the project file, which change and the page open.

    Its arguments are those of accompany.

    Returns:
        project: The path of a project file (JSON) with the melody, the song and all choices.
        MIDI: The path of a MIDI file with the melody and the band.
    """
    with for_programs():
        take = api.take_of(*given)
        return _project_file(take), str(take.files[0])


project.__signature__ = inspect.signature(api.accompany)  # type: ignore[attr-defined]  as stems
project.__doc__ = (project.__doc__ or "").replace(
    "    Its arguments are those of accompany.\n",
    (api.accompany.__doc__ or "").partition("\n\n")[2].partition("\n\n")[0] + "\n",
)


def change(
    song: str | None,
    chord: list[str] | None = None,
    redo: list[str] | None = None,
    transpose: int | None = None,
    tempo: float | None = None,
    program: list[str] | None = None,
    ensemble: str = "",
) -> tuple[str | None, str, str, str, str]:
    """Change a song of a project file, and leave the rest of it as it is.

    Args:
        song: A project file, as project or the page returned it.
        chord: Other chords for bars, such as "5: Dm7 G7" or "5-6: Dm7 | G7"; these bars are made
            anew.
        redo: What is made anew: players and bars, such as bass:9-12, drums:5 or
            guitar+strings:1-4:busy=0.8:high=0.2 (busy and high go from 0 to 1), or all:1-4.
        transpose: Semitones that the result sounds higher than the melody, -12 to 12.
        tempo: Of the result in quarters a minute.
        program: Other General MIDI sounds that fit a part, such as guitar=27 or piano=flute; the
            piano is the melody.
        ensemble: Other players, as songs of the genre have them, such as "two guitars, no strings";
            who stays plays the same. Empty for those that play.

    Returns:
        sound: The path of a WAV file; None without FluidSynth.
        picture: The path of a PNG file.
        MIDI: The path of a MIDI file with the melody and the band.
        chords that are played: As text, four bars a line.
        project: The path of the changed project file.
    """
    with for_programs():
        with errors_shown():
            kept = _opened(song)
            refills = [*map(parse_chord, _texts(chord)), *map(parse_refill, _texts(redo))]
            kept = _with_ensemble(kept, str(ensemble or "").strip())
            finish = _finish(kept.settings.finish, transpose, tempo, _texts(program))
        made = _refilled(kept, refills)
        with errors_shown():
            take = _take(kept, made, finish, is_new=bool(refills))
        try:
            path = str(sound.write_mix(take, sound.WHOLE, "wav"))
        except AudioUnavailable as error:
            warn(str(error))
            path = None
        return path, str(sound.draw(take)), str(take.files[0]), take.chords, _project_file(take)


def lead_sheet(song: str | None, kind: str = "pdf", title: str = "") -> str:
    """Write the melody of a song with its chord symbols as a lead sheet.

    Args:
        song: A project file, or a MIDI or MusicXML file; the chords of a MIDI file are its markers.
        kind: musicxml, mxl, pdf, png or svg.
        title: Above the music; the melody's name where it is empty.

    Returns:
        lead sheet: The path of the file.
    """
    with for_programs(), errors_shown():
        ending = f".{str(kind).lower().removeprefix('.')}"
        if ending not in WRITERS:
            accepted = ", ".join(each[1:] for each in WRITERS)
            raise MusicError(f"the kind is {shown(kind, repr)}; accepted: {accepted}")
        score, track, name = _song(song)
        path = new_folder() / f"{name}{ending}"
        write_lead_sheet(score, path, str(title or name), track)
        return str(path)


def _song(song: str | None) -> tuple[Score, int | None, str]:
    """Return what a file holds, the melody's track if that is known, and a name."""
    if not song:
        raise MusicError(NO_SONG)
    path = Path(song)
    if is_project(path):
        kept = _opened(song)
        return kept.song, None, kept.melody.name
    if melody_kind(path) == "recording":
        raise MusicError("a recording has no chords; accepted: project, MIDI and MusicXML files")
    source = load_source(path)
    assert source.score
    return source.score, None, source.name


def _opened(song: str | None) -> KeptTake:
    """Return the take that a project shows. Raises MusicError."""
    if not song:
        raise MusicError(NO_SONG)
    return read_project(song).take


def _with_ensemble(kept: KeptTake, name: str) -> KeptTake:
    """Return a take with other players, by the name of an ensemble of its genre. Raises MusicError.

    Args:
        kept: The take.
        name: Of the ensemble; empty for those that play.
    """
    if not name:
        return kept
    settings, score = kept.settings, kept.melody.score
    ensemble = find_ensemble(settings.genre, name)
    after = settings.changed(
        instruments=tuple(each for each in BAND if each in ensemble.instruments),
        second_guitar=ensemble.second_guitar,
        finish=with_sounds(settings.finish, kept.made, ensemble),
    )
    before, options = settings.options(kept.melody), after.options(kept.melody)

    def play(redo: Redo) -> Score:
        models.check_genre(after.genre)
        return models.play(after.genre, score, options, redo, after.blend, after.explore)

    made = with_players(kept.made, before, options, play)
    return replace(kept, settings=after, made=made, again=False)


def _refilled(kept: KeptTake, refills: list[Refill]) -> Score:
    """Make parts of a song anew, one after another."""
    made = kept.made
    if not refills:
        return made
    models.check_genre(kept.settings.genre)
    with errors_shown():
        options = kept.settings.options(kept.melody)
    for number, each in enumerate(refills, 1):
        seed = (options.seed + number) % int(SEED.high) if each.seed is None else each.seed
        each = replace(each, seed=seed)
        made = models.refill(kept.settings.genre, kept.melody.score, made, each, options)
    return made


def _take(kept: KeptTake, made: Score, finish: Finish, is_new: bool) -> Take:
    settings = kept.settings.changed(finish=finish)
    take = Take(
        *(1, settings, kept.melody, made, new_folder()),
        is_retake=is_new or not kept.again,
        title=kept.title,
    )
    studio.write_notes(take)
    return take


def _finish(before: Finish, transpose: Any, tempo: Any, programs: list[str]) -> Finish:
    """Return the finish that a program asks for; what it leaves out stays. Raises MusicError."""
    return replace(
        before,
        transpose=before.transpose if transpose is None else api.whole(transpose, "transpose"),
        tempo=before.tempo if tempo is None else read_number(str(tempo), "tempo"),
        programs={**before.programs, **dict(map(parse_program, programs))},
    )


def _texts(found: Any) -> list[str]:
    """Return a list of texts; one text alone is one, too. Raises MusicError."""
    texts = [found] if isinstance(found, str) else found or []
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise MusicError(f"{shown(found, repr)} is not understood; accepted: a list of texts")
    return [each for each in texts if each.strip()]


def _project_file(take: Take) -> str:
    """Return the path of a take's project file."""
    return str(next(file for file in take.files if file.suffix == ".json"))
