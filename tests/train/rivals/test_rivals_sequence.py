"""The rivals that play note by note train, and take in and play what they may."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from accomp.roll import pianoroll
from accomp.roll.grid import ACCOMPANIMENT, BAR_STEPS, BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACKS
from tests.train.fit.test_judges import corpus, planes  # noqa: F401  a fixture
from train.data.corpus import Corpus
from train.rivals import gru, rnn, tokens, transformer
from train.rivals.attention import Layer
from train.rivals.transformer import Cache, Transformer, TransformerSettings


def small(segment: int = 192) -> Transformer:
    torch.manual_seed(0)
    settings = TransformerSettings(width=16, layers=2, heads=2, segment=segment)
    network = Transformer(settings).eval()
    for layer in network.layers:
        torch.nn.init.normal_(layer.content_bias)
        torch.nn.init.normal_(layer.position_bias)
    return network


def random_rows(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    sizes = (tokens.TOKENS, BAR_STEPS, len(tokens.DURATIONS) + 1, tokens.BARS)
    return torch.stack(
        [torch.randint(size, (1, count), generator=generator) for size in sizes], dim=-1
    )


def test_relative_attention_is_that_of_a_loop():
    """Dai et al. 2019, section 3.3: the four terms, for every query and key."""
    network = small()
    layer: Layer = network.layers[0]
    context = torch.randn(1, 9, 16)
    x = context[:, 4:]
    keys, values = layer.keys_values(context)
    positions = network.distances(9)[0]
    hidden_from = torch.zeros(1, 1, 5, 9).masked_fill(
        torch.ones(5, 9, dtype=torch.bool).triu(5), -1e9
    )
    with torch.no_grad():
        got = layer(x, keys, values, positions, hidden_from)
        query = layer.split(layer.query(layer.norm(x)))
        seen = torch.zeros(1, 2, 5, 8)
        for head in range(2):
            for i in range(5):
                scores = []
                for j in range(4 + i + 1):
                    q, k, r = query[0, head, i], keys[0, head, j], positions[head, 8 - (4 + i - j)]
                    u, v = layer.content_bias[head, 0], layer.position_bias[head, 0]
                    scores.append((q @ k + q @ r + u @ k + v @ r) / 8**0.5)
                seen[0, head, i] = torch.stack(scores).softmax(0) @ values[0, head, : 4 + i + 1]
        wanted = x + layer.out(seen.transpose(1, 2).flatten(-2))
        wanted = wanted + layer.feed(layer.norm_out(wanted))
    assert torch.allclose(got, wanted, atol=1e-5)


@torch.no_grad()
def test_segments_with_memory_see_what_one_long_pass_sees():
    network = small(segment=64)  # as long as both segments, so that all is remembered
    rows, songs = random_rows(48), torch.zeros(1, 48, dtype=torch.long)
    whole, _ = network(rows, songs)
    first, memory = network(rows[:, :20], songs[:, :20])
    second, _ = network(rows[:, 20:], songs[:, 20:], memory)
    assert torch.allclose(torch.cat([first, second], dim=1), whole, atol=1e-5)
    without, _ = network(rows[:, 20:], songs[:, 20:])
    assert not torch.allclose(without, whole[:, 20:], atol=1e-2)
    # Of another song nothing is seen.
    other, _ = network(rows[:, 20:], songs[:, 20:] + 1, memory)
    assert torch.allclose(other, without, atol=1e-5)


@torch.no_grad()
def test_one_token_after_another_sees_the_same():
    network, rows = small(segment=6), random_rows(60)
    assert network.settings.context == 12
    cache = Cache(network)
    one_by_one = torch.stack([cache.see(row) for row in rows[0].numpy()])
    whole, _ = network(rows[:, :12], torch.zeros(1, 12, dtype=torch.long))
    assert torch.allclose(one_by_one[:12], whole[0], atol=1e-5)
    # The first layer sees `context` tokens, also after the cache was full and began again.
    assert cache.count == 12 + 60 - 48 and torch.isfinite(one_by_one).all()
    again = Cache(network)
    for row in rows[0, 60 - 23 :].numpy():  # two layers see no further back than this
        last = again.see(row)
    assert torch.allclose(last, one_by_one[-1], atol=1e-5)


def test_tokens_hold_the_song_and_play_it_back():
    song = planes(blocks=3, seed=4)
    notes = {track: tokens.rows_of(song[track]) for track in range(5)}
    rows = tokens.song_tokens(notes, 6)
    assert (
        (rows[:, 0] == tokens.BAR).sum() == 7
        and (rows[:, 0] == tokens.BAND).sum() == 6
        and rows[-1, 0] == tokens.BAR
    )
    # A bar's melody comes before its band.
    band, played, step, last = False, [], 0, None
    for token, at, duration, _, bar in rows.tolist():
        if token == tokens.BAR:
            band, last = False, None
        elif token >= tokens.CHOSEN:
            assert not band
        elif token == tokens.BAND:
            band, step = True, 0
        else:
            assert band and tokens.allowed(last, step)[token]
            if token < tokens.FIRST_NOTE:
                step = token - tokens.BLANK
                assert step == at
            else:
                track, pitch = tokens.note_token(token)
                played.append(
                    (track, pitch, bar * BAR_STEPS + step, tokens.DURATIONS[max(duration - 1, 0)])
                )
        last = token if token != tokens.BAR else last
    back = tokens.band_planes(played, song.shape[2], ACCOMPANIMENT)
    assert all((back[track] == song[track]).all() for track in (BASS, GUITAR, STRINGS))
    assert (back[DRUMS][0] == song[DRUMS][0]).all()
    assert (
        tokens.allowed(tokens.BAND, 0)[tokens.BAR]
        and not tokens.allowed(tokens.BLANK + 3, 3)[tokens.BAR]
    )


def test_a_melody_without_band_is_the_songs_own_beginning_of_each_bar():
    song = planes(blocks=2, seed=5)
    notes = {track: tokens.rows_of(song[track]) for track in range(5)}
    whole, given = tokens.song_tokens(notes, 4), tokens.song_tokens({MELODY: notes[MELODY]}, 4)
    melody = whole[(whole[:, 0] >= tokens.CHOSEN) | (whole[:, 0] <= tokens.BAND)]
    assert (melody == given).all()


def trained(module, corpus: Path, run: Path, settings=None, seed: int = 0) -> dict:  # noqa: F811
    arguments = ["--corpus", str(corpus), "--run", str(run), "--max-steps", "2"]
    module.main([*arguments, "--seed", str(seed)], *([settings] if settings else []))
    figures = json.loads((run / "figures.json").read_text())
    assert (
        figures["seed"] == seed
        and figures["parameters"] > 0
        and figures["seconds"] > 0
        and figures["core_seconds"] > 0
    )
    assert figures["data"][0]["songs"]["train"] == 8
    return figures


def plays(player, blocks: int = 2) -> dict[int, np.ndarray]:
    """What it plays twice, once differently, and within the tracks' ranges."""
    melody = planes(blocks=blocks, seed=7)[MELODY]
    band = player.play(melody, 3)
    again, other = player.play(melody, 3), player.play(melody, 4)
    assert band.keys() == set(ACCOMPANIMENT)
    assert all((band[track] == again[track]).all() for track in band) and any(
        (band[t] != other[t]).any() for t in band
    )
    for track, found in band.items():
        assert (
            found.shape == (2, melody.shape[1], 128)
            and found.dtype == np.uint8
            and set(np.unique(found)) <= {0, 1}
        )
        pitches = pianoroll.from_planes(found)[:, 0]
        assert not len(pitches) or (
            pitches.min() >= TRACKS[track].low and pitches.max() <= TRACKS[track].high
        )
    return band


def test_the_transformer_trains_and_plays(corpus, tmp_path):  # noqa: F811
    trained(
        transformer, corpus, tmp_path, TransformerSettings(epoch_segments=2, validation_segments=1)
    )
    band = plays(transformer.Transformers(tmp_path))
    assert sum(found[0].sum() for found in band.values()) > 0


def test_the_transformers_excerpts_go_on_where_the_last_segment_ended(corpus):  # noqa: F811
    loaded = Corpus.load(corpus)
    excerpts = tokens.Excerpts(loaded, loaded.choose("train"))
    parts = list(excerpts.segments(torch.Generator().manual_seed(0), 2, 3, 40))
    rows, songs = parts[0]
    assert rows.shape == (2, 41, 4) and songs.shape == rows.shape[:2]
    assert (parts[0][0][:, -1] == parts[1][0][:, 0]).all() and (
        parts[1][1][:, -1] == parts[2][1][:, 0]
    ).all()
    again = list(excerpts.segments(torch.Generator().manual_seed(0), 2, 3, 40))
    assert all((a[0] == b[0]).all() for a, b in zip(parts, again))


def test_the_next_note_gru_trains_and_plays_one_part_on_the_beats(corpus, tmp_path):  # noqa: F811
    trained(gru, corpus, tmp_path)
    band = plays(gru.NextNotes(tmp_path))
    assert not any(band[track].any() for track in (DRUMS, BASS, STRINGS))
    notes = pianoroll.from_planes(band[GUITAR])
    assert set(notes[:, 1]) == set(range(0, 64, 4)) and set(notes[:, 2] - notes[:, 1]) == {4}


def test_the_grus_tokens_are_single_notes_and_chords(corpus):  # noqa: F811
    loaded = Corpus.load(corpus)
    entries = [gru.struck_together(loaded, song) for song in loaded.choose("train")]
    # The fixture's guitar strikes nothing but triads of major chords, 32 a song.
    assert all(len(played) == 3 for song in entries for played in song) and {
        len(song) for song in entries
    } == {32}
    chords = gru.chords_of(entries)
    assert {len(chord) for chord in chords} == {3} and gru.note_tokens(
        entries[0], chords
    ).max() >= gru.NOTES
    assert gru.note_tokens([(60,), (0, 1, 2)], chords).tolist() == [
        60 - gru.LOW
    ]  # a chord unknown is left out
    cut = gru.token_windows([np.arange(100), np.arange(3)], 10, 64)
    assert cut[0].tolist() == list(range(10, 75)) and cut[1, :26].tolist() == list(range(74, 100))
    assert cut[2, :3].tolist() == [0, 1, 2] and (cut[2, 3:] == gru.UNCOUNTED).all()


def test_the_gru_hears_the_melodys_first_notes(corpus, tmp_path):  # noqa: F811
    trained(gru, corpus, tmp_path)
    player = gru.NextNotes(tmp_path)
    for weight in player.network.parameters():  # after two steps it hardly hears anything
        weight.data *= 5
    tunes = [planes(blocks=3, seed=seed)[MELODY] for seed in (1, 2)]
    assert (player.play(tunes[0], 0)[GUITAR] != player.play(tunes[1], 0)[GUITAR]).any()
    # Only the first: what comes later changes nothing.
    later = tunes[0].copy()
    later[:, -4:] = 0
    assert (player.play(tunes[0], 0)[GUITAR] == player.play(later, 0)[GUITAR]).all()
    assert player.play(np.zeros_like(later), 0)[GUITAR].any()


def test_the_multi_instrument_rnn_trains_and_draws_its_notes(corpus, tmp_path):  # noqa: F811
    trained(rnn, corpus, tmp_path)
    band = plays(rnn.MultiRNNs(tmp_path))
    for track, notes in zip(ACCOMPANIMENT, rnn.RNNSettings().drawn):
        assert (band[track][1].sum(1) == notes).all()
    assert (band[DRUMS][0] == band[DRUMS][1]).all()


def test_the_rnns_piano_is_the_given_melody(corpus, tmp_path, monkeypatch):  # noqa: F811
    trained(rnn, corpus, tmp_path)
    player, heard = rnn.MultiRNNs(tmp_path), []
    network = player.network
    monkeypatch.setattr(
        player, "network", lambda steps: heard.append(steps.clone()) or network(steps)
    )
    melody = planes(blocks=2, seed=7)[MELODY]
    player.play(melody, 0)
    assert [step.shape[1] for step in heard] == [*range(1, 33), *[32] * 32]
    last = heard[-1].reshape(32, 5, 128)
    assert (last[:, MELODY].numpy() == melody[1, 64 - 33 : 63]).all() and (
        last[:, BASS].sum(-1) == 1
    ).all()


def test_the_rnns_loss_counts_no_silent_instrument():
    scores, following = torch.zeros(1, 5, 128), torch.zeros(1, 5, 128)
    assert float(rnn.multinomial_loss(scores, following)) == 0
    following[0, BASS, 40] = following[0, GUITAR, 50] = following[0, GUITAR, 57] = 1
    assert float(rnn.multinomial_loss(scores, following)) == pytest.approx(2 * np.log(128))
    scores[0, STRINGS, 3] = 9.0
    assert float(rnn.multinomial_loss(scores, following)) == pytest.approx(2 * np.log(128))


def test_the_rnns_windows_lie_within_songs(corpus):  # noqa: F811
    loaded = Corpus.load(corpus)
    blocks = rnn.followed(loaded, [0, 1])
    first, count = loaded.songs[1]["first"], loaded.songs[1]["blocks"]
    assert blocks.max() == first + count - 2 and loaded.songs[0]["blocks"] - 1 not in blocks
    found = rnn.step_windows(loaded, blocks[:2], np.array([0, 31]))
    assert (found[0, :32, BASS] == loaded.blocks(BASS, blocks[:1])[0, 1]).all()
    assert (found[1, 1:, GUITAR] == loaded.blocks(GUITAR, blocks[1:2] + 1)[0, 1]).all()
