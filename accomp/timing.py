"""How a score's time is written down: tempo, note values and bar lines, where a file says them wrongly or not at all."""

from dataclasses import replace

from accomp.errors import MusicError
from accomp.opening import delayed
from accomp.score import Score, Tempo, TimeSignature

SLOWEST, FASTEST = 10.0, 400.0  # beats a minute
DENOMINATORS = (1, 2, 4, 8, 16)


def mean_tempo(score: Score) -> float:
    """Quarters a minute from the first note to the end of the last one."""
    start = min((track.start for track in score.tracks if track.notes), default=0.0)
    end = max(score.end, start + 1.0)
    return 60 * (end - start) / (score.seconds(end) - score.seconds(start))


def at_tempo(score: Score, bpm: float) -> Score:
    """The same notes at another tempo, quarters a minute on the whole; changes of tempo stay in proportion. Raises MusicError."""
    if not SLOWEST <= bpm <= FASTEST:
        raise MusicError(f"a tempo of {bpm:g} was asked for; {SLOWEST:g} to {FASTEST:g} beats a minute are accepted")
    factor = mean_tempo(score) / bpm
    tempos = score.tempos or [Tempo(0.0, 500_000)]
    return replace(score, tempos=[tempo._replace(microseconds=max(round(tempo.microseconds * factor), 1)) for tempo in tempos])


def renotated(score: Score, factor: float) -> Score:
    """The same sound in note values `factor` times as long: 2 writes quarters for eighths, at twice the tempo."""
    tracks = [
        replace(
            track,
            notes=[note._replace(onset=note.onset * factor, duration=note.duration * factor) for note in track.notes],
            controls=[control._replace(onset=control.onset * factor) for control in track.controls],
        )
        for track in score.tracks
    ]
    return replace(
        score,
        tracks=tracks,
        tempos=[Tempo(tempo.onset * factor, max(round(tempo.microseconds / factor), 1)) for tempo in score.tempos],
        meters=[meter._replace(onset=meter.onset * factor) for meter in score.meters],
        chords=[chord._replace(onset=chord.onset * factor) for chord in score.chords],
    )


def in_meter(score: Score, meter: tuple[int, int]) -> Score:
    """The same notes between other bar lines. Raises MusicError."""
    numerator, denominator = meter
    if not (1 <= numerator <= 32 and denominator in DENOMINATORS):
        raise MusicError(f"a meter of {numerator}/{denominator} was asked for; such as 4/4, 3/4 or 6/8 are accepted")
    return replace(score, meters=[TimeSignature(0.0, numerator, denominator)])


def bar_lines_later(score: Score, pulses: int) -> Score:
    """The same notes with every bar line so many pulses of the first meter later (earlier where negative)."""
    _, numerator, denominator = score.meters[0]
    compound = denominator >= 8 and numerator % 3 == 0
    beats = pulses * (12 if compound else 4) / denominator
    return delayed(score, -beats % score.meters[0].bar_beats)
