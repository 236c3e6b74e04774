"""What is remembered of the ended: the newest, within bounds on count and bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pointsman.engines.local.archive import Archive
from pointsman.engines.local.record import view
from pointsman.model.outcome import Cause
from pointsman.model.states import Status
from pointsman.model.views import DeadLetter
from pointsman.testing.make import envelope


def letter(number: int) -> DeadLetter:
    """Return a dead letter."""
    return DeadLetter(envelope(id=f"{number:032x}"), Status.DEAD, Cause.ATTEMPTS_USED_UP, "no", float(number))


def numbers(letters: list[DeadLetter]) -> list[int]:
    """Return which letters these are."""
    return [int(one.envelope.id, 16) for one in letters]


def test_the_oldest_views_are_forgotten_first() -> None:
    """The newest are kept, and listed before the others."""
    archive = Archive(3, 10, 1000)
    for number in range(5):
        archive.remember(view(envelope(id=f"{number:032x}"), Status.DELIVERED))
    assert [int(one.id, 16) for one in archive.views()] == [4, 3, 2]
    assert archive.view(f"{1:032x}") is None
    assert archive.view(f"{4:032x}") is not None


def test_letters_are_bounded_by_count() -> None:
    """One more than fits pushes the oldest out."""
    archive = Archive(10, 3, 1000)
    for number in range(5):
        archive.bury(letter(number), 1)
    assert numbers(archive.letters(10)) == [4, 3, 2]
    assert numbers(archive.letters(2)) == [4, 3]
    assert archive.letters(0) == []


def test_letters_are_bounded_by_bytes() -> None:
    """A large one pushes out as many as it takes, but never itself."""
    archive = Archive(10, 10, 100)
    for number in range(4):
        archive.bury(letter(number), 30)
    assert numbers(archive.letters(10)) == [3, 2, 1]
    archive.bury(letter(4), 500)
    assert numbers(archive.letters(10)) == [4]
    archive.bury(letter(5), 30)
    assert numbers(archive.letters(10)) == [5]


def test_a_dropped_letter_makes_room() -> None:
    """It is gone at once, dropping it twice does nothing, and its bytes are free."""
    archive = Archive(10, 10, 100)
    archive.bury(letter(1), 60)
    assert archive.letter(f"{1:032x}") == letter_of(archive, 1)
    assert archive.drop(f"{1:032x}")
    assert not archive.drop(f"{1:032x}")
    assert archive.letter(f"{1:032x}") is None
    archive.bury(letter(2), 50)
    archive.bury(letter(3), 50)
    assert numbers(archive.letters(10)) == [3, 2]


def letter_of(archive: Archive, number: int) -> DeadLetter:
    """Return the one letter of that number from the list of all."""
    (found,) = (one for one in archive.letters(100) if one.envelope.id == f"{number:032x}")
    return found


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 7), st.integers(0, 60)), max_size=60))
def test_bytes_never_drift(steps: list[tuple[bool, int, int]]) -> None:
    """After any history the newest letters are kept that fit the bounds, as in a plain list."""
    archive = Archive(1, 4, 100)
    model: list[tuple[int, int]] = []
    for at, (bury, number, size) in enumerate(steps):
        if bury:
            archive.bury(letter(at), size)
            model.append((at, size))
            while len(model) > 4 or (sum(size for _, size in model) > 100 and len(model) > 1):
                del model[0]
        else:
            there = [one for one in model if one[0] == number]
            assert archive.drop(f"{number:032x}") == bool(there)
            model = [one for one in model if one[0] != number]
        assert numbers(archive.letters(100)) == [one for one, _ in reversed(model)]
