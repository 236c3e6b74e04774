"""The lines of the ledger: what they say has been spent, wherever the file ends."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.budget import Budgets
from pointsman.core.spend_log import (
    Charge,
    Damaged,
    Defined,
    Numbers,
    Reader,
    Reserved,
    Settled,
    Spent,
    encode,
    summary,
)
from pointsman.model.settings import BudgetSettings

TEAM = ("team", "overall", None, "day")
EACH = ("each", "client", None, "month")
HEAD = encode(Defined(1, *TEAM)) + encode(Defined(2, *EACH))
NOON = 20_000 * 86_400 + 43_200.0


def read(data: bytes) -> tuple[list[Charge], Reader]:
    """Return the charges of a file, and its reader."""
    reader = Reader()
    return list(reader.charges(data)), reader


def reserved(message_id: str = "m", at: float = NOON, owner: str = "alice") -> bytes:
    """Return a reservation of both budgets."""
    return encode(Reserved(message_id, at, 100, 10, ((1, ""), (2, owner))))


def test_a_settled_message_spent_what_it_took() -> None:
    """At the instant of its reservation, of each budget it counts for."""
    charges, reader = read(HEAD + reserved() + encode(Settled("m", 70, 7)))
    assert charges == [Charge(TEAM, "", NOON, 70, 7), Charge(EACH, "alice", NOON, 70, 7)]
    assert (reader.unsettled, reader.torn) == (0, False)


def test_a_reservation_without_settlement_is_spent() -> None:
    """Nobody knows what the worker did."""
    charges, reader = read(HEAD + reserved() + reserved("n") + encode(Settled("n", 0, 0)))
    assert [charge for charge in charges if charge.nanos] == [
        Charge(TEAM, "", NOON, 100, 10),
        Charge(EACH, "alice", NOON, 100, 10),
    ]
    assert reader.unsettled == 1


def test_a_summary_counts_as_it_stands() -> None:
    """It stands for older lines that are gone."""
    assert read(HEAD + encode(Spent(2, "bob", NOON, 5, 6)))[0] == [Charge(EACH, "bob", NOON, 5, 6)]


def test_a_settlement_without_reservation_says_nothing() -> None:
    """Its reservation was summed up as spent before."""
    assert read(HEAD + encode(Settled("m", 70, 7)))[0] == []


def test_a_number_means_what_the_last_definition_says() -> None:
    """Budgets that change their scope get a number of their own."""
    data = HEAD + reserved() + encode(Defined(3, "each", "class", None, "month")) + encode(Spent(3, "t", NOON, 1, 1))
    charges, _ = read(data)
    assert charges[0] == Charge(("each", "class", None, "month"), "t", NOON, 1, 1)


def test_a_last_line_without_its_end_is_left_out() -> None:
    """The process died while it wrote it, so its message never went out."""
    whole = HEAD + reserved()
    charges, reader = read(whole + reserved("n")[:-1])
    assert reader.torn
    assert [charge.nanos for charge in charges] == [100, 100]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"\n", "line 3 is none of ours"),
        (b"{}\n", "line 3 is none of ours"),
        (b'{"do":"settle","id":"m","nanos":1.5,"tokens":1}\n', "line 3 is none of ours"),
        (b"\xff\xfe\n", "line 3 is none of ours"),
        (b"[" * 5000 + b"\n", "line 3 is none of ours"),
        (encode(Spent(9, "", NOON, 1, 1)), "budget 9, which no line above"),
        (encode(Reserved("m", NOON, 1, 1, ((9, ""),))), "budget 9, which no line above"),
    ],
)
def test_any_other_line_that_cannot_be_read_is_damage(line: bytes, words: str) -> None:
    """Nothing is guessed: the line is named."""
    with pytest.raises(Damaged, match=words):
        read(HEAD + line + reserved())


def test_an_empty_file_says_nothing_was_spent() -> None:
    """As a new one is."""
    assert read(b"")[0] == []


def test_a_summary_of_budgets_says_what_they_say() -> None:
    """Written, read and charged, the accounts are the same; empty ones and those in flight are not in it."""
    settings = {"team": BudgetSettings(tokens=99), "each": BudgetSettings(scope="client", per="month", tokens=99)}
    before, after = Budgets(settings), Budgets(settings)
    before.charge(TEAM, "", NOON, 12, 3, NOON)
    for owner in ('quo"te', "ünï", "line\nend"):
        before.charge(EACH, owner, NOON, 5, 1, NOON)
    before.charge(("gone", "overall", None, "day"), "", NOON, 1, 1, NOON)
    data = b"".join(summary(before, Numbers()))
    for charge in Reader().charges(data):
        assert after.charge(*charge, NOON)
    for budgets in (before, after):
        budgets.use({**settings, "gone": BudgetSettings(tokens=1)}, NOON)
    assert accounts(after) == accounts(before)


def accounts(budgets: Budgets) -> dict[tuple[str, str], tuple[int, int]]:
    """Return nanos and tokens by budget and owner."""
    return {(b.name, a.owner): (a.spent_nanos, a.spent_tokens) for b in budgets for a in b.accounts(NOON)}


STEP = st.one_of(
    st.tuples(st.just("reserve"), st.integers(0, 50), st.integers(0, 50)),
    st.tuples(st.just("settle"), st.integers(0, 50), st.integers(0, 50)),
)


@given(steps=st.lists(STEP, max_size=12), cut=st.integers(0, 10_000))
def test_wherever_the_process_dies_what_went_out_is_counted(steps: list[tuple[str, int, int]], cut: int) -> None:
    """A file cut off at any byte tells exactly of its whole lines: settled as settled, the others as reserved."""
    lines: list[tuple[str, str, int, int, bytes]] = []
    waiting: list[str] = []
    for number, (do, nanos, tokens) in enumerate(steps):
        if do == "reserve":
            waiting.append(f"m{number}")
            line = encode(Reserved(f"m{number}", NOON, nanos, tokens, ((1, ""),)))
            lines.append((do, f"m{number}", nanos, tokens, line))
        elif waiting:
            one = waiting.pop(nanos % len(waiting))
            lines.append((do, one, nanos, tokens, encode(Settled(one, nanos, tokens))))
    data = HEAD + b"".join(line for *_, line in lines)
    data = data[: max(len(HEAD), cut % (len(data) + 1))]
    took: dict[str, tuple[int, int]] = {}
    end = len(HEAD)
    for _, one, nanos, tokens, line in lines:
        end += len(line)
        if end <= len(data):
            took[one] = (nanos, tokens)
    charges, reader = read(data)
    assert reader.torn is not data.endswith(b"\n")
    assert Counter((charge.nanos, charge.tokens) for charge in charges) == Counter(took.values())
