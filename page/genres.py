"""One line about each genre: what its bands play, counted on twelve lead sheets at seed 0."""

LINES = {
    "folk": "Steel-string guitar, calm upright bass, light drums, held strings; few sevenths.",
    "game": "Short notes of distorted guitar, a busy bass, straight drums; few sevenths.",
    "gospel": "Broad guitar chords and held strings over a steady hi-hat; few sevenths.",
    "jazz": "Swung: a moving upright bass, hi-hat, short nylon-string chords; the most sevenths.",
    "latin": "Maracas, cabasa, congas and cowbell under nylon-string guitar; some sevenths.",
    "pop": "Steel-string guitar, fingered bass, hi-hat and snare, held strings; few sevenths.",
    "rock": "Distorted guitar, a driving bass, straight drums and held strings; few sevenths.",
}


def describe(genre: str) -> str:
    """Return a genre's line; empty for a genre that does not come with accomp."""
    return LINES.get(genre, "")
