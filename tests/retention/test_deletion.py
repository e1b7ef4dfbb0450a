"""What is deleted: refused at once, for a while to be taken back, and then gone, but for what the law keeps."""

from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from dream_api.core import clock
from dream_api.core.db.columns import metadata
from dream_api.core.objects import open_object_store
from dream_api.core.secrets import load_instance_key
from dream_api.platforms import find
from dream_api.retention.ownership import belongs_to_platform
from dream_api.retention.purge import purge
from dream_api.webhooks.outbox import Event, record_events
from dream_api.webhooks.tables import events
from tests.billing.developer import Seller, monthly
from tests.support.instance import Account, Instance, open_another
from tests.tenancy.team import actions_of, invite
from tests.usage.test_integrity import contradicted

pytestmark = pytest.mark.both


async def _delete(instance: Instance, account: Account, **fields: str) -> Any:
    path = f"/dashboard/{account.project.platform_id}/settings/delete"
    name = {"deleted": "Alice"} | fields
    return await instance.api.post(path, headers=account.cookie(), data=account.form(**name))


async def _left_of(instance: Instance, account: Account) -> dict[str, int]:
    """How many rows of each table are the platform's."""
    left: dict[str, int] = {}
    async with instance.database.read() as tx:
        platform = await find(tx, account.project.platform_id)
        for table in metadata.sorted_tables:
            condition = belongs_to_platform(table, platform)
            if condition is not None:
                left[table.name] = await tx.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0
    return {name: count for name, count in left.items() if count}


async def _purge(instance: Instance) -> None:
    await purge(instance.database, open_object_store(instance.settings), load_instance_key(instance.settings), "live")


def _files(instance: Instance) -> list[str]:
    """Of which platforms there are files, each as often as it has some."""
    return [path.parent.name for path in (instance.settings.data / "objects" / "assets").glob("*/*")]


async def _books(instance: Instance) -> set[str]:
    async with instance.database.read() as tx:
        return {row.name for row in await tx.all(sa.text("SELECT name FROM audit_streams"))}


async def _use(instance: Instance, account: Account) -> None:
    """Sells, counts, invites: rows in most tables."""
    seller = Seller(instance.api, account.sk)
    await seller.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("19.99")]})
    await seller.subscribe("ada", "pro")
    for headers in (account.calls(), {**account.live, "X-User-Id": "bob"}):
        assert (await instance.api.post("/api/data", headers=headers)).status_code == 200
    await invite(instance, account, "grace@example.com")
    assert (await instance.api.post("/api/assets", headers=account.sk, content=b"GIF89a")).status_code == 201


async def test_keys_are_refused_until_the_deletion_is_taken_back(instance: Instance, alice: Account) -> None:
    settings = f"/dashboard/{alice.project.platform_id}/settings"

    wrong = await _delete(instance, alice, deleted="alice")
    asked = await _delete(instance, alice)
    refused = [
        await instance.api.post("/api/data", headers=alice.calls()),
        await instance.api.get("/api/customers", headers=alice.sk),
        await instance.api.get("/api/products", headers={"X-Publishable-Key": alice.publishable["live"]}),
    ]
    shown = await instance.api.get(settings, headers=alice.cookie("admin"))
    kept = await instance.api.post(f"{settings}/keep", headers=alice.cookie(), data=alice.form())
    again = await instance.api.post("/api/data", headers=alice.calls())

    assert (wrong.status_code, "Type Alice to confirm." in wrong.text) == (422, True)
    assert asked.status_code == 303
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(403, "platform_closing")] * 3
    assert "will be deleted" in shown.text
    assert (kept.status_code, again.status_code) == (303, 200)
    assert await actions_of(instance, alice) == ["platform.deletion_asked", "platform.deletion_stopped"]


async def test_after_the_grace_nothing_is_left(instance: Instance, alice: Account, charlie: Account) -> None:
    for account in (alice, charlie):
        await _use(instance, account)
    await _delete(instance, alice)

    clock.move(14 * clock.DAY - clock.HOUR)
    await _purge(instance)
    early = await _left_of(instance, alice)
    kept = alice.project.platform_id, charlie.project.platform_id
    assert (set(_files(instance)), set(kept) <= await _books(instance)) == (set(kept), True)
    clock.move(2 * clock.HOUR)
    await _purge(instance)

    assert {"customers", "usage_counters", "payments", "invitations", "members"} <= early.keys()
    assert _files(instance) == [charlie.project.platform_id]
    assert await _books(instance) & set(kept) == {charlie.project.platform_id}
    async with instance.database.read() as tx:
        platforms = await tx.all(sa.text("SELECT name FROM platforms"))
    assert "Alice" not in [row.name for row in platforms]
    clock.reset()  # her session would be over by then
    assert (await instance.api.get("/dashboard", headers=alice.cookie())).headers["location"] == "/dashboard/welcome"
    assert await contradicted(instance) == set()


async def test_payments_of_live_mode_are_kept_without_their_persons(instance: Instance, alice: Account) -> None:
    await _use(instance, alice)
    async with instance.database.write() as tx:
        await tx.execute(sa.text("UPDATE payments SET mode = 'live'"))
        await tx.execute(sa.text("UPDATE customers SET email = 'ada@example.com', metadata = '{\"phone\": \"5\"}'"))
    assert (await instance.api.get("/api/customers", headers=alice.by("owner"))).status_code == 200
    await _delete(instance, alice)
    clock.move(15 * clock.DAY)

    await _purge(instance)
    await _purge(instance)

    left = await _left_of(instance, alice)
    assert {"payments", "invoices", "subscriptions", "projects", "platforms", "customers"} <= left.keys()
    assert not {"keys", "members", "invitations", "events", "usage_counters", "personal_tokens"} & left.keys()
    async with instance.database.read() as tx:
        known = "(email IS NOT NULL OR metadata != '{}')"
        named = sa.text(f"SELECT count(*) FROM customers WHERE platform_no = :id AND {known}")
        assert await tx.scalar(named, {"id": alice.project.platform_no}) == 0
    for headers in (alice.sk, alice.by("owner")):
        assert (await instance.api.get("/api/customers", headers=headers)).status_code == 401


async def test_a_deleted_project_is_gone_and_what_its_platform_was_charged_for_stays_true(
    instance: Instance, alice: Account
) -> None:
    other = await open_another(instance.database, alice)
    await _use(instance, other)

    deleted = await instance.api.delete(f"/projects/{other.project.id}", headers=alice.at_api("admin"))
    called = await instance.api.post("/api/data", headers=other.calls())
    again = await instance.api.delete(f"/projects/{other.project.id}", headers=alice.at_api())
    listed = (await instance.api.get("/projects", headers=alice.at_api())).json()["data"]
    await _purge(instance)

    assert (deleted.status_code, again.status_code) == (200, 404)
    assert (called.status_code, called.json()["code"]) == (401, "key_revoked")
    assert [one["projectId"] for one in listed] == [alice.project.id]
    left = await _left_of(instance, alice)
    assert (left.get("assets"), _files(instance)) == (None, [])
    assert left["customers"] == 1  # bob, whom the level counted, without his name
    assert not {"subscriptions", "payments", "checkouts"} & left.keys()
    assert await contradicted(instance) == set()


async def test_what_takes_several_parts_to_delete_is_deleted_of_one_project_only(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    other = await open_another(instance.database, alice)
    many = [(other, 1_201), (alice, 3), (charlie, 2)]
    async with instance.database.write() as tx:
        for account, number in many:
            await record_events(tx, [_event(account)] * number)
    assert (await instance.api.delete(f"/projects/{other.project.id}", headers=alice.at_api())).status_code == 200

    await _purge(instance)

    async with instance.database.read() as tx:
        left = Counter(row.project_id for row in await tx.all(sa.select(events).where(events.c.data == "{}")))
    assert left == {alice.project.id: 3, charlie.project.id: 2}


def _event(account: Account) -> Event:
    return Event(account.project.platform_no, account.project.id, "live", "customer.updated", {}, clock.now())


async def test_a_project_in_which_live_money_moved_stays(instance: Instance, alice: Account) -> None:
    await _use(instance, alice)
    async with instance.database.write() as tx:
        await tx.execute(sa.text("UPDATE payments SET mode = 'live'"))

    refused = await instance.api.delete(f"/projects/{alice.project.id}", headers=alice.at_api())

    assert (refused.status_code, refused.json()["code"]) == (409, "live_payments_exist")
    assert (await instance.api.get("/api/customers", headers=alice.sk)).status_code == 200
