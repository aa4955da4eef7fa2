"""Count how a genre is played: how loud each track is, how much songs swing, who is late.

Swing comes from all songs whose off-beat eighths lie between the steps. Delay and jitter come from
tracks that were played and not quantised. All times are in steps.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from accomp.models.feel import Feel
from accomp.models.swing import swing_in
from accomp.roll.grid import BAR_STEPS, STEPS_PER_BEAT, TRACK_NAMES, TRACKS
from train.data.corpus import Corpus

BY_GENRE = ("level", "deviation", "position_mean", "swing", "swing_share", "delay", "jitter")
# Of a normal distribution, the standard deviation is this much of the median absolute deviation.
MEDIAN_TO_STANDARD = 1.4826


@dataclass(frozen=True)
class TrackChoice:
    """Which tracks say something."""

    least_varied: float = 2.0  # velocity; what deviates less was entered with one velocity
    fewest_notes: int = 32


@dataclass(frozen=True)
class StatisticsSettings:
    """How tracks and songs are counted."""

    tracks: TrackChoice = TrackChoice()
    even: float = 0.9  # share of a song's beats with four equal steps; others say nothing of swing
    swings: float = 0.4  # share of the off-beat eighths that are late, for a song that swings
    # Steps; median absolute deviation on the beat. Less is quantised, more follows no beat.
    played: tuple[float, float] = (0.02, 0.15)
    different: int = 5  # different places beside the beat, at least, of a track that was played
    small: float = 0.25  # steps; what is further from its step is part of a triplet, not late
    fewest: int = 8  # notes at a step, or changes from strike to strike, to take a median of
    prior_tracks: int = 4  # played tracks of a genre as which the statistics of all songs count
    prior_notes: int = 50  # notes at a sixteenth as which the track's mean counts
    most_delay: float = 0.1  # steps
    # Steps, by track as in TRACKS; the rhythm section stays tight.
    most_jitter: tuple[float, ...] = (0.08, 0.12, 0.12, 0.06, 0.12)


@dataclass
class Timing:
    """A song's times in steps.

    Attributes:
        swing: How late its late off-beat eighths are.
        share: Their share of all off-beat eighths; None where these are few.
        delay: [5, 4] of each track that was played, at each step of a beat; else nan.
        jitter: [5] of each track that was played; else nan.
        swings: Whether the song does.
    """

    swing: float
    share: float | None
    delay: np.ndarray
    jitter: np.ndarray
    swings: bool


def timings_of(
    corpus: Corpus, songs: list[int], settings: StatisticsSettings = StatisticsSettings()
) -> dict[int, Timing]:
    """Return the timing of songs by their number."""
    return {
        song: song_timing(corpus.notes_of(song), corpus.songs[song].get("even", 1.0), settings)
        for song in songs
    }


def song_timing(
    notes: np.ndarray, even: float, settings: StatisticsSettings = StatisticsSettings()
) -> Timing:
    """Return the timing of a song.

    notes: [n] NOTE; even: the share of its beats whose steps are sixteenths.
    """
    step, offset = notes["step"].astype(int), notes["offset"].astype(float)
    swing, share, count = swing_in(step, offset)
    known = count >= settings.tracks.fewest_notes and even >= settings.even
    timing = Timing(
        swing,
        share if known else None,
        np.full((len(TRACKS), STEPS_PER_BEAT), np.nan),
        np.full(len(TRACKS), np.nan),
        swings=known and share > settings.swings,
    )
    on_beat = step % STEPS_PER_BEAT == 0
    if even < settings.even or not on_beat.any():
        return timing
    beat = np.median(offset[on_beat])
    for track in range(len(TRACKS)):
        own = notes["track"] == track
        if _is_played(offset[on_beat & own], settings):
            timing.jitter[track] = _jitter(step[on_beat & own], offset[on_beat & own], settings)
            # What lies between the beats of a song that swings tells of its swing, not of who is
            # late.
            for place in range(1 if timing.swings else STEPS_PER_BEAT):
                near = own & (step % STEPS_PER_BEAT == place) & (np.abs(offset) < settings.small)
                if near.sum() >= settings.fewest:
                    timing.delay[track, place] = np.median(offset[near]) - beat
    return timing


def _is_played(offset: np.ndarray, settings: StatisticsSettings) -> bool:
    """Tell by a track's offsets on the beat [n] whether it was played and not quantised."""
    if len(offset) < settings.tracks.fewest_notes:
        return False
    deviation = float(np.median(np.abs(offset - np.median(offset))))
    least, most = settings.played
    return least < deviation < most and len(np.unique(offset)) >= settings.different


def _jitter(step: np.ndarray, offset: np.ndarray, settings: StatisticsSettings) -> float:
    """Return the standard deviation of offsets [n] at rising steps without what drifts slowly.

    It is found from how much successive strikes differ.
    """
    strikes, strike = np.unique(step, return_inverse=True)
    mean = np.bincount(strike, offset) / np.bincount(strike)
    change = np.diff(mean)[np.diff(strikes) <= BAR_STEPS]
    if len(change) < settings.fewest:
        return np.nan
    # A difference has twice the variance of what differs.
    return MEDIAN_TO_STANDARD * float(np.median(np.abs(change))) / np.sqrt(2)


def fit_feel_statistics(
    model: Feel,
    corpus: Corpus,
    timings: dict[int, Timing],
    slot: int,
    settings: StatisticsSettings = StatisticsSettings(),
) -> None:
    """Give a model the statistics of how songs are played.

    Args:
        model: Gets them.
        corpus: The songs.
        timings: Those to count, by number.
        slot: Which genre they are of. The last one is all genres together: it is fitted first, and
            the others lean on it where they have little.
        settings: How they are counted.
    """
    songs = list(timings)
    if not songs:
        for name in BY_GENRE:
            getattr(model, name)[slot] = getattr(model, name)[-1]
        return
    fit_velocities(model, corpus.velocity[songs], slot, settings)
    fit_timing(model, list(timings.values()), slot, settings)


def fit_velocities(
    model: Feel,
    sums: np.ndarray,
    slot: int,
    settings: StatisticsSettings = StatisticsSettings(),
) -> None:
    """Give a model the velocities of a genre's songs.

    Args:
        model: Gets level, deviation and mean by sixteenth of each track.
        sums: [songs, 5, 16, 3] counts, sums and sums of squares.
        slot: Which genre.
        settings: How they are counted.
    """
    count, total, squares = np.moveaxis(sums.sum(2), -1, 0)
    mean = total / np.maximum(count, 1)
    deviation = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    plays = count >= settings.tracks.fewest_notes
    varies = plays & (deviation >= settings.tracks.least_varied)
    by_position = np.moveaxis(sums.sum(0), -1, 0)
    for track in range(len(TRACKS)):
        if plays[:, track].any():  # every song counts once, however long it is
            model.level[slot, track] = float(mean[plays[:, track], track].mean())
        if varies[:, track].any():
            model.deviation[slot, track] = float(deviation[varies[:, track], track].mean())
        whole = by_position[1, track].sum() / max(by_position[0, track].sum(), 1)
        if whole:
            # A few notes at a rare position say little: lean on the track's mean.
            prior = settings.prior_notes
            at = (by_position[1, track] + prior * whole) / (by_position[0, track] + prior)
            model.position_mean[slot, track] = torch.from_numpy(at)


def fit_timing(
    model: Feel,
    timings: list[Timing],
    slot: int,
    settings: StatisticsSettings = StatisticsSettings(),
) -> None:
    """Give a model the timing of a genre's songs.

    Args:
        model: Gets swing, delay and jitter.
        timings: Of the songs.
        slot: Which genre.
        settings: How they are counted.
    """
    known = [timing for timing in timings if timing.share is not None]
    swung = [timing.swing for timing in known if timing.swings]
    model.swing_share[slot] = len(swung) / max(len(known), 1)
    # A genre swings if most of its songs do, as much as the typical one of those.
    model.swing[slot] = float(np.median(swung)) if len(swung) > len(known) / 2 else 0.0
    most, prior = settings.most_delay, settings.prior_tracks
    delay = _leaning(np.stack([timing.delay for timing in timings]), model.delay[-1], prior)
    model.delay[slot] = delay.clamp(-most, most)
    jitter = _leaning(np.stack([timing.jitter for timing in timings]), model.jitter[-1], prior)
    model.jitter[slot] = torch.minimum(jitter, torch.tensor(settings.most_jitter))


def _leaning(values: np.ndarray, prior: Tensor, weight: int) -> Tensor:
    """Return the median over the first axis of what is known, leaning on `prior`.

    The prior counts as `weight` more values.
    """
    known = torch.from_numpy(np.isfinite(values).sum(0))
    middle = torch.from_numpy(values).nanmedian(0).values.nan_to_num()
    return ((known * middle + weight * prior) / (known + weight)).float()


def describe_statistics(
    model: Feel, songs: list[int], genres: list[str], timings: dict[int, Timing]
) -> dict:
    """Describe the statistics of each genre and of all, for figures.json.

    Args:
        model: Has them.
        songs: Those that were counted.
        genres: The genre of each song of the corpus.
        timings: Of the songs, by number.
    """
    result = {}
    for slot, genre in enumerate([*model.config.genres, "all"]):
        chosen = [song for song in songs if genre in (genres[song], "all")]
        jitter = [timings[song].jitter for song in chosen]
        result[genre] = {
            "songs": len(chosen),
            "played": int(np.isfinite(jitter).any(1).sum()) if chosen else 0,
            "swing": _rounded(model.swing[slot]),
            "swing_share": _rounded(model.swing_share[slot]),
            "level": _by_track(model.level[slot]),
            "deviation": _by_track(model.deviation[slot]),
            "delay": _by_track(model.delay[slot]),
            "jitter": _by_track(model.jitter[slot]),
        }
    return result


def _by_track(values: Tensor) -> dict:
    return {name: _rounded(value) for name, value in zip(TRACK_NAMES, values)}


def _rounded(value: Tensor) -> float | list[float]:
    return np.round(value.numpy().astype(float), 3).tolist()
