"""Background jobs that end the sales of deleted projects and platforms, and purge them."""

from functools import partial

from dream_api import billing, catalog, platforms
from dream_api.billing import BillingContext
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.expiry import ExpiryRule
from dream_api.core.jobs import Job, Registry
from dream_api.core.objects import ObjectStore
from dream_api.core.secrets import InstanceKey
from dream_api.platforms import Mode
from dream_api.platforms.tables import invitations
from dream_api.retention.deletion import CLOSURE
from dream_api.retention.purge import purge
from dream_api.tenancy.level_usage import home_scope

PURGE = "gate.purge"
EXPIRY_RULES = (ExpiryRule(invitations.c.expires_at, 30 * clock.DAY),)


def register(registry: Registry, billing_context: BillingContext, objects: ObjectStore, home_mode: Mode) -> None:
    """The purge runs once an hour."""
    registry.handle(CLOSURE, partial(_follow_closure, billing_context, home_mode))
    registry.handle(PURGE, partial(_purge, objects, billing_context.instance_key, home_mode))
    registry.schedule(PURGE, every=clock.HOUR, kind=PURGE)


async def _follow_closure(billing_context: BillingContext, home_mode: Mode, database: Database, job: Job) -> None:
    """What the platform sells ends or goes on; what it buys, its level, ends when it is closed."""
    assert job.platform_no is not None
    await billing.follow_closure(billing_context, job.platform_no)
    async with database.read() as tx:
        row = await platforms.platform_by_number(tx, job.platform_no)
        home = home_scope(await catalog.find_home(tx), home_mode)
    if row is not None and row.deletes_at is not None:
        await billing.end_sales_to(billing_context, home, row.id)


async def _purge(objects: ObjectStore, key: InstanceKey, home_mode: Mode, database: Database, _: Job) -> None:
    await purge(database, objects, key, home_mode)
