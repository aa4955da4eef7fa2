"""Little scores and MIDI files for the tests.

They are lopsided, so that mix-ups of tracks, times or pitches show.
"""

import struct

import numpy as np

from accomp.music.score import PITCH_BEND, Control, Note, Score, Tempo, TimeSignature, Track


def melody(shift: int = 0) -> list[Note]:
    """Seven bars of a single line that begins on the third beat."""
    pitches = [67, 69, 71, 74, 72, 71, 69, 67, 64, 67, 71, 69, 66, 67, 69, 74, 76, 74, 71, 69, 67]
    durations = [1.0, 0.5, 0.5, 1.5, 0.5, 1.0, 1.0]
    notes, at = [], 2.0
    for index, pitch in enumerate(pitches):
        notes.append(Note(pitch + shift, at, durations[index % 7], 80 + index))
        at += durations[index % 7] + (1.0 if index % 7 == 6 else 0.0)
    return notes


def chords(shift: int = 0) -> list[Note]:
    """Three-part chords below the melody, on every second beat."""
    return [
        Note(pitch + shift, 2.0 * beat, 1.75, 60)
        for beat in range(13)
        for pitch in (55, 59, 62 + beat % 2)
    ]


def bass(shift: int = 0) -> list[Note]:
    return [Note((31, 38, 33)[beat % 3] + shift, beat * 1.0, 0.75, 90) for beat in range(26)]


def drums() -> list[Note]:
    return [Note((36, 42, 38, 42)[step % 4], step / 2, 0.25, 100) for step in range(52)]


def song(names=("", "", "", ""), shift: int = 0) -> Score:
    """Drums, bass, chords and melody, in this order.

    They have a change of tempo and of meter, pedal and pitch bends.
    """
    return Score(
        [
            Track(names[0], 8, True, drums()),
            Track(names[1], 33, False, bass(shift)),
            Track(names[2], 4, False, chords(shift), [Control(0.0, 64, 127), Control(1.75, 64, 0)]),
            Track(
                names[3],
                73,
                False,
                melody(shift),
                [Control(2.0, PITCH_BEND, -8192), Control(2.25, PITCH_BEND, 517)],
            ),
        ],
        [Tempo(0.0, 431_234), Tempo(5.5, 700_001)],
        [TimeSignature(0.0, 3, 4), TimeSignature(9.0, 7, 8)],
        96,
    )


def event(delta: int, *content: int) -> bytes:
    """One event after `delta` ticks (below 16384)."""
    return (bytes((delta >> 7 | 0x80, delta & 0x7F)) if delta > 127 else bytes((delta,))) + bytes(
        content
    )


def meta(delta: int, kind: int, content: bytes = b"") -> bytes:
    return event(delta, 0xFF, kind, len(content)) + content


END = meta(0, 0x2F)
NOTE = event(0, 0x90, 60, 70) + event(96, 0x80, 60, 0)  # one beat long at 96 ticks per beat


def chunk(content: bytes, name: bytes = b"MTrk") -> bytes:
    return name + struct.pack(">I", len(content)) + content


def midi(*tracks: bytes, kind: int = 1, division: int = 96, count: int | None = None) -> bytes:
    """A MIDI file with these contents of track chunks."""
    header = struct.pack(">HHH", kind, len(tracks) if count is None else count, division)
    return chunk(header, b"MThd") + b"".join(map(chunk, tracks))


def tune(
    durations=(1.0, 0.5, 0.5), bars: int = 24, numerator: int = 4, seed: int = 0, bpm: float = 110
) -> Score:
    """A random walk through C major in a rhythm that repeats."""
    rng = np.random.default_rng(seed)
    notes, at, step = [], 0.0, 28
    while at < bars * numerator - 1e-6:
        duration = durations[len(notes) % len(durations)]
        octave, degree = divmod(step, 7)
        notes.append(Note(12 * octave + 12 + (0, 2, 4, 5, 7, 9, 11)[degree], at, duration, 80))
        at += duration
        step = int(np.clip(step + rng.choice([-2, -1, 0, 1, 2]), 22, 36))
    return Score(
        [Track("Melody", notes=notes)],
        [Tempo(0.0, round(60e6 / bpm))],
        [TimeSignature(0.0, numerator, 4)],
    )
