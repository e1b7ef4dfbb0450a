"""SQL of subscriptions."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select

from dream_api.billing.queries import common
from dream_api.billing.tables import subscriptions
from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount
from dream_api.platforms import ProjectScope

s = subscriptions.c


async def insert_subscription(tx: Tx, account: GatewayAccount, values: dict[str, Any]) -> Row[Any]:
    whole = values | {"gateway": account.gateway, "created_at": values["updated_at"]}
    return await common.insert_one(tx, account, subscriptions, whole)


async def update_subscription(tx: Tx, platform_no: int, subscription_id: str, values: dict[str, Any]) -> Row[Any]:
    return await common.update_one(tx, platform_no, subscriptions, subscription_id, values)


async def subscription_by_id(tx: Tx, platform_no: int, subscription_id: str) -> Row[Any] | None:
    return await common.by_id(tx, platform_no, subscriptions, subscription_id)


async def subscription_by_gateway_id(tx: Tx, account: GatewayAccount, gateway_id: str) -> Row[Any] | None:
    return await common.by_gateway_id(tx, account, subscriptions, gateway_id)


async def subscription_in(tx: Tx, scope: ProjectScope, subscription_id: str) -> Row[Any] | None:
    return await common.in_scope(tx, scope, subscriptions, subscription_id)


async def subscriptions_of(tx: Tx, platform_no: int, customer_id: str) -> Sequence[Row[Any]]:
    """All that the customer ever had, oldest first."""
    return await tx.all(
        select(subscriptions).where(s.platform_no == platform_no, s.customer_id == customer_id).order_by(s.id)
    )


async def unended_subscriptions(tx: Tx, platform_no: int, customer_id: str) -> Sequence[Row[Any]]:
    """Those that may be charged for again."""
    query = select(subscriptions).where(
        s.platform_no == platform_no, s.customer_id == customer_id, s.status != "canceled"
    )
    return await tx.all(query.order_by(s.id))


async def granting_subscriptions(tx: Tx, platform_no: int, customer_id: str) -> Sequence[Row[Any]]:
    """Those by which the customer has a plan."""
    query = select(subscriptions).where(s.platform_no == platform_no, s.customer_id == customer_id, s.holds)
    return await tx.all(query.order_by(s.id))


async def granting_subscriptions_of_user(tx: Tx, scope: ProjectScope, user_id: str) -> Sequence[Row[Any]]:
    """Those by which the customer of that user id has a plan."""
    query = select(subscriptions).where(*common.scoped(subscriptions, scope), s.user_id == user_id, s.holds)
    return await tx.all(query.order_by(s.id))


async def had_trial(tx: Tx, platform_no: int, customer_id: str) -> bool:
    """Whether the customer tried a plan for nothing before."""
    query = select(s.id).where(s.platform_no == platform_no, s.customer_id == customer_id, s.trial_ends_at.is_not(None))
    return await tx.first(query.limit(1)) is not None


async def next_lapse(tx: Tx, platform_no: int, account_id: str) -> int | None:
    return await tx.scalar(
        select(func.min(s.lapses_at)).where(
            s.platform_no == platform_no, s.account == account_id, s.holds, s.lapses_at.is_not(None)
        )
    )


async def first_lapsed(tx: Tx, platform_no: int, account_id: str, now: int) -> Row[Any] | None:
    """A subscription whose plan has ended because nobody paid, and which still holds it; it is held."""
    query = select(subscriptions).where(
        s.platform_no == platform_no, s.account == account_id, s.holds, s.lapses_at <= now
    )
    return await tx.first(query.order_by(s.lapses_at).limit(1).with_for_update())


async def first_renewing(tx: Tx, account: GatewayAccount) -> Row[Any] | None:
    """A subscription that would be charged for again."""
    return await tx.first(_of_account(account).where(s.status != "canceled", s.cancel_at.is_(None)).limit(1))


async def first_canceled_for(tx: Tx, account: GatewayAccount, reason: str) -> Row[Any] | None:
    """A subscription that ends with its period for that reason."""
    ending = (s.status != "canceled", s.cancel_at.is_not(None), s.cancel_reason == reason)
    return await tx.first(_of_account(account).where(*ending).limit(1))


def _of_account(account: GatewayAccount) -> Select[Any]:
    """The account's subscriptions; by its project, for which there is an index."""
    scope = ProjectScope(account.platform_no, account.project_id, account.mode)
    return select(subscriptions).where(*common.scoped(subscriptions, scope), s.account == account.id).order_by(s.id)


async def subscribers_by_plan(tx: Tx, scope: ProjectScope) -> dict[str, int]:
    """How many subscriptions give each plan at this moment, by the tier's name."""
    counting = select(s.plan, func.count().label("many")).where(*common.scoped(subscriptions, scope), s.holds)
    return {row.plan: row.many for row in await tx.all(counting.group_by(s.plan))}


async def page_of_subscriptions(
    tx: Tx,
    scope: ProjectScope,
    *,
    status: str | None = None,
    plan: str | None = None,
    user_id: str | None = None,
    oldest_first: bool = False,
    limit: int,
    after: str | None,
) -> Sequence[Row[Any]]:
    """Those after the id `after`."""
    wanted = {s.status: status, s.plan: plan, s.user_id: user_id}
    which = [column == value for column, value in wanted.items() if value]
    query = select(subscriptions).where(*common.scoped(subscriptions, scope), *which)
    if after is not None:
        query = query.where(s.id > after if oldest_first else s.id < after)
    return await tx.all(query.order_by(s.id if oldest_first else s.id.desc()).limit(limit))
