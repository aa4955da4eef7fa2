"""The page's widgets, in groups: each function puts a group where it is called and returns it."""

from page.panels.band import BandPanel, band, first_genre
from page.panels.hidden import Hidden, hidden
from page.panels.melody import MelodyPanel, melody
from page.panels.take import Shown, TakePanel, header, shown, take

__all__ = [
    "BandPanel",
    "Hidden",
    "MelodyPanel",
    "Shown",
    "TakePanel",
    "band",
    "first_genre",
    "header",
    "hidden",
    "melody",
    "shown",
    "take",
]
