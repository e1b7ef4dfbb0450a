"""Runs due work (renewals, retries, expiries), in real time and when a test clock advances."""

from dream_api import platforms
from dream_api.billing import checkout_expiry, gateway_accounts, sandbox_delivery, subscription_sync, wind_down
from dream_api.billing.context import BillingContext, DueTask
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox import Sandbox
from dream_api.platforms import Project


class TestClockNeedsSandbox(Conflict):
    code = "test_clock_needs_sandbox"
    hint = "Use a test key of a project that uses the sandbox. Only its test mode has a test clock."


async def advance(billing: BillingContext, project: Project, account: GatewayAccount, to: int) -> None:
    """Move the project's time to that moment; all that falls due on the way has happened, in its order, before."""
    if account.gateway != "sandbox":
        raise TestClockNeedsSandbox("The clock of this project cannot be advanced: its gateway uses real time.")
    while True:
        due, at = await _first_due(billing, account, to)
        if due is None:
            break
        await _move(billing, project, at)
        await due.run(billing, account, at)
        await sandbox_delivery.deliver_events(billing, account)
    await _move(billing, project, to)


async def run_due(billing: BillingContext, account: GatewayAccount) -> None:
    """All that is due in the project by now, in its order."""
    async with billing.database.read() as tx:
        now = await gateway_accounts.account_now(tx, account)
    while True:
        due, _ = await _first_due(billing, account, now)
        if due is None or not await due.run(billing, account, now):
            return
        if account.gateway == "sandbox":
            await sandbox_delivery.deliver_events(billing, account)


async def _first_due(billing: BillingContext, account: GatewayAccount, until: int) -> tuple[DueTask | None, int]:
    """What falls due first, and when; None where nothing does by then."""
    async with billing.database.read() as tx:
        moments = [(await due.next_at(tx, account), due) for due in billing.due_tasks]
    coming = [(at, due) for at, due in moments if at is not None and at <= until]
    at, due = min(coming, key=lambda each: each[0], default=(until, None))
    return due, at


async def _move(billing: BillingContext, project: Project, at: int) -> None:
    async with billing.database.write() as tx:
        if await platforms.project_now(tx, project.platform_no, project.id, "test") < at:
            await platforms.move_to(tx, project, at)


# Billing's own due tasks.


async def _next_of_sandbox(tx: Tx, account: GatewayAccount) -> int | None:
    return await Sandbox.next_due(tx, account) if account.gateway == "sandbox" else None


async def _run_sandbox(billing: BillingContext, account: GatewayAccount, now: int) -> bool:
    sandbox = billing.gateways["sandbox"]
    assert isinstance(sandbox, Sandbox)
    return await sandbox.advance_next_due(account, now) is not None


async def _run_lapse(billing: BillingContext, account: GatewayAccount, now: int) -> bool:
    async with billing.database.write() as tx:
        return await subscription_sync.lapse(tx, billing.events, account, now)


DUE_TASKS = (
    # Before all others: what is closed does not renew.
    DueTask(wind_down.next_sale, wind_down.end_sale),
    DueTask(_next_of_sandbox, _run_sandbox),
    DueTask(subscription_sync.next_lapse, _run_lapse),
    DueTask(checkout_expiry.next_overdue_at, checkout_expiry.expire_overdue),
)
