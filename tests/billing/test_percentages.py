"""Percentages off: rounded once for an invoice, with two decimals, and in the figures where they last for ever."""

import pytest

from tests.billing.developer import Seller, metered, monthly
from tests.support.instance import Instance
from tests.usage.test_integrity import contradicted


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    return Seller(instance.api, instance.alice.sk)


async def test_a_percentage_is_rounded_once_for_an_invoice(instance: Instance, seller: Seller) -> None:
    """5 % of 10.50 and 0.50 together is 0.55."""
    await seller.post("/coupons", {"code": "FIVE", "percentOff": 5, "duration": "forever"})
    await seller.post("/tiers", {"name": "pro", "prices": [monthly("10.50"), metered("tokens", 1, 1)]})
    subscription = await seller.subscribe("ada", "pro", coupon="FIVE")
    await seller.count("ada", 50, "tokens")

    await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)

    renewal = (await seller.invoices(subscription))[-1]
    assert (renewal["subtotal"], renewal["discount"], renewal["total"]) == (1_100, 55, 1_045)
    assert await contradicted(instance) == set()


@pytest.mark.parametrize(("percent", "total"), [(12.5, 8_750), (0.01, 9_999), (99.99, 1), (33.33, 6_667), (100, 0)])
async def test_a_percentage_has_two_decimals(seller: Seller, percent: float, total: int) -> None:
    made = await seller.post("/coupons", {"code": "SOME", "percentOff": percent, "duration": "forever"})
    # In yen the smallest payment is 50: what costs 1 cannot be sold.
    price = {**monthly("10000" if total > 50 or total == 0 else "500000"), "currency": "jpy"}
    await seller.post("/tiers", {"name": "pro", "prices": [price]})

    subscription = await seller.subscribe("ada", "pro", coupon="SOME")

    [first] = await seller.invoices(subscription)
    assert (made["percentOff"], first["total"]) == (percent, total if total != 1 else 50)


async def test_mrr_is_less_a_coupon_that_lasts_for_ever(seller: Seller) -> None:
    for code, duration in (("EVER", {"duration": "forever"}), ("ONCE", {"duration": "once"})):
        await seller.post("/coupons", {"code": code, "percentOff": 25, **duration})
    await seller.post("/tiers", {"name": "pro", "prices": [monthly("20")]})
    await seller.subscribe("ada", "pro", coupon="EVER")
    await seller.subscribe("bob", "pro", coupon="ONCE")

    figures = await seller.get("/api/dashboard?days=30")

    assert figures["mrr"] == [{"currency": "usd", "amount": 1_500 + 2_000, "price": "35.00"}]


async def test_churn_counts_those_who_pay(seller: Seller) -> None:
    await seller.post("/tiers", {"name": "gratis", "prices": [monthly("0")]})
    await seller.post("/tiers", {"name": "pro", "prices": [monthly("20")]})
    await seller.post("/tiers", {"name": "used", "prices": [monthly("0"), metered("tokens", 1, 1)]})
    subscriptions = [await seller.subscribe(user, user) for user in ("gratis", "pro", "used")]
    await seller.advance(days=40)
    for subscription in subscriptions[:2]:
        await seller.post(f"/api/subscriptions/{subscription['id']}/cancel", {"atPeriodEnd": False})

    found = (await seller.get("/api/dashboard?days=30"))["subscriptions"]

    assert (found["heldAtStart"], found["lost"], found["churn"]) == (2, 1, 0.5)
