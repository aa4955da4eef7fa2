"""What the page shows of melodies and takes: the values of its widgets, as the lists of outputs in app.py have them in order."""

from uuid import uuid4

import gradio as gr

from accomp.errors import MusicError
from accomp.listen.source import Source
from accomp.music.keys import NAMES
from accomp.music.melody_track import melody_name
from page import moves, studio
from page.choices import DIRECTIONS
from page.inventing import told
from page.settings import Settings
from page.studio import Take

KEYS = [f"{name} {mode}" for mode in ("major", "minor") for name in NAMES]
METERS = ["2/4", "3/4", "4/4", "6/8", "12/8"]
MIXES = "**You** and **Piano** can be muted one by one: the band with your recording, with a piano playing the melody, or alone."
OF_MELODY, OF_TAKE, OF_FINISHED = 11, 11, 3  # how many values there are of each


def mark(number: int = 0) -> str:
    """A text that never was: as the value of a hidden box it says that something is shown anew, be it the same as before."""
    return f"{number} {uuid4().hex}"


# The melody


def opened(material: Source, settings: Settings) -> list:
    """What the page shows of a melody that comes."""
    for notice in material.notices:
        gr.Warning(notice)
    return [material, *understood(material, settings)]


def understood(material: Source, settings: Settings) -> list:
    """What the page shows of a melody: settings, facts in words, roll, and the values of the widgets that correct them."""
    melody = material.melody(settings.corrections)
    tracks = [
        (melody_name(melody.score, i), i)
        for i, track in enumerate(melody.score.tracks)
        if track.notes and not track.is_drum
    ]
    meter = "/".join(map(str, melody.score.meters[0][1:]))
    heard = f" {len(material.notes)} notes were heard. {MIXES}" if material.notes else ""
    return [
        settings,
        gr.Column(visible=True),
        f"**{studio.titles([material.name])[0]}**: {melody}.{heard}{told(material, settings)}",
        studio.view_alone(melody),
        gr.Dropdown(KEYS, value=str(melody.key)),
        gr.Dropdown(list(dict.fromkeys([*METERS, meter])), value=meter),
        round(melody.tempo, 1),
        gr.Dropdown(tracks, value=melody.track, visible=len(tracks) > 1),
        gr.Button(visible=bool(settings.continued)),
        mark(),
    ]


def hear(material: Source | None, settings: Settings):
    """The melody as it is understood gets its sound."""
    if material is None:
        return
    melody = material.melody(settings.corrections)
    for stems in studio.hear_alone(melody):
        yield gr.skip() if stems is None else studio.view_alone(melody, stems)


# Takes


def shown(take: Take, takes: list[Take]) -> list:
    """What the page shows of a take, as far as it is there."""
    for each in takes:
        each.is_shown = each is take
    number = gr.Radio(
        [(each.label, each.number) for each in takes], value=take.number, visible=True
    )
    query = take.settings.to_address() if take.has_settings else ""
    marks = [mark(take.number), mark(take.number)]
    return [
        gr.Column(visible=True),
        takes,
        number,
        take.chords,
        query,
        take.settings.seed,
        *marks,
        *finished(take),
    ]


def finished(take: Take) -> list:
    """What changes when a take gets its picture and sound."""
    return [
        take.view(),
        [str(file) for file in take.files],
        "" if take.sounds is not None else "Making the sound…",
    ]


def finish(takes: list[Take], showing: str):
    """The take that is shown gets its picture and sound. Until they are there, the page hears of it every moment, so that it can
    be stopped. It is given up, too, when another take is shown: what came after that one would bring this one back.
    """
    take = studio.find(takes, int(showing.split()[0]))
    if take is None:
        return
    is_heard = False
    for message in studio.finish(take):
        if not take.is_shown:
            return
        if message:
            gr.Warning(message)
        # It can be played before its files are all there.
        yield [gr.skip()] * OF_FINISHED if is_heard or not take.sounds else finished(take)
        is_heard = bool(take.sounds)
    if take.is_shown:
        yield finished(take)


def choose(takes: list[Take], number: int | None) -> list:
    take = studio.find(takes, number)
    return shown(take, takes) if take else [gr.skip()] * OF_TAKE


def undo(takes: list[Take], number: int | None) -> list:
    """The take before the one that is shown."""
    earlier = [take.number for take in takes if take.number < (number or 0)]
    if not earlier:
        raise gr.Error("There is no earlier take.")
    return choose(takes, max(earlier))


def lossless(takes: list[Take], number: int | None) -> list[str]:
    """WAV files and the stems of the take that is shown, beside its other files."""
    take = studio.find(takes, number)
    if take is None:
        raise gr.Error("Make a take first.")
    try:
        studio.write_sounds(take)
    except MusicError as error:
        raise gr.Error(str(error)) from error
    return [str(file) for file in take.files]


def near(takes: list[Take], showing: str, other: int | None, instrument: str) -> list:
    """What the page offers near the take that is shown: the other takes that there is a way to, how far it went on that way, and
    how far the instrument has moved.
    """
    take = studio.find(takes, int(showing.split()[0]))
    if take is None:
        return [gr.skip()] * 6
    found, blend = moves.others(takes, take), take.settings.blend
    if blend:
        on_way = (
            each.number
            for each in found
            if (each.settings.genre, each.settings.seed) == (blend.genre, blend.seed)
        )
        other = next(on_way, other)
    numbers = [each.number for each in found]
    value = other if other in numbers else next(iter(numbers[::-1]), None)
    choices = gr.Dropdown([(each.label, each.number) for each in found], value=value)
    return [
        gr.Accordion(visible=bool(found)),
        choices,
        blend.amount if blend else 0.0,
        *amounts(takes, take.number, instrument),
    ]


def amounts(takes: list[Take], number: int | None, instrument: str) -> list[gr.Slider]:
    """How far an instrument of the take that is shown has moved, in the directions that it has."""
    take = studio.find(takes, number)
    found = moves.amounts_of(take, instrument) if take else [0.0] * len(DIRECTIONS)
    return [
        gr.Slider(value=amount, visible=way in moves.ways_of(instrument))
        for way, amount in zip(DIRECTIONS, found)
    ]
