"""People buy and change plans in a real browser without JavaScript, and it refuses nothing of the pages."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2 as httpx
import pytest
from playwright.async_api import ConsoleMessage, Page, async_playwright

from dream_api import app
from dream_api.core.settings import Settings
from tests.billing.shop import DECLINED, VISA, monthly
from tests.support.instance import Account, open_account
from tests.support.server import Server

_CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(_CHROMIUM is None, reason="There is no chromium on the path: apt-get install chromium")
_WIDTHS = (1360, 390)


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The pages' own tests run on both."""
    return request.param


@pytest.fixture
def server(database_settings: Settings) -> Iterator[tuple[Server, Account]]:
    account = asyncio.run(_account(database_settings))
    with Server(database_settings, workers="inside") as running:
        yield running, account


async def _account(settings: Settings) -> Account:
    database = app.open_database(settings)
    try:
        await app.bootstrap(database, settings)
        return await open_account(database, "Acme API")
    finally:
        await database.close()


@pytest.fixture
async def shop(server: tuple[Server, Account]) -> AsyncIterator[httpx.AsyncClient]:
    """Asks the server as the shop that sells Pro and Team, for its user ada."""
    running, account = server
    async with httpx.AsyncClient(base_url=running.url, headers=account.calls(), timeout=30) as client:
        for name, price in (("pro", "19.99"), ("team", "49.99")):
            await _call(client, "/tiers", {"name": name, "prices": [monthly(price)]})
        yield client


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        context = await browser.new_context(java_script_enabled=False)
        opened = await context.new_page()
        opened.on("console", note)
        yield opened
        await browser.close()
    # A declined card is answered by 402; the browser says that of every such answer.
    assert [each for each in complaints if "status of 402" not in each] == []


async def _call(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def _base(shop: httpx.AsyncClient) -> str:
    return str(shop.base_url).rstrip("/")


async def _checkout(shop: httpx.AsyncClient) -> str:
    home = f"{_base(shop)}/docs/errors"
    wanted = {"tier": "pro", "successUrl": f"{home}?paid={{CHECKOUT_SESSION_ID}}", "cancelUrl": home}
    return (await _call(shop, "/api/create-checkout", wanted))["url"]


async def _portal(shop: httpx.AsyncClient) -> str:
    return (await _call(shop, "/api/customer-portal", {"returnUrl": f"{_base(shop)}/docs/errors"}))["url"]


async def _is_on(page: Page, sentence: str) -> None:
    """The page has it, and nothing of it scrolls sideways, on a desk or a phone."""
    await page.get_by_text(sentence).first.wait_for()
    for width in _WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        body = await page.locator("body").bounding_box()
        main = await page.locator("main").bounding_box()
        assert body is not None
        assert main is not None
        assert main["width"] <= width == body["width"]


async def test_a_person_buys_after_a_declined_card(shop: httpx.AsyncClient, page: Page) -> None:
    await page.goto(await _checkout(shop))
    await _is_on(page, "$19.99 per month")

    await page.get_by_label("Card number").fill(DECLINED)
    await page.get_by_role("button", name="Pay $19.99").click()
    await _is_on(page, "The card was declined.")
    assert await page.get_by_label("Card number").input_value() == DECLINED

    await page.get_by_role("link", name=VISA).click()
    await page.get_by_role("button", name="Pay $19.99").click()

    await page.wait_for_url("**/docs/errors?paid=chk_*")
    assert (await shop.get("/api/usage")).json()["usage"]["plan"] == "pro"


async def test_a_person_goes_back_without_paying(shop: httpx.AsyncClient, page: Page) -> None:
    await page.goto(await _checkout(shop))

    await page.get_by_role("button", name="Cancel and go back").click()

    await page.wait_for_url("**/docs/errors")


async def test_a_person_chooses_a_larger_plan(shop: httpx.AsyncClient, page: Page) -> None:
    bought = await _checkout(shop)
    await _call(shop, bought.removeprefix(_base(shop)) + "/pay", {"card": VISA})
    await page.goto(await _portal(shop))
    await _is_on(page, "$19.99 per month")

    await page.get_by_role("link", name="Change plan").click()
    await page.get_by_label("Team").check()
    await page.get_by_role("button", name="Preview the change").click()
    await _is_on(page, "From Pro to Team")
    await page.get_by_role("button", name="Change and pay $30.00").click()

    await _is_on(page, "Plan changed.")
    assert (await shop.get("/api/usage")).json()["usage"]["plan"] == "team"
