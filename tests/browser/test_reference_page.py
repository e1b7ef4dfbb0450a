"""The API reference at /docs: Swagger UI works under the page's Content Security Policy."""

from playwright.async_api import expect

from tests.browser.conftest import NewPerson
from tests.support.server import Server


async def test_the_reference_lists_operations_and_violates_no_policy(server: Server, sit_down: NewPerson) -> None:
    async with sit_down(server.url) as person:
        await person.goes_to("/docs")
        await expect(person.page.locator(".opblock-tag").first).to_be_visible(timeout=15_000)
        await person.page.locator(".opblock-tag", has_text="Catalog").click()
        await expect(person.page.get_by_text("coupons.create")).to_be_visible()
        response = await person.page.request.get("/docs")

    assert "script-src 'self' 'sha256-" in response.headers["content-security-policy"]
