"""A personal token opens doors until it is revoked or expires, everywhere within a second."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import LargeBinary, String, Text, cast, select

from dream_api import accounts
from dream_api.accounts import IssuedToken
from dream_api.accounts.tables import personal_tokens
from dream_api.app import open_database
from dream_api.auth.authenticator import Authenticator
from dream_api.core import clock, tokens
from dream_api.core.cache import CacheInvalidator
from dream_api.core.errors import AppError, NotFound, ValidationFailed
from dream_api.schema import metadata
from tests.support.deadline import Second
from tests.support.instance import Account, Instance, bearer


async def issue(instance: Instance, who: Account, **more: Any) -> IssuedToken:
    async with instance.database.write() as tx:
        return await accounts.issue_token(tx, who.project.platform_no, "owner", created_by="test", **more)


async def revoke(instance: Instance, who: Account, token_id: str) -> None:
    async with instance.database.write() as tx:
        await accounts.revoke_token(tx, who.project.platform_no, token_id)


async def told(instance: Instance, token: str) -> str:
    answer = await instance.api.get("/api/customers", headers=bearer(token))
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="dream-api"'
    return "welcome" if answer.status_code == 200 else answer.json()["code"]


async def known_at(authenticator: Authenticator, token: str) -> str:
    try:
        await authenticator.authenticate_token(token)
    except AppError as refusal:
        return refusal.code
    return "welcome"


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


async def test_what_is_no_token_is_told_apart(instance: Instance, alice: Account) -> None:
    good = alice.token["viewer"]
    assert await told(instance, good) == "welcome"

    for bad in (good[:-1], good + "0", good[:-1] + ".", "dpt_", "dpt_" + "0" * 38, good.swapcase(), "sk_" + good[4:]):
        assert await told(instance, bad) == ("token_malformed" if bad.startswith("dpt_") else "key_malformed")
    assert await told(instance, tokens.create_token("dpt_")) == "token_unknown"


async def test_the_scheme_is_bearer_in_any_case(instance: Instance, alice: Account) -> None:
    token = alice.token["viewer"]
    for scheme, status in (("bearer", 200), ("BEARER ", 200), ("Basic", 401), ("Token", 401)):
        answer = await instance.api.get("/api/customers", headers={"Authorization": f"{scheme} {token}"})
        assert answer.status_code == status


async def test_it_is_refused_once_it_was_revoked_here_at_once_and_elsewhere_within_a_second(
    instance: Instance, alice: Account, elsewhere: Authenticator
) -> None:
    token = alice.token["owner"]
    assert [await told(instance, token), await known_at(elsewhere, token)] == ["welcome", "welcome"]
    await revoke(instance, alice, alice.token_ids["owner"])

    assert await told(instance, token) == "token_revoked"
    second = Second()
    while await known_at(elsewhere, token) == "welcome":
        assert not second.is_over()
        await asyncio.sleep(0.01)
    assert await known_at(elsewhere, token) == "token_revoked"
    assert await told(instance, alice.token["admin"]) == "welcome"


async def test_it_is_refused_once_its_time_is_over(instance: Instance, alice: Account) -> None:
    issued = await issue(instance, alice, expires_at=clock.now() + clock.HOUR)
    assert await told(instance, issued.token) == "welcome"

    clock.move(clock.HOUR + clock.SECOND)

    assert await told(instance, issued.token) == "token_expired"


async def test_an_expiry_lies_in_the_future_and_a_name_can_be_read(instance: Instance, alice: Account) -> None:
    for bad in ({"expires_at": clock.now()}, {"name": "x" * 121}, {"name": "a\nb"}):
        with pytest.raises(ValidationFailed):
            await issue(instance, alice, **bad)


async def test_a_flood_of_one_unknown_token_asks_the_database_once(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tokens.create_token("dpt_")
    assert await told(instance, token) == "token_unknown"
    assert len(instance.authenticator.tokens.unknown) == 1
    monkeypatch.setattr(instance.authenticator.tokens, "database", None)

    assert await told(instance, token) == "token_unknown"


async def test_a_strangers_token_is_as_good_as_none(instance: Instance, alice: Account, charlie: Account) -> None:
    for token_id in (alice.token_ids["owner"], "tok_00000000000000000000000000", ""):
        with pytest.raises(NotFound):
            await revoke(instance, charlie, token_id)

    assert await told(instance, alice.token["owner"]) == "welcome"


async def test_it_is_nowhere_in_the_database(instance: Instance, alice: Account) -> None:
    random_part = alice.token["owner"][4:-6].encode()
    async with instance.database.read() as tx:
        for table in metadata.sorted_tables:
            texts = [c for c in table.c if isinstance(c.type, String | Text | LargeBinary)]
            for row in await tx.all(select(*(cast(c, c.type) for c in texts))) if texts else []:
                assert not any(
                    random_part in (one if isinstance(one, bytes) else str(one).encode()) for one in row if one
                )


# When it was last used.


async def last_used(instance: Instance, token_id: str) -> int | None:
    async with instance.database.read() as tx:
        return await tx.scalar(select(personal_tokens.c.last_used_at).where(personal_tokens.c.id == token_id))


async def test_its_last_use_is_known_to_the_hour(instance: Instance, alice: Account) -> None:
    token, token_id = alice.token["viewer"], alice.token_ids["viewer"]
    assert await last_used(instance, token_id) is None
    await told(instance, token)
    first = await last_used(instance, token_id)
    assert first is not None

    clock.move(59 * clock.MINUTE)
    await told(instance, token)
    assert await last_used(instance, token_id) == first
    clock.move(2 * clock.MINUTE)
    await told(instance, token)
    again = await last_used(instance, token_id)

    assert again is not None
    assert again - first > clock.HOUR
    assert await last_used(instance, alice.token_ids["owner"]) is None


async def test_an_hour_that_another_process_wrote_is_not_written_again(instance: Instance, alice: Account) -> None:
    token_id = alice.token_ids["viewer"]
    await told(instance, alice.token["viewer"])
    clock.move(2 * clock.HOUR)
    seen = clock.now() - clock.MINUTE
    async with instance.database.write() as tx:
        await tx.execute(personal_tokens.update().where(personal_tokens.c.id == token_id).values(last_used_at=seen))

    await told(instance, alice.token["viewer"])

    assert await last_used(instance, token_id) == seen


async def test_a_database_that_takes_no_writes_lets_it_read(instance: Instance, alice: Account) -> None:
    from contextlib import asynccontextmanager

    from dream_api.core.errors import StorageUnavailable

    @asynccontextmanager
    async def full() -> AsyncIterator[Any]:
        raise StorageUnavailable("The disk is full.")
        yield

    instance.database.write = full  # type: ignore[method-assign]

    assert await told(instance, alice.token["viewer"]) == "welcome"
