"""Errors of databases that cannot be used: a sentence, a stable code and what an operator does next."""

from pathlib import Path
from typing import ClassVar


class DatabaseUnusable(Exception):
    """`str(error)` is the sentence."""

    code: ClassVar[str]
    hint: str


class NoInstance(DatabaseUnusable):
    """Nothing was created at this place yet."""

    code = "no_instance"
    hint = (
        "Set its location with --data, DREAM_DATA or DREAM_DATABASE_URL. `dream-api serve` or `dream-api init` "
        "creates a new instance."
    )


class ForeignSchema(DatabaseUnusable):
    """The database was written by another release, or is no database of ours."""

    code = "foreign_schema"
    hint = "Install the release that wrote it, or name another database with DREAM_DATA or DREAM_DATABASE_URL."


class DatabaseEmpty(DatabaseUnusable):
    """The file is there, and no instance is in it."""

    code = "database_empty"

    def __init__(self, path: Path) -> None:
        super().__init__(f"The database {path.absolute()} is empty.")
        self.hint = f"Restore a backup of it. {_start_over(path)}"


class DatabaseDamaged(DatabaseUnusable):
    """Parts of the database are missing."""

    code = "database_damaged"
    hint = "Restore a backup of it."


class DatabaseMissing(DatabaseUnusable):
    """The file is gone, and what belongs to it is still there."""

    code = "database_missing"

    def __init__(self, path: Path, left: str) -> None:
        super().__init__(f"The database {path.absolute()} is missing, but {left} of its instance still exists.")
        self.hint = f"Restore a backup of it, or set DREAM_DATABASE_URL if it is on PostgreSQL. {_start_over(path)}"


def _start_over(path: Path) -> str:
    return f"To start over, move everything out of {path.parent.absolute()}."


class ReferencesBroken(DatabaseUnusable):
    """Rows refer to rows that do not exist, so that the schema was not upgraded."""

    code = "references_broken"
    hint = "Nothing was changed. Restore a backup, or correct these rows, and start again."
