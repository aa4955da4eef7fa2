"""Adjust notes so that each half bar sounds as its planned chord.

The decoders know major and minor triads. Here their notes get the chords' sevenths and other tones
and their bass notes, until it is clear which chord sounds. Notes change pitch, never time.
Notes are [n, 3] int arrays of pitch, first step and end step. Symbols are ChordSymbols by half bar
in the notes' key. Letters: H half bars.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol
from accomp.roll import chord_plan
from accomp.roll.grid import HALF_BAR_STEPS

BEAT = HALF_BAR_STEPS // 2
FAMILIAR = ((0, 4, 7), (0, 3, 7))  # what the decoders know already


@dataclass(frozen=True)
class VoicingSettings:
    """How far a half bar is adjusted."""

    most_moves: int = 8  # pitch classes of a half bar that may move, one after the other
    passing: int = BEAT // 2  # steps up to which a note passes, and may clash


def colour(notes: np.ndarray, symbols: list[ChordSymbol]) -> np.ndarray:
    """Give the notes of a chordal track the tones of their chords.

    Suspended, diminished and augmented tones replace the triad's, and sevenths and ninths are
    corrected. Where a chord has a seventh, sixth or ninth that no note plays, the highest doubled
    root, or else the fifth, takes it. A chord keeps a root.

    Args:
        notes: [n, 3] of a chordal track.
        symbols: [H] chords.

    Returns:
        [n, 3] the notes with other pitches.
    """
    notes = notes.copy()
    half_bar = np.minimum(notes[:, 1] // HALF_BAR_STEPS, len(symbols) - 1)
    for index in np.unique(half_bar):
        symbol = symbols[index]
        tones = QUALITIES[symbol.quality]
        if tones in FAMILIAR:
            continue
        rows = np.flatnonzero(half_bar == index)
        interval = (notes[rows, 0] - symbol.root) % 12
        notes[rows, 0] += _retuned(tones)[interval] - interval
        pitches = np.unique(notes[rows, 0])
        for tone in _telling(tones):
            classes = (pitches - symbol.root) % 12
            if tone in classes or len(pitches) < 2:
                continue
            doubled = (
                [p for p in pitches[1:] if (p - symbol.root) % 12 == 0]
                if (classes == 0).sum() > 1
                else []
            )
            fifths = [p for p in pitches[1:] if (p - symbol.root) % 12 == 7]
            chosen = next(iter(doubled[::-1] or fifths[::-1]), None)
            if chosen is not None and len(set(classes.tolist())) + (len(doubled) > 0) > 1:
                step = (tone - (chosen - symbol.root) + 5) % 12 - 5
                notes[rows[notes[rows, 0] == chosen], 0] += step
                pitches = np.unique(notes[rows, 0])
    return notes


def _telling(tones: tuple[int, ...]) -> list[int]:
    """Return the tones by which one hears which chord it is, in semitones above the root.

    They are what a suspended, diminished or augmented chord has instead of a third or fifth, and of
    a seventh, sixth and ninth the first: one colour is enough.
    """
    instead = [tone for tone in tones[1:3] if tone not in (3, 4, 7)]
    return [*instead, *tones[3:4]]


def release(notes: np.ndarray, symbols: list[ChordSymbol]) -> np.ndarray:
    """End the held notes of a chordal track that a chord without its triad's tones excludes.

    A third that sounds on into a suspended chord, or a fifth into a diminished or augmented one,
    would make it another chord. Into all other chords notes may be held.

    Args:
        notes: [n, 3] of a chordal track.
        symbols: [H] chords.
    """
    notes = notes.copy()
    for row in notes:
        first, last = row[1] // HALF_BAR_STEPS, (row[2] - 1) // HALF_BAR_STEPS
        for index in range(first + 1, min(last + 1, len(symbols))):
            symbol = symbols[index]
            if _excludes(QUALITIES[symbol.quality], int(row[0] - symbol.root) % 12):
                row[2] = index * HALF_BAR_STEPS
                break
    return notes


def _excludes(tones: tuple[int, ...], interval: int) -> bool:
    """Tell whether an interval above the root contradicts a chord of `tones`."""
    thirds = not {3, 4} & set(tones) or bool({6, 8} & set(tones)) and 7 not in tones
    return thirds and interval in (3, 4, 7) and interval not in tones


def _retuned(tones: tuple[int, ...]) -> np.ndarray:
    """Return what each interval above the root becomes in a chord of `tones`, [12]."""
    table = np.arange(12)
    third = next((t for t in (4, 3, 5, 2) if t in tones), None)
    table[[3, 4]] = 7 if third is None else third  # a power chord has none
    if 3 in tones and 4 in tones:  # a sharp ninth
        table[3] = 3
    if 7 not in tones:
        table[7] = next((t for t in (6, 8) if t in tones), 7)
    sevenths = [t for t in (10, 11) if t in tones]
    if len(sevenths) == 1:
        table[[10, 11]] = sevenths[0]
    ninths = [t for t in (1, 2) if t in tones]
    if len(ninths) == 1:
        table[[1, 2]] = ninths[0]
    return table


def bass_notes(notes: np.ndarray, symbols: list[ChordSymbol]) -> np.ndarray:
    """Give the notes of the bass the tones of their chords, and given bass notes ("C/E").

    Args:
        notes: [n, 3] of the bass, in the order of their onsets.
        symbols: [H] chords.
    """
    notes = notes.copy()
    for row in notes:
        symbol = symbols[min(row[1] // HALF_BAR_STEPS, len(symbols) - 1)]
        interval = (row[0] - symbol.root) % 12
        tones = QUALITIES[symbol.quality]
        row[0] += 0 if tones in FAMILIAR else _retuned(tones)[interval] - interval
    return given_bass(notes, symbols)


def given_bass(notes: np.ndarray, symbols: list[ChordSymbol]) -> np.ndarray:
    """Let the bass play the bass notes of chords that have one of their own.

    They are played by the first note of each half bar, and by roots on its first beat. A chord that
    begins without its triad's tones (suspended, diminished, augmented) has its root there.

    Args:
        notes: [n, 3] of the bass, in the order of their onsets.
        symbols: [H] chords.
    """
    notes = notes.copy()
    begun = -1  # the last half bar in which a note has been struck
    for row in notes:
        half_bar = min(int(row[1]) // HALF_BAR_STEPS, len(symbols) - 1)
        symbol = symbols[half_bar]
        is_root = (row[0] - symbol.root) % 12 == 0 and row[1] % HALF_BAR_STEPS < BEAT
        begins = half_bar != begun
        if symbol.bass is not None and (begins or is_root):
            row[0] += (symbol.bass - row[0] + 6) % 12 - 6
        elif begins and _is_unlike_triads(symbol) and symbol != symbols[max(half_bar - 1, 0)]:
            row[0] += (symbol.root - row[0] + 6) % 12 - 6
        begun = half_bar
    return notes


def _is_unlike_triads(symbol: ChordSymbol) -> bool:
    """Tell whether a chord has another tone instead of a triad's third or fifth."""
    return any(tone not in (3, 4, 7) for tone in QUALITIES[symbol.quality][1:3])


def agree(
    band: dict[int, np.ndarray],
    symbols: list[ChordSymbol],
    settings: VoicingSettings = VoicingSettings(),
) -> dict[int, np.ndarray]:
    """Move pitches until each half bar sounds as its planned chord.

    Where the triad nearest to all that sounds in a half bar is another one than planned, the pitch
    classes that mislead most move to the nearest tone of the chord, one after the other. Passing
    notes that leave no doubt stay. Chords with other tones than a triad's may be the nearest
    themselves.

    Args:
        band: by pitched track, [n, 3] notes.
        symbols: [H] chords.
        settings: how many pitch classes may move.

    Returns:
        The tracks with other pitches.
    """
    band = {track: notes.copy() for track, notes in band.items()}
    tracks = [track for track in band if len(band[track])]
    if not tracks:
        return band
    notes = np.concatenate([band[track] for track in tracks])
    owner = np.repeat(tracks, [len(band[track]) for track in tracks])
    plan = np.array([symbol.triad for symbol in symbols])
    templates = np.zeros((len(symbols), 12), np.float32)
    for row, symbol in zip(templates, symbols):
        row[list(symbol.tones)] = 1
        row[symbol.root if symbol.bass is None else symbol.bass] = 1
    chroma = _chroma(notes, len(plan))
    wrong = np.flatnonzero((chroma.sum(1) > 0) & ~_says(chroma, plan, templates))
    for half_bar in wrong:
        start, stop = half_bar * HALF_BAR_STEPS, (half_bar + 1) * HALF_BAR_STEPS
        here = np.flatnonzero((notes[:, 1] < stop) & (notes[:, 2] > start))
        tones = templates[half_bar] > 0
        symbol = symbols[half_bar]
        core = [
            (symbol.root + tone) % 12 for tone in QUALITIES[symbol.quality][:4]
        ]  # what tells it from others
        for _ in range(settings.most_moves):
            weight = np.minimum(notes[here, 2], stop) - np.maximum(notes[here, 1], start)
            sounding = np.bincount(notes[here, 0] % 12, weight, 12)
            if (
                not sounding.any()
                or _says(sounding[None], plan[[half_bar]], templates[[half_bar]])[0]
            ):
                break
            foreign = np.where(tones, 0, sounding)
            if foreign.any():
                worst = int(foreign.argmax())
                target = core
            else:
                # All are tones of the chord, but too few different ones: the commonest one
                # gives way to the rarest.
                worst = int(np.where(tones, sounding, 0).argmax())
                target = [min(core, key=lambda tone: (sounding[tone], tone))]
            moving = here[notes[here, 0] % 12 == worst]
            begun = moving[notes[moving, 1] >= start]
            if not foreign.any():
                begun = begun[len(begun) // 2 :]
            if len(begun):
                notes[begun, 0] = [_toward(int(p), target) for p in notes[begun, 0]]
            else:
                notes[moving, 2] = start  # a note held over from the chord before ends with it
                here = np.setdiff1d(here, moving)
            if not len(here):
                break
    return {track: notes[owner == track] if track in tracks else band[track] for track in band}


def without_clashes(
    band: dict[int, np.ndarray],
    symbols: list[ChordSymbol],
    settings: VoicingSettings = VoicingSettings(),
) -> dict[int, np.ndarray]:
    """Move what clashes with another player on a strong beat to a tone of the chord.

    Two notes clash where they lie a semitone apart, octaves aside, but for a major seventh. The one
    that is no tone of the chord gives way; tones of the chord, and notes that pass, stay.

    Args:
        band: by pitched track, [n, 3] notes.
        symbols: [H] chords.
        settings: how short a note is that passes.

    Returns:
        The tracks with other pitches.
    """
    band = {track: notes.copy() for track, notes in band.items()}
    for half_bar, symbol in enumerate(symbols):
        step = half_bar * HALF_BAR_STEPS
        tones = set(symbol.tones) | ({symbol.bass} if symbol.bass is not None else set())
        here = {
            track: np.flatnonzero((notes[:, 1] <= step) & (notes[:, 2] > step))
            for track, notes in band.items()
        }
        for track, rows in here.items():
            others = [band[other][here[other], 0] for other in here if other != track]
            heard = np.concatenate(others) if others else np.zeros(0, int)
            for row in rows:
                pitch, begin, end = (int(value) for value in band[track][row])
                apart = np.abs(heard - pitch) % 12 == 1
                if pitch % 12 in tones or end - step <= settings.passing or not apart.any():
                    continue
                if begin == step:
                    band[track][row, 0] = _toward(pitch, tones)
                else:
                    band[track][row, 2] = step  # held over from the chord before, it ends with it
    return band


def _chroma(notes: np.ndarray, half_bars: int) -> np.ndarray:
    """[H, 12] for how many steps each pitch class sounds, note by note, in each half bar."""
    result = np.zeros((half_bars, 12))
    for index in range(half_bars):
        start = index * HALF_BAR_STEPS
        span = np.minimum(notes[:, 2], start + HALF_BAR_STEPS) - np.maximum(notes[:, 1], start)
        sounding = span > 0
        result[index] = np.bincount(notes[sounding, 0] % 12, span[sounding], 12)
    return result


def _says(chroma: np.ndarray, plan: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Return whether half bars sound as their chords, [H] bool.

    They do where the triad nearest to the chroma is the plan's or, where the chord has other tones
    than that triad, no triad is nearer than the chord.

    Args:
        chroma: [H, 12] steps that each pitch class sounds.
        plan: [H] triads.
        templates: [H, 12] the chords' pitch classes.
    """
    fit = chroma @ chord_plan.TRIADS.T
    more = (templates != chord_plan.TRIADS[plan]).any(1)
    own = (chroma * templates).sum(1) / np.linalg.norm(templates, axis=1)
    return (fit.argmax(1) == plan) | (more & (own >= fit.max(1) / np.sqrt(3) - 1e-6))


def _toward(pitch: int, classes: Iterable[int]) -> int:
    return min(
        (
            pitch + d
            for d in (0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, 6)
            if (pitch + d) % 12 in classes
        ),
        key=lambda p: abs(p - pitch),
    )
