import pytest

from accomp import Accompanist
from accomp.music.key_signatures import signature_of
from accomp.music.keys import Key
from accomp.music.score import KeySignature
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
