"""POST /api/orders/{id}/cancel."""

import pytest

from dream_api.core import clock
from dream_api.gateways import GatewayRefused
from tests.support.instance import Account
from tests.support.storefront import Storefront


async def _cancel(storefront: Storefront, order_id: str, headers: dict[str, str] | None = None):
    return await storefront.instance.api.post(f"/api/orders/{order_id}/cancel", headers=headers or storefront.sk)


async def test_a_canceled_order_cannot_be_paid_and_its_goods_are_free(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=2)
    order_id, page = await storefront.sent_to_pay((mug, 2))

    answer = await _cancel(storefront, order_id)

    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    with pytest.raises(GatewayRefused):
        await storefront.pay(page)
    assert (await storefront.cart((mug, 2))).status_code == 200


async def test_canceling_again_answers_the_same(storefront: Storefront):
    mug = await storefront.sell("mug")
    order_id, _ = await storefront.sent_to_pay((mug, 1))

    answers = [await _cancel(storefront, order_id) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text


async def test_a_paid_order_is_not_canceled(storefront: Storefront):
    mug = await storefront.sell("mug", inventory=2)
    order_id = await storefront.bought((mug, 1))

    answer = await _cancel(storefront, order_id)

    assert (answer.status_code, answer.json()["code"]) == (409, "order_paid")
    assert (await storefront.order(order_id))["status"] == "completed"
    assert await storefront.inventory("mug") == 1


async def test_an_order_whose_time_is_over_is_canceled_by_itself(storefront: Storefront, charlie: Account):
    mug = await storefront.sell("mug", inventory=2)
    order_id, _ = await storefront.sent_to_pay((mug, 2))

    later = clock.rfc3339(clock.now() + clock.HOUR)
    moved = await storefront.instance.api.post("/test-clock", headers=storefront.sk, json={"advanceTo": later})

    assert moved.status_code == 200, moved.text
    assert (await storefront.order(order_id))["status"] == "canceled"
    assert (await storefront.cart((mug, 2))).status_code == 200


async def test_a_viewer_cancels_nothing(storefront: Storefront):
    mug = await storefront.sell("mug")
    order_id, _ = await storefront.sent_to_pay((mug, 1))

    answer = await _cancel(storefront, order_id, storefront.account.by("viewer"))

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert (await storefront.order(order_id))["status"] == "processing"
