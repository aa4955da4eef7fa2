"""Train the next-note GRU, the baseline of Tham & Kim 2021.

    python -m train rivals.gru --corpus CORPUS --run RUN

A song's notes are a list of tokens, single notes and chords alike (a chord by its pitch classes),
without time. A GRU predicts the next from those before, and the next is drawn from the multinomial
of its softmax. Every note lasts a beat. It knows one instrument and no condition: here it plays the
guitar's part, beginning as if the melody's first notes had been its own, and the other instruments
are silent. Sizes are not published; these are ours.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.music import keys
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, GUITAR, STEPS_PER_BEAT, TRACKS
from train.data.corpus import Corpus
from train.fit.loop import FitSettings, Task
from train.fit.run_files import WEIGHTS, write_json
from train.fit.settings import Session
from train.rivals.training import rival_parser, train_rival

# The published list is of piano notes, single ones and chords. Of this corpus' songs the piano is
# the melody, a single line; what pianists comp is in the guitar's track, so the list is made of it.
TRACK = GUITAR
LOW, HIGH = TRACKS[TRACK].low, TRACKS[TRACK].high
NOTES = HIGH - LOW + 1  # the first tokens are single notes; the others chords
UNCOUNTED = -100  # where a list ends; as cross_entropy has it
START = 60  # the first note where there is no melody
CHORDS_FILE = "chords.json"
Played = tuple[int, ...]  # a single note (pitch,) or a chord (pitch classes, rising)


@dataclass(frozen=True)
class NextNoteSettings:
    """Sizes of the network, and what it learns and begins with."""

    width: int = 256
    window: int = 64  # tokens that are learned from at a time
    rarest: int = 10  # times that a chord must occur to be a token; 1 in 80 is rarer, and left out
    chord_octave: int = 48  # a chord's pitch classes are played above this C
    primed: int = 16  # notes of the melody with which it begins


class NextNote(nn.Module):
    """From tokens to what follows each of them."""

    def __init__(self, tokens: int, width: int = NextNoteSettings().width):
        super().__init__()
        self.token = nn.Embedding(tokens, width // 2)
        self.gru = nn.GRU(width // 2, width, batch_first=True)
        self.next = nn.Linear(width, tokens)

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return logits [B, N, tokens] of what follows tokens [B, N], and the state at the end."""
        output, state = self.gru(self.token(tokens), state)
        return self.next(output), state


def struck_together(corpus: Corpus, song: int) -> list[Played]:
    """Return what the track plays in a song, in order."""
    notes = corpus.notes_of(song)
    notes = notes[notes["track"] == TRACK]
    groups = np.split(
        notes["pitch"].astype(int), np.flatnonzero(np.diff(notes["step"].astype(int))) + 1
    )
    return [
        (int(g[0]),) if len(g) == 1 else tuple(np.unique(g % 12).tolist()) for g in groups if len(g)
    ]


def is_note(played: Played) -> bool:
    """Tell a single note from a chord."""
    return len(played) == 1 and played[0] >= LOW


def chords_of(lists: list[list[Played]], rarest: int = NextNoteSettings().rarest) -> list[Played]:
    """Return the chords that are tokens, the commonest first.

    Octaves of one pitch class are a chord too. rarest: times that each must occur.
    """
    counts = Counter(played for entries in lists for played in entries if not is_note(played))
    return [chord for chord, count in counts.most_common() if count >= rarest]


def note_tokens(entries: list[Played], chords: list[Played]) -> np.ndarray:
    """Return the tokens of what is played; a chord that is no token is left out."""
    number = {chord: NOTES + i for i, chord in enumerate(chords)} | {
        (pitch,): pitch - LOW for pitch in range(LOW, HIGH + 1)
    }
    return np.array([number[played] for played in entries if played in number], int)


def token_windows(songs: list[np.ndarray], first: int, window: int) -> Tensor:
    """Cut songs into windows.

    Each window begins with the last token of the one before.

    Args:
        songs: The tokens of each.
        first: The token from which each is cut; a song that is too short is cut from its beginning.
        window: Tokens that are predicted in a window.

    Returns:
        [windows, window + 1] tokens, UNCOUNTED after a song's end.
    """
    cut = []
    for tokens in songs:
        for at in range(first if first < len(tokens) - 1 else 0, len(tokens) - 1, window):
            part = tokens[at : at + window + 1]
            cut.append(np.pad(part, (0, window + 1 - len(part)), constant_values=UNCOUNTED))
    return torch.from_numpy(np.array(cut, int).reshape(-1, window + 1))


class NextNotes:
    """The trained network of a run, as an accompanist."""

    def __init__(
        self,
        run: Path,
        corpus: Corpus | None = None,
        settings: NextNoteSettings = NextNoteSettings(),
    ):
        self.settings = settings
        self.chords = [tuple(chord) for chord in json.loads((run / CHORDS_FILE).read_text())]
        self.network = NextNote(NOTES + len(self.chords), settings.width)
        self.network.load_state_dict(load_file(run / WEIGHTS))
        self.network.eval()

    @torch.no_grad()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals."""
        random = np.random.default_rng(seed)
        steps = planes.shape[1]
        melody = pianoroll.from_planes(planes)
        pitches = melody[np.argsort(melody[:, 1], kind="stable")][: self.settings.primed, 0]
        pitches = keys.fold(pitches, LOW, HIGH) if len(pitches) else np.array([START])
        tokens, state = torch.from_numpy((pitches - LOW).astype(int))[None], None
        notes = []
        for start in range(0, steps, STEPS_PER_BEAT):
            logits, state = self.network(tokens, state)
            chances = logits[0, -1].double().softmax(0).numpy()
            token = int(random.choice(len(chances), p=chances / chances.sum()))
            notes += [(pitch, start, start + STEPS_PER_BEAT) for pitch in self._pitches(token)]
            tokens = torch.tensor([[token]])
        band = {track: np.zeros_like(planes) for track in ACCOMPANIMENT}
        band[TRACK] = pianoroll.to_planes(np.array(notes), steps)
        return band

    def _pitches(self, token: int) -> list[int]:
        if token < NOTES:
            return [LOW + token]
        return [self.settings.chord_octave + tone for tone in self.chords[token - NOTES]]


def main(
    arguments: list[str] | None = None, settings: NextNoteSettings = NextNoteSettings()
) -> None:
    """Train the network on what the guitar's track plays."""
    session = Session.open(rival_parser("gru", __doc__).parse_args(arguments))
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)
    lists = {
        split: [struck_together(corpus, song) for song in session.songs(split)]
        for split in ("train", "val")
    }
    chords = chords_of(lists["train"], settings.rarest)
    write_json(options.run / CHORDS_FILE, chords)
    songs = {
        split: [found for entries in own if len(found := note_tokens(entries, chords)) > 1]
        for split, own in lists.items()
    }
    network = NextNote(NOTES + len(chords), settings.width)
    task = NextNoteTask(network, songs, settings)
    train_rival(session, task, FitSettings(**session.config["gru"], seed=options.seed), network)


class NextNoteTask(Task):
    """The network and the tokens of songs that it learns from."""

    model: NextNote

    def __init__(
        self,
        model: NextNote,
        songs: dict[str, list[np.ndarray]],
        settings: NextNoteSettings = NextNoteSettings(),
    ):
        super().__init__(model)
        self.songs, self.settings = songs, settings

    def batches(self, generator: torch.Generator, size: int) -> Iterator[Tensor]:
        """Give windows [N, window + 1] in random order, cut elsewhere in each epoch."""
        window = self.settings.window
        first = int(torch.randint(window, (), generator=generator))
        cut = token_windows(self.songs["train"], first, window)
        for rows in torch.randperm(len(cut), generator=generator).split(size):
            yield cut[rows]

    def losses(self, progress: float, batch: Tensor) -> dict[str, Tensor]:
        """Return the cross-entropy of a token."""
        logits, target = self._predicted(batch)
        return {"loss": F.cross_entropy(logits, target, ignore_index=UNCOUNTED)}

    def _predicted(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [n, tokens] and what they were to predict, [n]."""
        logits, _ = self.model(batch[:, :-1].clamp(min=0))
        return logits.flatten(0, 1), batch[:, 1:].flatten()

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the cross-entropy of a token, and how often the likeliest is `right`."""
        total, right, count = 0.0, 0, 0
        for batch in token_windows(self.songs["val"], 0, self.settings.window).split(256):
            logits, target = self._predicted(batch.to(self.model.next.weight.device))
            total += float(F.cross_entropy(logits, target, ignore_index=UNCOUNTED, reduction="sum"))
            right += int((logits.argmax(1) == target).sum())
            count += int((target != UNCOUNTED).sum())
        return {"loss": total / max(count, 1), "right": right / max(count, 1)}


if __name__ == "__main__":
    main()
