"""SQL of the rollup of finished hours."""

from collections.abc import Sequence

from sqlalchemy import and_, case, delete, func, literal, select, update

from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.db import insert as upserting
from dream_api.core.db.columns import Number, Small
from dream_api.customers.tables import customers
from dream_api.platforms.tables import platforms
from dream_api.usage.tables import usage_hours, usage_late, usage_rolled, usage_totals

# Of how many platforms at once.
_MOST = 500

c = customers.c
h = usage_hours.c
l = usage_late.c  # noqa: E741
r = usage_rolled.c
t = usage_totals.c
_MODE_NO = case((c.mode == "test", literal(0, Small)), else_=literal(1, Small))


async def get_pending_platforms(tx: Tx, until: int) -> Sequence[tuple[int, int]]:
    """Platforms with hours before this moment that are not summed up, each with the first of them."""
    first = (
        select(func.min(h.hour))
        .where(h.platform_no == platforms.c.no, h.hour >= func.coalesce(r.until, 0), h.hour < until)
        .correlate(platforms, usage_rolled)
        .scalar_subquery()
    )
    each = (
        select(platforms.c.no, first.label("hour"))
        .select_from(platforms)
        .outerjoin(usage_rolled, r.platform_no == platforms.c.no)
        .subquery()
    )
    rows = await tx.all(select(each.c.no, each.c.hour).where(each.c.hour.is_not(None)).limit(_MOST))
    return [(row.no, row.hour) for row in rows]


async def get_late_platforms(tx: Tx) -> Sequence[int]:
    """Platforms in which something was counted in finished hours."""
    return [row.platform_no for row in await tx.all(select(l.platform_no).distinct().limit(_MOST))]


async def lock_progress(tx: Tx, platform_no: int) -> int:
    """Up to when the platform's hours are summed up, locked until the transaction ends."""
    new = {"platform_no": platform_no, "until": 0}
    await tx.execute(upserting(usage_rolled).values(new).on_conflict_do_nothing())
    return await tx.scalar(select(r.until).where(r.platform_no == platform_no).with_for_update())


async def hour_after(tx: Tx, platform_no: int, hour: int, rows: int, until: int) -> int:
    """Where so many rows from the hour on end, at an hour's end; at `until` where there are fewer."""
    of_platform = select(h.hour).where(h.platform_no == platform_no, h.hour >= hour, h.hour < until)
    last = await tx.scalar(of_platform.order_by(h.hour).offset(rows).limit(1))
    return until if last is None else max(last, hour + clock.HOUR)


async def set_progress(tx: Tx, platform_no: int, until: int) -> None:
    await tx.execute(update(usage_rolled).where(r.platform_no == platform_no).values(until=until))


async def pop_late_hours(tx: Tx, platform_no: int, most: int) -> set[int]:
    """Late hours of the platform, `most` at most; their rows are deleted."""
    hours = select(l.hour).where(l.platform_no == platform_no).distinct().order_by(l.hour).limit(most)
    found = [row.hour for row in await tx.all(hours)]
    await tx.execute(delete(usage_late).where(l.platform_no == platform_no, l.hour.in_(found)))
    return set(found)


async def delete_totals(tx: Tx, platform_no: int, starts_at: int, ends_at: int | None = None) -> None:
    """Of these hours; None: and of all that follow."""
    which = [t.platform_no == platform_no, t.hour >= starts_at]
    if ends_at is not None:
        which.append(t.hour < ends_at)
    await tx.execute(delete(usage_totals).where(*which))


async def insert_totals(tx: Tx, platform_no: int, starts_at: int, ends_at: int) -> None:
    """Insert the sums of these hours, of which there are none yet; without what the platform itself is counted for."""
    # The sum hides the number from the planner: SQLite would look through all customers, one by one.
    theirs = and_(c.platform_no == h.platform_no, c.no == h.customer_no + literal(0, Number))
    sums = (
        select(h.platform_no, h.meter_no, _MODE_NO, h.hour, func.sum(h.total), func.sum(h.calls))
        .join(customers, theirs)
        .where(h.platform_no == platform_no, h.hour >= starts_at, h.hour < ends_at)
        .group_by(h.platform_no, h.meter_no, _MODE_NO, h.hour)
    )
    await tx.execute(upserting(usage_totals).from_select(list(t.keys()), sums))
