"""The page's calls for programs: paths of files go in and come out."""

import inspect
from pathlib import Path
from typing import Any

from accomp.band.options import Options
from accomp.band.style_library import parse_styles
from accomp.checks import read_number, read_whole, shown
from accomp.errors import AudioUnavailable, MusicError
from accomp.invention.invent import VARIATION
from accomp.listen.source import Corrections, load_source
from accomp.music.chord_text import chord_text
from accomp.project.choices import BAND, MelodyRecipe
from accomp.project.settings import Settings
from page import inventing, models, sound, taking
from page.messages import NO_MELODY, errors_shown, for_programs, refuse, warn
from page.studio import Take

INVENTED_BARS = MelodyRecipe.bars


def accompany(  # noqa: PLR0913  a program names the arguments that it gives
    melody: str | None,
    genre: str,
    seed: int = Options.seed,
    chords: str = "",
    intro: str = Options.intro,
    style: str = "",
    style_factor: float = Options.style_factor,
    variation: float = Options.variation,
    instruments: list[str] | None = None,
    key: str = "",
    tempo: float | None = None,
    meter: str = "",
    track: int | None = None,
    colour: float = Options.colour,
) -> tuple[str | None, str, str, str]:
    """Give a melody a band.

    Args:
        melody: A MIDI file, or a recording of one voice, such as mp3, wav, m4a, ogg, flac or webm.
        genre: One of those that the page offers.
        seed: Another one gives other music.
        chords: Such as "| C  Am | F  G7 |"; "melody" for those in the file; planned where empty.
        intro: none, count-in (a bar of clicks) or bars (two bars of the band).
        style: A built-in style to be drawn to: bossa_nova, or two of them: bossa_nova 2 + samba.
        style_factor: How much, from 0 (not at all) to 1 (its patterns throughout).
        variation: How freely the band plays, from 0 to 1.
        instruments: Who plays beside the piano: drums, bass, guitar, strings; all where left out.
        key: Of the melody, such as A minor, where it is known; else it is estimated.
        tempo: Of the melody in beats a minute, where it is known.
        meter: Of the melody, such as 3/4, where it is known.
        track: The melody's track in a MIDI file, counted from 0, where it is known.
        colour: Of planned chords, from 0 (plain) to 1 (as colourful as songs of the genre get).

    Returns:
        sound: The path of a WAV file; None without FluidSynth.
        picture: The path of a PNG file.
        MIDI: The path of a MIDI file with the melody and the band.
        chords that were played: As text, four bars a line.
    """
    with for_programs():
        take = take_of(
            *(melody, genre, seed, chords, intro, style, style_factor),
            *(variation, instruments, key, tempo, meter, track, colour),
        )
        try:
            path = str(sound.write_mix(take, sound.WHOLE, "wav"))
        except AudioUnavailable as error:
            warn(str(error))
            path = None
        return path, str(sound.draw(take)), str(take.files[0]), take.chords


def stems(*given: Any) -> tuple[str, str]:
    """Give a melody a band, and return the sound of each instrument by itself.

    Its arguments are those of accompany.

    Returns:
        stems: The path of a zip with a WAV file of each instrument.
        MIDI: The path of a MIDI file with the melody and the band.
    """
    with for_programs(), errors_shown():
        take = take_of(*given)
        return str(sound.write_stems_zip(take)), str(take.files[0])


stems.__signature__ = inspect.signature(accompany)  # type: ignore[attr-defined]  programs read it
stems.__doc__ = (stems.__doc__ or "").replace(
    "    Its arguments are those of accompany.\n",
    (accompany.__doc__ or "").partition("\n\n")[2].partition("\n\n")[0] + "\n",
)


def invent(
    genre: str,
    bars: int = INVENTED_BARS,
    seed: int = 0,
    variation: float = VARIATION,
) -> tuple[str, str]:
    """Invent a melody in a genre's manner, with chords.

    Args:
        genre: One of those that the page offers.
        bars: 4, 8, 16 or 32.
        seed: Another one gives another melody.
        variation: From 0 (predictable) to 1.5 (unusual).

    Returns:
        MIDI: The path of its MIDI file, which can be given to accompany.
        chords: Its chords as text, which can be given to accompany.
    """
    with for_programs():
        models.check_genre(genre)
        with errors_shown():
            recipe = MelodyRecipe(
                genre,
                INVENTED_BARS if bars is None else whole(bars, "bars"),
                whole(seed or 0, "seed"),
                VARIATION if variation is None else variation,
            )
            melody = inventing.invented_source(models.invent_melody, recipe).melody()
        path = inventing.write_melody(melody.score, melody.name)
        return str(path), chord_text(melody.score, melody.score.tracks[melody.track])


def take_of(*given: Any, **named: Any) -> Take:
    """Make the take that a program asks for by the arguments of `accompany`. Raises gr.Error."""
    asked = inspect.signature(accompany).bind(*given, **named)
    asked.apply_defaults()
    chosen: dict[str, Any] = dict(asked.arguments)
    melody = chosen.pop("melody")
    if not melody:
        raise refuse(NO_MELODY)
    with errors_shown():
        corrections = _corrections(
            *(chosen.pop(name) for name in ("key", "tempo", "meter", "track"))
        )
        style, instruments = chosen.pop("style"), chosen.pop("instruments")
        chosen["seed"] = whole(chosen["seed"] or 0, "seed")
        chosen["instruments"] = BAND if instruments is None else _tuple(instruments)
        chosen["styles"] = tuple(parse_styles(style)) if style else ()
        settings = Settings(corrections=corrections, **chosen)
        return taking.make(load_source(Path(melody), anyway=True), settings, [])


def _corrections(key: Any, tempo: Any, meter: Any, track: Any) -> Corrections:
    """Return what a program knows of its melody. Raises MusicError."""
    parts = str(meter).split("/") if meter else []
    return Corrections(
        key=key or None,
        tempo=None if tempo is None else read_number(str(tempo), "tempo", "beats a minute"),
        track=None if track is None else whole(track, "track"),
        meter=tuple(read_whole(part, "meter", "such as 3/4") for part in parts) or None,  # type: ignore[arg-type]  checked
    )


def whole(value: Any, name: str) -> int:
    """Return an integer that JSON may hold as 3.0 or "3". Raises MusicError."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise MusicError(f"{name} is {shown(value)}; accepted: a whole number")
    return value if isinstance(value, int) else read_whole(value, name)


def _tuple(value: Any) -> Any:
    """Return a list as a tuple; anything else, which is refused later, as it is."""
    return tuple(value) if isinstance(value, list) else value
