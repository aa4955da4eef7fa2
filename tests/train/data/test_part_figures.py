from collections import Counter

from accomp.music.score import Note, Score, Track
from accomp.roll.grid import BASS, GUITAR, STRINGS, Grid
from train.data.part_figures import PartFigures, figures_of


def held(pitch: int, onset: float, duration: float) -> Note:
    return Note(pitch, onset, duration, 80)


def test_parts_are_compared_with_the_tracks_of_their_instruments():
    strings = [held(60, 0, 4), held(64, 0, 4), held(60, 8, 0.25)]
    flute = [held(72, at, 0.25) for at in range(16)]
    score = Score([Track("", 48, False, strings), Track("", 73, False, flute)])
    grid = Grid.of(score, 0, 16)
    song = figures_of(score, {GUITAR: [], BASS: [], STRINGS: flute}, grid)
    assert song["strings", "tracks"] == {
        "songs": 1,
        "notes": 3,
        "short": 1,
        "long": 2,
        "isolated": 1,  # nothing else within a beat
        "cells": 33,
        "sounding": 17,
        "pitch": 184,
        "silent": 2,
        "bars": 4,
    }
    part = song["strings", "part"]
    assert part["short"] == 16 and part["isolated"] == part["silent"] == 0
    assert song["guitar", "part"] == song["bass", "tracks"] == Counter()
    figures = PartFigures()
    figures.add("jazz", song)
    figures.add("pop", song)
    table = figures.table()
    assert "| all | strings | tracks | 2 | 6 | 33 | 67 | 33.33 | 2.75 | 1.94 | 61.3 | 50 |" in table
    assert "| jazz | strings | part | 1 | 16 | 100 | 0 | 0.00 |" in table
