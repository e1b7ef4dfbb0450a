"""What is paid is taken from stock once, and what was paid too late is taken only where there is some."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Row

from dream_api import store
from dream_api.core.errors import ValidationFailed
from dream_api.gateways import GatewayRefused
from dream_api.store import RefundRequest
from tests.store.shop import Shop

pytestmark = pytest.mark.both


async def test_what_is_paid_leaves_the_shelf(shop: Shop):
    await shop.sell("mug", inventory=5)

    order = await shop.bought({"mug": 2})

    assert (order.status, order.paid_at is not None, order.total) == ("completed", True, 2_000)
    assert await shop.stock("mug") == (3, 0)
    assert await shop.holds() == ["settled"]
    assert await shop.happened() == ["created", "completed"]
    assert await shop.told() == ["order.completed"]


async def test_what_the_gateway_says_again_changes_nothing(shop: Shop):
    await shop.sell("mug", inventory=5)
    checkout = await shop.checkout({"mug": 2})
    await shop.pay(checkout)

    for kind, object_id in (("checkout", checkout.gateway_id), ("payment", "pi_0"), ("checkout", checkout.gateway_id)):
        await shop.hear(kind, object_id)
    await shop.expire(checkout)

    assert await shop.statuses() == ["completed"]
    assert await shop.stock("mug") == (3, 0)
    assert await shop.told() == ["order.completed"]


async def test_many_who_hear_of_it_at_once_take_it_once(shop: Shop):
    await shop.sell("mug", inventory=5)
    checkout = await shop.checkout({"mug": 2})
    shop.till.pay(checkout.gateway_id)

    await asyncio.gather(*(shop.hear("checkout", checkout.gateway_id) for _ in range(10)))

    assert await shop.stock("mug") == (3, 0)
    assert await shop.told() == ["order.completed"]


async def test_what_nobody_charges_for_is_settled_like_the_rest(shop: Shop):
    await shop.sell("sticker", amount=0, inventory=5)

    order = await shop.bought({"sticker": 2})

    assert (order.status, order.total, order.payment_id) == ("completed", 0, None)
    assert await shop.stock("sticker") == (3, 0)


async def test_a_late_payment_takes_what_is_still_there(shop: Shop):
    await shop.sell("mug", inventory=5)
    checkout = await shop.checkout({"mug": 2})
    await _expired_and_paid(shop, checkout)

    await shop.tell_paid(checkout)

    assert await shop.statuses() == ["completed"]
    assert await shop.stock("mug") == (3, 0)
    assert await shop.told() == ["order.canceled", "order.completed"]
    assert await shop.contradictions() == []


async def test_a_late_payment_for_what_is_gone_fails_and_goes_back(shop: Shop):
    await shop.sell("mug", inventory=2)
    await shop.sell("pen", inventory=9)
    checkout = await shop.checkout({"mug": 2, "pen": 1})
    await _expired_and_paid(shop, checkout)
    await shop.begin({"mug": 1})

    await shop.tell_paid(checkout)
    await shop.tell_paid(checkout)
    await shop.send_refunds()

    order = await shop.order_of(checkout)
    assert (order.status, order.total, order.refunded_amount) == ("failed", 3_000, 3_000)
    assert [await shop.stock(name) for name in ("mug", "pen")] == [(2, 1), (9, 0)]
    assert await shop.told() == ["order.canceled", "order.failed", "order.refunded"]
    assert [refund.amount for refund in shop.till.payments["pi_0"].refunds] == [3_000]
    assert await shop.contradictions() == []


async def test_what_never_left_the_shelf_does_not_come_back_to_it(shop: Shop):
    await shop.sell("mug", inventory=2)
    checkout = await shop.checkout({"mug": 2})
    await _expired_and_paid(shop, checkout)
    await shop.begin({"mug": 1})
    await shop.tell_paid(checkout)
    shop.till.refuses_refunds = True
    with pytest.raises(GatewayRefused):
        await shop.send_refunds()
    shop.till.refuses_refunds = False
    order = await shop.order_of(checkout)

    with pytest.raises(ValidationFailed):
        await shop.refund(order, RefundRequest(restock=True))
    await shop.refund(order)

    assert (await shop.order(order)).refunded_amount == 2_000
    assert await shop.stock("mug") == (2, 1)


async def test_a_late_free_order_for_what_is_gone_just_fails(shop: Shop):
    await shop.sell("sticker", amount=0, inventory=2)
    checkout = await shop.checkout({"sticker": 2})
    await _expired_and_paid(shop, checkout)
    await shop.begin({"sticker": 1})

    await shop.tell_paid(checkout)

    assert (await shop.order_of(checkout)).status == "failed"
    assert await shop.stock("sticker") == (2, 1)


async def test_a_sale_that_leaves_few_is_told_once_each_time(shop: Shop):
    await shop.sell("mug", inventory=5)
    await _warn_at(shop, "mug", 2)

    for _ in range(4):
        await shop.bought({"mug": 1})
    assert await shop.told("stock") == ["stock.low"]

    async with shop.database.write() as tx:
        await store.set_inventory(tx, shop.scope, shop.tiers["mug"], 3)
    await shop.bought({"mug": 3})
    assert await shop.told("stock") == ["stock.low", "stock.low", "stock.sold_out"]


async def test_what_expires_makes_no_noise(shop: Shop):
    await shop.sell("mug", inventory=1)
    await _warn_at(shop, "mug", 1)

    await shop.expire(await shop.checkout({"mug": 1}))

    assert await shop.told("stock") == []


async def test_stock_that_is_not_counted_any_more_is_always_there_for_a_late_payment(shop: Shop):
    await shop.sell("mug", inventory=1)
    checkout = await shop.checkout({"mug": 1})
    await _expired_and_paid(shop, checkout)
    async with shop.database.write() as tx:
        await store.set_inventory(tx, shop.scope, shop.tiers["mug"], None)

    await shop.tell_paid(checkout)

    assert await shop.statuses() == ["completed"]


async def _expired_and_paid(shop: Shop, checkout: Row[Any]) -> None:
    """What no gateway should do."""
    await shop.expire(checkout)
    shop.till.pay(checkout.gateway_id)
    if "pi_0" in shop.till.payments:
        await shop.hear("payment", "pi_0")


async def _warn_at(shop: Shop, name: str, low_at: int) -> None:
    async with shop.database.write() as tx:
        await store.set_low_stock_threshold(tx, shop.scope, shop.tiers[name], low_at)
