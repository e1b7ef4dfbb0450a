"""Usage has the price that was in force when it was counted."""

from typing import Any

import pytest

from dream_api.core import clock
from tests.billing.developer import Seller, at, metered, monthly
from tests.support.instance import Instance
from tests.usage.test_integrity import contradicted

pytestmark = pytest.mark.both

DAY = 1


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    return Seller(instance.api, instance.alice.sk)


async def _sell(seller: Seller, **unit_amounts: int | None) -> None:
    """A plan of each name for 20.00 a month; its usage costs so many cents a unit."""
    for name, amount in unit_amounts.items():
        usage = [] if amount is None else [metered("tokens", amount, 1)]
        await seller.post("/tiers", {"name": name, "prices": [monthly("20"), *usage]})


async def _change(seller: Seller, subscription: dict[str, Any], tier: str) -> None:
    await seller.post(f"/api/subscriptions/{subscription['id']}/change", {"tier": tier})


async def _billed(seller: Seller, subscription: dict[str, Any]) -> list[tuple[int, int]]:
    """Quantity and amount of each usage line of the invoice that follows the period."""
    await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)
    [renewal] = [one for one in await seller.invoices(subscription) if one["reason"] == "subscription_cycle"]
    return [(line["quantity"], line["amount"]) for line in renewal["lines"] if "tokens" in line["description"]]


@pytest.mark.parametrize(
    ("before", "after", "billed"),
    [
        (100, 10, [(100, 10_000), (50, 500)]),
        (10, 100, [(100, 1_000), (50, 5_000)]),
        (100, None, [(100, 10_000)]),
        (None, 100, [(50, 5_000)]),
    ],
)
async def test_each_segment_has_its_own_price(
    instance: Instance, seller: Seller, before: int | None, after: int | None, billed: list[tuple[int, int]]
) -> None:
    """100 units before a change on 16 January, 50 after."""
    await _sell(seller, first=before, second=after)
    await seller.advance_to("2027-01-01T00:00:00Z")
    subscription = await seller.subscribe("ada", "first")
    await seller.count("ada", 100, "tokens")
    await seller.advance_to("2027-01-16T00:00:00Z")
    await _change(seller, subscription, "second")
    await seller.usage_soon("ada", "second")
    await seller.count("ada", 50, "tokens")

    assert await _billed(seller, subscription) == billed
    assert await contradicted(instance) == set()


async def test_a_change_a_minute_before_the_end_makes_nothing_cheaper(instance: Instance, seller: Seller) -> None:
    await _sell(seller, dear=5, cheap=1)
    subscription = await seller.subscribe("ada", "dear")
    await seller.count("ada", 1_000, "tokens")
    await seller.advance_to(clock.rfc3339(at(subscription["currentPeriodEnd"]) - clock.MINUTE))
    await _change(seller, subscription, "cheap")

    assert await _billed(seller, subscription) == [(1_000, 5_000)]
    assert await contradicted(instance) == set()


async def test_there_and_back_again(instance: Instance, seller: Seller) -> None:
    """And the next period has the last price from its beginning on."""
    await _sell(seller, dear=5, cheap=1)
    subscription = await seller.subscribe("ada", "dear")
    for quantity, tier in ((10, "cheap"), (20, "dear"), (40, "cheap")):
        await seller.count("ada", quantity, "tokens")
        await _change(seller, subscription, tier)
        await seller.usage_soon("ada", tier)
    await seller.count("ada", 80, "tokens")

    assert await _billed(seller, subscription) == [(10, 50), (20, 20), (40, 200), (80, 80)]
    await seller.count("ada", 7, "tokens")
    following = await seller.subscription(subscription)
    await seller.advance(beyond=following["currentPeriodEnd"], hours=2)
    last = (await seller.invoices(subscription))[-1]
    assert [(line["quantity"], line["amount"]) for line in last["lines"] if "tokens" in line["description"]] == [(7, 7)]
    assert await contradicted(instance) == set()


async def test_a_correction_takes_from_the_last_segments(instance: Instance, seller: Seller) -> None:
    await _sell(seller, dear=5, cheap=1)
    subscription = await seller.subscribe("ada", "dear")
    await seller.count("ada", 100, "tokens")
    await _change(seller, subscription, "cheap")
    await seller.usage_soon("ada", "cheap")
    await seller.count("ada", 10, "tokens")
    await seller.count("ada", -30, "tokens")

    assert await _billed(seller, subscription) == [(80, 400)]
    assert await contradicted(instance) == set()


async def test_a_reservation_counts_where_it_is_settled(instance: Instance, seller: Seller) -> None:
    await _sell(seller, dear=5, cheap=1)
    subscription = await seller.subscribe("ada", "dear")
    asked = {"quantity": 30, "meter": "tokens", "ttlSeconds": 600}
    held = await seller.post("/api/usage/reserve", asked, **{"X-User-Id": "ada"})
    await _change(seller, subscription, "cheap")
    await seller.usage_soon("ada", "cheap")
    await seller.post(f"/api/usage/reserve/{held['reservation']['id']}/settle", {"quantity": 20})

    assert await _billed(seller, subscription) == [(20, 20)]
    assert await contradicted(instance) == set()


async def test_another_interval_bills_the_segment_at_once(instance: Instance, seller: Seller) -> None:
    await _sell(seller, month=5)
    yearly = [{"price": "100", "currency": "usd", "interval": "year", "type": "recurring"}]
    await seller.post("/tiers", {"name": "year", "prices": yearly})
    subscription = await seller.subscribe("ada", "month")
    await seller.count("ada", 100, "tokens")
    await seller.advance(days=3)
    await _change(seller, subscription, "year")
    await seller.advance(hours=2)

    closing = [one for one in await seller.invoices(subscription) if one["reason"] == "subscription_cycle"]
    assert [line["amount"] for one in closing for line in one["lines"]] == [500]
    assert await contradicted(instance) == set()


async def test_a_trial_is_free(instance: Instance, seller: Seller) -> None:
    """Its usage is not charged, nor does it count against the first period that is paid for."""
    prices = [monthly("20"), metered("tokens", 1, 1)]
    await seller.post("/tiers", {"name": "pro", "limit": 5_000, "trialDays": 7, "prices": prices})
    subscription = await seller.subscribe("ada", "pro")
    await seller.count("ada", 1_000, "tokens")
    await seller.count("ada", 1_000)
    await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)
    first = await seller.subscription(subscription)

    assert [one["total"] for one in await seller.invoices(subscription)] == [0, 2_000]
    assert (await seller.usage("ada"))["count"] == 0
    await seller.count("ada", 30, "tokens")
    await seller.advance(beyond=first["currentPeriodEnd"], hours=2)
    assert [one["total"] for one in await seller.invoices(subscription)] == [0, 2_000, 2_030]
    assert await contradicted(instance) == set()


async def test_the_preview_shows_what_usage_becomes_owed(instance: Instance, seller: Seller) -> None:
    await _sell(seller, dear=5, cheap=1)
    subscription = await seller.subscribe("ada", "dear")
    await seller.count("ada", 100, "tokens")

    dear = await seller.post(f"/api/subscriptions/{subscription['id']}/preview", {"tier": "cheap"})
    await _change(seller, subscription, "cheap")
    await seller.usage_soon("ada", "cheap")
    await seller.count("ada", 10, "tokens")
    cheap = await seller.post(f"/api/subscriptions/{subscription['id']}/preview", {"tier": "dear"})

    assert dear["usage"] == [{"meter": "tokens", "quantity": 100, "amount": 500}]
    assert cheap["usage"] == [
        {"meter": "tokens", "quantity": 100, "amount": 500},
        {"meter": "tokens", "quantity": 10, "amount": 10},
    ]
