"""TOTP second factor: six-digit codes of an authenticator app; each works once."""

import hmac
from dataclasses import dataclass
from typing import Any, Literal

from pyotp import random_base32
from pyotp.totp import TOTP
from sqlalchemy import Row, delete, insert, select, update

from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, ValidationFailed
from dream_api.core.secrets import DecryptionFailed, InstanceKey
from dream_api.identity.recovery_codes import create_codes, delete_codes, use_code
from dream_api.identity.tables import second_factors

_STEP = 30 * clock.SECOND
# So many steps too early or too late are accepted: clocks of phones differ.
_TOLERANCE = 1
# By which the clocks of servers may differ, in steps.
_CLOCK_TOLERANCE = 10
_DIGITS = 6
# Which kind of code was accepted.
CodeKind = Literal["app", "recovery"]
f = second_factors.c


class TwoFactorCodeInvalid(ValidationFailed):
    code = "two_factor_code_invalid"
    hint = "Enter the six digits that the app shows now, or a recovery code. Each code works once."


class TwoFactorNotEnabled(Conflict):
    code = "two_factor_not_enabled"
    hint = "Turn on two-factor authentication at /account/factor first."


@dataclass(frozen=True, slots=True)
class TOTPEnrollment:
    """What an app needs: the secret, and the same as a URI for a QR code."""

    secret: str
    link: str


async def enroll_totp(tx: Tx, subject: str, key: InstanceKey, *, account: str, issuer: str) -> TOTPEnrollment:
    """A new secret, not enabled yet; the same one again until it is confirmed or a day old."""
    row = await _row(tx, subject)
    assert row is None or row.confirmed_at is None, "Turn it off first."
    secret = _unconfirmed_secret(row, key)
    if secret is None:
        secret = random_base32()
        await disable_totp(tx, subject)
        made = {"sealed": key.seal(secret, subject), "last_step": 0, "created_at": clock.now(), "confirmed_at": None}
        await tx.execute(insert(second_factors).values(subject=subject, **made))
    link: str = TOTP(secret, name=account, issuer=issuer).provisioning_uri()  # pyright: ignore[reportUnknownVariableType]
    return TOTPEnrollment(secret, link)


def _unconfirmed_secret(row: Row[Any] | None, key: InstanceKey) -> str | None:
    """Younger than a day; None also where it was sealed with another instance key."""
    if row is None or row.created_at <= clock.now() - clock.DAY:
        return None
    try:
        return str(key.open(row.sealed, row.subject))
    except DecryptionFailed:
        return None


async def confirm_totp(tx: Tx, subject: str, key: InstanceKey, code: str) -> list[str]:
    """Enable the factor and return its recovery codes, which are shown only once. Raises TwoFactorCodeInvalid."""
    row = await _row(tx, subject)
    if row is None or row.confirmed_at is not None or not await _accept(tx, row, key, code):
        raise _wrong()
    await tx.execute(update(second_factors).where(f.subject == subject).values(confirmed_at=clock.now()))
    return await create_codes(tx, subject)


async def verify_totp(tx: Tx, subject: str, key: InstanceKey, code: str) -> CodeKind:
    """Whether the code is the app's or a recovery code; raises TwoFactorCodeInvalid.

    DecryptionFailed where the app's secret was encrypted with another instance key; recovery codes work all the same.
    """
    row = await _row(tx, subject)
    if row is None or row.confirmed_at is None:
        raise _wrong()
    if await _accept(tx, row, key, code):
        return "app"
    if await use_code(tx, subject, code):
        return "recovery"
    raise _wrong()


async def has_second_factor(tx: Tx, subject: str) -> bool:
    """Whether sign-in requires a code."""
    row = await _row(tx, subject, lock=False)
    return row is not None and row.confirmed_at is not None


async def renew_recovery_codes(tx: Tx, subject: str) -> list[str]:
    """New recovery codes, which replace the old ones; raises TwoFactorNotEnabled where there is no second factor."""
    if not await has_second_factor(tx, subject):
        raise TwoFactorNotEnabled("Turn on two-factor authentication first.")
    return await create_codes(tx, subject)


async def disable_totp(tx: Tx, subject: str) -> None:
    """Remove the second factor and its recovery codes."""
    await tx.execute(delete(second_factors).where(f.subject == subject))
    await delete_codes(tx, subject)


async def _row(tx: Tx, subject: str, *, lock: bool = True) -> Row[Any] | None:
    query = select(second_factors).where(f.subject == subject)
    return await tx.first(query.with_for_update() if lock else query)


async def _accept(tx: Tx, row: Row[Any], key: InstanceKey, code: str) -> bool:
    """Whether it is the code of a step near now and later than the last one; it is used up."""
    typed = "".join(code.split())
    if len(typed) != _DIGITS or not typed.isascii() or not typed.isdecimal():
        return False
    totp = TOTP(key.open(row.sealed, row.subject))
    now = clock.now() // _STEP
    matching = [
        step
        for step in range(now - _TOLERANCE, now + _TOLERANCE + 1)
        if hmac.compare_digest(totp.generate_otp(step), typed)
    ]
    # A much later step than those of now is of a clock that was ahead: no code would be accepted until then.
    last_step = row.last_step if row.last_step <= now + _CLOCK_TOLERANCE else 0
    steps = [step for step in matching if step > last_step]
    if not steps:
        return False
    await tx.execute(update(second_factors).where(f.subject == row.subject).values(last_step=steps[0]))
    return True


def _wrong() -> TwoFactorCodeInvalid:
    return TwoFactorCodeInvalid("The code is wrong or was already used.", param="code")
