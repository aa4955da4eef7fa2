"""The way back and forth goes through what was seen."""

from accomp.band.finish import Finish
from page.seen import Seen


def seen(*numbers: int) -> Seen:
    found = Seen()
    for number in numbers:
        found = found.then(number)
    return found


def test_back_and_forth():
    way = seen(1, 2, 3, 1)
    assert [number for number, _ in way.sights] == [1, 2, 3, 1] and not way.has_later
    back = way.moved(-1).moved(-1)
    assert back.number == 2 and back.has_earlier and back.has_later
    assert back.moved(1).number == 3 and back.then(2) == back
    assert back.then(5) == seen(1, 2, 5)  # what had been undone is forgotten
    assert way.moved(1) == way and seen(1).moved(-1) == seen(1)


def test_nothing_was_seen():
    assert Seen().number is None and not Seen().has_earlier and not Seen().has_later
    assert Seen().moved(-1).number is None


def test_takes_that_are_gone_are_left_out():
    way = seen(1, 2, 1, 3).moved(-1)  # at the second 1
    assert way.among([1, 3]) == seen(1, 3).moved(-1)
    assert way.among([2, 3]) == seen(2, 3).moved(-1)
    assert way.among([]) == Seen() and way.among([1, 2, 3]) == way


def test_a_take_in_another_key_is_seen_anew():
    higher = Finish(transpose=2)
    way = seen(1).then(1, higher)
    assert way.finish == higher and way.then(1, higher) == way
    assert way.moved(-1).number == 1 and way.moved(-1).finish == Finish()
