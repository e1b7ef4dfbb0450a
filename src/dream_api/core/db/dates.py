"""Calendar arithmetic inside SQL, on timestamps in microseconds."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class sql_add_months(GenericFunction[int]):  # noqa: N801
    """The first microsecond of the next month (UTC), of the first one of a month."""

    type = BigInteger()
    inherit_cache = True

    def __init__(self, moment: ColumnElement[int]) -> None:
        super().__init__(moment)


@compiles(sql_add_months, "sqlite")
def _on_sqlite(element: Any, compiler: SQLCompiler, **more: Any) -> str:
    moment = compiler.process(element.clauses, **more)
    return f"(CAST(strftime('%s', {moment} / 1000000, 'unixepoch', '+1 month') AS INTEGER) * 1000000)"


@compiles(sql_add_months, "postgresql")
def _on_postgresql(element: Any, compiler: SQLCompiler, **more: Any) -> str:
    moment = compiler.process(element.clauses, **more)
    later = f"timezone('UTC', to_timestamp({moment} / 1000000)) + interval '1 month'"
    return f"(CAST(extract(epoch FROM {later}) AS BIGINT) * 1000000)"
