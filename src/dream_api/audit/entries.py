"""Reads entries and actors of the security log."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from dream_api.audit import queries
from dream_api.audit.actions import ACTIONS
from dream_api.audit.recorder import ADDRESS, NAME, Actor, ActorKind
from dream_api.audit.streams import Stream
from dream_api.core.db import Tx


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done; the actor's name and address are empty once they were erased."""

    number: int
    at: int
    action: str
    by: Actor
    about: str
    details: Mapping[str, str]
    # Names of erased fields.
    erased: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return ACTIONS.get(self.action, self.action)


@dataclass(frozen=True, slots=True)
class KnownActor:
    """An actor of a stream; without a name where it was erased."""

    id: str
    kind: ActorKind
    name: str


async def list_actors(tx: Tx, stream: Stream, limit: int) -> list[KnownActor]:
    """The actors of the stream, by name; without operators and the instance itself, which have no ids."""
    rows = await queries.actors_of(tx, stream, limit)
    found = [KnownActor(row.actor_id, row.actor_kind, row.name or "") for row in rows]
    return sorted(found, key=lambda one: (not one.name, one.name.lower(), one.id))


async def list_entries(
    tx: Tx,
    stream: Stream,
    *,
    limit: int,
    before: int | None = None,
    action: str | None = None,
    actor_id: str | None = None,
) -> list[Entry]:
    """The newest entries of the stream, before the one of that number."""
    rows = await queries.newest_entries(tx, stream, limit=limit, before=before, action=action, actor_id=actor_id)
    values: dict[int, dict[str, str]] = defaultdict(dict)
    erased: dict[int, list[str]] = defaultdict(list)
    for field in await queries.fields_of(tx, stream, [row.number for row in rows]):
        if field.value is None:
            erased[field.number].append(field.field)
        else:
            values[field.number][field.field] = field.value
    return [
        Entry(
            row.number,
            row.at,
            row.action,
            Actor(row.actor_kind, row.actor_id, values[row.number].pop(NAME, ""), values[row.number].pop(ADDRESS, "")),
            row.about,
            dict(sorted(values[row.number].items())),
            tuple(sorted(erased[row.number])),
        )
        for row in rows
    ]
