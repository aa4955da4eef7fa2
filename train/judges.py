"""Train two judges of accompaniments: `python -m train.judges --corpus CORPUS --run RUN`.

They learn from real songs and are for the evaluation alone: a genre classifier, which hears the band without its melody, and
a critic, which tells whether a band plays to this melody or to another. The critic's embedding is what the Frechet distance
is measured in. Trained on the train songs, stopped early on val, reported on test.

Letters: N windows of four blocks (8 bars), T their 128 steps, F features of a step, P pitched tracks, D the embedding.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from accomp import pianoroll
from accomp.grid import BASS, BLOCK_STEPS, DRUMS, GUITAR, HALF_BAR_STEPS, MELODY, PITCHES, STEPS_PER_BEAT, STRINGS
from train.corpus import Corpus
from train.loop import Fit, fit, read_losses, write_json
from train.settings import WEIGHTS, Session, find_weights, parser, save_weights

GENRES = ("pop", "rock", "jazz", "latin", "folk", "game", "gospel")  # the others have too few songs
FIVE = ("jazz", "latin", "pop", "rock", "game")  # the genres that listeners were asked to tell apart

BLOCKS = 4  # of a window
STEPS = BLOCKS * BLOCK_STEPS
JUDGES_FILE = "judges.json"

# What a step sounds like. Pitches are heard as pitch classes, there or not, so that neither octave doublings nor the many
# voices of merged tracks tell a real band from a generated one.
PITCHED = (MELODY, GUITAR, BASS, STRINGS)  # the melody first: the classifier's features are those after it
OF_TRACK = 12 + 12 + 1  # pitch classes struck, pitch classes sounding, mean pitch (0 in silence)
DRUM_GROUPS = (  # General MIDI's drums by what they do in a beat
    (35, 36),  # bass drum
    (37, 38, 39, 40),  # snare, side stick, clap
    (42, 44),  # closed hi-hat
    (46,),  # open hi-hat
    (41, 43, 45, 47, 48, 50),  # toms
    (49, 52, 55, 57),  # crash
    (51, 53, 59),  # ride
    (54, 69, 70, 82),  # tambourine, shakers
    (56, 58, *range(60, 69), *range(71, 82)),  # Latin percussion
)
FEATURES = len(PITCHED) * OF_TRACK + len(DRUM_GROUPS)


@dataclass(frozen=True)
class Settings:
    """Of both judges: what of a window is hidden or changed in training, so that neither hangs on a detail."""

    width: int = 48
    embedding: int = 48  # D
    dropout: float = 0.4
    track_dropout: float = 0.12  # share of windows in which a track is silent
    most_hidden: float = 0.35  # up to this share of pitch classes is left out of each half bar: how full a chord is says nothing
    genre_windows: int = 600  # of each genre in an epoch, from songs drawn alike
    critic_windows: int = 5  # of each song in an epoch, each once matched and once mismatched
    same_song: float = 0.25  # share of mismatched bands that come from elsewhere in the song
    far: int = 8  # blocks at least between the two places
    alike: float = 0.5  # share of strikes in common from which the other place counts as a repeat, where the band does match


SETTINGS = Settings()
# Both are at their best on val after three to ten epochs; stronger regularisation made no difference.
GENRE_FIT = Fit(epochs=10, batch_size=64, learning_rate=1.5e-3, weight_decay=0.05)
CRITIC_FIT = Fit(epochs=9, batch_size=64, learning_rate=8e-4, weight_decay=0.05)


def main(arguments: list[str] | None = None) -> None:
    session = Session.of(parser("judges", __doc__).parse_args(arguments))
    options, corpus, settings = session.options, session.corpus, SETTINGS
    if options.genre or options.init:
        raise SystemExit("the judges hear all genres and are trained from scratch; leave out --genre and --init")
    songs = {
        split: Songs.of(corpus, session.songs(split), session.config.get("genres") or {}) for split in ("train", "val", "test")
    }
    for split in ("train", "val"):
        if not len(songs[split]):
            raise SystemExit(f"no {split} song has a melody")
    genres = [genre for genre in GENRES if genre in songs["train"].genres]
    if not genres:
        raise SystemExit(f"no train song is of a genre to tell apart; known: {', '.join(GENRES)}")
    folder = options.run / "judges"
    write_json(folder / JUDGES_FILE, {"genres": genres, "width": settings.width, "embedding": settings.embedding})
    figures: dict = {"seed": options.seed, "songs": {split: len(group) for split, group in songs.items()}}

    started = monotonic()
    torch.manual_seed(options.seed)
    classifier = Listener(len(PITCHED) - 1, len(genres), settings.width, settings.embedding, settings.dropout)
    real = {split: genre_examples(group, genres) for split, group in songs.items() if split != "train"}

    def genre_losses(progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        heard, genre = batch
        return {"loss": F.cross_entropy(classifier(heard), genre, label_smoothing=0.1)}

    train_best(
        folder / "genre", classifier, genre_losses,
        partial(genre_batches, songs["train"], genres, settings),
        lambda: genre_figures(classifier, real["val"], genres),
        GENRE_FIT, options,
    )  # fmt: skip
    figures["genre"] = {
        "parameters": sum(value.numel() for value in classifier.parameters()),
        **{split: genre_figures(classifier, examples, genres) for split, examples in real.items()},
        "seconds": round(monotonic() - started),
    }

    started = monotonic()
    torch.manual_seed(options.seed)
    critic = Critic(settings.width, settings.embedding, settings.dropout)
    # The same pairs in every epoch; of test three times as many, as one chance of mismatches is a small sample.
    pairs = {split: Pairs.of(group, settings, repeats) for (split, group), repeats in zip(songs.items(), (1, 2, 3))}

    def critic_losses(progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        heard, matched = batch
        return {"loss": F.binary_cross_entropy_with_logits(critic(heard)[:, 0], matched)}

    train_best(
        folder / "critic", critic, critic_losses,
        partial(critic_batches, songs["train"], settings),
        lambda: {"loss": pairs["val"].loss(critic)},
        CRITIC_FIT, options,
    )  # fmt: skip
    critic.threshold.fill_(balanced_threshold(*pairs["val"].logits(critic)))
    sample = songs["train"].every_window()[:: max(1, len(songs["train"].every_window()) // 4000)]
    train_embedding = hear(critic.embed, songs["train"], sample)
    critic.spread.fill_(float(np.sqrt(train_embedding.var(axis=0).sum())))
    save_weights(folder / "critic", critic)
    figures["critic"] = {
        "parameters": sum(value.numel() for value in critic.parameters()),
        **{split: pairs[split].figures(critic) for split in ("val", "test")},
        "frechet": frechet_figures(critic, songs["test"], train_embedding / float(critic.spread)),
        "seconds": round(monotonic() - started),
    }
    write_json(folder / "figures.json", figures)


def train_best(folder: Path, model: nn.Module, losses, batches, validate, settings: Fit, options) -> None:
    """Train with the shared loop; `model` ends with the weights of the epoch whose loss on val was lowest."""
    best = min((row["val/loss"] for row in read_losses(folder)), default=np.inf)

    def watch() -> dict[str, float]:
        nonlocal best
        figures = {name: value for name, value in validate().items() if np.isscalar(value)}
        if figures["loss"] < best:
            best = figures["loss"]
            save_weights(folder, model)
        return figures

    settings = Fit(**{**vars(settings), "seed": options.seed})
    fit(folder, model, losses, batches, watch, lambda path: None, settings, options.max_steps)
    model.load_state_dict(load_file(folder / WEIGHTS))


# What the judges hear


def features_of(planes: Tensor) -> Tensor:
    """[..., 5, 2, T, 128] to [..., T, F], both uint8: what sounds at each step."""
    columns = []
    for track in PITCHED:
        part = planes[..., track, :, :, :]
        onset, sounding = part[..., 0, :, :], part.amax(dim=-3)
        pitch = torch.arange(PITCHES, dtype=torch.float32)
        mean = (sounding.float() @ pitch) / sounding.sum(-1).clamp(min=1)
        columns += [_pitch_classes(onset), _pitch_classes(sounding), mean.round().to(torch.uint8)[..., None]]
    drums = planes[..., DRUMS, 0, :, :]
    columns += [drums[..., list(group)].amax(dim=-1, keepdim=True) for group in DRUM_GROUPS]
    return torch.cat(columns, dim=-1)


def _pitch_classes(plane: Tensor) -> Tensor:
    octaves = -(-PITCHES // 12)
    return F.pad(plane, (0, octaves * 12 - PITCHES)).unflatten(-1, (octaves, 12)).amax(dim=-2)


def window_starts(plays: np.ndarray, every: int = BLOCKS) -> np.ndarray:
    """First blocks of the windows in which the melody plays, in at least half of the blocks there are. plays: [B] bool;
    every: blocks between starts. The last window ends with the song."""
    last = max(0, len(plays) - BLOCKS)
    starts = np.unique(np.append(np.arange(0, last + 1, every), last))
    return np.array([at for at in starts if plays[at : at + BLOCKS].mean() >= 0.5], int)


@dataclass
class Songs:
    """Songs of a split in which a melody plays. features: [blocks + 1, 32, F] uint8, the last block silent; index: by song
    its blocks in `features`, at least four; starts: by song where a window can begin; genres and groups: by song."""

    features: np.ndarray
    index: list[np.ndarray]
    starts: list[np.ndarray]
    regular: list[np.ndarray]
    genres: list[str]
    groups: list[str]

    @classmethod
    def of(cls, corpus: Corpus, songs: list[int], groups: dict[str, list[str]]) -> "Songs":
        """groups: which labels make a genre."""
        genre_of = {label: genre for genre, labels in groups.items() for label in labels}
        parts, result, first = [], cls(np.zeros(0), [], [], [], [], []), 0
        for song in songs:
            entry = corpus.songs[song]
            at = slice(entry["first"], entry["first"] + entry["blocks"])
            planes = torch.stack([corpus.blocks(track, at) for track in range(5)], dim=1)
            heard = features_of(planes).numpy()
            plays = heard[:, :, :12].any(axis=(1, 2))
            starts = window_starts(plays, every=1)
            if not len(starts):
                continue
            parts.append(heard)
            result.index.append(first + np.arange(max(BLOCKS, len(heard))))
            result.index[-1][len(heard) :] = -1
            result.starts.append(starts)
            result.regular.append(window_starts(plays) if len(window_starts(plays)) else starts[:1])
            result.genres.append(genre_of.get(entry["genre"], entry["genre"]))
            result.groups.append(str(entry.get("dup_group", song)))
            first += len(heard)
        result.features = np.concatenate([*parts, np.zeros((1, BLOCK_STEPS, FEATURES), np.uint8)])
        return result

    def __len__(self) -> int:
        return len(self.index)

    def windows(self, where: list[tuple[int, int]]) -> Tensor:
        """[N, T, F] uint8: the windows at (song, first block)."""
        blocks = np.stack([self.index[song][at : at + BLOCKS] for song, at in where])
        return torch.from_numpy(self.features[blocks]).flatten(1, 2)

    def every_window(self) -> list[tuple[int, int]]:
        """Windows side by side, of all songs."""
        return [(song, int(at)) for song, starts in enumerate(self.regular) for at in starts]


def vary(windows: Tensor, random: np.random.Generator, settings: Settings, keep_melody: bool = False) -> Tensor:
    """Windows [N, T, F] uint8 as float, without what should not matter: how many notes a chord has and whether every
    instrument plays. keep_melody: the first track is the melody, which stays whole."""
    count, steps, width = windows.shape
    tracks = (width - len(DRUM_GROUPS)) // OF_TRACK
    pitched = windows[..., : tracks * OF_TRACK].float().unflatten(-1, (tracks, OF_TRACK))
    drums = windows[..., tracks * OF_TRACK :].float()
    first = int(keep_melody)
    hidden = random.uniform(0, settings.most_hidden, (count, 1, tracks, 1)) * random.integers(2, size=(count, 1, tracks, 1))
    stays = random.random((count, -(-steps // HALF_BAR_STEPS), tracks, 12)) >= hidden
    stays &= random.random((count, 1, tracks, 1)) >= settings.track_dropout
    stays[:, :, :first] = True
    stays = torch.from_numpy(stays).float().repeat_interleave(HALF_BAR_STEPS, dim=1)[:, :steps]
    classes, height = pitched[..., :-1] * torch.cat([stays, stays], dim=-1), pitched[..., -1:]
    height = height * classes[..., 12:].amax(dim=-1, keepdim=True)
    drums = drums * torch.from_numpy(random.random((count, 1, 1)) >= settings.track_dropout).float()
    return torch.cat([torch.cat([classes, height], dim=-1).flatten(2), drums], dim=-1)


# The networks


class Listener(nn.Module):
    """Windows [N, T, F] to logits. Half of it hears harmony: its convolutions go around the circle of pitch classes and it
    takes mean and maximum over the twelve rotations. The other half hears rhythm and contour: drums, and of each track whether
    it strikes, whether it sounds, and how far from its mean pitch in the window. So it is deaf to the key, with no need of
    transposed examples, and to the octave in which an instrument is written, which says more of how a song was brought to
    the normal key than of its style."""

    def __init__(self, tracks: int, outputs: int, width: int = 48, embedding: int = 48, dropout: float = 0.3):
        super().__init__()
        self.tracks, beat = tracks, STEPS_PER_BEAT
        self.beats = nn.Conv2d(2 * tracks, width, (12, beat), stride=(1, beat))
        self.changes = nn.Conv2d(width, width, (1, 3), padding=(0, 1))
        self.rhythm = nn.Conv1d(3 * tracks + len(DRUM_GROUPS), width, 2 * beat, stride=beat, padding=beat // 2)
        self.bars = nn.Conv1d(3 * width, 2 * width, 4, stride=4)
        self.phrase = nn.Conv1d(2 * width, 2 * width, 3, padding=1)
        self.penultimate = nn.Linear(4 * width, embedding)
        self.out = nn.Linear(embedding, outputs)
        self.dropout = nn.Dropout(dropout)

    def embed(self, windows: Tensor) -> Tensor:
        """[N, T, F] to [N, D]."""
        windows = windows.float()
        pitched = windows[..., : self.tracks * OF_TRACK].unflatten(-1, (self.tracks, OF_TRACK))
        classes = pitched[..., :-1].unflatten(-1, (2, 12)).permute(0, 2, 3, 4, 1).flatten(1, 2)  # [N, 2 P, 12, T]
        height = pitched[..., -1].transpose(1, 2)  # [N, P, T]
        sounds = (height > 0).float()
        contour = sounds * (height - height.sum(2, keepdim=True) / sounds.sum(2, keepdim=True).clamp(min=1)) / 12
        strikes = classes[:, ::2].amax(dim=2)
        drums = windows[..., self.tracks * OF_TRACK :].transpose(1, 2)
        around = torch.cat([classes, classes[:, :, :-1]], dim=2)
        harmony = F.gelu(self.beats(around))  # [N, width, 12, beats]
        harmony = harmony + F.gelu(self.changes(harmony))
        rhythm = F.gelu(self.rhythm(torch.cat([strikes, sounds, contour, drums], dim=1)))
        by_beat = torch.cat([harmony.mean(dim=2), harmony.amax(dim=2), rhythm], dim=1)
        by_bar = F.gelu(self.bars(self.dropout(by_beat)))
        by_bar = by_bar + F.gelu(self.phrase(self.dropout(by_bar)))
        return F.gelu(self.penultimate(self.dropout(torch.cat([by_bar.mean(dim=2), by_bar.amax(dim=2)], dim=1))))

    def forward(self, windows: Tensor) -> Tensor:
        return self.out(self.dropout(self.embed(windows)))


class Critic(Listener):
    """One logit, matched or not. It hears harmony above all: take the drums from real songs and neither the logits nor the
    embeddings move, so drums have to be judged by other means.

    threshold: the logit from which a window is called matched; spread: of the embedding over real music, its unit.
    """

    threshold: Tensor
    spread: Tensor

    def __init__(self, width: int, embedding: int, dropout: float = 0.3):
        super().__init__(len(PITCHED), 1, width, embedding, dropout)
        self.register_buffer("threshold", torch.tensor(0.0))
        self.register_buffer("spread", torch.tensor(1.0))


# The genre classifier


def without_melody(windows: Tensor) -> Tensor:
    return windows[..., OF_TRACK:]


def genre_batches(songs: Songs, genres: list[str], settings: Settings, generator: torch.Generator, size: int):
    random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    by_genre = [[song for song, name in enumerate(songs.genres) if name == genre] for genre in genres]
    labels = np.repeat(np.arange(len(genres)), settings.genre_windows)
    random.shuffle(labels)
    for at in range(0, len(labels), size):
        chosen = [int(random.choice(by_genre[label])) for label in labels[at : at + size]]
        windows = songs.windows([(song, int(random.choice(songs.starts[song]))) for song in chosen])
        yield vary(without_melody(windows), random, settings), torch.from_numpy(labels[at : at + size])


def genre_examples(songs: Songs, genres: list[str]) -> list[tuple[Tensor, int]]:
    """Of each song of these genres its windows without the melody, side by side, and its genre's number."""
    return [
        (without_melody(songs.windows([(song, int(at)) for at in songs.regular[song]])), genres.index(name))
        for song, name in enumerate(songs.genres)
        if name in genres
    ]


@torch.no_grad()
def genre_figures(classifier: Listener, examples: list[tuple[Tensor, int]], genres: list[str]) -> dict:
    """By song: cross entropy and accuracy with genres counting alike, accuracy with songs counting alike, and the confusion
    matrix [true][heard], for all genres and for the five."""
    if not examples:
        return {}
    device = classifier.out.weight.device
    scores = torch.stack([F.log_softmax(classifier(windows.to(device)), dim=1).mean(dim=0).cpu() for windows, _ in examples])
    true = torch.tensor([genre for _, genre in examples])
    present = [genre for genre in range(len(genres)) if (true == genre).any()]
    loss = np.mean([float(-scores[true == genre, genre].mean()) for genre in present])
    five = [index for index, genre in enumerate(genres) if genre in FIVE]
    return {"loss": loss, **confusion(scores, true, genres, range(len(genres))),
            "five": confusion(scores, true, genres, five)}  # fmt: skip


def confusion(scores: Tensor, true: Tensor, names: list[str], among) -> dict:
    """Accuracy of the best of the genres `among`, for songs of these genres; scores: [songs, genres]."""
    among = list(among)
    matrix = np.zeros((len(among), len(among)), int)
    for row, genre in zip(scores[:, among].argmax(dim=1), true.tolist()):
        if genre in among:
            matrix[among.index(genre), int(row)] += 1
    counts = matrix.sum(axis=1)
    balanced = np.mean(matrix.diagonal()[counts > 0] / counts[counts > 0]) if counts.any() else 0.0
    return {"accuracy": float(matrix.trace() / max(counts.sum(), 1)), "balanced_accuracy": float(balanced),
            "genres": [names[index] for index in among], "confusion": matrix.tolist()}  # fmt: skip


# The critic


KINDS = ("matched", "same genre", "any genre", "same song")


def mismatched(songs: Songs, song: int, at: int, settings: Settings, random: np.random.Generator) -> tuple[int, int, int]:
    """(song, first block, kind) of a band that does not belong to the melody at this place."""
    if random.random() < settings.same_song:
        far = songs.starts[song][abs(songs.starts[song] - at) >= settings.far]
        for place in random.permutation(far)[:4]:
            if not alike(songs, song, at, int(place), settings.alike):
                return song, int(place), KINDS.index("same song")
    others = [i for i, group in enumerate(songs.groups) if group != songs.groups[song]]
    kin = [i for i in others if songs.genres[i] == songs.genres[song]]
    kind = KINDS.index("same genre" if kin and random.random() < 0.5 else "any genre")
    choice = kin if kind == KINDS.index("same genre") else others
    other = int(random.choice(choice)) if choice else song
    return other, int(random.choice(songs.starts[other])), kind


def alike(songs: Songs, song: int, a: int, b: int, least: float) -> bool:
    """Whether melody or band strike mostly the same in two windows of a song, so that the bands could be exchanged."""
    one, two = (window.numpy() for window in songs.windows([(song, a), (song, b)]))
    struck = [slice(part * OF_TRACK, part * OF_TRACK + 12) for part in range(len(PITCHED))]
    for columns in (struck[:1], struck[1:]):
        x, y = (np.concatenate([window[:, c] for c in columns], axis=1) for window in (one, two))
        if (x & y).sum() >= least * max((x | y).sum(), 1):
            return True
    return False


def pair(songs: Songs, melodies: list[tuple[int, int]], bands: list[tuple[int, int]]) -> Tensor:
    """[N, T, F] uint8: the melodies of some windows with the bands of others."""
    return torch.cat([songs.windows(melodies)[..., :OF_TRACK], songs.windows(bands)[..., OF_TRACK:]], dim=-1)


def critic_batches(songs: Songs, settings: Settings, generator: torch.Generator, size: int):
    random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    order = random.permutation(np.repeat(np.arange(len(songs)), settings.critic_windows)).tolist()
    half = max(1, size // 2)
    for at in range(0, len(order), half):
        places = [(song, int(random.choice(songs.starts[song]))) for song in order[at : at + half]]
        others = [mismatched(songs, song, start, settings, random)[:2] for song, start in places]
        heard = pair(songs, places * 2, places + others)
        label = torch.cat([torch.ones(len(places)), torch.zeros(len(places))])
        yield vary(heard, random, settings, keep_melody=True), label


@dataclass
class Pairs:
    """Fixed pairs of melody and band: where the bands are from, and of which kind."""

    songs: Songs
    melodies: list[tuple[int, int]]
    bands: list[tuple[int, int]]
    kinds: np.ndarray

    @classmethod
    def of(cls, songs: Songs, settings: Settings, repeats: int) -> "Pairs":
        """Every window with its own band once and with others `repeats` times."""
        random = np.random.default_rng(0)  # the same for every seed of training, so that they can be compared
        places = songs.every_window()
        others = [mismatched(songs, *place, settings, random) for place in places * repeats]
        kinds = np.array([0] * len(places) + [kind for *_, kind in others], int)
        return cls(songs, places * (1 + repeats), places + [(song, at) for song, at, _ in others], kinds)

    @torch.no_grad()
    def logits(self, critic: Critic) -> tuple[np.ndarray, np.ndarray]:
        """Those of matched and of mismatched pairs."""
        found, device = [], critic.out.weight.device
        for at in range(0, len(self.kinds), 256):
            part = slice(at, at + 256)
            found.append(critic(pair(self.songs, self.melodies[part], self.bands[part]).to(device))[:, 0].cpu().numpy())
        logits = np.concatenate([np.zeros(0, np.float32), *found])
        return logits[self.kinds == 0], logits[self.kinds > 0]

    def loss(self, critic: Critic) -> float:
        """Binary cross entropy, matched and mismatched pairs counting alike."""
        matched, other = (torch.from_numpy(values) for values in self.logits(critic))
        return float(F.softplus(-matched).mean() + F.softplus(other).mean()) / 2

    def figures(self, critic: Critic) -> dict:
        """How many pairs there are of each kind and what share of them is called matched."""
        matched, other = self.logits(critic)
        kinds = self.kinds[self.kinds > 0]
        groups = {"matched": matched, "mismatched": other} | {
            f"mismatched, {KINDS[kind]}": other[kinds == kind] for kind in range(1, len(KINDS))
        }
        threshold = float(critic.threshold)
        return {name: {"pairs": len(values), "called_matched": float((values >= threshold).mean())}
                for name, values in groups.items() if len(values)}  # fmt: skip


def balanced_threshold(matched: np.ndarray, mismatched: np.ndarray) -> float:
    """The logit at which as large a share of matched pairs is missed as of mismatched ones is believed."""
    candidates = np.sort(np.concatenate([matched, mismatched]))
    missed = np.searchsorted(np.sort(matched), candidates) / len(matched)
    believed = 1 - np.searchsorted(np.sort(mismatched), candidates) / len(mismatched)
    return float(candidates[np.abs(missed - believed).argmin()])


@torch.no_grad()
def hear(function: Callable[[Tensor], Tensor], songs: Songs, where: list[tuple[int, int]]) -> np.ndarray:
    """What `function` makes of the windows at `where`."""
    return np.concatenate([function(songs.windows(where[at : at + 256])).numpy() for at in range(0, len(where), 256)])


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """The Frechet distance (squared) between Gaussians fitted to embeddings [N, D] and [M, D]."""
    mean = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    one, two = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ two @ root).clip(min=0)).sum()
    return float(mean + np.trace(one) + np.trace(two) - 2 * cross)


def frechet_figures(critic: Critic, test: Songs, train_embedding: np.ndarray) -> dict[str, float]:
    """What real music measures against real music, which is what to compare with: chance halves of the test songs, and a
    sample of the train songs with test. Both grow as there are fewer windows, so say how many."""
    where = test.every_window()
    if len(test) < 4:
        return {}
    heard = hear(critic.embed, test, where) / float(critic.spread)
    song = np.array([index for index, _ in where])
    random, halves = np.random.default_rng(0), []
    for _ in range(10):
        half = np.isin(song, random.permutation(len(test))[: len(test) // 2])
        halves.append(frechet(heard[half], heard[~half]))
    return {"windows": len(where), "halves_of_test": float(np.mean(halves)), "train_and_test": frechet(train_embedding, heard)}


# For the evaluation


@dataclass
class Judges:
    """What `main` trained. All take planes [5, 2, S, 128] uint8 of a song in the melody's normal key, on a grid of bars of 16
    steps, in the order of accomp.grid.TRACKS. S is a multiple of 32; a song shorter than a window is filled up with silence,
    and windows in which the melody plays in less than half of the blocks are left out."""

    genres: list[str]
    classifier: Listener
    critic: Critic

    @classmethod
    def load(cls, run: Path) -> "Judges":
        path = run / "judges" / JUDGES_FILE
        if not path.is_file():
            raise SystemExit(f"{run} holds no trained judges ({path} is missing); train them first")
        config = json.loads(path.read_text())
        classifier = Listener(len(PITCHED) - 1, len(config["genres"]), config["width"], config["embedding"])
        critic = Critic(config["width"], config["embedding"])
        for name, model in (("genre", classifier), ("critic", critic)):
            model.load_state_dict(load_file(find_weights(run, f"judges/{name}")))
        return cls(config["genres"], classifier.eval(), critic.eval())

    @torch.no_grad()
    def genre(self, planes: np.ndarray) -> np.ndarray:
        """[genres]: log probabilities, the mean over windows (not normalised again); NaN where no window has a melody."""
        heard = windows_of(planes)
        if not len(heard):
            return np.full(len(self.genres), np.nan, np.float32)
        return F.log_softmax(self.classifier(without_melody(heard)), dim=1).mean(dim=0).numpy()

    @torch.no_grad()
    def matching(self, planes: np.ndarray) -> np.ndarray:
        """[N]: the critic's logits, 0 where matched and mismatched are equally likely mistaken."""
        return (self.critic(windows_of(planes))[:, 0] - self.critic.threshold).numpy()

    def matched(self, planes: np.ndarray) -> np.ndarray:
        """[N] bool: whether each window's band is heard as the melody's own."""
        return self.matching(planes) >= 0

    @torch.no_grad()
    def embed(self, planes: np.ndarray) -> np.ndarray:
        """[N, D]: the critic's penultimate layer; the unit is the spread of real music."""
        return (self.critic.embed(windows_of(planes)) / self.critic.spread).numpy()


def windows_of(planes: np.ndarray) -> Tensor:
    """[5, 2, S, 128] to [N, T, F] uint8."""
    blocks = pianoroll.to_blocks(planes).swapaxes(0, 1)
    heard = features_of(torch.from_numpy(np.ascontiguousarray(blocks))).numpy()
    starts = window_starts(heard[:, :, :12].any(axis=(1, 2)))
    missing = max(0, BLOCKS - len(heard))
    heard = np.concatenate([heard, np.zeros((missing, BLOCK_STEPS, FEATURES), np.uint8)])
    windows = [heard[at : at + BLOCKS].reshape(STEPS, FEATURES) for at in starts]
    return torch.from_numpy(np.stack(windows) if windows else np.zeros((0, STEPS, FEATURES), np.uint8))


if __name__ == "__main__":
    main()
