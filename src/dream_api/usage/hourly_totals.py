"""Hourly usage of all customers of a project and mode: from rollups, or from the rows where these are not current."""

from functools import cache
from typing import Any

from sqlalchemy import Subquery, bindparam, case, func, literal, select, union_all

from dream_api.core.db.columns import ByteOrderedText, Number, Small
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope, mode_no
from dream_api.usage.tables import usage_hours, usage_late, usage_rolled, usage_totals

c = customers.c
h = usage_hours.c
l = usage_late.c  # noqa: E741
r = usage_rolled.c
t = usage_totals.c


def hourly_totals_parameters(scope: ProjectScope, meter_nos: list[int], starts_at: int, ends_at: int) -> dict[str, Any]:
    """The parameters of a statement that reads `hourly_totals_query`."""
    return {
        "platform_no": scope.platform_no,
        "project_id": scope.project_id,
        "mode": scope.mode,
        "mode_no": mode_no(scope.mode),
        "meter_nos": meter_nos,
        "starts_at": starts_at,
        "ends_at": ends_at,
    }


@cache
def hourly_totals_query() -> Subquery:
    """Rows of (meter_no, hour, total, calls), of which each hour may have several; for statements that are built once.

    Sums where there are some and nothing was counted since; else the rows themselves (`rollup.py` says why that is
    exact).
    """
    platform_no, starts_at, ends_at = (
        bindparam(name, type_=Number) for name in ("platform_no", "starts_at", "ends_at")
    )
    meter_nos = bindparam("meter_nos", type_=Number, expanding=True)
    until = func.coalesce(select(r.until).where(r.platform_no == platform_no).scalar_subquery(), literal(0, Number))
    noted = select(l.hour).where(l.platform_no == platform_no, l.hour >= starts_at, l.hour < ends_at)
    summed = select(t.meter_no, t.hour, t.total, t.calls).where(
        t.platform_no == platform_no,
        t.meter_no.in_(meter_nos),
        t.mode == bindparam("mode_no", type_=Small),
        t.hour >= starts_at,
        t.hour < ends_at,
        t.hour < until,
        t.hour.not_in(noted),
    )
    # Asked row by row: as a join, SQLite would look through the hours of all customers, one by one.
    is_theirs = (
        select(c.no)
        .where(c.platform_no == platform_no, c.no == h.customer_no)
        .where(
            c.project_id == bindparam("project_id", type_=ByteOrderedText),
            c.mode == bindparam("mode", type_=ByteOrderedText),
        )
        .correlate(usage_hours)
        .exists()
    )
    counted = select(h.meter_no, h.hour, h.total, h.calls).where(
        h.platform_no == platform_no, h.meter_no.in_(meter_nos), is_theirs
    )
    unsummed = case((until > starts_at, until), else_=starts_at)
    since = counted.where(h.hour >= unsummed, h.hour < ends_at)
    # Few, and near one another; from the first to the last, because SQLite looks for no list of them in an index.
    over = noted.where(l.hour < until)
    first, last = (over.with_only_columns(of(l.hour)).scalar_subquery() for of in (func.min, func.max))
    again = counted.where(h.hour >= first, h.hour <= last, h.hour.in_(over))
    return union_all(summed, since, again).subquery("used")
