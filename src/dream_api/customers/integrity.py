"""Integrity checks of customers, for `doctor`."""

from sqlalchemy import and_, or_, select

from dream_api.core.integrity import IntegrityCheck
from dream_api.customers.tables import customers
from dream_api.platforms.tables import sequences


def checks() -> list[IntegrityCheck]:
    of_customers = and_(sequences.c.platform_no == customers.c.platform_no, sequences.c.series == "customers")
    return [
        IntegrityCheck(
            "customers_are_numbered",
            "No customer has a number above the last number issued for its platform.",
            select(customers.c.platform_no, customers.c.id, customers.c.no, sequences.c.last)
            .outerjoin(sequences, of_customers)
            .where(or_(sequences.c.last.is_(None), customers.c.no > sequences.c.last)),
        ),
    ]
