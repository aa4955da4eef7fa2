"""Load styles by what a user names: built-in ones, MIDI files, several with weights."""

import json
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from accomp.band.style import Style
from accomp.band.style_names import STYLES, STYLES_FILE, built_in
from accomp.checks import read_number, shown
from accomp.errors import MusicError
from accomp.models.band_model import BandModel
from accomp.models.files import load_metadata, load_weights, save_weights
from accomp.music.midi import read_midi
from accomp.music.midi_chunks import MIDI_ENDINGS
from accomp.roll.grid import ACCOMPANIMENT, TRACK_NAMES

PAIR = "such as ('bossa_nova', 2.0)"
MOST_WEIGHT = 1e6
Named = str | Path | Style  # a built-in style's name, a MIDI file or a Style
Weighted = tuple[tuple[Named, float], ...]


def weighted_styles(styles: Named | Collection[tuple[Named, float]]) -> Weighted:
    """Return one style, or several with weights, as pairs whose weights are above 0.

    Raises:
        MusicError: a name is unknown, a file is missing, or a weight is out of range.
    """
    if not isinstance(styles, (*get_args(Named), Collection)):
        raise MusicError(f"styles are {shown(styles)}; accepted: {PAIR}")
    pairs = ((styles, 1.0),) if isinstance(styles, Named) else tuple(styles)
    for pair in pairs:
        is_pair = isinstance(pair, (tuple, list)) and len(pair) == 2
        if not (is_pair and isinstance(pair[0], Named) and isinstance(pair[1], (int, float))):
            raise MusicError(f"{shown(pair, repr)} is not a style and its weight; accepted: {PAIR}")
    weights = [weight for _, weight in pairs]
    if not all(0 <= weight <= MOST_WEIGHT for weight in weights) or (pairs and not sum(weights)):
        raise MusicError(
            f"the weights of styles are {shown(weights)}; accepted: 0 or more, one of them above 0"
        )
    for style, _ in pairs:
        if isinstance(style, Path) and not style.is_file():
            raise MusicError(f"there is no file {style} to take a style from")
        if isinstance(style, str):
            _check_name(style)
    return tuple((style, weight) for style, weight in pairs if weight)


def parse_styles(text: str) -> list[tuple[str | Path, float]]:
    """Read names and MIDI files with weights from "bossa_nova" or "bossa_nova 2 + song.mid".

    A weight of 1 may be left out.
    """
    pairs: list[tuple[str | Path, float]] = []
    for part in re.split(r"\s\+\s", text):
        name, _, weight = part.strip().rpartition(" ")
        try:
            value = float(read_number(weight, "the weight of a style"))
        except MusicError:
            name, value = part.strip(), 1.0
        pairs.append((Path(name) if Path(name).suffix.lower() in MIDI_ENDINGS else name, value))
    return pairs


def load_styles(styles: Weighted, model: BandModel) -> list[tuple[Style, float]]:
    """Load styles for a model's VAEs.

    Raises:
        MusicError: a style was made with other VAEs, or a MIDI file has no band beside its melody.
    """
    return [(_load(style, model), weight) for style, weight in styles]


def load_style(name: str, model: BandModel, folder: Path = STYLES) -> Style:
    """Load a style of a folder, by default a built-in one.

    Raises:
        MusicError: there is none of that name, or the model's latents mean something else.
    """
    _check_name(name, folder)
    if load_metadata(folder / STYLES_FILE)["latent_space"] != model.latent_space:
        raise MusicError(
            f"the built-in styles are not for the VAEs of {model.config.genre}; "
            "give a song as a style instead"
        )
    weights, unique, order = load_weights(folder / STYLES_FILE), {}, {}
    for track in ACCOMPANIMENT:
        key = f"{name}.{TRACK_NAMES[track]}"
        if f"{key}.unique" in weights:
            unique[track] = weights[f"{key}.unique"].to(model.device, model.colours.dtype)
            order[track] = weights[f"{key}.order"].numpy().astype(int)
    return Style(name, unique, order, model.latent_space)


def write_styles(
    folder: Path, styles: list[Style], about: dict[str, dict[str, str]], model: BandModel
) -> None:
    """Write styles to a folder; the opposite of `load_style`, for all styles at once.

    Args:
        folder: gets the file; it is made where it is missing.
        styles: made with the model.
        about: what `built_in` says of each.
        model: the networks whose VAEs made them.
    """
    tensors = {}
    for style in styles:
        for track, unique in style.unique.items():
            key, order = f"{style.name}.{TRACK_NAMES[track]}", style.order[track]
            tensors[f"{key}.unique"] = unique.half().cpu().contiguous()
            tensors[f"{key}.order"] = torch.from_numpy(order.astype(np.int16))
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"latent_space": model.latent_space, "styles": json.dumps(about)}
    save_weights(folder / STYLES_FILE, tensors, metadata)


def _check_name(name: str, folder: Path = STYLES) -> None:
    if name not in built_in(folder):
        raise MusicError(f"style {name!r} is unknown; available: {', '.join(built_in(folder))}")


def _load(style: Named, model: BandModel) -> Style:
    if isinstance(style, Path):
        return Style.of(model, read_midi(style), style.stem)
    if isinstance(style, str):
        return load_style(style, model)
    if style.latent_space != model.latent_space:
        raise MusicError(
            f"the style {style.name!r} was made with other VAEs than those of "
            f"{model.config.genre}; make it with Style.of"
        )
    unique = {track: rows.to(model.device) for track, rows in style.unique.items()}
    return replace(style, unique=unique)
