"""A server as an operator starts it, and people before browsers. The pages' own tests run on both databases; what a
browser makes of them does not depend on it."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager

import pytest
from playwright.async_api import Browser, async_playwright

from dream_api.core.settings import Settings
from tests.browser.people import Person
from tests.browser.populated_instance import Town, settle
from tests.support.server import Server

CHROMIUM = shutil.which("chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        for item in items:
            if "tests/browser/" in item.nodeid:
                item.add_marker(pytest.mark.skip("There is no chromium on the path: apt-get install chromium"))


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def server(database_settings: Settings) -> Iterator[Server]:
    """A first start: nobody is there yet."""
    with Server(database_settings, workers="inside") as running:
        yield running


@pytest.fixture
def town(database_settings: Settings) -> Iterator[Town]:
    """One where all live: a saas project and a store, with something on every page."""
    with Server(database_settings, workers="inside") as running:
        yield asyncio.run(settle(running))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        await opened.close()


NewPerson = Callable[..., AbstractAsyncContextManager[Person]]


@pytest.fixture
def sit_down(browser: Browser) -> NewPerson:
    """Somebody at a browser of their own, which complains of nothing until they get up."""

    @contextlib.asynccontextmanager
    async def person(base: str, *, session: str | None = None, scripts: bool = True) -> AsyncIterator[Person]:
        context = await browser.new_context(
            base_url=base,
            java_script_enabled=scripts,
            viewport={"width": 1360, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
        )
        if session is not None:
            await context.add_cookies([{"name": "dream_session", "value": session, "url": base}])
        seated = Person(await context.new_page())
        yield seated
        await context.close()
        assert seated.complaints == []

    return person
