"""Change who plays in a song that is there: who stays plays the very notes."""

from collections.abc import Callable
from dataclasses import replace

from accomp.band.ensembles import Ensemble
from accomp.band.finish import Finish
from accomp.band.options import BAND, Options, Redo
from accomp.band.refill import Refill, with_levels_of
from accomp.music.score import Score
from accomp.roll.grid import GUITAR, STRINGS, TRACK_NAMES
from accomp.roll.sounding_names import is_second_guitar, sounding_name


def newcomers(before: Options, after: Options) -> frozenset[str]:
    """Return who has to play anew when the players of a song change."""
    new = frozenset(after.instruments) - frozenset(before.instruments)
    if before.second_guitar != after.second_guitar:
        new |= {TRACK_NAMES[STRINGS]}
    return new & frozenset(after.instruments)


def with_players(
    song: Score, before: Options, after: Options, play: Callable[[Redo], Score]
) -> Score:
    """Return a song with other players.

    Args:
        song: As the band played it.
        before: Who plays in it.
        after: Who shall play.
        play: Makes the song again with `after`, but for what a Redo keeps.

    Raises:
        MusicError: What `play` raises.
    """
    new = newcomers(before, after)
    if new:
        return with_levels_of(song, play(Redo(song, BAND - new)), Refill(players=new))
    gone = BAND - frozenset(after.instruments)
    tracks = [replace(each, notes=[]) if each.name in gone else each for each in song.tracks]
    return replace(song, tracks=tracks)


def with_sounds(finish: Finish, song: Score, ensemble: Ensemble) -> Finish:
    """Return a finish with the sounds of an ensemble, where its name asks for others.

    A guitar that is there stays the guitar that it is, and the bass stays in any case.

    Args:
        finish: Of the song.
        song: As the band played it.
        ensemble: Who shall play.
    """
    programs = dict(finish.programs)
    for part in (GUITAR, STRINGS):
        name, track = TRACK_NAMES[part], song.tracks[part]
        wanted = ensemble.programs.get(name)
        comes = part == STRINGS and ensemble.second_guitar and not is_second_guitar(track)
        if wanted is None or comes:  # a second guitar is made with its sound
            programs.pop(name, None)
            continue
        now = replace(track, program=programs.get(name, track.program))
        if sounding_name(replace(track, program=wanted)) != sounding_name(now):
            programs[name] = wanted
    return replace(finish, programs=programs)
