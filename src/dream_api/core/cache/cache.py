"""A bounded in-memory cache of values read from the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """Values of one kind by their key, the one that `invalidate` is given; evicts the oldest when full.

    A value that was read before an eviction may be stale: it is not stored.
    """

    def __init__(self, kind: str, *, size: int) -> None:
        self.kind = kind
        # Goes up with every eviction.
        self.version = 0
        self._size = size
        self._values: dict[str, V] = {}
        # Whether anything may be stored at all.
        self._is_trusted = True
        self._loading: dict[str, asyncio.Task[V | None]] = {}

    def get(self, key: str) -> V | None:
        return self._values.get(key)

    def put(self, key: str, value: V, *, version: int) -> None:
        """Store what was read from the database while the cache had this version."""
        if version != self.version or not self._is_trusted:
            return
        if len(self._values) >= self._size and key not in self._values:
            del self._values[next(iter(self._values))]
        self._values[key] = value

    async def get_or_load(self, key: str, load: Callable[[], Awaitable[V | None]], *, reload: bool = False) -> V | None:
        """The value, loaded once for all concurrent callers; `reload`: loaded even where it is cached."""
        known = self._values.get(key)
        if known is not None and not reload:
            return known
        loading = self._loading.get(key)
        if loading is None:
            loading = self._loading[key] = asyncio.create_task(self._load(key, load))
            loading.add_done_callback(lambda done: self._loaded(key, done))
        return await asyncio.shield(loading)

    async def _load(self, key: str, load: Callable[[], Awaitable[V | None]]) -> V | None:
        version = self.version
        value = await load()
        if value is not None:
            self.put(key, value, version=version)
        return value

    def _loaded(self, key: str, done: "asyncio.Task[V | None]") -> None:
        if self._loading.get(key) is done:
            del self._loading[key]
        if not done.cancelled():
            done.exception()  # callers received it; marks it as retrieved where no caller is left

    def evict(self, key: str) -> None:
        self.version += 1
        self._values.pop(key, None)
        self._loading.pop(key, None)

    def clear(self) -> None:
        self.version += 1
        self._values.clear()
        self._loading.clear()

    def suspend(self) -> None:
        """Evict everything and store nothing until `resume`; concurrent loads are still shared."""
        if self._is_trusted:
            self.clear()
            self._is_trusted = False

    def resume(self) -> None:
        self._is_trusted = True

    def __len__(self) -> int:
        return len(self._values)
