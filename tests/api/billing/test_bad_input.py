"""What cannot be sold is refused with the field at fault, and changes nothing."""

from typing import Any

import pytest
from sqlalchemy import func, select

from dream_api.billing.tables import checkouts, refunds, subscriptions
from dream_api.customers.tables import customers
from dream_api.gateways.tables import gateway_accounts
from tests.billing.developer import URLS, Seller, monthly
from tests.support.cases import each_case
from tests.support.instance import Instance

USER = {"X-User-Id": "ada"}
FOREIGN = (
    "https://evil.example",
    "https://myapp.com.evil.example",
    "//evil",
    "javascript:alert(1)",
    "https://a@b.c",
    "",
)


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    alice = Seller(instance.api, instance.alice.sk)
    await alice.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    await alice.post("/tiers", {"name": "seats", "limit": 5_000, "prices": [monthly("5", billingScheme="per_unit")]})
    return alice


async def written(instance: Instance) -> list[Any]:
    """How many rows there are of everything that a checkout writes."""
    tables = (checkouts, subscriptions, refunds, customers, gateway_accounts)
    async with instance.database.read() as tx:
        return [await tx.scalar(select(func.count()).select_from(table)) for table in tables]


@each_case(
    ("change", "status", "code", "param"),
    [
        ({"tier": "gold"}, 422, "unknown_plan", "tier"),
        ({"tier": "free"}, 422, "price_missing", "priceId"),
        ({"tier": 7}, 422, "validation_failed", "tier"),
        ({"tier": ""}, 422, "validation_failed", "tier"),
        ({"priceId": "price_00000000000000000000000000"}, 422, "unknown_price", "priceId"),
        ({"quantity": 0}, 422, "validation_failed", "quantity"),
        ({"quantity": -1}, 422, "validation_failed", "quantity"),
        ({"quantity": 2}, 422, "validation_failed", "quantity"),
        ({"quantity": 1.5}, 422, "validation_failed", "quantity"),
        ({"quantity": True}, 422, "validation_failed", "quantity"),
        ({"tier": "seats", "quantity": 10**9}, 422, "validation_failed", "quantity"),
        ({"coupon": "NONE"}, 422, "coupon_invalid", "coupon"),
        ({"surprise": 1}, 422, "validation_failed", "surprise"),
        *(({"successUrl": url}, 422, "redirect_not_allowed", "successUrl") for url in FOREIGN),
        *(({"cancelUrl": url}, 422, "redirect_not_allowed", "cancelUrl") for url in FOREIGN),
    ],
)
async def test_a_checkout_that_cannot_be(
    instance: Instance, seller: Seller, change: dict[str, Any], status: int, code: str, param: str
):
    before = await written(instance)

    refused = await seller.ask("POST", "/api/create-checkout", {"tier": "pro", **URLS, **change}, **USER)

    assert (refused.status_code, refused.json()["code"], refused.json()["param"]) == (status, code, param)
    assert await written(instance) == before


async def test_another_projects_price_is_unknown(instance: Instance, seller: Seller):
    charlie = Seller(instance.api, instance.charlie.sk)
    his = await charlie.post("/tiers", {"name": "pro", "limit": 1, "prices": [monthly("1")]})
    before = await written(instance)

    body = {"tier": "pro", "priceId": his["prices"][0]["id"], **URLS}
    refused = await seller.ask("POST", "/api/create-checkout", body, **USER)

    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_price")
    assert await written(instance) == before


async def test_who_has_a_plan_changes_it_and_buys_no_second(instance: Instance, seller: Seller):
    await seller.subscribe("ada", "pro")
    before = await written(instance)

    refused = await seller.ask("POST", "/api/create-checkout", {"tier": "seats", **URLS}, **USER)

    assert (refused.status_code, refused.json()["code"]) == (409, "already_subscribed")
    assert await written(instance) == before


@each_case("headers", [{}, {"X-User-Id": ""}, {"X-User-Id": "a" * 256}])
async def test_a_checkout_is_somebodys(instance: Instance, seller: Seller, headers: dict[str, str]):
    before = await written(instance)
    refused = await seller.ask("POST", "/api/create-checkout", {"tier": "pro", **URLS}, **headers)
    assert (refused.status_code, refused.json()["param"]) == (422, "X-User-Id")
    assert await written(instance) == before


async def test_the_same_request_again_is_the_same_checkout(instance: Instance, seller: Seller):
    key = {"Idempotency-Key": "k1", **USER}
    first = await seller.post("/api/create-checkout", {"tier": "pro", **URLS}, **key)
    before = await written(instance)

    again = await seller.ask("POST", "/api/create-checkout", {"tier": "pro", **URLS}, **key)
    other = await seller.ask("POST", "/api/create-checkout", {"tier": "seats", **URLS}, **key)

    assert again.json() == first
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert await written(instance) == before


@pytest.mark.parametrize(
    ("amount", "status", "code"),
    [(2_001, 409, "refund_too_large"), (0, 422, "validation_failed"), (-5, 422, "validation_failed")],
)
async def test_no_more_goes_back_than_was_paid(instance: Instance, seller: Seller, amount: int, status: int, code: str):
    await seller.subscribe("ada", "pro")
    [payment] = (await seller.get("/api/payments"))["data"]
    before = await written(instance)

    refused = await seller.ask("POST", f"/api/payments/{payment['id']}/refunds", {"amount": amount})

    assert (refused.status_code, refused.json()["code"], refused.json()["param"]) == (status, code, "amount")
    assert await written(instance) == before


async def test_all_that_is_left_goes_back_once(instance: Instance, seller: Seller):
    await seller.subscribe("ada", "pro")
    [payment] = (await seller.get("/api/payments"))["data"]
    path = f"/api/payments/{payment['id']}/refunds"

    await seller.post(path, {"amount": 500})
    rest = await seller.post(path)
    refused = await seller.ask("POST", path, {})

    assert (rest["amount"], rest["status"]) == (1_500, "succeeded")
    assert refused.json()["code"] == "refund_too_large"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"tier": "pro"}, "validation_failed"),
        ({}, "validation_failed"),
        ({"tier": "gold"}, "unknown_plan"),
        ({"quantity": 10**9}, "validation_failed"),
    ],
)
async def test_a_change_to_nothing_else_is_refused(instance: Instance, seller: Seller, body: dict[str, Any], code: str):
    subscription = await seller.subscribe("ada", "pro")

    refused = await seller.ask("POST", f"/api/subscriptions/{subscription['id']}/change", body)

    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert await seller.subscription(subscription) == subscription


async def test_what_has_ended_stays_ended(instance: Instance, seller: Seller):
    subscription = await seller.subscribe("ada", "pro")
    path = f"/api/subscriptions/{subscription['id']}"
    await seller.post(f"{path}/cancel", {"atPeriodEnd": False})

    for verb, body in (("cancel", {}), ("resume", {}), ("change", {"tier": "seats"})):
        refused = await seller.ask("POST", f"{path}/{verb}", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "gateway_refused")


@each_case("to", ["2020-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "tomorrow", 5, None])
async def test_the_test_clock_goes_forward_to_a_moment(instance: Instance, seller: Seller, to: Any):
    before = await seller.get("/test-clock")
    refused = await seller.ask("POST", "/test-clock", {"advanceTo": to})
    assert (refused.status_code, refused.json()["param"]) == (422, "advanceTo")
    assert (await seller.get("/test-clock"))["aheadSeconds"] == before["aheadSeconds"] == 0


async def test_live_mode_keeps_real_time(instance: Instance, seller: Seller):
    live = Seller(instance.api, instance.alice.live)
    refused = await live.ask("POST", "/test-clock", {"advanceTo": "2030-01-01T00:00:00Z"})
    assert (refused.status_code, refused.json()["code"]) == (409, "test_clock_needs_sandbox")


async def test_live_mode_sells_nothing_without_a_gateway(instance: Instance, seller: Seller):
    live = Seller(instance.api, instance.alice.live)
    await live.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    before = await written(instance)
    refused = await live.ask("POST", "/api/create-checkout", {"tier": "pro", **URLS}, **USER)
    assert (refused.status_code, refused.json()["code"]) == (409, "gateway_missing")
    assert await written(instance) == before
