"""The Conditional-HarmonyCNN of Tham & Kim 2021, "MelodyCNN and Conditional HarmonyCNNs":
`python -m train rivals.cnn --corpus CORPUS --run RUN`.

For each instrument, three convolutional layers for the melody's block and three for the instrument's previous block, their
outputs concatenated, dense layers, and three deconvolutional layers that give the instrument's block directly, without
latents. Its MelodyCNN makes up the melody; here the melody is given. Channels, likelihood and the size of the dense layer
are not published; these are ours. A threshold turns probabilities into notes.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BLOCK_STEPS, MELODY, PITCHES, TRACK_NAMES
from train.data.corpus import Corpus
from train.fit.loop import FunctionTask, fit
from train.fit.run_files import FIGURES, WEIGHTS, save_weights, write_json
from train.fit.settings import Session, training_parser

CHANNELS = (32, 64, 128)
SHAPE = (CHANNELS[-1], BLOCK_STEPS // 8, PITCHES // 8)
SIZE = SHAPE[0] * SHAPE[1] * SHAPE[2]
DENSE = 256
CANDIDATES = np.arange(0.05, 0.75, 0.05)  # thresholds
VALIDATION_BLOCKS = 1024


def convolutions() -> nn.Sequential:
    """Three, each of which halves steps and pitches: [N, 1, 32, 128] to [N, SIZE]."""
    a, b, c = CHANNELS
    down = dict(kernel_size=3, stride=2, padding=1)
    return nn.Sequential(
        nn.Conv2d(1, a, **down),
        nn.ReLU(),
        nn.Conv2d(a, b, **down),
        nn.ReLU(),
        nn.Conv2d(b, c, **down),
        nn.ReLU(),
        nn.Flatten(),
    )


def deconvolutions() -> nn.Sequential:
    """Three that go back: [N, *SHAPE] to [N, 1, 32, 128] logits."""
    a, b, c = CHANNELS
    up = dict(kernel_size=3, stride=2, padding=1, output_padding=1)
    layers = nn.Sequential(
        nn.ConvTranspose2d(c, b, **up),
        nn.ReLU(),
        nn.ConvTranspose2d(b, a, **up),
        nn.ReLU(),
        nn.ConvTranspose2d(a, 1, **up),
    )
    nn.init.constant_(layers[-1].bias, -4.0)  # music is sparse
    return layers


class HarmonyCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.melody, self.previous = convolutions(), convolutions()
        self.dense = nn.Sequential(
            nn.Linear(2 * SIZE, DENSE), nn.ReLU(), nn.Linear(DENSE, SIZE), nn.ReLU()
        )
        self.deconvolutions = deconvolutions()
        self.register_buffer("threshold", torch.tensor(0.5))

    def forward(self, melody: Tensor, previous: Tensor) -> Tensor:
        """Logits [N, 32, 128] of the instrument's sounding notes, from the melody's and its previous ones, [N, 32, 128] each."""
        seen = torch.cat(
            [self.melody(melody[:, None].float()), self.previous(previous[:, None].float())], dim=1
        )
        return self.deconvolutions(self.dense(seen).reshape(-1, *SHAPE))[:, 0]


def planes_of(sounding: np.ndarray) -> np.ndarray:
    """[2, S, 128] uint8 of what sounds, [S, 128] of 0 and 1: each note is struck where it begins."""
    sounding = sounding.astype(np.uint8)
    return np.stack([np.diff(sounding, axis=0, prepend=0) == 1, sounding]).astype(np.uint8)


class CNNs:
    """The trained networks of a run. As published, each instrument needs a sequence to start from: a block of a training song
    in which it plays, drawn by the seed. (From silence, silence is all that follows.)
    """

    def __init__(self, run: Path, corpus: Corpus):
        self.corpus = corpus
        train = corpus.block_index(corpus.choose("train"))
        self.starts = {track: train[corpus.active(track)[train]] for track in ACCOMPANIMENT}
        self.networks = {track: HarmonyCNN() for track in ACCOMPANIMENT}
        for track, network in self.networks.items():
            network.load_state_dict(load_file(run / f"cnn_{TRACK_NAMES[track]}" / WEIGHTS))
            network.eval()

    @torch.no_grad()
    def play(self, planes: np.ndarray, seed: int) -> dict[int, np.ndarray]:
        """See train.rivals."""
        random = np.random.default_rng(seed)
        melody = torch.from_numpy(pianoroll.to_blocks(planes)[:, 1])
        band = {}
        for track, network in self.networks.items():
            sounding = [torch.zeros(BLOCK_STEPS, PITCHES)]
            if len(self.starts[track]):
                start = int(random.choice(self.starts[track]))
                sounding = [self.corpus.blocks(track, slice(start, start + 1))[0, 1].float()]
            for block in melody:
                probability = network(block[None], sounding[-1][None]).sigmoid()[0]
                sounding.append((probability > network.threshold).float())
            band[track] = planes_of(torch.cat(sounding[1:]).numpy())
        return band


def main(arguments: list[str] | None = None) -> None:
    options = training_parser("rivals.cnn", __doc__)
    options.add_argument("--epochs", type=int, default=3)
    session = Session.open(options.parse_args(arguments))
    for track in ACCOMPANIMENT:
        train_network(session, track)


def train_network(session: Session, track: int) -> None:
    corpus = session.corpus
    torch.manual_seed(session.options.seed)

    def rolls(rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        block, has_previous = rows[:, 0], torch.from_numpy(rows[:, 1])[:, None, None]
        previous = corpus.blocks(track, np.maximum(block - 1, 0))[:, 1] * has_previous
        return corpus.blocks(MELODY, block)[:, 1], previous, corpus.blocks(track, block)[:, 1]

    places = {split: _places(corpus, session.songs(split)) for split in ("train", "val")}
    fit_rolls(
        session, HarmonyCNN(), session.options.run / f"cnn_{TRACK_NAMES[track]}", rolls, places
    )


def fit_rolls(
    session: Session,
    network: nn.Module,
    folder: Path,
    rolls: Callable[[np.ndarray], tuple[Tensor, ...]],
    places: dict[str, np.ndarray],
) -> None:
    """Train a network that maps rolls to logits of a roll, with a buffer `threshold`, into `folder`.

    rolls(rows of places): its inputs and, last, what it should give, [N, 32, 128] each; places: by split, train and val.
    """
    options = session.options
    random = np.random.default_rng(0)
    val = places["val"][np.sort(random.permutation(len(places["val"]))[:VALIDATION_BLOCKS])]

    def batches(generator: torch.Generator, size: int):
        order = torch.randperm(len(places["train"]), generator=generator).numpy()
        for at in range(0, len(order), size):
            yield rolls(places["train"][np.sort(order[at : at + size])])

    def losses(progress: float, batch) -> dict[str, Tensor]:
        *inputs, target = batch
        loss = F.binary_cross_entropy_with_logits(network(*inputs), target.float(), reduction="sum")
        return {"loss": loss / len(target)}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        """Loss, and the F1 of sounding cells at the threshold with the best one, which is kept."""
        device = network.threshold.device
        total, hits = 0.0, np.zeros((len(CANDIDATES), 3))
        for at in range(0, len(val), 128):
            *inputs, target = (roll.to(device) for roll in rolls(val[at : at + 128]))
            logits = network(*inputs).float()
            total += float(
                F.binary_cross_entropy_with_logits(logits, target.float(), reduction="sum")
            )
            probability = logits.sigmoid()
            for i, threshold in enumerate(CANDIDATES):
                played = probability > threshold
                hits[i] += [
                    float((played & (target > 0)).sum()),
                    float(played.sum()),
                    float(target.sum()),
                ]
        f1 = 2 * hits[:, 0] / np.maximum(hits[:, 1] + hits[:, 2], 1)
        network.threshold.fill_(float(CANDIDATES[f1.argmax()]))
        return {"loss": total / len(val), "f1": float(f1.max())}

    settings = replace(session.fit_settings("vae"), epochs=options.epochs)
    history = fit(
        folder, FunctionTask(network, losses, batches, validate), settings, options.max_steps
    )
    save_weights(folder, network)
    known = {
        "seed": options.seed,
        "blocks": len(places["train"]),
        "seconds": round(sum(row["seconds"] for row in history), 1),
    }
    write_json(
        folder / FIGURES,
        {**known, "parameters": sum(p.numel() for p in network.parameters()), "val": history[-1]},
    )


def _places(corpus, songs: list[int]) -> np.ndarray:
    """[n, 2]: blocks in which the melody plays, and whether there is one before in the same song."""
    sounding = corpus.active(MELODY)
    rows = []
    for song in songs:
        first, count = corpus.songs[song]["first"], corpus.songs[song]["blocks"]
        rows += [(block, block > first) for block in range(first, first + count) if sounding[block]]
    return np.array(rows, int).reshape(-1, 2)


if __name__ == "__main__":
    main()
