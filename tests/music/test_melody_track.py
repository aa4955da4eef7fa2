from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accomp.errors import MusicError
from accomp.music.melody_track import choose_melody, melody_index, melody_name, skyline
from accomp.music.score import Note, Score, Tempo, Track
from tests.support.scores import bass, chords, drums, melody, song


def test_the_line_is_the_melody_in_any_key_at_any_tempo_in_any_place():
    for shift in (-24, -5, 0, 7, 24):
        score = song(shift=shift)
        assert choose_melody(score) == 3
        assert choose_melody(replace(score, tempos=[Tempo(0.0, 1_500_000)])) == 3
        assert choose_melody(replace(score, tracks=score.tracks[::-1])) == 0


@pytest.mark.parametrize("name", ["Melody", "MELODIE", "Vocals", "lead vocal", "Voice", "melodia"])
def test_a_name_outweighs_the_notes(name):
    assert choose_melody(song(("Drums", "Bass", name, "Flute"))) == 2


@pytest.mark.parametrize("name", ["Backing Vocals", "Harmony vocals", "Voice Oohs", "Choir"])
def test_a_name_of_another_part_does_not(name):
    assert choose_melody(song(("Vocal drums", "Bass", name, ""))) == 3


def test_a_single_pitched_track_is_the_melody_be_it_a_bass():
    assert (
        choose_melody(
            Score(
                [Track("Melody", 0, True, drums()), Track("", 0), Track("Bass", 33, False, bass())]
            )
        )
        == 2
    )


def test_of_equals_the_first():
    assert (
        choose_melody(Score([Track(notes=chords()), Track(notes=melody()), Track(notes=melody())]))
        == 1
    )


def test_without_pitched_notes_there_is_none():
    for tracks in ([], [Track("Melody", 0, True, drums())], [Track("Melody")]):
        with pytest.raises(MusicError, match=f"none of .*{len(tracks)} tracks has pitched notes"):
            choose_melody(Score(tracks))


def test_a_track_in_words():
    score = song(("", "", "", "Vocals"))
    assert melody_name(score, 3) == 'track 3 "Vocals" (Flute, 21 notes)'
    assert melody_name(score, 1) == "track 1 (Electric Bass (finger), 26 notes)"


def test_a_single_line_is_its_own_skyline():
    assert skyline(melody()[::-1]) == melody()


def test_the_melody_above_chords_is_the_skyline():
    assert [note for note in skyline(melody() + chords(-12)) if note.pitch > 60] == melody()


def test_skyline_cuts_and_leaves_out():
    high, low = Note(72, 0.0, 2.0, 90), Note(60, 1.0, 3.0, 80)
    assert skyline([low, high]) == [high]  # a lower note below a sounding one
    assert skyline([low, Note(67, 2.5, 1.0, 70)]) == [
        Note(60, 1.0, 1.5, 80),
        Note(67, 2.5, 1.0, 70),
    ]  # a higher one cuts
    late = Note(60, 1.875, 1.0, 80)
    assert skyline([high, late]) == [Note(72, 0.0, 1.875, 90), late]  # slurred into a lower one
    assert skyline([Note(60, 0.0, 1.0, 5), high, Note(66, 0.0, 4.0, 6)]) == [high]
    assert skyline([]) == []


notes = st.builds(
    Note,
    st.integers(40, 90),
    st.integers(0, 64).map(lambda n: n / 8),
    st.integers(0, 24).map(lambda n: n / 8),
    st.integers(1, 127),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(notes, max_size=25))
def test_skyline_is_one_voice_of_the_notes(notes):
    line = skyline(notes)
    assert (
        line == skyline(notes[::-1])
        or len(set(notes)) < len(notes)
        or len({n[:3] for n in notes}) < len(notes)
    )
    assert all(a.onset < b.onset and a.end <= b.onset + 1e-6 for a, b in zip(line, line[1:]))
    struck = {
        (n.pitch, n.onset, n.velocity): n.duration for n in sorted(notes, key=lambda n: n.duration)
    }
    assert all(note.duration <= struck[note.pitch, note.onset, note.velocity] for note in line)
    assert skyline(line) == line
    assert [n._replace(pitch=n.pitch + 12) for n in line] == skyline(
        [n._replace(pitch=n.pitch + 12) for n in notes]
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(notes, max_size=12), min_size=1, max_size=4),
    st.sampled_from([-24, -12, 12, 24]),
)
def test_the_choice_ignores_transposition(parts, shift):
    if not any(parts):
        return
    score = Score([Track(notes=part) for part in parts])
    moved = Score(
        [Track(notes=[n._replace(pitch=n.pitch + shift) for n in part]) for part in parts]
    )
    chosen = choose_melody(score)
    assert parts[chosen] and chosen == choose_melody(moved)


def test_a_wanted_melody_track_is_checked():
    notes = [Note(60, 0.0, 1.0, 80)]
    score = Score([Track("drums", is_drum=True, notes=notes), Track(), Track(notes=notes)])
    assert melody_index(score) == melody_index(score, 2) == 2
    for wanted, found in ((3, "does not exist; accepted: 0 to 2"), (-1, "does not exist")):
        with pytest.raises(MusicError, match=f"melody track {wanted} {found}"):
            melody_index(score, wanted)
    with pytest.raises(MusicError, match="melody track 0 is a drum track"):
        melody_index(score, 0)
    with pytest.raises(MusicError, match="melody track 1 has no notes"):
        melody_index(score, 1)
