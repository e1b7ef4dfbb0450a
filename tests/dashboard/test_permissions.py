"""Pages of what is sold, all of them: who may do what there, and that nothing written into them runs."""

import re
from collections.abc import Iterator

import sqlalchemy as sa
from fastapi.routing import APIRoute
from httpx2 import AsyncClient

from dream_api import accounts, platforms
from dream_api.accounts import ROLES, Role
from dream_api.auth.csrf import csrf_token_for
from dream_api.dashboard import catalog, keys, orders, subscriptions
from dream_api.dashboard.operator import levels
from dream_api.dashboard.platform import projects
from dream_api.platforms import Permission
from tests.support.instance import ORIGIN, Account, Instance, open_store
from tests.support.statements import questions
from tests.support.storefront import Storefront

_P, _M = "/dashboard/{projectId}/{mode}", "/dashboard/operator"
# What each form takes; keys of live mode take "manage".
_TAKES: dict[str, Permission] = {
    "/dashboard/{platformId}/projects": "manage",
    f"{_P}/settings": "manage",
    f"{_P}/settings/origins": "manage",
    f"{_P}/settings/clock": "sell",
    f"{_P}/keys": "test_keys",
    f"{_P}/keys/pair": "test_keys",
    f"{_P}/keys/rotate": "test_keys",
    f"{_P}/keys/{{keyId}}/reveal": "manage",
    f"{_P}/keys/{{keyId}}/revoke": "test_keys",
    f"{_P}/tiers": "sell",
    f"{_P}/tiers/{{name}}": "sell",
    f"{_P}/tiers/{{name}}/archive": "sell",
    f"{_P}/tiers/{{name}}/prices": "sell",
    f"{_P}/tiers/{{name}}/prices/archive": "sell",
    f"{_P}/coupons": "sell",
    f"{_P}/coupons/{{couponId}}/archive": "sell",
    f"{_P}/subscriptions": "sell",
    f"{_P}/subscriptions/{{id}}/change": "sell",
    f"{_P}/subscriptions/{{id}}/cancel": "sell",
    f"{_P}/subscriptions/{{id}}/resume": "sell",
    f"{_P}/subscriptions/{{id}}/payments/{{paymentId}}/refund": "refund",
    f"{_P}/orders/{{id}}/refund": "refund",
    f"{_P}/orders/{{id}}/cancel": "sell",
    f"{_M}/platforms/{{platformId}}/level": "manage",
}
_ROUTERS = (
    levels.router,
    projects.router,
    *catalog.ROUTERS,
    *keys.ROUTERS,
    *subscriptions.ROUTERS,
    *orders.ROUTERS,
)
_EVIL = "<script>alert(1)</script>\"'><b>"


def _routes(method: str) -> Iterator[str]:
    for router in _ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and method in route.methods:
                yield route.path


def _filled(path: str, account: Account, mode: str = "test") -> str:
    ids = {"projectId": account.project.id, "platformId": account.project.platform_id, "mode": mode}
    return re.sub(r"{(\w+)}", lambda found: ids.get(found[1], "free" if found[1] == "name" else "nothing"), path)


async def test_each_form_is_for_the_roles_that_the_table_names(
    api: AsyncClient, alice: Account, charlie: Account
) -> None:
    assert set(_routes("POST")) == set(_TAKES)
    for path, permission in _TAKES.items():
        if path.startswith(_M):
            continue
        for mode in ("live", "test") if "/keys" in path else ("test",):
            takes = "manage" if mode == "live" and "/keys" in path else permission
            for role in reversed(ROLES):  # an owner may end what others are still to try
                answer = await api.post(_filled(path, alice, mode), headers=alice.cookie(role), data=alice.form(role))
                assert (answer.status_code == 403) is not platforms.has_permission(role, takes), (path, mode, role)
                assert answer.status_code < 500, (path, mode, role, answer.text)
            stranger = await api.post(_filled(path, alice, mode), headers=charlie.cookie(), data=charlie.form())
            forged = await api.post(_filled(path, alice, mode), headers=alice.cookie(), data=charlie.form())
            assert stranger.status_code == 404, (path, mode)
            assert (forged.status_code, "csrf_failed" in forged.text) == (403, True), (path, mode)


async def test_a_viewer_sees_no_form_but_the_way_out(api: AsyncClient, instance: Instance, alice: Account) -> None:
    store = await open_store(instance.database, alice)
    for account in (alice, store):
        for path in set(_routes("GET")):
            if path.startswith(_M):
                continue
            answer = await api.get(_filled(path, account), headers=alice.cookie("viewer"))
            if answer.status_code == 200:
                assert set(re.findall(r'method="post" action="([^"]+)"', answer.text)) == {"/account/sign-out"}, path
            else:
                assert answer.status_code in (403, 404), path


async def test_the_instance_is_for_its_operators(api: AsyncClient, instance: Instance, alice: Account) -> None:
    cookies: dict[Role, str] = {}
    async with instance.database.write() as tx:
        operator = await platforms.operator_platform(tx)
        for role in ROLES:
            user = await accounts.create_user(tx, f"{role}@operator.example", "Olga", verified=True)
            await platforms.add_member(tx, operator.no, user.id, role)
            opened = await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")
            cookies[role] = opened.token
    assign = f"{_M}/platforms/{alice.project.platform_id}/level"

    for path in (f"{_M}/platforms", f"{_M}/platforms/{alice.project.platform_id}", f"{_M}/levels"):
        assert (await api.get(path, headers=alice.cookie())).status_code == 404
        seen = await api.get(path, headers={"Cookie": f"dream_session={cookies['viewer']}"})
        assert seen.status_code == 200
    assert (await api.post(assign, headers=alice.cookie(), data=alice.form(level="1"))).status_code == 404
    for role, status in (("viewer", 403), ("member", 403), ("admin", 303)):
        form = {"csrf": csrf_token_for(cookies[role]), "level": "1"}
        answer = await api.post(assign, headers={"Cookie": f"dream_session={cookies[role]}"}, data=form)
        assert answer.status_code == status, role
    owner = {"Cookie": f"dream_session={cookies['owner']}"}
    unknown = await api.post(assign, headers=owner, data={"csrf": csrf_token_for(cookies["owner"]), "level": "77"})
    listed = await api.get(f"{_M}/platforms?q=alice", headers=owner)

    assert unknown.status_code == 422
    assert ("Level 1" in listed.text, "Charlie" in listed.text) == (True, False)
    async with instance.database.read() as tx:
        books = await tx.all(sa.text("SELECT platform_no FROM audit_entries WHERE action = 'level.changed'"))
    assert {row.platform_no for row in books} == {operator.no, alice.project.platform_no}


async def test_nothing_that_was_written_into_a_field_runs(api: AsyncClient, instance: Instance, alice: Account) -> None:
    store = await open_store(instance.database, alice)
    till = Storefront(instance, alice)
    tier = {"name": "pro", "displayName": _EVIL, "description": _EVIL, "features": [_EVIL]}
    made = await api.post("/tiers", headers=alice.sk, json={**tier, "prices": [{"price": "5", "currency": "usd"}]})
    price = made.json()["prices"][0]["id"]
    base = f"/dashboard/{alice.project.id}/test"
    await api.post(f"{base}/settings", headers=alice.cookie(), data=alice.form(name=_EVIL))
    await api.post(f"{base}/keys", headers=alice.cookie(), data=alice.form(name=_EVIL))
    sold = {"userId": _EVIL, "price": price, "url": f"{ORIGIN}/?{'x'}"}
    link = await api.post(f"{base}/subscriptions", headers=alice.cookie(), data=alice.form(**sold))
    waiting = await api.get(link.headers["location"], headers=alice.cookie())
    await till.pay(re.findall(r'data-copy="([^"]+)"', waiting.text)[0])
    subscription = (await api.get("/api/subscriptions", headers=alice.sk)).json()["data"][0]["id"]
    cancel = alice.form(at="period_end", reason=_EVIL)
    await api.post(f"{base}/subscriptions/{subscription}/cancel", headers=alice.cookie(), data=cancel)
    shop = Storefront(instance, store)
    order = await shop.bought((await shop.sell("mug", displayName=_EVIL), 2))
    await shop.refund(order, amount=100, reason=_EVIL)
    store_base = f"/dashboard/{store.project.id}/test"
    pages = [
        f"/dashboard/{alice.project.platform_id}/projects",
        *(f"{base}{path}" for path in ("/settings", "/keys", "/tiers", "/tiers/pro", "/tiers/pro/prices/new")),
        *(f"{base}/subscriptions{path}" for path in ("", "/new", f"/{subscription}", f"/{subscription}/change")),
        f"{base}/subscriptions?userId={_EVIL}",
        link.headers["location"],
        *(f"{store_base}{path}" for path in ("/tiers", "/tiers/mug", "/orders", f"/orders/{order}")),
        f"{store_base}/orders?email={_EVIL}",
    ]
    for page in pages:
        answer = await api.get(page, headers=alice.cookie())

        assert answer.status_code == 200, page
        assert "<script>alert" not in answer.text, page
        assert "'><b>" not in answer.text, page
        assert len(answer.content) < 100_000, page
    typed = await api.post(f"{base}/tiers", headers=alice.cookie(), data=alice.form(name=_EVIL, features=_EVIL))
    assert (typed.status_code, "<script>alert" in typed.text) == (422, False)


async def test_odd_texts_are_refused_and_break_nothing(api: AsyncClient, instance: Instance, alice: Account) -> None:
    base = f"/dashboard/{alice.project.id}/test"
    cookie = alice.cookie()
    forms = {
        "/keys": [{"expiresAt": "9999-12-31"}, {"expiresAt": "soon"}, {"rateLimit": "9" * 30}, {"name": "a\nb"}],
        "/keys/rotate": [{"grace": "-1"}, {"grace": "1e3"}],
        "/coupons": [{"code": "A", "off": "5", "duration": "once", "expiresAt": "9999-12-31"}, {"off": "NaN"}],
        "/tiers": [{"name": "x", "number": "١"}, {"name": "x", "limit": "9" * 16}, {"name": "x", "features": "{"}],
        "/tiers/free": [{"displayName": "x" * 121}, {"displayName": ""}],
        "/tiers/free/prices": [{"price": "1e5", "currency": "usd"}, {"price": "1", "currency": "???"}],
        "/settings/clock": [{"advanceTo": "9999-12-31T23:59"}, {"by": "century"}],
        "/settings/origins": [{"add": "javascript:alert(1)"}, {"remove": "https://nobody.example.com"}],
    }
    for path, typed in forms.items():
        for fields in typed:
            answer = await api.post(f"{base}{path}", headers=cookie, data=alice.form(**fields))
            assert answer.status_code == 422, (path, fields, answer.status_code)
            assert 'class="problem"' in answer.text, (path, fields)
    paths = ("/subscriptions/%00", "/subscriptions?plan=%00", "/orders/%00", "/tiers/%00", "/coupons?after=x")
    for path in (*paths, "/subscriptions/links/%00", "/keys/%00/revoke", "/tiers?sort=x"):
        assert (await api.get(f"{base}{path}", headers=cookie)).status_code in (404, 422), path


async def test_more_rows_take_no_more_statements(api: AsyncClient, instance: Instance, alice: Account) -> None:
    shop = Storefront(instance, await open_store(instance.database, alice))
    price = await shop.sell("mug")
    base, store_base = (f"/dashboard/{one.project.id}/test" for one in (alice, shop.account))
    pages = [f"{base}/tiers", f"{base}/keys", f"{base}/coupons", f"{store_base}/tiers", f"{store_base}/orders"]
    pages.append(f"/dashboard/{alice.project.platform_id}/projects")

    async def add(several: int, turn: int) -> None:
        for no in range(several):
            name = f"t{turn}-{no}"
            limits = [{"meter": name, "window": "day", "max": 5}]
            await api.post("/tiers", headers=alice.sk, json={"name": name, "limits": limits})
            await api.post("/coupons", headers=alice.sk, json={"code": name, "percentOff": 5})
            await api.post(f"{base}/keys", headers=alice.cookie(), data=alice.form(name=name))
            await shop.sell(name, inventory=3)
            await shop.sent_to_pay((price, 1))

    async def counted() -> list[int]:
        return [await _statements(api, page, alice) for page in pages]

    await add(1, 0)
    few = await counted()
    await add(4, 1)

    assert await counted() == few
    assert max(few) < 20


async def _statements(api: AsyncClient, page: str, alice: Account) -> int:
    """How many it takes to show the page to somebody who was here before."""
    counts: list[int] = []
    for _ in range(4):  # what is remembered for a second may be asked for anew at any time
        with questions() as asked:
            assert (await api.get(page, headers=alice.cookie())).status_code == 200
        counts.append(len(asked))
    return min(counts)
