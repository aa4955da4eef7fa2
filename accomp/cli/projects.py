"""Write the song of a project file again, or with changes."""

from dataclasses import replace
from pathlib import Path

from accomp.band.ensembles import Ensemble
from accomp.band.finish import Finish
from accomp.band.options import Options
from accomp.band.other_players import with_players, with_sounds
from accomp.checks import Range
from accomp.cli.band import Band
from accomp.cli.delivery import Delivery, deliver
from accomp.cli.job import Job
from accomp.cli.screen import working
from accomp.listen.source import SourceMelody
from accomp.music.score import Score
from accomp.project.file import read_project
from accomp.project.settings import Settings
from accomp.project.takes import KeptTake


def make_project_song(path: Path, folder: Path, job: Job) -> None:
    """Write the song of a project, as it is or with what the job changes of it.

    Raises:
        MusicError: it is no project with a take, or a change is not accepted.
    """
    project = read_project(path)
    if job.take is not None:
        Range("--take", 1, len(project.letters), whole=True).check(job.take)
        project.shown = job.take - 1
    take = project.take
    melody, made = take.melody, take.made
    print(f"  understood: {melody}")
    earlier = job
    job = _as_project(job, take.settings, melody)
    before = job.options
    ensemble = job.found_ensemble()
    if ensemble:
        job = _with_ensemble(job, ensemble, take, earlier)
    is_new = job.changes_band or bool(job.refills) or ensemble is not None
    if is_new:
        made = _made(take, before, job)
    still = None if is_new else take
    deliver(Delivery(made, melody.score, melody, job, tuple(project.letters), still), folder)


def _made(take: KeptTake, before: Options, job: Job) -> Score:
    """Make the song of a take anew, or what the job changes of it.

    Args:
        take: The take.
        before: How it is made without the job's ensemble.
        job: What is changed.
    """
    band, score, made = Band.load(job), take.melody.score, take.made
    if job.changes_band:
        with working("making the band"):
            made = band.play(score, job)
    elif job.ensemble:
        with working("making who is new"):
            made = with_players(made, before, job.options, lambda redo: band.play(score, job, redo))
    return band.refill(score, made, job)


def _with_ensemble(job: Job, ensemble: Ensemble, take: KeptTake, given: Job) -> Job:
    """Return a job with an ensemble for the song of a project.

    Args:
        job: With the choices of the project.
        ensemble: Who plays.
        take: Of the project.
        given: The job as it was given, whose programs replace the ensemble's.
    """
    finish = with_sounds(Finish(**job.finish), take.made, ensemble)
    programs = {**finish.programs, **given.finish.get("programs", {})}
    options = replace(
        job.options, instruments=ensemble.instruments, second_guitar=ensemble.second_guitar
    )
    return replace(job, options=options, finish={**job.finish, "programs": programs})


def _as_project(job: Job, settings: Settings, melody: SourceMelody) -> Job:
    """Return a job with the choices of a project where it has none of its own."""
    blend = settings.blend
    finish = settings.finish
    return replace(
        job,
        genre=job.genre if job.genre_is_given else settings.genre,
        options=replace(settings.options(melody), **job.asked),
        moves=job.moves or settings.explore,
        blend=job.blend or (blend and (blend.genre, blend.seed)),
        amount=job.amount if job.blend or not blend else blend.amount,
        finish={
            "transpose": finish.transpose,
            "tempo": finish.tempo,
            **job.finish,
            "programs": {**finish.programs, **job.finish.get("programs", {})},
        },
    )
