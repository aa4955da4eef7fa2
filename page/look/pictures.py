"""Pictures for the cards of genres and melodies: notes of a song as a small drawing in SVG."""

from collections.abc import Iterable
from urllib.parse import quote

from accomp.music.score import Note, Score, Track
from accomp.roll.grid import MELODY

WIDTH, HEIGHT = 160, 90  # of a picture, in its own units
MARGIN = 6
GROUNDS = {  # two colours from corner to corner; white text on them would be read well
    "folk": ("#3f6b3a", "#6b8f2f"),
    "game": ("#0f5f8a", "#0d8a86"),
    "gospel": ("#6a3aa0", "#9a4bb8"),
    "jazz": ("#20365f", "#3c5fa8"),
    "latin": ("#0f6e52", "#3c9a4a"),
    "pop": ("#b0246b", "#d9566a"),
    "rock": ("#8f1f2c", "#c8502c"),
}
OTHER_GROUND = ("#454a58", "#6c7280")


def genre_picture(name: str, song: Score, start: float, end: float) -> str:
    """Draw what a band plays between two beats: a lane for each track, the melody on top."""
    low, high = GROUNDS.get(name, OTHER_GROUND)
    tracks = [track for track in song.tracks if track.notes]
    lane = (HEIGHT - 2 * MARGIN) / len(tracks)
    drawn = [
        _lane(track, (start, end), MARGIN + number * lane, lane - 3)
        for number, track in enumerate(tracks)
    ]
    ground = (
        f'<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop stop-color="{low}"/>'
        f'<stop offset="1" stop-color="{high}"/></linearGradient></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#g)"/>'
    )
    shades = (0.95, 0.55, 0.7, 0.6, 0.45)
    lanes = "".join(
        f'<g fill="#fff" fill-opacity="{shades[number % len(shades)]}">{notes}</g>'
        for number, notes in enumerate(drawn)
    )
    return _svg(ground + lanes)


def melody_picture(song: Score, track: int = MELODY, beats: float = 16.0) -> str:
    """Draw the beginning of a melody, to be used as a mask: the page gives it a colour."""
    start = song.tracks[track].start
    notes = _lane(song.tracks[track], (start, start + beats), 3, 42)
    return _svg(notes, 48)


def as_address(svg: str) -> str:
    """Return a picture as an address that stands in CSS."""
    return f"data:image/svg+xml,{quote(svg, safe=' =:/')}"


def _lane(track: Track, beats: tuple[float, float], top: float, height: float) -> str:
    """Draw the notes of a track from `top` down, each as a bar."""
    start, end = beats
    notes = [note for note in track.notes if start <= note.onset < end]
    if not notes:
        return ""
    pitches = sorted({note.pitch for note in notes})
    low, high = pitches[0], max(pitches[-1], pitches[0] + 5)
    thick = min(5.0, max(2.2, height / (high - low + 1)))
    scale = (WIDTH - 2 * MARGIN) / (end - start)

    def bar(note: Note) -> str:
        wide = max(0.18 if track.is_drum else min(note.duration, end - note.onset), 0.15) * scale
        y = top + (high - note.pitch) / (high - low) * (height - thick)
        return (
            f'<rect x="{MARGIN + (note.onset - start) * scale:.1f}" y="{y:.1f}" '
            f'width="{max(wide - 1, 1.6):.1f}" height="{thick:.1f}" rx="1"/>'
        )

    return "".join(map(bar, _sorted(notes)))


def _sorted(notes: Iterable[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


def _svg(inner: str, height: float = HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'preserveAspectRatio="xMidYMid slice">{inner}</svg>'
    )
