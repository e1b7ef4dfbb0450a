"""Which status of an order may follow which."""

from itertools import product
from typing import get_args

import pytest

from dream_api.core import clock
from dream_api.store import Status, order_queries, orders
from dream_api.store.orders import TRANSITIONS, IllegalTransition
from tests.store.shop import Shop

STATUSES: tuple[Status, ...] = get_args(Status)


def test_every_status_has_its_moves():
    assert TRANSITIONS.keys() == set(STATUSES)


def test_what_was_completed_is_never_canceled_nor_failed():
    for status in ("completed", "refunded"):
        assert not set(TRANSITIONS[status]) & {"processing", "canceled", "failed"}


def test_nothing_becomes_processing_again():
    assert not [status for status, following in TRANSITIONS.items() if "processing" in following]


async def test_only_what_may_follow_does(shop: Shop):
    await shop.sell("mug")
    order = await shop.order_of(await shop.begin({"mug": 1}))

    for before, after in product(STATUSES, STATUSES):
        async with shop.database.write() as tx:
            stood = await order_queries.update_order(tx, order.platform_no, order.id, {"status": before})
            if after in TRANSITIONS[before]:
                assert (await orders.set_status(tx, stood, after, clock.now())).status == after
                continue
            with pytest.raises(IllegalTransition):
                await orders.set_status(tx, stood, after, clock.now())
        assert (await shop.order(order)).status == before
