"""Subscription figures: counts by status, monthly recurring revenue, churn and trial conversion."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, or_, select

from dream_api.analytics.date_range import ENDS_AT, STARTS_AT, ReportScope, rows_within
from dream_api.billing.tables import subscriptions
from dream_api.core.db import Tx
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope
from dream_api.usage import Span

STATUSES = ("free", "trialing", "active", "past_due", "paused", "canceled")

s = subscriptions.c
c = customers.c


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """How subscriptions stand, and what became of them in a span; amounts are minor units by currency."""

    mrr: Mapping[str, int]
    trial_mrr: Mapping[str, int]
    # The part of the MRR that was due and is not paid.
    past_due: Mapping[str, int]
    by_status: Mapping[str, int]
    # Those by which a customer has a plan at this moment.
    holding: int
    started: int
    ended: int
    # Those that paid and were past their trial when the span began, and how many of them have ended in it.
    held_at_start: int
    lost: int
    # Trials that were over in the span, and how many went on.
    trials_over: int
    trials_converted: int

    @property
    def churn(self) -> float | None:
        return _share(self.lost, self.held_at_start)

    @property
    def trial_conversion(self) -> float | None:
        return _share(self.trials_converted, self.trials_over)


@dataclass(frozen=True, slots=True)
class Customers:
    active: int
    new: int


async def subscription_rows(tx: Tx, platform_no: int, within: ReportScope, span: Span) -> Sequence[Row[Any]]:
    """Counts and sums by project, status and currency; one statement."""
    return await tx.all(_subscriptions(within.is_one), within.parameters(platform_no, span))


@cache
def _subscriptions(is_one: bool) -> Select[*tuple[Any, ...]]:
    starts, ends = STARTS_AT, ENDS_AT
    pays = and_(s.holds, s.status.in_(("active", "past_due")))
    # Of who pays nothing, neither by the period nor by usage, nothing is lost.
    was_there = and_(
        or_(s.monthly_amount > 0, s.usage_prices != "[]"),
        s.started_at < starts,
        or_(s.trial_ends_at.is_(None), s.trial_ends_at <= starts),
        or_(s.ended_at.is_(None), s.ended_at >= starts),
    )
    has_ended = and_(s.ended_at >= starts, s.ended_at < ends)
    # A trial is over when its time is, or when the subscription ends before.
    over_at = case((s.ended_at < s.trial_ends_at, s.ended_at), else_=s.trial_ends_at)
    is_over = and_(s.status != "trialing", over_at >= starts, over_at < ends)
    went_on = and_(s.status != "paused", or_(s.ended_at.is_(None), s.ended_at > s.trial_ends_at))
    count = func.count()
    query = select(
        s.project_id,
        s.status,
        s.currency,
        count.label("total"),
        func.sum(case((pays, s.monthly_amount), else_=0)).label("mrr"),
        func.sum(case((s.status == "trialing", s.monthly_amount), else_=0)).label("trial_mrr"),
        count.filter(s.holds).label("holding"),
        count.filter(s.started_at >= starts, s.started_at < ends).label("started"),
        count.filter(has_ended).label("ended"),
        count.filter(was_there).label("held_at_start"),
        count.filter(was_there, has_ended).label("lost"),
        count.filter(is_over).label("trials_over"),
        count.filter(is_over, went_on).label("trials_converted"),
    )
    whose = query.where(*rows_within(subscriptions, is_one=is_one))
    return whose.group_by(s.project_id, s.status, s.currency)


def summarize_subscriptions(rows: Iterable[Row[Any]]) -> Subscriptions:
    """The sums of the rows, whichever projects they are of."""
    rows = list(rows)

    def total(name: str) -> int:
        return sum(int(getattr(row, name)) for row in rows)

    by_status = {status: sum(row.total for row in rows if row.status == status) for status in STATUSES}
    return Subscriptions(
        mrr=_by_currency((row.currency, row.mrr) for row in rows),
        trial_mrr=_by_currency((row.currency, row.trial_mrr) for row in rows),
        past_due=_by_currency((row.currency, row.mrr) for row in rows if row.status == "past_due"),
        by_status=by_status,
        holding=total("holding"),
        started=total("started"),
        ended=total("ended"),
        held_at_start=total("held_at_start"),
        lost=total("lost"),
        trials_over=total("trials_over"),
        trials_converted=total("trials_converted"),
    )


async def get_subscriptions(tx: Tx, scope: ProjectScope, span: Span) -> Subscriptions:
    """Of one project and mode; one statement."""
    return summarize_subscriptions(await subscription_rows(tx, scope.platform_no, ReportScope.for_project(scope), span))


async def customer_rows(tx: Tx, platform_no: int, within: ReportScope, span: Span) -> Sequence[Row[Any]]:
    """By project; one statement."""
    return await tx.all(_customers(within.is_one), within.parameters(platform_no, span))


@cache
def _customers(is_one: bool) -> Select[*tuple[Any, ...]]:
    count = func.count()
    query = select(
        c.project_id,
        count.filter(c.status == "active").label("active"),
        count.filter(c.created_at >= STARTS_AT, c.created_at < ENDS_AT).label("new"),
    )
    return query.where(*rows_within(customers, is_one=is_one)).group_by(c.project_id)


def summarize_customers(rows: Iterable[Row[Any]]) -> Customers:
    rows = list(rows)
    return Customers(sum(row.active for row in rows), sum(row.new for row in rows))


def _share(part: int, whole: int) -> float | None:
    """To four digits; None where there is nothing to be a part of."""
    return round(part / whole, 4) if whole else None


def _by_currency(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Sums in the order of their currencies, without those that come to nothing."""
    sums: defaultdict[str, int] = defaultdict(int)
    for currency, amount in amounts:
        sums[currency] += int(amount)
    return {currency: sums[currency] for currency in sorted(sums) if sums[currency]}
