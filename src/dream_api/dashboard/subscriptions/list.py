"""`/dashboard/{projectId}/{mode}/subscriptions`: the list of subscriptions, and its CSV export."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import catalog
from dream_api.billing import queries
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock, money
from dream_api.core.db import Row
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.csv_export import MOST_ROWS, csv_file
from dream_api.dashboard.dependencies import ProjectPage, ProjectPageCanManage
from dream_api.dashboard.layout import PageRoute
from dream_api.dashboard.subscriptions.detail import Id, frame, show_subscription

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/subscriptions"
_ON_A_PAGE = 50
Status = Literal["", "trialing", "active", "past_due", "paused", "canceled"]
Sort = Literal["newest", "oldest"]
Text = Annotated[str, Query(max_length=255, pattern=r"^[^\x00]*$")]
After = Annotated[str | None, Query(pattern=r"^sub_[0-9a-z]{26}$")]
_COLUMNS = (
    "id",
    "userId",
    "plan",
    "status",
    "quantity",
    "price",
    "currency",
    "startDate",
    "currentPeriodEnd",
    "cancelAt",
    "endDate",
)


@router.get(_PATH)
async def list_subscriptions(
    db: Db,
    visit: ProjectPage,
    status: Status = "",
    plan: Text = "",
    user_id: Annotated[Text, Query(alias="userId")] = "",
    sort: Sort = "newest",
    after: After = None,
) -> Response:
    asked = {"status": status, "plan": plan, "user_id": user_id}
    async with db.read() as tx:
        found = await queries.page_of_subscriptions(
            tx, visit.scope, **asked, oldest_first=sort == "oldest", limit=_ON_A_PAGE + 1, after=after
        )
        offers = await catalog.list_tiers(tx, visit.platform_id, visit.project.id, visit.mode, archived_too=True)
    page = found[:_ON_A_PAGE]
    query = urlencode({"status": status, "plan": plan, "userId": user_id, "sort": sort})
    return frame.render(
        visit,
        "subscriptions.html",
        here="subscriptions",
        mode_path="/subscriptions",
        subscriptions=page,
        names={offer.name: offer.display_name for offer in offers},
        filters={"status": status, "plan": plan, "userId": user_id, "sort": sort},
        is_filtered=any(asked.values()) or after is not None,
        query=query,
        next_url=f"?{query}&after={page[-1].id}" if len(found) > _ON_A_PAGE else "",
    )


@router.get(_PATH + ".csv")
async def export_subscriptions(
    db: Db,
    visit: ProjectPageCanManage,
    status: Status = "",
    plan: Text = "",
    user_id: Annotated[Text, Query(alias="userId")] = "",
    sort: Sort = "newest",
) -> Response:
    async with db.read() as tx:
        rows = await queries.page_of_subscriptions(
            tx,
            visit.scope,
            status=status,
            plan=plan,
            user_id=user_id,
            oldest_first=sort == "oldest",
            limit=MOST_ROWS,
            after=None,
        )
    return csv_file(f"subscriptions-{visit.mode}", _COLUMNS, [_cells(row) for row in rows])


@router.get(_PATH + "/{id}")
async def read_subscription(
    billing_context: BillingDep, visit: ProjectPage, subscription_id: Id, done: str = ""
) -> Response:
    return await show_subscription(billing_context, visit, subscription_id, done=done)


def _cells(row: Row[Any]) -> tuple[object, ...]:
    moments = (row.started_at, row.period_ends_at, row.cancel_at, row.ended_at)
    return (
        row.id,
        row.user_id,
        row.plan,
        row.status,
        row.quantity,
        money.to_major(row.amount, row.currency),
        row.currency,
        *("" if at is None else clock.rfc3339(at) for at in moments),
    )
