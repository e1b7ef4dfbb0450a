"""`/dashboard/{projectId}/{mode}/subscriptions`: the list of subscriptions, and its CSV export."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import catalog
from dream_api.billing import queries
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock, money
from dream_api.core.db import Row, Tx
from dream_api.core.html import format as formats
from dream_api.core.http.dependencies import Db
from dream_api.dashboard import cells, statuses
from dream_api.dashboard import list_page as lists
from dream_api.dashboard.dependencies import ProjectContext, ProjectExport, ProjectPage
from dream_api.dashboard.exports import Fetch
from dream_api.dashboard.layout import PageRoute
from dream_api.dashboard.subscriptions.detail import Id, show_subscription

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/subscriptions"


class SubscriptionQuery(lists.ListQuery):
    user_id: lists.Text = ""
    plan: lists.Text = ""
    status: Literal["", "trialing", "active", "past_due", "paused", "canceled"] = ""
    sort: lists.Sort = "newest"
    after: str | None = lists.cursor("sub")


Asked = Annotated[SubscriptionQuery, Query()]


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription, and what its plan is called."""

    row: Row[Any]
    plan: str

    @property
    def title(self) -> str:
        """`2 × Team`."""
        return self.plan if self.row.quantity == 1 else f"{formats.number(self.row.quantity)} × {self.plan}"

    @property
    def ends_at(self) -> int:
        """When it renews, ends or ended."""
        return self.row.ended_at or self.row.cancel_at or self.row.period_ends_at


def _customer(one: Subscribed, visit: ProjectContext) -> object:
    return cells.link(f"{visit.base}/subscriptions/{one.row.id}", one.row.user_id) + cells.narrow_only(one.plan)


def _status(one: Subscribed) -> object:
    is_ending = one.row.cancel_at and one.row.status != "canceled"
    return statuses.badge("Cancels", "warn") if is_ending else statuses.state(one.row.status, "subscription")


def _exported(at: int | None) -> str | None:
    return None if at is None else clock.rfc3339(at)


SUBSCRIPTIONS = lists.ListPage[Subscribed, ProjectContext](
    title="Subscriptions",
    here="subscriptions",
    path="/subscriptions",
    columns=[
        lists.Column("Customer", _customer, "long"),
        lists.Column("Plan", lists.text(lambda one: one.title), "less"),
        lists.Column("Status", lists.text(_status)),
        lists.Column("Started", lists.text(lambda one: formats.instant(one.row.started_at)), "less"),
        lists.Column("Renews or ends", lists.text(lambda one: formats.instant(one.ends_at)), "less"),
        lists.Column("Amount", lists.text(lambda one: cells.amount(one.row.amount, one.row.currency))),
    ],
    filters=[
        lists.Search("userId", "User ID"),
        lists.Select("plan", "Plan"),
        lists.Select("status", "Status", statuses.options("subscription")),
        lists.SORT,
    ],
    exports={
        "id": lambda one: one.row.id,
        "userId": lambda one: one.row.user_id,
        "plan": lambda one: one.row.plan,
        "status": lambda one: one.row.status,
        "quantity": lambda one: one.row.quantity,
        "price": lambda one: money.to_major(one.row.amount, one.row.currency),
        "currency": lambda one: one.row.currency,
        "startDate": lambda one: _exported(one.row.started_at),
        "currentPeriodEnd": lambda one: _exported(one.row.period_ends_at),
        "cancelAt": lambda one: _exported(one.row.cancel_at),
        "endDate": lambda one: _exported(one.row.ended_at),
    },
    actions=[lists.Action("Create payment link", "/subscriptions/new", "sell")],
    cursor=lambda one: one.row.id,
    empty=lists.Empty(
        "No subscriptions yet",
        "Customers subscribe at a checkout. Send them there from your site with POST /api/create-checkout, "
        "or create a payment link for one customer here.",
        lists.Action("Create payment link", "/subscriptions/new", "sell"),
    ),
)


@router.get(_PATH)
async def list_subscriptions(db: Db, visit: ProjectPage, asked: Asked) -> Response:
    async with db.read() as tx:
        names = await _plan_names(tx, visit)
    options = {"plan": [("", "All"), *names.items()]}
    return await SUBSCRIPTIONS.show(db, visit, asked, _fetch(visit, asked, names), options=options)


@router.get(_PATH + ".csv")
async def export_subscriptions(db: Db, visit: ProjectExport, asked: Asked) -> Response:
    return SUBSCRIPTIONS.export(db, f"subscriptions-{visit.mode}", _fetch(visit, asked, {}))


@router.get(_PATH + "/{id}")
async def read_subscription(
    billing_context: BillingDep, visit: ProjectPage, subscription_id: Id, done: str = ""
) -> Response:
    return await show_subscription(billing_context, visit, subscription_id, done=done)


async def _plan_names(tx: Tx, visit: ProjectContext) -> dict[str, str]:
    offers = await catalog.list_tiers(tx, visit.platform_no, visit.project.id, visit.mode, archived_too=True)
    return {offer.name: offer.display_name for offer in offers}


def _fetch(visit: ProjectContext, asked: SubscriptionQuery, names: dict[str, str]) -> Fetch[Subscribed]:
    async def fetch(tx: Tx, limit: int, after: str | None) -> list[Subscribed]:
        rows = await queries.page_of_subscriptions(
            tx,
            visit.scope,
            status=asked.status,
            plan=asked.plan,
            user_id=asked.user_id,
            oldest_first=asked.sort == "oldest",
            limit=limit,
            after=after,
        )
        return [Subscribed(row, names.get(row.plan) or str(row.plan)) for row in rows]

    return fetch
