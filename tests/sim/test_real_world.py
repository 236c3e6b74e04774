import asyncio
import threading
from collections.abc import Callable

import pytest

from pointsman.sim import NotSimulated, SimLoop
from pointsman.sim.real_world import REFUSED


async def test_other_threads_are_refused():
    """A call from another thread would make the order of events depend on the machine."""
    loop, caught = asyncio.get_running_loop(), []

    def intrude() -> None:
        try:
            loop.call_soon_threadsafe(print)
        except NotSimulated as error:
            caught.append(error)

    thread = threading.Thread(target=intrude)
    thread.start()
    thread.join()
    assert "another thread" in str(caught[0])
    assert not loop.is_closed()


@pytest.mark.parametrize(
    "reach",
    [
        lambda: asyncio.open_connection("localhost", 1),
        lambda: asyncio.start_server(lambda r, w: None, "localhost", 0),
        lambda: asyncio.create_subprocess_exec("true"),
        lambda: asyncio.get_running_loop().getaddrinfo("localhost", 1),
        lambda: asyncio.get_running_loop().add_signal_handler(1, print),
    ],
    ids=["connection", "server", "subprocess", "name", "signal"],
)
async def test_the_real_world_is_refused(reach: Callable):
    """Sockets, subprocesses, names and signals fail at the call and say what to do instead."""
    with pytest.raises(NotSimulated, match="real_loop"):
        await reach()


def test_every_refused_method_exists_in_asyncio():
    """A misspelt name would refuse nothing."""
    assert [name for name in REFUSED if not hasattr(asyncio.AbstractEventLoop, name)] == []
    loop = SimLoop()
    for name in REFUSED:
        with pytest.raises(NotSimulated, match=rf"^{name}\(\) was called"):
            getattr(loop, name)()
    loop.close()
