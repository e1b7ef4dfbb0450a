"""Emails that a job writes later, so that a request takes the same time for every address.

The job does more for an address that has an account, which could slow down the requests that follow. Therefore it runs
at a random moment soon afterwards, and nobody can see which request it belongs to.
"""

from secrets import randbelow

from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.jobs import enqueue

VERIFY_JOB = "accounts.verify"
RESET_JOB = "accounts.reset"
NOTIFY_JOB = "accounts.notify"


def random_moment() -> int:
    """Half a second to two and a half seconds from now."""
    return clock.now() + clock.SECOND // 2 + randbelow(2 * clock.SECOND)


async def request_verification_email(tx: Tx, user_id: str, email: str) -> None:
    """Send a link that verifies the user's address, or a new one."""
    await enqueue(tx, VERIFY_JOB, {"user": user_id, "email": email})


async def request_password_reset(tx: Tx, email: str, address: str) -> None:
    """Send a link to choose a new password, where an account has this address."""
    await enqueue(tx, RESET_JOB, {"email": email, "address": address}, run_at=random_moment())


async def send_security_notice(tx: Tx, email: str, what: str) -> None:
    """Send an email that says what was changed: "Your password was changed"."""
    await enqueue(tx, NOTIFY_JOB, {"email": email, "what": what})
