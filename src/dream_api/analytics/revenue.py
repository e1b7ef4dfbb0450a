"""Revenue: payments, refunds and disputes by currency and day."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, Table, and_, func, literal_column, select, union_all

from dream_api.analytics.date_range import ENDS_AT, STARTS_AT, ReportScope, day_of, rows_within
from dream_api.billing.tables import disputes, payments, refunds
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.platforms import ProjectScope
from dream_api.usage import Span

# What is summed up, and in which status it has come to pass.
_KINDS = (("gross", payments, "succeeded"), ("refunded", refunds, "succeeded"), ("lost", disputes, "lost"))


@dataclass(frozen=True, slots=True)
class Amounts:
    """Minor units: what was paid, what went back, and what banks took back."""

    gross: int
    refunded: int
    lost: int

    @property
    def net(self) -> int:
        return self.gross - self.refunded - self.lost


@dataclass(frozen=True, slots=True)
class Revenue:
    """Of one currency: on each day, by the day's beginning."""

    currency: str
    days: Mapping[int, Amounts]

    @property
    def total(self) -> Amounts:
        days = self.days.values()
        return Amounts(sum(day.gross for day in days), sum(day.refunded for day in days), sum(day.lost for day in days))


async def revenue_rows(tx: Tx, platform_no: int, within: ReportScope, span: Span) -> Sequence[Row[Any]]:
    """Sums by project, kind, currency and day; one statement."""
    return await tx.all(_moved(within.is_one), within.parameters(platform_no, span))


@cache
def _moved(is_one: bool) -> CompoundSelect[Any]:
    return union_all(*(_sums(kind, table, status, is_one) for kind, table, status in _KINDS))


def _sums(kind: str, table: Table, status: str, is_one: bool) -> Select[*tuple[Any, ...]]:
    t = table.c
    name: ColumnElement[str] = literal_column(f"'{kind}'")
    day = day_of(t.created_at).label("day")
    lately = and_(t.created_at >= STARTS_AT, t.created_at < ENDS_AT)
    return (
        select(t.project_id, name.label("kind"), t.currency, day, func.sum(t.amount).label("amount"))
        .where(*rows_within(table, is_one=is_one), lately, t.status == status)
        .group_by(t.project_id, t.currency, "day")
    )


def sum_revenue(rows: Iterable[Row[Any]], span: Span) -> list[Revenue]:
    """By currency, every day of the span, whichever projects the rows are of."""
    sums: Counter[tuple[str, int, str]] = Counter()
    for row in rows:
        sums[row.currency, row.day, row.kind] += int(row.amount)
    days = range(span.starts_at, span.ends_at, clock.DAY)
    return [
        Revenue(currency, {day: Amounts(*(sums[currency, day, kind] for kind, _, _ in _KINDS)) for day in days})
        for currency in sorted({currency for currency, _, _ in sums})
    ]


async def get_revenue(tx: Tx, scope: ProjectScope, span: Span) -> list[Revenue]:
    """Of one project and mode; one statement."""
    return sum_revenue(await revenue_rows(tx, scope.platform_no, ReportScope.for_project(scope), span), span)
