"""Ten programs ask the page at once: each gets its own song, in bounded memory; files go away."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

from accomp import Note, Score, Track, genres, read_midi, write_midi
from accomp.roll.grid import MELODY
from page.limits import LIMITS
from tests.support.server import serving

USERS = 10
BARS = 8
MOST_MEMORY = 2500  # MB; the page with all genres takes 700, and four songs are made at a time
CALL = {"api_name": "/accompany"}

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc"),
    pytest.mark.skipif(not genres(), reason="no models are there"),
]


@dataclass
class User:
    """Somebody's wish, and what came of it."""

    melody: Path
    genre: str
    seed: int
    midi: bytes = b""
    sound: bytes | None = None
    chords: str = ""

    def ask(self, url: str, downloads: Path) -> "User":
        client = Client(url, verbose=False, download_files=downloads)
        sound, picture, midi, self.chords = client.predict(
            handle_file(self.melody), self.genre, self.seed, **CALL
        )
        self.midi, self.sound = Path(midi).read_bytes(), Path(sound).read_bytes() if sound else None
        assert (
            Path(midi).stem == Path(picture).stem == f"{self.melody.stem}_{self.genre}_{self.seed}"
        )
        return self


def melody(number: int) -> Score:
    """Eight bars that nobody else has."""
    return Score(
        [
            Track(
                "tune",
                notes=[
                    Note(60 + (beat * (number + 2)) % 13, float(beat), 0.9, 80)
                    for beat in range(4 * BARS)
                ],
            )
        ]
    )


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def users(server, tmp_path_factory):
    """Ten who asked at once: the last asks for the same as the first."""
    folder = tmp_path_factory.mktemp("melodies")
    users = [
        User(folder / f"tune{number}.mid", genres()[number % len(genres())], number)
        for number in range(USERS - 1)
    ]
    for number, user in enumerate(users):
        write_midi(melody(number), user.melody)
    users.append(User(users[0].melody, users[0].genre, users[0].seed))
    with ThreadPoolExecutor(USERS) as pool:
        asked = [
            pool.submit(user.ask, server.url, folder / f"user{number}")
            for number, user in enumerate(users)
        ]
        return [each.result(300) for each in asked]


def test_each_gets_a_band_for_its_own_melody(users):
    for user in users:
        song, own = read_midi(user.midi), read_midi(user.melody)
        assert song.tracks[MELODY].notes == own.tracks[0].notes
        assert (
            len(song.tracks) == 5
            and all(track.notes for track in song.tracks[1:3])
            and user.chords.startswith("| ")
        )
        assert (user.sound is None) == (shutil.which("fluidsynth") is None)
    assert len({user.midi for user in users}) == USERS - 1


def test_the_same_wish_gives_the_same_song(users, server, tmp_path):
    first, last = users[0], users[-1]
    assert (first.midi, first.sound, first.chords) == (last.midi, last.sound, last.chords)
    again = User(users[4].melody, users[4].genre, users[4].seed).ask(
        server.url, tmp_path
    )  # alone, by itself
    assert (again.midi, again.sound) == (users[4].midi, users[4].sound)


def test_memory_is_bounded(users, server):
    assert server.peak_memory() < MOST_MEMORY


def test_what_was_made_goes_away(users, server, tmp_path):
    before = {file.parent for file in server.made()}
    assert len(before) >= USERS
    an_hour_ago = time.time() - LIMITS.kept_seconds - 1
    for folder in before:
        os.utime(folder, (an_hour_ago, an_hour_ago))
    users[0].ask(server.url, tmp_path)
    after = {file.parent for file in server.made()}
    assert len(after) == 1 and not after & before
    server.stop()
    assert not server.made() and not list(server.folder.glob("accomp-*"))
