"""Fit the estimator of keys: `python -m train keys --sheets FILES --pop909 POP909 --songs JSON`.

FILES are lead sheets (.jsonl.gz) with labelled keys; where a collection writes signatures only, its
label means the major key or its relative minor. POP909's label is the key that holds longest. The
weights of accomp.music.key_evidence are fitted to the training songs and to excerpts of them, by
stochastic gradient descent on the log probability of the label; printed is the share of songs of
the splits val and test whose key is right, beside that of the profiles of Krumhansl & Kessler.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from accomp.errors import MusicError
from accomp.music.key_evidence import FEATURES, WEIGHTS, key_features, rotations
from accomp.music.keys import Key, parse_key, profile_key
from accomp.music.melody_track import skyline
from accomp.music.score import Note
from train.command_line import command_parser, present
from train.data.lead_sheets import read_lead_sheets
from train.data.pop909 import on_beats

SIGNATURES_ONLY = ("openewld",)  # collections that don't tell minor from major


@dataclass(frozen=True)
class KeyFitSettings:
    """How the weights are fitted. Chosen on the splits val.

    Attributes:
        excerpts: Drawn of each song, beside the whole.
        lengths: Beats of an excerpt, one of them.
        excerpt_weight: Of an excerpt, where a whole song has 1.
        fewest_notes: Of an excerpt.
        weights: Of collections, where one has many songs of one kind.
        steps: Of gradient descent.
        batch: Songs a step.
        learning_rate: At first; it falls to 0.
        weight_decay: Of AdamW.
        runs: Whose weights are averaged.
    """

    excerpts: int = 2
    lengths: tuple[int, ...] = (16, 32, 64)
    excerpt_weight: float = 0.5
    fewest_notes: int = 8
    weights: tuple[tuple[str, float], ...] = (("nottingham", 0.6),)
    steps: int = 800
    batch: int = 512
    learning_rate: float = 0.1
    weight_decay: float = 0.05
    runs: int = 3


@dataclass(frozen=True)
class Labelled:
    """A melody whose key is known.

    Attributes:
        source: Collection.
        split: train, val or test.
        notes: Of the melody.
        keys: Those that are right, tonic + 12 for minor.
    """

    source: str
    split: str
    notes: list[Note]
    keys: tuple[int, ...]


def main(arguments: list[str] | None = None) -> None:
    """Fit, write the weights and print how many keys are right."""
    parser = command_parser("keys", __doc__)
    parser.add_argument("--sheets", type=present, nargs="*", default=[], help=".jsonl.gz files")
    parser.add_argument("--pop909", type=Path, help="folder of POP909")
    parser.add_argument("--songs", type=present, help="JSON of POP909's songs by split")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file for the weights")
    options = parser.parse_args(arguments)
    songs = labelled(options)
    weights, offsets = fit([song for song in songs if song.split == "train"])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table = {"weights": np.round(weights, 3).tolist(), "offsets": np.round(offsets, 3).tolist()}
    options.out.write_text(json.dumps(table) + "\n", encoding="utf-8")
    print(report(songs, weights, offsets))


def labelled(options: argparse.Namespace) -> list[Labelled]:
    """Read all melodies whose key is known."""
    songs = []
    for sheet in read_lead_sheets(options.sheets):
        if sheet.key is not None and sheet.score.tracks[0].notes:
            notes = skyline(sheet.score.tracks[0].notes)
            keys = right_keys(sheet.key, sheet.source in SIGNATURES_ONLY)
            songs.append(Labelled(sheet.source, sheet.split, notes, keys))
    if options.pop909:
        for split, names in json.loads(options.songs.read_text()).items():
            for name in names:
                folder = options.pop909 / name
                melody = next(t for t in on_beats(folder).tracks if t.name == "MELODY")
                key = longest_key((folder / "key_audio.txt").read_text())
                notes = skyline(melody.notes)
                songs.append(Labelled("pop909", split, notes, right_keys(key, False)))
    return songs


def right_keys(key: Key, is_signature: bool) -> tuple[int, ...]:
    """Return the keys that a label means, tonic + 12 for minor."""
    own = key.tonic + 12 * key.is_minor
    if not is_signature:
        return (own,)
    major = (key.tonic + 3 * key.is_minor) % 12
    return (major, (major + 9) % 12 + 12)


def longest_key(text: str) -> Key:
    """Return the key that holds longest by lines of start, end and key ("Gb:maj")."""
    held: dict[Key, float] = {}
    for line in text.splitlines():
        if line.strip():
            start, end, name = line.split()
            try:
                key = parse_key(name.replace(":", " "))
            except MusicError:
                continue
            held[key] = held.get(key, 0.0) + float(end) - float(start)
    return max(held, key=lambda key: held[key])


def fit(
    songs: Sequence[Labelled], settings: KeyFitSettings = KeyFitSettings()
) -> tuple[np.ndarray, np.ndarray]:
    """Fit weights [2, 276] and offsets [2] of major and minor to songs."""
    random = np.random.default_rng(0)
    rows, right, weight = [], [], []
    of_source = dict(settings.weights)
    for song in songs:
        own = of_source.get(song.source, 1.0)
        for notes, share in [(song.notes, 1.0), *excerpts(song.notes, random, settings)]:
            rows.append(rotations(key_features(notes)))
            right.append(np.isin(np.arange(24), song.keys))
            weight.append(own * share)
    examples = torch.tensor(np.array(rows), dtype=torch.float32)
    mask, weights = torch.tensor(np.array(right)), torch.tensor(weight, dtype=torch.float32)
    runs = [_descend(examples, mask, weights, seed, settings) for seed in range(settings.runs)]
    return np.mean([run[0] for run in runs], 0), np.mean([run[1] for run in runs], 0)


def excerpts(
    notes: list[Note], random: np.random.Generator, settings: KeyFitSettings
) -> list[tuple[list[Note], float]]:
    """Draw excerpts of a melody, and their weight; none of a short one."""
    start, end = notes[0].onset, max(note.end for note in notes)
    found = []
    for length in random.choice(settings.lengths, settings.excerpts):
        places = int((end - start - length) // 4)
        if places < 2:
            continue
        at = start + 4 * int(random.integers(places))
        inside = [note for note in notes if at <= note.onset < at + length]
        if len(inside) >= settings.fewest_notes:
            found.append((inside, settings.excerpt_weight))
    return found


def _descend(
    examples: Tensor, mask: Tensor, weights: Tensor, seed: int, settings: KeyFitSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Maximise the log probability of the right keys; returns weights [2, 276] and offsets [2]."""
    torch.manual_seed(seed)
    linear = torch.nn.Linear(FEATURES, 2)
    torch.nn.init.zeros_(linear.weight)
    descent = torch.optim.AdamW(
        linear.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    for step in range(settings.steps):
        for group in descent.param_groups:
            group["lr"] = settings.learning_rate * (1 - step / settings.steps)
        batch = torch.randint(len(examples), (settings.batch,))
        logits = linear(examples[batch]).transpose(1, 2).flatten(1)
        right = logits.log_softmax(-1).masked_fill(~mask[batch], -torch.inf).logsumexp(-1)
        loss = -(right * weights[batch]).mean()
        descent.zero_grad()
        loss.backward()
        descent.step()
    return linear.weight.detach().numpy(), linear.bias.detach().numpy()


def report(songs: Sequence[Labelled], weights: np.ndarray, offsets: np.ndarray) -> str:
    """Return a table of the share of keys that are right, by collection, of val and test."""
    lines = [
        "| keys right, % (songs) | profiles, val | fitted, val | profiles, test | fitted, test |"
    ]
    lines.append("|---|---|---|---|---|")
    for source in dict.fromkeys(song.source for song in songs):
        cells = []
        for split in ("val", "test"):
            chosen = [song for song in songs if (song.source, song.split) == (source, split)]
            if not chosen:
                cells += ["", ""]
                continue
            old = [profile_key(song.notes) for song in chosen]
            right = np.mean([k.tonic + 12 * k.is_minor in s.keys for k, s in zip(old, chosen)])
            scores = [rotations(key_features(song.notes)) @ weights.T + offsets for song in chosen]
            new = np.mean([s.T.argmax() in song.keys for s, song in zip(scores, chosen)])
            cells += [f"{100 * right:.1f}", f"{100 * new:.1f} ({len(chosen)})"]
        lines.append(f"| {source} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
