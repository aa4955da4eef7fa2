"""The next-note GRU, the baseline of Tham & Kim 2021: `python -m train rivals.gru --corpus CORPUS --run RUN`.

A song's notes are a list of tokens, single notes and chords alike (a chord by its pitch classes), without time; a GRU predicts
the next from those before, and the next is drawn from the multinomial of its softmax. Every note lasts a beat. It knows one
instrument and no condition: here it plays the guitar's part, beginning as if the melody's first notes had been its own, and
the others are silent. Sizes are not published; these are ours.
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.music import keys as tonality
from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, GUITAR, STEPS_PER_BEAT, TRACKS
from train.data.corpus import Corpus
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.run_files import WEIGHTS, save_weights, write_json
from train.fit.settings import CONFIGS, Session, training_parser
from train.rivals import write_figures

# The published list is of piano notes, single ones and chords. Of this corpus' songs the piano is the melody, a single line;
# what pianists comp is in the guitar's track, so the list is made of that.
TRACK = GUITAR
LOW, HIGH = TRACKS[TRACK].low, TRACKS[TRACK].high
NOTES = HIGH - LOW + 1  # the first tokens are single notes; the others chords
RAREST = 10  # times that a chord must occur in training to be a token; rarer ones (1 in 80) are left out of the lists
CHORD_OCTAVE = 48  # a chord's classes are played above this C
WIDTH = 256
WINDOW = 64
PRIMED = 16  # notes of the melody
UNCOUNTED = -100  # where a list ends


class NextNote(nn.Module):
    def __init__(self, tokens: int):
        super().__init__()
        self.token = nn.Embedding(tokens, WIDTH // 2)
        self.gru = nn.GRU(WIDTH // 2, WIDTH, batch_first=True)
        self.next = nn.Linear(WIDTH, tokens)

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits [B, N, tokens] of what follows each of the tokens [B, N], and the state after the last."""
        seen, state = self.gru(self.token(tokens), state)
        return self.next(seen), state


def struck_together(corpus: Corpus, song: int) -> list[tuple[int, ...]]:
    """What the track plays in a song, in order: single notes (pitch,) and chords (pitch classes, rising)."""
    notes = corpus.notes_of(song)
    notes = notes[notes["track"] == TRACK]
    groups = np.split(
        notes["pitch"].astype(int), np.flatnonzero(np.diff(notes["step"].astype(int))) + 1
    )
    return [
        (int(g[0]),) if len(g) == 1 else tuple(np.unique(g % 12).tolist()) for g in groups if len(g)
    ]


def is_note(played: tuple[int, ...]) -> bool:
    return len(played) == 1 and played[0] >= LOW


def chords_of(lists: list[list[tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """The chords that are tokens, the commonest first. Octaves of one class are a chord too."""
    counts = Counter(played for entries in lists for played in entries if not is_note(played))
    return [chord for chord, count in counts.most_common() if count >= RAREST]


def tokens_of(entries: list[tuple[int, ...]], chords: list[tuple[int, ...]]) -> np.ndarray:
    number = {chord: NOTES + i for i, chord in enumerate(chords)} | {
        (pitch,): pitch - LOW for pitch in range(LOW, HIGH + 1)
    }
    return np.array([number[played] for played in entries if played in number], int)


class NextNotes:
    """The trained network of a run, as an accompanist."""

    def __init__(self, run: Path, corpus: Corpus | None = None):
        self.chords = [tuple(chord) for chord in json.loads((run / "chords.json").read_text())]
        self.network = NextNote(NOTES + len(self.chords))
        self.network.load_state_dict(load_file(run / WEIGHTS))
        self.network.eval()

    @torch.no_grad()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals."""
        random = np.random.default_rng(seed)
        steps = planes.shape[1]
        melody = pianoroll.from_planes(planes)
        pitches = melody[np.argsort(melody[:, 1], kind="stable")][:PRIMED, 0]
        first = tonality.fold(pitches, LOW, HIGH) - LOW if len(pitches) else np.array([60 - LOW])
        seen, state = torch.from_numpy(first.astype(int))[None], None
        notes = []
        for start in range(0, steps, STEPS_PER_BEAT):
            logits, state = self.network(seen, state)
            chances = logits[0, -1].double().softmax(0).numpy()
            token = int(random.choice(len(chances), p=chances / chances.sum()))
            played = (
                [LOW + token]
                if token < NOTES
                else [CHORD_OCTAVE + c for c in self.chords[token - NOTES]]
            )
            notes += [(pitch, start, start + STEPS_PER_BEAT) for pitch in played]
            seen = torch.tensor([[token]])
        band = {track: np.zeros_like(planes) for track in ACCOMPANIMENT}
        band[TRACK] = pianoroll.to_planes(np.array(notes), steps)
        return band


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("rivals.gru", __doc__)
    options.set_defaults(config=CONFIGS / "rivals.yaml")
    session = Session.open(options.parse_args(arguments))
    options, corpus = session.options, session.corpus
    torch.manual_seed(options.seed)
    lists = {
        split: [struck_together(corpus, song) for song in session.songs(split)]
        for split in ("train", "val")
    }
    chords = chords_of(lists["train"])
    write_json(options.run / "chords.json", chords)
    network = NextNote(NOTES + len(chords))
    songs = {
        split: [tokens for entries in lists[split] if len(tokens := tokens_of(entries, chords)) > 1]
        for split in lists
    }

    def batches(generator: torch.Generator, size: int):
        first = torch.randint(WINDOW, (), generator=generator)
        cut = windows(songs["train"], int(first))
        for rows in torch.randperm(len(cut), generator=generator).split(size):
            yield cut[rows]

    def losses(progress: float, batch: Tensor) -> dict[str, Tensor]:
        logits, _ = network(batch[:, :-1].clamp(min=0))
        return {
            "loss": F.cross_entropy(
                logits.flatten(0, 1), batch[:, 1:].flatten(), ignore_index=UNCOUNTED
            )
        }

    @torch.no_grad()
    def validate() -> dict[str, float]:
        """By note, and how often the likeliest is right."""
        total, right, count = 0.0, 0, 0
        for batch in windows(songs["val"], 0).split(256):
            batch = batch.to(network.next.weight.device)
            logits, target = (
                network(batch[:, :-1].clamp(min=0))[0].flatten(0, 1),
                batch[:, 1:].flatten(),
            )
            total += float(F.cross_entropy(logits, target, ignore_index=UNCOUNTED, reduction="sum"))
            right += int((logits.argmax(1) == target).sum())
            count += int((target != UNCOUNTED).sum())
        return {"loss": total / max(count, 1), "right": right / max(count, 1)}

    settings = FitSettings(**session.config["gru"], seed=options.seed)
    history = fit(
        options.run, FunctionTask(network, losses, batches, validate), settings, options.max_steps
    )
    save_weights(options.run, network)
    write_figures(session, network, history)


def windows(songs: list[np.ndarray], first: int) -> Tensor:
    """[windows, WINDOW + 1] tokens: every song cut from its token `first` on (from its beginning, if it is that short), each
    window beginning with the last token of the one before; UNCOUNTED after the song's end.
    """
    cut = []
    for tokens in songs:
        for at in range(first if first < len(tokens) - 1 else 0, len(tokens) - 1, WINDOW):
            part = tokens[at : at + WINDOW + 1]
            cut.append(np.pad(part, (0, WINDOW + 1 - len(part)), constant_values=UNCOUNTED))
    return torch.from_numpy(np.array(cut, int).reshape(-1, WINDOW + 1))


if __name__ == "__main__":
    main()
