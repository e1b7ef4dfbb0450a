"""Column types, and the metadata that the tables of every package belong to."""

from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, SmallInteger, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import JSON

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s__%(column_0_N_name)s",
        "uq": "uq_%(table_name)s__%(column_0_N_name)s",
        "fk": "fk_%(table_name)s__%(column_0_N_name)s",
        "ck": "ck_%(table_name)s__%(constraint_name)s",
    }
)

# Text that is compared byte by byte on both databases: ids, names that are keys, user ids.
ByteOrderedText = String().with_variant(String(collation="C"), "postgresql")
# Whole microseconds UTC.
Timestamp = BigInteger
Number = BigInteger
Small = SmallInteger
Hash = LargeBinary
Document = JSON().with_variant(JSONB(), "postgresql")
# JSON or other text that must come back byte for byte.
RawText = Text


def timestamp_column(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Timestamp, nullable=nullable)


def id_column(name: str, *, nullable: bool = False, **more: Any) -> Column[str]:
    return Column(name, ByteOrderedText, nullable=nullable, **more)


def metadata_column() -> Column[str]:
    """What callers attached to the object: JSON, see `core/metadata.py`."""
    return Column("metadata", RawText, nullable=False, server_default="{}")


def sealed_column(name: str, *, owner: str, what: str, when_lost: str, nullable: bool = False) -> Column[str]:
    """A secret that is sealed with the instance key, bound to the row's value of `owner`.

    Without that key the column is set to null, or the row deleted where it cannot be; `what` names such secrets in the
    plural, `when_lost` says what that means to their users.
    """
    return Column(name, RawText, nullable=nullable, info={"owner": owner, "what": what, "when_lost": when_lost})
