"""A gateway's event that was answered is kept: killed before its effect, the server has it once after the restart."""

import asyncio
import time

import httpx2 as httpx
import pytest

from dream_api import billing
from dream_api.app import open_database
from dream_api.core import clock, secrets
from dream_api.core.settings import Settings
from dream_api.gateways import webhook_signature
from dream_api.gateways.sandbox import Sandbox
from dream_api.platforms import ProjectScope
from tests.billing.developer import GOOD, Seller, monthly
from tests.support.instance import Account, bootstrap_with_key, open_account
from tests.support.server import Server

pytestmark = pytest.mark.slow


async def paid_at_the_gateway(settings: Settings, account: Account, session: str) -> list[tuple[bytes, str]]:
    """What the gateway tells of the payment, signed; nothing of it was delivered."""
    database = open_database(settings)
    sandbox = Sandbox(database, link_base=settings.link_base)
    project = account.project
    async with database.write() as tx:
        found = await billing.ensure_account(tx, ProjectScope(project.platform_no, project.id, "test"))
    await sandbox.pay(session, GOOD)
    told = await sandbox.undelivered(found)
    await sandbox.mark_delivered(found, [event_id for event_id, _ in told])
    await database.close()
    secret = webhook_signature.signing_secret(secrets.load_instance_key(settings), found.id)
    now = clock.now() // clock.SECOND
    return [(payload.encode(), webhook_signature.sign(payload, secret, now)) for _, payload in told]


async def test_an_event_that_was_answered_takes_effect_once_after_a_kill(durable_settings: Settings):
    database = open_database(durable_settings)
    await bootstrap_with_key(database, durable_settings)
    account = await open_account(database, "Alice")
    await database.close()
    with Server(durable_settings, open_rate=0, workers="outside") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as api:
            seller = Seller(api, account.sk)
            await seller.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
            session = (await seller.checkout("ada", "pro")).rpartition("/")[2]
            told = await paid_at_the_gateway(server.settings, account, session)

            for payload, signature in told:
                answer = await api.post("/webhook/stripe", content=payload, headers={"Stripe-Signature": signature})
                assert answer.status_code == 200, answer.text
            assert (await seller.get("/api/subscriptions"))["data"] == []  # kept, and nobody has applied it
            await asyncio.to_thread(server.kill)

        server.settings = server.settings.model_copy(update={"workers": "inside"})
        await asyncio.to_thread(server.start)
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as api:
            seller = Seller(api, account.sk)
            by = time.monotonic() + 20
            wanted = ["invoice.paid", "payment.succeeded", "subscription.created"]
            while (happened := await happenings(seller)) != wanted and time.monotonic() < by:
                await asyncio.sleep(0.1)
            for payload, signature in told:
                await api.post("/webhook/stripe", content=payload, headers={"Stripe-Signature": signature})
            await asyncio.sleep(1)

            assert happened == wanted
            assert await happenings(seller) == wanted
            assert (await seller.usage("ada"))["plan"] == "pro"


async def happenings(seller: Seller) -> list[str]:
    return sorted(event["type"] for event in (await seller.get("/api/events?limit=100"))["data"])
