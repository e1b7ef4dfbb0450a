"""Exports of whole lists: every route of the application is for owners and admins alone."""

import re
from collections.abc import AsyncIterator, Sequence

import sqlalchemy as sa

from dream_api import accounts, platforms
from dream_api.accounts import ROLES, Role
from dream_api.app import ROUTERS
from dream_api.core.db import Tx
from dream_api.dashboard.exports import MOST_ROWS, export_file, read_pieces
from dream_api.dashboard.layout import PageRoute
from tests.support.instance import Account, Instance, open_store

# Of routes, those that answer with a file of rows.
EXPORTS = sorted(
    route.path
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, PageRoute) and re.search(r"\.(csv|json|jsonl)$", route.path)
)
STATUS = {"owner": 200, "admin": 200, "member": 403, "viewer": 403}


async def operators(instance: Instance) -> dict[Role, dict[str, str]]:
    """Who is signed in on the operator's platform, by their role."""
    headers: dict[Role, dict[str, str]] = {}
    async with instance.database.write() as tx:
        operator = await platforms.operator_platform(tx)
        for role in ROLES:
            user = await accounts.create_user(tx, f"{role}@operator.example", "Olga", verified=True)
            await platforms.add_member(tx, operator.no, user.id, role)
            opened = await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")
            headers[role] = {"Cookie": f"dream_session={opened.token}"}
    return headers


def test_all_exports_of_the_application_are_known() -> None:
    assert EXPORTS == [
        "/dashboard/operator/platforms.csv",
        "/dashboard/{platformId}/security-log.csv",
        "/dashboard/{platformId}/security-log.json",
        "/dashboard/{projectId}/{mode}/customers.csv",
        "/dashboard/{projectId}/{mode}/orders.csv",
        "/dashboard/{projectId}/{mode}/subscriptions.csv",
        "/dashboard/{projectId}/{mode}/tiers.csv",
        "/dashboard/{projectId}/{mode}/usage.csv",
    ]


async def test_every_export_is_for_owners_and_admins(instance: Instance, alice: Account, charlie: Account) -> None:
    store = await open_store(instance.database, alice)
    of_operator = await operators(instance)
    for path in EXPORTS:
        account = store if path.endswith("/orders.csv") else alice
        at = path.format(platformId=alice.project.platform_id, projectId=account.project.id, mode="test")
        for role in ROLES:
            headers = of_operator[role] if "/operator/" in path else alice.cookie(role)
            answer = await instance.api.get(at, headers=headers)
            assert answer.status_code == STATUS[role], (path, role)
            assert answer.headers.get("content-disposition", "").startswith("attachment") is (STATUS[role] == 200)
        assert (await instance.api.get(at, headers=charlie.cookie())).status_code == 404, path
        assert (await instance.api.get(at)).status_code == 303, path


async def test_the_button_is_shown_to_those_who_can_use_it(instance: Instance, alice: Account) -> None:
    await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "ada"})
    await instance.api.post("/api/data", headers=alice.calls("ada"))
    pages = {f"/dashboard/{alice.project.id}/test/{name}": f"/{name}.csv" for name in ("customers", "tiers", "usage")}
    for page, link in pages.items():
        for role in ROLES:
            answer = await instance.api.get(page, headers=alice.cookie(role))
            assert answer.status_code == 200, (page, role)
            assert (link in answer.text) is (STATUS[role] == 200), (page, role)


async def test_a_file_is_read_in_pieces_and_ends_at_the_bound(instance: Instance) -> None:
    sizes: list[int] = []

    async def fetch(tx: Tx, limit: int, after: int | None) -> Sequence[int]:
        sizes.append(limit)
        first = (after or 0) + 1
        assert await tx.scalar(sa.text("SELECT 1")) == 1
        return range(first, first + limit)

    rows = [row async for piece in read_pieces(instance.database, fetch, lambda row: row) for row in piece]

    assert rows == list(range(1, MOST_ROWS + 1))
    assert max(sizes) == 500


async def test_what_others_wrote_is_no_formula() -> None:
    async def pieces() -> AsyncIterator[Sequence[str | None]]:
        yield ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\nx", 'a "quoted", text', " a-b", "", None]
        # Behind blanks of any kind and signs without a width, and in full width.
        yield [" =1", "\u00a0+1", "\u3000\u200b -1", "\ufeff@sum", "\uff1d1", " \uff0b1", "\uff0d1", "\uff20sum"]

    file = export_file("names", {"name": lambda name: name}, pieces())
    text = "".join([str(line) async for line in file.body_iterator])  # type: ignore[attr-defined]

    assert text.split("\r\n") == [
        "name",
        "'=1+1",
        "'+1",
        "'-1",
        "'@sum",
        "'\tx",
        '"\'\rx"',
        '"\'\nx"',
        '"a ""quoted"", text"',
        " a-b",
        '""',
        '""',
        "' =1",
        "'\u00a0+1",
        "'\u3000\u200b -1",
        "'\ufeff@sum",
        "'\uff1d1",
        "' \uff0b1",
        "'\uff0d1",
        "'\uff20sum",
        "",
    ]
