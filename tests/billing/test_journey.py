"""A year of selling over real HTTP, by the test clock: what a developer, their customer and the gate see of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2 as httpx
import pytest

from dream_api.app import bootstrap, integrity_checks, open_database
from dream_api.core import clock
from dream_api.core.integrity import run_check
from dream_api.core.settings import Settings
from tests.billing.developer import GOOD, LATER_DECLINED, URLS, Seller, at, metered, monthly
from tests.support.instance import open_account
from tests.support.server import Server

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Shop:
    """A running server, with a saas project and a store of one platform."""

    saas: Seller
    store: Seller
    settings: Settings


@pytest.fixture
async def shop(database_settings: Settings) -> AsyncIterator[Shop]:
    database = open_database(database_settings)
    await bootstrap(database, database_settings)
    saas, store = [await open_account(database, name, kind) for name, kind in (("Alice", "saas"), ("Mugs", "store"))]
    await database.close()
    with Server(database_settings, open_rate=0) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as api:
            yield Shop(Seller(api, saas.sk), Seller(api, store.sk), server.settings)


async def hold_all_checks(settings: Settings) -> None:
    database = open_database(settings)
    findings = [await run_check(database, check) for check in integrity_checks()]
    await database.close()
    assert [(finding.check.name, finding.contradictions) for finding in findings if not finding.holds] == []


async def test_a_year_of_a_subscription(shop: Shop):
    saas = shop.saas
    await saas.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20"), metered("requests", 1, 100)]})
    assert (await saas.count("ada", 900))["remaining"] == 100

    subscription = await saas.subscribe("ada", "pro", LATER_DECLINED)

    usage = await saas.usage_soon("ada", "pro")
    assert (usage["limit"], usage["count"]) == (5_000, 0)  # what was used for nothing stays in the free month
    assert (subscription["status"], subscription["price"]) == ("active", "20.00")

    # The card fails at the first renewal; the plan goes on while the gateway tries.
    assert (await saas.count("ada", 1_234))["count"] == 1_234
    await saas.advance(beyond=subscription["currentPeriodEnd"], hours=2)
    failed = await saas.subscription(subscription)
    [_, unpaid] = await saas.invoices(subscription)
    assert (failed["status"], unpaid["status"], unpaid["attempts"]) == ("past_due", "open", 1)
    assert [(line["quantity"], line["amount"]) for line in unpaid["lines"]] == [(1, 2_000), (1_234, 13)]
    assert (await saas.usage("ada"))["limit"] == 5_000

    # Another card, in the portal: what is owed is paid at once.
    portal = await saas.post("/api/customer-portal", {"returnUrl": "https://myapp.com"}, **{"X-User-Id": "ada"})
    page = httpx.URL(portal["url"]).path
    changed = await saas.api.post(f"{page}/card", data={"card": GOOD})
    assert changed.status_code == 303
    recovered = await saas.subscription(subscription)
    [_, paid] = await saas.invoices(subscription)
    assert (recovered["status"], paid["status"], paid["amountPaid"]) == ("active", "paid", 2_013)

    # A year of renewals: each invoice's usage is that period's counter.
    for month in range(2, 13):
        period = await saas.subscription(subscription)
        counted = (await saas.count("ada", 100 * month + 1))["count"]
        await saas.advance(beyond=period["currentPeriodEnd"], hours=2)
        renewed = (await saas.invoices(subscription))[-1]
        assert renewed["status"] == "paid"
        assert (renewed["periodStart"], renewed["periodEnd"]) == (
            period["currentPeriodStart"],
            period["currentPeriodEnd"],
        )
        [fee, used] = renewed["lines"]
        assert (fee["amount"], used["quantity"], used["amount"]) == (2_000, counted, month + 1)
    assert len(await saas.invoices(subscription)) == 13
    revenue = [one["amount"] for one in (await saas.get("/api/payments?status=succeeded&limit=100"))["data"]]
    assert sum(revenue) == 13 * 2_000 + 13 + sum(range(3, 14))
    await hold_all_checks(shop.settings)


@pytest.mark.both
async def test_nobody_pays_and_the_plan_ends(shop: Shop):
    saas = shop.saas
    await saas.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    subscription = await saas.subscribe("bob", "pro", LATER_DECLINED)

    await saas.advance(beyond=subscription["currentPeriodEnd"], days=13)
    assert (await saas.subscription(subscription))["status"] == "past_due"
    assert (await saas.usage("bob"))["plan"] == "pro"

    await saas.advance(beyond=subscription["currentPeriodEnd"], days=15)
    assert (await saas.subscription(subscription))["status"] == "canceled"
    assert (await saas.usage_soon("bob", "free"))["limit"] == 1_000
    [_, unpaid] = await saas.invoices(subscription)
    assert (unpaid["status"], unpaid["amountPaid"]) == ("uncollectible", 0)


@pytest.mark.both
async def test_an_upgrade_costs_the_rest_of_the_month_and_keeps_the_count(shop: Shop):
    saas = shop.saas
    await saas.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    await saas.post("/tiers", {"name": "team", "limit": 50_000, "prices": [monthly("50")]})
    subscription = await saas.subscribe("eve", "pro")
    await saas.usage_soon("eve", "pro")
    await saas.count("eve", 700)
    length = at(subscription["currentPeriodEnd"]) - at(subscription["currentPeriodStart"])
    await saas.advance_to(clock.rfc3339(at(subscription["currentPeriodStart"]) + length // 2))

    preview = await saas.post(f"/api/subscriptions/{subscription['id']}/preview", {"tier": "team"})
    upgraded = await saas.post(f"/api/subscriptions/{subscription['id']}/change", {"tier": "team"})

    usage = await saas.usage_soon("eve", "team")
    assert (usage["count"], usage["limit"], usage["periodStart"]) == (700, 50_000, subscription["currentPeriodStart"])
    assert upgraded["currentPeriodEnd"] == subscription["currentPeriodEnd"]
    paid = (await saas.invoices(subscription))[-1]
    assert [line["amount"] for line in preview["lines"]] == [-1_000, 2_500]
    # A second may have passed between the two.
    assert abs(paid["amountPaid"] - preview["due"]) <= 1
    assert preview["due"] == 1_500

    canceled = await saas.post(f"/api/subscriptions/{subscription['id']}/cancel", {"reason": "too large"})
    assert (canceled["status"], canceled["cancelAt"]) == ("active", subscription["currentPeriodEnd"])
    assert (await saas.usage("eve"))["plan"] == "team"
    resumed = await saas.post(f"/api/subscriptions/{subscription['id']}/resume")
    assert resumed["cancelAt"] is None
    await saas.post(f"/api/subscriptions/{subscription['id']}/cancel")

    await saas.advance(beyond=subscription["currentPeriodEnd"], hours=2)
    ended = await saas.subscription(subscription)
    assert (ended["status"], ended["endDate"]) == ("canceled", subscription["currentPeriodEnd"])
    assert (await saas.usage_soon("eve", "free"))["limit"] == 1_000
    await hold_all_checks(shop.settings)


@pytest.mark.both
async def test_a_cart_of_three_goods_is_bought_partly_refunded_and_restocked(shop: Shop):
    store = shop.store
    prices = {}
    for name, price, stock in (("mug", "12.50", 5), ("shirt", "25", 3), ("sticker", "1.99", 100)):
        good = {"price": price, "currency": "usd", "type": "one_time"}
        made = await store.post("/tiers", {"name": name, "prices": [good], "inventory": stock})
        prices[name] = made["prices"][0]["id"]
    wanted = [("mug", 2), ("shirt", 1), ("sticker", 10)]
    cart = {
        "email": "buyer@example.com",
        "items": [{"priceId": prices[name], "quantity": quantity} for name, quantity in wanted],
        **URLS,
    }

    begun = await store.post("/api/cart/checkout", cart)
    order = await store.get(f"/api/orders/{begun['orderId']}")
    assert (order["status"], order["total"]) == ("processing", 2_500 + 2_500 + 1_990)
    assert (await store.pay(httpx.URL(begun["url"]).path)).status_code == 200

    order = await store.get(f"/api/orders/{begun['orderId']}")
    assert (order["status"], order["email"]) == ("completed", "buyer@example.com")
    assert await inventory(store) == {"mug": 3, "shirt": 2, "sticker": 90}

    # One mug comes back and is sold again; the shirt is lost.
    [mug, shirt, _] = [line["line"] for line in order["lines"]]
    await store.post(
        f"/api/orders/{order['id']}/refunds",
        {"lines": [{"line": mug, "quantity": 1}], "restock": True},
    )
    await store.post(
        f"/api/orders/{order['id']}/refunds", {"lines": [{"line": shirt, "quantity": 1}], "restock": False}
    )

    order = await store.get(f"/api/orders/{order['id']}")
    assert (order["status"], order["refundedAmount"]) == ("completed", 1_250 + 2_500)
    assert await inventory(store) == {"mug": 4, "shirt": 2, "sticker": 90}
    [payment] = (await store.get("/api/payments"))["data"]
    assert (payment["amount"], payment["refundedAmount"], payment["last4"]) == (6_990, 3_750, "4242")

    await store.post(f"/api/orders/{order['id']}/refunds", {"restock": False})
    assert (await store.get(f"/api/orders/{order['id']}"))["status"] == "refunded"
    await hold_all_checks(shop.settings)


async def inventory(store: Seller) -> dict[str, int]:
    return {tier["name"]: tier["inventory"] for tier in (await store.get("/tiers"))["data"]}


async def test_another_plan_is_taken_at_the_price_of_the_same_interval(shop: Shop):
    saas = shop.saas
    yearly = {**monthly("190"), "interval": "year"}
    quarterly = {**monthly("55"), "intervalCount": 3}
    in_euros = {**monthly("18"), "currency": "eur"}
    pro = await saas.post("/tiers", {"name": "pro", "prices": [monthly("20"), yearly, quarterly, in_euros]})
    team = await saas.post("/tiers", {"name": "team", "prices": [in_euros, yearly, quarterly, monthly("50")]})
    amounts = {price["id"]: price["amount"] for price in pro["prices"]}

    for place, (amount, same) in enumerate(((2_000, 5_000), (19_000, 19_000), (5_500, 5_500))):
        [chosen] = [price for price, each in amounts.items() if each == amount]
        subscription = await saas.subscribe(f"user_{place}", "pro", priceId=chosen)
        path = f"/api/subscriptions/{subscription['id']}"

        await saas.post(f"{path}/preview", {"tier": "team"})
        changed = await saas.post(f"{path}/change", {"tier": "team"})

        [taken] = [price for price in team["prices"] if price["id"] == changed["priceId"]]
        assert (changed["amount"], taken["amount"], taken["currency"]) == (same, same, "usd")
        assert taken["interval"] == ("year" if amount == 19_000 else "month")


async def test_a_plan_without_a_price_of_the_same_interval_is_changed_to_by_its_only_one(shop: Shop):
    saas = shop.saas
    await saas.post("/tiers", {"name": "pro", "price": "20", "currency": "usd"})
    await saas.post("/tiers", {"name": "team", "price": "500", "currency": "usd", "interval": "year"})
    await saas.post("/tiers", {"name": "many", "prices": [monthly("30"), monthly("40")]})
    subscription = await saas.subscribe("eve", "pro")
    path = f"/api/subscriptions/{subscription['id']}/change"

    unclear = await saas.ask("POST", path, {"tier": "many"})
    changed = await saas.post(path, {"tier": "team"})

    assert (unclear.status_code, unclear.json()["code"]) == (422, "price_ambiguous")
    assert (changed["plan"], changed["amount"]) == ("team", 50_000)
