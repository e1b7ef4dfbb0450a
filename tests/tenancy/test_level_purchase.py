"""Platforms buy their level like any customer buys a plan."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest

from dream_api import accounts, audit, platforms
from dream_api.catalog import TierLimit
from dream_api.core.settings import Settings
from dream_api.usage import Window
from tests.billing.developer import GOOD, URLS
from tests.support.instance import Cast, Instance, bearer, open_instance

pytestmark = pytest.mark.both

BOUGHT = dict.fromkeys(URLS, "http://localhost:3000")


@pytest.fixture
async def instance(database_settings: Settings, cast: Cast) -> AsyncIterator[Instance]:
    """An instance whose levels are sold through the sandbox."""
    async with open_instance(database_settings.model_copy(update={"home_mode": "test"}), cast=cast) as opened:
        yield opened


async def buy(instance: Instance, level: int, role: str = "owner") -> httpx.Response:
    headers = bearer(instance.alice.token[role])
    return await instance.api.post("/create-checkout", headers=headers, json={"level": level, **BOUGHT})


async def test_a_platform_buys_a_level_and_its_limit_rises(instance: Instance):
    for number, most in ((0, 2), (1, 5)):
        await instance.set_level(number, TierLimit(most, "requests", Window.MONTH), mode="test")
    await instance.assign(instance.alice, 0, mode="test")
    asked = {"headers": {**instance.alice.live, "X-User-Id": "ada"}}
    for _ in range(2):
        assert (await instance.api.post("/api/data", **asked)).status_code == 200
    assert (await instance.api.post("/api/data", **asked)).json()["code"] == "level_limit_reached"

    page = httpx.URL((await buy(instance, 1)).json()["url"]).path
    paid = await instance.api.post(f"{page}/pay", json={"card": GOOD})

    assert paid.status_code == 200, paid.text
    await instance.changes.poll()
    for _ in range(3):
        assert (await instance.api.post("/api/data", **asked)).status_code == 200
    assert (await instance.api.post("/api/data", **asked)).json()["code"] == "level_limit_reached"


async def levels_recorded(instance: Instance) -> list[tuple[str, str, str]]:
    async with instance.database.read() as tx:
        found = await audit.list_entries(tx, instance.alice.project.log_stream, limit=100, action="level.changed")
    return [(entry.by.kind, entry.about, entry.details["level"]) for entry in reversed(found)]


async def test_a_level_is_recorded_once_it_is_paid_for_and_when_it_ends(instance: Instance):
    platform_id = instance.alice.project.platform_id
    await instance.assign(instance.alice, 0, mode="test")
    form = instance.alice.form(level="2")
    page = await instance.api.post(f"/dashboard/{platform_id}/level", headers=instance.alice.cookie(), data=form)
    assert (page.status_code, await levels_recorded(instance)) == (303, [])

    paid = await instance.api.post(f"{httpx.URL(page.headers['location']).path}/pay", json={"card": GOOD})

    assert paid.status_code == 200, paid.text
    assert await levels_recorded(instance) == [("system", platform_id, "2")]
    async with instance.database.write() as tx:
        operator = await platforms.operator_platform(tx)
        token = (await accounts.issue_token(tx, operator.no, "owner", created_by="test")).token
        home_id = await platforms.home_project_id(tx)
    by = {**bearer(token), "X-Project-Id": home_id or ""}
    [bought] = (await instance.api.get("/api/subscriptions", headers=by)).json()["data"]
    path = f"/api/subscriptions/{bought['id']}/cancel"
    ended = await instance.api.post(path, headers=by, json={"atPeriodEnd": False})
    assert ended.status_code == 200, ended.text
    assert [level for *_, level in await levels_recorded(instance)] == ["2", "0"]
    log = await instance.api.get(f"/dashboard/{platform_id}/security-log", headers=instance.alice.cookie())
    assert ">System<" in log.text


async def test_only_the_owner_buys_a_level(instance: Instance):
    for role in ("admin", "member", "viewer"):
        refused = await buy(instance, 1, role)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


async def test_a_level_that_costs_nothing_or_is_not_there_is_not_sold(instance: Instance):
    free, unknown = await buy(instance, 0), await buy(instance, 77)
    assert (free.status_code, free.json()["code"]) == (422, "price_missing")
    assert (unknown.status_code, unknown.json()["param"]) == (422, "level")


async def test_in_live_mode_selling_needs_a_gateway(database_settings: Settings):
    async with open_instance(database_settings) as live:
        refused = await buy(live, 1)
        assert (refused.status_code, refused.json()["code"]) == (409, "gateway_missing")
