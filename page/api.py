"""The page's calls for programs: paths of files go in and come out."""

from accomp.band.options import Options
from accomp.band.style_library import parse_styles
from accomp.errors import AudioUnavailable
from accomp.invention.invent import VARIATION
from accomp.listen.source import load_source
from accomp.music.chord_text import chord_text
from page import inventing, models, sound, taking
from page.choices import MelodyRecipe
from page.messages import NO_MELODY, errors_shown, refuse, warn
from page.settings import Settings

INVENTED_BARS = MelodyRecipe.bars


def accompany(
    melody: str | None,
    genre: str,
    seed: float = Options.seed,
    chords: str = "",
    intro: str = Options.intro,
    style: str = "",
    style_factor: float = Options.style_factor,
) -> tuple[str | None, str, str, str]:
    """Give a melody a band.

    Args:
        melody: A MIDI file, or a recording of one voice (wav, mp3, ogg, opus, webm, m4a, flac,
            aiff).
        genre: One of those that the page offers.
        seed: Another one gives other music.
        chords: Such as "| C  Am | F  G7 |"; planned where empty.
        intro: none, count-in (a bar of clicks) or bars (two bars of the band).
        style: A built-in style that the band is drawn to, such as bossa_nova, or two with weights:
            bossa_nova 2 + samba.
        style_factor: How much, from 0 (not at all) to 1 (its patterns throughout).

    Returns:
        Paths of the sound (None without FluidSynth), the picture and the MIDI file, and the chords
        as text.
    """
    if not melody:
        raise refuse(NO_MELODY)
    with errors_shown():
        settings = Settings(
            genre=genre,
            seed=int(seed or 0),
            chords=chords or "",
            intro=intro,  # type: ignore[arg-type]  Settings checks it
            styles=tuple(parse_styles(style)) if style else (),  # type: ignore[arg-type]  checked
            style_factor=style_factor,
        )
        take = taking.make(load_source(melody, anyway=True), settings, [])
    try:
        path = str(sound.write_whole(take))
    except AudioUnavailable as error:
        warn(str(error))
        path = None
    return path, str(sound.draw(take)), str(take.files[0]), take.chords


def invent(
    genre: str,
    bars: float = INVENTED_BARS,
    seed: float = 0,
    variation: float = VARIATION,
) -> tuple[str, str]:
    """Invent a melody in a genre's manner, with chords.

    Args:
        genre: One of those that the page offers.
        bars: 4, 8, 16 or 32.
        seed: Another one gives another melody.
        variation: From 0 (predictable) to 1.5 (unusual).

    Returns:
        The path of its MIDI file, and its chords as text. Both can be given to accompany.
    """
    models.check_genre(genre)
    with errors_shown():
        recipe = MelodyRecipe(
            genre,
            INVENTED_BARS if bars is None else int(bars),
            int(seed or 0),
            VARIATION if variation is None else float(variation),
        )
        melody = inventing.invented_source(models.invent_melody, recipe).melody()
    path = inventing.write_melody(melody.score, melody.name)
    return str(path), chord_text(melody.score, melody.score.tracks[melody.track])
