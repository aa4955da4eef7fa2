"""Fill the codebooks of real playing that the HarmonyNNs choose from."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from accomp.models.harmony_network import ANY_METER, HarmonyNetwork
from accomp.roll.grid import (
    BAR_STEPS,
    BLOCK_HALF_BARS,
    COMPOUND,
    DRUMS,
    FOUR,
    HALF_BAR_STEPS,
    METERS,
    THREE,
)
from train.data.corpus import Corpus
from train.data.rhythms import rhythm_of

ODD_METERS = (THREE, COMPOUND)
# General MIDI's snares, toms and hand drums, without the clap.
FILL_KEYS = [37, 38, 40, 41, 43, 45, 47, 48, 50, 60, 61, 62, 63, 64, 65, 66]

# Its keys of a kit: kicks; snares, stick and clap; bongos, congas and timbales; hi-hats; rides.
KIT = ([35, 36], [37, 38, 39, 40], list(range(60, 67)), [42, 44, 46], [51, 53, 59])


@dataclass(frozen=True)
class CodebookSettings:
    """Which blocks become codes."""

    per_song: int = 24  # so that no song fills the codebook
    # Half bars of a block's four that must sound: a pattern that sounds in fewer is an entry or a
    # rest, and no pattern to stay on.
    sounding: int = 3
    others: float = 0.25  # share of a genre's own codes that other genres may add where few are
    # Share of the codebook, at most, for patterns in three, and for those in six: few songs are in
    # these meters. A genre that has fewer than `odd_enough` borrows from all others up to that: a
    # jazz waltz is not to be played as a tarantella.
    odd: float = 0.12
    odd_enough: int = 16
    odd_per_song: int = 12  # of one meter, instead of `per_song`
    # What log_count says of drum patterns in three and six that end with a fill: of the few that
    # there are each ends many phrases, and they are to be chosen as fills.
    odd_fill: float = -4.0
    # Where this share of a genre's drum patterns is played on a kit, the others are left out:
    # maracas and a bell alone are no drummer.
    kit: float = 0.6
    grain: float = 8.0  # latents that are equal when rounded to 1/grain are one code
    fewest_fill_strokes: int = 2  # more than in the bar before; fewer are no fill
    most_fill_strokes: int = 8  # more do not make it more of a fill


@dataclass
class TrackBlocks:
    """What a track plays in a corpus.

    Attributes:
        corpus: The songs.
        track: Of `accomp.roll.grid.TRACKS`.
        latents: [all blocks, K + 1] the latent of each block, and whether it sounds.
    """

    corpus: Corpus
    track: int
    latents: Tensor


def fill_harmony_codebook(
    network: HarmonyNetwork,
    blocks: TrackBlocks,
    songs: list[int],
    lenders: list[int],
    seed: int,
    settings: CodebookSettings = CodebookSettings(),
) -> None:
    """Give a network the latents of different, well-filled blocks, drawn by chance.

    Codes that stay empty are never chosen.

    Args:
        network: Gets the codes.
        blocks: What its instrument plays.
        songs: Of the genre that is trained.
        lenders: Songs of other genres, whose blocks are added where these songs have too few.
        seed: Of the draw.
        settings: Which blocks become codes.
    """
    random = np.random.default_rng(seed)
    size, common, odd = network.config.codebook, ANY_METER, []
    if network.config.meters:
        common, sources = FOUR, (songs, lenders)
        odd = [_odd_blocks(blocks, sources, each, size, random, settings) for each in ODD_METERS]
        size -= sum(map(len, odd))
    own = _different_blocks(blocks, songs, common, random, settings)[:size]
    if len(own) < size and lenders:
        lent = _different_blocks(blocks, lenders, common, random, settings)
        most = min(size - len(own), int(settings.others * len(own)))
        own = np.concatenate([own, lent[:most]])
    own = np.concatenate([own, *odd])
    if blocks.track == DRUMS:
        own = _on_kits(blocks, own, settings)
    planes = blocks.corpus.blocks(blocks.track, np.sort(own))
    order = np.argsort(np.argsort(own))  # blocks are read in the order in which they lie on disk
    known = {"density": density_of(planes)[order]}
    if blocks.track == DRUMS:
        known["fill"] = fill_of(planes, settings)[order]
    else:
        known["variety"] = variety_of(planes)[order]
    if network.config.meters:
        known["meter"] = torch.from_numpy(blocks.corpus.meters[own])
        if blocks.track == DRUMS:
            is_odd_fill = (known["meter"] != FOUR) & (known["fill"] > 0)
            known["log_count"] = is_odd_fill * settings.odd_fill
    if network.config.network == "song":
        known["rhythm"] = rhythm_of(planes, blocks.track)[order]
    network.set_codes(blocks.latents[own, :-1], **known)


def density_of(planes: Tensor) -> Tensor:
    """Return how busy blocks [n, 2, 32, 128] are, [n].

    That is the logarithm of their onsets, in standard deviations from the mean.
    """
    return _standardised(planes[:, 0].flatten(1).sum(1, dtype=torch.float32).clamp(min=1).log())


def variety_of(planes: Tensor) -> Tensor:
    """Return how many pitch classes blocks [n, 2, 32, 128] use in a bar, [n].

    They are in standard deviations from the mean.
    """
    sounding = planes[:, 1].reshape(len(planes), 2, BAR_STEPS, -1).any(2)
    octaves = F.pad(sounding, (0, -sounding.shape[-1] % 12)).reshape(len(planes), 2, -1, 12)
    return _standardised(octaves.any(2).sum((1, 2), dtype=torch.float32))


def _standardised(values: Tensor) -> Tensor:
    deviation = values.std(correction=0).clamp(min=1e-6)
    return ((values - values.mean()) / deviation).clamp(-2, 2)


def fill_of(planes: Tensor, settings: CodebookSettings = CodebookSettings()) -> Tensor:
    """Return how much of a fill drum blocks [n, 2, 32, 128] end with, [n] from 0 to 1.

    That is how many more snares and toms are struck in the last half bar than in the same half of
    the bar before, and how few of its strokes are the same.
    """
    bars = planes[:, 0].reshape(len(planes), 2, 2, HALF_BAR_STEPS, -1).float()
    before, last = bars[:, 0, 1], bars[:, 1, 1]
    more = (last[..., FILL_KEYS].sum((1, 2)) - before[..., FILL_KEYS].sum((1, 2))).clamp(min=0)
    common = (last * before).sum((1, 2)) / torch.maximum(last, before).sum((1, 2)).clamp(min=1)
    amount = (more / settings.most_fill_strokes).clamp(max=1)
    return (more >= settings.fewest_fill_strokes) * amount * (1 - common)


def is_kit(planes: Tensor) -> Tensor:
    """Return whether drum blocks [n, 2, 32, 128] are played on a kit, [n] bool.

    That is a kick with a snare, stick, clap or hand drum, or a ride with a hi-hat, kick or snare.
    """
    struck = planes[:, 0].bool().any(1)
    kick, back, hand, hat, ride = (struck[:, keys].any(1) for keys in KIT)
    return kick & (back | hand) | ride & (hat | kick | back)


def _on_kits(blocks: TrackBlocks, index: np.ndarray, settings: CodebookSettings) -> np.ndarray:
    """Leave out drum blocks that are not played on a kit, in each meter in which most are."""
    order = np.argsort(index)
    kit = np.zeros(len(index), bool)
    kit[order] = is_kit(blocks.corpus.blocks(blocks.track, index[order])).numpy()
    meters = blocks.corpus.meters[index]
    for meter in METERS:
        own = meters == meter
        if own.any() and kit[own].mean() < settings.kit:
            kit |= own
    return index[kit]


def _different_blocks(
    blocks: TrackBlocks,
    songs: list[int],
    meter: int,
    random: np.random.Generator,
    settings: CodebookSettings,
) -> np.ndarray:
    """Return the numbers of well-filled blocks with different latents, in random order.

    Args:
        blocks: What the instrument plays.
        songs: Which of them count.
        meter: Of the blocks; ANY_METER for all.
        random: Draws.
        settings: What is well filled, and how many a song may give.
    """
    chosen, seen = [], set()
    for song in songs:
        index = blocks.corpus.block_index([song])
        index = index[(blocks.corpus.meters[index] == meter) | (meter == ANY_METER)]
        if not len(index):
            continue
        sounds = blocks.corpus.blocks(blocks.track, index)[:, 1].bool()
        filled = _filled(sounds.reshape(len(index), 2, 2, -1).any(3), meter, settings)
        index = random.permutation(index[filled.numpy()])
        count, most = 0, settings.odd_per_song if meter in ODD_METERS else settings.per_song
        for block in index:
            key = latent_key(blocks.latents[block], settings.grain)
            if key not in seen and count < most:
                seen.add(key)
                chosen.append(block)
                count += 1
    return random.permutation(np.array(chosen, int))


def _filled(half_bars: Tensor, meter: int, settings: CodebookSettings) -> Tensor:
    """Return whether enough of each block sounds, [n] bool.

    half_bars: [n, 2, 2] bool, whether each half of the two model bars sounds; meter: of the blocks.
    """
    if meter == THREE:  # who plays on one alone rests in the second half of the bar
        return half_bars.any(2).all(1)
    # In six each half is a bar.
    least = BLOCK_HALF_BARS if meter == COMPOUND else settings.sounding
    return half_bars.sum((1, 2)) >= least


def _odd_blocks(
    blocks: TrackBlocks,
    songs: tuple[list[int], list[int]],
    meter: int,
    size: int,
    random: np.random.Generator,
    settings: CodebookSettings,
) -> np.ndarray:
    """Return blocks of one of ODD_METERS, others' only where the genre has few.

    Args:
        blocks: What the instrument plays.
        songs: Of the genre, and of others.
        meter: Of the blocks.
        size: Of the codebook. The meter gets `settings.odd` of it, or as much as the genre's songs
            are in it.
        random: Draws.
        settings: What is well filled, and how many a song may give.
    """
    own = blocks.corpus.meters[blocks.corpus.block_index(songs[0])] == meter
    share = max(settings.odd, float(own.mean()) if len(own) else 0.0)
    found, lent = (_different_blocks(blocks, each, meter, random, settings) for each in songs)
    lent = lent[: max(settings.odd_enough - len(found), 0)]
    return np.concatenate([found, lent])[: int(share * size)]


def latent_key(latent: Tensor, grain: float) -> bytes:
    """Return what is the same for latents [K + 1] that are equal when rounded to 1/grain."""
    return latent.mul(grain).round().numpy().tobytes()
