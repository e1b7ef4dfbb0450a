"""The money path: catalogue, tokens and origins, test clocks, gateways and subscriptions, stock and orders."""

import sqlalchemy as sa
from alembic import op

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _catalog()
    _callers()
    _clocks()
    _billing()
    _store()


def _catalog() -> None:
    """Prices, coupons, and what a tier tells of itself."""


def _callers() -> None:
    """Personal tokens, and where projects may send people."""


def _clocks() -> None:
    """How far ahead a project's test mode is."""


def _billing() -> None:
    """Gateways, what they tell, and what was bought."""


def _store() -> None:
    """Stock, and orders."""
