"""What the sandbox tells: signed, in order, and read by Stripe's own library like Stripe's."""

import json
import time
from typing import Any

import pytest
import stripe
from sqlalchemy import select

from dream_api.core import clock
from dream_api.core.jobs.tables import jobs
from dream_api.core.secrets import InstanceKey
from dream_api.gateways import stripe_objects, webhook_signature
from dream_api.gateways.contract import GatewayRefused
from dream_api.gateways.sandbox import DELIVER_JOB
from tests.gateways.sandbox.shop import (
    BOOK,
    DECLINED,
    DECLINED_LATER,
    DISPUTED,
    PRO,
    TOKENS,
    VISA,
    Shop,
    change_to,
    coupon,
    moment,
    open_shop,
)

SECRET = webhook_signature.signing_secret(InstanceKey(bytes(32)), "acct_test")
KINDS: dict[str, type[Any]] = {
    "checkout.session.completed": stripe.checkout.Session,
    "checkout.session.expired": stripe.checkout.Session,
    "customer.created": stripe.Customer,
    "customer.subscription.created": stripe.Subscription,
    "customer.subscription.updated": stripe.Subscription,
    "customer.subscription.deleted": stripe.Subscription,
    "invoice.created": stripe.Invoice,
    "invoice.updated": stripe.Invoice,
    "invoice.finalized": stripe.Invoice,
    "invoice.paid": stripe.Invoice,
    "invoice.payment_failed": stripe.Invoice,
    "invoice.marked_uncollectible": stripe.Invoice,
    "payment_intent.succeeded": stripe.PaymentIntent,
    "payment_intent.payment_failed": stripe.PaymentIntent,
    "charge.succeeded": stripe.Charge,
    "charge.refunded": stripe.Charge,
    "charge.dispute.created": stripe.Dispute,
    "charge.dispute.closed": stripe.Dispute,
    "refund.created": stripe.Refund,
}


async def everything_happens(shop: Shop) -> None:
    await shop.sandbox.abandon(await shop.open(BOOK))
    session_id = await shop.open(BOOK, coupon=coupon())
    with pytest.raises(Exception, match="declined"):
        await shop.sandbox.pay(session_id, DECLINED)
    await shop.sandbox.pay(session_id, VISA)
    await shop.refund((await shop.document(session_id))["payment_intent"], 100)
    await shop.buy(BOOK, card=DISPUTED)
    subscription_id = await shop.subscribe(PRO, TOKENS, trial_days=3, coupon=coupon())
    await shop.wait(days=3)
    await shop.use((await shop.invoices())[-1].id, 20)
    await shop.wait(days=1)
    await shop.change(subscription_id, change_to(PRO, quantity=5))
    await shop.sandbox.change_card(await shop.open_portal(subscription_id), DECLINED_LATER)
    await shop.wait(days=60)


def received(event: dict[str, Any]) -> stripe.Event:
    """As whoever uses Stripe's library receives it."""
    payload = json.dumps(event)
    return stripe.Webhook.construct_event(payload.encode(), _signed(payload), SECRET)


def _signed(payload: str) -> str:
    return webhook_signature.sign(payload, SECRET, int(time.time()))


async def test_stripes_library_reads_everything_that_is_told(shop: Shop) -> None:
    await everything_happens(shop)
    events = await shop.events()

    assert {event["type"] for event in events} == set(KINDS)
    for event in events:
        read = received(event)
        thing = read.data.object
        assert type(thing) is KINDS[event["type"]]
        assert (read.account, read.livemode, read.pending_webhooks) == (shop.account.id, False, 1)
        missing = [name for name in _always_there(type(thing)) if not hasattr(thing, name)]
        assert missing == [], event["type"]


def _always_there(kind: type[Any]) -> list[str]:
    """The fields that Stripe's library promises to whoever reads an object."""
    fields = {name: str(told) for name, told in kind.__annotations__.items() if name[0] != "_"}
    return [name for name, told in fields.items() if not any(word in told for word in ("Optional", "None", "ClassVar"))]


async def test_the_fields_of_a_subscription_are_where_the_library_has_them(shop: Shop) -> None:
    subscription_id = await shop.subscribe(PRO, TOKENS, quantity=2)
    [created] = [event for event in await shop.events() if event["type"] == "customer.subscription.created"]

    subscription = received(created).data.object

    assert isinstance(subscription, stripe.Subscription)
    licensed, metered = subscription.items.data
    assert (subscription.id, subscription.status, subscription.cancel_at_period_end) == (
        subscription_id,
        "active",
        False,
    )
    assert (licensed.price.id, licensed.price.lookup_key, licensed.price.metadata["price"]) == ("price_pro",) * 3
    assert (licensed.quantity, licensed.price.unit_amount, licensed.price.recurring.interval) == (2, 3000, "month")
    assert licensed.current_period_end * clock.SECOND == clock.add_months(shop.now, 1)
    assert metered.price.recurring.usage_type == "metered"
    assert not hasattr(metered, "quantity")


async def test_the_fields_of_an_invoice_are_where_the_library_has_them(shop: Shop) -> None:
    session = await shop.buy(PRO, coupon=coupon())
    [paid] = [event for event in await shop.events() if event["type"] == "invoice.paid"]

    invoice = received(paid).data.object

    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.total, invoice.amount_paid, invoice.amount_remaining) == (1500, 1500, 0)
    assert invoice.total_discount_amounts[0].amount == 1500
    assert invoice.parent.subscription_details.subscription == session["subscription"]
    assert invoice.lines.data[0].pricing.price_details.price == "price_pro"
    assert invoice.payments.data[0].payment.payment_intent == (await shop.payments())[0].id


async def test_every_event_is_about_something_that_can_be_read(shop: Shop) -> None:
    await everything_happens(shop)
    sandbox, account = shop.sandbox, shop.account
    reads = {
        "checkout": sandbox.read_checkout,
        "subscription": sandbox.read_subscription,
        "invoice": sandbox.read_invoice,
        "payment": sandbox.read_payment,
    }

    for event in await shop.events():
        about = stripe_objects.event_object(event)
        if event["type"] == "customer.created":
            assert about is None
        else:
            assert about is not None
            kind, object_id = about
            assert (await reads[kind](account, object_id)).id == object_id


async def test_events_stay_until_they_are_delivered(shop: Shop) -> None:
    await shop.buy(BOOK)
    told = [event["id"] for event in await shop.events()]

    found = await shop.sandbox.undelivered(shop.account)
    assert [event_id for event_id, _ in found] == told == sorted(told)
    assert [json.loads(payload)["id"] for _, payload in found] == told

    await shop.sandbox.mark_delivered(shop.account, told[:2])

    assert [event_id for event_id, _ in await shop.sandbox.undelivered(shop.account)] == told[2:]


async def test_each_transaction_that_tells_something_asks_once_for_delivery(shop: Shop) -> None:
    async def asked() -> list[Any]:
        async with shop.database.read() as tx:
            return [
                (row.payload, row.platform_no) for row in await tx.all(select(jobs).where(jobs.c.kind == DELIVER_JOB))
            ]

    session_id = await shop.open(BOOK)
    assert await asked() == []
    await shop.sandbox.pay(session_id, VISA)

    assert await asked() == [({"account": shop.account.id}, shop.account.platform_no)]


async def test_an_account_sees_nothing_of_anothers(shop: Shop) -> None:
    """Ids of one shop mean nothing in another."""
    subscription_id = await shop.subscribe()
    [payment], [invoice] = await shop.payments(), await shop.invoices()
    other = await open_shop(shop.database)

    for asked in (
        other.subscription(subscription_id),
        other.sandbox.read_payment(other.account, payment.id),
        other.sandbox.read_invoice(other.account, invoice.id),
        other.cancel(subscription_id, at_period_end=False),
        other.refund(payment.id, 1),
        other.open(BOOK, customer=payment.customer),
        other.sandbox.open_portal(other.account, str(payment.customer), "https://shop.example.com"),
    ):
        with pytest.raises(GatewayRefused, match="has no"):
            await asked
    assert await other.sandbox.undelivered(other.account) == []
    assert await other.sandbox.advance_next_due(other.account, moment("2030-01-01T00:00:00")) is None
