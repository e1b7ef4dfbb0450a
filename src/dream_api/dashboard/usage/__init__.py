"""`/dashboard/{projectId}/{mode}/usage`: usage by hour or day, by meter and by customer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import usage
from dream_api.catalog import Plans
from dream_api.core import clock
from dream_api.core.db import Row, Tx
from dream_api.core.html.format import short_day, short_hour
from dream_api.core.http.dependencies import Db
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.charts import bars_of
from dream_api.dashboard.dependencies import EXPORT, ProjectContext, ProjectExport, ProjectPage
from dream_api.dashboard.exports import export_file, read_pieces
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.metering.dependencies import MeteringDep
from dream_api.platforms import SaasProjectRequired
from dream_api.usage import Meter, Span, UsageBy
from dream_api.usage.time_series import Point
from dream_api.usage.top_customers import top_customers

router = APIRouter(route_class=PageRoute, include_in_schema=False)
ROUTERS = (router,)
_PATH = "/dashboard/{projectId}/{mode}/usage"
# By their names in the address: how long each is, and its step.
_SPANS: Mapping[str, tuple[int, UsageBy]] = {
    "24h": (clock.DAY, "hour"),
    "7d": (7 * clock.DAY, "day"),
    "30d": (30 * clock.DAY, "day"),
    "90d": (90 * clock.DAY, "day"),
    "365d": (365 * clock.DAY, "day"),
}
_WINDOWS = {
    "period": "billing period",
    "hour": "hour",
    "day": "day",
    "month": "calendar month",
    "lifetime": "no reset",
}
_BY_DEFAULT = "30d"
_FOREMOST = 10
_LONGEST = 255


class UsageQuery(lists.ListQuery):
    meter: str = ""
    span: str = ""
    user_id: str = ""


Asked = Annotated[UsageQuery, Query()]


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


def _usage_filter(visit: ProjectContext, plans: Plans, asked: UsageQuery) -> UsageFilter:
    if visit.project.type != "saas":
        raise SaasProjectRequired("Only saas projects meter usage, and this project is a store.")
    found = plans.meters.get(asked.meter) or plans.meters.get(usage.REQUESTS) or next(iter(plans.meters.values()))
    name = asked.span if asked.span in _SPANS else _BY_DEFAULT
    length, by = _SPANS[name]
    now = visit.project_now
    step = clock.DAY if by == "day" else clock.HOUR
    ends_at = now - now % step + step
    return UsageFilter(found, name, by, Span(ends_at - length, ends_at), asked.user_id.strip()[:_LONGEST])


@router.get(_PATH)
async def show_usage(db: Db, engine: MeteringDep, visit: ProjectPage, query: Asked) -> Response:
    plans = await engine.get_plans(visit.acting)
    asked = _usage_filter(visit, plans, query)
    of_user = asked.user_id or None
    async with db.read() as tx:
        points = await usage.usage_history(tx, visit.scope, asked.by, asked.span, [asked.meter], user_id=of_user)
        meters = list(plans.meters.values())
        by_meter = await usage.usage_history(tx, visit.scope, "meter", asked.span, meters, user_id=of_user)
        first: Sequence[Row[Any]] = ()
        if of_user is None:
            first = await top_customers(tx, visit.scope, asked.meter, limit=_FOREMOST)
    label = short_hour if asked.by == "hour" else short_day
    return render_page(
        visit,
        "usage/usage.html",
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
        may_export=visit.may(EXPORT),
    )


def _limits(plans: Plans, meter: Meter) -> list[tuple[str, str, str, int | None]]:
    """What each tier allows of the meter: (tier, window, kind, most)."""
    return [
        (plan.name, _WINDOWS[limit.window.wire], limit.kind, limit.max)
        for _, plan in sorted(plans.by_name.items())
        for limit in plan.limits.get(meter.no, ())
    ]


@router.get(_PATH + ".csv")
async def export_usage(db: Db, engine: MeteringDep, visit: ProjectExport, query: Asked) -> Response:
    asked = _usage_filter(visit, await engine.get_plans(visit.acting), query)

    async def fetch(tx: Tx, _: int, __: None) -> Sequence[Point]:
        user_id = asked.user_id or None
        return await usage.usage_history(tx, visit.scope, asked.by, asked.span, [asked.meter], user_id=user_id)

    columns: dict[str, Callable[[Point], object]] = {
        asked.by: lambda point: clock.rfc3339(int(point.of)),
        "meter": lambda _: asked.meter.name,
        "total": lambda point: point.total,
        "calls": lambda point: point.calls,
    }
    return export_file(f"usage-{visit.mode}", columns, read_pieces(db, fetch, None))
