"""Migrations of the product's schema; each file in `versions` runs on both databases."""

from collections.abc import Sequence
from pathlib import Path

from dream_api.core.db import Database, migrations

FOLDER = Path(__file__).parent


def revisions() -> Sequence[str]:
    """Every revision that this release knows, oldest first."""
    return migrations.revisions(FOLDER)


def head_revision() -> str:
    """The newest revision that this release knows."""
    return migrations.head_revision(FOLDER)


async def migrate(database: Database) -> bool:
    """Bring the database to this release's schema; whether there was anything to do.

    Raises DatabaseUnusable where it cannot be: the database then is as it was.
    """
    return await migrations.migrate(database, FOLDER)
