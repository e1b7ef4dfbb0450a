"""Background job that purges deleted projects and platforms."""

from functools import partial

from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.expiry import ExpiryRule
from dream_api.core.jobs import Job, Registry
from dream_api.core.objects import ObjectStore
from dream_api.core.secrets import InstanceKey
from dream_api.platforms import Mode
from dream_api.platforms.tables import invitations
from dream_api.retention.purge import purge

PURGE = "gate.purge"
EXPIRY_RULES = (ExpiryRule(invitations.c.expires_at, 30 * clock.DAY),)


def register(registry: Registry, objects: ObjectStore, key: InstanceKey, home_mode: Mode) -> None:
    """Once an hour."""
    registry.handle(PURGE, partial(_purge, objects, key, home_mode))
    registry.schedule(PURGE, every=clock.HOUR, kind=PURGE)


async def _purge(objects: ObjectStore, key: InstanceKey, home_mode: Mode, database: Database, _: Job) -> None:
    await purge(database, objects, key, home_mode)
