"""All figures of a project in one mode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api import platforms, usage, webhooks
from dream_api.analytics.date_range import ReportScope, last_days
from dream_api.analytics.near_limit_report import NearLimit, near_limits
from dream_api.analytics.orders import LowStock, count_orders_by_status, get_low_stock
from dream_api.analytics.revenue import Revenue, revenue_rows, sum_revenue
from dream_api.analytics.subscriptions import (
    Customers,
    Subscriptions,
    customer_rows,
    subscription_rows,
    summarize_customers,
    summarize_subscriptions,
)
from dream_api.analytics.usage import MeterUsage, get_meter_usage
from dream_api.core.db import Tx
from dream_api.platforms import Mode, Project, ProjectScope
from dream_api.usage import Span

_RECENT_EVENTS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """What docs/guide/figures.md defines, one by one."""

    mode: Mode
    span: Span
    subscriptions: Subscriptions
    customers: Customers
    revenue: Sequence[Revenue]
    usage: Sequence[MeterUsage]
    near_limits: Sequence[NearLimit]
    orders: Mapping[str, int]
    low_stock: Sequence[LowStock]
    # Rows of `webhooks`, newest first.
    events: Sequence[Row[Any]]


async def get_project_figures(tx: Tx, project: Project, mode: Mode, *, days: int) -> Figures:
    """The project as it stands in that mode, and its last so many UTC days, today included, by its own time."""
    platform_no = project.platform_no
    within = ReportScope(mode, project.id)
    scope = ProjectScope(platform_no, project.id, mode)
    now = await platforms.project_now(tx, platform_no, project.id, mode)
    span = last_days(days, now)
    meters = list((await usage.meters_of(tx, project.platform_no, project.no)).values())
    if project.type == "store":
        meters = []  # its calls are not metered
    return Figures(
        mode=mode,
        span=span,
        subscriptions=summarize_subscriptions(await subscription_rows(tx, platform_no, within, span)),
        customers=summarize_customers(await customer_rows(tx, platform_no, within, span)),
        revenue=sum_revenue(await revenue_rows(tx, platform_no, within, span), span),
        usage=await get_meter_usage(tx, scope, meters, span),
        near_limits=(await near_limits(tx, scope, meters, now)).shown,
        orders=await count_orders_by_status(tx, scope, span),
        low_stock=await get_low_stock(tx, scope),
        events=await webhooks.list_events(
            tx, platform_no, project.id, mode, kind=None, limit=_RECENT_EVENTS, after=None
        ),
    )
