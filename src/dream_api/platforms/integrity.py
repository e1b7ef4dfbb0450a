"""Integrity checks of the directory of projects, for `doctor`."""

from sqlalchemy import Select, and_, select, union_all

from dream_api.core.db.columns import metadata
from dream_api.core.integrity import IntegrityCheck
from dream_api.platforms.tables import project_ids, projects


def checks() -> list[IntegrityCheck]:
    p, d = projects.c, project_ids.c
    same = and_(p.platform_no == d.platform_no, p.id == d.id)
    lost = select(p.platform_no, p.id).outerjoin(project_ids, same).where(d.id.is_(None))
    astray = select(d.platform_no, d.id).outerjoin(projects, same).where(p.id.is_(None))
    return [
        IntegrityCheck(
            "projects_are_found",
            "Each project is found by its id on its own platform, and no id leads nowhere.",
            select(union_all(lost, astray).subquery()),
        )
    ]


def rows_without_project(table: str, key: str) -> Select[*tuple[int, str]]:
    """Rows of a directory whose project does not exist; `key`: the column that names a row."""
    row, p = metadata.tables[table].c, projects.c
    same = and_(p.platform_no == row.platform_no, p.id == row.project_id)
    return select(row.platform_no, row[key]).outerjoin(projects, same).where(p.id.is_(None))
