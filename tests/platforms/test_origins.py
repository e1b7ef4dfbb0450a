"""Where a project's people may come from and be sent to."""

import pytest

from dream_api import platforms
from dream_api.core.errors import AppError, ValidationFailed
from dream_api.platforms import Mode, OriginNotAllowed, Project, RedirectNotAllowed
from dream_api.platforms.origins import normalize_origin
from tests.support.cases import each_case
from tests.support.instance import Account, Instance

LISTED = ("https://good.com", "https://*.shop.example", "https://odd.example:8443", "https://xn--bcher-kva.example")
PROJECT = Project("plt_1", 1, "prj_1", 1, "Shop", "saas", LISTED)


def may_be_sent_to(url: str, mode: Mode = "live") -> bool:
    try:
        platforms.require_allowed_redirect(PROJECT, mode, url, "successUrl")
    except RedirectNotAllowed:
        return False
    return True


@each_case(
    "url",
    [
        "https://good.com",
        "https://good.com/",
        "https://good.com/thanks?order={ORDER}&a=b#done",
        "https://good.com?next=https://evil.com",
        "https://good.com#@evil.com",
        "https://good.com/@evil.com",
        "HTTPS://GOOD.COM/Thanks",
        "https://good.com:443/",
        "https://good.com:0443/",
        "https://odd.example:8443/thanks",
        "https://eu.shop.example/",
        "https://xn--bcher-kva.example/",
        "https://good.com/" + "a" * 2031,
    ],
)
def test_people_are_sent_to_what_is_listed(url: str) -> None:
    assert may_be_sent_to(url)


@each_case(
    "url",
    [
        "",
        "/thanks",
        "good.com",
        "//good.com",
        "//evil.com",
        "///evil.com",
        "https:good.com",
        "https:/good.com",
        "https:///good.com",
        "https:\\\\good.com",
        "https://good.com\\@evil.com",
        "https://good.com\\.evil.com",
        "https://evil.com\\good.com",
        "https://good.com/\\evil.com",
        "https://good.com@evil.com",
        "https://good.com:443@evil.com",
        "https://user@good.com",
        "https://user:pass@good.com",
        "https://@good.com",
        "https://good.com.evil.com",
        "https://evilgood.com",
        "https://good.com.",
        "https://good.com..",
        "https://.good.com",
        "https://good..com",
        "https://www.good.com",
        "https://good.co",
        "https://good.com:8443",
        "https://good.com:80",
        "https://good.com:",
        "https://good.com:0",
        "https://good.com:65536",
        "https://good.com:99999999999",
        "https://good.com:443a",
        "https://good.com:+443",
        "http://good.com",
        "http://good.com:443",
        "ftp://good.com",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://good.com",
        "data:text/html,hello",
        "https://good.com%2eevil.com",
        "https://good.com%00.evil.com",
        "https://good%2ecom",
        "https://good.com%20",
        " https://good.com",
        "https://good.com ",
        "https://good.com\n",
        "\thttps://good.com",
        "https://good.com/\r\nSet-Cookie: a=b",
        "https://go\tod.com",
        "https://good.com/\x00",
        "https://good.com/\x7f",
        "https://good.com/\x85",
        "https://good.com/käse",
        "https://gооd.com",  # with Cyrillic letters
        "https://good。com",
        "https://ｇood.com",
        "https://good.com\u2028",
        "https://good.com/\u202e",
        "https://bücher.example",
        "httpſ://good.com",
        "https://shop.example",
        "https://a.b.shop.example",
        "https://*.shop.example",
        "https://.shop.example",
        "https://-.shop.example",
        "https://eu.shop.example.evil.com",
        "https://eushop.example",
        "https://eu.shop.example:8443",
        "http://eu.shop.example",
        "https://[::1]@good.com",
        "https://[good.com]",
        "https://good.com[",
        "https://localhost",
        "http://127.0.0.1:3000",
        "https://good.com/" + "a" * 2032,
    ],
)
def test_people_are_not_sent_elsewhere(url: str) -> None:
    assert not may_be_sent_to(url)


@each_case(
    "url",
    [
        "http://localhost",
        "http://LOCALHOST:3000/thanks",
        "https://localhost:8443/",
        "http://127.0.0.1:5173/?a=b",
        "http://[::1]:3000/",
        "http://[::1]",
    ],
)
def test_in_test_mode_people_are_sent_to_this_machine(url: str) -> None:
    assert may_be_sent_to(url, "test")
    assert not may_be_sent_to(url, "live")


@each_case(
    "url",
    [
        "http://localhost.evil.com",
        "http://localhost@evil.com",
        "http://evil.localhost",
        "http://localhost.",
        "http://127.0.0.1.evil.com",
        "http://127.1",
        "http://127.0.0.2",
        "http://0x7f.0.0.1",
        "http://2130706433",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::ffff:127.0.0.1]",
        "http://[::1%25lo]",
        "http://[::1].evil.com",
        "http://[::1]evil.com",
        "//localhost",
    ],
)
def test_what_only_looks_like_this_machine_is_not(url: str) -> None:
    assert not may_be_sent_to(url, "test")


def test_a_refusal_tells_the_command_that_would_list_the_website() -> None:
    with pytest.raises(RedirectNotAllowed) as refused:
        platforms.require_allowed_redirect(PROJECT, "live", "https://New.example/thanks", "cancelUrl")

    assert refused.value.param == "cancelUrl"
    assert refused.value.sentence == "The origin https://new.example is not one of the project's origins."
    assert refused.value.hint == "List it: `dream-api project origins prj_1 --add https://new.example`."


def test_what_could_not_be_listed_is_not_told_to_be() -> None:
    with pytest.raises(RedirectNotAllowed) as refused:
        platforms.require_allowed_redirect(PROJECT, "live", "http://good.com", "cancelUrl")

    assert refused.value.hint == "Use https:// instead of http://."


# Browsers.


@each_case(
    ("origin", "mode", "may"),
    [
        ("https://good.com", "live", True),
        ("https://eu.shop.example", "live", True),
        ("https://odd.example:8443", "test", True),
        ("http://localhost:3000", "test", True),
        ("http://localhost:3000", "live", False),
        ("https://evil.com", "test", False),
        ("https://good.com/", "live", False),
        ("https://GOOD.com", "live", False),
        ("https://good.com:443", "live", False),
        ("https://*.shop.example", "live", False),
        ("http://good.com", "live", False),
        ("null", "test", False),
        ("file://", "test", False),
        ("", "test", False),
        ("https://good.com, https://evil.com", "live", False),
    ],
)
def test_browsers_call_from_what_is_listed(origin: str, mode: Mode, may: bool) -> None:
    try:
        platforms.require_allowed_origin(PROJECT, mode, origin)
    except OriginNotAllowed:
        assert not may
    else:
        assert may


# What may be listed.


@each_case(
    ("text", "origin"),
    [
        ("https://myapp.com", "https://myapp.com"),
        (" HTTPS://MyApp.com:443/ ", "https://myapp.com"),
        ("https://*.myapp.com", "https://*.myapp.com"),
        ("https://*.myapp.co.uk:8443", "https://*.myapp.co.uk:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:80", "http://[::1]"),
        ("https://203.0.113.7", "https://203.0.113.7"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(text: str, origin: str) -> None:
    assert normalize_origin(text) == origin


@each_case(
    "text",
    [
        "",
        "myapp.com",
        "http://myapp.com",
        "https://myapp.com/shop",
        "https://myapp.com?",
        "https://me@myapp.com",
        "https://*",
        "https://*.com",
        "https://*.localhost",
        "https://*.1.2.3",
        "https://a.*.myapp.com",
        "https://*.*.myapp.com",
        "https://a*.myapp.com",
        "https://*myapp.com",
        "https://myapp.com.",
        "https://büro.example",
        "https://myapp.com:0",
        "https://" + ".".join(["a" * 60] * 5),
        "null",
        "*",
    ],
)
def test_what_is_no_origin_is_not_listed(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        normalize_origin(text, "add")

    assert refused.value.param == "add"


async def change(
    instance: Instance, who: Account, *, add: list[str] | None = None, remove: list[str] | None = None
) -> None:
    async with instance.database.write() as tx:
        await platforms.change_origins(tx, who.project, add=add or [], remove=remove or [])


async def origins_of(instance: Instance, who: Account) -> tuple[str, ...]:
    project = await instance.authenticator.find_project(who.project.id)
    assert project is not None
    return project.origins


async def test_origins_come_and_go_at_once_and_stay_in_order(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    assert await origins_of(instance, alice) == ("https://myapp.com",)

    await change(instance, alice, add=["https://b.example", "https://a.example", "https://b.example"])
    assert await origins_of(instance, alice) == ("https://myapp.com", "https://b.example", "https://a.example")
    await change(instance, alice, add=["https://c.example"], remove=["https://B.example/"])
    assert await origins_of(instance, alice) == ("https://myapp.com", "https://a.example", "https://c.example")
    assert await origins_of(instance, charlie) == ("https://myapp.com",)


async def test_what_is_not_listed_cannot_be_removed_and_nothing_changes(instance: Instance, alice: Account) -> None:
    with pytest.raises(AppError, match=r"https://other\.example is not one of"):
        await change(instance, alice, add=["https://new.example"], remove=["https://other.example"])

    assert await origins_of(instance, alice) == ("https://myapp.com",)


async def test_a_project_lists_fifty(instance: Instance, alice: Account) -> None:
    await change(instance, alice, add=[f"https://{place}.example" for place in range(49)])

    with pytest.raises(ValidationFailed):
        await change(instance, alice, add=["https://more.example"])
    assert len(await origins_of(instance, alice)) == 50
