"""When a key was last used is known to the hour: it costs a write."""

from sqlalchemy import select

from dream_api.core import clock
from dream_api.keys.tables import keys
from tests.support.instance import Account, Instance


async def last_used(instance: Instance, key_id: str) -> int | None:
    async with instance.database.read() as tx:
        return await tx.scalar(select(keys.c.last_used_at).where(keys.c.id == key_id))


async def test_the_first_call_writes_it(instance: Instance, alice: Account, charlie: Account) -> None:
    assert await last_used(instance, alice.key_ids["test"]) is None
    before = clock.now()
    await instance.api.post("/api/data", headers=alice.calls())

    used = await last_used(instance, alice.key_ids["test"])
    assert used is not None
    assert before <= used <= clock.now()
    assert await last_used(instance, alice.key_ids["live"]) is None
    assert await last_used(instance, charlie.key_ids["test"]) is None


async def test_it_is_written_at_most_once_an_hour(instance: Instance, alice: Account) -> None:
    await instance.api.post("/api/data", headers=alice.calls())
    first = await last_used(instance, alice.key_ids["test"])
    for _ in range(3):
        clock.move(19 * clock.MINUTE)
        await instance.api.post("/api/data", headers=alice.calls())
        assert await last_used(instance, alice.key_ids["test"]) == first

    clock.move(4 * clock.MINUTE)
    await instance.api.post("/api/data", headers=alice.calls())
    again = await last_used(instance, alice.key_ids["test"])
    assert again is not None
    assert first is not None
    assert again - first > clock.HOUR


async def test_reading_writes_nothing(instance: Instance, alice: Account) -> None:
    await instance.api.get("/api/usage", headers=alice.calls())

    assert await last_used(instance, alice.key_ids["test"]) is None


async def test_a_key_that_another_process_saw_within_the_hour_is_not_written(
    instance: Instance, alice: Account
) -> None:
    seen = clock.now() - 59 * clock.MINUTE
    async with instance.database.write() as tx:
        await tx.connection.execute(keys.update().where(keys.c.id == alice.key_ids["test"]).values(last_used_at=seen))
    await instance.api.post("/api/data", headers=alice.calls())

    assert await last_used(instance, alice.key_ids["test"]) == seen
