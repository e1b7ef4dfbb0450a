"""Which customers come near a hard limit, in the windows that are open at this moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, Row, and_, case, cast, false, func, literal, select

from dream_api.catalog.tables import tier_limits, tiers
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.customers import SILENCE, Scope, period_of
from dream_api.customers.tables import customers
from dream_api.dashboard.within import Within, rows_within
from dream_api.usage import Limit, Meter, OpenLimit, Period, Window, open_at
from dream_api.usage.tables import usage_counters

NEAR_PERCENT = 80
_MOST = 10
# A period is at most a month.
_LONGEST_PERIOD = 31 * clock.DAY
# Of a period that was paid for by the year, the month before the present one may be read as well: so many at most.
_READ = 5 * _MOST

c = customers.c
l = tier_limits.c  # noqa: E741
u = usage_counters.c
_own = tiers.alias("own")


@dataclass(frozen=True, slots=True)
class Near:
    """A customer who has used so many of a hard limit, until the window ends (None: never)."""

    customer_id: str
    user_id: str
    plan: str
    meter: str
    window: Window
    count: int
    limit: int
    ends_at: int | None

    @property
    def percent(self) -> int:
        return self.count * 100 // self.limit


async def near_limits(tx: Tx, scope: Scope, meters: Sequence[Meter], now: int) -> list[Near]:
    """The ten largest shares of a limit from 80 % on, of customers who are active; one statement."""
    names = {meter.no: meter.name for meter in meters}
    rows = await _candidates(tx, scope, [*names], now)
    opened = ((row, _open_limit(row, now)) for row in rows)
    return [_near(row, names, limit) for row, limit in opened if limit.starts_at == row.starts_at][:_MOST]


def _open_limit(row: Row[Any], now: int) -> OpenLimit:
    limit = Limit(row.meter_no, Window[row.window.upper()], "hard", row.max)
    return open_at(limit, now, Period(*(period_of(row, now) or clock.month_of(now))))


def _near(row: Row[Any], names: Mapping[int, str], limit: OpenLimit) -> Near:
    return Near(row.id, row.user_id, row.plan, names[row.meter_no], limit.window, row.used, row.max, limit.ends_at)


async def _candidates(tx: Tx, scope: Scope, meter_nos: list[int], now: int) -> Sequence[Row[Any]]:
    """The counters of all limits that may be open, the largest share first."""
    of_scope = Within(scope.mode, scope.project_id)
    own = and_(*rows_within(_own, scope.platform_id, of_scope), _own.c.name == c.plan)
    default = select(tiers).where(*rows_within(tiers, scope.platform_id, of_scope), tiers.c.is_default).limit(1)
    tier_id = func.coalesce(_own.c.id, default.with_only_columns(tiers.c.id).scalar_subquery())
    plan = func.coalesce(_own.c.name, default.with_only_columns(tiers.c.name).scalar_subquery())
    limit = and_(l.platform_id == c.platform_id, l.tier_id == tier_id, l.kind == "hard", l.max > 0)
    earliest, latest = _opened_between(now)
    counter = and_(
        u.platform_no == scope.platform_no,
        u.customer_no == c.no,
        u.meter_no == l.meter_no,
        u.window == case({window.name.lower(): int(window) for window in Window}, value=l.window),
        u.starts_at.between(earliest, latest),
    )
    # Never null where it matters, but SQLite is not to know: else it reads all counters of the platform first.
    used = func.coalesce(u.count, 0)
    return await tx.all(
        select(
            c.id,
            c.user_id,
            c.period_starts_at,
            c.period_ends_at,
            plan.label("plan"),
            l.meter_no,
            l.window,
            l.max,
            u.starts_at,
            u.count.label("used"),
        )
        .select_from(customers)
        .outerjoin(_own, own)
        .join(tier_limits, limit)
        .outerjoin(usage_counters, counter)
        .where(
            *rows_within(customers, scope.platform_id, of_scope),
            c.status == "active",
            l.meter_no.in_(meter_nos),
            used * 100 >= l.max * NEAR_PERCENT,
        )
        .order_by((cast(used, Float) / l.max).desc(), c.id, l.meter_no, l.window)
        .limit(_READ)
    )


def _opened_between(now: int) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """When the present window of a limit can have begun, at the earliest and at the latest.

    Exact, but for what a subscription has paid for: its months are counted by `customers.period_of` alone.
    """
    month, _ = clock.month_of(now)
    fixed = {"life": 0, "hour": clock.hour_of(now), "day": now - now % clock.DAY, "month": month}
    begun = [(l.window == name, literal(at, BigInteger)) for name, at in fixed.items()]
    is_subscribed = and_(c.period_starts_at <= now, c.period_ends_at > now - SILENCE)
    paid_for = case((c.period_ends_at > now, c.period_starts_at), else_=c.period_ends_at)
    lately = literal(now - _LONGEST_PERIOD, BigInteger)
    earliest = case((paid_for > lately, paid_for), else_=lately)
    of_month = (~func.coalesce(is_subscribed, false()), literal(month, BigInteger))
    return case(*begun, of_month, else_=earliest), case(*begun, of_month, else_=literal(now, BigInteger))
