"""Cuts old entries off; what is left begins at a place that is sealed with the instance key."""

import hmac

from dream_api.audit import queries
from dream_api.audit.hash_chain import cut_text
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.secrets import InstanceKey

_TIME = 180 * clock.DAY
_CHUNK = 500
_PURPOSE = "security log"


def seal_of(key: InstanceKey, book: str, number: int, digest: bytes) -> bytes:
    return hmac.digest(key.derive(_PURPOSE), cut_text(book, number, digest), "sha256")


async def truncate(database: Database, key: InstanceKey) -> None:
    """Entries older than 180 days, a bounded part at a time."""
    before = clock.now() - _TIME
    while True:
        async with database.read() as tx:
            books = await queries.books_older(tx, before, _CHUNK)
        cuts = [await _cut_some(database, key, book, before) for book in books]
        if not any(cuts):
            return


async def delete_stream(database: Database, key: InstanceKey, book: str) -> None:
    """The whole book, a bounded part at a time; at each moment what is left of it verifies."""
    while await _cut_some(database, key, book, clock.now() + clock.SECOND):
        pass
    async with database.write() as tx:
        await queries.delete_book(tx, book)


async def _cut_some(database: Database, key: InstanceKey, book: str, before: int) -> bool:
    """Whether anything was cut off."""
    async with database.write() as tx:
        await queries.lock_begun(tx, book)
        old = await queries.older_entries(tx, book, before, _CHUNK)
        if not old:
            return False
        last = old[-1]
        await queries.cut_off(tx, book, last.number, last.digest, seal_of(key, book, last.number, last.digest))
    return True
