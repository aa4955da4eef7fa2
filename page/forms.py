"""The form of a band: the widgets that say how it is made, and what they hold."""

from typing import Any, NamedTuple

import gradio as gr

from accomp.project.choices import BAND, shares, weighted
from accomp.project.settings import Settings
from accomp.roll.grid import STRINGS, TRACK_NAMES
from accomp.roll.sounding_names import SECOND_GUITAR
from page.messages import errors_shown
from page.models import GENRES


def players_of(settings: Settings) -> list[str]:
    """Return who plays beside the piano, as the form has it: a second guitar is no strings."""
    strings = TRACK_NAMES[STRINGS]
    return [
        SECOND_GUITAR if each == strings and settings.second_guitar else each
        for each in settings.instruments
    ]


class BandForm(NamedTuple):
    """The choices for a band: the widgets, or their values, in one order.

    Handlers of events take the values as their last arguments, `*form`.
    """

    genre: Any
    seed: Any
    variation: Any
    chords: Any
    colour: Any
    intro: Any
    instruments: Any
    style: Any
    other_style: Any
    share: Any  # of the other style
    style_factor: Any

    @classmethod
    def unchanged(cls) -> "BandForm":
        """Return values that leave the widgets as they are."""
        return cls(*[gr.skip()] * len(cls._fields))

    @classmethod
    def of(cls, settings: Settings) -> "BandForm":
        """Return the values that show settings; a genre that is not served is left out."""
        style, other_style, share = shares(settings.styles)
        return cls(
            genre=settings.genre if settings.genre in GENRES else gr.skip(),
            seed=settings.seed,
            variation=settings.variation,
            chords=settings.chords,
            colour=settings.colour,
            intro=settings.intro,
            instruments=players_of(settings),
            style=style,
            other_style=other_style,
            share=share,
            style_factor=settings.style_factor,
        )

    def applied_to(self, settings: Settings, own_style: str | None) -> Settings:
        """Return settings of a melody with the values of the form.

        A blend, or moves of instruments, that an address or a settings file brought are kept for
        their genre and seed only.

        Args:
            settings: What is known of the melody.
            own_style: File of the visitor's own style, which replaces the built-in ones.

        Raises:
            gr.Error: A value is not accepted.
        """
        seed = int(self.seed or 0)
        playing = set(self.instruments)
        if SECOND_GUITAR in playing:
            playing.add(TRACK_NAMES[STRINGS])
        is_near = (self.genre, seed) == (settings.genre, settings.seed)
        styles = weighted(self.style or "", self.other_style or "", float(self.share or 0))
        with errors_shown():
            return settings.changed(
                genre=self.genre,
                seed=seed,
                variation=float(self.variation or 0),
                chords=self.chords or "",
                colour=float(self.colour or 0),
                intro=self.intro,
                instruments=tuple(each for each in BAND if each in playing),
                second_guitar=SECOND_GUITAR in playing,
                styles=() if own_style else styles,
                style_factor=float(self.style_factor),
                blend=settings.blend if is_near else None,
                explore=settings.explore if is_near else {},
            )
