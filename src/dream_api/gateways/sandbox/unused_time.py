"""Unused time: what a plan change gives back of the current period.

Credit is given only for time that was paid for and not returned. As long as the period's invoice is a draft, it is
reduced instead; of what was billed and not paid, refunded, or lost in a dispute, nothing is given back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dream_api.catalog import allocate
from dream_api.core import money
from dream_api.gateways.sandbox import cancellation, invoice_drafts
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class UnusedTime:
    """Lines below nothing: `credited` at once, and those that are put on the `draft` of the current period."""

    credited: list[Json]
    draft: StoredObject | None
    reductions: list[Json]

    @property
    def reduced(self) -> int:
        return -sum(line["amount"] for line in self.reductions)


async def find_unused_time(work: UnitOfWork, subscription: StoredObject, lines: Sequence[Json]) -> UnusedTime:
    """How much of these lines, which give back what the rest of the period is worth, the customer has paid for."""
    begun = cancellation.current_period(subscription)[0]
    step = money.step(subscription.document["currency"])
    draft, missing = None, 0
    for invoice in await work.children(subscription.id, "invoice"):
        billed = _plan_amount(invoice)
        if invoice.document["created"] < begun or billed <= 0:
            continue
        if invoice.document["status"] == "draft":
            draft = invoice
        elif invoice.document["status"] == "paid":
            missing += min(await _returned(work, invoice), billed)
        else:
            missing += billed
    given = max(-sum(line["amount"] for line in lines) - missing, 0) // step * step
    reduced = 0 if draft is None else min(given, _plan_amount(draft))
    return UnusedTime(_part(lines, given - reduced), draft, _part(lines, reduced))


def _plan_amount(invoice: StoredObject) -> int:
    """What an invoice bills for the plan, less its discount."""
    lines: list[Json] = invoice.document["lines"]["data"]
    return sum(
        line["amount"] - sum(one["amount"] for one in line["discount_amounts"])
        for line in lines
        if not invoice_drafts.is_usage(line)
    )


async def _returned(work: UnitOfWork, invoice: StoredObject) -> int:
    """What of a paid invoice was refunded, or is disputed and not won."""
    if invoice.hidden["payment"] is None:
        return 0
    payment = await work.find("payment_intent", invoice.hidden["payment"])
    charge = await work.find("charge", payment.document["latest_charge"])
    disputes = await work.children(payment.id, "dispute")
    if any(dispute.document["status"] != "won" for dispute in disputes):
        return int(charge.document["amount"])
    return int(charge.document["amount_refunded"])


def _part(lines: Sequence[Json], amount: int) -> list[Json]:
    """The lines, scaled to give back so much together; none where that is nothing."""
    if not amount:
        return []
    parts = allocate(-amount, [-line["amount"] for line in lines])
    return [line | {"amount": part, "subtotal": part} for line, part in zip(lines, parts, strict=True) if part]
