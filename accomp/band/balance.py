"""Who is how loud, where and in what room: a song's MIDI volumes, pans, reverb and chorus.

A track's loudness is foretold from its notes: each has the energy that its instrument, pitch, length and velocity give it
(accomp.band.note_levels); louder, longer and more notes in a second make a louder track, which gets a lower volume. So every
player of the MIDI file has the balance; FluidSynth with FluidR3_GM, of which the levels were measured, has it best.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import uniform_filter1d

from accomp.band import note_levels
from accomp.errors import MusicError
from accomp.music.loudness import HOP
from accomp.music.score import Control, Score, Track
from accomp.roll.grid import MELODY, TRACK_NAMES

VOLUME, PAN, EXPRESSION, SUSTAIN, REVERB, CHORUS = 7, 10, 11, 64, 91, 93
SET = (VOLUME, PAN, REVERB, CHORUS)
USUAL_VOLUME = (
    100  # of a channel until it is told another; the one that note levels were measured with
)
STEEPNESS = 40  # dB a decade of volume and expression (General MIDI)
# LU of a track beside the melody, both where they play. A whole band is about 3 below, or lower as ON_TOP asks for.
ROLES = {"drums": -8.0, "bass": -8.0, "guitar": -9.5, "strings": -10.5}
OTHER_ROLE = -10.0
ON_TOP = 0.5  # LU: what the melody has over the band's sum at least ...
MOSTLY = 5  # ... in all but this percentage of the passages in which it plays
MUTED = 10  # a melody of less volume is a guide that its file hides
PASSAGE = 3.0  # seconds: short-term loudness (EBU Tech 3341)


@dataclass(frozen=True)
class Room:
    """Where a genre's band plays. width: of guitar and strings from the middle, of 64; reverb: of the pitched tracks, which SENDS
    share out, and drums: of the drums; chorus: of guitar and strings; all as controllers, 0 to 127.
    """

    width: int = 32
    reverb: int = 45
    drums: int = 25
    chorus: int = 12


# Dry where drums carry the music, roomy where the room is part of it.
ROOMS = {
    "pop": Room(36, 40, 16, 14),
    "rock": Room(44, 32, 24, 8),
    "jazz": Room(24, 64, 48, 4),
    "gospel": Room(30, 76, 48, 16),
    "folk": Room(28, 52, 32, 8),
    "latin": Room(40, 44, 28, 10),
    "game": Room(44, 36, 16, 24),
    "funk": Room(40, 20, 8, 10),
}
PLACES = {
    "guitar": -1.0,
    "strings": 0.75,
}  # of a room's width, left to right; all others are in the middle
SENDS = {
    "piano": 0.9,
    "bass": 0.25,
    "guitar": 0.8,
    "strings": 1.2,
}  # of a room's reverb: low notes blur, strings float
CHORUSED = ("guitar", "strings")


def balanced(score: Score, genre: str) -> Score:
    """`score`, a result of `Accompanist.accompany`, with volume, pan, reverb and chorus (controllers 7, 10, 91 and 93) at beat 0
    of every track. Of the melody's track those that are there when it begins stay (but for a volume that mutes it), and its
    loudness with them is what the band's is set to. genre: one of ROOMS, or any other for a room between them. Raises
    MusicError where no track is the melody's.
    """
    melody = next((track for track in score.tracks if track.name == TRACK_NAMES[MELODY]), None)
    if melody is None:
        raise MusicError(
            f"there is no track named {TRACK_NAMES[MELODY]!r} to balance the others with"
        )
    clock, notices = _Clock(score), list(score.notices)
    if melody.notes and _own_volume(melody) < MUTED:
        notices.append(
            "melody: its volume in the file is next to nothing; it is played at the usual one"
        )
        heard = replace(
            melody, controls=[control for control in melody.controls if control.number != VOLUME]
        )
        score = replace(
            score, tracks=[heard if track is melody else track for track in score.tracks]
        )
        melody = heard
    band = [
        replace(track, controls=_others(track)) for track in score.tracks if track is not melody
    ]
    volumes = volumes_under(
        clock.power(melody), {track.name: clock.power(track) for track in band if track.notes}
    )
    room = ROOMS.get(genre.lower(), Room())

    def equipped(track: Track) -> Track:
        begun = min((note.onset for note in track.notes), default=0.0)
        own = (
            {control.number for control in track.controls if control.onset <= begun}
            if track is melody
            else set()
        )
        values = {
            VOLUME: volumes.get(track.name, USUAL_VOLUME) if track is not melody else USUAL_VOLUME,
            PAN: 64 + round(PLACES.get(track.name, 0.0) * room.width),
            REVERB: room.drums
            if track.is_drum
            else round(room.reverb * SENDS.get(track.name, 1.0)),
            CHORUS: room.chorus if track.name in CHORUSED else 0,
        }
        kept = track.controls if track is melody else _others(track)
        return replace(
            track,
            controls=[Control(0.0, n, value) for n, value in values.items() if n not in own] + kept,
        )

    return replace(score, tracks=[equipped(track) for track in score.tracks], notices=notices)


def volumes_under(melody: np.ndarray, band: dict[str, np.ndarray]) -> dict[str, int]:
    """The volumes, 1 to 127, that bring the band's tracks below a melody; both as power in each HOP: [hops]."""
    wanted = {
        name: level(melody) + ROLES.get(name, OTHER_ROLE) - level(power)
        for name, power in band.items()
    }
    whole = sum(
        (power * 10 ** (wanted[name] / 10) for name, power in band.items()), np.zeros_like(melody)
    )
    too_loud = ON_TOP - np.percentile(over(melody, whole), MOSTLY) if whole.any() else 0.0
    return {name: _volume(gain - max(too_loud, 0.0)) for name, gain in wanted.items()}


def over(melody: np.ndarray, band: np.ndarray) -> np.ndarray:
    """LU by which a melody is above a band in each passage in which it plays: [passages]. melody, band: [hops] power."""
    lead, rest = passages(melody), passages(band)
    return 10 * np.log10((lead / np.maximum(rest, 1e-12))[_plays(lead)]).clip(-60, 60)


def level(power: np.ndarray) -> float:
    """LU of a track where it plays. power: [hops]."""
    short = passages(power)
    return 10 * np.log10(max(short[_plays(short)].mean(), 1e-12))


def passages(power: np.ndarray) -> np.ndarray:
    """Mean power in the PASSAGE about each hop: [hops]."""
    return uniform_filter1d(power, round(PASSAGE / HOP), mode="constant")


def _plays(short: np.ndarray) -> np.ndarray:
    """Which passages are no rest: less than 10 LU below the mean of those that sound (as BS.1770 gates)."""
    return short >= 0.1 * short[short >= 1e-4 * short.max()].mean()


def _volume(decibels: float) -> int:
    """The controller's value for a gain beside USUAL_VOLUME."""
    return int(np.clip(round(USUAL_VOLUME * 10 ** (decibels / STEEPNESS)), 1, 127))


def _others(track: Track) -> list[Control]:
    return [control for control in track.controls if control.number not in SET]


class _Clock:
    """When in seconds the beats of a score are, and what power its tracks then have."""

    def __init__(self, score: Score):
        self.seconds = score.seconds
        self.hops = int(score.seconds(score.end) / HOP) + 20  # what rings on

    def power(self, track: Track) -> np.ndarray:
        """[hops], foretold from notes, pedal, volume and expression."""
        if not track.notes:
            return np.zeros(self.hops)
        pitch, onset, duration, velocity = np.array(track.notes, float).T
        start = self.seconds(onset)
        length = np.maximum(self.seconds(_released(track, onset + duration)) - start, 0.02)
        table = note_levels.DRUMS if track.is_drum else note_levels.PROGRAMS[track.program]
        strength = table[-1] * np.log10(np.maximum(velocity, 1) / note_levels.VELOCITY)
        for number, usual in ((VOLUME, USUAL_VOLUME), (EXPRESSION, 127)):
            strength += STEEPNESS * np.log10(
                np.maximum(_loudest(track, number, onset, onset + duration, usual), 0.1) / usual
            )
        if track.is_drum:
            keys = np.clip(pitch.astype(int) - note_levels.FIRST_KEY, 0, len(table) - 2)
            return self._spread(
                start,
                np.full(len(start), note_levels.LENGTHS[1]),
                10 ** ((table[keys] + strength) / 10),
            )
        levels = [
            np.interp(pitch, note_levels.PITCHES, row) + strength
            for row in table[:-1].reshape(3, -1)
        ]
        stroke, brief, long = 10 ** (np.array(levels) / 10)
        first, second, third = note_levels.LENGTHS
        head = stroke + (brief - stroke) * np.clip((length - first) / (second - first), 0, 1)
        rest = np.maximum(long - brief, 0) * np.maximum(length - second, 0) / (third - second)
        body = np.minimum(length, second)
        return self._spread(start, body, head) + self._spread(
            start + body, np.maximum(length - body, HOP), rest
        )

    def _spread(self, start: np.ndarray, length: np.ndarray, energy: np.ndarray) -> np.ndarray:
        """[hops] power of notes that give their energy evenly."""
        first = np.clip((start / HOP).astype(int), 0, self.hops - 1)
        last = np.clip(((start + length) / HOP).astype(int) + 1, first + 1, self.hops)
        steps = np.zeros(self.hops + 1)
        power = energy / ((last - first) * HOP)
        np.add.at(steps, first, power)
        np.add.at(steps, last, -power)
        return np.maximum(np.cumsum(steps)[:-1], 0)


def _at(track: Track, number: int, beats: np.ndarray, usual: float) -> np.ndarray:
    """A controller's values at `beats`; `usual` before it is first set."""
    events = sorted(
        (control.onset, control.value) for control in track.controls if control.number == number
    )
    onsets, values = np.array([(-np.inf, usual), *events], float).T
    return values[np.searchsorted(onsets, beats, side="right") - 1]


def _loudest(
    track: Track, number: int, starts: np.ndarray, ends: np.ndarray, usual: float
) -> np.ndarray:
    """A controller's largest values from `starts` to `ends`, in beats: players of winds and strings begin notes at 0."""
    events = sorted(
        (control.onset, control.value) for control in track.controls if control.number == number
    )
    onsets, values = np.array([(-np.inf, usual), *events], float).T
    first = np.searchsorted(onsets, starts, side="right") - 1
    last = np.maximum(np.searchsorted(onsets, ends, side="left"), first + 1)
    return np.array([values[a:b].max() for a, b in zip(first, last)])


def _own_volume(melody: Track) -> float:
    """The largest volume (controller 7) at which a note of it sounds."""
    _, onset, duration, _ = np.array(melody.notes, float).T
    return float(_loudest(melody, VOLUME, onset, onset + duration, USUAL_VOLUME).max())


def _released(track: Track, ends: np.ndarray) -> np.ndarray:
    """When notes that end at `ends` (beats) are damped: where the pedal is down, as it goes up."""
    ups = sorted(
        control.onset
        for control in track.controls
        if control.number == SUSTAIN and control.value < 64
    )
    held = _at(track, SUSTAIN, ends, 0) >= 64
    following = np.searchsorted(ups, ends)
    return np.where(held, np.array([*ups, track.end])[following], ends)
