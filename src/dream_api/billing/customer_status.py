"""Follows customers who are blocked, unblocked or deleted: what is sold to them is paused, goes on, or ends."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Row

from dream_api import customers
from dream_api.billing import checkout_expiry, gateway_accounts, queries, subscription_changes
from dream_api.billing.context import BillingContext
from dream_api.core import jobs
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict
from dream_api.gateways.contract import GatewayAccount, GatewayRefused, GatewayUnavailable
from dream_api.platforms import ProjectScope

FOLLOW_JOB = "billing.follow_customer"
# Why a subscription was canceled.
_REASON = "customer_deleted"


class CustomerSubscribed(Conflict):
    code = "customer_subscribed"
    hint = "Cancel the subscription first, or delete with ?subscriptions=end, which ends it now without another charge."


async def require_not_subscribed(tx: Tx, scope: ProjectScope, customer: Row[Any]) -> None:
    """Raises CustomerSubscribed while a subscription has not ended. The caller has locked the customer."""
    unended = await queries.unended_subscriptions(tx, scope.platform_no, customer.id)
    if unended:
        raise CustomerSubscribed(f"{customer.user_id} has a subscription to {unended[0].plan}: {unended[0].id}.")


async def record_status_change(tx: Tx, scope: ProjectScope, customer_id: str) -> None:
    """The customer was blocked, unblocked or deleted by this transaction: a job follows, if `follow_at_once` cannot."""
    payload = {"project": scope.project_id, "mode": scope.mode, "customer": customer_id}
    await jobs.enqueue(tx, FOLLOW_JOB, payload, platform_no=scope.platform_no)


async def follow_at_once(billing: BillingContext, scope: ProjectScope, customer_id: str) -> None:
    """As `follow_status`; a gateway that does not answer is left to the job."""
    with suppress(GatewayUnavailable):
        await follow_status(billing, scope, customer_id)


async def follow_status(billing: BillingContext, scope: ProjectScope, customer_id: str) -> None:
    """Do what the customer's status asks for at the gateway; no transaction may be open.

    The status is read again afterwards: where another request changed it meanwhile, the last one counts.
    """
    followed = None
    while (status := await _status_of(billing, scope, customer_id)) != followed:
        followed = status
        account, subscriptions = await _sold(billing, scope, customer_id)
        if account is None:
            return
        if status != "active":
            await _expire_checkouts(billing, account, customer_id)
        for subscription in subscriptions:
            # One that has ended at the gateway already needs nothing.
            with suppress(GatewayRefused):
                await _follow(billing, account, subscription, status)


async def _follow(billing: BillingContext, account: GatewayAccount, subscription: Row[Any], status: str | None) -> None:
    match status:
        case "blocked":
            await subscription_changes.pause(billing, account, subscription)
        case "deleted":
            await _end(billing, account, subscription)
        case _ if subscription.status == "paused":
            await subscription_changes.end_pause(billing, account, subscription)
        case _:
            pass


async def end_subscriptions(billing: BillingContext, scope: ProjectScope, customer_id: str) -> None:
    """End all that the customer has now, without another charge; no transaction may be open."""
    account, subscriptions = await _sold(billing, scope, customer_id)
    if account is not None:
        await _expire_checkouts(billing, account, customer_id)
        for subscription in subscriptions:
            await _end(billing, account, subscription)


async def _end(billing: BillingContext, account: GatewayAccount, subscription: Row[Any]) -> None:
    await subscription_changes.cancel(
        billing, account, subscription, at_period_end=False, reason=_REASON, key=None, bills_usage=False
    )


async def _expire_checkouts(billing: BillingContext, account: GatewayAccount, customer_id: str) -> None:
    async with billing.database.read() as tx:
        unpaid = await queries.unpaid_of_customer(tx, account.platform_no, customer_id)
    for checkout in unpaid:
        await checkout_expiry.expire_checkout(billing, account, checkout)


async def _sold(
    billing: BillingContext, scope: ProjectScope, customer_id: str
) -> tuple[GatewayAccount | None, Sequence[Row[Any]]]:
    """The customer's subscriptions that have not ended, and where they are paid."""
    async with billing.database.read() as tx:
        row = await queries.account_of_project(tx, scope.platform_no, scope.project_id, scope.mode)
        if row is None:
            return None, ()
        subscriptions = await queries.unended_subscriptions(tx, scope.platform_no, customer_id)
    return gateway_accounts.to_gateway_account(row), subscriptions


async def _status_of(billing: BillingContext, scope: ProjectScope, customer_id: str) -> str | None:
    async with billing.database.read() as tx:
        return await customers.status_of(tx, scope, customer_id)
