"""Recovery codes: what still opens the door when the authenticator is lost."""

import secrets

from sqlalchemy import delete, func, insert, select

from dream_api.core.db import Tx
from dream_api.core.secrets import hash_token
from dream_api.identity.tables import recovery_codes

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_HOW_MANY = 10
_GROUPS = 4
_GROUP = 4
r = recovery_codes.c


async def make_codes(tx: Tx, subject: str) -> list[str]:
    """New ones, `k3xw-…`, told here and never again; those from before no longer work."""
    await drop_codes(tx, subject)
    made = ["-".join(_group() for _ in range(_GROUPS)) for _ in range(_HOW_MANY)]
    await tx.execute(insert(recovery_codes), [{"subject": subject, "hash": _hash(subject, code)} for code in made])
    return made


async def use_code(tx: Tx, subject: str, code: str) -> bool:
    """Whether it is one of the subject's, which it is this once."""
    which = (r.subject == subject, r.hash == _hash(subject, code))
    return await tx.execute(delete(recovery_codes).where(*which)) == 1


async def codes_left(tx: Tx, subject: str) -> int:
    return await tx.scalar(select(func.count()).select_from(recovery_codes).where(r.subject == subject))


async def drop_codes(tx: Tx, subject: str) -> None:
    await tx.execute(delete(recovery_codes).where(r.subject == subject))


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP))


def _hash(subject: str, code: str) -> bytes:
    """Of 80 random bits, and whose they are; however they are typed."""
    typed = "".join(c for c in code.lower() if c.isalnum()).replace("o", "0").replace("l", "1").replace("i", "1")
    return hash_token(f"{subject} {typed}")
