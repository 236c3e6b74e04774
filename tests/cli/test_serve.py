from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pointsman.cli.client import Client, Problem
from tests.cli.conftest import Service, prepare, serving, start


class Holding(ThreadingHTTPServer):
    """A worker that takes a message and answers once it is released."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hold)
        self.taken = threading.Event()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Hold(BaseHTTPRequestHandler):
    server: Holding

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.set()
        self.server.released.wait(30)
        body = b'{"text": "held and released"}'
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def holding() -> Iterator[Holding]:
    """A worker that holds what it gets."""
    with Holding() as worker:
        thread = threading.Thread(target=worker.serve_forever, daemon=True)
        thread.start()
        yield worker
        worker.released.set()
        worker.shutdown()
        thread.join(10)


@contextlib.contextmanager
def held(directory: Path, worker: Holding) -> Iterator[tuple[Service, subprocess.Popen[str]]]:
    """A router whose only worker holds the message of a sender that waits; yields router and sender."""
    settings = f'[[pools.coders.workers]]\nid = "h"\nurl = "{worker.url}"\n[pools.planners]\n'
    (directory / "pointsman.toml").write_text(settings, "utf-8")
    with serving(directory) as service:
        sender = start(["send", "hold this", "--class", "fast", "--url", service.url], directory)
        assert worker.taken.wait(30), sender.communicate()
        try:
            yield service, sender
        finally:
            sender.kill()
            sender.communicate()


def refusal_of(url: str, path: str, value: object = None) -> str:
    """Code with which a request is refused, once it is; it must be soon."""
    for _ in range(10_000):
        try:
            Client(url).call("GET" if value is None else "POST", path, value)
        except Problem as problem:
            return problem.code
    raise AssertionError(f"{path} was never refused")


def test_the_first_signal_lets_what_is_in_hand_end(tmp_path, holding):
    """Not ready, nothing new is taken; the sender that waits gets its reply, and then the process ends with code 0."""
    with held(tmp_path, holding) as (router, sender):
        router.process.send_signal(signal.SIGTERM)
        assert refusal_of(router.url, "/readyz") == "unavailable"
        assert refusal_of(router.url, "/api/v1/messages", {"text": "new"}) == "draining"
        assert sender.poll() is None
        holding.released.set()
        out, err = sender.communicate()
        assert (sender.returncode, out) == (0, "held and released\n"), err
        assert router.ended() == 0
        assert "stopping: nothing new is taken" in router.log()
        assert "Traceback" not in router.log()


def test_the_second_signal_stops_at_once(tmp_path, holding):
    """The message is cancelled, its sender is told, and the exit code says that not all went well."""
    with held(tmp_path, holding) as (router, sender):
        router.process.send_signal(signal.SIGTERM)
        refusal_of(router.url, "/readyz")
        router.process.send_signal(signal.SIGINT)
        assert router.ended() == 1
        assert "messages in hand were cancelled" in router.log()
        assert "Traceback" not in router.log()
        _, err = sender.communicate()
        assert sender.returncode == 1
        assert err.startswith("error: ")


def test_a_sender_that_is_interrupted_ends_without_a_traceback_and_cancels_its_message(tmp_path, holding):
    """Ctrl-C: one word, exit code 130; the router learns that nobody waits any more."""
    with held(tmp_path, holding) as (router, sender):
        sender.send_signal(signal.SIGINT)
        _, err = sender.communicate()
        assert sender.returncode == 130
        assert err.strip() == "Interrupted."
        statuses: list[str] = []
        while "cancelled" not in statuses and len(statuses) < 10_000:
            (message,) = Client(router.url).listing("/api/v1/messages", "messages")
            statuses.append(message["status"])
        assert statuses[-1] == "cancelled"


def test_sighup_takes_a_good_file_and_leaves_a_bad_one(tmp_path):
    """What a bad file says is logged with every mistake, and nothing has changed; config reload says the same."""
    prepare(tmp_path)
    file = tmp_path / "pointsman.toml"
    good = file.read_text("utf-8")
    with serving(tmp_path) as router:
        url, process = router.url, router.process
        file.write_text(good + "\n[validation]\nmax_text_bytes = 10\n", "utf-8")
        process.send_signal(signal.SIGHUP)
        router.wait_for("changed: validation.max_text_bytes")
        assert refusal_of(url, "/api/v1/decisions", {"text": "x" * 11}) == "too_large"

        file.write_text(good.replace("burst = 1000000", 'burst = "many"\nrate = 3'), "utf-8")
        process.send_signal(signal.SIGHUP)
        log = router.wait_for("limits.rate: unknown key")
        assert "nothing has changed: 2 mistakes" in log
        assert "limits.burst" in log
        assert refusal_of(url, "/api/v1/decisions", {"text": "x" * 11}) == "too_large"

        reload = start(["config", "reload", "--url", url], tmp_path)
        _, err = reload.communicate()
        assert reload.returncode == 5
        assert "error: the settings cannot be used: 2 mistakes\n  pointsman.toml:" in err
        assert "limits.burst" in err


def test_it_works_without_a_settings_file(tmp_path):
    """Ready, with default settings; a sender is told that there is no worker."""
    with serving(tmp_path) as (url, _, _):
        assert Client(url).get("/readyz") == {"status": "ready"}
        assert refusal_of(url, "/api/v1/messages", {"text": "x"}) == "no_worker"
        assert Client(url).get("/api/v1/status")["version"]


def test_a_port_that_is_taken_is_one_line_and_code_1(tmp_path, service):
    """Who may have it, and what to do."""
    address = service.url.removeprefix("http://")
    process = start(["serve", "--listen", address], tmp_path)
    out, err = process.communicate()
    assert (process.returncode, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith(f"error: server.listen: {address} is taken by another process")


@pytest.mark.parametrize(
    ("listen", "says"),
    [("0.0.0.0:0", "can be reached by others"), ("nonsense", "expected ADDRESS:PORT")],
)
def test_an_address_that_cannot_be_used_is_named_with_code_5(tmp_path, listen, says):
    """Anything but loopback needs keys, which do not exist yet."""
    process = start(["serve", "--listen", listen], tmp_path)
    out, err = process.communicate()
    assert (process.returncode, out) == (5, "")
    line = err.splitlines()[-1]
    assert "server.listen: " in line
    assert says in line


def test_a_file_with_three_mistakes_starts_nothing_and_names_all_three(tmp_path):
    """Each with its line; exit code 5."""
    text = '[limits]\nburst = "x"\nrate = 3\n[pools.coders]\nbalancer = "best"\n'
    (tmp_path / "pointsman.toml").write_text(text, "utf-8")
    process = start(["serve", "--listen", "127.0.0.1:0"], tmp_path)
    out, err = process.communicate()
    assert (process.returncode, out) == (5, "")
    lines = err.splitlines()
    assert lines[0].startswith("error: the settings cannot be used: ")
    for line_number, key in ((2, "limits.burst"), (3, "limits.rate"), (5, "pools.coders.balancer")):
        assert any(line.strip().startswith(f"pointsman.toml:{line_number}: {key}: ") for line in lines)


def test_a_worker_that_only_a_program_can_give_is_a_mistake(tmp_path, command):
    """`callable` stands in no file; the line is named."""
    (tmp_path / "pointsman.toml").write_text(
        '[pools.planners]\n[[pools.coders.workers]]\nid = "x"\ntransport = "callable"\n', "utf-8"
    )
    for arguments in (("config", "check"), ("serve", "--listen", "127.0.0.1:0")):
        ran = command(*arguments)
        assert ran.code == 5
        assert 'pointsman.toml:4: pools.coders.workers.0.transport: got "callable"' in ran.err


def test_flags_win_over_the_file(tmp_path):
    """--set changes one setting, --listen another."""
    (tmp_path / "other.toml").write_text("[validation]\nmax_text_bytes = 10\n", "utf-8")
    arguments = ("--config", "other.toml", "--set", "validation.max_text_bytes=20", "--loop", "asyncio")
    with serving(tmp_path, *arguments) as (url, _, _):
        assert Client(url).post("/api/v1/decisions", {"text": "x" * 20})["class"]
        assert refusal_of(url, "/api/v1/decisions", {"text": "x" * 21}) == "too_large"


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path, service):
    """`pointsman ... | head -1`: the command ends quietly with code 0."""
    (tmp_path / "rows.txt").write_text("fix the typo\n" * 20_000, "utf-8")
    for arguments in (
        ["classify", "--input", "rows.txt"],
        ["classify", "--input", "rows.txt", "-o", "json"],
        ["config", "schema"],
        ["init", "-"],
        ["--help"],
        ["workers", "ls", "--url", service.url],
    ):
        process = start(arguments, tmp_path)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == "", arguments
        assert process.wait(30) == 0, arguments
        process.stderr.close()


def test_metrics_are_served(service):
    """With the names that dashboards look for."""
    status, kind, body = Client(service.url).exchange("GET", "/metrics")
    assert (status, kind) == (200, "text/plain")
    assert b"pointsman_messages_admitted_total" in body
    assert b"pointsman_config_last_reload_successful 1" in body
