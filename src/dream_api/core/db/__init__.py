"""The database: transactions, statements, tables and migrations, the same on SQLite and PostgreSQL."""

from sqlalchemy import Row

from dream_api.core.db.database import FILE_NAME, Database
from dream_api.core.db.dates import sql_add_months
from dream_api.core.db.driver_errors import error_for, is_contention, is_database_error
from dream_api.core.db.errors import (
    DatabaseDamaged,
    DatabaseEmpty,
    DatabaseMissing,
    DatabaseUnusable,
    ForeignSchema,
    NoInstance,
    ReferencesBroken,
)
from dream_api.core.db.keyset import iterate_by_key, resume_key
from dream_api.core.db.statements import Statement, insert, is_real_row, values_table
from dream_api.core.db.tenant_tables import NO_PLATFORM
from dream_api.core.db.transactions import RawTransaction, Tx, in_transaction

__all__ = [
    "FILE_NAME",
    "NO_PLATFORM",
    "Database",
    "DatabaseDamaged",
    "DatabaseEmpty",
    "DatabaseMissing",
    "DatabaseUnusable",
    "ForeignSchema",
    "NoInstance",
    "RawTransaction",
    "ReferencesBroken",
    "Row",
    "Statement",
    "Tx",
    "error_for",
    "in_transaction",
    "insert",
    "is_contention",
    "is_database_error",
    "is_real_row",
    "iterate_by_key",
    "resume_key",
    "sql_add_months",
    "values_table",
]
