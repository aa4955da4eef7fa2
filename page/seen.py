"""What a visitor has looked at, one after another: the way back and forth among takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """Numbers of takes in the order in which they were seen, and where the visitor stands.

    Attributes:
        numbers: The takes, the earliest first.
        at: Index of the one that is shown; -1 where nothing was seen yet.
    """

    numbers: tuple[int, ...] = ()
    at: int = -1

    @property
    def number(self) -> int | None:
        """The take that is shown."""
        return self.numbers[self.at] if self.numbers else None

    @property
    def has_earlier(self) -> bool:
        """Whether there is a way back."""
        return self.at > 0

    @property
    def has_later(self) -> bool:
        """Whether there is a way forth."""
        return self.at < len(self.numbers) - 1

    def then(self, number: int) -> "Seen":
        """Return this with a take that is looked at now; what had been undone is forgotten."""
        if number == self.number:
            return self
        numbers = (*self.numbers[: self.at + 1], number)
        return Seen(numbers, len(numbers) - 1)

    def moved(self, step: int) -> "Seen":
        """Return this a step back (-1) or forth (1), as far as there is one."""
        return Seen(self.numbers, min(max(self.at + step, 0), len(self.numbers) - 1))

    def among(self, numbers: list[int]) -> "Seen":
        """Return this without takes that are gone; the same take twice in a row counts once."""
        kept: list[int] = []
        at = -1
        for index, number in enumerate(self.numbers):
            if number in numbers and kept[-1:] != [number]:
                kept.append(number)
            if index <= self.at:
                at = len(kept) - 1
        return Seen(tuple(kept), max(at, 0) if kept else -1)
