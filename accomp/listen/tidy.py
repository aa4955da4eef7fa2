"""Leave out notes of a recording that were hardly sung: breaths, clicks and slips of the voice."""

from dataclasses import dataclass

from accomp.listen.beat_grid import SungNote


@dataclass(frozen=True)
class TidySettings:
    """Which notes are doubtful, and which of them are left out."""

    sure: float = 0.5  # confidence from which a note is no longer doubtful
    shortest: float = 0.15  # seconds of a doubtful note that stays


def is_doubtful(note: SungNote, settings: TidySettings = TidySettings()) -> bool:
    """Tell whether a note may not have been sung."""
    return note.confidence < settings.sure


def without_doubtful(
    notes: list[SungNote], settings: TidySettings = TidySettings()
) -> list[SungNote]:
    """Return notes without the doubtful ones that are very short.

    All are returned where nothing else would be left.
    """
    kept = [
        note
        for note in notes
        if not is_doubtful(note, settings) or note.offset - note.onset >= settings.shortest
    ]
    return kept or notes
