"""Reading the security log: on its page, by the API, and taken away as a file."""

import csv
import io
import json

from httpx2 import AsyncClient

from dream_api import audit
from dream_api.audit import Actor
from dream_api.core import clock
from tests.support.instance import Account, Instance

EVE = Actor("user", "usr_eve", "<b>=Eve</b>", "203.0.113.9")


async def write(instance: Instance, account: Account, *actions: str, by: Actor = EVE, **details: str) -> None:
    async with instance.database.write() as tx:
        for action in actions:
            await audit.record(tx, account.project.log_stream, action, by=by, about="key_1", details=details)


def page(account: Account, more: str = "") -> str:
    return f"/dashboard/{account.project.platform_id}/security-log{more}"


async def test_the_page_shows_who_did_what_and_runs_nothing_of_theirs(instance: Instance, alice: Account) -> None:
    await write(instance, alice, "key.revealed", note="<script>alert(1)</script>")

    answer = await instance.api.get(page(alice), headers=alice.cookie("admin"))

    assert answer.status_code == 200
    assert "Revealed a test API key" in answer.text
    assert "203.0.113.9" in answer.text
    assert "<script>alert" not in answer.text
    assert "<b>=Eve" not in answer.text
    assert len(answer.content) < 100_000


async def test_it_is_read_by_who_runs_the_platform(instance: Instance, alice: Account, charlie: Account) -> None:
    for path in ("", ".csv", ".json"):
        told = [
            (await instance.api.get(page(alice, path), headers=headers)).status_code
            for headers in (alice.cookie("owner"), alice.cookie("member"), charlie.cookie("owner"), {})
        ]
        assert told == [200, 403, 404, 303], path
    by = [
        (await instance.api.get("/api/security-log", headers=headers)).status_code
        for headers in (alice.by("admin"), alice.by("member"), alice.sk)
    ]
    assert by == [200, 403, 403]


async def test_it_is_filtered_and_read_on_by_url(instance: Instance, alice: Account, charlie: Account) -> None:
    await write(instance, charlie, "key.issued")
    await write(instance, alice, *["key.issued"] * 60)
    await write(instance, alice, "token.issued", by=Actor("operator", ""))

    first = await instance.api.get(page(alice, "?action=key.issued&member=usr_eve"), headers=alice.cookie())
    rest = await instance.api.get(page(alice, "?action=key.issued&before=11"), headers=alice.cookie())
    none = await instance.api.get(page(alice, "?member=usr_nobody"), headers=alice.cookie())

    assert "action=key.issued&amp;member=usr_eve&amp;before=11" in first.text
    assert [answer.text.count('<span title="usr_eve">') for answer in (first, rest)] == [50, 10]
    assert "Nothing found" in none.text


async def test_programs_read_page_by_page(api: AsyncClient, instance: Instance, alice: Account) -> None:
    await write(instance, alice, "key.issued", "key.revoked", "key.issued", mode="live")

    one = (await api.get("/api/security-log", headers=alice.by("owner"), params={"limit": 2})).json()
    other = (await api.get("/api/security-log", headers=alice.by("owner"), params={"after": one["nextCursor"]})).json()

    assert [entry["number"] for entry in one["data"]] == [3, 2]
    assert ([entry["number"] for entry in other["data"]], other["nextCursor"]) == ([1], None)
    assert other["data"][0]["by"] == {
        "kind": "user",
        "id": "usr_eve",
        "name": "<b>=Eve</b>",
        "address": "203.0.113.9",
    }
    assert other["data"][0]["details"] == {"mode": "live"}


async def test_it_is_taken_away_whole_and_that_is_recorded(instance: Instance, alice: Account) -> None:
    await write(instance, alice, *["key.issued"] * 3, by=Actor("user", "usr_eve", "=1+1"))

    spreadsheet = await instance.api.get(page(alice, ".csv"), headers=alice.cookie())
    lines = await instance.api.get(page(alice, ".json?action=key.issued"), headers=alice.cookie())

    rows = list(csv.DictReader(io.StringIO(spreadsheet.text)))
    assert spreadsheet.headers["content-disposition"].startswith("attachment")
    assert [row["action"] for row in rows] == ["log.exported", "key.issued", "key.issued", "key.issued"]
    assert rows[0]["by_name"] == "Alice"
    assert rows[1]["by_name"] == "'=1+1"
    assert [json.loads(line)["number"] for line in lines.text.splitlines()] == ["3", "2", "1"]


async def test_odd_questions_are_refused(api: AsyncClient, alice: Account) -> None:
    for more in ("?action=a%00b", "?member='--", "?before=0", "?before=99999999999999999999"):
        assert (await api.get(page(alice, more), headers=alice.cookie())).status_code == 422, more
    for more in ("?action=a%00b", "?member='--", "?after=0", "?after=9999999999999999", "?limit=101"):
        assert (await api.get(f"/api/security-log{more}", headers=alice.by("owner"))).status_code == 422, more


async def test_erased_names_are_said_to_be(instance: Instance, alice: Account) -> None:
    await write(instance, alice, "key.issued")
    clock.move(5 * clock.DAY)
    await write(instance, alice, "key.issued")
    async with instance.database.write() as tx:
        await tx.connection.exec_driver_sql("UPDATE audit_fields SET erase_at = 1 WHERE number = 1")
    await audit.erase_personal_data(instance.database)

    answer = await instance.api.get(page(alice), headers=alice.cookie())

    assert answer.text.count("erased</span>") == 1
    assert '<span title="usr_eve">User</span>' in answer.text
