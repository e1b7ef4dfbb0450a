"""GET /api/orders and /api/orders/{id}."""

from typing import Any

from tests.support.instance import Account, Instance
from tests.support.storefront import Storefront, open_storefront


async def _ids(storefront: Storefront, query: str = "") -> list[str]:
    answer = await storefront.instance.api.get(f"/api/orders{query}", headers=storefront.sk)
    assert answer.status_code == 200, answer.text
    return [order["id"] for order in answer.json()["data"]]


async def test_orders_are_listed_newest_first(storefront: Storefront):
    mug = await storefront.sell("mug")
    made = [(await storefront.sent_to_pay((mug, 1)))[0] for _ in range(3)]

    assert await _ids(storefront) == made[::-1]


async def test_a_list_is_read_on_by_its_cursor(storefront: Storefront):
    mug = await storefront.sell("mug")
    made = [(await storefront.sent_to_pay((mug, 1)))[0] for _ in range(3)]

    first = (await storefront.instance.api.get("/api/orders?limit=2", headers=storefront.sk)).json()

    assert [order["id"] for order in first["data"]] == made[:0:-1]
    assert await _ids(storefront, f"?limit=2&after={first['nextCursor']}") == made[:1]


async def test_a_list_is_of_a_status_an_address_or_a_customer(storefront: Storefront):
    mug = await storefront.sell("mug")
    paid = await storefront.bought((mug, 1), email="bob@example.com")
    adas, _ = await storefront.sent_to_pay((mug, 1), userId="ada")

    assert await _ids(storefront, "?status=completed") == [paid]
    assert await _ids(storefront, "?email=bob@example.com") == [paid]
    assert await _ids(storefront, "?userId=ada") == [adas]
    assert await _ids(storefront, "?userId=ada&status=completed") == []


async def test_what_no_list_can_be_of_is_refused(storefront: Storefront):
    for query in ("status=paid", "limit=0", "limit=101", "after=ord_1", "email=%00", "userId=%00", "after=evt_0"):
        answer = await storefront.instance.api.get(f"/api/orders?{query}", headers=storefront.sk)

        assert (answer.status_code, answer.json()["param"]) == (422, query.partition("=")[0])


async def test_an_order_tells_all_there_is_of_it(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=5)
    order_id = await storefront.bought((mug, 3))
    await storefront.refund(order_id, lines=[{"line": 1, "quantity": 2}], restock=True, reason="broken")

    order = await storefront.order(order_id)

    assert [order[name] for name in ("number", "status", "total", "refundedAmount")] == [1, "completed", 3_000, 2_000]
    assert [(line["refundedQuantity"], line["restockedQuantity"]) for line in order["lines"]] == [(2, 2)]
    assert [(refund["status"], refund["amount"], refund["reason"]) for refund in order["refunds"]] == [
        ("succeeded", 2_000, "broken")
    ]
    refund = order["refunds"][0]["id"]
    assert [(event["type"], event["data"]) for event in order["events"]] == [
        ("created", {}),
        ("completed", {}),
        ("refund_asked", {"refund": refund, "amount": 2_000}),
        ("refunded", {"amount": 2_000, "refundedAmount": 2_000}),
    ]


async def test_each_store_numbers_its_orders_by_itself(instance: Instance, storefront: Storefront):
    numbers: list[int] = []
    for each in (storefront, storefront, await open_storefront(instance)):
        mug = await each.sell(f"mug-{len(numbers)}")
        numbers.append((await each.order((await each.sent_to_pay((mug, 1)))[0]))["number"])

    assert numbers == [1, 2, 1]


async def test_a_strangers_order_is_as_good_as_none(storefront: Storefront, charlie: Account):
    mug = await storefront.sell("mug")
    order_id = await storefront.bought((mug, 1))
    api = storefront.instance.api

    for who in (charlie.sk, storefront.account.live):
        answers: list[Any] = [
            await api.get(f"/api/orders/{order_id}", headers=who),
            await api.post(f"/api/orders/{order_id}/cancel", headers=who),
            await api.post(f"/api/orders/{order_id}/refunds", headers=who, json={}),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert (await api.get("/api/orders", headers=who)).json() == {"data": [], "nextCursor": None}
    assert (await storefront.order(order_id))["refundedAmount"] == 0
