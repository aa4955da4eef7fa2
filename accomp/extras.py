"""Packages that are installed on demand, as extras: `pip install "accomp[listen,sound]"`."""

from types import TracebackType

from accomp.errors import AudioUnavailable, MusicError

ERRORS = {"listen": MusicError, "sound": AudioUnavailable}  # by extra


class extra:
    """Context of imports that an extra provides; says how to install a missing package.

    `with extra("sound"): import soundfile` raises MusicError (AudioUnavailable for sound)
    where soundfile is not installed.
    """

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, ModuleNotFoundError):
            raise ERRORS[self.name](
                f"the package {error.name} is not installed; install it with: "
                f'pip install "accomp[{self.name}]"'
            ) from error
