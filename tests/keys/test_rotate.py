"""A new secret key at once, and the old one for a grace."""

import pytest
from sqlalchemy import LargeBinary, String, Text, cast, select

from dream_api import keys
from dream_api.core import clock
from dream_api.core.errors import ValidationFailed
from dream_api.core.secrets import DecryptionFailed, InstanceKey
from dream_api.keys import IssuedKey
from dream_api.keys.disclosure import KeyNotRetrievable
from dream_api.keys.issuance import NoKeyToRotate
from dream_api.platforms import Mode
from dream_api.schema import metadata
from tests.support.instance import INSTANCE_KEY, Account, Instance, bearer


async def rotate(instance: Instance, who: Account, mode: Mode = "test", grace: int = keys.DEFAULT_GRACE) -> IssuedKey:
    async with instance.database.write() as tx:
        return await keys.rotate(tx, who.project, mode, instance_key=INSTANCE_KEY, created_by="test", grace=grace)


async def told(instance: Instance, token: str) -> str:
    """What a metered call with the key is answered: its code, or `counted`."""
    answer = await instance.api.post("/api/data", headers={**bearer(token), "X-User-Id": "ada"})
    return "counted" if answer.status_code == 200 else answer.json()["code"]


async def test_the_new_key_works_at_once_and_the_old_one_for_the_grace_and_not_after(
    instance: Instance, alice: Account
) -> None:
    old = alice.secret["test"]
    assert await told(instance, old) == "counted"
    new = (await rotate(instance, alice, grace=clock.HOUR)).token

    assert [await told(instance, new), await told(instance, old)] == ["counted", "counted"]
    clock.move(clock.HOUR - clock.MINUTE)
    assert await told(instance, old) == "counted"
    clock.move(2 * clock.MINUTE)
    assert [await told(instance, new), await told(instance, old)] == ["counted", "key_expired"]
    listed = await instance.api.get("/api/customers", headers=bearer(old))
    assert (listed.status_code, listed.json()["code"]) == (401, "key_expired")


async def test_the_grace_is_a_day_unless_told(instance: Instance, alice: Account) -> None:
    await rotate(instance, alice)

    clock.move(clock.DAY - clock.MINUTE)
    assert await told(instance, alice.secret["test"]) == "counted"
    clock.move(2 * clock.MINUTE)
    assert await told(instance, alice.secret["test"]) == "key_expired"


async def test_without_a_grace_the_old_key_ends_at_once(instance: Instance, alice: Account) -> None:
    assert await told(instance, alice.secret["test"]) == "counted"
    await rotate(instance, alice, grace=0)

    assert await told(instance, alice.secret["test"]) == "key_expired"


@pytest.mark.parametrize("grace", [-1, 7 * clock.DAY + 1])
async def test_a_grace_is_at_most_seven_days(instance: Instance, alice: Account, grace: int) -> None:
    with pytest.raises(ValidationFailed) as refused:
        await rotate(instance, alice, grace=grace)

    assert refused.value.param == "grace"
    await rotate(instance, alice, grace=7 * clock.DAY)


async def test_a_second_rotation_does_not_lengthen_the_first_grace(instance: Instance, alice: Account) -> None:
    await rotate(instance, alice, grace=clock.HOUR)
    second = (await rotate(instance, alice, grace=7 * clock.DAY)).token

    clock.move(clock.HOUR - clock.MINUTE)
    third = (await rotate(instance, alice, grace=7 * clock.DAY)).token
    assert await told(instance, alice.secret["test"]) == "counted"
    clock.move(2 * clock.MINUTE)
    old, newer, newest = [await told(instance, key) for key in (alice.secret["test"], second, third)]
    assert (old, newer, newest) == ("key_expired", "counted", "counted")


async def test_a_shorter_grace_is_in_force_for_all_older_keys(instance: Instance, alice: Account) -> None:
    second = (await rotate(instance, alice, grace=7 * clock.DAY)).token
    third = (await rotate(instance, alice, grace=0)).token

    assert [await told(instance, key) for key in (alice.secret["test"], second)] == ["key_expired"] * 2
    assert await told(instance, third) == "counted"


async def test_a_key_that_would_have_ended_earlier_still_does(instance: Instance, alice: Account) -> None:
    async with instance.database.write() as tx:
        ends = clock.now() + clock.MINUTE
        short = await keys.issue(
            tx, alice.project, "test", "secret", instance_key=INSTANCE_KEY, created_by="test", expires_at=ends
        )
    await rotate(instance, alice, grace=clock.DAY)

    assert await told(instance, short.token) == "counted"
    clock.move(2 * clock.MINUTE)
    assert await told(instance, short.token) == "key_expired"


async def test_publishable_keys_other_modes_and_other_projects_stay(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    await rotate(instance, alice, grace=0)

    assert await told(instance, alice.secret["live"]) == "counted"
    assert await told(instance, charlie.secret["test"]) == "counted"
    assert await told(instance, alice.publishable["test"]) == "secret_key_required"


async def test_there_must_be_a_key_to_rotate(instance: Instance, alice: Account) -> None:
    async with instance.database.write() as tx:
        await keys.revoke(tx, alice.project.platform_no, alice.key_ids["test"])

    with pytest.raises(NoKeyToRotate):
        await rotate(instance, alice)
    assert (await rotate(instance, alice, "live")).mode == "live"


async def test_a_test_key_can_be_shown_again_and_a_live_one_cannot(instance: Instance, alice: Account) -> None:
    made = {mode: await rotate(instance, alice, mode) for mode in ("test", "live")}
    async with instance.database.read() as tx:
        rows = {row.id: row for row in await keys.of_project(tx, alice.project.platform_no, alice.project.id)}

    assert keys.reveal(rows[made["test"].id], INSTANCE_KEY) == made["test"].token
    assert keys.reveal(rows[alice.key_ids["test"]], INSTANCE_KEY) == alice.secret["test"]
    with pytest.raises(DecryptionFailed):
        keys.reveal(rows[made["test"].id], InstanceKey(bytes([1] * 32)))
    with pytest.raises(KeyNotRetrievable):
        keys.reveal(rows[made["live"].id], INSTANCE_KEY)
    publishable = [row for row in rows.values() if row.kind == "publishable"]
    assert {keys.reveal(row, INSTANCE_KEY) for row in publishable} == set(alice.publishable.values())


async def test_no_secret_key_stands_anywhere_in_the_database(instance: Instance, alice: Account) -> None:
    rotated = [(await rotate(instance, alice, mode)).token for mode in ("test", "live")]
    secrets = [*alice.secret.values(), *rotated]
    for token in secrets:
        headers = {**bearer(token), "Idempotency-Key": "k1"}
        assert await told(instance, token) == "counted"
        await instance.api.post("/api/customers", headers=headers, json={"userId": "eve"})

    everything = await _texts(instance)
    assert alice.publishable["live"] in everything
    for token in secrets:
        assert token not in everything
        assert token[12:-4] not in everything
        assert token.encode().hex() not in everything


async def _texts(instance: Instance) -> str:
    """Every text and blob of every table."""
    found: list[str] = []
    async with instance.database.read() as tx:
        for table in metadata.sorted_tables:
            for column in table.columns:
                kind = column.type
                shown = column if isinstance(kind, (String, LargeBinary)) else cast(column, Text)
                for row in await tx.all(select(shown)):
                    value = row[0]
                    found.append(f"{value.hex()} {value!r}" if isinstance(value, bytes) else str(value))
    return "\n".join(found)
