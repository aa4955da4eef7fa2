import pytest

from accomp import Accompanist
from accomp.music.key_signatures import key_of, signature_of
from accomp.music.keys import Key
from accomp.music.score import KeySignature, Note, Score
from tests.support.scores import tune


@pytest.mark.parametrize("is_minor", [False, True])
def test_every_key_has_a_signature_of_its_own(is_minor):
    signatures = [signature_of(Key(tonic, is_minor), 3.0) for tonic in range(12)]
    assert [signature.tonic for signature in signatures] == list(range(12))
    assert sorted(signature.fifths for signature in signatures) == list(range(-5, 7))
    assert {(s.onset, s.is_minor) for s in signatures} == {(3.0, is_minor)}


@pytest.mark.usefixtures("loaded_once")
def test_a_song_says_the_key_that_it_is_played_in():
    melody, model = tune(bars=4), Accompanist.from_pretrained("pop")
    assert model.accompany(melody, key="E minor").key_signatures == [KeySignature(0.0, 1, True)]
    melody.key_signatures = [KeySignature(0.0, -6, False), KeySignature(8.0, 1, False)]
    assert model.accompany(melody, key="F#").key_signatures == melody.key_signatures
    assert model.accompany(melody, key="C").key_signatures == [KeySignature(0.0, 0, False)]


def scale(tonic: int, steps=(0, 2, 4, 7, 9, 7, 4, 2, 0)) -> list[Note]:
    return [Note(60 + tonic + step, float(place), 1.0, 80) for place, step in enumerate(steps)]


def test_the_signature_decides_where_notes_fit_it_as_well():
    line = scale(0, (9, 2, 0, 7, 4, 4, 2, 7))  # C major by the notes alone, without F and B
    assert key_of(Score(), line) == Key(0, False)
    assert key_of(Score(key_signatures=[KeySignature(0.0, 0, False)]), line) == Key(0, False)
    assert key_of(Score(key_signatures=[KeySignature(0.0, 1, False)]), line) == Key(7, False)


def test_notes_decide_against_c_major_and_what_is_far_off():
    line = scale(4)
    for fifths in (0, -3):
        signed = Score(key_signatures=[KeySignature(0.0, fifths, False)])
        assert key_of(signed, line) == key_of(Score(), line) == Key(4, False)


def test_notes_say_whether_it_is_minor_and_minor_is_believed():
    minor = scale(9, (0, 2, 3, 5, 7, 8, 11, 12, 0, 0))
    assert key_of(Score(key_signatures=[KeySignature(0.0, 0, False)]), minor) == Key(9, True)
    major = scale(0)
    assert key_of(Score(key_signatures=[KeySignature(0.0, 0, True)]), major) == Key(9, True)


def test_the_signature_counts_that_is_in_force_for_most_of_the_melody():
    signatures = [KeySignature(0.0, 1, False), KeySignature(2.0, 3, False)]
    line = scale(9, (0, 2, 4, 0, 7, 4, 2, 0))
    assert key_of(Score(key_signatures=signatures), line) == Key(9, False)
