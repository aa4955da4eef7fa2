"""The errors that accomp raises on purpose; each message says what was found and what is accepted.

MusicError           input that cannot be used; the message can be shown to users as it is
  DoubtError         a recording that seems to be no melody; one can go on all the same
  AudioUnavailable   no sound can be made on this computer
  ModelError         a model folder or Hub repository that cannot be used
    DamagedError     weights that are not those which their settings were written with
Stopped              making sound was stopped by the caller
"""


class MusicError(ValueError):
    """Input that cannot be used: a file, a score or an argument."""


class DoubtError(MusicError):
    """A recording that seems to be no melody; the message says what it seems to be.

    Whoever knows better goes on: `open_melody(path, anyway=True)`.
    """


class AudioUnavailable(MusicError):
    """No sound can be made on this computer; the message says why and what to install."""


class ModelError(MusicError):
    """A model folder or repository that cannot be used; the message names what is wrong."""


class DamagedError(ModelError):
    """Weights that are not those which their settings were written with."""


class Stopped(Exception):
    """Making sound was stopped by the caller."""
