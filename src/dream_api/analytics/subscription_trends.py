"""Subscription trends: active subscriptions and monthly recurring revenue, day by day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

from sqlalchemy import Row, Select, bindparam, case, func, or_, select

from dream_api.analytics.date_range import STARTS_AT, ReportScope, day_of, rows_within
from dream_api.billing.tables import subscriptions
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.db.columns import Number
from dream_api.platforms import ProjectScope
from dream_api.usage import Span

s = subscriptions.c


@dataclass(frozen=True, slots=True)
class Trend:
    """Of one currency: at the end of the day before the span, and of each of its days.

    Each subscription counts with its present price, so this shows a trend and not what was billed.
    """

    currency: str
    counts: Sequence[int]
    monthly: Sequence[int]

    @property
    def change(self) -> float | None:
        """By which part the monthly amount has grown since before the span."""
        return (self.monthly[-1] - self.monthly[0]) / self.monthly[0] if self.monthly[0] else None


async def get_subscription_trends(tx: Tx, scope: ProjectScope, span: Span) -> list[Trend]:
    """By currency; one statement."""
    before = span.starts_at - clock.DAY
    asked = ReportScope.for_project(scope).parameters(scope.platform_no, span)
    rows = await tx.all(_changes(), {**asked, "before": before})
    days = range(before, span.ends_at, clock.DAY)
    return [_trend(currency, rows, days) for currency in sorted({row.currency for row in rows})]


@cache
def _changes() -> Select[*tuple[Any, ...]]:
    before = bindparam("before", type_=Number)
    began = case((s.started_at < STARTS_AT, before), else_=day_of(s.started_at)).label("began")
    query = select(
        s.currency,
        began,
        day_of(s.ended_at).label("ended"),
        func.count().label("total"),
        func.sum(case((s.status == "trialing", 0), else_=s.monthly_amount)).label("monthly"),
    ).where(*rows_within(subscriptions), or_(s.holds, s.ended_at >= STARTS_AT))
    return query.group_by(s.currency, "began", "ended")


def _trend(currency: str, rows: Sequence[Row[Any]], days: range) -> Trend:
    """What came is added on its day and what went is taken off; a day is the sum of all that until then."""
    counts, monthly = Counter[int](), Counter[int]()
    for row in rows:
        if row.currency == currency:
            came = _place(row.began, days)
            went = len(days) if row.ended is None else max(came, _place(row.ended, days))
            for place, sign in ((came, 1), (went, -1)):
                counts[place] += sign * int(row.total)
                monthly[place] += sign * int(row.monthly)
    sums = (list(accumulate(changes[place] for place in range(len(days)))) for changes in (counts, monthly))
    return Trend(currency, *sums)


def _place(day: int, days: range) -> int:
    return max((day - days.start) // clock.DAY, 0)
