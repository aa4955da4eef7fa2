"""Write the song of a project file again, or with changes."""

from dataclasses import replace
from pathlib import Path

from accomp.checks import Range
from accomp.cli.band import Band
from accomp.cli.delivery import Delivery, deliver
from accomp.cli.job import Job
from accomp.cli.screen import working
from accomp.listen.source import SourceMelody
from accomp.project.file import read_project
from accomp.project.settings import Settings


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
    job = _as_project(job, take.settings, melody)
    is_new = job.changes_band or bool(job.refills)
    if is_new:
        band = Band.load(job)
        if job.changes_band:
            with working("making the band"):
                made = band.play(melody.score, job)
        made = band.refill(melody.score, made, job)
    still = None if is_new else take
    deliver(Delivery(made, melody.score, melody, job, tuple(project.letters), still), folder)


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
