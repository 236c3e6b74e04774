"""What the demonstration sends: its own 200 messages or somebody's prompts, over HTTP, as eight clients would."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from pointsman.model.errors import UsageError
from pointsman.ports import Clock

MESSAGES: Final = Path(__file__).with_name("demo_messages.jsonl")
FLOODER: Final = "runaway-loop"
"""The client that floods on purpose."""

RATE_PER_S: Final = 12.0
"""How fast the demonstration's own messages are sent; a newcomer can still follow."""

PROMPT_RATE_PER_S: Final = 25.0
"""How fast prompts from a file are sent."""

_PROMPT_CLIENTS = 20
_FLOOD_COPIES = 6
_TIMEOUT_S = 90.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(slots=True, frozen=True)
class Line:
    """One message to send, with its client and the body of its request."""

    client: str
    body: dict[str, Any]


def own_messages() -> list[Line]:
    """Return the 200 messages; the flooder's come in bursts of copies, so that a flood can be seen."""
    lines: list[Line] = []
    for row in _rows(MESSAGES):
        client = row.pop("client")
        row.pop("label", None)
        lines.append(Line(client, row))
    return lines


def prompts(path: Path) -> list[Line]:
    """Return the rows of a file of JSON lines with `text`, shared out among clients.

    Raises:
        UsageError: the file cannot be read, or a row has no `text`; says which.
    """
    lines: list[Line] = []
    for number, row in enumerate(_rows(path)):
        text = row.get("text")
        if not isinstance(text, str):
            raise UsageError(f"{path}, row {number + 1}: expected an object with a string 'text', got {_short(row)}")
        lines.append(Line(f"client-{number % _PROMPT_CLIENTS + 1}", {"text": text}))
    if not lines:
        raise UsageError(f"{path} has no rows: expected JSON lines with 'text'")
    return lines


def _rows(path: Path) -> Iterator[Any]:
    try:
        with path.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    raise UsageError(f"{path}, line {number + 1} is no JSON: {error}") from None
                if not isinstance(row, dict):
                    raise UsageError(f"{path}, line {number + 1}: expected an object, got {_short(row)}")
                yield row
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def _short(value: Any) -> str:
    return repr(value)[:80]


class Traffic:
    """Sends lines at a steady rate, each from a thread of its own, and waits for the answers.

    Args:
        url: of the router.
        clock: paces the sending.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = f"{url}/api/v1/messages"
        self._clock = clock
        self._threads = ThreadPoolExecutor(96, thread_name_prefix="demo client")
        self.sent = 0
        self.unanswered = 0

    async def send(self, lines: list[Line], rate_per_s: float, seconds: float | None) -> None:
        """Send each line once, or round and round for `seconds`; returns after the last answer."""
        loop = asyncio.get_running_loop()
        began = self._clock.monotonic()
        waiting: set[asyncio.Future[None]] = set()
        for number, line in enumerate(lines if seconds is None else cycle(lines)):
            at = began + number / rate_per_s
            if seconds is not None and at - began >= seconds:
                break
            await self._clock.sleep_until(at)
            for _ in range(_FLOOD_COPIES if line.client == FLOODER else 1):
                self.sent += 1
                answer = loop.run_in_executor(self._threads, self._post, line)
                waiting.add(answer)
                answer.add_done_callback(waiting.discard)
        if waiting:
            await asyncio.wait(waiting)

    def _post(self, line: Line) -> None:
        request = urllib.request.Request(
            self._url,
            data=json.dumps(line.body).encode(),
            headers={"content-type": "application/json", "x-pointsman-client": line.client},
        )
        try:
            with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
                answer.read()
        except urllib.error.HTTPError as refused:
            refused.read()
        except OSError:
            self.unanswered += 1

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)
