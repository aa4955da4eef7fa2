"""Packages that are installed on demand, as extras: `pip install "accomp[listen,sound]"`."""

from types import TracebackType

from accomp.errors import AudioUnavailable, MusicError

ERRORS = {"sound": AudioUnavailable}  # by extra; MusicError for the others


class extra:
    """Context of imports that an extra provides; says how to install a missing package.

    `with extra("sound"): import soundfile` raises AudioUnavailable (MusicError for the other
    extras) where soundfile is not installed.
    """

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, ModuleNotFoundError):
            package = (error.name or "").partition(".")[0].replace("_", "-")
            raise ERRORS.get(self.name, MusicError)(
                f"the package {package} is not installed; install it with: pip install {package} "
                f"(the extra accomp[{self.name}] has all that is needed)"
            ) from error
