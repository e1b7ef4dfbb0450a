"""Erasure of personal data in the security log; the chain still verifies."""

from dream_api.audit import queries
from dream_api.core import clock
from dream_api.core.db import Database

_CHUNK = 500


async def erase_personal_data(database: Database) -> None:
    """Erase personal data 30 days after it was written, with its salt, without which the digest cannot be guessed."""
    while True:
        async with database.write() as tx:
            if await queries.erase_fields(tx, clock.now(), _CHUNK) < _CHUNK:
                return
