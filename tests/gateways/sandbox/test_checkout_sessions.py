"""A checkout's page is paid, once; or it is left, or expires."""

import asyncio
from typing import Any

import pytest

from dream_api.catalog import Price
from dream_api.core import clock
from dream_api.core.errors import NotFound, ValidationFailed
from dream_api.gateways.contract import AuthenticationRequired, CardDeclined, GatewayRefused, InsufficientFunds
from tests.gateways.sandbox.shop import (
    BOOK,
    CONFIRMS,
    DECLINED,
    DECLINED_LATER,
    DISPUTED,
    PRO,
    TOKENS,
    VISA,
    YEARLY,
    Shop,
    coupon,
)


async def test_a_cart_is_paid(shop: Shop) -> None:
    session_id = await shop.open(BOOK, quantity=3)

    told = await shop.sandbox.pay(session_id, VISA)

    paid = await shop.sandbox.read_checkout(shop.account, session_id)
    assert (paid.status, paid.is_paid, paid.total, paid.email) == ("complete", True, 4500, "ada@example.com")
    assert paid.subscription is None
    [payment] = await shop.payments()
    assert payment.id == paid.payment
    assert (payment.status, payment.amount, payment.customer) == ("succeeded", 4500, paid.customer)
    assert (payment.method, payment.brand, payment.last4) == ("card", "visa", "4242")
    assert payment.metadata == paid.metadata == {"checkout": "chk_1"}
    assert [event["id"] for event in await shop.events()] == told
    assert await shop.told() == [
        "customer.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


async def test_a_subscription_begins_with_its_first_invoice_paid(shop: Shop) -> None:
    session_id = await shop.open(PRO, TOKENS, quantity=2)

    await shop.sandbox.pay(session_id, VISA)

    paid = await shop.sandbox.read_checkout(shop.account, session_id)
    assert paid.subscription is not None
    subscription = await shop.subscription(paid.subscription)
    assert (subscription.status, subscription.price_id, subscription.quantity) == ("active", "price_pro", 2)
    assert (subscription.started_at, subscription.period_starts_at) == (shop.now, shop.now)
    assert subscription.period_ends_at == clock.add_months(shop.now, 1)
    assert subscription.metadata == {"checkout": "chk_1"}
    [invoice] = await shop.invoices()
    assert (invoice.status, invoice.reason, invoice.total) == ("paid", "subscription_create", 6000)
    assert [(told.description, told.amount, told.price_id) for told in invoice.lines] == [
        ("2 × Pro", 6000, "price_pro")
    ]
    [payment] = await shop.payments()
    assert (payment.invoice, invoice.payment) == (invoice.id, payment.id)


async def test_a_known_customer_stays_the_same(shop: Shop) -> None:
    first = await shop.buy(PRO)
    second = await shop.buy(BOOK, customer=first["customer"], email=None)

    assert second["customer"] == first["customer"]
    assert second["customer_details"]["email"] == "ada@example.com"
    assert (await shop.told()).count("customer.created") == 1


@pytest.mark.parametrize(
    ("card", "refusal", "failure"),
    [(DECLINED, CardDeclined, "generic_decline"), ("4000000000009995", InsufficientFunds, "insufficient_funds")],
)
async def test_a_declined_card_leaves_the_page_open_for_another(
    shop: Shop, card: str, refusal: type[Exception], failure: str
) -> None:
    session_id = await shop.open(PRO)

    with pytest.raises(refusal):
        await shop.sandbox.pay(session_id, card)

    assert (await shop.sandbox.read_checkout(shop.account, session_id)).status == "open"
    [payment] = await shop.payments()
    assert (payment.status, payment.failure, payment.last4) == ("failed", failure, card.replace(" ", "")[-4:])
    assert payment.metadata == {"checkout": "chk_1"}
    assert await shop.told() == ["payment_intent.payment_failed"]

    await shop.sandbox.pay(session_id, VISA)

    [paid] = await shop.payments()
    assert (paid.id, paid.status, paid.failure) == (payment.id, "succeeded", None)


async def test_a_card_that_must_be_confirmed_pays_then(shop: Shop) -> None:
    session_id = await shop.open(PRO)

    with pytest.raises(AuthenticationRequired):
        await shop.sandbox.pay(session_id, CONFIRMS)
    assert await shop.told() == []
    await shop.sandbox.pay(session_id, CONFIRMS, authenticate=True)

    assert (await shop.sandbox.read_checkout(shop.account, session_id)).is_paid


async def test_a_trial_keeps_the_card_and_charges_nothing(shop: Shop) -> None:
    session = await shop.buy(PRO, trial_days=14)

    subscription = await shop.subscription(session["subscription"])
    assert (session["payment_status"], session["amount_total"]) == ("no_payment_required", 0)
    assert subscription.status == "trialing"
    assert subscription.trial_ends_at == subscription.period_ends_at == shop.now + 14 * clock.DAY
    assert await shop.payments() == []
    [invoice] = await shop.invoices()
    assert (invoice.status, invoice.total, invoice.payment) == ("paid", 0, None)


@pytest.mark.parametrize("card", [None, DECLINED])
async def test_a_trial_needs_a_card_that_works(shop: Shop, card: str | None) -> None:
    session_id = await shop.open(PRO, trial_days=14)

    with pytest.raises((ValidationFailed, CardDeclined)):
        await shop.sandbox.pay(session_id, card)

    assert (await shop.sandbox.read_checkout(shop.account, session_id)).status == "open"
    assert await shop.told() == []


async def test_a_coupon_takes_off_and_what_is_bought_once_is_paid_with_the_first_period(shop: Shop) -> None:
    session = await shop.buy(PRO, BOOK, coupon=coupon(percent_off=20))

    [invoice] = await shop.invoices()
    assert session["amount_total"] == invoice.total == 3600
    assert (invoice.subtotal, invoice.discount, invoice.amount_paid) == (4500, 900, 3600)
    assert sum(one["amount_total"] for one in session["line_items"]["data"]) == 3600


async def test_a_cart_that_costs_nothing_needs_no_card(shop: Shop) -> None:
    session_id = await shop.open(BOOK, coupon=coupon(percent_off=100))

    await shop.sandbox.pay(session_id, None)

    paid = await shop.sandbox.read_checkout(shop.account, session_id)
    assert (paid.status, paid.is_paid, paid.total, paid.discount, paid.payment) == ("complete", True, 0, 1500, None)


async def test_nobody_pays_twice(shop: Shop) -> None:
    session_id = await shop.open(BOOK)
    await shop.sandbox.pay(session_id, VISA)

    with pytest.raises(GatewayRefused, match="already paid"):
        await shop.sandbox.pay(session_id, VISA)

    assert len(await shop.payments()) == 1


async def test_of_two_who_pay_at_once_one_does(shop: Shop) -> None:
    for price in (BOOK, PRO):
        session_id = await shop.open(price)

        ends = await asyncio.gather(*(shop.sandbox.pay(session_id, VISA) for _ in range(4)), return_exceptions=True)

        assert sum(isinstance(end, list) for end in ends) == 1
        assert sum(isinstance(end, GatewayRefused) for end in ends) == 3
    assert [payment.amount for payment in await shop.payments()] == [1500, 3000]
    assert len(await shop.documents("subscription")) == 1


async def test_who_leaves_cannot_pay_any_more(shop: Shop) -> None:
    session_id = await shop.open(BOOK)

    await shop.sandbox.abandon(session_id)
    await shop.sandbox.abandon(session_id)

    assert await shop.told() == ["checkout.session.expired"]
    with pytest.raises(GatewayRefused, match="has expired"):
        await shop.sandbox.pay(session_id, VISA)


async def test_a_page_expires_at_its_moment(shop: Shop) -> None:
    session_id = await shop.open(BOOK)
    expires_at = shop.now + 30 * clock.MINUTE

    assert await shop.wait(minutes=29) == []
    shop.now = expires_at
    with pytest.raises(GatewayRefused, match="has expired"):  # also before anybody has noticed
        await shop.sandbox.pay(session_id, VISA)
    assert await shop.wait(minutes=1) == [expires_at]

    assert (await shop.sandbox.read_checkout(shop.account, session_id)).status == "expired"
    [event] = await shop.events()
    assert (event["type"], event["created"] * clock.SECOND) == ("checkout.session.expired", expires_at)


async def test_a_paid_page_does_not_expire(shop: Shop) -> None:
    session = await shop.buy(BOOK)

    await shop.sandbox.expire_checkout(shop.account, session["id"])
    assert await shop.wait(hours=2) == []

    assert (await shop.sandbox.read_checkout(shop.account, session["id"])).status == "complete"


async def test_the_page_shows_what_is_sold(shop: Shop) -> None:
    session_id = await shop.open(PRO, TOKENS, trial_days=7, coupon=coupon())

    session = await shop.sandbox.find_session(session_id)

    assert session.account == shop.account
    assert [one["description"] for one in session.document["line_items"]["data"]] == ["Pro", "Tokens"]
    assert session.document["url"] == f"http://dream.test/sandbox/checkout/{session_id}"
    assert (session.hidden["trial_days"], session.hidden["coupon"]["code"]) == (7, "HALF")


async def test_pages_are_found_by_nothing_but_their_whole_id(shop: Shop) -> None:
    session_id = await shop.open(BOOK)
    altered = session_id[:20] + ("a" if session_id[20] != "a" else "b") + session_id[21:]
    of_portal = "bps_" + session_id.removeprefix("cs_test_")

    assert len({await shop.open(BOOK) for _ in range(5)}) == 5
    assert len(session_id.removesuffix(shop.account.id).removeprefix("cs_test_")) == 43
    for wrong in (
        altered,
        of_portal,
        session_id[:-1],
        session_id + "a",
        "",
        "cs_test_",
        shop.account.id,
        "cs_test_\x00",
    ):
        with pytest.raises(NotFound):
            await shop.sandbox.find_session(wrong)
        with pytest.raises(NotFound):
            await shop.sandbox.pay(wrong, VISA)


async def test_a_checkout_that_was_asked_for_twice_with_one_key_is_one(shop: Shop) -> None:
    shop.keys = 0
    first = await shop.open(BOOK)
    shop.keys = 0
    again = await shop.open(BOOK)

    assert again == first
    assert len(await shop.documents("checkout.session")) == 1


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        ((), {}),
        ((TOKENS,), {}),
        ((PRO, YEARLY), {}),
        ((PRO,), {"currency": "eur"}),
        ((PRO,), {"coupon": coupon(percent_off=None, amount_off=100, currency="eur")}),
        ((PRO,), {"customer": "cus_unknown"}),
    ],
    ids=["nothing", "only usage", "two rhythms", "another currency", "a foreign coupon", "an unknown customer"],
)
async def test_what_cannot_be_sold_together_is_refused(
    shop: Shop, lines: tuple[Price, ...], more: dict[str, Any]
) -> None:
    with pytest.raises(GatewayRefused):
        await shop.open(*lines, **more)

    assert await shop.documents("checkout.session") == []


@pytest.mark.parametrize("card", [DECLINED_LATER, DISPUTED])
async def test_cards_that_make_trouble_later_pay_now(shop: Shop, card: str) -> None:
    session = await shop.buy(BOOK, card=card)

    assert session["payment_status"] == "paid"
