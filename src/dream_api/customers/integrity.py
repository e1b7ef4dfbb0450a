"""Integrity checks of customers, for `doctor`."""

from sqlalchemy import BigInteger, String, cast, literal, or_, select

from dream_api.core.integrity import IntegrityCheck
from dream_api.customers.tables import customers
from dream_api.platforms.tables import numbers, platforms


def checks() -> list[IntegrityCheck]:
    series = literal("customers:") + cast(cast(platforms.c.no, BigInteger), String)
    return [
        IntegrityCheck(
            "customers_are_numbered",
            "No customer has a number above the last number issued for its platform.",
            select(customers.c.platform_id, customers.c.id, customers.c.no, numbers.c.last)
            .join(platforms, platforms.c.id == customers.c.platform_id)
            .outerjoin(numbers, numbers.c.series == series)
            .where(or_(numbers.c.last.is_(None), customers.c.no > numbers.c.last)),
        ),
    ]
