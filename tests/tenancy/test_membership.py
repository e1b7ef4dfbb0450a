"""Who works on a platform: invited, joined, raised, lowered, removed."""

import asyncio

import pytest
from httpx2 import AsyncClient

from dream_api import accounts
from dream_api.accounts import Role
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.usage import Window
from tests.support.instance import Account, Instance, bearer
from tests.tenancy.team import actions_of, invite, link_to, sign_up, team_of
from tests.usage.test_integrity import contradicted

pytestmark = pytest.mark.both

GRACE = "grace@example.com"


async def test_who_is_invited_joins_by_the_link_in_the_mail_once(instance: Instance, alice: Account) -> None:
    invited = await invite(instance, alice, " Grace@Example.com ")
    link = await link_to(instance, GRACE)
    browser, form = await sign_up(instance, GRACE)

    before = await instance.api.get(link)
    shown = await instance.api.get(link, headers=browser)
    joined = await instance.api.post(link, headers=browser, data=form)
    again = await instance.api.post(link, headers=browser, data=form)

    assert (invited.status_code, invited.json()["email"]) == (201, GRACE)
    assert f"/account/sign-in?next={link}" in before.text
    assert (shown.headers["referrer-policy"], shown.status_code) == ("no-referrer", 200)
    assert joined.headers["location"] == f"/dashboard/{alice.project.platform_id}/projects"
    assert again.status_code == 404
    assert (await team_of(instance, alice))[GRACE] == "member"
    assert (await actions_of(instance, alice))[-2:] == ["member.invited", "member.joined"]
    assert "members_are_counted" not in await contradicted(instance)


async def test_a_link_is_for_the_invited_address_for_seven_days_and_until_it_is_revoked(
    instance: Instance, alice: Account
) -> None:
    await invite(instance, alice, GRACE)
    first = await link_to(instance, GRACE)
    other, other_form = await sign_up(instance, "eve@example.com")
    browser, form = await sign_up(instance, GRACE)
    [waiting] = (await instance.api.get("/api/team", headers=alice.at_api())).json()["invitations"]
    path = f"/api/team/invitations/{waiting['id']}"

    stolen = await instance.api.post(first, headers=other, data=other_form)
    twice = await invite(instance, alice, GRACE)
    sent = await instance.api.post(f"{path}/send", headers=alice.at_api("admin"))
    old = await instance.api.get(first, headers=browser)
    second = await link_to(instance, GRACE)
    clock.move(7 * clock.DAY)
    late = await instance.api.post(second, headers=browser, data=form)
    revoked = await instance.api.delete(path, headers=alice.by("admin"))
    clock.reset()
    gone = await instance.api.post(second, headers=browser, data=form)

    assert (stolen.status_code, "was not sent to" in stolen.text) == (403, True)
    assert (twice.status_code, twice.json()["code"]) == (409, "already_invited")
    assert (sent.status_code, revoked.status_code) == (200, 200)
    assert (old.status_code, late.status_code, gone.status_code) == (404, 404, 404)
    assert GRACE not in await team_of(instance, alice)


async def test_an_admin_neither_makes_nor_removes_an_owner(instance: Instance, alice: Account) -> None:
    members = "/api/team/members"
    owner, member = alice.user_ids["owner"], alice.user_ids["member"]
    by = alice.at_api("admin")

    refused = [
        await invite(instance, alice, GRACE, "owner", by="admin"),
        await instance.api.patch(f"{members}/{member}", headers=by, json={"role": "owner"}),
        await instance.api.patch(f"{members}/{owner}", headers=by, json={"role": "viewer"}),
        await instance.api.delete(f"{members}/{owner}", headers=by),
    ]
    raised = await instance.api.patch(f"{members}/{member}", headers=by, json={"role": "admin"})
    removed = await instance.api.delete(f"{members}/{member}", headers=by)

    assert [(one.status_code, one.json()["code"]) for one in refused] == [(403, "permission_denied")] * 4
    assert (raised.status_code, raised.json()["role"], removed.status_code) == (200, "admin", 200)


async def test_everybody_may_leave_but_the_last_owner(instance: Instance, alice: Account) -> None:
    def path(role: str) -> str:
        return f"/api/team/members/{alice.user_ids[role]}"  # type: ignore[index]

    alone = await instance.api.delete(path("owner"), headers=alice.at_api())
    lowered = await instance.api.patch(path("owner"), headers=alice.at_api(), json={"role": "admin"})
    left = await instance.api.delete(path("viewer"), headers=alice.at_api("viewer"))
    after = await instance.api.get("/api/team", headers=alice.at_api("viewer"))
    second = await instance.api.patch(path("admin"), headers=alice.at_api(), json={"role": "owner"})
    both = await asyncio.gather(
        instance.api.delete(path("owner"), headers=alice.at_api()),
        instance.api.delete(path("admin"), headers=alice.at_api("admin")),
    )

    assert [one.json()["code"] for one in (alone, lowered)] == ["last_owner"] * 2
    assert (left.status_code, after.status_code, second.status_code) == (200, 404, 200)
    assert sorted(one.status_code for one in both) == [200, 409]
    assert (await actions_of(instance, alice)).count("member.left") == 2


@pytest.mark.parametrize("most", [4, 5])
async def test_a_level_allows_so_many_members(instance: Instance, alice: Account, most: int) -> None:
    """Alice's platform has four, on level 3."""
    await instance.set_level(3, TierLimit(most, meter="members", window=Window.LIFE))

    invited = await invite(instance, alice, GRACE)
    second = await invite(instance, alice, "linus@example.com")

    if most == 4:
        assert (invited.status_code, invited.json()["code"]) == (403, "members_limit_reached")
        assert "Level 3, which allows 4 members" in invited.json()["error"]
        return
    assert (invited.status_code, second.status_code) == (201, 403)
    link = await link_to(instance, GRACE)
    await instance.set_level(3, TierLimit(4, meter="members", window=Window.LIFE))
    browser, form = await sign_up(instance, GRACE)
    full = await instance.api.post(link, headers=browser, data=form)
    assert (full.status_code, "allows 4 members" in full.text) == (403, True)
    await instance.api.delete(f"/api/team/members/{alice.user_ids['viewer']}", headers=alice.at_api())
    assert (await instance.api.post(link, headers=browser, data=form)).status_code == 303
    assert "members_are_counted" not in await contradicted(instance)


async def test_the_pages_show_what_a_role_may_do(api: AsyncClient, alice: Account, charlie: Account) -> None:
    path = f"/dashboard/{alice.project.platform_id}/team"

    owners = await api.get(path, headers=alice.cookie())
    viewers = await api.get(path, headers=alice.cookie("viewer"))
    strangers = await api.get(path, headers=charlie.cookie())
    asked = await api.post(f"{path}/invitations", headers=alice.cookie("member"), data=alice.form("member"))

    assert "Invite a member" in owners.text
    assert (viewers.status_code, "Invite a member" in viewers.text) == (200, False)
    assert (strangers.status_code, asked.status_code) == (404, 403)


async def test_nobody_goes_from_the_team_by_a_single_click(instance: Instance, alice: Account) -> None:
    path = f"/dashboard/{alice.project.platform_id}/team"

    async def go(role: Role, confirm: str, by: Role = "owner") -> tuple[int, str]:
        form = alice.form(by) | {"confirm": confirm}
        answer = await instance.api.post(f"{path}/{alice.user_ids[role]}/remove", headers=alice.cookie(by), data=form)
        return answer.status_code, answer.text

    asked: tuple[tuple[Role, str], ...] = (("owner", "alice-viewer@example.com"), ("viewer", "Alice"))
    for by, wanted in asked:
        for typed in ("", "alice-admin@example.com"):
            status, page = await go("viewer", typed, by)
            assert (status, f"Type {wanted} to confirm." in page) == (422, True)
            assert f'name="confirm" type="text" value="{typed}"' in page
    assert len(await team_of(instance, alice)) == 4

    assert (await go("viewer", "alice-viewer@example.com", "member"))[0] == 403
    status, page = await go("owner", "Alice")
    assert (status, "Make someone else an owner first" in page) == (422, True)
    assert (await go("viewer", "alice-viewer@example.com"))[0] == 303
    assert (await go("member", "Alice", "member"))[0] == 303
    assert set(await team_of(instance, alice)) == {"alice@example.com", "alice-admin@example.com"}


async def test_a_wrong_address_is_told_under_its_field_and_kept(api: AsyncClient, alice: Account) -> None:
    path = f"/dashboard/{alice.project.platform_id}/team/invitations"
    odd = '"><script>alert(1)</script>'

    answer = await api.post(path, headers=alice.cookie(), data=alice.form(email=odd) | {"role": "viewer"})

    assert (answer.status_code, "Enter a valid email address." in answer.text) == (422, True)
    assert "&lt;script&gt;" in answer.text
    assert "<script>alert" not in answer.text
    assert '<option value="viewer" selected>' in answer.text


async def test_a_members_own_token_ends_with_the_membership(instance: Instance, alice: Account) -> None:
    platform_no, user_id = alice.project.platform_no, alice.user_ids["admin"]
    async with instance.database.write() as tx:
        own = await accounts.issue_token(tx, platform_no, "admin", created_by="test", user_id=user_id)
    headers = bearer(own.token)

    before = await instance.api.get("/api/team", headers=headers)
    await instance.api.patch(f"/api/team/members/{user_id}", headers=alice.at_api(), json={"role": "viewer"})
    lowered = await invite(instance, alice, GRACE, by="admin")
    by_token = await instance.api.post("/projects", headers=headers, json={"name": "A", "projectType": "saas"})
    await instance.api.delete(f"/api/team/members/{user_id}", headers=alice.at_api())
    after = await instance.api.get("/api/team", headers=headers)

    assert (before.status_code, lowered.status_code, by_token.status_code) == (200, 403, 403)
    assert after.status_code == 401


async def test_who_takes_over_owns_it_and_who_did_is_an_admin(instance: Instance, alice: Account) -> None:
    path = f"/dashboard/{alice.project.platform_id}/settings/transfer"
    fields = {"userId": alice.user_ids["viewer"], "confirmed": "Alice"}

    wrong = await instance.api.post(path, headers=alice.cookie(), data=alice.form() | fields | {"confirmed": "no"})
    done = await instance.api.post(path, headers=alice.cookie(), data=alice.form() | fields)
    again = await instance.api.post(path, headers=alice.cookie(), data=alice.form() | fields)

    assert (wrong.status_code, done.status_code, again.status_code) == (422, 303, 403)
    team = await team_of(instance, alice)
    assert (team["alice-viewer@example.com"], team["alice@example.com"]) == ("owner", "admin")
