import numpy as np
import torch

from accomp.models.harmony_nn import NEVER, HarmonyConfig, HarmonyNN
from accomp.roll import pianoroll
from accomp.roll.grid import BASS, COMPOUND, DRUMS, FOUR, THREE, TRACK_NAMES
from train.data.codebook import (
    CodebookSettings,
    TrackBlocks,
    density_of,
    fill_harmony_codebook,
    fill_of,
    is_kit,
    variety_of,
)
from train.data.corpus import Corpus


def blocks(*notes):
    return torch.from_numpy(
        np.stack([pianoroll.to_planes(np.array(rows, int).reshape(-1, 3), 32) for rows in notes])
    )


def test_density_and_variety_are_in_standard_deviations():
    sparse, busy = [(40, 0, 32)], [(40 + 12 * (i % 2), i, i + 1) for i in range(32)]
    colourful = [(40 + i, 4 * i, 4 * i + 4) for i in range(8)]
    density = density_of(blocks(sparse, busy, colourful))
    assert density[1] > density[2] > density[0] and abs(float(density.mean())) < 1e-6
    # Pitch classes: 1 and 1, 1 and 1, 4 and 4 a bar.
    variety = variety_of(blocks(sparse, busy, colourful))
    assert variety[0] == variety[1] < 0 < variety[2] and torch.isclose(
        variety.std(correction=0), torch.tensor(1.0)
    )


def test_a_fill_has_more_snares_and_toms_at_the_end_than_in_the_bar_before():
    groove = [(36, s, s + 1) for s in range(0, 32, 8)] + [(38, s, s + 1) for s in range(4, 32, 8)]
    fill = [
        *groove,
        *(
            (tom, 24 + i, 25 + i)
            for i, tom in enumerate((38, 38, 48, 48, 45, 45, 41, 41))
            if i != 4
        ),
    ]
    cymbals = [*groove, *((51, 24 + i, 25 + i) for i in range(8))]
    got = fill_of(blocks(groove, fill, cymbals)).tolist()
    assert got[0] == got[2] == 0 and 0.4 < got[1] <= 1


KICK_AND_SNARE = [(36, 0, 1), (38, 4, 5), (36, 16, 17), (38, 20, 21), (36, 8, 9), (36, 24, 25)]
MARACAS = [(70, step, step + 1) for step in range(0, 32, 2)]
ENDING = [(45, step, step + 1) for step in range(24, 28)]


def test_a_kit_has_a_kick_and_a_snare_or_a_ride_that_keeps_time():
    ride = [(51, step, step + 1) for step in range(0, 32, 4)]
    hat = [(44, step, step + 1) for step in range(4, 32, 8)]
    bell = [*MARACAS, (53, 0, 1)]
    got = is_kit(blocks(KICK_AND_SNARE, MARACAS, bell, ride, [*ride, *hat]))
    assert got.tolist() == [True, False, False, False, True]


def drummed(*songs: tuple[str, list]) -> HarmonyNN:
    """Return a network with the drums of songs of one block, each a meter and its strokes."""
    packed = np.packbits(blocks(*(strokes for _, strokes in songs)).numpy(), axis=-1)
    entries = [{"first": i, "blocks": 1, "meters": meter} for i, (meter, _) in enumerate(songs)]
    plan = torch.zeros(len(songs), 4, dtype=torch.int64)
    corpus = Corpus(entries, plan, None, [packed] * len(TRACK_NAMES))
    network = HarmonyNN(HarmonyConfig(width=8, codebook=10, meters=True), 2, 1, [])
    latents = torch.stack([torch.arange(len(songs)), torch.ones(len(songs), dtype=int)], 1).float()
    everything = list(range(len(songs)))
    fill_harmony_codebook(
        network, TrackBlocks(corpus, DRUMS, latents), everything, [], 0, CodebookSettings(odd=0.5)
    )
    return network


def test_codes_of_drums_are_played_on_a_kit_where_most_are():
    most = drummed(("4", KICK_AND_SNARE), ("4", [*KICK_AND_SNARE, *ENDING]), ("4", MARACAS))
    assert sorted(most.codes[most.log_count > NEVER / 2, 0].tolist()) == [0, 1]
    few = drummed(("4", KICK_AND_SNARE), ("4", MARACAS))
    assert (few.log_count > NEVER / 2).sum() == 2


def test_fills_in_three_are_seldom_chosen_as_patterns():
    network = drummed(
        ("3", KICK_AND_SNARE), ("3", [*KICK_AND_SNARE, *ENDING]), ("4", [*KICK_AND_SNARE, *ENDING])
    )
    by_code = {
        int(code): float(count)
        for (code,), count in zip(network.codes, network.log_count)
        if count > NEVER / 2
    }
    assert by_code == {0: 0.0, 1: -4.0, 2: 0.0}
    assert (network.fill[network.log_count == -4.0] > 0).all()  # but as fills


def corpus_of(*meters: str) -> Corpus:
    """Return songs whose bass plays on one of each bar, or in four on one and three."""
    one = [(40, step, step + 4) for step in (0, 16)]  # in three the second half of a bar may rest
    planes = [
        blocks(one if meter == "3" else [*one, (40, 8, 12), (40, 24, 28)])[0].numpy()
        for meter in "".join(meters)
    ]
    packed = np.packbits(np.stack(planes), axis=-1)
    first = np.cumsum([0, *map(len, meters)])
    songs = [
        {"first": int(at), "blocks": len(each), "meters": each} for at, each in zip(first, meters)
    ]
    plan = torch.zeros(len(planes), 4, dtype=torch.int64)
    return Corpus(songs, plan, None, [packed] * len(TRACK_NAMES))


def filled(corpus: Corpus, meters: bool = True, **settings: float) -> HarmonyNN:
    """Return a network whose codes come from the first song, and lent from the others."""
    network = HarmonyNN(HarmonyConfig(width=8, codebook=10, meters=meters), 2, 1, [])
    count = len(corpus.plan)
    latents = torch.stack([torch.arange(count, dtype=torch.float32), torch.ones(count)], 1)
    others = list(range(1, len(corpus.songs)))
    blocks = TrackBlocks(corpus, BASS, latents)
    fill_harmony_codebook(network, blocks, [0], others, 0, CodebookSettings(**settings))
    return network


def test_codes_in_three_and_six_come_from_all_genres_where_few_are():
    corpus = corpus_of("4" * 20 + "3", "3" * 4, "6" * 4)
    network = filled(corpus, odd=0.2)
    used = network.log_count > NEVER / 2
    codes, meter = network.codes[used, 0].int().tolist(), network.meter[used].tolist()
    assert [meter.count(each) for each in (FOUR, THREE, COMPOUND)] == [6, 2, 2]
    assert 20 in codes  # its own waltz comes first
    assert all(
        str(each) == "".join(s["meters"] for s in corpus.songs)[code]
        for code, each in zip(codes, meter)
    )
    content = filled(corpus, odd=0.5, odd_enough=1)  # its own waltz is enough
    assert (content.meter == THREE).sum() == (content.meter == COMPOUND).sum() == 1
    waltzes = filled(corpus_of("3" * 30, "4" * 20), odd_per_song=24)
    assert (waltzes.meter == THREE).sum() == 10  # a genre of waltzes
    without = filled(corpus, meters=False)
    assert not hasattr(without, "meter") and without.codes[:, 0].max() < 20
