"""`/dashboard/{projectId}/{mode}/usage`: usage by hour or day, by meter and by customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import usage
from dream_api.catalog import Plans
from dream_api.core import clock
from dream_api.core.db import Row
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.charts import bars_of
from dream_api.dashboard.csv_export import csv_file
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage
from dream_api.dashboard.event_summaries import short_day, short_hour
from dream_api.dashboard.layout import PageRenderer, PageRoute
from dream_api.metering.dependencies import MeteringDep
from dream_api.platforms import SaasProjectRequired
from dream_api.usage import Meter, Span, UsageBy
from dream_api.usage.top_customers import top_customers

router = APIRouter(route_class=PageRoute, include_in_schema=False)
ROUTERS = (router,)
_frame = PageRenderer("dream_api.dashboard.usage")
_PATH = "/dashboard/{projectId}/{mode}/usage"
# By their names in the address: how long each is, and its step.
_SPANS: Mapping[str, tuple[int, UsageBy]] = {
    "24h": (clock.DAY, "hour"),
    "7d": (7 * clock.DAY, "day"),
    "30d": (30 * clock.DAY, "day"),
    "90d": (90 * clock.DAY, "day"),
    "365d": (365 * clock.DAY, "day"),
}
_BY_DEFAULT = "30d"
_FOREMOST = 10
Text = Annotated[str, Query()]
UserId = Annotated[str, Query(alias="userId")]


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """The meter, span and customer of the query string, with defaults for what is missing or unknown."""

    meter: Meter
    name: str
    by: UsageBy
    span: Span
    user_id: str

    @property
    def query(self) -> str:
        query = {"meter": self.meter.name, "span": self.name} | ({"userId": self.user_id} if self.user_id else {})
        return urlencode(query)


def _usage_filter(visit: ProjectContext, plans: Plans, meter: str, span: str, user_id: str) -> UsageFilter:
    if visit.project.type != "saas":
        raise SaasProjectRequired("Calls are metered for saas projects; this one is a store.")
    found = plans.meters.get(meter) or plans.meters.get(usage.REQUESTS) or next(iter(plans.meters.values()))
    name = span if span in _SPANS else _BY_DEFAULT
    length, by = _SPANS[name]
    now = clock.now() + plans.ahead
    step = clock.DAY if by == "day" else clock.HOUR
    ends_at = now - now % step + step
    return UsageFilter(found, name, by, Span(ends_at - length, ends_at), user_id.replace("\x00", "").strip()[:255])


@router.get(_PATH)
async def show_usage(
    db: Db,
    engine: MeteringDep,
    visit: ProjectPage,
    meter: Text = "",
    span: Text = "",
    user_id: UserId = "",
) -> Response:
    plans = await engine.get_plans(visit.acting)
    asked = _usage_filter(visit, plans, meter, span, user_id)
    scope = visit.acting.scope
    of_user = asked.user_id or None
    async with db.read() as tx:
        points = await usage.usage_history(tx, scope, asked.by, asked.span, [asked.meter], user_id=of_user)
        meters = list(plans.meters.values())
        by_meter = await usage.usage_history(tx, scope, "meter", asked.span, meters, user_id=of_user)
        first: Sequence[Row[Any]] = ()
        if of_user is None:
            first = await top_customers(tx, scope, asked.meter, limit=_FOREMOST)
    label = short_hour if asked.by == "hour" else short_day
    return _frame.render(
        visit,
        "usage.html",
        here="usage",
        mode_path="/usage",
        asked=asked,
        spans=list(_SPANS),
        meters=sorted(plans.meters),
        chart=bars_of([(int(point.of), point.total) for point in points], label),
        total=sum(point.total for point in points),
        calls=sum(point.calls for point in points),
        by_meter=by_meter,
        foremost=first,
        limits=_limits(plans, asked.meter),
    )


def _limits(plans: Plans, meter: Meter) -> list[tuple[str, str, str, int | None]]:
    """What each tier allows of the meter: (tier, window, kind, most)."""
    return [
        (plan.name, limit.window.wire, limit.kind, limit.max)
        for _, plan in sorted(plans.by_name.items())
        for limit in plan.limits.get(meter.no, ())
    ]


@router.get(_PATH + ".csv")
async def export_usage(
    db: Db,
    engine: MeteringDep,
    visit: ProjectPage,
    meter: Text = "",
    span: Text = "",
    user_id: UserId = "",
) -> Response:
    plans = await engine.get_plans(visit.acting)
    asked = _usage_filter(visit, plans, meter, span, user_id)
    async with db.read() as tx:
        points = await usage.usage_history(
            tx, visit.acting.scope, asked.by, asked.span, [asked.meter], user_id=asked.user_id or None
        )

    rows = [(clock.rfc3339(int(point.of)), asked.meter.name, point.total, point.calls) for point in points]
    return csv_file(f"usage-{visit.mode}", (asked.by, "meter", "total", "calls"), rows)
