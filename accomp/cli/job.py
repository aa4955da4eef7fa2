"""What the command line asks for, with everything checked that can be before models are loaded."""

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from accomp.band.accompanist import Accompanist
from accomp.band.chord_choices import PLANS
from accomp.band.ensembles import Ensemble, find_ensemble
from accomp.band.finish import Finish, parse_program
from accomp.band.options import SEED, Options
from accomp.band.refill import Refill, parse_chord, parse_refill
from accomp.band.sketch import AMOUNT, parse_moves
from accomp.band.style_library import load_styles, parse_styles
from accomp.cli.arguments import GENRE, PACES
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
        asked: the fields of Options that were given, which take the place of a project's.
        genre_is_given: whether the genre was named, else a project's own is taken.
        changes_band: whether a project's song is made anew: another genre, blend, ...
        refills: what is made anew of the song, one after another.
        finish: key, tempo and sounds of the result; what was not given is None or left out.
        lead_sheets: files of the melody with chord symbols.
        take: of a project, from 1; None for the one that it shows.
        ensemble: who plays, by its name in the genre: see `with_ensemble`.
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
    asked: dict[str, Any] = field(default_factory=dict)
    genre_is_given: bool = False
    changes_band: bool = False
    refills: tuple[Refill, ...] = ()
    finish: dict[str, Any] = field(default_factory=dict)
    lead_sheets: tuple[Path, ...] = ()
    take: int | None = None
    ensemble: str | None = None

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Job":
        """Check the arguments.

        Raises:
            MusicError: one is out of range, or names something unknown.
        """
        asked = _asked(args)
        job = cls(
            genre=args.genre or GENRE,
            revision=args.revision,
            out=args.out,
            with_sound=not args.no_audio,
            options=Options(**asked),
            corrections=_corrections(args),
            anyway=args.anyway,
            moves=parse_moves(args.explore),
            blend=args.blend,
            amount=_given(args.amount, 0.5),
            invent=args.invent,
            go_on=args.go_on,
            melody_variation=_given(args.melody_variation, VARIATION),
            plans=args.plans,
            asked=asked,
            genre_is_given=args.genre is not None,
            changes_band=bool(asked or args.genre or args.blend or args.explore),
            refills=(*map(parse_chord, args.chord), *map(parse_refill, args.redo)),
            finish=_finish(args),
            lead_sheets=tuple(args.lead_sheet),
            take=args.take,
            ensemble=args.ensemble,
        )
        Finish(**job.finish)
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

    def found_ensemble(self) -> Ensemble | None:
        """Return the ensemble that plays, where one was named.

        Raises:
            MusicError: the genre has none of this name.
        """
        return find_ensemble(self.genre, self.ensemble) if self.ensemble else None

    def with_ensemble(self) -> "Job":
        """Return this with the players and sounds of its ensemble.

        A program that was given replaces the ensemble's.

        Raises:
            MusicError: the genre has none of this name.
        """
        ensemble = self.found_ensemble()
        if ensemble is None:
            return self
        programs = {**ensemble.programs, **self.finish.get("programs", {})}
        return replace(
            self,
            options=replace(
                self.options,
                instruments=ensemble.instruments,
                second_guitar=ensemble.second_guitar,
            ),
            finish={**self.finish, "programs": programs},
        )

    def check_styles(self, *models: Accompanist) -> None:
        """Check that the styles can be played by the models.

        Raises:
            MusicError: a style's MIDI file has no band beside its melody, or needs other VAEs.
        """
        for model in models:
            load_styles(self.options.weighted_styles, model)


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of Options that were given."""
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
        "form": False if args.no_form else None,
        "feel": False if args.no_feel else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _finish(args: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of Finish that were given."""
    given = {
        "transpose": args.transpose,
        "tempo": args.set_tempo,
        "programs": dict(map(parse_program, args.program)) or None,
    }
    return {name: value for name, value in given.items() if value is not None}


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
