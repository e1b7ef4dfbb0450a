"""Records SQL statements of a transaction or of a request."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, event

from dream_api.core.db import Tx

# What goes on beside: looking for changes, jobs and the database's clock.
_ASIDE = re.compile(r"FROM (changes|jobs|schedules)|julianday|clock_timestamp")


@contextlib.contextmanager
def statements(tx: Tx) -> Iterator[list[str]]:
    """What the transaction runs."""
    told: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    connection = tx.connection.sync_connection
    event.listen(connection, "before_cursor_execute", hear)
    yield told
    event.remove(connection, "before_cursor_execute", hear)


@contextlib.contextmanager
def questions() -> Iterator[list[str]]:
    """What everybody reads, but for what goes on beside."""
    told: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")) and not _ASIDE.search(statement):
            told.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
