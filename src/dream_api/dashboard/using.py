"""What was used of each meter, by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.customers import Scope
from dream_api.customers.tables import customers
from dream_api.dashboard.within import Within, day_of, rows_within
from dream_api.usage import Meter, Point, Span
from dream_api.usage.tables import usage_hours

h = usage_hours.c


@dataclass(frozen=True, slots=True)
class Used:
    """Of one meter, every day of a span by its beginning."""

    meter: str
    days: list[Point]

    @property
    def total(self) -> int:
        return sum(day.total for day in self.days)

    @property
    def calls(self) -> int:
        return sum(day.calls for day in self.days)


async def used_of(tx: Tx, scope: Scope, meters: Sequence[Meter], span: Span) -> list[Used]:
    """By the names of the meters; one statement for all of them."""
    rows = await _rows(tx, scope, [meter.no for meter in meters], span)
    found = {(row.meter_no, row.day): (int(row.total), int(row.calls)) for row in rows}
    days = range(span.starts_at, span.ends_at, clock.DAY)
    return [
        Used(meter.name, [Point(day, *found.get((meter.no, day), (0, 0))) for day in days])
        for meter in sorted(meters, key=lambda meter: meter.name)
    ]


async def _rows(tx: Tx, scope: Scope, meter_nos: list[int], span: Span) -> Sequence[Row[Any]]:
    day = day_of(h.hour).label("day")
    whose = rows_within(customers, scope.platform_id, Within(scope.mode, scope.project_id))
    # As a join, SQLite would read the hours of the platform's whole history first.
    query = select(h.meter_no, day, func.sum(h.total).label("total"), func.sum(h.calls).label("calls")).where(
        h.platform_no == scope.platform_no,
        h.customer_no.in_(select(customers.c.no).where(*whose)),
        h.meter_no.in_(meter_nos),
        h.hour >= span.starts_at,
        h.hour < span.ends_at,
    )
    return await tx.all(query.group_by(h.meter_no, "day"))
