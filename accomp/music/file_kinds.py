"""Say in words what a file seems to be that holds no melody which can be read."""

UNKNOWN = "of an unknown kind"
_EXPORT = "; export it there as MIDI or MusicXML"
_GUITAR_PRO = f"a Guitar Pro file{_EXPORT}"
_MUSESCORE = f"a MuseScore file{_EXPORT}"
# The first bytes of what people give instead, with the programs for notation and recording that can
# export what is accepted.
_SIGNATURES = (
    (b"\x18FICHIER GUITAR PRO", _GUITAR_PRO),
    (b"BCFZ", _GUITAR_PRO),
    (b"BCFS", _GUITAR_PRO),
    (b"ptab", f"a Power Tab file{_EXPORT}"),
    (b"ENIGMA BINARY FILE", f"a Finale file{_EXPORT}"),
    (b"\x0fSIBELIUS", f"a Sibelius file{_EXPORT}"),
    (b"SCOW", f"an Encore file{_EXPORT}"),
    (b"FLhd", f"an FL Studio project{_EXPORT}"),
    (b"[#VERSION]", f"an UTAU project{_EXPORT}"),
    (b"[#SETTING]", f"an UTAU project{_EXPORT}"),
    (b"irealb://", "chords of iReal Pro, which hold no melody"),
    (b"ID3", "an MP3 sound file"),
    (b"\xff\xfb", "an MP3 sound file"),
    (b"\xff\xf3", "an MP3 sound file"),
    (b"\xff\xf2", "an MP3 sound file"),
    (b"OggS", "an Ogg sound file"),
    (b"fLaC", "a FLAC sound file"),
    (b"FORM", "an AIFF sound file"),
    (b"\x1f\x8b", "a gzip archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document; a program that reads sheets makes MusicXML of it"),
)
# What is in archives, and in texts.
_ZIPPED = (
    (b".gpif", _GUITAR_PRO),
    (b".mscx", _MUSESCORE),
    (b".musx", f"a Finale file{_EXPORT}"),
    (b".enigmaxml", f"a Finale file{_EXPORT}"),
    (b"score.dat", f"a Finale file{_EXPORT}"),
    (b".sib", f"a Sibelius file{_EXPORT}"),
    (b"word/", "a text document"),
)
_WRITTEN = (
    (b"<museScore", _MUSESCORE),
    (b"<GPIF", _GUITAR_PRO),
    (b"TuxGuitar", f"a TuxGuitar file{_EXPORT}"),
    (b"<vsq", f"a Vocaloid project{_EXPORT}"),
    (b"<mei", f"an MEI file{_EXPORT}"),
    (b"<Ableton", f"an Ableton project{_EXPORT}"),
    (b"\\relative", "a LilyPond file; let LilyPond write MIDI by a \\midi block"),
    (b"\\version", "a LilyPond file; let LilyPond write MIDI by a \\midi block"),
    (b"**kern", f"a Humdrum file{_EXPORT}"),
)


def kind_of(data: bytes) -> str:
    """Say in words what a file that is no melody seems to be, and how to make one of it."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data.startswith(b"PK\3\4"):
        return _marked(data, _ZIPPED) or "a ZIP archive; unpack it"
    if data[:4] == b"RIFF":
        return "a WAV sound file" if data[8:12] == b"WAVE" else "a RIFF file"
    if data[4:8] == b"ftyp":
        return "an MP4 or M4A file"
    head = data[:1000].removeprefix(b"\xef\xbb\xbf").lstrip()
    written = _marked(data[:4000], _WRITTEN)
    if written:
        return written
    if head.startswith(b"<"):
        return "an HTML, MusicXML or other XML text"
    if all(32 <= byte < 127 or byte in b"\t\r\n" or byte >= 160 for byte in head):
        return "a text"
    return f"{UNKNOWN} (its first bytes are {data[:4].hex(' ')})"


def _marked(data: bytes, marks: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((kind for mark, kind in marks if mark in data), None)
