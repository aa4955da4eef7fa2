"""Fit and measure how recordings that are not one voice are told.

`python -m train one_voice --corpus CORPUS --split train --speech FOLDER ... --songs FOLDER
--out FILE --fit` makes recordings of one voice and of others (train.fit.sound_kinds), fits the
weights and prints them as accomp/data/listen/one_voice.csv holds them. The same with `--split val`,
other speakers and other songs and without `--fit` prints how many of each kind are doubted or get a
notice, and leaves the figures of each in FILE (JSON).

Speech: a folder with sound files for each speaker. Debian has such recordings:
asterisk-core-sounds-en-g722 (also es, fr, it, ru) and asterisk-prompt-it-menardi-wav; espeak-ng and
flite speak, too: their voices may be folders of wav files. Songs: MIDI files of songs for several
instruments. FluidSynth is needed. The weights in use are from --count 12 with the English and the
Russian voice of Asterisk and two voices each of espeak-ng and flite.
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from tqdm import tqdm

from accomp.errors import MusicError
from accomp.listen.frames import frames_of
from accomp.listen.notes import notes_of
from accomp.listen.one_voice import (
    DOUBT,
    KINDS,
    NOTICE,
    Figures,
    OneVoiceSettings,
    figures_of,
    likelihoods_of,
    one_voice_weights,
    verdict_of,
)
from train.fit.run_files import write_json
from train.fit.settings import command_parser
from train.fit.sound_kinds import Material, sounds


@dataclass(frozen=True)
class RegressionSettings:
    """How the weights are fitted."""

    prior: float = 1e-4  # of the weights' squares against the mean log-likelihood
    share: Mapping[str, float] = field(  # of each kind, however many recordings of it there are
        default_factory=lambda: {
            "one voice": 0.55,
            "speech": 0.15,
            "several voices": 0.2,
            "noise": 0.1,
        }
    )


def main(arguments: list[str] | None = None) -> None:
    """Make recordings, fit or measure, and write their figures."""
    options = _options(arguments)
    material = Material(
        options.corpus, options.split, options.speech, options.songs, options.count, options.seed
    )
    rows = []
    for sound in tqdm(sounds(material), desc="recordings", unit="clip"):
        figures = measured(sound.samples)
        row = {"kind": sound.kind, "name": sound.name}
        rows.append(row | {"figures": figures and asdict(figures)})
    if options.fit:
        weights = fit([row for row in rows if row["figures"]])
        print(weights_csv(weights))
    else:
        weights = one_voice_weights()
    write_json(options.out, rows)
    print(table(rows, weights))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser("one_voice", __doc__)
    parser.add_argument(
        "--corpus", type=Path, required=True, help="folder that `train prepare` wrote"
    )
    parser.add_argument(
        "--split",
        choices=("train", "val"),
        default="train",
        help="songs of the corpus whose melodies are taken",
    )
    parser.add_argument(
        "--speech",
        type=Path,
        nargs="+",
        required=True,
        help="folders of sound files, one for each speaker",
    )
    parser.add_argument("--songs", type=Path, required=True, help="folder of MIDI files")
    parser.add_argument(
        "--out", type=Path, required=True, help="JSON file for the figures of each recording"
    )
    parser.add_argument("--count", type=int, default=30, help="recordings of each sort")
    parser.add_argument("--fit", action="store_true", help="fit the weights to these recordings")
    parser.add_argument("--seed", type=int, default=0, help="decides on all else (default: 0)")
    return parser.parse_args(arguments)


def measured(samples: np.ndarray) -> Figures | None:
    """Return the figures of a sound; None where it has no notes, which is refused in any case."""
    frames = frames_of(samples)
    try:
        return figures_of(frames, notes_of(frames), samples)
    except MusicError:
        return None


def fit(
    rows: list[dict[str, Any]], settings: RegressionSettings = RegressionSettings()
) -> np.ndarray:
    """Fit weights [kinds, figures + 1] by multinomial logistic regression.

    rows: recordings, each with its kind and figures.
    """
    values = np.array([astuple(Figures(**row["figures"])) for row in rows])
    middle, spread = values.mean(axis=0), values.std(axis=0)
    inputs = np.concatenate([np.ones((len(rows), 1)), (values - middle) / spread], axis=1)
    truth = np.array([KINDS.index(row["kind"]) for row in rows])
    weight = np.array([settings.share[row["kind"]] for row in rows]) / np.bincount(truth)[truth]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(len(KINDS), -1)
        logits = inputs @ weights.T
        logits -= logits.max(axis=1, keepdims=True)
        likelihood = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        surprise = -(weight * np.log(likelihood[np.arange(len(truth)), truth] + 1e-300)).sum()
        wrong = (likelihood - np.eye(len(KINDS))[truth]) * weight[:, None]
        gradient = wrong.T @ inputs + 2 * settings.prior * weights
        return surprise + settings.prior * (weights**2).sum(), gradient.ravel()

    start = np.zeros(len(KINDS) * inputs.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x.reshape(len(KINDS), -1)
    found[:, 0] -= found[:, 1:] @ (middle / spread)
    found[:, 1:] /= spread
    return found - found[0]  # what is added to all kinds changes nothing


def weights_csv(weights: np.ndarray) -> str:
    """Return weights [kinds, figures + 1] as accomp/data/listen/one_voice.csv holds them."""
    names = ["kind", "always", *(each.name for each in fields(Figures))]
    rows = [[kind, *(f"{value:.2f}" for value in row)] for kind, row in zip(KINDS, weights)]
    return "\n".join(",".join(row) for row in [names, *rows])


def table(
    rows: list[dict[str, Any]],
    weights: np.ndarray,
    settings: OneVoiceSettings = OneVoiceSettings(),
) -> str:
    """Return a Markdown table of how many recordings are doubted and get a notice, by name.

    Args:
        rows: Recordings, each with its kind, name and figures.
        weights: [kinds, figures + 1].
        settings: From which likelihood a recording is doubted.
    """
    lines = ["| kind | recordings | number | doubted | with a notice |", "|---|---|---|---|---|"]
    for kind, name in dict.fromkeys((row["kind"], row["name"]) for row in rows):
        chosen = [row["figures"] for row in rows if (row["kind"], row["name"]) == (kind, name)]
        verdicts = [
            verdict_of(likelihoods_of(Figures(**found), weights), settings) if found else DOUBT
            for found in chosen
        ]
        counts = f"{verdicts.count(DOUBT)} | {verdicts.count(NOTICE)}"
        lines.append(f"| {kind} | {name} | {len(chosen)} | {counts} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
