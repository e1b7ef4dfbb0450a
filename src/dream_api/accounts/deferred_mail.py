"""What a job does later, so that whoever asks waits no longer for one address than for another."""

from dream_api.core.db import Tx
from dream_api.core.jobs import enqueue

VERIFY_JOB = "accounts.verify"
RESET_JOB = "accounts.reset"
NOTIFY_JOB = "accounts.notify"


async def request_verification_email(tx: Tx, user_id: str, email: str) -> None:
    """A link by which the address becomes the user's, or is shown to be theirs."""
    await enqueue(tx, VERIFY_JOB, {"user": user_id, "email": email})


async def ask_for_reset(tx: Tx, email: str, address: str) -> None:
    """A link by which another password is chosen, where somebody has this e-mail address."""
    await enqueue(tx, RESET_JOB, {"email": email, "address": address})


async def send_security_notice(tx: Tx, email: str, what: str) -> None:
    """A letter that tells what was changed: "Your password was changed"."""
    await enqueue(tx, NOTIFY_JOB, {"email": email, "what": what})
