"""Checks the statements that our code executes: on tenant tables each names its tenant, or is listed with a reason.

`TenantCheck.listen` hears of every statement that goes through SQLAlchemy in this process, whichever database it is
for. What a statement leaves unnamed is found out once for each text. Prepared statements (`core.db.Statement`), which
the metering engine runs on the drivers themselves, are checked where they are defined: `prepared_statements`.
"""

import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import greenlet
from sqlalchemy import Engine, TextClause, event
from sqlalchemy.sql.ddl import ExecutableDDLElement

import dream_api.schema
from dream_api.core.db import Statement
from tests.support.cross_tenant_statements import CROSS_TENANT, EVERY_TABLE
from tests.support.tenant_filters import is_tenant_table, unnamed_tables

_PACKAGE = "dream_api."
_TESTS = ("tests.", "bench.")
# Executes what the rest of the code passes to it.
_DATABASE = "dream_api.core.db."
# Runs prepared statements on the connection that SQLAlchemy has open.
_PREPARED = "EngineStatements."
_WORD = re.compile(r"\w+")
_NOTHING: frozenset[str] = frozenset()


class TenantCheck:
    """Violations and the entries of the list that were needed; `path`: the file that they are written to instead."""

    def __init__(self, path: Path | None = None) -> None:
        self.violations: list[str] = []
        self.used: set[str] = set()
        self._path = path
        self._read = 0
        self._unnamed: dict[str, frozenset[str]] = {}
        self._unnamed_by: dict[tuple[str, str], frozenset[str]] = {}

    def listen(self) -> None:
        event.listen(Engine, "before_cursor_execute", self.before_cursor_execute)

    def close(self) -> None:
        event.remove(Engine, "before_cursor_execute", self.before_cursor_execute)

    def before_cursor_execute(
        self, _connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        text = statement if context.compiled is None else context.compiled.string
        unnamed = self._unnamed.get(text)
        if unnamed is None:
            unnamed = self._unnamed[text] = _unnamed_in(text, context.compiled)
        if unnamed:
            self._record(text, context.compiled)

    def _record(self, text: str, compiled: Any) -> None:
        function = executing_function()
        if function is None:
            return
        unnamed = self._unnamed_by.get((text, function))
        if unnamed is None:
            listed = CROSS_TENANT.get(function)
            known = () if listed is None else listed.tables
            unnamed = self._unnamed_by[text, function] = (
                _NOTHING if known == EVERY_TABLE else _unnamed_in(text, compiled, known)
            )
            if listed is not None:
                self._note("used", function)
        if unnamed:
            self._note("violation", violation(function, unnamed, text))

    def _note(self, kind: str, what: str) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps([kind, what]) + "\n")
        elif kind == "used":
            self.used.add(what)
        else:
            self.violations.append(what)

    def read(self, path: Path) -> None:
        """Take over what other processes have written to their file since the last time."""
        if path.stat().st_size == self._read:
            return
        with path.open() as file:
            file.seek(self._read)
            for line in iter(file.readline, ""):
                self._note(*json.loads(line))
            self._read = file.tell()

    def take_violations(self) -> list[str]:
        """Each once; afterwards there are none."""
        taken = list(dict.fromkeys(self.violations))
        self.violations.clear()
        return taken


def violation(function: str, unnamed: frozenset[str], text: str) -> str:
    return f"{function} uses {', '.join(sorted(unnamed))} without naming the tenant: {' '.join(text.split())}"


def _unnamed_in(text: str, compiled: Any, known: tuple[str, ...] = ()) -> frozenset[str]:
    clause = None if compiled is None else compiled.statement
    if isinstance(clause, ExecutableDDLElement):
        return _NOTHING
    if clause is None or isinstance(clause, TextClause):
        return _NOTHING if _is_prepared() else _unnamed_in_text(text, known)
    return unnamed_tables(clause, known)


def _unnamed_in_text(text: str, known: tuple[str, ...] = ()) -> frozenset[str]:
    """Nobody reads hand-written SQL here: it has no business with tenant tables, whatever it says."""
    return tenant_tables().intersection(_WORD.findall(text)).difference(known)


@cache
def tenant_tables() -> frozenset[str]:
    return frozenset(table.name for table in dream_api.schema.metadata.tables.values() if is_tenant_table(table))


# Which function it was.


def executing_function() -> str | None:
    """The function of our code that has the statement executed, as `package.module:function`; None where a test has."""
    for frame in _frames():
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_PACKAGE) and not module.startswith(_DATABASE):
            return f"{module.removeprefix(_PACKAGE)}:{frame.f_code.co_qualname}"
        if module.startswith(_TESTS) and module != __name__:
            return None
    return None


def _is_prepared() -> bool:
    modules = ((frame.f_globals.get("__name__", ""), frame.f_code.co_qualname) for frame in _frames())
    return next((name.startswith(_PREPARED) for module, name in modules if module.startswith(_DATABASE)), False)


def _frames() -> Iterator[FrameType]:
    """From the innermost one on. SQLAlchemy executes in a greenlet, whose parent runs what awaits it."""
    running: Any = greenlet.getcurrent()
    frame: FrameType | None = sys._getframe(1)
    while running is not None:
        while frame is not None:
            yield frame
            frame = frame.f_back
        running = running.parent
        frame = None if running is None else running.gr_frame


# Prepared statements.


def prepared_statements() -> dict[str, Statement]:
    """All that modules define, as `package.module:NAME`."""
    found: dict[str, Statement] = {}
    for module in pkgutil.walk_packages(dream_api.__path__, _PACKAGE):
        if module.name.startswith((f"{_PACKAGE}migrations.", f"{_PACKAGE}__main__")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Statement) and value not in found.values():
                found[f"{module.name.removeprefix(_PACKAGE)}:{name}"] = value
    return found
