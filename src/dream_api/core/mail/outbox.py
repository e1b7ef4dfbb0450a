"""The email outbox."""

from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.jobs import enqueue
from dream_api.core.mail import queries
from dream_api.core.mail.messages import EmailMessage

DELIVER_JOB = "core.mail.deliver"


async def enqueue_email(tx: Tx, message: EmailMessage) -> str:
    """The email's id; it is delivered if and only if this transaction commits."""
    mail_id = ids.new("eml")
    row = {
        "id": mail_id,
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "state": "waiting",
        "attempts": 0,
        "created_at": clock.now(),
    }
    await queries.insert_mail(tx, row)
    await enqueue(tx, DELIVER_JOB, {"mail": mail_id})
    return mail_id
