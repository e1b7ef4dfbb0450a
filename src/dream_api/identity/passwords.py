"""Passwords: hashing with Argon2, and the password policy."""

import asyncio
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from dream_api.core.db import in_transaction
from dream_api.core.errors import Overloaded, ValidationFailed

T = TypeVar("T")

# OWASP's second choice; about 40 ms on one core.
ARGON2 = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_SHORTEST = 10
_LONGEST = 200
_FEWEST_DIFFERENT = 5
# The most common ones that are long enough, in lower case.
_COMMONEST = frozenset((Path(__file__).parent / "commonest.txt").read_text().split())


def validate_password(password: str, email: str, param: str = "password") -> str:
    """The password, where it satisfies the policy; raises ValidationFailed with the reason."""
    typed = password.lower()
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise ValidationFailed(f"The password must be {_SHORTEST} to {_LONGEST} characters long.", param=param)
    if email and (typed == email or typed == email.partition("@")[0]):
        raise ValidationFailed("The password must not be your email address.", param=param)
    if typed in _COMMONEST or len(set(typed)) < _FEWEST_DIFFERENT:
        raise ValidationFailed("This password is too common. Choose another one.", param=param)
    return password


class PasswordHasher:
    """Hashes a few at a time, each in a thread; raises Overloaded where too many wait."""

    def __init__(self, hasher: argon2.PasswordHasher = ARGON2, *, at_once: int = 2, most_waiting: int = 100) -> None:
        self.hasher = hasher
        self._turn = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._most_waiting = most_waiting
        self._decoy = _decoy_of(hasher)

    async def hash(self, password: str) -> str:
        return await self._work(partial(self.hasher.hash, _normalized(password)))

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password matches the hash; without a hash false, after the same time."""
        return await self._work(partial(self._verify, _normalized(password[:_LONGEST]), hashed or self._decoy))

    def is_stale(self, hashed: str) -> bool:
        """Whether it was hashed with other parameters than today's."""
        return self.hasher.check_needs_rehash(hashed)

    def _verify(self, password: str, hashed: str) -> bool:
        try:
            return self.hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, work: Callable[[], T]) -> T:
        assert not in_transaction.get(), "Others wait for the transaction while a password is hashed."
        if self._waiting >= self._most_waiting:
            raise Overloaded("Too many sign-ins at the moment.")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def _normalized(password: str) -> str:
    """In Unicode's form NFKC, the same whichever keyboard it is typed on."""
    return unicodedata.normalize("NFKC", password)


def _decoy_of(hasher: argon2.PasswordHasher) -> str:
    """A hash that no password matches, with the same cost."""
    salt, hashed = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${hashed}"
