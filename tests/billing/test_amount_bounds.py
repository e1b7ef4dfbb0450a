"""One largest and one smallest amount for all that is charged; the rest is refused or kept, never lost."""

import pytest

from dream_api.core import money
from tests.billing.developer import URLS, Seller, metered, monthly
from tests.support.instance import Instance
from tests.support.storefront import open_storefront
from tests.usage.test_integrity import contradicted

SEATS = monthly("999999.99", billingScheme="per_unit")


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    return Seller(instance.api, instance.alice.sk)


async def test_a_subscription_of_more_than_one_payment_is_not_sold(seller: Seller) -> None:
    await seller.post("/tiers", {"name": "seats", "prices": [SEATS]})

    refused = await seller.ask(
        "POST", "/api/create-checkout", {"tier": "seats", "quantity": 10_000, **URLS}, **{"X-User-Id": "ada"}
    )

    assert (refused.status_code, refused.json()["code"], refused.json()["param"]) == (
        422,
        "amount_too_large",
        "quantity",
    )
    assert refused.json()["error"] == "$9,999,999,900.00 is more than one payment can be: $999,999.99."


async def test_nor_is_a_change_to_it(seller: Seller) -> None:
    await seller.post("/tiers", {"name": "seats", "prices": [SEATS]})
    subscription = await seller.subscribe("ada", "seats")

    for action in ("preview", "change"):
        refused = await seller.ask("POST", f"/api/subscriptions/{subscription['id']}/{action}", {"quantity": 2})
        assert (refused.status_code, refused.json()["code"]) == (422, "amount_too_large")
    assert (await seller.subscription(subscription))["quantity"] == 1


@pytest.mark.parametrize("quantity", [2, 10**9])
async def test_usage_of_more_than_one_payment_is_kept_and_reported(
    instance: Instance, seller: Seller, quantity: int
) -> None:
    """And the clock does not stop halfway."""
    prices = [monthly("20"), metered("tokens", 99_999_999, 1), metered("requests", 5, 1)]
    await seller.post("/tiers", {"name": "pro", "prices": prices})
    subscription = await seller.subscribe("ada", "pro")
    await seller.count("ada", quantity, "tokens")
    await seller.count("ada", 10)
    end = subscription["currentPeriodEnd"]

    await seller.advance(beyond=end, days=1)

    [_, renewal] = await seller.invoices(subscription)
    [event] = (await seller.get("/api/events?type=usage.not_billable"))["data"]
    assert (renewal["status"], renewal["total"]) == ("paid", 2_000 + 50)
    assert event["data"] == {
        "subscriptionId": subscription["id"],
        "userId": "ada",
        "meter": "tokens",
        "quantity": quantity,
        "periodStart": subscription["currentPeriodStart"],
    }
    assert await contradicted(instance) == {"usage_reaches_invoices"}


async def test_previews_and_pages_show_usage_of_more_than_one_payment(instance: Instance, seller: Seller) -> None:
    await seller.post("/tiers", {"name": "pro", "prices": [monthly("20"), metered("tokens", 99_999_999, 1)]})
    team = await seller.post("/tiers", {"name": "team", "prices": [monthly("50")]})
    subscription = await seller.subscribe("ada", "pro")
    await seller.count("ada", 2, "tokens")
    alice, price = instance.alice, team["prices"][0]["id"]

    preview = await seller.post(f"/api/subscriptions/{subscription['id']}/preview", {"tier": "team"})
    opened = await seller.post("/api/customer-portal", {"returnUrl": "https://myapp.com"}, **{"X-User-Id": "ada"})
    portal = opened["url"].partition("/sandbox")[2]
    path = f"/subscriptions/{subscription['id']}/change?price={price}"
    pages = [
        await instance.api.get(f"/sandbox{portal}{path}"),
        await instance.api.get(f"/dashboard/{alice.project.id}/test{path}", headers=alice.cookie()),
    ]

    assert preview["usage"] == [{"meter": "tokens", "quantity": 2, "amount": None}]
    assert [(page.status_code, "more than one payment can be" in page.text) for page in pages] == [(200, True)] * 2


async def test_usage_that_an_invoice_has_no_room_for_is_on_the_next_one(instance: Instance, seller: Seller) -> None:
    prices = [monthly("20"), metered("tokens", 99_999_999, 1), metered("words", 99_000_000, 1)]
    await seller.post("/tiers", {"name": "pro", "prices": prices})
    subscription = await seller.subscribe("ada", "pro")
    await seller.count("ada", 1, "words")
    await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)
    following = await seller.subscription(subscription)
    await seller.count("ada", 1, "words")
    await seller.advance(beyond=following["currentPeriodEnd"], hours=2)

    assert [one["total"] for one in await seller.invoices(subscription)] == [2_000, 99_002_000, 99_002_000]
    assert await contradicted(instance) == set()


@pytest.mark.parametrize(
    ("price", "more", "is_sold"),
    [
        ("0.49", {}, False),
        ("0.50", {}, True),
        ("0", {}, True),
        ("0.60", {"coupon": "HALF"}, False),
        ("0.60", {"coupon": "FREE"}, True),
    ],
)
async def test_less_than_the_smallest_payment_is_not_sold(
    seller: Seller, price: str, more: dict[str, str], is_sold: bool
) -> None:
    for code, percent in (("HALF", 50), ("FREE", 100)):
        await seller.post("/coupons", {"code": code, "percentOff": percent})
    await seller.post("/tiers", {"name": "tiny", "prices": [monthly(price)]})

    answer = await seller.ask("POST", "/api/create-checkout", {"tier": "tiny", **URLS, **more}, **{"X-User-Id": "ada"})

    assert (answer.status_code, answer.json().get("code")) == ((200, None) if is_sold else (422, "amount_too_small"))


async def test_nor_is_such_a_cart(instance: Instance) -> None:
    storefront = await open_storefront(instance)
    pin = await storefront.sell("pin", "0.10", inventory=9)

    refused, sold = await storefront.cart((pin, 4)), await storefront.cart((pin, 5))

    assert (refused.status_code, refused.json()["code"], refused.json()["param"]) == (422, "amount_too_small", "items")
    assert refused.json()["error"] == "$0.40 is less than the smallest payment: $0.50."
    assert sold.status_code == 200


async def test_an_invoice_of_less_is_owed_with_the_next_one(instance: Instance, seller: Seller) -> None:
    await seller.post("/tiers", {"name": "usage", "prices": [monthly("0"), metered("tokens", 20, 1)]})
    subscription = await seller.subscribe("ada", "usage")
    for _ in range(3):
        await seller.count("ada", 1, "tokens")
        current = await seller.subscription(subscription)
        await seller.advance(beyond=current["currentPeriodEnd"], hours=2)

    invoices = await seller.invoices(subscription)
    assert [(one["total"], one["amountPaid"]) for one in invoices] == [(0, 0), (20, 0), (20, 0), (20, 60)]
    assert await contradicted(instance) == set()


def test_the_smallest_payment_is_one_that_can_be_made() -> None:
    for currency in money.CURRENCIES:
        assert money.smallest_charge(currency) % money.step(currency) == 0
        assert money.smallest_charge(currency) > 0
