"""Letters to people: written with the fact that makes them necessary, and sent by a job after the commit.

Without a mail server they are kept instead, for the operator to read: the outbox.
"""

from dream_api.core.mail.delivery import KEPT, Carrier, register
from dream_api.core.mail.messages import Letter, Letters
from dream_api.core.mail.outbox import DELIVER_JOB, post
from dream_api.core.mail.queries import mail_by_id, newest

__all__ = [
    "DELIVER_JOB",
    "KEPT",
    "Carrier",
    "Letter",
    "Letters",
    "mail_by_id",
    "newest",
    "post",
    "register",
]
