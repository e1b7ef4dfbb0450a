"""`dream-api worker`: background jobs in a process of their own, on PostgreSQL."""

from dream_api.core import logs
from dream_api.core.console import CommandError, CommandGroup, CommandResult, Instance, message
from dream_api.server.worker import work

worker = CommandGroup()


@worker.on_instance
async def worker_process(instance: Instance) -> CommandResult:
    """Run background jobs until Ctrl-C or SIGTERM. You can start any number of workers."""
    settings = instance.settings
    if settings.is_embedded:
        raise CommandError(
            "`dream-api worker` needs PostgreSQL. With SQLite, the server runs the background jobs itself.",
            code="worker_needs_postgresql",
            hint="Set DREAM_DATABASE_URL to use PostgreSQL, or only run `dream-api serve`.",
        )
    await instance.prepare()
    await instance.verify_key()
    logs.configure(settings.log_format, settings.log_level)
    name = await work(instance.database, settings)
    return CommandResult({"worker": name, "state": "stopped"}, message("The worker has stopped."))
