"""Making an account: by mail, with the same answer for an address that has one already."""

from urllib.parse import quote

import pytest

from dream_api import platforms
from tests.dashboard.account.browser import PASSWORD, Browser, counted, letters
from tests.support.instance import Instance, open_instance


async def test_somebody_new_signs_up_confirms_the_address_and_is_in(instance: Instance, browser: Browser) -> None:
    answer = await browser.sign_up("Ada@Example.com", name="Ada")
    assert (answer.status_code, "Check your email" in answer.text) == (200, True)
    assert browser.session is None

    early = await browser.sign_in("ada@example.com")
    assert (early.status_code, "is not verified" in early.text, browser.session) == (422, True, None)
    (letter,) = await letters(instance)
    assert (letter.to, letter.subject) == ("ada@example.com", "Verify your email address")
    confirmed = await browser.send(letter.path)
    again = await browser.get(letter.path)
    shown = await browser.get(confirmed.headers["location"])
    signed_in = await browser.sign_in("ada@example.com")

    assert (confirmed.status_code, confirmed.headers["location"]) == (303, "/account/sign-in?done=verified")
    assert 'value="ada@example.com"' in shown.text
    assert 'value="ada@example.com"' not in (await Browser(instance).get("/account/sign-in?done=verified")).text
    assert signed_in.headers["location"] == "/dashboard"
    assert "not confirmed" not in (await browser.get("/account")).text
    assert (again.status_code, "was already used" in again.text) == (404, True)


async def test_who_lost_the_letter_comes_in_by_a_new_password(instance: Instance, browser: Browser) -> None:
    """Also where somebody else made the account first: whose password it was no longer opens it."""
    await Browser(instance).sign_up("ada@example.com", "the password of somebody else")
    await browser.sign_up("ada@example.com")
    *_, known = await letters(instance)
    assert known.subject == "You already have an account"
    await browser.send("/account/reset", email="ada@example.com")
    *_, letter = await letters(instance)

    done = await browser.send(letter.path, password=PASSWORD)

    assert 'value="ada@example.com"' in (await browser.get(done.headers["location"])).text
    assert (await browser.sign_in("ada@example.com", "the password of somebody else")).status_code == 422
    assert (await browser.sign_in("ada@example.com")).status_code == 303


async def test_looking_at_a_letters_link_does_nothing(instance: Instance, browser: Browser) -> None:
    await browser.sign_up("ada@example.com")
    (letter,) = await letters(instance)

    for _ in range(3):
        assert (await Browser(instance).get(letter.path)).status_code == 200

    assert (await browser.send(letter.path)).headers["location"] == "/account/sign-in?done=verified"


async def test_a_known_address_is_answered_like_a_new_one_and_its_owner_told(
    instance: Instance, browser: Browser
) -> None:
    answers, work = [], []
    for email in ("somebody@example.com", "alice@example.com"):
        csrf = await browser.csrf("/account/sign-up")
        with counted(instance) as told:
            form = {"csrf": csrf, "email": email, "password": PASSWORD}
            answer = await browser.http.post("/account/sign-up", data=form)
        answers.append((answer.status_code, answer.text.replace(email, "")))
        work.append((told["hashes"], told["statements"]))

    assert answers[0] == answers[1]
    assert work[0] == work[1]
    assert work[0][0] == 1
    assert {letter.to: letter.subject for letter in await letters(instance)} == {
        "somebody@example.com": "Verify your email address",
        "alice@example.com": "You already have an account",
    }
    assert (await browser.sign_in("alice@example.com")).status_code == 422


async def test_what_is_wrong_stands_under_its_field_and_what_was_typed_is_kept(browser: Browser) -> None:
    cases = [
        ("email", {"email": "ada"}, "Enter a valid email address."),
        ("email", {"email": "ada@b@example.com"}, "Enter a valid email address."),
        ("name", {"name": "A" * 121}, "at most 120 printable characters"),
        ("password", {"password": "short"}, "The password must be 10 to 200 characters long."),
        ("password", {"password": "ADA@example.com"}, "The password must not be your email address."),
        ("password", {"password": "Password1234"}, "too common"),
        ("password", {"password": "aaaaaaaaaaaa"}, "too common"),
    ]
    for field, wrong, sentence in cases:
        typed = {"email": "ada@example.com", "name": "<b>Ada</b>", "password": PASSWORD, **wrong}
        answer = await browser.send("/account/sign-up", **typed)

        assert answer.status_code == 422
        at = answer.text.index(f'id="{field}"')
        assert 'aria-invalid="true"' in answer.text[at : at + 300]
        assert sentence in answer.text[at : at + 600], (field, answer.text[at : at + 600])
        assert typed["password"] not in answer.text or field == "email"
        assert "<b>" not in answer.text
        assert f'value="{typed["email"]}"' in answer.text


async def test_letters_hold_nothing_that_a_stranger_chose(instance: Instance, browser: Browser) -> None:
    await browser.sign_up("ada@example.com", name="Win at https://evil.example")

    (letter,) = await letters(instance)

    assert "evil" not in letter.text


async def test_nobodys_mailbox_is_filled_by_others(instance: Instance, browser: Browser) -> None:
    for _ in range(15):
        await browser.send("/account/reset", email="alice@example.com")

    assert len(await letters(instance)) == 10


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_where_one_must_be_invited_only_that_address_joins_by_its_invitation(instance: Instance) -> None:
    settings = instance.settings.model_copy(update={"sign_up": "invited"})
    token = platforms.new_token()
    async with instance.database.write() as tx:
        owner = instance.alice.project.platform_no
        await platforms.invite(tx, owner, "ada@example.com", "member", token, by="owner", invited_by="Alice")
    async with open_instance(settings, cast=(instance.alice, instance.charlie)) as closed:
        browser = Browser(closed)
        for path in ("/dashboard", "/account/invitation/x", f"/account/invitation/{token[:-1]}"):
            assert (await browser.get(f"/account/sign-up?next={path}")).status_code == 403
        page = f"/account/sign-up?next=/account/invitation/{token}"
        form = {"next": f"/account/invitation/{token}", "password": PASSWORD}
        assert 'value="ada@example.com"' in (await browser.get(page)).text
        another = await browser.send("/account/sign-up", on=page, email="eve@example.com", **form)
        assert (another.status_code, "sent to another address" in another.text) == (422, True)
        bare = {**form, "next": "/dashboard"}
        assert (await browser.send("/account/sign-up", on=page, email="ada@example.com", **bare)).status_code == 403

        joined = await browser.send("/account/sign-up", on=page, email="ada@example.com", **form)
        assert (joined.status_code, joined.headers["location"]) == (303, form["next"])
        await browser.send(f"/account/invitation/{token}")

        assert "Alice" in (await browser.get("/account/tokens")).text
        assert (await browser.send("/account/close", email="ada@example.com", current=PASSWORD)).status_code == 303
        async with closed.database.read() as tx:
            assert len(await platforms.members_of(tx, owner)) == 4


async def test_after_the_confirmation_one_goes_on_to_where_one_wanted_to_go(
    instance: Instance, browser: Browser
) -> None:
    await browser.sign_up("ada@example.com", next="/dashboard/welcome")
    (letter,) = await letters(instance)

    confirmed = await browser.send(letter.path)

    assert confirmed.headers["location"].endswith(f"&next={quote('/dashboard/welcome', safe='')}")
    assert 'name="next" value="/dashboard/welcome"' in (await browser.get(confirmed.headers["location"])).text


async def test_whom_an_invitation_was_sent_to_finds_the_address_filled_in(instance: Instance, browser: Browser) -> None:
    token = platforms.new_token()
    async with instance.database.write() as tx:
        owner = instance.alice.project.platform_no
        await platforms.invite(tx, owner, "ada@example.com", "member", token, by="owner", invited_by="Alice")

    invited = await browser.get(f"/account/sign-up?next=/account/invitation/{token}")
    stranger = await browser.get(f"/account/sign-up?next=/account/invitation/{token[:-1]}")

    assert 'value="ada@example.com"' in invited.text
    assert stranger.status_code == 200
    assert "ada@example.com" not in stranger.text
