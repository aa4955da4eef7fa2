"""How well bars fit a melody by the kinds of its notes: log-linear weights, beside what a network hears (accomp.listen.bar_net)."""

import numpy as np

# Log-linear weights, in hundredths of a nat, of a note of each kind (rows) that begins on each fourth of a bar of four pulses
# (columns). Fitted by maximum likelihood of the true one among the 16 ways to lay bars over an excerpt of unknown beginning:
# 4,337 excerpts of POP909's training songs, 3,779 of multi-track songs, all with the errors of a transcription.
WEIGHTS_TEXT = """
 -32  -10   15    1   -3   -7   20    9   -9   -1   13   15  -14   -6   -7   15 | the next note after a fourth of a pulse
 -25   -3    6   -1    0   12    4   -3  -17    4    6    0   -3    8   10    3 | after a half
  16  -14  -12  -18   14    8  -12  -27   20   -6    9    4   21   13    6  -22 | after a pulse
  20  -14  -13   10    9  -26    4   18   25    4  -10    0   15  -23  -12   -7 | after two
  52   14   23   10    3  -40    0   18  -14  -45  -10  -23   -2  -41   23   30 | after more
 -14   34  -23    6   -2    0   -6   -8   -9   12  -15    9   -8   10   -4   18 | the note before it a fourth earlier
 -14   -4    8   -7   -3   -3   -1    0   -2    1   10    4    0    6    7   -1 | a half
   4  -20   -1    2   -7   -3   12   14    0   -3   11    8   -1  -22    3    2 | a pulse
  33  -20    1  -19   12   -6   17   13   14  -22   -1  -24   10  -21    5    8 | two
  52  -17   14   22   37  -19   -8  -23   23  -40  -15  -21   20  -12    2  -15 | more
 -11   -2   -2   -1  -12    5    0    9  -16   -1   11    4   -8   16    4    5 | from above, on to below
   1   14   16   -9  -12    1    9  -11  -13   18   13  -16  -14   -1   10   -6 | from above, on to the same
  -2    2    0    1  -10   -1    4   -1   -5    4    2    5   -3   -2    1    5 | from above, on to above
  13  -17   -3   10   21  -10   -2    5   17  -23   -8   -4   17  -16   -5    6 | from the same pitch, on to below
 -31    7    9    7   -5   11    7   -2  -14   15    4    0  -10   -2    2    3 | from the same pitch, on to the same
   1  -10   -2   -2    6  -18   -4    2   11   -2    1    2   15  -13    8    5 | from the same pitch, on to above
  17  -15   -1    0    7   -2    9    3    9  -22    0   -4    3  -10    5    1 | from below, on to below
  29   -7    8  -17   18  -19    2  -13   20   -8   -8   -9   14   -4    3   -9 | from below, on to the same
   0  -10  -10    4    1   -1   -3    2    5  -12   -3    7    5    1    3   11 | from below, on to above
  18   -5    0   -3    7  -11    3    2    4  -11   -3   -7    7   -9    4    4 | silence after it: hardly any
  -2  -15   10   -7    1    8    7   -4   -3    6    8   -1   -9   -4    7   -1 | up to a pulse
 -17  -20    9    1  -11    5    3  -15    3   -4   11    8    1   10   10    7 | more
 109  -46   54  -56   45  -56   16  -37   47  -85   16  -46   65  -37   37  -26 | the first of all, at half weight
"""
WEIGHTS = (
    np.array([line.split("|")[0].split() for line in WEIGHTS_TEXT.strip().splitlines()], float)
    / 100
)
SPANS = np.array(
    [0.29, 0.59, 1.09, 2.09]
)  # pulses that divide the kinds of distance between onsets
SILENCES = np.array([0.45, 1.1])  # pulses that divide the kinds of silence; singers end notes early
BAR_PULSES = {1: (0,), 2: (0, 2), 3: (0, 1, 3)}  # see like_four


def kinds_score(
    pitch: np.ndarray, place: np.ndarray, released: np.ndarray, parts: int, count: int
) -> np.ndarray:
    """[parts count] log probability, by the kinds of the notes alone, that pulse 0 is each place of a bar of `count` pulses.
    pitch, place, released: [n] MIDI, and onsets and offsets in pulses; parts: 3 or 4, into which a pulse falls.
    """
    step = np.rint(place * parts).astype(int)
    # In swung and compound tunes the last third takes the place of the half.
    fourth = step if parts == 4 else step // 3 * 4 + np.array([0, 2, 2])[step % 3]
    scores = _bar_scores(fourth, _kinds(pitch, place, released), count)
    scores = scores if parts == 4 else scores[::4]
    scores = scores - np.logaddexp.reduce(scores)
    return scores if parts == 4 else scores.repeat(3)


def _kinds(pitch: np.ndarray, place: np.ndarray, released: np.ndarray) -> np.ndarray:
    """[notes, 4] rows of WEIGHTS that each note has, by its pitch, onset and offset in pulses."""
    gap = np.diff(place, append=place[-1] + 9, prepend=place[0] - 9)
    silence = np.append(place[1:], place[-1] + 9) - released
    step = np.sign(np.diff(pitch, prepend=pitch[0], append=pitch[-1])).astype(int) + 1
    kinds = (
        np.searchsorted(SPANS, gap[1:]),
        5 + np.searchsorted(SPANS, gap[:-1]),
        10 + 3 * step[:-1] + step[1:],
    )
    return np.stack([*kinds, 19 + np.searchsorted(SILENCES, silence)], 1)


def like_four(count: int) -> tuple[int, ...]:
    """Which pulses of a bar of four the pulses of another bar are like."""
    return BAR_PULSES.get(count) or (0, *(1 + k % 3 for k in range(count - 1)))


def _bar_scores(fourth: np.ndarray, kinds: np.ndarray, count: int) -> np.ndarray:
    """[4 count] log-linear score of bars of so many pulses if the first fourth (`fourth` 0) is the s-th of a bar."""
    columns = np.concatenate([np.arange(4) + 4 * pulse for pulse in like_four(count)])
    places = columns[(fourth + np.arange(4 * count)[:, None]) % (4 * count)]  # [shifts, notes]
    # Of what kind the first and the last note are isn't known: what comes before or after them was not sung.
    return WEIGHTS[kinds[None, 1:-1], places[:, 1:-1, None]].sum((1, 2)) + WEIGHTS[-1][places[:, 0]]
