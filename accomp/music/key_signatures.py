"""Key signatures of files, and what they say about the key of a melody."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from accomp.music import keys
from accomp.music.keys import Key
from accomp.music.score import KeySignature, Note, Score

LONGEST = 8.0  # beats for which a note counts at most


@dataclass(frozen=True)
class SignatureSettings:
    """How often the signature of a file is the melody's, before one has seen its notes.

    Measured on the lead sheets of five collections: 93 % of those with sharps or flats are right;
    C major, which programs write by default, in 25 %.
    """

    right: float = 0.93  # a signature with sharps or flats
    default_right: float = 0.25  # C major
    minor: float = 0.98  # a signature that says minor means it, and not its relative major


def key_of(
    score: Score, line: list[Note], settings: SignatureSettings = SignatureSettings()
) -> Key:
    """Return the likeliest key of a melody by its file's key signature and its notes.

    The signature counts that is in force for most of the melody. Whether the key is major or minor
    is said by the notes, as many programs write major without knowing; minor is believed.

    Args:
        score: With the key signatures.
        line: The melody's top line, at least one note.
        settings: How often signatures are right.
    """
    signature = _in_force(score, line)
    prior = np.zeros(24) if signature is None else _log_prior(signature, settings)
    return keys.likeliest_key(line, prior)


def _log_prior(signature: KeySignature, settings: SignatureSettings) -> np.ndarray:
    """Return the log probability of each key given a signature, [24]: tonic, plus 12 for minor."""
    says_something = signature.fifths or signature.is_minor
    right = settings.right if says_something else settings.default_right
    major, minor = 7 * signature.fifths % 12, (7 * signature.fifths + 9) % 12 + 12
    chances = np.full(24, (1 - right) / 22)
    share = settings.minor if signature.is_minor else 0.5
    chances[[major, minor]] = right * (1 - share), right * share
    return np.log(chances)


def _in_force(score: Score, line: list[Note]) -> KeySignature | None:
    """Return the signature under which most of the line sounds."""
    if not score.key_signatures:
        return None
    sounding: defaultdict[KeySignature, float] = defaultdict(float)
    ends = [signature.onset for signature in score.key_signatures[1:]] + [float("inf")]
    place = 0
    for note in sorted(line, key=lambda note: note.onset):
        while note.onset >= ends[place] - 1e-6:
            place += 1
        sounding[score.key_signatures[place]] += min(note.duration, LONGEST) + 1e-6
    return max(sounding, key=lambda signature: sounding[signature])


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
    known = [Key(signature.tonic, signature.is_minor) for signature in score.key_signatures]
    if key in known:
        return list(score.key_signatures)
    return [signature_of(key)]
