"""Songs for the tests of the player."""

from accomp.music.score import Chord, Note, Score, Tempo, TimeSignature, Track


def waltz() -> Score:
    """Two bars of 3/4 at 120, slower from beat 3 on, then a bar of 6/8."""
    return Score(
        [
            Track("bass", 33, notes=[Note(40, 0.0, 3.0, 90), Note(43, 3.0, 3.0, 90)]),
            Track(
                "piano",
                notes=[Note(64, 4.5, 1.5, 100), Note(60, 0.0, 1.0, 80), Note(67, 6.0, 3.0, 70)],
            ),
            Track(
                "drums",
                0,
                True,
                [Note(36, 0.0, 0.25, 110), Note(42, 1.0, 0.25, 60), Note(54, 2.0, 0.25, 50)],
            ),
        ],
        tempos=[Tempo(0.0, 500_000), Tempo(3.0, 1_000_000)],
        meters=[TimeSignature(0.0, 3, 4), TimeSignature(6.0, 6, 8)],
        chords=[Chord(0.0, "C"), Chord(1.5, "C"), Chord(3.0, "F")],
    )


def strange() -> Score:
    """The same melody on an instrument that no genre's band has."""
    song = four_bars()
    song.tracks[1].program = 73
    return song


def four_bars(shift: int = 0, bass: int = 0) -> Score:
    """Eight seconds, three tracks. bass: Semitones by which only the bass is moved."""
    beats = range(16)
    return Score(
        [
            Track(
                "drums",
                0,
                True,
                [Note((36, 38)[beat % 2], float(beat), 0.25, 100) for beat in beats],
            ),
            Track(
                "piano",
                notes=[Note(60 + beat % 5 + shift, float(beat), 0.9, 60 + beat) for beat in beats],
            ),
            Track(
                "bass", 33, notes=[Note(36 + shift + bass, 4.0 * bar, 4.0, 90) for bar in range(4)]
            ),
        ],
        chords=[Chord(0.0, "C"), Chord(8.0, "G7")],
    )
