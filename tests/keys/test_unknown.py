"""A key that does not exist is remembered as such, so that a flood of it does not become a flood of queries."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from sqlalchemy import event

from dream_api import keys
from dream_api.app import open_database
from dream_api.auth.authenticator import Authenticator
from dream_api.core.cache import CacheInvalidator
from dream_api.core.db import Database, Tx
from dream_api.core.settings import Settings
from dream_api.keys import key_format
from tests.support.deadline import Second
from tests.support.instance import INSTANCE_KEY, Account, Instance, bearer


async def told(authenticator: Authenticator, token: str) -> str:
    try:
        await authenticator.authenticate_secret_key(f"Bearer {token}")
    except keys.KeyRefused as refusal:
        return refusal.code
    return "welcome"


async def issue(tx: Tx, who: Account) -> str:
    made = await keys.issue(tx, who.project, "test", "secret", instance_key=INSTANCE_KEY, created_by="test")
    return made.token


@contextmanager
def reading_keys(database: Database) -> Iterator[list[str]]:
    """The statements that look a key up."""
    statements: list[str] = []

    def note(*told: object) -> None:
        statements.extend(str(part) for part in told if "FROM key_hashes" in str(part))

    engine = database._reading.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
async def elsewhere(instance: Instance) -> AsyncIterator[Authenticator]:
    """The authenticator of another process."""
    database = open_database(instance.settings)
    changes = CacheInvalidator(database)
    authenticator = Authenticator(database, changes)
    await changes.start()
    yield authenticator
    await changes.stop()
    await database.close()


async def test_a_flood_of_one_unknown_key_asks_the_database_once(instance: Instance) -> None:
    headers = bearer(key_format.generate("secret", "live"))
    with reading_keys(instance.database) as statements:
        for path in ("/api/usage", "/api/customers"):
            answers = await asyncio.gather(*(instance.api.get(path, headers=headers) for _ in range(20)))
            assert {answer.json()["code"] for answer in answers} == {"key_unknown"}
        calls = await asyncio.gather(*(instance.api.post("/api/data", headers=headers) for _ in range(20)))

    assert {answer.json()["code"] for answer in calls} == {"key_unknown"}
    assert len(statements) == 1


async def test_no_more_than_ten_thousand_are_remembered(instance: Instance) -> None:
    unknown = instance.authenticator.keys.unknown
    for n in range(10_000):
        unknown.put(str(n), True, version=unknown.version)
    assert await told(instance.authenticator, key_format.generate("secret", "test")) == "key_unknown"

    assert len(unknown) == 10_000


async def test_one_that_is_none_is_not_remembered_at_all(instance: Instance) -> None:
    assert await told(instance.authenticator, "sk_test_mistyped") == "key_malformed"

    assert len(instance.authenticator.keys.unknown) == 0


async def test_a_key_that_was_asked_for_before_it_was_made_works_at_once(instance: Instance, alice: Account) -> None:
    async with instance.database.write() as tx:
        token = await issue(tx, alice)
        assert await told(instance.authenticator, token) == "key_unknown"
        assert len(instance.authenticator.keys.unknown) == 1

    assert await told(instance.authenticator, token) == "welcome"


async def test_it_works_in_another_process_within_a_second(
    instance: Instance, alice: Account, elsewhere: Authenticator
) -> None:
    async with instance.database.write() as tx:
        token = await issue(tx, alice)
        assert await told(elsewhere, token) == "key_unknown"
    second = Second()
    while await told(elsewhere, token) != "welcome":
        assert not second.is_over()
        await asyncio.sleep(0.01)


class Lagging(Database):
    """Hands out what it read only when it is told to."""

    def __init__(self, settings: Settings) -> None:
        url = settings.database_url
        super().__init__(url=url, directory=settings.data if url is None else None)
        self.has_read = asyncio.Event()
        self.may_go = asyncio.Event()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        async with super().read() as tx:
            yield tx
        self.has_read.set()
        await self.may_go.wait()


async def test_what_was_read_before_the_key_was_made_is_not_remembered(instance: Instance, alice: Account) -> None:
    instance.authenticator.keys.database = lagging = Lagging(instance.settings)
    async with instance.database.write() as tx:
        token = await issue(tx, alice)
        asking = asyncio.create_task(told(instance.authenticator, token))
        await lagging.has_read.wait()
    lagging.may_go.set()

    assert await asking == "key_unknown"
    assert len(instance.authenticator.keys.unknown) == 0
    assert await told(instance.authenticator, token) == "welcome"
    await lagging.close()


async def test_whoever_cannot_know_what_changed_asks_each_time(instance: Instance) -> None:
    token = key_format.generate("secret", "test")
    await instance.changes.stop()
    instance.changes._polled_at = float("-inf")
    with reading_keys(instance.database) as statements:
        assert [await told(instance.authenticator, token) for _ in range(3)] == ["key_unknown"] * 3

    assert len(statements) == 3
