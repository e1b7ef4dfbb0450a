"""Another price or quantity for a subscription: what it costs now, and how it comes into force."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dream_api.catalog import prorated
from dream_api.core import clock, money
from dream_api.gateways.contract import GatewayRefused, Preview, PreviewLine, SubscriptionChange
from dream_api.gateways.sandbox import cancellation, dunning, invoice_drafts, invoices
from dream_api.gateways.sandbox.invoice_drafts import Period
from dream_api.gateways.sandbox.line_items import SubscriptionItem, coupon_lasts, sold
from dream_api.gateways.sandbox.subscriptions import (
    bill_line,
    coupon_of,
    lines_of,
    net_amounts,
    open_period,
    put_lines,
    renewal_after,
)
from dream_api.gateways.sandbox.test_cards import refusal_of
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a change at this moment comes to."""

    lines: list[SubscriptionItem]
    # What is charged for, and (below nothing) given back.
    asked: list[Json]
    # The period that runs from then on.
    period: Period
    begins_period: bool

    @property
    def total(self) -> int:
        return sum(one["amount"] for one in self.asked)


def preview(
    books: UnitOfWork, subscription: StoredObject, customer: StoredObject, wanted: SubscriptionChange
) -> Preview:
    """What `change` would do at this very moment."""
    quote = _quote(books, subscription, wanted)
    currency = subscription.document["currency"]
    lines = [PreviewLine(one["description"], one["amount"]) for one in quote.asked]
    credit = _credit_used(quote, customer, currency)
    if credit:
        lines.append(PreviewLine("Credit from before", -credit))
    return Preview(
        currency=currency,
        due=quote.total - credit,
        lines=tuple(lines),
        recurring_amount=sum(one.amount for one in quote.lines),
        period_ends_at=quote.period[1] * clock.SECOND,
    )


async def change(
    books: UnitOfWork, subscription: StoredObject, customer: StoredObject, wanted: SubscriptionChange
) -> None:
    """All of it, or, where the card on file does not pay, nothing."""
    quote = _quote(books, subscription, wanted)
    refused = refusal_of(dunning.card_on_file(customer), is_present=False)
    if refused is not None and quote.total > _credit_used(quote, customer, subscription.document["currency"]):
        raise refused
    _put(books, subscription, quote)
    subscription.document["metadata"] |= wanted.metadata
    if any(one["amount"] for one in quote.asked):
        now = (books.at, books.at)
        await dunning.finalize_and_charge(
            books, invoice_drafts.draft(books, subscription, "subscription_update", quote.asked, now)
        )
    books.emit_event("customer.subscription.updated", subscription)


def _credit_used(quote: Quote, customer: StoredObject, currency: str) -> int:
    return min(max(quote.total, 0), invoices.credit_of(customer, currency))


def _put(books: UnitOfWork, subscription: StoredObject, quote: Quote) -> None:
    document = subscription.document
    if quote.begins_period:
        cancellation.bill_usage(books, subscription, "subscription_cycle")
        document["billing_cycle_anchor"] = books.at
        open_period(books, subscription, quote.lines, quote.period)
    else:
        put_lines(books, subscription, quote.lines, quote.period)
    if document["cancel_at_period_end"]:
        document["cancel_at"] = quote.period[1]


def _quote(books: UnitOfWork, subscription: StoredObject, wanted: SubscriptionChange) -> Quote:
    status = subscription.document["status"]
    if status not in ("active", "trialing"):
        raise GatewayRefused(f"A subscription that is {status} cannot be changed.", hint=_NOT_NOW)
    lines = sold(wanted.lines, subscription.document["currency"], books.at)
    if any(one.rhythm is None for one in lines) or not any(one.is_licensed for one in lines):
        raise GatewayRefused("A subscription has recurring prices, and prices of usage only beside them.")
    period = cancellation.period_of(subscription)
    if status == "trialing":
        return Quote(lines, [], period, begins_period=False)
    # The time that is left is given back as it was paid for: less the coupon.
    old, paid = lines_of(subscription), subscription.hidden["nets"]
    given = _shares(books, old, [-net for net in paid], period, "Unused time on")
    if _rhythm(lines) == _rhythm(old):
        nets = net_amounts(lines, coupon_of(subscription))
        asked = _shares(books, lines, nets, period, "Remaining time on")
        return Quote(lines, [*given, *asked], period, begins_period=False)
    period = (books.at, renewal_after(books.at, lines, anchor=books.at))
    discount = subscription.hidden["discount"]
    nets = net_amounts(lines, discount["coupon"] if coupon_lasts(discount, books.at) else None)
    asked = [bill_line(one, net, period) for one, net in zip(lines, nets, strict=True) if one.is_licensed]
    return Quote(lines, [*given, *asked], period, begins_period=True)


def _rhythm(lines: Sequence[SubscriptionItem]) -> tuple[str, int] | None:
    return next(one.rhythm for one in lines if one.is_licensed)


def _shares(
    books: UnitOfWork, lines: Sequence[SubscriptionItem], nets: Sequence[int], period: Period, words: str
) -> list[Json]:
    """The part of each amount that falls on what is left of the period, by the second."""
    begun, end = period
    return [
        bill_line(
            one,
            prorated(net, end - books.at, end - begun, step=money.step(one.price["currency"])),
            (min(books.at, end), end),
            f"{words} {one.description}",
        )
        for one, net in zip(lines, nets, strict=True)
        if one.is_licensed
    ]


_NOT_NOW = "A past due one is paid first, in the portal; an ended one is bought anew."
