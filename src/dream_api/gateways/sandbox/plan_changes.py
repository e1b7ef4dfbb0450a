"""Plan changes of a subscription: preview, proration and application."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dream_api.catalog import prorate
from dream_api.core import clock, money
from dream_api.gateways.contract import GatewayRefused, Preview, PreviewLine, SubscriptionChange
from dream_api.gateways.sandbox import cancellation, collection_pause, dunning, invoice_drafts, invoices
from dream_api.gateways.sandbox.invoice_drafts import Period
from dream_api.gateways.sandbox.line_items import SubscriptionItem, build_items, coupon_applies
from dream_api.gateways.sandbox.subscriptions import (
    invoice_line,
    items_of,
    lasting_coupon_of,
    net_amounts,
    renewal_after,
    set_items,
    start_period,
)
from dream_api.gateways.sandbox.test_cards import decline_error
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork
from dream_api.gateways.sandbox.unused_time import UnusedTime, find_unused_time

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a change at this moment comes to."""

    lines: list[SubscriptionItem]
    # What is charged for.
    asked: list[Json]
    unused: UnusedTime
    # The period that runs from then on.
    period: Period
    begins_period: bool

    @property
    def billed(self) -> list[Json]:
        """What is charged for, and (below nothing) credited."""
        return [*self.unused.credited, *self.asked]

    @property
    def total(self) -> int:
        return sum(one["amount"] for one in self.billed)


async def preview(
    work: UnitOfWork, subscription: StoredObject, customer: StoredObject, wanted: SubscriptionChange
) -> Preview:
    """What `change` would do at this very moment."""
    quote = await _quote(work, subscription, wanted)
    currency = subscription.document["currency"]
    lines = [PreviewLine(one["description"], one["amount"]) for one in quote.billed]
    credit = _credit_used(quote, customer, currency)
    if credit:
        lines.append(PreviewLine("Credit balance" if credit > 0 else "Balance of earlier invoices", -credit))
    due = quote.total - credit
    if 0 < due < money.smallest_charge(currency):
        lines.append(PreviewLine("Owed with the next invoice", -due))
        due = 0
    return Preview(
        currency=currency,
        due=due,
        lines=tuple(lines),
        recurring_amount=sum(one.amount for one in quote.lines),
        period_ends_at=quote.period[1] * clock.SECOND,
        draft_reduction=quote.unused.reduced,
    )


async def change(
    work: UnitOfWork, subscription: StoredObject, customer: StoredObject, wanted: SubscriptionChange
) -> None:
    """All of it, or, where the card on file does not pay, nothing."""
    quote = await _quote(work, subscription, wanted)
    refused = decline_error(dunning.card_on_file(customer), is_present=False)
    if refused is not None and quote.total > _credit_used(quote, customer, subscription.document["currency"]):
        raise refused
    _put(work, subscription, quote)
    subscription.document["metadata"] |= wanted.metadata
    if any(one["amount"] for one in quote.billed):
        now = (work.at, work.at)
        await dunning.finalize_and_charge(
            work, invoice_drafts.create_draft(work, subscription, "subscription_update", quote.billed, now)
        )
    work.emit_event("customer.subscription.updated", subscription)


def _credit_used(quote: Quote, customer: StoredObject, currency: str) -> int:
    return min(max(quote.total, 0), invoices.credit_balance(customer, currency))


def _put(work: UnitOfWork, subscription: StoredObject, quote: Quote) -> None:
    document = subscription.document
    if quote.unused.draft is not None:
        invoice_drafts.add_lines(work, quote.unused.draft, quote.unused.reductions)
    if quote.begins_period:
        cancellation.bill_usage(work, subscription, "subscription_cycle")
        document["billing_cycle_anchor"] = work.at
        start_period(work, subscription, quote.lines, quote.period)
    else:
        set_items(work, subscription, quote.lines, quote.period, coupon=lasting_coupon_of(subscription))
    if document["cancel_at_period_end"]:
        document["cancel_at"] = quote.period[1]


async def _quote(work: UnitOfWork, subscription: StoredObject, wanted: SubscriptionChange) -> Quote:
    status = subscription.document["status"]
    collection_pause.refuse_paused(subscription)
    if status not in ("active", "trialing"):
        raise GatewayRefused(f"A subscription that is {status} cannot be changed.", hint=_NOT_NOW)
    lines = build_items(wanted.lines, subscription.document["currency"], work.at)
    if any(one.recurrence is None for one in lines) or not any(one.is_licensed for one in lines):
        raise GatewayRefused("Usage-based prices can only be sold together with a recurring price.")
    period = cancellation.current_period(subscription)
    if status == "trialing":
        return Quote(lines, [], UnusedTime([], None, []), period, begins_period=False)
    # The time that is left is given back as it was billed: less the coupon.
    old, paid = items_of(subscription), subscription.hidden["nets"]
    given = _shares(work, old, [-net for net in paid], period, "Unused time on")
    unused = await find_unused_time(work, subscription, given)
    if _recurrence(lines) == _recurrence(old):
        nets = net_amounts(lines, lasting_coupon_of(subscription))
        asked = _shares(work, lines, nets, period, "Remaining time on")
        return Quote(lines, asked, unused, period, begins_period=False)
    period = (work.at, renewal_after(work.at, lines, anchor=work.at))
    discount = subscription.hidden["discount"]
    nets = net_amounts(lines, discount["coupon"] if coupon_applies(discount, work.at) else None)
    asked = [invoice_line(one, net, period) for one, net in zip(lines, nets, strict=True) if one.is_licensed]
    return Quote(lines, asked, unused, period, begins_period=True)


def _recurrence(lines: Sequence[SubscriptionItem]) -> tuple[str, int] | None:
    return next(one.recurrence for one in lines if one.is_licensed)


def _shares(
    work: UnitOfWork, lines: Sequence[SubscriptionItem], nets: Sequence[int], period: Period, words: str
) -> list[Json]:
    """The part of each amount that falls on what is left of the period, by the second."""
    begun, end = period
    return [
        invoice_line(
            one,
            prorate(net, end - work.at, end - begun, step=money.step(one.price["currency"])),
            (min(work.at, end), end),
            f"{words} {one.description}",
        )
        for one, net in zip(lines, nets, strict=True)
        if one.is_licensed
    ]


_NOT_NOW = "If it is past due, the customer must pay first, in the customer portal. If it has ended, create a new one."
