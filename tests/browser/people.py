"""What people do at a browser, in their words."""

import asyncio
import re
from typing import Any

from playwright.async_api import ConsoleMessage, Locator, Page, expect

# A page that says no is told by its status, which the browser notes: that is no fault of the page.
_NO_FAULT = re.compile(r"the server responded with a status of (40[0-9]|402|409|422)")


class Person:
    """Somebody at a browser, who sees what is on the page and notes what the browser complains of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _NO_FAULT.search(message.text):
            self.complaints.append(message.text)

    async def goes_to(self, path: str) -> None:
        await self.page.goto(path)

    async def types(self, **fields: str) -> None:
        """By the names of the fields."""
        for name, text in fields.items():
            await self.page.locator(f"main [name='{name}']:not([type=hidden])").first.fill(text)

    async def chooses(self, name: str, value: str) -> None:
        await self.page.locator(f"main select[name='{name}']").select_option(value)

    async def presses(self, label: str) -> None:
        """The button of a form; the page that answers is there."""
        async with self.page.expect_navigation():
            await self.page.get_by_role("button", name=label).first.click()

    async def copies(self, label: str, wanted: str) -> None:
        """The button copies this, which the clipboard has a moment later."""
        await self.page.get_by_role("button", name=label).first.click()
        for _ in range(100):
            if await self.page.evaluate("navigator.clipboard.readText()") == wanted:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{label}: it was not copied.")

    async def follows(self, label: str, *, within: str = "body") -> None:
        await self.page.locator(within).get_by_role("link", name=label).first.click()

    async def sees(self, text: str | re.Pattern[str], *, within: str = "main") -> None:
        await expect(self.page.locator(within).first).to_contain_text(text, timeout=15_000)

    async def sees_no(self, text: str) -> None:
        await expect(self.page.locator("main")).not_to_contain_text(text)

    async def text_of(self, selector: str) -> str:
        return (await self.page.locator(selector).first.inner_text()).strip()

    async def links(self) -> list[str]:
        """What the navigation leads to."""
        told: Any = await self.page.eval_on_selector_all(".side nav a", "all => all.map(one => one.textContent)")
        return [text.strip() for text in told]

    def all(self, selector: str) -> Locator:
        return self.page.locator(selector)
