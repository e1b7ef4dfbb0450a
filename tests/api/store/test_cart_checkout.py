"""POST /api/cart/checkout."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from dream_api.billing.tables import checkouts
from dream_api.customers.tables import customers
from dream_api.store import MOST_ITEMS
from dream_api.store.tables import orders, stock_holds
from tests.support.instance import Account, Instance
from tests.support.storefront import DECLINED, Storefront


async def _written(instance: Instance) -> list[int]:
    """How many checkouts, holds, orders and customers there are."""
    tables = (checkouts, stock_holds, orders, customers.select().where(customers.c.user_id == "ada").subquery())
    async with instance.database.read() as tx:
        return [int(await tx.scalar(select(func.count()).select_from(table))) for table in tables]


async def test_a_cart_becomes_an_order_with_its_page_to_pay_on(storefront: Storefront):
    mug, pen = await storefront.sell("mug", "19.99", 5), await storefront.sell("pen", "2.50")

    answer = await storefront.cart((mug, 2), (pen, 1))

    told = answer.json()
    order = await storefront.order(told["orderId"])
    assert answer.status_code == 200
    assert set(told) == {"url", "orderId", "metadata", "expiresAt"}
    assert told["url"].startswith("http")
    assert [order[name] for name in ("number", "status", "email", "userId", "currency")] == [
        *(1, "processing", "ada@example.com", None, "usd")
    ]
    assert [order[name] for name in ("subtotal", "discount", "total", "price")] == [4_248, 0, 4_248, "42.48"]
    assert [(line["tier"], line["quantity"], line["unitAmount"], line["amount"]) for line in order["lines"]] == [
        ("mug", 2, 1_999, 3_998),
        ("pen", 1, 250, 250),
    ]
    assert [event["type"] for event in order["events"]] == ["created"]
    assert (order["payments"], order["refunds"], order["paidAt"]) == ([], [], None)


async def test_who_pays_gets_the_goods_and_the_order_is_completed(storefront: Storefront):
    mug = await storefront.sell("mug", "19.99", 5)

    order = await storefront.order(await storefront.bought((mug, 2)))

    assert (order["status"], order["paidAt"] is not None) == ("completed", True)
    [payment] = order["payments"]
    assert [payment[name] for name in ("status", "amount", "brand", "last4")] == ["succeeded", 3_998, "visa", "4242"]
    assert await storefront.inventory("mug") == 3
    events = await storefront.instance.api.get("/api/events?type=order.completed", headers=storefront.sk)
    [event] = events.json()["data"]
    assert (event["data"]["orderId"], event["data"]["total"]) == (order["id"], 3_998)


async def test_a_declined_card_leaves_the_order_open(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=5)
    order_id, page = await storefront.sent_to_pay((mug, 2))
    with pytest.raises(Exception, match="declined"):
        await storefront.pay(page, DECLINED)
    assert (await storefront.order(order_id))["status"] == "processing"

    await storefront.pay(page)

    order = await storefront.order(order_id)
    assert order["status"] == "completed"
    assert [payment["status"] for payment in order["payments"]][-1] == "succeeded"
    assert (await storefront.refund(order_id)).status_code == 201


async def test_a_coupon_is_taken_off_the_whole_cart(storefront: Storefront):
    mug = await storefront.sell("mug", "9.99")
    coupon = {"code": "THIRD", "percentOff": 33}
    assert (await storefront.instance.api.post("/coupons", headers=storefront.sk, json=coupon)).status_code == 201

    order = await storefront.order(await storefront.bought((mug, 3), coupon="third"))

    assert [order[name] for name in ("status", "subtotal", "discount", "total")] == ["completed", 2_997, 989, 2_008]
    assert order["payments"][0]["amount"] == 2_008


async def test_a_cart_that_costs_nothing_is_sold_like_any_other(storefront: Storefront):
    mug = await storefront.sell("mug", "9.99", 5)
    coupon = {"code": "GIFT", "percentOff": 100}
    assert (await storefront.instance.api.post("/coupons", headers=storefront.sk, json=coupon)).status_code == 201

    order = await storefront.order(await storefront.bought((mug, 1), coupon="GIFT"))

    assert (order["status"], order["total"], order["payments"]) == ("completed", 0, [])
    assert await storefront.inventory("mug") == 4


async def test_the_same_price_twice_is_summed(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=5)

    order_id, _ = await storefront.sent_to_pay((mug, 2), (mug, 1))

    assert [line["quantity"] for line in (await storefront.order(order_id))["lines"]] == [3]
    assert (await storefront.cart((mug, 2), (mug, 1))).json()["code"] == "sold_out"


async def test_a_buyer_with_a_user_id_is_a_customer(storefront: Storefront):
    mug = await storefront.sell("mug")

    order_id, _ = await storefront.sent_to_pay((mug, 1), userId="ada")

    assert (await storefront.order(order_id))["userId"] == "ada"
    found = await storefront.instance.api.get("/api/customers/userId:ada", headers=storefront.sk)
    assert found.status_code == 200


async def test_a_blocked_customer_buys_nothing(storefront: Storefront):
    mug = await storefront.sell("mug")
    await storefront.instance.api.post("/api/customers", headers=storefront.sk, json={"userId": "ada"})
    await storefront.instance.api.patch("/api/customers/userId:ada", headers=storefront.sk, json={"status": "blocked"})

    answer = await storefront.cart((mug, 1), userId="ada")

    assert (answer.status_code, answer.json()["code"]) == (403, "customer_blocked")


async def test_the_same_request_again_is_the_same_order(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=5)
    key = {**storefront.sk, "Idempotency-Key": "k1"}

    answers = await asyncio.gather(*(storefront.cart((mug, 2), headers=key) for _ in range(5)))
    other = await storefront.cart((mug, 1), headers=key)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert sorted("idempotent-replayed" in answer.headers for answer in answers) == [False, True, True, True, True]
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert await _written(storefront.instance) == [1, 1, 1, 0]


SAYS_NO: dict[str, tuple[dict[str, Any], int, str, str]] = {
    "a quantity of 0": ({"items": [("mug", 0)]}, 422, "validation_failed", "items.0.quantity"),
    "a negative quantity": ({"items": [("mug", -1)]}, 422, "validation_failed", "items.0.quantity"),
    "a billion": ({"items": [("mug", 10**9)]}, 422, "validation_failed", "items.0.quantity"),
    "a thousand and one in two lines": ({"items": [("song", 1_000), ("song", 1)]}, 422, "validation_failed", "items"),
    "no number": ({"items": [("mug", "2")]}, 422, "validation_failed", "items.0.quantity"),
    "a truth value": ({"items": [("mug", True)]}, 422, "validation_failed", "items.0.quantity"),
    "a fraction": ({"items": [("mug", 1.5)]}, 422, "validation_failed", "items.0.quantity"),
    "an empty cart": ({"items": []}, 422, "validation_failed", "items"),
    "too many lines": ({"items": [("mug", 1)] * (MOST_ITEMS + 1)}, 422, "validation_failed", "items"),
    "an unknown price": ({"items": [("price_00000000000000000000000000", 1)]}, 422, "unknown_price", "items"),
    "no price at all": ({"items": [("mug\u0000", 1)]}, 422, "validation_failed", "items.0.priceId"),
    "a stranger's price": ({"items": [("strangers", 1)]}, 422, "unknown_price", "items"),
    "an archived product": ({"items": [("old", 1)]}, 422, "unknown_price", "items"),
    "mixed currencies": ({"items": [("mug", 1), ("euro", 1)]}, 422, "mixed_currencies", "items"),
    "more than a gateway charges": ({"items": [("yacht", 2)]}, 422, "amount_too_large", "items"),
    "more than is left": ({"items": [("song", 1), ("mug", 6)]}, 409, "sold_out", "items"),
    "what is said to be sold out": ({"items": [("gone", 1)]}, 409, "sold_out", "items"),
    "a coupon that is none": ({"coupon": "NOPE"}, 422, "coupon_invalid", "coupon"),
    "a coupon of another currency": ({"coupon": "EURO"}, 422, "coupon_invalid", "coupon"),
    "a bad e-mail address": ({"email": "ada"}, 422, "validation_failed", "email"),
    "a foreign success page": ({"successUrl": "https://evil.com/"}, 422, "redirect_not_allowed", "successUrl"),
    "a foreign cancel page": ({"cancelUrl": "https://myapp.com.evil.com/"}, 422, "redirect_not_allowed", "cancelUrl"),
    "an unknown field": ({"tip": 1}, 422, "validation_failed", "tip"),
    "an empty user id": ({"userId": ""}, 422, "validation_failed", "userId"),
}


async def test_what_cannot_be_sold_is_refused_and_nothing_is_written(storefront: Storefront, charlie: Account):
    prices = {
        "mug": await storefront.sell("mug", inventory=5),
        "song": await storefront.sell("song"),
        "gone": await storefront.sell("gone", inventory=5, soldOut=True),
        "yacht": await storefront.sell("yacht", "999999.99"),
        "old": await storefront.sell("old"),
        "euro": await storefront.sell("euro", prices=[{"price": "5.00", "currency": "eur"}]),
    }
    prices["strangers"] = await Storefront(storefront.instance, charlie).sell("pro")
    api = storefront.instance.api
    await api.delete("/tiers/old", headers=storefront.sk)
    await api.post("/coupons", headers=storefront.sk, json={"code": "EURO", "amountOff": 100, "currency": "eur"})

    for what, (body, status, code, param) in SAYS_NO.items():
        items = [(prices.get(name, name), quantity) for name, quantity in body.get("items", [("mug", 1)])]
        more = {name: value for name, value in body.items() if name != "items"}
        answer = await storefront.cart(*items, **({"userId": "ada"} | more))
        told = answer.json()
        assert (what, answer.status_code, told["code"], told["param"]) == (what, status, code, param)

    assert await _written(storefront.instance) == [0, 0, 0, 0]
    assert await storefront.inventory("mug") == 5


async def test_a_saas_project_sells_no_carts(instance: Instance, alice: Account):
    answer = await Storefront(instance, alice).cart(("price_00000000000000000000000000", 1))

    assert (answer.status_code, answer.json()["code"]) == (403, "store_only")


async def test_live_mode_needs_a_gateway(storefront: Storefront):
    answer = await storefront.cart(("price_00000000000000000000000000", 1), headers=storefront.account.live)

    assert (answer.status_code, answer.json()["code"]) == (409, "gateway_missing")


async def test_who_may_not_sell_is_refused_before_the_cart_is_read(storefront: Storefront):
    viewer = await storefront.cart(("", 0), headers=storefront.account.by("viewer"))
    browser = await storefront.cart(
        ("", 0), headers={"Authorization": f"Bearer {storefront.account.publishable['test']}"}
    )

    assert (viewer.status_code, viewer.json()["code"]) == (403, "permission_denied")
    assert (browser.status_code, browser.json()["code"]) == (403, "secret_key_required")


async def test_a_sale_that_leaves_few_is_told(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=5, lowInventory=3)
    for _ in range(5):
        await storefront.bought((mug, 1))

    told = (await storefront.instance.api.get("/api/events", headers=storefront.sk)).json()["data"]

    assert [(event["type"], event["data"]) for event in told[::-1] if event["type"].startswith("stock.")] == [
        ("stock.low", {"tier": "mug", "inventory": 3, "lowInventory": 3}),
        ("stock.sold_out", {"tier": "mug", "inventory": 0, "lowInventory": 3}),
    ]
