"""Background job of the security log: erasure and truncation."""

from functools import partial

from dream_api.audit.erasure import erase_personal_data
from dream_api.audit.truncation import truncate
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.jobs import Job, Registry
from dream_api.core.secrets import InstanceKey

SHORTEN = "audit.shorten"


def register(registry: Registry, key: InstanceKey) -> None:
    """Run `shorten` once an hour."""
    registry.handle(SHORTEN, partial(shorten, key))
    registry.schedule(SHORTEN, every=clock.HOUR, kind=SHORTEN)


async def shorten(key: InstanceKey, database: Database, job: Job) -> None:
    """Names and addresses go after 30 days, entries after 180."""
    await erase_personal_data(database)
    await truncate(database, key)
