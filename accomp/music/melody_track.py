"""Which notes of a file are the melody: the choice of the track, and the top line of a polyphonic one."""

import re

import numpy as np

from accomp.errors import MusicError
from accomp.music.instruments import program_name
from accomp.music.score import Note, Score, Track

FEWEST = 8  # notes; a track of fewer is the melody only where no track has more
BASS_PROGRAMS = range(32, 40)
TOGETHER = 1 / 16  # beats; notes struck within this are a chord, played by hand

# Names, by what they add to the marks below: a name that says melody outweighs all else, "lead" and "solo" are hints
# only, as they often name a guitar. Names of General MIDI sounds ("Lead 1", "Voice Oohs") say nothing.
NOT_MELODY = re.compile(
    r"back|\bbg|harmon(y|ies|i\b)|choir|ch[oö]r\b|chorus|ooh|aah|counter|accomp|bass|drum|\btom\b|\bpads?\b|chord|rh?yth?m|"
    r"synth voice|lead \d|doubl|echo"
)
SECOND = re.compile(r"\b([2-9]|ii|iii|iv|2nd|3rd|second|third)\b")
MELODY_NAMES = re.compile(
    r"melod|m[eé]lod|\bmel\b|vocal|\bvoca?s?\b|\bvoice\b|\bvox\b|\bvoz\b|\bvoce\b|\bvoix\b|\bstimme\b|"
    r"\bsing(er|ing|t)?\b|\bsang\b|gesang|\bchant\b|\bcanto\b|\btune\b|karaoke"
)
HINT = re.compile(r"\blead\b|\bsolo|\btheme\b")
NAMED, NAMED_SECOND, HINTED, NAMED_OTHER = 20.0, 10.0, 1.5, -2.0

# What the marks of a track are made of. Weights, rounded, from a multinomial logistic regression on songs whose melody
# track is named so, the names hidden.
WEIGHTS = {
    "single": 2.0,  # share of its time in which one note sounds
    "alone": 1.3,  # share of notes not struck together with another
    "height": 1.2,  # of its median pitch above the tracks' median, tanh(octaves)
    "coverage": 2.6,  # share of the song's bars in which it plays; 70 % is enough
    "density": -0.6,  # octaves that its notes per beat are away from 1.3
    "filled": 1.9,  # share of its bars that is not rest
    "steps": 1.5,  # share of small intervals
    "repeats": 0.7,  # share of repeated pitches
    "variety": 1.0,  # pitch classes out of 6
    "bass": -2.5,  # a bass by its program
    "loudness": 2.0,  # mean velocity out of 127
    "place": -1.7,  # among the pitched tracks, tanh(thirds): the melody tends to come early
}


def choose_melody(score: Score) -> int:
    """Index of the melody among `score.tracks`: the track named so, else the one most like a melody, which is a single
    line, high among the others, neither dense nor sparse, varied in pitch, loud and there for most of the song.

    Neither tempo nor a transposition of the whole changes the choice. Raises MusicError where there is no pitched note.
    """
    pitched = [
        index for index, track in enumerate(score.tracks) if track.notes and not track.is_drum
    ]
    if not pitched:
        raise MusicError(
            f"none of the {len(score.tracks)} tracks has pitched notes; accepted: at least one such track"
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
        qualities = _qualities(track, float(medians[index] - middle), place, bars)
        marks[index] = sum(weight * qualities[key] for key, weight in WEIGHTS.items()) + _name_mark(
            track.name
        )
    enough = [index for index in pitched if len(score.tracks[index].notes) >= FEWEST] or pitched
    return max(enough, key=lambda index: (round(marks[index], 6), -index))  # of equals the first


def melody_index(score: Score, wanted: int | None = None) -> int:
    """Return the index of the melody's track: `wanted`, or the track most like a melody.

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


def skyline(notes: list[Note]) -> list[Note]:
    """The top line of `notes`, one note at a time, by onset (the skyline algorithm, Uitdenbogerd & Zobel 1998).

    Of notes struck together the highest stays. A higher note cuts the one that sounds; a lower one does so only where
    that is nearly over, and is left out otherwise. A single line comes back as it is.
    """
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.onset, -note.pitch, -note.duration)):
        top = line[-1] if line else None
        if top is None or (note.onset > top.onset and note.onset >= top.end - 1e-6):
            line.append(note)
        elif note.onset == top.onset:
            if top.duration == 0 < note.duration:  # what is not heard hides nothing
                line[-1] = note
        elif note.pitch > top.pitch and note.onset - top.onset < TOGETHER:
            line[-1] = note
        elif note.pitch >= top.pitch or _nearly_over(top, note.onset):
            line[-1] = top._replace(duration=note.onset - top.onset)
            line.append(note)
    return line


def melody_name(score: Score, index: int) -> str:
    """A track in words, counted from 0: 'track 3 "Vocals" (Flute, 212 notes)'."""
    track = score.tracks[index]
    name = f' "{track.name}"' if track.name else ""
    sound = "drums" if track.is_drum else program_name(track.program)
    return f"track {index}{name} ({sound}, {len(track.notes)} note{'' if len(track.notes) == 1 else 's'})"


def _nearly_over(note: Note, beat: float) -> bool:
    """Whether at `beat` at most a sixteenth or a quarter of `note` is left, and not more than half of it."""
    return note.end - beat <= min(max(0.25, note.duration / 4), note.duration / 2)


def _name_mark(name: str) -> float:
    name = name.lower()
    if NOT_MELODY.search(name):
        return NAMED_OTHER
    if MELODY_NAMES.search(name):
        return NAMED_SECOND if SECOND.search(name) else NAMED
    return HINTED if HINT.search(name) else 0.0


def _qualities(track: Track, height: float, place: int, song_bars: int) -> dict[str, float]:
    """Of WEIGHTS; height: semitones of its median pitch above the tracks' median; place: among the pitched tracks;
    song_bars: bars of four beats in which any track plays.
    """
    pitch, onset, duration, velocity = np.array(
        sorted(track.notes, key=lambda note: (note.onset, note.pitch)), float
    ).T
    times = np.concatenate([onset, onset + duration])
    changes = np.repeat([1, -1], len(onset))
    order = np.lexsort((changes, times))  # where a note ends as another begins, no two sound
    sounding, spans = np.cumsum(changes[order])[:-1], np.diff(times[order])
    heard = spans[sounding > 0].sum()
    apart = np.diff(onset) > TOGETHER
    alone = np.append(apart, True) & np.insert(apart, 0, True)
    intervals = np.abs(np.diff(pitch[alone])) if alone.sum() > 2 else np.array([12.0])
    bars = len(np.unique(onset // 4))
    return {
        "single": spans[sounding == 1].sum() / heard if heard else 0.0,
        "alone": alone.mean(),
        "height": np.tanh(height / 12),
        "coverage": min(1.0, bars / song_bars / 0.7),
        "density": abs(np.log2(max(len(onset) / (4 * bars), 0.05) / 1.3)),
        "filled": min(1.0, heard / (4 * bars)),
        "steps": ((intervals > 0) & (intervals <= 4)).mean(),
        "repeats": (intervals == 0).mean(),
        "variety": min(1.0, len(np.unique(pitch % 12)) / 6),
        "bass": float(track.program in BASS_PROGRAMS),
        "loudness": velocity.mean() / 127,
        "place": np.tanh(place / 3),
    }
