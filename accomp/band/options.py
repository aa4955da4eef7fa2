"""Options: every setting of a band with its default and its range, in one place."""

import numbers
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from accomp.band.style_library import Named, Weighted, weighted_styles
from accomp.checks import Range, check_names, shown
from accomp.errors import MusicError
from accomp.music.chord_text import check_chords
from accomp.music.keys import Key, parse_key
from accomp.music.score import Chord, Score
from accomp.roll.grid import ACCOMPANIMENT, STRINGS, TRACK_NAMES

BAND = frozenset(TRACK_NAMES[track] for track in ACCOMPANIMENT)
INTROS = ("none", "count-in", "bars")


SEED = Range("seed", 0, 2**63 - 1, "0 to 2^63 - 1", whole=True)
VARIATION = Range("variation", 0, 4)
COLOUR = Range("colour", 0, 1, "0 (plain) to 1 (colourful)")
STYLE_FACTOR = Range("style factor", 0, 1, "0 (not at all) to 1 (as that song)")
BUSY = Range("how busy", 0, 1, "0 (sparse) to 1 (busy)")
HIGH = Range("how high", 0, 1, "0 (low) to 1 (high)")


@dataclass(frozen=True)
class Options:
    """How a band is made. Checked when it is made: MusicError says what is accepted.

    Attributes:
        seed: another seed gives other music.
        chords: "planned"; "melody" for the melody's own (`melody.chords`); text such as
            "| C  Am | F  G7 |" (see accomp.music.chord_symbols); or Chords, such as those of an
            earlier result, whose onsets count in beats from where the result begins.
            "planned" keeps the chords of the earlier result when something is redone.
        colour: of planned chords, from 0 (the plainest that lead sheets of the genre are) to 1 (the
            most colourful): how many have more tones than a triad, leave the key, and change.
        key: of the melody, such as "A minor"; None to estimate it.
        melody_track: index of the melody in `melody.tracks`; None to choose it.
        intro: "none", "count-in" (a bar of clicks) or "bars" (two bars of the band). The latter
            two move the melody later.
        instruments: who plays beside the piano.
        second_guitar: whether a second guitar plays where `instruments` has strings.
        variation: standard deviation of the noise added to the latents, which are about of unit
            scale (Tham & Kim 2021 liked 0.5 to 1.0).
        form: whether phrases return, build up, end with fills and come to an end. Without it
            each block only follows from the one before, as in the published method.
        feel: whether notes get the dynamics, swing and timing of the genre's players. Without it
            they get its mean velocities, on the grid.
        styles: songs that the band is drawn to: a built-in style's name, a MIDI file's Path or a
            Style; or several of them with weights, [("bossa_nova", 2.0), ...].
        style_factor: how far, from 0 (not at all) to 1 (the song's patterns throughout).
    """

    seed: int = 0
    chords: str | Sequence[Chord] = "planned"
    colour: float = 0.5
    key: str | Key | None = None
    melody_track: int | None = None
    intro: Literal["none", "count-in", "bars"] = "none"
    instruments: Collection[str] = BAND
    second_guitar: bool = False
    variation: float = 0.0
    form: bool = True
    feel: bool = True
    styles: Named | Collection[tuple[Named, float]] = ()
    style_factor: float = 0.5

    def __post_init__(self):
        SEED.check(self.seed)
        VARIATION.check(self.variation)
        COLOUR.check(self.colour)
        STYLE_FACTOR.check(self.style_factor)
        if self.intro not in INTROS:
            raise MusicError(
                f"intro {shown(self.intro)!r} is unknown; accepted: {', '.join(INTROS)}"
            )
        track = self.melody_track
        if track is not None and not (isinstance(track, numbers.Integral) and track >= 0):
            raise MusicError(
                f"melody track is {shown(track, repr)}; accepted: a track's number, from 0"
            )
        names = [TRACK_NAMES[track] for track in ACCOMPANIMENT]
        if not isinstance(self.second_guitar, bool):
            raise MusicError(
                f"second_guitar is {shown(self.second_guitar, repr)}; accepted: True or False"
            )
        if self.chords not in ("planned", "melody"):
            check_chords(self.chords)
        self._set(
            instruments=check_names(self.instruments, "instrument", names),
            key=parse_key(self.key) if isinstance(self.key, str) else self.key,
            chords=self.chords if isinstance(self.chords, str) else tuple(self.chords),
            styles=weighted_styles(self.styles),
        )

    def _set(self, **values) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def silent(self) -> frozenset[int]:
        """The tracks of the band that don't play; of strings, whose place the guitar takes, too."""
        silent = {t for t in ACCOMPANIMENT if TRACK_NAMES[t] not in self.instruments}
        return frozenset(silent | ({STRINGS} if self.second_guitar else set()))

    @property
    def weighted_styles(self) -> Weighted:
        """`styles` as pairs of a style and its weight."""
        return weighted_styles(self.styles)


@dataclass(frozen=True)
class Redo:
    """Which part of an earlier result is made again, and which stays note for note.

    Attributes:
        earlier: the earlier result, for the same melody and introduction.
        keep: names of tracks that stay whole.
        span: beats of the song (from, to) outside of which everything stays; None for all of it.
        busy: how many notes are made, from 0 (half as many) over 0.5 (as the models would) to 1
            (twice as many); None as the models would.
        high: where in its register a pitched player plays, from 0 (low) to 1 (high); None as it
            would.
    """

    earlier: Score
    keep: Collection[str] = ()
    span: tuple[float, float] | None = None
    busy: float | None = None
    high: float | None = None

    def __post_init__(self):
        for wish, accepted in ((self.busy, BUSY), (self.high, HIGH)):
            if wish is not None:
                accepted.check(wish)
        object.__setattr__(self, "keep", check_names(self.keep, "track", TRACK_NAMES, " to keep"))
