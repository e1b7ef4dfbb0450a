"""Integrity checks of the directory of API keys, for `doctor`."""

from sqlalchemy import and_, select, union_all

from dream_api.core.integrity import IntegrityCheck
from dream_api.keys.tables import key_hashes, keys


def checks() -> list[IntegrityCheck]:
    k, h = keys.c, key_hashes.c
    same = and_(k.platform_no == h.platform_no, k.id == h.key_id, k.hash == h.hash)
    lost = select(k.platform_no, k.id).outerjoin(key_hashes, same).where(h.hash.is_(None))
    astray = select(h.platform_no, h.key_id).outerjoin(keys, same).where(k.id.is_(None))
    return [
        IntegrityCheck(
            "keys_are_found",
            "Each API key is found by its hash, and no hash leads nowhere.",
            select(union_all(lost, astray).subquery()),
        )
    ]
