"""Engrave a lead sheet: SVG by Verovio, and PDF and PNG of that by Typst.

Verovio (https://www.verovio.org, LGPL) engraves MusicXML. Typst (https://typst.app, Apache 2.0) was
chosen to turn its SVG into PDF and PNG because its wheel holds all that is needed, fonts too:
CairoSVG needs a library of the system and took four times as long. Both are of the extra
accomp[sheets].
"""

import re
import tempfile
from pathlib import Path
from typing import Any, Literal

from accomp.errors import MusicError
from accomp.extras import extra
from accomp.sheet.lead_sheet import LeadSheet
from accomp.sheet.musicxml import musicxml

# Pages are A4, in tenths of millimetres, within margins of 15 mm and below a title.
VEROVIO: dict[str, Any] = {
    "pageWidth": 1800,
    "pageHeight": 2450,
    "pageMarginTop": 0,
    "pageMarginBottom": 0,
    "pageMarginLeft": 60,  # for the numbers of bars
    "pageMarginRight": 0,
    "adjustPageHeight": True,
    "scale": 40,
    "breaks": "line",
    "header": "none",
    "footer": "none",
    "svgViewBox": True,
    "xmlIdSeed": 1,
}
PAGE = """\
#set document(title: sys.inputs.title, date: none)
#set page(paper: "a4", height: {height}, margin: 15mm)
#set text(size: 20pt, lang: "en")
#if sys.inputs.title != "" {{ align(center, sys.inputs.title) }}
"""
IMAGE = '#image("{name}", width: {width}mm)\n'
BREAK = {"pdf": "#pagebreak(weak: true)\n", "png": ""}
PPI = 144  # of PNG: 1,191 pixels wide
MOST_PAGES = 20  # in one picture
# Verovio writes the signs of chord symbols in a music font, which only browsers find in its SVG.
_SIGN = re.compile('<tspan font-family="[^"]*" font-size="[^"]*">([\uea64-\uea66])</tspan>')
_SIGNS = {"\uea64": "\u266d", "\uea65": "\u266e", "\uea66": "\u266f"}
_TEXT = '<tspan font-size="405px">{}</tspan>'  # as large as the text beside it
_VIEW_BOX = re.compile(r'viewBox="0 0 (\d+) (\d+)"')


def svg(sheet: LeadSheet) -> bytes:
    """Return a sheet as one SVG picture, its pages one below the other."""
    pages = _few(_pages(sheet, header="encoded" if sheet.title else "none"))
    if len(pages) == 1:
        return pages[0].encode()
    sizes = [_size(page) for page in pages]
    width, height = max(w for w, _ in sizes), sum(h for _, h in sizes)
    placed, top = [], 0
    for page, (w, h) in zip(pages, sizes):
        inner = page[page.index("<svg") + len("<svg") :]
        placed.append(f'<svg x="0" y="{top}" width="{w}" height="{h}"{inner}')
        top += h
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
    return "\n".join([head, *placed, "</svg>"]).encode()


def pdf(sheet: LeadSheet) -> bytes:
    """Return a sheet as a PDF of A4 pages."""
    return _typeset(sheet, _pages(sheet), "pdf")


def png(sheet: LeadSheet) -> bytes:
    """Return a sheet as one PNG picture."""
    return _typeset(sheet, _few(_pages(sheet)), "png")


def _few(pages: list[str]) -> list[str]:
    if len(pages) > MOST_PAGES:
        raise MusicError(
            f"the lead sheet has {len(pages)} pages; accepted: up to {MOST_PAGES} in one picture, "
            "any number in a PDF"
        )
    return pages


def _pages(sheet: LeadSheet, **options: Any) -> list[str]:
    """Engrave a sheet; returns the SVG of each page."""
    with extra("sheets"):
        import verovio
    verovio.enableLog(verovio.LOG_OFF)  # it prints
    toolkit = verovio.toolkit()
    toolkit.setOptions(VEROVIO | options)
    if not toolkit.loadData(musicxml(sheet, for_picture=True).decode()):
        raise MusicError("the lead sheet could not be engraved; accepted with it: .musicxml, .mxl")
    pages = range(1, toolkit.getPageCount() + 1)
    return [
        _SIGN.sub(lambda sign: _TEXT.format(_SIGNS[sign[1]]), toolkit.renderToSVG(page))
        for page in pages
    ]


def _typeset(sheet: LeadSheet, pages: list[str], kind: Literal["pdf", "png"]) -> bytes:
    """Set pages below a title, as PDF or PNG."""
    with extra("sheets"):
        import typst
    with tempfile.TemporaryDirectory(prefix="accomp-") as name:
        folder = Path(name)
        source = PAGE.format(height="297mm" if kind == "pdf" else "auto")
        widest = max(_size(page)[0] for page in pages)
        for number, page in enumerate(pages):
            file = folder / f"{number}.svg"
            file.write_text(page, encoding="utf-8")
            width = 180 * _size(page)[0] / widest
            source += (BREAK[kind] if number else "") + IMAGE.format(name=file.name, width=width)
        main = folder / "sheet.typ"
        main.write_text(source, encoding="utf-8")
        inputs = {"title": sheet.title}
        made: Any = typst.compile(str(main), format=kind, ppi=PPI, sys_inputs=inputs)
    return made[0] if isinstance(made, list) else made


def _size(page: str) -> tuple[int, int]:
    """Return the width and height of an SVG page by its view box."""
    found = _VIEW_BOX.search(page)
    assert found, "Verovio writes it, as svgViewBox says"
    return int(found[1]), int(found[2])
