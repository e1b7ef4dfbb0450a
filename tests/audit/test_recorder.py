"""The security log: entries are appended in order, and tampering is detected."""

import asyncio

import pytest
from sqlalchemy import text

from dream_api import audit
from dream_api.audit import Actor, Stream, queries
from dream_api.audit.actions import NotDeclared
from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.core.integrity import Finding, run_check
from dream_api.core.secrets import InstanceKey

pytestmark = pytest.mark.both

KEY = InstanceKey(bytes(32))
ADA = Actor("user", "usr_ada", "Ada", "203.0.113.7")
BOOK, OTHER = Stream("plt_1", 1), Stream("plt_2", 2)


async def write(database: Database, action: str, book: Stream = BOOK, **details: str) -> None:
    async with database.write() as tx:
        await audit.record(tx, book, action, by=ADA, about="key_1", details=details)


async def proved(database: Database, key: InstanceKey = KEY) -> Finding:
    [check] = audit.checks(key)
    return await run_check(database, check)


async def read(database: Database, book: Stream = BOOK) -> list[audit.Entry]:
    async with database.read() as tx:
        return await audit.list_entries(tx, book, limit=100)


async def test_what_was_recorded_is_read_newest_first(database: Database) -> None:
    await write(database, "key.issued", mode="live")
    await write(database, "key.revoked")

    newest, oldest = await read(database)
    assert [newest.number, newest.sentence] == [2, "Revoked an API key"]
    assert (oldest.by, oldest.about, oldest.details) == (ADA, "key_1", {"mode": "live"})


async def test_an_action_that_nobody_declared_is_a_slip(database: Database) -> None:
    with pytest.raises(NotDeclared, match=r"key\.lent"):
        await write(database, "key.lent")

    assert await read(database) == []


async def test_many_at_once_make_one_chain(database: Database) -> None:
    await asyncio.gather(*(write(database, "session.opened") for _ in range(12)))

    assert [entry.number for entry in await read(database)] == list(range(12, 0, -1))
    assert (await proved(database)).holds


async def test_who_it_was_goes_after_30_days_and_the_chain_still_verifies(database: Database) -> None:
    await write(database, "member.invited", email="bob@example.com", role="viewer")
    clock.move(30 * clock.DAY)
    await write(database, "key.issued")
    await audit.erase_personal_data(database)

    newest, oldest = await read(database)
    async with database.read() as tx:
        left = await tx.all(text("SELECT salt, value FROM audit_fields WHERE number = 1 AND field <> 'role'"))
    assert (oldest.by.id, oldest.by.name, oldest.by.address) == ("usr_ada", "", "")
    assert oldest.details == {"role": "viewer"}
    assert oldest.erased == ("actor.address", "actor.name", "email")
    assert [tuple(row) for row in left] == [(None, None)] * 3
    assert newest.by == ADA
    assert (await proved(database)).holds


async def test_entries_go_after_180_days_and_leave_a_sealed_place(database: Database) -> None:
    for _ in range(3):
        await write(database, "session.opened")
    await write(database, "session.opened", book=OTHER)
    clock.move(181 * clock.DAY)
    await write(database, "session.ended")
    await audit.erase_personal_data(database)
    await audit.truncate(database, KEY)

    assert [entry.number for entry in await read(database)] == [4]
    assert await read(database, OTHER) == []
    assert (await proved(database)).holds
    await write(database, "session.opened", book=OTHER)
    assert [entry.number for entry in await read(database, OTHER)] == [2]
    assert (await proved(database)).holds
    assert not (await proved(database, InstanceKey(bytes(31) + b"1"))).holds


async def test_cutting_more_than_was_cut_is_noticed(database: Database) -> None:
    for _ in range(2):
        await write(database, "session.opened")
    clock.move(181 * clock.DAY)
    await write(database, "session.ended")
    await audit.truncate(database, KEY)
    await write(database, "session.ended")
    async with database.write() as tx:
        await tx.execute(
            text(
                "UPDATE audit_streams SET cut_number = 3,"
                " cut_digest = (SELECT digest FROM audit_entries WHERE number = 3)"
            )
        )
        await tx.execute(text("DELETE FROM audit_fields WHERE number = 3"))
        await tx.execute(text("DELETE FROM audit_entries WHERE number = 3"))

    finding = await proved(database)
    assert [row["what"] for row in finding.contradictions] == [
        "the log was truncated with another instance key, or by hand"
    ]


async def test_a_book_that_is_forgotten_while_another_cuts_it_does_not_begin_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(database, "key.issued")
    clock.move(181 * clock.DAY)
    read_streams = queries.list_streams_with_entries_before

    async def read_and_be_late(tx: Tx, before: int, limit: int) -> list[Stream]:
        found = await read_streams(tx, before, limit)
        await audit.delete_stream(database, KEY, BOOK)
        return found

    monkeypatch.setattr(queries, "list_streams_with_entries_before", read_and_be_late)
    await audit.truncate(database, KEY)

    async with database.read() as tx:
        assert await tx.all(text("SELECT name FROM audit_streams")) == []
