"""A key may be given a limit of its own, in force everywhere within a second."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dream_api import keys
from dream_api.app import open_database
from dream_api.auth.authenticator import Authenticator
from dream_api.core.cache import CacheInvalidator
from dream_api.core.errors import NotFound, ValidationFailed
from tests.support.deadline import Second
from tests.support.instance import INSTANCE_KEY, Account, Instance


async def limit(instance: Instance, who: Account, per_second: int | None, key_id: str | None = None) -> None:
    async with instance.database.write() as tx:
        await keys.set_rate_limit(tx, who.project.platform_no, key_id or who.key_ids["test"], per_second)


async def limit_of(authenticator: Authenticator, token: str) -> int | None:
    return (await authenticator.authenticate_secret_key(f"Bearer {token}")).rate_limit


@pytest.fixture
async def elsewhere(instance: Instance) -> AsyncIterator[Authenticator]:
    """The authenticator of another process."""
    database = open_database(instance.settings)
    changes = CacheInvalidator(database)
    authenticator = Authenticator(database, changes)
    await changes.start()
    yield authenticator
    await changes.stop()
    await database.close()


async def test_a_new_key_is_not_limited(instance: Instance, alice: Account) -> None:
    assert await limit_of(instance.authenticator, alice.secret["test"]) is None


async def test_it_is_in_force_here_at_once_and_elsewhere_within_a_second(
    instance: Instance, alice: Account, elsewhere: Authenticator
) -> None:
    for per_second in (50, None):
        before = await limit_of(elsewhere, alice.secret["test"])
        assert before != per_second
        await limit(instance, alice, per_second)
        assert await limit_of(instance.authenticator, alice.secret["test"]) == per_second
        second = Second()
        while await limit_of(elsewhere, alice.secret["test"]) != per_second:
            assert not second.is_over()
            await asyncio.sleep(0.01)


async def test_a_rotated_key_keeps_it(instance: Instance, alice: Account) -> None:
    await limit(instance, alice, 50)
    async with instance.database.write() as tx:
        made = await keys.rotate(tx, alice.project, "test", instance_key=INSTANCE_KEY, created_by="test")

    assert await limit_of(instance.authenticator, made.token) == 50
    assert await limit_of(instance.authenticator, alice.secret["live"]) is None


@pytest.mark.parametrize("per_second", [0, -1, 1_000_001])
async def test_a_limit_is_a_number_of_calls(instance: Instance, alice: Account, per_second: int) -> None:
    with pytest.raises(ValidationFailed) as refused:
        await limit(instance, alice, per_second)

    assert refused.value.param == "perSecond"
    assert await limit_of(instance.authenticator, alice.secret["test"]) is None


async def test_a_publishable_key_has_none(instance: Instance, alice: Account) -> None:
    async with instance.database.read() as tx:
        listed = await keys.of_project(tx, alice.project.platform_no, alice.project.id, "test")
    [publishable] = [key.id for key in listed if key.kind == "publishable"]

    with pytest.raises(ValidationFailed):
        await limit(instance, alice, 50, publishable)


async def test_a_strangers_key_is_as_good_as_none(instance: Instance, alice: Account, charlie: Account) -> None:
    for key_id in (alice.key_ids["test"], "key_00000000000000000000000000"):
        with pytest.raises(NotFound):
            await limit(instance, charlie, 1, key_id)

    assert await limit_of(instance.authenticator, alice.secret["test"]) is None
