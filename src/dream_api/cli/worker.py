"""`dream-api worker`: background jobs in a process of their own, beside servers on PostgreSQL."""

import asyncio
import signal

import structlog

from dream_api import app
from dream_api.core import logs, secrets
from dream_api.core.console import Answer, Commands, Instance, Stopped, said
from dream_api.core.jobs import Worker

worker = Commands()
_log = structlog.get_logger()


@worker.works
async def worker_process(instance: Instance) -> Answer:
    """Run background jobs until Ctrl-C or SIGTERM. Any number of workers share the work."""
    settings = instance.settings
    if settings.is_embedded:
        raise Stopped(
            "On the embedded database the server runs the jobs itself.",
            code="worker_needs_postgresql",
            hint="Set DREAM_DATABASE_URL to use PostgreSQL, or just run `dream-api serve`.",
        )
    logs.configure(settings.log_format, settings.log_level)
    secrets.existing_instance_key(settings)
    await instance.prepare()
    selling = app.open_billing(settings, instance.database)
    working = Worker(instance.database, app.every_job(settings, selling))
    _stop_when_told(working)
    _log.info("working", worker=working.name)
    await working.run()
    return Answer({"worker": working.name, "state": "stopped"}, said("The worker has stopped."))


def _stop_when_told(working: Worker) -> None:
    """What runs may end within the grace; then it is given back to the other workers."""
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[None]] = set()

    def stop() -> None:
        stopping.add(asyncio.ensure_future(working.stop()))

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop)
