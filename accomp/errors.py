"""The one exception of the package: what was found, and what is accepted."""


class MusicError(ValueError):
    """Bad input. The message names what was found and what is accepted; the screen shows it as it is."""
