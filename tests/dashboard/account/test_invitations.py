"""An invitation waits for its address in every browser, and its link proves the address."""

import re

import httpx2 as httpx
import pytest
import sqlalchemy as sa

from dream_api import accounts, platforms
from dream_api.accounts import Role
from dream_api.catalog import TierLimit
from dream_api.core import clock
from dream_api.usage import Window
from tests.dashboard.account.browser import PASSWORD, Browser, letters, recorded
from tests.support.instance import Account, Instance
from tests.tenancy.team import actions_of, invite, link_to, team_of

ADA = "ada@example.com"


async def _invited(instance: Instance, by: Account, email: str = ADA, role: Role = "member") -> str:
    """The path of the link that was sent."""
    answer = await invite(instance, by, email, role)
    assert answer.status_code == 201, answer.text
    return await link_to(instance, email)


async def _register(
    browser: Browser, link: str, email: str = ADA, password: str = PASSWORD, name: str = "Ada"
) -> httpx.Response:
    page = f"/account/sign-up?next={link}"
    return await browser.send("/account/sign-up", on=page, email=email, password=password, name=name, next=link)


async def _waiting(browser: Browser) -> list[str]:
    """The addresses of the forms that accept an invitation."""
    return re.findall(r'action="(/account/invitations/\w+/accept)"', (await browser.get("/account/invitations")).text)


async def _answer(browser: Browser, action: str) -> httpx.Response:
    return await browser.send(action, on="/account/invitations")


async def _subjects(instance: Instance) -> list[str]:
    return [letter.subject for letter in await letters(instance) if letter.to == ADA]


@pytest.mark.both
async def test_whoever_registers_by_the_link_has_proved_the_address(instance: Instance, browser: Browser) -> None:
    link = await _invited(instance, instance.alice)

    registered = await _register(browser, link, "Ada@Example.com")
    accepted = await browser.send(link)

    assert (registered.status_code, registered.headers["location"]) == (303, link)
    assert accepted.headers["location"] == f"/dashboard/{instance.alice.project.platform_id}/projects"
    assert (await team_of(instance, instance.alice))[ADA] == "member"
    assert await _subjects(instance) == ["You are invited to Alice"]
    assert (await Browser(instance).sign_in(ADA)).status_code == 303
    assert {"user.signed_up", "session.opened"} <= set(await recorded(instance, ADA))


async def test_it_waits_where_the_address_was_confirmed_in_another_browser(instance: Instance) -> None:
    await _invited(instance, instance.alice)
    registering, confirming, elsewhere = Browser(instance), Browser(instance), Browser(instance)
    await registering.sign_up(ADA)
    *_, letter = await letters(instance)
    confirmed = await confirming.send(letter.path)

    signed_in = await elsewhere.sign_in(ADA)
    shown = await elsewhere.get("/account/invitations")
    welcome = await elsewhere.get("/dashboard/welcome")
    (accept,) = await _waiting(elsewhere)
    again = (await elsewhere.get("/dashboard")).headers["location"]
    accepted = await _answer(elsewhere, accept)

    assert confirmed.headers["location"] == "/account/sign-in?done=verified"
    assert signed_in.headers["location"] == again == "/account/invitations"
    assert "Alice" in shown.text
    assert 'href="/account/invitations"' in welcome.text
    assert 'href="/account/invitations"' not in (await elsewhere.get("/account")).text
    assert accepted.headers["location"] == f"/dashboard/{instance.alice.project.platform_id}/projects"
    assert (await team_of(instance, instance.alice))[ADA] == "member"
    assert (await Browser(instance).sign_in(ADA)).headers["location"] == "/dashboard"


async def test_members_of_another_platform_find_it_as_well(instance: Instance, browser: Browser) -> None:
    await _register(browser, link := await _invited(instance, instance.charlie))
    await browser.send(link)
    await _invited(instance, instance.alice, role="viewer")

    signed_in = await Browser(instance).sign_in(ADA)
    asked = await Browser(instance).sign_in(ADA, next="/account/tokens")

    assert signed_in.headers["location"] == "/account/invitations"
    assert 'href="/account/invitations"' in (await browser.get("/account")).text
    assert asked.headers["location"] == "/account/tokens"


@pytest.mark.both
async def test_a_declined_invitation_is_over(instance: Instance, browser: Browser) -> None:
    link = await _invited(instance, instance.alice)
    await _register(browser, link)
    (accept,) = await _waiting(browser)

    declined = await _answer(browser, accept.replace("/accept", "/decline"))
    again = await browser.http.post(accept, data={"csrf": await browser.csrf("/account/invitations")})

    assert declined.headers["location"] == "/account/invitations"
    assert (await browser.get("/account/invitations")).text.count("You have no open invitations.") == 1
    assert (again.status_code, "has expired or was revoked" in again.text) == (404, True)
    assert (await browser.get(link)).status_code == 404
    assert (await browser.get("/dashboard")).headers["location"] == "/dashboard/welcome"
    assert (await actions_of(instance, instance.alice))[-1] == "member.declined"
    assert ADA not in await team_of(instance, instance.alice)


@pytest.mark.both
async def test_who_made_an_account_in_anothers_name_does_not_get_in_by_the_invitation(instance: Instance) -> None:
    """Their password, session, name and link end as soon as the invited person registers by the link."""
    mallory, ada = Browser(instance), Browser(instance)
    await mallory.sign_up(ADA, "the password of somebody else", name="Mallory")
    *_, confirmation = await letters(instance)
    async with instance.database.write() as tx:  # as it was possible before one had to confirm the address first
        user = await accounts.find_user_by_email(tx, ADA)
        assert user is not None
        opened = await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")
    link = await _invited(instance, instance.alice)
    inside = Browser(instance, {"dream_session": opened.token})
    (invitation,) = await _open_invitations(instance)
    early = await inside.http.post(
        f"/account/invitations/{invitation}/accept", data={"csrf": await inside.csrf("/account/invitations")}
    )
    assert (early.status_code, await _waiting(inside)) == (403, [])

    registered = await _register(ada, link)

    assert registered.headers["location"] == link
    assert (await mallory.sign_in(ADA, "the password of somebody else")).status_code == 422
    assert (await inside.get("/account")).status_code == 303
    assert (await mallory.get(confirmation.path)).status_code == 404
    page = (await ada.get("/account")).text
    assert ("Mallory" in page, ">Ada<" in page) == (False, True)
    assert (await Browser(instance).sign_in(ADA)).status_code == 303


async def _open_invitations(instance: Instance) -> list[str]:
    async with instance.database.read() as tx:
        return [row.id for row in await platforms.list_open_invitations(tx, ADA)]


@pytest.mark.both
async def test_the_link_changes_nothing_of_an_account_whose_address_is_verified(instance: Instance) -> None:
    first, second = Browser(instance), Browser(instance)
    await _register(first, link := await _invited(instance, instance.alice))

    again = await _register(second, link, password="another good password")
    page = await second.get(again.headers["location"])

    assert again.headers["location"].startswith("/account/sign-in?done=known&next=%2Faccount%2Finvitation%2F")
    assert ("You already have an account" in page.text, f'value="{ADA}"' in page.text) == (True, True)
    assert second.session is None
    assert (await second.sign_in(ADA, "another good password")).status_code == 422
    assert (await first.get("/account")).status_code == 200
    assert (await second.sign_in(ADA, next=link)).headers["location"] == link


@pytest.mark.parametrize("ended", ["revoked", "sent again", "expired", "of another address", "cut off"])
async def test_only_an_open_invitation_of_the_address_proves_it(
    instance: Instance, browser: Browser, ended: str
) -> None:
    alice = instance.alice
    link = await _invited(instance, alice, "eve@example.com" if ended == "of another address" else ADA)
    async with instance.database.read() as tx:
        invitation = await tx.scalar(sa.text("SELECT id FROM invitations"))
    api, owner = f"/api/team/invitations/{invitation}", alice.at_api()
    if ended == "revoked":
        await instance.api.delete(api, headers=owner)
    if ended == "sent again":
        assert (await instance.api.post(f"{api}/send", headers=owner)).status_code == 200
    if ended == "expired":
        clock.move(7 * clock.DAY)
    if ended == "cut off":
        link = link[:-1]

    answer = await _register(browser, link)

    assert ("Check your email" in answer.text, browser.session) == (True, None)
    assert (await browser.sign_in(ADA)).status_code == 422
    assert (await _subjects(instance))[-1] == "Verify your email address"


async def test_nobody_answers_the_invitation_of_another_address(instance: Instance, browser: Browser) -> None:
    await _invited(instance, instance.alice)
    (invitation,) = await _open_invitations(instance)
    charlie = Browser(instance, {"dream_session": instance.charlie.session["owner"]})

    for answer in ("accept", "decline"):
        path = f"/account/invitations/{invitation}/{answer}"
        foreign = await charlie.http.post(path, data={"csrf": await charlie.csrf("/account/invitations")})
        unsigned = await browser.http.post(path, data={})
        forged = await charlie.http.post(path, data={"csrf": "x"})

        assert (foreign.status_code, forged.status_code) == (404, 403), answer
        assert unsigned.headers["location"].startswith("/account/sign-in"), answer
    assert await _waiting(charlie) == []
    assert await _open_invitations(instance) == [invitation]


async def test_a_full_platform_says_so_and_the_invitation_goes_on_waiting(instance: Instance, browser: Browser) -> None:
    await _register(browser, await _invited(instance, instance.alice))
    (accept,) = await _waiting(browser)
    await instance.set_level(3, TierLimit(4, meter="members", window=Window.LIFE))

    answer = await _answer(browser, accept)

    assert (answer.status_code, "which allows 4 members" in answer.text) == (403, True)
    assert await _waiting(browser) == [accept]
