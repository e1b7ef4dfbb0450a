"""Builds the statements of our code without a database: calls each function that has some, with made-up arguments.

A function that executes statements (`tx.all(…)`, `tx.execute(…)`, …) is called with a transaction that only notes them,
once for each choice of its arguments: with and without an optional one, both values of a flag, each mode. Places in the
source where a statement is executed and that no such call reaches are known: `unreached`.
"""

import ast
import dataclasses
import enum
import importlib
import inspect
import pkgutil
import sys
import types
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from sqlalchemy import Row, Table

import dream_api
from dream_api.core.db import Database, RawTransaction, Statement, Tx
from dream_api.schema import metadata

_PACKAGE = "dream_api."
# What runs statements for others, and what changes the schema.
_LEFT_OUT = ("dream_api.core.db", "dream_api.migrations")
_EXECUTING = frozenset({"all", "first", "scalar", "execute", "fetch", "run"})

# Module and line.
Site = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Built:
    """A statement that a function executes; `function`: as `package.module:name`."""

    function: str
    site: Site
    clause: Any


def modules() -> Iterator[types.ModuleType]:
    for found in pkgutil.walk_packages(dream_api.__path__, _PACKAGE):
        if not found.name.startswith((*_LEFT_OUT, "dream_api.__main__")):
            yield importlib.import_module(found.name)


def call_sites(among: Iterable[types.ModuleType]) -> dict[Site, str]:
    """Where statements are executed, with the function around each place."""
    found: dict[Site, str] = {}
    for module in among:
        for node in ast.walk(_tree(module)):
            if isinstance(node, (ast.AsyncFunctionDef, ast.FunctionDef)):
                function = f"{module.__name__.removeprefix(_PACKAGE)}:{node.name}"
                found |= {(module.__name__, one.lineno): function for one in ast.walk(node) if _is_site(one)}
    return found


def _tree(module: types.ModuleType) -> ast.Module:
    return ast.parse(Path(module.__file__ or "").read_text())


def _is_site(node: ast.AST) -> typing.TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in _EXECUTING:
        return False
    owner = node.func.value
    return (isinstance(owner, ast.Name) and owner.id == "tx") or (
        isinstance(owner, ast.Attribute) and owner.attr == "tx"
    )


def build(among: Iterable[types.ModuleType]) -> list[Built]:
    """The statements of all functions of these modules that execute some."""
    notes: list[Built] = []
    for module in among:
        for function in _functions(module):
            for arguments in _choices_of(function, notes):
                with suppress(Exception):  # made-up arguments may be refused: `unreached` tells what that leaves out
                    _finish(function(*arguments.args, **arguments.kwargs))
    return notes


def unreached(among: Iterable[types.ModuleType], built: Iterable[Built]) -> set[str]:
    """The functions in which no made-up call has reached every place where a statement is executed."""
    reached = {one.site for one in built}
    return {function for site, function in call_sites(among).items() if site not in reached}


def _functions(module: types.ModuleType) -> Iterator[Callable[..., Any]]:
    """The functions and methods of the module in which a statement is executed."""
    for node in ast.walk(_tree(module)):
        holders = [node, *ast.iter_child_nodes(node)] if isinstance(node, ast.ClassDef) else [node]
        for one in holders:
            if isinstance(one, (ast.AsyncFunctionDef, ast.FunctionDef)) and any(map(_is_site, ast.walk(one))):
                owner = getattr(module, node.name, None) if isinstance(node, ast.ClassDef) else module
                found = getattr(owner, one.name, None)
                if inspect.isfunction(found) or inspect.ismethod(found):
                    yield found


def _finish(result: Any) -> None:
    """Run what never waits for anything."""
    if inspect.isawaitable(result):
        _drive(result)
    elif inspect.isasyncgen(result):
        _drive(anext(result))


def _drive(awaitable: Awaitable[Any]) -> None:
    steps = awaitable.__await__()
    with suppress(StopIteration):
        for _ in range(1_000):
            next(steps)


# What notes statements.


class Recorder:
    """A transaction that executes nothing; `finds`: whether it finds a row."""

    def __init__(self, notes: list[Built], *, finds: bool, locks_rows: bool) -> None:
        self._notes = notes
        self._finds = finds
        self.locks_rows = locks_rows
        self.after_commit: list[Any] = []
        self.noted: list[Any] = []

    def _note(self, clause: Any, result: Any) -> "_Done":
        frame: types.FrameType | None = sys._getframe(2)
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            if name.startswith(_PACKAGE) and not name.startswith(_LEFT_OUT):
                function = f"{name.removeprefix(_PACKAGE)}:{frame.f_code.co_qualname}"
                self._notes.append(Built(function, (name, frame.f_lineno), clause))
                break
            frame = frame.f_back
        return _Done(result)

    def all(self, clause: Any, _: Any = None) -> "_Done":
        return self._note(clause, [AnyRow()] if self._finds else [])

    def first(self, clause: Any, _: Any = None) -> "_Done":
        return self._note(clause, AnyRow() if self._finds else None)

    def scalar(self, clause: Any, _: Any = None) -> "_Done":
        return self._note(clause, 1 if self._finds else None)

    def execute(self, clause: Any, _: Any = None) -> "_Done":
        return self._note(clause, 1 if self._finds else 0)

    def fetch(self, statement: Statement, **_: Any) -> "_Done":
        return self._note(statement, [[1] * 20] if self._finds else [])

    def run(self, statement: Statement, **_: Any) -> "_Done":
        return self._note(statement, None)


class _Done:
    """An awaitable result."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self._result


class RecordingDatabase:
    """A database whose transactions execute nothing."""

    is_sqlite = False
    is_distributed = False
    path = None

    def __init__(self, tx: Recorder) -> None:
        self._tx = tx

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Recorder]:
        yield self._tx

    read = write = batch = _open


class AnyRow:
    """Has every column, with a value that fits its name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _text_or_number(name)

    def __iter__(self) -> Iterator[int]:
        return iter([1] * 8)

    def __getitem__(self, _: Any) -> int:
        return 1

    def _asdict(self) -> dict[str, Any]:
        return {}

    @property
    def _mapping(self) -> Mapping[str, Any]:
        return {}


class AnyText(str):
    """A text that has every attribute as well."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _text_or_number(name)


class AnyDict(dict[str, Any]):
    """Has every key, though it is empty."""

    def __missing__(self, name: str) -> Any:
        return _text_or_number(name)


_LISTS = ("features", "origins", "lines")
_OBJECTS = ("wanted", "memo", "payload", "data", "usage_prices", "document", "hidden", "metadata")
_NUMBERS = ("_at", "_no", "no", "number", "count", "amount", "quantity", "total", "limit", "held", "last", "ahead")


def _text_or_number(name: str) -> Any:
    if name in _LISTS:
        return "[]"
    if name in _OBJECTS:
        return "{}"
    if name in ("digest", "hash", "fingerprint", "cut_seal"):
        return b"x"
    if name == "mode":
        return "test"
    return 1 if name.endswith(_NUMBERS) else f"{name.removesuffix('_id')}_1"


# Arguments.


def _choices_of(function: Callable[..., Any], notes: list[Built]) -> Iterator[inspect.BoundArguments]:
    """Arguments of each kind: one after the other takes each of its values, then all of them together."""
    try:
        signature, hints = inspect.signature(function), typing.get_type_hints(function)
    except (NameError, TypeError, ValueError):
        return
    both = (True, False) if "locks_rows" in inspect.getsource(function) else (True,)
    for finds in (True, False):
        for locks_rows in both:
            tx = Recorder(notes, finds=finds, locks_rows=locks_rows)
            values = {
                name: {"self": [_Self(tx)], "tx": [tx]}.get(name) or list(_values(hints.get(name, Any), name, tx))
                for name, parameter in signature.parameters.items()
                if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
            }
            for choice in _combinations(values):
                bound = signature.bind_partial()
                bound.arguments.update(choice)
                yield bound


def _combinations(values: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    first = {name: choices[0] for name, choices in values.items()}
    yield first
    yield {name: choices[-1] for name, choices in values.items()}
    for name, choices in values.items():
        for choice in choices[1:]:
            yield first | {name: choice}


class _Self:
    """Stands for the object of a method."""

    def __init__(self, tx: Recorder) -> None:
        self.tx = tx
        self.database = self._database = RecordingDatabase(tx)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _text_or_number(name)


def _values(kind: Any, name: str, tx: Recorder, depth: int = 0) -> Iterator[Any]:
    """Values of this type, the most usual one first."""
    kind = getattr(kind, "__value__", kind)  # of an alias
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        for argument in sorted(arguments, key=lambda one: one is type(None)):
            yield from _values(argument, name, tx, depth)
    elif kind in (str, int, bytes, float, Any) or origin is Literal or kind in _FIXED:
        yield from _plain(kind, arguments, name)
    elif kind in (Tx, RawTransaction, Database):
        yield RecordingDatabase(tx) if kind is Database else tx
    else:
        yield from _composed(kind, origin, arguments, name, tx, depth)


_FIXED: dict[Any, tuple[Any, ...]] = {bool: (False, True), type(None): (None,)}


def _plain(kind: Any, literals: tuple[Any, ...], name: str) -> Iterator[Any]:
    if kind in _FIXED:
        yield from _FIXED[kind]
    elif kind is Any:
        yield AnyText(_text_or_number(name))
    else:
        numbers = {int: 1, bytes: b"x", float: 1.0}
        yield from literals or (numbers.get(kind, f"{name.removesuffix('_id')}_1"),)


def _composed(kind: Any, origin: Any, arguments: Any, name: str, tx: Recorder, depth: int) -> Iterator[Any]:
    def one(inner: Any) -> Any:
        return next(_values(inner, name, tx, depth + 1), None)

    if kind is Table:
        yield from (metadata.tables[each] for each in ("checkouts", "subscriptions", "invoices", "payments", "refunds"))
    elif kind is Row or origin is Row:
        yield AnyRow()
    elif origin is not None and issubclass(origin, Mapping):
        yield AnyDict() if arguments[1] is Any else {one(arguments[0]): one(arguments[1])}
    elif origin is tuple:
        yield tuple(one(inner) for inner in arguments if inner is not Ellipsis)
    elif origin is not None and hasattr(origin, "__iter__"):
        found = [one(arguments[0])]
        yield set(found) if issubclass(origin, (set, frozenset)) else found
    elif inspect.isclass(kind) and issubclass(kind, enum.Enum):
        yield from kind
    elif dataclasses.is_dataclass(kind) and depth < 5:
        hints = typing.get_type_hints(kind)
        fields = [field for field in dataclasses.fields(kind) if field.init]
        yield kind(
            **{field.name: next(_values(hints[field.name], field.name, tx, depth + 1), None) for field in fields}
        )
    elif origin is not None and issubclass(origin, Callable):
        yield lambda *_, **__: _Done(None)
    else:
        yield AnyRow()
