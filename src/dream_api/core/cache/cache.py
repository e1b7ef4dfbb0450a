"""A bounded memory of facts that the database holds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """Facts of one kind, by the text that changes name them by; forgets the oldest when full.

    A fact that was read before something was forgotten may be the old one: it is not remembered.
    """

    def __init__(self, kind: str, *, size: int) -> None:
        self.kind = kind
        # Goes up whenever anything is forgotten.
        self.version = 0
        self._size = size
        self._facts: dict[str, V] = {}
        # Whether anything may be remembered at all.
        self._is_trusted = True
        self._loading: dict[str, asyncio.Task[V | None]] = {}

    def get(self, key: str) -> V | None:
        return self._facts.get(key)

    def put(self, key: str, fact: V, *, read_at: int) -> None:
        """Remember what was read when the cache had the version `read_at`."""
        if read_at != self.version or not self._is_trusted:
            return
        if len(self._facts) >= self._size and key not in self._facts:
            del self._facts[next(iter(self._facts))]
        self._facts[key] = fact

    async def get_or_load(self, key: str, load: Callable[[], Awaitable[V | None]], *, anew: bool = False) -> V | None:
        """The fact, read once for all who ask for it at the same time; `anew`: read also where it is remembered."""
        known = self._facts.get(key)
        if known is not None and not anew:
            return known
        loading = self._loading.get(key)
        if loading is None:
            loading = self._loading[key] = asyncio.create_task(self._load(key, load))
            loading.add_done_callback(lambda done: self._loaded(key, done))
        return await asyncio.shield(loading)

    async def _load(self, key: str, load: Callable[[], Awaitable[V | None]]) -> V | None:
        read_at = self.version
        fact = await load()
        if fact is not None:
            self.put(key, fact, read_at=read_at)
        return fact

    def _loaded(self, key: str, done: "asyncio.Task[V | None]") -> None:
        if self._loading.get(key) is done:
            del self._loading[key]
        if not done.cancelled():
            done.exception()  # whoever asked was told; nobody may be left who did

    def forget(self, key: str) -> None:
        self.version += 1
        self._facts.pop(key, None)
        self._loading.pop(key, None)

    def clear(self) -> None:
        self.version += 1
        self._facts.clear()
        self._loading.clear()

    def suspend(self) -> None:
        """Forget all, and remember nothing until `resume`; what many ask for at once is still read once."""
        if self._is_trusted:
            self.clear()
            self._is_trusted = False

    def resume(self) -> None:
        self._is_trusted = True

    def __len__(self) -> int:
        return len(self._facts)
