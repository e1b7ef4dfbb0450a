"""`dream-api migrate`, `dream-api doctor` and `dream-api jobs`: operation of an instance."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from dream_api import platforms
from dream_api.core import clock
from dream_api.core import jobs as job_queue
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, Instance, Table, ago
from dream_api.core.db.migrations import current_revision
from dream_api.core.errors import ValidationFailed
from dream_api.core.integrity import DATABASE_CHECK, Finding, IntegrityCheck, run_check

migrate = CommandGroup()
doctor = CommandGroup()
jobs = CommandGroup()

_CONTRADICTIONS_SHOWN = 3
_MOST_JOBS = 1_000


@migrate.creates_instance
async def migrate_database(instance: Instance) -> CommandResult:
    """Create or upgrade the database schema. In a new database, the initial rows are created too."""
    before = await current_revision(instance.database)
    await instance.prepare()
    after = await current_revision(instance.database)
    is_changed = before != after
    sentence = f"The database is {'now' if is_changed else 'already'} at revision {after}."
    return CommandResult({"revision": after, "before": before, "isChanged": is_changed}, Text(sentence))


@doctor.on_instance
async def doctor_instance(instance: Instance) -> CommandResult:
    """Check that counts, billing, stock and logs are consistent. Exit with code 1 if a check fails."""
    await instance.prepare()
    checks = instance.app.integrity_checks(instance.settings)
    findings: list[Finding] = []
    for place, check in enumerate(checks, 1):
        findings.append(await _run_check(instance, check, place, len(checks)))
        if check.name == DATABASE_CHECK and not findings[-1].holds:
            break  # nothing else can be read
    broken = sum(not finding.holds for finding in findings)
    sentence = f"All {len(checks)} checks passed." if broken == 0 else f"{broken} of {len(checks)} checks failed."
    return CommandResult(
        {"holds": broken == 0, "checks": [_finding_data(finding) for finding in findings]},
        Text(f"\n{sentence}"),
        is_good=broken == 0,
    )


async def _run_check(instance: Instance, check: IntegrityCheck, place: int, count: int) -> Finding:
    console = instance.console
    with console.status(Text(f"{place} of {count}  {check.sentence}", "dim"), spinner="line"):
        finding = await run_check(instance.database, check)
    _print_finding(console, finding)
    return finding


def _print_finding(console: Console, finding: Finding) -> None:
    if finding.holds:
        console.print(Text("✓ ", "green") + Text(finding.check.sentence))
    else:
        _print_failure(console, finding)


def _print_failure(console: Console, finding: Finding) -> None:
    console.print(Text("✗ ", "red") + Text(f"{finding.check.name} failed. Expected: {finding.check.sentence}"))
    for row in finding.contradictions[:_CONTRADICTIONS_SHOWN]:
        facts = Text(", ".join(f"{name} {value}" for name, value in row.items()))
        console.print(Padding(facts, (0, 0, 0, 4), expand=False))
    more = len(finding.contradictions) - _CONTRADICTIONS_SHOWN
    if more > 0:
        console.print(Text("    and more: --json shows the first 20", "dim"))
    console.print(Padding(Text(finding.check.hint), (0, 0, 0, 2), expand=False))


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.check.name,
        "sentence": finding.check.sentence,
        "holds": finding.holds,
        "contradictions": finding.contradictions,
        "hint": None if finding.holds else finding.check.hint,
    }


@jobs.reads
async def dead(
    context: CommandContext,
    limit: Annotated[int, typer.Option(metavar="N", help="The maximum number of jobs to list, 1 to 1000.")] = 50,
) -> CommandResult:
    """List failed jobs that are no longer retried. The most recent failure comes first."""
    if not 1 <= limit <= _MOST_JOBS:
        raise ValidationFailed(f"The limit must be from 1 to {_MOST_JOBS}.", param="limit")
    found = await job_queue.list_dead_jobs(context.tx, limit)
    platform_ids = await platforms.ids_by_number(context.tx, {one.job.platform_no or 0 for one in found})
    listing = Table(
        ("Job", "Kind", "Failed", "Error"),
        [(one.job.id, one.job.kind, ago(one.died_at), one.last_error.partition("\n")[0]) for one in found],
        empty="There are no failed jobs.",
        elastic=("Error",),
    )
    return CommandResult({"data": [_dead_data(one, platform_ids) for one in found]}, listing)


@jobs.writes
async def retry(
    context: CommandContext,
    job_id: Annotated[
        str, typer.Argument(metavar="ID", help="The job's id, `job_…`, from `jobs dead`.", show_default=False)
    ],
) -> CommandResult:
    """Retry a failed job. The number of attempts starts again at 0."""
    await job_queue.retry(context.tx, job_id)
    return CommandResult({"jobId": job_id, "state": "waiting"}, Text(f"{job_id} will run again."))


def _dead_data(one: job_queue.DeadJob, platform_ids: Mapping[int, str]) -> dict[str, Any]:
    return {
        "jobId": one.job.id,
        "kind": one.job.kind,
        "platformId": platform_ids.get(one.job.platform_no or 0),
        "payload": one.job.payload,
        "attempts": one.job.attempts,
        "lastError": one.last_error,
        "diedAt": clock.rfc3339(one.died_at),
    }
