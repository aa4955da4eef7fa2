"""Draw a score: a piano roll of every track, the melody on top, bars as the time axis.

Words: a system is one line of the picture, as in sheet music; a panel is one track in a system.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from accomp.extras import extra
from accomp.music.file_target import written
from accomp.music.percussion import drum_label
from accomp.music.score import Bar, Note, Score, Track, first_bar_number
from accomp.roll.grid import MELODY, TRACK_NAMES, TRACKS
from accomp.roll.sounding_names import sounding_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MELODY_COLOUR = "#c2185b"
TRACK_COLOURS = {"drums": "#546e7a", "guitar": "#b26a00", "bass": "#1565c0", "strings": "#2e7d32"}
OTHER_COLOUR = "#6a4c93"
MELODY_EDGE = "#6a0f35"  # of a melody note
MELODY_GROUND, GROUND = "#fdf0f5", "#ffffff"
BAR_LINE, BEAT_LINE, OCTAVE_LINE, TEXT = "#9aa0a6", "#e4e6e9", "#dcdfe3", "#30343a"

OVERHANG = 0.1  # beats by which a last note may pass its bar without another bar being drawn for it
NUMBERED = (1, 2, 4, 8, 16, 32, 64)  # a number at every so many bars; at 128 beyond


@dataclass(frozen=True)
class PlotSettings:
    """How large the parts of the picture are.

    Lengths are in inches, sizes of letters in points (1/72 inch).
    """

    system_bars: int = 32  # a longer score goes on in the next system, as in sheet music
    # A still longer score gets narrower bars, so that 1,000 bars make a picture of bearable size.
    most_systems: int = 4
    phrase_bars: int = 4  # several systems begin at multiples of it: phrases mostly last so long
    least_width: float = 9
    most_width: float = 17
    width: float = 2.2  # of all but the bars
    bar_width: float = 0.45
    top: float = 0.4  # above the first system, for its chords
    system_gap: float = 0.75
    bottom: float = 0.45  # for the numbers of bars
    panel_gap: float = 0.06
    margins: float = 1.6  # left and right of the panels together, for names of tracks and pitches
    right: float = 0.25  # the part of the margins that is on the right
    label_at: float = -1.22  # where the name of a track stands, from the panel's left edge
    melody_height: float = 1.5
    pitched_height: float = 1.15
    drum_height: float = 1.0  # at least
    drum_row: float = 0.15  # height of a row of drums, where there are many
    least_semitones: float = 13  # shown of a pitched track, so that a step looks like a step
    beat_line_room: float = 0.12  # a beat must take it for beat lines to be drawn
    thinnest_note: float = 0.035
    shortest_note: float = 0.02
    drum_note: float = 0.07  # width of a drum note, which has no length
    longest_drum_note: float = 0.2  # beats
    onset_mark: float = 0.018  # width of a note's dark edge at its onset
    outlined: float = 10  # beats an inch from which the melody's notes get no outline
    number_room: float = 0.3  # a number of a bar takes
    chord_size: float = 7.5  # points
    readable_chord_size: float = 6.0  # where it does not fit, the next symbol goes one row up
    smallest_chord_size: float = 4.5  # points
    chord_rows: int = 3
    chord_row: float = 8.0  # points from row to row
    chord_gap: float = 2.0  # points between two symbols
    letter_width: float = 0.9  # of the widest bold letters, in their size
    dpi: int = 120  # pixels an inch, of a .png


SETTINGS = PlotSettings()


@dataclass(frozen=True)
class Panel:
    """One track as it is drawn in every system.

    Attributes:
        track: its notes.
        label: written beside it.
        colour: of its notes.
        is_melody: whether it is the melody.
        drums: the percussion keys used, the lowest row first; empty for a pitched track.
        low: lower limit of the vertical axis, a pitch or a row of drums.
        high: upper limit of the vertical axis.
    """

    track: Track
    label: str
    colour: str
    is_melody: bool
    drums: list[int]
    low: float
    high: float

    def height(self, settings: PlotSettings = SETTINGS) -> float:
        """Return its height in inches."""
        if self.track.is_drum:
            return max(settings.drum_height, settings.drum_row * len(self.drums) + 0.1)
        return settings.melody_height if self.is_melody else settings.pitched_height

    def row(self, pitch: int) -> int:
        """Return where a pitch lies on the vertical axis."""
        return self.drums.index(pitch) if self.track.is_drum else pitch


@dataclass(frozen=True)
class System:
    """One line of the picture.

    Attributes:
        bars: its bars.
        number: of its first bar.
        widest: the length of the longest system in beats: all have its scale.
        inch: beats an inch.
    """

    bars: list[Bar]
    number: int
    widest: float
    inch: float

    @property
    def start(self) -> float:
        """The beat at which it begins."""
        return self.bars[0].onset

    @property
    def end(self) -> float:
        """The beat at which it ends."""
        return _end(self.bars)


def plot(score: Score, settings: PlotSettings = SETTINGS) -> "Figure":
    """Draw the piano roll of a score, with one panel a track and system.

    The melody comes first, then the other tracks in the score's order. The horizontal axis counts
    bars from 1, or from 0 where the first bar is a pickup. Stronger colour is higher velocity.
    Chord symbols stand on top.

    Returns:
        A figure of its own, which pyplot does not know: other threads may draw too.

    Raises:
        MusicError: matplotlib is not installed.
    """
    with extra("plot"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    panels = _panels(score, settings)
    bar_groups = _bar_groups(score, settings)
    width = _width(bar_groups, settings)
    systems = _systems(bar_groups, panels[0].track.start, width - settings.margins)
    heights = [panel.height(settings) for panel in panels]
    system_height = sum(heights) + settings.panel_gap * len(panels)
    gaps = settings.top + settings.bottom + (len(systems) - 1) * settings.system_gap
    height = (
        settings.top
        + settings.bottom
        + len(systems) * system_height
        + (len(systems) - 1) * settings.system_gap
    )
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    outer = figure.add_gridspec(
        len(systems),
        1,
        left=(settings.margins - settings.right) / width,
        right=1 - settings.right / width,
        top=1 - settings.top / height,
        bottom=settings.bottom / height,
        hspace=settings.system_gap / ((height - gaps) / len(systems)),
    )
    for index, system in enumerate(systems):
        inner = outer[index].subgridspec(
            len(panels), 1, height_ratios=heights, hspace=settings.panel_gap
        )
        axes = [figure.add_subplot(inner[i]) for i in range(len(panels))]
        _draw_system(axes, panels, system, score, settings)
    return figure


def save_plot(score: Score, path: str | Path, settings: PlotSettings = SETTINGS) -> None:
    """Draw a score (see `plot`) to a file; the ending of its name says the format.

    Args:
        score: what is drawn.
        path: of the file, such as song.png, song.svg or song.pdf.
        settings: how large the parts of the picture are.

    Raises:
        MusicError: matplotlib is not installed.
    """
    with written(path) as place:
        plot(score, settings).savefig(place, dpi=settings.dpi)


def _end(bars: Sequence[Bar]) -> float:
    return bars[-1].onset + bars[-1].meter.bar_beats


def _bar_groups(score: Score, settings: PlotSettings) -> list[list[Bar]]:
    """Return the bars of each system."""
    onsets = [note.onset for track in score.tracks for note in track.notes]
    bars = score.bars(max(score.end - OVERHANG, max(onsets, default=0.0) + 1e-3))
    count = min(-(-len(bars) // settings.system_bars), settings.most_systems)
    size = -(-len(bars) // count)
    if count > 1:
        size += -size % settings.phrase_bars
    return [bars[i : i + size] for i in range(0, len(bars), size)]


def _width(bar_groups: list[list[Bar]], settings: PlotSettings) -> float:
    """Return the width of the picture in inches."""
    most_bars = max(map(len, bar_groups))
    width = settings.width + settings.bar_width * most_bars
    return float(np.clip(width, settings.least_width, settings.most_width))


def _systems(bar_groups: list[list[Bar]], melody_start: float, width: float) -> list[System]:
    """Number the bars of each system and find the scale, common to all, in `width` inches."""
    bars = [bar for group in bar_groups for bar in group]
    number = first_bar_number(bars, melody_start)
    widest = max(_end(group) - group[0].onset for group in bar_groups)
    systems = []
    for group in bar_groups:
        systems.append(System(group, number, widest, widest / width))
        number += len(group)
    return systems


def _panels(score: Score, settings: PlotSettings) -> list[Panel]:
    name = TRACK_NAMES[MELODY]
    first = score.tracks[0] if score.tracks else Track(name)
    melody = next((track for track in score.tracks if track.name == name), first)
    others = [track for track in score.tracks if track is not melody]
    panels = [_panel(melody, settings, is_melody=True)]
    return panels + [_panel(track, settings) for track in others]


def _panel(track: Track, settings: PlotSettings, is_melody: bool = False) -> Panel:
    label, colour = sounding_name(track) or "track", TRACK_COLOURS.get(track.name, OTHER_COLOUR)
    if is_melody:
        label, colour = f"melody ({label})", MELODY_COLOUR
    pitches = sorted({note.pitch for note in track.notes})
    if track.is_drum:
        return Panel(track, label, colour, is_melody, pitches, -0.6, max(len(pitches), 1) - 0.4)
    spec = next((spec for spec in TRACKS if spec.name == track.name), TRACKS[MELODY])
    middle = (spec.low + spec.high) / 2
    low, high = (pitches[0], pitches[-1]) if pitches else (middle, middle)
    margin = max(1.5, (settings.least_semitones - (high - low)) / 2)
    return Panel(track, label, colour, is_melody, [], low - margin, high + margin)


def _draw_system(
    axes: "list[Axes]", panels: list[Panel], system: System, score: Score, settings: PlotSettings
) -> None:
    for axis, panel in zip(axes, panels):
        _prepare_axis(axis, panel, system)
        _draw_grid(axis, panel, system, settings)
        _draw_notes(axis, panel, system, settings)
        _label(axis, panel, system, settings)
    _number_bars(axes[-1], system, settings)
    _write_chords(axes[0], score, system, settings)
    for axis in axes[:-1]:
        axis.tick_params(labelbottom=False)


def _prepare_axis(axis: "Axes", panel: Panel, system: System) -> None:
    """Set the limits, the ground and the frame of a panel."""
    axis.set_xlim(system.start, system.start + system.widest)
    axis.set_ylim(panel.low, panel.high)
    axis.set_facecolor("none")
    ground = MELODY_GROUND if panel.is_melody else GROUND
    axis.axvspan(system.start, system.end, color=ground, zorder=0, linewidth=0)
    for side, spine in axis.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(BAR_LINE)


def _label(axis: "Axes", panel: Panel, system: System, settings: PlotSettings) -> None:
    """Name the track, its pitches or drums, and say where it is silent."""
    if panel.track.is_drum:
        names = [drum_label(pitch) for pitch in panel.drums]
        axis.set_yticks(range(len(names)), names)
    else:
        axis.set_yticks(*_pitch_ticks(panel.low, panel.high))
    axis.set_xticks([])
    axis.tick_params(length=0, labelsize=7, colors=TEXT)
    axis.text(
        settings.label_at * system.inch / system.widest,
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
            system.start + (system.end - system.start) / 2,
            (panel.low + panel.high) / 2,
            "silent",
            ha="center",
            va="center",
            fontsize=8,
            color=BAR_LINE,
            bbox={"facecolor": axis.patches[0].get_facecolor(), "linewidth": 0},
        )


def _draw_grid(axis: "Axes", panel: Panel, system: System, settings: PlotSettings) -> None:
    """Draw the lines of bars, beats, and octaves or drums."""
    start, end, vertical = system.start, system.end, (panel.low, panel.high)
    rows = list(range(len(panel.drums)))
    if not panel.track.is_drum:
        rows = _pitch_ticks(*vertical)[0]
    axis.hlines(rows, start, end, color=OCTAVE_LINE, linewidth=0.6, zorder=1)
    if system.inch * settings.beat_line_room <= 1:
        beats = [
            bar.onset + i * bar.meter.pulse
            for bar in system.bars
            for i in range(1, bar.meter.bar_pulses)
        ]
        beats = [beat for beat in beats if beat < end]
        axis.vlines(beats, *vertical, color=BEAT_LINE, linewidth=0.6, zorder=1)
    bar_lines = [bar.onset for bar in system.bars] + [end]
    thickness = 0.2 if len(system.bars) > 2 * settings.system_bars else 0.7
    axis.vlines(bar_lines, *vertical, color=BAR_LINE, linewidth=thickness, zorder=2)
    axis.hlines(list(vertical), start, end, color=BAR_LINE, linewidth=0.7, zorder=2)


def _draw_notes(axis: "Axes", panel: Panel, system: System, settings: PlotSettings) -> None:
    """Draw boxes from onset to end.

    A dark edge at the onset tells repeated notes from a held one.
    """
    from matplotlib.colors import to_rgb

    start, end, inch = system.start, system.end, system.inch
    notes = [note for note in panel.track.notes if note.onset < end and note.end > start]
    if not notes:
        return
    onsets, ends, rows, half = _note_places(notes, panel, inch, settings)
    left, right = np.clip(onsets, start, end), np.clip(ends, start, end)
    colour = to_rgb(panel.colour)
    boxes, faces = _boxes(left, right, rows, half), _faces(notes, panel, colour)
    _draw_boxes(axis, boxes, facecolors=faces, linewidths=0, zorder=3)
    if panel.track.is_drum:
        return
    edge = to_rgb(MELODY_EDGE) if panel.is_melody else tuple(0.5 * part for part in colour)
    if panel.is_melody and inch < settings.outlined:
        _draw_boxes(axis, boxes, facecolors="none", edgecolors=edge, linewidths=0.5, zorder=4)
    struck = onsets >= start  # a note held over from the system before has no onset here
    marks = np.minimum(left + settings.onset_mark * inch, right)[struck]
    marked = _boxes(left[struck], marks, rows[struck], half)
    _draw_boxes(axis, marked, facecolors=[edge], linewidths=0, zorder=5)


def _draw_boxes(axis: "Axes", corners: np.ndarray, **look) -> None:
    from matplotlib.collections import PolyCollection

    # One array is drawn faster than a list of arrays, but is not in the types of matplotlib.
    axis.add_collection(PolyCollection(corners, **look))  # pyright: ignore[reportArgumentType]


def _note_places(
    notes: list[Note], panel: Panel, inch: float, settings: PlotSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return onsets, ends and rows of notes, and half the height of their boxes.

    Onsets and ends are in beats, rows and the height in units of the vertical axis.
    """
    onsets = np.array([note.onset for note in notes])
    rows = np.array([panel.row(note.pitch) for note in notes], float)
    if panel.track.is_drum:  # a stroke has no length: all boxes are equally wide
        ends = onsets + min(settings.longest_drum_note, settings.drum_note * inch)
        return onsets, ends, rows, 0.36
    shortest = onsets + settings.shortest_note * inch
    ends = np.maximum(np.array([note.end for note in notes]), shortest)
    semitones_an_inch = (panel.high - panel.low) / panel.height(settings)
    return onsets, ends, rows, max(0.46, settings.thinnest_note / 2 * semitones_an_inch)


def _faces(notes: list[Note], panel: Panel, colour: tuple[float, float, float]) -> np.ndarray:
    """Return [notes, 4] red, green, blue and alpha: stronger colour is higher velocity."""
    strength = np.array([note.velocity for note in notes]) / 127
    alpha = (0.55 if panel.is_melody else 0.3) + (0.45 if panel.is_melody else 0.65) * strength
    return np.column_stack([np.tile(colour, (len(notes), 1)), np.clip(alpha, 0, 1)])


def _boxes(left: np.ndarray, right: np.ndarray, rows: np.ndarray, half: float) -> np.ndarray:
    """Return [boxes, 4 corners, 2] the corners (beats, row) of boxes around `rows`."""
    corners = ((left, -half), (right, -half), (right, half), (left, half))
    return np.stack([np.stack([x, rows + y], 1) for x, y in corners], 1)


def _pitch_ticks(low: float, high: float) -> tuple[list[int], list[str]]:
    """Return the Cs within the limits; where there are fewer than two, the Gs as well."""
    ticks = [p for p in range(128) if low < p < high and p % 12 == 0]
    if len(ticks) < 2:
        ticks = [p for p in range(128) if low < p < high and p % 12 in (0, 7)]
    return ticks, [f"{'C' if p % 12 == 0 else 'G'}{p // 12 - 1}" for p in ticks]


def _number_bars(axis: "Axes", system: System, settings: PlotSettings) -> None:
    shortest = min(bar.meter.bar_beats for bar in system.bars)
    room = settings.number_room * system.inch
    every = next((n for n in NUMBERED if n * shortest >= room), 2 * NUMBERED[-1])
    ticks = [bar.onset for bar in system.bars[::every]]
    numbers = [str(system.number + i) for i in range(0, len(system.bars), every)]
    axis.set_xticks(ticks, numbers, fontsize=7.5)
    axis.set_xlabel("bar", fontsize=8, color=TEXT, labelpad=2, loc="left")


def _write_chords(axis: "Axes", score: Score, system: System, settings: PlotSettings) -> None:
    """Write chord symbols where they change, those that stand close in rows above each other."""
    chords = [chord for chord in score.chords if system.start <= chord.onset < system.end]
    before = ["", *(chord.symbol for chord in chords)]
    chords = [chord for chord, last in zip(chords, before) if chord.symbol != last]
    places = [72 * (chord.onset - system.start) / system.inch for chord in chords]
    rows = chord_rows(places, [chord.symbol for chord in chords], settings)
    for index, chord in enumerate(chords):
        if rows[index] < 0:
            continue
        same_row = [i for i in range(index + 1, len(chords)) if rows[i] == rows[index]]
        room = places[same_row[0]] - places[index] if same_row else np.inf
        # A long symbol is written smaller rather than into the next one.
        size = np.clip(
            (room - settings.chord_gap) / (settings.letter_width * len(chord.symbol)),
            settings.smallest_chord_size,
            settings.chord_size,
        )
        axis.annotate(
            chord.symbol,
            (chord.onset, 1),
            xycoords=axis.get_xaxis_transform(),
            xytext=(1, 4 + settings.chord_row * rows[index]),
            textcoords="offset points",
            fontsize=size,
            color=TEXT,
            fontweight="bold",
            annotation_clip=False,
        )


def chord_rows(
    places: list[float], symbols: list[str], settings: PlotSettings = SETTINGS
) -> list[int]:
    """Choose the row of each chord symbol, so that all can be read.

    A symbol takes the lowest row in which the last one before it ends, in letters of a readable
    size or else of the smallest.

    Args:
        places: Where they begin, in points, rising.
        symbols: What is written.
        settings: The sizes.

    Returns:
        Rows, 0 the lowest; -1 for a symbol that finds no room, in songs of hundreds of bars.
    """
    last: list[tuple[float, int] | None] = [None] * settings.chord_rows  # place and letters
    rows = []
    for place, symbol in zip(places, symbols):
        row = -1
        for size in (settings.smallest_chord_size, settings.readable_chord_size):
            free = [
                index
                for index, before in enumerate(last)
                if before is None
                or before[0] + size * settings.letter_width * before[1] + settings.chord_gap
                <= place
            ]
            row = free[0] if free else row
        if row >= 0:
            last[row] = (place, len(symbol))
        rows.append(row)
    return rows
