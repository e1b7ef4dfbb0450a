"""Events in any order, more than once, while the gateway goes on and two appliers race: the end is the gateway's."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from dream_api import billing
from dream_api.core import clock
from dream_api.gateways import webhook_signature
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox import Sandbox
from dream_api.platforms import ProjectScope
from tests.billing.developer import GOOD, LATER_DECLINED, Seller, monthly
from tests.support.instance import Account as AccountOf
from tests.support.instance import Instance

pytestmark = pytest.mark.both

JOURNEYS = 10


@dataclass
class Gateway:
    """The sandbox with the events that it has told so far, none of which was delivered by itself."""

    instance: Instance
    account: GatewayAccount
    sandbox: Sandbox
    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def hear(self) -> None:
        """Take what is new from the sandbox's hands."""
        new = await self.sandbox.undelivered(self.account)
        self.told += new
        await self.sandbox.mark_delivered(self.account, [event_id for event_id, _ in new])

    async def deliver(self, event: tuple[str, str]) -> None:
        """As over the wire; then two apply it at once."""
        event_id, payload = event
        secret = webhook_signature.signing_secret(self.instance.app.state.billing.instance_key, self.account.id)
        signature = webhook_signature.sign(payload, secret, clock.now() // clock.SECOND)
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
        answer = await self.instance.api.post("/webhook/stripe", content=payload.encode(), headers=headers)
        assert answer.status_code == 200, answer.text
        desk = self.instance.app.state.billing
        await asyncio.gather(*(billing.apply_event(desk, self.account, event_id) for _ in range(2)))


def scope_of(account: AccountOf) -> ProjectScope:
    project = account.project
    return ProjectScope(project.platform_no, project.id, "test")


async def gateway_of(instance: Instance) -> Gateway:
    desk = instance.app.state.billing
    async with desk.database.write() as tx:
        account = await billing.ensure_account(tx, scope_of(instance.alice))
    return Gateway(instance, account, desk.gateways["sandbox"])


async def history_of(
    gateway: Gateway, seller: Seller, user: str, chance: random.Random
) -> list[Callable[[], Awaitable[Any]]]:
    """What happens to one subscription at the gateway, step by step."""
    sandbox, account = gateway.sandbox, gateway.account
    card = chance.choice([GOOD, LATER_DECLINED])
    session = (await seller.checkout(user, "pro")).rpartition("/")[2]
    found: dict[str, str] = {}

    async def pay() -> None:
        await sandbox.pay(session, card)
        found["id"] = (await sandbox.find_session(session)).document["subscription"]

    async def pass_time() -> None:
        async with gateway.instance.database.read() as tx:
            due = await Sandbox.next_due(tx, account)
        assert due is not None
        await sandbox.advance_next_due(account, due)

    async def cancel() -> None:
        await sandbox.cancel_subscription(account, found["id"], at_period_end=False, reason=None, key=user + "-end")

    async def cancel_later() -> None:
        await sandbox.cancel_subscription(account, found["id"], at_period_end=True, reason=None, key=user + "-later")

    steps: list[Callable[[], Awaitable[Any]]] = [pay, *(pass_time for _ in range(chance.randint(0, 3)))]
    if chance.random() < 0.5:
        steps.append(chance.choice([cancel, cancel_later]))
    return steps


async def mix(gateway: Gateway, steps: list[Callable[[], Awaitable[Any]]], chance: random.Random) -> None:
    """The gateway goes on, and what it has told is delivered in any order, some of it again."""
    waiting: list[tuple[str, str]] = []
    heard = len(gateway.told)
    while steps or waiting:
        if steps and (not waiting or chance.random() < 0.4):
            await steps.pop(0)()
            await gateway.hear()
            waiting += gateway.told[heard:]
            heard = len(gateway.told)
            continue
        event = waiting.pop(chance.randrange(len(waiting)))
        await gateway.deliver(event)
        if chance.random() < 0.2:
            waiting.append(chance.choice(gateway.told))


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, pytest.param(JOURNEYS, marks=pytest.mark.rest)])
async def test_journeys_end_as_the_gateway_has_it(instance: Instance, first: int):
    seller = Seller(instance.api, instance.alice.sk)
    await seller.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    gateway = await gateway_of(instance)

    for seed in range(first, first + JOURNEYS):
        chance = random.Random(seed)
        user = f"user-{seed}"
        await mix(gateway, await history_of(gateway, seller, user, chance), chance)

        [subscription] = (await seller.get(f"/api/subscriptions?userId={user}"))["data"]
        facts = await gateway.sandbox.read_subscription(gateway.account, subscription["subscriptionId"])
        assert subscription["status"] == facts.status
        assert subscription["currentPeriodStart"] == clock.rfc3339(facts.period_starts_at)
        assert subscription["currentPeriodEnd"] == clock.rfc3339(facts.period_ends_at)
        assert subscription["cancelAt"] == (clock.rfc3339(facts.cancel_at) if facts.cancel_at else None)
        customer = await seller.get(f"/api/customers/userId:{user}")
        holds = facts.status in ("active", "past_due")
        assert customer["plan"] == ("pro" if holds else None), seed
        paid = 0
        for invoice in await seller.invoices(subscription):
            paid += invoice["amountPaid"]
        payments = (await seller.get(f"/api/payments?customerId={customer['id']}&limit=100"))["data"]
        assert sum(one["amount"] for one in payments if one["status"] == "succeeded") == paid
        assert paid >= 2_000


async def test_an_event_is_kept_and_applied_once(instance: Instance):
    seller = Seller(instance.api, instance.alice.sk)
    await seller.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    gateway = await gateway_of(instance)
    session = (await seller.checkout("ada", "pro")).rpartition("/")[2]
    await gateway.sandbox.pay(session, GOOD)
    await gateway.hear()

    for _ in range(3):
        for event in gateway.told:
            await gateway.deliver(event)

    told = [event["type"] for event in (await seller.get("/api/events?limit=100"))["data"]]
    assert sorted(told) == ["invoice.paid", "payment.succeeded", "subscription.created"]


@pytest.mark.parametrize("how", ["forged", "stale", "foreign", "altered", "missing"])
async def test_what_is_not_signed_for_the_account_changes_nothing(instance: Instance, how: str):
    seller, stranger = (Seller(instance.api, account.sk) for account in (instance.alice, instance.charlie))
    for each in (seller, stranger):
        await each.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    gateway = await gateway_of(instance)
    session = (await seller.checkout("ada", "pro")).rpartition("/")[2]
    await stranger.checkout("eve", "pro")  # Charlie has an account, and a secret of his own
    await gateway.sandbox.pay(session, GOOD)
    await gateway.hear()
    key = instance.app.state.billing.instance_key
    secret = webhook_signature.signing_secret(key, gateway.account.id)
    now = clock.now() // clock.SECOND
    async with instance.database.write() as tx:
        his = await billing.ensure_account(tx, scope_of(instance.charlie))

    for _, payload in gateway.told:
        body = payload.encode()
        headers = {
            "forged": {"Stripe-Signature": webhook_signature.sign(payload, "whsec_guess", now)},
            "stale": {"Stripe-Signature": webhook_signature.sign(payload, secret, now - 301)},
            "foreign": {
                "Stripe-Signature": webhook_signature.sign(payload, webhook_signature.signing_secret(key, his.id), now)
            },
            "altered": {"Stripe-Signature": webhook_signature.sign(payload + " ", secret, now)},
            "missing": {},
        }[how]
        answer = await instance.api.post("/webhook/stripe", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "signature_invalid")

    assert (await seller.get("/api/subscriptions"))["data"] == []
    assert (await stranger.get("/api/subscriptions"))["data"] == []
    assert (await seller.get("/api/events"))["data"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"id": 1}',
        b'{"id": "evt", "type": "x", "account": "a\\u0000", "data": {"object": {}}}',
        # Half of a surrogate pair, which no database stores; and what is nested too deeply.
        b'{"id": "evt", "type": "x", "account": "\\ud800", "data": {"object": {}}}',
        b'{"id": "evt", "type": "x", "account": "a", "data": {"object": {"name": "\\udfff"}}}',
        b'{"data": ' + b"[" * 100_000,
    ],
)
async def test_what_is_no_event_is_refused(instance: Instance, body: bytes):
    answer = await instance.api.post("/webhook/stripe", content=body, headers={"Stripe-Signature": "t=1,v1=00"})
    assert (answer.status_code, answer.json()["code"]) == (400, "event_malformed")
