"""Changes by API and command line are recorded in the security log, with the actor."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from dream_api import audit
from dream_api.audit import Actor, Entry
from tests.support.instance import Account, Instance
from tests.support.storefront import open_storefront

pytestmark = pytest.mark.both


async def entries(instance: Instance, account: Account) -> list[Entry]:
    async with instance.database.read() as tx:
        return await audit.list_entries(tx, account.project.log_stream, limit=100)


async def test_what_programs_change_is_recorded_with_their_token_or_key(instance: Instance, alice: Account) -> None:
    async def ask(method: str, path: str, headers: dict[str, str], **body: Any) -> None:
        answer = await instance.api.request(method, path, headers=headers, **({"json": body} if body else {}))
        assert answer.status_code < 300, answer.text

    once = {**alice.sk, "Idempotency-Key": "1"}
    for _ in range(2):
        await ask("POST", "/tiers", once, name="pro")
    await ask("PUT", "/tiers/pro", alice.by("member"), displayName="Pro")
    await ask("DELETE", "/tiers/pro", alice.sk)
    await ask("POST", "/coupons", alice.sk, code="SPRING", percentOff=25)
    await ask("POST", "/create-products", alice.by("admin"), name="Mine", projectType="saas")

    told = list(reversed(await entries(instance, alice)))
    assert [entry.action for entry in told] == [
        "tier.created",
        "tier.changed",
        "tier.archived",
        "coupon.created",
        "project.created",
    ]
    assert told[0].by == Actor("key", alice.key_ids["test"], address="127.0.0.1")
    assert told[0].details == {"project": alice.project.id, "mode": "test", "tier": "pro"}
    assert told[1].by.id == alice.token_ids["member"]
    assert told[4].details == {"keys": "test"}


async def test_what_becomes_of_customers_and_of_the_test_clock_is_recorded(instance: Instance, alice: Account) -> None:
    async def ask(method: str, path: str, headers: dict[str, str], **body: Any) -> None:
        answer = await instance.api.request(method, path, headers=headers, **({"json": body} if body else {}))
        assert answer.status_code < 300, answer.text

    ada = "/api/customers/userId:ada"
    await ask("POST", "/api/customers", alice.sk, userId="ada")
    await ask("PATCH", ada, alice.sk, name="Ada", plan="free")  # a server at its daily work
    await ask("PATCH", ada, alice.by("member"), name="Ada", plan="free")  # nothing is changed
    await ask("PATCH", ada, alice.by("member"), name="Ada L.", plan=None)
    await ask("PATCH", ada, alice.sk, status="blocked")
    await ask("PATCH", ada, alice.by("member"), status="active")
    for _ in range(2):
        await ask("DELETE", ada, alice.sk)
    await ask("POST", "/test-clock", alice.by("member"), advanceTo="2030-01-01T00:00:00Z")

    told = list(reversed(await entries(instance, alice)))
    in_test = {"project": alice.project.id, "mode": "test"}
    assert [(entry.action, entry.by.kind, dict(entry.details)) for entry in told] == [
        ("customer.changed", "token", {**in_test, "fields": "name, plan"}),
        ("customer.blocked", "key", {**in_test, "fields": "status"}),
        ("customer.unblocked", "token", {**in_test, "fields": "status"}),
        ("customer.deleted", "key", in_test),
        ("clock.moved", "token", {**in_test, "to": "2030-01-01T00:00:00Z"}),
    ]
    assert told[0].about.startswith("cus_")


async def test_a_refund_is_recorded_once(instance: Instance) -> None:
    storefront = await open_storefront(instance)
    order_id = await storefront.bought((await storefront.sell("mug"), 1))
    headers = {**storefront.account.sk, "Idempotency-Key": "1"}
    for _ in range(2):
        answer = await instance.api.post(f"/api/orders/{order_id}/refunds", headers=headers, json={"amount": 100})
        assert answer.status_code == 201, answer.text

    [refund] = [entry for entry in await entries(instance, storefront.account) if entry.action == "order.refunded"]
    assert (refund.about, refund.details["amount"]) == (order_id, "100")


async def test_what_is_refused_is_not_recorded(api: AsyncClient, instance: Instance, alice: Account) -> None:
    await api.post("/tiers", headers=alice.by("viewer"), json={"name": "pro"})
    await api.put("/tiers/never", headers=alice.sk, json={"displayName": "Never"})

    assert await entries(instance, alice) == []
