"""Listens to what a transaction asks of the database."""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import event

from dream_api.core.db import Tx


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
