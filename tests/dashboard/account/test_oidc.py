"""Sign-in by another provider: only what it really vouches for opens the door."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2 as httpx
import pytest
from pydantic import SecretStr

from dream_api import accounts
from dream_api.core import clock
from dream_api.core.settings import Settings
from tests.dashboard.account.browser import Browser, letters, recorded, work_off
from tests.identity.oidc_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    EC_KEY,
    OTHER_KEY,
    RSA_KEY,
    OidcServer,
    public_pem,
    query,
)
from tests.support.instance import Cast, Instance, open_instance
from tests.tenancy.team import invite, link_to


@pytest.fixture
def provider() -> Iterator[OidcServer]:
    with OidcServer() as server:
        yield server


@pytest.fixture
def sign_up() -> str:
    return "open"


@pytest.fixture
async def instance(
    database_settings: Settings, cast: Cast, provider: OidcServer, sign_up: str
) -> AsyncIterator[Instance]:
    more = {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": SecretStr(CLIENT_SECRET),
        "oidc_name": "Example",
        "sign_up": sign_up,
    }
    async with open_instance(database_settings.model_copy(update=more), cast=cast) as opened:
        yield opened


async def begin(browser: Browser, next: str = "/dashboard") -> str:
    answer = await browser.get(f"/account/oidc/start?next={next}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def come_back(browser: Browser, told: dict[str, str]) -> httpx.Response:
    return await browser.get(f"/account/oidc/callback?{query(told)}")


async def sign_in(browser: Browser, provider: OidcServer, next: str = "/dashboard") -> httpx.Response:
    return await come_back(browser, provider.authorize(await begin(browser, next)))


async def test_somebody_new_comes_in_and_is_the_same_person_the_next_time(
    instance: Instance, provider: OidcServer
) -> None:
    first, second = Browser(instance), Browser(instance)
    assert "Continue with Example" in (await first.get("/account/sign-in")).text

    answer = await sign_in(first, provider, "/dashboard/x")
    provider.person |= {"email": "ada@elsewhere.example", "email_verified": False}
    provider.signing = (EC_KEY, "ES256", "ec")
    again = await sign_in(second, provider)

    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard/x")
    assert again.status_code == 303
    for browser in (first, second):
        page = (await browser.get("/account")).text
        assert "ada@example.com" in page
        assert "not confirmed" not in page


async def test_who_tells_more_only_when_asked_is_asked(instance: Instance, provider: OidcServer) -> None:
    provider.is_terse = True
    browser = Browser(instance)

    assert (await sign_in(browser, provider)).status_code == 303
    assert "/userinfo" in provider.asked


async def test_a_verified_address_opens_the_account_that_has_it(instance: Instance, provider: OidcServer) -> None:
    provider.person["email"] = "Alice@example.com"
    browser = Browser(instance)

    await sign_in(browser, provider)

    assert (await browser.get("/account")).text.count("alice@example.com") >= 1
    await sign_in(Browser(instance), provider)
    assert (await recorded(instance, "alice@example.com")).count("identity.linked") == 1
    assert [letter.subject for letter in await letters(instance)] == ["A sign-in through Example was added"]
    assert (await browser.get("/dashboard")).headers["location"] == f"/dashboard/{instance.alice.project.id}/test"


async def test_whoever_made_the_account_in_anothers_name_loses_it(instance: Instance, provider: OidcServer) -> None:
    ada, mallory = Browser(instance), Browser(instance)
    await mallory.sign_up("ada@example.com")
    await work_off(instance)
    async with instance.database.write() as tx:  # as it was possible before one had to confirm the address first
        user = await accounts.find_user_by_email(tx, "ada@example.com")
        assert user is not None
        opened = await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")
    mallory = Browser(instance, {"dream_session": opened.token})
    assert (await mallory.get("/account")).status_code == 200

    assert (await sign_in(ada, provider)).status_code == 303

    assert (await mallory.get("/account")).status_code == 303
    assert (await mallory.sign_in("ada@example.com")).status_code == 422


async def test_an_address_that_nobody_verified_opens_nothing(instance: Instance, provider: OidcServer) -> None:
    for odd in (False, None, "yes", 1):
        provider.person |= {"email": "alice@example.com", "email_verified": odd, "sub": f"s{odd}"}
        answer = await sign_in(Browser(instance), provider)
        assert (answer.status_code, "has not verified" in answer.text) == (422, True), odd


async def invited(instance: Instance, email: str) -> str:
    """The path of the link that is sent to the address."""
    answer = await invite(instance, instance.charlie, email)
    assert answer.status_code == 201, answer.text
    return await link_to(instance, email)


async def test_an_invitation_waits_for_who_comes_by_a_provider(instance: Instance, provider: OidcServer) -> None:
    await invited(instance, "ada@example.com")
    browser = Browser(instance)

    answer = await sign_in(browser, provider)

    assert answer.headers["location"] == "/account/invitations"
    assert "Charlie" in (await browser.get("/account/invitations")).text


async def test_the_link_of_an_invitation_proves_an_address_that_the_provider_did_not(
    instance: Instance, provider: OidcServer
) -> None:
    """Only that address, and only where nobody has verified it before."""
    links = {email: await invited(instance, email) for email in ("ada@example.com", "alice@example.com")}
    await Browser(instance).sign_up("ada@example.com", "the password of somebody else")
    provider.person |= {"email": "ada@example.com", "email_verified": False}

    other = await sign_in(Browser(instance), provider, links["alice@example.com"])
    proved = await sign_in(browser := Browser(instance), provider, links["ada@example.com"])
    provider.person |= {"email": "alice@example.com", "sub": "another"}
    taken = await sign_in(Browser(instance), provider, links["alice@example.com"])

    assert (proved.status_code, proved.headers["location"]) == (303, links["ada@example.com"])
    assert (await browser.send(links["ada@example.com"])).status_code == 303
    for refused in (other, taken):
        assert (refused.status_code, "has not verified" in refused.text) == (422, True)
    assert (await Browser(instance).sign_in("ada@example.com", "the password of somebody else")).status_code == 422


async def test_an_answer_counts_once_in_the_browser_that_asked(instance: Instance, provider: OidcServer) -> None:
    browser, other = Browser(instance), Browser(instance)
    told = provider.authorize(await begin(browser))

    assert (await come_back(other, told)).status_code == 422
    assert (await come_back(browser, {**told, "state": "x"})).status_code == 422
    told = provider.authorize(await begin(browser))
    assert (await come_back(browser, {**told, "iss": "https://evil.example"})).status_code == 422
    told = provider.authorize(await begin(browser))
    cookie = str(browser.http.cookies.get("dream_oidc"))
    assert (await come_back(browser, told)).status_code == 303
    replaying = Browser(instance, {"dream_oidc": cookie})
    assert (await come_back(replaying, told)).status_code == 422
    assert other.session is None
    assert replaying.session is None


async def test_a_sign_in_that_took_too_long_begins_again(instance: Instance, provider: OidcServer) -> None:
    browser = Browser(instance)
    told = provider.authorize(await begin(browser))
    cookie = str(browser.http.cookies.get("dream_oidc"))
    clock.move(11 * clock.MINUTE)

    answer = await come_back(Browser(instance, {"dream_oidc": cookie}), told)

    assert (answer.status_code, "took too long" in answer.text) == (422, True)


async def test_a_token_that_is_not_for_us_opens_nothing(instance: Instance, provider: OidcServer) -> None:
    now = int(time.time())
    odd: dict[str, dict[str, Any]] = {
        "another's": {"aud": "another"},
        "several's": {"aud": [CLIENT_ID, "another"]},
        "another's party": {"azp": "another"},
        "another issuer": {"iss": "https://evil.example"},
        "expired": {"exp": now - 120},
        "without an end": {"exp": None},
        "of tomorrow": {"iat": now + 86_400},
        "of another sign-in": {"nonce": "x"},
        "without a nonce": {"nonce": None},
        "of nobody": {"sub": None},
    }
    for name, claims in odd.items():
        provider.claims = claims
        browser = Browser(instance)
        assert ((await sign_in(browser, provider)).status_code, browser.session) == (422, None), name

    provider.claims = {}
    signings: dict[str, tuple[Any, str, str]] = {
        "another key": (OTHER_KEY, "RS256", "rsa"),
        "an unknown key": (OTHER_KEY, "RS256", "other"),
        "no signature": (None, "none", "rsa"),
        "a shared secret": ("secret", "HS256", "oct"),
    }
    for name, provider.signing in signings.items():
        browser = Browser(instance)
        assert ((await sign_in(browser, provider)).status_code, browser.session) == (422, None), name
    provider.signing = (RSA_KEY, "RS256", "rsa")
    assert (await sign_in(Browser(instance), provider)).status_code == 303


async def test_a_public_key_is_no_shared_secret(
    instance: Instance, provider: OidcServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classic: a token signed with HS256, under the provider's public key as if that were a secret."""

    def forge(claims: dict[str, Any], *_: Any, **__: Any) -> str:
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in ({"alg": "HS256", "typ": "JWT", "kid": "rsa"}, claims)
        ]
        mac = hmac.new(public_pem(), ".".join(parts).encode(), hashlib.sha256).digest()
        return ".".join([*parts, base64.urlsafe_b64encode(mac).decode().rstrip("=")])

    monkeypatch.setattr("tests.identity.oidc_server.jwt.encode", forge)

    assert (await sign_in(Browser(instance), provider)).status_code == 422


@pytest.mark.parametrize("sign_up", ["invited", "closed"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_where_not_everybody_may_join_only_those_who_have_accounts_come_in(
    instance: Instance, provider: OidcServer
) -> None:
    answer = await sign_in(Browser(instance), provider)
    assert (answer.status_code, "no account with this email address" in answer.text) == (422, True)
    async with instance.database.read() as tx:
        assert await accounts.find_user_by_email(tx, "ada@example.com") is None
    assert (await Browser(instance).get("/account/sign-up")).status_code == 403

    provider.person["email"] = "alice@example.com"
    assert (await sign_in(Browser(instance), provider)).status_code == 303


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_provider_that_contradicts_itself_or_refuses_is_a_sentence(
    instance: Instance, provider: OidcServer
) -> None:
    browser = Browser(instance)
    told = provider.authorize(await begin(browser))
    provider.codes.clear()
    assert "did not return your profile" in (await come_back(browser, told)).text
    told = provider.authorize(await begin(browser))
    assert "did not sign you in" in (await come_back(browser, {"error": "access_denied", "state": told["state"]})).text


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    "document", [{"issuer": "https://evil.example"}, {"authorization_endpoint": "http://evil.example/"}]
)
async def test_a_provider_that_leads_elsewhere_is_not_followed(
    instance: Instance, provider: OidcServer, document: dict[str, str]
) -> None:
    provider.document = document

    answer = await Browser(instance).get("/account/oidc/start")

    assert (answer.status_code, "provider_sign_in_failed" in answer.text) == (403, True)
