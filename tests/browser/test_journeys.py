"""From the first start to the first sale and the first team mate, as people go."""

import asyncio
import re

import httpx2 as httpx
import pytest

from tests.browser.conftest import NewPerson
from tests.browser.people import Person
from tests.browser.populated_instance import CARD, DECLINED, Town
from tests.support.databases import KINDS
from tests.support.server import Server

PASSWORD = "correct horse battery"


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Whole journeys are gone on both."""
    return request.param


def told_link(server: Server) -> str:
    """The operator's, as the log tells it where there is no terminal."""
    found = re.search(r"/account/operator/\w+", server.log)
    assert found is not None, server.log
    return found[0]


async def letter_to(operator: Person, address: str, subject: str = "Verify your email address") -> str:
    """The path that the letter leads to, read in the outbox."""
    await operator.goes_to("/dashboard/operator/mail")
    row = operator.all("tr").filter(has_text=address).filter(has_text=subject).first
    for _ in range(100):
        if await row.count():
            break
        await asyncio.sleep(0.1)  # letters are written by a job
        await operator.goes_to("/dashboard/operator/mail")
    await row.get_by_role("link").click()
    text = await operator.text_of(".email-text")
    found = re.search(r"https?://[^/\s]+(/account/\S+)", text)
    assert found is not None, text
    return found[1]


async def signs_up(person: Person, email: str, name: str) -> None:
    await person.types(email=email, name=name, password=PASSWORD)
    await person.presses("Create account")


async def signs_in(person: Person, email: str) -> None:
    await person.types(email=email, password=PASSWORD)
    await person.presses("Sign in")


@pytest.mark.slow
async def test_from_the_first_start_to_the_first_sale_and_team_mate(server: Server, sit_down: NewPerson) -> None:
    async with sit_down(server.url) as operator, sit_down(server.url) as ada, sit_down(server.url) as bob:
        await operator.goes_to(told_link(server))
        await signs_up(operator, "olga@example.com", "Olga")
        await operator.goes_to("/dashboard/operator/platforms")
        await operator.sees("Platforms")

        await ada.goes_to("/")
        await ada.follows("Create account")
        await signs_up(ada, "ada@example.com", "Ada")
        await ada.sees("Check your email")
        await ada.goes_to(await letter_to(operator, "ada@example.com"))
        await ada.presses("Verify")
        await ada.goes_to("/dashboard")
        if "sign-in" in ada.page.url:
            await signs_in(ada, "ada@example.com")
        await ada.types(platform="Acme", name="Acme API")
        await ada.presses("Create project")
        await ada.sees("Waiting for your first call")
        key = await ada.text_of(".copy code")
        assert key.startswith("sk_test_")
        await ada.copies("Copy key", key)
        call = {"Authorization": f"Bearer {key}", "X-User-Id": "ada"}
        assert httpx.post(f"{server.url}/api/data", headers=call).status_code == 200
        await ada.sees("Received: 1 of 1,000 requests")

        await sells_a_plan(ada)
        await ada.follows("Overview", within="nav[aria-label=Pages]")
        await ada.sees("19.99")

        await ada.follows("Members", within="nav[aria-label=Pages]")
        await ada.types(email="bob@example.com")
        await ada.chooses("role", "viewer")
        await ada.presses("Send invitation")
        await ada.sees("bob@example.com")
        await bob.goes_to(await letter_to(operator, "bob@example.com", "You are invited"))
        await bob.follows("Sign up", within="main")
        await signs_up(bob, "bob@example.com", "Bob")
        await bob.presses("Accept")
        await ada.goes_to(ada.page.url)
        await ada.sees("Bob")
        await bob.goes_to("/dashboard")
        await bob.sees("19.99")


async def sells_a_plan(person: Person) -> None:
    """A tier with a price, a link to pay, and the money."""
    await person.follows("Edit plans", within="main")
    await person.follows("New plan", within="main")
    await person.types(name="pro", displayName="Pro", limit="50000")
    await person.presses("Create plan")
    await person.follows("Add price", within="main")
    await person.types(price="19.999", currency="usd")
    await person.presses("Create price")
    await person.sees("USD has 2 digits after the point")
    assert await person.page.locator("[name=price]").input_value() == "19.999"
    await person.types(price="19.99")
    await person.presses("Create price")
    await person.sees("$19.99")
    await person.follows("Subscriptions", within="nav[aria-label=Pages]")
    await person.follows("Create payment link", within="main")
    await person.types(userId="ada", url="http://localhost:3000/thanks")
    await person.presses("Create link")
    checkout = await person.page.get_by_role("link", name="Open checkout").get_attribute("href")
    assert checkout is not None
    buyer = await person.page.context.new_page()
    await buyer.goto(checkout)
    await buyer.get_by_label("Card number").fill(CARD)
    await buyer.route("http://localhost:3000/**", lambda route: route.fulfill(body="thanks"))
    await buyer.get_by_role("button", name=re.compile("Pay|Subscribe|Start")).click()
    await buyer.wait_for_url("http://localhost:3000/**")
    await buyer.close()
    await person.sees("Paid: $19.99")


async def test_a_stores_goods_sell_out(town: Town, sit_down: NewPerson) -> None:
    store = town.store
    async with sit_down(town.base, session=store.session["member"]) as person:
        await person.goes_to(f"/dashboard/{store.project.id}/test/tiers/mug")
        assert await person.text_of(".figure") == "0 available"
        await person.sees("1 in stock, 1 reserved")
        await person.goes_to(f"/dashboard/{store.project.id}/test/orders")
        await person.sees("eve@example.com")
        offer = httpx.get(f"{town.base}/api/products", headers=store.sk).json()["data"][0]
        items = [{"priceId": offer["prices"][0]["id"], "quantity": 1}]
        cart = {
            "email": "late@example.com",
            "items": items,
            "successUrl": "http://localhost/a",
            "cancelUrl": "http://localhost/b",
        }
        late = httpx.post(f"{town.base}/api/cart/checkout", headers=store.sk, json=cart)
        assert (late.status_code, late.json()["code"]) == (409, "sold_out")


async def test_a_declined_card_is_told_where_it_was_typed(town: Town, sit_down: NewPerson) -> None:
    body = {"tier": "pro", "successUrl": "http://localhost/a", "cancelUrl": "http://localhost/b"}
    made = httpx.post(f"{town.base}/api/create-checkout", headers=town.saas.calls("eve"), json=body).json()
    async with sit_down(town.base, scripts=False) as buyer:
        await buyer.goes_to(made["url"])
        await buyer.page.get_by_label("Card number").fill(DECLINED)
        await buyer.page.get_by_role("button", name=re.compile("Pay|Subscribe|Start")).click()
        await buyer.sees("declined")
