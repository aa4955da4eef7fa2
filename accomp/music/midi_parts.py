"""From the tracks and channels of a MIDI file to the parts of a score.

A part is what one instrument plays. Usually that is one channel of one track. Guitars that have a
channel for each string or for bent notes, voices that LilyPond puts on channels of their own, and
controllers that give each note a channel (MIDI Polyphonic Expression) play one part on several.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from accomp.music.midi_events import (
    BEND_RANGE,
    DATA_ENTRY,
    PARAMETER,
    ChannelPart,
    FileControl,
    FileNote,
    FileTrack,
)
from accomp.music.score import PITCH_BEND, Control, Note, Track
from accomp.music.track_names import names_drums

DRUM_CHANNEL = 9  # "channel 10": the format counts from 0
_CHANNELS = 16
# Banks that hold drum kits: General MIDI 2's, and those of XG.
_DRUM_BANKS, _XG_DRUM_BANKS = (120,), (126, 127)
_ZONE_BEND_RANGE = 48  # semitones, of a note's own channel in MIDI Polyphonic Expression
_BEND_RANGE = 2  # semitones, of all other channels
# What a channel's controllers are before they are set.
_UNSET = {7: 100, 10: 64, 11: 127}
_STUCK_BEATS = 4  # how long a note sounds that has no end in a file without later events


@dataclass(frozen=True)
class PartSettings:
    """When channels are one part, and what is a single line or a drum kit."""

    # Share of the notes of one channel during which another sounds, from which two channels of a
    # whole band on one track are two players.
    together: float = 0.5
    # Channels from which they are the strings of one instrument all the same.
    strings: int = 4
    # Share of notes that begin while another sounds, up to which a part is a single line.
    line: float = 0.1
    # Share of notes that are keys of a drum kit, from which a track called drums is drums.
    kit: float = 0.9
    # Share of them that are kicks, snares and hi-hats, unless there are only a few keys at all.
    beats: float = 0.3


_PERCUSSION = range(27, 88)  # keys of General MIDI 2's drum kits
_KITS = (0, 8, 16, 24, 25, 32, 40, 48, 56)  # programs on the drum channel: its kits
_BEATS = (35, 36, 37, 38, 39, 40, 42, 44, 46)
_FEW_KEYS = 4  # of a shaker, congas
_MOST_KEYS = 16  # different keys that a drummer uses; a scale has more


@dataclass
class _Part:
    """One instrument's part while it is put together.

    Attributes:
        track: The track that it is on.
        channels: Its channels.
        program: General MIDI's.
    """

    track: FileTrack
    channels: list[int]
    program: int
    played: list[tuple[int, ChannelPart]] = field(default_factory=list)


def score_tracks(
    tracks: list[FileTrack],
    names: list[str],
    resolution: int,
    settings: PartSettings = PartSettings(),
) -> tuple[list[Track], list[str]]:
    """Return the tracks of a score with notes, in the order of the file, and notices.

    Args:
        tracks: Of the file.
        names: Of each of them.
        resolution: Ticks a beat.
        settings: When channels are one part.
    """
    _end_stuck(tracks, resolution)
    found: list[Track] = []
    notices: list[str] = []
    sounding = sum(any(part.notes for part in track.parts.values()) for track in tracks)
    file = _File(_changes(tracks), sounding == 1, len(tracks) == 1)
    for track, name in zip(tracks, names):
        parts = _parts(file, track, settings)
        for part in parts:
            _cut_mended(part, settings)
            is_drum = _is_declared_drum(part)
            if not is_drum and _seems_drum(part, name, settings):
                is_drum = True
                notices.append(
                    f"{_named(name)} on channel {part.channels[0] + 1} is taken as drums"
                )
            notes = _joined_notes(part)
            controls, clashes = _joined_controls(part)
            if clashes:
                notices.append(
                    f"notes of {_named(name)} that sound together are bent each by itself, "
                    "which one part cannot hold; the newest note's bend is kept"
                )
            found.append(_score_track(name, part.program, is_drum, notes, controls, resolution))
    return found, [*_mending_notices(tracks), *notices]


def _score_track(
    name: str,
    program: int,
    is_drum: bool,
    notes: Iterable[FileNote],
    controls: Iterable[FileControl],
    resolution: int,
) -> Track:
    return Track(
        name,
        program,
        is_drum,
        [
            Note(pitch, start / resolution, (end - start) / resolution, velocity)
            for start, pitch, end, velocity in notes
        ],
        [Control(tick / resolution, number, value) for tick, number, value in controls],
    )


def _named(name: str) -> str:
    return f'the track "{name}"' if name else "a track"


# Notes without an end


def _end_stuck(tracks: list[FileTrack], resolution: int) -> None:
    """End the notes that have no end: as all are silenced, or with the last note of the file."""
    last = max((track.last for track in tracks), default=0)
    for track in tracks:
        for part in track.parts.values():
            for note in part.stuck:
                onset = note[0]
                place = bisect_right(part.silenced, onset)
                if place < len(part.silenced):
                    note[2] = part.silenced[place]
                elif last > onset:
                    note[2] = last
                else:
                    longest = onset + _STUCK_BEATS * resolution
                    note[2] = max(min(track.end, longest), onset + 1)


def _cut_mended(part: _Part, settings: PartSettings) -> None:
    """End mended notes of a single line as its next note begins."""
    mended = [note for _, each in part.played for note in (*each.mended, *each.stuck)]
    if not mended:
        return
    known = {id(note) for note in mended}
    notes = sorted(note for _, each in part.played for note in each.notes)
    sound = sorted(
        (note[0], note[2])
        for _, each in part.played
        for note in each.notes
        if id(note) not in known
    )
    if _overlapping(sound) > settings.line * len(sound):
        return
    onsets = [note[0] for note in notes]
    for note in mended:
        place = bisect_right(onsets, note[0])
        if place < len(onsets):
            note[2] = min(note[2], onsets[place])


def _overlapping(spans: list[tuple[int, int]]) -> int:
    """Count spans, given by onset, that begin while one before sounds."""
    count, end = 0, 0
    for start, stop in spans:
        count += start < end
        end = max(end, stop)
    return count


def _mending_notices(tracks: list[FileTrack]) -> list[str]:
    parts = [part for track in tracks for part in track.parts.values()]
    endless = sum(len(part.mended) + len(part.stuck) for part in parts)
    doubled = sum(track.doubled for track in tracks)
    notices = []
    if endless:
        ends = "1 note has no end" if endless == 1 else f"{endless} notes have no end"
        notices.append(
            f"{ends} in the file; such a note ends where its pitch or, in a single line, the next "
            "note begins, or with the music"
        )
    if doubled:
        twice = "1 note begins" if doubled == 1 else f"{doubled} notes begin"
        notices.append(f"{twice} twice at the same time; each is read once")
    if any(track.has_late_end for track in tracks):
        notices.append("the time before a track's end is damaged; the notes all come before it")
    return notices


# Channels


class _File(NamedTuple):
    """What a track's parts depend on beside the track.

    Attributes:
        changes: By channel, the programs that all tracks set for it: (tick, program), by tick.
        is_alone: Whether one track has all notes of the file: then it may hold a whole band.
        is_only: Whether the file has one track.
    """

    changes: dict[int, list[tuple[int, int]]]
    is_alone: bool
    is_only: bool


def _parts(file: _File, track: FileTrack, settings: PartSettings) -> list[_Part]:
    """Sort the channels of a track of a file into parts."""
    channels = [channel for channel in sorted(track.parts) if track.parts[channel].notes]
    parts: list[_Part] = []
    left = [channel for channel in channels if channel != DRUM_CHANNEL]
    for manager in sorted(track.zones):
        members = [channel for channel in _zone(track, manager) if channel in left]
        if members:
            own = [channel for channel in (manager, *members) if channel in track.parts]
            program = _program(file, track, manager if manager in own else members[0])
            parts.append(_Part(track, own, program))
            left = [channel for channel in left if channel not in own]
    by_program = _by_program(file, track, left)
    for program, group in by_program.items():
        if (
            len(by_program) > 1
            and file.is_alone
            or not _is_one_part(track, group, file.is_only, settings)
        ):
            parts += [_Part(track, [channel], program) for channel in group]
        else:
            parts.append(_Part(track, group, program))
    if DRUM_CHANNEL in channels:
        program = _program(file, track, DRUM_CHANNEL)
        parts.append(_Part(track, [DRUM_CHANNEL], program))
    for part in parts:
        part.played = [(channel, track.parts[channel]) for channel in part.channels]
    return sorted(parts, key=lambda part: min(part.channels))


def _zone(track: FileTrack, manager: int) -> list[int]:
    """Return the channels that a manager channel declares to play its notes, one each."""
    count = track.zones[manager]
    if manager == 0:
        return list(range(1, min(count, _CHANNELS - 1) + 1))
    if manager == _CHANNELS - 1:
        return list(range(max(_CHANNELS - 1 - count, 0), _CHANNELS - 1))
    return []


def _by_program(file: _File, track: FileTrack, channels: list[int]) -> dict[int, list[int]]:
    """Return the channels by their program; one that sets none anywhere joins the busiest."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    without = []
    for channel in channels:
        if track.parts[channel].program is None and not file.changes.get(channel):
            without.append(channel)
        else:
            found[_program(file, track, channel)].append(channel)
    if not found:
        return {0: without} if without else {}
    busiest = max(
        found, key=lambda program: sum(len(track.parts[each].notes) for each in found[program])
    )
    found[busiest] = sorted([*found[busiest], *without])
    return dict(found)


def _is_one_part(
    track: FileTrack, channels: list[int], is_only: bool, settings: PartSettings
) -> bool:
    """Tell whether channels of one program are one player.

    Channels of one of several tracks are. On the only track of a file they are two players where
    they sound together, unless there are as many as a guitar has strings.
    """
    if not is_only or len(channels) >= settings.strings:
        return True
    spans = {
        channel: sorted((note[0], note[2]) for note in track.parts[channel].notes)
        for channel in channels
    }
    return not any(
        _share_during(spans[one], spans[other]) > settings.together
        for one in channels
        for other in channels
        if one != other
    )


def _share_during(spans: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
    """Return the share of spans in which one of `others` sounds; both by onset."""
    starts = [start for start, _ in others]
    count = 0
    for start, end in spans:
        before = bisect_right(starts, end - 1) - 1
        count += before >= 0 and others[before][1] > start
    return count / max(len(spans), 1)


def _changes(tracks: list[FileTrack]) -> dict[int, list[tuple[int, int]]]:
    """Return by channel the programs that all tracks set for it: (tick, program), by tick."""
    found: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for track in tracks:
        for tick, channel, program in track.programs:
            found[channel].append((tick, program))
    return {channel: sorted(each, key=_tick) for channel, each in found.items()}


def _tick(change: tuple[int, int]) -> int:
    return change[0]


def _program(file: _File, track: FileTrack, channel: int) -> int:
    """Return the program at a part's first note, or else the first one after it.

    Where the track itself sets no program, that of its channel in other tracks counts.
    """
    part = track.parts[channel]
    if part.program is not None:
        return part.program
    changes = file.changes.get(channel)
    if not changes:
        return 0
    first = part.notes[0][0] if part.notes else 0
    before = bisect_right(changes, first, key=_tick)
    return changes[max(before - 1, 0)][1]


def _is_declared_drum(part: _Part) -> bool:
    """Tell whether a part is drums by its channel, its bank or a message."""
    if DRUM_CHANNEL in part.channels or not part.track.drums.isdisjoint(part.channels):
        return True
    banks = {each.bank for _, each in part.played}
    is_kit = not banks.isdisjoint(_DRUM_BANKS)
    return is_kit or part.track.is_xg and not banks.isdisjoint(_XG_DRUM_BANKS)


def _seems_drum(part: _Part, name: str, settings: PartSettings) -> bool:
    """Tell whether a part is drums by its name, its notes and the number of a kit."""
    if not names_drums(name) or part.program not in _KITS:
        return False
    pitches = [note[1] for _, each in part.played for note in each.notes]
    if sum(pitch in _PERCUSSION for pitch in pitches) < settings.kit * len(pitches):
        return False
    beats = sum(pitch in _BEATS for pitch in pitches)
    keys = len(set(pitches))
    return keys <= _FEW_KEYS or keys <= _MOST_KEYS and beats >= settings.beats * len(pitches)


# One part of several channels


def _joined_notes(part: _Part) -> list[FileNote]:
    """Return the notes of a part, sorted.

    Of several channels, notes of one pitch end in the order in which they begin, as one channel
    must have it.
    """
    notes = sorted(note for _, each in part.played for note in each.notes)
    if len(part.played) == 1:
        return notes
    by_pitch: defaultdict[int, list[FileNote]] = defaultdict(list)
    for note in notes:
        by_pitch[note[1]].append(note)
    for same in by_pitch.values():
        for note, end in zip(same, sorted(note[2] for note in same)):
            note[2] = max(end, note[0])
    return sorted(notes)


def _joined_controls(part: _Part) -> tuple[list[FileControl], bool]:
    """Return the controllers of a part, and whether bends of notes together were lost.

    Of several channels, those of the newest note's channel are in force.
    """
    if len(part.played) == 1:
        return part.played[0][1].controls, False
    manager = part.channels[0] if part.channels[0] in part.track.zones else None
    ranges = {channel: _bend_range(part, channel, manager) for channel in part.channels}
    bent = {
        channel
        for channel, each in part.played
        if any(number == PITCH_BEND for _, number, _ in each.controls)
    }
    widest = max((ranges[channel] for channel in bent), default=_BEND_RANGE)
    joint = _Joint(manager)
    controls = [
        (tick, number, round(value * ranges[channel] / widest), channel)
        if number == PITCH_BEND
        else (tick, number, value, channel)
        for channel, each in part.played
        for tick, number, value in each.controls
        if number not in (*PARAMETER, *DATA_ENTRY)
    ]
    spans = sorted(
        (note[0], note[2], channel) for channel, each in part.played for note in each.notes
    )
    joint.play(sorted(controls, key=lambda control: control[0]), spans)
    if bent and widest != _BEND_RANGE:
        semitones, cents = int(widest), round(widest % 1 * 100)
        values = zip((*PARAMETER, *DATA_ENTRY), (0, BEND_RANGE, semitones, cents))
        joint.controls[:0] = [(0, number, value) for number, value in values]
    return joint.controls, joint.clashes


def _bend_range(part: _Part, channel: int, manager: int | None) -> float:
    """Return the semitones that a channel's bends reach at first."""
    own = dict(part.played)[channel]
    selected, semitones, cents = None, None, 0
    members = [own] if manager is None else [own, *(each for _, each in part.played)]
    for each in members:
        for _, number, value in each.controls:
            if number == PARAMETER[1]:
                selected = value
            elif selected == BEND_RANGE and number == DATA_ENTRY[0]:
                semitones = value
            elif selected == BEND_RANGE and number == DATA_ENTRY[1]:
                cents = value
        if semitones is not None:
            break
        if channel == manager:
            break
    if semitones is not None:
        return max(semitones + min(cents, 99) / 100, 0.01)
    return _BEND_RANGE if manager is None or channel == manager else _ZONE_BEND_RANGE


class _Joint:
    """Put the controllers of several channels on one.

    Attributes:
        controls: The result.
        clashes: Whether two notes sounded together with different bends.
    """

    def __init__(self, manager: int | None):
        self.manager = manager  # its controllers count for all channels
        self.controls: list[FileControl] = []
        self.clashes = False
        self._current: int | None = None
        self._set: defaultdict[int, dict[int, int]] = defaultdict(dict)  # by channel and number
        self._now: dict[int, int] = {}

    def play(
        self, controls: list[tuple[int, int, int, int]], spans: list[tuple[int, int, int]]
    ) -> None:
        """Go through controls (tick, number, value, channel) and notes (onset, end, channel)."""
        place = 0
        sounding = (0, 0)  # the note before: its end and its channel
        for onset, end, channel in spans:
            while place < len(controls) and controls[place][0] <= onset:
                self._control(*controls[place])
                place += 1
            if channel != self._current:
                self._turn(onset, channel)
                before, other = sounding
                bends = {self._set[each].get(PITCH_BEND, 0) for each in (other, channel)}
                self.clashes |= before > onset and len(bends) > 1
            sounding = (end, channel)
        for control in controls[place:]:
            self._control(*control)

    def _control(self, tick: int, number: int, value: int, channel: int) -> None:
        self._set[channel][number] = value
        if channel in (self._current, self.manager) or self._current is None:
            self._emit(tick, number, value)

    def _turn(self, tick: int, channel: int) -> None:
        """Bring the controllers to what they are on the channel of the next note."""
        self._current = channel
        common = self._set[self.manager] if self.manager is not None else {}
        for number in sorted(set().union(*self._set.values())):
            if number == PITCH_BEND or number not in common:
                value = self._set[channel].get(number, _UNSET.get(number, 0))
                self._emit(tick, number, value)

    def _emit(self, tick: int, number: int, value: int) -> None:
        if self._now.get(number, _UNSET.get(number, 0)) != value:
            self._now[number] = value
            self.controls.append((tick, number, value))
