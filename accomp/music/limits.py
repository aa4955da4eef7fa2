"""How much music a score may hold, so that what follows takes limited time and memory."""

from dataclasses import dataclass
from math import ceil, isfinite

from accomp.errors import MusicError
from accomp.music.score import PITCH_BEND, Control, Score

LATEST = 1e6  # beats at which a note may end when it is written
BAR_BEATS = 4  # of a bar as the models know it


@dataclass(frozen=True)
class ScoreLimits:
    """The largest file that is read."""

    bytes: int = 5_000_000
    minutes: float = 30
    # 30 minutes at 266 beats a minute; a tempo map can hide any number of beats in a second.
    beats: int = 8_000
    # What a band costs goes by bars of four beats, however many notes there are. A shorter bar
    # costs as much as a whole one.
    bars: int = 2_000
    notes: int = 100_000
    tracks: int = 2_000  # with notes; orchestras have some 100


def check_score(score: Score, limits: ScoreLimits = ScoreLimits()) -> None:
    """Check what a file holds.

    Raises:
        MusicError: It has only drums, or is above a limit.
    """
    if all(track.is_drum for track in score.tracks):
        raise MusicError("the file has only drums; accepted: files with at least one pitched note")
    count = len(score.tracks)
    if count > limits.tracks:
        raise MusicError(f"the music has {count:,} tracks; accepted: up to {limits.tracks:,}")
    end = score.end
    if end > limits.beats:
        raise MusicError(f"the music lasts {end:,.0f} beats; accepted: up to {limits.beats:,}")
    bars = _bars(score, end)
    if bars > limits.bars:
        raise MusicError(
            f"the music has {bars:,} bars of four beats or less; accepted: up to {limits.bars:,}"
        )
    minutes = score.seconds(end) / 60
    if minutes > limits.minutes:
        raise MusicError(
            f"the music lasts {minutes:.1f} minutes; accepted: up to {limits.minutes:g}"
        )


def check_writable(score: Score) -> None:
    """Check that a MIDI file can hold a score.

    Raises:
        MusicError: A time is not finite or above LATEST, or another number is out of its range.
    """
    for track in score.tracks:
        for note in track.notes:
            if not (0 <= note.pitch <= 127 and abs(note.onset) + abs(note.duration) <= LATEST):
                raise MusicError(
                    f"the score has {note}; accepted: pitches 0 to 127, times up to "
                    f"{LATEST:,.0f} beats"
                )
        if not 0 <= track.program <= 127:
            raise MusicError(f"the score has program {track.program}; accepted: 0 to 127")
        for control in track.controls:
            _check_control(control)
    for meter in score.meters:
        if not (1 <= meter.numerator <= 255 and meter.denominator in (1, 2, 4, 8, 16, 32, 64, 128)):
            raise MusicError(f"the score has {meter}; accepted: 1 to 255 over powers of 2 to 128")
    for event in (*score.tempos, *score.meters, *score.key_signatures, *score.chords):
        if not isfinite(event.onset):
            raise MusicError(f"the score has {event}; accepted: finite times")


def _check_control(control: Control) -> None:
    is_bend = control.number == PITCH_BEND
    values = range(-8192, 8192) if is_bend else range(128)
    is_known = is_bend or 0 <= control.number <= 127
    if not (is_known and control.value in values and isfinite(control.onset)):
        raise MusicError(
            f"the score has {control}; accepted: controllers 0 to 127 with values 0 to 127, bends "
            "of -8192 to 8191, finite times"
        )


def _bars(score: Score, end: float) -> int:
    """Count bars up to a beat; longer ones than four beats as several, shorter ones as one."""
    count = 0
    ends = [meter.onset for meter in score.meters[1:]] + [end]
    for meter, following in zip(score.meters, ends):
        length = min(following, end) - meter.onset
        if length > 0:
            count += ceil(length / meter.bar_beats - 1e-9) * ceil(meter.bar_beats / BAR_BEATS)
    return count
