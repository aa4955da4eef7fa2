"""What the command line asks for, with everything checked that can be before models are loaded."""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from accomp.band.accompanist import Accompanist
from accomp.band.chord_choices import PLANS
from accomp.band.options import SEED, Options
from accomp.band.sketch import AMOUNT, parse_moves
from accomp.band.style_library import load_styles, parse_styles
from accomp.cli.arguments import PACES
from accomp.invention.invent import BARS, MELODY_VARIATION, TEMPO, VARIATION
from accomp.listen.source import Corrections


@dataclass(frozen=True)
class Job:
    """What is made of each melody.

    Attributes:
        genre: name, folder or Hub id of the models.
        revision: of a Hub repository.
        out: the folder for results.
        with_sound: whether sound is wanted.
        options: of the band.
        corrections: of the melodies.
        anyway: whether recordings that seem to be no melody are taken.
        moves: of the finished sketch, by instrument and direction.
        blend: genre ("" for the same) and seed of another band; None without one.
        amount: how far towards it, 0 to 1.
        invent: bars of an invented melody; None where melodies are given.
        go_on: bars by which a melody is continued; None for none.
        melody_variation: noise in the latents of invented bars.
        plans: how many plans of chords are printed; None for none but the band's.
    """

    genre: str
    revision: str | None
    out: Path
    with_sound: bool
    options: Options
    corrections: Corrections
    anyway: bool
    moves: dict[str, dict[str, float]]
    blend: tuple[str, int] | None
    amount: float
    invent: int | None
    go_on: int | None
    melody_variation: float
    plans: int | None = None

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Job":
        """Check the arguments.

        Raises:
            MusicError: one is out of range, or names something unknown.
        """
        job = cls(
            genre=args.genre,
            revision=args.revision,
            out=args.out,
            with_sound=not args.no_audio,
            options=_options(args),
            corrections=_corrections(args),
            anyway=args.anyway,
            moves=parse_moves(args.explore),
            blend=args.blend,
            amount=_given(args.amount, 0.5),
            invent=args.invent,
            go_on=args.go_on,
            melody_variation=_given(args.melody_variation, VARIATION),
            plans=args.plans,
        )
        AMOUNT.check(job.amount, "--amount")
        MELODY_VARIATION.check(job.melody_variation, "--melody-variation")
        if job.plans is not None:
            PLANS.check(job.plans)
        if job.blend:
            SEED.check(job.blend[1], "the seed of --blend")
        for name, bars in (("--invent", job.invent), ("--go-on", job.go_on)):
            if bars is not None:
                BARS.check(bars, f"the number of bars of {name}")
        if job.invent is not None and job.corrections.tempo is not None:
            TEMPO.check(job.corrections.tempo, "--tempo")
        return job

    def check_styles(self, *models: Accompanist) -> None:
        """Check that the styles can be played by the models.

        Raises:
            MusicError: a style's MIDI file has no band beside its melody, or needs other VAEs.
        """
        for model in models:
            load_styles(self.options.weighted_styles, model)


def _options(args: argparse.Namespace) -> Options:
    given: dict[str, Any] = {
        "seed": args.seed,
        "chords": args.chords,
        "colour": args.colour,
        "key": args.key,
        "melody_track": args.melody_track,
        "intro": args.intro,
        "variation": args.variation,
        "styles": None if args.style is None else parse_styles(args.style),
        "style_factor": args.style_factor,
        "form": not args.no_form,
        "feel": not args.no_feel,
    }
    return Options(**{name: value for name, value in given.items() if value is not None})


def _corrections(args: argparse.Namespace) -> Corrections:
    corrections = Corrections(
        meter=args.meter,
        downbeat=args.downbeat,
        later=args.later or 0,
        key=args.key,
        track=args.melody_track,
        keep_doubtful=args.keep_doubtful,
    )
    if args.tempo in PACES:
        return replace(corrections, pace=PACES[args.tempo])
    return replace(corrections, tempo=args.tempo)


def _given(value: float | None, default: float) -> float:
    return default if value is None else value
