import pytest
import torch

from accomp.models.harmony_network import RHYTHM, HarmonyConfig, generated_before
from accomp.models.song_harmony import FIRST, LAST, MIDDLE, SongHarmonyNN
from accomp.roll.grid import BASS, DRUMS, MELODY
from tests.support.tiny import tiny
from train.fit.player_task import CorpusLatents, of_players
from train.fit.song_harmony_task import (
    SongHarmonyTask,
    SongTraining,
    counted,
    grouped,
    spreads_of,
    steps_of,
)

K = 6
LENGTHS = (8, 5, 6)


@pytest.fixture(scope="module")
def task() -> SongHarmonyTask:
    """The bass of three songs, which rests in the first block of each."""
    torch.manual_seed(3)
    blocks = sum(LENGTHS)
    by_track = {
        track: torch.cat([torch.randn(blocks, K), torch.ones(blocks, 1)], 1)
        for track in (MELODY, DRUMS, BASS)
    }
    places, first = [], 0
    for song, count in enumerate(LENGTHS):
        by_track[BASS][first] = 0
        places += [(first, block, count, song % 2) for block in range(count)]
        first += count
    rhythms = {track: torch.rand(blocks, RHYTHM) < 0.3 for track in (DRUMS, BASS)}
    plan, meters = torch.zeros(blocks, 4, dtype=torch.int64), torch.full((blocks,), 4)
    latents = CorpusLatents(plan, by_track, rhythms, meters)
    band = tiny()
    config = HarmonyConfig(
        network="song", width=16, heads=2, codebook=12, dropout=0.0, genres=["jazz", "pop"]
    )
    network = SongHarmonyNN(config, K, K, [K] * len(generated_before(BASS)))
    network.set_codes(by_track[BASS][by_track[BASS][:, -1] > 0][:12, :-1])
    network.spreads.copy_(spreads_of(latents, BASS))
    band.harmony["bass"] = network
    places = {"train": torch.tensor(places), "val": torch.tensor(places)}
    return SongHarmonyTask(band, BASS, latents, places, SongTraining(own_past=1.0))


def test_latents_are_heard_relative_to_how_they_are_spread(task):
    own = task.latents.by_track[BASS]
    own = own[own[:, -1] > 0, :-1]
    assert torch.allclose(task.model.spreads[1], torch.pdist(own).square().mean(), rtol=1e-4)


def test_songs_are_whole_and_filled_up(task):
    song = task.song(task.spans["train"])
    assert song.own.shape == (3, 8, K + 1) and song.blocks.tolist() == list(LENGTHS)
    assert torch.equal(song.own[1, :5], task.latents.by_track[BASS][8:13])
    assert not song.own[1, 5:].any() and song.genre.tolist() == [0, 1, 0]
    assert len(song.earlier) == 1


def test_first_until_it_has_played_last_at_the_end(task):
    song = task.song(task.spans["train"])
    steps = steps_of(song.own, song.blocks, 2)
    assert steps[1, :5].tolist() == [FIRST, FIRST, MIDDLE, LAST, LAST]
    taught = counted(song, song.own, steps)
    # The opening rest teaches nothing, nor does what fills up.
    assert taught[1].tolist() == [False, True, True, True, True, False, False, False]


def test_groups_hold_songs_of_about_one_length():
    spans = torch.tensor([[0, n, 0] for n in (4, 30, 5, 28, 6, 4)])
    groups = grouped(spans, 60)
    assert sorted(song for group in groups for song in group.tolist()) == list(range(6))
    assert [sorted(group.tolist()) for group in groups] == [[0, 2, 4, 5], [1, 3]]


def test_it_plays_on_from_its_own_playing_where_real_players_play(task):
    generator = torch.Generator().manual_seed(0)
    found = task._rolled_out(task.spans["train"], generator)
    own, codes = task.latents.by_track[BASS], task.model.codes
    for first, count, _ in task.spans["train"].tolist():
        rows = found[first]
        assert torch.equal(rows[:2], own[first : first + 2])  # up to the first block that it plays
        assert torch.equal(rows[:, -1], own[first : first + count, -1])
        known = torch.cat([codes, rows[:-1, :-1]])
        assert all((known == row[:-1]).all(1).any() for row in rows[2:])
    assert any(
        not torch.equal(found[f][2:], own[f + 2 : f + c])
        for f, c, _ in task.spans["train"].tolist()
    )


def test_what_is_heard_may_be_its_own_and_what_is_learned_is_real(task):
    batches = list(task.batches(torch.Generator().manual_seed(0), 32))
    assert sum(len(batch["steps"]) for batch in batches) == 3
    for batch in batches:
        first = [
            int(torch.nonzero((task.latents.by_track[BASS] == real[1]).all(1))[0, 0]) - 1
            for real in batch["real"]["rows"]
        ]
        for row, start in enumerate(first):
            count = int(batch["song"]["blocks"][row])
            real = task.latents.by_track[BASS][start : start + count]
            assert torch.equal(batch["real"]["rows"][row, :count], real)
            assert not torch.equal(batch["song"]["own"][row, :count], real)
    again = list(task.batches(torch.Generator().manual_seed(0), 32))
    assert torch.equal(again[0]["song"]["own"], batches[0]["song"]["own"])
    assert task.losses(0.0, batches[0])["loss"].isfinite()


def test_losses_of_each_network(task):
    found = task.evaluate("val")
    assert set(found) == {"loss", "first", "middle", "last"}
    count = {"first": 3, "middle": sum(LENGTHS) - 9, "last": 3}
    expected = sum(found[name] * n for name, n in count.items()) / sum(count.values())
    assert found["loss"] == pytest.approx(expected, rel=1e-4)


def test_a_song_without_the_player_teaches_nothing():
    places = torch.tensor([[0, 0, 2, 0], [0, 1, 2, 0], [2, 0, 1, 0]])
    own = torch.tensor([0.0, 1.0, 0.0])
    assert of_players(places, own).tolist() == places[:2].tolist()
