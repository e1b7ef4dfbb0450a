"""A project's own time in test mode: it goes forward only, and for nobody else."""

import asyncio

import pytest

from dream_api import catalog, platforms
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.platforms import Mode, Project
from tests.support.instance import Account, Instance


async def move(instance: Instance, project: Project, at: int) -> None:
    async with instance.database.write() as tx:
        await platforms.move_to(tx, project, at)


async def now_in(instance: Instance, account: Account, mode: Mode = "test") -> int:
    async with instance.database.read() as tx:
        return await platforms.project_now(tx, account.project.platform_no, account.project.id, mode)


async def test_time_goes_on_from_where_it_was_moved_to(instance: Instance, alice: Account):
    at = clock.now() + 40 * clock.DAY

    await move(instance, alice.project, at)
    clock.move(clock.HOUR)

    assert at + clock.HOUR <= await now_in(instance, alice) < at + clock.HOUR + clock.MINUTE


async def test_live_mode_and_everybody_else_keep_real_time(instance: Instance, alice: Account, charlie: Account):
    await move(instance, alice.project, clock.now() + 40 * clock.DAY)

    times = [await now_in(instance, alice, "live"), await now_in(instance, charlie)]

    assert all(abs(time - clock.now()) < clock.MINUTE for time in times)


async def test_it_never_goes_back(instance: Instance, alice: Account):
    at = clock.now() + 40 * clock.DAY
    await move(instance, alice.project, at)

    for earlier in (at - 1, at, clock.now()):
        with pytest.raises(platforms.TestClockBackwards):
            await move(instance, alice.project, earlier)

    await move(instance, alice.project, at + clock.HOUR)
    assert await now_in(instance, alice) >= at + clock.HOUR


async def test_it_is_ten_years_ahead_at_most(instance: Instance, alice: Account):
    farthest = clock.add_months(clock.now(), 120)

    await move(instance, alice.project, farthest - clock.DAY)

    with pytest.raises(ValidationFailed) as refused:
        await move(instance, alice.project, farthest + clock.DAY)
    assert refused.value.param == "advanceTo"


async def test_the_project_home_keeps_real_time(instance: Instance):
    async with instance.database.read() as tx:
        home = (await catalog.find_home(tx)).project

    with pytest.raises(ValidationFailed) as refused:
        await move(instance, home, clock.now() + clock.DAY)

    assert refused.value.param == "project"


async def test_two_who_move_it_at_once_move_it_one_after_the_other(instance: Instance, alice: Account):
    at = clock.now() + clock.DAY

    async def move_slowly(tx: Tx) -> None:
        await platforms.move_to(tx, alice.project, at)
        await asyncio.sleep(0.05)

    async def one() -> bool:
        async with instance.database.write() as tx:
            try:
                await move_slowly(tx)
            except platforms.TestClockBackwards:
                return False
        return True

    moved = await asyncio.gather(*(one() for _ in range(4)))

    assert sorted(moved) == [False, False, False, True]
