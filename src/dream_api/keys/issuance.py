"""Issuance, rotation and revocation of API keys."""

from dataclasses import dataclass

from dream_api.core import clock, ids
from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, NotFound, ValidationFailed
from dream_api.core.secrets import InstanceKey, hash_token
from dream_api.core.tokens import masked
from dream_api.keys import key_format, queries
from dream_api.keys.key_format import Kind
from dream_api.keys.verification import CACHE_KIND
from dream_api.platforms import Mode, Project, lock_project, require_open

LONGEST_GRACE = 7 * clock.DAY
DEFAULT_GRACE = clock.DAY


class NoKeyToRotate(Conflict):
    code = "no_key_to_rotate"
    hint = "Create one with `dream-api keys create`."


class KeyAlreadyRevoked(Conflict):
    code = "key_already_revoked"
    hint = "You do not need to do anything."


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key; the text of a live secret key is returned here and never again."""

    id: str
    kind: Kind
    mode: Mode
    token: str


async def issue(
    tx: Tx,
    project: Project,
    mode: Mode,
    kind: Kind,
    *,
    instance_key: InstanceKey,
    created_by: str,
    name: str = "",
    expires_at: int | None = None,
    rate_limit: int | None = None,
) -> IssuedKey:
    now = clock.now()
    if expires_at is not None and expires_at <= now:
        raise ValidationFailed("The expiry date must be in the future.", param="expiresAt")
    await require_open(tx, project.platform_no, project.id)
    issued = IssuedKey(ids.new("key"), kind, mode, key_format.generate(kind, mode))
    is_secret = kind == "secret"
    may_be_revealed = is_secret and mode == "test"
    hashed = hash_token(issued.token)
    await queries.insert_key(
        tx,
        project.platform_no,
        {
            "id": issued.id,
            "project_id": project.id,
            "mode": mode,
            "kind": kind,
            "name": name,
            "shown": masked(issued.token) if is_secret else issued.token,
            "hash": hashed,
            "sealed": instance_key.seal(issued.token, issued.id) if may_be_revealed else None,
            "created_by": created_by,
            "created_at": now,
            "expires_at": expires_at,
            "rate_limit": rate_limit,
        },
    )
    await invalidate(tx, CACHE_KIND, hashed.hex())  # that there is no such key may be remembered
    return issued


async def issue_pair(
    tx: Tx, project: Project, mode: Mode, *, instance_key: InstanceKey, created_by: str
) -> tuple[IssuedKey, IssuedKey]:
    """A publishable and a secret key, as every project's mode begins with."""
    return (
        await issue(tx, project, mode, "publishable", instance_key=instance_key, created_by=created_by),
        await issue(tx, project, mode, "secret", instance_key=instance_key, created_by=created_by),
    )


async def rotate(
    tx: Tx,
    project: Project,
    mode: Mode,
    *,
    instance_key: InstanceKey,
    created_by: str,
    grace: int = DEFAULT_GRACE,
) -> IssuedKey:
    """A new secret key at once, named and limited as the last one was.

    Every older one works for `grace` microseconds more (0 to 7 days).
    """
    if not 0 <= grace <= LONGEST_GRACE:
        raise ValidationFailed("The grace period must be 0 to 7 days.", param="grace")
    await lock_project(
        tx, project.platform_no, project.id
    )  # one rotation after the other: the second sees the first's key
    now = clock.now()
    older = await queries.active_secret_keys(tx, project.platform_no, project.id, mode, now)
    if not older:
        raise NoKeyToRotate(f"The project has no {mode} secret key.")
    for key in older:
        ends = now + grace if key.expires_at is None else min(key.expires_at, now + grace)
        await queries.set_ends(tx, project.platform_no, key.id, expires_at=ends)
        await invalidate(tx, CACHE_KIND, key.hash.hex())
    last = older[-1]
    return await issue(
        tx,
        project,
        mode,
        "secret",
        instance_key=instance_key,
        created_by=created_by,
        name=last.name,
        rate_limit=last.rate_limit,
    )


async def invalidate_keys(tx: Tx, platform_no: int) -> None:
    """Invalidate the platform's cached keys, in every process within a second."""
    for hashed in await queries.hashes_of_platform(tx, platform_no):
        await invalidate(tx, CACHE_KIND, hashed.hex())


async def revoke(tx: Tx, platform_no: int, key_id: str) -> None:
    """The key is refused from now on, in every process within a second."""
    key = await queries.by_id(tx, platform_no, key_id)
    if key is None:
        raise NotFound("API key not found.", param="key")
    if key.revoked_at is not None:
        raise KeyAlreadyRevoked("The key is already revoked.")
    await queries.set_ends(tx, platform_no, key_id, revoked_at=clock.now())
    await invalidate(tx, CACHE_KIND, key.hash.hex())
