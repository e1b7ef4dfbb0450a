"""Usage of each meter, by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, func, select

from dream_api import usage
from dream_api.analytics.date_range import day_of
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.platforms import ProjectScope
from dream_api.usage import Meter, Point, Span


@dataclass(frozen=True, slots=True)
class MeterUsage:
    """Of one meter, every day of a span by its beginning."""

    meter: str
    days: list[Point]

    @property
    def total(self) -> int:
        return sum(day.total for day in self.days)

    @property
    def calls(self) -> int:
        return sum(day.calls for day in self.days)


async def get_meter_usage(tx: Tx, scope: ProjectScope, meters: Sequence[Meter], span: Span) -> list[MeterUsage]:
    """By the names of the meters; one statement for all of them."""
    rows = await _rows(tx, scope, [meter.no for meter in meters], span)
    found = {(row.meter_no, row.day): (int(row.total), int(row.calls)) for row in rows}
    days = range(span.starts_at, span.ends_at, clock.DAY)
    return [
        MeterUsage(meter.name, [Point(day, *found.get((meter.no, day), (0, 0))) for day in days])
        for meter in sorted(meters, key=lambda meter: meter.name)
    ]


async def _rows(tx: Tx, scope: ProjectScope, meter_nos: list[int], span: Span) -> Sequence[Row[Any]]:
    return await tx.all(_by_day(), usage.hourly_totals_parameters(scope, meter_nos, span.starts_at, span.ends_at))


@cache
def _by_day() -> Select[*tuple[Any, ...]]:
    u = usage.hourly_totals_query().c
    day = day_of(u.hour).label("day")
    sums = select(u.meter_no, day, func.sum(u.total).label("total"), func.sum(u.calls).label("calls"))
    return sums.group_by(u.meter_no, "day")
