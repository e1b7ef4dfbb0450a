"""The list of orders."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import store
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock, money
from dream_api.core.db import Row
from dream_api.core.html import format as formats
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard import cells, statuses
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.dependencies import ProjectContext, ProjectExport, ProjectPage
from dream_api.dashboard.exports import Fetch
from dream_api.dashboard.layout import PageRoute
from dream_api.dashboard.orders.detail import Id, show_order

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/orders"
_CHECKOUT = (
    '{"email": "ada@example.com", "items": [{"priceId": "price_…", "quantity": 1}], '
    '"successUrl": "http://localhost:3000/thanks", "cancelUrl": "http://localhost:3000/cart"}'
)


class OrderQuery(lists.ListQuery):
    status: Literal["", "processing", "completed", "failed", "canceled", "refunded"] = ""
    email: lists.Text = ""
    sort: lists.Sort = "newest"
    after: str | None = lists.cursor("ord")


Asked = Annotated[OrderQuery, Query()]
ORDERS = lists.ListPage[Row[Any], ProjectContext](
    title="Orders",
    here="orders",
    path="/orders",
    columns=[
        lists.Column("Order", lambda row, visit: cells.link(f"{visit.base}/orders/{row.id}", row.number)),
        lists.Column("Email", lists.text(lambda row: row.email), "long"),
        lists.Column("Status", lists.text(lambda row: statuses.state(row.status, "order"))),
        lists.Column("Created", lists.text(lambda row: formats.instant(row.created_at)), "less"),
        lists.Column("Total", lists.text(lambda row: cells.amount(row.total, row.currency, row.refunded_amount))),
    ],
    filters=[lists.Search("email", "Email"), lists.Select("status", "Status", statuses.options("order")), lists.SORT],
    exports={
        "number": lambda row: row.number,
        "id": lambda row: row.id,
        "status": lambda row: row.status,
        "email": lambda row: row.email,
        "userId": lambda row: row.user_id,
        "currency": lambda row: row.currency,
        "total": lambda row: money.to_major(row.total, row.currency),
        "refunded": lambda row: money.to_major(row.refunded_amount, row.currency),
        "createdAt": lambda row: clock.rfc3339(row.created_at),
        "paidAt": lambda row: row.paid_at and clock.rfc3339(row.paid_at),
    },
    empty=lists.Empty(
        "No orders yet",
        "Send buyers to a checkout for their cart: each cart becomes an order.",
        lists.Action("View products and price IDs", "/tiers"),
    ),
)


@router.get(_PATH)
async def list_orders(db: Db, settings: SettingsDep, visit: ProjectPage, asked: Asked) -> Response:
    headers = f'-H "Authorization: Bearer sk_{visit.mode}_…" -H "Content-Type: application/json"'
    command = f"curl {settings.link_base}/api/cart/checkout {headers} -d '{_CHECKOUT}'"
    return await ORDERS.show(db, visit, asked, _fetch(visit, asked), command=command)


@router.get(_PATH + ".csv")
async def export_orders(db: Db, visit: ProjectExport, asked: Asked) -> Response:
    return ORDERS.export(db, f"orders-{visit.mode}", _fetch(visit, asked))


@router.get(_PATH + "/{id}")
async def read_order(billing_context: BillingDep, visit: ProjectPage, order_id: Id, done: str = "") -> Response:
    return await show_order(billing_context, visit, order_id, done=done)


def _fetch(visit: ProjectContext, asked: OrderQuery) -> Fetch[Row[Any]]:
    return lambda tx, limit, after: store.page_of_orders(
        tx,
        visit.scope,
        status=asked.status or None,
        email=asked.email or None,
        user_id=None,
        oldest_first=asked.sort == "oldest",
        limit=limit,
        after=after,
    )
