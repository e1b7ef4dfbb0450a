"""Jobs of billing: open pages, deliver and apply events, send refunds, run due work."""

from functools import partial

from dream_api.billing import (
    checkouts,
    customer_status,
    due_work,
    event_sync,
    gateway_accounts,
    refunds,
    sandbox_delivery,
    webhook_intake,
)
from dream_api.billing.context import BillingContext
from dream_api.billing.queries import accounts_due
from dream_api.billing.tables import gateway_events
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.expiry import ExpiryRule
from dream_api.core.jobs import Job, Registry
from dream_api.gateways.sandbox import DELIVER_JOB
from dream_api.gateways.sandbox.tables import sandbox_events, sandbox_requests
from dream_api.platforms import ProjectScope

EXPIRY_RULES = (
    ExpiryRule(gateway_events.c.received_at, 90 * clock.DAY),
    ExpiryRule(sandbox_events.c.created_at, 90 * clock.DAY),
    ExpiryRule(sandbox_requests.c.created_at, clock.DAY),
)
_DUE_JOB = "billing.run_due"
_EVERY = 15 * clock.SECOND


def register(registry: Registry, billing: BillingContext) -> None:
    registry.handle(checkouts.FINISH_JOB, partial(_finish_checkout, billing))
    registry.handle(DELIVER_JOB, partial(_deliver, billing))
    registry.handle(webhook_intake.APPLY_JOB, partial(_apply, billing))
    registry.handle(refunds.SEND_JOB, partial(_send_refund, billing))
    registry.handle(customer_status.FOLLOW_JOB, partial(_follow_customer, billing))
    registry.handle(_DUE_JOB, partial(_run_due, billing))
    registry.schedule(_DUE_JOB, every=_EVERY, kind=_DUE_JOB)


async def _finish_checkout(billing: BillingContext, _: Database, job: Job) -> None:
    assert job.platform_no is not None
    await checkouts.open_abandoned(billing, job.platform_no, job.payload["id"])


async def _deliver(billing: BillingContext, _: Database, job: Job) -> None:
    await sandbox_delivery.deliver_all(billing, job.payload["account"])


async def _apply(billing: BillingContext, database: Database, job: Job) -> None:
    async with database.read() as tx:
        account = await gateway_accounts.find_account(tx, job.payload["account"])
    if account is not None:
        await event_sync.apply_event(billing, account, job.payload["event"])


async def _send_refund(billing: BillingContext, _: Database, job: Job) -> None:
    assert job.platform_no is not None
    await refunds.send_abandoned(billing, job.platform_no, job.payload["id"])


async def _follow_customer(billing: BillingContext, _: Database, job: Job) -> None:
    assert job.platform_no is not None
    scope = ProjectScope(job.platform_no, job.payload["project"], job.payload["mode"])
    await customer_status.follow_status(billing, scope, job.payload["customer"])


async def _run_due(billing: BillingContext, database: Database, job: Job) -> None:
    """Every account in which something is due by its project's own time."""
    async with database.read() as tx:
        due = await accounts_due(tx, clock.now())
    for account_id in due:
        async with database.read() as tx:
            account = await gateway_accounts.find_account(tx, account_id)
        if account is not None:
            await due_work.run_due(billing, account)
