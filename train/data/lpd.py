"""Read archives and genre lists of the Lakh Pianoroll Dataset.

LPD-5 (Dong et al. 2018) is pypianoroll's .npz, with five tracks.
"""

from pathlib import Path

import numpy as np
import pypianoroll

from accomp.errors import MusicError
from accomp.music.score import Note, Score, Tempo, Track
from accomp.roll.grid import TRACK_NAMES, TRACKS

USUAL_TEMPO = 120.0  # beats a minute, where the archive has none
USUAL_VELOCITY = 100  # of rolls of 0 and 1


def read_lpd(path: Path) -> Score:
    """Read an LPD-5 archive.

    A roll does not tell a note struck again from a held one; such notes are read as held.

    Raises:
        MusicError: The file is no archive, or lacks one of the five tracks.
    """
    try:
        multitrack = pypianoroll.load(path)
    except Exception as error:  # pypianoroll raises whatever its parts do on a foreign archive
        raise MusicError(f"{path.name} is no pypianoroll archive: {error}") from error
    by_name = {track.name.strip().lower(): track for track in multitrack.tracks}
    if any(name not in by_name for name in TRACK_NAMES):
        raise MusicError(
            f"{path.name} has the tracks {', '.join(by_name)}; LPD-5 has {', '.join(TRACK_NAMES)}"
        )
    resolution = multitrack.resolution
    tracks = []
    for spec in TRACKS:
        track = by_name[spec.name]
        name = "melody" if spec.name == "piano" else spec.name
        notes = _notes(np.asarray(track.pianoroll), resolution)
        tracks.append(Track(name, track.program, track.is_drum, notes))
    tempo = USUAL_TEMPO
    if multitrack.tempo is not None and np.size(multitrack.tempo):
        tempo = float(np.ravel(multitrack.tempo)[0])
    return Score(tracks, [Tempo(0.0, round(60e6 / tempo))], resolution=resolution)


def _notes(roll: np.ndarray, resolution: int) -> list[Note]:
    """Return the notes of a roll [steps, 128] of velocities, or of 0 and 1."""
    if not roll.size:
        return []
    velocity = np.where(roll.dtype == bool, roll * USUAL_VELOCITY, roll).astype(int)
    padded = np.pad(velocity > 0, ((1, 1), (0, 0))).astype(np.int8)
    change = np.diff(padded, axis=0).T  # [128, steps + 1]
    pitches, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    return [
        Note(int(p), s / resolution, (e - s) / resolution, int(min(velocity[s, p], 127)))
        for p, s, e in zip(pitches, starts, ends)
    ]


def read_genre_list(path: Path) -> dict[str, str]:
    """Read genres by Million Song Dataset track id, as the tagtraum annotations have them.

    A line is "TRACKID<tab>genre[<tab>...]", or a comment that begins with # (Schreiber 2015).

    Raises:
        MusicError: The file has no such line.
    """
    genres = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and len(fields) >= 2:
            genres[fields[0].strip()] = fields[1].strip().lower()
    if not genres:
        raise MusicError(f"{path.name} holds no line of the form TRACKID<tab>genre")
    return genres
