"""`dream-api usage`: maintenance of counted usage."""

from rich.text import Text

from dream_api import platforms
from dream_api import usage as counted
from dream_api.core.console import CommandGroup, CommandResult, Instance

usage = CommandGroup()


@usage.on_instance_as("rebuild-rollups")
async def rebuild_rollups(instance: Instance) -> CommandResult:
    """Compute the hourly totals for charts again, from the counted hours. The server can run meanwhile."""
    await instance.prepare()
    async with instance.database.read() as tx:
        every = [row.no for row in await platforms.all_platforms(tx)]
    with instance.console.status("", spinner="line") as status:
        for place, platform_no in enumerate(every, 1):
            status.update(Text(f"Platform {place:,} of {len(every):,}", "dim"))
            await counted.rebuild_rollups(instance.database, platform_no)
    many = "1 platform" if len(every) == 1 else f"{len(every):,} platforms"
    return CommandResult({"platforms": len(every)}, Text(f"Computed the hourly totals of {many} again."))
