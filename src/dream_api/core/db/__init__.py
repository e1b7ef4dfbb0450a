"""The database: transactions, statements, tables and migrations, the same on SQLite and PostgreSQL."""

from sqlalchemy import Row

from dream_api.core.db.database import FILE_NAME, Database
from dream_api.core.db.dates import months_later
from dream_api.core.db.errors import is_contention, is_the_databases, refusal_for
from dream_api.core.db.keyset import place, walk
from dream_api.core.db.statements import Statement, given, insert, rows_of
from dream_api.core.db.transactions import BatchTx, Tx, inside_transaction
from dream_api.core.db.unusable import (
    DatabaseDamaged,
    DatabaseEmpty,
    DatabaseMissing,
    DatabaseUnusable,
    ForeignSchema,
    NoInstance,
    ReferencesBroken,
)

__all__ = [
    "FILE_NAME",
    "BatchTx",
    "Database",
    "DatabaseDamaged",
    "DatabaseEmpty",
    "DatabaseMissing",
    "DatabaseUnusable",
    "ForeignSchema",
    "NoInstance",
    "ReferencesBroken",
    "Row",
    "Statement",
    "Tx",
    "given",
    "insert",
    "inside_transaction",
    "is_contention",
    "is_the_databases",
    "months_later",
    "place",
    "refusal_for",
    "rows_of",
    "walk",
]
