"""Every link that somebody is shown leads to a page, and every form that somebody is shown may be sent by them."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import pytest

from dream_api import accounts, platforms
from dream_api.accounts import ROLES, Role
from tests.billing.shop import Shopping, monthly
from tests.dashboard.account.browser import work_off
from tests.dashboard.crawler import Site, crawl, forms_of, route_of, routes
from tests.support.instance import Account, Instance, open_store
from tests.support.storefront import Storefront

pytestmark = pytest.mark.rest

_OPERATOR = "/dashboard/operator"
_SHOWN = ("/dashboard", "/account", "/sandbox")
Cookies = dict[str, str]


@pytest.fixture
async def starts(instance: Instance, alice: Account) -> list[str]:
    """Alice's platform has something on every page of a saas project and a store; live mode is empty.

    The dashboard, and those of its pages that people are only redirected to.
    """
    store = await open_store(instance.database, alice)
    await _sell_plans(Shopping(instance, alice))
    await _sell_products(Storefront(instance, store))
    price = (await instance.api.get("/tiers/pro", headers=alice.sk)).json()["prices"][0]["id"]
    links = f"/dashboard/{alice.project.id}/test/subscriptions"
    link = await _send(instance, alice, links, userId="carol", price=price, url="http://localhost/")
    team = f"/dashboard/{alice.project.platform_id}/team"
    await _send(instance, alice, f"{team}/invitations", email="bob@example.com", role="member")
    await work_off(instance)
    welcome = f"/dashboard/welcome?project={store.project.id}"
    return ["/dashboard", welcome, link]


async def _send(instance: Instance, account: Account, path: str, **fields: str) -> str:
    """Where the answer to the form leads."""
    answer = await instance.api.post(path, headers=account.cookie(), data=account.form() | fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def _sell_plans(shop: Shopping) -> None:
    await shop.sell("pro", monthly("19.99"), number=1)
    await shop.sell("team", monthly("49.99"), number=2)
    await shop.buy("ada")
    await shop.call("POST", "/coupons", {"code": "HALF", "percentOff": 50})
    await shop.call("POST", "/api/data", user="ada")


async def _sell_products(shop: Storefront) -> None:
    price = await shop.sell("mug", inventory=9)
    await shop.bought((price, 2))
    await shop.sent_to_pay((price, 1))


async def _refused(instance: Instance, cookie: Cookies, site: Site) -> list[str]:
    """The forms that somebody is shown and may not send."""
    refused: list[str] = []
    for form in site.posts():
        answer = await instance.api.post(form.path, headers=cookie, data=form.fields)
        is_refused = answer.status_code == 403 or answer.status_code >= 500
        if is_refused or route_of("POST", form.path) is None:
            refused.append(f"{answer.status_code} {form.path} (on {form.page})")
    return refused


async def _check(
    instance: Instance, cookies: Mapping[Role, Cookies], starts: Sequence[str], within: Sequence[str]
) -> dict[Role, Site]:
    """What each role sees, where all of it is for them."""
    host = urlsplit(instance.settings.link_base).netloc
    sites = {
        role: await crawl(instance.api, cookie, starts=starts, within=within, host=host)
        for role, cookie in cookies.items()
    }
    assert {role: site.broken for role, site in sites.items() if site.broken} == {}
    # Owners may do everything.
    refused = {role: await _refused(instance, cookies[role], sites[role]) for role in ("viewer", "member", "admin")}
    assert {role: forms for role, forms in refused.items() if forms} == {}
    return sites


def _unseen(site: Site, prefix: str) -> set[str]:
    """The pages behind the prefix that no link leads to; those of operators belong to a prefix of their own."""
    there = {route.path for route in routes() if "GET" in route.methods and route.path.startswith(prefix)}
    return {path for path in there - site.pages if path.startswith(_OPERATOR) == prefix.startswith(_OPERATOR)}


async def test_each_role_is_shown_only_what_it_may_use(instance: Instance, alice: Account, starts: list[str]) -> None:
    sites = await _check(instance, {role: alice.cookie(role) for role in ROLES}, starts, _SHOWN)

    assert _unseen(sites["owner"], "/dashboard") == set()


async def test_each_operator_is_shown_only_what_they_may_use(instance: Instance) -> None:
    cookies = await _operators(instance)
    sites = await _check(instance, cookies, [f"{_OPERATOR}/platforms"], [_OPERATOR])

    assert _unseen(sites["owner"], _OPERATOR) == set()


async def _operators(instance: Instance) -> dict[Role, Cookies]:
    """Members of the operator's platform, and an email in the outbox."""
    cookies: dict[Role, Cookies] = {}
    async with instance.database.write() as tx:
        operator = await platforms.operator_platform(tx)
        for role in ROLES:
            user = await accounts.create_user(tx, f"{role}@operator.example", verified=True)
            await platforms.add_member(tx, operator.no, user.id, role)
            await accounts.request_verification_email(tx, user.id, user.email)
            opened = await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")
            cookies[role] = {"Cookie": f"dream_session={opened.token}"}
    await work_off(instance)
    return cookies


async def test_an_operator_adds_a_level(instance: Instance) -> None:
    cookie = (await _operators(instance))["owner"]
    levels = await instance.api.get("/dashboard/operator/levels", headers=cookie)
    new = re.search(r'href="([^"]+)">New level<', levels.text)
    assert new is not None
    page = await instance.api.get(new[1], headers=cookie)
    form = next(form for form in forms_of(str(page.url), page.text) if form.path.endswith("/tiers"))

    made = await instance.api.post(
        form.path, headers=cookie, data=form.fields | {"name": "huge", "displayName": "Huge", "number": "9"}
    )
    assert made.status_code == 303, made.text
    assert (await instance.api.get(made.headers["location"], headers=cookie)).status_code == 200
    assert ">Huge</a>" in (await instance.api.get("/dashboard/operator/levels", headers=cookie)).text


async def test_links_between_the_pages_for_everybody_lead_somewhere(instance: Instance) -> None:
    site = await crawl(instance.api, {}, starts=("/", "/account/sign-in", "/account/sign-up", "/docs/errors"))

    assert site.broken == []
    assert {"/docs/errors/{code}", "/account/reset", "/account/sign-up"} <= site.pages


async def test_a_member_of_a_platform_without_a_project_sees_that_platform(instance: Instance) -> None:
    async with instance.database.write() as tx:
        platform = await platforms.create(tx, "Empty")
        user = await accounts.create_user(tx, "dora@example.com", verified=True)
        await platforms.add_member(tx, platform.no, user.id, "viewer")
        opened = await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")
    cookie = {"Cookie": f"dream_session={opened.token}"}

    answer = await instance.api.get("/dashboard", headers=cookie)

    assert answer.headers["location"] == f"/dashboard/{platform.id}/projects"
    assert (await crawl(instance.api, cookie, starts=("/dashboard",), within=_SHOWN)).broken == []
