"""The numbers of a song's bars, as they are printed: a pickup is bar 0, an introduction counts."""

from accomp.errors import MusicError
from accomp.music.score import Bar, Score, Track, first_bar_number


def numbered_bars(song: Score, melody: Track) -> dict[int, Bar]:
    """Return the bars of a song by number, up to the end of its melody.

    Args:
        song: The song.
        melody: Its melody, which decides whether the first bar is a pickup.
    """
    bars = song.bars(max(melody.end, melody.start + 1e-3))
    return dict(enumerate(bars, first_bar_number(bars, melody.start)))


def bars_between(song: Score, melody: Track, bars: tuple[int, int]) -> list[Bar]:
    """Return the bars from one number to another, both included, and one more for their end.

    Args:
        song: The song.
        melody: Its melody.
        bars: The numbers of the first and the last one.

    Raises:
        MusicError: There are no such bars.
    """
    known = numbered_bars(song, melody)
    first, last = bars
    if not (first in known and last in known and first <= last):
        shown = f"bar {first}" if first == last else f"bars {first} to {last}"
        raise MusicError(f"there is no {shown}; accepted: bars {min(known)} to {max(known)}")
    end = known[last].onset + known[last].meter.bar_beats
    if last + 1 in known:
        end = known[last + 1].onset  # a change of meter may cut a bar short
    return [*(known[number] for number in range(first, last + 1)), Bar(end, known[last].meter)]


def span_of_bars(song: Score, melody: Track, bars: tuple[int, int]) -> tuple[float, float]:
    """Return the beats at which some bars begin and end. Raises MusicError as `bars_between`."""
    found = bars_between(song, melody, bars)
    return found[0].onset, found[-1].onset
