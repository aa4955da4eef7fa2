"""The line-ups that songs of a genre have, in plain words, and which of them a take has."""

import gradio as gr

from accomp.band.ensembles import Ensemble, ensembles
from accomp.roll.grid import GUITAR, STRINGS
from accomp.roll.sounding_names import SECOND_GUITAR, sounding_name
from page.studio import Take
from page.words import say

# The names of accomp.band.ensembles in plain words.
WORDS = {
    "guitar, strings": "Guitar and strings",
    "guitar, no strings": "Guitar, no strings",
    "guitar, organ": "Guitar and organ",
    "guitar, synthesizer": "Guitar and synthesizer",
    "two guitars, no strings": "No strings, a second guitar",
    "piano, strings": "Piano in the guitar's place, strings",
    "piano, no strings": "Piano in the guitar's place, no strings",
    "bass alone, strings": "Bass, drums and strings",
    "bass alone, no strings": "Bass and drums alone",
}


def offered(take: Take) -> gr.Dropdown:
    """Show the line-ups that a take can have, and the one that it has."""
    genre = take.settings.genre
    choices = [
        (
            say(
                "{line_up} ({share} % of {genre} songs)",
                line_up=say(WORDS[each.name]),
                share=round(100 * each.share),
                genre=genre.capitalize(),
            ),
            each.name,
        )
        for each in ensembles(genre)
    ]
    return gr.Dropdown(choices, value=_current(take))


def _current(take: Take) -> str | None:
    """Return the name of a take's line-up; None where no song of the genre has it."""
    tracks = take.heard.tracks
    sounds = [sounding_name(tracks[part]) for part in (GUITAR, STRINGS) if tracks[part].notes]
    found = ensembles(take.settings.genre)
    return next((each.name for each in found if _sounds_of(each) == sounds), None)


def _sounds_of(ensemble: Ensemble) -> list[str]:
    """Return the names of what sounds in an ensemble beside melody, drums and bass."""
    chords, _, held = ensemble.name.partition(", ")
    names = {"two guitars": ["guitar"], "bass alone": []}.get(chords, [chords])
    second = [SECOND_GUITAR] if ensemble.second_guitar else []
    return names + second + ([] if held == "no strings" else [held])
