"""The models that play what the command line asks for."""

from dataclasses import dataclass, replace

from accomp.band.accompanist import Accompanist
from accomp.band.options import SEED, Redo
from accomp.cli.job import Job
from accomp.cli.screen import working
from accomp.music.score import Score


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

    def play(self, melody: Score, job: Job, redo: Redo | None = None) -> Score:
        """Make the song of a melody, or a part of it; `job.options` says how."""
        sketch = self.model.sketch(melody, job.options, redo=redo)
        if job.blend and self.other:
            other = self.other.sketch(melody, job.options, redo=redo, seed=job.blend[1])
            sketch = sketch.blended(other, job.amount)
        return self.model.perform(sketch.explored(job.moves))

    def refill(self, melody: Score, song: Score, job: Job) -> Score:
        """Make anew what the job says of a song, each part with a seed of its own."""
        for number, refill in enumerate(job.refills):
            options = replace(job.options, seed=(job.options.seed + number) % int(SEED.high))
            song = self.model.refill(melody, song, refill, options)
        return song


def _load(genre: str, revision: str | None = None) -> Accompanist:
    with working(f"loading {genre}"):
        return Accompanist.from_pretrained(genre, revision=revision)
