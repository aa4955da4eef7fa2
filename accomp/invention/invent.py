"""Invent a melody, or continue one.

    accompanist = Accompanist.from_pretrained("pop")
    melody = invent(accompanist, bars=16, seed=1)
    song = accompanist.accompany(melody, chords="melody")

First comes the plan (accomp.invention.plan): sections that return, the form of each phrase, chords.
Then the MelodyNN chooses a latent for each new block (accomp.models.melody_nn), the piano VAE
decodes it under the chords, and the notes get their pitches (accomp.invention.pitch_line).
Letters: B blocks, H half bars of a block (4), Z latent size.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from accomp.band.chords import chord_changes, draw_qualities, plan_chords, with_sevenths
from accomp.band.form import Form
from accomp.band.lead import Lead
from accomp.band.options import SEED, Options
from accomp.checks import Range
from accomp.errors import MusicError
from accomp.invention.compose import ComposeSettings, MelodyStreams, MelodyTask, compose
from accomp.invention.pitch_line import SCALE
from accomp.invention.plan import Past
from accomp.models.band_model import BandModel
from accomp.models.melody_nn import MelodyConfig, MelodyNN, shipped_melody_nn
from accomp.music import keys
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.key_signatures import signature_of
from accomp.music.keys import Key, parse_key
from accomp.music.melody_turns import with_whole_melody
from accomp.music.score import Note, Score, Tempo, Track
from accomp.music.timing import mean_tempo
from accomp.roll import pianoroll
from accomp.roll.chord_plan import symbols_on_grid
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

BARS = Range("bars", 1, 64, whole=True)
MELODY_VARIATION = Range("variation", 0, 4)
TEMPO = Range("tempo", 10, 400, "10 to 400 beats a minute")
# From 0 to 1.5, about where melodies are most like real ones (train.eval.melody_figures).
VARIATION = 0.75
# Natural minor, with the raised sixth and seventh.
MINOR_SCALE = np.isin(np.arange(12), [0, 2, 3, 5, 7, 8, 9, 10, 11])


@dataclass(frozen=True)
class InventSettings:
    """How a melody is made and written down.

    Attributes:
        compose: how latents and pitches are chosen.
        loudness: mean velocity of a melody from nothing.
        off_beat: velocity less of notes without an accent.
        accents: velocity more than these on the multiples of these steps.
        usual_tempo: beats a minute, where a genre's tempi are not known.
        outside: how much notes outside of its scale speak against a key (see `likely_key`).
        holds_over: beats by which a last note may hold over into a bar that counts as new.
    """

    compose: ComposeSettings = ComposeSettings()
    loudness: int = 84
    off_beat: int = 3
    accents: Mapping[int, int] = field(
        default_factory=lambda: {BAR_STEPS: 6, HALF_BAR_STEPS: 4, STEPS_PER_BEAT: 2}
    )
    usual_tempo: float = 96.0
    outside: float = 2.0
    holds_over: float = 0.125


SETTINGS = InventSettings()


def invent(  # noqa: PLR0913 - a public call; all but the first four are keywords
    model: BandModel,
    bars: int = 16,
    seed: int = 0,
    variation: float = VARIATION,
    *,
    key: str | None = None,
    tempo: float | None = None,
    inventor: MelodyNN | None = None,
    settings: InventSettings = SETTINGS,
) -> Score:
    """Invent a melody in 4/4 as a genre has them.

    Args:
        model: the genre's models.
        bars: 1 to 64.
        seed: another seed gives another melody.
        variation: standard deviation of the noise on the latents (Tham & Kim 2021), 0 to 4.
        key: such as "A minor"; None to draw it as the genre's songs have them.
        tempo: beats a minute; None to draw it likewise.
        inventor: the MelodyNN; None for the package's.
        settings: how melodies are made.

    Returns:
        One track, with its chords in `chords`, for `model.accompany(melody, chords="melody")`.

    Raises:
        MusicError: an argument is out of range, or the MelodyNN learned from another piano VAE.
    """
    _check(bars, seed, variation)
    if tempo is not None:
        TEMPO.check(tempo)
    inventor = melody_nn_of(model, inventor)
    streams, config, genre = MelodyStreams(seed), inventor.config, model.config.genre
    wished = parse_key(key) if key else None
    drawn = streams.plan.random() < config.habit("minor", genre, 0.0)
    minor = wished.is_minor if wished else bool(drawn)
    tonics = np.array(config.habit("keys", genre, [1 / 12] * 12))
    bpm = tempo or round(draw_tempo(config, genre, streams.plan, settings))
    major = int(streams.plan.choice(12, p=tonics / tonics.sum()))
    if wished:
        major = (wished.tonic + 3 * minor) % 12
    shift = (major + 6) % 12 - 6
    grid = Grid(np.arange(-(-bars // 2) * BLOCK_STEPS + 1) / STEPS_PER_BEAT)
    present = grid.present[: bars * BAR_STEPS]
    task = MelodyTask(Past.none(config.latent), present, minor, bpm, variation)
    notes, plan = compose(model, inventor, task, streams, settings.compose)
    symbols = _symbols(plan.chords.reshape(-1), model, streams.plan)
    program = model.config.programs.get(TRACK_NAMES[MELODY], 0)
    track = Track("melody", program, notes=_notes(notes, grid, shift, settings.loudness, settings))
    onsets = grid.beats[:-1:HALF_BAR_STEPS]
    symbols = [symbol.transposed(shift) for symbol in symbols]
    own_key = Key((major - 3 * minor) % 12, bool(minor))
    chords = chord_changes(symbols, onsets, 4.0 * bars, own_key)
    return Score(
        [track],
        [Tempo(0.0, round(60e6 / bpm))],
        chords=chords,
        key_signatures=[signature_of(own_key)],
    )


def continue_melody(  # noqa: PLR0913 - a public call; all but the first five are keywords
    model: BandModel,
    score: Score,
    bars: int = 8,
    seed: int = 0,
    variation: float = VARIATION,
    *,
    options: Options = Options(),
    inventor: MelodyNN | None = None,
    settings: InventSettings = SETTINGS,
    **changes,
) -> Score:
    """Continue a melody in its key, tempo and meter, from the bar after its last note on.

    Args:
        model: the genre's models.
        score: a score with a melody, whose notes stay as they are.
        bars: new bars, 1 to 64.
        seed: another seed gives another continuation.
        variation: standard deviation of the noise on the latents, 0 to 4.
        options: `melody_track`, `key` and `chords` count. Where the chords are "planned", those
            that the score names stay, if it names any.
        inventor: the MelodyNN; None for the package's.
        settings: how melodies are made.
        **changes: fields of Options that replace those of `options`.

    Returns:
        One track. `chords` holds those of the given bars and of the new ones.

    Raises:
        MusicError: as `invent`, or there is no melody.
    """
    _check(bars, seed, variation)
    options = replace(options, **changes)
    inventor, streams = melody_nn_of(model, inventor), MelodyStreams(seed)
    if options.melody_track is None:
        score = with_whole_melody(score)
    lead = Lead.of(score, options.melody_track, key=options.key)
    if options.key is None and not score.key_signatures:
        lead = Lead.of(score, lead.index, key=likely_key(lead.line, settings))
    onset, end = _new_bars(score, lead.track, bars, settings)
    grid = Grid.of(score, lead.track.start, end - 1e-3)
    start, stop = int(grid.nearest_step(onset)), int(grid.nearest_step(end))
    stop -= int(np.argmax(grid.present[start:stop][::-1]))  # but for steps that the last bar lacks
    if lead.grid.present[:BAR_STEPS].any() != grid.present[:BAR_STEPS].any():
        # The melody is one bar, which those after it show to be a pickup.
        lead = replace(lead, grid=grid, planes=melody_planes(lead.line, lead.shift, grid))
    symbols = _given_chords(model, score, lead, options, streams.plan)
    symbols = symbols[: -(-start // HALF_BAR_STEPS)]
    past = _past(model, lead, grid, start, np.array([symbol.triad for symbol in symbols]))
    block = start - past.begun
    task = MelodyTask(
        past, grid.present[block:stop], lead.key.is_minor, mean_tempo(score), variation
    )
    notes, plan = compose(model, inventor, task, streams, settings.compose)
    notes[:, 1:] += block
    new = _symbols(plan.chords[past.blocks :].reshape(-1), model, streams.plan)
    symbols = symbols + new[-(-past.begun // HALF_BAR_STEPS) :]
    onsets = grid.beats[:stop:HALF_BAR_STEPS]
    symbols = [symbol.transposed(lead.shift) for symbol in symbols[: len(onsets)]]
    loudness = round(float(np.mean([note.velocity for note in lead.line])))
    added = _notes(notes, grid, lead.shift, loudness, settings)
    track = replace(lead.track, notes=lead.track.notes + added)
    chords = chord_changes(symbols, onsets, end, lead.key)
    return replace(score, tracks=[track], chords=chords)


def likely_key(line: list[Note], settings: InventSettings = SETTINGS) -> Key:
    """Estimate the key of a melody that has perhaps only begun.

    Of few notes, those outside of a key's scale say more than how long each of the others sounds,
    which is what `keys.profile_key` goes by.
    """
    sounds = np.bincount(
        [note.pitch % 12 for note in line],
        [min(max(note.duration, 0.05), 8.0) for note in line],
        12,
    )
    found = []
    for tonic in range(12):
        for is_minor, profile in ((False, keys.MAJOR), (True, keys.MINOR)):
            own = np.roll(sounds, -tonic)
            inside = MINOR_SCALE if is_minor else SCALE
            fit = np.corrcoef(own, profile)[0, 1] if own.std() > 0 else 0.0
            fit -= settings.outside * own[~inside].sum() / own.sum()
            found.append((round(float(fit), 9), not is_minor, -tonic))
    _, is_major, tonic = max(found)
    return Key(-tonic, not is_major)


def draw_tempo(
    config: MelodyConfig,
    genre: str,
    random: np.random.Generator,
    settings: InventSettings = SETTINGS,
) -> float:
    """Draw beats a minute, as the genre's songs have them.

    Args:
        config: of the MelodyNN, which knows the genre's tempi.
        genre: its name.
        random: draws.
        settings: the tempo where none are known.
    """
    tempi = config.habit("tempos", genre, [settings.usual_tempo])
    return float(np.interp(random.random(), np.linspace(0, 1, len(tempi)), tempi))


def melody_nn_of(model: BandModel, inventor: MelodyNN | None = None) -> MelodyNN:
    """Return the MelodyNN for a genre's models, by default the package's.

    Raises:
        MusicError: it learned from another piano VAE, so its latents would be other music, or
            noise.
    """
    inventor = inventor or shipped_melody_nn()
    known, found = inventor.config.piano_sha256, fingerprint(model)
    if found != known:
        raise MusicError(
            f"the MelodyNN can't invent for the models of {model.config.genre}: it learned from "
            f"another piano VAE (SHA-256 {known[:12]}..., these have {found[:12]}...); "
            "train one with train.fit.melody"
        )
    return inventor


def fingerprint(model: BandModel) -> str:
    """Return the SHA-256 of the piano VAE's half-precision weights, in hexadecimal.

    It is the same for models of all genres that share the VAE.
    """
    found = hashlib.sha256()
    for name, value in sorted(model.vae(MELODY).state_dict().items()):
        found.update(name.encode() + value.half().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def _check(bars: int, seed: int, variation: float) -> None:
    BARS.check(bars)
    MELODY_VARIATION.check(variation)
    SEED.check(seed)


def _given_chords(
    model: BandModel, score: Score, lead: Lead, options: Options, random: np.random.Generator
) -> list[ChordSymbol]:
    """Return the chords of a given melody by half bar, in its normal key."""
    given = options.chords if isinstance(options.chords, str) else list(options.chords)
    if given == "melody" or (given == "planned" and score.chords):
        given = score.chords
    if given != "planned":
        named, _ = symbols_on_grid(given, score, lead.track, lead.grid)
        return [symbol.transposed(-lead.shift) for symbol in named]
    form = Form.find(pianoroll.to_blocks(lead.planes), lead.first_block)
    options = replace(options, form=False)
    return plan_chords(model, score, lead, form, options, random)


def _past(model: BandModel, lead: Lead, grid: Grid, start: int, plan: np.ndarray) -> Past:
    """Return what comes before step `start` of a grid; a pickup's block is left out.

    plan: [at least start / 8] chords.
    """
    skipped = lead.first_block * BLOCK_STEPS if start >= (lead.first_block + 1) * BLOCK_STEPS else 0
    planes = melody_planes(lead.line, lead.shift, grid)[:, skipped:start]
    by_step = np.repeat(plan, HALF_BAR_STEPS)[skipped:start]
    begun = planes.shape[1] % BLOCK_STEPS
    if begun:  # the begun block goes on with what it began with
        missing = np.arange(begun, BLOCK_STEPS) % begun - begun
        planes = np.concatenate([planes, planes.take(missing, 1)], 1)
        by_step = np.concatenate([by_step, by_step.take(missing, 0)], 0)
    blocks = pianoroll.to_blocks(planes)
    chords = by_step[::HALF_BAR_STEPS].reshape(-1, BLOCK_HALF_BARS)
    device = model.device
    latents = model.encode(
        MELODY, torch.from_numpy(blocks).to(device), torch.from_numpy(chords).to(device)
    ).cpu()
    pitch = int(lead.line[-1].pitch) - lead.shift
    if not begun:
        return Past(latents, chords, blocks, pitch)
    known = chords[-1, : -(-begun // HALF_BAR_STEPS)]
    return Past(latents[:-1], chords[:-1], blocks[:-1], pitch, begun, known, latents[-1, :-1])


def _new_bars(
    score: Score, track: Track, bars: int, settings: InventSettings
) -> tuple[float, float]:
    """Return the beats from the bar after a track's last note to the end of `bars` bars."""
    longest = max(meter.bar_beats for meter in score.meters)
    known = score.bars(track.end + (bars + 2) * longest)
    # However short the last note is, its bar is not new.
    last = max(note.onset for note in track.notes) + settings.holds_over / 2
    earliest = max(track.end - settings.holds_over, last)
    first = next(index for index, bar in enumerate(known) if bar.onset >= earliest)
    return known[first].onset, known[first + bars].onset


def _symbols(plan: np.ndarray, model: BandModel, random: np.random.Generator) -> list[ChordSymbol]:
    """Return the symbols of a plan [H], each chord with one seventh; the last one plain."""
    ending = len(plan) - 2 if (plan[-2:] == plan[-1]).all() else len(plan) - 1
    symbols = with_sevenths(plan[:ending], draw_qualities(model, random))
    return symbols + with_sevenths(plan[ending:], None)


def _notes(
    notes: np.ndarray, grid: Grid, shift: int, loudness: int, settings: InventSettings
) -> list[Note]:
    """Return notes [n, 3] of the normal key in beats, `shift` semitones higher, with accents."""
    found = []
    for note, (_, start, _) in zip(pianoroll.in_beats(notes, grid), notes):
        accent = next((a for every, a in settings.accents.items() if start % every == 0), 0)
        velocity = int(np.clip(loudness - settings.off_beat + accent, 1, 127))
        found.append(note._replace(pitch=note.pitch + shift, velocity=velocity))
    return found
