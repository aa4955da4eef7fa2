"""Read the events of a MIDI track from its chunk, and write them to one."""

import struct
from collections import defaultdict, deque
from dataclasses import dataclass, field

from accomp.errors import MusicError
from accomp.music.chord_symbols import is_symbol
from accomp.music.midi_chunks import WHOLE
from accomp.music.score import PITCH_BEND, Score, Track

# Controllers that are kept: modulation, volume, pan, expression, sustain pedal, reverb, chorus.
# Pitch bends are kept besides.
KEPT_CONTROLS = (1, 7, 10, 11, 64, 91, 93)
# A time signature is taken seriously up to this numerator and denominator, and from this length on.
LARGEST_METER, SHORTEST_BAR = 32, 0.5  # numbers; beats
MOST_FIFTHS = 7  # sharps or flats in a key signature

_NOTE_OFF, _NOTE_ON, _CONTROL_CHANGE, _PROGRAM, _PRESSURE, _BEND = (
    0x80,
    0x90,
    0xB0,
    0xC0,
    0xD0,
    0xE0,
)
_META, _SYSTEM_EXCLUSIVE = 0xFF, (0xF0, 0xF7)
_TRACK_NAME, _MARKER, _END_OF_TRACK = 0x03, 0x06, 0x2F
_SET_TEMPO, _TIME_SIGNATURE, _KEY_SIGNATURE = 0x51, 0x58, 0x59


@dataclass
class ChannelPart:
    """What one channel plays in one track of a file.

    Attributes:
        program: None where the track sets none.
        notes: [onset tick, pitch, end tick, velocity] each.
        controls: (tick, number, value) each.
    """

    program: int | None = None
    notes: list[list[int]] = field(default_factory=list)
    controls: list[tuple[int, int, int]] = field(default_factory=list)


@dataclass
class FileTrack:
    """What one track chunk of a file holds.

    Attributes:
        name: "" where it has none.
        parts: By channel, 0 to 15.
        programs: (tick, channel, program) each.
        tempos: (tick, microseconds a beat) each.
        meters: (tick, numerator, denominator) each.
        keys: (tick, fifths, whether minor) each.
        chords: (tick, symbol) each, from markers that are chord symbols.
    """

    name: str = ""
    parts: defaultdict[int, ChannelPart] = field(default_factory=lambda: defaultdict(ChannelPart))
    programs: list[tuple[int, int, int]] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, int, bool]] = field(default_factory=list)
    chords: list[tuple[int, str]] = field(default_factory=list)


def read_track(chunk: bytes, number: int, most_notes: int) -> FileTrack:
    """Read the events of a track chunk.

    Args:
        chunk: Its content.
        number: Of the track, from 1, for messages.
        most_notes: Reading stops where the track has more, and the last note shows it.

    Raises:
        MusicError: The chunk is corrupt.
    """
    return _TrackReader(chunk, number, most_notes).read()


class _TrackReader:
    def __init__(self, chunk: bytes, number: int, most_notes: int):
        self.chunk = chunk
        self.corrupt = f"the MIDI file is corrupt: track {number}"
        self.notes_left = most_notes
        self.track = FileTrack()
        # By channel and pitch, the notes that have no end yet, the oldest first.
        self.begun: defaultdict[int, deque[list[int]]] = defaultdict(deque)
        self.at = self.tick = self.status = 0

    def read(self) -> FileTrack:
        try:
            while self.at < len(self.chunk) and self.notes_left >= 0:
                self.tick += self._number()
                if not self._read_event():
                    break
        except IndexError:
            raise MusicError(f"{self.corrupt} ends in the middle of an event; {WHOLE}") from None
        for notes in self.begun.values():
            for note in notes:  # never ended: they sound until the track's end
                note[2] = max(self.tick, note[0] + 1)
        return self.track

    def _number(self) -> int:
        """Read a number of variable length, seven bits a byte."""
        value = 0
        for at in range(self.at, self.at + 4):
            byte = self.chunk[at]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                self.at = at + 1
                return value
        raise MusicError(f"{self.corrupt} has a time or length of more than four bytes; {WHOLE}")

    def _read_event(self) -> bool:
        """Read one event; return False at the end of the track."""
        byte = self.chunk[self.at]
        if byte >= 0xF0:
            # By the standard these end a running status; some files go on with it, which does no
            # harm here.
            return self._read_system_event(byte)
        if byte >= 0x80:
            self.status = byte
            self.at += 1
        elif not self.status:
            raise MusicError(f"{self.corrupt} begins with data, not with an event; {WHOLE}")
        self._read_channel_event(self.status & 0xF0, self.status & 0x0F)
        return True

    def _read_system_event(self, byte: int) -> bool:
        kind = None
        if byte == _META:
            kind = self.chunk[self.at + 1]
            self.at += 2
        elif byte in _SYSTEM_EXCLUSIVE:
            self.at += 1
        else:
            raise MusicError(f"{self.corrupt} has a byte {byte:02X} where an event begins; {WHOLE}")
        length = self._number()
        content = self.chunk[self.at : self.at + length]
        if len(content) < length:
            raise IndexError
        self.at += length
        if kind is not None and kind != _END_OF_TRACK:
            _read_meta(self.track, self.tick, kind, content)
        return kind != _END_OF_TRACK

    def _read_channel_event(self, kind: int, channel: int) -> None:
        first = min(self.chunk[self.at], 127)
        if kind in (_PROGRAM, _PRESSURE):
            self.at += 1
            if kind == _PROGRAM:
                self._set_program(channel, first)
            return
        second = min(self.chunk[self.at + 1], 127)
        self.at += 2
        if kind == _NOTE_ON and second:
            self._begin_note(channel, first, second)
        elif kind in (_NOTE_ON, _NOTE_OFF):
            notes = self.begun.get(channel << 7 | first)
            if notes:
                notes.popleft()[2] = self.tick
        elif kind == _CONTROL_CHANGE and first in KEPT_CONTROLS:
            self.track.parts[channel].controls.append((self.tick, first, second))
        elif kind == _BEND:
            value = (second << 7 | first) - 8192
            self.track.parts[channel].controls.append((self.tick, PITCH_BEND, value))

    def _set_program(self, channel: int, program: int) -> None:
        self.track.programs.append((self.tick, channel, program))
        part = self.track.parts[channel]
        if part.program is None or not part.notes:
            part.program = program

    def _begin_note(self, channel: int, pitch: int, velocity: int) -> None:
        self.notes_left -= 1
        note = [self.tick, pitch, -1, velocity]
        self.track.parts[channel].notes.append(note)
        self.begun[channel << 7 | pitch].append(note)


def _read_meta(track: FileTrack, tick: int, kind: int, data: bytes) -> None:
    if kind == _TRACK_NAME:
        track.name = track.name or _decode(data)
    elif kind == _SET_TEMPO and len(data) >= 3:
        microseconds = int.from_bytes(data[:3], "big")
        if microseconds:
            track.tempos.append((tick, microseconds))
    elif kind == _TIME_SIGNATURE and len(data) >= 2 and data[1] < 8:
        numerator, denominator = data[0], 1 << data[1]
        is_sensible = 1 <= numerator <= LARGEST_METER >= denominator
        if is_sensible and numerator * 4 / denominator >= SHORTEST_BAR:
            track.meters.append((tick, numerator, denominator))
    elif kind == _KEY_SIGNATURE and len(data) >= 2:
        fifths = int.from_bytes(data[:1], signed=True)
        if abs(fifths) <= MOST_FIFTHS and data[1] <= 1:
            track.keys.append((tick, fifths, data[1] == 1))
    elif kind == _MARKER and is_symbol(symbol := _decode(data)):
        track.chords.append((tick, symbol))


def _decode(data: bytes) -> str:
    """Decode text. The format leaves the encoding open.

    Text that is valid UTF-8 is meant as such; Latin-1 can be anything.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return "".join(letter for letter in text if letter.isprintable()).strip()


# Writing. An event is (tick, rank among the events of that tick, bytes).

_Event = tuple[int, int, bytes]

# Notes that end come first, so that a note struck again is not ended by the end of the one before.
# A note of no length ends after it has begun.
_SETTING, _END, _CONTROL, _BEGIN, _END_AT_ONCE = range(5)


def conductor_chunk(score: Score, resolution: int) -> bytes:
    """Write the track chunk of tempos, meters, key signatures and chords (as markers)."""
    events = []
    for onset, microseconds in score.tempos:
        content = min(max(microseconds, 1), 0xFFFFFF).to_bytes(3, "big")
        events.append((_tick(onset, resolution), _SETTING, _meta(_SET_TEMPO, content)))
    for onset, numerator, denominator in score.meters:
        # The last two: a metronome click each beat (24 MIDI clocks), and eight 32nd notes to a beat
        content = bytes((numerator, denominator.bit_length() - 1, 24, 8))
        events.append((_tick(onset, resolution), _SETTING, _meta(_TIME_SIGNATURE, content)))
    for onset, fifths, is_minor in score.key_signatures:
        content = fifths.to_bytes(1, signed=True) + bytes((is_minor,))
        events.append((_tick(onset, resolution), _SETTING, _meta(_KEY_SIGNATURE, content)))
    for onset, symbol in score.chords:
        content = symbol.encode("utf-8", "replace")
        events.append((_tick(onset, resolution), _SETTING, _meta(_MARKER, content)))
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
        events.append((0, _SETTING, _meta(_TRACK_NAME, track.name.encode("utf-8", "replace"))))
    events.append((0, _SETTING, bytes((_PROGRAM | channel, track.program))))
    for onset, number, value in track.controls:
        if number == PITCH_BEND:
            event = bytes((_BEND | channel, value + 8192 & 0x7F, value + 8192 >> 7))
        else:
            event = bytes((_CONTROL_CHANGE | channel, number, value))
        events.append((_tick(onset, resolution), _CONTROL, event))
    notes = []
    for note in track.notes:
        start, end = _tick(note.onset, resolution), _tick(note.end, resolution)
        notes.append((start, note.pitch, max(end, start + (note.duration > 0)), note.velocity))
    for start, pitch, end, velocity in sorted(notes):
        velocity = min(max(velocity, 1), 127)
        events.append((start, _BEGIN, bytes((_NOTE_ON | channel, pitch, velocity))))
        rank = _END if end > start else _END_AT_ONCE
        events.append((end, rank, bytes((_NOTE_OFF | channel, pitch, 64))))
    return _chunk(events)


def _chunk(events: list[_Event]) -> bytes:
    """Write a track chunk. Events of the same tick and rank keep their order."""
    content = bytearray()
    now = 0
    for tick, _, event in sorted(events, key=lambda event: event[:2]):
        content += _number_bytes(tick - now) + event
        now = tick
    content += b"\0" + _meta(_END_OF_TRACK, b"")
    return b"MTrk" + struct.pack(">I", len(content)) + bytes(content)


def _tick(beat: float, resolution: int) -> int:
    return max(round(beat * resolution), 0)


def _meta(kind: int, content: bytes) -> bytes:
    return bytes((_META, kind)) + _number_bytes(len(content)) + content


def _number_bytes(value: int) -> bytes:
    """Write a number of variable length, seven bits a byte."""
    content = [value & 0x7F]
    while value := value >> 7:
        content.append(value & 0x7F | 0x80)
    return bytes(reversed(content))
