"""`dream-api migrate`, `dream-api doctor` and `dream-api jobs`: operation of an instance."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from dream_api.core import clock
from dream_api.core import jobs as job_queue
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, Instance, Table, ago
from dream_api.core.db.migrations import current_revision
from dream_api.core.errors import ValidationFailed
from dream_api.core.integrity import Finding, IntegrityCheck, run_check
from dream_api.core.secrets import instance_key

migrate = CommandGroup()
doctor = CommandGroup()
jobs = CommandGroup()

_CONTRADICTIONS_SHOWN = 3
_MOST_JOBS = 1_000


@migrate.creates_instance
async def migrate_database(instance: Instance) -> CommandResult:
    """Bring the database to this release's schema. The initial rows are created as well."""
    before = await current_revision(instance.database)
    await instance.prepare()
    if before is None or instance.settings.is_embedded:
        instance_key(instance.settings)
    after = await current_revision(instance.database)
    is_changed = before != after
    sentence = f"The database is at revision {after}" + (" now." if is_changed else " already.")
    return CommandResult({"revision": after, "before": before, "isChanged": is_changed}, Text(sentence))


@doctor.on_instance
async def doctor_instance(instance: Instance) -> CommandResult:
    """Check that counts, periods and customers agree with one another. Exit code 1 where they do not."""
    await instance.prepare()
    checks = instance.app.integrity_checks(instance.settings)
    findings = [await _run_check(instance, check, place, len(checks)) for place, check in enumerate(checks, 1)]
    broken = sum(not finding.holds for finding in findings)
    sentence = f"All {len(checks)} checks hold." if broken == 0 else f"{broken} of {len(checks)} checks do not hold."
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
    mark = Text("✓ ", "green") if finding.holds else Text("✗ ", "red")
    console.print(mark + Text(finding.check.sentence))
    for row in finding.contradictions[:_CONTRADICTIONS_SHOWN]:
        facts = Text(", ".join(f"{name} {value}" for name, value in row.items()))
        console.print(Padding(facts, (0, 0, 0, 4), expand=False))
    more = len(finding.contradictions) - _CONTRADICTIONS_SHOWN
    if more > 0:
        console.print(Text("    and more: --json shows the first twenty", "dim"))


def _finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.check.name,
        "sentence": finding.check.sentence,
        "holds": finding.holds,
        "contradictions": finding.contradictions,
    }


@jobs.reads
async def dead(
    context: CommandContext, limit: Annotated[int, typer.Option(metavar="N", help="At most so many, 1 to 1000.")] = 50
) -> CommandResult:
    """List the jobs that were given up. Those whose last attempt failed latest come first."""
    if not 1 <= limit <= _MOST_JOBS:
        raise ValidationFailed(f"The limit is 1 to {_MOST_JOBS}.", param="limit")
    found = await job_queue.list_dead_jobs(context.tx, limit)
    listing = Table(
        ("Job", "Kind", "Given up", "Why"),
        [(one.job.id, one.job.kind, ago(one.died_at), one.last_error.partition("\n")[0]) for one in found],
        empty="No job was given up.",
        elastic=("Why",),
    )
    return CommandResult({"data": [_dead_data(one) for one in found]}, listing)


@jobs.writes
async def retry(
    context: CommandContext,
    job_id: Annotated[str, typer.Argument(metavar="ID", help="`job_…`, from `jobs dead`.", show_default=False)],
) -> CommandResult:
    """Run a job again that was given up. It has all its attempts again."""
    await job_queue.retry(context.tx, job_id)
    return CommandResult({"jobId": job_id, "state": "waiting"}, Text(f"{job_id} runs again."))


def _dead_data(one: job_queue.DeadJob) -> dict[str, Any]:
    return {
        "jobId": one.job.id,
        "kind": one.job.kind,
        "platformId": one.job.platform_id,
        "payload": one.job.payload,
        "attempts": one.job.attempts,
        "lastError": one.last_error,
        "diedAt": clock.rfc3339(one.died_at),
    }
