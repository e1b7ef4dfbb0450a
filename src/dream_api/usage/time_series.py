"""Time series of usage: a project's usage by hour, day, customer or meter, for charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, func, literal_column, select

from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope
from dream_api.usage.hourly_totals import hourly_totals_parameters, hourly_totals_query
from dream_api.usage.meters import Meter
from dream_api.usage.tables import usage_hours

By = Literal["hour", "day", "customer", "meter"]

LONGEST_DAYS_OF_HOURS = 31
LONGEST_MONTHS = 13
_DAYS_BY_DEFAULT = 30
# Beyond it, calendars end.
_LATEST = 7000 * 366 * clock.DAY

c = customers.c
h = usage_hours.c


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another, in whole hours or days."""

    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Point:
    """What was counted of something: of an hour or day (its start), of a customer (the user id), of a meter (its name).

    `calls` are those that were admitted, without corrections.
    """

    of: int | str
    total: int
    calls: int


def span_of(by: By, starts_at: int | None, ends_at: int | None, now: int) -> Span:
    """The whole hours (by day: UTC days) that are asked for; refuses what is empty or too long.

    By default it ends with the present hour or day, and has 24 hours by hour, else 30 days.
    """
    step = clock.DAY if by == "day" else clock.HOUR
    asked = now if ends_at is None else _within_time(ends_at, "to")
    end = asked - asked % step + step if ends_at is None else -(-asked // step) * step
    if starts_at is None:
        return Span(end - (clock.DAY if by == "hour" else _DAYS_BY_DEFAULT * clock.DAY), end)
    if _within_time(starts_at, "from") >= asked:
        raise ValidationFailed(
            "The time range must begin before it ends.", param="from", hint="Send a `from` before `to`."
        )
    if by == "hour" and asked - starts_at > LONGEST_DAYS_OF_HOURS * clock.DAY:
        raise ValidationFailed(
            f"A request by hour can cover at most {LONGEST_DAYS_OF_HOURS} days.",
            param="from",
            hint="Send a shorter time range, or group by day.",
        )
    if asked > clock.add_months(starts_at, LONGEST_MONTHS):
        raise ValidationFailed(
            f"A request can cover at most {LONGEST_MONTHS} months.",
            param="from",
            hint="Send one request for each year.",
        )
    return Span(starts_at - starts_at % step, end)


def _within_time(moment: int, param: str) -> int:
    if not 0 <= moment <= _LATEST:
        raise ValidationFailed("The time is out of range.", param=param)
    return moment


async def usage_history(
    tx: Tx,
    scope: ProjectScope,
    by: By,
    span: Span,
    meters: Sequence[Meter],
    *,
    user_id: str | None = None,
    limit: int | None = None,
) -> list[Point]:
    """What the project's customers of the scope's mode used of the meters; one statement.

    Every hour or day of the span, oldest first; customers by their totals, the largest first, at most `limit`; meters
    by name. `user_id`: of this customer only.
    """
    meter_nos = [meter.no for meter in meters]
    if by != "customer" and user_id is None:
        rows = await tx.all(_of_all(by), hourly_totals_parameters(scope, meter_nos, span.starts_at, span.ends_at))
    else:
        rows = await tx.all(_query(scope, by, span, meter_nos, user_id, limit))
    found = {row.bucket: (int(row.total), int(row.calls)) for row in rows}
    if by == "customer":
        return [Point(user, *sums) for user, sums in found.items()]
    if by == "meter":
        totals = sorted((meter.name, found.get(meter.no, (0, 0))) for meter in meters)
        return [Point(name, *sums) for name, sums in totals]
    step = clock.DAY if by == "day" else clock.HOUR
    return [Point(at, *found.get(at, (0, 0))) for at in range(span.starts_at, span.ends_at, step)]


@cache
def _of_all(by: By) -> Select[*tuple[Any, ...]]:
    u = hourly_totals_query().c
    bucket = _bucket(by, u.meter_no, u.hour).label("bucket")
    return select(bucket, func.sum(u.total).label("total"), func.sum(u.calls).label("calls")).group_by("bucket")


def _query(
    scope: ProjectScope, by: By, span: Span, meter_nos: list[int], user_id: str | None, limit: int | None
) -> Select[*tuple[Any, ...]]:
    whose = [c.platform_no == scope.platform_no, c.project_id == scope.project_id, c.mode == scope.mode]
    if user_id is not None:
        whose.append(c.user_id == user_id)
    bucket = _bucket(by, h.meter_no, h.hour).label("bucket")
    total = func.sum(h.total).label("total")
    query = (
        select(bucket, total, func.sum(h.calls).label("calls"))
        .where(
            h.platform_no == scope.platform_no,
            h.meter_no.in_(meter_nos),
            h.hour >= span.starts_at,
            h.hour < span.ends_at,
        )
        .group_by("bucket")
    )
    if by == "customer":
        joined = query.join_from(customers, usage_hours, h.customer_no == c.no).where(*whose)
        return joined.order_by(total.desc(), bucket).limit(limit)
    # As a join, SQLite would read the hours of the platform's whole history first.
    return query.where(h.customer_no.in_(select(c.no).where(*whose)))


def _bucket(by: By, meter_no: ColumnElement[int], hour: ColumnElement[int]) -> ColumnElement[Any]:
    match by:
        case "hour":
            return hour
        case "day":
            return hour - hour % literal_column(str(clock.DAY))
        case "customer":
            return c.user_id
        case "meter":
            return meter_no


async def calls_by_platform(tx: Tx, platform_nos: Sequence[int], meter: Meter, since: int) -> dict[int, int]:
    """For operators: how many calls each of these platforms was counted from that hour on, by its level's meter."""
    which = (h.platform_no.in_(platform_nos), h.customer_no == 0, h.meter_no == meter.no, h.hour >= since)
    summing = select(h.platform_no, func.sum(h.calls).label("calls")).where(*which).group_by(h.platform_no)
    return {row.platform_no: int(row.calls) for row in await tx.all(summing)}
