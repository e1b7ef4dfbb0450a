"""Token buckets: the same rule in memory and in Valkey, shared where there is one, with a fallback where it is lost."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import structlog.testing
from redis.asyncio import Redis

from dream_api.core import clock, ratelimit
from dream_api.core.ratelimit import FallbackRateLimiter, MemoryRateLimiter, RateLimited, RateLimiter, ValkeyRateLimiter
from tests.support.postgres import free_port
from tests.support.valkey import Valkey

pytestmark = pytest.mark.both

A_SECOND = clock.SECOND


class Moment:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = clock.now()

    def __call__(self) -> int:
        return self.at


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with Valkey() as server:
        yield server


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """What an operator sees; empty at first."""
    async with Redis.from_url(valkey.url()) as client:
        await client.flushall()
        yield client


def in_valkey(url: str, now: Moment | None = None) -> ValkeyRateLimiter:
    """With more patience than a server has: a busy machine may be slow."""
    return ValkeyRateLimiter(url, patience=30, now=now)


@pytest.fixture(params=["memory", "valkey"])
async def buckets(
    request: pytest.FixtureRequest, valkey: Valkey, redis: Redis, moment: Moment
) -> AsyncIterator[RateLimiter]:
    opened = MemoryRateLimiter(now=moment) if request.param == "memory" else in_valkey(valkey.url(), now=moment)
    yield opened
    await opened.close()


async def admitted(buckets: RateLimiter, name: str, per_second: int, times: int = 200) -> int:
    """How many of so many calls at once are admitted."""
    return (await asyncio.gather(*(buckets.take(name, per_second) for _ in range(times)))).count(0)


# The rule, the same for every kind.


@pytest.mark.parametrize("per_second", [1, 3, 7, 20, 199])
async def test_a_second_s_worth_is_admitted_at_once_and_no_more(buckets: RateLimiter, per_second: int) -> None:
    assert await admitted(buckets, "ada", per_second) == per_second
    assert await admitted(buckets, "ada", per_second) == 0


@pytest.mark.parametrize("per_second", [1, 3, 7, 20])
async def test_who_waits_as_long_as_told_is_admitted_and_nobody_sooner(
    buckets: RateLimiter, moment: Moment, per_second: int
) -> None:
    for _ in range(per_second):
        assert await buckets.take("ada", per_second) == 0
    wait = await buckets.take("ada", per_second)
    assert wait == -(-A_SECOND // per_second)

    moment.at += wait - 1
    assert await buckets.take("ada", per_second) == 1
    moment.at += 1
    assert await buckets.take("ada", per_second) == 0
    assert await buckets.take("ada", per_second) > 0


async def test_it_fills_at_its_rate_and_never_beyond_a_second_s_worth(buckets: RateLimiter, moment: Moment) -> None:
    assert await admitted(buckets, "ada", 20) == 20
    for waited, expected in ((A_SECOND // 2, 10), (A_SECOND // 4, 5), (A_SECOND, 20), (3600 * A_SECOND, 20)):
        moment.at += waited
        assert await admitted(buckets, "ada", 20) == expected


async def test_over_a_long_time_exactly_the_rate_is_admitted(buckets: RateLimiter, moment: Moment) -> None:
    """Odd steps of an odd rate: nothing is lost or won by rounding."""
    total = 0
    for _ in range(500):
        while await buckets.take("ada", 7) == 0:
            total += 1
        moment.at += 33_331
    assert total == 7 + 499 * 33_331 * 7 // A_SECOND


async def test_each_name_has_a_bucket_of_its_own(buckets: RateLimiter) -> None:
    assert await admitted(buckets, "ada", 5) == 5
    assert await admitted(buckets, "bob", 5) == 5


async def test_what_is_refused_takes_nothing(buckets: RateLimiter, moment: Moment) -> None:
    await admitted(buckets, "ada", 2)
    waits = [await buckets.take("ada", 2) for _ in range(50)]
    moment.at += A_SECOND // 2

    assert waits == [A_SECOND // 2] * 50
    assert await buckets.take("ada", 2) == 0


async def test_a_clock_that_is_put_back_fills_nothing_and_stops_nobody_for_long(
    buckets: RateLimiter, moment: Moment
) -> None:
    assert await admitted(buckets, "ada", 20) == 20
    moment.at -= 3600 * A_SECOND
    assert await admitted(buckets, "ada", 20) == 0
    moment.at += A_SECOND // 2
    assert await admitted(buckets, "ada", 20) == 10


async def test_a_new_rate_is_in_force_at_once(buckets: RateLimiter, moment: Moment) -> None:
    assert await buckets.take("ada", 100) == 0
    assert await admitted(buckets, "ada", 3) == 3
    moment.at += A_SECOND
    assert await admitted(buckets, "ada", 50) == 50


async def test_too_many_are_told_when_to_come_again_in_whole_seconds(buckets: RateLimiter) -> None:
    await ratelimit.enforce_rate(buckets, "ada", 1, whose="key")
    with pytest.raises(RateLimited) as refused:
        await ratelimit.enforce_rate(buckets, "ada", 1, whose="key")

    assert (refused.value.status, refused.value.code) == (429, "rate_limited")
    assert refused.value.headers == {
        "Retry-After": "1",
        "RateLimit-Policy": '"key";q=1;w=1',
        "RateLimit": '"key";r=0;t=1',
    }


# In memory.


async def test_the_memory_is_bounded_and_forgets_who_was_idle_for_longest(moment: Moment) -> None:
    buckets = MemoryRateLimiter(size=3, now=moment)
    for name in ("a", "b", "c", "a", "d"):
        assert await buckets.take(name, 2) == 0

    assert len(buckets) == 3
    assert await buckets.take("a", 2) > 0, "It was used last but one, and is remembered."
    assert await admitted(buckets, "b", 2) == 2, "It was idle for longest, and began anew."
    assert len(buckets) == 3


@pytest.mark.parametrize(("processes", "per_second"), [(4, 20), (3, 20), (4, 3), (4, 1), (16, 1)])
async def test_each_of_several_processes_admits_its_share(moment: Moment, processes: int, per_second: int) -> None:
    """At once at least one call each; over time exactly the rate, all together."""
    each = [MemoryRateLimiter(processes=processes, now=moment) for _ in range(processes)]
    at_once = [await admitted(buckets, "ada", per_second) for buckets in each]
    assert at_once == [max(1, per_second // processes)] * processes

    over_time = sum(at_once)
    for _ in range(processes * 10):
        moment.at += A_SECOND // 10
        over_time += sum([await admitted(buckets, "ada", per_second, 10) for buckets in each])
    size = max(per_second, processes)
    assert size + per_second * processes - processes <= over_time <= size + per_second * processes


async def test_by_the_product_s_own_clock(clock) -> None:
    buckets = MemoryRateLimiter()
    assert await buckets.take("ada", 1) == 0
    assert await buckets.take("ada", 1) > 0
    clock.move(A_SECOND)
    assert await buckets.take("ada", 1) == 0


# In Valkey.


async def test_all_connections_share_the_buckets(valkey: Valkey, redis: Redis, moment: Moment) -> None:
    here, there = in_valkey(valkey.url(), now=moment), in_valkey(valkey.url(), now=moment)
    both = await asyncio.gather(admitted(here, "ada", 20), admitted(there, "ada", 20))

    assert sum(both) == 20
    for one in (here, there):
        await one.close()


async def test_the_server_s_own_clock_fills_them(valkey: Valkey, redis: Redis) -> None:
    """However long it takes: what was admitted beyond the first second's worth was filled meanwhile."""
    buckets = in_valkey(valkey.url())
    began = time.monotonic()
    count = await admitted(buckets, "ada", 20)
    lasted = time.monotonic() - began
    assert 20 <= count <= 20 + 20 * lasted

    while (wait := await buckets.take("ada", 20)) > 0:
        assert wait <= A_SECOND // 20
        assert time.monotonic() - began < 10
    await buckets.close()


async def test_keys_expire(valkey: Valkey, redis: Redis) -> None:
    buckets = in_valkey(valkey.url())
    await buckets.take("ada", 20)

    assert await redis.keys() == [b"dream:rate:ada"]
    assert 1_000 < await redis.pttl("dream:rate:ada") <= 5_000
    await buckets.close()


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
async def test_urls_may_name_valkey_and_its_database(valkey: Valkey, redis: Redis, scheme: str) -> None:
    buckets = in_valkey(valkey.url(5).replace("redis:", f"{scheme}:"))
    assert await buckets.take("ada", 20) == 0
    await buckets.close()

    async with Redis.from_url(valkey.url(5)) as fifth:
        assert (await fifth.dbsize(), await redis.dbsize()) == (1, 0)


async def test_a_server_that_forgot_the_script_is_told_it_again(valkey: Valkey, redis: Redis) -> None:
    buckets = in_valkey(valkey.url())
    assert await buckets.take("ada", 20) == 0
    await redis.script_flush()
    assert await buckets.take("ada", 20) == 0
    await buckets.close()


# Where Valkey cannot be reached.


def told(logs: list) -> list[str]:
    return [log["event"] for log in logs]


async def test_without_valkey_the_memory_answers_and_one_warning_is_logged(moment: Moment) -> None:
    buckets = FallbackRateLimiter(
        ValkeyRateLimiter(f"redis://127.0.0.1:{free_port()}"), MemoryRateLimiter(now=moment, processes=2)
    )
    with structlog.testing.capture_logs() as logs:
        assert await admitted(buckets, "ada", 20) == 10

    assert told(logs) == ["valkey_lost"]
    await buckets.close()


async def test_a_valkey_that_does_not_answer_holds_nobody_up(moment: Moment) -> None:
    with Valkey() as valkey:
        buckets = FallbackRateLimiter(ValkeyRateLimiter(valkey.url()), MemoryRateLimiter(now=moment))
        assert await buckets.take("ada", 2) == 0
        os.kill(valkey.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with structlog.testing.capture_logs() as logs:
                assert await admitted(buckets, "ada", 2) == 2
                assert await admitted(buckets, "bob", 2) == 2
            await buckets.close()
            assert time.monotonic() - began < 5
        finally:
            os.kill(valkey.pid, signal.SIGCONT)
        assert told(logs) == ["valkey_lost"]


class Hanging:
    """Never answers."""

    def __init__(self) -> None:
        self.tried = 0

    async def take(self, name: str, per_second: int) -> int:
        self.tried += 1
        await asyncio.Event().wait()
        return 0

    async def close(self) -> None:
        pass


async def test_one_call_a_second_finds_out_whether_it_is_back_and_the_others_do_not_wait_for_it(
    moment: Moment,
) -> None:
    far = Hanging()
    buckets = FallbackRateLimiter(far, MemoryRateLimiter(now=moment), patience=0.05)
    await admitted(buckets, "ada", 20, 10)
    assert far.tried == 10

    await admitted(buckets, "ada", 20, 10)
    assert far.tried == 10
    await asyncio.sleep(1.05)
    await admitted(buckets, "ada", 20, 10)
    assert far.tried == 11


async def test_a_valkey_that_comes_back_decides_again() -> None:
    with Valkey() as valkey:
        buckets = FallbackRateLimiter(in_valkey(valkey.url()), MemoryRateLimiter(), patience=30)
        with structlog.testing.capture_logs() as logs:
            assert await buckets.take("ada", 20) == 0
            valkey.kill()
            assert await buckets.take("ada", 20) == 0
            valkey.start()
            async with Redis.from_url(valkey.url()) as redis:
                deadline = time.monotonic() + 10
                while not await redis.exists("dream:rate:ada"):
                    assert time.monotonic() < deadline
                    await buckets.take("ada", 20)
                    await asyncio.sleep(0.05)

        assert told(logs) == ["valkey_lost", "valkey_found"]
        await buckets.close()


async def test_a_valkey_that_answers_nonsense_is_none() -> None:
    """Somebody else's server stands at the address."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        buckets = ratelimit.open_rate_limiter(f"valkey://127.0.0.1:{port}")
        assert await buckets.take("ada", 1) == 0
        assert await buckets.take("ada", 1) > 0
        await buckets.close()


async def test_without_an_address_there_is_only_the_memory() -> None:
    buckets = ratelimit.open_rate_limiter(None, processes=4)

    assert await admitted(buckets, "ada", 20) == 5
