from pathlib import Path

import numpy as np
import pytest
import torch

from accomp import Accompanist, MusicError, read_midi
from accomp.band.perform import perform
from accomp.band.sketch import parse_moves
from accomp.roll.grid import ACCOMPANIMENT, BASS, DRUMS, GUITAR, MELODY, STRINGS
from tests.support.tiny import tiny

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def pop():
    return Accompanist.from_pretrained("pop")


@pytest.fixture(scope="module")
def jazz():
    return Accompanist.from_pretrained("jazz")


@pytest.fixture(scope="module")
def tune():
    return read_midi(EXAMPLES / "auld_lang_syne.mid")


def struck(song):
    return {(t, n.pitch, round(n.onset * 4)) for t in ACCOMPANIMENT for n in song.tracks[t].notes}


def likeness(a, b):
    return len(a & b) / len(a | b)


def test_accompany_is_a_sketch_performed(pop, tune):
    assert perform(pop.sketch(tune, seed=5)) == pop.accompany(tune, seed=5)


def test_the_ends_of_a_blend_are_the_two_bands(pop, jazz, tune):
    first, second = pop.sketch(tune, seed=1), jazz.sketch(tune, seed=2)
    assert perform(first.blended(second, 0)) == pop.accompany(tune, seed=1)
    assert perform(first.blended(second, 1)) == jazz.accompany(tune, seed=2)
    assert perform(first.blended(second, 0.4)) == pop.perform(first.blended(second, 0.4))


def test_neighbours_on_the_way_are_alike(pop, tune):
    first, second = pop.sketch(tune, seed=1), pop.sketch(tune, seed=2)
    points = [struck(perform(first.blended(second, amount))) for amount in np.linspace(0, 1, 11)]
    near = [likeness(a, b) for a, b in zip(points, points[1:])]
    assert np.mean(near) > 0.4 and np.mean(near) > 2 * likeness(points[0], points[-1])
    to_first, to_second = (
        [likeness(point, end) for point in points] for end in (points[0], points[-1])
    )
    assert (
        np.corrcoef(to_first, np.arange(11))[0, 1] < -0.8
        and np.corrcoef(to_second, np.arange(11))[0, 1] > 0.8
    )


def test_a_blend_keeps_the_melody_and_is_as_full_as_its_ends(pop, tune):
    first, second = pop.sketch(tune, seed=1), pop.sketch(tune, seed=2)
    counts = [len(struck(perform(first.blended(second, amount)))) for amount in (0, 0.5, 1)]
    assert min(counts[0], counts[2]) * 0.7 < counts[1] < max(counts[0], counts[2]) * 1.3
    assert perform(first.blended(second, 0.5)).tracks[MELODY].notes == tune.tracks[0].notes


def test_only_bands_of_one_melody_and_one_latent_space_blend(pop, tune):
    other = pop.sketch(read_midi(EXAMPLES / "ode_to_joy.mid"))
    with pytest.raises(MusicError, match="not of the same melody"):
        pop.sketch(tune).blended(other, 0.5)
    with pytest.raises(MusicError, match="different VAEs"):
        pop.sketch(tune).blended(tiny().sketch(tune), 0.5)
    with pytest.raises(MusicError, match="1.2; accepted"):
        pop.sketch(tune).blended(pop.sketch(tune, seed=1), 1.2)


def test_models_of_one_run_share_their_latent_space(pop, jazz):
    assert pop.latent_space == jazz.latent_space != tiny().latent_space


@pytest.mark.parametrize(
    "track, name", [(DRUMS, "drums"), (BASS, "bass"), (GUITAR, "guitar"), (STRINGS, "strings")]
)
def test_density_goes_from_sparse_to_busy_and_leaves_the_others_alone(pop, tune, track, name):
    songs = [
        perform(pop.sketch(tune, seed=1).explored({name: {"density": move}}))
        for move in (-2.0, 0.0, 2.0)
    ]
    counts = [len(song.tracks[track].notes) for song in songs]
    assert counts[0] < counts[1] < counts[2]
    if track == DRUMS:  # of the others the chords are made to agree by all that sounds
        assert songs[0].tracks[BASS].notes == songs[2].tracks[BASS].notes


def test_directions_are_one_deviation_long_and_not_the_same(pop):
    for name, network in pop.harmony.items():
        directions = network.directions()
        assert set(directions) == (
            {"density", "character"} if name == "drums" else {"density", "variety", "character"}
        )
        density = directions["density"]
        assert abs(float(density @ directions["character"])) < 0.05 * float(
            density.norm() * directions["character"].norm()
        )
        codes = network.codes - network.codes.mean(0)
        assert float(directions["character"].norm()) <= float(codes.norm(dim=1).max())
        again = network.directions()
        assert all(torch.equal(value, again[key]) for key, value in directions.items())


def test_what_cannot_be_explored_is_named(pop, tune):
    with pytest.raises(MusicError, match="'flute'; accepted: drums"):
        pop.sketch(tune).explored({"flute": {"density": 1}})
    with pytest.raises(MusicError, match="'speed'; accepted: density"):
        pop.sketch(tune).explored({"bass": {"speed": 1}})
    with pytest.raises(MusicError, match="9; accepted: -3 to 3"):
        pop.sketch(tune).explored({"bass": {"density": 9}})
    assert parse_moves(["bass density 1", "bass variety -.5"]) == {
        "bass": {"density": 1.0, "variety": -0.5}
    }
    with pytest.raises(MusicError, match="guitar density 1"):
        parse_moves(["bass louder"])


@pytest.mark.parametrize("style", [(), "bossa_nova"])
def test_a_blend_begins_and_ends_without_a_jump(pop, jazz, tune, style):
    first, second = pop.sketch(tune, seed=1, styles=style), jazz.sketch(tune, seed=2, styles=style)
    for a, b in ((0.0, 0.001), (0.999, 1.0)):
        here, there = (perform(first.blended(second, amount)) for amount in (a, b))
        # Voices are led anew where a single note differs, and a whole part may lie an octave away.
        played = ({(t, p % 12, at) for t, p, at in struck(song)} for song in (here, there))
        assert likeness(*played) > 0.85
        for track in ACCOMPANIMENT:
            assert len(here.tracks[track].notes) == pytest.approx(
                len(there.tracks[track].notes), rel=0.1, abs=3
            )


def test_a_block_that_has_as_many_onsets_as_it_shall_stays_as_it_is(pop, tune):
    sketch = pop.sketch(tune, seed=1)
    plain = struck(perform(sketch))
    for track in ACCOMPANIMENT:
        sketch.latents.onsets[track] = sketch._onsets_under(track, sketch.plan)
    assert struck(perform(sketch)) == plain
