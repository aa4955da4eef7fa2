"""What is counted rather than learned: the programs of a genre's songs and the colours of their chords."""

import numpy as np
import torch

from accomp.band.accompanist import Accompanist
from accomp.models.band_model import SEVENTHS
from accomp.roll import chord_plan as chords
from accomp.roll import pianoroll
from accomp.roll.grid import BASS, GUITAR, STRINGS, TRACK_NAMES
from train.fit.settings import Session

FAMILIES = {
    GUITAR: range(24, 32),
    BASS: range(32, 40),
    STRINGS: range(40, 56),
}  # General MIDI programs
HEARD = 0.12  # share of a half bar's sounding time from which a tone colours its chord rather than passes
PRIOR = (
    20  # half bars without colour that are added to each chord's, so that a rare chord says little
)


def fit_programs(model: Accompanist, session: Session, songs: list[int]) -> None:
    """The programs that most of the songs use."""
    programs = {}
    for track, family in FAMILIES.items():
        used = [session.corpus.songs[i]["programs"].get(TRACK_NAMES[track]) for i in songs]
        used = [program for program in used if program in family]
        if used:
            programs[TRACK_NAMES[track]] = max(sorted(set(used)), key=used.count)
    model.config.programs = programs


def fit_colours(model: Accompanist, session: Session, songs: list[int]) -> None:
    """How often each chord of the plan is played with each of SEVENTHS."""
    counts = np.zeros((chords.CHORD_COUNT, len(SEVENTHS)))
    for song in songs:
        entry = session.corpus.songs[song]
        part = slice(entry["first"], entry["first"] + entry["blocks"])
        planes = [
            pianoroll.from_blocks(session.corpus.blocks(track, part).numpy())
            for track in (GUITAR, STRINGS, BASS)
        ]
        chroma = sum(chords.chroma(track) for track in planes)
        plan = session.corpus.plan[part].numpy().reshape(-1)
        sounding = chroma.sum(1)
        share = chroma / np.maximum(sounding, 1)[:, None]
        for index, interval in enumerate(SEVENTHS):
            if interval:
                tone = share[np.arange(len(plan)), (plan + interval) % 12]
                np.add.at(counts[:, index], plan[(sounding > 0) & (tone >= HEARD)], 1)
        np.add.at(counts[:, 0], plan[sounding > 0], 1)
    whole = counts[:, :1] + PRIOR
    shares = counts / whole
    shares[:, 0] = np.maximum(1 - shares[:, 1:].sum(1), 0)
    model.colours.copy_(torch.from_numpy(shares / shares.sum(1, keepdims=True)))
