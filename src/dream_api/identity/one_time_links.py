"""One-time links: sent to one person, stored as a hash."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select

from dream_api.core import clock, tokens
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.core.secrets import hash_token
from dream_api.identity.tables import one_time_links

_PREFIX = "o_"
o = one_time_links.c


class LinkExpired(NotFound):
    code = "link_expired"
    hint = "Request a new link. Each link works only once."


@dataclass(frozen=True, slots=True)
class Link:
    """A link: `subject` is the id of a person, `payload` a value such as a new address."""

    subject: str
    payload: str


def create_link_token() -> str:
    """The secret part of a new link; `issue_link` makes it work."""
    return tokens.create_token(_PREFIX)


def derive_link_token(secret: bytes) -> str:
    """The same from 32 secret bytes, for a link that can be shown again."""
    return tokens.derive_token(_PREFIX, secret)


async def issue_link(
    tx: Tx, purpose: str, subject: str, *, lasts: int, payload: str = "", token: str | None = None
) -> str:
    """A link that works once, for `lasts` microseconds; `token`: made before, where an email contains it already."""
    token, now = token or create_link_token(), clock.now()
    row = {"hash": hash_token(token), "purpose": purpose, "subject": subject, "payload": payload}
    await tx.execute(insert(one_time_links).values(**row, created_at=now, expires_at=now + lasts))
    return token


async def find_link(tx: Tx, purpose: str, token: str) -> Link:
    """The link, which still works afterwards; raises LinkExpired."""
    row = await tx.first(select(o.subject, o.payload).where(*_matching(purpose, token)))
    return _link(row)


async def use_link(tx: Tx, purpose: str, token: str) -> Link:
    """The link, which no longer works afterwards; raises LinkExpired."""
    used = delete(one_time_links).where(*_matching(purpose, token)).returning(o.subject, o.payload)
    return _link(await tx.first(used))


async def find_pending_link(tx: Tx, purpose: str, subject: str) -> Row[Any] | None:
    """The newest link of the subject that still works: `hash`, `payload`, `expires_at`."""
    works = (o.purpose == purpose, o.subject == subject, o.expires_at > clock.now())
    newest = o.created_at.desc()
    return await tx.first(select(o.hash, o.payload, o.expires_at).where(*works).order_by(newest).limit(1))


async def delete_links(tx: Tx, subject: str, *purposes: str) -> None:
    """Delete the subject's links: of these purposes, or all."""
    which = (o.purpose.in_(purposes),) if purposes else ()
    await tx.execute(delete(one_time_links).where(o.subject == subject, *which))


def _matching(purpose: str, token: str) -> tuple[Any, ...]:
    if not tokens.has_valid_checksum(token, _PREFIX):
        raise _expired()
    return (o.hash == hash_token(token), o.purpose == purpose, o.expires_at > clock.now())


def _link(row: Row[Any] | None) -> Link:
    if row is None:
        raise _expired()
    return Link(row.subject, row.payload)


def _expired() -> LinkExpired:
    return LinkExpired("The link was already used or has expired.")
