"""What the names of tracks say, in the languages and abbreviations that are met in MIDI files."""

import csv
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Literal

from accomp.music.instruments import program_name

Saying = Literal["melody", "second", "hint", "other", "nothing"]

# Words by kind: whole words of the melody, those of them that count alone only, and parts of words;
# parts of words of all other tracks ("other part"), of drums and of instruments.
TABLE = Path(__file__).parents[1] / "data" / "general_midi" / "track_names.csv"
_SHORT = 4  # letters of a word up to which it is another one without its accents


@cache
def _listed(kind: str) -> tuple[str, ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [row["words"].split() for row in csv.DictReader(file) if row["kind"] == kind]
    return tuple(word for words in rows for word in words)


def _any_of(kind: str) -> str:
    return "|".join(map(re.escape, _listed(kind)))


NOT_MELODY_NAMES = re.compile(
    r"back|\bbg|harmon(y|ies|i\b)|choir|ch[oö]r\b|chorus|ooh|aah|counter|accomp|bass|drum|\btom\b|"
    r"\bpads?\b|chord|rh?yth?m|syn(th)? ?vo(x|ice)|lead \d|doubl|echo|"
    r"\bb(asse|ajo|asso|aixo)\b|\bхор\b|\bcoros?\b|\bkör\b|\bbgv?\b|\bbvs?\b|"
    + _any_of("other part")
)
SECOND_NAMES = re.compile(r"\b([2-9]|ii|iii|iv|2nd|3rd|second|third|zweite|2ème|вторая|второй)\b")
HINT_NAMES = re.compile(
    r"\blead\b|\bld\b|\bsolo|\btheme\b|\bthema\b|リード|ソロ|\bсоло\b|\bтема\b|主奏"
)
# Credits: a person who made the file or the song, not what the track plays.
_CREDITS = re.compile(
    r"\bby\b|copyright|© ?\w|\(c\)|www\.|https?:|@|\barr(anged|\.)|\bseq(uenced?|\.)|\bcompos|"
    r"\bwritten|\bwords\b|\blyrics\b|\bmusic\b"
)
# Words such as "mel", which is short for melody and for Melanie, say so only where nothing but
# these stands beside them.
_BESIDE = frozenset(
    (
        "i",
        "ii",
        "iii",
        "iv",
        "line",
        "track",
        "part",
        "channel",
        "ch",
        "lead",
        "main",
        "solo",
        "voice",
        "right",
    )
    + ("hand", "rh", "top", "upper", "the", "piano", "flute", "sax", "alto", "tenor", "soprano")
    + ("guitar", "violin", "trumpet", "organ", "synth", "clarinet", "oboe", "strings", "brass")
    + ("harmonica", "accordion", "recorder", "whistle", "bells", "vibes")
)
_MELOD = re.compile(r"melod(?!ica|ion|eon)")  # in many languages; not the instruments
_SECTIONS = re.compile(
    r"\b(pre ?)?(chorus|verse|bridge|refrain|hook|intro|outro|strophe|couplet|estribillo|coro|coda|"
    r"part [a-d]|solo)( ?\d+)?\b|"
    r"\b(strofa|ritornello|zwrotka|refren|припев|куплет|サビ|[ab]メロ|副歌|主歌)"
)
_DRUMS = re.compile(r"\bkit\b|\bbici\b|" + _any_of("drums"))
_PITCHED_DRUMS = re.compile(
    r"steel|timpani|kettle|melodic|pitched|tongue|hang ?drum|organ|base|bass ?line"
)


def name_says(name: str) -> Saying:
    """Return what the name of a track says of it.

    "melody" and "second" (such as "Vocals 2") outweigh what the track plays, "hint" does not. Names
    of General MIDI sounds ("Lead 1", "Voice Oohs") say nothing, and so do credits.
    """
    words = _words(name)
    if _CREDITS.search(words):
        return "nothing"
    if NOT_MELODY_NAMES.search(words):
        return "other"
    if _names_melody(words):
        return "second" if SECOND_NAMES.search(words) else "melody"
    return "hint" if HINT_NAMES.search(words) else "nothing"


def section_name(name: str) -> str | None:
    """Return what a name says beside the section of the song, such as "vocal" of "Vocal chorus".

    "" where it says that it is the melody, or nothing; None where it names no section.
    """
    words = _words(name)
    rest = _SECTIONS.sub(" ", words)
    if rest == words:
        return None
    rest = re.sub(r"[\W\d_]+", " ", rest).strip()
    return "" if not NOT_MELODY_NAMES.search(rest) and _names_melody(rest) else rest


def names_drums(name: str) -> bool:
    """Tell whether a name says that a track is drums, and not General MIDI's name of a sound."""
    words = _words(name)
    is_sound = words in {program_name(program).lower() for program in range(112, 120)}
    others = _PITCHED_DRUMS.search(words) or _CREDITS.search(words)
    return bool(_DRUMS.search(words)) and not others and not is_sound


def is_known(name: str) -> bool:
    """Tell whether a text is a name that tracks have, in some language."""
    words = _words(name)
    return name_says(name) in ("melody", "second", "other") or bool(
        _DRUMS.search(words)
        or HINT_NAMES.search(words)
        or any(part in words for part in _listed("instrument"))
    )


def _names_melody(text: str) -> bool:
    words = set(re.findall(r"[^\W\d_]+", text))
    if _MELOD.search(text) or any(part in text for part in _listed("melody part")):
        return True
    if not _known_words().isdisjoint(words):
        return True
    alone = words.intersection(_listed("melody alone"))
    return bool(alone) and _BESIDE.issuperset(words - alone)


@cache
def _known_words() -> frozenset[str]:
    words = _listed("melody word")
    bare = (_without_accents(word) for word in words)
    return frozenset(words) | frozenset(word for word in bare if len(word) > _SHORT)


def _without_accents(word: str) -> str:
    split = unicodedata.normalize("NFD", word.replace("ł", "l").replace("ı", "i"))
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _words(name: str) -> str:
    """Return a name in small letters, its words apart: "LeadVox1" is "lead vox 1"."""
    name = unicodedata.normalize("NFKC", name)
    name = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", name)  # Vox1
    name = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", name)  # LeadVox
    return re.sub(r"[\s_\-]+", " ", name).strip().lower()
