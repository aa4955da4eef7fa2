"""Train the critic: whether a band plays to this melody or to another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from train.fit.judge_networks import Critic
from train.fit.judge_windows import OF_TRACK, PITCHED, Songs, Variation, vary
from train.fit.loop import Task
from train.metrics import frechet_distance

KINDS = ("matched", "same genre", "any genre", "same song")  # where a band comes from


@dataclass(frozen=True)
class CriticTraining:
    """Which pairs of melody and band the critic learns from, and how it is measured."""

    windows: int = 5  # of each song in an epoch, each once matched and once mismatched
    same_song: float = 0.25  # share of mismatched bands that come from elsewhere in the song
    far: int = 8  # blocks at least between the two places
    tries: int = 4  # places in the song that are tried before another song is taken
    same_genre: float = 0.5  # share of the other songs that are of the same genre
    # Share of strikes in common from which the other place counts as a repeat, where the band does
    # match.
    alike: float = 0.5
    variation: Variation = Variation()
    # How often each window of train, val and test is mismatched, when it is measured: of test most,
    # as one chance of mismatches is a small sample.
    repeats: tuple[int, int, int] = (1, 2, 3)
    most_windows: int = 4000  # of the train songs, of which spread and distance are taken
    halves: int = 10  # times that the test songs are halved, to measure real music by real music
    fewest_songs: int = 4  # to be halved


def mismatched(
    songs: Songs, song: int, at: int, random: np.random.Generator, settings: CriticTraining
) -> tuple[int, int, int]:
    """Choose a band that does not belong to the melody at a place.

    Args:
        songs: All songs.
        song: The melody's.
        at: The melody's first block.
        random: Draws the band.
        settings: From where.

    Returns:
        Song and first block of the band, and which of KINDS it is.
    """
    if random.random() < settings.same_song:
        far = songs.starts[song][abs(songs.starts[song] - at) >= settings.far]
        for place in random.permutation(far)[: settings.tries]:
            if not alike(songs, song, at, int(place), settings.alike):
                return song, int(place), KINDS.index("same song")
    others = [i for i, group in enumerate(songs.groups) if group != songs.groups[song]]
    kin = [i for i in others if songs.genres[i] == songs.genres[song]]
    is_kin = bool(kin) and random.random() < settings.same_genre
    choice = kin if is_kin else others
    other = int(random.choice(choice)) if choice else song
    kind = KINDS.index("same genre" if is_kin else "any genre")
    return other, int(random.choice(songs.starts[other])), kind


def alike(songs: Songs, song: int, a: int, b: int, least: float) -> bool:
    """Tell whether two windows of a song repeat each other, so that the bands could be exchanged.

    Args:
        songs: All songs.
        song: Which of them.
        a: First block of one window.
        b: First block of the other.
        least: Share of strikes in common, of the melody or of the band.
    """
    one, two = (window.numpy() for window in songs.windows([(song, a), (song, b)]))
    struck = [slice(part * OF_TRACK, part * OF_TRACK + 12) for part in range(len(PITCHED))]
    for columns in (struck[:1], struck[1:]):
        x, y = (np.concatenate([window[:, c] for c in columns], axis=1) for window in (one, two))
        if (x & y).sum() >= least * max((x | y).sum(), 1):
            return True
    return False


def pair(songs: Songs, melodies: list[tuple[int, int]], bands: list[tuple[int, int]]) -> Tensor:
    """Return the melodies of some windows with the bands of others, [N, T, F] uint8."""
    return torch.cat(
        [songs.windows(melodies)[..., :OF_TRACK], songs.windows(bands)[..., OF_TRACK:]], dim=-1
    )


@dataclass
class Pairs:
    """Pairs of melody and band, always the same, to measure the critic on.

    Attributes:
        songs: Where they are from.
        melodies: Song and first block of each melody.
        bands: Song and first block of each band.
        kinds: [pairs] which of KINDS the band is.
    """

    songs: Songs
    melodies: list[tuple[int, int]]
    bands: list[tuple[int, int]]
    kinds: np.ndarray

    @classmethod
    def draw(
        cls, songs: Songs, repeats: int, settings: CriticTraining = CriticTraining()
    ) -> "Pairs":
        """Pair every window with its own band once, and with others `repeats` times."""
        # The same for every seed of training, so that trainings can be compared.
        random = np.random.default_rng(0)
        places = songs.every_window()
        others = [mismatched(songs, *place, random, settings) for place in places * repeats]
        kinds = np.array([0] * len(places) + [kind for *_, kind in others], int)
        bands = places + [(song, at) for song, at, _ in others]
        return cls(songs, places * (1 + repeats), bands, kinds)

    @torch.no_grad()
    def logits(self, critic: Critic) -> tuple[np.ndarray, np.ndarray]:
        """Return the critic's logits of matched and of mismatched pairs."""
        found, device = [np.zeros(0, np.float32)], critic.out.weight.device
        for at in range(0, len(self.kinds), 256):
            part = slice(at, at + 256)
            windows = pair(self.songs, self.melodies[part], self.bands[part]).to(device)
            found.append(critic(windows)[:, 0].cpu().numpy())
        logits = np.concatenate(found)
        return logits[self.kinds == 0], logits[self.kinds > 0]

    def loss(self, critic: Critic) -> float:
        """Return the binary cross-entropy, matched and mismatched pairs counting alike."""
        matched, other = (torch.from_numpy(values) for values in self.logits(critic))
        return float(F.softplus(-matched).mean() + F.softplus(other).mean()) / 2

    def figures(self, critic: Critic) -> dict:
        """Return the number of pairs of each kind, and the share that is called matched."""
        matched, other = self.logits(critic)
        kinds = self.kinds[self.kinds > 0]
        groups = {"matched": matched, "mismatched": other} | {
            f"mismatched, {KINDS[kind]}": other[kinds == kind] for kind in range(1, len(KINDS))
        }
        threshold = float(critic.threshold)
        return {
            name: {"pairs": len(values), "called_matched": float((values >= threshold).mean())}
            for name, values in groups.items()
            if len(values)
        }


class CriticTask(Task):
    """The critic and the songs that it learns from."""

    model: Critic

    def __init__(
        self, model: Critic, train: Songs, val: Pairs, settings: CriticTraining = CriticTraining()
    ):
        """Keep what is trained on what.

        Args:
            model: The critic.
            train: Songs to learn from.
            val: Pairs to validate on.
            settings: Which pairs it learns from.
        """
        super().__init__(model)
        self.train, self.val, self.settings = train, val, settings

    def batches(self, generator: torch.Generator, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Give windows [N, T, F], half of them mismatched, and 1 for matched, else 0, [N]."""
        songs, settings = self.train, self.settings
        random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        order = random.permutation(np.repeat(np.arange(len(songs)), settings.windows)).tolist()
        half = max(1, size // 2)
        for at in range(0, len(order), half):
            places = [
                (song, int(random.choice(songs.starts[song]))) for song in order[at : at + half]
            ]
            others = [mismatched(songs, *place, random, settings)[:2] for place in places]
            windows = pair(songs, places * 2, places + others)
            label = torch.cat([torch.ones(len(places)), torch.zeros(len(places))])
            yield vary(windows, random, settings.variation, keep_melody=True), label

    def losses(self, progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the binary cross-entropy."""
        windows, matched = batch
        return {"loss": F.binary_cross_entropy_with_logits(self.model(windows)[:, 0], matched)}

    def validate(self) -> dict[str, float]:
        """Return the loss on the fixed pairs of validation songs."""
        return {"loss": self.val.loss(self.model)}


def balanced_threshold(matched: np.ndarray, mismatched: np.ndarray) -> float:
    """Return the logit at which both errors are equal.

    They are the share of matched pairs that is missed, and of mismatched ones that is believed.
    """
    candidates = np.sort(np.concatenate([matched, mismatched]))
    missed = np.searchsorted(np.sort(matched), candidates) / len(matched)
    believed = 1 - np.searchsorted(np.sort(mismatched), candidates) / len(mismatched)
    return float(candidates[np.abs(missed - believed).argmin()])


@torch.no_grad()
def applied(
    function: Callable[[Tensor], Tensor], songs: Songs, where: list[tuple[int, int]]
) -> np.ndarray:
    """Return what a function makes of the windows at `where`."""
    return np.concatenate(
        [function(songs.windows(where[at : at + 256])).numpy() for at in range(0, len(where), 256)]
    )


def frechet_figures(
    critic: Critic,
    test: Songs,
    train_embedding: np.ndarray,
    settings: CriticTraining = CriticTraining(),
) -> dict[str, float]:
    """Measure real music by real music, which is what generated music is compared with.

    The distances grow as there are fewer windows, so their number is given too.

    Args:
        critic: Gives the embedding in which distances are measured.
        test: The test songs.
        train_embedding: [windows, D] of train songs, in units of the critic's spread.
        settings: How often the test songs are halved.

    Returns:
        `windows`, and the distances `halves_of_test` (mean over chance halves) and
        `train_and_test`; nothing where there are too few songs.
    """
    where = test.every_window()
    if len(test) < settings.fewest_songs:
        return {}
    embedding = applied(critic.embed, test, where) / float(critic.spread)
    song = np.array([index for index, _ in where])
    random, halves = np.random.default_rng(0), []
    for _ in range(settings.halves):
        half = np.isin(song, random.permutation(len(test))[: len(test) // 2])
        halves.append(frechet_distance(embedding[half], embedding[~half]))
    return {
        "windows": len(where),
        "halves_of_test": float(np.mean(halves)),
        "train_and_test": frechet_distance(train_embedding, embedding),
    }
