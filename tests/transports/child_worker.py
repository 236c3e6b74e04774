"""A worker process for tests: JSON lines in, JSON lines out; does what `params["do"]` says.

    python child_worker.py PORT

It reports each message on a connection to PORT, one line each, as soon as it has read it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

waiting: list[dict[str, Any]] = []
late: list[dict[str, Any]] = []


def answer(work: dict[str, Any], **reply: Any) -> None:
    """Write one line."""
    reply = {"id": work["id"], "attempt": work["attempt"], **reply}
    sys.stdout.write(json.dumps(reply, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def act(work: dict[str, Any]) -> None:
    """Do what a message says."""
    params = work["params"]
    say = params.get("say", work["text"])
    match params["do"]:
        case "text":
            answer(work, event="progress", note="half way", pct=50)
            answer(work, text=say)
        case "json":
            answer(work, **params["value"])
        case "meet":
            waiting.append(work)
            if len(waiting) == params["count"]:
                for each in reversed(waiting):
                    answer(each, text=each["text"])
        case "error":
            answer(work, error=say, retryable=True)
        case "fault":
            answer(work, error=say, retryable=False)
        case "busy":
            answer(work, error="come again", retry_after_s=7)
        case "garbage":
            answer(work)
        case "cut":
            sys.stdout.write(json.dumps({"id": work["id"], "text": "cut"})[:-2])
            sys.stdout.flush()
            os._exit(3)
        case "late":
            late.append(work)


def main() -> None:
    """Read until the input ends."""
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as report:
        for line in sys.stdin:
            report.sendall(b"seen\n")
            work = json.loads(line)
            for each in late:
                answer(each, text=each["params"]["say"])
            late.clear()
            act(work)


main()
