"""A member's own tokens: no more than the member may, and no longer than they are one."""

import re

from sqlalchemy import delete, update

from dream_api import accounts, audit, platforms
from dream_api.accounts import Role
from dream_api.platforms.tables import members
from tests.dashboard.account.browser import Browser
from tests.support.instance import Account, Instance, bearer


def browser_of(instance: Instance, who: Account, role: Role) -> Browser:
    return Browser(instance, {"dream_session": who.session[role]})


async def make(instance: Instance, role: Role, wanted: Role, **fields: str) -> str:
    browser = browser_of(instance, instance.alice, role)
    form = {"platform": instance.alice.project.platform_id, "role": wanted, "name": "CI", "expires": "30", **fields}
    answer = await browser.send("/account/tokens", **form)
    found = re.search(r"dpt_\w{38}", answer.text)
    assert (answer.status_code, found is not None) == (200, True), answer.text
    assert found is not None
    return found[0]


async def told(instance: Instance, token: str, path: str = "/api/customers") -> int:
    return (await instance.api.get(path, headers=bearer(token))).status_code


async def test_a_token_works_is_shown_once_and_ends_when_it_is_revoked(instance: Instance) -> None:
    token = await make(instance, "member", "member")
    browser = browser_of(instance, instance.alice, "member")
    page = (await browser.get("/account")).text

    assert await told(instance, token) == 200
    assert token not in page
    assert f"{token[:8]}…{token[-4:]}" in page
    revoke = re.search(r'action="(/account/tokens/tok_\w+/revoke)"', page)
    assert revoke is not None
    strange = browser_of(instance, instance.alice, "owner")
    assert (await strange.send(revoke[1], on="/account")).status_code == 404
    assert (await browser.send(revoke[1], on="/account")).status_code == 303
    assert await told(instance, token) == 401
    async with instance.database.read() as tx:
        book = await audit.list_entries(tx, instance.alice.project.log_stream, limit=10)
    assert [entry.action for entry in book][:2] == ["token.revoked", "token.issued"]


async def test_a_token_does_no_more_than_its_maker(instance: Instance) -> None:
    browser = browser_of(instance, instance.alice, "viewer")
    form = {"platform": instance.alice.project.platform_id, "role": "owner", "expires": ""}

    beyond = await browser.send("/account/tokens", **form)
    abroad = await browser.send("/account/tokens", **{**form, "platform": instance.charlie.project.platform_id})

    assert (beyond.status_code, "Your role there is viewer" in beyond.text) == (422, True)
    assert (abroad.status_code, "Choose a platform." in abroad.text) == (422, True)
    for wrong in ({"role": "king"}, {"expires": "9999999"}, {"role": "viewer", "name": "A" * 121}):
        assert (await browser.send("/account/tokens", **{**form, "role": "viewer", **wrong})).status_code == 422


async def test_a_token_falls_and_ends_with_the_membership(instance: Instance) -> None:
    alice = instance.alice
    platform_no, user_id = alice.project.platform_no, alice.user_ids["admin"]
    token = await make(instance, "admin", "admin")
    assert await told(instance, token, "/api/security-log") in (200, 404)
    whose = (members.c.platform_no == platform_no, members.c.user_id == user_id)

    async with instance.database.write() as tx:
        await tx.execute(update(members).where(*whose).values(role="viewer"))
        await accounts.invalidate_tokens(tx, platform_no, user_id)
    refund = await instance.api.post("/coupons", headers=bearer(token), json={})
    assert (refund.status_code, refund.json()["code"]) == (403, "permission_denied")
    assert await told(instance, token) == 200

    async with instance.database.write() as tx:
        await tx.execute(delete(members).where(*whose))
        await accounts.invalidate_tokens(tx, platform_no, user_id)
    assert (await instance.api.get("/api/customers", headers=bearer(token))).json()["code"] == "token_revoked"


async def test_a_token_does_not_come_back_with_its_maker(instance: Instance) -> None:
    platform_no, user_id = instance.alice.project.platform_no, instance.alice.user_ids["admin"]
    token = await make(instance, "admin", "admin")

    async with instance.database.write() as tx:
        await platforms.remove_member(tx, platform_no, user_id, by="owner")
        await platforms.add_member(tx, platform_no, user_id, "admin")
    await instance.changes.poll()

    assert await told(instance, token) == 401


async def test_a_token_ends_with_the_account(instance: Instance) -> None:
    token = await make(instance, "viewer", "viewer")
    user_id = instance.alice.user_ids["viewer"]

    async with instance.database.write() as tx:
        await tx.execute(delete(members).where(members.c.user_id == user_id))
        await accounts.close_account(tx, user_id)

    assert await told(instance, token) == 401


async def test_what_people_type_is_shown_as_text(instance: Instance) -> None:
    evil = "<script>alert(1)</script>"
    await make(instance, "owner", "viewer", name=evil)
    browser = browser_of(instance, instance.alice, "owner")
    await browser.send("/account/name", name=evil)

    page = (await browser.get("/account")).text

    assert evil not in page
    assert page.count("&lt;script&gt;") >= 2
