"""Passwords, lockout, one-time links and codes."""

import argon2
import pytest
from argon2 import PasswordHasher

from dream_api import identity
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.errors import Overloaded, ValidationFailed
from dream_api.identity.login_throttle import LOCKED_FOR, MOST_FAILED, Attempts, after_attempt, is_locked
from tests.support.instance import QUICK


async def test_passwords_are_hashed_as_owasp_says() -> None:
    hashed = await identity.PasswordHasher().hash("a tin of green paint")

    parameters = argon2.extract_parameters(hashed)
    assert parameters.type is argon2.Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19 * 1024, 2, 1)
    assert not identity.PasswordHasher().is_stale(hashed)
    assert identity.PasswordHasher(QUICK).is_stale(hashed)


async def test_where_there_is_no_password_just_as_much_work_is_done() -> None:
    seen: list[str] = []

    class Heard(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            seen.append(str(hash))
            return super().verify(hash, password)

    passwords = identity.PasswordHasher(Heard(time_cost=1, memory_cost=8, parallelism=1))
    hashed = await passwords.hash("a tin of green paint")

    assert await passwords.verify("a tin of green paint", hashed)
    assert not await passwords.verify("a tin of green paint", None)
    assert argon2.extract_parameters(seen[0]) == argon2.extract_parameters(seen[1])


async def test_a_password_is_the_same_however_the_keyboard_writes_it() -> None:
    passwords = identity.PasswordHasher(QUICK)

    assert await passwords.verify("Cafe\u0301 noisette", await passwords.hash("Caf\u00e9 noisette"))


async def test_no_password_is_hashed_inside_a_transaction(database: Database) -> None:
    async with database.write():
        with pytest.raises(AssertionError):
            await identity.PasswordHasher(QUICK).hash("a tin of green paint")


async def test_too_many_at_once_are_told_to_come_again() -> None:
    with pytest.raises(Overloaded):
        await identity.PasswordHasher(QUICK, most_waiting=0).hash("a tin of green paint")


@pytest.mark.parametrize("weak", ["short", "a" * 201, "ada@example.com", "PASSWORD123", "ababababab", "1234567890"])
def test_a_guessers_first_choice_is_refused(weak: str) -> None:
    with pytest.raises(ValidationFailed):
        identity.validate_password(weak, "ada@example.com")


def test_ten_tries_then_a_quarter_of_an_hour() -> None:
    attempts = Attempts()
    for _ in range(MOST_FAILED):
        assert not is_locked(attempts, 0)
        attempts = after_attempt(attempts, 0)

    assert is_locked(attempts, LOCKED_FOR - 1)
    assert after_attempt(attempts, LOCKED_FOR - 1) == attempts
    assert not is_locked(attempts, LOCKED_FOR)
    assert after_attempt(attempts, LOCKED_FOR) == Attempts(1, None)


def test_what_was_locked_by_a_clock_that_was_ahead_is_open_once_it_is_set_right() -> None:
    locked = Attempts(MOST_FAILED, locked_at=3_652 * clock.DAY)

    assert is_locked(locked, locked.locked_at or 0)
    assert not is_locked(locked, 0)


async def test_a_link_works_once_for_one_purpose_and_a_time(database: Database) -> None:
    async with database.write() as tx:
        token = await identity.issue_link(tx, "reset", "usr_1", lasts=clock.HOUR, payload="x")
        late = await identity.issue_link(tx, "reset", "usr_1", lasts=clock.HOUR)

    async with database.write() as tx:
        with pytest.raises(identity.LinkExpired):
            await identity.use_link(tx, "verify", token)
        assert await identity.use_link(tx, "reset", token) == identity.Link("usr_1", "x")
        with pytest.raises(identity.LinkExpired):
            await identity.use_link(tx, "reset", token)
        clock.move(clock.HOUR)
        with pytest.raises(identity.LinkExpired):
            await identity.find_link(tx, "reset", late)
