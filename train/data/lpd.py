"""Archives of the Lakh Pianoroll Dataset (LPD-5, pypianoroll's .npz with five tracks) as Scores, and its genre lists."""

from pathlib import Path

import numpy as np
import pypianoroll

from accomp.errors import MusicError
from accomp.music.score import Note, Score, Tempo, Track
from accomp.roll.grid import TRACK_NAMES, TRACKS


def read_lpd(path: Path) -> Score:
    """The Score of an LPD-5 archive. Its rolls can't tell a note struck again from a held one; they are read as held."""
    try:
        multitrack = pypianoroll.load(path)
    except Exception as error:  # pypianoroll raises whatever its parts do on a foreign archive
        raise MusicError(f"{path.name} is no pypianoroll archive: {error}") from error
    by_name = {track.name.strip().lower(): track for track in multitrack.tracks}
    missing = [name for name in TRACK_NAMES if name not in by_name]
    if missing:
        raise MusicError(
            f"{path.name} has the tracks {', '.join(by_name)}; LPD-5 has {', '.join(TRACK_NAMES)}"
        )
    resolution = multitrack.resolution
    tracks = []
    for spec in TRACKS:
        track = by_name[spec.name]
        notes = _notes(np.asarray(track.pianoroll), resolution)
        tracks.append(
            Track(
                "melody" if spec.name == "piano" else spec.name, track.program, track.is_drum, notes
            )
        )
    tempo = (
        float(np.ravel(multitrack.tempo)[0])
        if multitrack.tempo is not None and np.size(multitrack.tempo)
        else 120.0
    )
    return Score(tracks, [Tempo(0.0, round(60e6 / tempo))], resolution=resolution)


def _notes(roll: np.ndarray, resolution: int) -> list[Note]:
    if not roll.size:
        return []
    velocity = np.where(roll.dtype == bool, roll * 100, roll).astype(int)
    padded = np.pad(velocity > 0, ((1, 1), (0, 0))).astype(np.int8)
    change = np.diff(padded, axis=0).T  # [128, steps + 1]
    pitches, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    return [
        Note(int(p), s / resolution, (e - s) / resolution, int(min(velocity[s, p], 127)))
        for p, s, e in zip(pitches, starts, ends)
    ]


def read_genre_list(path: Path) -> dict[str, str]:
    """Genre by Million Song Dataset track id, from a list of lines "TRACKID<tab>genre[<tab>...]" with # comments, as the
    tagtraum annotations are (Schreiber 2015).
    """
    genres = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and len(fields) >= 2:
            genres[fields[0].strip()] = fields[1].strip().lower()
    if not genres:
        raise MusicError(f"{path.name} holds no line of the form TRACKID<tab>genre")
    return genres
