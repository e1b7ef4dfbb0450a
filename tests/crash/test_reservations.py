"""Hundreds of reservations, half of them settled and half of them timed out, with `kill -9` in between."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import func, select

from dream_api import app
from dream_api.usage.tables import reservations, usage_counters
from tests.support.load import Served

USERS = 50
WORKERS = 16
# Those that are not settled end after this; the others are held long enough.
SHORT_SECONDS, LONG_SECONDS = 2, 600


class Client:
    """Sends until it is answered, always with the same key."""

    def __init__(self, served: Served) -> None:
        self._headers = served.alice.live
        self._api = httpx.AsyncClient(base_url=served.server.url, timeout=20)

    async def post(self, path: str, key: str, user: str, body: dict[str, Any]) -> Any:
        headers = {**self._headers, "Idempotency-Key": key, "X-User-Id": user}
        while True:
            try:
                answer = await self._api.post(path, headers=headers, json=body)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code in (409, 503) and answer.json()["code"] != "reservation_expired":
                await asyncio.sleep(0.05)
                continue
            assert answer.status_code in (200, 201), answer.text
            return answer.json()

    async def close(self) -> None:
        await self._api.aclose()


async def work(served: Served, numbers: list[int], kills: int, one: Callable[[int], Awaitable[None]]) -> None:
    """Does `one` for all numbers, some at a time, while the server is killed again and again."""
    waiting = list(numbers)
    kill_at = {len(numbers) * part // (kills + 1) for part in range(1, kills + 1)}

    async def worker() -> None:
        while waiting:
            number = waiting.pop()
            if len(waiting) in kill_at:
                await asyncio.to_thread(served.server.kill)
                await asyncio.to_thread(served.server.start)
            await one(number)

    await asyncio.gather(*(worker() for _ in range(WORKERS)))


@pytest.mark.slow
@pytest.mark.parametrize(("number_of", "kills"), [(240, 1), pytest.param(1_000, 3, marks=pytest.mark.rest)])
async def test_what_is_held_is_what_is_open_and_what_is_counted_is_what_was_settled(
    served: Served, number_of: int, kills: int
) -> None:
    client = Client(served)
    ids: dict[int, str] = {}
    quantities = [random.randint(1, 9) for _ in range(number_of)]
    used = [random.randint(0, quantity) for quantity in quantities]
    to_settle = [number for number in range(number_of) if number % 2 == 0]

    async def reserve(number: int) -> None:
        seconds = LONG_SECONDS if number % 2 == 0 else SHORT_SECONDS
        body = {"quantity": quantities[number], "ttlSeconds": seconds}
        told = await client.post("/api/usage/reserve", f"r{number}", f"user-{number % USERS}", body)
        ids[number] = told["reservation"]["id"]

    async def settle(number: int) -> None:
        path = f"/api/usage/reserve/{ids[number]}/settle"
        await client.post(path, f"s{number}", "anybody", {"quantity": used[number]})

    await work(served, list(range(number_of)), kills, reserve)
    assert await served.contradictions() == {}
    assert len(set(ids.values())) == number_of
    await work(served, to_settle, kills, settle)
    assert await served.contradictions() == {}
    await asyncio.sleep(SHORT_SECONDS)
    await released(served, client)
    await client.close()

    held, counted, states = await stored(served)
    assert held == 0
    assert counted == sum(used[number] for number in to_settle)
    assert states == {"settled": number_of // 2, "expired": number_of // 2}
    assert await served.contradictions() == {}


async def released(served: Served, client: Client) -> None:
    """Calls end what is over, a few hundred at a time."""
    for number in range(10):
        await client.post("/api/data", f"c{number}", "released", {})
        await asyncio.sleep(0.3)


async def stored(served: Served) -> tuple[int, int, dict[str, int]]:
    """What the tables say: all that is held, all that was counted of the users, and reservations by state."""
    c = usage_counters.c
    database = app.open_database(served.settings)
    async with database.read() as tx:
        held = await tx.scalar(select(func.sum(c.held)))
        counted = await tx.scalar(select(func.sum(c.count)).where(c.window == 0, c.customer_no > 0))
        states = {
            row[0]: row[1]
            for row in await tx.all(select(reservations.c.state, func.count()).group_by(reservations.c.state))
        }
    await database.close()
    return int(held), int(counted) - 10, states  # the ten calls that released
