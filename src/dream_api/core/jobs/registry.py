"""The registry of job handlers and schedules."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from dream_api.core.db import Database


@dataclass(frozen=True)
class Job:
    """A job as its handler sees it; `attempts` counts this one, so that it is 1 at the first."""

    id: str
    kind: str
    platform_no: int | None
    payload: dict[str, Any]
    attempts: int


# Runs outside any transaction and opens its own; raises where the job must be tried again. A job may run more
# than once, after a crash even when it had been done: handlers are idempotent.
Handler = Callable[[Database, Job], Awaitable[None]]


@dataclass(frozen=True)
class Schedule:
    """A job of this kind every so many microseconds, on one of all workers."""

    name: str
    every: int
    kind: str


class Registry:
    """The kinds of jobs that a worker can do; it leaves all others to workers that know them."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._schedules: dict[str, Schedule] = {}

    def handle(self, kind: str, handler: Handler) -> None:
        """ValueError where the kind has a handler already."""
        if kind in self._handlers:
            raise ValueError(f"Jobs of the kind {kind!r} have a handler already.")
        self._handlers[kind] = handler

    def schedule(self, name: str, *, every: int, kind: str) -> None:
        """The first time at once, then every so many microseconds; what was missed meanwhile comes once.

        ValueError where the name is taken or the kind has no handler.
        """
        if name in self._schedules:
            raise ValueError(f"There is a schedule {name!r} already.")
        if kind not in self._handlers:
            raise ValueError(f"The schedule {name!r} is of the kind {kind!r}, which has no handler.")
        self._schedules[name] = Schedule(name, every, kind)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self._handlers)

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """In the order of their names, which is the order in which every worker locks their rows."""
        return tuple(self._schedules[name] for name in sorted(self._schedules))

    def handler(self, kind: str) -> Handler:
        return self._handlers[kind]
