"""GET /api/dashboard/totals."""

from random import Random
from typing import Any

import pytest

from dream_api import analytics, catalog, platforms
from dream_api.core import clock
from dream_api.platforms import MODES, Project
from tests.analytics import recomputed
from tests.analytics.history import Past
from tests.support.instance import Account, Instance
from tests.support.statements import statements


@pytest.fixture(autouse=True)
def _midday() -> None:
    """Half past twelve: no day ends in the middle of a test."""
    clock.move((12 * clock.HOUR + 30 * clock.MINUTE - clock.now()) % clock.DAY)


async def read(instance: Instance, account: Account, **params: Any) -> Any:
    answer = await instance.api.get("/api/dashboard/totals", headers=account.by("viewer"), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def second_project(instance: Instance, account: Account) -> Project:
    async with instance.database.write() as tx:
        platform = await platforms.find(tx, account.project.platform_id)
        return await catalog.create_project_with_defaults(tx, platform, "Second", "store", MODES)


async def fill(instance: Instance, *projects: Project) -> None:
    async with instance.database.write() as tx:
        for project in projects:
            for mode in MODES:
                await Past(tx, project, mode, Random(project.name + mode), clock.now()).fill()


@pytest.mark.parametrize("days", [1, 30])
async def test_live_mode_is_summed_up_over_all_projects(
    instance: Instance, alice: Account, charlie: Account, days: int
):
    projects = [alice.project, await second_project(instance, alice)]
    await fill(instance, *projects, charlie.project)

    told = await read(instance, alice, days=days)

    async with instance.database.read() as tx:
        assert told == await recomputed.totals(tx, projects, days)
    assert [len(one["mrr"]) for one in told["projects"]] == [3, 3]
    assert told["subscriptions"] == sum(one["subscriptions"] for one in told["projects"]) > 0


async def test_the_totals_of_one_project_are_its_live_figures(instance: Instance, alice: Account):
    await fill(instance, alice.project)

    told = await read(instance, alice)

    figures = (await instance.api.get("/api/dashboard", headers=alice.live)).json()
    assert [told[name] for name in ("mrr", "trialMrr", "customers")] == [
        figures[name] for name in ("mrr", "trialMrr", "customers")
    ]
    assert told["subscriptions"] == figures["subscriptions"]["holding"]
    assert told["revenue"] == [
        {name: value for name, value in one.items() if name != "days"} for one in figures["revenue"]
    ]


async def test_a_stranger_sees_only_his_own(instance: Instance, alice: Account, charlie: Account):
    before = await read(instance, charlie)
    await fill(instance, alice.project)

    assert await read(instance, charlie) == before
    assert [one["project"] for one in before["projects"]] == [charlie.project.id]
    assert before["mrr"] == before["revenue"] == []


async def test_a_project_beyond_the_hundredth_is_in_the_sums_only(instance: Instance, alice: Account):
    async with instance.database.write() as tx:
        platform = await platforms.find(tx, alice.project.platform_id)
        for n in range(100):
            last = await platforms.create_project(tx, platform, f"Project {n}", "saas")
    async with instance.database.write() as tx:
        people = Past(tx, last, "live", Random(1), clock.now())
        await people.customers(await people.tiers(), 30)

    told = await read(instance, alice)

    assert len(told["projects"]) == 100
    assert last.id not in {one["project"] for one in told["projects"]}
    assert told["customers"]["active"] > 0


async def test_how_many_statements_it_takes_does_not_depend_on_how_much_there_is(instance: Instance, alice: Account):
    counts: list[int] = []
    for projects in ([], [alice.project, await second_project(instance, alice)]):
        await fill(instance, *projects)
        async with instance.database.read() as tx:
            with statements(tx) as told:
                await analytics.get_platform_totals(tx, alice.project.platform_no, days=30)
        counts.append(len(told))

    assert counts == [4, 4]


async def test_a_key_of_a_project_opens_no_totals(instance: Instance, alice: Account):
    answer = await instance.api.get("/api/dashboard/totals", headers=alice.live)
    assert (answer.status_code, answer.json()["code"]) == (403, "personal_token_required")
