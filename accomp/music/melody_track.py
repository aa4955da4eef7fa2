"""Find the melody of a score: its track, and the top line of that."""

from dataclasses import dataclass

import numpy as np

from accomp.errors import MusicError
from accomp.music.instruments import program_name
from accomp.music.score import Note, Score, Track
from accomp.music.track_names import name_says

BASS_PROGRAMS = range(32, 40)


@dataclass(frozen=True)
class MelodyTrackSettings:
    """How a track is marked as a melody, and how its top line is found.

    The weights of qualities are rounded from a multinomial logistic regression on songs whose
    melody track is named so, with the names hidden.
    """

    fewest: int = 8  # notes; a track of fewer is the melody only where no track has more
    together: float = 1 / 16  # beats; notes struck within this are a chord, played by hand

    # Marks by the track's name (accomp.music.track_names). "Melody" outweighs all else.
    named: float = 20.0  # as the melody
    named_second: float = 10.0  # "Vocals 2"
    # "Lead" and "solo" are hints only: they often name a guitar.
    hinted: float = 1.5
    named_other: float = -2.0  # as something else

    # Weights of the track's qualities.
    single: float = 2.0  # share of its time in which one note sounds
    alone: float = 1.3  # share of notes not struck together with another
    height: float = 1.2  # of its median pitch above the tracks' median, tanh(octaves)
    coverage: float = 2.6  # share of the song's bars in which it plays; 70 % is enough
    density: float = -0.6  # octaves that its notes per beat are away from 1.3
    filled: float = 1.9  # share of its bars that is not rest
    steps: float = 1.5  # share of small intervals
    repeats: float = 0.7  # share of repeated pitches
    variety: float = 1.0  # pitch classes out of 6
    bass: float = -2.5  # a bass by its program
    loudness: float = 2.0  # mean velocity out of 127
    place: float = -1.7  # among the pitched tracks, tanh(thirds): the melody tends to come early


def choose_melody(score: Score, settings: MelodyTrackSettings = MelodyTrackSettings()) -> int:
    """Return the index of the melody's track.

    That is the track with a melody's name, or else the track most like a melody: a single line,
    high among the others, neither dense nor sparse, varied in pitch, loud, and there for most of
    the song. Neither the tempo nor a transposition of the whole changes the choice.

    Raises:
        MusicError: No track has pitched notes.
    """
    pitched = [
        index for index, track in enumerate(score.tracks) if track.notes and not track.is_drum
    ]
    if not pitched:
        raise MusicError(
            f"none of the {len(score.tracks)} tracks has pitched notes; "
            "accepted: at least one such track"
        )
    medians = {
        index: np.median([note.pitch for note in score.tracks[index].notes]) for index in pitched
    }
    middle = np.median(list(medians.values()))
    bars = len(
        np.unique([note.onset // 4 for index in pitched for note in score.tracks[index].notes])
    )
    marks = {}
    for place, index in enumerate(pitched):
        track = score.tracks[index]
        qualities = _qualities(track, float(medians[index] - middle), place, bars, settings)
        marks[index] = sum(
            getattr(settings, name) * value for name, value in qualities.items()
        ) + _name_mark(track.name, settings)
    enough = [i for i in pitched if len(score.tracks[i].notes) >= settings.fewest] or pitched
    return max(enough, key=lambda index: (round(marks[index], 6), -index))  # of equals the first


def melody_index(score: Score, wanted: int | None = None) -> int:
    """Return the index of the melody's track: `wanted`, or a chosen one.

    Raises:
        MusicError: Track `wanted` does not exist, is a drum track or has no notes; or no track
            of the score has pitched notes.
    """
    if wanted is None:
        return choose_melody(score)
    if not 0 <= wanted < len(score.tracks):
        raise MusicError(
            f"melody track {wanted} does not exist; accepted: 0 to {len(score.tracks) - 1}"
        )
    track = score.tracks[wanted]
    if track.is_drum or not track.notes:
        found = "is a drum track" if track.is_drum else "has no notes"
        raise MusicError(f"melody track {wanted} {found}; accepted: a pitched track with notes")
    return wanted


def skyline(notes: list[Note], settings: MelodyTrackSettings = MelodyTrackSettings()) -> list[Note]:
    """Return the top line of notes, one at a time, by onset.

    This is the skyline algorithm (Uitdenbogerd & Zobel 1998). Of notes struck together the highest
    stays. A higher note cuts the one that sounds. A lower one does so only where that is nearly
    over, and is left out otherwise. A single line comes back as it is.
    """
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.onset, -note.pitch, -note.duration)):
        if not line or (note.onset > line[-1].onset and note.onset >= line[-1].end - 1e-6):
            line.append(note)
        else:
            _join(line, note, settings.together)
    return line


def _join(line: list[Note], note: Note, together: float) -> None:
    """Add a note, in place, to a line whose last note sounds as it begins."""
    top = line[-1]
    if note.onset == top.onset:
        if top.duration == 0 < note.duration:  # a note of no length hides nothing
            line[-1] = note
    elif note.pitch > top.pitch and note.onset - top.onset < together:
        line[-1] = note
    elif note.pitch >= top.pitch or _nearly_over(top, note.onset):
        line[-1] = top._replace(duration=note.onset - top.onset)
        line.append(note)


def _nearly_over(note: Note, beat: float) -> bool:
    """Tell whether little of `note` is left at `beat`.

    That is at most a sixteenth or a quarter of the note, and not more than half of it.
    """
    return note.end - beat <= min(max(0.25, note.duration / 4), note.duration / 2)


def melody_name(score: Score, index: int) -> str:
    """Describe a track, counted from 0: 'track 3 "Vocals" (Flute, 212 notes)'."""
    track = score.tracks[index]
    name = f' "{track.name}"' if track.name else ""
    sound = "drums" if track.is_drum else program_name(track.program)
    count = len(track.notes)
    return f"track {index}{name} ({sound}, {count} note{'' if count == 1 else 's'})"


def _name_mark(name: str, settings: MelodyTrackSettings) -> float:
    marks = {
        "melody": settings.named,
        "second": settings.named_second,
        "hint": settings.hinted,
        "other": settings.named_other,
        "nothing": 0.0,
    }
    return marks[name_says(name)]


def _qualities(
    track: Track, height: float, place: int, song_bars: int, settings: MelodyTrackSettings
) -> dict[str, float]:
    """Measure a track's qualities, by their names in MelodyTrackSettings.

    Args:
        track: At least one note.
        height: Semitones of its median pitch above the tracks' median.
        place: Its place among the pitched tracks.
        song_bars: Bars of four beats in which any track plays.
        settings: Which notes are struck together.
    """
    pitch, onset, duration, velocity = np.array(
        sorted(track.notes, key=lambda note: (note.onset, note.pitch)), float
    ).T
    times = np.concatenate([onset, onset + duration])
    changes = np.repeat([1, -1], len(onset))
    order = np.lexsort((changes, times))  # where a note ends as another begins, no two sound
    sounding, spans = np.cumsum(changes[order])[:-1], np.diff(times[order])
    sounded = spans[sounding > 0].sum()
    apart = np.diff(onset) > settings.together
    alone = np.append(apart, True) & np.insert(apart, 0, True)
    intervals = np.abs(np.diff(pitch[alone])) if alone.sum() > 2 else np.array([12.0])
    bars = len(np.unique(onset // 4))
    return {
        "single": spans[sounding == 1].sum() / sounded if sounded else 0.0,
        "alone": alone.mean(),
        "height": np.tanh(height / 12),
        "coverage": min(1.0, bars / song_bars / 0.7),
        "density": abs(np.log2(max(len(onset) / (4 * bars), 0.05) / 1.3)),
        "filled": min(1.0, sounded / (4 * bars)),
        "steps": ((intervals > 0) & (intervals <= 4)).mean(),
        "repeats": (intervals == 0).mean(),
        "variety": min(1.0, len(np.unique(pitch % 12)) / 6),
        "bass": float(track.program in BASS_PROGRAMS),
        "loudness": velocity.mean() / 127,
        "place": np.tanh(place / 3),
    }
