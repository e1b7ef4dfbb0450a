"""Generates rows for every table of any schema, within its columns, foreign keys and checks.

Rows of the same number belong together: each refers to the rows of its number in other tables.
"""

import itertools
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

Rows = list[dict[str, Any]]
_LISTED = re.compile(r"\"?(\w+)\"? IN \(([^)]*)\)")


def rows_for(schema: MetaData, known: Mapping[str, Sequence[Mapping[str, Any]]], count: int = 2) -> dict[str, Rows]:
    """Rows of each table of a schema that was reflected on SQLite, parents first.

    `known`: values of a table's first rows that must be certain ones. All others are told by column and number.
    """
    made: dict[str, Rows] = {}
    for table in schema.sorted_tables:
        given = [*known.get(table.name, ()), *[{}] * count]
        made[table.name] = [_row(table, number, made, given[number]) for number in range(count)]
    return made


def _row(table: Table, number: int, made: Mapping[str, Rows], known: Mapping[str, Any]) -> dict[str, Any]:
    checks = [str(one.sqltext) for one in table.constraints if isinstance(one, CheckConstraint)]
    choices = {
        column.name: [known[column.name]] if column.name in known else _choices(column, number, made, checks)
        for column in table.columns
    }
    row = {name: values[0] for name, values in choices.items()}
    with closing(sqlite3.connect(":memory:")) as judge:
        for names, group in _groups(list(choices), checks):
            row |= next(chosen for chosen in _combinations(names, choices) if _passes(judge, row | chosen, group))
    return row


def _combinations(names: Sequence[str], choices: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*(choices[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def _groups(columns: Sequence[str], checks: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Columns whose values depend on one another, with the checks that say so."""
    groups: list[tuple[set[str], list[str]]] = []
    for check in checks:
        names = {name for name in columns if re.search(rf"\b{name}\b", re.sub(r"'[^']*'", "", check))}
        together = [group for group in groups if group[0] & names]
        groups = [group for group in groups if group not in together]
        groups.append(
            (names.union(*(each[0] for each in together)), [check, *itertools.chain(*(each[1] for each in together))])
        )
    return [(sorted(names), group) for names, group in groups]


def _passes(judge: sqlite3.Connection, row: Mapping[str, Any], checks: Sequence[str]) -> bool:
    names = ", ".join(f'? AS "{name}"' for name in row)
    values = [value if not isinstance(value, dict) else "{}" for value in row.values()]
    statement = f"SELECT {' AND '.join(f'coalesce(({check}), 1)' for check in checks)} FROM (SELECT {names})"
    return bool(judge.execute(statement, values).fetchone()[0])


def _choices(column: Column[Any], number: int, made: Mapping[str, Rows], checks: Sequence[str]) -> list[Any]:
    """Values that the column may have, the likeliest first."""
    values = [*_referred(column, number, made)] or [*_listed(column, number, checks)] or _plain(column, number)
    return [*values, None] if column.nullable else values


def _referred(column: Column[Any], number: int, made: Mapping[str, Rows]) -> Iterator[Any]:
    for key in column.foreign_keys:
        yield made[key.column.table.name][number][key.column.name]
        return


def _listed(column: Column[Any], number: int, checks: Sequence[str]) -> Iterator[Any]:
    for check in checks:
        for name, values in _LISTED.findall(check):
            if name == column.name and "'" in values:
                found = re.findall(r"'([^']*)'", values)
                yield from found[number % len(found) :] + found[: number % len(found)]
                return


def _plain(column: Column[Any], number: int) -> list[Any]:
    match column.type:
        case Boolean():
            return [number % 2 == 1, number % 2 == 0]
        case Integer():
            return [number + 1, 0]
        case LargeBinary():
            return [bytes([number]) * 32]
        case JSON():
            return [{}]
        case String():
            return [f"{column.name} {number}"]
        case other:
            raise TypeError(f"{column}: there are no rows for the type {other!r} yet.")
