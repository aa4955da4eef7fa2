"""Learn how loud and when the band's notes are played: `python -m train feel --corpus CORPUS --run RUN`.

A small network learns each note's velocity, relative to its track's level and deviation in the song, from tracks whose
velocities vary. Levels, swing and micro-timing of each genre are statistics: micro-timing of tracks that were played and not
quantised, swing of all songs whose off-beat eighths lie between the steps.
"""

import json
from dataclasses import asdict, dataclass

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from accomp.models.feel import Feel, FeelConfig
from accomp.models.note_features import FEATURES, note_features, with_genre
from accomp.models.swing import MelodyTiming, swing_in
from accomp.roll.grid import (
    ACCOMPANIMENT,
    BAR_STEPS,
    BASS,
    BLOCK_STEPS,
    DRUMS,
    GUITAR,
    MELODY,
    STEPS_PER_BEAT,
    STRINGS,
    TRACK_NAMES,
    TRACKS,
)
from train.data.corpus import Corpus
from train.fit.loop import FitSettings, FunctionTask, fit
from train.fit.run_files import FIGURES, find_weights, save_weights, write_json
from train.fit.settings import Session, training_parser

CONFIG = "config.json"
FIT = {
    "epochs": 8,
    "batch_size": 2048,
    "learning_rate": 3e-3,
    "weight_decay": 0.01,
    "sample_every": 1000,
}
FINE_TUNE = FIT | {"epochs": 4, "learning_rate": 3e-4}

LEAST_VARIED = 2.0  # velocity; a track that deviates less was entered with one velocity and has no dynamics to teach
FEWEST_NOTES = 32  # of such a track
NOTES_PER_TRACK = 160  # of a song, by chance, so that long songs don't outweigh others
GENRE_UNKNOWN = 0.15  # how often the network must do without the genre
LAG_SONGS = 150  # to learn from how slowly loudness changes

PLAYED = (
    0.02,
    0.15,
)  # steps; median absolute deviation on the beat: less is quantised, more follows no beat
DIFFERENT = 5  # onsets in a track that was played take at least so many places beside the beat
SWINGS = 0.4  # of the off-beat eighths, for a song to be one that swings
EVEN = 0.9  # of the beats, for a song to say anything about swing
PRIOR_TRACKS = 4  # the statistics of all songs count as so many played tracks of a genre
MOST_DELAY = 0.1  # steps
MOST_JITTER = {
    MELODY: 0.12,
    DRUMS: 0.08,
    BASS: 0.06,
    GUITAR: 0.12,
    STRINGS: 0.12,
}  # steps; the rhythm section stays tight
BY_GENRE = ("level", "deviation", "position_mean", "swing", "swing_share", "delay", "jitter")
SMALL = 0.25  # steps; what is further from its step is part of a triplet, not late


def main(arguments: list[str] | None = None) -> None:
    session = Session.open(training_parser("feel", __doc__).parse_args(arguments))
    options, corpus = session.options, session.corpus
    songs = {split: session.songs(split) for split in ("train", "val", "test")}
    torch.manual_seed(options.seed)
    model = start(session)
    timings = {
        song: song_timing(corpus.notes_of(song), corpus.songs[song].get("even", 1.0))
        for song in songs["train"]
    }
    genres = [session.genre_of(song["genre"]) for song in corpus.songs]
    if not options.genre:
        fit_feel(model, corpus, songs["train"], len(model.config.genres), timings)
        for slot, genre in enumerate(model.config.genres):
            fit_feel(
                model,
                corpus,
                [song for song in songs["train"] if genres[song] == genre],
                slot,
                timings,
            )
    else:
        fit_feel(model, corpus, songs["train"], model.config.slot, timings)
    slots = [
        model.config.genres.index(g) if g in model.config.genres else len(model.config.genres)
        for g in genres
    ]
    lessons = {split: Lessons.of(corpus, songs[split], slots, options.seed) for split in songs}
    for split in ("train", "val"):
        if not len(lessons[split].target):
            raise SystemExit(f"no {split} song has a track with varied velocities")
    train_network(model, lessons, session)
    fit_noise(model, corpus, songs["train"], slots)
    folder = options.run / "feel"
    save_weights(folder, model)
    write_json(folder / CONFIG, asdict(model.config))
    baseline = position_baseline(lessons["train"])
    figures = {
        s: evaluate(model, lessons[s], baseline) for s in ("val", "test") if len(lessons[s].target)
    }
    known = {
        "seed": options.seed,
        "notes": len(lessons["train"].target),
        "data": session.learned_from("feel"),
    }
    write_json(
        folder / FIGURES, {**known, **figures, "learned": learned(model, songs, genres, timings)}
    )


def start(session: Session) -> Feel:
    """A new Feel that knows the corpus's genres, or the one of --init; it plays the genre that is trained."""
    options = session.options
    if options.init:
        weights = load_file(find_weights(options.init, "feel"))
        known = json.loads((options.init / "feel" / CONFIG).read_text())
        model = Feel(FeelConfig(**known | {"genre": options.genre or known["genre"]}))
        model.load_state_dict(weights)
        return model
    genres = sorted({session.genre_of(song["genre"]) for song in session.corpus.songs})
    return Feel(FeelConfig(genres, options.genre or ""))


def trained_feel(session: Session) -> Feel:
    """The Feel that this run trained, or the one it started from, to play the session's genre. Where neither has one, it has
    the statistics of the training songs and a network that expects each track's level.
    """
    options = session.options
    folder = next(
        (
            run / "feel"
            for run in (options.run, options.init)
            if run and (run / "feel" / CONFIG).is_file()
        ),
        None,
    )
    if folder is None:
        model = Feel(FeelConfig([], options.genre or ""))
        fit_feel(model, session.corpus, session.songs("train"), model.config.slot)
        return model.eval()
    config = json.loads((folder / CONFIG).read_text())
    model = Feel(FeelConfig(**config | {"genre": options.genre or ""}))
    model.load_state_dict(load_file(find_weights(folder.parent, "feel")))
    return model.eval()


# The network


@dataclass
class Lessons:
    """Notes to learn velocities from: rows [n, FEATURES] without genre, slot [n] int, target [n] in deviations of their
    track, and for the figures song, track and position in the bar, [n] int each.
    """

    rows: np.ndarray
    slot: np.ndarray
    target: np.ndarray
    song: np.ndarray
    track: np.ndarray
    position: np.ndarray

    @classmethod
    def of(cls, corpus: Corpus, songs: list[int], slots: list[int], seed: int) -> "Lessons":
        """Some notes of each track with varied velocities of the songs; slots: the genre of each song of the corpus."""
        random = np.random.default_rng(seed)
        rows, targets, places = (
            [np.zeros((0, FEATURES), np.float32)],
            [np.zeros(0)],
            [np.zeros((0, 4), int)],
        )
        for song in songs:
            for track, notes, row, target in varied_tracks(corpus, song):
                chosen = random.permutation(len(notes))[:NOTES_PER_TRACK]
                rows.append(row[chosen])
                targets.append(target[chosen])
                place = np.empty((len(chosen), 4), int)
                place[:] = slots[song], song, track, 0
                place[:, 3] = notes[chosen, 1] % BAR_STEPS
                places.append(place)
        slot, song, track, position = np.concatenate(places).T
        return cls(
            np.concatenate(rows),
            slot,
            np.concatenate(targets).astype(np.float32),
            song,
            track,
            position,
        )

    def batch(self, index: np.ndarray, genres: int, known: np.ndarray) -> tuple[Tensor, Tensor]:
        """Rows with genre (where `known`) and targets of the notes at `index`."""
        one_hot = np.eye(genres + 1, dtype=np.float32)[np.where(known, self.slot[index], genres)][
            :, :genres
        ]
        return torch.from_numpy(np.concatenate([self.rows[index], one_hot], 1)), torch.from_numpy(
            self.target[index]
        )


def varied_tracks(corpus: Corpus, song: int):
    """Of each accompanying track of a song with varied velocities: track, notes [n, 3], features and velocities in
    deviations from its mean.
    """
    table = np.array(corpus.notes_of(song))
    tune = tune_of(table)
    for track in ACCOMPANIMENT:
        part = table[table["track"] == track]
        velocity = part["velocity"].astype(float)
        if len(part) >= FEWEST_NOTES and velocity.std() >= LEAST_VARIED:
            notes = in_steps(part)
            yield (
                track,
                notes,
                note_features(notes, track, tune),
                (velocity - velocity.mean()) / velocity.std(),
            )


def tune_of(table: np.ndarray) -> MelodyTiming:
    """The melody of a song's notes, all of whose beats are taken as even."""
    melody = table[table["track"] == MELODY]
    steps = int(table["step"].max(initial=0)) + BLOCK_STEPS
    values = (
        melody["step"].astype(int),
        melody["offset"].astype(float),
        melody["velocity"].astype(float),
    )
    return MelodyTiming(*values, np.ones(steps, bool))


def in_steps(table: np.ndarray) -> np.ndarray:
    """[n, 3] int pitch, first step and end step of NOTEs."""
    pitch, step, duration = (table[name].astype(int) for name in ("pitch", "step", "duration"))
    return np.stack([pitch, step, step + duration], 1)


def train_network(model: Feel, lessons: dict[str, Lessons], session: Session) -> None:
    genres, train = len(model.config.genres), lessons["train"]

    def batches(generator: torch.Generator, size: int):
        order = torch.randperm(len(train.target), generator=generator).numpy()
        known = (torch.rand(len(order), generator=generator) >= GENRE_UNKNOWN).numpy()
        for at in range(0, len(order), size):
            yield train.batch(order[at : at + size], genres, known[at : at + size])

    def losses(progress: float, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        rows, target = batch
        return {"loss": negative_log_likelihood(*model(rows), target).mean()}

    def validate() -> dict[str, float]:
        target = torch.from_numpy(lessons["val"].target)
        return {
            "loss": float(negative_log_likelihood(*predict(model, lessons["val"]), target).mean())
        }

    options = session.options
    training = session.config["training"]
    stage, default = (training["fine_tune"], FINE_TUNE) if options.init else (training, FIT)
    settings = FitSettings(**stage.get("feel", default), seed=options.seed)
    fit(
        options.run / "feel",
        FunctionTask(model, losses, batches, validate),
        settings,
        options.max_steps,
    )


@torch.no_grad()
def predict(model: Feel, lessons: Lessons) -> tuple[Tensor, Tensor]:
    """Mean and spread [n], on the CPU."""
    index, genres = np.arange(len(lessons.target)), len(model.config.genres)
    rows = lessons.batch(index, genres, np.ones(len(index), bool))[0]
    mean, spread = model(rows.to(model.level.device))
    return mean.cpu(), spread.cpu()


def negative_log_likelihood(mean: Tensor, spread: Tensor, target: Tensor) -> Tensor:
    """[n] nats, of a normal distribution, in deviations of the track."""
    return 0.5 * ((target - mean) / spread) ** 2 + spread.log() + 0.5 * np.log(2 * np.pi)


def position_baseline(lessons: Lessons) -> tuple[np.ndarray, np.ndarray]:
    """Mean [5, 16] by track and sixteenth and deviation [5] around it, which is what plain velocities are."""
    at = lessons.track * BAR_STEPS + lessons.position
    size = len(TRACKS) * BAR_STEPS
    mean = (
        np.bincount(at, lessons.target, size) / np.maximum(np.bincount(at, minlength=size), 1)
    ).reshape(-1, BAR_STEPS)
    left = (lessons.target - mean[lessons.track, lessons.position]) ** 2
    count = np.maximum(np.bincount(lessons.track, minlength=len(TRACKS)), 1)
    return mean, np.sqrt(np.bincount(lessons.track, left, len(TRACKS)) / count) + 1e-3


def evaluate(
    model: Feel, lessons: Lessons, baseline: tuple[np.ndarray, np.ndarray]
) -> dict[str, float]:
    """Negative log likelihood and correlation of expected and real velocities within songs, of the network and of means by
    position in the bar.
    """
    mean, spread = predict(model, lessons)
    by_position = torch.from_numpy(baseline[0][lessons.track, lessons.position]).float()
    base_spread = torch.from_numpy(baseline[1][lessons.track]).float()
    target = torch.from_numpy(lessons.target)
    result = {
        "loss": float(negative_log_likelihood(mean, spread, target).mean()),
        "baseline_loss": float(negative_log_likelihood(by_position, base_spread, target).mean()),
        "correlation": correlation_within(lessons, mean.numpy()),
        "baseline_correlation": correlation_within(lessons, by_position.numpy()),
    }
    for track in ACCOMPANIMENT:
        result[f"correlation_{TRACK_NAMES[track]}"] = correlation_within(
            lessons, mean.numpy(), track
        )
    return result


def correlation_within(lessons: Lessons, expected: np.ndarray, track: int | None = None) -> float:
    """Mean over songs of the correlation of expected and real velocities; 0 for songs where all are expected alike."""
    found = []
    chosen = np.ones(len(expected), bool) if track is None else lessons.track == track
    for song in np.unique(lessons.song[chosen]):
        here = chosen & (lessons.song == song)
        known = expected[here].std() > 1e-6 and lessons.target[here].std() > 1e-6
        found.append(np.corrcoef(expected[here], lessons.target[here])[0, 1] if known else 0.0)
    return float(np.mean(found)) if found else 0.0


@torch.no_grad()
def fit_noise(model: Feel, corpus: Corpus, songs: list[int], slots: list[int]) -> None:
    """What of the variance that the network leaves open changes slowly and what notes struck together share, from how alike
    the rest is of notes one to two beats apart and of notes struck together.
    """
    products = np.zeros(
        (len(TRACKS), 2, 2)
    )  # by track: slow and together; sum of products and count
    lags = np.arange(STEPS_PER_BEAT, 2 * STEPS_PER_BEAT + 1)
    for song in songs[:: max(1, len(songs) // LAG_SONGS)]:
        for track, notes, rows, target in varied_tracks(corpus, song):
            rows = torch.from_numpy(with_genre(rows, slots[song], len(model.config.genres)))
            mean, spread = (part.numpy() for part in model(rows))
            rest = (target - mean) / spread
            rest = (rest - rest.mean()) / max(rest.std(), 1e-6)
            length = int(notes[-1, 1]) + 1
            total, count = (
                np.bincount(notes[:, 1], rest, length),
                np.bincount(notes[:, 1], minlength=length),
            )
            for lag in lags[lags < length]:
                products[track, 0] += (
                    (total[lag:] * total[:-lag]).sum(),
                    (count[lag:] * count[:-lag]).sum(),
                )
            squares = np.bincount(notes[:, 1], rest**2, length)
            products[track, 1] += (total**2 - squares).sum(), (count * (count - 1)).sum()
    alike = products[..., 0] / np.maximum(products[..., 1], 1)
    slow = np.clip(alike[:, 0] / np.exp(-lags.mean() / model.settings.memory), 0.0, 0.9)
    model.slow.copy_(torch.from_numpy(slow))
    model.shared.copy_(torch.from_numpy(np.clip(alike[:, 1] - slow, 0.0, 0.95 - slow)))


# The statistics of a genre


@dataclass
class Timing:
    """A song's times in steps. swing: of its late off-beat eighths, and their share of all (None where they are few); by
    track, of those that were played, else nan: delay [5, 4] at each step of a beat and jitter [5].
    """

    swing: float
    share: float | None
    delay: np.ndarray
    jitter: np.ndarray

    @property
    def swings(self) -> bool:
        return self.share is not None and self.share > SWINGS


def song_timing(notes: np.ndarray, even: float) -> Timing:
    """Of a song's NOTEs; even: the share of its beats whose steps are sixteenths."""
    track, step, offset = notes["track"], notes["step"].astype(int), notes["offset"].astype(float)
    swing, share, count = swing_in(step, offset)
    timing = Timing(
        swing,
        share if count >= FEWEST_NOTES and even >= EVEN else None,
        np.full((len(TRACKS), STEPS_PER_BEAT), np.nan),
        np.full(len(TRACKS), np.nan),
    )
    on_beat = step % STEPS_PER_BEAT == 0
    if even < EVEN or not on_beat.any():
        return timing
    beat = np.median(offset[on_beat])
    for part in range(len(TRACKS)):
        here = offset[on_beat & (track == part)]
        if len(here) < FEWEST_NOTES:
            continue
        deviation = float(np.median(np.abs(here - np.median(here))))
        if not PLAYED[0] < deviation < PLAYED[1] or len(np.unique(here)) < DIFFERENT:
            continue
        timing.jitter[part] = _jitter(step[on_beat & (track == part)], here)
        for place in range(STEPS_PER_BEAT):
            at = offset[
                (track == part) & (step % STEPS_PER_BEAT == place) & (np.abs(offset) < SMALL)
            ]
            # What lies between the beats of a song that swings tells of its swing, not of who is late.
            if len(at) >= 8 and (place == 0 or not timing.swings):
                timing.delay[part, place] = np.median(at) - beat
    return timing


def _jitter(step: np.ndarray, offset: np.ndarray) -> float:
    """Standard deviation of offsets [n] at rising steps without what drifts slowly, from how much successive strikes differ."""
    strikes, strike = np.unique(step, return_inverse=True)
    mean = np.bincount(strike, offset) / np.bincount(strike)
    change = np.diff(mean)[np.diff(strikes) <= BAR_STEPS]
    # Of a normal distribution the median absolute deviation is 1 / 1.4826 of the standard one; a difference has two of it.
    return 1.4826 * float(np.median(np.abs(change))) / np.sqrt(2) if len(change) >= 8 else np.nan


def fit_feel(
    model: Feel,
    corpus: Corpus,
    songs: list[int],
    slot: int,
    timings: dict[int, Timing] | None = None,
) -> None:
    """The statistics of the songs' playing as those of genre `slot` (the last one is all genres together, fitted first, and
    what the others lean on where they have little).
    """
    if not songs:
        for name in BY_GENRE:
            getattr(model, name)[slot] = getattr(model, name)[-1]
        return
    fit_velocities(model, corpus.velocity[songs], slot)
    if timings is None:
        timings = {
            song: song_timing(corpus.notes_of(song), corpus.songs[song].get("even", 1.0))
            for song in songs
        }
    fit_timing(model, [timings[song] for song in songs], slot)


def fit_velocities(model: Feel, sums: np.ndarray, slot: int) -> None:
    """From [songs, 5, 16, 3] counts, sums and sums of squares of velocities."""
    count, total, squares = np.moveaxis(sums.sum(2), -1, 0)
    mean = total / np.maximum(count, 1)
    deviation = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    plays = count >= FEWEST_NOTES
    varies = plays & (deviation >= LEAST_VARIED)
    by_position = np.moveaxis(sums.sum(0), -1, 0)
    for track in range(len(TRACKS)):
        if plays[:, track].any():  # every song counts once, however long it is
            model.level[slot, track] = float(mean[plays[:, track], track].mean())
        if varies[:, track].any():
            model.deviation[slot, track] = float(deviation[varies[:, track], track].mean())
        whole = by_position[1, track].sum() / max(by_position[0, track].sum(), 1)
        if whole:
            # A few notes at a rare position say little: lean on the track's mean.
            at = (by_position[1, track] + 50 * whole) / (by_position[0, track] + 50)
            model.position_mean[slot, track] = torch.from_numpy(at)


def fit_timing(model: Feel, timings: list[Timing], slot: int) -> None:
    known = [timing for timing in timings if timing.share is not None]
    swung = [timing.swing for timing in known if timing.swings]
    model.swing_share[slot] = len(swung) / max(len(known), 1)
    # A genre swings if most of its songs do, as much as the typical one of those.
    model.swing[slot] = float(np.median(swung)) if len(swung) > len(known) / 2 else 0.0
    model.delay[slot] = _leaning(np.stack([t.delay for t in timings]), model.delay[-1]).clamp(
        -MOST_DELAY, MOST_DELAY
    )
    most = torch.tensor([MOST_JITTER[track] for track in range(len(TRACKS))])
    model.jitter[slot] = torch.minimum(
        _leaning(np.stack([t.jitter for t in timings]), model.jitter[-1]), most
    )


def _leaning(values: np.ndarray, prior: Tensor) -> Tensor:
    """Median over the first axis of what is known, leaning on `prior` as if that were PRIOR_TRACKS more values."""
    known = torch.from_numpy(np.isfinite(values).sum(0))
    middle = torch.from_numpy(values).nanmedian(0).values.nan_to_num()
    return ((known * middle + PRIOR_TRACKS * prior) / (known + PRIOR_TRACKS)).float()


def learned(
    model: Feel, songs: dict[str, list[int]], genres: list[str], timings: dict[int, Timing]
) -> dict:
    """The statistics in words, for figures.json."""
    result = {}
    for slot, genre in enumerate([*model.config.genres, "all"]):
        chosen = [song for song in songs["train"] if genre in (genres[song], "all")]
        played = (
            np.isfinite([timings[song].jitter for song in chosen]).any(1).sum() if chosen else 0
        )
        result[genre] = {
            "songs": len(chosen),
            "played": int(played),
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


if __name__ == "__main__":
    main()
