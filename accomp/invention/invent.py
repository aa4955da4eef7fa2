"""Melodies that nobody brought: invented from nothing, or going on from a few bars.

    accompanist = Accompanist.from_pretrained("pop")
    melody = invent(accompanist, bars=16, seed=1)
    song = accompanist.accompany(melody, chords="melody")

First comes the plan (accomp.invention.plan): sections that return, the form of each phrase, chords. Then the MelodyNN chooses a latent
for each block that is new (accomp.models.melody_nn), the piano VAE decodes it under the chords, and the notes are sung (accomp.invention.pitch_line).
Letters: B blocks, H half bars of a block (4), Z latent size.
"""

import hashlib
from dataclasses import replace

import numpy as np
import torch

from accomp.band.accompanist import Accompanist
from accomp.band.chords import chord_changes, draw_qualities, plan_chords, with_sevenths
from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.errors import MusicError
from accomp.invention import pitch_line as singing
from accomp.invention.compose import compose
from accomp.invention.plan import Past
from accomp.models.melody_nn import MelodyConfig, MelodyNN, shipped_melody_nn
from accomp.music import keys as tonality
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.keys import Key, parse_key
from accomp.music.score import Chord, Note, Score, Tempo, Track
from accomp.music.timing import mean_tempo
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import (
    BAR_STEPS,
    BLOCK_HALF_BARS,
    BLOCK_STEPS,
    HALF_BAR_STEPS,
    MELODY,
    STEPS_PER_BEAT,
    TRACK_NAMES,
    Grid,
)
from accomp.roll.parts import melody_planes

MOST_BARS = 64
TOGETHER = 0.125  # beats by which a last note may hold over into a bar that is counted as new
MOST_VARIATION = 4.0  # as Accompanist.accompany
VARIATION = (
    0.75  # of 0 to 1.5 about where melodies are most like real ones (train.eval.melody_figures)
)
MINOR_SCALE = np.isin(
    np.arange(12), [0, 2, 3, 5, 7, 8, 9, 10, 11]
)  # natural, with the raised sixth and seventh
OUTSIDE = 2.0  # how much notes outside of its scale speak against a key
TEMPO, KEYS = [96.0], [1 / 12] * 12  # where a genre's are not known
LOUDNESS, ACCENT = (
    84,
    {BAR_STEPS: 6, HALF_BAR_STEPS: 4, STEPS_PER_BEAT: 2},
)  # velocity, and more on these multiples of a step


def invent(
    model: Accompanist,
    bars: int = 16,
    seed: int = 0,
    variation: float = VARIATION,
    *,
    key: str | None = None,
    tempo: float | None = None,
    inventor: MelodyNN | None = None,
) -> Score:
    """A melody of `bars` bars in 4/4 as `model`'s genre has them: a Score of one track, with its chords in `chords`, for
    `model.accompany(melody, chords="melody")`.

    seed: another one gives another melody; variation: standard deviation of the noise on the latents (Tham & Kim 2021); key:
    such as "A minor", and tempo in beats a minute: else drawn as the genre's songs have them; inventor: else the one of the
    package. Raises MusicError where an argument is out of range or the MelodyNN is not made for the model's piano VAE.
    """
    check(bars, seed, variation)
    inventor = melody_nn_of(model, inventor)
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    config, genre = inventor.config, model.config.genre
    wished = parse_key(key) if key else None
    drawn = random.random() < config.habit("minor", genre, 0.0)
    minor = wished.is_minor if wished else bool(drawn)
    tonics = np.array(config.habit("keys", genre, KEYS))
    bpm = tempo or round(draw_tempo(config, genre, random))
    major = int(random.choice(12, p=tonics / tonics.sum()))
    if wished:
        major = (wished.tonic + 3 * minor) % 12
    if tempo is not None and not 10 <= tempo <= 400:
        raise MusicError(f"tempo is {tempo}; accepted: 10 to 400 beats a minute")
    shift = (major + 6) % 12 - 6
    grid = Grid(np.arange(-(-bars // 2) * BLOCK_STEPS + 1) / STEPS_PER_BEAT)
    past = Past.none(config.latent)
    notes, plan = compose(
        model,
        inventor,
        past,
        bars * BAR_STEPS,
        grid.present,
        minor,
        bpm,
        random,
        generator,
        variation,
    )
    symbols = _coloured(plan.chords.reshape(-1), model, random)
    track = Track(
        "melody", model.config.programs.get(TRACK_NAMES[MELODY], 0), notes=_sung(notes, grid, shift)
    )
    return Score(
        [track],
        [Tempo(0.0, round(60e6 / bpm))],
        chords=chord_changes(
            [symbol.transposed(shift) for symbol in symbols],
            grid.beats[:-1:HALF_BAR_STEPS],
            4.0 * bars,
        ),
    )


def continue_melody(
    model: Accompanist,
    score: Score,
    bars: int = 8,
    seed: int = 0,
    variation: float = VARIATION,
    *,
    melody_track: int | None = None,
    key: str | None = None,
    chords: str | list[Chord] | None = None,
    inventor: MelodyNN | None = None,
) -> Score:
    """The melody of `score`, its notes as they are, and `bars` more bars in its key, tempo and meter, from the bar after its last
    note on. One track; `chords` of the result holds those that were given, else those of the score, else planned ones, and
    those of the new bars.

    melody_track, key and chords: as in `Accompanist.accompany`; the rest as in `invent`. Raises MusicError.
    """
    check(bars, seed, variation)
    inventor = melody_nn_of(model, inventor)
    lead = Lead.of(score, melody_track, key=key)
    if key is None:
        lead = Lead.of(score, lead.index, key=likely_key(lead.line))
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    onset, end = _new_bars(score, lead.track, bars)
    grid = Grid.of(score, lead.track.start, end - 1e-3)
    start, stop = int(grid.nearest_step(onset)), int(grid.nearest_step(end))
    stop -= int(np.argmax(grid.present[start:stop][::-1]))  # but for steps that the last bar lacks
    if (
        lead.grid.present[:BAR_STEPS].any() != grid.present[:BAR_STEPS].any()
    ):  # one bar, which those after it show to be a pickup
        lead = replace(lead, grid=grid, planes=melody_planes(lead.line, lead.shift, grid))
    chords = score.chords if chords is None else chords
    if chords:
        given, _ = chord_plan.symbols_on_grid(chords, score, lead.track, lead.grid)
        symbols = [symbol.transposed(-lead.shift) for symbol in given]
    else:
        symbols = plan_chords(
            model,
            lead,
            Form.find(pianoroll.to_blocks(lead.planes), lead.first_block, random),
            random,
            ending=False,
        )
    symbols = symbols[: -(-start // HALF_BAR_STEPS)]
    past = _past(model, lead, grid, start, np.array([symbol.triad for symbol in symbols]))
    block = start - past.begun
    notes, plan = compose(
        model,
        inventor,
        past,
        stop - block,
        grid.present[block:stop],
        lead.key.is_minor,
        mean_tempo(score),
        random,
        generator,
        variation,
    )
    notes[:, 1:] += block
    new = _coloured(plan.chords[past.blocks :].reshape(-1), model, random)[
        -(-past.begun // HALF_BAR_STEPS) :
    ]
    onsets = grid.beats[:stop:HALF_BAR_STEPS]
    loudness = round(float(np.mean([note.velocity for note in lead.line])))
    return replace(
        score,
        tracks=[
            replace(lead.track, notes=lead.track.notes + _sung(notes, grid, lead.shift, loudness))
        ],
        chords=chord_changes(
            [symbol.transposed(lead.shift) for symbol in (symbols + new)[: len(onsets)]],
            onsets,
            end,
        ),
    )


def likely_key(line: list[Note]) -> Key:
    """The key of a melody that is perhaps only begun: of the few notes that are there those outside of a key's scale say more
    than how long each of the others sounds, which is what `tonality.estimate_key` goes by.
    """
    sounds = np.bincount(
        [note.pitch % 12 for note in line],
        [min(max(note.duration, 0.05), 8.0) for note in line],
        12,
    )
    found = []
    for tonic in range(12):
        for is_minor, profile in ((False, tonality.MAJOR), (True, tonality.MINOR)):
            own = np.roll(sounds, -tonic)
            inside = MINOR_SCALE if is_minor else singing.SCALE
            fit = np.corrcoef(own, profile)[0, 1] if own.std() > 0 else 0.0
            found.append(
                (
                    round(float(fit - OUTSIDE * own[~inside].sum() / own.sum()), 9),
                    not is_minor,
                    -tonic,
                )
            )
    _, is_major, tonic = max(found)
    return Key(-tonic, not is_major)


def check(bars: int, seed: int, variation: float) -> None:
    if not isinstance(bars, (int, np.integer)) or not 1 <= bars <= MOST_BARS:
        raise MusicError(f"bars is {bars}; accepted: 1 to {MOST_BARS}")
    if not 0 <= variation <= MOST_VARIATION:
        raise MusicError(f"variation is {variation}; accepted: 0 to {MOST_VARIATION:g}")
    if not 0 <= seed < 2**63:
        raise MusicError(f"seed is {seed}; accepted: 0 to 2^63 - 1")


def _past(model: Accompanist, lead: Lead, grid: Grid, start: int, plan: np.ndarray) -> Past:
    """What comes before step `start` of `grid`; a pickup's block is left out. plan: [at least start / 8] chords."""
    skipped = lead.first_block * BLOCK_STEPS if start >= (lead.first_block + 1) * BLOCK_STEPS else 0
    planes = melody_planes(lead.line, lead.shift, grid)[:, skipped:start]
    by_step = np.repeat(plan, HALF_BAR_STEPS)[skipped:start]
    begun = planes.shape[1] % BLOCK_STEPS
    if begun:  # the begun block goes on with what it began with
        missing = np.arange(begun, BLOCK_STEPS) % begun - begun
        planes, by_step = (
            np.concatenate([rows, rows.take(missing, axis)], axis)
            for rows, axis in ((planes, 1), (by_step, 0))
        )
    blocks = pianoroll.to_blocks(planes)
    by_block = by_step[::HALF_BAR_STEPS].reshape(-1, BLOCK_HALF_BARS)
    latents = model.encode(
        MELODY,
        torch.from_numpy(blocks).to(model.device),
        torch.from_numpy(by_block).to(model.device),
    ).cpu()
    pitch = int(lead.line[-1].pitch) - lead.shift
    if not begun:
        return Past(latents, by_block, blocks, pitch)
    known = by_block[-1, : -(-begun // HALF_BAR_STEPS)]
    return Past(latents[:-1], by_block[:-1], blocks[:-1], pitch, begun, known, latents[-1, :-1])


def _new_bars(score: Score, track: Track, bars: int) -> tuple[float, float]:
    """Beats from the bar after a track's last note to the end of `bars` bars."""
    longest = max(meter.bar_beats for meter in score.meters)
    known = score.bars(track.end + (bars + 2) * longest)
    last = (
        max(note.onset for note in track.notes) + TOGETHER / 2
    )  # however short it is, its bar is not new
    first = next(
        index for index, bar in enumerate(known) if bar.onset >= max(track.end - TOGETHER, last)
    )
    return known[first].onset, known[first + bars].onset


def draw_tempo(config: MelodyConfig, genre: str, random: np.random.Generator) -> float:
    """Beats a minute, as the genre's songs have them."""
    tempi = config.habit("tempos", genre, TEMPO)
    return float(np.interp(random.random(), np.linspace(0, 1, len(tempi)), tempi))


def _coloured(
    plan: np.ndarray, model: Accompanist, random: np.random.Generator
) -> list[ChordSymbol]:
    """Return the symbols of a plan [H], each chord with one seventh; the last one plain."""
    ending = len(plan) - 2 if (plan[-2:] == plan[-1]).all() else len(plan) - 1
    symbols = with_sevenths(plan[:ending], draw_qualities(model, random))
    return symbols + with_sevenths(plan[ending:], None)


def _sung(notes: np.ndarray, grid: Grid, shift: int, loudness: int = LOUDNESS) -> list[Note]:
    """Notes [n, 3] of the normal key in beats, `shift` semitones higher, louder on the beats that count."""
    sung = []
    for note, (_, start, _) in zip(pianoroll.in_beats(notes, grid), notes):
        accent = next((more for every, more in ACCENT.items() if start % every == 0), 0)
        sung.append(
            note._replace(
                pitch=note.pitch + shift, velocity=int(np.clip(loudness - 3 + accent, 1, 127))
            )
        )
    return sung


def melody_nn_of(model: Accompanist, inventor: MelodyNN | None = None) -> MelodyNN:
    """The MelodyNN (`shipped_melody_nn`, by default) for a genre's models. Raises MusicError where its latents are not those of their
    piano VAE: they would be other music, or noise.
    """
    inventor = inventor or shipped_melody_nn()
    if fingerprint(model) != inventor.config.piano_sha256:
        raise MusicError(
            f"the MelodyNN can't invent for the models of {model.config.genre}: it learned from another piano VAE (SHA-256 "
            f"{inventor.config.piano_sha256[:12]}..., these have {fingerprint(model)[:12]}...); train one with train.fit.melody"
        )
    return inventor


def fingerprint(model: Accompanist) -> str:
    """SHA-256 of the piano VAE's half-precision weights, in hexadecimal: the same for models of all genres that share it."""
    found = hashlib.sha256()
    for name, value in sorted(model.vaes[TRACK_NAMES[MELODY]].state_dict().items()):
        found.update(name.encode() + value.half().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
