"""Correct how a score's time is written: tempo, note values, meter and bar lines."""

from dataclasses import replace

from accomp.errors import MusicError
from accomp.music.score import DEFAULT_TEMPO, Score, Tempo, TimeSignature, Track

TEMPO_RANGE = (10.0, 400.0)  # accepted quarters a minute
DENOMINATORS = (1, 2, 4, 8, 16)
LARGEST_NUMERATOR = 32
LONGEST_BEAT = 2**24 - 1  # microseconds that a MIDI file can hold
FINEST_RESOLUTION = 2**15 - 1  # ticks a beat that a MIDI file can hold


def mean_tempo(score: Score) -> float:
    """Return quarters a minute from the first note to the end of the last one."""
    start = min((track.start for track in score.tracks if track.notes), default=0.0)
    end = max(score.end, start + 1.0)
    return 60 * (end - start) / (score.seconds(end) - score.seconds(start))


def at_tempo(score: Score, bpm: float) -> Score:
    """Return the same notes at another tempo; changes of tempo stay in proportion.

    Args:
        score: The music.
        bpm: The mean tempo in quarters a minute.

    Raises:
        MusicError: The tempo is outside TEMPO_RANGE.
    """
    slowest, fastest = TEMPO_RANGE
    if not slowest <= bpm <= fastest:
        raise MusicError(
            f"the tempo is {bpm:g}; accepted: {slowest:g} to {fastest:g} beats a minute"
        )
    factor = mean_tempo(score) / bpm
    tempos = score.tempos or [Tempo(0.0, DEFAULT_TEMPO)]
    return replace(
        score,
        tempos=[
            tempo._replace(microseconds=max(round(tempo.microseconds * factor), 1))
            for tempo in tempos
        ],
    )


def renotated(score: Score, factor: float) -> Score:
    """Return the same sound written in note values `factor` times as long.

    A factor of 2 writes quarters for eighths, at twice the tempo.

    Raises:
        MusicError: The tempo would be slower than MIDI can say.
    """
    slowest = max((tempo.microseconds for tempo in score.tempos), default=DEFAULT_TEMPO) / factor
    if slowest > LONGEST_BEAT:
        raise MusicError(
            f"a beat would last {slowest / 1e6:.0f} seconds; "
            f"accepted: up to {LONGEST_BEAT / 1e6:.1f}"
        )
    tracks = [
        replace(
            track,
            notes=[
                note._replace(onset=note.onset * factor, duration=note.duration * factor)
                for note in track.notes
            ],
            controls=[control._replace(onset=control.onset * factor) for control in track.controls],
        )
        for track in score.tracks
    ]
    # Shorter notes need finer ticks.
    resolution = min(round(score.resolution * max(1 / factor, 1)), FINEST_RESOLUTION)
    return replace(
        score,
        tracks=tracks,
        resolution=resolution,
        tempos=[
            Tempo(tempo.onset * factor, max(round(tempo.microseconds / factor), 1))
            for tempo in score.tempos
        ],
        meters=[meter._replace(onset=meter.onset * factor) for meter in score.meters],
        key_signatures=[
            signature._replace(onset=signature.onset * factor) for signature in score.key_signatures
        ],
        chords=[chord._replace(onset=chord.onset * factor) for chord in score.chords],
    )


def check_meter(meter: tuple[int, int]) -> None:
    """Check a meter.

    Raises:
        MusicError: The numerator or the denominator is not accepted.
    """
    numerator, denominator = meter
    if not (1 <= numerator <= LARGEST_NUMERATOR and denominator in DENOMINATORS):
        raise MusicError(
            f"the meter is {numerator}/{denominator}; accepted: 1 to {LARGEST_NUMERATOR} over "
            f"{', '.join(map(str, DENOMINATORS))}, such as 4/4, 3/4 or 6/8"
        )


def in_meter(score: Score, meter: tuple[int, int]) -> Score:
    """Return the same notes with the bar lines of one meter.

    Raises:
        MusicError: The meter is not accepted.
    """
    check_meter(meter)
    return replace(score, meters=[TimeSignature(0.0, *meter)])


def bar_lines_later(score: Score, pulses: int) -> Score:
    """Return the same notes with every bar line moved.

    Args:
        score: The music.
        pulses: Pulses of the first meter by which bar lines come later; negative for earlier.
    """
    first, *others = score.meters
    beats = pulses * first.pulse
    moved = delayed(score, -beats % first.bar_beats)
    # Whole bars: later meters begin where a bar of the first would.
    by = -beats % first.bar_beats + beats
    return replace(
        moved,
        meters=[
            first,
            *(meter._replace(onset=meter.onset + by) for meter in others if meter.onset + by > 0),
        ],
    )


def on_ticks(score: Score, least: int) -> Score:
    """Return a score whose notes and controls are where a MIDI file will have them.

    Args:
        score: The music.
        least: Ticks a beat of the file at least; it has a multiple of the score's resolution.
    """
    ticks = score.resolution * -(-least // score.resolution)

    def nearest(beat: float) -> float:
        return max(round(beat * ticks), 0) / ticks

    def snapped(track: Track) -> Track:
        notes = []
        for note in track.notes:
            onset = nearest(note.onset)
            notes.append(note._replace(onset=onset, duration=nearest(note.end) - onset))
        controls = [each._replace(onset=nearest(each.onset)) for each in track.controls]
        return replace(track, notes=notes, controls=controls)

    return replace(score, tracks=[snapped(track) for track in score.tracks], resolution=ticks)


def delayed(score: Score, beats: float) -> Score:
    """Return `score` later by `beats`, after time in its first tempo and meter."""

    def track_later(track: Track) -> Track:
        return replace(
            track,
            notes=[note._replace(onset=note.onset + beats) for note in track.notes],
            controls=[control._replace(onset=control.onset + beats) for control in track.controls],
        )

    return replace(
        score,
        tracks=[track_later(track) for track in score.tracks],
        tempos=[
            tempo._replace(onset=tempo.onset + beats if tempo.onset > 0 else 0.0)
            for tempo in score.tempos
        ],
        meters=[
            meter._replace(onset=meter.onset + beats if meter.onset > 0 else 0.0)
            for meter in score.meters
        ],
        key_signatures=[
            signature._replace(onset=signature.onset + beats if signature.onset > 0 else 0.0)
            for signature in score.key_signatures
        ],
        chords=[chord._replace(onset=chord.onset + beats) for chord in score.chords],
    )
