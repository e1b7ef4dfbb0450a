"""The instance key of a database: its fingerprint, which is compared at start, and its replacement where it is lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Column

from dream_api import audit, identity, platforms
from dream_api.core.db import Tx
from dream_api.core.integrity import IntegrityCheck
from dream_api.core.secrets import InstanceKey, InstanceKeyWrong, instance_key_place, load_instance_key
from dream_api.core.settings import Settings
from dream_api.identity.tables import second_factors
from dream_api.operations.sealed_values import clear, find_broken, sealed_columns

_FINGERPRINT = "key_fingerprint"


async def stored_fingerprint(tx: Tx) -> str | None:
    """Of the key that this database belongs to; None before the first start of a release that records it."""
    return await platforms.get_instance_value(tx, _FINGERPRINT)


async def record_fingerprint(tx: Tx, key: InstanceKey) -> None:
    await platforms.set_instance_value(tx, _FINGERPRINT, key.fingerprint)


async def find_instance_key(tx: Tx, settings: Settings) -> InstanceKey:
    """The instance key, which is proved to be this database's. Raises InstanceKeyMissing, InstanceKeyWrong.

    Where no fingerprint is stored yet, all that is sealed must open.
    """
    key = load_instance_key(settings)
    stored = await stored_fingerprint(tx)
    if stored is None:
        await _require_everything_opens(tx, key, settings)
    elif stored != key.fingerprint:
        raise InstanceKeyWrong(
            f"The key in {instance_key_place(settings)} is not the key of this instance: its fingerprint is "
            f"{key.fingerprint}, but the database was encrypted with {stored}."
        )
    return key


async def _require_everything_opens(tx: Tx, key: InstanceKey, settings: Settings) -> None:
    losses = await find_losses(tx, key)
    if losses or await audit.find_foreign_checkpoints(tx, key):
        lost = ", ".join(f"{loss.what} ({len(loss.rows)})" for loss in losses) or "the security log's signatures"
        raise InstanceKeyWrong(
            f"The key in {instance_key_place(settings)} is not the key of this instance. It does not match: {lost}."
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """Secrets of one kind that do not open with a key, by the primary keys of their rows."""

    column: Column[Any]
    rows: list[tuple[Any, ...]] = field(repr=False)

    @property
    def what(self) -> str:
        return str(self.column.info["what"])

    @property
    def when_lost(self) -> str:
        return str(self.column.info["when_lost"])


async def find_losses(tx: Tx, key: InstanceKey) -> list[Loss]:
    """What becomes unreadable where this key is the instance's; kinds of which nothing does are left out."""
    found = [Loss(column, [row async for row in find_broken(tx, column, key)]) for column in sealed_columns()]
    return [loss for loss in found if loss.rows]


async def replace_instance_key(tx: Tx, key: InstanceKey) -> list[Loss]:
    """Make this key the instance's: what it does not open is cleared, and returned."""
    losses = await find_losses(tx, key)
    for loss in losses:
        for row in loss.rows:
            await clear(tx, loss.column, row)
    await audit.sign_checkpoints_again(tx, key)
    await record_fingerprint(tx, key)
    await _audit(tx, losses)
    return losses


async def _audit(tx: Tx, losses: Sequence[Loss]) -> None:
    """Last, because security logs stay locked."""
    for loss in losses:
        if loss.column.table is second_factors:
            for (subject,) in loss.rows:
                await identity.disable_totp(tx, subject)  # its recovery codes as well
                await platforms.audit_for_user(tx, subject, "totp.disabled", by=audit.OPERATOR)
    details = {loss.what: str(len(loss.rows)) for loss in losses}
    operator = await platforms.operator_platform(tx)
    await audit.record(tx, operator.log_stream, "instance_key.replaced", by=audit.OPERATOR, details=details)


def checks(key: InstanceKey | None) -> list[IntegrityCheck]:
    """Without the instance key there is nothing to check."""
    if key is None:
        return []
    return [
        IntegrityCheck(
            "instance_key_fits",
            "The instance key is the one that the database was encrypted with.",
            partial(_misfit, key),
            hint="Restore the key of this instance. If it is lost, run `dream-api init --new-key`.",
        ),
        IntegrityCheck(
            "sealed_values_open",
            "The instance key decrypts every encrypted value.",
            partial(_broken, key),
            hint="Restore the instance key that encrypted these values, or create new ones in their place.",
        ),
    ]


async def _misfit(key: InstanceKey, tx: Tx, limit: int) -> Sequence[dict[str, Any]]:
    stored = await stored_fingerprint(tx)
    if stored in (None, key.fingerprint):
        return []
    return [{"fingerprint": key.fingerprint, "expected": stored}][:limit]


async def _broken(key: InstanceKey, tx: Tx, limit: int) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for column in sealed_columns():
        names = [each.name for each in column.table.primary_key]
        async for row in find_broken(tx, column, key):
            if len(found) >= limit:
                return found
            found.append({"what": column.info["what"], **dict(zip(names, row, strict=True))})
    return found
