"""The worker process: background jobs, beside servers on PostgreSQL."""

import asyncio
import signal

import structlog

from dream_api import app
from dream_api.core.db import Database
from dream_api.core.jobs import Worker
from dream_api.core.settings import Settings

_log = structlog.get_logger()


async def work(database: Database, settings: Settings) -> str:
    """Run jobs until SIGINT or SIGTERM; the worker's name."""
    selling = app.open_billing(settings, database)
    working = Worker(database, app.build_job_registry(settings, selling))
    _stop_when_told(working)
    _log.info("working", worker=working.name)
    await working.run()
    return working.name


def _stop_when_told(working: Worker) -> None:
    """What runs may end within the grace; then it is given back to the other workers."""
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[None]] = set()

    def stop() -> None:
        stopping.add(asyncio.ensure_future(working.stop()))

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop)
