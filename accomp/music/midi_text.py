"""Decode the names and markers of MIDI files, which say no encoding.

Text that is valid UTF-8 is meant as such. Else the encoding is guessed from all texts of the file
together: under each of the usual ones, how likely are these letters, by how often each comes in
the languages that are written in it (naive Bayes)? A known name of a track decides short texts.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from math import log

from accomp.music.track_names import is_known

# Letters of a language from frequent to rare; what is missing is rarer than all of them.
_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґђјљњћџў"
_GREEK = "αοιετσνηυρπκμλςωδγχθφβξζψάόίέήύώϊϋΐΰ"
_HEBREW = "יולהאתמרבנשדקעחפצגטסזכםןךףץ"
_ARABIC = "الينمرتبعدسفهقكحجشةطصخىءأضزثذغظإؤئآگچپژکی"
_THAI = "านรกอเงมยลวดทตสคบปหขชพผจศซธณฟภถษญฐฎฏฑฒฌฆฉฮะัิีึืุูเแโใไ่้๊๋์็ำๆฯ"
_WESTERN = "éäöüåáíóèñçãêôßøæàâõîûúùëïìòœÉÄÖÜÅØÆÇÑÁÍÓÚÊÀÈ'’–©®"
_EASTERN = "łáéíóšžčęąřýěůśćżźńőűăâîșțşţđžŁŚŻČŠŘÁÉÓ"
_TURKISH = "ıüçşöğİÜÇŞÖ"
_ODDS = {  # log-likelihoods of a character, and of what does not belong in a text
    "kana": -4.0,
    "hangul": -6.5,
    "common ideograph": -7.0,
    "rare ideograph": -10.0,
    "wide punctuation": -6.0,
    "strange": -14.0,
    "odd case": -4.0,  # wEIRD: another alphabet's encoding that has capitals elsewhere
    "mixed": -6.0,  # Korean letters and ideographs in one word
    "crowd": -5.0,  # each accented letter after two others: not how Latin is written
}
_KNOWN = 25.0  # what a known name is worth
_ENOUGH = 4_000  # bytes that are looked at


@dataclass(frozen=True)
class _Encoding:
    """An encoding that files are found in.

    Attributes:
        name: Python's.
        letters: Those beside ASCII, from frequent to rare; "" for ideographs and their like.
        has_case: Whether capitals come at a word's beginning.
        odds: Log-likelihood of the encoding itself, which decides between near ones.
    """

    name: str
    letters: str = ""
    has_case: bool = False
    odds: float = 0.0


_ENCODINGS = (
    _Encoding("cp1252", _WESTERN, odds=1.0),
    _Encoding("cp932"),
    _Encoding("gb18030", odds=-0.5),
    _Encoding("cp1251", _RUSSIAN, True),
    _Encoding("cp949", odds=-0.5),
    _Encoding("big5", odds=-1.0),
    _Encoding("cp1250", _EASTERN, odds=-1.0),
    _Encoding("cp1254", _TURKISH, odds=-1.0),
    _Encoding("euc_jp", odds=-1.0),
    _Encoding("koi8_r", _RUSSIAN, True, -1.0),
    _Encoding("cp866", _RUSSIAN, True, -1.0),
    _Encoding("cp1253", _GREEK, True, -4.0),
    _Encoding("cp1255", _HEBREW, odds=-3.0),
    _Encoding("cp1256", _ARABIC, odds=-3.0),
    _Encoding("cp874", _THAI, odds=-3.0),
    _Encoding("mac_roman", _WESTERN, odds=-3.0),
)


def decoder_of(texts: Iterable[bytes]) -> Callable[[bytes], str]:
    """Return what decodes the texts of one file, from all of them."""
    found: dict[bytes, None] = dict.fromkeys(
        text.strip(b"\0 ") for text in texts if not _is_unicode(text)
    )
    encoding = _guess(list(found)) if found else "latin-1"
    return lambda text: _printable(_decode(text, encoding))


def _decode(text: bytes, encoding: str) -> str:
    if text[:2] in (b"\xff\xfe", b"\xfe\xff") and len(text) % 2 == 0:
        return text.decode("utf-16", "replace")
    for name in ("utf-8-sig", encoding):
        try:
            return text.decode(name)
        except UnicodeDecodeError:
            continue
    return text.decode("latin-1")


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()


def _is_unicode(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return text[:2] in (b"\xff\xfe", b"\xfe\xff") and len(text) % 2 == 0
    return True


def _guess(texts: list[bytes]) -> str:
    """Return the likeliest encoding of texts that are not in Unicode."""
    marks: dict[str, float] = {}
    for encoding in _ENCODINGS:
        size, total = 0, encoding.odds
        for text in texts:
            total += _mark(text, encoding)
            size += len(text)
            if size > _ENOUGH:
                break
        marks[encoding.name] = total
    return max(marks, key=lambda name: marks[name])


def _mark(data: bytes, encoding: _Encoding) -> float:
    """Return the log-likelihood of a text in an encoding."""
    try:
        text = unicodedata.normalize("NFC", data.decode(encoding.name))
    except UnicodeDecodeError:
        return _ODDS["strange"] * sum(byte > 127 for byte in data)
    total = _KNOWN if is_known(text) else 0.0
    for is_word, letters in groupby(text, str.isalnum):
        word = "".join(letters)
        total += sum(_letter_mark(letter, encoding) for letter in word)
        if is_word and not word.isascii():
            total += _word_mark(word, encoding)
    return total


def _letter_mark(letter: str, encoding: _Encoding) -> float:
    if letter.isascii():
        return 0.0 if letter.isprintable() or letter in "\r\n\t\0" else _ODDS["strange"]
    if encoding.letters:
        odds = _letter_odds(encoding.letters)
        small = odds.get(letter) or odds.get(letter.lower())
        return small or _ODDS["strange"]
    return _ODDS[_kind(letter)]


@cache
def _letter_odds(letters: str) -> dict[str, float]:
    """Return log-likelihoods by Zipf's law, rank by rank."""
    weights = [1 / (rank + 4) for rank in range(len(letters))]
    return {letter: log(weight / sum(weights)) for letter, weight in zip(letters, weights)}


def _word_mark(word: str, encoding: _Encoding) -> float:
    """Return what the neighbours of letters say of a word that is not all ASCII."""
    if not encoding.letters:
        kinds = {_kind(letter) for letter in word if not letter.isascii()}
        return _ODDS["mixed"] if "hangul" in kinds and len(kinds) > 1 else 0.0
    if encoding.has_case:
        is_usual = word.islower() or word.isupper() or word[1:].islower()
        mixed = any(letter.isascii() and letter.isalpha() for letter in word)
        return (0.0 if is_usual else _ODDS["odd case"] * len(word) / 2) + mixed * _ODDS["strange"]
    if encoding.letters in (_HEBREW, _ARABIC, _THAI):
        return 0.0
    crowd = sum(not (a + b + c).isascii() for a, b, c in zip(word, word[1:], word[2:]))
    high = sum(not letter.isascii() for letter in word)
    usual = word.islower() or word.isupper() or word[1:].islower()
    return _ODDS["crowd"] * max(high - 2, 0) * (crowd > 0) + (0 if usual else _ODDS["odd case"])


def _kind(letter: str) -> str:
    """Say what a letter of an eastern encoding is."""
    code = ord(letter)
    if 0x3040 <= code < 0x3100 or 0xFF61 <= code < 0xFFA0:
        return "kana"
    if 0xAC00 <= code < 0xD7A4:
        return "hangul"
    if 0x4E00 <= code < 0xA000:
        return "common ideograph" if _is_common(letter) else "rare ideograph"
    if 0x3000 <= code < 0x3040 or 0xFF00 <= code < 0xFF61:
        return "wide punctuation"
    return "strange"


@cache
def _is_common(letter: str) -> bool:
    """Tell whether an ideograph is in the first half of a national standard, its common ones."""
    for name, first, last in (("gb2312", 0xB0, 0xD7), ("cp932", 0x88, 0x97), ("big5", 0xA4, 0xC6)):
        try:
            if first <= letter.encode(name)[0] <= last:
                return True
        except UnicodeEncodeError:
            continue
    return False
