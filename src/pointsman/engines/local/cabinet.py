"""Versioned values by key, with compare-and-swap and watch: the router's own small state, such as a rollout."""

from __future__ import annotations

import asyncio


class Cabinet:
    """Values in memory. Version 0 means absent; each write raises the version by one."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[bytes, int]] = {}
        self._watchers: dict[str, list[asyncio.Future[None]]] = {}

    def read(self, key: str) -> tuple[bytes, int] | None:
        """Return value and version, or None."""
        return self._values.get(key)

    def swap(self, key: str, expect: int, value: bytes) -> int | None:
        """Write if the version is `expect`; return the new version, or None if somebody was faster."""
        _, version = self._values.get(key, (b"", 0))
        if version != expect:
            return None
        self._values[key] = (value, version + 1)
        for watcher in self._watchers.pop(key, ()):
            if not watcher.done():
                watcher.set_result(None)
        return version + 1

    async def watch(self, key: str, after: int) -> tuple[bytes, int]:
        """Return value and version as soon as the version is above `after`."""
        while True:
            current = self._values.get(key)
            if current is not None and current[1] > after:
                return current
            watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.setdefault(key, []).append(watcher)
            try:
                await watcher
            finally:
                waiting = self._watchers.get(key)
                if waiting is not None and watcher in waiting:
                    waiting.remove(watcher)
                    if not waiting:
                        del self._watchers[key]
