"""Many want the last ones: each unit is sold once, and whoever comes too late is told before they pay."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from sqlalchemy import func, select

from dream_api.app import bootstrap, integrity_checks, open_database
from dream_api.billing.tables import payments
from dream_api.core.integrity import run_check
from dream_api.core.settings import Settings
from dream_api.store.tables import orders, stock
from tests.billing.developer import GOOD, URLS, Seller
from tests.support.instance import open_account
from tests.support.server import Server

AT_ONCE = 100

pytestmark = [pytest.mark.slow, pytest.mark.both]


@pytest.fixture
async def store(database_settings: Settings) -> AsyncIterator[Seller]:
    database = open_database(database_settings)
    await bootstrap(database, database_settings)
    account = await open_account(database, "Mugs", "store")
    await database.close()
    limits = httpx.Limits(max_connections=AT_ONCE)
    with Server(database_settings, open_rate=0) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as api:
            yield Seller(api, account.sk)


async def put_on_sale(store: Seller, units: int) -> str:
    """The price of a mug, of which there are so many."""
    mug = {"price": "12.50", "currency": "usd", "type": "one_time"}
    made = await store.post("/tiers", {"name": "mug", "prices": [mug], "inventory": units})
    return made["prices"][0]["id"]


async def buy(store: Seller, price: str, number: int) -> str:
    """What became of a buyer."""
    body = {"email": f"buyer-{number}@example.com", "items": [{"priceId": price, "quantity": 1}], **URLS}
    begun = await store.ask("POST", "/api/cart/checkout", body)
    while begun.status_code == 503:  # so many at once are more than a busy machine serves in five seconds
        await asyncio.sleep(float(begun.headers["retry-after"]))
        begun = await store.ask("POST", "/api/cart/checkout", body)
    if begun.status_code == 409:
        return begun.json()["code"]
    assert begun.status_code == 200, begun.text
    paid = await store.pay(httpx.URL(begun.json()["url"]).path, GOOD)
    assert paid.status_code == 200, paid.text
    return "paid"


@pytest.mark.parametrize(("buyers", "units"), [(150, 15), pytest.param(500, 50, marks=pytest.mark.rest)])
async def test_many_want_the_last_units(store: Seller, database_settings: Settings, buyers: int, units: int):
    price = await put_on_sale(store, units)

    became = Counter(await asyncio.gather(*(buy(store, price, number) for number in range(buyers))))

    assert became == {"paid": units, "sold_out": buyers - units}
    database = open_database(database_settings)
    async with database.read() as tx:
        by_status = Counter(row.status for row in await tx.all(select(orders.c.status)))
        left = await tx.first(select(stock.c.on_hand, stock.c.held))
        paid = await tx.scalar(select(func.sum(payments.c.amount)).where(payments.c.status == "succeeded"))
    findings = [await run_check(database, check) for check in integrity_checks()]
    await database.close()
    assert by_status == {"completed": units}
    assert left is not None
    assert tuple(left) == (0, 0)
    assert paid == units * 1_250
    assert [finding.check.name for finding in findings if not finding.holds] == []
