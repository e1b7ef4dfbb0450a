"""Response models of figures; docs/guide/figures.md defines each key."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api import analytics
from dream_api.analytics import Figures, MeterUsage, ProjectTotals, Revenue, Totals
from dream_api.core import clock, money
from dream_api.core.db import Row

Share = Annotated[float | None, Field(description="From 0 to 1; null where there is nothing to be a part of.")]
From = Annotated[str, Field(serialization_alias="from", description="When the first day began (RFC 3339).")]
To = Annotated[str, Field(serialization_alias="to", description="When the last day, the present one, will end.")]
Minor = Annotated[int, Field(description="In minor units of the currency.")]


class ResponseModel(BaseModel):
    """camelCase on the wire; most are made of what has the same names."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class Money(ResponseModel):
    currency: str
    amount: int = Field(description="In minor units.")
    price: str = Field(description="The same in major units, such as 19.99.")


class SubscriptionFigures(ResponseModel):
    by_status: dict[str, int]
    holding: int
    started: int
    ended: int
    held_at_start: int
    lost: int
    churn: Share
    trials_over: int
    trials_converted: int
    trial_conversion: Share


class CustomerFigures(ResponseModel):
    active: int
    new: int


class RevenueDay(ResponseModel):
    """Minor units of the currency."""

    at: str
    gross: Minor
    refunded: Minor
    lost: Minor
    net: Minor


class RevenueSums(ResponseModel):
    """What came in and went back in one currency."""

    currency: str
    gross: Money
    refunded: Money
    lost: Money
    net: Money


class RevenueFigures(RevenueSums):
    """With every day of the span, the oldest first."""

    days: list[RevenueDay]


class UsageDay(ResponseModel):
    at: str
    total: int
    calls: int


class UsageFigures(ResponseModel):
    """With every day of the span, the oldest first."""

    meter: str
    total: int
    calls: int
    days: list[UsageDay]


class NearLimit(ResponseModel):
    """A customer who comes near a hard limit."""

    customer: str
    user_id: str
    plan: str
    meter: str
    window: str
    count: int
    limit: int
    percent: int
    period_end: str | None


class LowStock(ResponseModel):
    """A product of which few are left."""

    tier: str
    display_name: str
    inventory: int
    held: int
    available: int
    low_at: int | None


class RecentEvent(ResponseModel):
    id: str
    type: str
    created_at: str
    data: dict[str, Any]


class Dashboard(ResponseModel):
    """The figures of a project in one mode."""

    mode: str
    starts_at: From
    ends_at: To
    mrr: list[Money]
    trial_mrr: list[Money]
    subscriptions: SubscriptionFigures
    customers: CustomerFigures
    revenue: list[RevenueFigures]
    usage: list[UsageFigures]
    near_limits: list[NearLimit]
    orders: dict[str, int]
    low_stock: list[LowStock]
    events: list[RecentEvent]


class LiveFigures(ResponseModel):
    """What one project or several come to."""

    mrr: list[Money]
    trial_mrr: list[Money]
    subscriptions: int
    customers: CustomerFigures
    revenue: list[RevenueSums]


class ProjectFigures(LiveFigures):
    """Those of one project."""

    project: str
    name: str
    type: str


class DashboardTotals(LiveFigures):
    """The live figures of a platform."""

    starts_at: From
    ends_at: To
    projects: list[ProjectFigures]


def dashboard_of(figures: Figures, mode: str) -> Dashboard:
    return Dashboard(
        mode=mode,
        starts_at=clock.rfc3339(figures.span.starts_at),
        ends_at=clock.rfc3339(figures.span.ends_at),
        mrr=_moneys(figures.subscriptions.mrr),
        trial_mrr=_moneys(figures.subscriptions.trial_mrr),
        subscriptions=SubscriptionFigures.model_validate(figures.subscriptions),
        customers=CustomerFigures.model_validate(figures.customers),
        revenue=[_revenue(one) for one in figures.revenue],
        usage=[_usage(one) for one in figures.usage],
        near_limits=[_near(one) for one in figures.near_limits],
        orders=dict(figures.orders),
        low_stock=[LowStock.model_validate(one) for one in figures.low_stock],
        events=[_event(row) for row in figures.events],
    )


def dashboard_totals_of(totals: Totals) -> DashboardTotals:
    return DashboardTotals(
        starts_at=clock.rfc3339(totals.span.starts_at),
        ends_at=clock.rfc3339(totals.span.ends_at),
        projects=[
            ProjectFigures(project=project.id, name=project.name, type=project.type, **_live(sums))
            for project, sums in totals.projects
        ],
        **_live(totals.altogether),
    )


def _live(sums: ProjectTotals) -> dict[str, Any]:
    return {
        "mrr": _moneys(sums.mrr),
        "trial_mrr": _moneys(sums.trial_mrr),
        "subscriptions": sums.subscriptions,
        "customers": CustomerFigures.model_validate(sums.customers),
        "revenue": [RevenueSums(**_sums(one)) for one in sums.revenue],
    }


def _money(currency: str, amount: int) -> Money:
    return Money(currency=currency, amount=amount, price=money.to_major(amount, currency))


def _moneys(amounts: Mapping[str, int]) -> list[Money]:
    return [_money(currency, amount) for currency, amount in amounts.items()]


def _revenue(revenue: Revenue) -> RevenueFigures:
    days = [
        RevenueDay(at=clock.rfc3339(at), gross=day.gross, refunded=day.refunded, lost=day.lost, net=day.net)
        for at, day in revenue.days.items()
    ]
    return RevenueFigures(days=days, **_sums(revenue))


def _sums(revenue: Revenue) -> dict[str, Any]:
    of, total = revenue.currency, revenue.total
    return {"currency": of} | {name: _money(of, getattr(total, name)) for name in ("gross", "refunded", "lost", "net")}


def _usage(used: MeterUsage) -> UsageFigures:
    days = [UsageDay(at=clock.rfc3339(int(day.of)), total=day.total, calls=day.calls) for day in used.days]
    return UsageFigures(meter=used.meter, total=used.total, calls=used.calls, days=days)


def _near(near: analytics.NearLimit) -> NearLimit:
    return NearLimit(
        customer=near.customer_id,
        user_id=near.user_id,
        plan=near.plan,
        meter=near.meter,
        window=near.window.wire,
        count=near.count,
        limit=near.limit,
        percent=near.percent,
        period_end=None if near.ends_at is None else clock.rfc3339(near.ends_at),
    )


def _event(row: Row[Any]) -> RecentEvent:
    return RecentEvent(id=row.id, type=row.type, created_at=clock.rfc3339(row.created_at), data=json.loads(row.data))
