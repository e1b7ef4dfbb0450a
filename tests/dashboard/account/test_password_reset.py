"""Another password, by a link to the address; and the changes that take the present one."""

from sqlalchemy import select

from dream_api import accounts
from dream_api.core import clock
from dream_api.core.jobs.tables import jobs
from dream_api.identity.login_throttle import MOST_FAILED
from tests.dashboard.account.browser import Browser, counted, letters
from tests.dashboard.account.test_sign_in import ada
from tests.support.instance import Instance

FRESH = "another tin of paint"


async def test_a_reset_link_works_once_and_ends_every_session(instance: Instance) -> None:
    browser, thief = await ada(instance), Browser(instance)
    await thief.sign_in("ada@example.com")
    for _ in range(MOST_FAILED):
        await browser.sign_in("ada@example.com", "a wrong password")
    await browser.send("/account/reset", email="ADA@example.com")
    *_, first = await letters(instance)
    await browser.send("/account/reset", email="ada@example.com")
    *_, second = await letters(instance)

    weak = await browser.send(first.path, password="1234567890")
    done = await browser.send(first.path, password=FRESH)

    assert (weak.status_code, "too common" in weak.text) == (422, True)
    assert done.headers["location"] == "/account/sign-in?done=reset"
    assert [(await browser.get(one.path)).status_code for one in (first, second)] == [404, 404]
    assert (await thief.get("/account")).status_code == 303
    assert (await browser.sign_in("ada@example.com")).status_code == 422
    clock.move(16 * clock.MINUTE)
    assert (await browser.sign_in("ada@example.com", FRESH)).status_code == 303
    *_, notice = await letters(instance)
    assert notice.subject == "Your password was changed"
    assert "not confirmed" not in (await browser.get("/account")).text


async def test_a_reset_link_is_over_after_an_hour(instance: Instance, browser: Browser) -> None:
    await browser.send("/account/reset", email="alice@example.com")
    (letter,) = await letters(instance)
    assert (await browser.get(letter.path)).status_code == 200

    clock.move(clock.HOUR + clock.SECOND)

    assert (await browser.get(letter.path)).status_code == 404


async def test_asking_for_a_link_tells_nobody_who_has_an_account(instance: Instance, browser: Browser) -> None:
    told = []
    for email in ("alice@example.com", "nobody@example.com"):
        csrf = await browser.csrf("/account/reset")
        with counted(instance) as work:
            answer = await browser.http.post("/account/reset", data={"csrf": csrf, "email": email})
        told.append((answer.status_code, answer.text.replace(email, ""), work))

    assert told[0] == told[1]
    assert [letter.to for letter in await letters(instance)] == ["alice@example.com"]


async def test_what_a_request_leads_to_is_done_at_a_random_moment_soon_afterwards(
    instance: Instance, browser: Browser
) -> None:
    """Whether or not the address has an account: nobody can tell by timing the requests that follow."""
    asked_at = clock.now()
    for number in range(12):
        await browser.send("/account/reset", email="alice@example.com" if number % 2 else f"nobody{number}@example.com")
    await browser.send("/account/sign-up", email="new@example.com", password=FRESH)

    async with instance.database.read() as tx:
        due = [row.run_at for row in await tx.all(select(jobs.c.run_at))]
    assert len(due) == len(set(due)) == 13
    assert all(at - asked_at >= clock.SECOND // 2 for at in due)
    assert all(at - clock.now() <= 5 * clock.SECOND // 2 for at in due)


async def test_guessed_links_lead_nowhere(browser: Browser) -> None:
    for token in ("o_" + "0" * 38, "o_x", "%2e%2e", "o_" + "é" * 38, "A" * 300):
        for path in ("/account/reset/", "/account/verify/", "/account/operator/"):
            answer = await browser.get(path + token)

            assert (answer.status_code, "was already used" in answer.text) == (404, True), path + token


async def test_a_link_of_one_kind_is_none_of_another(instance: Instance, browser: Browser) -> None:
    await browser.send("/account/reset", email="alice@example.com")
    (letter,) = await letters(instance)
    token = letter.path.rpartition("/")[2]

    for path in ("/account/verify/", "/account/operator/"):
        assert (await browser.get(path + token)).status_code == 404


async def test_a_changed_password_signs_out_everywhere_else(instance: Instance) -> None:
    browser, elsewhere = await ada(instance), Browser(instance)
    for one in (browser, elsewhere):
        await one.sign_in("ada@example.com")

    wrong = await browser.send("/account/password", current="a wrong password", password=FRESH)
    done = await browser.send("/account/password", current="a tin of green paint", password=FRESH)

    assert (wrong.status_code, "The password is incorrect." in wrong.text) == (422, True)
    assert done.headers["location"] == "/account?done=password"
    assert (await browser.get("/account")).status_code == 200
    assert (await elsewhere.get("/account")).status_code == 303


async def test_another_address_is_theirs_once_mail_to_it_arrives(instance: Instance) -> None:
    browser = await ada(instance)
    await browser.sign_in("ada@example.com")
    right = {"current": "a tin of green paint"}

    assert (await browser.send("/account/email", email="ada@new.example", current="no")).status_code == 422
    await browser.send("/account/email", email="ada@new.example", **right)
    *_, letter = await letters(instance)
    assert (letter.to, "ada@example.com" in (await browser.get("/account")).text) == ("ada@new.example", True)
    await browser.send(letter.path)

    assert "ada@new.example" in (await browser.get("/account")).text
    *_, notice = await letters(instance)
    assert (notice.to, notice.subject) == ("ada@example.com", "Your email address was changed")
    assert (await Browser(instance).sign_in("ada@new.example")).status_code == 303
    assert (await Browser(instance).sign_in("ada@example.com")).status_code == 422


async def test_an_address_that_somebody_has_is_not_taken_from_them(instance: Instance) -> None:
    browser = await ada(instance)
    await browser.sign_in("ada@example.com")
    await browser.send("/account/email", email="alice@example.com", current="a tin of green paint")
    *_, letter = await letters(instance)

    assert (letter.to, (await browser.send(letter.path)).status_code) == ("alice@example.com", 409)
    assert "ada@example.com" in (await browser.get("/account")).text


async def test_sessions_are_listed_and_ended(instance: Instance) -> None:
    browser, phone, other = await ada(instance), Browser(instance), Browser(instance)
    phone.http.headers["User-Agent"] = "Mozilla/5.0 (iPhone) FxiOS/120 Safari/600"
    for one in (browser, phone, other):
        await one.sign_in("ada@example.com")
    page = (await browser.get("/account")).text
    assert "Firefox on iPhone" in page
    ends = [part.partition('"')[0] for part in page.split('action="')[1:] if part.startswith("/account/sessions/ses_")]

    assert len(ends) == 2
    assert (await browser.send(ends[0], on="/account")).headers["location"] == "/account?done=session"
    assert sorted([(await one.get("/account")).status_code for one in (phone, other)]) == [200, 303]
    await browser.send("/account/sessions/end", on="/account")
    assert [(await one.get("/account")).status_code for one in (browser, phone, other)] == [200, 303, 303]


async def test_another_persons_session_is_not_there(instance: Instance) -> None:
    browser, charlie = await ada(instance), Browser(instance, {"dream_session": instance.charlie.session["owner"]})
    await browser.sign_in("ada@example.com")
    page = (await charlie.get("/account")).text
    assert ">current<" in page
    async with instance.database.read() as tx:
        (theirs,) = await accounts.list_sessions(tx, instance.charlie.user_ids["owner"])

    assert (await browser.send(f"/account/sessions/{theirs.id}/end", on="/account")).status_code == 404
    assert (await charlie.get("/account")).status_code == 200


async def test_who_closes_the_account_leaves_nothing(instance: Instance) -> None:
    browser = await ada(instance)
    await browser.sign_in("ada@example.com")
    form = {"email": "ada@example.com", "current": "a tin of green paint"}

    assert (await browser.send("/account/close", **{**form, "email": "ada"})).status_code == 422
    assert (await browser.send("/account/close", **form)).headers["location"] == "/account/sign-in?done=closed"

    assert (await browser.sign_in("ada@example.com")).status_code == 422
    async with instance.database.read() as tx:
        assert await accounts.find_user_by_email(tx, "ada@example.com") is None


async def test_the_last_owner_of_a_platform_stays(instance: Instance, browser: Browser) -> None:
    await browser.send("/account/reset", email="alice@example.com")
    (letter,) = await letters(instance)
    await browser.send(letter.path, password=FRESH)
    await browser.sign_in("alice@example.com", FRESH)

    answer = await browser.send("/account/close", email="alice@example.com", current=FRESH)

    assert (answer.status_code, "You are the only owner of Alice" in answer.text) == (422, True)
    assert (await browser.get("/account")).status_code == 200
