"""Links that work once: told to one person, known here by their hash alone."""

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
    code = "link_unusable"
    hint = "Ask for a new one; each works once."


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a link is about, and what it remembers."""

    subject: str
    payload: str


def make_link() -> str:
    """The secret part of a new link; `issue_link` makes it work."""
    return tokens.make(_PREFIX)


async def issue_link(
    tx: Tx, purpose: str, subject: str, *, lasts: int, payload: str = "", token: str | None = None
) -> str:
    """Works once, for so many microseconds; `token`: made before, where a letter had to be written with it."""
    token, now = token or make_link(), clock.now()
    row = {"hash": hash_token(token), "purpose": purpose, "subject": subject, "payload": payload}
    await tx.execute(insert(one_time_links).values(**row, created_at=now, expires_at=now + lasts))
    return token


async def find_link(tx: Tx, purpose: str, token: str) -> Link:
    """What the link says, which can be used afterwards; raises LinkUnusable."""
    row = await tx.first(select(o.subject, o.payload).where(*_usable(purpose, token)))
    return _link(row)


async def use_link(tx: Tx, purpose: str, token: str) -> Link:
    """What the link says, this once; raises LinkUnusable."""
    used = delete(one_time_links).where(*_usable(purpose, token)).returning(o.subject, o.payload)
    return _link(await tx.first(used))


async def forget_links(tx: Tx, subject: str, *purposes: str) -> None:
    """None of the subject's work any more: of these purposes, or of all."""
    which = (o.purpose.in_(purposes),) if purposes else ()
    await tx.execute(delete(one_time_links).where(o.subject == subject, *which))


def _usable(purpose: str, token: str) -> tuple[Any, ...]:
    if not tokens.has_valid_checksum(token, _PREFIX):
        raise _unusable()
    return (o.hash == hash_token(token), o.purpose == purpose, o.expires_at > clock.now())


def _link(row: Row[Any] | None) -> Link:
    if row is None:
        raise _unusable()
    return Link(row.subject, row.payload)


def _unusable() -> LinkExpired:
    return LinkExpired("The link was used already, or its time is over.")
