"""Deletion of projects and platforms, and the purge of what was deleted."""

from dream_api.retention.deletion import (
    LevelSubscriptionActive,
    LivePaymentsExist,
    close_platform,
    delete_project,
    reopen_platform,
)

__all__ = [
    "LevelSubscriptionActive",
    "LivePaymentsExist",
    "close_platform",
    "delete_project",
    "reopen_platform",
]
