"""Key signatures of files, and what they say about the key of a melody."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from accomp.music import keys
from accomp.music.keys import Key
from accomp.music.score import KeySignature, Note, Score

_SCALE = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11))  # of C major and A minor
_LONGEST = 8.0  # beats for which a note counts at most


@dataclass(frozen=True)
class SignatureSettings:
    """How far notes may speak against a key signature that is believed all the same.

    Chosen on the lead sheets of five collections with the signature that they have, or C major as
    programs write it by default: keys (without their mode) that are right, in percent.

    | | estimate | weighed | always the signature |
    |---|---|---|---|
    | sharps or flats: 93 % of such signatures are right | 70.2 | 95.2 | 93.0 |
    | C major: 25 % are right | 70.2 | 74.2 | 25.0 |
    """

    # A signature with sharps or flats: what the estimated key fits better (difference of
    # correlations), and what share more of the sound is in its scale.
    fit: float = 0.5
    outside: float = 0.2
    # C major, which may mean nothing.
    default_fit: float = 0.3
    default_outside: float = 0.0


def key_of(
    score: Score, line: list[Note], settings: SignatureSettings = SignatureSettings()
) -> Key:
    """Return the key of a melody by its file's key signature and its notes.

    The signature counts that is in force for most of the melody. Whether the key is major or minor
    is said by the notes, as many programs write major without knowing; minor is believed.

    Args:
        score: With the key signatures.
        line: The melody's top line, at least one note.
        settings: How far notes may speak against the signature.
    """
    estimate = keys.estimate_key(line)
    signature = _in_force(score, line)
    if signature is None:
        return estimate
    minor = Key((7 * signature.fifths + 9) % 12, True)
    major = Key(7 * signature.fifths % 12, False)
    own = (minor,) if signature.is_minor else (major, minor)
    if estimate in own:
        return estimate
    sounds = _sounds(line)
    best = max(own, key=lambda key: _fit(sounds, key))
    says_something = signature.fifths or signature.is_minor
    most_fit = settings.fit if says_something else settings.default_fit
    most_outside = settings.outside if says_something else settings.default_outside
    better = _fit(sounds, estimate) - _fit(sounds, best)
    more = _inside(sounds, estimate) - _inside(sounds, best)
    return best if better <= most_fit and more <= most_outside + 1e-9 else estimate


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
        sounding[score.key_signatures[place]] += min(note.duration, _LONGEST) + 1e-6
    return max(sounding, key=lambda signature: sounding[signature])


def _sounds(line: list[Note]) -> np.ndarray:
    """Return for how many beats each pitch class sounds, [12]."""
    sounds = np.zeros(12)
    for note in line:
        sounds[note.pitch % 12] += min(max(note.duration, 0.05), _LONGEST)
    return sounds


def _fit(sounds: np.ndarray, key: Key) -> float:
    """Return the correlation of sounds with a key's profile."""
    profile = keys.MINOR if key.is_minor else keys.MAJOR
    own = np.roll(sounds, -key.tonic)
    return float(np.corrcoef(own, profile)[0, 1]) if own.std() > 0 else 0.0


def _inside(sounds: np.ndarray, key: Key) -> float:
    """Return the share of sound that is in a key's scale (natural minor)."""
    major = key.tonic + (3 if key.is_minor else 0)
    return float(np.roll(sounds, -major)[_SCALE].sum() / sounds.sum())


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
