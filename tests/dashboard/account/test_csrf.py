"""Every form under /account, sent by another website or without what its page carries: refused, and nothing changed."""

import pytest
from sqlalchemy import select

from dream_api.accounts.tables import linked_sign_ins, personal_tokens, sessions, users
from dream_api.auth.csrf import csrf_token_for
from dream_api.core.db import Tx
from dream_api.core.jobs.tables import jobs
from dream_api.dashboard import account
from dream_api.identity.tables import attempts, one_time_links, recovery_codes
from dream_api.platforms.tables import members
from tests.dashboard.account.browser import PASSWORD, Browser
from tests.support.instance import Instance

FORMS = sorted(
    route.path
    for router in account.ROUTERS
    for route in router.routes
    if "POST" in route.methods  # pyright: ignore
)
TABLES = (users, sessions, members, personal_tokens, linked_sign_ins, jobs, attempts, one_time_links, recovery_codes)
FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
)


def test_there_are_forms() -> None:
    assert {"/account/sign-in", "/account/sign-out", "/account/close", "/account/reset/{token}"} <= set(FORMS)


@pytest.mark.parametrize("is_in", [True, False], ids=["signed in", "a guest"])
async def test_no_form_of_another_website_does_anything(instance: Instance, is_in: bool) -> None:
    signed_in = {"dream_session": instance.alice.session["owner"]} if is_in else {}
    browser = Browser(instance, signed_in)
    csrf = csrf_token_for(instance.alice.session["owner"]) if is_in else await browser.csrf("/account/sign-in")
    fields = {
        "email": "alice@example.com",
        "name": "Mallory",
        "password": PASSWORD,
        "current": PASSWORD,
        "code": "000000",
        "platform": instance.alice.project.platform_id,
        "role": "owner",
        "expires": "",
    }
    await browser.get("/account")  # the session is used: that is noted once an hour
    async with instance.database.read() as tx:
        before = await everything(tx)

    for form in FORMS:
        path = form.replace("{token}", "o_" + "0" * 38).replace("{session_id}", "ses_1").replace("{token_id}", "tok_1")
        tries = [({**fields, "csrf": csrf}, foreign) for foreign in FOREIGN]
        tries += [
            (fields, {"Sec-Fetch-Site": "same-origin"}),
            ({**fields, "csrf": "é"}, {}),
            ({**fields, "csrf": ""}, {}),
        ]
        for sent, headers in tries:
            answer = await browser.http.post(path, data=sent, headers=headers)

            is_refused = answer.status_code == 403 and "csrf_failed" in answer.text
            is_sent_away = not is_in and answer.headers.get("location") == "/account/sign-in"
            assert is_refused or is_sent_away, (path, sent, headers, answer.status_code)

    async with instance.database.read() as tx:
        assert await everything(tx) == before


async def everything(tx: Tx) -> list[object]:
    return [sorted(map(repr, await tx.all(select(table)))) for table in TABLES]


async def test_a_form_without_the_cookie_of_its_page_is_foreign(browser: Browser) -> None:
    csrf = await browser.csrf("/account/sign-in")
    browser.http.cookies.clear()

    for sent in (csrf, csrf_token_for("")):
        answer = await browser.http.post("/account/sign-in", data={"csrf": sent, "email": "a@b.c", "password": "x"})
        assert answer.status_code == 403
