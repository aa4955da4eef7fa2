"""Make the pictures and the two seconds of sound on the genres' cards, of what their bands play.

    .venv/bin/python -m page.look.tastes

writes page/look/static/GENRE.svg and GENRE.mp3. To be run again when the models have changed.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accomp import Accompanist, Options, read_midi
from accomp.sound.audio_file import write_audio
from accomp.sound.rates import SAMPLE_RATE
from accomp.sound.render import render
from page.genres import LINES
from page.look.pictures import genre_picture

ROOT = Path(__file__).parents[2]
STATIC = Path(__file__).parent / "static"
SECONDS = 2.4  # two that are heard well, and a fade
FADE = 0.4  # seconds at the end


@dataclass(frozen=True)
class Taste:
    """Where a genre's two seconds come from.

    Attributes:
        example: The melody's file in examples/, without ending.
        bar: The first bar that is heard, from 1: all of the band plays there.
        seed: Of the band.
    """

    example: str
    bar: int = 5
    seed: int = 0


TASTES = {
    "folk": Taste("auld_lang_syne"),
    "game": Taste("ode_to_joy"),
    "gospel": Taste("amazing_grace"),
    "jazz": Taste("when_the_saints"),
    "latin": Taste("la_cucaracha"),
    "pop": Taste("londonderry_air"),
    "rock": Taste("god_rest_ye_merry"),
}


def make(genre: str, folder: Path = STATIC) -> None:
    """Write a genre's picture and sound to a folder."""
    taste = TASTES[genre]
    melody = read_midi(ROOT / "examples" / f"{taste.example}.mid")
    song = Accompanist.from_pretrained(genre).accompany(melody, Options(seed=taste.seed))
    bars = song.bars(song.end)
    first, last = bars[taste.bar - 1], bars[taste.bar + 1]
    picture = genre_picture(genre, song, first.onset, last.onset)
    (folder / f"{genre}.svg").write_text(picture, encoding="utf-8")
    start = round(song.seconds([first.onset])[0] * SAMPLE_RATE)
    sound = render(song)[start : start + round(SECONDS * SAMPLE_RATE)]
    fade = np.ones(len(sound), np.float32)
    samples = round(FADE * SAMPLE_RATE)
    fade[-samples:] = np.linspace(1, 0, samples)
    write_audio(sound * fade[:, None], folder / f"{genre}.mp3")


if __name__ == "__main__":
    for name in LINES:
        make(name)
