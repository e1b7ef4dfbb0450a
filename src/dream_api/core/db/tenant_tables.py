"""Tenant tables: their primary key, unique constraints and foreign keys begin with `platform_no`.

    orders = tenant_table(
        "orders",
        id_column("id", primary_key=True),
        id_column("project_id"),
        tenant_reference("project_id", "projects"),
        tenant_unique("checkout_id"),
        info={"scope": "mode", "personal": True, "keep": "7 years"},
    )

So all rows of a platform can lie on one machine of a distributed database, and every constraint and join between them
can be checked there. What is looked up before the platform is known is in a directory table, which is a plain `Table`.
"""

from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.schema import SchemaItem

from dream_api.core.db.columns import Number, metadata

TENANT = "platform_no"
# The platform number of rows that belong to no platform: a person's security log, numbers of the instance.
NO_PLATFORM = 0


def tenant_table(name: str, *items: SchemaItem, **options: Any) -> Table:
    """A table with the number of the platform as its first column and the first part of its primary key."""
    return Table(name, metadata, Column(TENANT, Number, primary_key=True, autoincrement=False), *items, **options)


def tenant_unique(*columns: str) -> UniqueConstraint:
    """These columns are unique within a platform."""
    return UniqueConstraint(TENANT, *columns)


def tenant_reference(column: str, table: str) -> ForeignKeyConstraint:
    """The column has the `id` of a row of the table, of the same platform."""
    return ForeignKeyConstraint([TENANT, column], [f"{table}.{TENANT}", f"{table}.id"])
