"""Ownership of rows: for any table, the condition for the rows of a project or platform, from the table's columns."""

from sqlalchemy import ColumnElement, Table, and_, select, tuple_

from dream_api.core.db.columns import metadata
from dream_api.platforms import Platform, Project

# Work that is under way; what it was for is gone when its turn comes.
_NOBODYS = ("jobs",)
# Deleted by `audit`, so that what is left of a stream verifies at each moment.
_SECURITY_LOG = ("audit_streams", "audit_entries", "audit_fields")


def belongs_to_platform(table: Table, platform: Platform) -> ColumnElement[bool] | None:
    """The condition for the platform's rows; None where no row of the table belongs to a platform."""
    if table.name == "platforms":
        return table.c.no == platform.no
    if "platform_no" not in table.c or table.name in (*_NOBODYS, *_SECURITY_LOG):
        return None
    return table.c.platform_no == platform.no


def belongs_to_project(table: Table, project: Project) -> ColumnElement[bool] | None:
    """The condition for the project's rows; None where no row of the table belongs to a project."""
    if "platform_no" not in table.c or table.name in (*_NOBODYS, *_SECURITY_LOG):
        return None
    inside = _inside_platform(table, project)
    return None if inside is None else and_(table.c.platform_no == project.platform_no, inside)


def _inside_platform(table: Table, project: Project) -> ColumnElement[bool] | None:
    if table.name in ("projects", "project_ids"):
        return table.c.id == project.id
    if "project_id" in table.c:
        return table.c.project_id == project.id
    if "project_no" in table.c:
        return table.c.project_no == project.no
    if "account" in table.c:
        return _through("gateway_accounts", "id", table.c.account, project)
    if table.name == "key_hashes":
        return _through("keys", "id", table.c.key_id, project)
    return _pointing(table, project) if table.foreign_keys else _counted(table, project)


def _through(directory: str, key: str, column: ColumnElement[str], project: Project) -> ColumnElement[bool]:
    """The column names a row of this other table, which is the project's."""
    other = metadata.tables[directory].c
    own = select(other[key]).where(other.platform_no == project.platform_no, other.project_id == project.id)
    return column.in_(own)


def _counted(table: Table, project: Project) -> ColumnElement[bool] | None:
    """By the project's meters; customer 0 is the platform itself, whose meters are others."""
    if "meter_no" not in table.c:
        return None  # how far a platform's hours are added up
    meters = metadata.tables["meters"].c
    own = select(meters.meter_no).where(meters.platform_no == project.platform_no, meters.project_no == project.no)
    # A table that adds customers up has no row of the platform itself.
    is_a_customers = (table.c.customer_no != 0,) if "customer_no" in table.c else ()
    return and_(*is_a_customers, table.c.meter_no.in_(own))


def _pointing(table: Table, project: Project) -> ColumnElement[bool] | None:
    """Of rows that name no project themselves, those that point to one that does."""
    for constraint in table.foreign_key_constraints:
        parent = constraint.referred_table
        condition = belongs_to_project(parent, project) if parent.name not in ("projects", "platforms") else None
        if condition is not None:
            columns = [element.parent for element in constraint.elements]
            theirs = [element.column for element in constraint.elements]
            return tuple_(*columns).in_(select(*theirs).where(condition))
    return None
