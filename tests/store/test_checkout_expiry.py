"""A checkout that nobody pays gives back what it held."""

import asyncio

import pytest

from tests.store.shop import Shop

pytestmark = pytest.mark.both


async def test_what_nobody_paid_is_free_again_and_its_order_canceled(shop: Shop):
    await shop.sell("mug", inventory=5)
    checkout = await shop.checkout({"mug": 2})

    await shop.expire(checkout)

    order = await shop.order_of(checkout)
    assert (order.status, order.paid_at) == ("canceled", None)
    assert await shop.stock("mug") == (5, 0)
    assert await shop.holds() == ["released"]
    assert await shop.happened() == ["created", "canceled"]
    assert await shop.told() == ["order.canceled"]


async def test_where_a_card_was_declined_before_the_order_has_failed(shop: Shop):
    await shop.sell("mug", inventory=5)
    checkout = await shop.checkout({"mug": 2})
    await shop.hear("payment", shop.till.decline(checkout.gateway_id))

    await shop.expire(checkout)

    assert await shop.statuses() == ["failed"]
    assert await shop.stock("mug") == (5, 0)
    assert await shop.told("order") == ["order.failed"]


async def test_a_checkout_that_was_paid_meanwhile_is_not_canceled(shop: Shop):
    await shop.sell("mug", inventory=5)
    checkout = await shop.checkout({"mug": 2})
    shop.till.pay(checkout.gateway_id)

    await shop.expire(checkout)

    assert await shop.statuses() == ["completed"]
    assert await shop.stock("mug") == (3, 0)


async def test_many_who_hear_of_it_at_once_release_it_once(shop: Shop):
    await shop.sell("mug", inventory=5)
    checkout = await shop.checkout({"mug": 2})

    await asyncio.gather(*(shop.expire(checkout) for _ in range(10)))

    assert await shop.stock("mug") == (5, 0)
    assert await shop.told() == ["order.canceled"]


async def test_a_checkout_whose_page_was_never_made_ends_too(shop: Shop):
    await shop.sell("mug", inventory=5)
    checkout = await shop.begin({"mug": 2})

    await shop.expire(checkout)

    assert await shop.statuses() == ["canceled"]
    assert await shop.stock("mug") == (5, 0)
