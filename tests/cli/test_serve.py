"""`dream-api serve` and `dream-api worker`."""

import json
import os
import pty
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import httpx2 as httpx
import pytest

from dream_api.app import open_database
from dream_api.core import expiry, jobs
from dream_api.core.settings import Settings
from tests.cli.terminal import Terminal
from tests.support.postgres import free_port, run_aside
from tests.support.server import Server, environment

pytestmark = pytest.mark.slow
only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])
only_postgres = pytest.mark.parametrize("database_kind", ["postgres"])


def test_a_server_away_from_a_terminal_says_one_line(database_settings: Settings) -> None:
    with Server(database_settings, log_level="info") as server:
        first, *_ = server.log.splitlines()

        assert json.loads(first)["event"] == "listening"
        assert json.loads(first)["url"] == server.url
        assert json.loads(first)["pid"] == server.pid
        assert "sk_test_" not in server.log


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_has_not_failed(database_settings: Settings, signum: signal.Signals) -> None:
    with Server(database_settings) as server:
        os.kill(server.pid, signum)

        assert server.wait() == 0
        assert "Traceback" not in server.log


@only_sqlite
def test_a_second_server_on_the_same_data_is_refused(database_settings: Settings, terminal: Terminal) -> None:
    with Server(database_settings) as server:
        said = terminal.run("serve", "--port", "0")
        told = terminal.run("serve", "--port", "0", "--json")

        assert said.code == told.code == 1
        assert said.err == (
            f"✗ A server (process {server.pid}) already uses {database_settings.data}.\n"
            "  Stop it first, or choose another data directory with --data or DREAM_DATA.\n"
        )
        assert told.data["code"] == "already_running"
        assert httpx.get(server.url + "/readyz").status_code == 200


@only_sqlite
def test_several_processes_are_refused_on_the_embedded_database(terminal: Terminal) -> None:
    said = terminal.run("serve", "--workers", "2", "--port", "0")
    told = terminal.run("serve", "--workers", "2", "--port", "0", "--json")

    assert (said.code, told.code) == (1, 1)
    assert said.err == (
        "✗ 2 server processes cannot share a SQLite database.\n"
        "  SQLite allows one server process. To use several, set DREAM_DATABASE_URL to a PostgreSQL database.\n"
    )
    assert told.data["code"] == "processes_need_postgresql"


@only_sqlite
def test_no_process_at_all_is_refused(terminal: Terminal) -> None:
    refusal = terminal.refused("serve", "--workers", "0")

    assert (refusal["code"], refusal["param"]) == ("setting_invalid", "DREAM_PROCESSES")


@only_postgres
@pytest.mark.rest
def test_on_a_terminal_several_processes_are_told(database_settings: Settings) -> None:
    several = database_settings.model_copy(update={"processes": 2})

    screen = on_a_terminal(several, lambda screen: screen)

    assert "  Server          2 processes\n" in screen


@only_sqlite
def test_a_killed_server_leaves_no_lock(database_settings: Settings) -> None:
    server = Server(database_settings)
    server.start()
    server.kill()

    with server:
        assert httpx.get(server.url + "/readyz").status_code == 200


def test_a_port_that_is_taken_is_named(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        said = terminal.run("serve", "--port", str(port))

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"✗ Cannot listen on 127.0.0.1, port {port}: address already in use.\n")


def test_a_database_of_another_release_is_not_served(terminal: Terminal) -> None:
    run_aside(claim_newer_schema(terminal.settings))

    said = terminal.run("serve", "--port", "0", "--json")

    assert said.code == 1
    assert said.data["code"] == "foreign_schema"


@only_sqlite
def test_options_go_before_the_environment(terminal: Terminal, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    serving = terminal.begin("serve", "--port", "0", "--data", str(other), "--json")
    try:
        deadline = time.monotonic() + 20
        while not serving.out.endswith("}\n"):
            assert time.monotonic() < deadline, serving.out
            time.sleep(0.02)
        told = json.loads(serving.out)

        assert told["pid"] == serving.process.pid
        assert httpx.get(told["url"] + "/readyz").status_code == 200
        assert told["docs"] == told["url"] + "/docs"
        assert (other / "server.lock").exists()
    finally:
        serving.process.terminate()
        said = serving.end()
    assert said.code == 0


def test_on_a_terminal_a_call_is_ready_to_be_pasted(database_settings: Settings) -> None:
    first = on_a_terminal(database_settings, paste)
    second = on_a_terminal(database_settings, paste)

    assert first == second
    (project,) = [
        each
        for each in Terminal(database_settings).ask("project", "list")["data"]
        if each["name"] == "My first project"
    ]
    keys = Terminal(database_settings).ask("keys", "list", "--project", project["projectId"])["data"]
    assert [(key["mode"], key["kind"]) for key in keys] == [("test", "publishable"), ("test", "secret")]


def test_a_start_says_where_the_dashboard_and_the_documentation_are(database_settings: Settings) -> None:
    screen = on_a_terminal(database_settings, lambda screen: screen)

    url = re.search(r"  Listening on    (\S+)\n", screen)
    assert url is not None
    assert f"  Dashboard       {url[1]}/dashboard\n" in screen
    assert f"  Documentation   {url[1]}/docs\n" in screen


def test_the_operators_link_is_the_same_at_every_start_until_it_is_used(database_settings: Settings) -> None:
    first = on_a_terminal(database_settings, operator_token)
    second = on_a_terminal(database_settings, operator_token)

    assert first == second
    assert Terminal(database_settings).ask("operator-link")["url"].endswith(first)


def operator_token(screen: str) -> str:
    found = re.search(r"^http\S+/account/operator/(o_\w{38})$", screen, re.MULTILINE)
    assert found is not None, screen
    return found[1]


def test_once_there_is_an_operator_a_start_shows_no_key(database_settings: Settings) -> None:
    with Server(database_settings) as server:
        become_operator(server)

    screen = on_a_terminal(database_settings, lambda screen: screen)

    assert "/account/operator/" not in screen
    assert "sk_test_" not in screen
    assert "  Dashboard  " in screen


def become_operator(server: Server) -> None:
    path = Terminal(server.settings).ask("operator-link")["url"].removeprefix(server.url)
    with httpx.Client(base_url=server.url, headers={"Origin": server.url}) as browser:
        csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get(path).text)
        assert csrf is not None
        form = {"csrf": csrf[1], "email": "op@example.com", "name": "Op", "password": "correct horse battery"}
        assert browser.post(path, data=form).status_code == 303


@pytest.mark.rest
def test_a_start_never_creates_a_key_in_place_of_a_revoked_one(database_settings: Settings) -> None:
    terminal = Terminal(database_settings)
    first = on_a_terminal(database_settings, paste)
    project = terminal.ask("project", "list")["data"][-1]["projectId"]
    _, secret = terminal.ask("keys", "list", "--project", project)["data"]
    terminal.ask("keys", "revoke", secret["keyId"], "--project", project)

    without = on_a_terminal(database_settings, lambda screen: screen)
    made = terminal.ask("keys", "create", "--project", project)["secretKey"]

    assert "curl" not in without
    assert on_a_terminal(database_settings, paste) == f"Bearer {made}" != first


def test_programs_read_where_the_server_is_and_what_is_left_to_do(database_settings: Settings) -> None:
    serving = Terminal(database_settings).begin("serve", "--port", "0", "--json")
    try:
        deadline = time.monotonic() + 60
        while not serving.out.endswith("}\n"):
            assert time.monotonic() < deadline, serving.out
            time.sleep(0.02)
        told = json.loads(serving.out)
    finally:
        serving.process.terminate()
        serving.end()

    assert set(told) == {"url", "dashboard", "docs", "pid", "operatorLink"}
    assert told["dashboard"] == told["url"] + "/dashboard"
    assert told["operatorLink"]["url"].startswith(told["url"] + "/account/operator/o_")
    assert "sk_test_" not in json.dumps(told)


@only_sqlite
def test_a_worker_is_not_needed_beside_an_embedded_database(terminal: Terminal) -> None:
    refusal = terminal.refused("worker")

    assert refusal["code"] == "worker_needs_postgresql"


@only_postgres
def test_a_worker_does_jobs_until_it_is_told_to_stop(terminal: Terminal) -> None:
    terminal.ask("migrate")
    run_aside(enqueue_sweep(terminal.settings))
    working = terminal.begin("worker", "--json")
    try:
        deadline = time.monotonic() + 60
        while run_aside(count_jobs(terminal.settings)):
            assert time.monotonic() < deadline, "The worker did not do the job."
            time.sleep(0.1)
    finally:
        working.process.terminate()
        said = working.end()

    assert said.code == 0
    assert said.data["state"] == "stopped"
    assert "Traceback" not in said.err


def paste(screen: str) -> str:
    """Makes the call that the screen shows, as if it were pasted; answers the key it used."""
    command = shlex.split(screen[screen.index("  curl") : screen.index("Ctrl-C")].replace("\\\n", " "))
    assert command[:3] == ["curl", "-X", "POST"]
    headers = dict(part.split(": ", 1) for part in command[5::2])

    answer = httpx.post(command[3], headers=headers)

    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["limit"] == 1_000
    assert max(map(len, screen.splitlines())) <= 80
    return headers["Authorization"]


def on_a_terminal(settings: Settings, look: Callable[[str], str]) -> str:
    """Starts a server as a person does, looks at what it says, and ends it with Ctrl-C."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "dream_api", "serve", "--port", str(free_port())]
    env = {**environment(settings), "COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=env)
    os.close(theirs)
    try:
        seen = look(_until_ready(ours))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return seen
    finally:
        process.kill()
        process.communicate()
        os.close(ours)


def _until_ready(terminal: int) -> str:
    screen = ""
    deadline = time.monotonic() + 60
    while "Ctrl-C stops the server." not in screen:
        assert time.monotonic() < deadline, screen
        if select.select([terminal], [], [], 0.5)[0]:
            screen += os.read(terminal, 65_536).decode()
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen).replace("\r\n", "\n")


async def claim_newer_schema(settings: Settings) -> None:
    database = open_database(settings)
    async with database.write() as tx:
        await tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await database.close()


async def enqueue_sweep(settings: Settings) -> None:
    database = open_database(settings)
    async with database.write() as tx:
        await jobs.enqueue(tx, expiry.KIND, {})
    await database.close()


async def count_jobs(settings: Settings) -> int:
    database = open_database(settings)
    async with database.read() as tx:
        found = await jobs.counts(tx)
    await database.close()
    return sum(found.values())
