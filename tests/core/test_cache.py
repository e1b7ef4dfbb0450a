"""Cached values are fresh: in this process at once, in all others within a second."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import func, select, text, update

from dream_api.core import clock
from dream_api.core.cache import Cache, CacheInvalidator, invalidate
from dream_api.core.cache.tables import changes
from dream_api.core.db import Database
from dream_api.core.db.database import _require_timely_invalidation
from dream_api.core.errors import Overloaded
from tests.support.deadline import Second

pytestmark = pytest.mark.both


class Source:
    """Where facts are read: one load at a time, each answered when the test says so."""

    def __init__(self) -> None:
        self.begun = 0
        self._told: asyncio.Queue[str | Exception] = asyncio.Queue()

    async def load(self) -> str | None:
        self.begun += 1
        told = await self._told.get()
        if isinstance(told, Exception):
            raise told
        return told or None

    def tell(self, fact: str | Exception) -> None:
        self._told.put_nowait(fact)


async def a_while() -> None:
    """What is ready to run runs."""
    for _ in range(5):
        await asyncio.sleep(0)


# What one process remembers.


async def test_a_fact_is_read_once_and_then_remembered() -> None:
    cache, source = Cache[str]("fact", size=10), Source()
    source.tell("blue")

    assert await cache.get_or_load("sky", source.load) == "blue"
    assert await cache.get_or_load("sky", source.load) == "blue"
    assert cache.get("sky") == "blue"
    assert source.begun == 1


async def test_all_who_ask_at_the_same_time_share_one_reading() -> None:
    cache, source = Cache[str]("fact", size=10), Source()
    asking = [asyncio.create_task(cache.get_or_load("sky", source.load)) for _ in range(50)]
    await a_while()
    source.tell("blue")

    assert await asyncio.gather(*asking) == ["blue"] * 50
    assert source.begun == 1


async def test_what_does_not_exist_is_looked_for_again() -> None:
    cache, source = Cache[str]("fact", size=10), Source()
    source.tell("")
    source.tell("blue")

    assert await cache.get_or_load("sky", source.load) is None
    assert len(cache) == 0
    assert await cache.get_or_load("sky", source.load) == "blue"


async def test_a_failed_reading_is_told_to_all_and_tried_again() -> None:
    cache, source = Cache[str]("fact", size=10), Source()
    asking = [asyncio.create_task(cache.get_or_load("sky", source.load)) for _ in range(3)]
    await a_while()
    source.tell(RuntimeError("dark"))
    source.tell("blue")

    assert [str(told) for told in await asyncio.gather(*asking, return_exceptions=True)] == ["dark"] * 3
    assert await cache.get_or_load("sky", source.load) == "blue"


async def test_who_gives_up_takes_nobody_with_them() -> None:
    cache, source = Cache[str]("fact", size=10), Source()
    first, second = (asyncio.create_task(cache.get_or_load("sky", source.load)) for _ in range(2))
    await a_while()
    first.cancel()
    await a_while()
    source.tell("blue")

    assert await second == "blue"
    assert first.cancelled()
    assert source.begun == 1


async def test_a_reading_whose_only_asker_gave_up_is_remembered_or_fails_in_silence() -> None:
    cache, source = Cache[str]("fact", size=10), Source()
    for place, told in (("sky", "blue"), ("sea", RuntimeError("dark"))):
        asking = asyncio.create_task(cache.get_or_load(place, source.load))
        await a_while()
        asking.cancel()
        source.tell(told)
        await a_while()

    assert (cache.get("sky"), cache.get("sea")) == ("blue", None)


@pytest.mark.parametrize("evict", [lambda cache: cache.evict("sky"), lambda cache: cache.clear()])
async def test_what_was_being_read_while_it_was_forgotten_is_not_remembered(
    evict: Callable[[Cache[str]], None],
) -> None:
    cache, source = Cache[str]("fact", size=10), Source()
    before = asyncio.create_task(cache.get_or_load("sky", source.load))
    await a_while()
    evict(cache)
    after = asyncio.create_task(cache.get_or_load("sky", source.load))
    await a_while()
    source.tell("old")
    assert await before == "old"
    assert cache.get("sky") is None

    source.tell("new")
    assert await after == "new"
    assert cache.get("sky") == "new"
    assert source.begun == 2


async def test_what_was_read_before_anything_was_forgotten_is_not_put() -> None:
    cache = Cache[str]("fact", size=10)
    read_at = cache.version
    cache.evict("sea")
    cache.put("sky", "old", version=read_at)

    assert cache.get("sky") is None


async def test_a_full_memory_forgets_the_oldest() -> None:
    cache = Cache[str]("fact", size=3)
    for name in ("a", "b", "c", "a", "d"):
        cache.put(name, name, version=cache.version)

    assert len(cache) == 3
    assert [cache.get(name) for name in "abcd"] == [None, "b", "c", "d"]


# What processes tell one another.


@pytest.fixture
async def elsewhere(database: Database) -> AsyncIterator[Database]:
    """The same database, opened by another process."""
    other = Database(directory=database.path.parent) if database.path is not None else Database(url=database.url)
    yield other
    await other.close()


async def change(database: Database, key: str = "sky") -> None:
    async with database.write() as tx:
        await invalidate(tx, "fact", key)


def remembering(*keys: str) -> Cache[str]:
    cache = Cache[str]("fact", size=10)
    for key in keys:
        cache.put(key, "old", version=cache.version)
    return cache


async def until(is_so: Callable[[], bool], seconds: float = 1) -> None:
    second = Second(seconds)
    while not is_so():
        assert not second.is_over(), f"It was not so after {seconds} s."
        await asyncio.sleep(0.01)


async def test_a_change_is_in_force_here_at_its_commit(database: Database) -> None:
    cache = remembering("sky", "sea")
    CacheInvalidator(database, [cache])
    async with database.write() as tx:
        await invalidate(tx, "fact", "sky")
        await invalidate(tx, "another", "sea")
        assert cache.get("sky") == "old"

    assert (cache.get("sky"), cache.get("sea")) == (None, "old")


async def test_a_change_is_in_force_in_every_cache_of_its_kind(database: Database, elsewhere: Database) -> None:
    here, there = [remembering("sky"), remembering("sky")], [remembering(), remembering()]
    CacheInvalidator(database, here)
    far = CacheInvalidator(elsewhere, there)
    await far.poll()
    for cache in there:
        cache.put("sky", "old", version=cache.version)
    await change(database)
    await far.poll()

    assert [cache.get("sky") for cache in (*here, *there)] == [None] * 4


async def test_what_cannot_be_known_is_forgotten_by_every_cache_of_its_kind(database: Database) -> None:
    caches = [remembering("sky"), remembering("sky")]

    assert not CacheInvalidator(database, caches).is_fresh
    assert [cache.get("sky") for cache in caches] == [None, None]


async def test_a_change_is_in_force_in_another_process_within_a_second(database: Database, elsewhere: Database) -> None:
    cache = Cache[str]("fact", size=10)
    there = CacheInvalidator(elsewhere, [cache])
    await there.start()
    for name in ("sky", "sea"):
        cache.put(name, "old", version=cache.version)
    try:
        await change(database)
        await until(lambda: cache.get("sky") is None)
    finally:
        await there.stop()

    assert cache.get("sea") == "old"
    assert there.is_fresh


async def test_each_change_is_forgotten_once(database: Database, elsewhere: Database) -> None:
    cache = Cache[str]("fact", size=10)
    there = CacheInvalidator(elsewhere, [cache])
    await change(database)
    await there.poll()
    cache.put("sky", "new", version=cache.version)
    await there.poll()
    assert cache.get("sky") == "new"

    await change(database)
    await there.poll()
    assert cache.get("sky") is None


async def test_what_was_undone_is_told_to_nobody(database: Database, elsewhere: Database) -> None:
    here, far = remembering(), remembering()
    there = CacheInvalidator(elsewhere, [far])
    CacheInvalidator(database, [here])
    await there.poll()
    for cache in (here, far):
        cache.put("sky", "old", version=cache.version)

    with pytest.raises(RuntimeError, match="undone"):
        async with database.write() as tx:
            await invalidate(tx, "fact", "sky")
            raise RuntimeError("undone")
    await there.poll()

    assert (here.get("sky"), far.get("sky")) == ("old", "old")
    async with database.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(changes)) == 0


async def test_whoever_never_looked_believes_nothing_it_remembers(database: Database) -> None:
    cache = remembering("sky")

    assert not CacheInvalidator(database, [cache]).is_fresh
    assert cache.get("sky") is None


async def test_whoever_cannot_look_for_a_second_reads_everything_anew_until_it_can(database: Database) -> None:
    cache = Cache[str]("fact", size=10)
    there = CacheInvalidator(database, [cache])
    await there.start()
    try:
        assert there.is_fresh
        cache.put("sky", "old", version=cache.version)
        await _do(database, "ALTER TABLE changes RENAME TO elsewhere")
        await until(lambda: not there.is_fresh, seconds=2)
        assert cache.get("sky") is None

        await _do(database, "ALTER TABLE elsewhere RENAME TO changes")
        await until(lambda: there.is_fresh)
    finally:
        await there.stop()


async def test_after_a_pause_longer_than_changes_are_looked_back_for_nothing_is_believed(
    database: Database, elsewhere: Database
) -> None:
    """A process was stopped, or its machine slept: it looks again before anybody asks it anything."""
    cache = Cache[str]("fact", size=10)
    there = CacheInvalidator(elsewhere, [cache])
    await there.poll()
    cache.put("sky", "old", version=cache.version)
    await change(database)
    async with database.write() as tx:
        await tx.execute(update(changes).values(at=changes.c.at - 11 * clock.SECOND))
    await asyncio.sleep(1.1)
    await there.poll()

    assert there.is_fresh
    assert cache.get("sky") is None


async def test_a_change_that_could_be_seen_too_late_is_refused(database: Database) -> None:
    with pytest.raises(Overloaded):
        async with database.write() as tx:
            _require_timely_invalidation(tx, time.monotonic() - 60)
            await invalidate(tx, "fact", "sky")
            _require_timely_invalidation(tx, time.monotonic() - 4.9)
            _require_timely_invalidation(tx, time.monotonic() - 5.1)

    async with database.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(changes)) == 0


async def _do(database: Database, statement: str) -> None:
    async with database.write() as tx:
        await tx.execute(text(statement))
