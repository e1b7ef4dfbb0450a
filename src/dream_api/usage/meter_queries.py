"""SQL of meters."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    case,
    select,
)
from sqlalchemy import insert as plain_insert

from dream_api.core.db import Tx
from dream_api.platforms import home_platform_no
from dream_api.usage.tables import meters


def its_meter(table: Table) -> ColumnElement[bool]:
    """Joins rows with their meter: that of a customer is its platform's, that of a platform itself is home's."""
    owner = case((table.c.customer_no == 0, home_platform_no()), else_=table.c.platform_no)
    return and_(meters.c.platform_no == owner, meters.c.meter_no == table.c.meter_no)


async def insert_meter(tx: Tx, row: dict[str, Any]) -> None:
    await tx.execute(plain_insert(meters).values(row))


async def meters_of_project(tx: Tx, platform_no: int, project_no: int) -> Sequence[Any]:
    return await tx.all(
        select(meters)
        .where(meters.c.platform_no == platform_no, meters.c.project_no == project_no)
        .order_by(meters.c.meter_no)
    )
