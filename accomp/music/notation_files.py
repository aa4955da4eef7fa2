"""Tell files of notated music, MusicXML and ABC, by their first bytes."""

import re
from typing import Literal

NOTATION_ENDINGS = (".musicxml", ".xml", ".mxl", ".abc")
ACCEPTED = f"accepted: MusicXML and ABC ({', '.join(NOTATION_ENDINGS)})"
Kind = Literal["MusicXML", "compressed MusicXML", "ABC"]

_XML_SIGNS = (b"<score-partwise", b"<score-timewise", b"DTD MusicXML")


def notation_kind(head: bytes) -> Kind | None:
    """Tell by its first bytes (a few thousand) whether a file is MusicXML or ABC."""
    if head.startswith(b"PK\3\4"):
        is_sheet = re.search(rb"\.musicxml|(?<!META-INF/container)\.xml", head)
        return "compressed MusicXML" if is_sheet else None
    plain = head.replace(b"\0", b"")  # UTF-16
    if any(sign in plain for sign in _XML_SIGNS):
        return "MusicXML"
    if b"<" in plain[:200].lstrip()[:1]:
        return None
    has_number = re.search(rb"^X: *\d+", plain, re.MULTILINE)
    fields = set(re.findall(rb"^([KMLT]): *\S", plain, re.MULTILINE))
    if plain.startswith(b"%abc") or has_number and fields or fields >= {b"K", b"M"}:
        return "ABC"
    return None
