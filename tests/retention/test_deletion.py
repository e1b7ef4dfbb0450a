"""What is deleted: refused at once, for a while to be taken back, and then gone, but for what the law keeps."""

from typing import Any

import sqlalchemy as sa

from dream_api.core import clock
from dream_api.core.db.columns import metadata
from dream_api.core.objects import open_object_store
from dream_api.core.secrets import instance_key
from dream_api.platforms import find
from dream_api.retention.ownership import of_platform
from dream_api.retention.purge import purge
from tests.billing.developer import Seller, monthly
from tests.support.instance import Account, House, open_another
from tests.tenancy.team import actions_of, invite
from tests.usage.test_integrity import contradicted


async def _delete(house: House, account: Account, **fields: str) -> Any:
    path = f"/dashboard/{account.project.platform_id}/settings/delete"
    name = {"deleted": "Alice"} | fields
    return await house.api.post(path, headers=account.cookie(), data=account.form(**name))


async def _left_of(house: House, account: Account) -> dict[str, int]:
    """How many rows of each table are the platform's."""
    left: dict[str, int] = {}
    async with house.database.read() as tx:
        platform = await find(tx, account.project.platform_id)
        for table in metadata.sorted_tables:
            condition = of_platform(table, platform)
            if condition is not None:
                left[table.name] = await tx.scalar(sa.select(sa.func.count()).select_from(table).where(condition)) or 0
    return {name: count for name, count in left.items() if count}


async def _purge(house: House) -> None:
    await purge(house.database, open_object_store(house.settings), instance_key(house.settings), "live")


def _files(house: House) -> list[str]:
    """Of which platforms there are files, each as often as it has some."""
    return [path.parent.name for path in (house.settings.data / "objects" / "assets").glob("*/*")]


async def _books(house: House) -> set[str]:
    async with house.database.read() as tx:
        return {row.book for row in await tx.all(sa.text("SELECT book FROM audit_books"))}


async def _use(house: House, account: Account) -> None:
    """Sells, counts, invites: rows in most tables."""
    seller = Seller(house.api, account.sk)
    await seller.post("/tiers", {"name": "pro", "limit": 5_000, "prices": [monthly("19.99")]})
    await seller.subscribe("ada", "pro")
    for headers in (account.calls(), {**account.live, "X-User-Id": "bob"}):
        assert (await house.api.post("/api/data", headers=headers)).status_code == 200
    await invite(house, account, "grace@example.com")
    assert (await house.api.post("/api/assets", headers=account.sk, content=b"GIF89a")).status_code == 201


async def test_keys_are_refused_until_the_deletion_is_taken_back(house: House, alice: Account) -> None:
    settings = f"/dashboard/{alice.project.platform_id}/settings"

    wrong = await _delete(house, alice, deleted="alice")
    asked = await _delete(house, alice)
    refused = [
        await house.api.post("/api/data", headers=alice.calls()),
        await house.api.get("/api/customers", headers=alice.sk),
        await house.api.get("/api/products", headers={"X-Publishable-Key": alice.publishable["live"]}),
    ]
    shown = await house.api.get(settings, headers=alice.cookie("admin"))
    kept = await house.api.post(f"{settings}/keep", headers=alice.cookie(), data=alice.form())
    again = await house.api.post("/api/data", headers=alice.calls())

    assert (wrong.status_code, "Type the platform&#39;s name" in wrong.text) == (422, True)
    assert asked.status_code == 303
    assert [(one.status_code, one.json()["code"]) for one in refused] == [(403, "platform_closing")] * 3
    assert "is to be deleted" in shown.text
    assert (kept.status_code, again.status_code) == (303, 200)
    assert await actions_of(house, alice) == ["platform.deletion_asked", "platform.deletion_stopped"]


async def test_after_the_grace_nothing_is_left(house: House, alice: Account, charlie: Account) -> None:
    for account in (alice, charlie):
        await _use(house, account)
    await _delete(house, alice)

    clock.move(14 * clock.DAY - clock.HOUR)
    await _purge(house)
    early = await _left_of(house, alice)
    kept = alice.project.platform_id, charlie.project.platform_id
    assert (set(_files(house)), set(kept) <= await _books(house)) == (set(kept), True)
    clock.move(2 * clock.HOUR)
    await _purge(house)

    assert {"customers", "usage_counters", "payments", "invitations", "members"} <= early.keys()
    assert _files(house) == [charlie.project.platform_id]
    assert await _books(house) & set(kept) == {charlie.project.platform_id}
    async with house.database.read() as tx:
        platforms = await tx.all(sa.text("SELECT name FROM platforms"))
    assert "Alice" not in [row.name for row in platforms]
    clock.reset()  # her session would be over by then
    assert (await house.api.get("/dashboard", headers=alice.cookie())).headers["location"] == "/dashboard/welcome"
    assert await contradicted(house) == set()


async def test_payments_of_live_mode_are_kept_without_their_persons(house: House, alice: Account) -> None:
    await _use(house, alice)
    async with house.database.write() as tx:
        await tx.execute(sa.text("UPDATE payments SET mode = 'live'"))
        await tx.execute(sa.text("UPDATE customers SET email = 'ada@example.com'"))
    assert (await house.api.get("/api/customers", headers=alice.by("owner"))).status_code == 200
    await _delete(house, alice)
    clock.move(15 * clock.DAY)

    await _purge(house)
    await _purge(house)

    left = await _left_of(house, alice)
    assert {"payments", "invoices", "subscriptions", "projects", "platforms", "customers"} <= left.keys()
    assert not {"keys", "members", "invitations", "events", "usage_counters", "personal_tokens"} & left.keys()
    async with house.database.read() as tx:
        named = sa.text("SELECT count(*) FROM customers WHERE platform_id = :id AND email IS NOT NULL")
        assert await tx.scalar(named, {"id": alice.project.platform_id}) == 0
    for headers in (alice.sk, alice.by("owner")):
        assert (await house.api.get("/api/customers", headers=headers)).status_code == 401


async def test_a_deleted_project_is_gone_and_what_its_platform_was_charged_for_stays_true(
    house: House, alice: Account
) -> None:
    other = await open_another(house.database, alice)
    await _use(house, other)

    deleted = await house.api.delete(f"/projects/{other.project.id}", headers=alice.at_api("admin"))
    called = await house.api.post("/api/data", headers=other.calls())
    again = await house.api.delete(f"/projects/{other.project.id}", headers=alice.at_api())
    listed = (await house.api.get("/projects", headers=alice.at_api())).json()["data"]
    await _purge(house)

    assert (deleted.status_code, again.status_code) == (200, 404)
    assert (called.status_code, called.json()["code"]) == (401, "key_revoked")
    assert [one["projectId"] for one in listed] == [alice.project.id]
    left = await _left_of(house, alice)
    assert (left.get("assets"), _files(house)) == (None, [])
    assert left["customers"] == 1  # bob, whom the level counted, without his name
    assert not {"subscriptions", "payments", "checkouts"} & left.keys()
    assert await contradicted(house) == set()


async def test_a_project_in_which_live_money_moved_stays(house: House, alice: Account) -> None:
    await _use(house, alice)
    async with house.database.write() as tx:
        await tx.execute(sa.text("UPDATE payments SET mode = 'live'"))

    refused = await house.api.delete(f"/projects/{alice.project.id}", headers=alice.at_api())

    assert (refused.status_code, refused.json()["code"]) == (409, "live_money_moved")
    assert (await house.api.get("/api/customers", headers=alice.sk)).status_code == 200
