"""Email delivery: by the configured SMTP server; without one, emails stay in the outbox."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import SMTPRecipientsRefused
from sqlalchemy import Row

from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.expiry import ExpiryRule
from dream_api.core.jobs import Job, Registry
from dream_api.core.jobs.leases import ATTEMPTS, error_text
from dream_api.core.mail.outbox import DELIVER_JOB
from dream_api.core.mail.queries import mail_by_id, set_outcome
from dream_api.core.mail.tables import mails
from dream_api.core.settings import Settings

EXPIRY_RULES = (ExpiryRule(mails.c.created_at, 30 * clock.DAY),)
_SECONDS = 30
_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class SMTPTransport:
    """An SMTP server, and the sender: `Name <address>` or an address."""

    url: str
    sender: str

    async def send(self, message: EmailMessage, to: str) -> None:
        """Raises what aiosmtplib raises where the server rejects the message or cannot be reached."""
        parts = urlsplit(self.url)
        secure = parts.scheme == "smtps"
        username = unquote(parts.username) if parts.username else None
        await aiosmtplib.send(
            message,
            sender=parseaddr(self.sender)[1],
            recipients=[to],
            hostname=parts.hostname,
            port=parts.port or (465 if secure else 587),
            username=username,
            password=unquote(parts.password) if parts.password else None,
            use_tls=secure,
            # A password is sent over TLS only, except to a server on this machine.
            start_tls=False if secure else (True if username and not _is_loopback(parts.hostname) else None),
            timeout=_SECONDS,
        )

    def message_of(self, mail: Row[Any]) -> EmailMessage:
        """Always with the same Message-ID, so that duplicates can be recognized."""
        name, address = parseaddr(self.sender)
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(name, addr_spec=address)
        message["To"] = Address(addr_spec=mail.to)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(mail.created_at // clock.SECOND, UTC))
        message["Message-ID"] = f"<{mail.id}@{address.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message


def register(registry: Registry, settings: Settings) -> None:
    transport = None
    if settings.smtp_url is not None and settings.mail_from is not None:
        transport = SMTPTransport(settings.smtp_url.get_secret_value(), settings.mail_from)
    registry.handle(DELIVER_JOB, partial(deliver, transport))


async def deliver(transport: SMTPTransport | None, database: Database, job: Job) -> None:
    """Send the email; raises where a later attempt may succeed."""
    mail_id = job.payload["mail"]
    async with database.read() as tx:
        mail = await mail_by_id(tx, mail_id)
    if mail is None or mail.state != "waiting":
        return
    if transport is None:
        await _record(database, mail_id, state="kept")
        return
    try:
        await transport.send(transport.message_of(mail), mail.to)
    except Exception as problem:
        is_over = job.attempts >= ATTEMPTS or _is_permanent(problem)
        failed = {"state": "failed"} if is_over else {}
        await _record(database, mail_id, attempts=job.attempts, last_error=error_text(problem), **failed)
        if not is_over:
            raise
        return
    sent = {"state": "sent", "sent_at": clock.now(), "text": "", "html": "", "last_error": None}
    await _record(database, mail_id, attempts=job.attempts, **sent)


async def _record(database: Database, mail_id: str, **values: Any) -> None:
    async with database.write() as tx:
        await set_outcome(tx, mail_id, **values)


def _is_permanent(problem: Exception) -> bool:
    """Whether the server said that it will never deliver to this address."""
    return isinstance(problem, SMTPRecipientsRefused) and all(
        refused.code >= _PERMANENT for refused in problem.recipients
    )


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
