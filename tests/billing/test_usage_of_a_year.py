"""A yearly plan bills its usage by the month."""

import pytest

from tests.billing.developer import URLS, Seller, metered, monthly
from tests.support.instance import Instance
from tests.usage.test_integrity import contradicted

YEARLY = {**monthly("100"), "interval": "year"}


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    return Seller(instance.api, instance.alice.sk)


@pytest.mark.rest
async def test_each_month_is_billed_when_it_is_over(instance: Instance, seller: Seller) -> None:
    await seller.post("/tiers", {"name": "pro", "prices": [YEARLY, metered("tokens", 10, 1)]})
    await seller.advance_to("2027-01-31T12:00:00Z")
    subscription = await seller.subscribe("ada", "pro")
    for number in range(1, 14):
        await seller.count("ada", 10 * number, "tokens")
        await seller.advance_to(_end(12 * 2027 + number))

    invoices = await seller.invoices(subscription)
    usage = [sum(line["amount"] for line in one["lines"] if "tokens" in line["description"]) for one in invoices]
    plan = [sum(line["amount"] for line in one["lines"] if "tokens" not in line["description"]) for one in invoices]
    assert usage == [0, *(100 * number for number in range(1, 14))]
    assert plan == [10_000, *[0] * 11, 10_000, 0]
    assert {one["status"] for one in invoices} == {"paid"}
    assert (await seller.subscription(subscription))["currentPeriodStart"] == "2028-01-31T12:00:00Z"
    assert await contradicted(instance) == set()


def _end(month: int) -> str:
    """A little after the month that began on the 31st is over."""
    year, place = divmod(month, 12)
    days = [31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return f"{year}-{place + 1:02}-{days[place]}T14:00:00Z"


async def test_canceled_it_ends_with_the_year_and_bills_until_then(instance: Instance, seller: Seller) -> None:
    await seller.post("/tiers", {"name": "pro", "prices": [YEARLY, metered("tokens", 10, 1)]})
    subscription = await seller.subscribe("ada", "pro")
    await seller.post(f"/api/subscriptions/{subscription['id']}/cancel")
    await seller.advance(days=40)
    await seller.count("ada", 7, "tokens")
    assert (await seller.subscription(subscription))["status"] == "active"

    await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)

    assert (await seller.subscription(subscription))["status"] == "canceled"
    assert sum(one["amountPaid"] for one in await seller.invoices(subscription)) == 10_000 + 70
    assert await contradicted(instance) == set()


async def test_canceled_now_it_bills_the_month_that_runs(instance: Instance, seller: Seller) -> None:
    await seller.post("/tiers", {"name": "pro", "prices": [YEARLY, metered("tokens", 10, 1)]})
    subscription = await seller.subscribe("ada", "pro")
    await seller.count("ada", 6, "tokens")
    await seller.advance(days=40)
    await seller.count("ada", 7, "tokens")

    await seller.post(f"/api/subscriptions/{subscription['id']}/cancel", {"atPeriodEnd": False})
    await seller.advance(hours=2)

    assert [one["total"] for one in await seller.invoices(subscription)] == [10_000, 60, 70]
    assert await contradicted(instance) == set()


async def test_another_usage_price_counts_from_the_change_on(instance: Instance, seller: Seller) -> None:
    for name, amount in (("dear", 50), ("cheap", 10)):
        await seller.post("/tiers", {"name": name, "prices": [YEARLY, metered("tokens", amount, 1)]})
    subscription = await seller.subscribe("ada", "dear")
    await seller.advance(days=40)
    await seller.count("ada", 10, "tokens")
    await seller.post(f"/api/subscriptions/{subscription['id']}/change", {"tier": "cheap"})
    await seller.usage_soon("ada", "cheap")
    await seller.count("ada", 10, "tokens")
    await seller.advance(days=40)

    billed = [line["amount"] for one in await seller.invoices(subscription) for line in one["lines"]]
    assert [amount for amount in billed if amount in (500, 100)] == [500, 100]
    assert await contradicted(instance) == set()


async def test_intervals_that_cannot_be_mixed_are_refused(seller: Seller) -> None:
    weekly = {**monthly("5"), "interval": "week"}
    quarterly = {**metered("words", 1, 1), "intervalCount": 3}
    tiers = {
        "weekly": [weekly, metered("tokens", 1, 1)],
        "longer": [monthly("5"), {**metered("tokens", 1, 1), "interval": "year"}],
        "different": [YEARLY, metered("tokens", 1, 1), quarterly],
    }

    refused = [await seller.ask("POST", "/tiers", {"name": name, "prices": prices}) for name, prices in tiers.items()]

    assert [(answer.status_code, answer.json()["param"]) for answer in refused] == [
        (422, "prices.1.interval"),
        (422, "prices.1.interval"),
        (422, "prices.2.interval"),
    ]
    assert refused[0].json()["error"] == "Usage of tokens, billed monthly, cannot be billed with a price per week."
    for name in tiers:
        wanted = {"tier": name, **URLS}
        assert (await seller.ask("POST", "/api/create-checkout", wanted, **{"X-User-Id": "ada"})).status_code == 422
