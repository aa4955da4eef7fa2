"""Make a song of each melody, and say what was understood and who plays."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from accomp.band.accompanist import Accompanist
from accomp.cli.files import sound_is_ready, write_melody, write_song
from accomp.cli.inputs import Given, shown_path
from accomp.cli.job import Job
from accomp.cli.screen import Failures, working
from accomp.invention.invent import continue_melody, invent
from accomp.listen.accepted import melody_kind
from accomp.listen.source import SourceMelody, check_corrections, open_melody
from accomp.music.chord_text import chord_text
from accomp.music.instruments import program_name
from accomp.music.melody_track import melody_index
from accomp.music.score import Score, Track
from accomp.roll.grid import ACCOMPANIMENT, MELODY


@dataclass(frozen=True)
class Band:
    """The models that play.

    Attributes:
        model: of the genre.
        other: of the band to blend with; None without one.
    """

    model: Accompanist
    other: Accompanist | None

    @classmethod
    def load(cls, job: Job) -> "Band":
        """Load the models, and check that they can play the styles.

        Raises:
            MusicError: there are no such models, or they cannot play a style.
        """
        model = _load(job.genre, job.revision)
        if not job.blend:
            other = None
        else:
            other = _load(job.blend[0]) if job.blend[0] else model
        job.check_styles(*filter(None, (model, other)))
        return cls(model, other)

    def play(self, melody: Score, job: Job) -> Score:
        """Make the song of a melody; `job.options` says how."""
        sketch = self.model.sketch(melody, job.options)
        if job.blend and self.other:
            other = self.other.sketch(melody, job.options, seed=job.blend[1])
            sketch = sketch.blended(other, job.amount)
        return self.model.perform(sketch.explored(job.moves))


def make_songs(job: Job, given: list[Given], failures: Failures) -> None:
    """Make and write a song of each melody, or of an invented one.

    Args:
        job: what is made of each melody.
        given: the melodies; none where one is invented.
        failures: counts the songs that could not be made.

    Raises:
        MusicError: an argument is wrong. No song was begun.
    """
    melodies = _open_notes(given, job, failures)
    if given and not melodies:
        return
    band = Band.load(job)
    print(_summary(band, job))
    if job.with_sound and not sound_is_ready():
        job = replace(job, with_sound=False)
    if job.invent is not None:
        folder = job.out / f"invented_{band.model.config.genre}_{job.options.seed}"
        with failures.told(folder):
            print(f"an invented melody -> {folder}")
            _make_song(_invented(band.model, folder, job), folder, band, job)
    taken: set[Path] = set()
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
        song = band.play(score, job)
    _describe(song)
    write_song(song, score, melody, folder, job)


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


def _describe(song: Score) -> None:
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
    return track.name if track.is_drum else f"{track.name} ({program_name(track.program)})"


def _summary(band: Band, job: Job) -> str:
    text = f"genre: {_name(band.model)}, seed {job.options.seed}"
    if job.blend and band.other:
        text += f", {job.amount:g} of the way to {_name(band.other)}, seed {job.blend[1]}"
    return text


def _name(model: Accompanist) -> str:
    """Name a model's genre, and where it is from if that is somewhere else."""
    genre, source = model.config.genre, str(model.source)
    return genre if source == genre else f"{genre} ({source})"


def _load(genre: str, revision: str | None = None) -> Accompanist:
    with working(f"loading {genre}"):
        return Accompanist.from_pretrained(genre, revision=revision)


def _folder(out: Path, name: str, taken: set[Path]) -> Path:
    """Return a folder in `out` of this name; a second of that name gets a number."""
    folder, number = out / name, 2
    while folder in taken:
        folder, number = out / f"{name}_{number}", number + 1
    taken.add(folder)
    return folder
