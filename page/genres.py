"""One line about each genre: what its bands played to the examples, counted."""

LINES = {
    "folk": "Picked steel-string guitar, a calm upright bass and light drums; plain chords.",
    "game": "Distorted guitar, a running bass and busy drums, as in old computer games.",
    "gospel": "Broad guitar chords and held strings over a steady hi-hat; some sevenths.",
    "jazz": "Swung: walking upright bass, ride cymbal, nylon-string guitar; many sevenths.",
    "latin": "Maracas, cabasa, congas and cowbell under nylon-string guitar; the most sevenths.",
    "pop": "Strummed steel-string guitar, fretless bass, drums with maracas and string lines.",
    "rock": "Distorted guitar in eighths, a driving bass, straight drums and held strings.",
}


def describe(genre: str) -> str:
    """Return a genre's line; empty for a genre that does not come with accomp."""
    return LINES.get(genre, "")
