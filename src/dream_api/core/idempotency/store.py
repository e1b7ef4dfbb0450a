"""Stored responses of idempotent requests.

The key's row is inserted first and filled last, in the transaction of the effect. A concurrent request with the same
key waits for that transaction (on SQLite for its turn, on PostgreSQL for the row) and then finds the response.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update

from dream_api.core import clock
from dream_api.core.db import Database, Tx, insert, is_contention
from dream_api.core.errors import Conflict, Invalid, Overloaded, ValidationFailed
from dream_api.core.idempotency.tables import idempotency_keys

LONGEST_KEY = 255
RETENTION = clock.DAY

k = idempotency_keys.c


class IdempotencyMismatch(Invalid):
    code = "idempotency_mismatch"
    hint = "Use a new Idempotency-Key for every new request, and the same key only for its retries."

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, param="Idempotency-Key")


class IdempotencyInProgress(Conflict):
    code = "idempotency_in_progress"
    hint = "Wait for the number of seconds in Retry-After, then send the request again with the same key."

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, param="Idempotency-Key", headers={"Retry-After": "1"})


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request with its idempotency key: whose, for which operation, and with which body."""

    platform_no: int
    # "<caller> POST /api/customers"
    scope: str
    key: str
    body: bytes

    @property
    def fingerprint(self) -> bytes:
        return hashlib.sha256(self.body).digest()

    @property
    def digest(self) -> bytes:
        """The key within its scope, for rows that store which request created them."""
        return hashlib.sha256(f"{self.scope}\n{self.key}".encode()).digest()


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response: its status and JSON, and whether it is a replay."""

    status: int
    text: str
    is_replay: bool


def validate_key(text: str | None) -> str | None:
    """The header's value, None where it is missing; raises ValidationFailed for what is no key."""
    if text is None:
        return None
    if not text or len(text) > LONGEST_KEY or not (text.isascii() and text.isprintable()):
        raise ValidationFailed(
            f"An idempotency key must have 1 to {LONGEST_KEY} printable ASCII characters.",
            param="Idempotency-Key",
            hint="Send a random UUID, for example.",
        )
    return text


async def run_once(
    database: Database,
    once: IdempotentRequest | None,
    status: int,
    effect: Callable[[Tx], Awaitable[str]],
    storable: Callable[[str], str] = lambda text: text,
) -> StoredResponse:
    """Run the effect in a transaction and commit its response with it; a repeated key gets the first response again.

    `storable`: the part of the response that may be stored, and is returned in a replay.
    """
    try:
        async with database.write() as tx:
            if once is None:
                return StoredResponse(status, await effect(tx), is_replay=False)
            known = await _claim(tx, once)
            if known is not None:
                return known
            text = await effect(tx)
            await tx.execute(update(idempotency_keys).where(*_is(once)).values(status=status, answer=storable(text)))
            return StoredResponse(status, text, is_replay=False)
    except Overloaded as problem:
        if once is not None and problem.__cause__ is not None and is_contention(problem.__cause__):
            raise IdempotencyInProgress("A request with this idempotency key is still running.") from problem
        raise


async def run_once_external(
    database: Database, once: IdempotentRequest | None, status: int, effect: Callable[[], Awaitable[str]]
) -> StoredResponse:
    """As `run_once`, for an effect that is not one transaction, because it calls another service.

    It may run again for a repeated key, until its response was stored: that service must be given the key too.
    """
    if once is not None:
        async with database.write() as tx:
            known = await _claim(tx, once)
        if known is not None and known.text:
            return known
    text = await effect()
    if once is not None:
        async with database.write() as tx:
            await tx.execute(update(idempotency_keys).where(*_is(once)).values(status=status, answer=text))
    return StoredResponse(status, text, is_replay=False)


async def _claim(tx: Tx, once: IdempotentRequest) -> StoredResponse | None:
    """The stored response, empty while there is none yet; None where the key was claimed for this request."""
    now = clock.now()
    row = {"fingerprint": once.fingerprint, "created_at": now}
    claiming = insert(idempotency_keys).values(platform_no=once.platform_no, scope=once.scope, key=once.key, **row)
    # An expired key may be used again.
    claimed = await tx.scalar(
        claiming.on_conflict_do_update(
            index_elements=list(idempotency_keys.primary_key),
            set_={**row, "status": None, "answer": None},
            where=k.created_at <= now - RETENTION,
        ).returning(k.key)
    )
    if claimed is not None:
        return None
    stored = await tx.first(select(k.fingerprint, k.status, k.answer).where(*_is(once)))
    assert stored is not None
    require_same_request(once, stored.fingerprint)
    return StoredResponse(stored.status or 0, stored.answer or "", is_replay=True)


def require_same_request(once: IdempotentRequest, fingerprint: bytes) -> None:
    """Raises IdempotencyMismatch where the first request had another body."""
    if bytes(fingerprint) != once.fingerprint:
        raise IdempotencyMismatch("This idempotency key was used before with another body.")


def _is(once: IdempotentRequest) -> tuple[ColumnElement[bool], ...]:
    return (k.platform_no == once.platform_no, k.scope == once.scope, k.key == once.key)
