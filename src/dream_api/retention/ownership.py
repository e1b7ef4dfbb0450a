"""Ownership of rows: for any table, the condition for the rows of a project or platform, from the table's columns."""

from sqlalchemy import ColumnElement, Table, and_, select, tuple_

from dream_api.core.db.columns import metadata
from dream_api.platforms import Platform, Project

# Work that is under way; what it was for is gone when its turn comes.
_NOBODYS = ("jobs",)


def belongs_to_platform(table: Table, platform: Platform) -> ColumnElement[bool] | None:
    """The condition for the platform's rows; None where no row of the table belongs to a platform."""
    if table.name in _NOBODYS:
        return None
    if table.name == "platforms":
        return table.c.id == platform.id
    if table.name == "numbers":
        return table.c.series.in_([f"customers:{platform.no}", f"meters:{platform.no}"])
    if "platform_no" in table.c:
        return table.c.platform_no == platform.no
    return table.c.platform_id == platform.id if "platform_id" in table.c else None


def belongs_to_project(table: Table, project: Project) -> ColumnElement[bool] | None:
    """The condition for the project's rows; None where no row of the table belongs to a project."""
    if "platform_no" in table.c:
        return _counted_in(table, project)
    if "platform_id" not in table.c or table.name in _NOBODYS:
        return None
    at_home = table.c.platform_id == project.platform_id
    if table.name == "projects":
        return and_(at_home, table.c.id == project.id)
    if "project_id" in table.c:
        return and_(at_home, table.c.project_id == project.id)
    if "account" in table.c:
        accounts = metadata.tables["gateway_accounts"].c
        own = select(accounts.id).where(accounts.platform_id == project.platform_id, accounts.project_id == project.id)
        return and_(at_home, table.c.account.in_(own))
    return _pointing(table, project)


def _counted_in(table: Table, project: Project) -> ColumnElement[bool] | None:
    """By its number; by that of its meters, where customer 0 is the platform itself, whose meters are others."""
    at_home = table.c.platform_no == project.platform_no
    if "project_no" in table.c:
        return and_(at_home, table.c.project_no == project.no)
    if "meter_no" not in table.c:
        return None  # how far a platform's hours are added up
    meters = metadata.tables["meters"].c
    own = select(meters.meter_no).where(meters.platform_no == project.platform_no, meters.project_no == project.no)
    # A table that adds customers up has no row of the platform itself.
    is_a_customers = (table.c.customer_no != 0,) if "customer_no" in table.c else ()
    return and_(at_home, *is_a_customers, table.c.meter_no.in_(own))


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
