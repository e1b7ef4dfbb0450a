"""Only `serve`, `init` and `migrate` create an instance; others fail without one, and all fail where one was lost."""

import shlex
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from docs.generate import EXAMPLES

from dream_api.app import open_database
from dream_api.core.db import FILE_NAME
from dream_api.core.db.migrations import current_revision
from dream_api.core.settings import Settings
from dream_api.migrations import head_revision
from tests.cli.terminal import Begun, Terminal
from tests.support.postgres import execute, run_aside
from tests.support.server import Server

CREATE = {"serve", "init", "migrate"}
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])
only_postgres = pytest.mark.parametrize("database_kind", ["postgres"])


def words_of(command: str) -> list[str]:
    words = shlex.split(EXAMPLES[command])
    return [word for word in words[words.index("dream-api") + 1 :] if word != "--json"]


def files_in(folder: Path) -> dict[str, bytes]:
    """All that is there, but for the lock that a server leaves."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.name != "server.lock"}
    return {name: path.read_bytes() if path.is_file() else b"" for name, path in found.items()}


@pytest.mark.parametrize("command", sorted(EXAMPLES.keys() - CREATE))
def test_a_command_in_a_wrong_directory_says_so_and_creates_nothing(tmp_path: Path, command: str) -> None:
    terminal = Terminal(Settings(data=tmp_path / "wrong" / "data"))

    said = terminal.type(*words_of(command))
    told = terminal.refused(*words_of(command))

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"✗ There is no instance in {tmp_path}/wrong/data.\n  Set its location with --data, ")
    assert (told["code"], told["error"]) == ("no_instance", f"There is no instance in {tmp_path}/wrong/data.")
    assert list(tmp_path.iterdir()) == []


@only_postgres
def test_on_an_empty_postgresql_database_only_migrate_creates(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.settings.database_url is not None
    execute(terminal.settings.database_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    elsewhere = Terminal(terminal.settings.model_copy(update={"data": tmp_path / "elsewhere"}))

    codes = {command: elsewhere.refused(*words_of(command))["code"] for command in EXAMPLES.keys() - CREATE}

    assert set(codes.values()) == {"no_instance"}, codes
    assert not elsewhere.settings.data.exists()
    assert run_aside(revision_of(terminal.settings)) is None
    assert terminal.ask("migrate")["before"] is None
    assert terminal.ask("doctor")["holds"] is True


async def revision_of(settings: Settings) -> str | None:
    database = open_database(settings)
    try:
        return await current_revision(database)
    finally:
        await database.close()


@only_postgres
def test_a_password_is_not_shown(terminal: Terminal) -> None:
    url = terminal.settings.database_url or ""
    execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    refusal = terminal.refused("doctor", DREAM_DATABASE_URL=url.replace("postgres@", "postgres:hidden@"))

    assert refusal["error"] == f"There is no instance in the database {url.rpartition('/')[2]} on 127.0.0.1."


# What was an instance, and is no longer whole.


def empty(data: Path) -> None:
    (data / FILE_NAME).write_bytes(b"")


def empty_beside_its_log(data: Path) -> None:
    empty(data)
    (data / f"{FILE_NAME}-wal").write_bytes(b"everything is in here")


def one_byte(data: Path) -> None:
    (data / FILE_NAME).write_bytes(b"x")


def something_else(data: Path) -> None:
    (data / FILE_NAME).write_bytes(b"This is no database at all. " * 100)


def cut_off(data: Path) -> None:
    whole = (data / FILE_NAME).read_bytes()
    (data / FILE_NAME).write_bytes(whole[: len(whole) // 2])


def only_its_head(data: Path) -> None:
    (data / FILE_NAME).write_bytes((data / FILE_NAME).read_bytes()[:1024])


def all_tables_gone(data: Path) -> None:
    with closing(sqlite3.connect(data / FILE_NAME)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            if not name.startswith("sqlite_"):
                database.execute(f"DROP TABLE {name}")
        database.commit()


def its_own_tables_gone(data: Path) -> None:
    with closing(sqlite3.connect(data / FILE_NAME)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            if not name.startswith("sqlite_") and name != "alembic_version":
                database.execute(f"DROP TABLE {name}")
        database.commit()


def one_table_gone(data: Path) -> None:
    with closing(sqlite3.connect(data / FILE_NAME)) as database:
        database.execute("DROP TABLE mails")


def no_revision(data: Path) -> None:
    with closing(sqlite3.connect(data / FILE_NAME)) as database:
        database.execute("DELETE FROM alembic_version")
        database.commit()


def gone(data: Path) -> None:
    (data / FILE_NAME).unlink()


def gone_beside_its_log(data: Path) -> None:
    gone(data)
    (data / "instance.key").unlink()
    (data / f"{FILE_NAME}-wal").write_bytes(b"everything is in here")


def gone_beside_its_objects(data: Path) -> None:
    gone(data)
    (data / "instance.key").unlink()
    (data / "objects").mkdir()


LOST: dict[Callable[[Path], None], str] = {
    empty: "database_empty",
    empty_beside_its_log: "database_empty",
    one_byte: "database_empty",
    something_else: "database_damaged",
    cut_off: "database_damaged",
    only_its_head: "database_damaged",
    all_tables_gone: "database_empty",
    its_own_tables_gone: "database_damaged",
    one_table_gone: "database_damaged",
    no_revision: "database_empty",
    gone: "database_missing",
    gone_beside_its_log: "database_missing",
    gone_beside_its_objects: "database_missing",
}


@only_sqlite
@pytest.mark.parametrize("lose", LOST, ids=lambda lose: lose.__name__)
def test_a_lost_database_is_not_silently_a_new_instance(
    terminal: Terminal, lose: Callable[[Path], None], tmp_path: Path
) -> None:
    lose(terminal.settings.data)
    before = files_in(terminal.settings.data)

    told = [
        terminal.refused("doctor"),
        terminal.refused("migrate"),
        terminal.run("serve", "--port", "0", "--json").data,
    ]

    assert [one["code"] for one in told] == [LOST[lose]] * 3, told
    assert all("Restore a backup" in one["hint"] for one in told)
    assert files_in(terminal.settings.data) == before


@only_sqlite
def test_what_the_hint_says_begins_anew(terminal: Terminal, tmp_path: Path) -> None:
    data = terminal.settings.data
    empty(data)
    hint = terminal.refused("migrate")["hint"]
    assert hint == f"Restore a backup of it. To start over, move everything out of {data}."
    shutil.move(data, tmp_path / "lost")

    assert terminal.ask("migrate")["before"] is None


def test_an_instance_whose_key_is_elsewhere_gets_no_second_one(terminal: Terminal, tmp_path: Path) -> None:
    """As on PostgreSQL, where the database is found from any directory."""
    terminal.ask("init")
    (terminal.settings.data / "instance.key").rename(tmp_path / "instance.key")
    before = files_in(terminal.settings.data)

    told = [terminal.refused(*words) for words in (("project", "create", "Shop", "--type", "saas"), ("doctor",))]

    assert [one["code"] for one in told] == ["instance_key_missing"] * 2
    assert files_in(terminal.settings.data).keys() == before.keys()
    assert terminal.ask("project", "list")["data"]
    key = (tmp_path / "instance.key").read_text().strip()
    assert terminal.ask("doctor", DREAM_INSTANCE_KEY=key)["holds"] is True


# The first start, interrupted.


@pytest.fixture
def nowhere(tmp_path: Path) -> Terminal:
    return Terminal(Settings(data=tmp_path / "data"))


def killed_when(begun: Begun, happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happens() and begun.process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    begun.process.kill()
    begun.process.wait(10)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("migrate",), ("init",), ("serve", "--port", "0")], ids=lambda words: words[0])
def test_a_first_start_that_was_killed_begins_again(nowhere: Terminal, words: tuple[str, ...]) -> None:
    data = nowhere.settings.data
    draft = data / f"{FILE_NAME}.new"

    killed_when(nowhere.begin(*words), draft.exists)

    assert draft.exists()
    assert not (data / FILE_NAME).exists()
    assert nowhere.refused("doctor")["code"] == "no_instance"
    with Server(nowhere.settings):
        assert nowhere.ask("doctor")["holds"] is True
    assert [path.name for path in data.glob("*.new*")] == []


def moments() -> Iterator[Callable[[Path], bool]]:
    """From the beginning of a first start to its end: names that come into being one after the other."""
    for name in (f"{FILE_NAME}.new-wal", FILE_NAME, f"{FILE_NAME}-wal", "instance.key"):
        yield lambda data, name=name: (data / name).exists()


@pytest.mark.slow
def test_a_first_start_may_be_killed_at_any_moment(nowhere: Terminal) -> None:
    for happens in moments():
        shutil.rmtree(nowhere.settings.data, ignore_errors=True)
        killed_when(nowhere.begin("migrate"), lambda happens=happens: happens(nowhere.settings.data))

        assert nowhere.ask("migrate")["revision"] == head_revision()
        assert nowhere.ask("doctor")["holds"] is True
        assert len(nowhere.ask("platform", "list")["data"]) == 1


@pytest.mark.slow
def test_several_may_be_the_first(nowhere: Terminal) -> None:
    said = [one.end(60) for one in [nowhere.begin("migrate", "--json") for _ in range(4)]]

    assert [one.code for one in said] == [0] * 4, said
    assert {one.data["revision"] for one in said} == {head_revision()}
    assert len(nowhere.ask("platform", "list")["data"]) == 1
