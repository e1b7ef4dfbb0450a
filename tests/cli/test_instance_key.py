"""An instance key that was lost or exchanged is noticed at start, and `init --new-key` goes on without it."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy import select as sql_select

from dream_api import accounts, audit
from dream_api.app import open_database
from dream_api.audit.tables import entries, streams
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.db.columns import metadata
from dream_api.core.secrets import InstanceKey
from dream_api.core.settings import Settings
from dream_api.identity.tables import recovery_codes, second_factors
from dream_api.keys.tables import key_hashes, keys
from dream_api.operations.sealed_values import sealed_columns
from dream_api.platforms.tables import instance as facts
from tests.cli.terminal import Terminal
from tests.support.instance import INSTANCE_KEY
from tests.support.postgres import run_aside
from tests.support.server import Server, environment

OTHER = InstanceKey(bytes([7] * 32))
OTHER_HEX = bytes([7] * 32).hex()
FINGERPRINT = "key_fingerprint"


def run(settings: Settings, work: Callable[[Tx], Awaitable[Any]]) -> Any:
    """The work in one transaction on the instance's database."""

    async def aside() -> Any:
        database = open_database(settings)
        async with database.write() as tx:
            found = await work(tx)
        await database.close()
        return found

    return run_aside(aside())


def key_file(terminal: Terminal) -> Path:
    return terminal.settings.data / "instance.key"


@pytest.fixture
def terminal(terminal: Terminal) -> Terminal:
    """An instance that is created, with a developer who signs in with codes, and a truncated security log."""
    terminal.ask("init")

    async def settle(tx: Tx) -> None:
        user = await accounts.create_user(tx, "ada@example.com", "Ada", verified=True)
        factor = {"subject": user.id, "sealed": INSTANCE_KEY.seal("JBSWY3DPEHPK3PXP", user.id), "last_step": 0}
        await tx.execute(insert(second_factors).values(**factor, created_at=clock.now(), confirmed_at=clock.now()))
        await tx.execute(insert(recovery_codes).values(subject=user.id, hash=b"x" * 32))
        await audit.record(tx, audit.Stream(user.id), "session.opened", by=audit.OPERATOR)

    run(terminal.settings, settle)
    clock.move(181 * clock.DAY)
    run_aside(truncate(terminal.settings))
    clock.reset()
    return terminal


async def truncate(settings: Settings) -> None:
    database = open_database(settings)
    await audit.truncate(database, INSTANCE_KEY)
    await database.close()


def fingerprint(terminal: Terminal) -> str | None:
    return run(terminal.settings, lambda tx: tx.scalar(sql_select(facts.c.value).where(facts.c.name == FINGERPRINT)))


def forget_fingerprint(terminal: Terminal) -> None:
    """As in a database of an earlier release."""
    run(terminal.settings, lambda tx: tx.execute(delete(facts).where(facts.c.name == FINGERPRINT)))


def lose(terminal: Terminal) -> None:
    key_file(terminal).unlink()


def exchange(terminal: Terminal) -> None:
    key_file(terminal).write_text(OTHER_HEX)


def damage(terminal: Terminal) -> None:
    key_file(terminal).write_text("ab" * 20)


LOST = {lose: "instance_key_missing", exchange: "instance_key_wrong", damage: "instance_key_wrong"}


@pytest.mark.both
@pytest.mark.parametrize("how", LOST, ids=lambda how: how.__name__)
def test_a_server_does_not_start_without_its_key_and_creates_none(
    terminal: Terminal, how: Callable[[Terminal], None]
) -> None:
    how(terminal)
    left = sorted(path.name for path in terminal.settings.data.iterdir() if path.name != "server.lock")
    before = key_file(terminal).read_text() if key_file(terminal).exists() else None

    said = terminal.run("serve", "--port", "0", "--json")

    assert (said.code, said.data["code"]) == (1, LOST[how])
    assert "`dream-api init --new-key`" in said.data["hint"]
    assert str(key_file(terminal)) in said.data["error"]
    kept = sorted(path.name for path in terminal.settings.data.iterdir() if path.name != "server.lock")
    assert [name for name in kept if "dream.db" not in name] == [name for name in left if "dream.db" not in name]
    assert (key_file(terminal).read_text() if key_file(terminal).exists() else None) == before


def test_the_sentence_says_which_key_is_looked_for(terminal: Terminal) -> None:
    exchange(terminal)

    error = terminal.refused("keys", "create", "--project", terminal.ask("project", "list")["data"][0]["projectId"])

    assert (error["code"], INSTANCE_KEY.fingerprint in error["error"]) == ("instance_key_wrong", True)
    assert OTHER.fingerprint in error["error"]


@pytest.mark.parametrize("words", [("init",), ("operator-link",)], ids=lambda words: words[0])
def test_commands_that_need_the_key_stop_as_well(terminal: Terminal, words: tuple[str, ...]) -> None:
    exchange(terminal)

    assert terminal.refused(*words)["code"] == "instance_key_wrong"
    assert terminal.ask("project", "list")["data"]


@pytest.mark.parametrize("database_kind", ["postgres"])
def test_a_worker_stops_too(terminal: Terminal) -> None:
    assert terminal.refused("worker", DREAM_INSTANCE_KEY=OTHER_HEX)["code"] == "instance_key_wrong"


# Databases of earlier releases.


@pytest.mark.both
@pytest.mark.slow
def test_a_database_without_a_fingerprint_gets_it_at_the_first_start(terminal: Terminal) -> None:
    forget_fingerprint(terminal)
    assert terminal.ask("doctor")["holds"] is True

    with Server(terminal.settings):
        assert fingerprint(terminal) == INSTANCE_KEY.fingerprint


@pytest.mark.both
@pytest.mark.parametrize("kept", ["all", "keys", "second_factors", "audit_streams"])
def test_it_gets_none_as_long_as_anything_does_not_open(terminal: Terminal, kept: str) -> None:
    """Only one kind of what depends on the key is left, or all."""
    forget_fingerprint(terminal)

    async def keep(tx: Tx) -> None:
        if kept not in ("all", "keys"):
            await tx.execute(update(keys).values(sealed=None))
        if kept not in ("all", "second_factors"):
            await tx.execute(delete(second_factors))
        if kept not in ("all", "audit_streams"):
            await tx.execute(delete(streams).where(streams.c.cut_number > 0))

    run(terminal.settings, keep)
    exchange(terminal)

    said = terminal.run("serve", "--port", "0", "--json")

    assert (said.code, said.data["code"]) == (1, "instance_key_wrong")
    assert fingerprint(terminal) is None
    assert terminal.ask("init", "--new-key", "--yes")["instanceKey"]["fingerprint"] == OTHER.fingerprint
    assert terminal.ask("doctor")["holds"] is True


# The doctor.


def broken_checks(terminal: Terminal) -> dict[str, list[dict[str, Any]]]:
    said = terminal.type("doctor", "--json")
    assert said.code == 1
    return {check["name"]: check["contradictions"] for check in said.data["checks"] if not check["holds"]}


@pytest.mark.both
def test_the_doctor_proves_that_the_key_fits(terminal: Terminal) -> None:
    exchange(terminal)

    found = broken_checks(terminal)

    assert set(found) == {"instance_key_fits", "sealed_values_open", "security_log_is_whole"}
    assert found["instance_key_fits"] == [{"fingerprint": OTHER.fingerprint, "expected": INSTANCE_KEY.fingerprint}]
    assert [row["what"] for row in found["sealed_values_open"]] == ["test secret keys", "authenticator apps"]


@pytest.mark.both
def test_the_doctor_names_each_value_that_does_not_open(terminal: Terminal) -> None:
    async def tamper(tx: Tx) -> str:
        key_id = await tx.scalar(sql_select(keys.c.id).where(keys.c.sealed.is_not(None)))
        sealed = INSTANCE_KEY.seal("sk_test_x", "key_of_another_row")
        await tx.execute(update(keys).where(keys.c.id == key_id).values(sealed=sealed))
        return key_id

    key_id = run(terminal.settings, tamper)

    found = broken_checks(terminal)

    assert set(found) == {"sealed_values_open"}
    assert [row["id"] for row in found["sealed_values_open"]] == [key_id]


async def seal_many(tx: Tx) -> None:
    """More keys than one page of the walk holds, of which two do not open: the first and the last."""
    row = (await tx.all(sql_select(keys).where(keys.c.sealed.is_not(None))))[0]
    made = [{**row._mapping, "id": f"key_z{number:05}", "hash": number.to_bytes(4)} for number in range(2_500)]
    for each in made:
        each["sealed"] = (OTHER if each in (made[0], made[-1]) else INSTANCE_KEY).seal("sk", each["id"])
    await tx.execute(insert(keys), made)
    found_by = [{"hash": each["hash"], "platform_no": each["platform_no"], "key_id": each["id"]} for each in made]
    await tx.execute(insert(key_hashes), found_by)


@pytest.mark.both
def test_every_value_is_looked_at_however_many_there_are(terminal: Terminal) -> None:
    run(terminal.settings, seal_many)

    found = broken_checks(terminal)

    assert [row["id"] for row in found["sealed_values_open"]] == ["key_z00000", "key_z02499"]


def test_every_column_that_is_sealed_is_declared_as_one() -> None:
    declared = {f"{column.table.name}.{column.name}" for column in sealed_columns()}
    named = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if "sealed" in column.name
    }

    assert declared == named
    assert all(column.info["owner"] in column.table.columns for column in sealed_columns())


# Another key.


def lost_by(terminal: Terminal) -> dict[str, int]:
    cleared = terminal.ask("init", "--new-key", "--yes")["cleared"]
    return {each["what"]: each["count"] for each in cleared}


@pytest.mark.both
@pytest.mark.slow
@pytest.mark.parametrize("how", [lose, exchange], ids=lambda how: how.__name__)
def test_a_new_key_clears_what_nobody_can_read_and_the_rest_works(
    terminal: Terminal, how: Callable[[Terminal], None]
) -> None:
    project = terminal.ask("project", "create", "Shop", "--type", "saas")
    how(terminal)

    assert lost_by(terminal) == {"test secret keys": 2, "authenticator apps": 1}

    assert terminal.ask("doctor")["holds"] is True
    assert run(terminal.settings, lambda tx: tx.all(sql_select(second_factors))) == []
    assert run(terminal.settings, lambda tx: tx.all(sql_select(recovery_codes))) == []
    with Server(terminal.settings) as server:
        headers = {"Authorization": f"Bearer {project['secretKey']}", "X-User-Id": "ada"}
        assert httpx.post(f"{server.url}/api/data", headers=headers).status_code == 200
    _, secret = terminal.ask("keys", "list", "--project", project["projectId"])["data"]
    words = ("keys", "reveal", secret["keyId"], "--project", project["projectId"])
    assert terminal.refused(*words)["code"] == "key_not_retrievable"
    fresh = terminal.ask("keys", "create", "--project", project["projectId"])
    revealed = terminal.ask("keys", "reveal", fresh["keyId"], "--project", project["projectId"])
    assert revealed["secretKey"] == fresh["secretKey"]


@pytest.mark.both
def test_the_security_log_says_who_lost_their_codes(terminal: Terminal) -> None:
    lose(terminal)
    terminal.ask("init", "--new-key", "--yes")

    async def actions(tx: Tx) -> set[tuple[str, str]]:
        rows = await tx.all(sql_select(entries))
        return {("usr" if row.user_id else "plt", row.action) for row in rows}

    assert {("usr", "totp.disabled"), ("plt", "instance_key.replaced")} <= run(terminal.settings, actions)


def test_what_opens_with_the_key_at_hand_stays(terminal: Terminal) -> None:
    """As where a new key was once made silently, and secrets were sealed with both."""
    run(terminal.settings, seal_many)
    exchange(terminal)

    assert lost_by(terminal) == {"test secret keys": 2_499, "authenticator apps": 1}
    assert key_file(terminal).read_text() == OTHER_HEX
    assert terminal.ask("doctor")["holds"] is True


@pytest.mark.both
def test_a_key_that_fits_is_not_replaced(terminal: Terminal) -> None:
    before = key_file(terminal).read_text()

    error = terminal.refused("init", "--new-key", "--yes")

    assert (error["code"], fingerprint(terminal)) == ("instance_key_fits", INSTANCE_KEY.fingerprint)
    assert key_file(terminal).read_text() == before
    assert terminal.ask("doctor")["holds"] is True


def test_a_file_that_holds_no_key_is_moved_away_by_the_operator(terminal: Terminal) -> None:
    damage(terminal)

    error = terminal.refused("init", "--new-key", "--yes")

    assert error["hint"] == "Nothing was changed. Move this file to another directory, then repeat the command."
    lose(terminal)
    assert lost_by(terminal) == {"test secret keys": 1, "authenticator apps": 1}


def test_without_a_terminal_nothing_is_cleared_unless_it_is_confirmed(terminal: Terminal) -> None:
    lose(terminal)

    for error in (terminal.refused("init", "--new-key"), json_of(terminal.run("init", "--new-key", "--json").out)):
        assert error["code"] == "confirmation_needed"
        assert error["error"].endswith("are deleted: test secret keys (1), authenticator apps (1).")
        assert "--yes" in error["hint"]
    assert not key_file(terminal).exists()
    assert fingerprint(terminal) == INSTANCE_KEY.fingerprint


def json_of(text: str) -> dict[str, Any]:
    return json.loads(text)


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "is_cleared"), [("n", False), ("y", True)])
def test_on_a_terminal_it_lists_what_is_lost_and_asks(terminal: Terminal, answer: str, *, is_cleared: bool) -> None:
    lose(terminal)

    screen, code = on_a_terminal(terminal.settings, answer)

    assert "  1  They work as before, but cannot be shown again." in re.sub(r" {2,}", "  ", screen)
    assert "Their users sign in without a code" in re.sub(r"\s+", " ", screen)
    assert (code, key_file(terminal).exists()) == ((0, True) if is_cleared else (1, False))
    assert (fingerprint(terminal) == INSTANCE_KEY.fingerprint) is not is_cleared


def on_a_terminal(settings: Settings, answer: str) -> tuple[str, int]:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "dream_api", "init", "--new-key"]
    env = {**environment(settings), "COLUMNS": "120", "TERM": "xterm"}
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    screen, deadline, is_answered = "", time.monotonic() + 90, False
    try:
        while process.poll() is None:
            assert time.monotonic() < deadline, screen
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    screen += os.read(ours, 65_536).decode()
                except OSError:
                    break
            if "[y/N]" in screen and not is_answered:
                is_answered = True
                os.write(ours, f"{answer}\n".encode())
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen).replace("\r\n", "\n"), process.wait(60)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_running_server_keeps_its_key(terminal: Terminal) -> None:
    with Server(terminal.settings):
        lose(terminal)

        assert terminal.refused("init", "--new-key", "--yes")["code"] == "already_running"
        assert not key_file(terminal).exists()


def test_a_new_key_takes_an_instance(tmp_path: Path) -> None:
    terminal = Terminal(Settings(data=tmp_path / "data"))

    assert terminal.refused("init", "--new-key", "--yes")["code"] == "no_instance"
    assert not (tmp_path / "data").exists()


def test_a_key_of_the_operators_own_choice_takes_its_place(terminal: Terminal) -> None:
    made = terminal.ask("init", "--new-key", "--yes", DREAM_INSTANCE_KEY=OTHER_HEX)

    assert made["instanceKey"] == {"place": "DREAM_INSTANCE_KEY", "fingerprint": OTHER.fingerprint}
    assert terminal.ask("doctor", DREAM_INSTANCE_KEY=OTHER_HEX)["holds"] is True
    assert terminal.refused("operator-link")["code"] == "instance_key_wrong"
