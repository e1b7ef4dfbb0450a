"""`GET /api/usage/history`: usage over time."""

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, Field

from dream_api import customers, usage
from dream_api.api.endpoint import Endpoints
from dream_api.api.models import ResponseModel, Timestamp, example
from dream_api.auth.dependencies import CanView
from dream_api.auth.principals import ProjectPrincipal
from dream_api.catalog import Plans
from dream_api.core import clock
from dream_api.core.http import ModelResponse, json_response
from dream_api.core.http.dependencies import Db
from dream_api.metering.dependencies import MeteringDep
from dream_api.platforms import SaasProjectRequired
from dream_api.usage import Meter, Point, UsageBy

endpoints = Endpoints("Usage", "/api/usage")

_EXAMPLE = {
    "by": "day",
    "from": "2026-11-19T00:00:00Z",
    "to": "2026-11-21T00:00:00Z",
    "meter": "requests",
    "data": [
        {"at": "2026-11-19T00:00:00Z", "total": 0, "calls": 0},
        {"at": "2026-11-20T00:00:00Z", "total": 1280, "calls": 640},
    ],
}
Total = Annotated[
    int, Field(description="The sum of quantities and corrections. For a distinct meter, the number of new subjects.")
]
Calls = Annotated[int, Field(description="Admitted calls, without corrections.")]


class UsageAtTime(ResponseModel):
    """The usage in an hour or day."""

    at: Timestamp = Field(description="The start of the hour or UTC day.")
    total: Total
    calls: Calls


class UsageByCustomer(ResponseModel):
    """The usage of a customer."""

    user_id: str
    total: Total
    calls: Calls


class UsageByMeter(ResponseModel):
    """The usage of a meter."""

    meter: str
    total: Total
    calls: Calls


class UsageHistory(ResponseModel, json_schema_extra=example(_EXAMPLE)):
    """The usage of a project's customers."""

    by: UsageBy
    starts_at: Timestamp = Field(serialization_alias="from", description="The first hour or day.")
    ends_at: Timestamp = Field(serialization_alias="to", description="The end, exclusive.")
    meter: str | None = Field(description="The requested meter. null: all meters.")
    data: list[UsageAtTime | UsageByCustomer | UsageByMeter] = Field(
        description=(
            "Every hour or day of the range, oldest first. Or customers, largest total first. Or meters, sorted by "
            "name."
        )
    )


_METER = "The meter. By default `requests`, or all meters if grouped by meter."


@endpoints.get("/history", "usage.history", "Get usage over time", errors=(SaasProjectRequired, usage.UnknownMeter))
async def get_usage_history(
    db: Db,
    engine: MeteringDep,
    acting: CanView,
    by: Annotated[UsageBy, Query(description="How usage is grouped.")] = "day",
    starts_at: Annotated[
        AwareDatetime | None,
        Query(alias="from", description="By default, 24 hours before `to` if grouped by hour, otherwise 30 days."),
    ] = None,
    ends_at: Annotated[
        AwareDatetime | None, Query(alias="to", description="By default, the end of the current hour or day.")
    ] = None,
    meter: Annotated[str | None, Query(max_length=120, description=_METER)] = None,
    user_id: Annotated[str | None, Query(alias="userId", description="Only the usage of this customer.")] = None,
    limit: Annotated[
        int, Query(ge=1, le=100, description="The number of customers to return, if grouped by customer.")
    ] = 20,
) -> ModelResponse[UsageHistory]:
    """The usage of the project's customers in one mode, for charts: at most 31 days by hour, or 13 months. Days are
    UTC."""
    if user_id is not None:
        customers.validate_user_id(user_id, "userId")
    plans = await engine.get_plans(acting)
    span = usage.span_of(by, _moment(starts_at), _moment(ends_at), clock.now() + plans.ahead)
    meters = _meters(plans, acting, by, meter)
    async with db.read() as tx:
        points = await usage.usage_history(tx, acting.scope, by, span, meters, user_id=user_id, limit=limit)
    history = UsageHistory(
        by=by,
        starts_at=clock.rfc3339(span.starts_at),
        ends_at=clock.rfc3339(span.ends_at),
        meter=meters[0].name if by != "meter" else meter,
        data=[_used(by, point) for point in points],
    )
    return json_response(history)


def _moment(asked: AwareDatetime | None) -> int | None:
    return None if asked is None else clock.from_datetime(asked)


def _meters(plans: Plans, acting: ProjectPrincipal, by: UsageBy, name: str | None) -> list[Meter]:
    """The meters that are asked for."""
    if acting.project.type != "saas":
        raise SaasProjectRequired("Only saas projects meter usage, and this project is a store.")
    known = plans.meters
    if name is None and by == "meter":
        return list(known.values())
    found = known.get(name or usage.REQUESTS)
    if found is None:
        names = ", ".join(sorted(known))
        raise usage.UnknownMeter(f"There is no such meter; the project's meters are: {names}.", param="meter")
    return [found]


def _used(by: UsageBy, point: Point) -> UsageAtTime | UsageByCustomer | UsageByMeter:
    if isinstance(point.of, int):
        return UsageAtTime(at=clock.rfc3339(point.of), total=point.total, calls=point.calls)
    if by == "customer":
        return UsageByCustomer(user_id=point.of, total=point.total, calls=point.calls)
    return UsageByMeter(meter=point.of, total=point.total, calls=point.calls)
