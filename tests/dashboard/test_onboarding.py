"""From nothing to the first metered call, on one page."""

import asyncio
import re
from typing import Any

from sqlalchemy import select, update

from dream_api import accounts, platforms
from dream_api.accounts import OpenedSession
from dream_api.auth.csrf import csrf_token_for
from dream_api.keys.tables import keys
from tests.support.instance import Account, Instance

PATH = "/dashboard/welcome"


async def newcomer(instance: Instance, email: str = "dora@example.com", *, verified: bool = True) -> OpenedSession:
    async with instance.database.write() as tx:
        user = await accounts.create_user(tx, email, "Dora", verified=verified)
        return await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")


def of(session: OpenedSession, **fields: str) -> dict[str, Any]:
    return {
        "headers": {"Cookie": f"dream_session={session.token}"},
        "data": {"csrf": csrf_token_for(session.token), **fields},
    }


async def test_a_newcomer_comes_to_the_first_metered_call(instance: Instance):
    dora = await newcomer(instance)
    headers = of(dora)["headers"]
    assert (await instance.api.get("/dashboard", headers=headers)).headers["location"] == PATH

    made = await instance.api.post(PATH, **of(dora, platform="Acme", name="My API", type="saas"))

    assert made.status_code == 303, made.text
    waiting = await instance.api.get(made.headers["location"], headers=headers)
    assert "Waiting for your first call" in waiting.text
    key = re.search(r"sk_test_\w+", waiting.text)
    assert key is not None
    called = await instance.api.post(
        "/api/data", headers={"Authorization": f"Bearer {key[0]}", "X-User-Id": "ada"}, json={}
    )
    assert called.status_code == 200, called.text
    arrived = await instance.api.get(PATH, headers=headers)
    assert "Received: 1 of 1,000 requests this month, by ada." in arrived.text
    project = made.headers["location"].partition("=")[2]
    page = (await instance.api.get(f"/dashboard/{project}/test", headers=headers)).text
    level = re.search(r"/dashboard/plt_\w+/level", page)
    assert level is not None
    used = (await instance.api.get(level[0], headers=headers)).text
    assert re.search(r"Members</td>.*?<td>1 of", used, re.DOTALL), "its owner is counted"


async def test_a_store_begins_with_a_product(instance: Instance):
    dora = await newcomer(instance)
    made = await instance.api.post(PATH, **of(dora, platform="Acme", name="Shop", type="store"))
    project = made.headers["location"].partition("=")[2]

    async def product(**fields: str) -> Any:
        return await instance.api.post(f"{PATH}/product?project={project}", **of(dora, **fields))

    wrong = await product(product="Mug <b>", price="1,5", currency="usd")
    assert wrong.status_code == 422
    assert "Enter an amount such as 19.99." in wrong.text
    assert "Mug &lt;b&gt;" in wrong.text
    assert (await product(product="Mug", price="12", currency="dollars")).status_code == 422
    assert (await product(product="Mug", price="12.50", currency="usd")).status_code == 303
    shown = await instance.api.get(made.headers["location"], headers=of(dora)["headers"])
    assert "Mug is on sale" in shown.text


async def test_what_is_wrong_is_told_and_what_was_typed_kept(instance: Instance):
    dora = await newcomer(instance)

    for field, fields in (
        ("platform", {"platform": " ", "name": "My API", "type": "saas"}),
        ("name", {"platform": "Acme", "name": "x" * 121, "type": "saas"}),
        ("type", {"platform": "Acme", "name": "My API", "type": "bank"}),
    ):
        answer = await instance.api.post(PATH, **of(dora, **fields))
        assert answer.status_code == 422, field
        assert 'class="problem"' in answer.text
        assert f'value="{fields["name"].strip()}"' in answer.text
    async with instance.database.read() as tx:
        names = {row.name for row in await platforms.all_platforms(tx)}
    assert "Acme" not in names


async def test_an_address_that_is_not_verified_makes_no_platform(instance: Instance):
    dora = await newcomer(instance, verified=False)
    shown = await instance.api.get(PATH, headers=of(dora)["headers"])
    assert 'action="/account/verify"' in shown.text

    answer = await instance.api.post(PATH, **of(dora, platform="Acme", name="My API", type="saas"))

    assert answer.status_code == 422


async def test_who_has_a_platform_makes_no_second_one(instance: Instance, alice: Account):
    form = alice.form(platform="Second", name="Another", type="store")
    made = await instance.api.post(PATH, headers=alice.cookie(), data=form)

    async with instance.database.read() as tx:
        assert "Second" not in {row.name for row in await platforms.all_platforms(tx)}
        found = await platforms.projects_of(tx, alice.project.platform_no, limit=10)
    assert [one.name for one in found] == ["Alice", "Another"]
    assert made.status_code == 303


async def test_forms_that_are_sent_at_once_make_one_platform(instance: Instance):
    dora = await newcomer(instance)
    form = of(dora, platform="Acme", name="My API", type="saas")

    answers = await asyncio.gather(*(instance.api.post(PATH, **form) for _ in range(4)))

    assert [answer.status_code for answer in answers] == [303] * 4
    async with instance.database.read() as tx:
        assert [row.name for row in await platforms.all_platforms(tx)].count("Acme") == 1


async def test_another_ones_project_is_not_shown(instance: Instance, alice: Account, charlie: Account):
    answer = await instance.api.get(f"{PATH}?project={alice.project.id}", headers=charlie.cookie())
    assert "Alice is ready" not in answer.text


async def test_a_key_is_shown_to_those_who_may_see_it(instance: Instance, alice: Account):
    await instance.api.post(PATH, headers=alice.cookie(), data=alice.form(name="Another", type="saas"))

    shown = {role: (await instance.api.get(PATH, headers=alice.cookie(role))).text for role in ("viewer", "member")}

    assert not re.search(r"sk_test_\w{20}", shown["viewer"])
    assert re.search(r"sk_test_\w{20}", shown["member"])


async def test_a_key_that_was_sealed_for_another_instance_is_only_named(
    instance: Instance, alice: Account, charlie: Account
):
    async with instance.database.write() as tx:
        other = await tx.scalar(select(keys.c.sealed).where(keys.c.id == charlie.key_ids["test"]))
        await tx.execute(update(keys).where(keys.c.id == alice.key_ids["test"]).values(sealed=other))

    answer = await instance.api.get(PATH, headers=alice.cookie())

    assert answer.status_code == 200
    assert alice.secret["test"] not in answer.text
