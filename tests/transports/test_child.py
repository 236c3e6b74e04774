"""Child processes: real ones, with every way to end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import pytest

from pointsman.transports import child as child_module
from pointsman.transports.child import STDERR_BYTES, Child
from pointsman.transports.lines import Line
from tests.transports.raw_server import Talk, serve

pytestmark = pytest.mark.real_loop(timeout_s=30)


class Watch:
    """A child, and all it said and did."""

    child: Child

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.told: list[str] = []
        self.spoke = asyncio.Event()
        self.ended = asyncio.Event()

    @classmethod
    async def start(cls, code: str, *arguments: object, max_line_bytes: int = 1000) -> Watch:
        watch = cls()
        command = [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)]
        watch.child = await Child.start(command, watch._on_line, watch._on_end, max_line_bytes)
        return watch

    def _on_line(self, line: Line) -> None:
        assert not self.ended.is_set(), "nothing is said after the end"
        self.lines.append(line)
        self.spoke.set()

    def _on_end(self, child: Child) -> None:
        assert not self.ended.is_set(), "it ends once"
        self.told.append(child.farewell)
        self.ended.set()

    async def gone(self) -> None:
        await self.ended.wait()
        await self.child.gone()
        assert self.child.is_gone


ECHO = """
import sys
for line in sys.stdin:
    print(line.strip(), flush=True)
"""


async def test_lines_go_in_and_come_out() -> None:
    """One write is one line."""
    watch = await Watch.start(ECHO)
    assert await watch.child.write(b'{"a": 1}')
    await watch.spoke.wait()
    assert watch.lines == [Line(b'{"a": 1}')]
    assert watch.child.alive
    await watch.child.stop(10)


async def test_what_is_said_before_the_end_is_heard_before_it() -> None:
    """Also where the last line has no end."""
    watch = await Watch.start("print('x\\n' * 50000 + 'last', end='')")
    await watch.gone()
    assert len(watch.lines) == 50_001
    assert watch.lines[-1] == Line(b"last")
    assert not watch.child.alive


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("pass", "it exited with status 0"),
        ("import sys; sys.exit(3)", "it exited with status 3"),
        ("import sys; sys.exit('no key')", "it exited with status 1; stderr: no key"),
        ("import os; os.kill(os.getpid(), 9)", "it was ended by signal 9"),
    ],
)
async def test_its_end_is_told_with_its_last_words(code: str, how: str) -> None:
    """For whoever has to find out why."""
    watch = await Watch.start(code)
    await watch.gone()
    assert watch.child.farewell == how
    assert watch.told[0].partition(";")[0] == how.partition(";")[0]


async def test_a_talkative_stderr_is_drained_and_its_end_kept() -> None:
    """A full pipe would stop the child."""
    watch = await Watch.start("import sys; sys.stderr.write('x' * 5_000_000 + 'end'); print('done', flush=True)")
    await watch.gone()
    assert watch.lines == [Line(b"done")]
    assert len(watch.child.stderr_tail) == STDERR_BYTES
    assert watch.child.stderr_tail.endswith("xend")


async def test_a_program_that_is_not_there_is_an_os_error() -> None:
    """Nothing is left of it."""
    with pytest.raises(OSError):
        await Child.start(["/nonexistent/agent"], lambda line: None, lambda child: None, 1000)


async def test_it_leads_a_session_of_its_own() -> None:
    """A Ctrl-C for the router is not for it."""
    watch = await Watch.start(ECHO)
    assert os.getsid(watch.child.pid) == watch.child.pid
    await watch.child.stop(10)


async def test_stopping_lets_it_finish() -> None:
    """It sees the end of its input, and what it says then is heard."""
    watch = await Watch.start("import sys; text = sys.stdin.read(); print('got ' + text.strip(), flush=True)")
    await watch.child.write(b"work")
    await watch.child.stop(20)
    assert watch.lines == [Line(b"got work")]
    assert watch.child.farewell == "it exited with status 0"


async def test_stopping_gives_it_all_its_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """That we closed its input is no reason to kill it a second later."""
    monkeypatch.setattr(child_module, "_HALF_END_S", 0.0)
    watch = await Watch.start("import sys; text = sys.stdin.read(); print('got ' + text.strip(), flush=True)")
    await watch.child.write(b"work")
    await watch.child.stop(20)
    assert watch.lines == [Line(b"got work")]


STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, {handler})
print('ready', flush=True)
while True:
    time.sleep(3600)
"""


@pytest.mark.parametrize(
    ("handler", "ends", "how"),
    [
        ("lambda *_: os._exit(7)", True, "it exited with status 7"),
        ("signal.SIG_IGN", False, "it was killed: it did not end when asked to"),
    ],
    ids=["takes SIGTERM", "takes nothing"],
)
async def test_one_that_does_not_end_is_made_to(
    handler: str, ends: bool, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First asked, then killed. The patience is the test's: none, and then as long as it takes, or none again."""
    watch = await Watch.start(STUBBORN.format(handler=handler))
    await watch.spoke.wait()
    asked: list[float] = []

    async def ends_within(seconds: float) -> bool:
        asked.append(seconds)
        if ends and len(asked) == 2:
            await watch.ended.wait()
        return watch.ended.is_set()

    monkeypatch.setattr(watch.child, "_ends_within", ends_within)
    await watch.child.stop(5.0)
    assert asked == [5.0, 5.0]
    assert watch.child.farewell == how
    assert not watch.child.alive
    with pytest.raises(ProcessLookupError):
        os.kill(watch.child.pid, 0)


async def test_a_cancelled_stop_kills() -> None:
    """Whoever stops it does not want it to live on."""
    watch = await Watch.start(STUBBORN.format(handler="signal.SIG_IGN"))
    await watch.spoke.wait()
    stopping = asyncio.create_task(watch.child.stop(3600))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await watch.gone()


@pytest.mark.parametrize("pipe", [0, 1])
async def test_one_that_closes_a_pipe_and_lives_on_is_killed(pipe: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be of no more use; the second it gets is shortened here."""
    monkeypatch.setattr(child_module, "_HALF_END_S", 0.01)
    watch = await Watch.start(f"import os, time; os.close({pipe}); time.sleep(3600)")
    await watch.gone()
    assert watch.told == ["it was killed: it closed its input or output, or left it to others"]


async def test_what_it_started_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper process that holds the pipes open does not keep a dead child alive."""
    monkeypatch.setattr(child_module, "_HALF_END_S", 0.01)
    helper = (
        "import socket, sys, time\n"
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "s.send(b'up\\n')\n"
        "time.sleep(3600)\n"
    )
    code = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-I', '-S', '-c', {helper!r}, sys.argv[1]])\n"
        "sys.stdin.readline()\n"
        "print('leaving', flush=True)\n"
    )
    helper_ended = asyncio.Event()
    helper_up = asyncio.Event()

    async def script(talk: Talk) -> None:
        assert await talk.line() == b"up\n"
        helper_up.set()
        await talk.closed()
        helper_ended.set()

    async with serve(script) as server:
        watch = await Watch.start(code, server.port)
        await helper_up.wait()
        await watch.child.write(b"go")
        await watch.gone()
        await helper_ended.wait()
    assert watch.lines == [Line(b"leaving")]


SLEEPY = """
import sys
sys.stdin.readline()
print('first read', flush=True)
import os, signal
signal.sigwait([signal.SIGUSR1])
for line in sys.stdin:
    print(len(line), flush=True)
"""


async def test_writing_waits_while_it_does_not_read() -> None:
    """A cancelled wait has written nothing; the next line comes whole."""
    code = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n" + SLEEPY
    watch = await Watch.start(code, max_line_bytes=1000)
    assert await watch.child.write(b"hello")
    await watch.spoke.wait()
    assert await watch.child.write(b"a" * 1_000_000)
    given_up = asyncio.create_task(watch.child.write(b"b" * 10))
    waiting = asyncio.create_task(watch.child.write(b"c" * 20))
    await asyncio.sleep(0)
    assert not given_up.done()
    assert not waiting.done()
    given_up.cancel()
    os.kill(watch.child.pid, signal.SIGUSR1)
    assert await waiting
    await watch.child.stop(20)
    assert [line.data for line in watch.lines] == [b"first read", b"1000001", b"21"]


async def test_writing_to_one_that_ends_says_so() -> None:
    """Also to those who wait for it to read."""
    watch = await Watch.start(ECHO.replace("for line", "import time; time.sleep(3600)\nfor line"))
    assert await watch.child.write(b"a" * 1_000_000)
    waiting: Any = asyncio.create_task(watch.child.write(b"b"))
    await asyncio.sleep(0)
    watch.child.kill("test")
    assert not await waiting
    assert not await watch.child.write(b"c")
    await watch.gone()
    assert watch.child.farewell == "it was killed: test"
