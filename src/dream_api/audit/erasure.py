"""Erases names and addresses after their time; the chain still verifies."""

from dream_api.audit import queries
from dream_api.core import clock
from dream_api.core.db import Database

_CHUNK = 500


async def erase_old(database: Database) -> None:
    """What tells who somebody is, 30 days after it was written, with the salt that makes its digest guessable."""
    while True:
        async with database.write() as tx:
            if await queries.erase_fields(tx, clock.now(), _CHUNK) < _CHUNK:
                return
