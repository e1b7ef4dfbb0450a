"""Many checkouts are paid at once, while a job delivers as well: every event is delivered once, and none is lost."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, event, func, select

from dream_api import billing
from dream_api.billing import jobs as billing_jobs
from dream_api.billing.tables import gateway_events
from dream_api.core import clock, jobs
from dream_api.core.jobs import Registry
from dream_api.gateways import webhook_signature
from dream_api.gateways.sandbox.tables import sandbox_events
from tests.billing.developer import DECLINED, GOOD, Seller, monthly
from tests.core.job_workers import at_work, until
from tests.support.instance import Instance

pytestmark = pytest.mark.both


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    alice = Seller(instance.api, instance.alice.sk)
    await alice.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("20")]})
    return alice


@contextlib.contextmanager
def deliveries() -> Iterator[list[str]]:
    """The statements that store an event as received."""
    seen: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO gateway_events"):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", record)


async def counts(instance: Instance) -> tuple[int, int, int]:
    """Events of the sandbox, those of them that are undelivered, and events that were received."""
    undelivered = select(func.count()).where(sandbox_events.c.delivered_at.is_(None))
    async with instance.database.read() as tx:
        return (
            await tx.scalar(select(func.count()).select_from(sandbox_events)),
            await tx.scalar(undelivered),
            await tx.scalar(select(func.count()).select_from(gateway_events)),
        )


async def events_of(seller: Seller) -> Counter[str]:
    types: Counter[str] = Counter()
    path = "/api/events?limit=100"
    page = await seller.get(path)
    types.update(each["type"] for each in page["data"])
    while page["nextCursor"]:
        page = await seller.get(f"{path}&after={page['nextCursor']}")
        types.update(each["type"] for each in page["data"])
    return types


async def is_quiet(instance: Instance) -> bool:
    """No delivery and no application of an event is due any more."""
    async with instance.database.read() as tx:
        left = "SELECT count(*) FROM jobs WHERE kind IN ('billing.deliver', 'billing.apply')"
        return await tx.scalar(sa.text(left)) == 0


@pytest.mark.parametrize("buyers", [10, pytest.param(50, marks=pytest.mark.rest)])
async def test_checkouts_paid_at_once_deliver_each_event_once(instance: Instance, seller: Seller, buyers: int):
    """Of five buyers one is declined first, and one sends the payment twice."""
    pages = [await seller.checkout(f"user-{number}", "pro") for number in range(buyers)]
    registry = Registry()
    billing_jobs.register(registry, instance.app.state.billing)

    async def pay(number: int, page: str) -> None:
        if number % 5 == 0:
            assert (await seller.pay(page, DECLINED)).status_code == 402
        times = 2 if number % 5 == 1 else 1
        paid = await asyncio.gather(*(seller.pay(page, GOOD) for _ in range(times)))
        assert [each.status_code for each in paid] == [200] * times, [each.text for each in paid]
        [bought] = (await seller.get(f"/api/subscriptions?userId=user-{number}"))["data"]
        assert bought["status"] == "active"

    with deliveries() as delivered:
        async with at_work(jobs.Worker(instance.database, registry)):
            await asyncio.gather(*(pay(number, page) for number, page in enumerate(pages)))
            await until(lambda: is_quiet(instance))

    sent, undelivered, received = await counts(instance)
    assert (undelivered, received) == (0, sent)
    assert len(delivered) == sent
    types = await events_of(seller)
    assert types["subscription.created"] == types["invoice.paid"] == types["payment.succeeded"] == buyers
    assert types["payment.failed"] == buyers // 5


@pytest.mark.parametrize("card", [GOOD, DECLINED])
async def test_paying_delivers_its_own_events_only(instance: Instance, seller: Seller, card: str):
    """What others left undelivered waits for the job."""
    context = instance.app.state.billing
    abandoned, page = [(await seller.checkout(user, "pro")) for user in ("ada", "bob")]
    left = await context.gateways["sandbox"].pay(abandoned.rpartition("/")[2], GOOD)

    await seller.pay(page, card)

    assert (await counts(instance))[1] == len(left)
    assert (await seller.get("/api/subscriptions?userId=ada"))["data"] == []
    registry = Registry()
    billing_jobs.register(registry, context)
    async with at_work(jobs.Worker(instance.database, registry)):
        await until(lambda: is_quiet(instance))
    assert (await counts(instance))[1] == 0
    [bought] = (await seller.get("/api/subscriptions?userId=ada"))["data"]
    assert bought["status"] == "active"


async def test_what_another_has_delivered_is_applied_before_the_buyer_goes_on(instance: Instance, seller: Seller):
    """Who is killed between delivery and application leaves delivered events; the next one applies them."""
    context = instance.app.state.billing
    sandbox = context.gateways["sandbox"]
    session_id = (await seller.checkout("ada", "pro")).rpartition("/")[2]
    session = await sandbox.find_session(session_id)
    event_ids = await sandbox.pay(session_id, GOOD)
    secret = webhook_signature.signing_secret(context.instance_key, session.account.id)
    for event_id, payload in await sandbox.undelivered(session.account):
        signature = webhook_signature.sign(payload, secret, clock.now() // clock.SECOND)
        await billing.receive(context, payload.encode(), signature)
        await sandbox.mark_delivered(session.account, [event_id])
    assert (await seller.get("/api/subscriptions?userId=ada"))["data"] == []

    await billing.deliver_events(context, session.account, event_ids)

    [bought] = (await seller.get("/api/subscriptions?userId=ada"))["data"]
    assert bought["status"] == "active"
