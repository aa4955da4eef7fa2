"""What the page shows of melodies and takes: values for its widgets, in the widgets' order.

Each view is a tuple of widgets in page.panels, and of their values here.
"""

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import gradio as gr

from accomp.band.finish import Finish
from accomp.listen.beat_grid import Counting
from accomp.listen.source import Source, SourceMelody
from accomp.music.keys import Key
from accomp.music.melody_track import melody_name
from accomp.project.choices import BAND, DIRECTIONS
from accomp.project.settings import Settings
from accomp.roll.sounding_names import sounding_names
from page import ensembles, keeping, moves, naming, sound, studio, visits
from page.inventing import origin
from page.messages import plain, warn
from page.player import live
from page.studio import Take
from page.words import say, say_number

MODES = {"major": "{key} major", "minor": "{key} minor"}  # and how they are said
KEYS = [str(Key(tonic, mode == "minor")) for mode in MODES for tonic in range(12)]
METERS = ["2/4", "3/4", "4/4", "6/8", "12/8"]
EVERYTHING = "everything that is not locked"  # may be remade, rather than one player
MIXES = (
    "**You** and **Piano** can be muted one by one: the band with your recording, with a piano "
    "playing the melody, or alone."
)

View = TypeVar("View", bound=tuple)
Made = TypeVar("Made")


class MelodyView(NamedTuple):
    """What the page shows of a melody: the widgets, or their values."""

    source: Any
    settings: Any
    example: Any  # the card of the example that is open, if it is one
    facts: Any
    player: Any
    key: Any
    meter: Any
    tempo: Any
    track: Any
    ways: Any  # of counting a recording
    tidy: Any  # whether short doubtful notes of a recording are left out
    shorten: Any  # the button that removes added bars
    understanding: Any  # hidden: its change makes the sound


class FinishedView(NamedTuple):
    """What changes when a take gets its picture and sound: the widgets, or their values."""

    player: Any
    files: Any
    status: Any


class TakeView(NamedTuple):
    """What the page shows of a take: the widgets, or their values."""

    takes: Any
    number: Any
    chords: Any
    seed: Any
    showing: Any  # hidden: its change makes picture and sound
    beside: Any  # hidden: its change updates what is offered near the take
    player: Any
    files: Any
    status: Any


class ListView(NamedTuple):
    """The list of takes, with what follows from it: the widgets, or their values."""

    seen: Any
    gone: Any
    list: Any
    kept: Any
    query: Any


class NearView(NamedTuple):
    """What the page offers near the take that is shown: the widgets, or their values."""

    panel: Any
    other: Any
    amount: Any
    density: Any
    variety: Any
    character: Any
    remade: Any
    moved: Any
    line_up: Any


def unchanged(view: type[View]) -> View:
    """Return values that leave a view's widgets as they are."""
    return view(*[gr.skip()] * len(view._fields))  # type: ignore[attr-defined]  a NamedTuple


def token(number: int = 0) -> str:
    """Return a text that was never used before.

    As the value of a hidden box it fires the box's event, even where the same is shown as before.
    """
    return f"{number} {uuid4().hex}"


def opened(source: Source, settings: Settings) -> MelodyView:
    """Show a melody that was opened or made, and what its file's reader noticed."""
    for notice in source.notices:
        warn(notice)
    return understood(source, settings)


def understood(source: Source, settings: Settings) -> MelodyView:
    """Show a melody as it is understood: facts, roll, and the values of the corrections."""
    melody = source.melody(settings.corrections)
    visits.current().note_melody(source, settings)
    tracks = [
        (melody_name(melody.score, index), index)
        for index, track in enumerate(melody.score.tracks)
        if track.notes and not track.is_drum
    ]
    meter = "/".join(map(str, melody.score.meters[0][1:]))
    player = studio.melody_view(melody, settings.finish)
    return MelodyView(
        source=source,
        settings=settings,
        example=None if settings.continued else settings.melody or None,
        facts=_facts(source, settings, melody, player),
        player=player,
        key=gr.Dropdown(keys(), value=str(melody.key)),
        meter=gr.Dropdown(list(dict.fromkeys([*METERS, meter])), value=meter),
        tempo=round(melody.tempo, 1),
        track=gr.Dropdown(tracks, value=melody.track, visible=len(tracks) > 1),
        ways=_ways(source, settings, melody),
        tidy=gr.Checkbox(
            value=not settings.corrections.keep_doubtful, visible=len(source.notes) > 0
        ),
        shorten=gr.Button(visible=bool(settings.continued)),
        understanding=token(),
    )


def _ways(source: Source, settings: Settings, melody: SourceMelody) -> gr.Radio:
    """Show the likeliest ways of counting a recording, and which of them is chosen."""
    if melody.transcription is None:
        return gr.Radio([], value=None, visible=False)
    countings = source.countings(settings.corrections)
    choices = [(_counting_words(each), number) for number, each in enumerate(countings)]
    grid = melody.transcription.grid
    chosen = next((n for n, each in enumerate(countings) if grid.counts_as(each)), None)
    return gr.Radio(choices, value=chosen, visible=len(choices) > 1)


def _counting_words(counting: Counting) -> str:
    numerator, denominator = counting.meter
    return say(
        "{meter}, a bar line at {seconds} s ({share} %)",
        meter=f"{numerator}/{denominator}",
        seconds=say_number(round(counting.downbeat, 2)),
        share=round(100 * counting.likely),
    )


def _facts(source: Source, settings: Settings, melody: SourceMelody, view: dict[str, Any]) -> str:
    """Return as Markdown what is understood of a melody, with the bars as its roll numbers them."""
    numerator, denominator = melody.score.meters[0][1:]
    is_changing = len(melody.score.meters) > 1
    understood = say(
        "{key}, {tempo} beats a minute, {meter} at first, {bars}"
        if is_changing
        else "{key}, {tempo} beats a minute, {meter}, {bars}",
        key=key_words(str(melody.key)),
        tempo=f"{melody.tempo:.0f}",
        meter=f"{numerator}/{denominator}",
        bars=_bars(view),
    )
    found = ""
    if source.notes:
        found = say(" {count} notes were found.", count=len(source.notes)) + " " + say(MIXES)
    title = plain(naming.title(source.name))
    # A recording's notices, too: a toast is soon gone.
    noticed = "".join(f"\n\n*{plain(say(notice))}*" for notice in source.notices)
    return f"**{title}**: {understood}.{found}{origin(source, settings)}{noticed}"


def _bars(view: dict[str, Any]) -> str:
    """Say how many bars a player's view numbers; a pickup is number 0."""
    first, lines = view["first_bar"], len(view["bars"])
    count = lines - 2 + first
    words = say("1 bar") if count == 1 else say("{count} bars", count=count)
    return words if first else words + say(" and a pickup")


def keys() -> list[tuple[str, str]]:
    """Return the names of all keys in the visitor's language, and their values."""
    return [(key_words(key), key) for key in KEYS]


def key_words(key: str) -> str:
    """Return the name of a key such as "A minor" in the visitor's language."""
    tonic, mode = key.split(" ")
    return say(MODES[mode], key=tonic)


def play_melody(source: Source | None, settings: Settings) -> Iterator[Any]:
    """Add what the player needs beside the notes of a melody: its recording.

    Where nothing can be played live, it is the rendered sound.
    """
    yield gr.skip()  # what yields nothing would empty the player
    if source is None:
        return
    visit, melody = visits.current(), source.melody(settings.corrections)
    known = sound.voice_of(melody)
    for skip in _waiting(_beside(melody, made := {})):
        if not visit.is_open(source, settings):
            return
        yield skip
    if made["stems"] is not None or made["voice"] != known:
        yield studio.melody_view(melody, settings.finish, **made)


def _beside(melody: SourceMelody, made: dict[str, Any]) -> Generator[None, None, None]:
    """Make what the player needs beside a melody's notes: keyword arguments of `melody_view`."""
    made["stems"] = (yield from sound.stems_of_melody(melody)) if live.fault() else None
    if not live.fault():
        yield from sound.make_voice(melody)
    made["voice"] = sound.voice_of(melody)


def _waiting(work: Generator[None, None, Made]) -> Generator[Any, None, Made]:
    """Return what some work makes; every moment until then the page stays as it is."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
        yield gr.skip()


def shown(take: Take, takes: list[Take], play: bool = False, turn: int = 0) -> TakeView:
    """Show a take, as far as it is there.

    Args:
        take: The take.
        takes: All takes.
        play: Whether it is heard at once.
        turn: The browser's number of the edit that led to it; 0 for none.
    """
    for each in takes:
        each.is_shown = each is take
    return TakeView(
        takes,
        take.number,
        take.chords,
        take.settings.seed,
        token(take.number),
        token(take.number),
        *finished(take, play, turn),
    )


def refreshed(take: Take, takes: list[Take]) -> TakeView:
    """Show what has changed of the take that is shown, but for what the visitor may type into."""
    view = unchanged(TakeView)._replace(takes=takes, chords=take.chords)
    return view._replace(**finished(take)._asdict())


def finished(take: Take, play: bool = False, turn: int = 0) -> FinishedView:
    """Show the roll, the files and the sound of a take, as far as they are there."""
    player = take.view(sound.voice_of(take.melody), play, turn)
    return FinishedView(player, keeping.offered(take, take.kept), "")


def finish(takes: list[Take], showing: str) -> Iterator[FinishedView]:
    """Add what the player needs beside the notes of the take that is shown: see `play_melody`.

    Until it is there a value is yielded every moment, so that the page can stop the work. It is
    given up, too, when another take is shown: its later values would show this one again.
    """
    yield unchanged(FinishedView)  # what yields nothing would empty the player
    take = _shown_take(takes, showing)
    if take is None:
        return
    work = _stems(take) if live.fault() else sound.make_voice(take.melody)
    before = (take.sounds, sound.voice_of(take.melody))
    for _ in work:
        if not take.is_shown:
            return
        yield unchanged(FinishedView)
    if take.is_shown and before != (take.sounds, sound.voice_of(take.melody)):
        yield finished(take)


def stop(takes: list[Take]) -> str:
    """Give up all that the visitor waits for, also the sound that is being made."""
    visits.current().stop()
    for take in takes:
        take.is_shown = False
    return say("Stopped.")


def _stems(take: Take) -> Generator[None, None, None]:
    """Render a take; where there can be no sound a warning says why."""
    if fault := (yield from sound.stems_of_take(take)):
        warn(fault)


def render_shown(
    player: dict[str, Any], source: Source | None, settings: Settings, takes: list[Take]
) -> Iterator[Any]:
    """Render what the player shows, for a browser that can't play live.

    Args:
        player: What the player's browser says: the id of its song.
        source: The melody that is open.
        settings: Its settings.
        takes: All takes.
    """
    yield gr.skip()  # what yields nothing would empty the player
    for take in takes:
        if take.view()["id"] == player["id"]:
            yield from _waiting(_stems(take))
            yield take.view()
            return
    if source is not None:
        melody = source.melody(settings.corrections)
        if studio.melody_view(melody, settings.finish)["id"] == player["id"]:
            stems = yield from _waiting(sound.stems_of_melody(melody))
            yield studio.melody_view(melody, Finish(), stems)


def choose(takes: list[Take], number: int | None) -> TakeView:
    """Show a take by its number."""
    take = studio.find(takes, number)
    return shown(take, takes) if take else unchanged(TakeView)


def near(
    takes: list[Take], showing: str, other: int | None, instrument: str, what: str
) -> NearView:
    """Show what the page offers near the take that is shown.

    Args:
        takes: All takes.
        showing: The token of the take that is shown.
        other: The take that was chosen for a blend.
        instrument: The instrument that was chosen to be moved.
        what: What was chosen to be remade.

    Returns:
        The takes that it can be blended with, how far it is blended with which, and how far the
        instrument has moved; its players, by what sounds; the line-ups that it can have.
    """
    take = _shown_take(takes, showing)
    if take is None:
        return unchanged(NearView)
    partners, blend = moves.partners(takes, take), take.settings.blend
    if blend:
        blended = (blend.genre, blend.seed)
        bands = {each.number: (each.settings.genre, each.settings.seed) for each in partners}
        other = next((number for number, band in bands.items() if band == blended), other)
    numbers = [each.number for each in partners]
    value = other if other in numbers else next(iter(numbers[::-1]), None)
    names = sounding_names(take.heard)
    players = [(say(names[part]), part) for part in BAND]
    return NearView(
        gr.Tab(visible=bool(partners)),
        gr.Dropdown([(each.label, each.number) for each in partners], value=value),
        blend.amount if blend else 0.0,
        *amounts(takes, take.number, instrument),
        remade=gr.Dropdown([(say(EVERYTHING), EVERYTHING), *players], value=what),
        moved=gr.Dropdown(players, value=instrument),
        line_up=ensembles.offered(take),
    )


def amounts(takes: list[Take], number: int | None, instrument: str) -> list[gr.Slider]:
    """Show how far an instrument of a take has moved, in the directions that it has."""
    take = studio.find(takes, number)
    found = moves.amounts_of(take, instrument) if take else [0.0] * len(DIRECTIONS)
    directions = moves.directions_of(instrument)
    return [
        gr.Slider(value=amount, visible=direction in directions)
        for direction, amount in zip(DIRECTIONS, found)
    ]


def _shown_take(takes: list[Take], showing: str) -> Take | None:
    """Return the take of a `token`."""
    return studio.find(takes, int(showing.split()[0]))
