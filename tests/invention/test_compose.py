import numpy as np
import pytest
import torch

from accomp import Note, Score, Track
from accomp.band.accompanist import Accompanist
from accomp.invention import compose
from accomp.invention.compose import ComposeSettings, SixteenthsSettings
from accomp.invention.invent import InventSettings, continue_melody
from accomp.invention.pitch_line import give_pitches
from accomp.invention.plan import Past
from accomp.roll import pianoroll
from accomp.roll.grid import BAR_STEPS, Grid
from tests.models.test_melody_nn import inventor, made
from tests.support.tiny import tiny


def asked(early: float = 0.5, often: float = 0.5) -> InventSettings:
    """Settings with which phrases end early, and slow melodies move in sixteenths, as often."""
    sixteenths = SixteenthsSettings(often=often)
    return InventSettings(compose=ComposeSettings(early=early, sixteenths=sixteenths))


def past_of(steps: list[int], blocks: int = 1) -> Past:
    """What strikes those steps of each of its blocks."""
    notes = np.array(
        [
            (60, 32 * block + step, 32 * block + step + 1)
            for block in range(blocks)
            for step in steps
        ]
    )
    planes = pianoroll.to_blocks(pianoroll.to_planes(notes, 32 * blocks))
    return Past(torch.zeros(blocks, 7), np.zeros((blocks, 4), int), planes)


def test_a_quick_block_is_four_bars_of_playing_in_two():
    model = tiny(seed=24)
    latents, plan = (
        torch.randn(1, 2, 8, generator=torch.Generator().manual_seed(0)),
        np.array([[0, 5, 7, 0]]),
    )
    with torch.no_grad():
        planes, onset = compose.decode(model, latents, plan, np.array([True]))
        halves = [
            compose.decode(
                model, latents[:, [half]], compose.stretched(plan, half), np.array([False])
            )
            for half in range(2)
        ]
    assert planes.shape == (1, 2, 32, 128) and onset.shape == (1, 32, 128)
    for half, (slow, likely) in enumerate(halves):
        bar = slice(half * BAR_STEPS, (half + 1) * BAR_STEPS)
        assert (planes[:, :, bar] == slow[:, :, ::2] | slow[:, :, 1::2]).all() and slow.any()
        assert np.allclose(onset[:, bar], np.maximum(likely[:, ::2], likely[:, 1::2]))


def test_chords_are_heard_twice_as_long_where_a_block_is_quick():
    assert compose.stretched(np.array([0, 5, 7, 4]), 0).tolist() == [0, 0, 5, 5]
    assert compose.stretched(np.array([[0, 5, 7, 4]]), 1).tolist() == [[7, 7, 4, 4]]


def test_a_melody_that_was_given_tells_whether_it_moves_in_sixteenths():
    random = np.random.default_rng(0)
    assert compose.shall_move(past_of([0, 4, 5, 8, 11, 12, 16, 20, 23]), 170, 1.0, random)
    assert not compose.shall_move(past_of([0, 4, 6, 8, 12, 16, 20, 24]), 80, 1.0, random)
    swung = past_of([4 * beat + step for beat in range(8) for step in (0, 3)])
    jig = past_of(
        [4 * beat + step for beat in range(8) for step in range(3)]
    )  # in 6/8 a beat is three eighths
    assert not compose.shall_move(swung, 80, 1.0, random) and not compose.shall_move(
        jig, 80, 1.0, random
    )
    few = past_of([0, 5, 16])
    assert compose.shall_move(few, SixteenthsSettings().up_to, 1.0, random)
    assert not compose.shall_move(few, SixteenthsSettings().up_to + 1, 1.0, random)


def test_the_chance_decides_for_melodies_from_nothing():
    random = np.random.default_rng(0)
    for chance in (0.0, 0.5, 1.0):
        found = np.mean([compose.shall_move(Past.none(6), 90, chance, random) for _ in range(400)])
        assert found == pytest.approx(chance, abs=0.08)


def test_slow_melodies_may_be_quick_and_fast_ones_never_are(monkeypatch):
    quick = []
    decode = compose.decode

    def watched(model: Accompanist, latents, plan, which):
        quick.append(which.copy())
        return decode(model, latents, plan, which)

    monkeypatch.setattr(compose, "decode", watched)
    made(16, seed=1, tempo=90, settings=asked(often=1.0))
    slow, quick[:] = quick[-1], []
    made(16, seed=1, tempo=150, settings=asked(often=1.0))
    assert (
        slow[:3].all() and not slow[-1] and not np.concatenate(quick).any()
    )  # the end comes in its own time


def test_what_was_given_returns_in_its_own_time(monkeypatch):
    choose, returned = compose._Walk.choose, []

    def watched(self, quick):
        played, found = choose(self, quick)
        source, blocks = self.plan.source, self.past.blocks
        new = np.arange(len(found)) >= blocks
        returned.extend(found[(source >= 0) & (source < blocks) & new])
        assert found[blocks:].any()
        return played, found

    monkeypatch.setattr(compose._Walk, "choose", watched)
    given = Score([Track("tune", notes=[Note(60 + at % 5, at / 4, 0.25, 80) for at in range(64)])])
    for seed in range(6):
        continue_melody(
            tiny(seed=24), given, 16, seed, inventor=inventor(), settings=asked(early=0.0)
        )
    assert returned and not any(returned)


def test_what_returns_returns_quick(monkeypatch):
    monkeypatch.setattr(
        "accomp.invention.plan.progressions.draw_sections", lambda count, random: "A" * count
    )
    notes = pianoroll.on_grid(
        made(24, seed=2, tempo=80, key="C major", settings=asked(0.0, 1.0)).tracks[0].notes,
        Grid(np.arange(16 * 24 + 1) / 4),
    )
    first, second = (
        [(start - at) for _, start, _ in notes if at <= start < at + 96] for at in (0, 128)
    )
    assert first == second and len(first) > 10


@pytest.mark.parametrize("seed", range(3))
def test_a_phrase_may_end_a_bar_early(seed):
    def starts(chance: float) -> list[float]:
        melody = made(16, seed, tempo=150, settings=asked(early=chance))
        return [note.onset for note in melody.tracks[0].notes]

    late, early = starts(0.0), starts(1.0)
    assert any(28 <= onset < 32 for onset in late) and not any(28 <= onset < 32 for onset in early)
    assert any(24 <= onset <= 26 for onset in early)


def test_after_a_sixteenth_a_voice_does_not_leap():
    onset = np.zeros((16, 128), np.float32)
    onset[0, 60], onset[1, 72], onset[1, 62] = 0.9, 0.5, 0.01
    apart = onset[[0, *range(2, 9), 1, *range(9, 16)]]  # the second note half a bar later
    assert give_pitches(np.array([[0, 1], [1, 16]]), onset, np.array([0, 0]))[1, 0] == 62
    assert give_pitches(np.array([[0, 1], [8, 16]]), apart, np.array([0, 0]))[1, 0] == 72
