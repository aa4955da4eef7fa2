"""Songs and results whose playing is measured, as train.metrics.playing takes them.

All are cut alike: from the first whole bar of the melody to its last, at most 64, where these are
bars of four beats. Parts are told by their programs alone, in real songs, in ours and in peers'.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from accomp.band.accompanist import Accompanist
from accomp.errors import MusicError
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.midi import read_midi
from accomp.music.midi_chunks import MIDI_ENDINGS
from accomp.music.score import Bar, Note, Score, Track, whole_bars
from accomp.roll.grid import (
    ACCOMPANIMENT,
    BASS,
    DRUMS,
    GUITAR,
    MELODY,
    STEPS_PER_BEAT,
    STRINGS,
    TRACK_NAMES,
)
from train.data.tasks import BENCH_MELODY
from train.eval.stage import melody_of
from train.metrics.playing_notes import Playing

LEAD_SHEET = "lead_sheet.mid"
# General MIDI programs. Strings are sections and solo strings that are bowed; choirs play the part
# of a song that has none of them.
GUITARS, BASSES = range(24, 32), range(32, 40)
BOWED, CHOIRS = (*range(40, 45), *range(48, 52)), range(52, 55)


@dataclass(frozen=True)
class PlayingSettings:
    """What is measured of a song."""

    most_bars: int = 64
    fewest_bars: int = 8
    # Notes, in those bars, of a player who takes part in a real song; a song without drums, bass or
    # guitar says little about a band.
    fewest_notes: int = 16


@dataclass
class Melody:
    """A melody to accompany.

    Attributes:
        name: Of its folder or file.
        score: What a system gets.
        track: Index of the melody in it.
        bars: Those that are measured.
        folder: Where peers' results lie.
    """

    name: str
    score: Score
    track: int
    bars: list[Bar]
    folder: Path

    @property
    def notes(self) -> list[Note]:
        """The notes of the melody."""
        return self.score.tracks[self.track].notes


def measured_bars(
    score: Score, track: Track, settings: PlayingSettings = PlayingSettings()
) -> list[Bar]:
    """Return the bars of a song that are measured; empty where too few have four beats."""
    found = []
    for bar in whole_bars(score, track)[:-1][: settings.most_bars]:
        if bar.meter.bar_beats != 4:
            break
        found.append(bar)
    return found if len(found) >= settings.fewest_bars else []


def read_melodies(folder: Path) -> list[Melody]:
    """Read the melodies of a folder, by name.

    They are its folders' lead_sheet.mid, melody on program 80, or else all its MIDI files. Those
    in other meters than four beats are left out.
    """
    sheets = sorted(folder.glob(f"*/{LEAD_SHEET}"))
    paths = sheets or sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in MIDI_ENDINGS
    )
    found = []
    for path in paths:
        score = read_midi(path)
        programs = [track.program for track in score.tracks]
        track = programs.index(BENCH_MELODY) if sheets else choose_melody(score)
        bars = measured_bars(score, score.tracks[track])
        name = path.parent.name if sheets else path.stem
        if bars:
            found.append(Melody(name, score, track, bars, path.parent))
    return found


def parts_of(score: Score, melody: int | None) -> tuple[dict[int, list[Note]], list[Note]]:
    """Share out a song's tracks among the parts by their programs.

    Args:
        score: The song.
        melody: Index of its melody, which belongs to no part.

    Returns:
        Notes by track index, without the melody's, and those of other pitched tracks.
    """
    tracks = [track for i, track in enumerate(score.tracks) if i != melody]
    has_bowed = any(t.program in BOWED and t.notes and not t.is_drum for t in tracks)
    notes: dict[int, list[Note]] = {part: [] for part in ACCOMPANIMENT}
    others: list[Note] = []
    for track in tracks:
        part = _part_of(track, BOWED if has_bowed else CHOIRS)
        (others if part is None else notes[part]).extend(track.notes)
    return notes, others


def _part_of(track: Track, strings: Iterable[int]) -> int | None:
    if track.is_drum:
        return DRUMS
    if track.program in GUITARS:
        return GUITAR
    if track.program in BASSES:
        return BASS
    return STRINGS if track.program in strings else None


def on_bars(notes: Sequence[Note], bars: Sequence[Bar], is_drum: bool = False) -> np.ndarray:
    """Round notes to the sixteenths of bars of four beats, [n, 3] int by first step and pitch.

    Notes that begin before or after the bars are left out; notes that last longer end with them. A
    pitch that is struck again ends before that, and two of one pitch and step are one.
    """
    first, steps = bars[0].onset, len(bars) * 4 * STEPS_PER_BEAT
    kept: dict[tuple[int, int], int] = {}
    for note in notes:
        start = round((note.onset - first) * STEPS_PER_BEAT)
        if 0 <= start < steps:
            end = max(start + 1, round((note.end - first) * STEPS_PER_BEAT))
            key = (note.pitch, start)
            kept[key] = start + 1 if is_drum else max(kept.get(key, 0), min(end, steps))
    rows = np.array([(pitch, start, end) for (pitch, start), end in kept.items()], int)
    rows = rows.reshape(-1, 3)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    again = rows[1:, 0] == rows[:-1, 0]
    rows[:-1, 2][again] = np.minimum(rows[:-1, 2], rows[1:, 1])[again]
    return rows[np.lexsort((rows[:, 0], rows[:, 1]))]


def playing(
    parts: dict[int, list[Note]], others: list[Note], melody: list[Note], bars: list[Bar]
) -> Playing:
    """Put a band and its melody on the bars that are measured.

    Args:
        parts: Notes by track index, without the melody.
        others: Notes of other pitched tracks.
        melody: Its notes, of which the top line counts.
        bars: Of four beats.
    """
    notes = {part: on_bars(parts[part], bars, part == DRUMS) for part in ACCOMPANIMENT}
    notes[MELODY] = on_bars(skyline(melody), bars)
    return Playing(notes, on_bars(others, bars), len(bars))


def real_song(score: Score, settings: PlayingSettings = PlayingSettings()) -> Playing | None:
    """Read a real song; None where it has no drums, bass or guitar, or other meters."""
    try:
        index = choose_melody(score)
    except MusicError:
        return None
    melody = score.tracks[index]
    bars = measured_bars(score, melody, settings)
    if not bars:
        return None
    found = playing(*parts_of(score, index), melody.notes, bars)
    needed = (DRUMS, BASS, GUITAR)
    return found if set(needed) <= set(players(found, settings)) else None


def players(song: Playing, settings: PlayingSettings = PlayingSettings()) -> list[int]:
    """Return who takes part in a real song, the melody included."""
    return [part for part, notes in song.notes.items() if len(notes) >= settings.fewest_notes]


def real_songs(
    folder: Path, rows: Iterable[dict], settings: PlayingSettings = PlayingSettings()
) -> Iterator[tuple[dict, Playing]]:
    """Read the real songs that a table of labels names, each with its row."""
    for row in rows:
        path = folder / row["file"]
        try:
            song = real_song(read_midi(path), settings)
        except MusicError:
            continue
        if song:
            yield row, song


def peer_result(melody: Melody, folder: Path, system: str) -> Playing | None:
    """Read what a peer made of a melody, FOLDER/NAME/SYSTEM.mid; None if it made nothing of it."""
    path = folder / melody.name / f"{system}.mid"
    if not path.is_file():
        return None
    score = read_midi(path)
    own = melody_of(score, melody.notes)
    return playing(*parts_of(score, own), melody.notes, melody.bars)


def our_result(model: Accompanist, melody: Melody, seed: int, **options: Any) -> Playing:
    """Accompany a melody as users do. options: further ones of `Accompanist.accompany`."""
    score = model.accompany(melody.score, seed=seed, melody_track=melody.track, **options)
    parts = {part: score.tracks[part].notes for part in ACCOMPANIMENT}
    return playing(parts, [], melody.notes, melody.bars)


def player_names(parts: Iterable[int]) -> set[str]:
    """Return the names of players."""
    return {TRACK_NAMES[part] for part in parts}
