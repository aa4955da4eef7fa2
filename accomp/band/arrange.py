"""From what the decoders play to what a band would: one bass note at a time, smooth voicings, registers, an ending.

Notes are [notes, 3] int arrays of pitch, first step and end step, in steps of the grid and in the melody's normal key.
"""

from itertools import groupby

import numpy as np

from accomp.music import keys as tonality
from accomp.music.chord_symbols import ChordSymbol
from accomp.music.percussion import BASS_DRUM, CRASH
from accomp.roll.grid import BASS, DRUMS, GUITAR, HALF_BAR_STEPS, STRINGS

# Where a track's median pitch may lie in the song's own key and octave; beyond, the whole track moves by octaves. Each
# is a good deal wider than an octave, so that the band follows a transposed melody unless it must not.
MEDIAN_RANGE = {BASS: (28, 49), GUITAR: (43, 74), STRINGS: (45, 84)}
PITCH_RANGE = {
    BASS: (23, 60),
    GUITAR: (35, 91),
    STRINGS: (33, 100),
}  # what the instruments have; single notes move by octaves
MOST_VOICES = {GUITAR: 5, STRINGS: 4}  # learned from songs where several players share a part
LONGEST = {BASS: 16, GUITAR: 16, STRINGS: 32}  # steps; plucked strings die away, bows turn
SHORTEST_ENDING = 4  # steps
LOWEST_ENDING = {GUITAR: 48, STRINGS: 50}  # the root of the last chord is the bass's


def monophonic(notes: np.ndarray) -> np.ndarray:
    """One note at a time: of notes struck together the lowest stays, and each ends where the next begins."""
    notes = notes[np.lexsort((notes[:, 0], notes[:, 1]))]
    first = np.append(True, notes[1:, 1] != notes[:-1, 1])[: len(notes)]
    notes = notes[first].copy()
    notes[:-1, 2] = np.minimum(notes[:-1, 2], notes[1:, 1])
    return notes


def thin_out(notes: np.ndarray, most: int) -> np.ndarray:
    """At most `most` notes at a time: of those struck together the top one and new pitch classes come first."""
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


def strike_again(notes: np.ndarray, longest: int) -> np.ndarray:
    """Notes of more than `longest` steps struck again at each multiple of it that they hold over."""
    pieces = []
    for pitch, start, end in notes.tolist():
        while end - start > longest:
            cut = (start // longest + 1) * longest
            pieces.append((pitch, start, cut))
            start = cut
        pieces.append((pitch, start, end))
    return np.array(pieces, int).reshape(-1, 3)


def without_unisons(notes: np.ndarray) -> np.ndarray:
    """No pitch sounds twice at a time: a note ends where its pitch is struck again; of two struck together the longer stays."""
    notes = notes[np.lexsort((-notes[:, 2], notes[:, 1], notes[:, 0]))]
    same = notes[1:, 0] == notes[:-1, 0]
    notes = notes[np.append(True, ~(same & (notes[1:, 1] == notes[:-1, 1])))[: len(notes)]].copy()
    same = notes[1:, 0] == notes[:-1, 0]
    notes[:-1, 2] = np.where(same, np.minimum(notes[:-1, 2], notes[1:, 1]), notes[:-1, 2])
    return notes


def lead_voices(notes: np.ndarray, plan: np.ndarray, centre: float) -> np.ndarray:
    """Inversions in place of parallel shifts: in each half bar where the chord is new, the lowest pitches move up an octave
    or the highest down, whichever brings the voicing nearest to the one before, without drifting from `centre`.
    """
    notes = notes.copy()
    half_bar = notes[:, 1] // HALF_BAR_STEPS
    order = np.argsort(half_bar, kind="stable")
    indices, firsts = np.unique(half_bar[order], return_index=True)
    before, moves, last_chord = None, {}, None
    for index, rows in zip(indices, np.split(order, firsts[1:])):
        pitches = np.unique(notes[rows, 0])
        chord = plan[min(index, len(plan) - 1)]
        if before is not None and (chord != last_chord or set(pitches) - set(moves)):
            moves = min(
                _inversions(pitches), key=lambda v: _distance(sorted(v.values()), before, centre)
            )
        elif before is None:
            moves = {int(p): int(p) for p in pitches}
        notes[rows, 0] = [moves[int(p)] for p in notes[rows, 0]]
        before, last_chord = sorted({moves[int(p)] for p in pitches}), chord
    return notes


def _inversions(pitches: np.ndarray) -> list[dict[int, int]]:
    """Ways to move `pitches` by octaves that keep them in close order: pitch to new pitch."""
    ordered = [int(p) for p in sorted(pitches)]
    ways = [{p: p + octave for p in ordered} for octave in (-12, 0, 12)]
    for count in range(1, len(ordered)):
        if ordered[-1] - ordered[0] < 24:  # of wide voicings the order would break
            ways.append({p: p + 12 * (i < count) for i, p in enumerate(ordered)})
            ways.append({p: p - 12 * (i >= count) for i, p in enumerate(ordered)})
    return ways


def _distance(pitches: list[int], before: list[int], centre: float) -> float:
    nearest = sum(min(abs(p - q) for q in before) for p in pitches) / len(pitches)
    spread = max(0, abs(sum(pitches) / len(pitches) - centre) - 7)
    return nearest + 0.5 * abs(pitches[-1] - before[-1]) + spread


def in_range(notes: np.ndarray, shift: int, track: int) -> np.ndarray:
    """The notes `shift` semitones higher, the track moved by whole octaves to where it is at home, single notes into what the
    instrument has.
    """
    if not len(notes):
        return notes
    notes = notes.copy()
    notes[:, 0] += shift
    low, high = MEDIAN_RANGE[track]
    median = int(np.median(notes[:, 0]))
    notes[:, 0] += 12 * (-(-max(low - median, 0) // 12) - -(-max(median - high, 0) // 12))
    notes[:, 0] = tonality.fold(notes[:, 0], *PITCH_RANGE[track])
    return notes


def ending_step(last_onset: int, end: int) -> int:
    """Where the final chord is struck: with the melody's last note if that is held, else on the last half bar that leaves a
    beat to ring. Steps.
    """
    if end - last_onset >= SHORTEST_ENDING:
        return last_onset
    return max(0, (end - SHORTEST_ENDING) // HALF_BAR_STEPS * HALF_BAR_STEPS)


def end_together(
    band: dict[int, np.ndarray], symbols: list[ChordSymbol], step: int, end: int
) -> dict[int, np.ndarray]:
    """Everyone who has played strikes the final chord, of the chords by half bar, at `step` and holds it to `end`."""
    symbol = symbols[min(step // HALF_BAR_STEPS, len(symbols) - 1)]
    tones = sorted(symbol.tones)
    ended = {}
    for track, notes in band.items():
        kept = notes[notes[:, 1] < step].copy()
        kept[:, 2] = np.minimum(kept[:, 2], step)
        recent = kept[kept[:, 1] >= min(step, kept[:, 1].max(initial=0)) - 4 * HALF_BAR_STEPS]
        if track == DRUMS:
            final = [BASS_DRUM, CRASH] if len(recent) else []
        elif track == BASS:
            final = (
                [_nearest(recent[-1, 0], [symbol.root if symbol.bass is None else symbol.bass])]
                if len(recent)
                else []
            )
        else:
            final = _voicing(recent, tones, LOWEST_ENDING[track])
        held = [(pitch, step, step + 1 if track == DRUMS else end) for pitch in final]
        ended[track] = np.concatenate([kept, np.array(held, int).reshape(-1, 3)])
    return ended


def ground(band: dict[int, np.ndarray], step: int) -> dict[int, np.ndarray]:
    """The band, all in its own key and octaves, with the bass under all others in the chord struck at `step`."""
    lowest = min(
        (int(p) for track in (GUITAR, STRINGS) for p, start, _ in band[track] if start == step),
        default=127,
    )
    bass = band[BASS].copy()
    last = bass[:, 1] == step
    above = np.maximum(bass[last, 0] - lowest, 0)
    bass[last, 0] = np.maximum(bass[last, 0] - 12 * -(-above // 12), bass[last, 0] % 12 + 24)
    return band | {BASS: bass}


def _voicing(recent: np.ndarray, tones: list[int], lowest: int) -> list[int]:
    """The chord's tones, each near one of the pitches sounded last and above `lowest`; one, two or more as the texture was."""
    if not len(recent):
        return []
    sounding = np.unique(recent[recent[:, 2] >= recent[:, 2].max() - HALF_BAR_STEPS, 0])
    pitches = {_nearest(pitch, tones) for pitch in sounding[-4:]}
    if len(sounding) > 1:
        for tone in tones:  # all tones of the chord sound in a final one
            if not any(p % 12 == tone for p in pitches):
                pitches.add(_nearest(sounding[len(sounding) // 2], [tone]))
    return sorted({int(p) + 12 * -(-max(lowest - int(p), 0) // 12) for p in pitches})


def _nearest(pitch: int, tones) -> int:
    """The pitch nearest to `pitch` whose pitch class is one of `tones`; of two, the lower."""
    return int(
        min(
            (pitch + d for d in range(-6, 7) if (pitch + d) % 12 in tones),
            key=lambda p: (abs(p - pitch), p),
        )
    )
