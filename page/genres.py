"""What to expect of each genre, in a line."""

LINES = {
    "folk": "",
}


def describe(genre: str) -> str:
    """Empty for a genre that somebody else trained."""
    return LINES.get(genre, "")
