"""Data of a customer's page: limits, purchases and recent events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dream_api import billing, customers, gateways, store, usage, webhooks
from dream_api.billing import queries as billing_queries
from dream_api.catalog import Plan, Plans
from dream_api.core import clock
from dream_api.core.db import Row, Tx
from dream_api.dashboard.event_summaries import EventSummary, summarize_event
from dream_api.metering.open_limits import CurrentWindows
from dream_api.platforms import ProjectScope
from dream_api.usage import Increment, LimitStatus, Period

_MOST = 10
# Among how many of the project's newest events those about the customer are looked for.
_LOOKED_THROUGH = 2_000


@dataclass(frozen=True, slots=True)
class Metered:
    """A meter, and how the customer's limits of it stand."""

    meter: str
    standings: Sequence[LimitStatus]


@dataclass(frozen=True, slots=True)
class CustomerDetail:
    """Newest first, all lists but that of meters."""

    customer: Row[Any]
    plan: Plan | None
    period: tuple[int, int]
    is_subscribed: bool
    meters: Sequence[Metered]
    subscriptions: Sequence[Row[Any]]
    invoices: Sequence[Row[Any]]
    payments: Sequence[Row[Any]]
    orders: Sequence[Row[Any]]
    events: Sequence[EventSummary]
    looked_through: int
    # Whether a gateway knows them, so that there is a portal to open.
    has_portal: bool


async def customer_detail(tx: Tx, scope: ProjectScope, customer: Row[Any], plans: Plans, now: int) -> CustomerDetail:
    """`now`: the present moment of the project."""
    own = customers.period_of(customer, now)
    period = own or clock.month_of(now)
    plan = _plan(plans, None if customers.has_lapsed(customer, now) else customer.plan)
    whose = (scope.platform_no, customer.id)
    bought = {
        "subscription": (await billing_queries.subscriptions_of(tx, *whose))[::-1],
        "invoice": await billing_queries.invoices_of_customer(tx, *whose, limit=_MOST),
        "payment": await billing_queries.payments_of_customer(tx, *whose, limit=_MOST),
        "order": await store.orders_of(tx, *whose, limit=_MOST),
    }
    return CustomerDetail(
        customer=customer,
        plan=plan,
        period=period,
        is_subscribed=own is not None,
        meters=await _metered(tx, scope, customer, plans, plan, period, now),
        subscriptions=bought["subscription"],
        invoices=bought["invoice"],
        payments=bought["payment"],
        orders=bought["order"],
        events=await _events(tx, scope, customer.user_id, bought),
        looked_through=_LOOKED_THROUGH,
        has_portal=await at_gateway(tx, scope, customer.id) is not None,
    )


def _plan(plans: Plans, name: str | None) -> Plan | None:
    return plans.by_name.get(name or "") or plans.default


async def _metered(
    tx: Tx, scope: ProjectScope, customer: Row[Any], plans: Plans, plan: Plan | None, period: tuple[int, int], now: int
) -> list[Metered]:
    """As metering would count the next call; of meters that nothing limits, what was counted in the period."""
    if plan is None:
        return []
    windows = CurrentWindows(now)
    found: list[Metered] = []
    for name, meter in sorted(plans.meters.items()):
        opened = windows.limits_for(plan, meter, Period(*period))
        subject = customer.user_id if meter.aggregation == "distinct" else None
        life = (scope.platform_no, customer.no, meter.no)
        charge = Increment(life, 1, opened.limits, windows.hour, period[0], subject)
        try:
            found.append(Metered(name, await usage.get_limit_statuses(tx, charge)))
        except usage.PeriodClosed:
            found.append(Metered(name, ()))  # billed just now; what comes next opens another
    return found


async def _events(
    tx: Tx, scope: ProjectScope, user_id: str, bought: Mapping[str, Sequence[Row[Any]]]
) -> Sequence[EventSummary]:
    """About the customer, or about what they bought."""
    row_ids = {name: [row.id for row in rows] for name, rows in bought.items()}
    # Events of earlier releases name objects without `Id`.
    named = {"userId": [user_id], **{f"{name}Id": ids for name, ids in row_ids.items()}, **row_ids}
    whose = (scope.platform_no, scope.project_id, scope.mode)
    rows = await webhooks.recent_for_customer(tx, *whose, named, among=_LOOKED_THROUGH, limit=_MOST)
    return [summarize_event(row) for row in rows]


async def at_gateway(tx: Tx, scope: ProjectScope, customer_id: str) -> tuple[gateways.GatewayAccount, str] | None:
    """Where the customer paid before, and by which name they are known there."""
    row = await billing_queries.account_of_project(tx, scope.platform_no, scope.project_id, scope.mode)
    if row is None:
        return None
    account = billing.to_gateway_account(row)
    known = await billing_queries.gateway_customer_of(tx, scope.platform_no, account.id, customer_id)
    return None if known is None else (account, known)
