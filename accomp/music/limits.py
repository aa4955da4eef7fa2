"""How much music a score may hold, so that what follows takes limited time and memory."""

from dataclasses import dataclass

from accomp.errors import MusicError
from accomp.music.score import Score


@dataclass(frozen=True)
class ScoreLimits:
    """The largest file that is read."""

    bytes: int = 5_000_000
    minutes: float = 30
    # 30 minutes at 1000 beats a minute; a tempo map can hide any number of beats in a second.
    beats: int = 30_000
    notes: int = 100_000


def check_score(score: Score, limits: ScoreLimits = ScoreLimits()) -> None:
    """Check what a file holds.

    Raises:
        MusicError: It has only drums, or is above a limit.
    """
    if all(track.is_drum for track in score.tracks):
        raise MusicError("the file has only drums; accepted: files with at least one pitched note")
    end = score.end
    if end > limits.beats:
        raise MusicError(f"the music lasts {end:,.0f} beats; accepted: up to {limits.beats:,}")
    minutes = score.seconds(end) / 60
    if minutes > limits.minutes:
        raise MusicError(
            f"the music lasts {minutes:.1f} minutes; accepted: up to {limits.minutes:g}"
        )
