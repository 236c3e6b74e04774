"""One router, many threads: for programs without an event loop."""

from concurrent.futures import ThreadPoolExecutor

from pointsman import BlockingRouter


def shout(work):
    """Answer in capitals; a plain function runs in a thread of its own."""
    return work["text"].upper()


with BlockingRouter(workers={"coders": {"c": shout}}) as router, ThreadPoolExecutor(8) as threads:
    texts = [f"rename function number {number}" for number in range(16)]
    results = threads.map(lambda text: router.send(text, class_="tactical"), texts)
    print(sum(result.delivered for result in results), "delivered")
