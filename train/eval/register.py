"""Show how the guitars of a corpus play: pictures of their commonest patterns.

    python -m train register --corpus CORPUS --out FOLDER [--genres pop jazz] [--each 6]

For each genre a picture: a row for each kind of playing (train.metrics.picking) with its share of
the blocks of training songs, and its commonest rhythms, each by a block that is played so. Beside
them register.md has the shares of all genres. Only guitars count, no pianos in their place.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from accomp.roll.grid import BAR_STEPS, BLOCK_STEPS, GUITAR, TRACK_NAMES, TRACKS
from accomp.roll.players import PIANO_PROGRAMS
from train.command_line import command_parser
from train.data.corpus import Corpus
from train.metrics.picking import KINDS, kind_of

TABLE_FILE = "register.md"


@dataclass
class Register:
    """The patterns of a genre.

    Attributes:
        blocks: How many are of each kind.
        rhythms: By kind, how often each rhythm of two bars is played, by the bytes of its onsets.
        example: By kind and rhythm, a block [2, 32, 128] that has it.
    """

    blocks: Counter[str] = field(default_factory=Counter)
    rhythms: dict[str, Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))
    example: dict[tuple[str, bytes], np.ndarray] = field(default_factory=dict)

    def add(self, planes: np.ndarray) -> None:
        """Count a block [2, 32, 128]."""
        kind = kind_of(planes)
        if kind:
            rhythm = np.packbits(planes[0].any(1)).tobytes()
            self.blocks[kind] += 1
            self.rhythms[kind][rhythm] += 1
            self.example.setdefault((kind, rhythm), planes)

    def share(self, kind: str) -> float:
        """Return the share of blocks that are of a kind, in percent."""
        return 100 * self.blocks[kind] / max(self.blocks.total(), 1)


def main(arguments: list[str] | None = None) -> None:
    """Write the register of each genre."""
    parser = command_parser("register", __doc__)
    parser.add_argument("--corpus", type=Path, required=True, metavar="CORPUS")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--genres", nargs="+", metavar="GENRE", help="labels (default: all)")
    parser.add_argument("--each", type=int, default=6, help="patterns (default: %(default)s)")
    options = parser.parse_args(arguments)
    corpus = Corpus.load(options.corpus)
    found = registers(corpus, corpus.choose("train", options.genres))
    options.out.mkdir(parents=True, exist_ok=True)
    for genre, register in found.items():
        draw(register, genre, options.each, options.out / f"{genre}.png")
    (options.out / TABLE_FILE).write_text(table(found), encoding="utf-8")
    print(table(found))


def registers(corpus: Corpus, songs: list[int]) -> dict[str, Register]:
    """Return the register of each genre that songs with guitars have."""
    found: dict[str, Register] = defaultdict(Register)
    for song in songs:
        entry = corpus.songs[song]
        program = entry.get("programs", {}).get(TRACK_NAMES[GUITAR])
        if program is not None and program not in PIANO_PROGRAMS:
            for planes in corpus.blocks(GUITAR, corpus.own(song)).numpy():
                found[entry["genre"]].add(planes)
    return dict(sorted(found.items()))


def table(found: dict[str, Register]) -> str:
    """Return the shares of the kinds in each genre as a table in Markdown."""
    lines = [f"| genre | blocks | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 2) + "|"]
    for genre, register in found.items():
        shares = " | ".join(f"{register.share(kind):.0f} %" for kind in KINDS)
        lines.append(f"| {genre} | {register.blocks.total()} | {shares} |")
    return "\n".join(lines) + "\n"


def draw(register: Register, genre: str, each: int, path: Path) -> None:
    """Draw the commonest patterns of each kind.

    Args:
        register: Of a genre.
        genre: Its name.
        each: How many patterns of a kind.
        path: A PNG file.
    """
    figure, rows = plt.subplots(
        len(KINDS), each, figsize=(2.4 * each, 1.6 * len(KINDS)), squeeze=False, sharex=True
    )
    spec = TRACKS[GUITAR]
    for kind, row in zip(KINDS, rows):
        common = register.rhythms[kind].most_common(each)
        for axis, (rhythm, count) in zip(row, common):
            planes = register.example[kind, rhythm]
            # Held cells are lighter than struck ones.
            shown = (planes[1] * 0.45 + planes[0] * 0.55)[:, spec.low : spec.high + 1].T
            axis.imshow(shown, "Greys", aspect="auto", origin="lower", vmin=0, vmax=1)
            axis.set_title(f"{count} times", fontsize=7)
        for axis in row:
            axis.set_xticks(range(0, BLOCK_STEPS, BAR_STEPS // 4), labels=[])
            axis.set_yticks([])
        row[0].set_ylabel(f"{kind}\n{register.share(kind):.0f} %", fontsize=8)
    figure.suptitle(f"{genre}: how guitars play, {register.blocks.total()} blocks of two bars")
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
