"""Spell pitches by the key: which of C sharp and D flat is written.

Places on the line of fifths: F -1, C 0, G 1. A key's own notes lie from one below its signature to
five above; its chromatic notes are those nearest to them (Longuet-Higgins 1976, "Perception of
melodies").
"""

from typing import NamedTuple

STEPS = "FCGDAEB"
SIGNS = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
# By semitones above a chord's root, the place of the tone on the line of fifths beside the root's.
TONES = {0: 0, 1: -5, 2: 2, 3: -3, 4: 4, 5: -1, 6: -6, 7: 1, 8: -4, 9: 3, 10: -2, 11: 5}


class Spelling(NamedTuple):
    """A name of a pitch.

    Attributes:
        step: A letter from A to G.
        alter: Semitones by which its sign changes it, -2 to 2.
    """

    step: str
    alter: int

    def __str__(self) -> str:
        return self.step + SIGNS[self.alter]

    def octave(self, pitch: int) -> int:
        """Return the octave of a MIDI pitch with this name; middle C is in octave 4."""
        return (pitch - self.alter) // 12 - 1


def spelled(pitch_class: int, fifths: int, flattest: int = -3) -> Spelling:
    """Spell a pitch class in a key.

    Args:
        pitch_class: 0 = C.
        fifths: Of the key signature, -7 to 7.
        flattest: The first of the twelve places that are used, beside the signature's.
    """
    low = fifths + flattest
    return _at(low + (7 * pitch_class - low) % 12)


def spelled_chord(root: int, bass: int | None, is_diminished: bool, fifths: int) -> list[Spelling]:
    """Spell a chord's root, and its bass where it has another one.

    A diminished chord mostly leads up by a semitone, so that its root is sharp rather than flat.

    Args:
        root: Pitch class.
        bass: Pitch class; None for the root.
        is_diminished: Whether the fifth is diminished.
        fifths: Of the key signature.
    """
    low = fifths - (1 if is_diminished else 5)
    place = low + (7 * root - low) % 12
    spellings = [_at(place)]
    if bass is not None:
        tone = place + TONES[(bass - root) % 12]
        spellings.append(_at(tone) if -15 < tone < 20 else spelled(bass, fifths))
    return spellings


def _at(place: int) -> Spelling:
    """Return the name at a place of the line of fifths, the simpler one of extreme ones."""
    while place > 12:
        place -= 12
    while place < -8:
        place += 12
    return Spelling(STEPS[(place + 1) % 7], (place + 1) // 7)
