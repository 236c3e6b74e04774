"""A worker of the demonstration: a small program of its own that speaks the worker protocol over HTTP or stdio.

It only pretends to work: it waits as long as its script says and answers with a canned sentence. Standard library only,
so that it starts fast and shows how little a worker needs. Run as `python -m pointsman.operations.worker_process`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).with_name("worker_answers.jsonl")


class Script:
    """How a worker behaves.

    Args:
        worker_id: its name.
        role: `planner` or `coder`; chooses its sentences.
        mean_s: mean time of a message, seconds.
        fail_from: number of its message from which on it fails; 0 = never.
        fail_for_s: for how long it then fails, seconds.
    """

    def __init__(self, worker_id: str, role: str, mean_s: float, fail_from: int, fail_for_s: float) -> None:
        self._rng = random.Random(worker_id)
        self._mean_s = mean_s
        self._fail_from = fail_from
        self._fail_for_s = fail_for_s
        self._failing_since: float | None = None
        self._seen = 0
        self._lock = threading.Lock()
        with ANSWERS.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        self._sentences = [row["text"] for row in rows if row["role"] == role]

    def work(self, message: dict[str, Any]) -> str:
        """Wait, then return an answer. Raises RuntimeError while the script says that the worker fails."""
        with self._lock:
            self._seen += 1
            took_s = self._rng.uniform(0.5, 1.5) * self._mean_s
            sentence = self._rng.choice(self._sentences)
            failing = self._fails()
        if failing:
            time.sleep(0.01)
            raise RuntimeError("out of memory (the demonstration told this worker to fail for a while)")
        time.sleep(took_s)
        topic = " ".join(str(message.get("text") or "").split()[:5])
        return str(sentence).format(topic=topic)

    def _fails(self) -> bool:
        if self._fail_from == 0 or self._seen < self._fail_from:
            return False
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since < self._fail_for_s


def serve_http(script: Script) -> None:
    """Answer POST requests on a free loopback port; says which on the first line of stdout."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                status, reply = 200, {"text": script.work(json.loads(body))}
            except RuntimeError as error:
                status, reply = 500, {"error": str(error)}
            payload = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    sys.stdout.write(f"listening {server.server_address[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=_end_with_parent, args=(server.shutdown,), daemon=True).start()
    server.serve_forever()


def _end_with_parent(shutdown: Any) -> None:
    """End when stdin closes, so that no worker outlives the demonstration, even one that was killed."""
    sys.stdin.read()
    shutdown()


def serve_stdio(script: Script) -> None:
    """Answer JSON lines on stdin with JSON lines on stdout, several at a time."""
    lock = threading.Lock()

    def answer(message: dict[str, Any]) -> None:
        head = {"id": message["id"], "attempt": message.get("attempt")}
        try:
            reply = {**head, "text": script.work(message)}
        except RuntimeError as error:
            reply = {**head, "error": str(error), "retryable": True}
        with lock:
            sys.stdout.write(json.dumps(reply) + "\n")
            sys.stdout.flush()

    with ThreadPoolExecutor(8) as threads:
        for line in sys.stdin:
            threads.submit(answer, json.loads(line))


def main() -> None:
    """Be a worker until stdin closes."""
    parser = argparse.ArgumentParser(prog="worker_process", description=__doc__)
    parser.add_argument("transport", choices=("http", "stdio"))
    parser.add_argument("--id", required=True)
    parser.add_argument("--role", choices=("planner", "coder"), required=True)
    parser.add_argument("--mean-s", type=float, required=True)
    parser.add_argument("--fail-from", type=int, default=0)
    parser.add_argument("--fail-for-s", type=float, default=0.0)
    options = parser.parse_args()
    script = Script(options.id, options.role, options.mean_s, options.fail_from, options.fail_for_s)
    if options.transport == "http":
        serve_http(script)
    else:
        serve_stdio(script)


if __name__ == "__main__":
    main()
