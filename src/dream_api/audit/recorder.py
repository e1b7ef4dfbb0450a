"""Appends entries to the security log."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import TypeAliasType

from dream_api.audit import queries
from dream_api.audit.actions import require_declared
from dream_api.audit.hash_chain import entry_digest, field_digest, first_digest
from dream_api.audit.streams import Stream
from dream_api.core import clock
from dream_api.core.db import Tx

ActorKind = TypeAliasType("ActorKind", Literal["user", "token", "key", "operator", "system"])
# The names under which an actor's own name and address are kept, which no detail may take.
NAME, ADDRESS = "actor.name", "actor.address"
# Details that are personal data.
_PERSONAL = (NAME, ADDRESS, "email", "name", "address", "agent")
_PERSONAL_TIME = 30 * clock.DAY
_SALT_BYTES = 16
_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, and from where: `usr_…`, a token's or key's id; operators at the terminal have none."""

    kind: ActorKind
    id: str
    name: str = ""
    address: str = ""


# The operator, at the command line of the instance.
OPERATOR = Actor("operator", "")


@dataclass(frozen=True, slots=True)
class _Written:
    """An entry as its digest covers it; named like the columns of `audit_entries`."""

    number: int
    at: int
    action: str
    actor_kind: ActorKind
    actor_id: str
    about: str


async def record(
    tx: Tx,
    stream: Stream,
    action: str,
    *,
    by: Actor,
    about: str = "",
    details: Mapping[str, str] = {},
) -> None:
    """Append to the platform's or person's stream; it stays locked until the commit, so this comes last.

    Raises NotDeclared for an action that has no sentence. Details never hold a secret.
    """
    require_declared(action)
    last = await queries.lock_stream(tx, stream, first_digest(stream.name))
    entry = _Written(last.last_number + 1, clock.now(), action, by.kind, _clean(by.id), _clean(about))
    values = {NAME: by.name, ADDRESS: by.address, **details}
    fields = [_field(entry, name, _clean(value)) for name, value in values.items() if value]
    digest = entry_digest(last.last_digest, stream.name, entry, {field["field"]: field["digest"] for field in fields})
    await queries.insert_entry(tx, stream, entry, digest, fields)


async def record_in_streams(
    tx: Tx,
    streams: Collection[Stream],
    action: str,
    *,
    by: Actor,
    about: str = "",
    details: Mapping[str, str] = {},
) -> None:
    """The same in several streams, which are always locked in the same order."""
    for stream in sorted(set(streams)):
        await record(tx, stream, action, by=by, about=about, details=details)


def _field(entry: _Written, name: str, value: str) -> dict[str, Any]:
    salt = os.urandom(_SALT_BYTES)
    return {
        "number": entry.number,
        "field": name,
        "salt": salt,
        "value": value,
        "digest": field_digest(salt, value),
        "erase_at": entry.at + _PERSONAL_TIME if name in _PERSONAL else None,
    }


def _clean(text: str) -> str:
    """Bounded, and without what PostgreSQL cannot store: the record itself must not fail."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:_LONGEST]
