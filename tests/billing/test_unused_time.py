"""A change of plan gives back only time that was paid for and not returned."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tests.billing.developer import DISPUTED, LATER_DECLINED, Seller, monthly
from tests.support.instance import Instance
from tests.usage.test_integrity import contradicted


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    seller = Seller(instance.api, instance.alice.sk)
    for name, price in (("small", "10"), ("large", "100"), ("huge", "1000")):
        await seller.post("/tiers", {"name": name, "prices": [monthly(price)]})
    seats = monthly("1", billingScheme="per_unit")
    await seller.post("/tiers", {"name": "seats", "prices": [seats]})
    return seller


async def _change(seller: Seller, subscription: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    """The invoices that the change made; they are what the preview said."""
    path = f"/api/subscriptions/{subscription['id']}"
    before = await seller.invoices(subscription)
    preview = await seller.post(f"{path}/preview", wanted)
    await seller.post(f"{path}/change", wanted)
    made = (await seller.invoices(subscription))[len(before) :]
    lines = [(line["description"], line["amount"]) for one in made for line in one["lines"]]
    assert [(line["description"], line["amount"]) for line in preview["lines"] if line["amount"]] == lines
    assert preview["due"] == sum(one["total"] for one in made)
    return made


async def _credit(instance: Instance) -> int:
    """The credit of all customers together."""
    async with instance.database.read() as tx:
        rows = await tx.all(sa.text("SELECT document FROM sandbox_objects WHERE kind = 'customer'"))
    return -sum(sum(json.loads(row.document)["invoice_credit_balance"].values()) for row in rows)


async def _renewed(seller: Seller, subscription: dict[str, Any]) -> dict[str, Any]:
    """Ten minutes after its renewal, whose invoice is a draft."""
    await seller.advance(beyond=subscription["currentPeriodEnd"], minutes=10)
    return await seller.subscription(subscription)


async def test_what_was_paid_for_is_given_back(instance: Instance, seller: Seller) -> None:
    await seller.advance_to("2027-01-01T00:00:00Z")
    subscription = await seller.subscribe("ada", "large")
    await seller.advance_to("2027-01-16T12:00:00Z")

    [made] = await _change(seller, subscription, tier="small")

    assert (made["total"], await _credit(instance)) == (-4_500, 4_500)


async def test_a_draft_is_reduced_instead(instance: Instance, seller: Seller) -> None:
    """And who cancels then has no credit for what was never paid."""
    subscription = await seller.subscribe("ada", "large")
    renewed = await _renewed(seller, subscription)

    [made] = await _change(seller, renewed, tier="small")
    [_, draft, _] = await seller.invoices(subscription)

    assert (draft["status"], draft["total"], made["total"]) == ("draft", 2, 1_000)
    assert await _credit(instance) == 0
    await seller.post(f"/api/subscriptions/{subscription['id']}/cancel", {"atPeriodEnd": False})
    await seller.advance(days=1)
    assert await _credit(instance) == 0
    assert [one["amountPaid"] for one in await seller.invoices(subscription)] == [10_000, 0, 1_000]
    assert await contradicted(instance) == set()


async def test_a_reduced_draft_is_charged_for_what_was_used(instance: Instance, seller: Seller) -> None:
    subscription = await seller.subscribe("ada", "large")
    renewed = await _renewed(seller, subscription)
    await _change(seller, renewed, tier="small")

    await seller.advance(beyond=renewed["currentPeriodEnd"], hours=2)

    # Two cents are too little for a payment: they are paid with the next invoice.
    assert [one["amountPaid"] for one in await seller.invoices(subscription)] == [10_000, 0, 1_000, 1_002]


async def test_fewer_seats_while_the_invoice_is_a_draft(instance: Instance, seller: Seller) -> None:
    subscription = await seller.subscribe("ada", "seats", quantity=100)
    renewed = await _renewed(seller, subscription)

    await _change(seller, renewed, quantity=1)

    await seller.advance(hours=2)
    assert await _credit(instance) == -2  # too little for a payment: owed with the next invoice
    assert [one["total"] for one in await seller.invoices(subscription)] == [10_000, 2, 100]
    assert [one["amountPaid"] for one in await seller.invoices(subscription)] == [10_000, 0, 100]


async def test_after_an_upgrade_of_a_draft_there_is_credit_for_the_upgrade_only(
    instance: Instance, seller: Seller
) -> None:
    subscription = await seller.subscribe("ada", "large")
    renewed = await _renewed(seller, subscription)
    await _change(seller, renewed, tier="huge")
    await seller.advance(minutes=20)

    await _change(seller, renewed, tier="small")

    await seller.advance(hours=2)
    paid = [one["amountPaid"] for one in await seller.invoices(subscription)]
    assert (
        sum(paid) - 10_000 - await _credit(instance) == 999 + 2 + 45
    )  # the rest of 10.00; 10 and 20 minutes of 100.00 and 1,000.00


async def test_a_trial_gives_nothing_back(instance: Instance, seller: Seller) -> None:
    await seller.post("/tiers", {"name": "tried", "trialDays": 7, "prices": [monthly("100")]})
    subscription = await seller.subscribe("ada", "tried", LATER_DECLINED)
    renewed = await _renewed(seller, subscription)

    refused = await seller.ask("POST", f"/api/subscriptions/{renewed['id']}/change", {"tier": "small"})
    await seller.post(f"/api/subscriptions/{renewed['id']}/cancel", {"atPeriodEnd": False})

    assert (refused.status_code, await _credit(instance)) == (402, 0)


@pytest.mark.parametrize(("refunded", "credit"), [(10_000, 0), (6_000, 0), (3_000, 1_500)])
async def test_what_was_refunded_is_not_given_back_again(
    instance: Instance, seller: Seller, refunded: int, credit: int
) -> None:
    """Half of the month is left, and the change costs half of the small plan."""
    await seller.advance_to("2027-01-01T00:00:00Z")
    subscription = await seller.subscribe("ada", "large")
    [payment] = (await seller.get("/api/payments"))["data"]
    await seller.post(f"/api/payments/{payment['id']}/refunds", {"amount": refunded})
    await seller.advance_to("2027-01-16T12:00:00Z")

    [made] = await _change(seller, subscription, tier="small")

    assert (made["total"], await _credit(instance)) == (500 - 5_000 + min(refunded, 5_000), credit)


async def test_what_is_disputed_is_not_given_back(instance: Instance, seller: Seller) -> None:
    await seller.advance_to("2027-01-01T00:00:00Z")
    subscription = await seller.subscribe("ada", "large", DISPUTED)
    await seller.advance_to("2027-01-16T12:00:00Z")

    [made] = await _change(seller, subscription, tier="small")

    assert (made["total"], await _credit(instance)) == (500, 0)


async def test_a_coupon_that_counts_once_is_spent_on_the_first_invoice(instance: Instance, seller: Seller) -> None:
    await seller.post("/coupons", {"code": "FREE", "percentOff": 100, "duration": "once"})
    subscription = await seller.subscribe("ada", "small", coupon="FREE")

    [made] = await _change(seller, subscription, tier="huge")

    assert [one["total"] for one in await seller.invoices(subscription)] == [0, made["total"]]
    assert 99_990 < made["total"] <= 100_000


async def test_a_coupon_that_lasts_counts_for_an_upgrade_too(instance: Instance, seller: Seller) -> None:
    await seller.post("/coupons", {"code": "HALF", "percentOff": 50, "duration": "forever"})
    subscription = await seller.subscribe("ada", "small", coupon="HALF")

    [made] = await _change(seller, subscription, tier="huge")

    assert 49_400 < made["total"] <= 49_500


async def test_six_identical_clicks_make_one_invoice(instance: Instance, seller: Seller) -> None:
    subscription = await seller.subscribe("ada", "small")

    answers = [
        await seller.ask("POST", f"/api/subscriptions/{subscription['id']}/change", {"tier": "large"}) for _ in range(6)
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 422, 422, 422, 422]
    assert len(await seller.invoices(subscription)) == 2
