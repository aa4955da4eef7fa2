"""Refill: some bars of some players made anew, perhaps to other chords; all else stays."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from accomp.band.options import BAND, BUSY, HIGH, SEED, Redo
from accomp.checks import check_names, check_text, read_number, read_whole, shown
from accomp.errors import MusicError
from accomp.music.bar_numbers import span_of_bars
from accomp.music.chord_text import check_chords, with_chords_at
from accomp.music.score import Chord, Score
from accomp.roll.grid import MELODY

ACCEPTED = "players and bars, such as bass:9-12 or guitar+strings:5:busy=0.8:high=0.2"
ACCEPTED_CHORDS = 'a bar, or bars, and their chords, such as "5: Dm7 G7" or "5-6: Dm7 | G7"'
EVERYONE = "all"
_BARS = re.compile(r"(\d{1,5})(?:\s*[-–]\s*(\d{1,5}))?", re.ASCII)


@dataclass(frozen=True)
class Refill:
    """What is made anew of a song. Checked when it is made: MusicError says what is accepted.

    Attributes:
        players: names of those who play it anew.
        bars: numbers of the first and the last bar, as they are printed (a pickup is bar 0, an
            introduction counts); None for the whole song.
        busy: how many notes, from 0 (sparse) over 0.5 (as usual) to 1 (busy); None for as usual.
        high: how high pitched players play in their registers, 0 to 1; None for as they would.
        chords: other chords for these bars, as text; None where they stay.
        seed: another one gives other music; None for the one after the song's.
    """

    players: Collection[str] = BAND
    bars: tuple[int, int] | None = None
    busy: float | None = None
    high: float | None = None
    chords: str | None = None
    seed: int | None = None

    def __post_init__(self):
        players = check_names(self.players, "player", sorted(BAND), " to play anew")
        if not players:
            raise MusicError(f"nobody plays anew; accepted: {', '.join(sorted(BAND))}")
        object.__setattr__(self, "players", players)
        if self.bars is not None:
            _check_bars(self.bars)
        for wish, accepted in ((self.busy, BUSY), (self.high, HIGH), (self.seed, SEED)):
            if wish is not None:
                accepted.check(wish)
        if self.chords is not None:
            check_chords(self.chords)

    def chords_of(self, song: Score) -> list[Chord]:
        """Return the chords that a song has with this refill. Raises MusicError."""
        if self.chords is None:
            return list(song.chords)
        if self.bars is None:
            raise MusicError(f"chords need bars; accepted: {ACCEPTED_CHORDS}")
        return with_chords_at(song, song.tracks[MELODY], self.bars, self.chords)

    def redo(self, song: Score) -> Redo:
        """Return which part of a song is made again. Raises MusicError."""
        span = span_of_bars(song, song.tracks[MELODY], self.bars) if self.bars else None
        keep = BAND - frozenset(self.players)
        return Redo(song, keep, span, self.busy, self.high)


def parse_refill(text: str) -> Refill:
    """Read players and bars, and what they shall be like, from text.

    Such as "bass:9-12", "guitar+strings:5:busy=0.8:high=0.2", "all:1-4" or "drums:seed=7".

    Raises:
        MusicError: It is something else.
    """
    check_text(text, "what is made anew", ACCEPTED, 200)
    who, *rest = (part.strip() for part in text.split(":"))
    given: dict[str, Any] = {}
    if who != EVERYONE:
        given["players"] = frozenset(name.strip() for name in who.split("+"))
    for part in rest:
        name, is_wish, value = (each.strip() for each in part.partition("="))
        if not is_wish and "bars" not in given:
            given["bars"] = _parse_bars(part, ACCEPTED)
        elif name in ("busy", "high") and name not in given:
            given[name] = read_number(value, f"how {name}", "0 to 1")
        elif name == "seed" and name not in given:
            given[name] = read_whole(value, "the seed")
        else:
            raise MusicError(f"{shown(part, repr)} is not understood; accepted: {ACCEPTED}")
    return Refill(**given)


def parse_chord(text: str) -> Refill:
    """Read a bar, or bars, and their chords from text such as "5: Dm7 G7".

    Raises:
        MusicError: It is something else.
    """
    check_text(text, "the chords of a bar", ACCEPTED_CHORDS, 2000)
    place, colon, chords = text.partition(":")
    if not colon or not chords.strip():
        raise MusicError(f"{shown(text, repr)} is not understood; accepted: {ACCEPTED_CHORDS}")
    return Refill(bars=_parse_bars(place, ACCEPTED_CHORDS), chords=chords.strip())


def with_levels_of(earlier: Score, song: Score, refill: Refill) -> Score:
    """Return a song whose tracks have the controls of an earlier one, so that no level jumps.

    A track that was made anew as a whole keeps its own.
    """
    anew = refill.players if refill.bars is None else frozenset()
    stay = [track for track in earlier.tracks if track.notes and track.name not in anew]
    before = {track.name: track for track in stay}
    tracks = [
        replace(track, controls=list(before[track.name].controls))
        if track.name in before
        else track
        for track in song.tracks
    ]
    return replace(song, tracks=tracks)


def _parse_bars(text: str, accepted: str) -> tuple[int, int]:
    found = _BARS.fullmatch(text.strip())
    if not found:
        raise MusicError(f"{shown(text, repr)} is no number of a bar; accepted: {accepted}")
    first = int(found[1])
    return first, int(found[2] or first)


def _check_bars(bars: Any) -> None:
    is_pair = isinstance(bars, (tuple, list)) and len(bars) == 2
    if not is_pair or not all(type(each) is int and each >= 0 for each in bars):
        raise MusicError(f"the bars are {shown(bars)}; accepted: such as (9, 12)")
    if bars[0] > bars[1]:
        raise MusicError(f"the bars are {bars[0]} to {bars[1]}; accepted: the lower number first")
