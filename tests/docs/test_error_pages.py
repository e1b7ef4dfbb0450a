"""Every error code is explained, in one form, and the server shows the page."""

import re
from urllib.parse import urljoin

import httpx2 as httpx
import pytest
from docs.generate import commands

import dream_api.app
from dream_api.cli import main
from dream_api.core.errors import AppError, all_error_types
from dream_api.core.settings import Settings
from tests.docs.documents import DOCS, blocks, prose
from tests.support.cases import each_case
from tests.support.instance import Account

for _name in main.COMMANDS:
    main.load_command(_name)
# Those of the product: tests define some of their own.
CODES: dict[str, type[AppError]] = {
    error.code: error for error in all_error_types() if error.__module__.startswith(dream_api.__name__)
}
PAGES = {path.stem: path.read_text() for path in (DOCS / "errors").glob("*.md")}
_LONGEST = 200


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert sorted(PAGES) == sorted(CODES)


def test_a_code_belongs_to_one_error() -> None:
    codes = [it.code for it in set(all_error_types()) if it.__module__.startswith(dream_api.__name__)]

    assert sorted(codes) == sorted(set(codes))


@each_case("code", sorted(PAGES))
def test_a_page_says_what_happened_why_and_what_to_do(code: str) -> None:
    page = PAGES[code]
    headings = re.findall(r"^#+ .*$", prose(page), re.MULTILINE)

    assert headings == [f"# `{code}`", "## Common causes", "## The fix"]
    assert page.split("\n\n")[1].startswith(f"**Status {CODES[code].status}.** ")
    assert len(prose(page).split()) <= _LONGEST
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


@each_case("code", sorted(PAGES))
def test_a_page_names_commands_and_settings_that_exist(code: str) -> None:
    page = PAGES[code]
    known = {name for name, _ in commands()}
    typed = [
        it for block in blocks(page, "") for it in re.findall(r"^(?:\S+=\S+(?: .*\))? )?dream-api .*$", block, re.M)
    ]
    typed += re.findall(r"`(dream-api [^`]+)`", page)

    for line in typed:
        words = line.partition("dream-api ")[2].split()
        assert words[0].startswith("--") or words[0] in known or " ".join(words[:2]) in known, line
    for setting in re.findall(r"DREAM_[A-Z_]+", page):
        assert setting.removeprefix("DREAM_").lower() in Settings.model_fields, setting


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Pages do not come from a database: one is enough."""
    return request.param


async def test_the_server_shows_every_page(api: httpx.AsyncClient) -> None:
    for code in PAGES:
        answer = await api.get(f"/docs/errors/{code}")

        assert answer.status_code == 200, code
        assert answer.headers["content-type"].startswith("text/html")
        assert f"<h1><code>{code}</code></h1>" in answer.text
        assert "<h2>The fix</h2>" in answer.text
        assert "**" not in answer.text


async def test_links_between_the_pages_lead_to_pages(api: httpx.AsyncClient) -> None:
    found: set[str] = set()
    for code in PAGES:
        url = f"http://dream.test/docs/errors/{code}"
        found |= {urljoin(url, link) for link in re.findall(r'href="([^"]+)"', (await api.get(url)).text)}
    own = {link for link in found if link.startswith("http://dream.test/")}

    assert "http://dream.test/docs/errors/customer_deleted" in own
    assert {link for link in own if (await api.get(link)).status_code != httpx.codes.OK} == set()


async def test_the_list_has_every_code_with_its_status_and_sentence(api: httpx.AsyncClient) -> None:
    answer = await api.get("/docs/errors")

    assert answer.status_code == 200
    for code, error in CODES.items():
        assert f'href="/docs/errors/{code}"><code>{code}</code><span>' in answer.text
        assert f"<h2>{error.status} " in answer.text
    assert "`" not in answer.text


async def test_an_unknown_code_has_no_page(api: httpx.AsyncClient) -> None:
    for code in ("nothing", "../../README", "%2e%2e%2fREADME", "TIER_LIMIT_REACHED"):
        answer = await api.get(f"/docs/errors/{code}")

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_link_in_a_refusal_leads_to_its_page(api: httpx.AsyncClient) -> None:
    refused = await api.get("/api/usage")
    page = await api.get(refused.json()["docs"].replace("http://127.0.0.1:8787", ""))

    assert page.status_code == 200
    assert "key_missing" in page.text


async def test_people_get_a_page_and_programs_get_json(api: httpx.AsyncClient) -> None:
    seen = await api.get("/nowhere", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    read = await api.get("/nowhere", headers={"Accept": "*/*"})

    assert seen.status_code == read.status_code == 404
    assert seen.headers["content-type"].startswith("text/html")
    assert seen.headers["x-request-id"] in seen.text
    assert "/docs/errors/not_found" in seen.text
    assert read.json()["code"] == "not_found"


async def test_what_a_caller_sent_is_shown_as_text(api: httpx.AsyncClient, alice: Account) -> None:
    evil = "<script>alert(1)</script>"
    answer = await api.get(
        "/api/usage", headers={**alice.calls(), "X-User-Plan": evil, "Accept": "text/html"}, params={"meter": evil}
    )

    assert answer.status_code == 422
    assert evil not in answer.text


async def test_the_pages_ask_nobody_else_for_anything(api: httpx.AsyncClient) -> None:
    for path in ("/docs", "/docs/errors", "/docs/errors/not_found"):
        page = (await api.get(path)).text
        for address in re.findall(r'(?:src|href)="([^"]+)"', page):
            assert address.startswith(("/", "#", "data:")), address
            if address.startswith("/"):
                assert (await api.get(address, follow_redirects=True)).status_code == 200, address


async def test_the_style_sheet_is_small_and_its_address_changes_with_it(api: httpx.AsyncClient) -> None:
    page = (await api.get("/docs/errors")).text
    address = re.search(r'"(/assets/dream\.css\?v=[0-9a-f]{8})"', page)
    assert address is not None
    style = await api.get(address[1])

    assert style.headers["content-type"].startswith("text/css")
    assert len(style.content) < 20_000
