"""Tell which stated licences are free, and what the Hub calls them."""

import re

# Stated licences that allow passing a song on. The whole statement has to be one, with at most a
# note in brackets: free text may name a licence of something else than the songs, or deny it.
FREE = r"""(?xis) ^\s*
    (?! .* \b( nc | nd | no | not | non\w* | none | but | except | unknown | unclear
      | commercial | personal | third | code | software | repo\w* | composition\w* )\b )
    ( cc-?0 | cc[\s-]?by([\s-]sa)?
      | creative\s+commons\s+(zero | attribution([\s-]+share[\s-]?alike)?)
      | public\s+domain | mit | bsd | apache
      | (gnu\s+)?l?gpl | gnu\s+(lesser\s+)?general\s+public )
    ( [\s,-]* ( ( v?\d+(\.\d+)* | version | licen[cs]e | clause | only | or\s+later | or-later
      | international | unported | generic | universal | public | domain | dedication | mark )\b
      | \+ ) )*
    \s* ( \([^()]*\) )? \s*$"""
FREE_NAMES = "CC0, CC-BY, CC-BY-SA, public domain, MIT, BSD, Apache, GPL, LGPL"
# The free licences that the Hub has an identifier for.
HUB_LICENCES = (
    "cc0-1.0",
    "cc-by-2.0",
    "cc-by-2.5",
    "cc-by-3.0",
    "cc-by-4.0",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "mit",
    "bsd",
    "bsd-2-clause",
    "bsd-3-clause",
    "apache-2.0",
    "gpl",
    "gpl-2.0",
    "gpl-3.0",
    "lgpl",
    "lgpl-2.1",
    "lgpl-3.0",
)


def hub_licence(licence: str) -> str:
    """Return the Hub's identifier of a stated licence; "other" where it has none.

    "GPL-2.0 (a game)" is "gpl-2.0".
    """
    name = re.sub(r"-(licen[cs]e|only|or-later)\b", "", licence_slug(licence))
    name = "cc0-1.0" if name == "cc0" else name
    return name if name in HUB_LICENCES else "other"


def licence_slug(licence: str) -> str:
    """Return a licence in small letters with hyphens, without its note in brackets."""
    return re.sub(r"[^a-z0-9.]+", "-", re.sub(r"\(.*", "", licence).lower()).strip("-") or "other"
