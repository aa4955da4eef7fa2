"""What a visitor has looked at, one after another: the way back and forth among takes."""

from dataclasses import dataclass

from accomp.band.finish import Finish

Sight = tuple[int, Finish]  # number of a take, and how it was given out


@dataclass(frozen=True)
class Seen:
    """Takes in the order in which they were seen, and where the visitor stands.

    Attributes:
        sights: What was seen, the earliest first.
        at: Index of what is shown; -1 where nothing was seen yet.
    """

    sights: tuple[Sight, ...] = ()
    at: int = -1

    @property
    def number(self) -> int | None:
        """The take that is shown."""
        return self.sights[self.at][0] if self.sights else None

    @property
    def finish(self) -> Finish:
        """How it was given out when it was seen."""
        return self.sights[self.at][1] if self.sights else Finish()

    @property
    def has_earlier(self) -> bool:
        """Whether there is a way back."""
        return self.at > 0

    @property
    def has_later(self) -> bool:
        """Whether there is a way forth."""
        return self.at < len(self.sights) - 1

    def then(self, number: int, finish: Finish = Finish()) -> "Seen":
        """Return this with what is looked at now; what had been undone is forgotten."""
        sight = (number, finish)
        if self.sights and sight == self.sights[self.at]:
            return self
        sights = (*self.sights[: self.at + 1], sight)
        return Seen(sights, len(sights) - 1)

    def moved(self, step: int) -> "Seen":
        """Return this a step back (-1) or forth (1), as far as there is one."""
        return Seen(self.sights, min(max(self.at + step, 0), len(self.sights) - 1))

    def among(self, numbers: list[int]) -> "Seen":
        """Return this without takes that are gone; the same sight twice in a row counts once."""
        kept: list[Sight] = []
        at = -1
        for index, sight in enumerate(self.sights):
            if sight[0] in numbers and kept[-1:] != [sight]:
                kept.append(sight)
            if index <= self.at:
                at = len(kept) - 1
        return Seen(tuple(kept), max(at, 0) if kept else -1)
