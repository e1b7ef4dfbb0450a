"""Money of an order goes back: exact to the last minor unit, counted when it has gone, and never more than was paid."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Row

from dream_api import catalog
from dream_api.billing import RefundTooLarge
from dream_api.catalog import NewCoupon
from dream_api.core.errors import Overloaded, ValidationFailed
from dream_api.gateways import GatewayRefused
from dream_api.store import OrderNotPaid, RefundRequest
from tests.store.shop import Shop


def units(*of: tuple[int, int], restock: bool = False) -> RefundRequest:
    return RefundRequest(units=of, restock=restock)


async def test_units_go_back_for_what_was_paid_for_them(shop: Shop):
    await shop.sell("mug", 1_000, inventory=5)
    await shop.sell("pen", 250)
    order = await shop.bought({"mug": 3, "pen": 2})

    refund = await shop.refund(order, units((1, 2), (2, 1)))

    assert (refund.status, refund.amount) == ("succeeded", 2_250)
    assert (await shop.order(order)).refunded_amount == 2_250
    assert (await shop.order(order)).status == "completed"
    assert await shop.lines(order) == [(2, 0), (1, 0)]
    assert await shop.stock("mug") == (2, 0)
    assert await shop.happened() == ["created", "completed", "refund_asked", "refunded"]
    assert await shop.told("order") == ["order.completed", "order.refunded"]


async def test_units_that_go_back_on_sale_are_in_stock_again(shop: Shop):
    await shop.sell("mug", inventory=5)
    order = await shop.bought({"mug": 3})

    await shop.refund(order, units((1, 1), restock=True))
    await shop.refund(order, units((1, 1)))
    await shop.hear("payment", "pi_0")

    assert await shop.stock("mug") == (3, 0)
    assert await shop.lines(order) == [(2, 1)]


async def test_all_that_is_left_goes_back_and_the_order_is_refunded(shop: Shop):
    await shop.sell("mug", inventory=5)
    order = await shop.bought({"mug": 3})
    await shop.refund(order, units((1, 1)))

    refund = await shop.refund(order, RefundRequest(restock=True))

    assert refund.amount == 2_000
    assert ((await shop.order(order)).status, await shop.lines(order)) == ("refunded", [(3, 2)])
    assert await shop.stock("mug") == (4, 0)


async def test_an_amount_goes_back_without_any_unit(shop: Shop):
    await shop.sell("mug")
    order = await shop.bought({"mug": 3})

    await shop.refund(order, RefundRequest(amount=500))
    assert (await shop.order(order)).status == "completed"
    await shop.refund(order, RefundRequest(amount=2_500))

    assert (await shop.order(order)).status == "refunded"
    assert await shop.lines(order) == [(0, 0)]


async def test_units_share_the_discount_to_the_last_cent(shop: Shop):
    await shop.sell("mug", 999)
    await shop.sell("pen", 101)
    async with shop.database.write() as tx:
        await catalog.create_coupon(
            tx, shop.scope.platform_no, shop.project.id, "test", NewCoupon(code="THIRD", percent_off=33)
        )
    order = await shop.bought({"mug": 3, "pen": 2}, "THIRD")

    amounts = [(await shop.refund(order, units((line, 1)))).amount for line in (1, 2, 1, 2, 1)]

    assert order.discount == 1_056
    assert sum(amounts) == order.total == 2_143
    assert (await shop.order(order)).status == "refunded"


async def test_no_more_units_go_back_than_were_bought(shop: Shop):
    await shop.sell("mug")
    order = await shop.bought({"mug": 3})
    await shop.refund(order, units((1, 2)))

    with pytest.raises(RefundTooLarge, match="The refund quantity of line 1 can be at most 1"):
        await shop.refund(order, units((1, 1), (1, 1)))
    with pytest.raises(ValidationFailed, match="no line 2"):
        await shop.refund(order, units((2, 1)))

    assert await shop.lines(order) == [(2, 0)]


async def test_no_more_money_goes_back_than_was_paid(shop: Shop):
    await shop.sell("mug")
    order = await shop.bought({"mug": 3})
    await shop.refund(order, RefundRequest(amount=2_500))

    for asked in (RefundRequest(amount=501), units((1, 1))):
        with pytest.raises(RefundTooLarge):
            await shop.refund(order, asked)
    assert (await shop.refund(order)).amount == 500
    with pytest.raises(RefundTooLarge):
        await shop.refund(order)


async def test_what_is_on_its_way_cannot_go_back_again(shop: Shop):
    shop.till.refunds_become = "pending"
    await shop.sell("mug", inventory=5)
    order = await shop.bought({"mug": 2})
    await shop.refund(order, units((1, 2), restock=True))

    assert ((await shop.order(order)).refunded_amount, await shop.lines(order)) == (0, [(0, 0)])
    assert await shop.stock("mug") == (3, 0)
    with pytest.raises(RefundTooLarge):
        await shop.refund(order, units((1, 1)))

    shop.till.turn("pi_0", "succeeded")
    await shop.hear("payment", "pi_0")
    assert ((await shop.order(order)).status, await shop.lines(order)) == ("refunded", [(2, 2)])
    assert await shop.stock("mug") == (5, 0)


async def test_what_did_not_arrive_can_go_back_again(shop: Shop):
    await shop.sell("mug", 100, inventory=9)
    order = await shop.bought({"mug": 3})
    shop.till.refunds_become = "failed"
    await shop.refund(order, units((1, 1)))
    shop.till.refunds_become = "succeeded"

    assert (await shop.order(order)).refunded_amount == 0
    assert await shop.happened() == ["created", "completed", "refund_asked", "refund_failed"]
    assert (await shop.refund(order)).amount == 300


async def test_what_the_gateway_will_not_give_back_is_not_waited_for(shop: Shop):
    await shop.sell("mug")
    order = await shop.bought({"mug": 1})
    shop.till.refuses_refunds = True
    with pytest.raises(GatewayRefused):
        await shop.refund(order)
    shop.till.refuses_refunds = False

    await shop.refund(order)

    assert (await shop.order(order)).status == "refunded"
    assert await shop.happened() == [
        "created",
        "completed",
        "refund_asked",
        "refund_failed",
        "refund_asked",
        "refunded",
    ]


async def test_a_refund_that_a_bank_returns_makes_the_order_completed_again(shop: Shop):
    await shop.sell("mug", inventory=5)
    order = await shop.bought({"mug": 2})
    await shop.refund(order, RefundRequest(restock=True))

    shop.till.turn("pi_0", "failed")
    await shop.hear("payment", "pi_0")
    again = await shop.order(order)
    assert (again.status, again.refunded_amount, await shop.lines(order)) == ("completed", 0, [(0, 2)])

    await shop.refund(order, RefundRequest(restock=True))
    assert (await shop.order(order)).status == "refunded"
    assert await shop.stock("mug") == (5, 0)


async def test_a_refund_that_was_made_at_the_gateway_counts(shop: Shop):
    await shop.sell("mug")
    order = await shop.bought({"mug": 3})

    shop.till.give_back("pi_0", 1_200)
    await shop.hear("payment", "pi_0")

    assert (await shop.order(order)).refunded_amount == 1_200
    assert (await shop.refund(order)).amount == 1_800


async def test_a_refund_that_is_heard_of_before_the_order_is_completed_counts(shop: Shop):
    await shop.sell("mug")
    checkout = await shop.checkout({"mug": 3})
    shop.till.pay(checkout.gateway_id)
    shop.till.give_back("pi_0", 3_000)

    await shop.hear("payment", "pi_0")
    await shop.hear("checkout", checkout.gateway_id)

    order = await shop.order_of(checkout)
    assert (order.status, order.refunded_amount) == ("refunded", 3_000)
    assert await shop.told("order") == ["order.completed", "order.refunded"]


async def test_what_was_not_paid_cannot_go_back(shop: Shop):
    await shop.sell("mug", inventory=5)
    await shop.sell("sticker", 0)
    for order in (await shop.order_of(await shop.checkout({"mug": 1})), await shop.bought({"sticker": 1})):
        with pytest.raises(OrderNotPaid):
            await shop.refund(order)

    with pytest.raises(ValidationFailed, match="Nothing was paid for these units"):
        await shop.refund(await shop.bought({"mug": 1, "sticker": 1}), units((2, 1)))


@pytest.mark.parametrize("asked", [RefundRequest(amount=1, units=((1, 1),)), RefundRequest(amount=1, restock=True)])
async def test_what_contradicts_itself_is_refused(shop: Shop, asked: RefundRequest):
    await shop.sell("mug")
    with pytest.raises(ValidationFailed):
        await shop.refund(await shop.bought({"mug": 1}), asked)


@pytest.mark.parametrize(
    "wanted",
    [
        [units((1, 1))] * 12,
        [RefundRequest(amount=700)] * 8,
        [RefundRequest()] * 4,
        [units((1, 1)), RefundRequest(amount=900)] * 5,
    ],
)
async def test_many_at_once_never_give_back_more_than_was_paid(shop: Shop, wanted: Sequence[RefundRequest]):
    await shop.sell("mug", inventory=5)
    order = await shop.bought({"mug": 5})

    answers = await asyncio.gather(*(_try(shop, order, asked) for asked in wanted))

    gone = sum(refund.amount for refund in shop.till.payments["pi_0"].refunds)
    told = await shop.order(order)
    assert gone == told.refunded_amount == sum(answers) <= 5_000
    assert gone > 5_000 - 1_000
    assert await shop.contradictions() == []


async def _try(shop: Shop, order: Row[Any], asked: RefundRequest) -> int:
    """How much went back."""
    while True:
        try:
            return (await shop.refund(order, asked)).amount
        except RefundTooLarge:
            return 0
        except Overloaded:
            continue
