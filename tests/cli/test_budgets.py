"""`pointsman budgets`, and that what was spent survives the death of the router."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.budgets import _rows
from tests.cli.conftest import Command, Service, serving, start

SETTINGS = """\
[costs]
ledger = "spend.jsonl"
output_tokens = 1000
[prices."*"]
input = 1.0
output = 10.0
[budgets.day]
tokens = 3000
[budgets.each]
scope = "client"
per = "month"
money = 1.0
[[pools.coders.workers]]
id = "h"
url = "{url}"
[pools.planners]
"""


def budget(**changed: Any) -> dict[str, Any]:
    """A budget as the router shows it."""
    shown = {"name": "b", "scope": "client", "per": "day", "of": None, "money": None, "tokens": 100, "resets_at": 0.0}
    return {**shown, "accounts": [], "owners": 0, **changed}


def use(owner: str | None, share: float = 0.5) -> dict[str, Any]:
    """What somebody used of it."""
    used = {"money_spent": 0.25, "money_reserved": 0.125, "money_left": 0.625}
    return {"owner": owner, "used_share": share, "tokens_spent": 40, "tokens_reserved": 10, "tokens_left": 50, **used}


def test_a_budget_has_a_row_for_each_owner_and_each_unit() -> None:
    """Money and tokens apart, as both are kept."""
    rows = list(_rows(budget(money=1.0, accounts=[use("alice")]), "EUR"))
    assert [row[:8] for row in rows] == [
        ["b", "client alice", "day", "1.00 EUR", "0.2500 EUR", "0.1250 EUR", "0.6250 EUR", "50.0 %"],
        ["b", "client alice", "day", "100 tokens", "40 tokens", "10 tokens", "50 tokens", "50.0 %"],
    ]


@pytest.mark.parametrize(
    ("scope", "owner", "whose"),
    [
        ("overall", None, "everybody"),
        ("client", "alice", "client alice"),
        ("client", "*", "all other clients"),
        ("class", "tactical", "class tactical"),
    ],
)
def test_a_row_says_whose_it_is(scope: str, owner: str | None, whose: str) -> None:
    """Also where many share one account, for whom there was no room."""
    ((_, shown, *_),) = _rows(budget(scope=scope, accounts=[use(owner)]), "EUR")
    assert shown == whose


def test_a_budget_of_which_nobody_has_spent_is_shown_whole() -> None:
    """As each has it to itself."""
    ((_, whose, _, limit, spent, reserved, left, used, _),) = _rows(budget(), "EUR")
    assert (whose, limit, spent, reserved, left) == ("each client", "100 tokens", "0 tokens", "0 tokens", "100 tokens")
    assert used == "0.0 %"


def test_without_budgets_there_is_only_a_heading(router: Command) -> None:
    """In a pipe; as JSON an empty list."""
    (heading,) = router("budgets", "ls").out.splitlines()
    assert heading.split()[:4] == ["BUDGET", "WHOSE", "PER", "LIMIT"]
    assert json.loads(router("budgets", "ls", "-o", "json").out) == {"currency": "USD", "budgets": []}


class Hole:
    """A worker that takes a message and never answers."""

    def __init__(self) -> None:
        self.taken = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = self._server.accept()
                self._open.append(one)
                one.recv(65_536)
                self.taken.set()

    def close(self) -> None:
        """Let everything go."""
        for one in (*self._open, self._server):
            one.close()


@pytest.fixture
def hole() -> Iterator[Hole]:
    """A worker that never answers."""
    made = Hole()
    yield made
    made.close()


def spent(command: Command, service: Service) -> dict[str, tuple[int, int, float]]:
    """Tokens spent and reserved, and money spent, by budget."""
    listed = json.loads(command("budgets", "ls", "-o", "json", "--url", service.url).out)
    return {
        one["name"]: (account["tokens_spent"], account["tokens_reserved"], account["money_spent"])
        for one in listed["budgets"]
        for account in one["accounts"]
    }


def test_what_was_in_flight_when_the_router_was_killed_is_spent(command: Command, tmp_path: Path, hole: Hole) -> None:
    """SIGKILL between reserve and settle: the worker may have answered, so the next router counts it, once."""
    (tmp_path / "pointsman.toml").write_text(SETTINGS.replace("{url}", hole.url), "utf-8")
    with serving(tmp_path) as service:
        sender = start(["send", "x" * 40, "--class", "fast", "--client", "alice", "--url", service.url], tmp_path)
        assert hole.taken.wait(30), service.log()
        assert spent(command, service) == {"day": (0, 1010, 0.0), "each": (0, 1010, 0.0)}
        service.process.send_signal(signal.SIGKILL)
        assert service.ended() == -signal.SIGKILL
        sender.kill()
        sender.communicate()
    money: Any = pytest.approx(0.01001)
    for _ in range(2):
        with serving(tmp_path) as service:
            assert spent(command, service) == {"day": (1010, 0, money), "each": (1010, 0, money)}


def test_a_second_router_may_not_spend_by_the_same_ledger(command: Command, tmp_path: Path, hole: Hole) -> None:
    """It does not start, and says what to do."""
    (tmp_path / "pointsman.toml").write_text(SETTINGS.replace("{url}", hole.url), "utf-8")
    with serving(tmp_path) as service:
        second = start(["serve", "--listen", "127.0.0.1:0"], tmp_path)
        _, said = second.communicate(timeout=60)
        assert second.returncode == 1, service.log()
        assert "another process has it" in said
        assert "costs.ledger" in said
