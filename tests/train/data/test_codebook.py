import numpy as np
import torch

from accomp.roll import pianoroll
from train.data.codebook import density_of, fill_of, variety_of


def blocks(*notes):
    return torch.from_numpy(
        np.stack([pianoroll.to_planes(np.array(rows, int).reshape(-1, 3), 32) for rows in notes])
    )


def test_density_and_variety_are_in_standard_deviations():
    sparse, busy = [(40, 0, 32)], [(40 + 12 * (i % 2), i, i + 1) for i in range(32)]
    colourful = [(40 + i, 4 * i, 4 * i + 4) for i in range(8)]
    density = density_of(blocks(sparse, busy, colourful))
    assert density[1] > density[2] > density[0] and abs(float(density.mean())) < 1e-6
    # Pitch classes: 1 and 1, 1 and 1, 4 and 4 a bar.
    variety = variety_of(blocks(sparse, busy, colourful))
    assert variety[0] == variety[1] < 0 < variety[2] and torch.isclose(
        variety.std(correction=0), torch.tensor(1.0)
    )


def test_a_fill_has_more_snares_and_toms_at_the_end_than_in_the_bar_before():
    groove = [(36, s, s + 1) for s in range(0, 32, 8)] + [(38, s, s + 1) for s in range(4, 32, 8)]
    fill = [
        *groove,
        *(
            (tom, 24 + i, 25 + i)
            for i, tom in enumerate((38, 38, 48, 48, 45, 45, 41, 41))
            if i != 4
        ),
    ]
    cymbals = [*groove, *((51, 24 + i, 25 + i) for i in range(8))]
    got = fill_of(blocks(groove, fill, cymbals)).tolist()
    assert got[0] == got[2] == 0 and 0.4 < got[1] <= 1
