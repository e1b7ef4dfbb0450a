"""Signing in: nobody learns who has an account, guessing is limited by count, and nobody is sent elsewhere."""

import asyncio

import pytest
from sqlalchemy import select

from dream_api.accounts.tables import sessions, users
from dream_api.core import clock
from dream_api.identity.login_throttle import LOCKED_FOR, MOST_FAILED
from tests.dashboard.account.browser import PASSWORD, Browser, counted, letters, recorded
from tests.support.instance import Instance, open_instance


async def ada(instance: Instance, email: str = "ada@example.com") -> Browser:
    """Somebody with an account and a confirmed address, not signed in."""
    browser = Browser(instance)
    await browser.sign_up(email)
    *_, letter = await letters(instance)
    assert (await browser.send(letter.path)).status_code == 303
    return browser


async def test_a_session_is_always_a_new_one_and_its_cookie_well_kept(instance: Instance) -> None:
    browser = await ada(instance)
    planted = "dss_" + "A" * 38
    browser.http.cookies.set("dream_session", planted, domain="dream.test", path="/")

    answer = await browser.sign_in("ada@example.com")

    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("dream_session="))
    assert planted not in cookie
    assert all(part in cookie for part in ("HttpOnly", "Path=/", "SameSite=lax", "Max-Age="))
    first = browser.session
    await browser.send("/account/sign-out", on="/account")
    assert browser.session is None
    stolen = Browser(instance, {"dream_session": str(first)})
    assert (await stolen.get("/account")).status_code == 303
    await browser.sign_in("ada@example.com")
    assert browser.session not in (first, planted, None)


async def test_signing_in_again_ends_the_former_session(instance: Instance) -> None:
    browser = await ada(instance)
    csrf = await browser.csrf("/account/sign-in")
    await browser.sign_in("ada@example.com")
    former = str(browser.session)
    csrf = await browser.csrf("/account")

    answer = await browser.http.post(
        "/account/sign-in", data={"csrf": csrf, "email": "ada@example.com", "password": PASSWORD}
    )

    assert (answer.status_code, browser.session != former) == (303, True)
    assert (await Browser(instance, {"dream_session": former}).get("/account")).status_code == 303


async def test_nobody_can_tell_who_has_an_account(instance: Instance) -> None:
    """Unknown, known, not confirmed, without a password, locked: the same answer, one hash, the same statements."""
    browser = await ada(instance)
    await browser.sign_up("new@example.com")
    await ada(instance, "locked@example.com")
    for _ in range(MOST_FAILED):
        await browser.sign_in("locked@example.com", "a wrong password")
    cases = {
        "nobody": ("nobody@example.com", "a wrong password"),
        "wrong": ("ada@example.com", "a wrong password"),
        "not confirmed": ("new@example.com", "a wrong password"),
        "not confirmed, right": ("new@example.com", PASSWORD),
        "no password": ("alice@example.com", "a wrong password"),
        "locked": ("locked@example.com", "a wrong password"),
        "locked, right": ("locked@example.com", PASSWORD),
    }
    told = {}
    for name, (email, password) in cases.items():
        csrf = await browser.csrf("/account/sign-in")
        with counted(instance) as work:
            form = {"csrf": csrf, "email": email, "password": password}
            answer = await browser.http.post("/account/sign-in", data=form)
        headers = {key: value for key, value in answer.headers.items() if key != "x-request-id"}
        text = answer.text.replace(email, "").replace(csrf, "")
        told[name] = (answer.status_code, text, headers, work["hashes"], work["statements"])

    first = told.pop("nobody")
    assert first[0] == 422
    assert "Incorrect email or password, or the email address is not verified" in first[1]
    assert first[3] == 1
    for name, other in told.items():
        assert [*other[:2], *other[3:]] == [*first[:2], *first[3:]], name
        assert other[2].keys() == first[2].keys(), name


async def test_guessing_ends_after_ten_and_begins_again_a_quarter_of_an_hour_later(instance: Instance) -> None:
    browser = await ada(instance)
    for _ in range(MOST_FAILED):
        assert (await browser.sign_in("ada@example.com", "a wrong password")).status_code == 422

    assert (await browser.sign_in("ada@example.com")).status_code == 422
    clock.move(LOCKED_FOR + clock.SECOND)

    assert (await browser.sign_in("ada@example.com")).status_code == 303
    actions = await recorded(instance, "ada@example.com")
    assert (actions.count("session.refused"), actions.count("session.opened")) == (MOST_FAILED + 1, 1)
    assert actions.count("account.locked") == 1


async def test_guessing_the_password_of_an_open_session_locks_it_and_is_told(instance: Instance) -> None:
    browser = await ada(instance)
    await browser.sign_in("ada@example.com")
    for _ in range(MOST_FAILED + 1):
        answer = await browser.send("/account/password", current="a wrong one", password="another tin of paint")
        assert (answer.status_code, "The password is incorrect." in answer.text) == (422, True)

    assert (await recorded(instance, "ada@example.com")).count("account.locked") == 1


async def test_guesses_at_once_are_no_more_than_guesses_in_turn(instance: Instance) -> None:
    browser = await ada(instance)
    csrf = await browser.csrf("/account/sign-in")
    seen: list[str | None] = []
    passwords = instance.app.state.passwords  # pyright: ignore
    verify = passwords.verify

    async def look(password: str, hashed: str | None) -> bool:
        seen.append(hashed)
        return await verify(password, hashed)

    passwords.verify = look
    form = {"csrf": csrf, "email": "ada@example.com", "password": "a wrong password"}
    await asyncio.gather(*(browser.http.post("/account/sign-in", data=form) for _ in range(25)))

    assert len(seen) == 25
    assert sum(hashed is not None for hashed in seen) == MOST_FAILED


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/dashboard/x?days=7", "/dashboard/x?days=7"),
        ("", "/dashboard"),
        ("https://evil.example/", "/dashboard"),
        ("//evil.example/", "/dashboard"),
        ("/\\evil.example/", "/dashboard"),
        ("/\t/evil.example/", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
        (" //evil.example", "/dashboard"),
        ("/" + "a" * 3_000, "/dashboard"),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_nobody_is_sent_elsewhere(instance: Instance, wanted: str, goes: str) -> None:
    browser = await ada(instance)
    csrf = await browser.csrf("/account/sign-in")

    form = {"csrf": csrf, "email": "ada@example.com", "password": PASSWORD, "next": wanted}
    answer = await browser.http.post("/account/sign-in", data=form)

    assert answer.headers["location"] == goes


async def test_a_host_header_changes_no_link(instance: Instance, browser: Browser) -> None:
    csrf = await browser.csrf("/account/reset")
    await browser.http.post(
        "/account/reset", data={"csrf": csrf, "email": "alice@example.com"}, headers={"Host": "evil.example"}
    )

    (letter,) = await letters(instance)

    assert "evil" not in letter.text
    assert "http://127.0.0.1:8787/account/reset/" in letter.text


async def test_session_ids_are_nowhere_but_in_the_browser(instance: Instance) -> None:
    browser = await ada(instance)
    await browser.sign_in("ada@example.com")

    async with instance.database.read() as tx:
        rows = [str(tuple(row)) for row in [*await tx.all(select(sessions)), *await tx.all(select(users))]]

    assert not any(str(browser.session) in row or PASSWORD in row for row in rows)


async def test_over_tls_cookies_are_for_this_very_host(instance: Instance) -> None:
    settings = instance.settings.model_copy(update={"public_url": "https://dream.test"})
    async with open_instance(settings, cast=(instance.alice, instance.charlie)) as other:
        answer = await other.api.get("/account/sign-in")

    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-dream_form=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
