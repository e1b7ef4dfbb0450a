"""Rate limits of real servers: on the fast lane and beside it, behind proxies, and shared through Valkey."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest

from dream_api import keys
from dream_api.app import open_database
from dream_api.core.settings import Settings
from tests.support.instance import Account
from tests.support.load import Served, found
from tests.support.request_burst import Flood, flood
from tests.support.server import Server
from tests.support.valkey import Valkey

pytestmark = pytest.mark.slow
RATE = 5
MANY = 6 * RATE
# The lane takes plain requests only; with this line uvicorn serves the same one.
BESIDE = b"Connection: keep-alive\r\n"
WAYS = {"lane": b"", "asgi": BESIDE}


async def call(port: int, *, key: str = "", lines: bytes = b"", source: str = "127.0.0.1") -> str:
    """`POST /api/data` on a connection of its own, from that address of this machine; the code, or `counted`."""
    here = None if source == "127.0.0.1" else (source, 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=here)
    authorization = f"Authorization: Bearer {key}\r\n".encode() if key else b""
    writer.write(b"POST /api/data HTTP/1.1\r\nHost: dream.test\r\nX-User-Id: ada\r\n%b%b\r\n" % (authorization, lines))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    length = next(
        int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    body = json.loads(await reader.readexactly(length))
    writer.close()
    await writer.wait_closed()
    return body.get("code", "counted")


def forwarded(*addresses: str) -> bytes:
    return f"X-Forwarded-For: {', '.join(addresses)}\r\n".encode()


@pytest.fixture
def database_kind() -> str:
    """Addresses and headers are the same on both."""
    return "sqlite"


@pytest.fixture
def server(database_settings: Settings) -> Iterator[Server]:
    with Server(database_settings, open_rate=RATE) as started:
        yield started


@pytest.fixture
def behind_proxies(database_settings: Settings) -> Iterator[Server]:
    """It trusts 127.0.0.1 and 10.0.0.0/8."""
    with Server(database_settings, open_rate=RATE, trusted_proxies=("127.0.0.1/32", "10.0.0.0/8")) as started:
        yield started


async def test_each_address_is_limited_on_both_ways_together(server: Server) -> None:
    both = list(WAYS.values())
    for source, ways in (("127.0.0.1", both), ("127.0.0.2", both[:1]), ("127.0.0.3", both[1:])):
        came = await flood(lambda turn, s=source, w=ways: call(server.port, lines=w[turn % len(w)], source=s), MANY)
        assert came.was_limited_to(RATE), came
        assert came.answers.keys() == {"key_missing", "rate_limited"}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
async def test_what_a_stranger_says_of_its_address_is_not_believed(server: Server, way: bytes) -> None:
    came = await flood(lambda turn: call(server.port, lines=way + forwarded(f"203.0.113.{turn}")), MANY)

    assert came.was_limited_to(RATE), came


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
async def test_behind_trusted_proxies_the_client_s_own_address_is_limited(behind_proxies: Server, way: bytes) -> None:
    async def are(clients: int, *lists: tuple[str, ...], source: str = "127.0.0.1") -> bool:
        """Whether requests with these lists are limited as those of so many clients."""
        lines = [way + forwarded(*addresses) for addresses in lists]
        came = await flood(lambda turn: call(behind_proxies.port, lines=lines[turn % len(lines)], source=source), MANY)
        return came.was_limited_to(clients * RATE)

    turns = range(MANY)
    assert await are(1, ("203.0.113.1",))
    assert await are(MANY // RATE, *((f"198.51.100.{n}",) for n in turns)), "Each came once."
    assert await are(1, *((f"192.0.2.{n}", "203.0.113.2") for n in turns)), "The client forged the first."
    assert await are(1, ("203.0.113.3", "10.1.1.1"), ("203.0.113.3", "10.2.2.2")), "It came through two proxies."
    assert await are(1, *((f"2001:db8:1:2::{n:x}",) for n in turns)), "It has one IPv6 network."
    assert await are(2, ("2001:db8:5::1",), ("2001:db8:6::1",))
    assert await are(1, ("203.0.113.4:1234",), ("203.0.113.4:4321",))
    assert await are(1, *((f"nonsense{n}",) for n in turns))
    assert await are(1, *((f"203.0.113.{n}",) for n in turns), source="127.0.0.9"), "That is no proxy of ours."


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
async def test_a_limited_key_s_refused_calls_count_nowhere_and_a_good_one_is_not_limited(
    database_settings: Settings, way: bytes
) -> None:
    alice = await found(database_settings)
    await limit(database_settings, alice, RATE)
    served = Served(database_settings, alice, open_rate=1)
    served.start()
    try:
        port = served.server.port
        # Three at once: the first calls of a key that is not remembered yet go another way.
        came = await flood(lambda _: call(port, key=alice.secret["test"], lines=way), MANY, at_once=3)
        assert came.was_limited_to(RATE), came
        assert came.answers.keys() == {"counted", "rate_limited"}

        await limit_everywhere(served, None)
        more = await flood(lambda _: call(port, key=alice.secret["test"], lines=way), MANY)
        assert more.answers == {"counted": MANY}
        assert await served.usage_of("ada") == came.answers["counted"] + MANY
    finally:
        served.stop()
    assert await served.contradictions() == {}


async def limit(settings: Settings, alice: Account, per_second: int | None, *, revoked: str | None = None) -> None:
    """`revoked`: the id of a key that ends at the same moment."""
    database = open_database(settings)
    async with database.write() as tx:
        await keys.set_rate_limit(tx, alice.project.platform_no, alice.key_ids["test"], per_second)
        if revoked is not None:
            await keys.revoke(tx, alice.project.platform_no, revoked)
    await database.close()


async def limit_everywhere(served: Served, per_second: int | None) -> None:
    """The same of running servers, once it is in force: a key that they remember, and that ends with it, tells when."""
    alice, ports = served.alice, [server.port for server in served.servers]
    sign, elsewhere = alice.secret["live"], "127.0.0.8"
    for port in ports:
        assert await call(port, key=sign, source=elsewhere) == "counted"
    await limit(served.settings, alice, per_second, revoked=alice.key_ids["live"])
    for port in ports:
        while await call(port, key=sign, source=elsewhere) == "counted":
            await asyncio.sleep(0.02)


async def flooded_together(served: Served, key: str = "") -> Flood:
    """Through both servers by turns, while Valkey answers both: on a busy machine that may take longer than they wait,
    and then each goes on with limits of its own."""
    ports = [server.port for server in served.servers]
    for _ in range(10):
        while _told(served, "valkey_found") < (lost := _told(served, "valkey_lost")):
            await asyncio.gather(*(call(port, source="127.0.0.9") for port in ports))
            await asyncio.sleep(1)  # so often it is tried again, and meanwhile the buckets fill
        came = await flood(lambda turn: call(ports[turn % 2], key=key), MANY, at_once=2)
        if _told(served, "valkey_lost") == lost:
            return came
    raise AssertionError("Valkey was lost in every flood.")


def _told(served: Served, event: str) -> int:
    return sum(server.log.count(event) for server in served.servers)


class TestSeveralServers:
    """On PostgreSQL."""

    @pytest.fixture
    def database_kind(self) -> str:
        return "postgres"

    @pytest.fixture
    async def pair(self, database_settings: Settings) -> AsyncIterator[tuple[Valkey, Served]]:
        with Valkey() as valkey:
            alice = await found(database_settings)
            served = Served(database_settings, alice, servers=2, open_rate=RATE, valkey_url=valkey.url())
            served.start()
            yield valkey, served
            served.stop()

    async def test_through_valkey_they_share_the_limits(self, pair: tuple[Valkey, Served]) -> None:
        _, served = pair
        came = await flooded_together(served)
        assert came.was_limited_to(RATE), came

        await limit_everywhere(served, RATE)
        came = await flooded_together(served, key=served.alice.secret["test"])
        assert came.was_limited_to(RATE), came

    async def test_without_valkey_each_goes_on_with_limits_of_its_own(self, pair: tuple[Valkey, Served]) -> None:
        valkey, served = pair
        ports = [server.port for server in served.servers]
        valkey.kill()
        came = await flood(lambda turn: call(ports[turn % 2]), MANY)

        assert came.was_limited_to(2 * RATE), came
        assert came.answers.keys() == {"key_missing", "rate_limited"}
        assert await call(ports[0], key=served.alice.secret["test"]) == "counted"
        for server in served.servers:
            assert server.log.count("valkey_lost") == 1
