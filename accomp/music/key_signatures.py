"""Key signatures of files, and what they say about the key of a melody."""

from accomp.music.keys import Key
from accomp.music.score import KeySignature, Score


def signature_of(key: Key, onset: float = 0.0) -> KeySignature:
    """Return the signature of a key with the fewest sharps or flats, at most six.

    Args:
        key: The key.
        onset: Beats from which it holds.
    """
    major = key.tonic + (3 if key.is_minor else 0)
    return KeySignature(onset, (7 * major + 5) % 12 - 5, key.is_minor)


def key_signatures_of(score: Score, key: Key) -> list[KeySignature]:
    """Return the signatures of a song in `key`: those of its melody's file if they say the same.

    A file without any, or one that contradicts the key that is played in, gets the key's own.
    """
    first = score.key_signatures[0] if score.key_signatures else None
    if first and Key(first.tonic, first.is_minor) == key:
        return list(score.key_signatures)
    return [signature_of(key)]
