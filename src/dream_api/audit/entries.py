"""Reads the security log."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from dream_api.audit import queries
from dream_api.audit.actions import ACTIONS
from dream_api.audit.recorder import ADDRESS, NAME, Actor, ActorKind
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
    # What was told once and is erased.
    erased: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return ACTIONS.get(self.action, self.action)


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who stands in a book; without a name where it was erased."""

    id: str
    kind: ActorKind
    name: str


async def actors_of(tx: Tx, book: str, limit: int) -> list[Known]:
    """Those who stand in the book, by name; operators and the instance itself have no ids."""
    rows = await queries.actors_of(tx, book, limit)
    found = [Known(row.actor_id, row.actor_kind, row.name or "") for row in rows]
    return sorted(found, key=lambda one: (not one.name, one.name.lower(), one.id))


async def entries_of(
    tx: Tx, book: str, *, limit: int, before: int | None = None, action: str | None = None, actor_id: str | None = None
) -> list[Entry]:
    """The newest of the book, before the entry of that number."""
    rows = await queries.newest_entries(tx, book, limit=limit, before=before, action=action, actor_id=actor_id)
    told: dict[int, dict[str, str]] = defaultdict(dict)
    erased: dict[int, list[str]] = defaultdict(list)
    for field in await queries.fields_of(tx, [(row.book, row.number) for row in rows]):
        if field.value is None:
            erased[field.number].append(field.field)
        else:
            told[field.number][field.field] = field.value
    return [
        Entry(
            row.number,
            row.at,
            row.action,
            Actor(row.actor_kind, row.actor_id, told[row.number].pop(NAME, ""), told[row.number].pop(ADDRESS, "")),
            row.about,
            dict(sorted(told[row.number].items())),
            tuple(sorted(erased[row.number])),
        )
        for row in rows
    ]
