"""Velocities and timing: known answers, the swing rule, seeds, and two steps of training."""

import json

import numpy as np
import pytest
import torch

from accomp import Note, Score, TimeSignature, Track, write_midi
from accomp.models.feel import Feel, FeelConfig, FeelSettings, noise, played_times
from accomp.models.note_features import drum_kind, local_loudness
from accomp.models.swing import MelodyTiming, melody_swing
from accomp.roll.grid import ACCOMPANIMENT, BASS, DRUMS, GUITAR, Grid
from train.data import prepare
from train.data.corpus import Corpus
from train.fit import feel, feel_statistics
from train.fit.feel_network import VelocityExamples
from train.fit.settings import Session, training_parser

TRIPLET = 2 / 3  # of a beat
GRID = Grid(np.arange(129) / 4)


def line(off_beat: float, bars: int = 4, velocity: int = 80) -> list[Note]:
    """Eighths, the second of each beat at `off_beat` beats."""
    return [
        Note(60 + i % 5, beat + part, 0.3, velocity)
        for beat in range(4 * bars)
        for i, part in enumerate((0, off_beat))
    ]


def tune(off_beat: float = 0.5, **options) -> MelodyTiming:
    return MelodyTiming.of(line(off_beat, **options), GRID)


def long_notes() -> MelodyTiming:
    """A melody that doesn't say whether it swings."""
    return MelodyTiming.of([Note(60, 4.0 * bar, 4.0, 80) for bar in range(8)], GRID)


def pattern(*places: int, beats: int = 32, pitch: int = 40) -> np.ndarray:
    """Notes a sixteenth long on the given steps of each beat."""
    return np.array(
        [
            (pitch, 4 * beat + place, 4 * beat + place + 1)
            for beat in range(beats)
            for place in places
        ]
    )


def comping(seed: int = 0, steps: int = 128) -> np.ndarray:
    """Chords of one to four notes on half of the steps, each held to the next."""
    random = np.random.default_rng(seed)
    strikes = np.append(np.flatnonzero(random.random(steps) < 0.5), steps)
    pitches = [random.choice(range(50, 60), random.integers(1, 5), False) for _ in strikes[:-1]]
    return np.array(
        [(p, a, b) for a, b, chord in zip(strikes, strikes[1:], pitches) for p in chord]
    )


@pytest.fixture
def model() -> Feel:
    torch.manual_seed(0)
    model = Feel(FeelConfig(["jazz", "rock"], "jazz"))
    model.swing[0] = TRIPLET
    model.delay[:, BASS] = 0.05
    return model.eval()


def tight(model: Feel) -> Feel:
    model.config.looseness = 0.0
    return model


def offsets(model: Feel, notes: np.ndarray, heard: MelodyTiming, track: int = BASS) -> np.ndarray:
    return model.offsets(notes, track, heard, np.random.default_rng(1))


def test_where_the_melody_swings():
    assert melody_swing(tune(0.5)) == 0
    assert melody_swing(tune(2 / 3)) == pytest.approx(TRIPLET)  # nearest to the step 3
    assert melody_swing(tune(0.6)) == pytest.approx(0.4)  # nearest to the step 2
    assert melody_swing(long_notes()) is None
    sixteenths = [Note(60, i / 4, 0.25, 80) for i in range(64)]
    assert melody_swing(MelodyTiming.of(sixteenths, GRID)) in (None, 0)
    dotted = [Note(60, beat + part, 0.25, 80) for beat in range(16) for part in (0, 0.75)]
    assert melody_swing(MelodyTiming.of(dotted, GRID)) is None
    late = [
        note._replace(onset=note.onset + 0.04) for note in line(0.5)
    ]  # all of it, which is no swing
    assert melody_swing(MelodyTiming.of(late, GRID)) == 0


@pytest.mark.parametrize("genre", ["jazz", "rock"])
def test_the_band_swings_as_the_melody_does(model, genre):
    tight(model).config.genre = genre
    eighths, triplets = pattern(0, 2), pattern(0, 3)
    genre_swing = TRIPLET if genre == "jazz" else 0
    for heard, swing in (
        (tune(0.5), 0),
        (tune(0.6), 0.4),
        (tune(2 / 3), TRIPLET),
        (long_notes(), genre_swing),
    ):
        swing = swing if heard.step.size > 8 or genre == "jazz" else 0
        assert offsets(model, eighths, heard)[::2] == pytest.approx(0)
        assert offsets(model, eighths, heard)[1::2] == pytest.approx(swing, abs=1e-3)
        place = 3 + offsets(model, triplets, heard)[1::2]
        # On step 3 models of a genre that swings play the off-beat eighth, others a sixteenth.
        assert place == pytest.approx(2 + swing if swing or genre == "jazz" else 3, abs=1e-3)


def test_drummers_swing_under_a_straight_melody(model):
    tight(model).config.genre = "jazz"
    assert offsets(model, pattern(0, 2), tune(0.5), DRUMS)[1::2] == pytest.approx(TRIPLET, abs=0.02)
    # Under one that swings, as it does.
    assert offsets(model, pattern(0, 2), tune(0.6), DRUMS)[1::2] == pytest.approx(0.4, abs=0.02)
    model.config.genre = "rock"
    assert offsets(model, pattern(0, 2), tune(0.5), DRUMS)[1::2] == pytest.approx(0, abs=0.02)


def test_a_sixteenth_of_the_melody_stays_one_in_the_band(model):
    dotted = MelodyTiming.of(
        [Note(60, beat + part, 0.25, 80) for beat in range(16) for part in (0, 0.75)], GRID
    )
    assert offsets(tight(model), pattern(0, 3, beats=16), dotted) == pytest.approx(0)


def test_compound_beats_do_not_swing(model):
    grid = Grid.of(Score(meters=[TimeSignature(0.0, 6, 8)]), 0.0, 24.0)
    heard = MelodyTiming.of([Note(60, 3.0 * bar, 3.0, 80) for bar in range(8)], grid)
    assert not heard.even.any()
    assert offsets(tight(model), pattern(0, 1, 2, beats=8), heard) == pytest.approx(0)


@pytest.mark.parametrize("track", ACCOMPANIMENT)
@pytest.mark.parametrize("off_beat", [0.5, 2 / 3, 0.7])
def test_nothing_is_reordered_cut_to_nothing_or_too_early(model, track, off_beat):
    model.jitter[:], model.delay[:] = 0.5, -0.15  # far more than is ever learned
    notes = comping()
    moved = offsets(model, notes, tune(off_beat), track)
    strikes = np.array(
        [
            (notes[notes[:, 1] == s, 1] + moved[notes[:, 1] == s]).mean()
            for s in np.unique(notes[:, 1])
        ]
    )
    assert (np.diff(strikes) > 0).all()
    assert np.ptp(moved[notes[:, 1] == np.unique(notes[:, 1])[3]]) <= (
        0.03 if track == DRUMS else 0
    )
    times = played_times(notes, moved, GRID)
    assert (times[:, 1] - times[:, 0] > 0.01).all() and times.min() >= 0
    for pitch in np.unique(notes[:, 0]):
        of_pitch = times[notes[:, 0] == pitch]
        assert (of_pitch[1:, 0] >= of_pitch[:-1, 1] - 1e-9).all()
    assert (
        np.abs(offsets(model, notes, tune(0.5), track)[notes[:, 1] % 4 == 0])
        <= FeelSettings().most_micro
    ).all()


def test_the_kick_is_the_steadiest_of_the_kit(model):
    kit = np.concatenate([pattern(0, pitch=36), pattern(2, pitch=38)])
    late = offsets(model, kit, tune(0.5), DRUMS)
    assert 0 < late[:32].std() < 0.8 * late[32:].std() < 0.1


def test_velocities_follow_level_melody_and_seed(model):
    model.level[0, GUITAR], model.level[0, 1], model.deviation[0, GUITAR] = 70, 80, 10
    notes, heard = comping(steps=128), tune()
    first, again, other = (
        model.velocities(notes, GUITAR, heard, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert (first == again).all() and (first != other).any()
    assert first.dtype.kind == "i" and len(first) == len(notes) and 60 < first.mean() < 80
    loud = model.velocities(notes, GUITAR, tune(velocity=100), np.random.default_rng(1))
    assert loud.mean() - first.mean() == pytest.approx(70 / 4, abs=1)
    shuffled = np.random.default_rng(3).permutation(len(notes))
    assert (
        model.velocities(notes[shuffled], GUITAR, heard, np.random.default_rng(1))
        == first[shuffled]
    ).all()
    model.deviation[:] = 500
    wild = model.velocities(notes, GUITAR, heard, np.random.default_rng(1))
    assert 1 <= wild.min() < wild.max() <= 127
    for track in ACCOMPANIMENT:
        assert model.velocities(
            np.zeros((0, 3), int), track, heard, np.random.default_rng(1)
        ).shape == (0,)
        assert model.offsets(
            np.zeros((0, 3), int), track, heard, np.random.default_rng(1)
        ).shape == (0,)


def test_without_feel_each_sixteenth_has_its_velocity(model):
    model.position_mean[0, BASS] = torch.arange(40.0, 56.0)
    model.level[0, 1] = 80
    assert model.plain_velocities(pattern(0, 3, beats=5), BASS, tune()).tolist() == [
        40,
        43,
        44,
        47,
        48,
        51,
        52,
        55,
        40,
        43,
    ]


def test_noise_breathes():
    random = np.random.default_rng(0)
    steps = np.repeat(np.arange(20_000), 2)
    values = noise(steps, 0.5, 0.3, random).reshape(-1, 2)
    assert values.std() == pytest.approx(1, abs=0.05)
    together = np.corrcoef(values.T)[0, 1]
    later = np.corrcoef(values[8:, 0], values[:-8, 0])[0, 1]
    assert together == pytest.approx(0.8, abs=0.05) and later == pytest.approx(
        0.5 * np.exp(-8 / 32), abs=0.06
    )


def test_the_melody_is_heard_where_it_is_loud():
    heard = MelodyTiming.of(
        [Note(60, float(beat), 1.0, 60 if beat < 16 else 100) for beat in range(32)], GRID
    )
    loudness = local_loudness(heard, np.arange(128))
    assert loudness[:32].max() < -0.8 and loudness[96:].min() > 0.8 and abs(loudness[62]) < 0.1
    assert drum_kind(np.array([36, 38, 42, 46, 47, 49, 51, 39, 75])).tolist() == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        1,
        7,
    ]


# Training

SWUNG, PLAYED = 0, 1


def song(number: int) -> Score:
    """Odd ones are played by hand, even ones swing in triplets; the beat of each bar is loudest."""
    random = np.random.default_rng(number)
    hand = 0.02 * (number % 2)

    def play(pitch: int, at: float, velocity: int) -> Note:
        return Note(
            pitch,
            max(at + hand * random.standard_normal(), 0),
            0.4,
            velocity + int(random.integers(-2, 3)),
        )

    off_beat = 0.5 if number % 2 else 2 / 3
    tune, bass, drums = [], [], []
    for beat in range(48):
        tune += [play(60 + int(random.integers(12)), beat + part, 90) for part in (0, off_beat)]
        bass.append(play(36 + int(random.integers(12)), beat, 95 if beat % 4 == 0 else 75))
        drums += [play(42, beat + part, 60) for part in (0, off_beat)] + [
            play(36 if beat % 2 == 0 else 38, beat, 110)
        ]
    return Score(
        [
            Track("Melody", 73, notes=tune),
            Track("Bass", 33, notes=bass),
            Track("Drums", 0, True, drums),
        ],
        resolution=960,
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder, out = tmp_path_factory.mktemp("songs"), tmp_path_factory.mktemp("corpus")
    rows = ["file,genre,split"]
    for number in range(8):
        write_midi(song(number), folder / f"{number}.mid")
        rows.append(
            f"{number}.mid,{'rock' if number % 2 else 'jazz'},{'val' if number < 2 else 'train'}"
        )
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    prepare.main(
        [str(folder), "--labels", str(folder / "labels.csv"), "--out", str(out), "--workers", "1"]
    )
    return out


def test_timing_of_songs(corpus):
    loaded = Corpus.load(corpus)
    swung, played = (
        feel_statistics.song_timing(loaded.notes_of(i), loaded.songs[i]["even"])
        for i in (SWUNG, PLAYED)
    )
    assert (
        swung.swings
        and swung.swing == pytest.approx(TRIPLET, abs=0.02)
        and np.isnan(swung.jitter).all()
    )
    assert not played.swings and played.jitter[BASS] == pytest.approx(0.08, abs=0.04)
    assert (
        np.isfinite(played.delay[DRUMS, [0, 2]]).all()
        and np.isnan(played.delay[DRUMS, [1, 3]]).all()
    )


@pytest.mark.train
def test_two_steps_of_training_then_fine_tuning(corpus, tmp_path):
    run, tuned = tmp_path / "run", tmp_path / "tuned"
    feel.main(["--corpus", str(corpus), "--run", str(run), "--max-steps", "2"])
    figures = json.loads((run / "feel" / "figures.json").read_text())
    assert figures["val"]["loss"] > 0 and figures["notes"] == 3 * 2 * (48 + 144)
    jazz, rock = figures["learned"]["jazz"], figures["learned"]["rock"]
    assert jazz["swing"] == pytest.approx(TRIPLET, abs=0.02) and rock["swing"] == 0
    assert (
        jazz["played"] == 0
        and rock["played"] == 3
        and jazz["level"]["bass"] == pytest.approx(80, abs=1)
    )
    feel.main(
        [
            "--corpus",
            str(corpus),
            "--run",
            str(tuned),
            "--init",
            str(run),
            "--genre",
            "jazz",
            "--max-steps",
            "2",
        ]
    )
    config = FeelConfig(**json.loads((tuned / "feel" / "config.json").read_text()))
    assert config.genre == "jazz" and config.genres == ["jazz", "rock"] and config.slot == 0
    for run, init in ((tuned, None), (tmp_path / "new", tuned), (tmp_path / "none", None)):
        arguments = [
            "--corpus",
            str(corpus),
            "--run",
            str(run),
            "--genre",
            "jazz",
            *(["--init", str(init)] if init else []),
        ]
        model = feel.trained_feel(Session.open(training_parser("feel", "").parse_args(arguments)))
        assert model.config.genre == "jazz" and model.swing[
            model.config.slot
        ].item() == pytest.approx(TRIPLET, abs=0.02)
    assert (tuned / "feel" / "weights.safetensors").is_file() and (
        tuned / "feel" / "losses.png"
    ).is_file()


def test_what_is_constant_teaches_nothing(corpus, tmp_path):
    loaded = Corpus.load(corpus)
    loaded.notes = np.array(loaded.notes)
    loaded.notes["velocity"] = 100
    assert not len(VelocityExamples.draw(loaded, [2, 3], [0] * 8, 0).target)
    model = Feel(FeelConfig(["jazz"]))
    feel_statistics.fit_feel_statistics(
        model, loaded, feel_statistics.timings_of(loaded, [2, 3]), 0
    )
    assert model.level[0, BASS] == 100 and model.deviation[0, BASS] == 10  # as it was
