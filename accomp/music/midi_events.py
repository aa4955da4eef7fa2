"""Read the events of a MIDI track from its chunk.

What is damaged without loss of music is mended as players do it: notes whose end is missing, clock
bytes among the events, a time too long to be written before the end of the track.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field

from accomp.errors import MusicError
from accomp.music.midi_chunks import WHOLE
from accomp.music.score import PITCH_BEND

# Controllers that are kept: modulation, volume, pan, expression, sustain pedal, reverb, chorus.
# Pitch bends are kept besides, with the parameters that say how far they reach.
KEPT_CONTROLS = (1, 7, 10, 11, 64, 91, 93)
# A registered parameter is selected by the first two, its value set by the others.
PARAMETER = (101, 100)
DATA_ENTRY = (6, 38)
_UNREGISTERED = (98, 99)  # select parameters of one maker's instruments, which are not kept
BEND_RANGE, _TUNINGS, _ZONE = 0, (1, 2), 6  # registered parameters
_BANK, _SILENCERS = 0, (120, 123)  # controllers; all sound off, all notes off
# A time signature is taken seriously up to this numerator and denominator, and from this length on.
LARGEST_METER, SHORTEST_BAR = 32, 0.5  # numbers; beats
MOST_FIFTHS = 7  # sharps or flats in a key signature

NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PROGRAM, _PRESSURE, BEND = 0x80, 0x90, 0xB0, 0xC0, 0xD0, 0xE0
META, _SYSTEM_EXCLUSIVE = 0xFF, (0xF0, 0xF7)
# Bytes after a system event's own: song position, song number and their like, clocks. They belong
# on a cable and not in a file, and say nothing here.
_SYSTEM_SIZES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0} | {byte: 0 for byte in range(0xF8, 0xFF)}
TEXT, TRACK_NAME, MARKER, END_OF_TRACK = 0x01, 0x03, 0x06, 0x2F
SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x51, 0x58, 0x59
# Yamaha's message that an instrument be of kind XG, and Roland's that a channel be drums, with its
# place for the channel.
_XG_ON = bytes.fromhex("4310 4c00 007e 00")
_GS_DRUMS, _GS_PART = bytes.fromhex("4110 4212 40"), 5
_NO_END = -1

FileNote = list[int]  # onset tick, pitch, end tick, velocity
FileControl = tuple[int, int, int]  # tick, number, value


@dataclass
class ChannelPart:
    """What one channel plays in one track of a file.

    Attributes:
        program: None where the track sets none.
        bank: Controller 0 when the program was set; None where there was none.
        notes: In the order in which they begin.
        controls: In order.
        mended: Those of the notes whose end was missing, and that end where their pitch begins
            again.
        stuck: Those of the notes that have no end in the file.
        silenced: Ticks at which all notes are ended.
    """

    program: int | None = None
    bank: int | None = None
    notes: list[FileNote] = field(default_factory=list)
    controls: list[FileControl] = field(default_factory=list)
    mended: list[FileNote] = field(default_factory=list)
    stuck: list[FileNote] = field(default_factory=list)
    silenced: list[int] = field(default_factory=list)


@dataclass
class FileTrack:
    """What one track chunk of a file holds.

    Attributes:
        name: Empty where it has none.
        parts: By channel, 0 to 15.
        programs: (tick, channel, program) each.
        tempos: (tick, microseconds a beat) each.
        meters: (tick, numerator, denominator) each.
        keys: (tick, fifths, whether minor) each.
        markers: (tick, text) each.
        zones: By manager channel, how many channels play one instrument, a note each (MPE).
        drums: Channels that a message declares to be drums.
        is_xg: Whether a message asks for an XG instrument.
        last: Tick at which the last note begins or ends.
        end: Tick at which the track ends.
        doubled: Notes that were left out because the same one began at the same time.
        has_late_end: Whether the time before the track's end was too long a number.
        stop: Bytes of the chunk that were read.
        has_end: Whether the end of the track was among them.
    """

    name: bytes = b""
    parts: defaultdict[int, ChannelPart] = field(default_factory=lambda: defaultdict(ChannelPart))
    programs: list[tuple[int, int, int]] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, int, bool]] = field(default_factory=list)
    markers: list[tuple[int, bytes]] = field(default_factory=list)
    zones: dict[int, int] = field(default_factory=dict)
    drums: set[int] = field(default_factory=set)
    is_xg: bool = False
    last: int = 0
    end: int = 0
    doubled: int = 0
    has_late_end: bool = False
    stop: int = 0
    has_end: bool = False


def read_track(chunk: bytes, number: int, most_notes: int) -> FileTrack:
    """Read the events of a track chunk.

    Args:
        chunk: Its content; the end of the track ends it, too.
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
        self.notes = _Notes(self.track)
        self.parameters: defaultdict[int, _Parameter] = defaultdict(_Parameter)
        self.banks: dict[int, int] = {}
        self.at = self.tick = self.status = 0

    def read(self) -> FileTrack:
        try:
            while self.at < len(self.chunk) and self.notes_left >= 0:
                self.tick += self._time()
                if not self._read_event():
                    self.track.has_end = True
                    break
        except IndexError:
            raise MusicError(f"{self.corrupt} ends in the middle of an event; {WHOLE}") from None
        self.track.end, self.track.stop = self.tick, self.at
        self.notes.mend()
        return self.track

    def _time(self) -> int:
        """Read the time before an event; 0 for one too long to be written, before the end."""
        try:
            return self._number()
        except MusicError:
            at = self.at
            while self.chunk[at : at + 1] and self.chunk[at] & 0x80:
                at += 1
            if self.chunk[at + 1 : at + 3] != bytes((META, END_OF_TRACK)):
                raise
            self.track.has_late_end = True
            self.at = at + 1
            return 0

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
        if byte in _SYSTEM_SIZES:
            self.at += 1 + _SYSTEM_SIZES[byte]
            return True
        if byte == META:
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
        if kind is None:
            self._read_system_exclusive(content)
        elif kind != END_OF_TRACK:
            _read_meta(self.track, self.tick, kind, content)
        return kind != END_OF_TRACK

    def _read_system_exclusive(self, content: bytes) -> None:
        """Note which instruments a message of Yamaha's or Roland's makes of the channels."""
        if content.startswith(_XG_ON):
            self.track.is_xg = True
        elif content.startswith(_GS_DRUMS) and len(content) > _GS_PART + 2:
            # Parts are numbered from 1, with the tenth channel as part 0.
            part, what, value = content[_GS_PART : _GS_PART + 3]
            if part & 0xF0 == 0x10 and what == 0x15:
                channel = 9 if part == 0x10 else (part & 0x0F) - (part <= 0x19)
                (self.track.drums.add if value else self.track.drums.discard)(channel)

    def _read_channel_event(self, kind: int, channel: int) -> None:
        first = min(self.chunk[self.at], 127)
        if kind in (PROGRAM, _PRESSURE):
            self.at += 1
            if kind == PROGRAM:
                self._set_program(channel, first)
            return
        second = min(self.chunk[self.at + 1], 127)
        self.at += 2
        if kind == NOTE_ON and second:
            self.notes_left -= 1
            self.notes.begin(self.tick, channel, first, second)
        elif kind in (NOTE_ON, NOTE_OFF):
            self.notes.end(self.tick, channel, first)
        elif kind == CONTROL_CHANGE:
            self._control(channel, first, second)
        elif kind == BEND:
            value = (second << 7 | first) - 8192
            self.track.parts[channel].controls.append((self.tick, PITCH_BEND, value))

    def _control(self, channel: int, number: int, value: int) -> None:
        if number in KEPT_CONTROLS:
            self.track.parts[channel].controls.append((self.tick, number, value))
        elif number in PARAMETER or number in _UNREGISTERED:
            self.parameters[channel].select(number, value)
        elif number in DATA_ENTRY:
            self._set_parameter(channel, number, value)
        elif number in _SILENCERS:
            self.track.parts[channel].silenced.append(self.tick)
        elif number == _BANK:
            self.banks[channel] = value

    def _set_parameter(self, channel: int, number: int, value: int) -> None:
        """Set the selected parameter, if it is one that is kept."""
        parameter = self.parameters[channel]
        if parameter.number == _ZONE and number == DATA_ENTRY[0]:
            self.track.zones[channel] = value
        if parameter.number not in (BEND_RANGE, *_TUNINGS):
            return
        controls = self.track.parts[channel].controls
        if not parameter.is_written:
            controls += [(self.tick, *each) for each in zip(PARAMETER, (0, parameter.number))]
            parameter.is_written = True
        controls.append((self.tick, number, value))

    def _set_program(self, channel: int, program: int) -> None:
        self.track.programs.append((self.tick, channel, program))
        part = self.track.parts[channel]
        if part.program is None or not part.notes:
            part.program, part.bank = program, self.banks.get(channel)


@dataclass
class _Parameter:
    """The parameter that a channel has selected: a number in two halves, as in the file."""

    halves: tuple[int, int] = (127, 127)
    is_written: bool = False

    @property
    def number(self) -> int:
        return self.halves[0] << 7 | self.halves[1]

    def select(self, number: int, value: int) -> None:
        high, low = self.halves
        if number in PARAMETER:
            halves = (value, low) if number == PARAMETER[0] else (high, value)
        else:
            halves = (127, 127)
        if halves != self.halves:
            self.halves, self.is_written = halves, False


class _Notes:
    """Find the end of each note.

    Notes of one pitch that overlap end in the order in which they began. Where one of them never
    ends, a note-off is missing or a note-on is doubled, and every later note would end with the
    next one's note-off: there a note ends as its pitch begins again.
    """

    def __init__(self, track: FileTrack):
        self.track = track
        # By channel and pitch: the notes that have no end yet, the oldest first; and all that
        # happened since none sounded, as ticks with the note that begins, None where one ends.
        self.begun: defaultdict[int, deque[FileNote]] = defaultdict(deque)
        self.since: defaultdict[int, list[tuple[int, FileNote | None]]] = defaultdict(list)

    def begin(self, tick: int, channel: int, pitch: int, velocity: int) -> None:
        note = [tick, pitch, _NO_END, velocity]
        self.track.parts[channel].notes.append(note)
        self.track.last = tick
        self.begun[channel << 7 | pitch].append(note)
        self.since[channel << 7 | pitch].append((tick, note))

    def end(self, tick: int, channel: int, pitch: int) -> None:
        key = channel << 7 | pitch
        notes = self.begun.get(key)
        if not notes:
            return
        notes.popleft()[2] = tick
        self.track.last = tick
        if notes:
            self.since[key].append((tick, None))
        else:
            self.since[key].clear()

    def mend(self) -> None:
        """Give those notes an end whose own is missing; those that stay without are `stuck`."""
        for key, notes in self.begun.items():
            if notes:
                self._mend(self.track.parts[key >> 7], self.since[key])

    def _mend(self, part: ChannelPart, events: list[tuple[int, FileNote | None]]) -> None:
        sounding: FileNote | None = None
        doubled = set()
        for tick, note in events:
            if sounding:
                sounding[2] = tick
                if note and tick == sounding[0]:
                    doubled.add(id(sounding))
                elif note:
                    part.mended.append(sounding)
            if note or sounding:
                sounding = note
        if sounding:
            sounding[2] = _NO_END
            part.stuck.append(sounding)
        if doubled:
            part.notes[:] = [note for note in part.notes if id(note) not in doubled]
            self.track.doubled += len(doubled)


def _read_meta(track: FileTrack, tick: int, kind: int, data: bytes) -> None:
    if kind == TRACK_NAME:
        track.name = track.name or data
    elif kind == MARKER:
        track.markers.append((tick, data))
    elif kind == SET_TEMPO and len(data) >= 3:
        microseconds = int.from_bytes(data[:3], "big")
        if microseconds:
            track.tempos.append((tick, microseconds))
    elif kind == TIME_SIGNATURE and len(data) >= 2:
        _read_meter(track, tick, data[0], data[1])
    elif kind == KEY_SIGNATURE and len(data) >= 2:
        fifths = int.from_bytes(data[:1], signed=True)
        if abs(fifths) <= MOST_FIFTHS and data[1] <= 1:
            track.keys.append((tick, fifths, data[1] == 1))


def _read_meter(track: FileTrack, tick: int, numerator: int, power: int) -> None:
    """Keep a sensible meter. power: of two, the denominator."""
    denominator = 1 << min(power, 8)
    is_sensible = 1 <= numerator <= LARGEST_METER >= denominator
    if is_sensible and numerator * 4 / denominator >= SHORTEST_BAR:
        track.meters.append((tick, numerator, denominator))
