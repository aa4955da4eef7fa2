"""The page's widgets, in groups: each function puts a group where it is called and returns it."""

from page.panels.band import BandPanel, band, first_genre
from page.panels.calls import Calls, calls
from page.panels.hidden import Hidden, hidden
from page.panels.melody import MelodyPanel, melody
from page.panels.take import Shown, TakePanel, header, shown, take

__all__ = [
    "BandPanel",
    "Calls",
    "Hidden",
    "MelodyPanel",
    "Shown",
    "TakePanel",
    "band",
    "calls",
    "first_genre",
    "header",
    "hidden",
    "melody",
    "shown",
    "take",
]
