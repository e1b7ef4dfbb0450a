"""Who starts an instance becomes its operator, by a link that works once."""

import json
import re

import pytest

from dream_api import platforms
from dream_api.core import clock
from dream_api.core.settings import Settings
from tests.cli.terminal import Terminal
from tests.dashboard.account.browser import PASSWORD, Browser
from tests.support.instance import INSTANCE_KEY, Instance
from tests.support.server import Server

FORM = {"email": "op@example.com", "name": "Op", "password": PASSWORD}


def path_of(url: str) -> str:
    assert url.startswith("http://127.0.0.1:8787/account/operator/o_")
    return url.removeprefix("http://127.0.0.1:8787")


async def link(instance: Instance) -> str:
    async with instance.database.write() as tx:
        return f"/account/operator/{(await platforms.create_operator_link(tx, INSTANCE_KEY)).token}"


async def test_the_link_makes_the_operator_once(instance: Instance) -> None:
    path = await link(instance)
    first, second = Browser(instance), Browser(instance)

    weak = await first.send(path, **{**FORM, "password": "1234567890"})
    assert (weak.status_code, "too common" in weak.text) == (422, True)
    assert (await first.send(path, **FORM)).headers["location"] == "/dashboard"

    assert (await second.get(path)).status_code == 404
    assert (await second.sign_in("op@example.com")).status_code == 303
    async with instance.database.read() as tx:
        assert not await platforms.operator_is_missing(tx)


async def test_somebody_signed_in_becomes_the_operator(instance: Instance) -> None:
    path = await link(instance)
    browser = Browser(instance, {"dream_session": instance.charlie.session["owner"]})

    assert (await browser.send(path)).headers["location"] == "/dashboard"

    async with instance.database.read() as tx:
        memberships = await platforms.memberships_of(tx, instance.charlie.user_ids["owner"])
    assert len(memberships) == 2


async def test_only_the_newest_link_works_and_for_a_day(instance: Instance, browser: Browser) -> None:
    former, newest = await link(instance), await link(instance)

    assert [(await browser.get(path)).status_code for path in (former, newest)] == [404, 200]
    clock.move(clock.DAY + clock.SECOND)
    assert (await browser.get(newest)).status_code == 404


async def test_a_taken_address_is_told_and_the_link_still_works(instance: Instance, browser: Browser) -> None:
    path = await link(instance)

    taken = await browser.send(path, **{**FORM, "email": "alice@example.com"})

    assert (taken.status_code, "An account with this email address" in taken.text) == (422, True)
    assert (await browser.send(path, **FORM)).status_code == 303


def test_a_command_makes_a_link(database_settings: Settings) -> None:
    told = Terminal(database_settings).ask("operator-link")

    path_of(told["url"])


@pytest.mark.slow
def test_the_first_start_tells_the_link_until_there_is_an_operator(database_settings: Settings) -> None:
    with Server(database_settings, log_level="info") as server:
        lines = [json.loads(line) for line in server.log.splitlines() if "operator_link" in line]

    (line,) = lines
    assert re.fullmatch(rf"{server.url}/account/operator/o_\w{{38}}", line["url"])
