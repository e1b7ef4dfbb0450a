"""Tenant filters of SQL statements: which tables of a statement are read or changed without naming the tenant.

A table is a tenant table where it has a column `platform_no`. A statement names the tenant of
such a table where this column is equal to a parameter in every row that it reads, or to the tenant column of a table of
which this is true: by WHERE, by the ON of a join, or by a semi-join (`EXISTS`, `IN (SELECT …)`). What is weaker names
nobody: a comparison inside OR or NOT, a column compared with itself, a list (`IN (…)`), a condition of an outer join on
the rows that the join keeps anyway.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, CompoundSelect, Insert, Join, Select, Table, Update
from sqlalchemy.dialects.postgresql.dml import OnConflictDoUpdate
from sqlalchemy.sql import ClauseElement, FromClause, operators
from sqlalchemy.sql.dml import DMLWhereBase, UpdateBase
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BooleanClauseList,
    Cast,
    ColumnClause,
    Grouping,
    Label,
    Tuple,
    TypeCoerce,
)
from sqlalchemy.sql.selectable import (
    AliasedReturnsRows,
    Exists,
    FromGrouping,
    Lateral,
    ScalarSelect,
    SelectBase,
    SelectStatementGrouping,
    TableValuedAlias,
    Values,
)

TENANT_COLUMNS = ("platform_no",)
# The directory of tenants: its rows are known by both, each of which stands for the other.
_BOTH_KEYS = {"platforms": ("id", "no")}


def is_tenant_table(table: Table) -> bool:
    """Whether its rows belong to platforms. (A job names the platform that it works for, and is the instance's.)"""
    return table.info.get("scope") != "instance" and any(name in table.c for name in TENANT_COLUMNS)


def unnamed_tables(statement: ClauseElement, known: Collection[str] = ()) -> frozenset[str]:
    """The tenant tables that the statement uses somewhere without naming the tenant.

    `known`: tables whose rows name their tenant by themselves, to what is joined to them as well.
    """
    walk = _Walk(frozenset(known))
    walk.visit(statement, _Scope())
    return frozenset(walk.unnamed)


# One is where the rows of a FROM, an UPDATE or a DELETE are chosen.

Column = ColumnElement[Any]


@dataclass
class _Scope:
    """`named`: columns that have one known value in every row; those of the enclosing statements are among them."""

    tables: list[FromClause] = field(default_factory=list)
    # What a subquery may correlate to: the tables of all enclosing statements.
    visible: set[FromClause] = field(default_factory=set)
    named: set[Column] = field(default_factory=set)

    def own(self) -> set[FromClause]:
        return set(self.tables)


@dataclass
class _Conditions:
    """What is true of every row: pairs of which the second is named where the first is, and semi-joins."""

    edges: list[tuple[Column, Column]] = field(default_factory=list)
    semi_joins: list[Exists | BinaryExpression[Any]] = field(default_factory=list)

    def add(self, clause: Any, within: set[FromClause] | None = None) -> None:
        """`within`: the only tables whose rows the condition chooses; None where it is true of all."""
        for each in _conjuncts(clause):
            match each:
                case BinaryExpression(operator=operators.eq):
                    self._add_equality(_plain(each.left), _plain(each.right), within)
                case Exists() | BinaryExpression(operator=operators.in_op) if within is None:
                    self.semi_joins.append(each)
                case _:
                    pass

    def _add_equality(self, left: Column, right: Column, within: set[FromClause] | None) -> None:
        for source, target in ((left, right), (right, left)):
            if _is_key(target) and (within is None or target.table in within):  # pyright: ignore
                self.edges.append((source, target))


def _conjuncts(clause: Any) -> Iterator[Any]:
    match clause:
        case None:
            pass
        case BooleanClauseList(operator=operators.and_):
            for each in clause.clauses:
                yield from _conjuncts(each)
        case Grouping():
            yield from _conjuncts(clause.element)
        case _:
            yield clause


def _plain(expression: Any) -> Column:
    while isinstance(expression, (Grouping, Label, Cast, TypeCoerce)):
        expression = expression.clause if isinstance(expression, (Cast, TypeCoerce)) else expression.element
    return expression


def _is_key(column: Column) -> bool:
    """Whether it can be a tenant's key; of a subquery's columns, the subquery says which value they have."""
    if not isinstance(column, ColumnClause):
        return False
    table = table_of(column.table)
    return table is None or column.name in (*TENANT_COLUMNS, *_BOTH_KEYS.get(table.name, ()))


def table_of(source: Any) -> Table | None:
    """The table that is read here, whatever it is called here; None where it is a subquery or the like."""
    while isinstance(source, AliasedReturnsRows):
        source = source.element
    return source if isinstance(source, Table) else None


@dataclass
class _Walk:
    known: frozenset[str]
    unnamed: set[str] = field(default_factory=set)

    def visit(self, statement: Any, outer: _Scope, *, in_from: bool = False) -> list[bool]:
        """Reports what is unnamed in it; returns of each column that it gives whether its value is known."""
        if isinstance(statement, (SelectStatementGrouping, ScalarSelect)):
            return self.visit(statement.element, outer, in_from=in_from)
        if isinstance(statement, CompoundSelect):
            parts = [self.visit(part, outer, in_from=in_from) for part in statement.selects]
            return [all(column) for column in zip(*parts, strict=True)]
        if isinstance(statement, Select):
            return self._visit_rows(
                statement, self._select_scope(statement, outer, in_from), statement.selected_columns
            )
        if isinstance(statement, DMLWhereBase):
            return self._visit_rows(statement, self._dml_scope(statement, outer), statement.exported_columns)
        if isinstance(statement, Insert):
            self._visit_insert(statement, outer)
        return []

    def _visit_rows(self, statement: Any, scope: _Scope, columns: Iterable[Column]) -> list[bool]:
        for source in scope.tables:
            table = table_of(source)
            if table is not None and is_tenant_table(table) and not _keys_of(source) & scope.named:
                self.unnamed.add(table.name)
        self._visit_nested(statement, scope)
        return [self._is_known(column, scope) for column in columns]

    def _visit_nested(self, statement: Any, scope: _Scope) -> None:
        for source in scope.tables:
            if isinstance(source, AliasedReturnsRows):
                self.visit(source.element, scope, in_from=not isinstance(source, Lateral))
        for nested in _nested(statement):
            self.visit(nested, scope)

    def _visit_insert(self, statement: Insert, outer: _Scope) -> None:
        upsert = getattr(statement, "_post_values_clause", None)
        if isinstance(upsert, OnConflictDoUpdate) and is_tenant_table(statement.table):
            where = upsert.inferred_target_elements or ()
            if not any(getattr(each, "name", each) in TENANT_COLUMNS for each in where):
                self.unnamed.add(statement.table.name)
        for nested in _nested(statement):
            self.visit(nested, outer)

    # Which rows: the tables and what is true of them.

    def _select_scope(self, statement: Select[Any], outer: _Scope, in_from: bool) -> _Scope:
        """As the compiler does it, subqueries correlate to the tables of the statement around them."""
        immediate = outer.own()
        state: Any = statement._compile_state_factory(statement, None)  # type: ignore[attr-defined]
        froms: Sequence[FromClause] = state._get_display_froms(
            explicit_correlate_froms=outer.visible - immediate if in_from else outer.visible,
            implicit_correlate_froms=() if in_from else immediate,
        )
        return self._scope(froms, statement._where_criteria, outer)

    def _dml_scope(self, statement: Any, outer: _Scope) -> _Scope:
        froms: dict[FromClause, None] = {statement.table: None}
        values = statement._values.values() if isinstance(statement, Update) and statement._values else ()
        for expression in (*statement._where_criteria, *values):
            for source in getattr(expression, "_from_objects", ()):
                froms.setdefault(source)
        return self._scope(list(froms), statement._where_criteria, outer)

    def _scope(self, froms: Iterable[FromClause], where: Iterable[Any], outer: _Scope) -> _Scope:
        scope, conditions = _Scope(), _Conditions()
        for source in froms:
            scope.tables += _flatten(source, conditions)
        for clause in where:
            conditions.add(clause)
        own = scope.own()
        scope.visible = outer.visible | own
        scope.named = {column for column in outer.named if column.table not in own}  # pyright: ignore
        for source in scope.tables:
            conditions.edges += _pairs_of_keys(source)
            scope.named |= self._known_columns(source, scope)
        self._propagate(scope, conditions)
        return scope

    def _known_columns(self, source: FromClause, scope: _Scope) -> set[Column]:
        """Those of a subquery, and all those of rows that are given as parameters: each row names its tenant."""
        if isinstance(source, (TableValuedAlias, Values)):
            return set(source.c)
        table = table_of(source)
        if table is not None:
            return _keys_of(source) if table.name in self.known else set()
        if not isinstance(source, AliasedReturnsRows):
            return set()
        known = _Walk(self.known).visit(source.element, scope, in_from=not isinstance(source, Lateral))
        return {column for column, is_known in zip(source.c, known, strict=False) if is_known}

    def _propagate(self, scope: _Scope, conditions: _Conditions) -> None:
        before = -1
        while before != len(scope.named):
            before = len(scope.named)
            scope.named |= {target for source, target in conditions.edges if self._is_known(source, scope)}
            for semi_join in conditions.semi_joins:
                scope.named |= self._named_by(semi_join, scope)

    def _named_by(self, semi_join: Exists | BinaryExpression[Any], scope: _Scope) -> set[Column]:
        if isinstance(semi_join, Exists):
            select: Any = semi_join.element
            while not isinstance(select, SelectBase) or isinstance(select, SelectStatementGrouping):
                select = select.element
            if not isinstance(select, Select):
                return set()
            inner = _Walk(self.known)._select_scope(select, scope, in_from=False)
            return {column for column in inner.named if column.table not in inner.own()}  # pyright: ignore
        if not isinstance(_plain(semi_join.right), (SelectBase, ScalarSelect)):
            return set()
        known = _Walk(self.known).visit(_plain(semi_join.right), scope)
        left = _plain(semi_join.left)
        columns = [_plain(each) for each in left.clauses] if isinstance(left, Tuple) else [left]
        return {column for column, is_known in zip(columns, known, strict=True) if is_known and _is_key(column)}

    def _is_known(self, expression: Any, scope: _Scope) -> bool:
        value = _plain(expression)
        if isinstance(value, ScalarSelect):
            return _Walk(self.known).visit(value, scope)[0]
        return isinstance(value, BindParameter) or value in scope.named


def _flatten(source: FromClause, conditions: _Conditions) -> list[FromClause]:
    if isinstance(source, FromGrouping):
        return _flatten(source.element, conditions)
    if not isinstance(source, Join):
        return [source]
    left, right = _flatten(source.left, conditions), _flatten(source.right, conditions)
    if source.isouter or source.full:
        conditions.add(source.onclause, within=set() if source.full else set(right))
    else:
        conditions.add(source.onclause)
    return [*left, *right]


def _keys_of(source: FromClause) -> set[Column]:
    return {source.c[name] for name in TENANT_COLUMNS if name in source.c}


def _pairs_of_keys(source: FromClause) -> list[tuple[Column, Column]]:
    table = table_of(source)
    if table is None or table.name not in _BOTH_KEYS:
        return []
    one, other = (source.c[name] for name in _BOTH_KEYS[table.name])
    return [(one, other), (other, one)]


def _nested(element: Any) -> Iterator[Any]:
    """Subqueries in expressions and CTEs beside the statement, not those inside them; those in FROM are left out."""
    if isinstance(element, (UpdateBase, Select)):
        yield from (each.element for each in element._independent_ctes)
    for child in element.get_children():
        if isinstance(child, SelectBase):
            yield child
        elif not isinstance(child, FromClause):
            yield from _nested(child)
