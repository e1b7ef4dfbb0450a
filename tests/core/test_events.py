"""Events are handled in the transaction that emitted them."""

import pytest
from sqlalchemy import func, select

from dream_api.core import jobs
from dream_api.core.db import Database, Tx
from dream_api.core.events import Events, NotDeclared
from dream_api.core.jobs.tables import jobs as table

pytestmark = pytest.mark.both


def paid() -> Events:
    events = Events()
    events.declare("checkout.paid", "A checkout was paid.")
    return events


async def test_handlers_hear_the_facts_in_the_order_in_which_they_were_wired(database: Database) -> None:
    events = paid()
    heard: list[tuple[str, str]] = []

    async def first(tx: Tx, *, checkout: str) -> None:
        heard.append(("first", checkout))

    async def second(tx: Tx, *, checkout: str) -> None:
        heard.append(("second", checkout))

    events.on("checkout.paid", second)
    events.on("checkout.paid", first)
    async with database.write() as tx:
        await events.emit(tx, "checkout.paid", checkout="chk_1")

    assert heard == [("second", "chk_1"), ("first", "chk_1")]


async def test_a_handler_writes_in_the_transaction_of_the_event(database: Database) -> None:
    events = paid()

    async def deliver(tx: Tx, *, checkout: str) -> None:
        await jobs.enqueue(tx, "deliver", {"checkout": checkout})

    events.on("checkout.paid", deliver)
    async with database.write() as tx:
        await events.emit(tx, "checkout.paid", checkout="chk_1")

    assert await _count(database) == 1


async def test_a_failing_handler_fails_the_transaction(database: Database) -> None:
    events = paid()

    async def fail(tx: Tx, **_: object) -> None:
        raise RuntimeError("No such order.")

    events.on("checkout.paid", fail)
    with pytest.raises(RuntimeError, match="No such order"):
        async with database.write() as tx:
            await jobs.enqueue(tx, "deliver", {})
            await events.emit(tx, "checkout.paid", checkout="chk_1")

    assert await _count(database) == 0


async def test_an_event_that_nobody_hears_is_no_error(database: Database) -> None:
    async with database.write() as tx:
        await paid().emit(tx, "checkout.paid", checkout="chk_1")


async def test_a_name_that_nobody_declared_is_an_error(database: Database) -> None:
    events = paid()

    async with database.write() as tx:
        with pytest.raises(NotDeclared, match="payed"):
            await events.emit(tx, "checkout.payed")
    with pytest.raises(NotDeclared):
        events.on("checkout.payed", jobs.enqueue)


def test_a_name_is_declared_once_and_listed_with_its_sentence() -> None:
    events = paid()

    with pytest.raises(ValueError, match="declared already"):
        events.declare("checkout.paid", "Another sentence.")
    assert events.declared == {"checkout.paid": "A checkout was paid."}


async def _count(database: Database) -> int:
    async with database.read() as tx:
        return int(await tx.scalar(select(func.count()).select_from(table)))
