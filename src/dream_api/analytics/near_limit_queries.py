"""SQL of customers near their limits."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
)

from dream_api.catalog.tables import tier_limits, tiers
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.db.columns import ByteOrderedText, Number
from dream_api.customers import SILENCE
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope
from dream_api.usage import Window
from dream_api.usage.tables import usage_counters

NEAR_PERCENT = 80
# A period is at most a month.
_LONGEST_PERIOD = 31 * clock.DAY

c = customers.c
l = tier_limits.c  # noqa: E741
t = tiers.c
u = usage_counters.c


def _key(name: str) -> ColumnElement[str]:
    return bindparam(name, type_=ByteOrderedText)


def _number(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=Number)


def _of_scope(table: FromClause) -> tuple[ColumnElement[bool], ...]:
    of_project = (table.c[name] == _key(name) for name in ("project_id", "mode"))
    return (table.c.platform_no == _number("platform_no"), *of_project)


def _opened(period: str) -> ColumnElement[int]:
    """When the present window of a limit can have begun, of whichever customer: exact, but for periods."""
    moments = {name: _number(name) for name in ("hour", "day", "month")}
    return case({"life": literal(0, Number), **moments, "period": _number(period)}, value=l.window)


def _is_near(limit: ColumnElement[int]) -> ColumnElement[bool]:
    return u.count * 100 >= limit * NEAR_PERCENT


def _is_present() -> ColumnElement[bool]:
    """Of a period: whether it can be the customer's present one.

    Exact where that is the calendar month; months of what a subscription has paid for are counted by
    `customers.period_of` alone.
    """
    now, month = _number("now"), _number("month")
    is_subscribed = and_(c.period_starts_at <= now, c.period_ends_at > _number("silent_since"))
    paid_for = case((c.period_ends_at > now, c.period_starts_at), else_=c.period_ends_at)
    is_calendars = ~func.coalesce(is_subscribed, false())
    latest = case((is_calendars, month), else_=now)
    return or_(m.window != "period", u.starts_at.between(case((is_calendars, month), else_=paid_for), latest))


# All tiers of the scope, few: read once, before anybody is looked up.
_plans = select(t.id, t.name, t.is_default).where(*_of_scope(tiers)).cte("plans")
_own = _plans.alias("own")
_default = select(_plans.c.name).where(_plans.c.is_default).limit(1).scalar_subquery()
_plan = func.coalesce(_own.c.name, _default)

# Their hard limits.
_limits = (
    select(
        _plans.c.name.label("plan"),
        l.meter_no,
        l.window,
        case({window.name.lower(): int(window) for window in Window}, value=l.window).label("window_no"),
        l.max,
        _opened("longest_ago").label("earliest"),
        _opened("now").label("latest"),
    )
    .join_from(_plans, tier_limits, l.tier_id == _plans.c.id)
    .where(l.platform_no == _number("platform_no"), l.kind == "hard", l.max > 0)
    .cte("limits")
)
m = _limits.c

# The lowest limit of each window, in any plan.
_window = (m.meter_no, m.window_no, m.earliest, m.latest)
_lowest = select(*_window, func.min(m.max).label("max")).group_by(*_window).subquery("lowest")

# Adding nothing keeps SQLite's planner from beginning with a table that is to come later.
_nothing = literal(0, Number)


def _candidates(first: FromClause, *also: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The counters of limits that may be open, the largest share first."""
    share = cast(u.count, Float) / m.max
    return (
        select(
            c.id,
            c.user_id,
            c.period_starts_at,
            c.period_ends_at,
            m.plan,
            m.meter_no,
            m.window,
            m.max,
            u.starts_at,
            u.count.label("used"),
        )
        .select_from(first)
        .where(*_of_scope(customers), c.status == "active", _is_near(m.max), _is_present(), *also)
        .order_by(share.desc(), c.id, m.meter_no, m.window)
        .limit(bindparam("most", type_=Number))
    )


def _by_counter() -> Select[*tuple[Any, ...]]:
    """All counters of the platform are read, and those that come near no plan's limit left out before anybody asks
    whose they are: most of them."""
    nothing = _lowest.c.window_no * _nothing
    counter = and_(
        u.platform_no == _number("platform_no"),
        u.meter_no == _lowest.c.meter_no,
        u.window == _lowest.c.window_no,
        u.starts_at.between(_lowest.c.earliest, _lowest.c.latest),
        _is_near(_lowest.c.max),
    )
    theirs = and_(c.platform_no == _number("platform_no"), c.no == u.customer_no + nothing)
    limit = and_(
        m.plan == _plan,
        m.meter_no + nothing == _lowest.c.meter_no,
        m.window_no + nothing == _lowest.c.window_no,
    )
    read = _lowest.join(usage_counters, counter).join(customers, theirs)
    return _candidates(read.outerjoin(_own, _own.c.name == c.plan).join(_limits, limit))


def _by_customer(*also: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Each customer's counters are found by their keys."""
    counter = and_(
        u.platform_no == _number("platform_no") + c.no * _nothing,
        u.customer_no == c.no,
        u.meter_no == m.meter_no,
        u.window == m.window_no,
        u.starts_at.between(m.earliest, m.latest),
    )
    read = customers.outerjoin(_own, _own.c.name == c.plan).join(_limits, m.plan == _plan)
    return _candidates(read.join(usage_counters, counter), *also)


_ALL_BY_COUNTER = _by_counter()
_ALL_BY_CUSTOMER = _by_customer()
_NAMED = _by_customer(c.user_id.in_(bindparam("user_ids", expanding=True)))

_own_customers = select(c.user_id).where(*_of_scope(customers)).limit(bindparam("most", type_=Number)).subquery()
_SIZE = select(
    select(func.count()).select_from(_own_customers).scalar_subquery().label("own"),
    select(func.max(c.no)).where(c.platform_no == _number("platform_no")).scalar_subquery().label("of_platform"),
)


async def size_of(tx: Tx, scope: ProjectScope, most: int) -> tuple[int, int]:
    """How many customers the scope has, counted up to so many, and its platform in all modes, ever."""
    row = await tx.first(_SIZE, {**_whose(scope), "most": most})
    assert row is not None
    return row.own, row.of_platform or 0


async def all_by_customer(tx: Tx, scope: ProjectScope, now: int, most: int) -> Sequence[Row[Any]]:
    return await tx.all(_ALL_BY_CUSTOMER, _asked(scope, now, most))


async def all_by_counter(tx: Tx, scope: ProjectScope, now: int, most: int) -> Sequence[Row[Any]]:
    return await tx.all(_ALL_BY_COUNTER, _asked(scope, now, most))


async def of_users(tx: Tx, scope: ProjectScope, user_ids: Sequence[str], now: int, most: int) -> Sequence[Row[Any]]:
    return await tx.all(_NAMED, {**_asked(scope, now, most), "user_ids": user_ids})


def _whose(scope: ProjectScope) -> dict[str, Any]:
    return {"platform_no": scope.platform_no, "project_id": scope.project_id, "mode": scope.mode}


def _asked(scope: ProjectScope, now: int, most: int) -> dict[str, Any]:
    return {
        **_whose(scope),
        "platform_no": scope.platform_no,
        "hour": clock.hour_of(now),
        "day": now - now % clock.DAY,
        "month": clock.month_of(now)[0],
        "now": now,
        "longest_ago": now - _LONGEST_PERIOD,
        "silent_since": now - SILENCE,
        "most": most,
    }
