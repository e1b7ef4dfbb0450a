"""Report of customers near a hard limit, in the current windows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api import webhooks
from dream_api.analytics import near_limit_queries
from dream_api.analytics.near_limit_queries import NEAR_PERCENT
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.customers import period_of
from dream_api.platforms import ProjectScope
from dream_api.usage import CurrentLimit, Limit, Meter, Period, Window, window_at

# Of so many customers of a project and mode, each one's counters are found by themselves; where they are more, all
# counters of the platform are read, which takes a twentieth of the time for each.
FEW_CUSTOMERS = 1_000
# On a platform with more customers than that, only those in so many of its newest threshold events are looked at.
MANY_CUSTOMERS = 50_000
NEWEST_EVENTS = 1_000
_MOST = 10
# Of a period that was paid for by the year, the month before the present one may be read as well: so many at most.
_READ = 5 * _MOST


@dataclass(frozen=True, slots=True)
class NearLimit:
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


@dataclass(frozen=True, slots=True)
class Nearest:
    """The largest shares first; not `of_all` where they are too many to look at each."""

    shown: Sequence[NearLimit]
    of_all: bool


async def near_limits(tx: Tx, scope: ProjectScope, meters: Sequence[Meter], now: int) -> Nearest:
    """The ten largest shares of a limit from 80 % on, of customers who are active; two statements, or three."""
    if not meters:
        return Nearest((), of_all=True)
    names = {meter.no: meter.name for meter in meters}
    rows, of_all = await _candidates(tx, scope, now)
    opened = ((row, _open_limit(row, now)) for row in rows)
    near = [_near(row, names, limit) for row, limit in opened if limit.starts_at == row.starts_at]
    return Nearest(near[:_MOST], of_all)


async def _candidates(tx: Tx, scope: ProjectScope, now: int) -> tuple[Sequence[Row[Any]], bool]:
    """The counters of limits that may be open, and whether everybody's were looked at."""
    own, of_platform = await near_limit_queries.size_of(tx, scope, FEW_CUSTOMERS + 1)
    if own <= FEW_CUSTOMERS:
        return await near_limit_queries.all_by_customer(tx, scope, now, _READ), True
    if of_platform <= MANY_CUSTOMERS:
        return await near_limit_queries.all_by_counter(tx, scope, now, _READ), True
    return await near_limit_queries.of_users(tx, scope, await _recently_warned_users(tx, scope), now, _READ), False


async def _recently_warned_users(tx: Tx, scope: ProjectScope) -> list[str]:
    """The user ids of customers who reached a threshold near their limit lately."""
    whose = (scope.platform_no, scope.project_id, scope.mode)
    rows = await webhooks.list_events(tx, *whose, kind="usage.threshold_reached", limit=NEWEST_EVENTS, after=None)
    crossings = [json.loads(row.data) for row in rows]
    return sorted({one["userId"] for one in crossings if one.get("percent", 0) >= NEAR_PERCENT})


def _open_limit(row: Row[Any], now: int) -> CurrentLimit:
    limit = Limit(row.meter_no, Window[row.window.upper()], "hard", row.max)
    return window_at(limit, now, Period(*(period_of(row, now) or clock.month_of(now))))


def _near(row: Row[Any], names: Mapping[int, str], limit: CurrentLimit) -> NearLimit:
    return NearLimit(row.id, row.user_id, row.plan, names[row.meter_no], limit.window, row.used, row.max, limit.ends_at)
