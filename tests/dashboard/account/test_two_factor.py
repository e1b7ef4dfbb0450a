"""Codes after the password: each works once, guessing is counted, recovery codes stand in."""

import re

import pyotp
from sqlalchemy import select, update

from dream_api.core import clock
from dream_api.core.secrets import InstanceKey
from dream_api.identity.login_throttle import MOST_FAILED
from dream_api.identity.tables import second_factors
from tests.dashboard.account.browser import PASSWORD, Browser, letters, recorded
from tests.dashboard.account.test_sign_in import ada
from tests.support.instance import Instance


async def enrolled(instance: Instance) -> tuple[Browser, pyotp.TOTP, list[str]]:
    """Ada with an authenticator, signed in; and her recovery codes."""
    browser = await ada(instance)
    await browser.sign_in("ada@example.com")
    page = (await browser.get("/account/factor")).text
    secret = re.search(r'data-copy="([A-Z2-7 ]+)"', page)
    assert secret is not None
    assert 'src="data:image/svg+xml' in page
    totp = pyotp.TOTP(secret[1].replace(" ", ""))
    answer = await browser.send("/account/factor", code=now(totp), current=PASSWORD)
    assert answer.status_code == 200, answer.text
    codes = re.findall(r"\b(?:[0-9a-z]{4}-){3}[0-9a-z]{4}\b", answer.text.partition("</code>")[0])
    assert len(codes) == 10
    return browser, totp, codes


def now(totp: pyotp.TOTP, steps: int = 0) -> str:
    return totp.generate_otp(clock.now() // (30 * clock.SECOND) + steps)


async def test_a_code_opens_the_door_once(instance: Instance) -> None:
    _, totp, _ = await enrolled(instance)
    clock.move(30 * clock.SECOND)
    browser, again = Browser(instance), Browser(instance)

    asked = await browser.sign_in("ada@example.com", next="/dashboard/here")
    assert (asked.headers["location"], browser.session) == ("/account/code", None)
    assert (await browser.get("/account")).status_code == 303
    code = now(totp)
    done = await browser.send("/account/code", code=f"{code[:3]} {code[3:]}")
    assert (done.headers["location"], browser.session is not None) == ("/dashboard/here", True)

    await again.sign_in("ada@example.com")
    replayed = await again.send("/account/code", code=code)
    assert (replayed.status_code, "already used" in replayed.text, again.session) == (422, True, None)
    assert (await browser.get("/account/code")).status_code == 404


async def test_a_secret_that_another_instance_key_sealed_is_an_error_with_a_page(instance: Instance) -> None:
    """And recovery codes work all the same."""
    _, totp, codes = await enrolled(instance)
    clock.move(clock.MINUTE)
    async with instance.database.write() as tx:
        subject = await tx.scalar(select(second_factors.c.subject))
        sealed = InstanceKey(bytes([1] * 32)).seal("JBSWY3DPEHPK3PXP", subject)
        await tx.execute(update(second_factors).values(sealed=sealed))
    browser = Browser(instance)
    await browser.sign_in("ada@example.com")

    answer = await browser.send("/account/code", code=now(totp))

    assert (answer.status_code, browser.session) == (409, None)
    assert "encrypted with another instance key" in answer.text
    assert "/docs/errors/seal_broken" in answer.text
    assert (await browser.send("/account/code", code=codes[0])).status_code == 303
    assert browser.session is not None


async def test_a_clock_that_was_ahead_does_not_lock_anybody_out(instance: Instance) -> None:
    """And a code works once all the same."""
    clock.move(clock.HOUR)
    _, totp, _ = await enrolled(instance)
    clock.move(-clock.HOUR)
    code, statuses = now(totp), []

    for _ in range(2):
        browser = Browser(instance)
        await browser.sign_in("ada@example.com")
        statuses.append((await browser.send("/account/code", code=code)).status_code)

    assert statuses == [303, 422]


async def test_codes_of_another_time_are_refused(instance: Instance) -> None:
    _, totp, _ = await enrolled(instance)
    browser = Browser(instance)
    await browser.sign_in("ada@example.com")

    for steps in (-40, -2, 3, 40):
        assert (await browser.send("/account/code", code=now(totp, steps))).status_code == 422
    assert (await browser.send("/account/code", code=now(totp, 1))).status_code == 303


async def test_guessing_codes_ends_after_ten_also_with_a_new_password_each_time(instance: Instance) -> None:
    _, totp, _ = await enrolled(instance)
    clock.move(clock.MINUTE)
    browser = Browser(instance)
    for _ in range(MOST_FAILED):
        await browser.sign_in("ada@example.com")
        assert (await browser.send("/account/code", code="000000")).status_code == 422

    assert (await browser.send("/account/code", code=now(totp))).status_code == 422
    assert browser.session is None
    assert (await recorded(instance, "ada@example.com")).count("account.locked") == 1


async def test_who_leaves_the_page_of_the_code_ten_times_is_not_locked_out(instance: Instance) -> None:
    _, totp, _ = await enrolled(instance)
    clock.move(clock.MINUTE)
    browser = Browser(instance)
    for _ in range(MOST_FAILED):
        assert (await browser.sign_in("ada@example.com")).headers["location"] == "/account/code"

    assert (await browser.sign_in("ada@example.com")).status_code == 303
    assert (await browser.send("/account/code", code=now(totp))).status_code == 303


async def test_a_recovery_code_opens_the_door_once(instance: Instance) -> None:
    _, _, codes = await enrolled(instance)
    for expected in (303, 422):
        browser = Browser(instance)
        await browser.sign_in("ada@example.com")

        answer = await browser.send("/account/code", code=codes[0].upper().replace("-", " "))

        assert answer.status_code == expected
    await browser.send("/account/code", code=codes[1])
    assert "8 recovery codes left" in (await browser.get("/account")).text
    assert (await recorded(instance, "ada@example.com")).count("recovery.used") == 2
    assert [letter.subject for letter in await letters(instance)].count("A recovery code was used to sign in") == 2


async def test_new_recovery_codes_and_turning_it_off_take_the_password(instance: Instance) -> None:
    browser, _, codes = await enrolled(instance)

    assert (await browser.send("/account/codes", current="no")).status_code == 422
    assert codes[0] not in (await browser.send("/account/codes", current=PASSWORD)).text
    assert (await browser.send("/account/factor/off", current="no")).status_code == 422
    assert (await browser.send("/account/factor/off", current=PASSWORD)).status_code == 303

    assert (await Browser(instance).sign_in("ada@example.com")).headers["location"] == "/dashboard"
    subjects = [letter.subject for letter in await letters(instance)]
    assert "Two-factor authentication was turned off" in subjects


async def test_a_new_password_by_letter_does_not_get_past_the_code(instance: Instance) -> None:
    await enrolled(instance)
    browser = Browser(instance)
    await browser.send("/account/reset", email="ada@example.com")
    *_, letter = await letters(instance)
    await browser.send(letter.path, password="another tin of paint")

    answer = await browser.sign_in("ada@example.com", "another tin of paint")

    assert answer.headers["location"] == "/account/code"


async def test_a_wrong_code_does_not_turn_it_on(instance: Instance) -> None:
    browser = await ada(instance)
    await browser.sign_in("ada@example.com")

    answer = await browser.send("/account/factor", code="12345x", current=PASSWORD)

    assert (answer.status_code, "The code is wrong" in answer.text) == (422, True)
    assert "Turn on" in (await browser.get("/account")).text
