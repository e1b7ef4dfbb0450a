"""A revoked key is refused from now on, everywhere."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dream_api import keys
from dream_api.auth.authenticator import Authenticator
from dream_api.core.cache import CacheInvalidator
from dream_api.core.db import Database
from dream_api.core.errors import AppError, NotFound
from dream_api.keys.issuance import KeyAlreadyRevoked
from tests.support.deadline import Second
from tests.support.instance import Account, Instance


async def revoke(instance: Instance, who: Account, key_id: str) -> None:
    async with instance.database.write() as tx:
        await keys.revoke(tx, who.project.platform_no, key_id)


async def told(authenticator: Authenticator, who: Account) -> str:
    """How the authenticator receives the test mode's server."""
    try:
        await authenticator.authenticate_secret_key(who.sk["Authorization"])
    except AppError as refusal:
        return refusal.code
    return "welcome"


@pytest.fixture
async def elsewhere(instance: Instance) -> AsyncIterator[Authenticator]:
    """The authenticator of another process."""
    path = instance.database.path
    database = Database(directory=path.parent) if path is not None else Database(url=instance.database.url)
    changes = CacheInvalidator(database)
    authenticator = Authenticator(database, changes)
    await changes.start()
    yield authenticator
    await changes.stop()
    await database.close()


async def test_a_revoked_key_is_refused_at_once_on_every_path(instance: Instance, alice: Account) -> None:
    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 200
    await revoke(instance, alice, alice.key_ids["test"])

    for method, path in (("POST", "/api/data"), ("GET", "/api/usage"), ("GET", "/api/customers")):
        answer = await instance.api.request(method, path, headers=alice.calls())
        assert (answer.status_code, answer.json()["code"]) == (401, "key_revoked")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_key_is_refused_in_another_process_within_a_second(
    instance: Instance, alice: Account, elsewhere: Authenticator
) -> None:
    assert await told(elsewhere, alice) == "welcome"
    assert elsewhere.cached_secret_key(alice.sk["Authorization"]) is not None, "It is remembered there."
    await revoke(instance, alice, alice.key_ids["test"])
    second = Second()
    while await told(elsewhere, alice) == "welcome":
        assert not second.is_over()
        await asyncio.sleep(0.01)

    assert await told(elsewhere, alice) == "key_revoked"


async def test_a_revocation_that_was_undone_is_none(
    instance: Instance, alice: Account, elsewhere: Authenticator
) -> None:
    assert await told(elsewhere, alice) == "welcome"
    with pytest.raises(RuntimeError, match="undone"):
        async with instance.database.write() as tx:
            await keys.revoke(tx, alice.project.platform_no, alice.key_ids["test"])
            raise RuntimeError("undone")

    await elsewhere._changes.poll()
    assert [await told(authenticator, alice) for authenticator in (instance.authenticator, elsewhere)] == [
        "welcome",
        "welcome",
    ]


async def test_the_other_keys_work_on(instance: Instance, alice: Account, charlie: Account) -> None:
    await revoke(instance, alice, alice.key_ids["test"])

    for headers in (alice.live, charlie.sk):
        answer = await instance.api.post("/api/data", headers={**headers, "X-User-Id": "ada"})
        assert answer.status_code == 200


async def test_a_key_is_revoked_once(instance: Instance, alice: Account) -> None:
    await revoke(instance, alice, alice.key_ids["test"])

    with pytest.raises(KeyAlreadyRevoked):
        await revoke(instance, alice, alice.key_ids["test"])


async def test_a_strangers_key_is_as_good_as_none(instance: Instance, alice: Account, charlie: Account) -> None:
    for key_id in (alice.key_ids["test"], "key_00000000000000000000000000", ""):
        with pytest.raises(NotFound):
            await revoke(instance, charlie, key_id)

    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 200
