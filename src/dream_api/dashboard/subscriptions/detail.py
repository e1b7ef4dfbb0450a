"""The page of one subscription."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path
from starlette.responses import Response

from dream_api import catalog, gateways
from dream_api.billing import BillingContext, queries, subscription_changes
from dream_api.catalog import Price
from dream_api.core import ids
from dream_api.core.db import Row, Tx
from dream_api.core.http import Form
from dream_api.dashboard.dependencies import ProjectContext
from dream_api.dashboard.forms import FormErrors
from dream_api.dashboard.layout import project_url, render_page

Id = Annotated[str, Path(alias="id", max_length=64, pattern=r"^[^\x00]*$")]
# How many invoices and payments the page shows.
_MOST = 50
DONE = {
    "changed": "Plan changed.",
    "canceled": "Subscription canceled.",
    "resumed": "Subscription resumed.",
    "refunded": "Refund requested.",
}


@dataclass(frozen=True, slots=True)
class SubscriptionDetail:
    """A subscription, what it is for, and its money, newest first."""

    account: gateways.GatewayAccount
    row: Row[Any]
    name: str
    price: Price
    invoices: Sequence[Row[Any]]
    payments: Sequence[Row[Any]]

    @property
    def title(self) -> str:
        """`2 × Team`."""
        return self.name if self.row.quantity == 1 else f"{self.row.quantity} × {self.name}"

    @property
    def may_change(self) -> bool:
        return self.row.status in ("active", "trialing")

    def lines_of(self, invoice: Row[Any]) -> list[str]:
        return [line["description"] for line in json.loads(invoice.lines)]


async def find(tx: Tx, visit: ProjectContext, subscription_id: str) -> SubscriptionDetail:
    """NotFound where the project has no such subscription in this mode."""
    account, row = await subscription_changes.find_subscription(tx, visit.scope, subscription_id)
    price = await catalog.find_price(tx, visit.platform_no, visit.project.id, visit.mode, row.price_id)
    offer = await catalog.find_tier_of_price(tx, visit.platform_no, price)
    invoices = await queries.invoices_of(tx, visit.platform_no, row.id, limit=_MOST)
    gateway_ids = [invoice.gateway_id for invoice in invoices]
    payments = await queries.payments_of_invoices(tx, visit.scope, row.customer_id, gateway_ids, limit=_MOST)
    return SubscriptionDetail(account, row, offer.display_name, price, invoices, payments)


def subscription_url(visit: ProjectContext, subscription_id: str, done: str = "") -> str:
    return project_url(visit, f"/subscriptions/{subscription_id}") + (f"?done={done}" if done else "")


async def show_subscription(
    billing_context: BillingContext,
    visit: ProjectContext,
    subscription_id: str,
    *,
    form: Form | None = None,
    problems: FormErrors | None = None,
    done: str = "",
) -> Response:
    async with billing_context.database.read() as tx:
        detail = await find(tx, visit, subscription_id)
    return render_page(
        visit,
        "subscriptions/subscription.html",
        here="subscriptions",
        status=422 if problems else 200,
        mode_path="/subscriptions",
        detail=detail,
        form=form or {},
        problems=problems or {},
        done=DONE.get(done),
        once=ids.new("req"),
    )
