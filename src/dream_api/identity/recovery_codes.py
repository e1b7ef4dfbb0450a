"""Recovery codes: replace the authenticator app when it is lost."""

import secrets

from sqlalchemy import delete, func, insert, select

from dream_api.core.db import Tx
from dream_api.core.secrets import hash_token
from dream_api.identity.tables import recovery_codes

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CODE_COUNT = 10
_GROUPS = 4
_GROUP = 4
r = recovery_codes.c


async def create_codes(tx: Tx, subject: str) -> list[str]:
    """New codes, `k3xw-…`: returned here only, stored as hashes; earlier ones no longer work."""
    await delete_codes(tx, subject)
    made = ["-".join(_group() for _ in range(_GROUPS)) for _ in range(_CODE_COUNT)]
    await tx.execute(insert(recovery_codes), [{"subject": subject, "hash": _hash(subject, code)} for code in made])
    return made


async def use_code(tx: Tx, subject: str, code: str) -> bool:
    """Whether it is a code of the subject; it is used up."""
    which = (r.subject == subject, r.hash == _hash(subject, code))
    return await tx.execute(delete(recovery_codes).where(*which)) == 1


async def count_recovery_codes(tx: Tx, subject: str) -> int:
    return await tx.scalar(select(func.count()).select_from(recovery_codes).where(r.subject == subject))


async def delete_codes(tx: Tx, subject: str) -> None:
    await tx.execute(delete(recovery_codes).where(r.subject == subject))


def _group() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP))


def _hash(subject: str, code: str) -> bytes:
    """The hash of code and subject, whatever case and separators were typed."""
    typed = "".join(c for c in code.lower() if c.isalnum()).replace("o", "0").replace("l", "1").replace("i", "1")
    return hash_token(f"{subject} {typed}")
