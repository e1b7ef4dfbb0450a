"""The worker process: background jobs outside the servers, on PostgreSQL."""

import asyncio
import signal

import structlog

from dream_api import app
from dream_api.core.db import Database
from dream_api.core.jobs import Worker
from dream_api.core.settings import Settings

_log = structlog.get_logger()


async def work(database: Database, settings: Settings) -> str:
    """Run jobs until SIGINT or SIGTERM; returns the worker's name."""
    billing_context = app.open_billing(settings, database)
    working = Worker(database, app.build_job_registry(settings, billing_context))
    _stop_on_signals(working)
    _log.info("working", worker=working.name)
    await working.run()
    return working.name


def _stop_on_signals(working: Worker) -> None:
    """Running jobs may finish within the grace period; then they are released to the other workers."""
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[None]] = set()

    def stop() -> None:
        stopping.add(asyncio.ensure_future(working.stop()))

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop)
