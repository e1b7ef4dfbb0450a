"""The list of orders."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import store
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock, money
from dream_api.core.db import Row, Tx
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.csv_export import MOST_ROWS, csv_file
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage, ProjectPageCanManage
from dream_api.dashboard.layout import PageRoute
from dream_api.dashboard.orders.detail import Id, frame, show_order

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/orders"
_ON_A_PAGE = 50
Status = Literal["", "processing", "completed", "failed", "canceled", "refunded"]
Sort = Literal["newest", "oldest"]
Text = Annotated[str, Query(max_length=255, pattern=r"^[^\x00]*$")]
After = Annotated[str | None, Query(pattern=r"^ord_[0-9a-z]{26}$")]
_COLUMNS = (
    "number",
    "id",
    "status",
    "email",
    "userId",
    "currency",
    "total",
    "refunded",
    "createdAt",
    "paidAt",
)


@router.get(_PATH)
async def list_orders(
    db: Db,
    settings: SettingsDep,
    visit: ProjectPage,
    status: Status = "",
    email: Text = "",
    sort: Sort = "newest",
    after: After = None,
) -> Response:
    async with db.read() as tx:
        found = await _page(tx, visit, status, email, sort, limit=_ON_A_PAGE + 1, after=after)
    page = found[:_ON_A_PAGE]
    filters = {"status": status, "email": email, "sort": sort}
    return frame.render(
        visit,
        "orders.html",
        here="orders",
        mode_path="/orders",
        orders=page,
        filters=filters,
        is_filtered=bool(status or email or after),
        query=urlencode(filters),
        next_url=f"?{urlencode(filters)}&after={page[-1].id}" if len(found) > _ON_A_PAGE else "",
        api_url=settings.link_base,
    )


@router.get(_PATH + ".csv")
async def export_orders(
    db: Db, visit: ProjectPageCanManage, status: Status = "", email: Text = "", sort: Sort = "newest"
) -> Response:
    async with db.read() as tx:
        rows = await _page(tx, visit, status, email, sort, limit=MOST_ROWS, after=None)
    return csv_file(f"orders-{visit.mode}", _COLUMNS, [_cells(row) for row in rows])


@router.get(_PATH + "/{id}")
async def read_order(billing_context: BillingDep, visit: ProjectPage, order_id: Id, done: str = "") -> Response:
    return await show_order(billing_context, visit, order_id, done=done)


async def _page(
    tx: Tx, visit: ProjectContext, status: Status, email: str, sort: Sort, *, limit: int, after: str | None
) -> Any:
    return await store.page_of_orders(
        tx,
        visit.scope,
        status=status or None,
        email=email or None,
        user_id=None,
        oldest_first=sort == "oldest",
        limit=limit,
        after=after,
    )


def _cells(row: Row[Any]) -> tuple[object, ...]:
    return (
        row.number,
        row.id,
        row.status,
        row.email,
        row.user_id,
        row.currency,
        money.to_major(row.total, row.currency),
        money.to_major(row.refunded_amount, row.currency),
        clock.rfc3339(row.created_at),
        None if row.paid_at is None else clock.rfc3339(row.paid_at),
    )
