"""The handler that gives a take another line-up: who stays plays the same."""

from typing import Any

from accomp.band.ensembles import Ensemble, find_ensemble
from accomp.band.other_players import with_sounds
from accomp.project.choices import BAND
from accomp.project.settings import Settings
from page import asked, models, reworking, taking
from page.ensembles import WORDS
from page.forms import players_of
from page.messages import errors_shown, refuse
from page.studio import Take
from page.words import say


def change_players(takes: list[Take], number: int | None, name: str | None) -> tuple[Any, ...]:
    """Make a take of the one that is shown with another line-up.

    Args:
        takes: All takes.
        number: The one that is shown.
        name: Of the line-up.

    Returns:
        The players for the form, and the TakeView.
    """
    with asked.at_work_on(takes, number) as (takes, base):
        if not name:
            raise refuse("Choose a line-up first.")
        with errors_shown():
            ensemble = find_ensemble(base.settings.genre, name)
            settings = _settings(base, ensemble)
        if settings == base.settings:
            raise refuse("This line-up plays already.")
        words = _words(base.settings, settings, ensemble)

        def work() -> Take:
            return reworking.with_players(models.play, base, settings, words, takes)

        take = taking.played(settings, work, base.song.notices)
        return players_of(settings), *taking.added(take, takes)


def _settings(base: Take, ensemble: Ensemble) -> Settings:
    """Return the settings of a take with another line-up. Raises MusicError."""
    settings = base.settings
    return settings.changed(
        instruments=tuple(each for each in BAND if each in ensemble.instruments),
        second_guitar=ensemble.second_guitar,
        finish=with_sounds(settings.finish, base.song, ensemble),
    )


def _words(before: Settings, after: Settings, ensemble: Ensemble) -> str:
    """Say what differs of a take with other sounds alone; players are in its name anyway."""
    if players_of(before) != players_of(after):
        return ""
    words = say(WORDS[ensemble.name])
    return words[0].lower() + words[1:]
