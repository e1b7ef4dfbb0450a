"""Interfaces are thin: SQL and rules lie in the layers below, and none imports another."""

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

import dream_api.app
from dream_api.core.errors import all_error_types

PACKAGE = Path(dream_api.__file__).parent
INTERFACES = ("api", "dashboard", "hosted")
# What a transaction does with SQL; rules get the transaction, interfaces only hand it on.
STATEMENTS = {"all", "execute", "fetch", "first", "one", "run", "scalar"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("dream_api", cache_dir=None, include_external_packages=True)


def imported_by(graph: grimp.ImportGraph, interface: str) -> set[tuple[str, str]]:
    """What its modules import themselves: pairs of the importing and the imported one."""
    package = f"dream_api.{interface}"
    return {
        (module, imported)
        for module in (package, *graph.find_descendants(package))
        for imported in graph.find_modules_directly_imported_by(module)
    }


def sql_in(source: str) -> Iterator[str]:
    """What a module's text asks a transaction itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in STATEMENTS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in ("tx", "batch"):
                yield ast.unparse(node)


@pytest.mark.parametrize("interface", INTERFACES)
def test_an_interface_imports_no_sql(graph: grimp.ImportGraph, interface: str) -> None:
    wrong = {
        (module, imported)
        for module, imported in imported_by(graph, interface)
        if imported == "sqlalchemy" or imported.endswith(".tables") or imported == "dream_api.core.db.statements"
    }

    assert wrong == set()


@pytest.mark.parametrize("interface", INTERFACES)
def test_an_interface_asks_the_database_by_rules_only(interface: str) -> None:
    asked = {
        (str(path.relative_to(PACKAGE)), call)
        for path in (PACKAGE / interface).rglob("*.py")
        for call in sql_in(path.read_text())
    }

    assert asked == set()


def test_sql_would_be_found() -> None:
    assert [*sql_in("async def read(tx):\n    return await tx.first(select(keys))\n")] == ["tx.first(select(keys))"]


@pytest.mark.parametrize("interface", INTERFACES)
def test_an_interface_defines_no_error(interface: str) -> None:
    """What is refused, and why, is a rule."""
    own = {kind.__name__ for kind in all_error_types() if kind.__module__.startswith(f"dream_api.{interface}.")}

    assert own == set()


def test_the_state_of_the_application_is_read_in_one_place() -> None:
    """Endpoints ask for what they need by type; app.py fills the state."""
    reading = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if "request.app.state" in path.read_text()
    }

    assert reading == {"core/http/dependencies.py"}


@pytest.mark.parametrize(("importer", "imported"), [("auth", "metering"), ("metering", "auth")])
def test_authentication_and_metering_know_nothing_of_each_other(
    graph: grimp.ImportGraph, importer: str, imported: str
) -> None:
    chain = graph.find_shortest_chain(f"dream_api.{importer}", f"dream_api.{imported}", as_packages=True)

    assert chain is None
