"""Emails are sent by a real mail server, once it accepts them; without one they are kept."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from aiosmtplib import SMTPException
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Row

from dream_api.core import clock, mail
from dream_api.core.db import Database
from dream_api.core.jobs import Registry, Worker
from dream_api.core.mail import EmailMessage, SMTPTransport
from dream_api.core.settings import Settings

pytestmark = pytest.mark.both

LETTER = EmailMessage("ada@example.com", "Verify Ünï", "Follow http://dream.test/verify#t\n", "<p>Follow</p>")


@dataclass
class Postman:
    """A mail server's answers, in their order, and what arrived."""

    answers: list[str] = field(default_factory=list)
    to_recipients: list[str] = field(default_factory=list)
    arrived: list[Any] = field(default_factory=list)
    tried: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        self.tried += 1
        answer = self.to_recipients.pop(0) if self.to_recipients else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.arrived.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return answer


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
async def smtp_url(postman: Postman) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(postman, loop=loop), "127.0.0.1", 0)
    yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.fixture
async def worker(database: Database, smtp_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Worker]:
    told = {} if "kept" in request.node.name else {"smtp_url": smtp_url, "mail_from": "Dream <hello@example.com>"}
    registry = Registry()
    mail.register(registry, Settings(**told))
    worker = Worker(database, registry)
    running = asyncio.create_task(worker.run())
    yield worker
    await worker.stop()
    await running


async def post(database: Database, letter: EmailMessage = LETTER) -> str:
    async with database.write() as tx:
        return await mail.enqueue_email(tx, letter)


async def eventually(database: Database, mail_id: str, wanted: str, attempts: int | None = None) -> Row[Any]:
    for _ in range(2_000):
        async with database.read() as tx:
            row = await mail.mail_by_id(tx, mail_id)
        assert row is not None
        if row.state == wanted and attempts in (None, row.attempts):
            return row
        await asyncio.sleep(0.01)
    raise AssertionError(row)


async def test_a_letter_arrives_in_both_parts_and_is_emptied(
    database: Database, worker: Worker, postman: Postman
) -> None:
    mail_id = await post(database)

    row = await eventually(database, mail_id, "sent")

    [(to, message)] = postman.arrived
    assert to == ["ada@example.com"]
    assert message["From"] == "Dream <hello@example.com>"
    assert message["Subject"] == "Verify Ünï"
    assert message["Message-ID"] == f"<{mail_id}@example.com>"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message.get_body(("plain",)).get_content().split() == LETTER.text.split()
    assert (row.text, row.html, row.sent_at is not None) == ("", "", True)


async def test_without_a_mail_server_it_is_kept(database: Database, worker: Worker, postman: Postman) -> None:
    row = await eventually(database, await post(database), "kept")

    assert row.text == LETTER.text
    assert postman.arrived == []


async def test_a_server_that_refuses_for_a_while_gets_it_later(
    database: Database, worker: Worker, postman: Postman
) -> None:
    postman.answers = ["451 later"]
    mail_id = await post(database)

    waiting = await eventually(database, mail_id, "waiting", attempts=1)
    clock.move(10 * clock.SECOND)

    assert "451" in waiting.last_error
    assert (await eventually(database, mail_id, "sent")).attempts == 2
    assert len(postman.arrived) == 1


async def test_an_address_that_does_not_exist_is_tried_once(
    database: Database, worker: Worker, postman: Postman
) -> None:
    postman.to_recipients = ["550 no such user"]

    row = await eventually(database, await post(database), "failed")

    assert "no such user" in row.last_error
    assert postman.tried == 1


async def test_a_server_that_nobody_vouches_for_gets_no_password(database: Database, tmp_path: Path) -> None:
    context, heard, has_ended = _own_context(tmp_path), list[bytes](), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 own\r\n")
        while line := await reader.readline():
            heard.append(line.split()[0])
            writer.write(b"220 go on\r\n" if line == b"STARTTLS\r\n" else b"250-own\r\n250 STARTTLS\r\n")
            await writer.drain()
            if line == b"STARTTLS\r\n":
                try:
                    await writer.start_tls(context)
                except OSError:
                    break
        writer.close()
        has_ended.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    mail_id = await post(database)
    async with database.read() as tx:
        row = await mail.mail_by_id(tx, mail_id)
    assert row is not None
    carrier = SMTPTransport(f"smtp://dream:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}", "hello@example.com")

    with pytest.raises((SMTPException, OSError)):
        await carrier.send(carrier.message_of(row), row.to)
    await has_ended.wait()
    server.close()
    assert heard[:2] == [b"EHLO", b"STARTTLS"]
    assert b"AUTH" not in heard


def _own_context(folder: Path) -> ssl.SSLContext:
    """With a certificate that the server made for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    both = certificate.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (folder / "own.pem").write_bytes(both)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    return context


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("ada@example.com\r\nBcc: eve@example.com", "Hello"),
        ("ada@example.com, eve@example.com", "Hello"),
        ("Ada <ada@example.com>", "Hello"),
        ("ada", "Hello"),
        ("ada@example.com", "Hello\r\nBcc: eve@example.com"),
        ("ada@example.com", "Hello\n\nbody"),
        ("ada@example.com", "Hello\u2028Bcc: eve"),
        ("ada@example.com", ""),
    ],
)
def test_headers_cannot_be_put_in(to: str, subject: str) -> None:
    with pytest.raises(ValueError, match="An email"):
        EmailMessage(to, subject, "", "")
