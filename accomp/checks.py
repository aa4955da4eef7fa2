"""Numbers and text from strangers, read and checked in one place before anything is made of them.

They come from addresses, settings files, command lines and programs, and can be anything: numbers
of thousands of digits, infinity, digits of other scripts, halves of characters.
"""

import math
import numbers
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from accomp.errors import MusicError

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
MOST_DIGITS = 25  # more than any number that is accepted anywhere has
SHOWN = 40  # characters of what was found, in a message


@dataclass(frozen=True)
class Range:
    """The numbers that a setting accepts, both ends included.

    Attributes:
        name: of the setting, as messages call it.
        low: the least value.
        high: the greatest value.
        accepted: the range in words; by default "LOW to HIGH".
        whole: whether only integers are accepted.
    """

    name: str
    low: float
    high: float
    accepted: str = ""
    whole: bool = False

    def __str__(self) -> str:
        return self.accepted or f"{self.low:g} to {self.high:g}"

    def check(self, value: Any, name: str = "") -> None:
        """Raise MusicError unless `value` is a number in the range; `name` replaces the range's."""
        kind = numbers.Integral if self.whole else numbers.Real
        number: Any = value
        is_kind = isinstance(value, kind) and not isinstance(value, bool)
        if not (is_kind and self.low <= number <= self.high):  # NaN is in no range
            raise MusicError(f"{name or self.name} is {shown(value)}; accepted: {self}")


def shown(value: Any, write: Callable[[Any], str] = str) -> str:
    """Return what was found for a message: short, and with nothing that can't be written.

    write: `repr` puts text in quotes.
    """
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:  # Python refuses to write some
        return f"a number of about {int(value.bit_length() * math.log10(2)) + 1} digits"
    try:
        text = write(value)
    except (ValueError, RecursionError):  # such a number, or much nesting, inside of it
        text = f"a {type(value).__name__}"
    short = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return short.encode("utf-8", "replace").decode()


def read_number(text: str, name: str, accepted: str = "a number") -> int | float:
    """Read a number in digits from 0 to 9.

    Args:
        text: Such as "3", "-0.5" or "1e3".
        name: Of what it is, for the message.
        accepted: What is accepted, in words.

    Raises:
        MusicError: It is not a number, not finite, or has too many digits.
    """
    text = text.strip()
    if len(text) <= MOST_DIGITS and NUMBER.fullmatch(text):
        value = int(text) if WHOLE.fullmatch(text) else float(text)
        if math.isfinite(value):
            return value
    raise MusicError(f"{name} is {shown(text)!r}; accepted: {accepted}")


def read_whole(text: str, name: str, accepted: str = "a whole number") -> int:
    """Read an integer in digits from 0 to 9. Raises MusicError as `read_number` does."""
    value = read_number(text, name, accepted)
    if not isinstance(value, int):
        raise MusicError(f"{name} is {shown(text)!r}; accepted: {accepted}")
    return value


def check_number(value: Any, name: str, accepted: str = "a number") -> None:
    """Raise MusicError unless a value is a number that a float can hold."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not abs(value) <= 1e300:  # NaN is not
        raise MusicError(f"{name} is {shown(value)}; accepted: {accepted}")


def check_text(value: Any, name: str, accepted: str, most: int = 20_000) -> None:
    """Check that a value is text that can be written to a file.

    Args:
        value: What was found.
        name: Of what it is, for the message.
        accepted: What is accepted, in words.
        most: Characters.

    Raises:
        MusicError: It is no text, too long, or holds a null or half of a character.
    """
    if not isinstance(value, str) or len(value) > most or "\0" in value or not is_writable(value):
        raise MusicError(f"{name} is {shown(value)!r}; accepted: {accepted}")


def is_writable(text: str) -> bool:
    """Tell whether text is all of whole characters, so that UTF-8 can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_names(values: Any, name: str, accepted: Iterable[str], use: str = "") -> frozenset[str]:
    """Return names as a set.

    Args:
        values: What was found.
        name: Of what they are, for the message.
        accepted: All names.
        use: What they are for, for the message.

    Raises:
        MusicError: It is no collection of names, or one is unknown.
    """
    known = list(accepted)
    is_names = isinstance(values, (list, tuple, set, frozenset))
    if not is_names or not all(isinstance(each, str) and each in known for each in values):
        wrong = values
        if is_names:
            wrong = next(each for each in values if not isinstance(each, str) or each not in known)
        raise MusicError(f"there is no {name} {shown(wrong)!r}{use}; accepted: {', '.join(known)}")
    return frozenset(values)
