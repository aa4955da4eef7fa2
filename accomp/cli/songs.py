"""Make a song of each melody, and say what was understood and who plays."""

import math
from dataclasses import replace
from pathlib import Path

from accomp.band.accompanist import Accompanist
from accomp.cli.band import Band
from accomp.cli.delivery import Delivery, deliver
from accomp.cli.files import sound_is_ready, write_melody
from accomp.cli.inputs import Given, shown_path
from accomp.cli.job import Job
from accomp.cli.projects import make_project_song
from accomp.cli.screen import Failures, working
from accomp.invention.invent import continue_melody, invent
from accomp.listen.accepted import melody_kind
from accomp.listen.source import SourceMelody, check_corrections, open_melody
from accomp.music.chord_text import chord_text
from accomp.music.melody_track import melody_index
from accomp.music.score import Score
from accomp.project.kind import is_project


def make_songs(job: Job, given: list[Given], failures: Failures) -> None:
    """Make and write a song of each melody, or of an invented one.

    Args:
        job: what is made of each melody.
        given: the melodies; none where one is invented.
        failures: counts the songs that could not be made.

    Raises:
        MusicError: an argument is wrong. No song was begun.
    """
    projects = [each for each in given if is_project(each.path)]
    melodies = _open_notes([each for each in given if each not in projects], job, failures)
    taken: set[Path] = set()
    for each in projects:
        folder = _folder(job.out, each.name, taken)
        with failures.told(each.shown):
            print(f"{each.shown} -> {shown_path(folder)}", flush=True)
            make_project_song(each.path, folder, job)
    if given and not melodies:
        return
    job = job.with_ensemble()
    band = Band.load(job)
    print(_summary(band, job))
    if job.with_sound and not sound_is_ready():
        job = replace(job, with_sound=False)
    if job.invent is not None:
        folder = job.out / f"invented_{band.model.config.genre}_{job.options.seed}"
        with failures.told(folder):
            print(f"an invented melody -> {folder}")
            _make_song(_invented(band.model, folder, job), folder, band, job)
    for each, melody in melodies.items():
        folder = _folder(job.out, each.name, taken)
        with failures.told(each.shown):
            print(f"{each.shown} -> {shown_path(folder)}", flush=True)
            _make_song(melody or _transcribed(each, job), folder, band, job)


def _open_notes(
    given: list[Given], job: Job, failures: Failures
) -> dict[Given, SourceMelody | None]:
    """Open the files of notes and check all corrections; None stands for a recording.

    A file that cannot be opened, or does not accept the corrections, is reported and left out.
    """
    melodies: dict[Given, SourceMelody | None] = {}
    for each in given:
        with failures.told(each.shown):
            if melody_kind(each.path) == "recording":
                check_corrections(job.corrections)
                melodies[each] = None
            else:
                melodies[each] = open_melody(each.path, job.corrections)
    return melodies


def _transcribed(given: Given, job: Job) -> SourceMelody:
    with working(f"listening to {Path(given.shown).name}"):
        return open_melody(given.path, job.corrections, anyway=job.anyway)


def _invented(model: Accompanist, folder: Path, job: Job) -> SourceMelody:
    melody = invent(
        model,
        job.invent or 0,
        job.options.seed,
        job.melody_variation,
        key=job.corrections.key,
        tempo=job.corrections.tempo,
    )
    return open_melody(write_melody(melody, folder), job.corrections)


def _make_song(melody: SourceMelody, folder: Path, band: Band, job: Job) -> None:
    """Make a song, say what it is, and write its files."""
    more = f", and {job.go_on} bars more" if job.go_on else ""
    print(f"  understood: {melody}{more}")
    for line in _other_countings(melody):
        print(f"    or {line}")
    score, options = melody.score, job.options
    if job.go_on is not None:
        score = continue_melody(
            band.model, score, job.go_on, options.seed, job.melody_variation, options=options
        )
        options = replace(options, melody_track=None)
    is_made = job.go_on is not None or job.invent is not None
    if is_made or melody.gives_chords and options.chords == "planned":
        options = replace(options, chords="melody")
    job = replace(job, options=replace(options, key=melody.key))
    if job.plans and job.options.chords == "planned":
        _print_plans(score, band.model, job)
    with working("making the band"):
        made = band.refill(score, band.play(score, job), job)
    if job.go_on is not None:
        melody = replace(
            melody, score=score, track=melody_index(score), transcription=None, recording=None
        )
    deliver(Delivery(made, score, melody, job), folder)


def _other_countings(melody: SourceMelody, same_tempo: float = 1.04) -> list[str]:
    """Return other ways of counting a recording, each with the options that choose it.

    Args:
        melody: A MIDI file's has none.
        same_tempo: Factor within which a tempo need not be said.
    """
    if melody.transcription is None:
        return []
    lines = []
    for other in melody.transcription.grid.others:
        meter = "/".join(map(str, other.meter))
        options = f"--meter {meter} --downbeat {other.downbeat:.2f}"
        if abs(math.log(other.tempo / melody.tempo)) > math.log(same_tempo):
            options += f" --tempo {other.tempo:.0f}"
        lines.append(f"{other} ({other.likely:.0%}): {options}")
    return lines


def _print_plans(score: Score, model: Accompanist, job: Job) -> None:
    """Print several plans of chords, which --chords takes."""
    melody = score.tracks[melody_index(score, job.options.melody_track)]
    for number, plan in enumerate(model.plans(score, job.options, n=job.plans or 1), 1):
        print(f"  plan {number} (expected agreement {plan.agreement:.0%}):")
        text = chord_text(replace(score, chords=list(plan.chords)), melody)
        print("    " + text.replace("\n", "\n    "))


def _summary(band: Band, job: Job) -> str:
    text = f"genre: {_name(band.model)}, seed {job.options.seed}"
    if job.blend and band.other:
        text += f", {job.amount:g} of the way to {_name(band.other)}, seed {job.blend[1]}"
    return text


def _name(model: Accompanist) -> str:
    """Name a model's genre, and where it is from if that is somewhere else."""
    genre, source = model.config.genre, str(model.source)
    return genre if source == genre else f"{genre} ({source})"


def _folder(out: Path, name: str, taken: set[Path]) -> Path:
    """Return a folder in `out` of this name; a second of that name gets a number."""
    folder, number = out / name, 2
    while folder in taken:
        folder, number = out / f"{name}_{number}", number + 1
    taken.add(folder)
    return folder
