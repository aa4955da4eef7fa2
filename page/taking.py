"""What the page's buttons do about takes: they are made, made anew in parts, or made near one that is there."""

from collections.abc import Callable
from pathlib import Path

import gradio as gr

from accomp import ModelError, MusicError
from page import moves, studio, views
from page.choices import BAND, SEEDS, weighted
from page.settings import Settings
from page.studio import Play, Take

EVERYTHING = "all that is not locked"
FIRST = "Bring a melody first: a MIDI file, a recording, or one of the examples."
FIRST_TAKE = "Make a take first; then parts of it can be made anew."


def chosen(
    settings: Settings,
    own_style,
    genre,
    seed,
    variation,
    chords,
    intro,
    instruments,
    style,
    other_style,
    share,
    factor,
) -> Settings:
    """The widgets' values with what is known of the melody. A way to another take, or moves of instruments, which an address or a
    settings file brought, are those of its genre and seed. Raises gr.Error.
    """
    named = () if own_style else weighted(style or "", other_style or "", float(share or 0))
    seed = int(seed or 0)
    near = (
        {} if (genre, seed) == (settings.genre, settings.seed) else {"blend": None, "explore": {}}
    )
    try:
        return settings.changed(
            genre=genre,
            seed=seed,
            variation=float(variation or 0),
            chords=chords or "",
            intro=intro,
            instruments=tuple(instruments),
            styles=named,
            style_factor=float(factor),
            **near,
        )
    except MusicError as error:
        raise gr.Error(str(error)) from error


class Taking:
    """Handlers of events: each gives what app.py shows of a take. play makes the music; check_genre(genre) loads its models, or
    raises gr.Error.
    """

    def __init__(self, play: Play, check_genre: Callable[[str], None]):
        self.play, self.check_genre = play, check_genre

    def generate(self, material, settings, takes, own_style, *choices):
        """A new take."""
        return self.generated(material, chosen(settings, own_style, *choices), takes, own_style)

    def again(self, material, settings, takes, number, choice, what, own_style, *choices):
        """From the take that is shown, by what the widgets say, with the next seed: what is locked, and what lies outside of the
        selected bars, stays.
        """
        base = studio.find(takes, number)
        keep = choice["locked"] if what == EVERYTHING else [name for name in BAND if name != what]
        settings = chosen(settings, own_style, *choices)
        if base is None:
            raise gr.Error(FIRST_TAKE)
        settings = settings.changed(
            seed=(studio.last_seed(takes) + 1) % (SEEDS + 1), blend=None, explore={}
        )
        return self.generated(material, settings, takes, own_style, base, keep, choice["bars"])

    def three(self, material, settings, takes, own_style, *choices):
        """Three takes with seeds one after another, the first of which is shown."""
        settings = chosen(settings, own_style, *choices).changed(blend=None, explore={})
        for seed in range(settings.seed, settings.seed + 3):
            take = self.made(material, settings.changed(seed=seed % (SEEDS + 1)), takes, own_style)
            takes = [*takes, take][-studio.MOST_TAKES :]
        return views.shown(takes[-3], takes)

    def go_between(self, takes, number, other, amount):
        """The take on the way from the one that is shown to another one."""
        return self.made_near(
            takes, number, lambda take: moves.between(take, studio.find(takes, other), amount)
        )

    def explore(self, takes, number, instrument, *amounts):
        """The take that is shown with an instrument moved."""
        return self.made_near(takes, number, lambda take: moves.moved(take, instrument, amounts))

    def move_back(self, takes, number):
        """The take that is shown with no instrument moved."""
        return self.made_near(takes, number, lambda take: take.settings.changed(explore={}))

    def generated(
        self,
        material,
        settings: Settings,
        takes: list[Take],
        own_style=None,
        base: Take | None = None,
        keep=(),
        bars=None,
    ):
        take = self.made(material, settings, takes, own_style, base, keep, bars)
        return views.shown(take, [*takes, take][-studio.MOST_TAKES :])

    def made(
        self,
        material,
        settings: Settings,
        takes: list[Take],
        own_style=None,
        base: Take | None = None,
        keep=(),
        bars=None,
    ) -> Take:
        if material is None:
            raise gr.Error(FIRST)
        own = Path(own_style) if own_style else None
        if own:
            gr.Info(
                "Your own song is not in the settings: the take in its style has no settings file, and no address."
            )
        return self.played(
            settings,
            lambda: studio.make(self.play, material, settings, takes, base, keep, bars, own),
        )

    def made_near(self, takes: list[Take], number: int | None, change: Callable[[Take], Settings]):
        """A take for the melody of the one that is shown, whatever melody is open by now; that one where nothing changes."""
        take = studio.find(takes, number)
        if take is None:
            raise gr.Error(FIRST_TAKE)
        try:
            settings = change(take)
        except MusicError as error:
            raise gr.Error(str(error)) from error
        if settings == take.settings:  # what was being made of it was given up
            return [gr.skip()] * views.OF_TAKE if take.is_finished else views.shown(take, takes)
        new = self.played(
            settings,
            lambda: studio.accompanied(self.play, take.melody, settings, takes, style=take.style),
        )
        return views.shown(new, [*takes, new][-studio.MOST_TAKES :])

    def played(self, settings: Settings, work: Callable[[], Take]) -> Take:
        """What `work` makes. The models are loaded before; mistakes and notices are shown."""
        for genre in [settings.genre, *([settings.blend.genre] if settings.blend else [])]:
            self.check_genre(genre)
        try:
            take = work()
        except (ModelError, MusicError) as error:
            raise gr.Error(str(error)) from error
        told = take.melody.score.notices if take.melody.sung else []  # with the melody's facts
        for notice in take.song.notices:
            if notice not in told:
                gr.Info(notice)
        return take
