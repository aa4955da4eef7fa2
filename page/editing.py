"""Handlers of the page's events that edit on the roll: notes of the melody, chords, bars anew."""

import json
import time
from collections.abc import Callable
from typing import Any

import gradio as gr

from accomp.checks import check_names, shown
from accomp.errors import MusicError
from accomp.listen.source import Source
from accomp.music.score import Chord
from accomp.project.choices import BAND
from accomp.project.settings import Settings
from accomp.roll.grid import MELODY
from page import (
    asked,
    chord_edits,
    melody_edits,
    models,
    reworking,
    sound,
    studio,
    taking,
    views,
    visits,
)
from page.messages import NO_MELODY, errors_shown, refuse
from page.reworking import Rework
from page.studio import Remake, Take
from page.views import MelodyView, TakeView
from page.words import say

ALTERNATIVES = 6  # chords that are offered for a place


def edit_melody(
    takes: list[Take],
    number: int | None,
    source: Source | None,
    settings: Settings,
    event: gr.EventData,
) -> tuple:
    """Change the notes of the melody that the player shows.

    With a take they are changed over its band, which can be made anew then.

    Args:
        takes: All takes.
        number: The one that is shown.
        source: The melody that is open.
        settings: Its settings.
        event: Has `notes`, as `melody_edits.read_notes` takes them, and the number `turn`.

    Returns:
        The MelodyView, and the TakeView.
    """
    visit, pressed = visits.current(), time.monotonic()
    with visit.correcting(), errors_shown():
        takes = visit.takes(pressed, takes)
        source, settings = visit.melody(pressed, source, settings)
        take, turn = studio.find(takes, number), asked.whole(event, "turn")
        if isinstance(source, melody_edits.EditedSource) and turn <= source.turn:
            return _nothing()  # a later edit was here first
        if take:
            source, settings = melody_of(take, source, settings)
        if source is None:
            raise refuse(visits.missing(NO_MELODY))
        melody = source.melody(settings.corrections)
        before = list(melody.score.tracks[melody.track].notes)
        known = before if take is None else take.song.tracks[MELODY].notes
        notes = melody_edits.read_notes(getattr(event, "notes", None), known)
        if not notes:
            raise refuse("A melody needs at least one note.")
        delay = melody_edits.delay_of(known, before)
        other = melody_edits.later(notes, -delay) if delay else notes
        source, settings = melody_edits.edited(source, settings, melody, other)
        source.turn = turn
        view = views.understood(source, settings)
        if take is None:
            player = studio.melody_view(
                source.melody(settings.corrections), voice=sound.voice_of(melody), turn=turn
            )
            return *view._replace(player=player), *views.unchanged(TakeView)
        after = reworking.with_melody(take, source.melody(settings.corrections), takes)
        if after is not take:
            visit.note_take(after)
            takes = reworking.kept([*takes, after], after)
        return *view._replace(player=gr.skip()), *views.shown(after, takes, turn=turn)


def kept_melody(takes: list[Take], source: Source | None, settings: Settings) -> str:
    """Return what the browser keeps of an edited melody that no take has yet; else nothing.

    Args:
        takes: All takes.
        source: The melody that is open.
        settings: Its settings.
    """
    if takes or not isinstance(source, melody_edits.EditedSource):
        return ""
    return studio.packed_melody(source.melody(settings.corrections), settings)


def melody_of(take: Take, source: Source | None, settings: Settings) -> tuple[Source, Settings]:
    """Return the melody of a take: the one that is open, what that was edited from, or its own.

    Args:
        take: The take.
        source: The melody that is open.
        settings: Its settings.
    """
    edited = source if isinstance(source, melody_edits.EditedSource) else None
    before = [(edited.before, edited.before_settings)] if edited else []
    for each, its in [(source, settings), *before]:
        if each is None:
            continue
        melody = each.melody(its.corrections)
        notes = melody.score.tracks[melody.track].notes
        if notes == take.melody.score.tracks[take.melody.track].notes:
            return each, its
    return studio.source_of(take)


def follow(
    takes: list[Take], number: int | None, source: Source | None, settings: Settings
) -> MelodyView:
    """Open the melody of the take that is shown, where only edits lie between it and the open one.

    Args:
        takes: All takes.
        number: The take that is shown.
        source: The melody that is open.
        settings: Its settings.
    """
    take = studio.find(takes, number)
    if take is None or source is None:
        return views.unchanged(MelodyView)
    melody = source.melody(settings.corrections)
    names = {melody_edits.family(each) for each in (melody, take.melody)}
    notes = take.melody.score.tracks[take.melody.track].notes
    if len(names) > 1 or melody.score.tracks[melody.track].notes == notes:
        return views.unchanged(MelodyView)
    with visits.current().correcting():
        return views.understood(*melody_of(take, source, settings))._replace(player=gr.skip())


def change_chords(takes: list[Take], number: int | None, event: gr.EventData) -> tuple:
    """Change chords of the take that is shown, and make their bars anew.

    Args:
        takes: All takes.
        number: The one that is shown.
        event: Has `changes`, as `chord_edits.read_changes` takes them.

    Returns:
        The chords for the form, and the TakeView.
    """

    def change(take: Take) -> Rework:
        changes = chord_edits.read_changes(getattr(event, "changes", None))
        chords = chord_edits.with_chords(take.song, changes)
        before = chord_edits.chords_at(take.song, [chord.onset for chord in chords])
        changed = [
            place for place, (new, old) in enumerate(zip(chords, before)) if new.symbol != old
        ]
        if not changed:
            raise refuse("This chord is there already.")
        bars = melody_edits.spans(chord_edits.bars_of(take.song, changed))
        symbols = dict.fromkeys(chords[place].symbol for place in changed)
        where = reworking.bars_words(take.song, bars)
        words = say("{chords} in {bars}", chords=" ".join(symbols), bars=where)
        return Rework(take, bars, take.settings, chords=chords, words=words)

    return _made(takes, number, change)


def renew(takes: list[Take], number: int | None, event: gr.EventData) -> tuple:
    """Make the band anew for an edited melody.

    Args:
        takes: All takes.
        number: The one that is shown.
        event: Whose `all` tells whether bars are made anew in which the melody stayed, too.

    Returns:
        The chords for the form, and the TakeView.
    """
    if getattr(event, "all", False) is True:
        return gr.skip(), *_whole_band(takes, number)

    def change(take: Take) -> Rework:
        if not take.stale:
            raise refuse("The band plays to this very melody already.")
        bars = melody_edits.spans(take.stale)
        words = say("{bars} anew", bars=reworking.bars_words(take.song, bars))
        return Rework(take, bars, take.settings, words=words)

    return _made(takes, number, change)


def refill(takes: list[Take], number: int | None, event: gr.EventData) -> tuple:
    """Have some bars of one player of the take that is shown played anew.

    Args:
        takes: All takes.
        number: The one that is shown.
        event: Has the `track`, the first and the last of the `bars`, counted from 1, and how
            `busy` and how `high` it shall play, 0 to 1 or None.

    Returns:
        The chords for the form, and the TakeView.
    """

    def change(take: Take) -> Rework:
        playing = take.settings.instruments
        track = getattr(event, "track", None)
        check_names([track], "instrument", playing)
        bars = _bars(event)
        keep = [name for name in BAND if name != track]
        seed = taking.next_seed(takes)
        settings = take.settings.changed(seed=seed)
        words = Remake(take, keep, bars).words(playing)
        return Rework(
            take,
            [bars],
            settings,
            keep,
            busy=getattr(event, "busy", None),
            high=getattr(event, "high", None),
            words=words,
            is_edit=False,
        )

    return _made(takes, number, change)


def offer(takes: list[Take], number: int | None, event: gr.EventData) -> str:
    """Say what chords fit in a place of the take that is shown, and where its melody returns.

    Args:
        takes: All takes.
        number: The one that is shown.
        event: Has the number `place`, and `asked`, by which the player knows the answer.

    Returns:
        For the player's script, as JSON: asked, alternatives ([[symbol, per cent], ...]) and
        returns (numbers of places).
    """
    take, place = asked.take_of(takes, number), asked.whole(event, "place")
    beats = chord_edits.places(take.song)
    found: dict[str, Any] = {
        "asked": asked.whole(event, "asked"),
        "alternatives": [],
        "returns": [],
    }
    if not 0 <= place < len(beats) - 1:
        return json.dumps(found)
    melody = take.melody
    notes = melody.score.tracks[melody.track].notes
    delay = melody_edits.delay_of(take.song.tracks[MELODY].notes, notes)
    chords = tuple(Chord(chord.onset - delay, chord.symbol) for chord in take.song.chords)
    options = reworking.options_of(take, take.settings)
    try:
        alternatives, returns = models.offer(
            take.settings.genre, melody.score, options, chords, (beats[place] - delay, ALTERNATIVES)
        )
    except (MusicError, gr.Error):  # in an introduction, say: there is nothing to offer
        return json.dumps(found)
    shifted = [beat + delay for beat in returns]
    numbers = [min(range(len(beats) - 1), key=lambda at: abs(beats[at] - beat)) for beat in shifted]
    found["alternatives"] = [[each.symbol, round(100 * each.probability)] for each in alternatives]
    found["returns"] = numbers
    return json.dumps(found)


def _made(takes: list[Take], number: int | None, change: Callable[[Take], Rework]) -> tuple:
    """Make a take of the one that is shown: the chords for the form, and the TakeView."""
    with asked.at_work_on(takes, number) as (takes, base):
        with errors_shown():
            rework = change(base)

        def work() -> Take:
            return reworking.made(models.play, rework, takes)

        take = taking.played(rework.settings, work, base.song.notices)
        return (
            take.settings.chords if rework.chords else gr.skip(),
            *taking.added(take, takes),
        )


def _whole_band(takes: list[Take], number: int | None) -> TakeView:
    """Make the whole band anew for the melody of the take that is shown, as its settings say."""
    with asked.at_work_on(takes, number) as (takes, base):

        def work() -> Take:
            return studio.make(models.play, base.melody, base.settings, takes, style=base.style)

        take = taking.played(base.settings, work, base.song.notices)
        base.is_step = base.is_edit and not base.starred
        return taking.added(take, takes)


def _bars(event: Any) -> tuple[int, int]:
    """Return the first and the last bar of an event. Raises MusicError."""
    found = getattr(event, "bars", None)
    bars = found if isinstance(found, list) else []
    is_pair = len(bars) == 2 and all(type(bar) is int for bar in bars)
    if not is_pair or not 1 <= bars[0] <= bars[1]:
        raise MusicError(f"the bars are {shown(bars)}; accepted: the first and the last one")
    return bars[0], bars[1]


def _nothing() -> tuple:
    return *views.unchanged(MelodyView), *views.unchanged(TakeView)
