import asyncio

from pointsman.sim.waiting import FRAMES_SHOWN_MAX, TASKS_SHOWN_MAX, describe_task, describe_tasks


async def dig(depth: int, gate: asyncio.Event) -> None:
    """Wait at the bottom of a chain of calls."""
    if depth:
        await dig(depth - 1, gate)
    else:
        await gate.wait()


async def test_a_task_is_described_by_its_chain_of_calls():
    """From the outermost coroutine to the one that is suspended."""
    gate = asyncio.Event()
    task = asyncio.create_task(dig(1, gate), name="digger")
    await asyncio.sleep(0)
    places = describe_task(task).split(" > ")
    assert [place.split(":")[0] for place in places] == [
        "digger",
        "dig (test_waiting.py",
        "Event.wait (locks.py",
    ]
    gate.set()
    await task
    assert describe_task(task) == "digger: no frame"


async def test_a_deep_chain_keeps_its_inner_end():
    """Where the task waits matters more than where it began."""
    gate = asyncio.Event()
    task = asyncio.create_task(dig(20, gate), name="digger")
    await asyncio.sleep(0)
    text = describe_task(task)
    assert text.startswith("digger: ... > dig (")
    assert text.count(" > ") == FRAMES_SHOWN_MAX
    assert "Event.wait" in text
    gate.set()
    await task


async def test_a_task_that_awaits_a_task_names_it():
    """Chains of tasks can be followed by name."""
    inner = asyncio.create_task(asyncio.sleep(1), name="inner")

    async def outer() -> None:
        await inner

    task = asyncio.create_task(outer(), name="outer")
    await asyncio.sleep(0)
    assert describe_task(task).endswith(" > task 'inner'")
    await task


async def test_many_tasks_are_cut_short():
    """The list stays readable, and says how many it leaves out."""
    tasks = [asyncio.create_task(asyncio.sleep(1)) for _ in range(TASKS_SHOWN_MAX + 5)]
    await asyncio.sleep(0)
    text = describe_tasks(tasks)
    assert text.count("\n  ") == TASKS_SHOWN_MAX + 1
    assert text.endswith("\n  ... and 5 more")
    assert describe_tasks([]) == " none"
    await asyncio.gather(*tasks)
