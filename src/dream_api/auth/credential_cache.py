"""Cache of credentials by their hash, with a separate negative cache."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Generic, TypeVar

from dream_api.core.cache import Cache, CacheInvalidator
from dream_api.core.db import Database, Tx

V = TypeVar("V")


class CredentialCache(Generic[V]):
    """Credentials of one kind by the hash of their text; unknown ones are cached as well, so that many requests with
    the same wrong key read the database once."""

    def __init__(
        self,
        kind: str,
        database: Database,
        changes: CacheInvalidator,
        load: Callable[[Tx, bytes], Awaitable[V | None]],
        *,
        size: int,
        unknown_size: int,
    ) -> None:
        self.known = Cache[V](kind, size=size)
        # A cache of its own, so that guessed keys evict no valid ones.
        self.unknown = Cache[bool](kind, size=unknown_size)
        self.database = database
        self._changes = changes
        self._load = load
        changes.register(self.known, self.unknown)

    async def get(self, token: str) -> V | None:
        hashed = sha256(token.encode())
        name = hashed.hexdigest()

        async def load() -> V | None:
            read_at = self.unknown.version
            async with self.database.read() as tx:
                found = await self._load(tx, hashed.digest())
            if found is None:
                self.unknown.put(name, True, version=read_at)
            return found

        if self._changes.is_fresh and self.unknown.get(name):
            return None
        return await self.known.get_or_load(name, load)
