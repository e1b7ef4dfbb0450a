"""Buyers of the last units, while the server is killed between hold and payment: none is sold twice, none is lost."""

import asyncio
import random
from collections import Counter
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import select

from dream_api.app import integrity_checks, open_database
from dream_api.core import clock
from dream_api.core.integrity import run_check
from dream_api.core.settings import Settings
from dream_api.store.tables import orders, stock
from tests.billing.developer import GOOD, URLS, Seller, at
from tests.support.instance import bootstrap_with_key, open_account
from tests.support.server import Server

_TRIES = 1_000
# Soon after a kill; later where so many want one row: who asks too often keeps the server from answering the others.
_SOON_SECONDS, _LATER_SECONDS = 0.05, 0.3

pytestmark = pytest.mark.slow


class Buyers:
    """They ask until they are answered, with the same key; the server is killed on the way."""

    def __init__(self, server: Server, api: httpx.AsyncClient, headers: dict[str, str], price: str) -> None:
        self._server = server
        self._api = api
        self._headers = headers
        self._price = price
        self.became: Counter[str] = Counter()
        self._killing = asyncio.Lock()

    async def come(self, numbers: list[int], *, at_once: int, kills: int, chance: random.Random) -> None:
        """So many at once; about half of those who may pay go away without."""
        waiting = list(numbers)
        kill_at = {len(waiting) * part // (kills + 1) for part in range(1, kills + 1)}

        async def worker() -> None:
            while waiting:
                number = waiting.pop()
                if len(waiting) in kill_at:
                    kill_at.discard(len(waiting))
                    await asyncio.to_thread(self._server.kill)
                    await asyncio.to_thread(self._server.start)
                self.became[await self._buy(number, pays=not kills or chance.random() < 0.5)] += 1

        await asyncio.gather(*(worker() for _ in range(at_once)))

    async def _buy(self, number: int, *, pays: bool) -> str:
        items = [{"priceId": self._price, "quantity": 1}]
        body = {"email": f"buyer-{number}@example.com", "items": items, **URLS}
        begun = await self._ask("/api/cart/checkout", body, {**self._headers, "Idempotency-Key": f"buyer-{number}"})
        if begun.status_code == 409:
            return begun.json()["code"]
        assert begun.status_code == 200, begun.text
        if not pays:
            return "went away"
        page = httpx.URL(begun.json()["url"]).path
        paid = await self._ask(f"{page}/pay", {"card": GOOD}, {})
        # The answer to the payment may have been lost with the server: then it is paid already.
        assert paid.status_code == 200 or paid.json()["code"] == "gateway_refused", paid.text
        return "paid"

    async def _ask(self, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        for _ in range(_TRIES):
            try:
                answer = await self._api.post(path, json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(_SOON_SECONDS)
                continue
            if answer.status_code != 503 and answer.json().get("code") != "idempotency_in_progress":
                return answer
            await asyncio.sleep(_LATER_SECONDS)
        raise AssertionError(f"{path} was never answered.")


# So many want so few units, some at once, while the server is killed so often.
@pytest.mark.parametrize(
    ("buyers", "units", "at_once", "kills"), [(60, 30, 8, 2), pytest.param(500, 50, 32, 4, marks=pytest.mark.rest)]
)
async def test_what_is_held_by_those_who_went_away_is_sold_to_others(
    durable_settings: Settings, buyers: int, units: int, at_once: int, kills: int
):
    database = open_database(durable_settings)
    await bootstrap_with_key(database, durable_settings)
    account = await open_account(database, "Mugs", "store")
    await database.close()
    with Server(durable_settings, open_rate=0, workers="inside") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as api:
            store = Seller(api, account.sk)
            mug = {"price": "12.50", "currency": "usd", "type": "one_time"}
            made = await store.post("/tiers", {"name": "mug", "prices": [mug], "inventory": units})
            crowd = Buyers(server, api, account.sk, made["prices"][0]["id"])

            await crowd.come(list(range(buyers)), at_once=at_once, kills=kills, chance=random.Random(7))
            gone = crowd.became["went away"]
            assert crowd.became["paid"] + gone == units
            assert gone > 0

            # Half an hour later nobody can pay any more, and what was held is sold to others.
            now = at(await store.now())
            await store.advance_to(clock.rfc3339(now + clock.HOUR))
            assert await inventory(store) == (gone, 0)
            await crowd.come(list(range(buyers, 2 * buyers)), at_once=at_once, kills=0, chance=random.Random(8))

            assert crowd.became["paid"] == units
            assert await inventory(store) == (0, 0)

    database = open_database(durable_settings)
    async with database.read() as tx:
        by_status = Counter(row.status for row in await tx.all(select(orders.c.status)))
        left = await tx.first(select(stock.c.on_hand, stock.c.held))
    findings = [await run_check(database, check) for check in integrity_checks()]
    await database.close()
    assert by_status == {"completed": units, "canceled": gone}
    assert left is not None
    assert tuple(left) == (0, 0)
    assert [(finding.check.name, finding.contradictions) for finding in findings if not finding.holds] == []


async def inventory(store: Seller) -> tuple[int, int]:
    """On hand and held, once what was paid before a kill was delivered by the jobs."""
    for _ in range(100):
        processing = (await store.get("/api/orders?status=processing&limit=100"))["data"]
        if not processing:
            [tier] = (await store.get("/tiers"))["data"]
            return tier["inventory"], 0
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(processing)} orders are still being processed.")
