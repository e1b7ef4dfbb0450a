"""Who may act, as what, and in which project and mode."""

from typing import Any

import pytest

from dream_api import catalog, platforms
from dream_api.accounts import ROLES, Role
from dream_api.core import ids
from dream_api.platforms import MODES, Mode, Project
from tests.support.cases import each_case
from tests.support.instance import Account, Instance, bearer
from tests.support.protected_routes import add_doors


@pytest.fixture(autouse=True)
def _doors(instance: Instance) -> None:
    add_doors(instance)


async def second_project(instance: Instance, account: Account, name: str = "Second") -> Project:
    async with instance.database.write() as tx:
        platform = await platforms.find(tx, account.project.platform_id)
        return await catalog.create_project_with_defaults(tx, platform, name, "saas", MODES)


async def knock(instance: Instance, door: str, headers: dict[str, str], query: str = "") -> tuple[int, Any]:
    """The status, and the code of the refusal or what the door tells."""
    answer = await instance.api.post(f"/doors/{door}{query}", headers=headers)
    told = answer.json()
    return answer.status_code, told.get("code", told)


# Roles.


@pytest.mark.parametrize(
    ("door", "welcome"),
    [
        ("viewing", {"owner", "admin", "member", "viewer"}),
        ("selling", {"owner", "admin", "member"}),
        # Members up to the project's limit, which the payment decides.
        ("refunding", {"owner", "admin", "member"}),
        ("on-platform", {"owner", "admin", "member", "viewer"}),
        ("managing", {"owner", "admin"}),
        ("owning", {"owner"}),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_role_opens_its_doors_and_no_others(
    instance: Instance, alice: Account, door: str, welcome: set[Role]
) -> None:
    for role in ROLES:
        status, told = await knock(instance, door, alice.by(role))
        assert (status, told["role"] if status == 200 else told) == (
            (200, role) if role in welcome else (403, "permission_denied")
        )


async def test_who_is_forbidden_is_told_which_role_it_takes(instance: Instance, alice: Account) -> None:
    answer = await instance.api.post("/doors/refunding", headers=alice.by("viewer"))

    assert answer.json()["error"] == "This requires the role owner, admin or member; yours is viewer."


async def test_a_secret_key_acts_in_its_own_project_and_mode(instance: Instance, alice: Account) -> None:
    for mode in MODES:
        for door in ("viewing", "selling", "refunding"):
            status, told = await knock(instance, door, bearer(alice.secret[mode]))
            assert status == 200
            assert told == {
                "project": alice.project.id,
                "mode": mode,
                "role": None,
                "caller": f"server:{alice.project.id}:{mode}",
            }


@pytest.mark.parametrize("door", ["on-platform", "managing", "owning"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_platform_takes_no_keys(instance: Instance, alice: Account, door: str) -> None:
    for key in (alice.secret["live"], alice.publishable["test"]):
        assert await knock(instance, door, bearer(key)) == (403, "personal_token_required")
    assert await knock(instance, door, {}) == (401, "key_missing")


async def test_what_takes_a_secret_key_takes_no_other(instance: Instance, alice: Account) -> None:
    for sent in (alice.token["owner"], alice.publishable["test"]):
        answer = await instance.api.get("/api/usage", headers={**bearer(sent), "X-User-Id": "ada"})
        assert (answer.status_code, answer.json()["code"]) == (403, "secret_key_required")
        answer = await instance.api.post("/api/data", headers={**bearer(sent), "X-User-Id": "ada"})
        assert (answer.status_code, answer.json()["code"]) == (403, "secret_key_required")
    assert await knock(instance, "selling", bearer(alice.publishable["test"])) == (403, "secret_key_required")


# Platform, project and mode.


async def test_the_only_project_and_test_mode_are_meant_where_nothing_is_named(
    instance: Instance, alice: Account
) -> None:
    status, told = await knock(instance, "selling", bearer(alice.token["member"]))

    assert (status, told["project"], told["mode"]) == (200, alice.project.id, "test")
    assert told["caller"] == f"token:{alice.token_ids['member']}:{alice.project.id}:test"


@pytest.mark.parametrize("is_query", [False, True])
async def test_a_project_and_mode_are_named_by_headers_or_query(
    instance: Instance, alice: Account, is_query: bool
) -> None:
    second = await second_project(instance, alice)
    headers, query = bearer(alice.token["admin"]), ""
    if is_query:
        query = f"?projectId={second.id}&mode=live&platformId={second.platform_id}"
    else:
        headers |= {"X-Project-Id": second.id, "X-Mode": "live", "X-Platform-Id": second.platform_id}

    status, told = await knock(instance, "selling", headers, query)

    assert (status, told["project"], told["mode"]) == (200, second.id, "live")


async def test_headers_go_before_the_query(instance: Instance, alice: Account) -> None:
    second = await second_project(instance, alice)

    _, told = await knock(instance, "viewing", alice.by("owner", "live"), f"?projectId={second.id}&mode=test")

    assert (told["project"], told["mode"]) == (alice.project.id, "live")


async def test_among_several_projects_one_must_be_named(instance: Instance, alice: Account) -> None:
    second = await second_project(instance, alice)

    answer = await instance.api.post("/doors/viewing", headers=bearer(alice.token["viewer"]))

    assert (answer.status_code, answer.json()["code"]) == (400, "choose_project")
    assert answer.json()["error"] == (
        f"The platform has several projects: Alice ({alice.project.id}), Second ({second.id})."
    )


async def test_a_platform_without_projects_says_so(instance: Instance) -> None:
    from dream_api import accounts

    async with instance.database.write() as tx:
        platform = await platforms.create(tx, "Empty")
        issued = await accounts.issue_token(tx, platform.no, "owner", created_by="test")

    assert await knock(instance, "viewing", bearer(issued.token)) == (404, "not_found")
    status, told = await knock(instance, "owning", bearer(issued.token))
    assert (status, told["platform"]) == (200, platform.id)


async def test_a_strangers_project_and_platform_are_as_good_as_none(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    def told(answer: Any) -> tuple[int, Any]:
        return answer.status_code, answer.json() | {"requestId": ""}

    for name, his, never in (
        ("X-Project-Id", charlie.project.id, ids.new("prj")),
        ("X-Platform-Id", charlie.project.platform_id, ids.new("plt")),
    ):
        strangers, nobodys = [
            told(await instance.api.post("/doors/viewing", headers=alice.by("owner") | {name: value}))
            for value in (his, never)
        ]
        assert strangers == nobodys
        assert (strangers[0], strangers[1]["code"]) == (404, "not_found")
    assert (await knock(instance, "owning", alice.by("owner") | {"X-Platform-Id": charlie.project.platform_id}))[
        0
    ] == 404


@each_case("odd", ["", "prj_", "%00", "prj_%00", "x" * 3000, "%27", "PRJ_01K9Q3V8ZD0G2M4N6P8R0T2V4W"])
async def test_an_odd_project_id_is_not_found(instance: Instance, alice: Account, odd: str) -> None:
    headers = bearer(alice.token["owner"])

    assert await knock(instance, "viewing", headers, f"?projectId={odd}") == (404, "not_found")
    assert await knock(instance, "viewing", headers, f"?platformId={odd}") == (404, "not_found")


async def test_a_mode_is_test_or_live_and_who_calls_is_found_before_that_is_told(
    instance: Instance, alice: Account
) -> None:
    assert await knock(instance, "viewing", alice.by("owner"), "?mode=") == (422, "validation_failed")
    assert await knock(instance, "viewing", alice.by("owner") | {"X-Mode": "LIVE"}) == (422, "validation_failed")
    assert await knock(instance, "viewing", {"X-Mode": "LIVE"}) == (401, "key_missing")


async def test_a_key_refuses_what_was_meant_for_elsewhere(instance: Instance, alice: Account, charlie: Account) -> None:
    own = {"X-Project-Id": alice.project.id, "X-Platform-Id": alice.project.platform_id, "X-Mode": "test"}
    assert (await knock(instance, "selling", alice.sk | own))[0] == 200

    for other in (
        {"X-Mode": "live"},
        {"X-Project-Id": charlie.project.id},
        {"X-Platform-Id": charlie.project.platform_id},
    ):
        assert await knock(instance, "selling", alice.sk | own | other) == (404, "not_found")


# What is done.


async def test_a_token_works_where_a_server_does(instance: Instance, alice: Account) -> None:
    for mode in MODES:
        made = await instance.api.post("/api/customers", headers=alice.by("member", mode), json={"userId": mode})
        assert made.status_code == 201
        listed = await instance.api.get("/api/customers", headers=bearer(alice.secret[mode]))
        assert [one["userId"] for one in listed.json()["data"]] == [mode]


async def test_idempotency_keys_of_two_projects_and_modes_and_callers_are_apart(
    instance: Instance, alice: Account
) -> None:
    second = await second_project(instance, alice)

    async def make(headers: dict[str, str], user: str) -> tuple[int, bool]:
        answer = await instance.api.post(
            "/api/customers", headers=headers | {"Idempotency-Key": "k"}, json={"userId": user}
        )
        return answer.status_code, "Idempotent-Replayed" in answer.headers

    callers = [alice.by("owner", mode) for mode in MODES]
    callers += [alice.by("owner") | {"X-Project-Id": second.id}, alice.by("admin"), alice.sk]
    for place, headers in enumerate(callers):
        assert await make(headers, f"user_{place}") == (201, False)
    for place, headers in enumerate(callers):
        assert await make(headers, f"user_{place}") == (201, True)


@pytest.mark.parametrize("mode", MODES)
async def test_a_plan_is_one_of_the_projects_tiers_in_that_mode(instance: Instance, alice: Account, mode: Mode) -> None:
    await instance.set_limit(alice, "pro", 10, mode="live")

    answer = await instance.api.post(
        "/api/customers", headers=alice.by("owner", mode), json={"userId": "ada", "plan": "pro"}
    )

    assert answer.status_code == (201 if mode == "live" else 422)
