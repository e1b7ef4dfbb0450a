"""A closed platform sells, issues and invites nothing; what it sold before ends, or goes on when it is reopened."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pytest
import sqlalchemy as sa

from dream_api import retention
from dream_api.core.settings import Settings
from dream_api.platforms import find
from tests.billing.developer import GOOD, URLS, Seller, at, monthly
from tests.dashboard.account.browser import work_off
from tests.support.instance import Account, Cast, Instance, open_another, open_instance
from tests.support.storefront import open_storefront
from tests.tenancy.team import invite, link_to, sign_up
from tests.usage.test_integrity import contradicted


@pytest.fixture
async def instance(database_settings: Settings, cast: Cast) -> AsyncIterator[Instance]:
    """An instance whose levels are sold through the sandbox."""
    async with open_instance(database_settings.model_copy(update={"home_mode": "test"}), cast=cast) as opened:
        yield opened


@pytest.fixture
async def seller(instance: Instance) -> Seller:
    """Asks as a developer, whose token works on a closed platform too."""
    seller = Seller(instance.api, instance.alice.by("owner"))
    for name, price in (("pro", "20"), ("max", "50")):
        await seller.post("/tiers", {"name": name, "limit": 5_000, "prices": [monthly(price)]})
    return seller


async def _close(instance: Instance) -> None:
    async with instance.database.write() as tx:
        await retention.close_platform(tx, await find(tx, instance.alice.project.platform_id), "test")


async def _reopen(instance: Instance) -> None:
    async with instance.database.write() as tx:
        await retention.reopen_platform(tx, await find(tx, instance.alice.project.platform_id))


async def _charges(instance: Instance) -> int:
    async with instance.database.read() as tx:
        return await tx.scalar(sa.text("SELECT count(*) FROM sandbox_objects WHERE kind = 'charge'")) or 0


def _is_refused_as_closed(answer: httpx.Response) -> bool:
    assert answer.status_code in (403, 422), answer.text  # 422: a form is shown again
    return "is being deleted" in answer.text


@pytest.mark.both
async def test_an_open_checkout_is_not_paid_any_more(instance: Instance, seller: Seller) -> None:
    page = await seller.checkout("ada", "pro")
    await _close(instance)

    refused = await seller.pay(page)
    await work_off(instance)

    assert (refused.status_code, refused.json()["code"]) == (409, "gateway_refused")
    assert refused.json()["error"] == "This seller has closed and sells nothing any more."
    assert "expired" in (await instance.api.get(page)).text
    assert (await seller.pay(page)).status_code == 409
    assert (await _charges(instance), await seller.get("/api/payments")) == (0, {"data": [], "nextCursor": None})


async def test_an_open_cart_is_not_paid_and_its_stock_is_released(instance: Instance) -> None:
    storefront = await open_storefront(instance)
    mug = await storefront.sell("mug", inventory=3)
    order_id, page = await storefront.sent_to_pay((mug, 2))
    await _close(instance)

    refused = await instance.api.post(f"{httpx.URL(page).path}/pay", json={"card": GOOD})
    await work_off(instance)
    await _reopen(instance)

    assert (refused.status_code, await _charges(instance)) == (409, 0)
    assert ((await storefront.order(order_id))["status"], await storefront.inventory("mug")) == ("canceled", 3)


@pytest.mark.both
async def test_nothing_is_sold_issued_or_joined(instance: Instance, seller: Seller) -> None:
    """By token and by session; and nothing was written."""
    alice = instance.alice
    subscription = await seller.subscribe("ada", "pro")
    assert (await invite(instance, alice, "grace@example.com")).status_code == 201
    [invitation] = (await instance.api.get("/api/team", headers=alice.at_api())).json()["invitations"]
    link = await link_to(instance, "grace@example.com")
    storefront = await open_storefront(instance)
    mug = await storefront.sell("mug", inventory=3)
    before = await _counts(instance)
    await _close(instance)

    refused = [
        await seller.ask("POST", "/api/create-checkout", {"tier": "pro", **URLS}, **{"X-User-Id": "bob"}),
        await storefront.cart((mug, 1), headers=storefront.account.by("owner")),
        await seller.ask("POST", f"/api/subscriptions/{subscription['id']}/preview", {"tier": "max"}),
        await seller.ask("POST", f"/api/subscriptions/{subscription['id']}/change", {"tier": "max"}),
        await seller.ask("POST", "/rotate-key", {"mode": "test"}),
        await instance.api.post("/create-checkout", headers=alice.by("owner"), json={"level": 1, **_HOME_URLS}),
        await instance.api.post("/projects", headers=alice.at_api(), json={"name": "More", "projectType": "saas"}),
        await invite(instance, alice, "kate@example.com"),
        await instance.api.post(f"/api/team/invitations/{invitation['id']}/send", headers=alice.at_api()),
        *[await answer for answer in _submissions(instance, alice)],
        await _accept(instance, link),
    ]

    assert [_is_refused_as_closed(answer) for answer in refused] == [True] * len(refused)
    assert await _counts(instance) == before


_HOME_URLS = dict.fromkeys(URLS, "http://localhost:3000")


def _submissions(instance: Instance, alice: Account) -> list[Any]:
    """Forms of the dashboard: a key, a pair of live keys, a rotation, a project, a token, a level."""
    keys = f"/dashboard/{alice.project.id}/test/keys"
    platform = f"/dashboard/{alice.project.platform_id}"
    forms = (
        (keys, {"name": "server"}),
        (f"/dashboard/{alice.project.id}/live/keys/pair", {}),
        (f"{keys}/rotate", {}),
        (f"{platform}/projects", {"name": "More", "type": "saas"}),
        ("/account/tokens", {"platform": alice.project.platform_id, "role": "viewer", "expires": "90", "name": "ci"}),
        (f"{platform}/level", {"level": "2"}),
    )
    return [instance.api.post(path, headers=alice.cookie(), data=alice.form() | fields) for path, fields in forms]


async def _accept(instance: Instance, link: str) -> httpx.Response:
    cookie, csrf = await sign_up(instance, "grace@example.com")
    return await instance.api.post(link, headers=cookie, data=csrf)


async def _counts(instance: Instance) -> dict[str, int]:
    names = ("checkouts", "keys", "projects", "invitations", "members", "personal_tokens", "mails", "sandbox_objects")
    async with instance.database.read() as tx:
        return {name: await tx.scalar(sa.text(f"SELECT count(*) FROM {name}")) or 0 for name in names}


@pytest.mark.both
async def test_subscriptions_end_with_their_period(instance: Instance, seller: Seller) -> None:
    subscription = await seller.subscribe("ada", "pro")
    await _close(instance)
    await work_off(instance)

    ending = await seller.subscription(subscription)
    resumed = await seller.ask("POST", f"/api/subscriptions/{subscription['id']}/resume", {})
    charged = await _charges(instance)
    await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)
    ended = await seller.subscription(subscription)

    assert (ending["status"], ending["cancelReason"]) == ("active", "platform_closing")
    assert ending["cancelAt"] == subscription["currentPeriodEnd"]
    assert _is_refused_as_closed(resumed)
    assert (ended["status"], len(await seller.invoices(subscription))) == ("canceled", 1)
    assert (charged, await _charges(instance)) == (1, 1)


async def test_a_renewal_that_is_due_before_the_worker_runs_does_not_happen(instance: Instance, seller: Seller) -> None:
    subscription = await seller.subscribe("ada", "pro")
    page = await seller.checkout("bob", "pro")
    await _close(instance)

    await seller.advance(beyond=subscription["currentPeriodEnd"], hours=2)

    assert (await seller.subscription(subscription))["status"] == "canceled"
    assert (await _charges(instance), (await seller.pay(page)).status_code) == (1, 409)


async def test_customers_do_not_change_or_resume_their_plan_in_the_portal(instance: Instance, seller: Seller) -> None:
    subscription = await seller.subscribe("ada", "pro")
    await seller.post(f"/api/subscriptions/{subscription['id']}/cancel")
    opened = await seller.post("/api/customer-portal", {"returnUrl": "https://myapp.com"}, **{"X-User-Id": "ada"})
    portal = httpx.URL(opened["url"]).path
    await _close(instance)
    await work_off(instance)
    price = (await seller.get("/tiers/max"))["prices"][0]["id"]

    shown = await instance.api.get(portal)
    resumed = await instance.api.post(f"{portal}/subscriptions/{subscription['id']}/resume")
    changed = await instance.api.post(f"{portal}/subscriptions/{subscription['id']}/change", data={"price": price})

    assert "has closed" in shown.text
    assert not [button for button in ("/resume", "/change") if button in shown.text]
    for refused in (resumed, changed):
        assert (refused.status_code, "This seller has closed" in refused.text) == (409, True)
    assert (await seller.subscription(subscription))["plan"] == "pro"
    assert (await seller.subscription(subscription))["cancelAt"] is not None


async def test_reopened_what_the_closing_ended_goes_on(instance: Instance, seller: Seller) -> None:
    """What customers canceled themselves does not; and checkouts can be paid again."""
    going_on, ending = [await seller.subscribe(user, "pro") for user in ("ada", "bob")]
    await seller.post(f"/api/subscriptions/{ending['id']}/cancel")
    await _close(instance)
    await work_off(instance)

    await _reopen(instance)
    await work_off(instance)
    await seller.subscribe("eve", "pro")

    assert [(await seller.subscription(one))["cancelAt"] is None for one in (going_on, ending)] == [True, False]
    await seller.advance(beyond=going_on["currentPeriodEnd"], hours=2)
    assert [(await seller.subscription(one))["status"] for one in (going_on, ending)] == ["active", "canceled"]
    assert at((await seller.subscription(going_on))["currentPeriodEnd"]) > at(going_on["currentPeriodEnd"])


async def test_its_level_is_not_bought_by_an_open_checkout(instance: Instance) -> None:
    alice = instance.alice
    await instance.assign(alice, 0, mode="test")
    opened = await instance.api.post("/create-checkout", headers=alice.by("owner"), json={"level": 1, **_HOME_URLS})
    page = httpx.URL(opened.json()["url"]).path
    await _close(instance)
    await work_off(instance)

    assert (await instance.api.post(f"{page}/pay", json={"card": GOOD})).status_code == 409
    assert await _charges(instance) == 0


async def test_a_deleted_project_is_not_paid_any_more(instance: Instance) -> None:
    other = await open_another(instance.database, instance.alice)
    seller = Seller(instance.api, other.sk)
    await seller.post("/tiers", {"name": "pro", "prices": [monthly("20")]})
    page = await seller.checkout("ada", "pro")

    deleted = await instance.api.delete(f"/projects/{other.project.id}", headers=instance.alice.at_api())
    refused = await seller.pay(page)
    await work_off(instance)

    assert (deleted.status_code, refused.status_code, await _charges(instance)) == (200, 409, 0)


async def test_the_doctor_finds_nothing_once_the_worker_ended_all_sales(instance: Instance, seller: Seller) -> None:
    await seller.subscribe("ada", "pro")
    await seller.checkout("bob", "pro")
    await _close(instance)
    async with instance.database.write() as tx:
        await tx.execute(sa.text("UPDATE platforms SET deletes_at = 1 WHERE deletes_at IS NOT NULL"))

    before = await contradicted(instance)
    await work_off(instance)

    assert (before, await contradicted(instance)) == ({"closed_platforms_sell_nothing"}, set())


async def test_every_page_says_that_the_platform_will_be_deleted(instance: Instance) -> None:
    alice = instance.alice
    await _close(instance)

    by_role = {
        role: (await instance.api.get(f"/dashboard/{alice.project.id}/test/customers", headers=alice.cookie(role))).text
        for role in ("owner", "viewer")
    }

    settings = f'<a href="/dashboard/{alice.project.platform_id}/settings">Settings</a>'
    assert ["will be deleted on" in page for page in by_role.values()] == [True, True]
    assert [settings in page for page in by_role.values()] == [True, False]


@pytest.mark.both
async def test_what_is_paid_at_the_moment_of_closing_ends_with_its_period(instance: Instance, seller: Seller) -> None:
    pages = [await seller.checkout(f"user-{number}", "pro") for number in range(6)]

    paying = [seller.pay(page) for page in pages]
    answers = await asyncio.gather(*paying[:3], _close(instance), *paying[3:])
    await work_off(instance)

    statuses = [answer.status_code for answer in answers if answer is not None]
    assert set(statuses) <= {200, 409}
    sold = (await seller.get("/api/subscriptions"))["data"]
    assert [one["cancelReason"] for one in sold] == ["platform_closing"] * statuses.count(200)
    assert await _charges(instance) == statuses.count(200)
