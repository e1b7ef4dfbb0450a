"""A gateway is asked over a socket, and never while a write transaction is open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from dream_api.billing import BillingContext
from dream_api.core.db import in_transaction
from dream_api.core.settings import Settings
from dream_api.gateways.contract import Gateway
from dream_api.gateways.sandbox import Sandbox
from tests.billing.developer import URLS, Seller, monthly
from tests.support.instance import Cast, Instance, open_instance

pytestmark = pytest.mark.both

ASKED = {name for name in dir(Gateway) if not name.startswith("_")}


class Talking(Sandbox):
    """The sandbox behind a socket: each time that it is asked, it is reached over the network first."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.address: tuple[str, int] | None = None
        # What was asked, and whether a write transaction was open.
        self.asked: list[tuple[str, bool]] = []

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return self._over_the_network(name, found) if name in ASKED else found

    def _over_the_network(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        async def ask(*given: Any, **named: Any) -> Any:
            self.asked.append((name, in_transaction.get()))
            if self.address is not None:
                _, writer = await asyncio.open_connection(*self.address)
                writer.close()
                await writer.wait_closed()
            return await method(*given, **named)

        return ask


@asynccontextmanager
async def answering() -> AsyncIterator[tuple[str, int]]:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()


@pytest.fixture
async def instance(database_settings: Settings, cast: Cast) -> AsyncIterator[Instance]:
    async with open_instance(database_settings, gateway=Talking, cast=cast) as opened:
        yield opened


async def test_every_question_to_the_gateway_is_asked_outside(instance: Instance):
    desk: BillingContext = instance.app.state.billing
    gateway = desk.gateways["sandbox"]
    assert isinstance(gateway, Talking)
    seller = Seller(instance.api, instance.alice.sk)
    for name, price in (("pro", "20"), ("team", "50")):
        await seller.post("/tiers", {"name": name, "limit": 5_000, "prices": [monthly(price)]})

    async with answering() as gateway.address:
        subscription = await seller.subscribe("ada", "pro")
        path = f"/api/subscriptions/{subscription['id']}"
        await seller.post(f"{path}/preview", {"tier": "team"})
        await seller.post(f"{path}/change", {"tier": "team"})
        await seller.post(f"{path}/cancel")
        await seller.post(f"{path}/resume")
        [*_, first] = (await seller.get("/api/payments"))["data"]
        await seller.post(f"/api/payments/{first['id']}/refunds", {"amount": 100})
        await seller.post("/api/customer-portal", {"returnUrl": URLS["successUrl"]}, **{"X-User-Id": "ada"})
        for status in ("blocked", "active"):
            await seller.ask("PATCH", "/api/customers/userId:ada", {"status": status})
        await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)
        await seller.checkout("bob", "pro")
        await seller.advance(days=1)

    assert {name for name, _ in gateway.asked} >= ASKED - {"add_invoice_line", "expire_checkout"}
    assert [name for name, was_inside in gateway.asked if was_inside] == []
