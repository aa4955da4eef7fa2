"""Split songs into training, validation and test songs; versions of a song stay together."""

import random
from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class SplitSettings:
    """How songs are compared and split."""

    train: float = 0.8  # share of the songs
    val: float = 0.1  # the others are test songs
    alike: float = 0.5  # songs that share this much of their bars are versions of one
    fewest_shared: int = 4  # bars; very short songs share one or two by chance
    commonplace: int = 20  # a bar in more songs than this says nothing


SPLITS = ("train", "val", "test")


def group_duplicates(songs: list[dict], settings: SplitSettings = SplitSettings()) -> None:
    """Give versions of one song the same `dup_group`.

    They are those that the labels call so, and those that share half of their `bars`: hashes of
    melody and bass in the normal key, compared by the Jaccard index.
    """
    parent = list(range(len(songs)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    labelled: dict[str, int] = {}
    for i, song in enumerate(songs):
        if "dup_group" in song:
            parent[root(i)] = root(labelled.setdefault(song["dup_group"], i))
    for (a, b), count in _shared_bars(songs, settings.commonplace).items():
        shorter = min(len(songs[a]["bars"]), len(songs[b]["bars"]))
        if count >= settings.fewest_shared and count >= settings.alike * shorter:
            parent[root(b)] = root(a)
    for i, song in enumerate(songs):
        song["dup_group"] = str(root(i))


def _shared_bars(songs: list[dict], commonplace: int) -> dict[tuple[int, int], int]:
    """Count the bars that each pair of songs shares."""
    by_bar = defaultdict(list)
    for i, song in enumerate(songs):
        for bar in song["bars"]:
            by_bar[bar].append(i)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for holders in by_bar.values():
        if len(holders) <= commonplace:
            for a in range(len(holders)):
                for b in range(a):
                    shared[holders[b], holders[a]] += 1
    return shared


def split_songs(songs: list[dict], seed: int, settings: SplitSettings = SplitSettings()) -> None:
    """Set the `split` of songs that have none, by duplicate group.

    A group with a labelled song follows it. Where labels disagree within a group, it goes where it
    does least harm: test before val before train.

    Raises:
        SystemExit: A label names an unknown split.
    """
    groups = defaultdict(list)
    for song in songs:
        groups[song["dup_group"]].append(song)
    free = []
    for group in groups.values():
        split = _labelled_split(group)
        if split is None:
            free.append(group)
        else:
            _set_split(group, split)
    random.Random(seed).shuffle(free)
    total, done = sum(len(group) for group in free), 0
    bounds = {"train": settings.train, "val": settings.train + settings.val, "test": 1.0}
    for group in free:
        _set_split(
            group,
            next((s for s, bound in bounds.items() if done < bound * total - 1e-9), "test"),
        )
        done += len(group)


def _labelled_split(group: list[dict]) -> str | None:
    labelled = {song["split"] for song in group if "split" in song}
    unknown = labelled - set(SPLITS)
    if unknown:
        raise SystemExit(
            f"split {unknown.pop()!r} of {group[0]['file']} is unknown; "
            f"accepted: {', '.join(SPLITS)}"
        )
    return next((split for split in reversed(SPLITS) if split in labelled), None)


def _set_split(group: list[dict], split: str) -> None:
    for song in group:
        song["split"] = split
