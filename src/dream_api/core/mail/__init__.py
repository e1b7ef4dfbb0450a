"""Email: enqueued in the transaction that it is about, and sent by a job after the commit.

Without a mail server emails stay in the outbox, for the operator to read.
"""

from dream_api.core.mail.delivery import EXPIRY_RULES, SMTPTransport, register
from dream_api.core.mail.messages import EmailMessage, EmailTemplates
from dream_api.core.mail.outbox import DELIVER_JOB, enqueue_email
from dream_api.core.mail.queries import list_newest, mail_by_id

__all__ = [
    "DELIVER_JOB",
    "EXPIRY_RULES",
    "EmailMessage",
    "EmailTemplates",
    "SMTPTransport",
    "enqueue_email",
    "list_newest",
    "mail_by_id",
    "register",
]
