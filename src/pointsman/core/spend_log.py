"""The lines of the spending ledger: how they are written, and what has been spent according to them.

Decides what a line means. Does not know the file (`runtime.ledger` does), nor which budgets are in force.

Four kinds of lines, one JSON object each. `budget` gives a budget a number that the lines below it use; `spent` says
what an owner has spent of it in the period around an instant, as a summary of older lines; `reserve` is written before
a message may go out, `settle` when it has ended. A reservation without a settlement counts as spent: nobody knows what
the worker did, and money that may have gone is never counted as left.

A last line without its end was being written when the process died, so its message never went out: it is left out, and
said. Any other line that cannot be read is a damaged file, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from pointsman.core.budget import Budgets
from pointsman.core.budget_account import Identity


class Defined(msgspec.Struct, frozen=True, gc=False, tag_field="do", tag="budget"):
    """A budget and its number in the lines below."""

    no: int
    name: str
    scope: str
    of: str | None
    per: str


class Spent(msgspec.Struct, frozen=True, gc=False, tag_field="do", tag="spent"):
    """What an owner has spent of a budget in the period around `at` (Unix seconds)."""

    no: int
    owner: str
    at: float
    nanos: int
    tokens: int


class Reserved(msgspec.Struct, frozen=True, gc=False, tag_field="do", tag="reserve"):
    """What a message may take, of which accounts: number of the budget, owner."""

    id: str
    at: float
    nanos: int
    tokens: int
    of: tuple[tuple[int, str], ...]


class Settled(msgspec.Struct, frozen=True, gc=False, tag_field="do", tag="settle"):
    """What it took."""

    id: str
    nanos: int
    tokens: int


Line = Defined | Spent | Reserved | Settled

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """Return a line with its end."""
    return _encoder.encode(line) + b"\n"


class Charge(NamedTuple):
    """Spending that lines tell of: as `Budgets.charge` takes it."""

    identity: Identity
    owner: str
    at: float
    nanos: int
    tokens: int


class Damaged(ValueError):
    """A line that cannot be read; the text says which and why."""


class Reader:
    """Reads lines in their order.

    Attributes:
        torn: the last line was cut off.
        unsettled: reservations whose settlement never came; right once `charges` is used up.
    """

    def __init__(self) -> None:
        self.torn = False
        self.unsettled = 0
        self._budgets: dict[int, Identity] = {}
        self._open: dict[str, Reserved] = {}

    def charges(self, data: bytes) -> Iterator[Charge]:
        """Yield what has been spent according to a whole file.

        Raises:
            Damaged: a line but the last cannot be read.
        """
        lines = data.split(b"\n")
        last = lines.pop()
        for number, text in enumerate(lines, 1):
            yield from self._take(_decode(text, number), number)
        if last:
            self.torn = True
        self.unsettled = len(self._open)
        for line in self._open.values():
            yield from self._spent(line, line.nanos, line.tokens)

    def _take(self, line: Line, number: int) -> Iterator[Charge]:
        try:
            match line:
                case Defined():
                    self._budgets[line.no] = (line.name, line.scope, line.of, line.per)
                case Spent():
                    yield Charge(self._budgets[line.no], line.owner, line.at, line.nanos, line.tokens)
                case Reserved():
                    self._open[line.id] = line
                    for no, _ in line.of:
                        self._budgets[no]
                case Settled() if line.id in self._open:
                    yield from self._spent(self._open.pop(line.id), line.nanos, line.tokens)
        except KeyError as error:
            raise Damaged(f"line {number} names budget {error}, which no line above it defines") from None

    def _spent(self, reserved: Reserved, nanos: int, tokens: int) -> Iterator[Charge]:
        for no, owner in reserved.of:
            yield Charge(self._budgets[no], owner, reserved.at, nanos, tokens)


def _decode(text: bytes, number: int) -> Line:
    try:
        line: Line = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Damaged(f"line {number} is none of ours: {error}") from None
    return line


class Numbers:
    """Numbers of budgets in one file."""

    def __init__(self) -> None:
        self._numbers: dict[Identity, int] = {}

    def of(self, identity: Identity) -> tuple[int, bytes]:
        """Return a budget's number, and the line that must be written first where it had none."""
        number = self._numbers.get(identity)
        if number is not None:
            return number, b""
        number = self._numbers[identity] = len(self._numbers) + 1
        return number, encode(Defined(number, *identity))


def summary(budgets: Budgets, numbers: Numbers) -> Iterator[bytes]:
    """Yield the lines that say what has been spent, for a file to begin with; nothing in flight is in them."""
    for budget in budgets.remembered():
        for account in budget.accounts():
            if account.spent_nanos or account.spent_tokens:
                number, first = numbers.of(budget.identity)
                line = Spent(number, account.owner, account.start, account.spent_nanos, account.spent_tokens)
                yield first + encode(line)
