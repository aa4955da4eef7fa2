"""Measure how different pieces of music are from one another, for systems that invent them.

A network whose pieces are always the same has collapsed: Tham & Kim 2021 found that of their
MelodyCNN and of their GAN.
"""

from collections.abc import Callable

import numpy as np

from accomp.roll import pianoroll
from accomp.roll.grid import BLOCK_STEPS, MELODY
from train.data.corpus import Corpus


def variety(rolls: np.ndarray) -> float:
    """Measure how different N pieces are: 0 (all the same) to 1 (nothing in common).

    That is 1 - the mean Jaccard similarity of onsets over all pairs of pieces. `rolls` [N, S, 128]
    (or any [N, ...]) are not 0 where a note is struck. Two silent pieces are the same; of fewer
    than two pieces it is nan.
    """
    if len(rolls) < 2:
        return float("nan")
    struck = (np.asarray(rolls).reshape(len(rolls), -1) != 0).astype(np.float32)
    both, count = struck @ struck.T, struck.sum(1)
    either = count[:, None] + count - both
    similarity = np.where(either > 0, both / np.maximum(either, 1), 1.0)[
        np.triu_indices(len(rolls), 1)
    ]
    return 1 - float(similarity.mean())


def continuation_variety(
    generate: Callable[[np.ndarray, int, int], np.ndarray],
    corpus: Corpus,
    *,
    split: str = "test",
    starts: int = 50,
    blocks: int = 8,
    seed: int = 0,
) -> dict:
    """Measure how much the continuations of melodies differ if their starts do.

    The starts are blocks of melody, one a song, followed in the song by as many blocks as are
    generated, in all of which the melody sounds. All get the same seed, so that what differs is due
    to the starts.

    Args:
        generate: From (start [2, 32, 128], blocks, seed) to planes [2, 32 blocks, 128] that
            continue the start.
        corpus: Prepared songs.
        split: Of the songs whose melodies are continued.
        starts: Number of songs at most.
        blocks: How far each start is continued.
        seed: Chooses the songs, and is that of the continuations.

    Returns:
        The number of "starts", and for "generated" and "real" continuations the "variety" of the
        whole, of each block ("by_block"), that of what sounds instead of what is struck
        ("sounding"), and the onsets a block ("onsets").
    """
    found = melodies(corpus, split, blocks + 1)
    found = [found[i] for i in sorted(np.random.default_rng(seed).permutation(len(found))[:starts])]
    made = [generate(start[0], blocks, seed) for start in found]
    music = {"generated": made, "real": [pianoroll.from_blocks(song[1:]) for song in found]}
    return {
        "starts": len(found),
        **{name: _figures(np.array(planes)) for name, planes in music.items()},
    }


def melodies(corpus: Corpus, split: str, blocks: int) -> list[np.ndarray]:
    """Find in each song the first so many blocks of melody that all sound.

    Returns [blocks, 2, 32, 128] of each song of the split that has them.
    """
    active, found = corpus.active(MELODY), []
    for song in corpus.choose(split):
        first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
        sounding = active[first : first + count]
        at = next((i for i in range(count - blocks + 1) if sounding[i : i + blocks].all()), None)
        if at is not None:
            found.append(corpus.blocks(MELODY, slice(first + at, first + at + blocks)).numpy())
    return found


def _figures(planes: np.ndarray) -> dict:
    """Return the figures of N continuations [N, 2, S, 128]."""
    onsets, sounding = (planes[:, 0], planes[:, 1]) if len(planes) else (planes, planes)
    by_block = np.split(onsets, onsets.shape[1] // BLOCK_STEPS, axis=1) if len(planes) else []
    return {
        "variety": variety(onsets),
        "sounding": variety(sounding),
        "by_block": [variety(block) for block in by_block],
        "onsets": float(onsets.sum() / max(len(onsets) * len(by_block), 1)),
    }
