from pathlib import Path

import numpy as np
import pytest
import torch

from accomp import Accompanist, MusicError, Note, Score, Track, read_midi
from accomp.band.form import Form
from accomp.band.style import Style, StylePath
from accomp.band.style_library import (
    STYLES,
    STYLES_FILE,
    built_in,
    load_style,
    parse_styles,
    write_styles,
)
from accomp.roll.grid import BASS, DRUMS, GUITAR, MELODY, STRINGS
from tests.support.tiny import tiny
from train.data.style_patterns import pattern_song
from train.fit import styles

EXAMPLES = Path(__file__).parents[2] / "examples"


def song(bars=16, drums=True):
    """A melody, a bass on every beat, chords on the off-beats, and drums from the ninth bar on."""
    melody = [Note(60 + (i * 5) % 12, float(i), 1.0, 80) for i in range(4 * bars)]
    bass = [Note(36, float(i), 0.9, 80) for i in range(4 * bars)]
    guitar = [Note(p, i + 0.5, 0.4, 80) for i in range(4 * bars) for p in (48, 52, 55)]
    beats = [Note(36 if i % 2 else 42, i / 2, 0.1, 90) for i in range(64, 8 * bars)]
    tracks = [
        Track("melody", 0, False, melody),
        Track("bass", 33, False, bass),
        Track("guitar", 25, False, guitar),
    ]
    return Score(tracks + ([Track("drums", 0, True, beats)] if drums else []))


@pytest.fixture(scope="module")
def pop():
    return Accompanist.from_pretrained("pop")


@pytest.fixture(scope="module")
def tune():
    return read_midi(EXAMPLES / "ode_to_joy.mid")


def notes(score):
    return [track.notes for track in score.tracks]


def test_a_style_is_the_set_of_a_songs_different_latents(pop):
    found = Style.of(pop, song())
    assert set(found.unique) == {DRUMS, BASS, GUITAR} and found.blocks == 8
    assert len(found.unique[BASS]) < 8  # it plays the same in each block, but for the chords
    assert (found.latents(DRUMS)[:4, -1] == 0).all() and (found.latents(DRUMS)[4:, -1] == 1).all()
    for track, order in found.order.items():
        assert len(order) == 8 and torch.equal(
            found.latents(track), found.unique[track][torch.from_numpy(order)]
        )


def test_without_a_factor_nothing_changes_and_with_one_the_playing_moves(pop, tune):
    plain = notes(pop.accompany(tune, seed=3))
    assert notes(pop.accompany(tune, seed=3, styles="bossa_nova", style_factor=0.0)) == plain
    half, whole = (
        notes(pop.accompany(tune, seed=3, styles="bossa_nova", style_factor=f)) for f in (0.5, 1.0)
    )
    assert plain != half != whole and half == notes(
        pop.accompany(tune, seed=3, styles="bossa_nova", style_factor=0.5)
    )
    assert plain[MELODY] == half[MELODY] == whole[MELODY]


def test_at_one_the_patterns_are_the_style_songs(pop, tune):
    found = load_style("four_chord_rock", pop)
    sketch = pop.sketch(tune, styles=found, style_factor=1.0)
    own = pop.sketch(tune)
    for track in (DRUMS, BASS, GUITAR):
        for row in sketch.latents.rows[track]:
            if row[-1] > 0:
                assert torch.cdist(row[None, :-1], found.unique[track][:, :-1]).min() < 0.01
    assert not torch.equal(own.latents.rows[BASS], sketch.latents.rows[BASS])


def test_the_more_of_it_the_nearer_to_it(pop, tune):
    target = load_style("disco", pop)
    distance = []
    for factor in (0.0, 0.25, 0.5, 0.75, 1.0):
        rows = pop.sketch(tune, seed=1, styles=target, style_factor=factor).latents.rows[DRUMS]
        rows = rows[rows[:, -1] > 0, :-1]
        distance.append(float(torch.cdist(rows, target.unique[DRUMS][:, :-1]).min(1).values.mean()))
    assert distance == sorted(distance, reverse=True) and distance[-1] < 0.01


def test_halfway_there_are_as_many_notes_as_between(pop, tune):
    """A latent in between is unsure of every note: thresholds alone would lose a third of them."""
    path = {"styles": "funk", "seed": 2}
    counts = [
        len(pop.accompany(tune, **path, style_factor=f).tracks[DRUMS].notes)
        for f in (0.0, 0.5, 1.0)
    ]
    assert min(counts[0], counts[2]) * 0.9 < counts[1] < max(counts[0], counts[2]) * 1.1


def test_hybrids_take_from_both_songs_by_weight(pop):
    form = Form.bare(64)
    form.opens[::2] = True
    first, second = load_style("disco", pop), load_style("oom_pah", pop)

    def share(weight):
        path = StylePath.through(
            [(first, weight), (second, 1.0)], 1.0, form, np.random.default_rng([0, 3])
        )
        own = (
            torch.cdist(path.latents[DRUMS][:, :-1], first.unique[DRUMS][:, :-1]).min(1).values
            < 0.01
        )
        return own.float().mean()

    assert share(0.0) == 0 and share(9.0) > 0.7 and 0.2 < share(1.0) < 0.8


def test_what_returns_keeps_its_style(pop):
    form = Form.bare(12)
    form.opens[[4, 8]] = True
    form.source[8:] = np.arange(4)
    path = StylePath.through(
        [(load_style("samba", pop), 1.0)], 0.5, form, np.random.default_rng([5, 3])
    )
    for track in path.latents:
        assert torch.equal(path.latents[track][8:], path.latents[track][:4])


def test_instruments_that_the_song_lacks_are_left_alone(pop, tune):
    found = Style.of(pop, song(drums=False))
    assert DRUMS not in found.unique and STRINGS not in found.unique
    styled = pop.sketch(tune, seed=4, styles=found, style_factor=1.0)
    assert torch.equal(
        styled.latents.rows[DRUMS], pop.sketch(tune, seed=4).latents.rows[DRUMS]
    )  # drums hear no other instrument


def test_the_built_in_styles_state_their_licences_and_all_play(pop, tune):
    assert len(built_in()) >= 20 and {about["genre"] for about in built_in().values()} >= {
        "jazz",
        "pop",
        "latin",
        "folk",
    }
    for name, about in built_in().items():
        assert about["licence"].startswith(("MIT", "BSD")) and about["source"]
        assert set(load_style(name, pop).unique) >= {DRUMS}
    assert (STYLES / STYLES_FILE).stat().st_size < 300_000


def test_any_song_can_be_a_style_and_styles_are_written_and_read(tmp_path, pop, tune):
    mine = Style.of(pop, pop.accompany(tune, seed=9), "mine")
    write_styles(
        tmp_path, [mine], {"mine": {"genre": "pop", "licence": "MIT", "source": "me"}}, pop
    )
    again = load_style("mine", pop, tmp_path)
    assert set(again.unique) == set(mine.unique)
    assert all(torch.allclose(again.latents(t), mine.latents(t), atol=2e-3) for t in mine.unique)
    with pytest.raises(MusicError, match="not for the VAEs"):
        load_style("mine", tiny(), tmp_path)


def test_patterns_become_songs():
    lines = {"kick": "x" + "." * 15, "bass": "1---5---8---l---", "guitar": "x-" + "." * 14}
    made = pattern_song(
        {"tempo": 120, "chords": ["C", "Am"], "a": lines, "b": {"strings": "3" + "-" * 15}}
    )
    bass = next(track for track in made.tracks if track.name == "bass").notes
    assert [note.pitch - 36 for note in bass[:8]] == [0, 7, 12, -5, -3, 4, 9, -8] and bass[
        0
    ].duration == 1.0
    guitar = next(track for track in made.tracks if track.name == "guitar").notes
    assert [note.pitch % 12 for note in guitar[:3]] == [0, 4, 7] and [
        note.pitch % 12 for note in guitar[3:6]
    ] == [9, 0, 4]
    strings = next(track for track in made.tracks if track.name == "strings").notes
    assert strings[0].onset == 32.0
    with pytest.raises(SystemExit, match="no sign"):
        pattern_song({"tempo": 120, "chords": ["C"], "a": {"bass": "?" + "." * 15}, "b": {}})
    with pytest.raises(SystemExit, match="sixteenths"):
        pattern_song({"tempo": 120, "chords": ["C"], "a": {"bass": "1..."}, "b": {}})


@pytest.mark.train
def test_only_songs_that_may_be_passed_on_become_styles(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "file,genre,split,licence,source\na.mid,pop,train,none stated,web\nb.mid,pop,test,MIT,web\n"
    )
    for choice, message in (
        ("x=a.mid", "none stated"),
        ("x=b.mid", "test songs"),
        ("x=c.mid", "not among"),
    ):
        with pytest.raises(SystemExit, match=message):
            styles.main(["--songs", str(tmp_path), "--choose", choice, "--out", str(tmp_path)])
    (tmp_path / "short.csv").write_text("file,genre\na.mid,pop\n")
    short = ["--labels", str(tmp_path / "short.csv")]
    songs = ["--songs", str(tmp_path)]
    asked = (
        ([*songs, *short], "needed: file, genre, licence"),
        (short, "needs --songs"),
        ([], "needs --songs"),
    )
    for arguments, message in asked:
        with pytest.raises(SystemExit, match=message):
            styles.main([*arguments, "--choose", "x=a.mid", "--out", str(tmp_path)])


def test_bad_styles_are_refused(pop, tune):
    with pytest.raises(MusicError, match="'polka' is unknown; available: bossa_nova"):
        pop.accompany(tune, styles="polka")
    with pytest.raises(MusicError, match="1.5; accepted: 0"):
        pop.accompany(tune, styles="disco", style_factor=1.5)
    with pytest.raises(MusicError, match="weights"):
        pop.accompany(tune, styles=[("disco", 0.0)])
    with pytest.raises(MusicError, match="only one part"):
        Style.of(pop, Score([Track("melody", notes=[Note(60, 0, 1, 80)])]))
    with pytest.raises(MusicError, match="only one part"):
        pop.accompany(tune, styles=EXAMPLES / "greensleeves.mid")


def test_styles_are_parsed_with_weights():
    assert parse_styles("disco 2 + samba") == [("disco", 2.0), ("samba", 1.0)]
    assert parse_styles("my+song.mid .5 + funk") == [(Path("my+song.mid"), 0.5), ("funk", 1.0)]


def test_a_style_of_other_vaes_is_refused(pop, tune):
    with pytest.raises(MusicError, match="other VAEs"):
        tiny().accompany(tune, styles=Style.of(pop, song()))


def test_lists_that_are_no_pairs_are_refused(pop, tune):
    for asked in (["bossa_nova", "samba"], ("bossa_nova", 2)):
        with pytest.raises(MusicError, match="accepted: such as"):
            pop.accompany(tune, styles=asked)
    with pytest.raises(MusicError, match="9; accepted: 0"):
        pop.accompany(tune, style_factor=9)
