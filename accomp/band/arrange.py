"""Arrange what the decoders play as a band would: voices, voicings, registers, an ending.

Notes are [n, 3] int arrays of pitch, first step and end step, in steps of the grid and in the
melody's normal key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from accomp.music import keys
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.percussion import BASS_DRUM, CRASH
from accomp.roll.grid import BASS, BLOCK_STEPS, DRUMS, GUITAR, HALF_BAR_STEPS, STRINGS


@dataclass(frozen=True)
class PlayerSettings:
    """What an instrument can play.

    Attributes:
        median: MIDI pitches between which the track's median lies in the song's own key. Beyond
            them the whole track moves by octaves. Those of real songs lie about the middle (the
            mean of all notes is 37.7 for basses, 59.6 for guitars, 66.3 for strings: `train
            playing`).
        pitches: MIDI pitches that it plays; single notes outside move by octaves. A bass has four
            strings, from E1; strings leave what is below C3 to it.
        voices: notes at a time. Where the models learned from songs, several players share a part.
        steady: steps for which the number of voices is kept, see `steady_voices`; 0: it changes.
        longest: steps that a note sounds; plucked strings die away, bows turn.
        content: semitones, of `lead_voices`; 0 where decoders are unsure which notes are held.
        lowest_ending: MIDI pitch; below it the last chord's root is the bass's.
        lowest_under: MIDI pitch; to this one the last chord goes down to lie under the melody.
    """

    median: tuple[int, int]
    pitches: tuple[int, int]
    voices: int
    longest: int
    content: float = 0.0
    steady: int = 0
    lowest_ending: int = 0
    lowest_under: int = 0


@dataclass(frozen=True)
class ArrangeSettings:
    """How parts are arranged.

    Attributes:
        parts: by track, what its instrument can play.
        shortest_ending: steps that the last chord sounds at least.
        recent: half bars before the end in which a player who shall end with the others played.
        free_centre: semitones that a voicing's mean may lie from its centre.
        top_voice: weight of the top voice's leap beside the mean leap of all voices.
        free_phrase: semitones that a phrase's median may lie beyond that of the track.
    """

    parts: Mapping[int, PlayerSettings] = field(
        default_factory=lambda: {
            BASS: PlayerSettings((31, 44), (28, 50), voices=1, longest=16),
            GUITAR: PlayerSettings((54, 67), (35, 91), 5, 16, lowest_ending=48, lowest_under=40),
            STRINGS: PlayerSettings(
                (60, 73),
                (48, 100),
                voices=4,
                longest=32,
                steady=4 * BLOCK_STEPS,
                lowest_ending=50,
                lowest_under=45,
            ),
        }
    )
    shortest_ending: int = 4
    recent: int = 4
    free_centre: float = 7.0
    top_voice: float = 0.5
    free_phrase: int = 3


SETTINGS = ArrangeSettings()


def monophonic(notes: np.ndarray) -> np.ndarray:
    """Leave one note at a time.

    Of notes struck together the lowest stays. Each note ends where the next begins.
    """
    notes = notes[np.lexsort((notes[:, 0], notes[:, 1]))]
    first = np.append(True, notes[1:, 1] != notes[:-1, 1])[: len(notes)]
    notes = notes[first].copy()
    notes[:-1, 2] = np.minimum(notes[:-1, 2], notes[1:, 1])
    return notes


def thin_out(notes: np.ndarray, most: int) -> np.ndarray:
    """Leave at most `most` notes at a time.

    Of notes struck together, the top one and new pitch classes come first.
    """
    kept: list[tuple[int, int, int]] = []
    ordered = sorted(map(tuple, notes.tolist()), key=lambda note: (note[1], -note[0]))
    for start, struck in groupby(ordered, key=lambda note: note[1]):
        together = list(struck)
        held = [note for note in kept[-4 * most :] if note[2] > start]
        while together and len(held) < most:
            classes = {note[0] % 12 for note in held}
            chosen = next((note for note in together if note[0] % 12 not in classes), together[0])
            together.remove(chosen)
            held.append(chosen)
            kept.append(chosen)
    return np.array(kept, int).reshape(-1, 3)


def steady_voices(notes: np.ndarray, steps: int) -> np.ndarray:
    """Leave at most so many notes at a time as are usual (the median) in each stretch of steps.

    A section of strings has a number of voices; decoders add one and drop one from bar to bar.

    Args:
        notes: [n, 3].
        steps: Length of a stretch.
    """
    pieces = []
    for stretch in range(int(notes[:, 1].max(initial=-1)) // steps + 1):
        first = stretch * steps
        own = notes[(notes[:, 1] >= first) & (notes[:, 1] < first + steps)]
        if len(own):
            sounding = np.zeros(steps, int)
            for _, start, end in own.tolist():
                sounding[start - first : end - first] += 1
            pieces.append(thin_out(own, int(np.median(sounding[sounding > 0]))))
    return np.concatenate(pieces) if pieces else notes


def strike_again(notes: np.ndarray, longest: int) -> np.ndarray:
    """Strike notes of more than `longest` steps again at each multiple of it."""
    pieces = []
    for pitch, start, end in notes.tolist():
        while end - start > longest:
            cut = (start // longest + 1) * longest
            pieces.append((pitch, start, cut))
            start = cut
        pieces.append((pitch, start, end))
    return np.array(pieces, int).reshape(-1, 3)


def without_unisons(notes: np.ndarray) -> np.ndarray:
    """End a note where its pitch is struck again, so that no pitch sounds twice at a time.

    Of two notes of one pitch struck together the longer stays.
    """
    notes = notes[np.lexsort((-notes[:, 2], notes[:, 1], notes[:, 0]))]
    same = notes[1:, 0] == notes[:-1, 0]
    notes = notes[np.append(True, ~(same & (notes[1:, 1] == notes[:-1, 1])))[: len(notes)]].copy()
    same = notes[1:, 0] == notes[:-1, 0]
    notes[:-1, 2] = np.where(same, np.minimum(notes[:-1, 2], notes[1:, 1]), notes[:-1, 2])
    return notes


def lead_voices(
    notes: np.ndarray,
    plan: np.ndarray,
    centre: float,
    content: float = 0.0,
    settings: ArrangeSettings = SETTINGS,
) -> np.ndarray:
    """Invert chords so that voices move little, instead of shifting in parallel.

    In each half bar where the chord is new, the lowest pitches move up an octave or the highest
    down, whichever brings the voicing nearest to the one before without drifting from the centre.
    What is played stays where it is hardly farther.

    Args:
        notes: [n, 3] of a chordal track.
        plan: [H] chords.
        centre: MIDI pitch about which the voicings lie.
        content: semitones by which what is played may be farther.
        settings: what counts as near.

    Returns:
        [n, 3] the notes with other pitches.
    """
    notes = notes.copy()
    before, moves, last_chord = None, {}, None
    for rows in by_half_bar(notes):
        pitches = np.unique(notes[rows, 0])
        chord = plan[min(notes[rows[0], 1] // HALF_BAR_STEPS, len(plan) - 1)]
        if before is not None and (chord != last_chord or set(pitches) - set(moves)):
            moves = _nearest_inversion(pitches, before, centre, content, settings)
        elif before is None:
            moves = {int(p): int(p) for p in pitches}
        notes[rows, 0] = [moves[int(p)] for p in notes[rows, 0]]
        before, last_chord = sorted({moves[int(p)] for p in pitches}), chord
    return notes


def lead_bass(
    notes: np.ndarray, plan: np.ndarray, centre: float, settings: ArrangeSettings = SETTINGS
) -> np.ndarray:
    """Move what a bass plays to new chords by octaves, so that it does not jump without a reason.

    Args:
        notes: [n, 3] of the bass, in the order of their onsets.
        plan: [H] chords.
        centre: MIDI pitch about which it plays.
        settings: how far from that it plays freely.

    Returns:
        [n, 3] the notes with other pitches.
    """
    notes = notes.copy()
    half_bar = np.minimum(notes[:, 1] // HALF_BAR_STEPS, len(plan) - 1)
    changes = np.flatnonzero(np.diff(plan[half_bar])) + 1
    for first, after in zip(changes, [*changes[1:], len(notes)]):
        pitches, before = notes[first:after, 0], int(notes[first - 1, 0])
        mean, begins = float(pitches.mean()), int(pitches[0])
        costs = {
            by: abs(begins + by - before)
            + 2 * max(0.0, abs(mean + by - centre) - settings.free_centre)
            for by in (0, -12, 12)
        }
        notes[first:after, 0] += min(costs, key=lambda by: costs[by])
    return notes


def by_half_bar(notes: np.ndarray) -> list[np.ndarray]:
    """Return the rows of notes [n, 3] that begin in each half bar in which some do."""
    half_bar = notes[:, 1] // HALF_BAR_STEPS
    order = np.argsort(half_bar, kind="stable")
    _, firsts = np.unique(half_bar[order], return_index=True)
    return np.split(order, firsts[1:]) if len(notes) else []


def _nearest_inversion(
    pitches: np.ndarray,
    before: list[int],
    centre: float,
    content: float,
    settings: ArrangeSettings,
) -> dict[int, int]:
    """Choose the inversion nearest to the voicing before: pitch to new pitch."""
    played = {int(pitch): int(pitch) for pitch in pitches}

    def distance(way: dict[int, int]) -> float:
        farther = 0.0 if way == played else content
        return _distance(sorted(way.values()), before, centre, settings) + farther

    return min(inversions(pitches), key=distance)


def inversions(pitches: np.ndarray) -> list[dict[int, int]]:
    """List the ways to move pitches by octaves that keep close order: pitch to new pitch."""
    ordered = [int(p) for p in sorted(pitches)]
    ways = [{p: p + octave for p in ordered} for octave in (-12, 0, 12)]
    for count in range(1, len(ordered)):
        if ordered[-1] - ordered[0] < 24:  # of wide voicings the order would break
            ways.append({p: p + 12 * (i < count) for i, p in enumerate(ordered)})
            ways.append({p: p - 12 * (i >= count) for i, p in enumerate(ordered)})
    return ways


def _distance(
    pitches: list[int], before: list[int], centre: float, settings: ArrangeSettings
) -> float:
    """Measure how far a voicing is from the one before and from the centre, in semitones."""
    nearest = sum(min(abs(p - q) for q in before) for p in pitches) / len(pitches)
    spread = max(0, abs(sum(pitches) / len(pitches) - centre) - settings.free_centre)
    return nearest + settings.top_voice * abs(pitches[-1] - before[-1]) + spread


def in_range(
    notes: np.ndarray, shift: int, track: int, settings: ArrangeSettings = SETTINGS
) -> np.ndarray:
    """Transpose notes and bring them to where the instrument is at home.

    The track moves by whole octaves, and single notes into the pitches that the instrument has.

    Args:
        notes: [n, 3] of a pitched track.
        shift: semitones from the normal key to the song's.
        track: index in TRACKS.
        settings: the ranges.
    """
    if not len(notes):
        return notes
    notes, part = notes.copy(), settings.parts[track]
    notes[:, 0] += shift
    low, high = part.median
    median = int(np.median(notes[:, 0]))
    notes[:, 0] += 12 * (-(-max(low - median, 0) // 12) - -(-max(median - high, 0) // 12))
    notes[:, 0] = keys.fold(notes[:, 0], *part.pitches)
    return notes


def settle(
    notes: np.ndarray, phrases: np.ndarray, track: int, settings: ArrangeSettings = SETTINGS
) -> np.ndarray:
    """Bring phrases that have drifted away back to the player's register, by whole octaves.

    Args:
        notes: [n, 3] of a pitched track in the song's key.
        phrases: [P] the step at which each phrase begins, rising.
        track: index in TRACKS.
        settings: the registers.
    """
    notes, part = notes.copy(), settings.parts[track]
    low, high = part.median[0] - settings.free_phrase, part.median[1] + settings.free_phrase
    of_phrase = np.searchsorted(phrases, notes[:, 1], side="right")
    for phrase in np.unique(of_phrase):
        inside = of_phrase == phrase
        median = int(np.median(notes[inside, 0]))
        notes[inside, 0] += 12 * (-(-max(low - median, 0) // 12) - -(-max(median - high, 0) // 12))
    notes[:, 0] = keys.fold(notes[:, 0], *part.pitches)
    return notes


def ending_step(last_onset: int, end: int, settings: ArrangeSettings = SETTINGS) -> int:
    """Return the step at which the final chord is struck.

    It is struck with the melody's last note if that is held or begins a half bar, where the chord
    changes; else on the last half bar that leaves a beat to ring. Arguments in steps.
    """
    is_held = end - last_onset >= settings.shortest_ending
    if is_held or last_onset < end and last_onset % HALF_BAR_STEPS == 0:
        return last_onset
    return max(0, (end - settings.shortest_ending) // HALF_BAR_STEPS * HALF_BAR_STEPS)


def end_together(
    band: dict[int, np.ndarray],
    symbols: list[ChordSymbol],
    step: int,
    end: int,
    settings: ArrangeSettings = SETTINGS,
) -> dict[int, np.ndarray]:
    """Let everyone who has played strike the final chord and hold it.

    Args:
        band: by track, [n, 3] notes.
        symbols: [H] chords.
        step: where the final chord is struck.
        end: the step up to which it sounds.
        settings: who has played, and the lowest pitches.
    """
    symbol = symbols[min(step // HALF_BAR_STEPS, len(symbols) - 1)]
    ended = {}
    for track, notes in band.items():
        kept = notes[notes[:, 1] < step].copy()
        kept[:, 2] = np.minimum(kept[:, 2], step)
        since = min(step, kept[:, 1].max(initial=0)) - settings.recent * HALF_BAR_STEPS
        recent = kept[kept[:, 1] >= since]
        pitches = _final_pitches(track, recent, symbol, settings) if len(recent) else []
        held = [(pitch, step, step + 1 if track == DRUMS else end) for pitch in pitches]
        ended[track] = np.concatenate([kept, np.array(held, int).reshape(-1, 3)])
    return ended


def _final_pitches(
    track: int, recent: np.ndarray, symbol: ChordSymbol, settings: ArrangeSettings
) -> list[int]:
    """Return the pitches of the final chord of a track that played `recent` notes."""
    if track == DRUMS:
        return [BASS_DRUM, CRASH]
    if track == BASS:
        return [_nearest(recent[-1, 0], [symbol.root if symbol.bass is None else symbol.bass])]
    return _voicing(recent, sorted(symbol.tones), settings.parts[track].lowest_ending)


def ground(band: dict[int, np.ndarray], step: int) -> dict[int, np.ndarray]:
    """Put the bass under all others in the chord struck at `step`."""
    lowest = min(
        (int(p) for track in (GUITAR, STRINGS) for p, start, _ in band[track] if start == step),
        default=127,
    )
    bass = band[BASS].copy()
    last = bass[:, 1] == step
    above = np.maximum(bass[last, 0] - lowest, 0)
    bass[last, 0] = np.maximum(bass[last, 0] - 12 * -(-above // 12), bass[last, 0] % 12 + 24)
    return band | {BASS: bass}


def end_under(
    band: dict[int, np.ndarray], step: int, melody: int, settings: ArrangeSettings = SETTINGS
) -> dict[int, np.ndarray]:
    """Put the tones of the chord struck at `step` under the melody, as far as players can go down.

    Args:
        band: by track, [n, 3] notes in the song's key.
        step: where the final chord is struck.
        melody: the melody's lowest MIDI pitch from there on.
        settings: how far down players go.
    """
    under = {}
    for track, part in settings.parts.items():
        notes = band[track].copy()
        last = notes[:, 1] == step
        if track != BASS:
            above = np.maximum(notes[last, 0] - melody, 0)
            possible = np.maximum(notes[last, 0] - part.lowest_under, 0) // 12
            notes[last, 0] -= 12 * np.minimum(-(-above // 12), possible)
        under[track] = notes
    return band | under


def _voicing(recent: np.ndarray, tones: list[int], lowest: int) -> list[int]:
    """Voice a chord near the pitches that sounded last, above `lowest`.

    It has one, two or more tones, as the texture had.
    """
    sounding = np.unique(recent[recent[:, 2] >= recent[:, 2].max() - HALF_BAR_STEPS, 0])
    pitches = {_nearest(pitch, tones) for pitch in sounding[-4:]}
    if len(sounding) > 1:
        for tone in tones:  # all tones of the chord sound in a final one
            if not any(p % 12 == tone for p in pitches):
                pitches.add(_nearest(sounding[len(sounding) // 2], [tone]))
    return sorted({int(p) + 12 * -(-max(lowest - int(p), 0) // 12) for p in pitches})


def _nearest(pitch: int, tones: Iterable[int]) -> int:
    """Return the nearest pitch whose pitch class is one of `tones`; of two, the lower."""
    return int(
        min(
            (pitch + d for d in range(-6, 7) if (pitch + d) % 12 in tones),
            key=lambda p: (abs(p - pitch), p),
        )
    )
