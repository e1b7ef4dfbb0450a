"""Background jobs, enqueued in a transaction and run after it, by this process or by another.

A job is a row, written in the same transaction as the fact that makes it necessary, so that neither exists
without the other. Workers take due jobs under a lease and run them at least once: **every handler must be
idempotent**, because a worker may crash after the work was done and before that was written down, and then
another worker does it again.
"""

from dream_api.core.jobs.queue import DeadJob, State, counts, enqueue, list_dead_jobs, retry
from dream_api.core.jobs.registry import Handler, Job, Registry, Schedule
from dream_api.core.jobs.worker import Worker

__all__ = [
    "DeadJob",
    "Handler",
    "Job",
    "Registry",
    "Schedule",
    "State",
    "Worker",
    "counts",
    "enqueue",
    "list_dead_jobs",
    "retry",
]
