"""Write the events of a MIDI track to its chunk."""

import struct
from collections.abc import Iterable
from typing import Any, TypeVar

from accomp.music.midi_events import (
    BEND,
    CONTROL_CHANGE,
    END_OF_TRACK,
    KEY_SIGNATURE,
    MARKER,
    META,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    SET_TEMPO,
    TEXT,
    TIME_SIGNATURE,
    TRACK_NAME,
)
from accomp.music.score import PITCH_BEND, Score, Track

Timed = TypeVar("Timed", bound=tuple[Any, ...])

# An event is (tick, rank among the events of that tick, bytes).

_Event = tuple[int, int, bytes]
LONGEST_TIME = 2**28 - 1  # ticks between two events: four bytes of seven bits
LAST_BEAT = 100_000.0  # nothing is written that comes later, but for notes

# Notes that end come first, so that a note struck again is not ended by the end of the one before.
# A note of no length ends after it has begun.
_SETTING, _END, _CONTROL, _BEGIN, _END_AT_ONCE = range(5)


def conductor_chunk(score: Score, resolution: int) -> bytes:
    """Write the track chunk of tempos, meters, key signatures and chords (as markers)."""
    events = []
    last = max(score.end, LAST_BEAT)
    for onset, microseconds in in_time(score.tempos, last):
        content = min(max(microseconds, 1), 0xFFFFFF).to_bytes(3, "big")
        events.append((_tick(onset, resolution), _SETTING, _meta(SET_TEMPO, content)))
    for onset, numerator, denominator in in_time(score.meters, last):
        # The last two: a metronome click each beat (24 MIDI clocks), and eight 32nd notes to a beat
        content = bytes((numerator, denominator.bit_length() - 1, 24, 8))
        events.append((_tick(onset, resolution), _SETTING, _meta(TIME_SIGNATURE, content)))
    for onset, fifths, is_minor in in_time(score.key_signatures, last):
        content = fifths.to_bytes(1, signed=True) + bytes((is_minor,))
        events.append((_tick(onset, resolution), _SETTING, _meta(KEY_SIGNATURE, content)))
    for onset, symbol in in_time(score.chords, last):
        content = symbol.encode("utf-8", "replace")
        events.append((_tick(onset, resolution), _SETTING, _meta(MARKER, content)))
    return _chunk(events)


def track_chunk(track: Track, channel: int, resolution: int) -> bytes:
    """Write the track chunk of a track of a score.

    Args:
        track: The track.
        channel: 0 to 15.
        resolution: Ticks a beat.
    """
    events: list[_Event] = []
    if track.name:
        events.append((0, _SETTING, _meta(TRACK_NAME, track.name.encode("utf-8", "replace"))))
    events.append((0, _SETTING, bytes((PROGRAM | channel, track.program))))
    for onset, number, value in in_time(track.controls, max(track.end, LAST_BEAT)):
        if number == PITCH_BEND:
            event = bytes((BEND | channel, value + 8192 & 0x7F, value + 8192 >> 7))
        else:
            event = bytes((CONTROL_CHANGE | channel, number, value))
        events.append((_tick(onset, resolution), _CONTROL, event))
    notes = []
    for note in track.notes:
        start, end = _tick(note.onset, resolution), _tick(note.end, resolution)
        notes.append((start, note.pitch, max(end, start + (note.duration > 0)), note.velocity))
    for start, pitch, end, velocity in sorted(notes):
        velocity = min(max(velocity, 1), 127)
        events.append((start, _BEGIN, bytes((NOTE_ON | channel, pitch, velocity))))
        rank = _END if end > start else _END_AT_ONCE
        events.append((end, rank, bytes((NOTE_OFF | channel, pitch, 64))))
    return _chunk(events)


def _chunk(events: list[_Event]) -> bytes:
    """Write a track chunk. Events of the same tick and rank keep their order.

    A time that is too long to be written is divided by texts that say nothing.
    """
    content = bytearray()
    now = 0
    for tick, _, event in sorted(events, key=lambda event: event[:2]):
        while tick - now > LONGEST_TIME:
            content += _number_bytes(LONGEST_TIME) + _meta(TEXT, b"")
            now += LONGEST_TIME
        content += _number_bytes(tick - now) + event
        now = tick
    content += b"\0" + _meta(END_OF_TRACK, b"")
    return b"MTrk" + struct.pack(">I", len(content)) + bytes(content)


def _tick(beat: float, resolution: int) -> int:
    return max(round(beat * resolution), 0)


def in_time(events: Iterable[Timed], last: float) -> list[Timed]:
    """Leave out events far behind the music, where no reader follows."""
    return [event for event in events if event[0] <= last]


def _meta(kind: int, content: bytes) -> bytes:
    return bytes((META, kind)) + _number_bytes(len(content)) + content


def _number_bytes(value: int) -> bytes:
    """Write a number of variable length, seven bits a byte."""
    content = [value & 0x7F]
    while value := value >> 7:
        content.append(value & 0x7F | 0x80)
    return bytes(reversed(content))
