"""Which tests run on which database: the tiers of `make test`, `make test-rest` and `make test-all`.

- `default`: every test on SQLite; modules marked `both`, and tests that exist for PostgreSQL only, on PostgreSQL too.
- `rest`: what `default` leaves out: every other test on PostgreSQL, and those marked `rest`: more rounds of
  what a test of the default tier proves with fewer, and slow checks of what seldom breaks.
- `all`: both of them. `--only-database sqlite` (or `postgres`) takes those of `all` that use this database, or none.

A test that is named by its full id runs in the default tier, whatever its marker and on whichever database the id says.
"""

import pytest

TIERS = ("default", "rest", "all")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tier", choices=TIERS, help="which tests run on PostgreSQL: see tests/support/tiers.py")
    parser.addoption(
        "--only-database", choices=("sqlite", "postgres"), help="run tests that use a database on this one only"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = config.getoption("--only-database")
    tier = config.getoption("--tier") or ("all" if only else "default")
    later = postgres_later(items) | long_repetitions(items)
    chosen = [
        item
        for item in items
        if (tier == "all" or (item in later) == (tier == "rest")) and (only is None or kind_of(item) in (None, only))
    ]
    left = set(items).difference(chosen)
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = chosen


def postgres_later(items: list[pytest.Item]) -> set[pytest.Item]:
    """Tests on PostgreSQL that the default tier runs on SQLite only."""
    on_sqlite = {item.nodeid for item in items if kind_of(item) == "sqlite"}
    return {
        item
        for item in items
        if kind_of(item) == "postgres"
        and item.get_closest_marker("both") is None
        and _on_sqlite(item.nodeid) in on_sqlite
    }


def long_repetitions(items: list[pytest.Item]) -> set[pytest.Item]:
    """Tests marked `rest`, unless the command line names them."""
    return {
        item for item in items if item.get_closest_marker("rest") is not None and item.nodeid not in item.config.args
    }


def _on_sqlite(nodeid: str) -> str:
    name, bracket, values = nodeid.partition("[")
    return name + bracket + values.replace("postgres", "sqlite")


def kind_of(item: pytest.Item) -> str | None:
    """The database that the test uses."""
    called = getattr(item, "callspec", None)
    return None if called is None else called.params.get("database_kind")
