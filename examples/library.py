"""The router as a library: two functions as workers, one message, and why it went where it went."""

import asyncio

from pointsman import Router


async def planner(work):
    """Pretend to plan."""
    return f"a plan for: {work['text']}"


async def main():
    """Send one message and show what came of it."""
    async with Router(workers={"planners": {"p": planner}, "coders": {"c": planner}}) as router:
        result = await router.send("compare two ways to store sessions", priority="high", client="me")
        print(result.status, result.message_class, result.worker, result.text)
        print(router.decision(result.id))


asyncio.run(main())
