"""Count what a genre's songs use: instruments (programs), and the sevenths and ninths of chords."""

from dataclasses import dataclass

import numpy as np
import torch

from accomp.band.accompanist import Accompanist
from accomp.models.band_model import SEVENTHS
from accomp.roll import chord_plan, pianoroll
from accomp.roll.grid import BASS, GUITAR, STRINGS, TRACK_NAMES
from train.data.corpus import Corpus

# General MIDI's families of programs; a part played by another instrument says little of a genre.
FAMILIES = {GUITAR: range(24, 32), BASS: range(32, 40), STRINGS: range(40, 56)}


@dataclass(frozen=True)
class ColourSettings:
    """When a chord counts as coloured."""

    least_share: float = 0.12  # of a half bar's sounding time; a shorter tone is a passing one
    prior: int = 20  # plain half bars added to each chord's, so that a rare chord says little


def fit_programs(model: Accompanist, corpus: Corpus, songs: list[int]) -> None:
    """Give a model the programs that most of the songs use."""
    programs = {}
    for track, family in FAMILIES.items():
        used = [corpus.songs[song]["programs"].get(TRACK_NAMES[track]) for song in songs]
        used = [program for program in used if program in family]
        if used:
            programs[TRACK_NAMES[track]] = max(sorted(set(used)), key=used.count)
    model.config.programs = programs


def fit_colours(
    model: Accompanist,
    corpus: Corpus,
    songs: list[int],
    settings: ColourSettings = ColourSettings(),
) -> None:
    """Give a model how often each chord of the plan is played with each of SEVENTHS.

    Args:
        model: Gets the shares, in `colours`.
        corpus: The songs.
        songs: Which of them are counted.
        settings: When a chord counts as coloured.
    """
    counts = np.zeros((chord_plan.CHORD_COUNT, len(SEVENTHS)))
    for song in songs:
        part = corpus.own(song)
        planes = [
            pianoroll.from_blocks(corpus.blocks(track, part).numpy())
            for track in (GUITAR, STRINGS, BASS)
        ]
        chroma = sum(chord_plan.chroma(track) for track in planes)
        plan = corpus.plan[part].numpy().reshape(-1)
        sounding = chroma.sum(1)
        share = chroma / np.maximum(sounding, 1)[:, None]
        for index, interval in enumerate(SEVENTHS):
            if interval:
                tone = share[np.arange(len(plan)), (plan + interval) % 12]
                coloured = (sounding > 0) & (tone >= settings.least_share)
                np.add.at(counts[:, index], plan[coloured], 1)
        np.add.at(counts[:, 0], plan[sounding > 0], 1)
    whole = counts[:, :1] + settings.prior
    shares = counts / whole
    shares[:, 0] = np.maximum(1 - shares[:, 1:].sum(1), 0)
    model.colours.copy_(torch.from_numpy(shares / shares.sum(1, keepdims=True)))
