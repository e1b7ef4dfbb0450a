"""Operators of the instance: members of the operator's platform; the first one joins by a one-time link."""

import hmac
import secrets
from dataclasses import dataclass

from dream_api import identity
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.secrets import InstanceKey, hash_token
from dream_api.platforms.member_queries import members_of
from dream_api.platforms.members import add_member
from dream_api.platforms.queries import lock_platform
from dream_api.platforms.rules import Platform, find, operator_platform

_LINK = "operator"
_LASTS = clock.DAY
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class OperatorLink:
    """The secret part of `/account/operator/…`."""

    token: str
    expires_at: int


async def operator_is_missing(tx: Tx) -> bool:
    return not await members_of(tx, (await operator_platform(tx)).no)


async def pending_operator_link(tx: Tx, key: InstanceKey) -> OperatorLink:
    """The link that was created last, as long as it works, else a new one."""
    platform = await operator_platform(tx)
    await lock_platform(tx, platform.no)
    return await _pending(tx, platform, key) or await create_operator_link(tx, key)


async def _pending(tx: Tx, platform: Platform, key: InstanceKey) -> OperatorLink | None:
    found = await identity.find_pending_link(tx, _LINK, platform.id)
    if found is None:
        return None
    token = _token(key, found.payload)
    # Another token after the instance key was replaced, and of a link that an earlier release created.
    return OperatorLink(token, found.expires_at) if hmac.compare_digest(hash_token(token), found.hash) else None


async def create_operator_link(tx: Tx, key: InstanceKey) -> OperatorLink:
    """A link that works once, for a day; those from before no longer do."""
    platform = await operator_platform(tx)
    await identity.delete_links(tx, platform.id, _LINK)
    nonce = secrets.token_hex(_NONCE_BYTES)
    await identity.issue_link(tx, _LINK, platform.id, lasts=_LASTS, payload=nonce, token=_token(key, nonce))
    created = await _pending(tx, platform, key)
    assert created is not None
    return created


def _token(key: InstanceKey, nonce: str) -> str:
    """Derived, so that the database need not hold it and it can be shown again."""
    return identity.derive_link_token(key.derive(f"operator link {nonce}"))


async def check_operator_link(tx: Tx, token: str) -> None:
    """Raises LinkExpired where the link cannot be used."""
    await identity.find_link(tx, _LINK, token)


async def become_operator(tx: Tx, token: str, user_id: str) -> Platform:
    """The user owns the operator's platform from now on; raises LinkExpired, AlreadyAMember."""
    link = await identity.use_link(tx, _LINK, token)
    platform = await find(tx, link.subject)
    await add_member(tx, platform.no, user_id, "owner")
    return platform
