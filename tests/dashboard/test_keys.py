"""Keys on their page: told once, revealed on purpose, replaced and revoked."""

import re

import pytest
from httpx2 import AsyncClient
from sqlalchemy import update

from dream_api import audit
from dream_api.accounts import Role
from dream_api.core.secrets import InstanceKey
from dream_api.keys.tables import keys as key_table
from tests.support.instance import Account, Instance, bearer


def _told(text: str) -> str:
    [token] = set(re.findall(r"sk_(?:test|live)_[0-9A-Za-z]{20,}", text))
    return token


async def test_a_new_key_is_told_once_and_works(api: AsyncClient, instance: Instance, alice: Account) -> None:
    page = f"/dashboard/{alice.project.id}/live/keys"
    form = alice.form(name="billing server", rateLimit="1,000", expiresAt="2999-01-31")

    made = await api.post(page, headers=alice.cookie(), data=form)
    shown = await api.get(page, headers=alice.cookie())

    token = _told(made.text)
    assert made.headers["cache-control"] == "no-store"
    assert token not in shown.text
    assert "billing server" in shown.text
    assert "1,000 requests/s" in shown.text
    await instance.changes.poll()
    assert (await api.get("/tiers", headers=bearer(token))).status_code == 200


async def test_a_rotated_key_works_for_the_grace_that_was_chosen(
    api: AsyncClient, instance: Instance, alice: Account
) -> None:
    page = f"/dashboard/{alice.project.id}/test/keys"

    refused = await api.post(f"{page}/rotate", headers=alice.cookie(), data=alice.form(grace="169"))
    rotated = await api.post(f"{page}/rotate", headers=alice.cookie("member"), data=alice.form("member", grace="0"))
    await instance.changes.poll()

    assert refused.status_code == 422
    assert "The grace period must be 0 to 7 days." in refused.text
    assert (await api.get("/tiers", headers=alice.sk)).json()["code"] == "key_expired"
    assert (await api.get("/tiers", headers=bearer(_told(rotated.text)))).status_code == 200


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("admin", 200), ("member", 403), ("viewer", 403)])
async def test_owners_and_admins_reveal_test_keys(api: AsyncClient, alice: Account, role: Role, status: int) -> None:
    page = f"/dashboard/{alice.project.id}/test/keys"
    token = _told((await api.post(page, headers=alice.cookie(), data=alice.form())).text)

    shown = await api.get(page, headers=alice.cookie(role))
    reveal = re.findall(rf'action="({page}/key_[0-9a-z]+/reveal)"', shown.text)
    newest = f"{page}/{await _newest(api, alice)}/reveal"
    answer = await api.post(newest, headers=alice.cookie(role), data=alice.form(role))

    assert token not in shown.text
    assert (newest in reveal) is (status == 200)
    assert answer.status_code == status
    assert (token in answer.text) is (status == 200)


async def _newest(api: AsyncClient, alice: Account) -> str:
    page = await api.get(f"/dashboard/{alice.project.id}/test/keys", headers=alice.cookie())
    return re.findall(r"/keys/(key_[0-9a-z]+)/revoke", page.text)[0]


async def test_a_key_that_another_instance_key_sealed_is_not_revealed(
    api: AsyncClient, instance: Instance, alice: Account
) -> None:
    sealed = InstanceKey(bytes([1] * 32)).seal(alice.secret["test"], alice.key_ids["test"])
    async with instance.database.write() as tx:
        await tx.execute(update(key_table).where(key_table.c.id == alice.key_ids["test"]).values(sealed=sealed))
    path = f"/dashboard/{alice.project.id}/test/keys/{alice.key_ids['test']}/reveal"

    answer = await api.post(path, headers=alice.cookie(), data=alice.form())

    assert answer.status_code == 409
    assert "another instance key" in answer.text


async def test_nobody_reveals_a_live_key(api: AsyncClient, alice: Account) -> None:
    page = f"/dashboard/{alice.project.id}/live/keys"

    answer = await api.post(f"{page}/{alice.key_ids['live']}/reveal", headers=alice.cookie(), data=alice.form())

    assert answer.status_code == 409
    assert alice.secret["live"] not in answer.text
    assert ">Reveal<" not in (await api.get(page, headers=alice.cookie())).text


async def test_a_key_is_revoked_by_typing_what_it_is_called(
    api: AsyncClient, instance: Instance, alice: Account
) -> None:
    page = f"/dashboard/{alice.project.id}/test/keys/{alice.key_ids['test']}/revoke"

    mistyped = await api.post(page, headers=alice.cookie(), data=alice.form(confirm="yes"))
    works = await api.get("/tiers", headers=alice.sk)
    revoked = await api.post(page, headers=alice.cookie(), data=alice.form(confirm=alice.secret["test"][-4:]))
    await instance.changes.poll()

    assert mistyped.status_code == 422
    assert works.status_code == 200
    assert revoked.status_code == 303
    async with instance.database.read() as tx:
        written = await audit.list_entries(tx, alice.project.log_stream, limit=10)
    assert [(entry.action, entry.about) for entry in written] == [("key.revoked", alice.key_ids["test"])]
    assert (await api.get("/tiers", headers=alice.sk)).json()["code"] == "key_revoked"


async def test_a_key_is_found_in_its_own_project_and_mode_only(
    api: AsyncClient, alice: Account, charlie: Account
) -> None:
    for project, mode in ((alice.project, "live"), (charlie.project, "test")):
        account = alice if project is alice.project else charlie
        page = f"/dashboard/{project.id}/{mode}/keys/{alice.key_ids['test']}"

        assert (await api.get(f"{page}/revoke", headers=account.cookie())).status_code == 404
        answer = await api.post(f"{page}/reveal", headers=account.cookie(), data=account.form())
        assert answer.status_code == 404
