"""Stock is held for a checkout, all of it or nothing, and never more than there is."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from dream_api import store
from dream_api.billing.tables import checkouts
from dream_api.core import clock
from dream_api.core.errors import Overloaded
from dream_api.store import SoldOut
from dream_api.store import stock_holds as holding
from dream_api.store.stock_holds import WantedStock
from dream_api.store.tables import orders, stock_holds
from tests.store.shop import Shop

pytestmark = pytest.mark.both


async def test_a_checkout_holds_what_it_wants(shop: Shop):
    await shop.sell("mug", inventory=5)

    await shop.begin({"mug": 3})

    assert await shop.stock("mug") == (5, 3)


async def test_what_is_not_counted_needs_no_hold(shop: Shop):
    await shop.sell("song")

    await shop.begin({"song": 1_000})

    assert await shop.holds() == []


async def test_lines_that_share_stock_are_summed(shop: Shop):
    await shop.sell("mug", inventory=5)
    other = await _another_checkout(shop)

    with pytest.raises(SoldOut, match='Only 5 "Mug" left in stock'):
        await _hold(shop, other, WantedStock(shop.tiers["mug"], "Mug", 3), WantedStock(shop.tiers["mug"], "Mug", 3))
    await _hold(shop, other, WantedStock(shop.tiers["mug"], "Mug", 3), WantedStock(shop.tiers["mug"], "Mug", 2))

    assert await shop.stock("mug") == (5, 5)


async def test_all_is_held_or_nothing_and_the_refusal_names_what_is_left(shop: Shop):
    await shop.sell("mug", inventory=5)
    await shop.sell("pen", inventory=1)

    with pytest.raises(SoldOut) as refused:
        await shop.begin({"mug": 2, "pen": 2})

    assert refused.value.sentence == 'Only 1 "Pen" left in stock.'
    assert [await shop.stock(name) for name in ("mug", "pen")] == [(5, 0), (1, 0)]
    assert await _written(shop) == (0, 0, 0)


async def test_what_others_hold_is_not_sold(shop: Shop):
    await shop.sell("mug", inventory=5)
    await shop.begin({"mug": 5})

    with pytest.raises(SoldOut, match='"Mug" is sold out'):
        await shop.begin({"mug": 1})


async def test_what_its_developer_says_is_sold_out_is_not_sold_whatever_is_there(shop: Shop):
    await shop.sell("mug", inventory=5, is_sold_out=True)

    with pytest.raises(SoldOut, match='"Mug" is sold out'):
        await shop.begin({"mug": 1})


async def test_of_many_at_once_exactly_as_many_succeed_as_there_are_units(shop: Shop):
    await shop.sell("mug", inventory=20)
    await shop.sell("pen", inventory=40)
    await shop.account()

    answers = await asyncio.gather(*(_try(shop, place) for place in range(200)))

    assert answers.count("sold") == 20
    assert answers.count("sold out") == 180
    assert [await shop.stock(name) for name in ("mug", "pen")] == [(20, 20), (40, 20)]
    assert await _written(shop) == (20, 40, 20)
    assert await shop.contradictions() == []


async def test_orders_are_numbered_without_a_gap(shop: Shop):
    await shop.sell("mug", inventory=3)
    await shop.begin({"mug": 1})
    with pytest.raises(SoldOut):
        await shop.begin({"mug": 3})
    await shop.begin({"mug": 1})

    async with shop.database.read() as tx:
        rows = await store.page_of_orders(tx, shop.scope, status=None, email=None, user_id=None, limit=9, after=None)

    assert [row.number for row in rows] == [2, 1]


async def _try(shop: Shop, place: int) -> str:
    """Those of odd places name the products the other way round."""
    wanted = {"mug": 1, "pen": 1} if place % 2 else {"pen": 1, "mug": 1}
    while True:
        try:
            await shop.begin(wanted)
        except SoldOut:
            return "sold out"
        except Overloaded:  # so many wait that one of them did so for too long: as its answer says, it tries again
            continue
        return "sold"


async def _another_checkout(shop: Shop) -> str:
    await shop.sell("song")
    return (await shop.begin({"song": 1})).id


async def _hold(shop: Shop, checkout_id: str, *wanted: WantedStock) -> None:
    async with shop.database.write() as tx:
        await holding.hold_stock(tx, shop.scope, checkout_id, wanted, clock.now())


async def _written(shop: Shop) -> tuple[Any, ...]:
    """How many checkouts, holds and orders there are."""
    async with shop.database.read() as tx:
        tables = (checkouts, stock_holds, orders)
        return tuple([await tx.scalar(select(func.count()).select_from(table)) for table in tables])
