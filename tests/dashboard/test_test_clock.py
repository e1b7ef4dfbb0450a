"""Times in a test project whose clock is ahead: stored and shown by its clock, but for what concerns real servers.

The clock is moved, and then one of everything is made. New tables, pages and operations join by themselves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute

from dream_api import keys
from dream_api.billing.tables import checkouts
from dream_api.core import clock
from dream_api.core.db.columns import metadata
from dream_api.dashboard import ROUTERS, dependencies
from tests.billing.developer import DISPUTED, LATER_DECLINED, Seller, metered, monthly
from tests.isolation.operations import every_operation
from tests.support.instance import INSTANCE_KEY, Account, Instance, open_store
from tests.support.project_clocks import advance, moment
from tests.support.storefront import Storefront

AHEAD = 40 * clock.DAY
# Columns with real time, because they concern real servers.
REAL = {
    "gateway_accounts": {"created_at"},
    "gateway_events": {"received_at", "applied_at"},
    "keys": {"created_at", "expires_at", "revoked_at", "last_used_at"},
    "reservations": {"created_at", "expires_at"},
    "sandbox_events": {"created_at", "delivered_at"},
    "sandbox_requests": {"created_at"},
}
# Of the platform: its members, its log, and the sums of live mode.
REAL_OPERATIONS = {"/api/team", "/api/security-log", "/api/dashboard/totals"}
REAL_PAGES = ("/keys",)
# A threshold, not a time.
STOCK_THRESHOLD = "low_at"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_TIME = re.compile(r'<time datetime="([^"]+)"[^>]*>([^<]*)</time>')
# More than 30 days away it is a day without the time.
_RELATIVE = re.compile(r"in \d+ \w+|\d+ \w+ ago|\w+ \d+, \d+")
_RECENT = re.compile(r"\d+ s ago|[1-3] min ago")
_NOW = re.compile(r">just now<|>\d+ s ago<")
_OF_PROJECT = "/dashboard/{projectId}/{mode}"
_LINK = re.compile(r'href="([^"#]+)"')


def is_real(at: int) -> bool:
    """Whether the time is of the machine's clock: nothing of a project whose clock is ahead is so near to it."""
    return abs(at - clock.now()) < 5 * clock.DAY


@dataclass(frozen=True, slots=True)
class Made:
    """A saas project and a store whose clocks are ahead, with one of everything."""

    saas: Account
    store: Account
    # The times of what was there before the clocks were moved.
    before: frozenset[int]

    def is_wrong(self, at: int, *, is_of_machine: bool = False) -> bool:
        return at not in self.before and is_real(at) != is_of_machine


def time_columns(table: str) -> list[str]:
    names = metadata.tables[table].c.keys()
    return [name for name in names if (name == "at" or name.endswith("_at")) and name != STOCK_THRESHOLD]


def times(table: str, row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    return ((name, row[name]) for name in time_columns(table) if row[name] is not None)


async def rows_in_test_mode(instance: Instance) -> dict[str, list[dict[str, Any]]]:
    """By table, of all tables whose rows belong to a mode."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with instance.database.read() as tx:
        for table in metadata.sorted_tables:
            if table.info["scope"] == "mode" or "mode" in table.c:
                every = [dict(row._mapping) for row in await tx.all(sa.select(table))]
                found[table.name] = [row for row in every if row.get("mode") not in ("live", 1)]
    return found


@pytest.fixture
async def made(instance: Instance, alice: Account) -> Made:
    store = await open_store(instance.database, alice)
    rows = await rows_in_test_mode(instance)
    before = {at for name, of in rows.items() for row in of for _, at in times(name, row)}
    for account in (alice, store):
        await advance(instance, account, AHEAD)
        before.add(account.project.created_at)
    await _sell_calls(instance, alice)
    await _sell_mugs(instance, store)
    await _end_keys(instance, alice)
    return Made(alice, store, frozenset(before))


async def _sell_calls(instance: Instance, alice: Account) -> None:
    seller = Seller(instance.api, alice.sk)
    await seller.post("/tiers", {"name": "pro", "limit": 10, "prices": [monthly("20")]})
    await seller.post("/tiers", {"name": "trial", "trialDays": 7, "prices": [monthly("30")]})
    await seller.post("/tiers", {"name": "rated", "prices": [monthly("30"), metered("requests", 1, 1)]})
    await seller.post("/tiers", {"name": "gone", "prices": [monthly("5")]})
    assert (await seller.ask("PUT", "/tiers/gone", {"prices": [monthly("6")]})).is_success
    assert (await seller.ask("DELETE", "/tiers/gone")).is_success
    in_a_year = clock.rfc3339(clock.now() + AHEAD + 365 * clock.DAY)
    for code in ("GONE", "KEPT"):
        await seller.post("/coupons", {"code": code, "percentOff": 50, "expiresAt": in_a_year})
    [*_, gone] = (await seller.get("/coupons"))["data"]
    assert (await seller.ask("DELETE", f"/coupons/{gone['id']}")).is_success
    await seller.post("/api/customers", {"userId": "mel", "name": "Mel", "email": "mel@example.com"})
    await seller.subscribe("ada", "pro", coupon="KEPT")
    for user, calls in (("ada", 8), ("bob", 1)):
        await seller.count(user, calls)
    trial = await seller.subscribe("eve", "trial")
    await seller.post(f"/api/subscriptions/{trial['id']}/cancel")
    left = await seller.subscribe("fay", "pro", DISPUTED)
    await seller.post(f"/api/subscriptions/{left['id']}/cancel", {"atPeriodEnd": False})
    await seller.subscribe("gus", "pro", LATER_DECLINED)
    await seller.subscribe("ivy", "rated")
    await seller.count("ivy", 5)
    [paid, *_] = (await seller.get("/api/payments?status=succeeded"))["data"]
    await seller.post(f"/api/payments/{paid['id']}/refunds", {"amount": 100})
    await seller.checkout("hal", "pro")
    await seller.post("/api/usage/reserve", {"quantity": 1}, **{"X-User-Id": "ada"})
    assert (await instance.api.post("/api/assets", headers=alice.sk, content=b"GIF89a")).is_success


async def _sell_mugs(instance: Instance, store: Account) -> None:
    storefront = Storefront(instance, store)
    price = await storefront.sell("mug", inventory=9, lowInventory=8)
    bought = await storefront.bought((price, 1), userId="ada")
    refunds = f"/api/orders/{bought}/refunds"
    assert (await instance.api.post(refunds, headers=store.sk, json={"amount": 100})).is_success
    await storefront.sent_to_pay((price, 2))
    given_up, _ = await storefront.sent_to_pay((price, 1))
    assert (await instance.api.post(f"/api/orders/{given_up}/cancel", headers=store.sk)).is_success


async def _end_keys(instance: Instance, alice: Account) -> None:
    async with instance.database.write() as tx:
        more = {"instance_key": INSTANCE_KEY, "created_by": "test"}
        await keys.issue(tx, alice.project, "test", "secret", **more, expires_at=clock.now() + clock.HOUR)
        revoked = await keys.issue(tx, alice.project, "test", "secret", **more)
        await keys.revoke(tx, alice.project.platform_no, revoked.id)


async def test_rows_and_answers_have_the_time_of_their_clock(instance: Instance, made: Made):
    assert await _wrong_answers(instance, made) == []
    # A month later subscriptions were renewed, billed by usage, and not paid.
    await advance(instance, made.saas, 32 * clock.DAY)

    wrong: list[str] = []
    seen: set[str] = set()
    rows = await rows_in_test_mode(instance)
    for name, of in rows.items():
        for row in of:
            for column, at in times(name, row):
                seen.add(f"{name}.{column}")
                if made.is_wrong(at, is_of_machine=column in REAL.get(name, ())):
                    wrong.append(f"{name}.{column}: {clock.rfc3339(at)}")

    assert wrong == []
    assert {f"{name}.{column}" for name in rows for column in time_columns(name)} == seen


async def _wrong_answers(instance: Instance, made: Made) -> list[str]:
    """Times of the machine's clock in the answers of all operations that read something of a project."""
    wrong: list[str] = []
    asked: set[str] = set()
    for operation in every_operation():
        if operation.method != "GET" or operation.parameters or operation.path in REAL_OPERATIONS:
            continue
        for account in (made.saas, made.store):
            headers = account.calls("ada") if "secretKey" in operation.keys else account.by("owner")
            answer = await instance.api.get(operation.path, headers=headers)
            found = _RFC3339.findall(answer.text) if answer.is_success else []
            asked |= {operation.path} if found else set()
            wrong += [f"{operation}: {text}" for text in found if made.is_wrong(moment(text))]
    assert len(asked) > 12
    return wrong


@pytest.mark.rest
async def test_pages_show_times_by_the_clock_that_wrote_them(
    instance: Instance, made: Made, charlie: Account, monkeypatch: pytest.MonkeyPatch
):
    in_saas, in_store = await crawl(instance, made.saas), await crawl(instance, made.store)

    assert _wrong_times(made, in_saas) + _wrong_times(made, in_store) == []
    assert _not_visited([*in_saas, *in_store]) == set()
    # Else nothing wrong would be found on pages without times.
    for path in ("", "/customers", "/events", "/tiers/pro", "/keys"):
        assert _NOW.search(in_saas[path]), path
    shown = f'Test clock: <time datetime="{clock.rfc3339(clock.now() + AHEAD)[:10]}'
    assert all(shown in text for text in in_saas.values() if "<main" in text)
    assert "API keys use real time" in in_saas["/keys"]
    await _require_no_clock_where_there_is_none(instance, made, charlie)
    await _require_the_clock_of_a_project_that_the_navigation_leaves_out(instance, made, monkeypatch)


async def crawl(instance: Instance, account: Account) -> dict[str, str]:
    """All pages of the project's test mode, by their paths behind its own: those that links and forms lead to."""
    base = f"/dashboard/{account.project.id}/test"
    found: dict[str, str] = {}
    async with instance.database.read() as tx:
        ids = await tx.all(sa.select(checkouts.c.id).where(checkouts.c.purpose == "subscription"))
    waiting = [base, *(f"{base}/subscriptions/links/{row.id}" for row in ids if account.project.type == "saas")]
    while waiting:
        url = waiting.pop()
        if url in found or not url.startswith(base):
            continue
        answer = await instance.api.get(url, headers=account.cookie())
        assert answer.status_code == 200, f"{url}: {answer.text}"
        found[url] = answer.text
        if answer.headers["content-type"].startswith("text/html"):
            waiting += [link.replace("&amp;", "&") for link in _LINK.findall(answer.text)]
    return {url.removeprefix(base): text for url, text in found.items()}


def _wrong_times(made: Made, pages: dict[str, str]) -> list[str]:
    """Times of the wrong clock, and relative times far from now: all of it happened a moment ago."""
    wrong: list[str] = []
    for path, text in pages.items():
        is_of_machine = path.startswith(REAL_PAGES)
        for exact, words in _TIME.findall(text.partition("<main")[2]):
            at = moment(exact)
            is_far = at not in made.before and _RELATIVE.fullmatch(words) and not _RECENT.fullmatch(words)
            if is_far or made.is_wrong(at, is_of_machine=is_of_machine):
                wrong.append(f"{path}: {words} ({exact})")
    return wrong


def _not_visited(paths: list[str]) -> set[str]:
    """The routes of a project's pages that none of the paths is of."""
    urls = [f"/dashboard/x/test{path.partition('?')[0]}" for path in paths]
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    of_project = [route for route in routes if "GET" in route.methods and route.path.startswith(_OF_PROJECT)]
    return {route.path for route in of_project if not any(route.path_regex.match(url) for url in urls)}


async def _require_no_clock_where_there_is_none(instance: Instance, made: Made, charlie: Account) -> None:
    live, his = f"/dashboard/{made.saas.project.id}/live", f"/dashboard/{charlie.project.id}/test"
    for account, url in ((made.saas, live), (made.saas, f"{live}/keys"), (charlie, his), (charlie, f"{his}/keys")):
        text = (await instance.api.get(url, headers=account.cookie())).text
        assert "Test clock" not in text
        assert "real time" not in text


async def _require_the_clock_of_a_project_that_the_navigation_leaves_out(
    instance: Instance, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "_MOST_PROJECTS", 1)

    text = (await instance.api.get(f"/dashboard/{made.store.project.id}/test", headers=made.store.cookie())).text

    assert f"/dashboard/{made.store.project.id}/test" not in text.partition("<nav")[0]
    assert "Test clock" in text
