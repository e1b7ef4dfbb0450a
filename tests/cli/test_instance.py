"""`dream-api migrate`, `dream-api doctor` and `dream-api jobs`."""

import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from dream_api.app import bootstrap, open_database
from dream_api.core import clock, jobs
from dream_api.core.db.sqlite import connect
from dream_api.core.jobs.tables import jobs as job_table
from dream_api.core.settings import Settings
from dream_api.migrations import head_revision
from dream_api.usage.tables import usage_hours, usage_rolled, usage_totals
from tests.cli.terminal import Terminal
from tests.support.postgres import run_aside


def test_a_fresh_data_directory_is_made_ready(tmp_path: Path) -> None:
    terminal = Terminal(Settings(data=tmp_path / "new" / "data"))

    first = terminal.ask("migrate")
    second = terminal.ask("migrate")

    assert first == {"revision": head_revision(), "before": None, "isChanged": True}
    assert second == {"revision": head_revision(), "before": head_revision(), "isChanged": False}
    assert stat.S_IMODE(terminal.settings.data.stat().st_mode) == 0o700


def test_nobody_else_on_the_machine_reads_the_database(tmp_path: Path) -> None:
    """Nor its log; a database of an earlier release is taken from others at the next start."""
    terminal = Terminal(Settings(data=tmp_path / "data"))
    terminal.ask("migrate")
    file = terminal.settings.data / "dream.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    file.chmod(0o644)
    terminal.ask("migrate")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with closing(connect(file)) as open_one:
        open_one.execute("CREATE TABLE more (id INTEGER)")
        beside = [path for path in file.parent.iterdir() if path.name.startswith("dream.db-")]
        assert {stat.S_IMODE(path.stat().st_mode) for path in beside} == {0o600}
        assert len(beside) == 2


@pytest.mark.parametrize("how", ["setting", "option"])
def test_a_fresh_instance_has_its_key(tmp_path: Path, how: str) -> None:
    terminal = Terminal(Settings(data=tmp_path / "data"))
    more = () if how == "setting" else ("--data", str(tmp_path / "other"))

    terminal.ask("migrate", *more)

    folder = tmp_path / ("data" if how == "setting" else "other")
    assert stat.S_IMODE((folder / "instance.key").stat().st_mode) == 0o600
    assert terminal.ask("project", "create", "Shop", "--type", "saas", *more)["secretKey"]


def test_the_doctor_finds_a_fresh_instance_well(terminal: Terminal) -> None:
    found = terminal.ask("doctor")
    said = terminal.type("doctor")

    assert found["holds"] is True
    assert all(check["holds"] and check["contradictions"] == [] for check in found["checks"])
    assert said.code == 0
    assert said.out.count("✓ ") == len(found["checks"]) > 3
    assert said.out.endswith(f"All {len(found['checks'])} checks passed.\n")


def test_the_doctor_shows_what_contradicts_a_check(terminal: Terminal) -> None:
    run_aside(forge_hours(terminal.settings, count=5))

    said = terminal.type("doctor")
    told = terminal.type("doctor", "--json")

    assert (said.code, told.code) == (1, 1)
    failed = "✗ life_is_sum_of_hours failed. Expected: Each lifetime count of a sum meter is the sum of its hours.\n"
    assert f"{failed}    platform_no 1, customer_no " in said.out
    assert "Restore a backup, or report the bug" in " ".join(said.out.split())
    assert "and more: --json shows the first 20" in said.out
    assert told.data["holds"] is False
    (broken,) = [check for check in told.data["checks"] if check["name"] == "life_is_sum_of_hours"]
    assert len(broken["contradictions"]) == 5
    assert broken["contradictions"][0]["expected"] == 7
    assert broken["hint"].startswith("Someone changed the database by hand, or this is a bug")


def test_hourly_totals_are_computed_again(terminal: Terminal) -> None:
    terminal.ask("project", "create", "Shop", "--type", "saas")
    run_aside(forge_totals(terminal.settings))
    (broken,) = [check for check in terminal.type("doctor", "--json").data["checks"] if not check["holds"]]

    rebuilt = terminal.ask("usage", "rebuild-rollups")

    assert broken["name"] == "totals_are_sums_of_hours"
    assert "dream-api usage rebuild-rollups" in broken["hint"]
    assert rebuilt == {"platforms": 1}
    assert terminal.ask("doctor")["holds"] is True
    assert terminal.type("usage", "rebuild-rollups").out == "Computed the hourly totals of 1 platform again.\n"


def test_a_dead_job_is_shown_and_can_be_tried_again(terminal: Terminal) -> None:
    job_id = run_aside(bury_a_job(terminal.settings))

    (dead,) = terminal.ask("jobs", "dead")["data"]
    said = terminal.type("jobs", "dead")
    retried = terminal.ask("jobs", "retry", job_id)

    assert (dead["jobId"], dead["kind"], dead["lastError"]) == (job_id, "mail.send", "OSError: no route\nmore")
    assert "OSError: no route\n" in said.out
    assert retried == {"jobId": job_id, "state": "waiting"}
    assert terminal.ask("jobs", "dead")["data"] == []
    assert terminal.refused("jobs", "retry", job_id)["code"] == "not_found"


def test_no_dead_job_is_good_news(terminal: Terminal) -> None:
    assert terminal.type("jobs", "dead").out == "There are no failed jobs.\n"
    assert terminal.refused("jobs", "dead", "--limit", "0")["param"] == "limit"


async def forge_hours(settings: Settings, count: int) -> None:
    """Hours that no counter knows of."""
    database = open_database(settings)
    await bootstrap(database, settings)
    whose = {"platform_no": 1, "meter_no": 1, "hour": 0, "period_starts_at": 0}
    async with database.write() as tx:
        for customer_no in range(1, count + 1):
            row = {**whose, "customer_no": customer_no, "total": 7, "calls": 7}
            await tx.execute(insert(usage_hours).values(row))
        assert await tx.scalar(select(func.count()).select_from(usage_hours)) == count
    await database.close()


async def forge_totals(settings: Settings) -> None:
    """Totals of hours in which nothing was counted."""
    database = open_database(settings)
    async with database.write() as tx:
        await tx.execute(insert(usage_rolled).values(platform_no=1, until=2 * clock.HOUR))
        total = {"platform_no": 1, "meter_no": 1, "mode": 0, "hour": clock.HOUR, "total": 7, "calls": 7}
        await tx.execute(insert(usage_totals).values(total))
    await database.close()


async def bury_a_job(settings: Settings) -> str:
    database = open_database(settings)
    async with database.write() as tx:
        job_id = await jobs.enqueue(tx, "mail.send", {"to": "ada"})
        dead = {"state": "dead", "run_at": None, "died_at": clock.now(), "last_error": "OSError: no route\nmore"}
        await tx.execute(update(job_table).where(job_table.c.id == job_id).values(dead))
    await database.close()
    return job_id
