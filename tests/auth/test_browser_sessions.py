"""A developer's session at the JSON API: as good as a personal token, and of no use to other websites."""

import pytest
from httpx2 import AsyncClient

from dream_api import accounts, platforms
from dream_api.core import clock, tokens
from tests.support.instance import Account, Instance, open_another
from tests.tenancy.team import sign_up

BODY = {"userId": "ada"}


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "http://127.0.0.1:8787"}, 201),
        ({}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8787"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
    ],
)
async def test_only_our_own_pages_change_anything(
    api: AsyncClient, alice: Account, told: dict[str, str], status: int
) -> None:
    answer = await api.post("/api/customers", headers=alice.cookie() | told, json=BODY)
    read = await api.get("/api/customers", headers=alice.cookie() | told)

    assert answer.status_code == status, answer.text
    assert status == 201 or answer.json()["code"] == "csrf_failed"
    assert [one["userId"] for one in read.json()["data"]] == (["ada"] if status == 201 else [])


async def test_a_platform_and_a_project_are_implied_where_there_is_one(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    one = alice.cookie()
    async with instance.database.write() as tx:
        await platforms.add_member(tx, charlie.project.platform_no, alice.user_ids["admin"], "viewer")
    two = alice.cookie("admin")
    named = {"X-Platform-Id": charlie.project.platform_id}

    alone = await instance.api.get("/api/customers", headers=one)
    several = await instance.api.get("/projects", headers=two)
    chosen = await instance.api.get("/projects", headers=two | named)
    asked = await instance.api.get(f"/api/customers?projectId={charlie.project.id}", headers=two)
    apart = await instance.api.get(f"/api/customers?projectId={alice.project.id}", headers=two | named)
    await open_another(instance.database, alice)
    projects = await instance.api.get("/api/customers", headers=one)

    assert alone.status_code == 200
    assert (several.status_code, several.json()["code"]) == (400, "choose_platform")
    assert charlie.project.platform_id in several.json()["error"]
    assert [each["projectId"] for each in chosen.json()["data"]] == [charlie.project.id]
    assert (asked.status_code, apart.status_code) == (200, 404)
    assert (projects.status_code, projects.json()["code"]) == (400, "choose_project")


async def test_who_is_on_no_platform_is_told_how_to_make_one(instance: Instance) -> None:
    browser, _ = await sign_up(instance, "grace@example.com")
    ours = browser | {"Sec-Fetch-Site": "same-origin"}

    none = await instance.api.get("/projects", headers=browser)
    made = await instance.api.post("/generate-platform-id", headers=ours, json={"name": "Grace's"})
    team = await instance.api.get("/api/team", headers=browser)

    assert (none.status_code, "POST /generate-platform-id" in none.json()["hint"]) == (404, True)
    assert made.status_code == 201, made.text
    assert [(one["email"], one["role"]) for one in team.json()["members"]] == [("grace@example.com", "owner")]


async def test_a_platform_is_made_with_a_verified_address_only(instance: Instance) -> None:
    async with instance.database.write() as tx:
        user = await accounts.create_user(tx, "grace@example.com")
        opened = await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")
    headers = {"Cookie": f"dream_session={opened.token}", "Sec-Fetch-Site": "same-origin"}

    answer = await instance.api.post("/generate-platform-id", headers=headers, json={"name": "Grace's"})

    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")


async def test_a_session_that_is_over_opens_nothing(api: AsyncClient, alice: Account) -> None:
    async def code(headers: dict[str, str]) -> str:
        return (await api.get("/api/customers", headers=headers)).json()["code"]

    guessed = await code({"Cookie": f"dream_session={tokens.create_token('dss_')}"})
    beside = await code({**alice.cookie(), "Authorization": "Bearer sk_test_nothing"})
    clock.move(15 * clock.DAY)
    over = await code(alice.cookie())

    assert (guessed, beside, over) == ("sign_in_required", "key_malformed", "sign_in_required")
