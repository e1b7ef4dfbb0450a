"""Posts letters."""

from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.jobs import enqueue
from dream_api.core.mail import queries
from dream_api.core.mail.messages import EmailMessage

DELIVER_JOB = "core.mail.deliver"


async def enqueue_email(tx: Tx, letter: EmailMessage) -> str:
    """The mail's id; it is delivered if and only if this transaction commits."""
    mail_id = ids.new("eml")
    row = {
        "id": mail_id,
        "to": letter.to,
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "state": "waiting",
        "attempts": 0,
        "created_at": clock.now(),
    }
    await queries.insert_mail(tx, row)
    await enqueue(tx, DELIVER_JOB, {"mail": mail_id})
    return mail_id
