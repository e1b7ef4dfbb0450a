"""Wakes the workers of this process when a job is enqueued, so that they need not wait for their next poll."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

_sleepers: set[asyncio.Event] = set()


@contextmanager
def wait_for_notification(event: asyncio.Event) -> Generator[None, None, None]:
    """Within the block, `notify_workers` sets the event."""
    _sleepers.add(event)
    try:
        yield
    finally:
        _sleepers.discard(event)


def notify_workers() -> None:
    """For `tx.after_commit`: what was enqueued can now be seen."""
    for event in _sleepers:
        event.set()
