import pytest

from accomp import MusicError
from accomp.music.chord_qualities import QUALITIES
from accomp.music.chord_symbols import ChordSymbol, parse_symbol, triad_symbol


@pytest.mark.parametrize(
    "text, canonical, triad",
    [
        ("C", "C", 0),
        ("Cmaj", "C", 0),
        ("CM", "C", 0),
        ("Am", "Am", 21),
        ("A-", "Am", 21),
        ("Amin", "Am", 21),
        ("Bb7", "Bb7", 10),
        ("B♭", "Bb", 10),
        ("A#", "Bb", 10),
        ("F♯m7b5", "F#m7b5", 18),
        ("Fø", "Fm7b5", 17),
        ("C-7", "Cm7", 12),
        ("Cmi7", "Cm7", 12),
        ("CM7", "Cmaj7", 0),
        ("CΔ", "Cmaj7", 0),
        ("Cj7", "Cmaj7", 0),
        ("C°", "Cdim", 12),
        ("Cdim7", "Cdim7", 12),
        ("C+", "Caug", 0),
        ("Gsus", "Gsus4", 7),
        ("G7sus", "G7sus4", 7),
        ("D2", "Dsus2", 2),
        ("C6/9", "C69", 0),
        ("C/E", "C/E", 0),
        ("C/C", "C", 0),
        ("Am7/G", "Am7/G", 21),
        ("Cm(maj7)", "Cm(maj7)", 12),
        ("E7#9", "E7#9", 4),
        ("Cb", "B", 11),
        ("C13", "C13", 0),
        ("E5", "E5", 4),
        ("Cm(add9)", "Cmadd9", 12),
        ("D–7", "Dm7", 14),
        ("GMI7", "Gm7", 19),
        ("C-Δ", "Cm(maj7)", 12),
        ("Bm7-5", "Bm7b5", 23),
        ("G7+5", "Gaug7", 7),
        ("G7(-9)", "G7b9", 7),
        ("C-9", "Cm9", 12),
        ("C+5", "Caug", 0),
        ("Fma9", "Fmaj9", 5),
        ("D7#9#5", "D7#5#9", 2),
        ("Bb7#11", "Bb7#11", 10),
        ("C-6/9", "Cm69", 12),
        ("C6/9/E", "C69/E", 0),
        ("A7sus4(b9)", "A7b9sus4", 9),
    ],
)
def test_the_usual_spellings(text, canonical, triad):
    symbol = parse_symbol(text)
    assert (
        str(symbol) == canonical and symbol.triad == triad and parse_symbol(str(symbol)) == symbol
    )


def test_every_symbol_is_read_as_it_is_written():
    for quality in QUALITIES:
        for root in range(12):
            for bass in (None, (root + 7) % 12):
                symbol = ChordSymbol(root, quality, bass)
                assert parse_symbol(str(symbol)) == symbol


def test_tones_and_transposition():
    symbol = parse_symbol("F#m7b5/E")
    assert symbol.tones == {6, 9, 0, 4} and symbol.transposed(-5) == ChordSymbol(1, "m7b5", 11)
    assert [str(triad_symbol(c)) for c in (0, 7, 12, 21)] == ["C", "G", "Cm", "Am"]


@pytest.mark.parametrize("text", ["H", "", "Cmaj99", "c", "hello", "C/H", "Chorus", "Bridge"])
def test_what_is_no_chord_is_refused_with_examples(text):
    with pytest.raises(MusicError, match="is not known; accepted: symbols such as C, F#m7"):
        parse_symbol(text)


@pytest.mark.parametrize(
    "symbol, fifths, text",
    [
        ("A/Db", 2, "A/C#"),  # the third of A, in D major
        ("E7/Ab", 0, "E7/G#"),
        ("Bb", 2, "Bb"),  # borrowed from D minor
        ("Db7", 4, "C#7"),
        ("Abdim7", 0, "G#dim7"),  # leads up to A
        ("F#", -6, "Gb"),
        ("Ab", -3, "Ab"),
        ("C7/Bb", 0, "C7/Bb"),
    ],
)
def test_symbols_are_spelled_by_the_key(symbol, fifths, text):
    assert parse_symbol(symbol).spelled(fifths) == text
    assert parse_symbol(text) == parse_symbol(symbol)
