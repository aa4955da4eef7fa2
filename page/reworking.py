"""Takes that come of an edit of another: a melody with other notes, chords, bars played anew.

What is not edited stays note for note. No widgets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from accomp.band import other_players
from accomp.band.options import Options, Redo
from accomp.band.refill import Refill, with_levels_of
from accomp.listen.source import Corrections, SourceMelody
from accomp.music.chord_text import chord_text
from accomp.music.score import Chord, Note, Score, first_bar_number
from accomp.project.settings import Settings
from accomp.roll.grid import MELODY
from page import melody_edits, naming
from page.files import new_folder
from page.limits import LIMITS
from page.studio import Play, Take, span_of, write_notes
from page.words import say


@dataclass(frozen=True)
class Rework:
    """What is made anew of a take.

    Attributes:
        base: The take.
        bars: First and last bars, counted from 1 in its song, of each part; at least one.
        settings: How it is made.
        keep: Names of tracks that stay.
        chords: All chords of its song, where they are given.
        busy: How many notes are played, 0 to 1; None for as many as come.
        high: Where in their registers they are, 0 to 1; None for where they would be.
        words: What differs, for its name.
        is_edit: Whether it is one of many small steps, of which the list has the last one.
    """

    base: Take
    bars: Sequence[tuple[int, int]]
    settings: Settings
    keep: Sequence[str] = ()
    chords: Sequence[Chord] = ()
    busy: float | None = None
    high: float | None = None
    words: str = ""
    is_edit: bool = True


def made(play: Play, rework: Rework, takes: list[Take]) -> Take:
    """Make the bars of a take anew.

    Args:
        play: Makes the music.
        rework: What is made anew.
        takes: The earlier takes.

    Raises:
        MusicError: It can't be made.
    """
    base, settings = rework.base, rework.settings
    options = options_of(base, settings)
    if rework.chords:
        options = replace(options, chords=tuple(rework.chords))
    song = base.song
    for bars in rework.bars:
        redo = Redo(song, rework.keep, span_of(song, bars), rework.busy, rework.high)
        score = base.melody.score
        song = play(settings.genre, score, options, redo, settings.blend, settings.explore)
    song = with_levels_of(base.song, song, Refill(bars=rework.bars[0]))
    if rework.chords:
        settings = settings.changed(chords=chord_text(song, song.tracks[MELODY]))
    heard = None if base.band_of is None else _heard(base, rework)
    take = _next(base, takes, settings, song)
    take.title, take.band_of = _name(base, takes, rework.words), heard
    take.is_edit = rework.is_edit
    if rework.is_edit:
        base.is_step = base.is_edit and not base.starred
    write_notes(take)
    return take


def with_players(play: Play, base: Take, settings: Settings, words: str, takes: list[Take]) -> Take:
    """Return a take with other players: who stays plays the very notes.

    Args:
        play: Makes the music.
        base: The take.
        settings: Who plays, and with which sounds.
        words: What differs, for its name, beside who plays.
        takes: The earlier takes.

    Raises:
        MusicError: It can't be made.
    """
    before, after = options_of(base, base.settings), options_of(base, settings)

    def again(redo: Redo) -> Score:
        score = base.melody.score
        return play(settings.genre, score, after, redo, settings.blend, settings.explore)

    song = other_players.with_players(base.song, before, after, again)
    take = _next(base, takes, settings, song)
    take.title = _name(take, takes, words)
    write_notes(take)
    return take


def _next(base: Take, takes: list[Take], settings: Settings, song: Score) -> Take:
    """Return a take of the same melody with another song; it has the name of the one before yet."""
    return replace(
        base,
        number=next_number(takes),
        settings=settings,
        song=song,
        folder=new_folder(),
        sounds=None,
        is_retake=True,
        files=[],
        kept={},
        starred=False,
        is_edit=False,
        is_step=False,
    )


def options_of(take: Take, settings: Settings) -> Options:
    """Return the options of a take's band by other settings: its melody is found already."""
    options = settings.options(take.melody, take.style)
    return replace(options, melody_track=take.melody.track)


def with_melody(take: Take, melody: SourceMelody, takes: list[Take]) -> Take:
    """Return a take with an edited melody over the band that it has.

    One that holds an edited melody already is changed itself, so that many small edits are one.

    Args:
        take: The take.
        melody: The edited melody.
        takes: All takes.
    """
    delay = melody_edits.delay_of(take.song.tracks[MELODY].notes, _notes(take.melody))
    notes = melody_edits.later(_notes(melody), delay)
    tracks = list(take.song.tracks)
    tracks[MELODY] = replace(tracks[MELODY], notes=notes)
    song = replace(take.song, tracks=tracks)
    settings = take.settings.changed(
        melody="",
        invented=None,
        continued=(),
        corrections=Corrections(key=str(melody.key)),
    )
    changed = take
    if take.band_of is None:
        changed = replace(
            take,
            number=next_number(takes),
            folder=new_folder(),
            starred=False,
            band_of=tuple(take.song.tracks[MELODY].notes),
            title=_name(replace(take, melody=melody), takes, say("band unchanged")),
            is_edit=True,
            is_step=False,
        )
        take.is_step = take.is_edit and not take.starred
    changed.settings, changed.melody, changed.song = settings, melody, song
    changed.is_retake, changed.sounds, changed.kept = True, None, {}
    write_notes(changed)
    return changed


def next_number(takes: list[Take]) -> int:
    """Return the number of the next take."""
    return takes[-1].number + 1 if takes else 1


def kept(takes: list[Take], shown: Take) -> list[Take]:
    """Return the takes that are kept: steps go first, then the oldest without a star.

    Args:
        takes: In the order in which they were made.
        shown: The one that is shown, which stays.
    """
    left = list(takes)
    for is_step, most in ((True, LIMITS.steps), (False, LIMITS.takes)):
        alike = [take for take in left if take.is_step is is_step]
        by_worth = sorted(alike, key=lambda take: (take is shown, take.starred, take.number))
        gone = {id(take) for take in by_worth[: max(len(alike) - most, 0)]}
        left = [take for take in left if id(take) not in gone]
    return left


def bars_words(song: Score, bars: Sequence[tuple[int, int]]) -> str:
    """Name bars as the picture numbers them, such as: bars 3–4, 7."""
    before = first_bar_number(song.bars(song.end), song.tracks[MELODY].start) - 1
    parts = [
        str(first + before) if first == last else f"{first + before}–{last + before}"
        for first, last in bars
    ]
    is_one = len(bars) == 1 and bars[0][0] == bars[0][1]
    return say("bar {bar}" if is_one else "bars {bars}", bar=parts[0], bars=", ".join(parts))


def _notes(melody: SourceMelody) -> list[Note]:
    return list(melody.score.tracks[melody.track].notes)


def _heard(base: Take, rework: Rework) -> tuple[Note, ...] | None:
    """Return the melody that the band plays to, when some bars were made anew for the edited one.

    None where that is the melody itself.
    """
    now = base.song.tracks[MELODY].notes
    spans = [span_of(base.song, bars) for bars in rework.bars]
    if rework.keep:  # the others still play to the one before
        return base.band_of

    def inside(note: Note) -> bool:
        return any(begin - 1e-6 <= note.onset < end - 1e-6 for begin, end in spans)

    old = [note for note in base.band_of or () if not inside(note)]
    heard = sorted([*old, *filter(inside, now)], key=lambda note: note.onset)
    return tuple(heard) if melody_edits.changed_bars(base.song, heard, now) else None


def _name(take: Take, takes: list[Take], words: str) -> str:
    """Return the name of an edited take: its melody and genre, and what the last edit was."""
    others = [each.label for each in takes]
    settings = take.settings.changed(chords="") if words else take.settings
    return naming.named(take.melody.name, settings, others, [*filter(None, [words])])
