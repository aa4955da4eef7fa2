"""Read melodies, whole and in excerpts, to learn which genre fits them."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from accomp.errors import MusicError
from accomp.music.melody_track import choose_melody, skyline
from accomp.music.midi import read_midi
from accomp.music.score import Note, Score
from accomp.suggest import MelodyFeatures, genre_features
from train.data.corpus import UNSTATED


@dataclass(frozen=True)
class ExcerptSettings:
    """Which excerpts are taken of a melody."""

    bars: int = 16
    every: int = 8  # bars from one excerpt to the next
    fewest_notes: int = 16  # fewer say too little


@dataclass
class GenreExamples:
    """Melodies, N of them: the whole ones of songs, and excerpts.

    Attributes:
        names: Of the features.
        values: [N, F] the features.
        notes: [N] how many notes each melody has.
        genre: [N] names.
        split: [N] names.
        song: [N] numbers.
        source: [N] names of the collections.
        whole: [N] bool.
    """

    names: list[str]
    values: np.ndarray
    notes: np.ndarray
    genre: np.ndarray
    split: np.ndarray
    song: np.ndarray
    source: np.ndarray
    whole: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> "GenreExamples":
        """Return the examples of an index or mask."""
        others = list(vars(self))[1:]
        return GenreExamples(self.names, *(getattr(self, name)[chosen] for name in others))

    def weights(self, genres: list[str]) -> np.ndarray:
        """Return the weight of each example, [N], 1 in all.

        It is the same for each genre, in a genre for each song, and in a song for each example.
        """
        _, songs, examples = np.unique(self.song, return_inverse=True, return_counts=True)
        weight = 1 / examples[songs]
        for genre in genres:
            weight[self.genre == genre] /= weight[self.genre == genre].sum() * len(genres)
        return weight


def read_examples(
    entries: list[dict],
    source: Path,
    workers: int | None = None,
    settings: ExcerptSettings = ExcerptSettings(),
) -> GenreExamples:
    """Read the melodies of songs, except of those that can't be read or have none.

    Args:
        entries: What is known of each song; see `train.data.songs.list_songs`.
        source: The folder of the MIDI files.
        workers: Processes; as many as there are cores where it is None.
        settings: Which excerpts are taken.

    Raises:
        SystemExit: No song has a melody.
    """
    rows, names = [], []
    with ProcessPoolExecutor(workers) as pool:
        read = partial(melodies_of, source, settings)
        found = pool.map(read, [entry["file"] for entry in entries], chunksize=8)
        progress = tqdm(found, total=len(entries), unit="song")
        for song, (entry, melodies) in enumerate(zip(entries, progress)):
            about = entry["genre"], entry["split"], song, entry.get("source", UNSTATED)
            for place, (notes, values) in enumerate(melodies):
                names = list(values)
                rows.append((list(values.values()), notes, *about, place == 0))
    if not rows:
        raise SystemExit(f"{source}: none of {len(entries)} songs has a melody of these genres")
    return GenreExamples(names, *map(np.array, zip(*rows)))


def melodies_of(
    source: Path, settings: ExcerptSettings, file: str
) -> list[tuple[int, dict[str, float]]]:
    """Return the number of notes and the features of a song's melody, and of its excerpts.

    Args:
        source: The folder of the MIDI files.
        settings: Which excerpts are taken.
        file: Of the song.

    Returns:
        The whole melody first; nothing where there is no melody.
    """
    try:
        score = read_midi(source / file)
        notes = skyline(score.tracks[choose_melody(score)].notes)
    except MusicError:
        return []
    parts = (notes, *excerpts(notes, score, settings))
    return [(len(part), genre_features(MelodyFeatures.of(part, score))) for part in parts]


def excerpts(
    notes: list[Note], score: Score, settings: ExcerptSettings = ExcerptSettings()
) -> Iterator[list[Note]]:
    """Give excerpts of a melody, from its first bar on."""
    onsets = np.array([note.onset for note in notes]) + 1e-6
    bars = np.array([bar.onset for bar in score.bars(onsets[-1])])
    first = max(int(np.searchsorted(bars, onsets[0])) - 1, 0)
    for at in range(first, len(bars), settings.every):
        end = bars[at + settings.bars] if at + settings.bars < len(bars) else np.inf
        part = notes[np.searchsorted(onsets, bars[at]) : np.searchsorted(onsets, end)]
        if settings.fewest_notes <= len(part) < len(notes):
            yield part
