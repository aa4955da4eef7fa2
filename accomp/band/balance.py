"""Set each track's volume, pan, reverb and chorus.

A track's loudness is predicted from its notes (accomp.band.note_levels): louder, longer and more
notes in a second make a louder track, which gets a lower volume. So every player of the MIDI file
plays it balanced. The levels were measured with FluidSynth and FluidR3_GM, which suit it best.
Letters: hops of accomp.music.loudness.HOP seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.ndimage import uniform_filter1d

from accomp.band.note_levels import STEEPNESS, USUAL_VOLUME, VOLUME, Loudness, loudest_values
from accomp.errors import MusicError
from accomp.music.loudness import HOP
from accomp.music.score import Control, Score, Track
from accomp.roll.grid import MELODY, TRACK_NAMES

PAN, REVERB, CHORUS = 10, 91, 93  # MIDI controllers
SET = (VOLUME, PAN, REVERB, CHORUS)  # what the balance sets


@dataclass(frozen=True)
class Room:
    """Where a genre's band plays, as controller values from 0 to 127.

    Attributes:
        width: of guitar and strings from the middle, of 64.
        reverb: of the pitched tracks, which `BalanceSettings.sends` shares out.
        drums: reverb of the drums.
        chorus: of guitar and strings.
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


def _by_track(**values: float) -> Mapping[str, float]:
    return field(default_factory=lambda: dict(values))


@dataclass(frozen=True)
class BalanceSettings:
    """How loud each player is, and where.

    Attributes:
        roles: by track, LU beside the melody, both where they play. A whole band is about 3 LU
            below the melody, or lower as `on_top` asks for.
        other_role: the same for a track of another name.
        on_top: LU that the melody has over the band's sum at least ...
        mostly: ... in all but this percentage of the passages in which it plays.
        muted: a melody of a lower volume is a guide that its file hides; it is played as usual.
        places: by track, share of the room's width, left to right; others are in the middle.
        sends: by track, share of the room's reverb: low notes blur, strings float.
        chorused: tracks that get the room's chorus.
        rooms: by genre; another genre gets a room between them.
    """

    roles: Mapping[str, float] = _by_track(drums=-8.0, bass=-8.0, guitar=-9.5, strings=-10.5)
    other_role: float = -10.0
    on_top: float = 0.5
    mostly: float = 5
    muted: int = 10
    places: Mapping[str, float] = _by_track(guitar=-1.0, strings=0.75)
    sends: Mapping[str, float] = _by_track(piano=0.9, bass=0.25, guitar=0.8, strings=1.2)
    chorused: tuple[str, ...] = ("guitar", "strings")
    rooms: Mapping[str, Room] = field(default_factory=lambda: dict(ROOMS))


SETTINGS = BalanceSettings()
PASSAGE = 3.0  # seconds: short-term loudness (EBU Tech 3341)


def balanced(score: Score, genre: str, settings: BalanceSettings = SETTINGS) -> Score:
    """Set volume, pan, reverb and chorus at beat 0 of every track.

    Of the melody's track those that are there when it begins stay, except for a volume that mutes
    it. The band is set to the loudness that the melody has with them.

    Args:
        score: a song with a track that is named as the melody's.
        genre: one of `settings.rooms`, or any other.
        settings: the balance.

    Raises:
        MusicError: no track is the melody's.
    """
    melody = next((track for track in score.tracks if track.name == TRACK_NAMES[MELODY]), None)
    if melody is None:
        raise MusicError(
            f"there is no track named {TRACK_NAMES[MELODY]!r} to balance the others with"
        )
    loudness, notices, place = Loudness(score), list(score.notices), score.tracks.index(melody)
    if melody.notes and _own_volume(melody) < settings.muted:
        notices.append(
            "melody: its volume in the file is next to nothing; it is played at the usual one"
        )
        kept = [control for control in melody.controls if control.number != VOLUME]
        melody = replace(melody, controls=kept)
    tracks = [
        melody if i == place else replace(track, controls=_others(track))
        for i, track in enumerate(score.tracks)
    ]
    band = {
        track.name: loudness.power(track)
        for i, track in enumerate(tracks)
        if i != place and track.notes
    }
    volumes = volumes_under(loudness.power(melody), band, settings)
    room = settings.rooms.get(genre.lower(), Room())
    equipped = [_equipped(track, volumes, room, track is melody, settings) for track in tracks]
    return replace(score, tracks=equipped, notices=notices)


def _equipped(
    track: Track, volumes: dict[str, int], room: Room, is_melody: bool, settings: BalanceSettings
) -> Track:
    """Return a track with its controllers; a melody's own ones at its beginning stay."""
    reverb = round(room.reverb * settings.sends.get(track.name, 1.0))
    values = {
        VOLUME: USUAL_VOLUME if is_melody else volumes.get(track.name, USUAL_VOLUME),
        PAN: 64 + round(settings.places.get(track.name, 0.0) * room.width),
        REVERB: room.drums if track.is_drum else reverb,
        CHORUS: room.chorus if track.name in settings.chorused else 0,
    }
    own: set[int] = set()
    if is_melody:
        begun = min((note.onset for note in track.notes), default=0.0)
        own = {control.number for control in track.controls if control.onset <= begun}
    new = [Control(0.0, number, value) for number, value in values.items() if number not in own]
    return replace(track, controls=new + track.controls)


def volumes_under(
    melody: np.ndarray, band: dict[str, np.ndarray], settings: BalanceSettings = SETTINGS
) -> dict[str, int]:
    """Return the volumes, 1 to 127, that bring the band's tracks below a melody.

    Args:
        melody: [hops] power.
        band: by track, [hops] power.
        settings: the roles of the tracks.
    """
    wanted = {
        name: level(melody) + settings.roles.get(name, settings.other_role) - level(power)
        for name, power in band.items()
    }
    played = (power * 10 ** (wanted[name] / 10) for name, power in band.items())
    whole = sum(played, np.zeros_like(melody))
    too_loud = 0.0
    if whole.any():
        too_loud = settings.on_top - np.percentile(over(melody, whole), settings.mostly)
    return {name: _volume(gain - max(too_loud, 0.0)) for name, gain in wanted.items()}


def over(melody: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Return by how many LU a melody is above a band in each passage in which it plays.

    Args:
        melody: [hops] power.
        band: [hops] power.
    """
    lead, rest = passages(melody), passages(band)
    return 10 * np.log10((lead / np.maximum(rest, 1e-12))[_plays(lead)]).clip(-60, 60)


def level(power: np.ndarray) -> float:
    """Return the LU of a track where it plays, of its power [hops]."""
    short = passages(power)
    return 10 * np.log10(max(short[_plays(short)].mean(), 1e-12))


def passages(power: np.ndarray) -> np.ndarray:
    """Return the mean power in the PASSAGE about each hop, [hops]."""
    return uniform_filter1d(power, round(PASSAGE / HOP), mode="constant")


def _plays(short: np.ndarray) -> np.ndarray:
    """Return which passages are no rest.

    A rest is more than 10 LU below the mean of those that sound (as BS.1770 gates).
    """
    return short >= 0.1 * short[short >= 1e-4 * short.max()].mean()


def _volume(decibels: float) -> int:
    """Return the controller's value for a gain beside USUAL_VOLUME."""
    return int(np.clip(round(USUAL_VOLUME * 10 ** (decibels / STEEPNESS)), 1, 127))


def _others(track: Track) -> list[Control]:
    """Return the controls that the balance does not set."""
    return [control for control in track.controls if control.number not in SET]


def _own_volume(melody: Track) -> float:
    """Return the largest volume at which a note of a melody sounds."""
    _, onset, duration, _ = np.array(melody.notes, float).T
    return float(loudest_values(melody, VOLUME, onset, onset + duration, USUAL_VOLUME).max())
