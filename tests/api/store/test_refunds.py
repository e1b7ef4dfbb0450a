"""POST /api/orders/{id}/refunds; the arithmetic of it is in test_refund.py and test_returning.py."""

import asyncio
from typing import Any

import pytest

from tests.support.storefront import KEEPS_REFUNDS, Storefront


async def test_units_go_back_and_on_sale_again(storefront: Storefront):
    mug = await storefront.sell("mug", "19.99", inventory=5)
    order_id = await storefront.bought((mug, 3))

    answer = await storefront.refund(order_id, lines=[{"line": 1, "quantity": 1}], restock=True, reason="broken")

    told = answer.json()
    assert answer.status_code == 201
    assert [told[name] for name in ("status", "amount", "currency", "reason")] == ["succeeded", 1_999, "usd", "broken"]
    assert await storefront.inventory("mug") == 3
    assert (await storefront.order(order_id))["status"] == "completed"


async def test_an_empty_body_gives_back_all_that_is_left(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=5)
    order_id = await storefront.bought((mug, 3))
    await storefront.refund(order_id, amount=500)

    answer = await storefront.refund(order_id)

    assert answer.json()["amount"] == 2_500
    assert (await storefront.order(order_id))["status"] == "refunded"
    assert await storefront.inventory("mug") == 2


async def test_the_same_request_again_gives_back_once(storefront: Storefront):
    mug = await storefront.sell("mug")
    order_id = await storefront.bought((mug, 3))
    key = {**storefront.sk, "Idempotency-Key": "k1"}

    answers = await asyncio.gather(*(storefront.refund(order_id, key, amount=700) for _ in range(4)))
    other = await storefront.refund(order_id, key, amount=701)

    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(201, answers[0].json()["id"])}
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert (await storefront.order(order_id))["refundedAmount"] == 700


async def test_money_that_does_not_arrive_is_told_and_can_be_sent_again(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=5)
    order_id = await storefront.bought((mug, 2), card=KEEPS_REFUNDS)

    answers = [await storefront.refund(order_id, restock=True) for _ in range(2)]

    assert [answer.json()["status"] for answer in answers] == ["failed", "failed"]
    order = await storefront.order(order_id)
    assert (order["status"], order["refundedAmount"]) == ("completed", 0)
    assert [event["type"] for event in order["events"]].count("refund_failed") == 2
    assert await storefront.inventory("mug") == 3


SAYS_NO: list[tuple[dict[str, Any], int, str, str]] = [
    ({"lines": [{"line": 1, "quantity": 4}]}, 409, "refund_too_large", "lines"),
    ({"lines": [{"line": 1, "quantity": 2}, {"line": 1, "quantity": 2}]}, 409, "refund_too_large", "lines"),
    ({"amount": 3_001}, 409, "refund_too_large", "amount"),
    ({"amount": 10**30}, 409, "refund_too_large", "amount"),
    ({"amount": 0}, 422, "validation_failed", "amount"),
    ({"amount": -1}, 422, "validation_failed", "amount"),
    ({"amount": "5"}, 422, "validation_failed", "amount"),
    ({"amount": 1, "lines": [{"line": 1, "quantity": 1}]}, 422, "validation_failed", "amount"),
    ({"amount": 1, "restock": True}, 422, "validation_failed", "restock"),
    ({"lines": []}, 422, "validation_failed", "lines"),
    ({"lines": [{"line": 2, "quantity": 1}]}, 422, "validation_failed", "lines"),
    ({"lines": [{"line": 1, "quantity": 0}]}, 422, "validation_failed", "lines.0.quantity"),
    ({"lines": [{"line": 0, "quantity": 1}]}, 422, "validation_failed", "lines.0.line"),
    ({"reason": "a\u0000"}, 422, "validation_failed", "reason"),
    ({"restock": 1}, 422, "validation_failed", "restock"),
    ({"items": []}, 422, "validation_failed", "items"),
]


async def test_what_cannot_go_back_is_refused_and_nothing_is_written(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=5)
    order_id = await storefront.bought((mug, 3))
    before = await storefront.order(order_id)

    for body, status, code, param in SAYS_NO:
        answer = await storefront.refund(order_id, **body)
        assert (body, answer.status_code, answer.json()["code"], answer.json()["param"]) == (body, status, code, param)

    assert await storefront.order(order_id) == before


async def test_what_was_not_paid_cannot_go_back(storefront: Storefront):
    mug = await storefront.sell("mug")
    order_id, _ = await storefront.sent_to_pay((mug, 1))

    answer = await storefront.refund(order_id)

    assert (answer.status_code, answer.json()["code"]) == (409, "order_not_paid")


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("member", 403), ("admin", 201), ("owner", 201)])
async def test_only_who_may_refund_does(storefront: Storefront, role: Any, status: int):
    mug = await storefront.sell("mug")
    order_id = await storefront.bought((mug, 1))

    answer = await storefront.refund(order_id, storefront.account.by(role))

    assert answer.status_code == status
