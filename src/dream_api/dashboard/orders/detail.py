"""The page of one order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path
from starlette.responses import Response

from dream_api import billing, store
from dream_api.billing import BillingContext
from dream_api.core import ids, money
from dream_api.core.db import Row, Tx
from dream_api.core.html import format as words
from dream_api.core.http import Form
from dream_api.dashboard.dependencies import ProjectContext
from dream_api.dashboard.forms import FormErrors
from dream_api.dashboard.layout import PageRenderer, project_url

Id = Annotated[str, Path(alias="id", max_length=64, pattern=r"^[^\x00]*$")]
_STATUSES = {
    "processing": ("Being paid", "warn"),
    "completed": ("Paid", "good"),
    "failed": ("Failed", "bad"),
    "canceled": ("Canceled", ""),
    "refunded": ("Refunded", ""),
}
_HAPPENED = {
    "created": "Sent to pay",
    "completed": "Paid",
    "failed": "Failed",
    "canceled": "Canceled",
    "refund_asked": "Refund asked for",
    "refunded": "Money went back",
    "refund_failed": "A refund could not be paid",
}
_WHY = {"sold_out": "nothing was left to sell", "not_paid": "the payment failed"}
_MONEY = {"succeeded": "good", "failed": "bad", "asked": "warn", "pending": "warn", "canceled": ""}
DONE = {"refunded": "The money is on its way back.", "canceled": "Nobody can pay the order any more."}


def status(of: str) -> str:
    return _STATUSES[of][0]


def mood(of: str) -> str:
    """Whether a status is good or bad news."""
    return _STATUSES[of][1]


def money_mood(of: str) -> str:
    """The same of a payment or refund."""
    return _MONEY.get(of, "")


def happened(event: Row[Any], currency: str) -> str:
    """`Money went back: 5.00 USD`."""
    data: dict[str, Any] = json.loads(event.data)
    more = (
        words.format_amount(data["amount"], currency) if "amount" in data else _WHY.get(str(data.get("reason", "")), "")
    )
    sentence = _HAPPENED.get(event.type) or str(event.type)
    return f"{sentence}: {more}" if more else sentence


frame = PageRenderer(
    "dream_api.dashboard.orders",
    status=status,
    mood=mood,
    happened=happened,
    major=money.to_major,
    money_mood=money_mood,
)


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """Lines in their order, the rest oldest first."""

    row: Row[Any]
    lines: Sequence[Row[Any]]
    payments: Sequence[Row[Any]]
    refunds: Sequence[Row[Any]]
    events: Sequence[Row[Any]]

    @property
    def may_be_refunded(self) -> bool:
        """Whether some of its money is still here."""
        return self.row.payment_id is not None and self.row.refunded_amount < self.row.total


async def find(tx: Tx, visit: ProjectContext, order_id: str) -> OrderDetail:
    """NotFound where the store has no such order in this mode."""
    row = await store.find_order(tx, visit.scope, order_id)
    paid_by = row.payment_id
    return OrderDetail(
        row,
        await store.lines_of(tx, visit.platform_id, row.id),
        await billing.payments_of_checkout(tx, visit.platform_id, row.checkout_id),
        [] if paid_by is None else await billing.refunds_of(tx, visit.platform_id, paid_by),
        await store.events_of(tx, visit.platform_id, row.id),
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
        whole = await find(tx, visit, order_id)
    return frame.render(
        visit,
        "order.html",
        here="orders",
        status=422 if problems else 200,
        mode_path="/orders",
        whole=whole,
        form=form or {},
        problems=problems or {},
        done=DONE.get(done),
        once=ids.new("req"),
    )
