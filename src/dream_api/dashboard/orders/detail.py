"""The page of one order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path
from starlette.responses import Response

from dream_api import billing, store
from dream_api.billing import BillingContext
from dream_api.core import ids
from dream_api.core.db import Row, Tx
from dream_api.core.html.format import format_amount
from dream_api.core.http import Form
from dream_api.dashboard.dependencies import ProjectContext
from dream_api.dashboard.forms import FormErrors
from dream_api.dashboard.layout import project_url, render_page

Id = Annotated[str, Path(alias="id", max_length=64, pattern=r"^[^\x00]*$")]
_EVENTS = {
    "created": "Checkout started",
    "completed": "Paid",
    "failed": "Failed",
    "canceled": "Canceled",
    "refund_asked": "Refund requested",
    "refunded": "Refunded",
    "refund_failed": "Refund failed",
}
_REASONS = {"sold_out": "sold out", "not_paid": "payment failed"}
_DONE = {"refunded": "Refund requested.", "canceled": "Order canceled."}


def _summary(event: Row[Any], currency: str) -> str:
    """`Refunded: $5.00`."""
    data: dict[str, Any] = json.loads(event.data)
    reason = _REASONS.get(str(data.get("reason", "")), "")
    more = format_amount(data["amount"], currency) if "amount" in data else reason
    sentence = _EVENTS.get(event.type) or str(event.type)
    return f"{sentence}: {more}" if more else sentence


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """Lines in their order, the rest oldest first."""

    row: Row[Any]
    lines: Sequence[Row[Any]]
    payments: Sequence[Row[Any]]
    refunds: Sequence[Row[Any]]
    # What happened, and when.
    timeline: Sequence[tuple[str, int]]

    @property
    def may_be_refunded(self) -> bool:
        """Whether it is paid, and not refunded in full."""
        return self.row.payment_id is not None and self.row.refunded_amount < self.row.total


async def find(tx: Tx, visit: ProjectContext, order_id: str) -> OrderDetail:
    """NotFound where the store has no such order in this mode."""
    row = await store.find_order(tx, visit.scope, order_id)
    paid_by = row.payment_id
    return OrderDetail(
        row,
        await store.lines_of(tx, visit.platform_no, row.id),
        await billing.payments_of_checkout(tx, visit.platform_no, row.checkout_id),
        [] if paid_by is None else await billing.refunds_of(tx, visit.platform_no, paid_by),
        [(_summary(one, row.currency), one.at) for one in await store.events_of(tx, visit.platform_no, row.id)],
    )


def order_url(visit: ProjectContext, order_id: str, done: str) -> str:
    return project_url(visit, f"/orders/{order_id}?done={done}")


async def show_order(
    billing_context: BillingContext,
    visit: ProjectContext,
    order_id: str,
    *,
    form: Form | None = None,
    problems: FormErrors | None = None,
    done: str = "",
) -> Response:
    async with billing_context.database.read() as tx:
        order = await find(tx, visit, order_id)
    return render_page(
        visit,
        "orders/order.html",
        here="orders",
        status=422 if problems else 200,
        mode_path="/orders",
        order=order,
        form=form or {},
        problems=problems or {},
        done=_DONE.get(done),
        once=ids.new("req"),
    )
