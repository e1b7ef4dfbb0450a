"""Subscriptions: creation, billing periods and renewal."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dream_api.gateways.sandbox import billing_cycle, cancellation, collection_pause, invoice_drafts, objects
from dream_api.gateways.sandbox.invoice_drafts import Period
from dream_api.gateways.sandbox.line_items import SubscriptionItem, coupon_applies, discounts, new_discount
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]


def create_subscription(
    work: UnitOfWork,
    customer: StoredObject,
    lines: Sequence[SubscriptionItem],
    *,
    trial_days: int,
    coupon: Json | None,
    metadata: dict[str, str],
) -> tuple[StoredObject, StoredObject]:
    """A subscription from this moment on, and the draft of its first invoice."""
    at = work.at
    trial_end = at + trial_days * billing_cycle.DAY if trial_days else None
    document = objects.subscription(customer.id, lines[0].price["currency"], metadata, at, trial_end)
    document["default_payment_method"] = customer.document["invoice_settings"]["default_payment_method"]
    subscription = work.add(document, parent=customer.id, discount=new_discount(coupon, trial_end or at))
    going_on = [one for one in lines if one.recurrence is not None]
    period = (at, trial_end or renewal_after(at, going_on, anchor=at))
    asked = start_period(work, subscription, going_on, period, is_free=trial_end is not None)
    asked += [invoice_line(one, one.amount, (at, at)) for one in lines if one.recurrence is None]
    invoice = invoice_drafts.create_draft(
        work, subscription, "subscription_create", asked, (at, at), coupon=coupon_of(subscription)
    )
    work.emit_event("customer.subscription.created", subscription)
    return subscription, invoice


def renewal_after(at: int, lines: Sequence[SubscriptionItem], *, anchor: int) -> int:
    interval, count = next(one.recurrence for one in lines if one.is_licensed and one.recurrence is not None)
    return billing_cycle.renewal_after(at, anchor=anchor, interval=interval, count=count)


def invoice_line(one: SubscriptionItem, amount: int, period: Period, description: str | None = None) -> Json:
    return invoice_drafts.new_line(amount, description or one.description, period, one.price, quantity=one.quantity)


def start_period(
    work: UnitOfWork,
    subscription: StoredObject,
    lines: Sequence[SubscriptionItem],
    period: Period,
    *,
    is_free: bool = False,
) -> list[Json]:
    """The period that begins at its first moment, and what is asked for it; a trial is free."""
    subscription.hidden["usage_period"] = None
    discount = subscription.hidden["discount"]
    is_discounted = not is_free and coupon_applies(discount, period[0])
    discount["used"] = discount["used"] or is_discounted
    subscription.hidden |= {"is_discounted": is_discounted, "is_metered": False, "is_unpaid_period": False}
    set_items(work, subscription, lines, period, coupon=coupon_of(subscription))
    if is_free:
        return [invoice_line(one, 0, period, f"Trial of {one.description}") for one in lines if one.is_licensed]
    return [invoice_line(one, one.amount, period) for one in lines if one.is_licensed]


def set_items(
    work: UnitOfWork,
    subscription: StoredObject,
    lines: Sequence[SubscriptionItem],
    period: Period,
    *,
    coupon: Json | None,
) -> None:
    """From now on it has these lines, less the coupon; an item whose price stays keeps its id."""
    document, hidden = subscription.document, subscription.hidden
    # One that runs goes on to its end.
    usage = hidden.get("usage_period") or _next_usage_period(subscription, lines, period, period[0])
    old = {item["price"]["id"]: item for item in document["items"]["data"]}
    items: list[Json] = []
    for one in lines:
        quantity = None if one.is_metered else one.quantity
        item = objects.item(subscription.id, one.price, quantity, usage if one.is_metered else period, work.at)
        before = old.pop(one.price["id"], item)
        items.append(item | {"id": before["id"], "created": before["created"]})
    document["items"] = objects.list_object(items, document["items"]["url"])
    hidden["lines"] = [asdict(one) for one in lines]
    hidden["nets"] = net_amounts(lines, coupon)
    # Also usage that was sold for a part of the period only is billed at its end.
    hidden["is_metered"] = hidden["is_metered"] or any(one.is_metered for one in lines)
    hidden["usage_period"] = list(usage)
    subscription.due = usage[1]


def _next_usage_period(
    subscription: StoredObject, lines: Sequence[SubscriptionItem], period: Period, at: int
) -> Period:
    """The one that begins at a moment inside the plan's period, and ends with it at the latest."""
    recurrence = next((one.recurrence for one in lines if one.is_metered), None)
    if recurrence is None or subscription.document["status"] == "trialing":
        return (at, period[1])
    anchor = subscription.document["billing_cycle_anchor"]
    end = billing_cycle.renewal_after(at, anchor=anchor, interval=recurrence[0], count=recurrence[1])
    return (at, min(end, period[1]))


def net_amounts(lines: Sequence[SubscriptionItem], coupon: Json | None) -> list[int]:
    """What a full period costs by each line, less the coupon: of this the time that is left is given back."""
    off = discounts(coupon, [one.amount for one in lines], (), lines[0].price["currency"])
    return [one.amount - less for one, less in zip(lines, off, strict=True)]


def coupon_of(subscription: StoredObject) -> Json | None:
    """The coupon, where it counts in the period that is running."""
    return subscription.hidden["discount"]["coupon"] if subscription.hidden["is_discounted"] else None


def lasting_coupon_of(subscription: StoredObject) -> Json | None:
    """As `coupon_of`, for what is charged within a period: one that counts once was spent on the first invoice."""
    coupon = coupon_of(subscription)
    return None if coupon is None or coupon["duration"] == "once" else coupon


def items_of(subscription: StoredObject) -> list[SubscriptionItem]:
    return [SubscriptionItem(**one) for one in subscription.hidden["lines"]]


def _bill_usage_period(
    work: UnitOfWork, subscription: StoredObject, lines: Sequence[SubscriptionItem], plan_period: Period
) -> None:
    """A month of usage inside a paid year is over: it is billed, and the next one begins."""
    closed = cancellation.running_usage_period(subscription)
    subscription.hidden["usage_period"] = list(_next_usage_period(subscription, lines, plan_period, closed[1]))
    coupon = coupon_of(subscription)
    set_items(work, subscription, lines, plan_period, coupon=coupon)
    if not collection_pause.is_paused(subscription):
        due = work.at + billing_cycle.DRAFT_TIME
        coupon = lasting_coupon_of(subscription)
        invoice_drafts.create_draft(work, subscription, "subscription_cycle", (), closed, coupon=coupon, due=due)
    work.emit_event("customer.subscription.updated", subscription)


def _pass_period(
    work: UnitOfWork, subscription: StoredObject, lines: Sequence[SubscriptionItem], period: Period
) -> None:
    """A period that nobody pays for begins: there is no invoice, and no coupon is spent on it."""
    subscription.hidden |= {"usage_period": None, "is_discounted": False, "is_metered": False}
    subscription.hidden["is_unpaid_period"] = True
    set_items(work, subscription, lines, period, coupon=None)
    work.emit_event("customer.subscription.updated", subscription)


async def renew(work: UnitOfWork, subscription: StoredObject) -> None:
    """At its period's end: the next one begins at once and its invoice is drafted, or all of it ends."""
    document = subscription.document
    closed, lines = cancellation.running_usage_period(subscription), items_of(subscription)
    plan_period = cancellation.current_period(subscription)
    if closed[1] < plan_period[1]:
        _bill_usage_period(work, subscription, lines, plan_period)
        return
    if document["cancel_at_period_end"]:
        bills_usage = not collection_pause.is_paused(subscription)
        await cancellation.end_subscription(
            work, subscription, reason="cancellation_requested", bills_usage=bills_usage
        )
        return
    period = (closed[1], renewal_after(closed[1], lines, anchor=document["billing_cycle_anchor"]))
    if document["status"] == "trialing":
        document["status"] = "active"
    reason = "subscription_cycle"
    if collection_pause.is_paused(subscription):
        if not collection_pause.is_over(subscription, closed[1]):
            _pass_period(work, subscription, lines, period)
            return
        await collection_pause.end_pause(work, subscription)
        # It bills no usage: the period before was paused.
        reason = "subscription_update"
    asked = start_period(work, subscription, lines, period)
    due = work.at + billing_cycle.DRAFT_TIME
    coupon = coupon_of(subscription)
    invoice_drafts.create_draft(work, subscription, reason, asked, closed, coupon=coupon, due=due)
    work.emit_event("customer.subscription.updated", subscription)
