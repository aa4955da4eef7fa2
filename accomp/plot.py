"""The picture of a score: a piano roll of every track, the melody on top, the bars as the time axis."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accomp.extras import extra
from accomp.music.percussion import drum_label
from accomp.music.score import Bar, Score, Track, first_bar_number
from accomp.roll.grid import TRACKS

with extra("plot"):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure

MELODY_COLOUR = "#c2185b"
COLOURS = {"drums": "#546e7a", "guitar": "#b26a00", "bass": "#1565c0", "strings": "#2e7d32"}
OTHER_COLOUR = "#6a4c93"
MELODY_GROUND = "#fdf0f5"
GROUND = "#ffffff"
BAR_LINE, BEAT_LINE, OCTAVE_LINE, TEXT = "#9aa0a6", "#e4e6e9", "#dcdfe3", "#30343a"

SYSTEM_BARS = 32  # a longer score goes on in the next system, as on a page of music
MAX_SYSTEMS = (
    4  # beyond, the bars are drawn narrower: 1,000 bars still make one picture of a bearable size
)
MARGINS = 1.6  # inches left and right of the panels, for the names of tracks and pitches
BEAT_LINE_ROOM = 0.12  # inches a beat must take for beat lines to be drawn
THINNEST_NOTE = 0.035  # inches
PANEL_INCHES = {"melody": 1.5, "pitched": 1.15, "drums": 1.0}
OVERHANG = 0.1  # beats by which a last note may pass its bar without another bar being drawn for it
CHORD_SIZE, SMALLEST_CHORD = 7.5, 4.5  # points


@dataclass(frozen=True)
class Panel:
    """One track as it is drawn in every system."""

    track: Track
    label: str
    colour: str
    is_melody: bool
    drums: list[int]  # the percussion keys used, the lowest row first; empty for a pitched track
    low: float  # limits of the vertical axis: pitches, or rows of drums
    high: float

    @property
    def inches(self) -> float:
        if self.track.is_drum:
            return max(PANEL_INCHES["drums"], 0.15 * len(self.drums) + 0.1)
        return PANEL_INCHES["melody" if self.is_melody else "pitched"]

    def row(self, pitch: int) -> int:
        return self.drums.index(pitch) if self.track.is_drum else pitch


def plot(score: Score) -> Figure:
    """The piano roll of `score` as a figure of its own, which no other thread can see.

    One panel a track and system: the melody first, then the rest in the score's order. The horizontal axis counts bars
    from 1, or from 0 where the first bar is a pickup. Stronger colour is higher velocity. Chord symbols stand on top.
    """
    onsets = [note.onset for track in score.tracks for note in track.notes]
    bars = score.bars(max(score.end - OVERHANG, max(onsets, default=0.0) + 1e-3))
    systems = _systems(bars)
    panels = _panels(score)
    heights = [panel.inches for panel in panels]
    most_bars = max(len(system) for system in systems)
    width = float(np.clip(2.2 + 0.45 * most_bars, 9, 17))
    top, gap, bottom = (
        0.4,
        0.75,
        0.45,
    )  # inches above the first system, between systems and below the last
    height = (
        top + bottom + len(systems) * (sum(heights) + 0.06 * len(panels)) + (len(systems) - 1) * gap
    )
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    outer = figure.add_gridspec(
        len(systems),
        1,
        left=(MARGINS - 0.25) / width,
        right=1 - 0.25 / width,
        top=1 - top / height,
        bottom=bottom / height,
        hspace=gap / ((height - top - bottom - (len(systems) - 1) * gap) / len(systems)),
    )
    widest = max(_end(system) - system[0].onset for system in systems)
    inch = widest / (width - MARGINS)  # in beats
    first_number = first_bar_number(bars, panels[0].track.start)
    for index, system in enumerate(systems):
        inner = outer[index].subgridspec(len(panels), 1, height_ratios=heights, hspace=0.06)
        axes = [figure.add_subplot(inner[i]) for i in range(len(panels))]
        for axis, panel in zip(axes, panels):
            _draw(axis, panel, system, widest, inch)
        _number_bars(axes[-1], system, first_number + sum(len(s) for s in systems[:index]), inch)
        _write_chords(axes[0], score, system, inch)
        for axis in axes[:-1]:
            axis.tick_params(labelbottom=False)
    return figure


def save_plot(score: Score, path: str | Path) -> None:
    """Draws `score` (see `plot`) to `path`; the ending chooses the format: .png, .svg, .pdf."""
    plot(score).savefig(path, dpi=120)


def _end(system: list[Bar]) -> float:
    return system[-1].onset + system[-1].meter.bar_beats


def _systems(bars: list[Bar]) -> list[list[Bar]]:
    count = min(-(-len(bars) // SYSTEM_BARS), MAX_SYSTEMS)
    size = -(-len(bars) // count)
    if count > 1:
        size += -size % 4  # phrases are mostly four bars long
    return [bars[i : i + size] for i in range(0, len(bars), size)]


def _panels(score: Score) -> list[Panel]:
    melody = next(
        (t for t in score.tracks if t.name == "piano"),
        score.tracks[0] if score.tracks else Track("piano"),
    )
    others = [track for track in score.tracks if track is not melody]
    return [_panel(melody, True)] + [_panel(track, False) for track in others]


def _panel(track: Track, is_melody: bool) -> Panel:
    label = "melody (piano)" if is_melody else track.name or "track"
    colour = MELODY_COLOUR if is_melody else COLOURS.get(track.name, OTHER_COLOUR)
    pitches = sorted({note.pitch for note in track.notes})
    if track.is_drum:
        return Panel(track, label, colour, is_melody, pitches, -0.6, max(len(pitches), 1) - 0.4)
    spec = next((spec for spec in TRACKS if spec.name == track.name), TRACKS[1])
    middle = (spec.low + spec.high) / 2
    low, high = (pitches[0], pitches[-1]) if pitches else (middle, middle)
    margin = max(
        1.5, (13 - (high - low)) / 2
    )  # at least an octave is shown, so that a step looks like a step
    return Panel(track, label, colour, is_melody, [], low - margin, high + margin)


def _draw(axis, panel: Panel, system: list[Bar], widest: float, inch: float) -> None:
    start, end = system[0].onset, _end(system)
    axis.set_xlim(start, start + widest)
    axis.set_ylim(panel.low, panel.high)
    axis.set_facecolor("none")
    axis.axvspan(
        start, end, color=MELODY_GROUND if panel.is_melody else GROUND, zorder=0, linewidth=0
    )
    for side, spine in axis.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(BAR_LINE)
    _draw_grid(axis, panel, system, inch)
    _draw_notes(axis, panel, start, end, inch)
    if panel.track.is_drum:
        names = [drum_label(pitch) for pitch in panel.drums]
        axis.set_yticks(range(len(names)), names)
    else:
        axis.set_yticks(*_pitch_ticks(panel.low, panel.high))
    axis.set_xticks([])
    axis.tick_params(length=0, labelsize=7, colors=TEXT)
    axis.text(
        -1.22 * inch / widest,
        0.5,
        panel.label,
        transform=axis.transAxes,
        rotation=90,
        ha="center",
        va="center",
        fontsize=10 if panel.is_melody else 9,
        color=panel.colour,
        fontweight="bold" if panel.is_melody else "normal",
    )
    if not panel.track.notes:
        axis.text(
            start + (end - start) / 2,
            (panel.low + panel.high) / 2,
            "silent",
            ha="center",
            va="center",
            fontsize=8,
            color=BAR_LINE,
            bbox={"facecolor": axis.patches[0].get_facecolor(), "linewidth": 0},
        )


def _draw_grid(axis, panel: Panel, system: list[Bar], inch: float) -> None:
    start, end = system[0].onset, _end(system)
    lines = (
        range(len(panel.drums)) if panel.track.is_drum else _pitch_ticks(panel.low, panel.high)[0]
    )
    axis.hlines(list(lines), start, end, color=OCTAVE_LINE, linewidth=0.6, zorder=1)
    if inch * BEAT_LINE_ROOM <= 1:
        beats = [
            bar.onset + i * bar.meter.pulse
            for bar in system
            for i in range(1, bar.meter.bar_pulses)
        ]
        axis.vlines(
            [b for b in beats if b < end],
            panel.low,
            panel.high,
            color=BEAT_LINE,
            linewidth=0.6,
            zorder=1,
        )
    thin = len(system) > 2 * SYSTEM_BARS
    bar_lines = [bar.onset for bar in system] + [end]
    axis.vlines(
        bar_lines, panel.low, panel.high, color=BAR_LINE, linewidth=0.2 if thin else 0.7, zorder=2
    )
    axis.hlines([panel.low, panel.high], start, end, color=BAR_LINE, linewidth=0.7, zorder=2)


def _draw_notes(axis, panel: Panel, start: float, end: float, inch: float) -> None:
    """Boxes from onset to end, with a dark edge at the onset so that struck again is seen from held."""
    notes = [note for note in panel.track.notes if note.onset < end and note.end > start]
    if not notes:
        return
    onsets = np.array([note.onset for note in notes])
    if panel.track.is_drum:  # a stroke has no length: all boxes are equally wide
        ends = onsets + min(0.2, 0.07 * inch)
    else:
        ends = np.maximum(np.array([note.end for note in notes]), onsets + 0.02 * inch)
    rows = np.array([panel.row(note.pitch) for note in notes], float)
    half = (
        0.36
        if panel.track.is_drum
        else max(0.46, THINNEST_NOTE / 2 * (panel.high - panel.low) / panel.inches)
    )
    left, right = np.clip(onsets, start, end), np.clip(ends, start, end)
    strength = np.array([note.velocity for note in notes]) / 127
    alpha = (0.55 if panel.is_melody else 0.3) + (0.45 if panel.is_melody else 0.65) * strength
    colours = np.column_stack(
        [np.tile(to_rgb(panel.colour), (len(notes), 1)), np.clip(alpha, 0, 1)]
    )
    edge = "#6a0f35" if panel.is_melody else tuple(0.5 * part for part in to_rgb(panel.colour))
    axis.add_collection(
        PolyCollection(_boxes(left, right, rows, half), facecolors=colours, linewidths=0, zorder=3)
    )
    if panel.track.is_drum:
        return
    if panel.is_melody and inch < 10:
        axis.add_collection(
            PolyCollection(
                _boxes(left, right, rows, half),
                facecolors="none",
                edgecolors=edge,
                linewidths=0.5,
                zorder=4,
            )
        )
    struck = onsets >= start  # a note held over from the system before has no onset here
    marks = np.minimum(left + 0.018 * inch, right)[struck]
    axis.add_collection(
        PolyCollection(
            _boxes(left[struck], marks, rows[struck], half),
            facecolors=[edge],
            linewidths=0,
            zorder=5,
        )
    )


def _boxes(left: np.ndarray, right: np.ndarray, rows: np.ndarray, half: float) -> np.ndarray:
    """[boxes, 4 corners, 2] the corners (beats, row) of boxes around `rows`."""
    return np.stack(
        [
            np.stack([x, rows + y], 1)
            for x, y in ((left, -half), (right, -half), (right, half), (left, half))
        ],
        1,
    )


def _pitch_ticks(low: float, high: float) -> tuple[list[int], list[str]]:
    """The Cs within the limits; where there are fewer than two, the Gs as well."""
    ticks = [p for p in range(128) if low < p < high and p % 12 == 0]
    if len(ticks) < 2:
        ticks = [p for p in range(128) if low < p < high and p % 12 in (0, 7)]
    return ticks, [f"{'C' if p % 12 == 0 else 'G'}{p // 12 - 1}" for p in ticks]


def _spaced(positions: list[float], room: float) -> list[int]:
    """The indices of `positions` (rising) that can be written when each needs `room` before the next."""
    kept: list[int] = []
    for index, position in enumerate(positions):
        if not kept or position - positions[kept[-1]] >= room:
            kept.append(index)
    return kept


def _number_bars(axis, system: list[Bar], first: int, inch: float) -> None:
    bar_beats = min(bar.meter.bar_beats for bar in system)
    every = next((n for n in (1, 2, 4, 8, 16, 32, 64) if n * bar_beats >= 0.3 * inch), 128)
    numbered = [(bar.onset, first + i) for i, bar in enumerate(system) if i % every == 0]
    axis.set_xticks(
        [onset for onset, _ in numbered], [str(number) for _, number in numbered], fontsize=7.5
    )
    axis.set_xlabel("bar", fontsize=8, color=TEXT, labelpad=2, loc="left")


def _write_chords(axis, score: Score, system: list[Bar], inch: float) -> None:
    start, end = system[0].onset, _end(system)
    chords = [chord for chord in score.chords if start <= chord.onset < end]
    chords = [
        chord for i, chord in enumerate(chords) if i == 0 or chord.symbol != chords[i - 1].symbol
    ]
    written = [chords[index] for index in _spaced([chord.onset for chord in chords], 0.2 * inch)]
    for chord, following in zip(written, [*(chord.onset for chord in written[1:]), np.inf]):
        # A long symbol is written smaller rather than into the next one. Bold letters are up to 0.9 of their size wide.
        room = 72 * (following - chord.onset) / inch - 3  # points
        size = np.clip(room / (0.9 * len(chord.symbol)), SMALLEST_CHORD, CHORD_SIZE)
        axis.annotate(
            chord.symbol,
            (chord.onset, 1),
            xycoords=axis.get_xaxis_transform(),
            xytext=(1, 4),
            textcoords="offset points",
            fontsize=size,
            color=TEXT,
            fontweight="bold",
            annotation_clip=False,
        )
