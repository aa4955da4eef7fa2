import json
from functools import cache

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from accomp import Accompanist, ModelError, MusicError, Note, Score, Tempo, TimeSignature, Track
from accomp.invention.invent import continue_melody, fingerprint, invent, likely_key, melody_nn_of
from accomp.invention.pitch_line import PitchLineSettings, close_phrase, give_pitches, rhythm
from accomp.models import hub
from accomp.models.harmony_nn import HarmonyConfig
from accomp.models.melody_nn import (
    FOLDER,
    MelodyConfig,
    MelodyNN,
    melody_context,
    shipped_melody_nn,
)
from accomp.models.progressions import FORMS, Habits, draw_sections
from accomp.music.keys import Key
from accomp.music.midi import write_midi
from accomp.roll import pianoroll
from tests.support.scores import melody as lopsided
from tests.support.tiny import tiny
from train.data import melody_codes, prepare
from train.data.corpus import Corpus
from train.eval import melody_figures, melody_measures, melody_tuning
from train.fit import melody

PROGRESSIONS = [
    [0, 0, 21, 21, 5, 5, 7, 7],
    [0, 7, 21, 16, 5, 0, 5, 7],
    [5, 5, 7, 7, 0, 0, 0, 0],
    [21, 21, 5, 5, 4, 4, 21, 21],
]


@cache
def band() -> Accompanist:
    return tiny(seed=24)  # with it the last bars of phrases sound, unless they end early


@cache
def inventor() -> MelodyNN:
    torch.manual_seed(2)
    config = HarmonyConfig(width=16, residual_blocks=1, codebook=40, genres=["jazz", "pop", "any"])
    model = MelodyNN(MelodyConfig(config, 8, fingerprint(band()), minor={"any": 0.5}))
    model.network.set_codes(2 * torch.randn(40, 8))
    model.closing.uniform_()
    model.habits.progressions[: len(PROGRESSIONS)] = torch.tensor(PROGRESSIONS, dtype=torch.uint8)
    for counts in (model.habits.opening, model.habits.closing):
        counts[..., : len(PROGRESSIONS)] = 1
    return model.eval()


def made(bars=8, seed=0, variation=0.5, **settings) -> Score:
    return invent(band(), bars, seed, variation, inventor=inventor(), **settings)


def pitches(score: Score) -> list[tuple]:
    return [(note.pitch, note.onset) for note in score.tracks[0].notes]


def tune(meter=(4, 4), beats=16.0) -> Score:
    notes = [note for note in lopsided() if note.end <= beats]
    return Score(
        [Track("tune", 73, False, notes)], [Tempo(0.0, 431_234)], [TimeSignature(0.0, *meter)], 96
    )


@pytest.mark.parametrize("bars", [1, 2, 3, 8, 9, 17, 64])
def test_invents_the_bars_that_were_asked_for(bars):
    score = made(bars, seed=bars)
    notes = score.tracks[0].notes
    assert len(score.tracks) == 1 and score.meters == [TimeSignature(0.0, 4, 4)]
    assert score.end == 4 * bars and notes[-1].onset >= 4 * bars - 4
    assert score.chords[0].onset == 0 and score.chords[-1].onset < score.end


@pytest.mark.parametrize("seed", range(6))
def test_a_line_that_can_be_sung_and_ends_on_the_tonic(seed):
    score = made(16, seed, key="A minor")
    notes = score.tracks[0].notes
    for note, following in zip(notes, notes[1:]):
        assert note.end <= following.onset + 1e-9 and abs(note.pitch - following.pitch) <= 12
    voice = PitchLineSettings()
    span = max(n.pitch for n in notes) - min(n.pitch for n in notes)
    assert span <= voice.highest - voice.lowest
    assert (
        notes[-1].pitch % 12 == 9
        and notes[-1].duration >= 2
        and score.chords[-1].symbol.startswith("Am")
    )


def test_a_seed_is_a_melody():
    assert made(seed=3) == made(seed=3)
    assert pitches(made(seed=3)) != pitches(made(seed=4))


def test_variation_changes_the_music():
    assert pitches(made(seed=3, variation=0.0)) != pitches(made(seed=3, variation=1.0))


def test_key_and_tempo_can_be_asked_for():
    plain, moved = made(key="C major", tempo=90), made(key="D major", tempo=90)
    assert [note.pitch + 2 for note in plain.tracks[0].notes] == [
        note.pitch for note in moved.tracks[0].notes
    ]
    assert plain.tempos[0].bpm == pytest.approx(90, abs=0.01)


def test_a_band_plays_what_was_invented():
    score = made(8)
    song = band().accompany(score, chords=score.chords)
    assert song.chords == score.chords and song.tracks[1].notes == score.tracks[0].notes


@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (6, 8), (2, 4), (5, 4), (7, 8), (3, 8)])
def test_continuing_keeps_the_notes_and_goes_on_after_them(meter):
    score = tune(meter)
    bar = 4 * meter[0] / meter[1]
    longer = continue_melody(band(), score, 6, seed=1, inventor=inventor())
    given, notes = score.tracks[0].notes, longer.tracks[0].notes
    assert (
        notes[: len(given)] == given
        and longer.tempos == score.tempos
        and longer.meters == score.meters
    )
    first = bar * np.ceil(score.end / bar - 0.05)
    added = notes[len(given) :]
    assert added and all(first - 1e-9 <= note.onset < first + 6 * bar for note in added)
    assert longer.end == pytest.approx(first + 6 * bar)
    assert all(a.end <= b.onset + 1e-9 for a, b in zip(added, added[1:]))
    assert longer.tracks[0].program == 73 and longer.resolution == 96
    assert abs(added[0].pitch - given[-1].pitch) <= 12


def test_what_returns_of_a_given_melody_returns_note_for_note(monkeypatch):
    monkeypatch.setattr(
        "accomp.invention.plan.progressions.draw_sections", lambda count, random: "AAAA"[:count]
    )
    score = tune(beats=28)
    longer = continue_melody(band(), score, 17, seed=1, inventor=inventor())
    # The first bar is a pickup; phrases of eight bars begin with the second.
    first, second = (
        [(n.pitch % 12, n.onset - at) for n in longer.tracks[0].notes if at <= n.onset < at + 16]
        for at in (4, 36)
    )
    assert len(first) > 10 and second == first


@pytest.mark.parametrize("last", [0.05, 0.1, 0.5])
def test_a_short_last_note_on_a_bar_line_has_its_bar(last):
    score = Score(
        [
            Track(
                "tune",
                notes=[
                    *(Note(60 + beat, float(beat), 1.0, 80) for beat in range(4)),
                    Note(67, 4.0, last, 80),
                ],
            )
        ]
    )
    longer = continue_melody(band(), score, 2, seed=1, inventor=inventor())
    assert all(8 <= note.onset < 16 for note in longer.tracks[0].notes[5:])
    alone = continue_melody(
        band(),
        Score([Track("tune", notes=[Note(67, 0.0, last, 80)])]),
        2,
        seed=1,
        inventor=inventor(),
    )
    assert all(4 <= note.onset < 12 for note in alone.tracks[0].notes[1:])


def test_one_bar_that_is_a_pickup_keeps_its_chords():
    late = Score([Track("tune", notes=[Note(65, 2.0, 1.0, 80), Note(69, 3.0, 1.0, 80)])])
    longer = continue_melody(band(), late, 4, seed=1, chords="| F Dm |", inventor=inventor())
    assert [chord.symbol for chord in longer.chords if chord.onset < 4] == ["F", "Dm"]
    odd = Score([Track("tune", notes=[Note(65, 2.5, 1.0, 80)])], meters=[TimeSignature(0.0, 5, 4)])
    assert (
        continue_melody(band(), odd, 4, seed=1, inventor=inventor()).tracks[0].notes[0]
        == odd.tracks[0].notes[0]
    )


def test_the_chords_of_a_continuation_begin_with_those_given():
    score = tune()
    score.chords = band().accompany(score, chords="| G Em | C D |").chords
    longer = continue_melody(band(), score, 4, inventor=inventor())
    known = [chord for chord in longer.chords if chord.onset < 16]
    assert [chord.symbol for chord in known][:4] == ["G", "Em", "C", "D"] and longer.chords[
        -1
    ].onset >= 16


@pytest.mark.parametrize(
    "settings",
    [
        {"bars": 0},
        {"bars": 65},
        {"bars": 2.5},
        {"variation": -0.1},
        {"variation": 5.0},
        {"seed": -1},
        {"key": "H"},
        {"tempo": 5},
    ],
)
def test_what_is_out_of_range_is_refused(settings):
    with pytest.raises(MusicError, match="accepted"):
        made(**settings)


def test_nothing_cannot_be_continued():
    with pytest.raises(MusicError):
        continue_melody(band(), Score([Track("empty")]), inventor=inventor())


def test_models_with_other_vaes_are_refused():
    with pytest.raises(MusicError, match="another piano VAE"):
        invent(tiny(seed=5), inventor=inventor())
    assert fingerprint(tiny(seed=24)) == fingerprint(band()) != fingerprint(tiny(seed=5))


def test_the_network_hears_older_blocks_and_nothing_from_before_the_song():
    latents = torch.arange(1.0, 11)[:, None].expand(10, 7)
    heard = melody_context(
        torch.tensor([0, 3]),
        torch.tensor([5, 5]),
        latents,
        torch.arange(10)[:, None].expand(10, 4),
        torch.zeros(2, dtype=torch.int64),
        torch.tensor([0, 5]),
    )
    assert heard.previous[:, 0].tolist() == [0, 8] and heard.melody[:, :, 0].tolist() == [
        [0, 0, 0],
        [7, 0, 0],
    ]
    assert heard.plan[:, :, 0].tolist() == [[0, 1], [8, 9]]


def test_a_saved_network_is_the_same_network(tmp_path):
    inventor().save(tmp_path)
    again = MelodyNN.load(tmp_path)
    assert again.config == inventor().config
    assert pitches(invent(band(), 4, inventor=again)) == pitches(
        made(4)
    )  # half precision moves no note of these
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="no MelodyNN"):
        MelodyNN.load(tmp_path)


def test_forms_and_sections():
    assert len(set(FORMS)) == 15 and all(form[0] == "a" for form in FORMS)
    random = np.random.default_rng(0)
    for count in range(1, 17):
        letters = draw_sections(count, random)
        assert len(letters) == count and letters[0] == "A"
    assert (
        Habits(2).draw_progression(0, True, False, random) == 21
    ).all()  # where nothing was counted


def test_pitches_follow_the_decoder_the_key_and_the_last_note():
    onset = np.zeros((16, 128), np.float32)
    onset[0, 64], onset[4, 66], onset[8, 67] = 0.9, 0.3, 0.9  # E, F# (not in the key), G
    notes = give_pitches(np.array([[0, 4], [4, 8], [8, 16]]), onset, np.array([0, 0]), tonic=0)
    assert notes[0, 0] == 64 and notes[1, 0] != 66 and notes[2, 0] % 12 == 0


def test_phrases_end_on_a_held_note():
    planes = np.zeros((2, 32, 128), np.uint8)
    for step in range(0, 32, 2):
        planes[:, step, 60] = 1
    times = rhythm(planes)
    assert (
        times.shape == (16, 2) and (times[:, 1] - times[:, 0] == 2).all()
    )  # short notes are sung through to the next
    final = close_phrase(times, 16, final=True)
    assert final[-1].tolist() == [24, 32] and final[-2].tolist() == [22, 24]


def test_the_key_of_a_beginning():
    ode = [66, 66, 67, 69, 69, 67, 66, 64, 62, 62, 64, 66, 66, 64, 64]
    ode = [Note(pitch, float(at), 1.0, 80) for at, pitch in enumerate(ode)]
    assert likely_key(ode) == Key(2, False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    rows = ["file,genre,split,dup_group"]
    random = np.random.default_rng(0)
    for number in range(4):
        notes, at = [], 0.0
        while at < 64:
            length = float(random.choice([0.5, 1.0, 1.0, 2.0]))
            notes.append(Note(int(random.choice([60, 62, 64, 65, 67, 69])), at, length, 80))
            at += length
        chords = [
            Note(pitch, 4.0 * bar, 4.0, 60)
            for bar in range(16)
            for pitch in [(48, 52, 55), (53, 57, 60)][bar // 2 % 2]
        ]
        score = Score([Track("melody", 73, False, notes), Track("chords", 24, False, chords)])
        write_midi(score, folder / f"{number}.mid")
        rows.append(f"{number}.mid,pop,{'train' if number < 3 else 'val'},{number}")
    (folder / "labels.csv").write_text("\n".join(rows))
    prepare.main(
        [
            str(folder),
            "--labels",
            str(folder / "labels.csv"),
            "--out",
            str(folder / "corpus"),
            "--workers",
            "1",
        ]
    )
    return folder


@pytest.mark.train
@pytest.mark.parametrize("published", [False, True])
def test_two_steps_of_training_give_a_network_that_invents(corpus, tmp_path, published):
    # The tiny VAE is not trained, so it decodes nothing faithfully.
    settings = melody.MelodySettings(codes=melody_codes.MelodyCodeSettings(faithful=0.0))
    band().save_pretrained(tmp_path / "tiny")
    melody.main(
        [
            "--corpus",
            str(corpus / "corpus"),
            "--also",
            str(corpus / "corpus"),
            "--init",
            str(tmp_path / "tiny"),
            "--midi",
            str(corpus),
            "--run",
            str(tmp_path / "run"),
            "--max-steps",
            "2",
            *(["--published"] if published else []),
        ],
        settings,
    )
    found = MelodyNN.load(tmp_path / "run" / "model")
    assert found.config.piano_sha256 == fingerprint(Accompanist.from_pretrained(tmp_path / "tiny"))
    assert found.config.tempos["pop"] == [120.0] * 9 and found.is_published == published
    assert found.config.sixteenths == {"any": 0.0, "pop": 0.0}  # none of those melodies moves so
    first = found.habits.progressions[0].int()
    assert ((first - first[0]) % 12).tolist() == [0, 0, 0, 0, 5, 5, 5, 5]  # in whatever key
    if not published:
        assert found.network.log_count.max() == 0
    score = invent(Accompanist.from_pretrained(tmp_path / "tiny"), 8, inventor=found)
    assert score.end == 32
    known = json.loads((tmp_path / "run" / "melody" / "figures.json").read_text())
    assert len(known["data"]) == 2


def test_figures_of_melodies_and_of_continuations(corpus):
    songs = melody_figures.RealMelodies.of([Corpus.load(corpus / "corpus")], "val", 3)
    assert len(songs.measures) == len(songs.starts) == 1 and songs.copied == 0 and songs.trained
    first, again, other = (
        melody_figures.measure_melodies(
            [band()],
            inventor(),
            songs,
            0.5,
            melody_figures.FigureSettings(seeds=2, first_seed=first, ways=2),
        )
        for first in (0, 0, 9)
    )
    assert str(first) == str(again) and str(first["measures"]) != str(other["measures"])
    assert first["distance"] > 0 and 0 < first["diversity of continuations"] <= 1


def test_the_search_takes_what_is_nearer_and_goes_on_where_it_was(corpus, tmp_path):
    band().save_pretrained(tmp_path / "tiny")
    inventor().save(tmp_path / "inventor")
    choices = {
        "compose.pitch_line.highest": [70, 76],
        "compose.higher": [0.0, 2.5],
        "melody_nn.register": [2.5, 3.0],
    }
    measured = []

    def figures(models, inventor, songs, variation, settings):
        highest, higher = settings.compose.pitch_line.highest, settings.compose.higher
        register = inventor.settings.register
        measured.append((highest, higher, register))
        row = {
            "distance by movement": 0.01 * abs(highest - 70),
            "diversity of continuations": 0.9,
            "distance of continuations": 0.3 + 0.01 * higher - 0.1 * register,
            "distinct bars of continuations": 0.9,
        }
        return row | {"copied": 1.0 if higher == 0 else 0.0}

    told = ["--corpus", str(corpus / "corpus"), "--out", str(tmp_path / "out")]
    told += ["--genres", str(tmp_path / "tiny"), "--inventor", str(tmp_path / "inventor")]
    melody_tuning.main([*told, "--minutes", "0"], choices, figures)
    chosen = tmp_path / "out" / "chosen.json"
    assert not json.loads(chosen.read_text())["finished"] and measured == [(76, 2.5, 2.5)]
    melody_tuning.main(told, choices, figures)
    found = json.loads(chosen.read_text())
    assert found["finished"] and found["chosen"]["settings"] == {
        "compose.pitch_line.highest": 70,
        "compose.higher": 2.5,  # 0 is nearer, but copied
        "melody_nn.register": 3.0,
    }
    assert len(set(measured)) == len(measured)  # nothing twice
    melody_tuning.main(told, choices, None)  # all is known


def test_all_settings_that_are_searched_exist():
    settings = melody_tuning.SearchedSettings()
    for name, values in melody_tuning.CHOICES.items():
        assert melody_tuning.value_of(settings, name) is not None
        changed = melody_tuning.with_value(settings, name, values[0])
        assert melody_tuning.value_of(changed, name) == values[0]


def planes_of(notes: list[tuple[int, int, int]]) -> np.ndarray:
    return pianoroll.to_planes(np.array(notes), 64)


def test_melodies_in_sixteenths_are_compared_with_their_like():
    real = [
        {"notes off the eighths": off, "notes a bar": off * 10 + more}
        for off in (0.0, 0.4)
        for more in (3.0, 5.0)
    ]
    swapped = [
        {**row, "notes a bar": 12 - row["notes a bar"]} for row in real
    ]  # the quick are sparse, the others busy
    assert (
        melody_measures.distance(swapped, real) == 0
        and melody_measures.distance_by_movement(real, real) == 0
    )
    assert melody_measures.distance_by_movement(swapped, real) > 0.5
    assert melody_measures.distance_by_movement(real[:2], real) == np.inf


def test_what_is_measured_of_a_melody():
    scale = planes_of(
        [
            (60 + semitones, 8 * at, 8 * at + 8)
            for at, semitones in enumerate([0, 2, 4, 5, 7, 7, 6, 19])
        ]
    )
    found = melody_measures.describe(melody_measures.PlannedMelody(scale, np.zeros(8, int)))
    assert (
        found["chord tones on strong beats"] == 5 / 8
        and found["in key"] == 7 / 8
        and found["empty bars"] == 0
    )
    assert found["mean interval, semitones"] == pytest.approx((2 + 2 + 1 + 2 + 0 + 1 + 13) / 7)
    assert found["leaps beyond a fifth"] == pytest.approx(1 / 7) and found["notes a bar"] == 2
    assert melody_measures.distance([found], [found, found]) == 0
    assert melody_measures.distance([found | {"in key": 0.5}], [found, found]) > 1


def test_a_copied_stretch_is_found_in_any_key():
    tune = [(60 + step % 5, step, step + 4) for step in range(0, 64, 4)]
    moved = [(pitch + 3, start, end) for pitch, start, end in tune]
    other = [(60 + step % 7, step, step + 4) for step in range(0, 64, 4)]
    assert melody_measures.stretches(planes_of(tune)) == melody_measures.stretches(planes_of(moved))
    assert not melody_measures.stretches(planes_of(tune)) & melody_measures.stretches(
        planes_of(other)
    )


@pytest.mark.skipif(not (FOLDER / "config.json").is_file(), reason="no weights")
def test_the_shipped_network_serves_every_genre_and_stays_in_key():
    assert (FOLDER / "model.safetensors").stat().st_size < 2e6
    assert all(
        value.dtype != torch.float32 for value in load_file(FOLDER / "model.safetensors").values()
    )
    for genre in hub.genres():
        model = Accompanist.from_pretrained(genre, device="cpu")
        assert melody_nn_of(model) is shipped_melody_nn()
        score = invent(model, 16, seed=5, key="C major")
        notes = score.tracks[0].notes
        assert (
            len(notes) > 20
            and np.mean([note.pitch % 12 in (0, 2, 4, 5, 7, 9, 11) for note in notes]) > 0.9
        )
        assert notes[-1].pitch % 12 == 0
        for seed in range(15, 21):  # some of these were silent at first
            assert invent(model, 4, seed).tracks[0].notes[0].onset < 2
