"""Put together a melody that is spread over tracks which take turns, such as verse and chorus."""

from bisect import bisect_right
from dataclasses import dataclass, replace

from accomp.errors import MusicError
from accomp.music.melody_track import choose_melody
from accomp.music.score import Score, Track
from accomp.music.track_names import name_says, section_name


@dataclass(frozen=True)
class TurnSettings:
    """When two tracks take turns."""

    together: float = 0.1  # share of one's notes that begin while the other sounds, at most
    fewest: int = 2  # notes of a turn


def with_whole_melody(score: Score, settings: TurnSettings = TurnSettings()) -> Score:
    """Return a score whose melody's track has all of a melody that is spread over several tracks.

    Those are tracks that are all named as the melody, or by sections of the song, and take turns. A
    notice says so; the others stay in their places without notes. Any other score comes back as it
    is.
    """
    try:
        main = choose_melody(score)
    except MusicError:
        return score
    own = score.tracks[main]
    turns = [main]
    whole = own
    for index, track in enumerate(score.tracks):
        if index != main and _goes_on(own, track) and _take_turns(whole, track, settings):
            turns.append(index)
            whole = replace(
                whole,
                notes=sorted(whole.notes + track.notes, key=lambda note: (note.onset, note.pitch)),
                controls=sorted(whole.controls + track.controls, key=lambda each: each.onset),
            )
    if len(turns) == 1:
        return score
    tracks = [
        whole
        if index == main
        else replace(track, notes=[], controls=[])
        if index in turns
        else track
        for index, track in enumerate(score.tracks)
    ]
    names = [f'"{score.tracks[index].name}"' for index in sorted(turns)]
    notice = f"the tracks {', '.join(names[:-1])} and {names[-1]} take turns; together they are "
    return replace(score, tracks=tracks, notices=[*score.notices, notice + "the melody"])


def _goes_on(main: Track, other: Track) -> bool:
    """Tell by their names whether a track can go on with the melody of another one."""
    if other.is_drum or not other.notes:
        return False
    sections = section_name(main.name), section_name(other.name)
    if None not in sections and sections[0] == sections[1]:
        return True
    return all(
        name_says(track.name) in ("melody", "second") or section_name(track.name) == ""
        for track in (main, other)
    )


def _take_turns(one: Track, other: Track, settings: TurnSettings) -> bool:
    if len(other.notes) < settings.fewest:
        return False
    shares = (_share_during(one, other), _share_during(other, one))
    return max(shares) <= settings.together


def _share_during(track: Track, other: Track) -> float:
    """Return the share of a track's notes that begin while the other one sounds."""
    spans = sorted((note.onset, note.end) for note in other.notes)
    onsets = [onset for onset, _ in spans]
    ends: list[float] = []
    for _, end in spans:
        ends.append(max(end, ends[-1]) if ends else end)
    begun = [bisect_right(onsets, note.onset + 1e-6) for note in track.notes]
    during = sum(
        place > 0 and ends[place - 1] > note.onset + 1e-6 for place, note in zip(begun, track.notes)
    )
    return during / len(track.notes)
