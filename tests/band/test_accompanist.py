import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from accomp import Accompanist, Note, Score, Tempo, TimeSignature, Track, invent
from accomp.band.options import Redo
from accomp.errors import ModelError, MusicError
from accomp.models.files import digest
from accomp.models.genre_files import MODELS, weight_files
from accomp.models.hub import genres
from accomp.music import keys
from accomp.music.chord_symbols import parse_symbol
from accomp.music.chord_text import chord_text
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS, TRACK_NAMES, Grid
from tests.support.tiny import tiny
from train import metrics

PITCHES = (
    67,
    67,
    69,
    71,
    72,
    71,
    69,
    67,
    64,
    62,
    64,
    67,
    67,
    65,
    64,
    62,
    60,
    64,
    67,
    72,
    71,
    74,
    72,
)


def melody(by=0, start=0.0, meter=(4, 4), bpm=(500_000,), lengths=(1.0, 0.5, 0.5, 1.5, 0.25, 0.25)):
    notes, at = [], start
    for i in range(46):
        length = lengths[i % len(lengths)]
        notes.append(Note(PITCHES[i % len(PITCHES)] + by, at, length, 60 + i))
        at += length
    tempos = [Tempo(8.0 * i, microseconds) for i, microseconds in enumerate(bpm)]
    return Score([Track("upper part", notes=notes)], tempos, [TimeSignature(0.0, *meter)])


@pytest.fixture(scope="module")
def model():
    return tiny()


@pytest.fixture(scope="module", params=["pop", "jazz"])
def shipped(request):
    return Accompanist.from_pretrained(request.param)


def band(song):
    return [track.notes for i, track in enumerate(song.tracks) if i != MELODY]


def test_five_tracks_and_the_melody_is_sacred(model):
    score = melody(start=0.3, bpm=(500_000, 431_234))
    song = model.accompany(score)
    assert [t.name for t in song.tracks] == list(TRACK_NAMES) and song.tracks[DRUMS].is_drum
    assert song.tracks[MELODY].notes == score.tracks[0].notes
    assert (
        song.tempos == score.tempos
        and song.meters == score.meters
        and song.resolution == score.resolution
    )
    assert all(band(song))


def test_polyphonic_melodies_come_back_whole(model):
    score = melody()
    score.tracks[0].notes = sorted(
        score.tracks[0].notes + [n._replace(pitch=n.pitch - 16) for n in score.tracks[0].notes[::3]]
    )
    assert model.accompany(score).tracks[MELODY].notes == score.tracks[0].notes


@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (6, 8), (5, 4), (2, 4), (7, 8)])
@pytest.mark.parametrize("start", [0.0, 3.0, 17.5])
def test_the_band_plays_from_the_first_bar_to_the_end(shipped, meter, start):
    score = melody(start=start, meter=meter)
    song = shipped.accompany(score)
    end = score.end
    bar = meter[0] * 4 / meter[1]
    first_bar = start // bar * bar
    notes = [note for notes in band(song) for note in notes]
    assert min(n.onset for n in notes) >= first_bar - 1e-9
    assert min(n.onset for n in notes) < first_bar + 2 * bar
    assert max(n.end for n in notes) == pytest.approx(end)
    assert all(n.duration > 0 and 0 <= n.pitch <= 127 and 1 <= n.velocity <= 127 for n in notes)
    assert song.end == pytest.approx(end)


@pytest.mark.parametrize("more", [-0.11, 0.09, 0.12, 0.2])
def test_the_band_ends_with_a_melody_that_ends_off_the_grid(shipped, more):
    score = melody()
    last = score.tracks[0].notes[-1]
    score.tracks[0].notes.append(Note(60, last.end, 2.0 + more, 80))
    assert max(
        note.end for notes in band(shipped.accompany(score)) for note in notes
    ) == pytest.approx(score.end)


@pytest.mark.parametrize("by", [-7, -5, -2, 1, 4, 6])
def test_a_transposed_melody_gets_the_transposed_band(shipped, by):
    one, other = shipped.accompany(melody(), seed=5), shipped.accompany(melody(by), seed=5)
    for track, (a, b) in enumerate(zip(one.tracks, other.tracks)):
        if track == DRUMS:
            assert a.notes == b.notes
            continue
        assert {(n.onset, (n.pitch + by) % 12) for n in a.notes} == {
            (n.onset, n.pitch % 12) for n in b.notes
        }
        moved = {n._replace(pitch=n.pitch + by) for n in a.notes}
        if track == MELODY:
            assert moved == set(b.notes)
        elif abs(by) <= 2:
            # Phrases and tracks move by octaves into their range; further on, single notes may.
            same, found = (
                {(n.pitch % 12, n.onset, n.duration) for n in notes} for notes in (moved, b.notes)
            )
            assert len(same & found) >= 0.85 * len(same)
    assert [(c.onset, parse_symbol(c.symbol).transposed(by)) for c in one.chords] == [
        (c.onset, parse_symbol(c.symbol)) for c in other.chords
    ]


def test_twice_the_tempo_changes_the_tempo_alone(model):
    slow, fast = (
        model.accompany(melody(bpm=(600_000,)), seed=3),
        model.accompany(melody(bpm=(300_000,)), seed=3),
    )
    assert [t.notes for t in slow.tracks] == [
        t.notes for t in fast.tracks
    ] and slow.chords == fast.chords
    assert slow.tempos != fast.tempos


def test_a_seed_is_a_band_and_another_another(shipped):
    songs = [shipped.accompany(melody(), seed=seed) for seed in (4, 4, 5)]
    assert band(songs[0]) == band(songs[1])
    assert [[n[:3] for n in notes] for notes in band(songs[0])] != [
        [n[:3] for n in notes] for notes in band(songs[2])
    ]


def test_variation_changes_the_playing(shipped):
    plain, varied = (
        shipped.accompany(melody(), seed=1),
        shipped.accompany(melody(), seed=1, variation=0.7),
    )
    assert band(plain) != band(varied) and plain.chords == varied.chords


def test_silence_after_the_melody_changes_no_note(model):
    score = melody()
    longer = melody()
    longer.meters.append(TimeSignature(400.0, 4, 4))
    longer.tempos.append(Tempo(600.0, 400_000))
    assert [t.notes for t in model.accompany(score).tracks] == [
        t.notes for t in model.accompany(longer).tracks
    ]


def test_the_ending_is_one_chord_held_together(shipped):
    score = melody()
    last = score.tracks[0].notes[-1]
    score.tracks[0].notes.append(Note(60, last.end, 3.0, 80))
    song = shipped.accompany(score, seed=2)
    for track, notes in zip(song.tracks, [t.notes for t in song.tracks]):
        if (
            track.name in ("guitar", "bass", "strings")
            and notes
            and notes[-1].onset >= last.end - 8
        ):
            final = [n for n in notes if n.onset >= last.end - 1e-9]
            assert final and all(n.end == pytest.approx(song.end) for n in final)
    bare = shipped.accompany(score, seed=2, form=False)
    assert band(bare) != band(song)


@pytest.mark.parametrize(
    "notes",
    [
        [Note(60, 0.0, 1.0, 80)],
        [Note(60, 0.0, 0.0, 80)],
        [Note(127, 2.0, 0.1, 1), Note(0, 3.0, 0.1, 127)],
    ],
)
def test_a_few_notes_are_enough(model, notes):
    song = model.accompany(Score([Track(notes=notes)]))
    assert song.tracks[MELODY].notes == notes


def test_the_choice_of_melody_is_reported_and_overridden(model):
    score = melody()
    score.tracks.append(
        Track("Vocals", 52, notes=[n._replace(pitch=n.pitch + 5) for n in score.tracks[0].notes])
    )
    chosen = model.accompany(score)
    assert chosen.tracks[MELODY].notes == score.tracks[1].notes
    assert "track 1" in chosen.notices[0] and "Vocals" in chosen.notices[0]
    asked = model.accompany(score, melody_track=0)
    assert asked.tracks[MELODY].notes == score.tracks[0].notes and "as asked" in asked.notices[0]


def test_bad_arguments_name_what_is_accepted(model):
    drums = Score([Track("kit", is_drum=True, notes=[Note(36, 0.0, 1.0, 80)]), *melody().tracks])
    for arguments, message in (
        ({"melody_track": 7}, "does not exist; accepted: 0 to 1"),
        ({"melody_track": 0}, "drum track"),
        ({"seed": -1}, "accepted: 0 to"),
        ({"variation": 9}, "accepted: 0 to 4"),
    ):
        with pytest.raises(MusicError, match=message):
            model.accompany(drums, **arguments)


def test_the_chords_can_be_given_edited_and_printed(shipped):
    planned = shipped.accompany(melody(), seed=3)
    again = shipped.accompany(melody(), seed=3, chords=planned.chords)
    assert [t.notes for t in again.tracks] == [
        t.notes for t in planned.tracks
    ] and again.chords == planned.chords
    text = chord_text(planned, planned.tracks[MELODY])
    assert shipped.accompany(melody(), seed=3, chords=text).chords == planned.chords
    given = shipped.accompany(melody(), seed=3, chords="| Ebm  Ab7 | Db/F  Gbmaj7 |")
    assert [c.symbol for c in given.chords[:5]] == ["Ebm", "Ab7", "Db/F", "F#maj7", "Ebm"]
    assert [c.onset for c in given.chords[:5]] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert "repeated" in given.notices[-1]


def test_the_band_plays_the_chords_it_is_given(shipped):
    song = shipped.accompany(melody(), seed=1, chords="| F#m | B |")
    grid = Grid.of(song, 0.0, song.end)
    rolls = [
        pianoroll.to_planes(pianoroll.on_grid(track.notes, grid), grid.steps)
        for track in song.tracks[2:]
    ]
    heard = metrics.best_triads(sum(chord_plan.chroma(roll) for roll in rolls))[:16]
    assert (heard == [18, 18, 11, 11] * 4).mean() >= 0.9


def test_only_those_play_who_were_asked(shipped):
    tune = melody()
    everyone, duo = (
        shipped.accompany(tune, seed=1),
        shipped.accompany(tune, seed=1, instruments=["bass", "strings"]),
    )
    assert [bool(track.notes) for track in duo.tracks] == [False, True, False, True, True]
    assert (
        shipped.accompany(tune, seed=1, instruments=["strings", "bass", "drums", "guitar"])
        == everyone
    )
    assert not band(shipped.accompany(tune, instruments=[]))[0] and len(duo.tracks) == 5
    again = shipped.accompany(
        tune, seed=2, instruments=["bass", "guitar"], redo=Redo(duo, ["bass"])
    )
    assert (
        again.tracks[BASS].notes == duo.tracks[BASS].notes
        and again.tracks[GUITAR].notes
        and not again.tracks[STRINGS].notes
    )
    with pytest.raises(
        MusicError, match="no instrument 'tuba'; accepted: drums, bass, guitar, strings"
    ):
        shipped.accompany(tune, instruments=["tuba"])


def test_the_key_can_be_given(shipped):
    ode = melody()
    major = keys.estimate_key(ode.tracks[0].notes)
    parallel = keys.Key(major.tonic, True)
    planned = shipped.accompany(ode)
    assert (
        shipped.accompany(ode, key=str(major)).chords == planned.chords
        and shipped.accompany(ode, key=major) == planned
    )
    minor = shipped.accompany(ode, key=parallel)
    assert (
        minor.chords != planned.chords
        and minor.tracks[MELODY].notes == planned.tracks[MELODY].notes
    )
    with pytest.raises(MusicError, match="is not a key"):
        shipped.accompany(ode, key="H")


def test_chords_that_make_no_sense_are_refused(model):
    for text, message in (
        ("| H7 |", "bar 1 of the chords: chord 'H7' is not known"),
        ("", "no chords were found"),
    ):
        with pytest.raises(MusicError, match=message):
            model.accompany(melody(), chords=text)


def test_without_feel_everything_is_on_the_grid(shipped):
    played, plain = (
        shipped.accompany(melody(), seed=3),
        shipped.accompany(melody(), seed=3, feel=False),
    )
    assert all(abs(n.onset * 4 - round(n.onset * 4)) < 1e-9 for notes in band(plain) for n in notes)
    assert any(
        abs(n.onset * 4 - round(n.onset * 4)) > 1e-3 for notes in band(played) for n in notes
    )
    assert [len(t.notes) for t in played.tracks] == [len(t.notes) for t in plain.tracks]
    assert np.std([n.velocity for n in band(played)[0]]) > np.std(
        [n.velocity for n in band(plain)[0]]
    )


def test_no_instrument_rests_for_long(shipped):
    random = np.random.default_rng(4)
    notes = [
        Note(int(p), float(i), 1.0, 80)
        for i, p in enumerate(60 + np.cumsum(random.integers(-2, 3, 256)) % 17)
    ]
    song = shipped.accompany(Score([Track(notes=notes)]), seed=3)
    for notes in band(song):
        onsets = np.array([0.0, *(note.onset for note in notes), 256.0])
        # A section, and the half bar before it, in which the last note is held.
        assert np.diff(onsets).max() <= 8 * 16 + 2


def test_the_form_says_who_rests_and_all_others_play(shipped):
    score = melody()
    line = score.tracks[0].notes
    score.tracks[0].notes = [n._replace(onset=n.onset + 40 * i) for i in range(4) for n in line]
    rested = set()
    for seed in range(4):
        sketch = shipped.sketch(score, seed=seed)
        for track, rows in sketch.latents.rows.items():
            rests = sketch.form.rests.get(track, np.zeros(len(rows), bool))
            assert (rows[:, -1].numpy() > 0).tolist() == (~rests).tolist()
            rested |= {track} if rests.any() else set()
    assert rested


def test_the_published_method_runs_too():
    song = tiny(paper=True).accompany(melody(), seed=1)
    assert song.chords == [] and song.tracks[MELODY].notes == melody().tracks[0].notes
    with pytest.raises(MusicError, match="know no chords"):
        tiny(paper=True).accompany(melody(), chords="C")


def test_saving_and_loading_give_the_same_music(tmp_path, model):
    model.save_pretrained(tmp_path)
    loaded = Accompanist.from_pretrained(tmp_path)
    again = tmp_path / "again"
    again.mkdir()
    loaded.save_pretrained(again)
    assert (again / "model.safetensors").read_bytes() == (
        tmp_path / "model.safetensors"
    ).read_bytes()
    twice = Accompanist.from_pretrained(str(again))
    assert [t.notes for t in loaded.accompany(melody()).tracks] == [
        t.notes for t in twice.accompany(melody()).tracks
    ]


def test_broken_models_are_refused_by_name(tmp_path, model):
    model.save_pretrained(tmp_path)
    config, weights = tmp_path / "config.json", tmp_path / "model.safetensors"
    whole, values = weights.read_bytes(), json.loads(config.read_text())

    def refused(message):
        with pytest.raises(ModelError, match=message):
            Accompanist.from_pretrained(tmp_path)

    config.write_text(json.dumps({**values, "version": 99}))
    refused("version '99'")
    config.write_text(json.dumps({**values, "colour": "blue"}))
    refused("colour")
    config.write_text(json.dumps({**values, "temperature": 1.0, "planner": None}))
    refused("planner")  # weights that the config knows nothing of
    config.write_text(json.dumps({**values, "vaes": {"drums": values["vaes"]["drums"]}}))
    refused("does not make a model")
    config.write_text("[1, 2")
    refused("config.json: ")

    def save(tensors):
        save_file(tensors, weights)
        config.write_text(json.dumps({**values, "weights_sha256": digest(weights)}))

    tensors = load_file(weights)
    save({name: value for name, value in tensors.items() if name != "colours"})
    refused("colours is missing")
    save({**tensors, "flavours": torch.zeros(1)})
    refused("flavours is unknown")
    save({**tensors, "colours": torch.zeros(24, 4)})
    refused(r"colours is \[24, 4\] instead of \[24, 3\]")
    config.write_text(json.dumps(values))
    refused("model.safetensors is not the file that config.json was written with")
    weights.write_bytes(whole[: len(whole) // 2])
    refused("is not the file")
    config.write_text(json.dumps({**values, "weights_sha256": digest(weights)}))
    refused("not in the safetensors format")
    weights.unlink()
    refused("model.safetensors is missing")


def test_unknown_genres_name_the_choices():
    with pytest.raises(ModelError, match="'nogenre' is unknown; available: .*jazz"):
        Accompanist.from_pretrained("nogenre")


def test_the_shipped_models_are_small_and_five_at_least():
    assert {"jazz", "pop", "rock", "folk", "latin"} <= set(genres())
    for genre in genres():
        assert all(path.stat().st_size <= 10_000_000 for path in weight_files(MODELS / genre))
        training = json.loads((MODELS / genre / "training.json").read_text())
        assert {"seed", "settings", "losses"} <= training.keys()
        assert all(
            {"val", "test"} <= losses.keys()
            for losses in training["losses"].values()
            if "val" in losses
        )
        assert np.isfinite(training["losses"]["drums"]["test"]["loss"])


@pytest.mark.parametrize("meter, start", [((4, 4), 3.0), ((6, 8), 2.0), ((3, 4), 2.0)])
def test_what_is_printed_gives_the_same_chords_with_a_pickup_too(shipped, meter, start):
    score = melody(start=start, meter=meter)
    planned = shipped.accompany(score, seed=2)
    again = shipped.accompany(score, seed=2, chords=chord_text(planned, planned.tracks[MELODY]))
    assert again.chords == planned.chords and [t.notes for t in again.tracks] == [
        t.notes for t in planned.tracks
    ]


def test_the_shape_of_a_long_song_comes_from_the_song_latent(shipped, monkeypatch):
    score = melody()
    line = score.tracks[0].notes
    score.tracks[0].notes = [
        n._replace(onset=n.onset + 40 * i, pitch=n.pitch + i % 3) for i in range(5) for n in line
    ]
    with_it = shipped.accompany(score, seed=2)
    monkeypatch.setattr(shipped.config, "song", False)
    without = shipped.accompany(score, seed=2)
    assert with_it.chords == without.chords and with_it.tracks[MELODY] == without.tracks[MELODY]
    assert [[n.velocity for n in notes] for notes in band(with_it)] != [
        [n.velocity for n in notes] for notes in band(without)
    ]


def test_the_midi_carries_the_balance(shipped):
    song = shipped.accompany(melody())
    for track in song.tracks:
        assert {7, 10, 91, 93} <= {
            control.number for control in track.controls if control.onset == 0
        }


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("intro", ["none", "count-in", "bars"])
def test_the_melodys_own_chords_come_with_it(shipped, intro, as_list):
    made = invent(shipped, 8, seed=1)
    chords = list(made.chords) if as_list else "melody"
    song = shipped.accompany(made, chords=chords, intro=intro)
    later = song.tracks[MELODY].notes[0].onset - made.tracks[0].notes[0].onset
    played = {(chord.onset, chord.symbol) for chord in song.chords}
    assert {(chord.onset + later, chord.symbol) for chord in made.chords[1:]} <= played
