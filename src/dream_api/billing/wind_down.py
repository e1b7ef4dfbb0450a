"""Wind-down of sales: once a platform is closed, or a project deleted, nothing in it is paid or renewed any more.

Open checkouts expire, and subscriptions end with their period. Where the closing is undone, these subscriptions go on.
"""

from typing import Any

from sqlalchemy import Row

from dream_api import customers, platforms
from dream_api.billing import checkout_expiry, gateway_accounts, queries, subscription_changes
from dream_api.billing.context import BillingContext
from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount
from dream_api.platforms import ProjectScope

# Why a subscription was canceled, for customers and for `follow_closure`, which resumes no others.
REASON = "platform_closing"
_CUSTOMER_REASON = "customer_closing"
_AT_ONCE = 0


async def next_sale(tx: Tx, account: GatewayAccount) -> int | None:
    """As the first thing, while what is closed has a checkout that can be paid or a subscription that would renew."""
    if await platforms.is_open(tx, account.platform_no, account.project_id):
        return None
    sale = await queries.next_unpaid(tx, account) or await queries.first_renewing(tx, account)
    return None if sale is None else _AT_ONCE


async def end_sale(billing: BillingContext, account: GatewayAccount, _: int) -> bool:
    """End one of them; whether there was one."""
    async with billing.database.read() as tx:
        if await next_sale(tx, account) is None:
            return False
        unpaid = await queries.next_unpaid(tx, account)
        renewing = await queries.first_renewing(tx, account)
    if unpaid is not None:
        await checkout_expiry.expire_checkout(billing, account, unpaid)
    elif renewing is not None:
        await _end_with_period(billing, account, renewing, REASON)
    return True


async def follow_closure(billing: BillingContext, platform_no: int) -> None:
    """End what is sold in the platform's closed projects; resume what was ended so in its open ones."""
    async with billing.database.read() as tx:
        rows = await queries.accounts_of_platform(tx, platform_no)
    for account in map(gateway_accounts.to_gateway_account, rows):
        while await end_sale(billing, account, _AT_ONCE) or await _resume_one(billing, account):
            pass


async def _resume_one(billing: BillingContext, account: GatewayAccount) -> bool:
    async with billing.database.read() as tx:
        if not await platforms.is_open(tx, account.platform_no, account.project_id):
            return False
        ending = await queries.first_canceled_for(tx, account, REASON)
    if ending is not None:
        await subscription_changes.resume(billing, account, ending, None)
    return ending is not None


async def end_sales_to(billing: BillingContext, scope: ProjectScope, user_id: str) -> None:
    """The customer with that user id will pay nothing any more: as `end_sale`, for all that is sold to them."""
    async with billing.database.read() as tx:
        row = await queries.account_of_project(tx, scope.platform_no, scope.project_id, scope.mode)
        customer = await customers.find_user(tx, scope, user_id)
        if row is None or customer is None:
            return
        unpaid = await queries.unpaid_of_customer(tx, scope.platform_no, customer.id)
    account = gateway_accounts.to_gateway_account(row)
    for checkout in unpaid:
        await checkout_expiry.expire_checkout(billing, account, checkout)
    async with billing.database.read() as tx:
        paying = await queries.granting_subscriptions(tx, scope.platform_no, customer.id)
    for subscription in paying:
        if subscription.cancel_at is None:
            await _end_with_period(billing, account, subscription, _CUSTOMER_REASON)


async def _end_with_period(
    billing: BillingContext, account: GatewayAccount, subscription: Row[Any], reason: str
) -> None:
    await subscription_changes.cancel(billing, account, subscription, at_period_end=True, reason=reason, key=None)
