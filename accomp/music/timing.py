"""How a score's time is written down: tempo, note values and bar lines, where a file says them wrongly or not at all."""

from dataclasses import replace

from accomp.errors import MusicError
from accomp.music.score import Score, Tempo, TimeSignature

TEMPO_RANGE = (10.0, 400.0)  # quarters a minute that are accepted
DENOMINATORS = (1, 2, 4, 8, 16)
LONGEST_BEAT = 2**24 - 1  # microseconds, and
FINEST = 2**15 - 1  # ticks a beat, that a MIDI file can hold


def mean_tempo(score: Score) -> float:
    """Quarters a minute from the first note to the end of the last one."""
    start = min((track.start for track in score.tracks if track.notes), default=0.0)
    end = max(score.end, start + 1.0)
    return 60 * (end - start) / (score.seconds(end) - score.seconds(start))


def at_tempo(score: Score, bpm: float) -> Score:
    """The same notes at another tempo, quarters a minute on the whole; changes of tempo stay in proportion. Raises MusicError."""
    slowest, fastest = TEMPO_RANGE
    if not slowest <= bpm <= fastest:
        raise MusicError(
            f"a tempo of {bpm:g} was asked for; {slowest:g} to {fastest:g} beats a minute are accepted"
        )
    factor = mean_tempo(score) / bpm
    tempos = score.tempos or [Tempo(0.0, 500_000)]
    return replace(
        score,
        tempos=[
            tempo._replace(microseconds=max(round(tempo.microseconds * factor), 1))
            for tempo in tempos
        ],
    )


def renotated(score: Score, factor: float) -> Score:
    """The same sound in note values `factor` times as long: 2 writes quarters for eighths, at twice the tempo. Raises MusicError
    where that would be slower than MIDI can say.
    """
    slowest = max((tempo.microseconds for tempo in score.tempos), default=500_000) / factor
    if slowest > LONGEST_BEAT:
        raise MusicError(
            f"a beat would last {slowest / 1e6:.0f} seconds; accepted: up to {LONGEST_BEAT / 1e6:.1f}"
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
    return replace(
        score,
        tracks=tracks,
        resolution=min(
            round(score.resolution * max(1 / factor, 1)), FINEST
        ),  # shorter notes need finer ticks
        tempos=[
            Tempo(tempo.onset * factor, max(round(tempo.microseconds / factor), 1))
            for tempo in score.tempos
        ],
        meters=[meter._replace(onset=meter.onset * factor) for meter in score.meters],
        chords=[chord._replace(onset=chord.onset * factor) for chord in score.chords],
    )


def check_meter(meter: tuple[int, int]) -> None:
    """Raises MusicError."""
    numerator, denominator = meter
    if not (1 <= numerator <= 32 and denominator in DENOMINATORS):
        raise MusicError(
            f"a meter of {numerator}/{denominator} was asked for; such as 4/4, 3/4 or 6/8 are accepted"
        )


def in_meter(score: Score, meter: tuple[int, int]) -> Score:
    """The same notes between other bar lines. Raises MusicError."""
    check_meter(meter)
    return replace(score, meters=[TimeSignature(0.0, *meter)])


def bar_lines_later(score: Score, pulses: int) -> Score:
    """The same notes with every bar line so many pulses of the first meter later (earlier where negative)."""
    first, *others = score.meters
    beats = pulses * first.pulse
    moved = delayed(score, -beats % first.bar_beats)
    by = (
        -beats % first.bar_beats + beats
    )  # whole bars: later meters begin where a bar of the first would
    return replace(
        moved,
        meters=[
            first,
            *(meter._replace(onset=meter.onset + by) for meter in others if meter.onset + by > 0),
        ],
    )


def delayed(score: Score, beats: float) -> Score:
    """Everything in `score` later by `beats`, in the tempo and meter of its beginning."""
    tracks = [
        replace(
            track,
            notes=[note._replace(onset=note.onset + beats) for note in track.notes],
            controls=[control._replace(onset=control.onset + beats) for control in track.controls],
        )
        for track in score.tracks
    ]
    tempos = [
        tempo._replace(onset=tempo.onset + beats if tempo.onset > 0 else 0.0)
        for tempo in score.tempos
    ]
    meters = [
        meter._replace(onset=meter.onset + beats if meter.onset > 0 else 0.0)
        for meter in score.meters
    ]
    chords = [chord._replace(onset=chord.onset + beats) for chord in score.chords]
    return replace(score, tracks=tracks, tempos=tempos, meters=meters, chords=chords)
